// Calendars: which dates are holidays and which weekend days are worked instead (调休). Files of their own, calendars/*.json:
//
//   {"covers": ["2026-01-01", "2026-12-31"],
//    "holidays": [{"date": "2026-10-01", "name": "国庆节"}, …],   // an entry may also be the bare date
//    "workdays": ["2026-10-10", …]}                                // make-up workdays
//
// Used by policies, queues and deadlines alike. Immutable once parsed; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.hpp"
#include "gateway/base/time.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::policy {

enum class DayKind : std::uint8_t { plain, holiday, workday };

struct Calendar {
    std::string name;
    std::chrono::local_days first{};  // both included
    std::chrono::local_days last{};
    std::vector<DayKind> days;  // one for each day from first to last
    bool has_workdays = false;

    [[nodiscard]] bool covers(std::chrono::local_days day) const { return first <= day && day <= last; }
    // Whole days from the UTC date of `now` to the last date covered; negative once it has passed.
    [[nodiscard]] std::int64_t days_left(Instant now) const {
        return (last - std::chrono::local_days{std::chrono::floor<std::chrono::days>(now).time_since_epoch()}).count();
    }
    // `plain` outside of what the calendar covers.
    [[nodiscard]] DayKind kind(std::chrono::local_days day) const {
        return covers(day) ? days[static_cast<std::size_t>((day - first).count())] : DayKind::plain;
    }
};

// A calendar that ends within so many days is warned of: next year's holidays are published in autumn.
inline constexpr std::int64_t calendar_warning_days = 60;

// "2026-10-01"; nothing when it is not a date of the years 1970 to 9999.
[[nodiscard]] std::optional<std::chrono::local_days> parse_date(std::string_view text);

// "2026-10-01"
[[nodiscard]] std::string format_date(std::chrono::local_days day);

// All problems at once. A date twice, or outside `covers`, is one.
[[nodiscard]] Result<std::shared_ptr<const Calendar>> parse_calendar(const Json& document, std::string name);

}  // namespace touchgate::policy
