// A cap over attempts; the kinds cap, attempts, quota, budget and the ceilings of fatigue are made of it.
#pragma once

#include "gateway/policy/counting.hpp"
#include "gateway/policy/rule.hpp"

namespace touchgate::policy {

enum class Period : std::uint8_t { sliding, day, week, month, ever };

// A calendar period as wall-clock times of a zone.
struct LocalPeriod {
    LocalTime begin;
    LocalTime end;
    [[nodiscard]] bool holds(LocalTime at) const { return begin <= at && at < end; }
};
// The day, the week from Monday or the month in which `at` lies. Only for these periods.
[[nodiscard]] LocalPeriod period_of(Period period, LocalTime at);
// Where the period or the zone's offset changes next. (With a clock set back over midnight a date comes twice, so offsets matter.)
[[nodiscard]] Instant next_stretch(Period period, const Zone& zone, Instant at);

struct CapSettings {
    Counting counting;
    std::int64_t max = 0;               // in the unit of the counting's measure: thousandths, or millionths of the currency
    Period period = Period::sliding;
    Duration per{};                     // sliding
    std::string zone_name = "contact";  // calendar periods
    std::vector<std::string> unknown_zones = {};
    std::vector<std::pair<Symbol, std::int64_t>> reserve = {};  // by purpose, thousandths
};

// Reads max, per, zone, unknown_zones, reserve, weight, by, release_on_failed_receipt. `counts` is the kind's own matter.
[[nodiscard]] CapSettings parse_cap(RuleReader& reader, std::uint16_t by_default, std::string zone_default);
// Reads `per` of the reader's object: "day", "week", "month" or a duration.
void parse_period(JsonReader& json, CapSettings& cap);
// Reads `counts` with its keys `outcomes` and `consecutive`; the rule's `when` if there is none.
void parse_counts(RuleReader& reader, Counting& counting);
// Bits of the call outcomes that the array names.
[[nodiscard]] std::uint32_t parse_outcomes(JsonReader& json, std::string_view key);

[[nodiscard]] std::unique_ptr<Rule> make_cap_rule(CapSettings settings);
// {"by": ["member"], "max_share_over": 0.1}: see member_cap.cpp.
[[nodiscard]] std::unique_ptr<Rule> make_member_cap(CapSettings settings, double max_share_over);

}  // namespace touchgate::policy
