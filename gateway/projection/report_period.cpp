#include "gateway/projection/report_period.hpp"

#include <date/date.h>
#include <date/tz.h>

#include <cstdio>
#include <stdexcept>

#include "gateway/projection/touch_row.hpp"

namespace touchgate::projection {

namespace {

const date::time_zone* zone(const std::string& name) {
    try {
        return date::locate_zone(name);
    } catch (const std::exception&) {
        return nullptr;
    }
}

bool digits_to(std::string_view text, std::size_t at, std::size_t count, int& value) {
    value = 0;
    if (text.size() < at + count) return false;
    for (std::size_t i = at; i < at + count; ++i) {
        if (text[i] < '0' || text[i] > '9') return false;
        value = value * 10 + (text[i] - '0');
    }
    return true;
}

}  // namespace

bool is_time_zone(const std::string& name) { return zone(name) != nullptr; }

std::optional<Instant> parse_report_time(std::string_view text, const std::string& tz) {
    if (const auto instant = parse_instant(text)) return instant;
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    if (!digits_to(text, 0, 4, year) || !digits_to(text, 5, 2, month) || !digits_to(text, 8, 2, day) || text[4] != '-' || text[7] != '-') return std::nullopt;
    const date::year_month_day date{date::year{year}, date::month{static_cast<unsigned>(month)}, date::day{static_cast<unsigned>(day)}};
    if (!date.ok() || year < 1970) return std::nullopt;
    if (text.size() > 10) {
        if ((text[10] != 'T' && text[10] != ' ') || text.size() < 16 || text[13] != ':' || !digits_to(text, 11, 2, hour) || !digits_to(text, 14, 2, minute))
            return std::nullopt;
        if (text.size() > 16 && (text.size() != 19 || text[16] != ':' || !digits_to(text, 17, 2, second))) return std::nullopt;
        if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
    }
    const auto* found = zone(tz);
    if (found == nullptr) return std::nullopt;
    const auto local = date::local_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second};
    const auto utc = found->to_sys(local, date::choose::earliest);
    return Instant{std::chrono::duration_cast<Duration>(utc.time_since_epoch())};
}

std::optional<Period> parse_period(std::string_view word) {
    if (word == "hour") return Period::hour;
    if (word == "day") return Period::day;
    if (word == "week") return Period::week;
    if (word == "month") return Period::month;
    return std::nullopt;
}

const std::string& PeriodLabels::of_bucket(std::int64_t bucket) {
    auto [entry, made] = labels_.try_emplace(bucket);
    if (!made) return entry->second;
    const auto* found = zone(tz_);
    const date::sys_time<Duration> utc{Duration{bucket * bucket_ms}};
    const auto local = found == nullptr ? date::local_time<Duration>{utc.time_since_epoch()} : found->to_local(utc);
    auto day = date::floor<date::days>(local);
    if (period_ == Period::week) day -= date::weekday{day} - date::Monday;
    const date::year_month_day ymd{day};
    char text[40];
    const int year = static_cast<int>(ymd.year());
    const auto month = static_cast<unsigned>(ymd.month());
    const auto number = static_cast<unsigned>(ymd.day());
    if (period_ == Period::month) std::snprintf(text, sizeof text, "%04d-%02u", year, month);
    else if (period_ == Period::hour) std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:00", year, month, number, static_cast<int>((local - day) / std::chrono::hours{1}));
    else std::snprintf(text, sizeof text, "%04d-%02u-%02u", year, month, number);
    entry->second = text;
    return entry->second;
}

}  // namespace touchgate::projection
