// The inside of the engine: the state, the volatile parts, and the acts on them. Each group of functions has a file of its own, named
// in the comment above it. Engine's thread only, but for the intake queue and the durable head.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <queue>
#include <set>

#include "gateway/dispatch/breaker.hpp"
#include "gateway/dispatch/fair_queue.hpp"
#include "gateway/dispatch/next_step.hpp"
#include "gateway/dispatch/rate.hpp"
#include "gateway/engine/engine.hpp"
#include "gateway/engine/engine_time.hpp"
#include "gateway/engine/event_codec.hpp"
#include "gateway/engine/state.hpp"

namespace touchgate {

// Where and when a record stands; what `apply` needs beside the event itself.
struct RecordMeta {
    std::uint64_t sequence = 0;
    Instant time{};
    ContactIndex contact{};
    LogPosition position{};
    bool replay = false;
};

struct QueueEntry {
    std::uint32_t row = 0;
    std::uint32_t ticket = 0;
};

enum class TimerKind : std::uint8_t { wake, expire, fallback, settle, reconcile, review };
struct Timer {
    Instant at{};
    std::uint32_t row = 0;
    std::uint32_t generation = 0;
    TimerKind kind = TimerKind::wake;
    bool operator>(const Timer& other) const { return at > other.at; }
};

// The volatile side of an account.
struct AccountRuntime {
    AccountSettings settings;
    Symbol symbol, channel;
    bool up = false;
    bool down_logged = false;
    bool credentials_bad = false;
    std::string last_error;
    std::optional<dispatch::TokenBucket> bucket;
    dispatch::Breaker breaker;
    dispatch::CoolDown cool_down;
    dispatch::FairQueue<QueueEntry> queue;
    std::uint64_t in_flight = 0;
    std::uint64_t hook_accepted = 0;
    std::map<std::string, std::uint64_t> hook_refused;
};

// A candidate that was judged.
struct Choice {
    std::uint8_t chosen = 0;
    std::uint32_t address = 0;
    policy::Decision decision;
    std::string rule_override;
    int segments = 1;
};

// What a decision about a touch needs to know of it; made from a request or from a row.
struct TouchFacts {
    ContactIndex contact{};
    const std::vector<ProfileId>* candidates = nullptr;
    std::uint32_t fixed_address = 0;
    policy::Origin origin = policy::Origin::api;
    std::uint64_t sequence = 0;
    Instant not_before = Instant::min();
    Instant expires_at = instant_never;
    CachedContent* content = nullptr;
    const TemplateRecord* used_template = nullptr;
    std::string_view contact_key;
};

// A keyed hash that remembers its last answer: one command asks for the same address or id several times.
class LastHash {
public:
    template <class Write> crypto::Hash128 of(const crypto::KeyedHash& hash, Write write) {
        asked_.clear();
        write(asked_);
        if (asked_ == text_) return value_;
        value_ = hash(asked_);
        text_.swap(asked_);
        return value_;
    }

private:
    std::string asked_, text_;
    crypto::Hash128 value_;
};

struct InFlight {
    std::uint32_t row = 0;
    std::uint32_t generation = 0;
    std::uint16_t attempt = 0;
    AccountNumber account = 0;
};

struct Settling {
    std::set<channel::AttemptRef> waiting;
    Effect done;
};

struct Engine::Internals {
    Internals(Engine& owner, EngineParts parts, EngineSettings settings);

    Engine& engine;
    EngineParts parts;
    EngineSettings settings;
    State state;
    crypto::KeyedHash index_hash;          // blind indexes, idempotency keys
    crypto::Key own_key;                   // seals what belongs to no contact
    crypto::Key checkpoint_key;            // seals checkpoints
    EngineTime time;
    Instant now{};                         // of this turn
    channel::Monotonic monotonic{0};       // of this turn
    UuidSource ids;

    // Intake, shared with other threads.
    std::mutex intake_mutex;
    std::condition_variable intake_ready;
    struct Waiting { Command command; std::size_t weight; };
    std::vector<Waiting> intake;
    std::vector<TransportEvent> transport_events;
    std::size_t intake_weight = 0;
    bool stop_asked = false;
    std::atomic<bool> draining{false};
    std::atomic<double> projection_lag_s{0};
    std::atomic<std::uint64_t> turns_begun{0};

    // Durable head, shared with other threads.
    mutable std::mutex durable_mutex;
    mutable std::condition_variable durable_changed;
    LogHead durable;
    std::vector<absl::AnyInvocable<void(std::uint64_t)>> durable_listeners;
    mutable std::shared_mutex keys_mutex;

    // Of this turn.
    std::deque<Waiting> commands;          // taken from the intake and not yet run
    std::deque<TransportEvent> events;     // likewise
    std::vector<Effect> effects;
    std::vector<AttemptOrder> orders;
    std::vector<channel::AttemptRef> revocations;
    std::vector<std::pair<AckTicket, bool>> acknowledgements;
    std::vector<ReconcileOrder> reconciliations;
    ByteWriter payload;
    ByteWriter secret;
    mutable LastHash last_address_hash, last_id_hash;
    bool disk_full = false;
    bool in_turn = false;

    // Volatile.
    std::vector<AccountRuntime> accounts;
    std::map<std::string, AccountNumber, std::less<>> account_numbers;
    std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers;
    absl::flat_hash_map<channel::AttemptRef, InFlight> in_flight;
    channel::AttemptRef next_ref = 1;
    std::vector<Settling> settling;
    std::deque<std::uint32_t> sweep;       // rows to decide again, a few each turn
    std::deque<std::uint32_t> cancel_later;
    std::vector<ContactIndex> released_contacts;  // of this turn: a slot of theirs became free
    std::size_t next_account = 0;
    std::set<std::uint32_t> held_rows;     // deferred by a hold or a pause
    std::set<ProfileId> unlogged_profiles;  // made by a question; logged when a touch first uses them
    std::uint32_t next_generation = 1;
    std::uint64_t stopped_at_sequence = 0;  // of the newest hold or pause: what was decided before it is decided again
    std::size_t cached_contents = 0;
    std::uint64_t log_bytes_since_checkpoint = 0;
    Engine::Metrics counters;
    Instant drain_until = instant_never;

    // Counters that are not the contact's own: by set, then by key. Rebuilt when the active policy changes.
    struct SharedCounters final : policy::SharedHistory {
        std::vector<absl::flat_hash_map<std::uint64_t, std::vector<policy::HistoryEntry>>> sets;
        [[nodiscard]] std::span<const policy::HistoryEntry> entries(std::size_t by_set, std::uint64_t key) const override;
    } shared;

    // ---- log.cpp: events in and out
    template <class E> std::uint64_t emit(ContactIndex contact, const E& event);
    template <class S> std::string seal_for(ContactIndex contact, const S& values);
    template <class S> bool unseal_of(ContactIndex contact, std::string_view sealed, S& values) const;
    Result<void> replay(const Record& record);
    void append_record(EventType type, ContactIndex contact, RecordMeta& meta);
    [[nodiscard]] std::optional<Error> refusal() const;  // disk full, draining
    [[nodiscard]] LogPosition newest_of(ContactIndex contact) const;

    // ---- apply_*.cpp: the fold, one overload per event
    void apply(const RecordMeta&, const ProfileDefined&);
    void apply(const RecordMeta&, const PolicyActivated&);
    void apply(const RecordMeta&, const PolicyStored&);
    void apply(const RecordMeta&, const TemplateRegistered&);
    void apply(const RecordMeta&, const ContactCreated&);
    void apply(const RecordMeta&, const ContactUpdated&);
    void apply(const RecordMeta&, const ContactErased&);
    void apply(const RecordMeta&, const ContactRestricted&);
    void apply(const RecordMeta&, const ConsentGranted&);
    void apply(const RecordMeta&, const ConsentWithdrawn&);
    void apply(const RecordMeta&, const SuppressionAdded&);
    void apply(const RecordMeta&, const SuppressionRemoved&);
    void apply(const RecordMeta&, const ReviewOpened&);
    void apply(const RecordMeta&, const ReviewDecided&);
    void apply(const RecordMeta&, const TouchCreated&);
    void apply(const RecordMeta&, const TouchDecided&);
    void apply(const RecordMeta&, const TouchDeferred&);
    void apply(const RecordMeta&, const TouchBlocked&);
    void apply(const RecordMeta&, const TouchHeldOut&);
    void apply(const RecordMeta&, const TouchCancelled&);
    void apply(const RecordMeta&, const TouchExpired&);
    void apply(const RecordMeta&, const TouchSettled&);
    void apply(const RecordMeta&, const TouchDispatching&);
    void apply(const RecordMeta&, const TouchPermitLapsed&);
    void apply(const RecordMeta&, const TouchPermitRevoked&);
    void apply(const RecordMeta&, const TouchAccepted&);
    void apply(const RecordMeta&, const TouchDelivered&);
    void apply(const RecordMeta&, const TouchRead&);
    void apply(const RecordMeta&, const TouchReplied&);
    void apply(const RecordMeta&, const TouchCompleted&);
    void apply(const RecordMeta&, const TouchAttemptEnded&);
    void apply(const RecordMeta&, const TouchFailed&);
    void apply(const RecordMeta&, const TouchUnknown&);
    void apply(const RecordMeta&, const MessageReceived&);
    void apply(const RecordMeta&, const ReceiptReceived&);
    void apply(const RecordMeta&, const EventReceived&);
    void apply(const RecordMeta&, const CampaignCreated&);
    void apply(const RecordMeta&, const CampaignPaused&);
    void apply(const RecordMeta&, const CampaignResumed&);
    void apply(const RecordMeta&, const CampaignCancelled&);
    void apply(const RecordMeta&, const HoldSet&);
    void apply(const RecordMeta&, const HoldLifted&);
    void apply(const RecordMeta&, const ConversionRecorded&);
    void apply(const RecordMeta&, const AccountWentUp&);
    void apply(const RecordMeta&, const AccountWentDown&);
    void apply(const RecordMeta&, const ClockAccepted&);

    // ---- tables.cpp: small acts on the tables that several folds share
    Touch& touch(std::uint32_t row) { return state.touches[row]; }
    [[nodiscard]] std::uint32_t row_of(const TouchId& id) const;
    [[nodiscard]] Touch* find(const TouchId& id);
    std::uint32_t new_row();
    void set_state(Touch& touch, TouchState to, Instant at);
    void make_final(std::uint32_t row, Instant at);
    void purge_finals();
    [[nodiscard]] const std::vector<ProfileId>& candidates(const Touch& touch) const { return state.plans[touch.plan]; }
    [[nodiscard]] ProfileId chosen_profile(const Touch& touch) const { return candidates(touch)[touch.chosen]; }
    [[nodiscard]] ProfileId profile_of(const Touch& touch, std::uint8_t chosen) const { return candidates(touch)[chosen]; }
    [[nodiscard]] std::optional<AccountNumber> account_of(ProfileId profile) const;
    std::uint32_t intern_plan(const std::vector<ProfileId>& plan);
    ProfileId intern_profile(const policy::Profile& profile);  // emits profile.defined when new
    [[nodiscard]] crypto::Hash128 address_hash(AddressKind kind, std::string_view value, std::string_view account) const;
    std::uint32_t intern_address(AddressKind kind, std::string_view value, std::string_view account, std::uint32_t number = 0);
    [[nodiscard]] std::uint32_t find_address(const Address& address) const;
    [[nodiscard]] crypto::Hash128 id_hash(AccountNumber account, std::string_view id) const;
    [[nodiscard]] crypto::Hash128 key_hash(std::string_view unit, std::string_view key) const;
    // Slots.
    void put_slot(Touch& touch, policy::Slot slot, Instant at, ProfileId profile, std::uint32_t address, std::uint16_t attempt);
    void change_slot(Touch& touch, std::uint16_t attempt, SlotChange change, Instant at);
    void recount_slot(Touch& touch, std::uint16_t attempt);
    void share_entry(ContactIndex contact, const policy::HistoryEntry& entry);
    void rebuild_shared_counters();
    void trim_history(Contact& contact);
    [[nodiscard]] CampaignRow* campaign_of(const Touch& touch);

    // ---- deciding.cpp
    [[nodiscard]] TouchFacts facts(Touch& touch);
    [[nodiscard]] Choice choose(const TouchFacts& facts, Instant at, policy::Detail detail, std::uint8_t from, std::uint8_t to);
    [[nodiscard]] Choice judge(const TouchFacts& facts, std::uint8_t candidate, Instant at, policy::Detail detail);
    [[nodiscard]] std::uint32_t resolve_address(const TouchFacts& facts, const policy::Profile& profile, bool& gone) const;
    void apply_holds(Choice& choice, const policy::Profile& profile, Instant at) const;
    [[nodiscard]] int rank_of(const Touch& touch) const;
    // Decides a waiting touch again; emits what changed. True: it may go now (allow).
    bool decide_again(std::uint32_t row, bool pump);
    void contact_changed(ContactIndex contact);
    [[nodiscard]] int segments_of(AccountNumber account, CachedContent& content, const TemplateRecord* used, std::string_view locale);
    [[nodiscard]] std::vector<ContactIndex> sharing(ContactIndex contact) const;

    // ---- content.cpp
    CachedContent* content_of(Touch& touch);
    // The text as it would leave on this channel, or the problem (missing variable …). Empty text with no problem: no text content.
    [[nodiscard]] Result<channel::Content> render(const CachedContent& content, const TemplateRecord* used, const policy::Profile& profile, std::string_view locale) const;
    [[nodiscard]] const TemplateRecord* template_of(const Touch& touch) const;
    void register_templates();

    // ---- touches.cpp
    Result<TouchView> submit(TouchRequest& request, policy::Detail detail, TouchLine* line);
    struct Prepared { ContactIndex contact{}; std::uint32_t fixed_address = 0; std::vector<ProfileId> plan; CachedContent content; const TemplateRecord* used = nullptr; Instant not_before{}, expires_at{}; };
    Result<Prepared> prepare(const TouchRequest& request, bool make);
    [[nodiscard]] TouchView view(std::uint32_t row, const policy::Decision* fresh);
    [[nodiscard]] DecisionView view(const Choice& choice) const;
    void cancel(std::uint32_t row, std::string reason);
    // An attempt of a waiting touch may have reached the customer: only its fallback waits.
    [[nodiscard]] static bool left_before(const Touch& waiting);
    Result<std::vector<ProfileId>> make_plan(const TouchRequest& request, bool make);

    // ---- dispatching.cpp
    void enqueue(std::uint32_t row);
    void pump();
    bool permit(std::uint32_t row, AccountRuntime& account, AccountNumber number);
    void block(std::uint32_t row, const Choice& choice);
    void on_event(AccountUp&);
    void on_event(AccountDown&);
    void on_event(AttemptAnswered&);
    void on_event(AttemptUnwritten&);
    void on_event(AttemptWritten&);
    void on_event(ReceiptReported&);
    void on_event(MessageReported&);
    void on_event(Reconciled&);
    void on_outcome(std::uint32_t row, std::uint16_t attempt, AccountNumber account, const channel::Outcome& outcome);
    void end_attempt(std::uint32_t row, std::uint16_t attempt, const channel::Outcome& outcome, const dispatch::NextStep& step);
    void go_on(std::uint32_t row);  // after an attempt ended: queue, wait or fail
    void fail(std::uint32_t row, std::uint16_t attempt, std::string reason, SlotChange slot, std::string provider_id = {}, std::string raw = {});
    void settled_ref(channel::AttemptRef ref);
    void expire(std::uint32_t row);
    void start_fallback(std::uint32_t row);

    // ---- timers.cpp
    void arm(Instant at, std::uint32_t row, TimerKind kind);
    void run_timers();
    void run_sweep();
    void run_cancellations();
    void run_released();
    void arm_waiting(std::uint32_t row);  // all timers of a live touch, from its state
    void rebuild_volatile();              // after start: queues, timers, in-flight attempts become unknown

    // ---- receipts.cpp
    void take_receipt(AccountNumber account, const channel::Receipt& receipt);
    void advance(std::uint32_t row, std::uint16_t attempt, const channel::Receipt& receipt, const std::string& provider_id);
    void unpark(std::map<std::uint64_t, ParkedReceipt>::iterator parked);
    void claim_parked(std::uint32_t row, std::uint16_t attempt, AccountNumber account, const std::vector<std::string>& ids);
    void take_message(AccountNumber account, const channel::InboundMessage& message, std::string_view channel_name, std::string_view account_name, ContactIndex known, Effect settled);
    bool seen_before(const crypto::Hash128& dedupe);
    void forget_inbound();

    // ---- contacts.cpp
    [[nodiscard]] std::uint32_t contact_row(std::string_view id) const;
    Result<ContactIndex> resolve(const ContactRef& ref, bool make, std::uint32_t& address, const char* pointer = "/contact");
    ContactIndex make_contact(const std::string& id, const ContactSecret& values, std::string owner, std::string unit, bool legal_hold);
    [[nodiscard]] ContactDetails details(ContactIndex contact) const;
    [[nodiscard]] ContactSecret secret_of(ContactIndex contact) const;
    void withdraw(ContactIndex contact, std::string_view channel, std::string_view purpose, std::string_view unit, std::string_view source, std::string evidence, Instant at, std::string_view notice = {});
    bool grant(ContactIndex contact, const ConsentInput& input, Instant at, std::string evidence);
    // Re-decides what waits, revokes what is out, calls `done` when all is settled.
    void settle(ContactIndex contact, Effect done);
    void after_settling(Effect done);
    void suppress_platform(std::uint32_t row, std::uint32_t address, AccountNumber account, const std::string& evidence);

    // ---- policies.cpp
    Result<void> activate_configured_policy();
    void policy_changed();
    bool sweep_after_start = false;
    Result<std::shared_ptr<policy::CompiledPolicy>> compile(const std::string& document, std::string& name);
    [[nodiscard]] const PolicyRecord& policy() const { return state.policies[state.active_policy]; }

    // ---- checkpoint_codec.cpp
    void dump(const CheckpointSink& sink);
    Result<void> load(std::string_view body);
};

// Seals the encoding of `values` under the contact's key. The nonce is the sequence that the record will have, and a count within it.
template <class S> std::string Engine::Internals::seal_for(ContactIndex contact, const S& values) {
    secret.clear();
    encode(secret, values);
    std::string sealed;
    const crypto::Key* key = &own_key;
    if (contact.value != 0) {
        const std::shared_lock lock{keys_mutex};
        key = parts.keys.find(contact);
    }
    if (key == nullptr) return sealed;  // erased: nothing can be kept of it
    // Unique under this key: a sequence is used again only after a torn batch was cut, and then the random half differs.
    crypto::seal(sealed, *key, parts.log.head().sequence + 1, static_cast<std::uint32_t>(parts.random.next()), secret.bytes());
    return sealed;
}

template <class S> bool Engine::Internals::unseal_of(ContactIndex contact, std::string_view sealed, S& values) const {
    const crypto::Key* key = contact.value == 0 ? &own_key : parts.keys.find(contact);
    if (key == nullptr) return false;
    const auto plain = crypto::unseal(*key, sealed);
    return plain && decode(*plain, values);
}

template <class E> std::uint64_t Engine::Internals::emit(ContactIndex contact, const E& event) {
    payload.clear();
    encode(payload, event);
    RecordMeta meta{.sequence = 0, .time = now, .contact = contact, .position = {}, .replay = false};
    append_record(E::type, contact, meta);
    apply(meta, event);
    return meta.sequence;
}

}  // namespace touchgate
