// The engine: one thread that owns the state and is the only writer of the touch log.
//
//   post(command) ─► turn(): timers, commands → events → state; append, ONE sync; then effects: replies, orders, acknowledgements
//
// A command is a closure that calls the engine's methods below (each decides, appends its events and applies them at once) and hands its
// result to `after_sync`, so that nothing is shown before it is durable. The methods may be called inside a turn only.
#pragma once

#include <absl/functional/any_invocable.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/clock.hpp"
#include "gateway/base/random.hpp"
#include "gateway/base/result.hpp"
#include "gateway/engine/background_copy.hpp"
#include "gateway/engine/desk.hpp"
#include "gateway/engine/requests.hpp"
#include "gateway/engine/settings.hpp"
#include "gateway/engine/transport.hpp"
#include "gateway/engine/views.hpp"
#include "gateway/touch_log/checkpoint.hpp"
#include "gateway/touch_log/key_store.hpp"
#include "gateway/touch_log/log.hpp"

namespace touchgate {

class Engine;
using Command = absl::AnyInvocable<void(Engine&)>;
using Effect = absl::AnyInvocable<void()>;

// Of a callback whose answer may carry one message: set before `done` runs if a rule answered so. Engine's thread until then.
struct PassiveReply {
    std::optional<channel::Content> content;
    channel::InboundMessage message;         // what it answers
};

struct EngineParts {
    Disk& disk;
    LogWriter& log;
    LogReader& reader;
    KeyStore& keys;
    Clock& clock;
    Random& random;
    Transport& transport;
    BackgroundCopy* background = nullptr;  // none: checkpoints are written within a turn
};

class Engine final : public TransportListener {
public:
    // Folds `checkpoint` (if any) and the log's tail into the state. Errors: corrupt (a record that cannot be read; an event type or
    // version newer than the program, both named), invalid_input (configuration).
    static Result<std::unique_ptr<Engine>> start(EngineParts parts, EngineSettings settings, std::optional<Checkpoint> checkpoint);
    ~Engine() override;

    // ---- any thread ------------------------------------------------------------------------------------------------------
    // Queues a command. False: the queue is full (answer 503 with Retry-After) or the engine is stopping.
    // `weight` counts against limits.intake_queue (a bulk command counts its lines).
    bool post(Command command, std::size_t weight = 1);
    void on_transport_events(std::vector<TransportEvent> events) override;  // never refused
    // Blocks the calling (engine) thread until something waits, a timer is due or `stop` was asked.
    void wait_for_work();
    void ask_stop();  // finish the current turn; `run` returns
    [[nodiscard]] LogHead durable_head() const;
    // Waits until the durable sequence is above `sequence` or `timeout` is over. For long polls; any thread.
    bool wait_for_sequence(std::uint64_t sequence, Duration timeout) const;
    // Called (on the engine's thread) after each sync with the new durable sequence. Set before the first turn.
    void on_durable(absl::AnyInvocable<void(std::uint64_t sequence)> listener);
    [[nodiscard]] std::string_view name(Symbol symbol) const;               // any thread
    [[nodiscard]] std::string contact_name(ContactIndex contact) const;     // external id; any thread
    [[nodiscard]] policy::Profile profile(ProfileId profile) const;         // any thread
    // Of contact 0: the gateway's own key, for what belongs to no contact. Nothing: erased. Any thread.
    [[nodiscard]] std::optional<crypto::Key> contact_key(ContactIndex contact) const;

    // The compiled form of a policy version, by its number in the log; for traces. Any thread.
    [[nodiscard]] std::shared_ptr<const policy::CompiledPolicy> compiled_policy(std::uint32_t number) const;
    // By which an idempotency key is found; any thread.
    [[nodiscard]] crypto::Hash128 touch_key_hash(std::string_view unit, std::string_view key) const;
    [[nodiscard]] bool stop_was_asked() const;
    // Over 60 s bulk is refused (503) until the projection has caught up. Any thread.
    [[nodiscard]] bool disk_is_full() const;
    [[nodiscard]] bool clock_is_healthy() const;
    void set_projection_lag(double seconds);

    // ---- engine thread ---------------------------------------------------------------------------------------------------
    // One turn. True if anything was done.
    Result<bool> turn();
    // Monotonic instant of the next timer.
    [[nodiscard]] std::optional<channel::Monotonic> wake_at() const;
    Result<void> write_checkpoint_now();
    // Refuses new work, waits for open submits (see settings.drain_timeout); true when nothing is in flight any more.
    void begin_drain();  // any thread
    [[nodiscard]] std::uint64_t turns_begun() const;  // any thread
    [[nodiscard]] bool drained() const;

    // ---- inside a turn (called from commands) ----------------------------------------------------------------------------
    void after_sync(Effect effect);
    [[nodiscard]] Instant now() const;          // engine time of this turn
    [[nodiscard]] std::uint64_t sequence() const;  // of the last event appended: the Touchgate-Seq of a write

    Result<TouchView> submit_touch(TouchRequest request);
    // As submit_touch, without a trace: for bulk.
    Result<TouchLine> submit_touch_line(TouchRequest request);
    Result<DecisionView> decide_only(const TouchRequest& request, std::optional<Instant> at);
    // By id; memory first. Nothing: not in memory any more (ask the projection for where its events are).
    [[nodiscard]] std::optional<TouchView> find_touch(const TouchId& id);
    Result<TouchView> cancel_touch(const TouchId& id);
    CancelCounts cancel_touches(const CancelFilter& filter);

    Result<ContactDetails> put_contact(const std::string& id, const ContactInput& input, bool replace, OnConflict on_conflict,
                                       std::optional<std::uint64_t> if_match);
    [[nodiscard]] Result<ContactDetails> find_contact(const std::string& id);
    Result<void> erase_contact(const std::string& id);
    // Declares two contacts to be one person, or one to be a person of its own again. Kind not_found, invalid_input (the same contact).
    Result<ContactDetails> merge_contacts(const std::string& id, const std::string& other, const std::string& evidence);
    Result<ContactDetails> unmerge_contact(const std::string& id, const std::string& reason);
    Result<void> restrict_contact(const std::string& id);
    Result<ConsentResult> record_consent(const ContactRef& contact, const ConsentInput& input);
    // `done` runs (after the sync) when every outstanding permit that the withdrawal forbids is known to be written or revoked.
    void when_settled(const ContactRef& contact, Effect done);

    // True: new, false: it stood there already.
    Result<bool> add_suppression(const SuppressionInput& input);
    Result<bool> remove_suppression(const std::string& list, const Address& address);
    // Kind conflict: it would shrink the list by more than 20 % and `force` is not set.
    Result<std::size_t> replace_suppressions(const std::string& list, const std::vector<SuppressionInput>& entries, bool force);
    [[nodiscard]] std::vector<SuppressionDetails> suppressions(const std::string& list, std::size_t limit, const std::string& after);

    Result<CampaignDetails> create_campaign(const CampaignInput& input);
    [[nodiscard]] Result<CampaignDetails> find_campaign(const std::string& id);
    // In order of their ids, those after `after` whose state is `state` (empty: any).
    [[nodiscard]] std::vector<CampaignDetails> campaigns(const std::string& state, std::size_t limit, const std::string& after);
    // Kind conflict: the campaign takes no lines (any more).
    Result<AudienceResult> add_audience(const std::string& id, const std::vector<AudienceLine>& lines);
    // `added` counts the recipients removed, `duplicates` the lines that name none (any more).
    Result<AudienceResult> remove_audience(const std::string& id, const std::vector<AudienceLine>& lines);
    // `done` runs after the sync of the turn in which the audience is frozen; for a large one that is some turns later.
    void start_campaign(const std::string& id, absl::AnyInvocable<void(Result<CampaignDetails>)> done);
    // "pause", "resume", "cancel".
    Result<CampaignDetails> change_campaign(const std::string& id, std::string_view action);
    // Judges every recipient that waits for its release, some each turn.
    void preview_campaign(const std::string& id, absl::AnyInvocable<void(Result<CampaignPreview>)> done);

    Result<PolicyActivation> put_policy(const std::string& name, const std::string& document, bool activate);
    // Replaces or adds a calendar; every rule that names it follows at once. The same content again changes nothing.
    Result<CalendarView> put_calendar(const std::string& id, const std::string& document);
    [[nodiscard]] std::vector<CalendarView> calendars() const;
    // The configured policy (if its file changed), templates, calendars and words of a new configuration; accounts need a restart.
    Result<void> reload(EngineSettings settings);
    [[nodiscard]] std::vector<std::shared_ptr<const PolicyVersion>> policies() const;
    [[nodiscard]] std::shared_ptr<const PolicyVersion> active_policy() const;

    Result<HoldDetails> set_hold(const HoldInput& input);
    Result<void> lift_hold(const std::string& id);
    [[nodiscard]] std::vector<HoldDetails> holds() const;

    // Those in memory: the open ones, and what was closed within 72 h. In the order in which they began.
    [[nodiscard]] std::vector<InteractionDetails> interactions(const InteractionQuery& query);
    [[nodiscard]] Result<InteractionDetails> find_interaction(const Uuid& id);
    // A touch to whom the interaction is with; kind conflict: it is closed.
    Result<TouchView> reply_to_interaction(const Uuid& interaction, TouchRequest request);
    Result<InteractionDetails> close_interaction(const Uuid& id, const std::string& disposition, const std::string& note);

    // Of a call; name empty: its newest. That it was listened to is logged. Kind not_found: there is none (yet, or any more).
    // Of whom there is or was a recording in this interaction; empty: there is none.
    [[nodiscard]] std::string contact_of_recording(const Uuid& interaction) const;
    // Kind not_found; with the reference "deleted" where there was one.
    Result<RecordingPart> open_recording(const Uuid& interaction, const std::string& name, const std::string& by, const std::string& reason, std::uint64_t from,
                                         std::uint64_t size);

    Result<InboundResult> inbound_event(const InboundInput& input);
    // What a provider's callback reported; `done` runs when all of it is durable and has taken effect (also opt-outs settled).
    // Error unavailable: nothing was taken, the provider should send it again.
    // `passive`: the answer to the callback can carry a reply.
    Result<void> provider_events(AccountNumber account, channel::WebhookEvents events, Effect done, std::shared_ptr<PassiveReply> passive = nullptr);
    // Asks the account to do something beside sending. `done` runs once, after the answer is durable: unavailable (try again), conflict (the key
    // was used for something else, or nobody knows what became of it), invalid_input (the platform refused, and why).
    void run_operation(OperationRequest request, absl::AnyInvocable<void(Result<OperationResult>)> done);
    // In order of their ids: those with tasks, and those that the configuration names. Kind not_found.
    [[nodiscard]] Result<std::vector<EmployeeDetails>> employees(const std::string& account);
    void count_hook(AccountNumber account, const std::string& refusal);  // "" = accepted; a metric, not logged

    // False: the key was seen before.
    Result<bool> record_conversion(const ConversionInput& input, std::string& contact_id);
    void accept_clock();

    [[nodiscard]] std::vector<AccountDetails> accounts();
    // What agents ask for; inside a turn only.
    [[nodiscard]] Desk desk() { return Desk{*this}; }
    struct Metrics;
    [[nodiscard]] Metrics metrics();

    struct Internals;  // state and the parts that act on it, one file each
    [[nodiscard]] Internals& internals() { return *internals_; }

private:
    explicit Engine(std::unique_ptr<Internals> internals);
    std::unique_ptr<Internals> internals_;
};

// How often something took how long; cheap enough for every turn.
struct DurationHistogram {
    static constexpr std::array<std::uint64_t, 12> bounds_us = {100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 250'000, 1'000'000};
    std::array<std::uint64_t, bounds_us.size() + 1> counts{};  // the last: longer than all bounds
    std::uint64_t sum_us = 0;
    void add(std::uint64_t us) {
        std::size_t bucket = 0;
        while (bucket < bounds_us.size() && us > bounds_us[bucket]) ++bucket;
        ++counts[bucket];
        sum_us += us;
    }
};

struct Engine::Metrics {
    std::uint64_t sequence = 0, turns = 0, syncs = 0, commands = 0;
    std::uint64_t touches_in_memory = 0, waiting = 0, deferred = 0, contacts = 0, profiles = 0, keys_in_memory = 0;
    std::array<std::uint64_t, touch_state_count> by_state{};
    std::uint64_t receipts = 0, receipts_parked = 0, unknown_outcomes = 0, permits = 0, permits_lapsed = 0, permits_revoked = 0;
    std::uint64_t turn_us_max = 0;
    DurationHistogram turn, sync;
    double projection_lag_s = 0;
    std::uint64_t checkpoints = 0, checkpoints_failed = 0;
    bool clock_healthy = true, draining = false;
    std::vector<std::pair<std::string, std::int64_t>> calendar_days_left;  // of the active policy's calendars; negative: they have ended
};

}  // namespace touchgate
