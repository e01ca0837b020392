// Periods of reports in a time zone: what a date without offset means there, and the label of the hour, day, week or month of an instant.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gateway/base/time.hpp"

namespace touchgate::projection {

[[nodiscard]] bool is_time_zone(const std::string& name);

// An RFC 3339 instant, or a date or date-time without offset, which is local. A local time that a clock change skips is the first
// instant after the gap; one that occurs twice is the earlier.
[[nodiscard]] std::optional<Instant> parse_report_time(std::string_view text, const std::string& tz);

enum class Period : std::uint8_t { hour, day, week, month };
[[nodiscard]] std::optional<Period> parse_period(std::string_view word);

// "2026-11-23T10:00" (hour), "2026-11-23" (day; week: its Monday), "2026-11" (month).
class PeriodLabels {
public:
    PeriodLabels(Period period, std::string tz) : period_{period}, tz_{std::move(tz)} {}
    // Of a quarter of an hour since 1970. Remembers what it was asked.
    [[nodiscard]] const std::string& of_bucket(std::int64_t bucket);

private:
    Period period_;
    std::string tz_;
    std::unordered_map<std::int64_t, std::string> labels_;
};

}  // namespace touchgate::projection
