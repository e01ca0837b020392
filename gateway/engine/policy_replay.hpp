// The touch log run against another policy: what would it have decided, touch by touch? And why was one touch decided as it was?
//
//   log ── the engine's own fold ──► state at the instant of a decision ── the engine's own judging ──► what the policy says there
//
// Read-only: nothing is written, no turn is run; safe beside a running gateway. Nothing here knows a rule or gathers a decision's input:
// `judge` of deciding.cpp does, under the policy that is asked about. Deterministic: the same log and policy give the same answers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/settings.hpp"
#include "gateway/engine/views.hpp"
#include "gateway/touch_log/key_store.hpp"
#include "gateway/touch_log/log.hpp"

namespace touchgate {

// What is read. `head` must have been asked for before `keys` were opened, so that the key of every contact up to it is known.
struct ReplaySource {
    Disk& disk;
    LogReader& reader;
    KeyStore& keys;
    LogHead head;
};

enum class ReplayHistory : std::uint8_t {
    // What the policy would have sent: an allow counts at the decision's instant, a defer at its `until`, if that lies before expires_at and
    // in the range. What was sent of touches made before the range counts as logged.
    simulated,
    logged,  // the attempts as they were logged
};

struct ReplayRequest {
    std::string policy_document;  // JSON with comments
    std::optional<Instant> from;  // touches whose first decision was made in [from, to)
    std::optional<Instant> to;
    ReplayHistory history = ReplayHistory::simulated;
};

// One touch. Texts are views that end with the call.
struct ReplayedTouch {
    TouchId touch{};
    std::string_view contact_id;
    Instant at{};                  // of its first decision
    policy::Verdict was = policy::Verdict::allow;
    std::string_view was_rule;     // "" none
    policy::Verdict would = policy::Verdict::allow;
    std::string_view would_rule;   // "" none
    Instant until = instant_never; // of what would be; instant_never: none
    bool erased = false;           // the contact was erased since: no policy can decide it again, `would` repeats `was`
};

struct VerdictCounts {
    std::uint64_t allow = 0, defer = 0, deny = 0;
    void add(policy::Verdict verdict) { ++(verdict == policy::Verdict::allow ? allow : verdict == policy::Verdict::defer ? defer : deny); }
    [[nodiscard]] std::uint64_t of(policy::Verdict verdict) const {
        return verdict == policy::Verdict::allow ? allow : verdict == policy::Verdict::defer ? defer : deny;
    }
};

struct ReplayReport {
    struct Rule { std::string rule; std::uint64_t defer = 0, deny = 0, was_defer = 0, was_deny = 0; };
    struct Campaign { std::string campaign; std::uint64_t touches = 0, changed = 0; VerdictCounts was, would; };  // "" none
    std::string policy;                      // name in the document
    std::uint64_t touches = 0;
    std::uint64_t changed = 0;               // another verdict than the logged one
    std::uint64_t erased = 0;                // could not be decided again
    VerdictCounts was, would;
    VerdictCounts from_allow, from_defer, from_deny;  // what became of each verdict
    std::vector<Rule> by_rule;               // that deferred or denied, the most touches first
    std::vector<Campaign> by_campaign;       // the most touches first
    std::optional<Instant> first, last;      // decisions of the touches counted
    std::uint64_t sequence = 0;              // the log was read up to here
};

// Errors: invalid_input, the policy has problems (all of them are told); corrupt, the log or the key store cannot be read.
// `each` is called for every touch, `progress` now and then with the sequence reached; both may be empty.
[[nodiscard]] Result<ReplayReport> replay_policy(const ReplaySource& source, EngineSettings settings, const ReplayRequest& request,
                                                 const std::function<void(const ReplayedTouch&)>& each = {},
                                                 const std::function<void(std::uint64_t sequence)>& progress = {});

// The decision that the record at `sequence` (touch.created, touch.decided or touch.dispatching) holds, as POST /v1/decisions answers it:
// verdict, rule and until as logged, the trace with the touches that each counter counted. Kind not_found: no such record.
[[nodiscard]] Result<Json> explain_logged_decision(const ReplaySource& source, EngineSettings settings, std::uint64_t sequence);

}  // namespace touchgate
