// The trunks of a telephone account and the numbers that they show, as configured. Pure; immutable once read.
//
// "trunks": [{"name", "endpoint", "max_calls", "inbound_reserve", "cps", "caller_ids": [{"number", "region", "per_hour", "per_day", "max_calls",
// "state"}], "rest": {…}}]; docs/dialing.md, section "Trunks and caller ids".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/json/json.hpp"

namespace touchgate::dialing {

enum class CallerIdState : std::uint8_t {
    active = 1,
    rested,  // by the configuration, until it says otherwise
    off,     // not used any more; kept so that its history is
};

struct CallerIdTerms {
    std::string number;                        // E.164
    std::string region;                        // a name of the operator's, compared with the callee's; empty: none
    std::optional<std::uint32_t> per_hour, per_day;  // dials in any hour, in any 24 hours
    std::optional<std::uint32_t> max_calls;    // at one time
    CallerIdState state = CallerIdState::active;
};

// When a number is given a rest. Looked at over its last `calls` dials, once there are that many.
struct RestTerms {
    double answer_rate_below = 0.05;   // fewer are answered
    double short_calls_above = 0.5;    // a larger share of the answered ones ends within `short_call`
    std::uint32_t calls = 50;
    Duration short_call{5'000};
    Duration rest{std::chrono::hours{24}};
};

struct TrunkTerms {
    std::string name;
    std::string endpoint;                      // template with {number} or {national}; empty: the account's
    std::uint32_t max_calls = 0;               // at one time, both ways; 0: no limit
    std::uint32_t inbound_reserve = 0;         // of these, kept for calls that come in
    double calls_per_second = 0;               // new dials; 0: no limit
    std::vector<CallerIdTerms> caller_ids;     // empty: the account's
    RestTerms rest;
};

// The member `trunks` of an account; what is wrong goes to the reader's problems.
[[nodiscard]] std::vector<TrunkTerms> read_trunks(JsonReader& account);

}  // namespace touchgate::dialing
