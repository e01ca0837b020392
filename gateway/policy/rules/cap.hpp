// A cap over attempts; the kinds cap, attempts and quota are made of it.
#pragma once

#include "gateway/policy/counting.hpp"
#include "gateway/policy/rule.hpp"

namespace touchgate::policy {

enum class Period : std::uint8_t { sliding, day, week, month };

struct CapSettings {
    Counting counting;
    std::int64_t max_milli = 0;
    Period period = Period::sliding;
    Duration per{};                     // sliding
    std::string zone_name = "contact";  // calendar periods
    std::vector<std::string> unknown_zones = {};
    std::vector<std::pair<Symbol, std::int64_t>> reserve = {};  // by purpose, thousandths
};

// Reads max, per, zone, unknown_zones, reserve, weight, by, release_on_failed_receipt. `counts` is the kind's own matter.
[[nodiscard]] CapSettings parse_cap(RuleReader& reader, std::uint8_t by_default, std::string zone_default);
// Reads `counts` with its keys `outcomes` and `consecutive`; the rule's `when` if there is none.
void parse_counts(RuleReader& reader, Counting& counting);
// Bits of the call outcomes that the array names.
[[nodiscard]] std::uint32_t parse_outcomes(JsonReader& json, std::string_view key);

[[nodiscard]] std::unique_ptr<Rule> make_cap_rule(CapSettings settings);

}  // namespace touchgate::policy
