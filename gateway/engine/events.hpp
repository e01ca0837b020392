// Every event of the touch log: its type number, its name in the feed, its members. The state is the fold of these.
//
// Numbers and the order of members are the log's format: append, never renumber; a changed member list is a new version (see event_version).
// What a caller wrote about a person is never a plain member: it is in `sealed`, the encoding of the matching *Secret struct under
// the contact's key (contact 0: the gateway's own key). Names that many records share are one number, see ProfileDefined.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/channel/outcome.hpp"
#include "gateway/engine/requests.hpp"
#include "gateway/engine/views.hpp"
#include "gateway/routing/events.hpp"
#include "gateway/voice/facts.hpp"

namespace touchgate {

enum class EventType : std::uint16_t {
    profile_defined = 1, policy_activated, policy_stored, template_registered, attempt_facts_defined,
    contact_created = 10, contact_updated, contact_erased, contact_restricted, contact_followed, contact_unfollowed,
    contact_merged, contact_unmerged, contact_synced,
    consent_granted = 20, consent_withdrawn, suppression_added, suppression_removed, review_opened, review_decided,
    touch_created = 30, touch_decided, touch_deferred, touch_blocked, touch_held_out, touch_dispatching, touch_permit_lapsed, touch_permit_revoked,
    touch_accepted, touch_delivered, touch_read, touch_replied, touch_completed, touch_failed, touch_unknown, touch_cancelled, touch_expired,
    touch_attempt_ended, touch_settled, touch_handed_over, touch_task_changed,
    message_received = 60, receipt_received, event_received, event_unknown, platform_event, receipt_matched,
    campaign_created = 70, campaign_started, campaign_paused, campaign_resumed, campaign_finished, campaign_cancelled, campaign_audience_added,
    campaign_audience_removed,
    hold_set = 80, hold_lifted,
    conversion_recorded = 90, account_up, account_down, clock_accepted, calendar_updated, pull_advanced, account_operation, account_quota_exhausted,
    interaction_opened = 100, interaction_closed,
    call_started = 120, call_permitted, call_stage, call_leg_added, call_ringing, call_answered, call_leg_ended, call_leg_replaced, call_bridged, call_held, call_consult,
    call_recording, call_supervised, call_ended, recording_accessed,
    caller_id_rested, call_line, recording_deleted,
    lead_created = 110, lead_touchpoint, lead_assigned, lead_accepted, lead_contacted, lead_qualified, lead_won, lead_lost, lead_recycled, lead_overdue,
    agent_updated = 140, queue_updated, agent_session, agent_intent, agent_health, interaction_queued, offer_made, offer_ended, interaction_assigned, interaction_phase,
    interaction_recovering, interaction_wrapping, interaction_noted, promise_made, promise_changed, agent_noticed,
    agent_state, interaction_state, interaction_disposed,
};

// Name in the feed, "touch.created"; empty for a number that this program does not know.
[[nodiscard]] std::string_view event_name(EventType type);
inline constexpr std::uint8_t event_version = 1;

struct ProfileDefined {
    static constexpr auto type = EventType::profile_defined;
    ProfileId id{};
    std::string purpose, channel, account, campaign, unit, template_name;
    template <class A> void fields(A&& a) { a(id, purpose, channel, account, campaign, unit, template_name); }
};

// What attempts count by beside their profile, see policy::AttemptFacts. Decisions name it by number; numbers have no gaps. Labels are keyed
// hashes of their values: whether two attempts are equal in one can be read, the value cannot.
struct AttemptFactsDefined {
    static constexpr auto type = EventType::attempt_facts_defined;
    std::uint32_t id = 0;
    std::int64_t cost_micros = 0;
    std::string currency;
    std::vector<std::pair<std::string, std::uint64_t>> labels;
    template <class A> void fields(A&& a) { a(id, cost_micros, currency, labels); }
};

// `number` counts all versions of all policies from 1; decisions name it. rule_names are the compiled rules, built-ins first.
struct PolicyActivated {
    static constexpr auto type = EventType::policy_activated;
    std::uint32_t number = 0;
    std::string name;
    std::uint32_t version = 0;
    std::string document;
    bool from_file = false;
    std::vector<std::string> rule_names;
    template <class A> void fields(A&& a) { a(number, name, version, document, from_file, rule_names); }
};
struct PolicyStored {
    static constexpr auto type = EventType::policy_stored;
    std::uint32_t number = 0;
    std::string name;
    std::uint32_t version = 0;
    std::string document;
    std::vector<std::string> rule_names;
    template <class A> void fields(A&& a) { a(number, name, version, document, rule_names); }
};

// Template bytes are frozen by hash at accept; here they are kept.
struct TemplateRegistered {
    static constexpr auto type = EventType::template_registered;
    std::string name;
    crypto::Hash128 hash{};
    std::string document;
    template <class A> void fields(A&& a) { a(name, hash, document); }
};

struct LoggedAddress {
    std::uint32_t number = 0;  // row of the address table, from 1
    AddressKind kind = AddressKind::phone;
    std::string value, account;
    template <class A> void fields(A&& a) { a(number, kind, value, account); }
};
struct LoggedAttribute {
    std::string name;
    std::uint8_t kind = 0;  // 0 boolean, 1 number, 2 text
    double number = 0;
    std::string text;
    template <class A> void fields(A&& a) { a(name, kind, number, text); }
};
struct ContactSecret {
    std::vector<LoggedAddress> addresses;
    std::string name, locale, time_zone;
    std::vector<std::string> unionids, tags;
    std::vector<LoggedAttribute> attributes;
    template <class A> void fields(A&& a) { a(addresses, name, locale, time_zone, unionids, tags, attributes); }
};
// The whole contact after the change.
struct ContactCreated {
    static constexpr auto type = EventType::contact_created;
    ContactIndex index{};
    std::string id;
    std::string owner, unit;
    bool legal_hold = false;
    std::string sealed;  // ContactSecret
    const ContactSecret* opened = nullptr;  // not logged: what `sealed` holds, where the writer has it at hand
    template <class A> void fields(A&& a) { a(index, id, owner, unit, legal_hold, sealed); }
};
struct ContactUpdated {
    static constexpr auto type = EventType::contact_updated;
    std::string owner, unit;
    bool legal_hold = false;
    std::string sealed;  // ContactSecret
    template <class A> void fields(A&& a) { a(owner, unit, legal_hold, sealed); }
};
struct ContactErased {
    static constexpr auto type = EventType::contact_erased;
    std::string mode;
    template <class A> void fields(A&& a) { a(mode); }
};
struct ContactRestricted {
    static constexpr auto type = EventType::contact_restricted;
    bool restricted = true;
    template <class A> void fields(A&& a) { a(restricted); }
};

// Two records of one person: each keeps what is its own, and what is decided for one counts what was done to all. Undone by contact.unmerged.
struct ContactMerged {
    static constexpr auto type = EventType::contact_merged;
    ContactIndex other{};
    std::string provenance;                // "unionid", "address", "api"
    std::string evidence;
    template <class A> void fields(A&& a) { a(other, provenance, evidence); }
};
struct ContactUnmerged {                   // from all that it was merged with
    static constexpr auto type = EventType::contact_unmerged;
    std::string reason;
    template <class A> void fields(A&& a) { a(reason); }
};

struct ConsentSecret {
    std::string evidence;
    template <class A> void fields(A&& a) { a(evidence); }
};
struct ConsentGranted {
    static constexpr auto type = EventType::consent_granted;
    std::string channel, purpose, unit, source, notice_version;
    Instant at{};
    bool ends_withdrawals = false;  // of the same or narrower channel, purpose and unit, older than `at`
    std::string sealed;
    template <class A> void fields(A&& a) { a(channel, purpose, unit, source, notice_version, at, ends_withdrawals, sealed); }
};
struct ConsentWithdrawn {
    static constexpr auto type = EventType::consent_withdrawn;
    std::string channel, purpose, unit, source, notice_version;
    Instant at{};
    std::string sealed;
    template <class A> void fields(A&& a) { a(channel, purpose, unit, source, notice_version, at, sealed); }
};

struct SuppressionSecret {
    std::string value, account;        // of the address; empty for a hashed entry
    std::string reason, evidence, by;
    template <class A> void fields(A&& a) { a(value, account, reason, evidence, by); }
};
struct SuppressionAdded {
    static constexpr auto type = EventType::suppression_added;
    std::string list, source;
    std::uint32_t address = 0;         // 0: a hashed entry
    AddressKind kind = AddressKind::phone;
    std::string hash_algorithm, phone_hash;
    Instant at{};
    Instant expires_at = instant_never;
    std::vector<std::string> channels, purposes;
    std::string sealed;                // SuppressionSecret under the gateway's own key
    template <class A> void fields(A&& a) { a(list, source, address, kind, hash_algorithm, phone_hash, at, expires_at, channels, purposes, sealed); }
};
struct SuppressionRemoved {
    static constexpr auto type = EventType::suppression_removed;
    std::string list;
    std::uint32_t address = 0;
    std::string hash_algorithm, phone_hash;
    template <class A> void fields(A&& a) { a(list, address, hash_algorithm, phone_hash); }
};
// A near miss of an opt-out: marketing on that channel waits for a person until `due_at`.
struct ReviewOpened {
    static constexpr auto type = EventType::review_opened;
    Uuid id{};
    std::string channel;
    std::vector<std::string> purposes;
    std::uint64_t message_sequence = 0;
    Instant due_at{};
    template <class A> void fields(A&& a) { a(id, channel, purposes, message_sequence, due_at); }
};
struct ReviewDecided {
    static constexpr auto type = EventType::review_decided;
    Uuid id{};
    bool withdrawn = false;
    std::string by;
    template <class A> void fields(A&& a) { a(id, withdrawn, by); }
};

// ---- touches

struct LoggedStep {
    std::uint16_t rule = 0;
    std::uint8_t bits = 0;  // verdict (2 bits), waived (bit 2), counts (bit 3), until (bit 4), score (bit 5)
    std::uint16_t waived_by = 0;
    std::uint8_t why = 0;
    std::int64_t until = 0;  // Unix ms, 0 none
    std::int64_t counted_milli = 0, max_milli = 0, score_milli = -1;
    template <class A> void fields(A&& a) {
        a(rule, bits, why);
        if (bits & 4U) a(waived_by);
        if (bits & 8U) a(counted_milli, max_milli);
        if (bits & 16U) a(until);
        if (bits & 32U) a(score_milli);
    }
};
struct LoggedDecision {
    std::uint32_t policy = 0;  // number of the policy version
    policy::Verdict verdict = policy::Verdict::allow;
    policy::Reason reason = policy::Reason::none;
    std::uint16_t rule = policy::no_rule;
    std::string rule_override;
    std::int64_t until = 0;    // Unix ms, 0 none
    std::vector<LoggedStep> steps;
    policy::FactsId facts{};   // of the slot that the decision makes
    template <class A> void fields(A&& a) {
        auto bits = static_cast<std::uint8_t>(static_cast<unsigned>(verdict) | (facts.value != 0 ? 4U : 0U));
        a(policy, bits, reason, rule, rule_override, until, steps);
        verdict = static_cast<policy::Verdict>(bits & 3U);
        if (bits & 4U) a(facts.value);
    }
};
[[nodiscard]] LoggedDecision to_logged(const policy::Decision& decision, std::uint32_t policy, std::string rule_override = {});
[[nodiscard]] policy::Decision from_logged(const LoggedDecision& logged);

struct TouchSecret {
    std::string key;
    Variables variables;
    std::string text, template_code, body_json;
    bool text_is_template = false;
    std::vector<std::pair<std::string, std::string>> params;
    std::vector<std::pair<std::string, std::string>> metadata;
    template <class A> void fields(A&& a) { a(key, variables, text, template_code, body_json, text_is_template, params, metadata); }
};
struct TouchCreated {
    static constexpr auto type = EventType::touch_created;
    TouchId id{};
    std::vector<ProfileId> candidates;     // channel and account in order of preference; the rest of the profile is equal in all
    std::uint8_t chosen = 0;               // index into candidates
    TouchState state = TouchState::queued;
    std::uint32_t address = 0;             // of the chosen candidate
    std::uint32_t fixed_address = 0;       // the touch was made for this address
    std::uint8_t priority = 50;
    std::uint8_t flags = 0;                // 1 at_least_once, 2 fallback_on_unknown, 4 has steps, 8 cheapest first
    policy::Origin origin = policy::Origin::api;
    bool has_key = false;
    crypto::Hash128 key_hash{}, body_hash{};
    std::int64_t not_before = 0;           // Unix ms, 0 none
    Instant expires_at{};
    std::int64_t fallback_after_ms = -1;
    crypto::Hash128 template_hash{};
    std::string callback, key_name;
    std::uint8_t segments = 0;
    LoggedDecision decision;
    std::string sealed;                    // TouchSecret
    // Of origin `campaign` only:
    std::uint32_t recipient = 0;           // number in the campaign's audience, from 1
    std::string arm;                       // "holdout" for a ghost
    bool arm_given = false;                // by the audience's line, not by the hash
    // Of answers in a conversation (origins agent, reply, bot) only:
    Uuid interaction{};
    std::vector<dispatch::CascadeStep> steps;  // with flag 4 only
    template <class A> void fields(A&& a) {
        a(id, candidates, chosen, state, address, fixed_address, priority, flags, origin, has_key);
        if (has_key) a(key_hash, body_hash);
        a(not_before, expires_at, fallback_after_ms, template_hash, callback, key_name, segments, decision, sealed);
        if (origin == policy::Origin::campaign) a(recipient, arm, arm_given);
        if (origin == policy::Origin::agent || origin == policy::Origin::reply || origin == policy::Origin::bot) a(interaction);
        if (flags & 4U) a(steps);
    }
};
// A later decision that changed verdict, rule or until.
struct TouchDecided {
    static constexpr auto type = EventType::touch_decided;
    TouchId touch{};
    std::uint8_t chosen = 0;
    std::uint32_t address = 0;
    LoggedDecision decision;
    template <class A> void fields(A&& a) { a(touch, chosen, address, decision); }
};

// Events that say no more than that the touch is in another state, and why.
template <EventType Type> struct TouchChanged {
    static constexpr auto type = Type;
    TouchId touch{};
    std::string reason;
    template <class A> void fields(A&& a) { a(touch, reason); }
};
using TouchDeferred = TouchChanged<EventType::touch_deferred>;
using TouchBlocked = TouchChanged<EventType::touch_blocked>;
using TouchCancelled = TouchChanged<EventType::touch_cancelled>;
using TouchExpired = TouchChanged<EventType::touch_expired>;
// `unknown` that no receipt resolved in time: final.
using TouchSettled = TouchChanged<EventType::touch_settled>;

// The ghost touch of a recipient in the control group: made as blocked, and told apart by this.
struct TouchHeldOut {
    static constexpr auto type = EventType::touch_held_out;
    TouchId touch{};
    std::string arm;                       // "holdout"; empty when a rule of the policy holds the contact out
    template <class A> void fields(A&& a) { a(touch, arm); }
};

// The permit: from this record's time on the slot counts.
struct TouchDispatching {
    static constexpr auto type = EventType::touch_dispatching;
    TouchId touch{};
    std::uint16_t attempt = 0;
    std::uint8_t chosen = 0;
    std::uint32_t address = 0;
    std::uint8_t segments = 1;
    std::int64_t cost_micro = 0;
    std::string route_reason;
    LoggedDecision decision;
    template <class A> void fields(A&& a) { a(touch, attempt, chosen, address, segments, cost_micro, route_reason, decision); }
};
template <EventType Type> struct PermitEnded {
    static constexpr auto type = Type;
    TouchId touch{};
    std::uint16_t attempt = 0;
    template <class A> void fields(A&& a) { a(touch, attempt); }
};
using TouchPermitLapsed = PermitEnded<EventType::touch_permit_lapsed>;
using TouchPermitRevoked = PermitEnded<EventType::touch_permit_revoked>;

struct TouchAccepted {
    static constexpr auto type = EventType::touch_accepted;
    TouchId touch{};
    std::uint16_t attempt = 0;
    std::vector<std::string> ids;
    std::uint8_t parts = 1;
    template <class A> void fields(A&& a) { a(touch, attempt, ids, parts); }
};
// A receipt, a reply or an outcome moved the touch: delivered, read, replied, completed.
template <EventType Type> struct TouchAdvanced {
    static constexpr auto type = Type;
    TouchId touch{};
    std::uint16_t attempt = 0;
    std::string provider_id;
    std::string raw;
    std::int64_t provider_time = 0;  // Unix ms, 0 none
    template <class A> void fields(A&& a) { a(touch, attempt, provider_id, raw, provider_time); }
};
using TouchDelivered = TouchAdvanced<EventType::touch_delivered>;
using TouchRead = TouchAdvanced<EventType::touch_read>;
using TouchReplied = TouchAdvanced<EventType::touch_replied>;
using TouchCompleted = TouchAdvanced<EventType::touch_completed>;

// How far a task is that an employee must send. Numbers are written to the log.
enum class TaskStatus : std::uint8_t { waiting = 1, sent, not_friend, over_limit, cancelled, expired, cancelling, reminded };
[[nodiscard]] std::string_view to_string(TaskStatus status);

// The provider made a task of the attempt: nothing reaches the customer before the employee sends it. The slot counts at every instant meanwhile.
struct TouchHandedOver {
    static constexpr auto type = EventType::touch_handed_over;
    TouchId touch{};
    std::uint16_t attempt = 0;
    std::string task, employee;
    Instant ends_at{};                     // then it is called back
    template <class A> void fields(A&& a) { a(touch, attempt, task, employee, ends_at); }
};
struct TouchTaskChanged {
    static constexpr auto type = EventType::touch_task_changed;
    TouchId touch{};
    std::uint16_t attempt = 0;
    TaskStatus status = TaskStatus::waiting;
    std::int64_t provider_time = 0;        // sent: Unix ms, at which the slot counts from now on; 0 none
    std::string reason;                    // cancelling: why
    template <class A> void fields(A&& a) { a(touch, attempt, status, provider_time, reason); }
};

// What happens to the attempt's slot.
enum class SlotChange : std::uint8_t { keep = 0, release, fail, reserve };

// An attempt ended without acceptance and the touch goes on: a retry, another account or channel, or the end (touch.failed follows).
struct TouchAttemptEnded {
    static constexpr auto type = EventType::touch_attempt_ended;
    TouchId touch{};
    std::uint16_t attempt = 0;
    channel::OutcomeKind outcome = channel::OutcomeKind::not_sent;
    std::string code, detail;
    SlotChange slot = SlotChange::keep;
    std::uint8_t next = 0;           // 0 same candidate again, 1 next candidate, 2 none
    std::int64_t retry_at = 0;       // Unix ms, 0 now
    template <class A> void fields(A&& a) { a(touch, attempt, outcome, code, detail, slot, next, retry_at); }
};
struct TouchFailed {
    static constexpr auto type = EventType::touch_failed;
    TouchId touch{};
    std::uint16_t attempt = 0;       // 0: no attempt was made
    std::string reason;
    std::string provider_id, raw;
    SlotChange slot = SlotChange::keep;
    template <class A> void fields(A&& a) { a(touch, attempt, reason, provider_id, raw, slot); }
};
struct TouchUnknown {
    static constexpr auto type = EventType::touch_unknown;
    TouchId touch{};
    std::uint16_t attempt = 0;
    std::string code, detail;
    template <class A> void fields(A&& a) { a(touch, attempt, code, detail); }
};

// ---- inbound

struct MessageSecret {
    std::string text, from, to;
    template <class A> void fields(A&& a) { a(text, from, to); }
};
// Of a message that is not text: its `kind` says so.
struct PlatformMessageSecret {
    std::string text, from, to, body_json;
    template <class A> void fields(A&& a) { a(text, from, to, body_json); }
};
struct MessageReceived {
    static constexpr auto type = EventType::message_received;
    std::string account, channel, provider_id, kind;
    crypto::Hash128 dedupe{};            // of account and provider id or fingerprint; all zero: no deduplication
    std::uint32_t address = 0;
    Instant provider_time{};
    TouchId reply_to{};                  // nil: no touch to reply to
    std::string word;                    // "opt_out", "opt_in", "near_miss", "decline" … or empty
    Uuid interaction{};
    std::string sealed;                  // MessageSecret, or PlatformMessageSecret if `kind` is not "text"
    template <class A> void fields(A&& a) { a(account, channel, provider_id, kind, dedupe, address, provider_time, reply_to, word, interaction, sealed); }
};
// One record for what a provider told once: a receipt that came early is received without a touch, and matched later.
template <EventType Type> struct ReceiptOf {
    static constexpr auto type = Type;
    std::string account, channel, provider_id, raw, reason;
    channel::ReceiptStatus status = channel::ReceiptStatus::unknown;
    TouchId touch{};                     // nil: parked, no match yet
    std::uint16_t attempt = 0;
    std::vector<std::string> aliases;    // only of a parked one
    std::string attempt_id;
    crypto::Hash128 destination{};       // blind index, for matching by address
    std::int64_t provider_time = 0;      // Unix ms, 0 none
    bool duplicate = false;
    bool by_address = false;
    std::string kind;                    // channel::Receipt::kind; empty in records of earlier versions
    std::string body_json;               // channel::Receipt::body_json
    template <class A> void fields(A&& a) {
        a(account, channel, provider_id, raw, reason, status, touch, attempt, aliases, attempt_id, destination, provider_time, duplicate, by_address);
        a.later(kind, body_json);
    }
};
using ReceiptReceived = ReceiptOf<EventType::receipt_received>;
using ReceiptMatched = ReceiptOf<EventType::receipt_matched>;
// Anything else that is known: complaint, ticket_opened, follow …
struct EventReceived {
    static constexpr auto type = EventType::event_received;
    std::string account, channel, provider_id, kind, ref, source;
    crypto::Hash128 dedupe{};
    Instant provider_time{};
    std::vector<std::string> channels, purposes;
    std::int64_t until = 0;
    std::string sealed;                  // MessageSecret
    template <class A> void fields(A&& a) { a(account, channel, provider_id, kind, ref, source, dedupe, provider_time, channels, purposes, until, sealed); }
};

struct PlatformEventSecret {
    std::string unionid, reply_code, body_json;
    template <class A> void fields(A&& a) { a(unionid, reply_code, body_json); }
};
// What a messaging platform told that is neither a message nor a receipt: follows, scans, changed groups; also what this program does not understand.
template <EventType Type> struct PlatformEventOf {
    static constexpr auto type = Type;
    std::string account, channel, kind, name, provider_id, act, employee, source, ref, refused;
    crypto::Hash128 dedupe{};
    std::uint32_t address = 0;
    Instant provider_time{};
    channel::ProviderEvent::Reach reach = channel::ProviderEvent::Reach::unchanged;
    bool stale = false;                  // older than what is known: it changes nothing
    std::string sealed;                  // PlatformEventSecret
    template <class A> void fields(A&& a) { a(account, channel, kind, name, provider_id, act, employee, source, ref, refused, dedupe, address, provider_time, reach, stale, sealed); }
};
using PlatformEvent = PlatformEventOf<EventType::platform_event>;
using EventUnknown = PlatformEventOf<EventType::event_unknown>;
using ContactFollowed = PlatformEventOf<EventType::contact_followed>;
using ContactUnfollowed = PlatformEventOf<EventType::contact_unfollowed>;
using ContactSynced = PlatformEventOf<EventType::contact_synced>;  // what the gateway itself read of a customer or a group: no event of the provider

// A conversation begins with a customer's first message; those of the same contact on the same account and address belong to it until it is closed.
struct InteractionOpened {
    static constexpr auto type = EventType::interaction_opened;
    Uuid id{};
    std::string channel, account, queue, campaign;
    std::string state;                   // "queued", or "flowed_out" where no queue takes it
    std::string reason;
    TouchId touch{};                     // that the message answers; nil: none
    std::uint32_t address = 0;
    std::uint8_t priority = 50;
    template <class A> void fields(A&& a) { a(id, channel, account, queue, campaign, state, reason, touch, address, priority); }
};
// What the routing core decided, each a record of its own: see routing/events.hpp.
template <class Value, EventType Type> struct Routed : Value {
    static constexpr auto type = Type;
};
using AgentUpdated = Routed<routing::AgentDefined, EventType::agent_updated>;
using QueueUpdated = Routed<routing::QueueDefined, EventType::queue_updated>;
using AgentSession = Routed<routing::AgentSessionChanged, EventType::agent_session>;
using AgentIntent = Routed<routing::AgentIntentChanged, EventType::agent_intent>;
using AgentHealth = Routed<routing::AgentHealthChanged, EventType::agent_health>;
using InteractionQueued = Routed<routing::ItemQueued, EventType::interaction_queued>;
using OfferMade = Routed<routing::OfferMade, EventType::offer_made>;
using OfferEnded = Routed<routing::OfferEnded, EventType::offer_ended>;
using InteractionAssigned = Routed<routing::ItemAssigned, EventType::interaction_assigned>;
using InteractionPhase = Routed<routing::ItemPhaseChanged, EventType::interaction_phase>;
using InteractionRecovering = Routed<routing::ItemRecovering, EventType::interaction_recovering>;
using InteractionWrapping = Routed<routing::ItemWrapping, EventType::interaction_wrapping>;
using InteractionClosed = Routed<routing::ItemEnded, EventType::interaction_closed>;  // `sealed`: ConsentSecret, the note

// What is displayed of an agent has changed: what he does, as reports count his time.
struct AgentStateChanged {
    static constexpr auto type = EventType::agent_state;
    std::string agent, from, to, reason;
    template <class A> void fields(A&& a) { a(agent, from, to, reason); }
};
// An interaction waits again, is kept for an agent, or is his: what offers lead to, told by itself for readers who do not follow offers.
struct InteractionStateChanged {
    static constexpr auto type = EventType::interaction_state;
    Uuid interaction{};
    std::string state, agent, queue;       // "queued", "reserved", "assigned"
    Uuid offer{};                          // that led to it; nil: none
    template <class A> void fields(A&& a) { a(interaction, state, agent, queue, offer); }
};
// How it went, said before it is over: the wrap-up may still change it.
struct InteractionDisposed {
    static constexpr auto type = EventType::interaction_disposed;
    Uuid id{};
    std::string disposition, by;           // by: "api"
    template <class A> void fields(A&& a) { a(id, disposition, by); }
};
// What happens to calls, each a record of its own: see voice/facts.hpp. `sealed` of the first and the last: CallSecret.
template <class Value, EventType Type> struct Called : Value {
    static constexpr auto type = Type;
};
using CallBegan = Called<voice::CallStarted, EventType::call_started>;
using CallWasPermitted = Called<voice::CallPermitted, EventType::call_permitted>;
using CallStageChanged = Called<voice::StageChanged, EventType::call_stage>;
using CallLegAdded = Called<voice::LegAdded, EventType::call_leg_added>;
using CallRinging = Called<voice::LegRang, EventType::call_ringing>;
using CallAnswered = Called<voice::LegUp, EventType::call_answered>;
using CallLegEnded = Called<voice::LegGone, EventType::call_leg_ended>;
using CallLegReplaced = Called<voice::LegSwapped, EventType::call_leg_replaced>;
using CallBridged = Called<voice::Bridged, EventType::call_bridged>;
using CallHeld = Called<voice::HeldChanged, EventType::call_held>;
using CallConsult = Called<voice::ConsultChanged, EventType::call_consult>;
using CallRecording = Called<voice::RecordingChanged, EventType::call_recording>;
using CallSupervised = Called<voice::SupervisionChanged, EventType::call_supervised>;
using CallOver = Called<voice::CallEnded, EventType::call_ended>;
struct CallSecret {
    std::string from, to;                // E.164, an extension, or as it was handed over; empty: withheld
    template <class A> void fields(A&& a) { a(from, to); }
};
// Somebody listened to a recording, or took a copy of it.
struct RecordingAccessed {
    static constexpr auto type = EventType::recording_accessed;
    Uuid interaction{};
    std::string recording, by, reason;
    std::int64_t from = 0, size = 0;     // bytes that were handed out
    template <class A> void fields(A&& a) { a(interaction, recording, by, reason, from, size); }
};

// It is gone from where it was kept; what is known of it stays in the log.
struct RecordingDeleted {
    static constexpr auto type = EventType::recording_deleted;
    Uuid interaction{};
    std::string recording, reason;       // "retention", "erased"
    template <class A> void fields(A&& a) { a(interaction, recording, reason); }
};

// The line that a call takes of an account's trunks, and of one that we make the number that is shown.
struct CallLineTaken {
    static constexpr auto type = EventType::call_line;
    Uuid call{};
    std::string trunk, caller_id;
    template <class A> void fields(A&& a) { a(call, trunk, caller_id); }
};
// A number that our calls show is not answered any more, or hung up on: it is not used for a while.
struct CallerIdRested {
    static constexpr auto type = EventType::caller_id_rested;
    std::string account, number, why;
    double share = 0, bound = 0;           // what was seen, and what is allowed
    Instant until{};
    template <class A> void fields(A&& a) { a(account, number, why, share, bound, until); }
};
// A note that goes with a conversation when it is handed on.
struct InteractionNoted {
    static constexpr auto type = EventType::interaction_noted;
    Uuid id{};
    std::string by;                      // agent, "api"
    std::string sealed;                  // ConsentSecret
    template <class A> void fields(A&& a) { a(id, by, sealed); }
};
// A customer is to be called back, or written to, at an agreed time.
struct PromiseMade {
    static constexpr auto type = EventType::promise_made;
    Uuid id{};
    Instant at{};
    std::string channel, agent, queue;   // agent: whose it is; empty: the queue's
    Uuid interaction{};                  // from which it came; nil: none
    std::string sealed;                  // ConsentSecret: the note
    template <class A> void fields(A&& a) { a(id, at, channel, agent, queue, interaction, sealed); }
};
struct PromiseChanged {
    static constexpr auto type = EventType::promise_changed;
    Uuid id{};
    std::string state;                   // due, kept, late, broken, withdrawn
    std::string agent;                   // whose it is now
    template <class A> void fields(A&& a) { a(id, state, agent); }
};
// Something that an agent should look at: "reply_due", "idle" …
struct AgentNoticed {
    static constexpr auto type = EventType::agent_noticed;
    std::string agent, kind;
    Uuid interaction{};
    template <class A> void fields(A&& a) { a(agent, kind, interaction); }
};

// Up to here a list was pulled from the provider; what the page brought lies before it in the same batch.
struct PullAdvanced {
    static constexpr auto type = EventType::pull_advanced;
    std::string account, name, cursor;
    template <class A> void fields(A&& a) { a(account, name, cursor); }
};

// What an operator asked of an account: once before it goes out (phase "asked", only what changes something), once with what came of it. A result
// that names a customer is sealed under that contact's key.
struct OperationSecret {
    std::string result_json;
    template <class A> void fields(A&& a) { a(result_json); }
};
struct AccountOperation {
    static constexpr auto type = EventType::account_operation;
    std::string account, name, phase;      // "asked", "done", "refused", "failed" (nothing was done), "unknown"
    std::string code, detail, by;
    crypto::Hash128 key_hash{}, body_hash{};
    std::string sealed;                    // OperationSecret
    template <class A> void fields(A&& a) { a(account, name, phase, code, detail, by, key_hash, body_hash, sealed); }
};

// A platform gives no more of a quota until an instant that it names.
struct AccountQuotaExhausted {
    static constexpr auto type = EventType::account_quota_exhausted;
    std::string account, scope, code;      // scope: "account", or "api:…" of one call; code: the platform's own
    Instant until{};
    template <class A> void fields(A&& a) { a(account, scope, code, until); }
};

// ---- campaigns, holds, others

struct CampaignCreated {
    static constexpr auto type = EventType::campaign_created;
    std::string id, purpose, unit, definition;
    crypto::Hash128 body_hash{};
    double holdout = 0;
    std::string rate;
    template <class A> void fields(A&& a) { a(id, purpose, unit, definition, body_hash, holdout, rate); }
};
struct RecipientSecret {
    Variables variables;
    std::string item;
    template <class A> void fields(A&& a) { a(variables, item); }
};
struct LoggedRecipient {
    ContactIndex contact{};
    std::uint32_t address = 0;             // the line named this address; 0: the contact by its id
    std::uint32_t item = 0;                // hash of the item, 0 none
    std::uint8_t arm = 0;                  // campaign::Assignment; not given: campaign::unassigned
    std::string sealed;                    // RecipientSecret under the contact's key
    template <class A> void fields(A&& a) { a(contact, address, item, arm, sealed); }
};
// Recipients are numbered from 1 in the order in which they were added, over all batches.
struct CampaignAudienceAdded {
    static constexpr auto type = EventType::campaign_audience_added;
    std::string id;
    std::uint32_t first = 1;               // number of the first of them
    std::string sha256;                    // 32 bytes, over the batch as campaign::AudienceHash takes it
    std::vector<LoggedRecipient> lines;
    template <class A> void fields(A&& a) { a(id, first, sha256, lines); }
};
struct CampaignAudienceRemoved {
    static constexpr auto type = EventType::campaign_audience_removed;
    std::string id;
    std::vector<std::uint32_t> recipients;
    template <class A> void fields(A&& a) { a(id, recipients); }
};
// The audience is frozen (but for an open one), and so is what is sent.
struct CampaignStarted {
    static constexpr auto type = EventType::campaign_started;
    std::string id;
    std::uint64_t size = 0;
    std::string sha256;                    // 32 bytes, of the audience
    std::vector<crypto::Hash128> templates;  // the campaign's and each arm's; all zero: none
    template <class A> void fields(A&& a) { a(id, size, sha256, templates); }
};
struct CampaignPaused {
    static constexpr auto type = EventType::campaign_paused;
    std::string id;
    std::string reason = {};               // empty: by a caller
    template <class A> void fields(A&& a) { a(id, reason); }
};
struct CampaignFinished {
    static constexpr auto type = EventType::campaign_finished;
    std::string id;
    std::uint64_t expired = 0;             // recipients that the window's end left without a touch
    template <class A> void fields(A&& a) { a(id, expired); }
};
template <EventType Type> struct CampaignChanged {
    static constexpr auto type = Type;
    std::string id;
    template <class A> void fields(A&& a) { a(id); }
};
using CampaignResumed = CampaignChanged<EventType::campaign_resumed>;
using CampaignCancelled = CampaignChanged<EventType::campaign_cancelled>;

struct HoldSet {
    static constexpr auto type = EventType::hold_set;
    Uuid id{};
    std::vector<std::string> purposes, channels, units, accounts;
    std::string reason;
    std::int64_t until = 0;
    template <class A> void fields(A&& a) { a(id, purposes, channels, units, accounts, reason, until); }
};
struct HoldLifted {
    static constexpr auto type = EventType::hold_lifted;
    Uuid id{};
    template <class A> void fields(A&& a) { a(id); }
};
struct ConversionRecorded {
    static constexpr auto type = EventType::conversion_recorded;
    crypto::Hash128 key_hash{};
    std::string kind, currency;
    std::int64_t value_cents = 0;
    Instant at{};
    std::string sealed;  // the key, as ConsentSecret::evidence
    template <class A> void fields(A&& a) { a(key_hash, kind, currency, value_cents, at, sealed); }
};
struct AccountWentUp {
    static constexpr auto type = EventType::account_up;
    std::string account;
    template <class A> void fields(A&& a) { a(account); }
};
struct AccountWentDown {
    static constexpr auto type = EventType::account_down;
    std::string account, reason;
    bool credentials = false;
    template <class A> void fields(A&& a) { a(account, reason, credentials); }
};
// A calendar's newest document, from its file at start or by the API.
struct CalendarUpdated {
    static constexpr auto type = EventType::calendar_updated;
    std::string id;
    std::string document;
    bool from_file = false;
    template <class A> void fields(A&& a) { a(id, document, from_file); }
};
struct ClockAccepted {
    static constexpr auto type = EventType::clock_accepted;
    std::int64_t difference_ms = 0;
    template <class A> void fields(A&& a) { a(difference_ms); }
};

}  // namespace touchgate

#include "gateway/engine/lead_events.hpp"
