// How a campaign dials: the object `dialing` of its document, and when a call that did not succeed is tried again. Pure; immutable once read.
//
// {"mode": "predictive", "account": "pbx-main", "queue": "sales", "ring_timeout": "PT20S", "max_lines": 50, "max_drop_percent": 3.0, …}; all
// members and what they mean: docs/dialing.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/json/json.hpp"
#include "gateway/measure/service.hpp"
#include "gateway/policy/call_outcomes.hpp"

namespace touchgate::dialing {

enum class Mode : std::uint8_t {
    preview = 1,  // an agent sees the contact first and lets it be dialed
    progressive,  // one line for each free agent, who is reserved from the dial on
    power,        // a fixed number of lines for each free agent
    predictive,   // as many lines as the bound on dropped calls allows
};
[[nodiscard]] std::string_view to_string(Mode mode);

// A number of policy/call_outcomes.hpp.
using Outcome = std::uint8_t;

struct RetryRule {
    Outcome outcome = 0;
    Duration after{0};     // from the end of the attempt to the earliest next one
    std::uint32_t max = 1;  // retries that this outcome may cause
};

struct Plan {
    Mode mode = Mode::progressive;
    std::string account, queue;
    Duration ring_timeout{20'000};
    double lines_per_agent = 1;            // power: may be a fraction, such as 1.5
    std::uint32_t max_lines = 50;          // at one time, over the whole campaign
    double max_drop_percent = 3;           // 0: zero-drop mode, never more lines than free agents
    Duration drop_window{std::chrono::hours{24 * 30}};
    measure::DropRate drop_rate = measure::DropRate::tsr;  // what is divided by what
    double machine_share = 0;              // of dropped calls, by estimate; for the rate "ofcom"
    bool detect_machines = false;          // member "amd"
    std::string caller_id;                 // empty: the trunk's pool
    std::vector<RetryRule> retry;
    std::uint32_t max_attempts = 1;
    Duration no_agent_within{2'000};       // after an answer without an agent for this long the call is dropped
};

// Outcomes that a retry rule may name. What was answered, never existed or may have been answered is not tried again.
inline constexpr std::array<std::string_view, 11> retryable_words = {"busy", "no_answer", "rejected", "unreachable", "congestion", "failed",
                                                                     "machine", "dropped", "powered_off", "suspended", "blocked_by_carrier"};
[[nodiscard]] bool is_retryable(Outcome outcome);

// Reads the object; what is wrong goes to the reader's problems, each with its pointer.
[[nodiscard]] Plan read_plan(JsonReader& dialing);

struct NextAttempt {
    std::optional<Instant> at;   // none: there will be no other
    std::string_view why = {};   // of none: "outcome_is_final", "no_rule", "rule_used_up", "attempts_used_up"
};
// After an attempt ended at `ended`; `outcomes` are those of all attempts, oldest first, this one last.
[[nodiscard]] NextAttempt next_attempt(const Plan& plan, std::span<const Outcome> outcomes, Instant ended);

}  // namespace touchgate::dialing
