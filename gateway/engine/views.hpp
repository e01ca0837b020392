// What the engine answers: copies of its state, safe to use on any thread. HTTP renders them; nothing here refers back into the engine
// but the policy version, which is immutable and shared.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/channel/outcome.hpp"
#include "gateway/engine/requests.hpp"
#include "gateway/policy/decide.hpp"
#include "gateway/touch_log/log.hpp"

namespace touchgate {

// A touch's state. Numbers are written to the log.
enum class TouchState : std::uint8_t {
    queued = 1, deferred, blocked, dispatching, accepted, delivered, read, replied, completed, failed, unknown, cancelled, expired,
};
inline constexpr std::size_t touch_state_count = 14;  // with an unused 0
[[nodiscard]] std::string_view to_string(TouchState state);
[[nodiscard]] std::optional<TouchState> parse_touch_state(std::string_view word);

// A version of a policy, as it was activated. Immutable once made, but for the match cache inside.
struct PolicyVersion {
    std::string name;
    std::uint32_t version = 0;
    Instant activated_at{};
    std::string document;                 // as given
    std::shared_ptr<const policy::CompiledPolicy> compiled;
    [[nodiscard]] std::string label() const { return name + "@" + std::to_string(version); }
};

struct DecisionView {
    policy::Decision decision;
    std::shared_ptr<const PolicyVersion> policy;
    // A decision that no rule of the policy made: "hold:<id>", "no-address" …; overrides decision.rule when not empty.
    std::string rule_override;
    // Touches counted in the trace, by sequence (explained decisions only).
    std::vector<std::pair<std::uint64_t, TouchId>> touches;
    bool explained = false;  // `touches` are given, if there are any
    [[nodiscard]] std::string rule() const;   // "" when none
};

struct ReceiptView {
    std::string status, raw;
    std::optional<Instant> at;
    Instant received_at{};
    bool duplicate = false;
};

struct AttemptView {
    std::uint16_t number = 0;
    std::string channel, account;
    std::string outcome;                     // "" while open
    std::string state;                       // as the touch's words: dispatching, accepted, delivered, failed, unknown, lapsed, revoked
    std::optional<Instant> permitted_at, handed_over_at, answered_at;
    std::vector<std::string> provider_ids;
    int parts = 1;
    std::string error_code, error_detail;
    std::vector<ReceiptView> receipts;
    std::string task;
    int segments = 0;
    std::int64_t cost_micro = 0;             // in millionths of the account's currency
    std::string currency;
    std::string route_reason;
};

struct TouchView {
    TouchId id{};
    std::string key, contact_id, purpose, campaign, arm, channel, account, template_name, unit, reason, callback, key_name;
    TouchState state = TouchState::queued;
    DecisionView decision;
    bool duplicate = false;
    bool final = false;
    int priority = 50;
    Instant created_at{}, updated_at{}, expires_at{};
    std::optional<Instant> not_before;
    Metadata metadata;
    int segments = 0;
    std::vector<AttemptView> attempts;        // filled by find_touch only
    LogPosition created_position{};           // where its events begin …
    LogPosition newest_of_contact{};          // … and where to start reading backwards
    std::uint64_t created_sequence = 0;
};

// The little that a line of a bulk answer needs.
struct TouchLine {
    TouchId id{};
    TouchState state = TouchState::queued;
    bool duplicate = false;
    std::string rule;
};

struct ContactDetails {
    std::string id;
    std::vector<Address> addresses;
    std::string name, locale, time_zone, owner, unit;
    std::vector<std::string> unionids, tags;
    std::vector<std::string> merged_with;     // ids of the contacts that are the same person
    AttributeMap attributes;
    bool restricted = false, legal_hold = false;
    std::uint64_t version = 0;                // for ETag: sequence of the last change
    bool created = false;
    LogPosition newest{};                     // timeline start
    ContactIndex index{};
};

struct SuppressionDetails {
    std::string list;
    std::optional<Address> address;           // absent for hashed entries
    std::string hash_algorithm, phone_hash_hex, reason, source, evidence, by;
    std::optional<Instant> at, expires_at;
    std::vector<std::string> channels, purposes;
    std::string cursor;                       // `after` of the next page
};

using StateCounts = std::array<std::uint64_t, touch_state_count>;

struct CampaignDetails {
    std::string id, state, unit, definition_json;
    std::string reason;                       // why it is paused, if the gateway did it: "error_rate", "complaint_rate", "budget"
    Instant created_at{};
    std::optional<Instant> started_at, ended_at;
    std::uint64_t audience_size = 0, audience_batches = 0;
    std::string audience_sha256;              // hex, once it is frozen
    bool starting = false;                    // the audience is being frozen
    std::uint64_t pending = 0, held_out = 0;  // recipients without a touch; ghosts
    StateCounts counts{};                     // of the recipients' touches by state
    StateCounts direct{};                     // of touches that only name the campaign
    std::map<std::string, std::uint64_t> by_rule, by_arm;
    std::map<std::string, StateCounts> counts_by_arm;
    std::int64_t cost_micro = 0;
    std::uint64_t permits = 0, complaints = 0;
    bool created = false;
};

// What became of the lines of one part of an upload. Lines from `taken` on were not looked at: there was no room for them.
struct AudienceResult {
    std::uint64_t added = 0, duplicates = 0;
    std::size_t taken = 0;
    std::vector<std::pair<std::size_t, Error>> errors;  // by place in the part
};

// What a campaign would do if it went on from now: nothing is written and nothing reserved.
struct CampaignPreview {
    struct Verdicts { std::uint64_t defer = 0, deny = 0; };
    struct ByChannel {
        std::uint64_t allow = 0, defer = 0, segments = 0;
        std::map<std::string, std::int64_t> cost_micro;  // by currency
    };
    std::string id;
    Instant at{};
    std::uint64_t recipients = 0, released = 0, held_out = 0, allow = 0, defer = 0, deny = 0, missing_variable = 0;
    std::map<std::string, Verdicts> by_rule;
    std::map<std::string, std::uint64_t> by_arm;
    std::map<std::string, ByChannel> by_channel;
    std::map<Instant, std::uint64_t> deferred_until;     // by the beginning of the hour
    std::uint64_t deferred_open = 0;                     // until something happens
    std::uint64_t segments = 0;
    std::map<std::string, std::int64_t> cost_micro;
    // By rule whose counter contacts share (an account's quota, a campaign's budget …): how many have to wait for it or get nothing, because of
    // what was sent before or because others of this audience come first, and when the first and the last of those who wait come free.
    struct Foreseen { std::uint64_t deferred = 0, denied = 0; std::optional<Instant> first, last; };
    std::map<std::string, Foreseen> foreseen;
    std::optional<Instant> earliest_finish;
    double per_second = 0;                               // what rate the forecast took, 0 none
    std::map<std::string, std::uint64_t> overlaps;       // contacts shared with other running campaigns
    std::uint64_t group_members = 0;                     // known members of the groups that are posted to …
    std::uint64_t group_overlaps = 0;                    // … and those of them who are in more than one
};

struct PullDetails {
    std::string name, last_error;
    bool running = false;
    std::uint64_t pages = 0, items = 0;
    std::optional<double> share;              // 0 to 1
    std::optional<Instant> started_at, page_at, completed_at;
};

// What one employee was asked to send.
struct EmployeeDetails {
    std::string id, delegate;
    bool absent = false, resigned = false;
    std::uint64_t tasks_waiting = 0, touches_waiting = 0;
    std::uint64_t sent = 0, failed = 0, expired = 0, cancelled = 0;  // touches
    std::optional<Instant> oldest_at, last_sent_at;   // of the tasks that wait; of what was sent
};

struct OperationResult { std::string result_json; bool duplicate = false; Instant at{}; };

struct AccountDetails {
    std::string name, adapter, channel, health, breaker, last_error;
    std::uint64_t backlog = 0, in_flight = 0;
    std::optional<double> rate;
    std::map<std::string, std::uint64_t> hook_refused;
    std::uint64_t hook_accepted = 0;
    std::uint64_t events_unknown = 0;         // authentic, and not understood
    std::uint64_t tasks_open = 0;             // that employees have still to send
    std::map<std::string, Instant> quota_until;  // by scope: nothing more is tried before
    std::vector<PullDetails> pulls;
};

struct HoldDetails {
    std::string id;
    HoldInput hold;
    Instant set_at{};
};

struct CancelCounts { std::uint64_t cancelled = 0, too_late = 0, already_final = 0; };

struct InboundResult {
    std::string id;
    std::string interaction;
    std::string contact_id;
    bool duplicate = false;
};

struct InteractionMessage {
    bool inbound = true;
    Instant at{};
    std::string kind, text, body_json, provider_id;
    TouchId touch{};                          // outbound: the touch; inbound: the one that it answers
    std::string state;                        // outbound, while the touch is in memory
};
// A part of a recording, as it was recorded.
struct RecordingPart {
    std::string recording, content_type;
    std::uint64_t total = 0, from = 0;
    std::string bytes;
};
// Of an interaction that is a call.
struct CallView {
    std::string from, to, did, cause, state, recording;  // numbers in full, for whoever may see them; recording: the name of the newest that is stored
    std::int64_t ring_ms = 0, talk_ms = 0, hold_ms = 0;  // so far
};
struct InteractionDetails {
    Uuid id{};
    std::string channel, account, contact_id, state, reason, queue, campaign, outcome, disposition, agent;
    TouchId touch{};
    int priority = 50;
    bool outbound = false;
    Instant queued_at{};
    std::optional<Instant> assigned_at = {}, ended_at = {}, closed_at = {};
    std::int64_t wait_ms = 0, wrap_ms = 0;     // so far
    std::string handler = "agent";             // bot, none: until it is handed over
    std::optional<CallView> call = {};
    std::vector<InteractionMessage> messages;  // of find_interaction only
};

struct ConsentResult { std::string id; bool kept_withdrawn = false; };

struct CalendarView { std::string id, document; std::shared_ptr<const policy::Calendar> calendar; Instant updated_at{}; };

struct PolicyActivation { std::shared_ptr<const PolicyVersion> version; bool active = true; bool changed = true; };

}  // namespace touchgate
