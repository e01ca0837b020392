// Days as the platforms count them: in Beijing time.
#pragma once

#include "gateway/base/time.hpp"

namespace touchgate::sandbox {

[[nodiscard]] inline std::chrono::sys_days china_day(Instant at) { return std::chrono::floor<std::chrono::days>(at + std::chrono::hours{8}); }

// The first day of the calendar month.
[[nodiscard]] inline std::chrono::sys_days china_month(Instant at) {
    const std::chrono::year_month_day date{china_day(at)};
    return std::chrono::sys_days{date.year() / date.month() / 1};
}

}  // namespace touchgate::sandbox
