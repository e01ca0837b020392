// The routing core: who gets which item. Agents with sessions, intents and slots; queues; items that wait; offers with fences and deadlines.
//
// Pure: time and randomness are arguments, nothing is logged here. A command decides, hands each event to the journal, and the journal applies it
// to this router (`apply`) before it returns: the state is the fold of the events, and whoever folds the same events has the same state.
// Matching is driven by what changes, on either side; nothing is polled. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/base/error.hpp"
#include "gateway/base/random.hpp"
#include "gateway/base/result.hpp"
#include "gateway/routing/definitions.hpp"
#include "gateway/routing/events.hpp"

namespace touchgate::routing {

using Event = std::variant<AgentDefined, QueueDefined, AgentSessionChanged, AgentIntentChanged, AgentHealthChanged, ItemQueued, OfferMade, OfferEnded, ItemAssigned,
                           ItemPhaseChanged, ItemRecovering, ItemWrapping, ItemEnded>;

class Journal {
public:
    virtual ~Journal() = default;
    // Stores it and calls Router::apply with the instant under which it was stored. The router's state has changed on return.
    virtual void append(const Event& event) = 0;
    [[nodiscard]] virtual Uuid new_offer_id() = 0;
};

// Displayed, derived, in this order of precedence; words of `presence`.
enum class AgentState : std::uint8_t { offline, fault, rona_blocked, conference, consulting, held, talking, ringing, reserved, wrapup, not_ready, ready };
[[nodiscard]] std::string_view to_string(AgentState state);

struct AgentView {
    const AgentDefinition* definition = nullptr;
    Session session = Session::offline;
    Intent intent = Intent::not_ready;
    std::string_view reason;
    AgentState state = AgentState::offline;
    bool healthy = true, blocked = false;
    Instant state_since{};
    struct Slots { std::string channel; int used = 0, capacity = 0; };
    std::vector<Slots> slots;              // in the order of the channels' names
    std::vector<Uuid> items;               // assigned or wrapping, oldest first
    std::vector<Uuid> offers;              // pending, not silent
};

struct ItemView {
    Uuid id{};
    ItemState state = ItemState::queued;
    Phase phase = Phase::active;
    bool parked = false;
    std::string_view queue, channel, agent, only;
    std::uint8_t priority = 50;
    Instant first_queued_at{}, queued_at{};
    std::optional<Instant> assigned_at, wrap_deadline;
    std::vector<Uuid> offers;              // pending
};

struct OfferView {
    Uuid id{}, item{};
    std::string_view agent;
    std::uint64_t fence = 0;
    Instant made_at{}, deadline{};
    bool silent = false, auto_answer = false, preview = false;
};

struct QueueView {
    const QueueDefinition* definition = nullptr;
    std::uint32_t waiting = 0;             // queued or reserved
    std::optional<Instant> oldest;         // first queued
    std::uint32_t signed_in = 0, routable = 0;
    // Of today (of the time zone of the settings): by the instant of being queued.
    std::uint64_t offered = 0, answered = 0, answered_within = 0, abandoned = 0, short_abandoned = 0, flowed_out = 0, rona = 0;
    [[nodiscard]] double service_level() const;  // SL-offered of contact-center.md: answered within T / (offered − short abandons); 1 without any
};

struct ItemRequest {
    Uuid item{};
    std::string queue = {}, channel = {};
    std::optional<int> priority = {};      // else the queue's
    std::vector<std::string> needs = {};
    std::string prefers = {}, only = {};
    std::optional<Instant> first_queued_at = {};  // a place that is kept
    bool front = false;
    std::string cause = "arrived";
};

// Where an item leaves the routing core's hands because it waited too long, the queue is closed or empty.
struct FlowOut { Uuid item{}; Overflow to; std::string reason; };  // reason: "max_wait", "closed", "no_agents"

struct RouterSettings {
    std::string time_zone = "Asia/Shanghai";
    // Whether hours or a shift are open, and until when that stays so; nothing: for ever. Given by whoever knows calendars.
    struct Open { bool open = true; std::optional<Instant> until; };
    std::function<Open(const Json& hours, Instant at)> hours = [](const Json&, Instant) { return Open{}; };
};

class Router {
public:
    Router(RouterSettings settings, Journal& journal, Random& random);
    ~Router();
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    // ---- the fold. Of events that this program's log holds; one that fits nothing is ignored.
    void apply(const Event& event, Instant at);

    // ---- definitions. Errors: invalid_input with problems (unknown queue …). The same document again changes nothing (false).
    Result<bool> put_agent(const std::string& id, const Json& document, Instant now);
    Result<bool> put_queue(const std::string& id, const Json& document, Instant now);

    // ---- agents. Kind not_found: there is no such agent. `actor`: who did it, if not he himself.
    Result<void> sign_in(std::string_view agent, std::string_view cause, Instant now);                     // as not_ready, reason "login"; from fault: as before it
    Result<void> sign_out(std::string_view agent, std::string_view cause, std::string_view actor, Instant now);
    Result<void> lapse(std::string_view agent, Instant now);                                                // session fault: pending offers are rescinded, places kept
    Result<void> set_intent(std::string_view agent, Intent intent, std::string_view reason, std::string_view actor, Instant now);
    Result<void> set_health(std::string_view agent, bool healthy, std::string_view reason, Instant now);

    // ---- items. Kind not_found; conflict with a `reference` that is an error code of the agents' protocol: stale_offer, not_yours, unknown_offer,
    // unknown_interaction, wrong_state, no_capacity.
    Result<void> enqueue(const ItemRequest& request, Instant now);
    // `phase`: how he is busy with it from that moment on; a call that is still to reach his telephone: dialing.
    Result<void> accept(std::string_view agent, const Uuid& offer, std::optional<std::uint64_t> fence, Instant now, Phase phase = Phase::active);
    Result<void> reject(std::string_view agent, const Uuid& offer, std::string_view reason, Instant now);
    // Takes back a pending offer as if it had timed out (the agent's device did not answer) or without counting it.
    Result<void> end_offer(const Uuid& offer, OfferResult result, std::string_view reason, Instant now);
    // An accepted call did not reach the agent: his telephone was not answered. It counts as an unanswered offer, and the item is back at its old place.
    Result<void> unanswered(const Uuid& item, std::string_view reason, Instant now);
    // Reserves the best agent of a queue for an item that is not there yet (a call about to be dialled): a silent offer without a push.
    // With `preview` the agent is shown the offer and has the queue's time to answer it; unless he accepts, the item ends with the offer.
    // `not_to`: agents who are passed over. Kind unavailable: nobody is free.
    struct Reserve { ItemRequest item; Duration longest{60'000}; bool auto_answer = true, preview = false; std::vector<std::string> not_to = {}; };
    Result<Uuid> reserve(const Reserve& request, Instant now);           // the offer
    [[nodiscard]] bool can_reserve(const Reserve& request, Instant now); // it would find somebody
    // A call leaves its agent and waits where nobody is offered it, until it is assigned or queued again.
    Result<void> park(const Uuid& item, Instant now);
    // A new item begins in phase dialing for cause "dial", consulting for "consult", else active. `wraps_up`: see requeue.
    Result<void> assign(const Uuid& item, std::string_view agent, std::string_view channel, std::string_view queue, std::string_view cause, bool over_capacity, Instant now,
                        bool wraps_up = false);
    Result<void> set_phase(const Uuid& item, Phase phase, Instant now);
    Result<void> set_recovering(const Uuid& item, bool recovering, std::string_view reason, Instant now);
    // What is assigned goes back to a queue (or to one agent): its slot becomes free at once. Empty queue: the one it came from. With `wraps_up` the one
    // who had a call keeps its slot for the wrap-up time of the queue he had it from: an item of its own (parts.hpp) that is wrapping.
    Result<void> requeue(const Uuid& item, const std::string& queue, const std::string& only, bool front, std::string_view cause, Instant now, bool wraps_up = false);
    // The conversation is over. With wrap-up time: wrapping (a call's slot stays taken, a message's is free), else ended as completed.
    Result<void> finish(const Uuid& item, std::string_view outcome, std::string_view reason, Instant now);
    // Any state: ended. `state`: completed, abandoned, flowed_out, cancelled, expired.
    Result<void> end(const ItemEnded& terms, Instant now);

    // ---- time. Deadlines of offers, wrap-ups, waits, rings, back-offs, hours, shifts. At most `budget` of them; then next_due() is at once.
    void run(Instant now, std::size_t budget = 1'000);
    [[nodiscard]] std::optional<Instant> next_due() const;
    // Since the last call: items that the core cannot keep. They stay queued until the caller ends or queues them elsewhere.
    [[nodiscard]] std::vector<FlowOut> take_flow_outs();

    // ---- reading. Views hold references into the router until the next command.
    [[nodiscard]] std::optional<AgentView> agent(std::string_view id) const;
    [[nodiscard]] std::optional<QueueView> queue(std::string_view id) const;
    [[nodiscard]] std::optional<ItemView> item(const Uuid& id) const;   // not ended
    [[nodiscard]] std::optional<OfferView> offer(const Uuid& id) const; // pending
    [[nodiscard]] std::string agent_document(std::string_view id) const; // JSON, as it was put
    [[nodiscard]] std::string queue_document(std::string_view id) const;
    [[nodiscard]] std::vector<std::string_view> agents() const;         // ids, in their order
    [[nodiscard]] std::vector<std::string_view> queues() const;
    // The earliest put of those that take a channel; empty: none does.
    [[nodiscard]] std::string_view first_queue_with(std::string_view channel) const;
    [[nodiscard]] std::vector<std::pair<AgentState, std::uint32_t>> agents_by_state() const;
    // Place in its queue (1 is next) and a band of the wait to be expected; nothing: not waiting.
    struct Place { std::uint32_t position = 0; std::optional<Duration> at_least, at_most; };
    [[nodiscard]] std::optional<Place> place(const Uuid& item) const;
    // Agents who are routable for a channel and a member of the queue, right now.
    [[nodiscard]] std::uint32_t free_agents(std::string_view queue, std::string_view channel) const;

    // ---- checkpoint: everything but what follows from it. Restore only into a new router.
    void save(std::string& bytes) const;
    [[nodiscard]] bool restore(std::string_view bytes);

    struct Internals;  // the implementation's

private:
    std::unique_ptr<Internals> internals_;
};

}  // namespace touchgate::routing
