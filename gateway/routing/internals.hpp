// The router from inside. Three layers: the fold changes the records (fold.cpp) and keeps what follows from them up to date (lanes.cpp), matching looks for
// agents and items whose situation has changed (matching.cpp, strategies.cpp), and the commands write events and let them match (agents.cpp, items.cpp, timers.cpp).
#pragma once

#include <absl/container/flat_hash_map.h>

#include <deque>

#include "gateway/base/bytes.hpp"
#include "gateway/routing/state.hpp"

namespace touchgate::routing {

inline constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
inline constexpr std::size_t considered_max = 8;              // of a trace
inline constexpr std::size_t ended_offers_kept = 16'384;      // to tell a stale offer from an unknown one
inline constexpr Duration tell_again_after{5'000};            // an item that was not taken out of the router's hands
inline constexpr std::size_t lanes_kept = 64;                 // of one queue, used or not
inline constexpr std::string_view parked_cause = "parked";    // of an ItemQueued that nobody is offered

[[nodiscard]] inline Error conflict(std::string_view code, std::string detail) {
    return {.kind = ErrorKind::conflict, .detail = std::move(detail), .reference = std::string{code}};
}
[[nodiscard]] inline Error not_found(std::string_view code, std::string detail) {
    return {.kind = ErrorKind::not_found, .detail = std::move(detail), .reference = std::string{code}};
}

// By any kind of string.
struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
};
template <class T> using NameMap = absl::flat_hash_map<std::string, T, NameHash, std::equal_to<>>;

struct Router::Internals {
    Internals(RouterSettings given, Journal& journal_of, Random& random_of);

    RouterSettings settings;
    Journal& journal;
    Random& random;

    // ---- tables. Numbers are given by the fold only, so that they follow from the events.
    std::vector<std::unique_ptr<AgentRecord>> agents;
    std::size_t waiting_for_one = 0;  // items in any agent's own list
    std::vector<std::unique_ptr<QueueRecord>> queues;
    NameMap<AgentNumber> agent_numbers;
    NameMap<QueueNumber> queue_numbers;
    std::vector<std::string> channels{"voice"};
    NameMap<std::uint32_t> skill_numbers;
    struct Needs { std::vector<std::string> words; std::vector<SkillLevel> levels; };
    std::vector<Needs> needs{Needs{}};
    NameMap<std::uint32_t> needs_numbers;
    std::vector<ItemRecord> items;
    std::vector<ItemNumber> free_items;
    absl::flat_hash_map<Uuid, ItemNumber> item_numbers;
    std::vector<OfferRecord> offers;
    std::vector<OfferNumber> free_offers;
    absl::flat_hash_map<Uuid, OfferNumber> offer_numbers;
    std::deque<std::pair<Uuid, AgentNumber>> ended_order;
    absl::flat_hash_map<Uuid, AgentNumber> ended_offers;
    std::vector<std::unique_ptr<Lane>> lanes;
    std::vector<LaneNumber> free_lanes;
    mutable std::vector<Timer> timers;       // a heap; what is out of date is dropped when it comes up
    std::uint64_t last_fence = 0, last_serial = 0;
    Instant last_at{}, clock{};              // of the last event; the latest that is known
    std::array<std::uint32_t, 12> state_counts{};
    std::int64_t day_begin = 0, day_end = 0, day_number = 0;  // Unix ms

    // ---- what is to be looked at before the command returns
    std::vector<AgentNumber> changed_agents;
    std::vector<ItemNumber> changed_items, late_items;
    std::vector<FlowOut> flow_outs;
    std::size_t deciding = 0;                // depth of commands; 0: what is applied comes from a log
    bool only_settled = false;               // choose among those who are not to be looked at themselves
    bool unsettled = false;                  // something was: look at everything before the next decision
    std::vector<Candidate> scratch, stale;

    // ---- fold.cpp
    void on(const AgentDefined& event, Instant at);
    void on(const QueueDefined& event, Instant at);
    void on(const AgentSessionChanged& event, Instant at);
    void on(const AgentIntentChanged& event, Instant at);
    void on(const AgentHealthChanged& event, Instant at);
    void on(const ItemQueued& event, Instant at);
    void on(const OfferMade& event, Instant at);
    void on(const OfferEnded& event, Instant at);
    void on_unanswered(const OfferEnded& event, Instant at);
    void on(const ItemAssigned& event, Instant at);
    void on(const ItemPhaseChanged& event, Instant at);
    void on(const ItemRecovering& event, Instant at);
    void on(const ItemWrapping& event, Instant at);
    void on(const ItemEnded& event, Instant at);
    void release(ItemNumber number, Instant at);          // from the agent whose it is
    void take(AgentNumber agent, ItemNumber item, Instant at);  // he works on it from now on
    void forget_offer(OfferNumber number);
    ItemNumber new_item(const Uuid& id);
    void free_item(ItemNumber number);

    // ---- figures.cpp
    void enter_wait(ItemNumber number, Instant at);
    void leave_wait(ItemNumber number);
    void count_answer(ItemRecord& item, Instant at);
    void count_call(AgentRecord& agent, AgentNumber number, Instant at);
    void count_talk(AgentRecord& agent, const ItemRecord& item, Instant at);
    QueueCounts& counts_of(QueueRecord& queue, Instant at);
    std::int64_t day_of(Instant at);

    // ---- tables.cpp
    AgentNumber intern_agent(std::string_view id);
    std::uint32_t intern_skill(const std::string& name);
    std::uint32_t intern_needs(const std::vector<std::string>& words);
    std::optional<ChannelNumber> intern_channel(std::string_view name);
    [[nodiscard]] std::optional<ChannelNumber> find_channel(std::string_view name) const;
    [[nodiscard]] AgentNumber find_agent(std::string_view id) const;      // a defined one
    [[nodiscard]] QueueNumber find_queue(std::string_view id) const;
    [[nodiscard]] ItemNumber find_item(const Uuid& id) const;
    [[nodiscard]] std::vector<SkillLevel> levels_of(const Skills& skills);
    [[nodiscard]] static const SkillLevel* level_in(const std::vector<SkillLevel>& levels, std::uint32_t skill);

    // ---- lanes.cpp: what follows from the records
    void adopt(AgentNumber number, Instant at);           // his definition is new
    void adopt_queue(QueueNumber number, Instant at);
    void refresh(AgentNumber number, Instant at);         // routable, free channels, displayed state
    void touch(AgentNumber number);                       // to be looked at
    void touch_item(ItemNumber number);
    [[nodiscard]] AgentState displayed(const AgentRecord& agent) const;
    [[nodiscard]] bool can_serve(const AgentRecord& agent, const QueueMembership& membership, const Lane& lane) const;
    void join_lane(AgentNumber number, LaneNumber lane, std::uint32_t membership);
    void leave_lanes(AgentNumber number);
    LaneNumber lane_of(QueueNumber queue, ChannelNumber channel, std::uint32_t needs_number, std::uint8_t ring);
    void drop_lane(LaneNumber number);
    void place(ItemNumber number, Instant at);
    void unplace(ItemNumber number);
    [[nodiscard]] WaitingKey key_of(ItemNumber number) const;
    [[nodiscard]] std::uint8_t ring_of(const ItemRecord& item, Instant at) const;
    void look_at_hours(QueueRecord& queue, QueueNumber number, Instant at);
    void look_at_shift(AgentRecord& agent, AgentNumber number, Instant at);

    // ---- strategies.cpp
    [[nodiscard]] Candidate candidate_of(const AgentRecord& agent, AgentNumber number, const LaneEntry& entry, const Lane& lane);
    void list(AgentNumber number);                        // among the candidates of his lanes
    bool won_draw(AgentNumber number, LaneNumber lane);   // false: the strategy draws nothing; else list him again once he has his offer
    [[nodiscard]] LaneEntry* entry_of(AgentNumber agent, LaneNumber lane) const;
    bool check_candidate(Lane& lane, LaneNumber number, const Candidate& candidate);
    // The best for an item, best first, at most `most`; all of one tier with `one_tier`. Those in `item`'s back-off and those who have an offer of it are left out.
    void best_candidates(LaneNumber lane, const ItemRecord* item, std::size_t most, bool one_tier, bool ignore_backoff, Instant now);
    [[nodiscard]] std::string_view tie_break(const Lane& lane) const;  // between the first two of `scratch`

    // ---- matching.cpp
    void settle(Instant now);
    bool match_item(ItemNumber number, bool ignore_backoff, Instant now);
    void match_agent(AgentNumber number, Instant now);
    bool match_step(AgentNumber number, bool by_strategy, Instant now);   // one offer more for him, or of what he could have
    [[nodiscard]] ItemNumber best_item(AgentNumber number, bool ignore_backoff, Instant now);
    [[nodiscard]] bool outranks(ItemNumber one, ItemNumber other, Instant now) const;  // is to be served before
    void match_freed(const std::vector<AgentNumber>& freed, Instant now);
    [[nodiscard]] ItemNumber joinable_item(AgentNumber number, Instant now);
    void make_offer(ItemNumber item, AgentNumber agent, ChoiceTrace trace, Instant now);
    [[nodiscard]] ChoiceTrace trace_of(const Lane& lane, const ItemRecord* item, Instant now) const;
    [[nodiscard]] static bool in_backoff(const ItemRecord& item, AgentNumber agent, Instant now);
    [[nodiscard]] bool has_offer(const ItemRecord& item, AgentNumber agent) const;
    bool tell_flow_out(ItemNumber number, Instant now);   // true: it should leave, and somebody has been told

    // ---- what several commands do
    void append(const Event& event) { journal.append(event); }
    void end_offer(OfferNumber number, OfferResult result, std::string_view reason, Instant backoff_until, bool blocks);
    void back_to_queue(ItemNumber number, std::string_view cause);                  // if nobody has an offer of it any more
    void withdraw_offers_of(AgentNumber agent, std::string_view reason);            // rescinded; their items go back
    void time_out(OfferNumber number, std::string_view reason, Instant now);
    void reject(OfferNumber number, std::string_view reason, Instant now);
    void withdraw_unroutable(AgentNumber agent);                                    // the same, if he may get none any more
    // Whom a reservation would get.
    struct Reserved { AgentNumber agent = nobody; LaneNumber lane = nobody; ChoiceTrace trace = {}; };
    Result<Reserved> find_for(const Reserve& request, Instant now);
    void requeue(ItemNumber number, QueueNumber queue, std::string_view only, bool front, std::string_view cause);
    void go_offline_with_work(AgentNumber agent, Instant now);                      // his conversations
    void finish_wrap_up(ItemNumber number);
    // Around the hand-over of a call: the wrap-up of the one who had it (parts.hpp); nil: he has none.
    [[nodiscard]] Uuid begin_part(ItemNumber of);
    void wrap_part(const Uuid& part, Instant now);
    void on_part(const ItemAssigned& event, AgentNumber agent, Instant at);  // of the fold

    // ---- timers.cpp
    void arm(TimerKind kind, std::uint32_t number, std::int64_t at);
    void arm_item(ItemNumber number);
    [[nodiscard]] bool up_to_date(const Timer& timer) const;
    void fire(const Timer& timer, Instant now);
    void fire_item(ItemNumber number, Instant now);
    void look_at_everything(Instant now);

    // ---- checkpoint.cpp
    void save(std::string& bytes);
    [[nodiscard]] bool restore(std::string_view bytes);
};

// Marks that what is applied meanwhile was decided here, and matches what has changed at its end.
inline constexpr std::string_view part_cause = "part";  // of the ItemAssigned that begins a part

class Decision {
public:
    Decision(Router::Internals& router, Instant now);
    ~Decision();
    Decision(const Decision&) = delete;
    Decision& operator=(const Decision&) = delete;

private:
    Router::Internals& router_;
    Instant now_;
};

}  // namespace touchgate::routing
