// The inside of the engine: the state, the volatile parts, and the acts on them. Each group of functions has a file of its own, named
// in the comment above it. Engine's thread only, but for the intake queue and the durable head.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <queue>

#include "gateway/dispatch/next_step.hpp"
#include "gateway/engine/engine.hpp"
#include "gateway/engine/engine_time.hpp"
#include "gateway/engine/event_codec.hpp"
#include "gateway/engine/lead_book.hpp"
#include "gateway/engine/runtime.hpp"
#include "gateway/engine/state.hpp"
#include "gateway/routing/router.hpp"
#include "gateway/voice/rules.hpp"

namespace touchgate {

namespace voice { class Machine; }

// Where and when a record stands; what `apply` needs beside the event itself.
struct RecordMeta {
    std::uint64_t sequence = 0;
    Instant time{};
    ContactIndex contact{};
    LogPosition position{};
    bool replay = false;
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
    bool held_out = false;                 // by its campaign
    CampaignRow* campaign = nullptr;                           // whose recipient it is; null for all other touches
    const std::vector<std::uint64_t>* yielding = nullptr;      // touches whose reservations are taken as given up
    policy::Foresight* foresight = nullptr;                    // of a preview
};

struct Engine::Internals {
    Internals(Engine& owner, EngineParts parts, EngineSettings settings);
    // An engine that only folds and judges, for reading a data folder: no turn may be run on it.
    static std::unique_ptr<Engine> for_reading(EngineParts parts, EngineSettings settings);

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
    std::atomic<bool> disk_full_shown{false}, clock_healthy_shown{true};  // of the newest turn
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
    std::vector<TaskOrder> task_orders;
    std::vector<OperationOrder> operation_orders;
    std::shared_ptr<PassiveReply> passive_now;                         // of the callback whose messages are taken
    std::map<TouchId, std::shared_ptr<PassiveReply>> passive_touches;  // answers by rule that may go in the answer to a callback of this turn
    std::vector<CallOrder> call_orders;
    ByteWriter payload;
    ByteWriter secret;
    mutable LastHash last_address_hash, last_id_hash;
    bool disk_full = false;
    bool in_turn = false;

    // Volatile.
    std::vector<AccountRuntime> accounts;
    std::vector<CompiledRoute> routes;
    bool has_reply_windows = false;        // of any account: where there is none nothing need be looked at
    std::map<std::string, AccountNumber, std::less<>> account_numbers;
    mutable std::vector<std::uint32_t> accounts_of_profiles;  // what account_of() found
    std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers;
    absl::flat_hash_map<channel::AttemptRef, InFlight> in_flight;
    channel::AttemptRef next_ref = 1;
    std::vector<Settling> settling;
    std::map<TaskKey, OpenTask> tasks;
    std::set<std::pair<Instant, TaskKey>> task_agenda;
    absl::flat_hash_map<std::uint64_t, TaskKey> task_questions;
    std::map<std::uint64_t, RunningOperation> operations;  // by what the transport knows them by
    std::deque<std::uint32_t> sweep;       // rows to decide again, a few each turn
    std::deque<std::uint32_t> cancel_later;
    struct TouchScan { Symbol campaign; std::uint32_t next = 1; };
    std::deque<TouchScan> cancelled_campaigns;  // whose waiting touches are looked for, some rows each turn
    std::deque<PreviewJob> previews;
    std::vector<CampaignRow*> active_campaigns;  // running, or being frozen
    std::vector<CampaignRow*> gated_campaigns;   // with touches that wait for their rate
    std::size_t next_campaign = 0;
    bool campaigns_busy = false;           // there was more to do than the last turn had time for
    const TouchId* winner = nullptr;       // while a touch that had to yield is decided again
    std::vector<ContactIndex> released_contacts;  // of this turn: a slot of theirs became free
    std::size_t next_account = 0;
    std::set<std::uint32_t> held_rows;     // deferred by a hold or a pause
    std::set<ProfileId> unlogged_profiles;  // made by a question; logged when a touch first uses them
    std::uint32_t next_generation = 1;
    std::uint64_t stopped_at_sequence = 0;  // of the newest hold or pause: what was decided before it is decided again
    std::size_t cached_contents = 0;
    std::uint64_t log_bytes_since_checkpoint = 0;
    std::optional<Instant> checkpoint_due_for_erasure;  // older ones still hold what was erased
    Engine::Metrics counters;
    Instant drain_until = instant_never;

    // Counters that are not the contact's own: by set, then by key. Rebuilt when the active policy changes.
    struct SharedCounters final : policy::SharedHistory {
        std::vector<absl::flat_hash_map<std::uint64_t, std::vector<policy::HistoryEntry>>> sets;
        [[nodiscard]] std::span<const policy::HistoryEntry> entries(std::size_t by_set, std::uint64_t key) const override;
    } shared;

    policy::Calendars calendars;           // what state.calendars says, parsed

    // Hands what the routing core decides to the log, and from there back to its fold.
    struct RoutingJournal final : routing::Journal {
        explicit RoutingJournal(Internals& engine) : engine_{engine} {}
        void append(const routing::Event& event) override;
        [[nodiscard]] Uuid new_offer_id() override;
        template <class Value> void tell_state(const Value& event, const std::string& before);
        Internals& engine_;
    } journal{*this};
    routing::Router router;                // a fold of the log like the state
    std::map<std::string, AgentRuntime, std::less<>> desks;
    std::set<std::pair<channel::Monotonic, std::string>> leases;  // when to look at an agent's next
    std::set<std::string, std::less<>> to_push;                   // agents with new pushes, of this turn
    std::set<ConversationDue> conversation_agenda;
    LeadRouting lead_routing;
    std::vector<std::string> restless;     // agents whose presence has changed since the last record of the routing core

    absl::flat_hash_map<std::string, Uuid> call_names;  // legs, plays and recordings of calls
    std::set<std::pair<Instant, Uuid>> call_agenda;     // when to look at a call next
    std::map<Uuid, Instant> call_due;                   // where it stands in there
    channel::CommandId next_command = 1;
    // What a call was begun for, until its customer answers.
    struct CallPurpose {
        std::string purpose, campaign, queue;
        std::uint32_t address = 0;
        Uuid offer{};                      // reserved for it; nil: none
        channel::AttemptRef ref = 0;       // of the permit; 0: not yet, or answered
        bool shown = false;                // to the agent before it was dialled, by a campaign
        bool agent_came = false;           // his telephone was answered, or he called it off himself
    };
    std::map<Uuid, CallPurpose> call_purposes;
    std::map<TouchId, Uuid> calls_to_permit;            // touches that a call waits for
    std::vector<std::pair<Uuid, std::string>> asked_transfers;  // by agents at their telephones, of this event
    std::map<Uuid, Uuid> consulted;                     // by call: under which item the one who is asked is busy

    // ---- engine.cpp
    void checkpoint_when_due();
    Result<void> save_checkpoint(std::uint64_t nonce, std::size_t kept);

    // ---- routes.cpp
    void compile_routes();
    // Null: no route of the channel binds the touch.
    [[nodiscard]] CompiledRoute* route_of(std::string_view channel, const policy::Profile& profile, ContactIndex contact, std::string_view phone, policy::Origin origin);
    [[nodiscard]] CompiledRoute* route_for(const std::string& channel, const policy::Profile& profile, const TouchRequest& request);
    [[nodiscard]] std::vector<AccountNumber> order_of(CompiledRoute& route);
    [[nodiscard]] bool can_send_now(AccountNumber account) const;
    // Counts what goes, and says why it goes this way.
    [[nodiscard]] std::string take_route(const Touch& sent, std::uint8_t chosen);

    // ---- calendars.cpp
    [[nodiscard]] static Result<std::shared_ptr<const policy::Calendar>> parse_calendar(const std::string& id, const std::string& document);
    bool activate_configured_calendars();  // true: one of them is new

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
    void apply(const RecordMeta&, const AttemptFactsDefined&);
    void apply(const RecordMeta&, const PolicyActivated&);
    void apply(const RecordMeta&, const PolicyStored&);
    void apply(const RecordMeta&, const TemplateRegistered&);
    void apply(const RecordMeta&, const ContactCreated&);
    void apply(const RecordMeta&, const ContactUpdated&);
    void apply(const RecordMeta&, const ContactErased&);
    void apply(const RecordMeta&, const ContactRestricted&);
    void apply(const RecordMeta&, const ContactMerged&);
    void apply(const RecordMeta&, const ContactUnmerged&);
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
    void apply(const RecordMeta&, const TouchHandedOver&);
    void apply(const RecordMeta&, const TouchTaskChanged&);
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
    template <EventType Type> void apply(const RecordMeta&, const ReceiptOf<Type>&);
    void apply(const RecordMeta&, const EventReceived&);
    template <EventType Type> void apply(const RecordMeta&, const PlatformEventOf<Type>&);
    void apply(const RecordMeta&, const PullAdvanced&);
    void apply(const RecordMeta&, const AccountOperation&);
    void apply(const RecordMeta&, const AccountQuotaExhausted&);
    void apply(const RecordMeta&, const InteractionOpened&);
    template <class Value, EventType Type> void apply(const RecordMeta& meta, const Routed<Value, Type>& event) { take_routed(meta, static_cast<const Value&>(event)); }
    void apply(const RecordMeta&, const InteractionNoted&);
    void apply(const RecordMeta&, const CallerIdRested&);
    template <class Value, EventType Type> void apply(const RecordMeta& meta, const Called<Value, Type>& event) { take_call_fact(meta, static_cast<const Value&>(event)); }
    void apply(const RecordMeta&, const CallLineTaken&);
    void apply(const RecordMeta&, const RecordingAccessed&) {}
    void apply(const RecordMeta&, const RecordingDeleted&);
    void apply(const RecordMeta&, const PromiseMade&);
    void apply(const RecordMeta&, const PromiseChanged&);
    void apply(const RecordMeta&, const AgentNoticed&);
    void apply(const RecordMeta&, const LeadCreated&);
    void apply(const RecordMeta&, const LeadTouched&);
    void apply(const RecordMeta&, const LeadAssigned&);
    void apply(const RecordMeta&, const LeadOverdue&);
    template <EventType Type> void apply(const RecordMeta& meta, const LeadMoved<Type>& event) { apply_moved(meta, event); }
    template <class Moved> void apply_moved(const RecordMeta&, const Moved&);
    void apply(const RecordMeta&, const AgentStateChanged&);
    void apply(const RecordMeta&, const InteractionDisposed&);
    void apply(const RecordMeta&, const InteractionStateChanged&) {}  // follows from the records before it
    void apply(const RecordMeta&, const CampaignCreated&);
    void apply(const RecordMeta&, const CampaignAudienceAdded&);
    void apply(const RecordMeta&, const CampaignAudienceRemoved&);
    void apply(const RecordMeta&, const CampaignStarted&);
    void apply(const RecordMeta&, const CampaignFinished&);
    void apply(const RecordMeta&, const CampaignPaused&);
    void apply(const RecordMeta&, const CampaignResumed&);
    void apply(const RecordMeta&, const CampaignCancelled&);
    void apply(const RecordMeta&, const HoldSet&);
    void apply(const RecordMeta&, const HoldLifted&);
    void apply(const RecordMeta&, const ConversionRecorded&);
    void apply(const RecordMeta&, const AccountWentUp&);
    void apply(const RecordMeta&, const AccountWentDown&);
    void apply(const RecordMeta&, const ClockAccepted&);
    void apply(const RecordMeta&, const CalendarUpdated&);

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
    std::uint32_t intern_cascade(const std::vector<dispatch::CascadeStep>& steps);
    ProfileId intern_profile(const policy::Profile& profile);  // emits profile.defined when new
    policy::FactsId intern_facts(const policy::AttemptFacts& facts);
    void log_facts(policy::FactsId newest);                    // emits attempt_facts.defined for all up to this that the log does not have
    void add_act(ContactIndex contact, std::string_view event, std::string_view kind, std::string_view channel, Instant at);
    [[nodiscard]] crypto::Hash128 address_hash(AddressKind kind, std::string_view value, std::string_view account) const;
    std::uint32_t intern_address(AddressKind kind, std::string_view value, std::string_view account, std::uint32_t number = 0);
    [[nodiscard]] std::uint32_t find_address(const Address& address) const;
    // The row of a logged number. Of an erased contact only the numbers are known: its rows stay empty, and their numbers stay taken.
    AddressRow& address_row(std::uint32_t number);
    [[nodiscard]] std::string_view receipt_scope(AccountNumber account) const;
    [[nodiscard]] crypto::Hash128 id_hash(AccountNumber account, std::string_view id) const;
    [[nodiscard]] crypto::Hash128 key_hash(std::string_view unit, std::string_view key) const;
    // Slots.
    void put_slot(Touch& touch, policy::Slot slot, Instant at, ProfileId profile, std::uint32_t address, std::uint16_t attempt);
    // In the place of the entry of the same touch, profile and address, if there is one; none of these is older than `since`.
    void put_entry(ContactIndex contact, const policy::HistoryEntry& entry, Instant since);
    void change_slot(Touch& touch, std::uint16_t attempt, SlotChange change, Instant at);
    void recount_slot(Touch& touch, std::uint16_t attempt);
    void stamp_slot(Touch& touch, std::uint16_t attempt, Instant at);  // counts at `at` from now on
    void change_exposures(const Touch& post, std::uint16_t attempt, policy::Slot slot, std::optional<Instant> at);
    void share_entry(ContactIndex contact, const policy::HistoryEntry& entry, Instant since = Instant::min());
    void rebuild_shared_counters();
    void trim_history(Contact& contact);
    [[nodiscard]] CampaignRow* campaign_of(const Touch& touch);
    // Counts a touch that was made; a recipient is not pending any more.
    void take_recipient(CampaignRow& campaign, Touch& touch, std::uint32_t recipient);
    // Keeps the campaign's count of what each rule holds back.
    void count_rule(Touch& touch);

    // ---- deciding.cpp: a touch is judged from its facts, whether it is new, waits, or stands in the log that a replay reads
    [[nodiscard]] policy::AttemptFacts priced(policy::AttemptFacts facts, const content::Billing& billing, int segments);
    struct Plan { std::vector<ProfileId> candidates; std::vector<dispatch::CascadeStep> steps; };
    struct Prepared { ContactIndex contact{}; std::uint32_t fixed_address = 0; std::vector<ProfileId> plan; std::vector<dispatch::CascadeStep> steps; CachedContent content; const TemplateRecord* used = nullptr; Instant not_before{}, expires_at{}; };
    [[nodiscard]] TouchFacts facts(Touch& touch);
    [[nodiscard]] TouchFacts facts(Prepared& asked, policy::Origin origin) const;
    // Does a rule read the content of a touch with these candidates?
    [[nodiscard]] bool needs_content(const std::vector<ProfileId>& plan) const;
    [[nodiscard]] Choice choose(const TouchFacts& facts, Instant at, policy::Detail detail, std::uint8_t from, std::uint8_t to);
    [[nodiscard]] Choice judge(const TouchFacts& facts, std::uint8_t candidate, Instant at, policy::Detail detail);

    // ---- groups.cpp: groups of customers, and whom a post exposes
    void note_group(std::uint32_t address, std::string_view body_json);
    [[nodiscard]] std::vector<ContactIndex> members_of(std::uint32_t address) const;  // of whom something is known
    void expose(Touch& post);

    // ---- merging.cpp: several records of one person
    bool merge(ContactIndex contact, ContactIndex other, std::string provenance, std::string evidence);  // false: they are merged already
    [[nodiscard]] std::span<const ContactIndex> merged_with(ContactIndex contact) const;
    struct Person {  // what the decision of one record sees of all; holds what the view points to
        std::vector<policy::HistoryEntry> history;
        std::vector<policy::Consent> consents;
        std::vector<policy::Act> acts;
    };
    void see_person(ContactIndex contact, Person& person, policy::ContactView& view) const;

    // ---- reply_windows.cpp: what a customer's last act allows an account to send
    // Denies what needs an open window and has none.
    void keep_reply_window(Choice& choice, const TouchFacts& facts, const policy::Profile& profile, ProfileId profile_id, Instant at);
    void note_act(std::uint32_t address, std::string_view account, std::string_view kind, Instant at, Instant heard);
    // What needs no window takes no place in one: its facts say so, in the log as well.
    [[nodiscard]] bool goes_beside_window(const TouchFacts& facts, const policy::Profile& profile, std::optional<AccountNumber> account) const;
    void mark_beside_window(policy::AttemptFacts& facts);

    // ---- quotas.cpp: what a platform gives no more of until an instant that it names
    void note_quota(AccountNumber account, const channel::Outcome& outcome);
    void hold_quotas();                    // after a start: what the state says, in the accounts
    // Defers what draws on a quota that is used up.
    void keep_quota(Choice& choice, const TouchFacts& facts, const policy::Profile& profile, ProfileId profile_id, Instant at);

    // ---- operations.cpp: what an operator asks of an account beside sending
    void run_operations();
    [[nodiscard]] std::optional<channel::Monotonic> operations_wake_at() const;
    void answer_operation(RunningOperation operation, Result<OperationResult> result);
    void on_event(OperationAnswered&);

    // ---- employees.cpp: who sends in whose place, and how far each is
    struct Presence { bool away = false; std::string delegate = {}; };  // both by the platform's user id
    [[nodiscard]] Presence presence_of(const AccountRuntime& account, const std::string& employee) const;
    [[nodiscard]] const routing::AgentDefinition* agent_of_employee(const std::string& employee) const;
    mutable std::map<std::string, std::string, std::less<>> agents_by_employee;  // ids by userid, as of the turn `agents_read_in`
    mutable std::uint64_t agents_read_in = 0;
    // The contact's owner if the customer has him, else the one whom he got to know last. Who is away has his place taken, first by his delegate.
    // Empty: the account's own choice.
    [[nodiscard]] std::string sender_for(std::uint32_t address, const AccountRuntime& account) const;
    // Somebody else could send it now: its employee went away after he was asked.
    [[nodiscard]] bool is_stranded(const OpenTask& task) const;
    EmployeeCounts& counts_of(Symbol account, const std::string& employee) { return state.employees[{account.value, employee}]; }

    // ---- customer_tags.cpp: a platform's tags as a contact's
    void note_tags(const PlatformEventSecret& values, std::uint32_t address, Symbol account, const std::string& employee);
    void keep_tags(ContactIndex contact, AccountNumber account);

    // ---- arbitration.cpp
    // As `choose`, for now; where only reservations of weaker touches of the contact are in the way, these are named in `losers`.
    [[nodiscard]] Choice choose_over(TouchFacts& facts, int rank, int priority, policy::Detail detail, std::uint8_t from, std::vector<std::uint32_t>& losers);
    // Decides the losers again, after the winner has its reservation.
    void yield_to(const TouchId& winner, const std::vector<std::uint32_t>& losers);

    // ---- deciding.cpp
    [[nodiscard]] std::uint32_t resolve_address(const TouchFacts& facts, const policy::Profile& profile, bool& gone) const;
    void apply_holds(Choice& choice, const policy::Profile& profile, Instant at) const;
    [[nodiscard]] int rank_of(const Touch& touch) const;
    // Decides a waiting touch again; emits what changed. True: it may go now (allow).
    bool decide_again(std::uint32_t row, bool pump);
    void contact_changed(ContactIndex contact);
    [[nodiscard]] std::vector<ContactIndex> sharing(ContactIndex contact) const;

    // ---- content.cpp
    CachedContent* content_of(Touch& touch);
    // What the log keeps sealed of a touch. Nothing: the contact was erased, or these bytes are no content.
    [[nodiscard]] std::optional<CachedContent> open_content(ContactIndex contact, std::string_view sealed) const;
    // The text as it would leave on this channel, or the problem (missing variable …). Empty text with no problem: no text content.
    [[nodiscard]] Result<channel::Content> render(const CachedContent& content, const TemplateRecord* used, const policy::Profile& profile, std::string_view locale) const;
    [[nodiscard]] const TemplateRecord* template_of(const Touch& touch) const;
    void register_templates();

    // ---- touches.cpp
    Result<TouchView> submit(TouchRequest& request, policy::Detail detail, TouchLine* line);
    Result<Prepared> prepare(const TouchRequest& request, bool make);
    // Writes the touch that was judged; into its account's queue if it may go. `recipient` 0: not of an audience.
    std::uint32_t create(TouchRequest& request, Prepared& prepared, const Choice& choice, const crypto::Hash128& key, std::uint32_t recipient,
                         campaign::Assignment arm);
    [[nodiscard]] TouchView view(std::uint32_t row, const policy::Decision* fresh);
    [[nodiscard]] DecisionView view(const Choice& choice) const;
    bool serves(std::string_view channel_or_account) const;
    bool is_purpose(std::string_view name) const;
    bool is_channel(std::string_view name) const;
    std::vector<Problem> suppression_problems(const SuppressionInput& input, const std::string& pointer) const;
    Result<Plan> make_plan(const TouchRequest& request, bool make);

    // ---- apply_campaigns.cpp
    void assign(CampaignRow& row, std::size_t from);  // a place in the experiment for recipients that have none
    void index_campaign(CampaignRow& row);
    // A complaint counts against every campaign that reached the contact in the week before.
    void count_complaint(ContactIndex contact, Instant at);

    // ---- campaigns.cpp
    void pause(CampaignRow& row, std::string reason);
    [[nodiscard]] std::vector<Problem> start_problems(CampaignRow& row, std::vector<crypto::Hash128>& templates);
    [[nodiscard]] CampaignDetails details(const CampaignRow& row) const;
    CampaignRuntime& runtime_of(CampaignRow& row);
    void freeze_some(CampaignRow& row);      // a slice of the audience; emits campaign.started after the last
    [[nodiscard]] bool takes_lines(const CampaignRow& row) const;
    [[nodiscard]] std::uint64_t known_as(const CampaignRow& row, const Recipient& recipient) const;

    // ---- campaign_release.cpp
    void activate(CampaignRow& row);
    void run_campaigns();
    [[nodiscard]] std::optional<channel::Monotonic> campaigns_wake_at() const;
    void rebuild_campaigns();
    bool release_some(CampaignRow& row, channel::Monotonic until);  // true: there is more to do at once
    bool release(CampaignRow& row, std::uint32_t number);           // false: its line cannot be read yet
    [[nodiscard]] Result<TouchRequest> request_for(CampaignRow& row, const Recipient& recipient);
    // Why this recipient gets nothing: "exclude", "stop-on"; empty: nothing is in the way.
    [[nodiscard]] std::string_view barred(CampaignRow& row, const Recipient& recipient);
    [[nodiscard]] Result<Prepared> prepare_recipient(CampaignRow& row, const Recipient& recipient, const TouchRequest& request, bool make);
    [[nodiscard]] Choice deny(std::string_view rule, const Prepared& prepared) const;
    [[nodiscard]] const LoggedRecipient* line_of(CampaignRow& row, const Recipient& recipient);
    void pause_if_bad(CampaignRow& row);
    void finish_if_done(CampaignRow& row);
    [[nodiscard]] bool held_by_rate(const QueueEntry& entry);       // true: the entry waits in the campaign's gate now
    void open_gates();
    void note_permit(const Touch& touch);
    void stop_recipients(ContactIndex contact, bool campaign::StopOn::*what);
    policy::CompiledPolicy* window_of(CampaignRow& row);
    void keep_window(const TouchFacts& facts, Choice& choice, policy::Request& request, const policy::ContactView& contact, const policy::AddressView& address,
                     Instant at, policy::Detail detail);

    // ---- campaign_preview.cpp
    void run_previews(channel::Monotonic until);
    bool preview_some(PreviewJob& job, channel::Monotonic until);   // true: it is complete
    void preview_recipient(PreviewJob& job, CampaignRow& row, const Recipient& recipient);
    void forecast(PreviewJob& job, CampaignRow& row);

    // ---- cancelling.cpp
    void cancel(std::uint32_t row, std::string reason);
    // An attempt of a waiting touch may have reached the customer: only its fallback waits.
    [[nodiscard]] static bool left_before(const Touch& waiting);

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
    void on_event(TaskAnswered&);
    void on_event(PageArrived&);
    void on_event(CallReported&);
    void on_outcome(std::uint32_t row, std::uint16_t attempt, AccountNumber account, const channel::Outcome& outcome);
    bool repeat_unknown(std::uint32_t row, std::uint16_t attempt, const AccountRuntime& account, const dispatch::RetryPlan& plan);
    void end_attempt(std::uint32_t row, std::uint16_t attempt, const channel::Outcome& outcome, const dispatch::NextStep& step);
    void go_on(std::uint32_t row);  // after an attempt ended: queue, wait or fail
    void fail(std::uint32_t row, std::uint16_t attempt, std::string reason, SlotChange slot, std::string provider_id = {}, std::string raw = {});
    void settled_ref(channel::AttemptRef ref);
    void expire(std::uint32_t row);

    // ---- cascade.cpp
    [[nodiscard]] dispatch::Cascade cascade_of(const Touch& touch) const;
    // No further way will be tried: an attempt has what its step waits for, or the next way was given up.
    [[nodiscard]] bool cascade_is_over(const Touch& touch) const;
    // Is that what the step of this candidate waits for?
    [[nodiscard]] bool is_enough(const Touch& touch, std::uint8_t candidate, bool accepted, dispatch::Progress progress) const;
    // When the next step begins if nothing is heard; instant_never: it does not by itself.
    [[nodiscard]] Instant fallback_due(const Touch& touch) const;
    void start_fallback(std::uint32_t row);
    // If an earlier attempt may have reached the customer it stands, and the way that waits is given up; false: there is no such attempt.
    bool keep_what_left(std::uint32_t row, std::string_view why);
    bool climb(const RecordMeta& meta, std::uint32_t row, std::uint16_t attempt, dispatch::Progress to);  // true: the touch never came so far
    void note_moved(std::uint32_t row);         // by a fold: its cascade may have come to its end
    void run_cascades();                        // settles those, and revokes what is not needed any more
    std::vector<std::uint32_t> moved_cascades;  // rows of this turn
    void put_cheapest_first(Prepared& prepared) const;
    // What the candidates from `chosen` on would cost, for the reason of a permit; empty for a touch that did not ask for the cheapest.
    [[nodiscard]] std::string price_reason(const Touch& touch, std::uint8_t chosen, const CachedContent& content) const;

    // ---- tasks.cpp: what waits for an employee
    void hand_over(std::uint32_t row, std::uint16_t attempt, AccountNumber account, const channel::Outcome& outcome);
    void keep_task(const Touch& touch, const Attempt& attempt);
    void end_task(OpenTask& task, const TaskKey& key, Instant at);
    void schedule(OpenTask& task, const TaskKey& key, Instant at);
    void run_tasks();
    [[nodiscard]] std::optional<Instant> tasks_due_at() const;
    void take_results(OpenTask& task, const std::vector<channel::TaskResult>& results);
    void close_task(const TaskKey& key);
    void let_go(std::uint32_t row, const Attempt& attempt);  // of a task that ended unsent
    // A touch whose task waits is judged anew: what is forbidden now is called back.
    void recheck_task(std::uint32_t row);
    [[nodiscard]] std::optional<Instant> reminder_at(const OpenTask& task) const;
    [[nodiscard]] bool is_called_back(const Choice& choice) const;
    bool call_back(std::uint32_t row, std::string reason);   // false: nothing of it waits for an employee
    [[nodiscard]] static Attempt* handed_over(Touch& touch);

    // ---- provider_events.cpp: what messaging platforms tell
    void take_events(AccountNumber account, channel::WebhookEvents& told, Effect done);
    void take_event(AccountNumber account, const channel::ProviderEvent& event);
    [[nodiscard]] bool says_the_same(AccountNumber account, const channel::ProviderEvent& record, const crypto::Hash128& said) const;
    // An employee of ours has this conversation in the platform's own client: nothing can be sent into it from here.
    [[nodiscard]] bool handled_natively(const Interaction& conversation) const;
    [[nodiscard]] AccountNumber meant_by(AccountNumber account, std::string_view topic) const;
    [[nodiscard]] Address address_from(AccountNumber account, std::string_view value) const;
    void attach(ContactIndex contact, const std::optional<Address>& address, const std::string& unionid);
    void greet(AccountNumber account, const channel::ProviderEvent& event);

    // ---- routing.cpp: the routing core and the log
    void take_routed(const RecordMeta& meta, const routing::Event& event);
    void interaction_ended(const RecordMeta& meta, const routing::ItemEnded& event);
    // Ends it, whether or not the routing core knows it.
    // Null for one that means nothing more. Error: the queue lists its dispositions, and this is none of them.
    Result<const routing::Disposition*> disposition_of(std::string_view queue, const std::string& code) const;
    // The withdrawals that a disposition stands for.
    void carry_out(const Interaction& interaction, const routing::Disposition* disposition, std::string_view by);
    void end_interaction(const Uuid& id, std::string state_word, std::string outcome, std::string disposition, std::string reason, const std::string& note);
    void enqueue_interaction(const Uuid& id, std::string cause);
    [[nodiscard]] std::string queue_for(std::string_view account, std::string_view channel) const;
    [[nodiscard]] std::string last_agent_of(ContactIndex contact, std::string_view queue) const;
    void run_routing();
    void flow_out(const routing::FlowOut& item);
    void begin_routing();                  // after start: nobody is connected yet, and no offer is known to anyone
    [[nodiscard]] routing::RouterSettings router_settings();

    // ---- calls.cpp: calls and the log; what telephone systems report
    void take_call_fact(const RecordMeta& meta, const voice::Fact& fact);
    void note_call_fact(const voice::Fact& fact);
    void with_call(const Uuid& id, const std::function<void(voice::Machine&)>& act);  // nothing happens if there is no such call
    [[nodiscard]] voice::Call* live_call(const Uuid& id);
    void take_call_event(AccountNumber account, channel::CallEvent& event);
    void take_arrival(AccountNumber account, const channel::LegArrived& event);
    void run_calls();
    [[nodiscard]] const voice::CallRules& rules_of(const voice::Call& call) const;
    [[nodiscard]] std::optional<AccountNumber> call_account() const;  // the first telephone system that is up, else the first

    // ---- call_recovery.cpp: after a start, and while the telephone system is gone
    void begin_calls();
    void lose_calls(AccountNumber account, std::string_view reason);
    void recover_calls(AccountNumber account, const channel::Snapshot& snapshot);
    [[nodiscard]] voice::Plan plan_again(const voice::Call& call);  // of a customer who was dialled by an earlier run of the program
    // Under which item the agent wraps up his part of a call that he handed on.
    [[nodiscard]] std::optional<Uuid> part_in_wrap_up(std::string_view agent, const Uuid& interaction) const;

    // ---- call_touches.cpp: calls that we make, and the touches that permit them
    struct DialTerms {                     // how the customer is dialled and what becomes of him
        voice::Plan plan;
        std::string endpoint = {}, caller_id = {}, queue = {};
        Uuid offer{};                      // of Router::reserve, for plan `reserved`
        Duration ring_timeout{0};
        Uuid interaction{};                // opened already; nil: a new one
    };
    // A permitted touch leaves as a call. `ref`: of its permit, in flight. The caller has emitted touch.dispatching in this turn.
    Uuid begin_dial(std::uint32_t row, std::uint16_t attempt, channel::AttemptRef ref, AccountNumber account, const DialTerms& terms);
    void dial_touch(std::uint32_t row, std::uint16_t attempt, channel::AttemptRef ref, AccountNumber account, const channel::Content& content);
    [[nodiscard]] bool dial_at_telephone(AccountNumber account, const std::string& agent, const channel::LegArrived& event);  // false: he may not
    // Whom an agent dials: nothing is in the way, or the error that he is told.
    Result<void> may_dial(const std::string& agent, const CallPurpose& purpose, ContactIndex contact, AccountNumber account);
    Uuid open_dial(const std::string& agent, const CallPurpose& purpose, ContactIndex contact, AccountNumber account);
    void ask_permit(const Uuid& call);     // the agent's telephone is up
    void call_answered(const Uuid& call);
    void call_unwritten(const Uuid& call);
    void settle_call_touch(const voice::Call& call, const voice::CallEnded& ended);
    [[nodiscard]] TouchRequest dial_request(const CallPurpose& purpose, ContactIndex contact, const Uuid& interaction, const std::string& account) const;
    [[nodiscard]] bool dials(const TouchId& touch) const;  // a call of it is going on

    // ---- dialing.cpp: campaigns that dial
    // True: the campaign dials. What is wrong with how goes to `problems`.
    bool dialing_problems(CampaignRow& row, std::vector<Problem>& problems);
    [[nodiscard]] DialingRuntime* dialing_of(CampaignRow& row);      // null: it sends messages
    [[nodiscard]] bool held_by_pacing(const QueueEntry& entry);      // true: the entry waits for an agent now
    void run_dialing();
    void dial_some(CampaignRow& row, DialingRuntime& dialing);
    bool dial_next(CampaignRow& row, DialingRuntime& dialing);      // false: nothing more can be dialled now
    [[nodiscard]] std::optional<DialTerms> campaign_terms(std::uint32_t row);  // of a touch that a campaign dials
    void forget_line(const voice::Call& call);
    void line_is_taken(const TouchId& touch);  // its customer has his agent
    // The customer whom a campaign dialled is there: the agent who has him now, if one is free.
    [[nodiscard]] std::string agent_for_answer(const TouchId& touch, const Uuid& call);
    [[nodiscard]] DialingRuntime* dialing_of(const TouchId& touch);  // of the campaign that dials this touch
    // A recipient who was not reached is dialled again, as the plan says.
    [[nodiscard]] std::optional<Instant> redial_at(const Touch& touch);
    void learn_from_call(const voice::CallEnded& ended);             // part of the fold
    // Lines and numbers of accounts: a fold of call.line, call.ended and caller_id.rested.
    [[nodiscard]] dialing::TrunkPool* trunks_of(AccountNumber account);
    [[nodiscard]] dialing::TrunkPool* trunks_of(std::string_view account);
    // The line that a call will take, into `terms`; its trunk, empty if it takes the account's own.
    void take_line_of_arrival(AccountNumber account, ContactIndex contact, const Uuid& call, std::string_view endpoint);
    [[nodiscard]] std::string choose_trunk(AccountNumber account, ContactIndex contact, const std::string& number, DialTerms& terms);
    void leave_trunk(const RecordMeta& meta, const voice::Call& call, const voice::CallEnded& ended);  // part of the fold
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> dumped_trunks();  // by account
    void load_trunks(const std::vector<std::pair<std::string, std::string>>& dumped);
    std::map<AccountNumber, std::unique_ptr<dialing::TrunkPool>> trunk_pools;
    std::vector<CallerIdRested> tired_numbers;  // of this act: to rest
    bool routing_stirred = false;          // somebody became free, or a call ended, since dialling was looked at

    // ---- shown_recipients.cpp: campaigns whose agents see each recipient before he is dialled
    void show_recipients(CampaignRow& row, DialingRuntime& dialing);
    bool show_next(CampaignRow& row, DialingRuntime& dialing, QueueEntry entry);  // false: nobody is free who has not just passed him over
    void look_at_shown();                  // takes back who may not be dialled any more, and lists again whom nobody took
    void list_again(DialingRuntime& dialing, const TouchId& touch, bool in_front);
    struct ShownPlace { DialingRuntime* dialing = nullptr; DialingRuntime::Shown* shown = nullptr; };
    [[nodiscard]] ShownPlace shown_as(const Interaction& interaction);
    Result<void> may_dial_shown(const std::string& agent, const Uuid& interaction);
    void dial_shown(Interaction& interaction);                      // an agent has asked for it
    void permit_shown(const Uuid& call);                            // his telephone is up
    void refuse_call(const TouchId& touch);                         // that waits for a permit, and gets none
    [[nodiscard]] bool end_undialled(const voice::CallEnded& ended, Interaction& interaction);  // true: the customer was never dialled, and is listed again
    void note_passed_over(const Uuid& interaction, const std::string& agent, std::int64_t until);
    std::vector<CampaignRow*> showing;     // campaigns with somebody who is shown or dialled

    // ---- recordings.cpp
    void keep_recording(AccountNumber account, channel::RecordingFetched& fetched);
    void note_recording(const RecordMeta& meta, const voice::Call& call, const voice::RecordingChanged& fact);  // part of the fold
    void schedule_recording(const Uuid& interaction, const RecordingRow& row);
    void begin_recordings();               // after a start
    void run_recordings();
    void fetch_recordings();               // those that ended and have not come
    void delete_recording(const Uuid& interaction, const RecordingRow& row, std::string_view reason);
    void delete_recordings_of(ContactIndex contact);
    std::set<std::tuple<Instant, Uuid, std::string>> recording_agenda;  // when one is too old, or can be forgotten
    std::set<std::tuple<Instant, Uuid, std::string>> fetch_agenda;      // when to ask again for one that ended

    // ---- desk_supervision.cpp
    // By the queue, the agent's unit, or without a queue one of his.
    [[nodiscard]] bool supervises(std::string_view supervisor, std::string_view queue, std::string_view agent) const;

    // ---- desk_calls.cpp: what agents do with calls
    void offer_accepted(Interaction& interaction);
    Result<void> transfer_call(Interaction& interaction, const std::string& to, const std::string& note, const std::string& by, bool consult);
    [[nodiscard]] std::string extension_of(std::string_view agent) const;
    void call_over(const voice::CallEnded& ended);
    void call_flows_out(const Uuid& call, const routing::FlowOut& item);
    void hang_up_call(const Uuid& call, std::string_view by);
    void park_over(const Uuid& call);

    // ---- desk_pushes.cpp: numbered pushes to agents
    void push_to(const std::string& agent, KeptPush push, const RecordMeta& meta);  // of a fold
    void show_presence(const std::string& agent, const RecordMeta& meta);
    void deliver_pushes();
    void deliver(const std::string& agent, AgentRuntime::Connected& to);
    [[nodiscard]] std::shared_ptr<const AgentPush> make_push(const std::string& agent, KeptPush& kept);
    // What holds now; it has the number of the newest push, for it says what all pushes up to that one have said.
    [[nodiscard]] std::shared_ptr<const AgentPush> snapshot_of(const std::string& agent);
    [[nodiscard]] PresencePush presence_of(const std::string& agent) const;
    [[nodiscard]] OfferPush offer_push(const Uuid& offer, const Uuid& interaction);

    // ---- leases.cpp: who is still there
    void watch_lease(const std::string& agent, channel::Monotonic at);
    void run_leases();
    void agent_gone(const std::string& agent, std::string_view cause, std::string_view actor);  // signs him out; his conversations go on without him
    [[nodiscard]] std::optional<channel::Monotonic> leases_due_at() const;

    // ---- conversations.cpp: the clocks of conversations
    void schedule_conversation(Interaction& interaction);
    void run_conversations();
    void tell_of_idle_close(const Interaction& interaction, const std::string& text);

    // ---- contact_card.cpp
    [[nodiscard]] ContactCard card_of(ContactIndex contact);

    // ---- promises.cpp
    Result<PromiseDetails> make_promise(ContactIndex contact, const PromiseInput& input, const std::string& queue, const Uuid& interaction);
    void run_promises();
    [[nodiscard]] PromiseDetails details(const PromiseRow& promise) const;

    // ---- leads.cpp: capture, duplicates, scores
    [[nodiscard]] std::uint32_t lead_stages_of(ContactIndex contact) const;  // bits of policy::lead_stage_words, of all that are the same person
    void compile_leads();
    Result<LeadDetails> take_lead(const LeadInput& input, ContactIndex known);
    // Something of a customer that is a lead if the configuration's `lead_routing.sources` says so: "wecom:<state>", "call:missed" …
    // `evidence`: what tells of it, such as "event 42".
    void capture_lead(ContactIndex contact, const std::string& source, const std::string& unit, const std::string& evidence);
    void capture_by_keyword(ContactIndex contact, std::string_view channel, std::string_view account, std::string_view text, const std::string& evidence);
    // An agent has answered his customer: by a message, or a call that was answered. His open leads of this contact are contacted.
    void lead_answered(ContactIndex contact, const std::string& agent);
    [[nodiscard]] leads::Score score_of(const LeadRow& lead) const;
    [[nodiscard]] LeadDetails details(const LeadRow& lead) const;

    // ---- lead_assigning.cpp: who gets it, and what he is told
    bool assign_lead(const Uuid& id, std::string_view cause);  // by the rules; false: nobody could be found
    void give_lead(const Uuid& id, const leads::Choice& choice, std::string_view cause, std::string_view by, leads::Stage stage);
    [[nodiscard]] const std::vector<leads::Agent>& lead_agents();
    [[nodiscard]] std::vector<std::string> supervisors_of(const std::string& agent, std::string_view unit) const;
    void message_employee(const std::string& agent, const LeadRow& lead, std::string_view text_key);

    // ---- lead_links.cpp: pages without a login
    [[nodiscard]] crypto::Hash128 link_proof(const LeadRow& lead, Instant expires_at) const;
    [[nodiscard]] LeadLink link_of(const LeadRow& lead) const;

    // ---- lead_deadlines.cpp
    void schedule_lead(LeadRow& lead);     // its place in the agenda and the indexes, from its row
    void run_leads();
    [[nodiscard]] std::optional<Instant> leads_due_at() const;
    void rebuild_leads();
    void move_lead(const Uuid& id, leads::Stage to, const LeadAct& act);  // the step is allowed
    void recycle_lead(const Uuid& id, const LeadAct& act);
    void close_leads_of(ContactIndex contact, const std::string& reason);

    // ---- apply_leads.cpp
    void forget_leads_of(ContactIndex contact);  // what they say of him
    LeadOwnerRow& lead_owner(const std::string& id, Instant at);
    [[nodiscard]] std::int64_t lead_day(Instant at) const;  // in the configured zone

    // ---- interactions.cpp: conversations by message
    [[nodiscard]] Uuid interaction_for(ContactIndex contact, std::uint32_t address, std::string_view account, std::string_view channel, const TouchId& reply_to,
                                       const std::string& queue = {}, std::optional<int> priority = {});
    void note_message(const Uuid& interaction, bool inbound, const RecordMeta& meta, const TouchId& touch);
    [[nodiscard]] std::optional<routing::QueueView> bots_queue(const Uuid& interaction);
    void hand_over_by_word(const Uuid& interaction, const std::string& text);
    void hand_over_unanswered(const Uuid& interaction);
    void reply_by_rule(const Uuid& interaction, AccountNumber account, const channel::InboundMessage& message, bool first);
    Result<TouchView> reply(const Uuid& interaction, TouchRequest& request);
    void forget_interactions();
    [[nodiscard]] InteractionDetails details(const Interaction& interaction, bool with_messages);

    // ---- timers.cpp
    void arm(Instant at, std::uint32_t row, TimerKind kind);
    void run_timers();
    void run_sweep();
    void note_held(std::uint32_t row);  // keeps held_rows in step with the touch's decision
    void run_cancellations();
    void run_released();
    void arm_waiting(std::uint32_t row);  // all timers of a live touch, from its state
    void rebuild_volatile();              // after start: queues, timers, in-flight attempts become unknown

    // ---- receipts.cpp
    void take_receipt(AccountNumber account, const channel::Receipt& receipt);
    void advance(std::uint32_t row, std::uint16_t attempt, const channel::Receipt& receipt, const std::string& provider_id);
    void unpark(std::map<std::uint64_t, ParkedReceipt>::iterator parked);
    // Of an attempt that just became unknown: its receipt may have come before.
    void match_parked(std::uint32_t address, AccountNumber account);
    void claim_parked(std::uint32_t row, std::uint16_t attempt, AccountNumber account, const std::vector<std::string>& ids);
    Uuid take_message(AccountNumber account, const channel::InboundMessage& message, std::string_view channel_name, std::string_view account_name, ContactIndex known, Effect settled,
                      const std::string& queue = {}, std::optional<int> priority = {});
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
    void use(PolicyRecord& record, std::shared_ptr<policy::CompiledPolicy> compiled);
    bool sweep_after_start = false;
    Result<std::shared_ptr<policy::CompiledPolicy>> compile(const std::string& document, std::string& name);
    [[nodiscard]] const PolicyRecord& policy() const { return state.policies[state.active_policy]; }

    // ---- checkpoint_codec.cpp
    void dump(const CheckpointSink& sink);
    // Opens the sealed pieces and loads them into the empty state.
    Result<void> load(Checkpoint checkpoint);
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
    if constexpr (requires { event.decision.facts; }) log_facts(event.decision.facts);
    payload.clear();
    encode(payload, event);
    RecordMeta meta{.sequence = 0, .time = now, .contact = contact, .position = {}, .replay = false};
    append_record(E::type, contact, meta);
    apply(meta, event);
    return meta.sequence;
}

}  // namespace touchgate
