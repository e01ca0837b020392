// The engine's state: flat tables in memory, the fold of all events. Changed only by `apply` (apply.cpp); everything that a restart must
// not lose is here, everything volatile (queues, timers, what is in flight) is in internals.hpp.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/container/inlined_vector.h>

#include <deque>
#include <memory>
#include <set>
#include <shared_mutex>
#include <string>
#include <tuple>
#include <vector>

#include "gateway/campaign/assignment.hpp"
#include "gateway/dialing/pacing.hpp"
#include "gateway/dispatch/cascade.hpp"
#include "gateway/engine/desk_state.hpp"
#include "gateway/engine/events.hpp"
#include "gateway/voice/call.hpp"
#include "gateway/engine/lead_state.hpp"

namespace touchgate {

// Which provider message id said what, of one attempt.
struct PartReceipt {
    std::uint64_t id = 0;  // low half of the id's hash
    std::uint8_t progress = 0;
    template <class A> void fields(A&& a) { a(id, progress); }
};

enum class AttemptState : std::uint8_t { open = 1, accepted, delivered, failed, unknown, ended, unwritten, handed_over };

// An attempt that waits for an employee.
struct HumanTask {
    std::string id, employee;
    Instant created_at{}, ends_at{};
    TaskStatus status = TaskStatus::waiting;
};

struct Attempt {
    std::uint16_t number = 0;
    std::uint8_t chosen = 0;                 // candidate
    AttemptState state = AttemptState::open;
    std::uint8_t parts = 1;
    std::uint32_t address = 0;
    Instant permitted_at{};
    dispatch::Progress progress = dispatch::Progress::open;  // of this attempt alone
    absl::InlinedVector<PartReceipt, 1> receipts;
    std::unique_ptr<HumanTask> task = {};    // handed over to an employee
    channel::AttemptRef ref = 0;             // volatile: in flight under this name; 0: not in flight in this run
    bool may_be_written = true;              // volatile
    [[nodiscard]] bool may_have_arrived() const { return state == AttemptState::accepted || state == AttemptState::delivered || state == AttemptState::unknown; }
};

struct CachedContent {
    std::string key;
    Variables variables;
    TouchContent content;
    Metadata metadata;
};

struct Touch {
    TouchId id{};
    std::uint64_t created_sequence = 0;
    LogPosition created_position{};
    LogPosition decision_position{};         // record with the latest decision
    ContactIndex contact{};
    std::uint32_t plan = 0;                  // candidates: index into State::plans
    std::uint32_t cascade = 0;               // steps: index into State::cascades; 0: every candidate is a step of its own
    std::uint32_t address = 0;
    std::uint32_t fixed_address = 0;
    std::uint32_t template_number = 0;       // index into State::templates, 0 none
    std::uint32_t policy = 0;                // version number of the latest decision
    policy::FactsId facts{};                 // of the latest decision: what its slot counts by
    std::uint16_t rule = policy::no_rule;
    std::uint16_t next_attempt = 1;
    TouchState state = TouchState::queued;
    policy::Verdict verdict = policy::Verdict::allow;
    policy::Reason decision_reason = policy::Reason::none;
    policy::Origin origin = policy::Origin::api;
    std::uint8_t chosen = 0;
    std::uint8_t priority = 50;
    std::uint8_t flags = 0;
    std::uint8_t retries = 0;                // on the current candidate
    std::uint8_t segments = 0;
    dispatch::Progress progress = dispatch::Progress::open;
    bool final = false;
    bool has_key = false;
    campaign::Assignment arm = campaign::no_arm;
    std::uint8_t yields = 0;                 // times that its reservation was taken by a touch of higher class or priority
    std::uint32_t recipient = 0;             // number in its campaign's audience; 0: not of an audience
    Instant created_at{}, updated_at{}, expires_at{};
    Instant not_before = Instant::min();
    Instant until = instant_never;
    Instant retry_at = Instant::min();       // not before this instant, after an attempt that ended
    std::int64_t fallback_after_ms = -1;
    crypto::Hash128 key_hash{};
    Symbol callback, key_name;
    absl::InlinedVector<Attempt, 1> attempts;
    std::unique_ptr<std::string> rule_override;
    std::unique_ptr<std::string> reason;
    std::unique_ptr<std::vector<ContactIndex>> exposed;  // a post to a group: members in whose history it stands as well

    std::unique_ptr<std::vector<std::uint8_t>> dialed;   // by a campaign: how each call ended, oldest first; numbers of policy/call_outcomes.hpp

    // Volatile.
    std::uint32_t generation = 0;            // of the row
    std::uint32_t queue_ticket = 0;          // of the newest queue entry; an older entry is stale
    bool is_queued = false;                  // stands in its account's queue
    bool expiry_armed = false;
    Instant wake_at = instant_never;
    Instant fallback_at = instant_never;
    Instant settle_at = instant_never;
    std::uint8_t reconciled = 0;             // questions asked
    std::unique_ptr<CachedContent> content;
    Symbol counted_rule;                     // under which its campaign counts it as held back; 0: under none

    [[nodiscard]] bool at_least_once() const { return (flags & 1U) != 0; }
    [[nodiscard]] bool fallback_on_unknown() const { return (flags & 3U) != 0; }
    [[nodiscard]] bool cheapest_first() const { return (flags & 8U) != 0; }
    [[nodiscard]] bool has_steps() const { return cascade != 0; }
    // No further way is tried: the next one may not go, was called off or failed.
    static constexpr std::uint8_t cascade_over = 16;
    // The state that its progress gives; `otherwise` when nothing was delivered.
    [[nodiscard]] TouchState best(TouchState otherwise) const {
        switch (progress) {
            case dispatch::Progress::delivered: return TouchState::delivered;
            case dispatch::Progress::read: return TouchState::read;
            case dispatch::Progress::replied: return TouchState::replied;
            case dispatch::Progress::completed: return TouchState::completed;
            default: return otherwise;
        }
    }
    // Handed over, and nothing of it waits or is on its way.
    [[nodiscard]] bool is_resting() const { return state >= TouchState::accepted && state <= TouchState::completed; }
    [[nodiscard]] bool is_waiting() const { return state == TouchState::queued || state == TouchState::deferred; }
    [[nodiscard]] std::string_view override_view() const { return rule_override ? std::string_view{*rule_override} : std::string_view{}; }
};

struct SharedConsent {
    ContactIndex contact{};
    policy::Consent consent;
};

struct SuppressionEntry {
    std::string source;
    Instant at{};
    std::string sealed;                      // SuppressionSecret under the gateway's own key
    AddressKind kind = AddressKind::phone;
};

// What messaging platforms said of an address, by account.
struct Reach {
    struct Standing { Symbol account; Instant at{}; bool refuses = false; };
    struct Act { Symbol account, kind; Instant at{}, since{}; };  // since: from then on what we send is an answer to it
    // employee: empty for the account itself; tags: the platform's ids; record: of what was said of him last, 0: nothing.
    struct Follower { Symbol account; std::string employee; std::vector<Symbol> tags = {}; std::uint64_t record = 0; };
    // Does an employee have the conversation in the platform's own client? `at` is the provider's time of the last change.
    struct Native { Symbol account; Instant at{}; bool serves = false; };
    std::vector<Standing> standings;
    std::vector<Act> acts;                   // the newest of each kind
    std::vector<Follower> followers;         // employees whom the customer has, oldest first
    std::vector<Native> natives;             // one for each account
};

struct AddressRow {
    AddressKind kind = AddressKind::phone;
    std::string value;                       // plain in memory only
    std::string account;
    crypto::Hash128 hash{};
    absl::InlinedVector<ContactIndex, 1> owners;      // in the order in which they came
    ContactIndex last_used{};                // contact last touched or heard from here
    std::vector<policy::ListEntry> lists;
    std::vector<SuppressionEntry> list_details;       // parallel to lists
    std::vector<SharedConsent> shared_consents;       // withdrawals of its owners
    bool invalid = false;                    // the provider said there is no such address
    std::int32_t erased = -1;                // index into the key store's erased list
    std::unique_ptr<Reach> reach;
    [[nodiscard]] Reach& reached() {
        if (!reach) reach = std::make_unique<Reach>();
        return *reach;
    }
};

struct Review {
    Uuid id{};
    Symbol channel;
    std::vector<Symbol> purposes;
    Instant due_at{};
};

// What few contacts have.
struct ContactExtras {
    std::string name, locale, owner, unit;
    std::vector<std::string> unionids;
    std::vector<Symbol> tags;
    AttributeMap attributes;
    std::vector<std::pair<Symbol, Instant>> last_inbound;  // by channel
    Instant last_conversion = Instant::min();
    Instant last_complaint = Instant::min(), last_reply = Instant::min(), last_conversation_end = Instant::min();
    std::vector<policy::Act> acts;                         // oldest first; how many and how long: add_act
    std::vector<std::string> open_tickets;
    std::vector<Review> reviews;
    std::vector<ContactIndex> merged;        // all others that are the same person
    bool restricted = false, legal_hold = false;
};

struct Contact {
    std::vector<policy::HistoryEntry> history;        // oldest first by `at`, of the policy's horizon
    std::vector<policy::Consent> consents;
    absl::InlinedVector<std::uint32_t, 2> addresses;  // rows, in the contact's order
    absl::InlinedVector<std::uint32_t, 1> live;       // rows of touches that are not final
    std::unique_ptr<ContactExtras> extras;
    LogPosition newest{};
    std::uint64_t version = 0;                        // sequence of the last change of the contact itself
    Symbol time_zone;
    bool erased = false;
    [[nodiscard]] ContactExtras& extra() {
        if (!extras) extras = std::make_unique<ContactExtras>();
        return *extras;
    }
};

struct PolicyRecord {
    std::shared_ptr<PolicyVersion> version;
    std::shared_ptr<policy::CompiledPolicy> compiled;
    std::vector<std::string> rule_names;
    crypto::Hash128 document_hash{};
};

struct TemplateRecord {
    std::string name;
    crypto::Hash128 hash{};
    std::string document;
    std::shared_ptr<const content::Template> parsed;
};

enum class RecipientState : std::uint8_t { pending = 0, released, removed };

// One recipient of an audience. Variables stay in the log: they are read from their batch's record when the touch is made.
struct Recipient {
    LogPosition batch{};                     // the record with its line …
    ContactIndex contact{};
    std::uint32_t address = 0;               // named by the line, 0 none
    std::uint32_t item = 0;                  // hash, 0 none
    std::uint16_t line = 0;                  // … at this place
    campaign::Assignment arm = campaign::unassigned;
    RecipientState state = RecipientState::pending;
};
static_assert(sizeof(Recipient) == 24);  // a million of them are 24 MB

struct CampaignRuntime;  // what is volatile, see internals.hpp

struct CampaignRow {
    std::string id, purpose, unit, definition;
    crypto::Hash128 body_hash{};
    std::string state = "draft";
    std::string reason;                      // why the gateway paused it
    Instant created_at{};
    Instant started_at = Instant::min();     // min: not yet
    Instant ended_at = Instant::min();
    double holdout = 0;
    std::string rate;
    StateCounts direct{};

    std::deque<Recipient> recipients;        // number 1 first
    std::uint64_t size = 0;                  // without the removed ones
    std::uint64_t pending = 0, held_out = 0;
    StateCounts counts{};                    // size = pending + held_out + all of these
    std::uint64_t batches = 0;
    std::string sha256;                      // 32 bytes, once started
    std::vector<crypto::Hash128> templates;
    std::vector<std::uint64_t> arm_sizes;    // once started: recipients of each arm, the held out ones not counted
    std::vector<StateCounts> arm_counts;
    std::map<std::string, std::uint64_t, std::less<>> by_rule;
    std::int64_t cost_micro = 0;
    std::uint64_t permits = 0, complaints = 0;
    // Where permits, failures and complaints stood at the start or the latest resume.
    std::uint64_t permits_before = 0, failed_before = 0, complaints_before = 0;
    std::unique_ptr<dialing::DialStatistics> dialed;  // of a campaign that dials: what it has learned

    // Volatile.
    std::shared_ptr<const campaign::Definition> parsed;  // of `definition`
    std::shared_ptr<CampaignRuntime> runtime;
    [[nodiscard]] bool started() const { return started_at != Instant::min(); }
};

struct HoldRow {
    Uuid id{};
    HoldInput input;
    Instant set_at{};
};

struct ParkedReceipt {
    channel::Receipt receipt;
    AccountNumber account = 0;
    Instant received_at{};
    crypto::Hash128 destination{};
    std::uint64_t sequence = 0;
};

struct Interaction {
    struct Message { Instant at{}; LogPosition position{}; TouchId touch{}; bool inbound = true; };
    Uuid id{};
    ContactIndex contact{};
    std::uint32_t address = 0;
    Symbol channel, account, queue, campaign;
    TouchId touch{};                         // that its first message answers
    std::string state, reason, outcome, disposition;
    std::string agent, last_agent;           // whose it is, and whose it was last
    std::uint8_t priority = 50;
    std::uint8_t auto_replies = 0;           // volatile
    std::uint8_t reminders = 0;              // since the customer wrote and nobody answered
    bool outbound = false;
    Instant queued_at{}, last_at{};
    Instant idle_told_at = Instant::min();   // that it will be closed because nobody writes
    Instant assigned_at = Instant::min(), ended_at = Instant::min();
    Instant unanswered_since = instant_never;  // the customer wrote, and nobody has answered yet
    Instant due_at = instant_never;          // volatile: stands in the agenda of conversations
    Instant closed_at = Instant::min();
    std::vector<Message> messages;           // oldest first
    [[nodiscard]] bool is_closed() const { return closed_at != Instant::min(); }
};

struct KeyEntry {
    TouchId touch{};
    crypto::Hash128 body{};
    Instant expires_at = instant_never;      // 90 days after the touch became final; never while it is not
};

// An operation by its key.
struct OperationRow {
    crypto::Hash128 body{};
    std::string phase;                       // as AccountOperation
    LogPosition position{};                  // of the newest event of it
    Instant at{};
};

// What became of what an employee was asked to send.
struct EmployeeCounts {
    std::uint64_t sent = 0, failed = 0, expired = 0, cancelled = 0;
    Instant last_sent_at = Instant::min();
    bool resigned = false;                   // the platform lists his customers as nobody's
};

struct IdTarget {
    TouchId touch{};
    std::uint16_t attempt = 0;
};

// A recording of a call: of which telephone system, since when, and whether it lies there or here.
struct RecordingRow {
    std::string name, content_type = {}, reason = {};  // reason: why it was deleted
    Symbol account = {};
    ContactIndex contact{};
    bool stored = false;                     // here, sealed; else at the telephone system
    std::int64_t bytes = 0;
    Instant at{};
    Instant deleted_at = Instant::min();
    [[nodiscard]] bool is_deleted() const { return deleted_at != Instant::min(); }
    template <class A> void fields(A&& a) { a(name, content_type, reason, account, contact, stored, bytes, at, deleted_at); }
};

struct State {
    State();

    SymbolTable symbols;
    policy::ProfileTable profiles;                     // with the facts of attempts
    std::uint32_t logged_facts = 1;                    // facts below this number are in the log; those above were only asked about
    std::vector<std::vector<ProfileId>> plans{1};
    std::map<std::vector<ProfileId>, std::uint32_t> plan_numbers;
    std::vector<std::vector<dispatch::CascadeStep>> cascades{1};

    std::deque<Contact> contacts{1};                   // by ContactIndex; row 0 is nobody
    std::deque<std::string> contact_ids{1};            // external ids, same rows
    absl::flat_hash_map<std::string, std::uint32_t> contact_by_id;
    std::deque<AddressRow> addresses{1};
    absl::flat_hash_map<crypto::Hash128, std::uint32_t> address_by_hash;

    std::deque<Touch> touches{1};                      // rows are reused
    std::vector<std::uint32_t> free_rows;
    absl::flat_hash_map<TouchId, std::uint32_t> touch_rows;
    absl::flat_hash_map<std::uint64_t, TouchId> touch_by_sequence;  // of touches in memory
    absl::flat_hash_map<crypto::Hash128, KeyEntry> keys;
    absl::flat_hash_map<crypto::Hash128, IdTarget> provider_ids;    // hash of account and id
    absl::flat_hash_map<crypto::Hash128, Instant> inbound_seen;     // deduplication of messages and events, 48 h
    std::deque<std::pair<Instant, crypto::Hash128>> inbound_order;
    std::deque<std::pair<Instant, std::uint32_t>> finals;           // rows in the order in which they became final
    std::map<std::uint64_t, ParkedReceipt> parked;                  // by sequence
    absl::flat_hash_map<crypto::Hash128, absl::InlinedVector<std::uint64_t, 1>> parked_by_id;  // sequences, oldest first

    std::vector<PolicyRecord> policies{1};             // by number
    std::uint32_t active_policy = 0;
    crypto::Hash128 file_policy_hash{};                // of the bytes last loaded from the configured file
    std::vector<TemplateRecord> templates{1};
    absl::flat_hash_map<crypto::Hash128, std::uint32_t> template_by_hash;

    absl::flat_hash_map<crypto::Hash128, std::uint32_t> contact_by_unionid;  // keyed hash of the unionid; volatile index
    std::map<std::pair<std::string, std::string>, std::string> pull_cursors;  // by account and name of the list
    std::map<std::pair<std::string, std::string>, Instant> quotas;            // used up until then: by account and scope

    std::map<std::uint32_t, std::vector<crypto::Hash128>> groups;  // by address: the customers in it, by the hash of theirs
    absl::flat_hash_map<crypto::Hash128, OperationRow> operations;                 // by the hash of account and key
    std::map<std::pair<std::uint32_t, std::string>, EmployeeCounts> employees;    // by account's symbol and employee
    std::map<Uuid, Interaction> interactions;  // ids rise with time
    std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, Uuid> open_interactions;  // by account, address, contact; volatile index

    std::map<Uuid, voice::Call> calls;         // by interaction; those that are over as long as it
    std::map<Uuid, std::vector<RecordingRow>> recordings;  // by interaction, oldest first; those that were deleted stay a while
    absl::flat_hash_map<std::uint32_t, std::vector<Uuid>> recordings_of;    // by contact; volatile index
    absl::flat_hash_map<std::uint32_t, std::vector<Uuid>> interactions_of;  // by contact, oldest first; volatile index
    std::map<std::string, AgentRow, std::less<>> agents;
    std::map<Uuid, PromiseRow> promises;
    std::set<std::pair<Instant, Uuid>> open_promises;  // those not yet due; volatile index

    Leads leads;

    struct CalendarRow { std::string document; crypto::Hash128 file_hash; Instant updated_at; };  // file_hash: of the bytes last loaded from its file
    std::map<std::string, CalendarRow, std::less<>> calendars;

    std::map<std::string, CampaignRow, std::less<>> campaigns;
    absl::flat_hash_map<Symbol, CampaignRow*> campaign_by_symbol;   // volatile index
    std::map<std::string, HoldRow, std::less<>> holds;
    absl::flat_hash_set<crypto::Hash128> conversions;
    struct HashedSuppression {
        std::string list, algorithm, digest;
        std::vector<Symbol> channels, purposes;
        Instant expires_at;
        SuppressionEntry details;
        // Algorithm and digest come first: a number is looked up by what it hashes to, whatever the lists are called.
        static std::string key(std::string_view algorithm, std::string_view digest, std::string_view list) {
            return std::string{algorithm}.append("\n").append(digest).append("\n").append(list);
        }
    };
    std::map<std::string, HashedSuppression> hashed_suppressions;   // by HashedSuppression::key
    std::map<std::string, std::size_t, std::less<>> list_sizes;

    std::uint64_t sequence = 0;
    Instant last_time = Instant::min();

    std::array<std::uint64_t, touch_state_count> counts{};  // touches in memory by state

    // Guards what other threads read: contact_ids, profiles, symbols have their own or this lock.
    mutable std::shared_mutex names_mutex;
};

}  // namespace touchgate
