// Instants, durations and their text forms on the wire (RFC 3339 with milliseconds and `Z`; ISO 8601 durations).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace touchgate {

using Duration = std::chrono::milliseconds;
// UTC, to the millisecond: the resolution of every instant that the gateway stores or compares.
using Instant = std::chrono::sys_time<Duration>;

inline constexpr Instant instant_never = Instant::max();  // "no such instant"; never written to the wire
inline constexpr Duration one_day = std::chrono::hours{24};

[[nodiscard]] constexpr Instant from_unix_ms(std::int64_t ms) { return Instant{Duration{ms}}; }
[[nodiscard]] constexpr std::int64_t unix_ms(Instant instant) { return instant.time_since_epoch().count(); }

// "2026-11-23T02:00:00.000Z".
[[nodiscard]] std::string format_instant(Instant instant);
void append_instant(std::string& out, Instant instant);

// Any RFC 3339 date-time (offset required, 0 to 9 decimals, cut to milliseconds); nothing when it is not one
// or lies outside the years 1970 to 9999.
[[nodiscard]] std::optional<Instant> parse_instant(std::string_view text);

// "P7D", "PT30M", "P1DT2H", "PT0.2S", "P2W". A day is 86,400 s. Years and months are refused (they have no fixed length). Negative
// values are refused. Nothing when the text is none of these or exceeds 100 years.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);

// The shortest exact form: "PT30M", "P7D", "PT0.2S", "PT0S".
[[nodiscard]] std::string format_duration(Duration duration);

}  // namespace touchgate
