// What people did after a campaign reached out to them, by arm: conversions, opt-outs, complaints. By intention to treat: everyone who was
// assigned counts, whatever then became of the touch. Inside the projection only.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gateway/projection/report_parts.hpp"

namespace touchgate::projection {

inline constexpr Duration response_window_default = 14 * one_day;

struct CampaignFacts {
    std::string id;
    std::optional<Instant> started_at;
    Instant begins_at{};  // its start; of a campaign that was never started, when it was made
};
// Campaigns by number (id in `names`) that the filter and the reader's units let through.
[[nodiscard]] std::map<std::int64_t, CampaignFacts> campaigns_of(Database& database, const ProfileFilter& filter);

struct ArmResponses {
    std::int64_t assigned = 0;                             // contacts; 0 for touches without an assignment
    std::int64_t converted = 0, opt_outs = 0, complaints = 0;  // contacts that did so within the window
    Amounts value;                                         // of their conversions in it
};
// By campaign and arm, named. Arm "" are contacts that were touched in the campaign's name without being assigned; their window begins with the
// first touch that was sent.
using ResponsesByArm = std::map<std::pair<std::string, std::string>, ArmResponses>;
[[nodiscard]] ResponsesByArm responses_by_arm(Database& database, const ReportSource& source, const Parsed& parsed);

// Beginning and end (exclusive) of what is looked at: a span that starts at `from` and lasts `window`, cut to the report's own.
[[nodiscard]] std::pair<Instant, Instant> window_of(Instant from, Duration window, const ReportSpan& span);

}  // namespace touchgate::projection
