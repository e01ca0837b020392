#include "gateway/engine/working_hours.hpp"

#include <algorithm>
#include <array>

#include "gateway/leads/working_time.hpp"
#include "gateway/policy/zones.hpp"

namespace touchgate {

namespace {

constexpr std::array<std::string_view, 8> day_names = {"", "mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::uint8_t all_days = 0xFE;

// Bit 1 Monday … bit 7 Sunday. Nothing: no days.
std::optional<std::uint8_t> parse_day_range(std::string_view text) {
    const auto day = [](std::string_view name) -> std::size_t {
        for (std::size_t i = 1; i < day_names.size(); ++i)
            if (day_names[i] == name) return i;
        return 0;
    };
    const auto dash = text.find('-');
    const auto from = day(text.substr(0, dash));
    const auto to = dash == std::string_view::npos ? from : day(text.substr(dash + 1));
    if (from == 0 || to == 0) return std::nullopt;
    std::uint8_t bits = 0;
    for (auto i = from;; i = i % 7 + 1) {
        bits = static_cast<std::uint8_t>(bits | 1U << i);
        if (i == to) return bits;
    }
}

std::optional<std::uint8_t> parse_days(const Json& days) {
    if (days.is_string()) return parse_day_range(days.get_ref<const std::string&>());
    if (!days.is_array()) return std::nullopt;
    std::uint8_t bits = 0;
    for (const auto& each : days) {
        const auto more = each.is_string() ? parse_day_range(each.get_ref<const std::string&>()) : std::nullopt;
        if (!more) return std::nullopt;
        bits = static_cast<std::uint8_t>(bits | *more);
    }
    return bits;
}

// "09:00" … "24:00", in minutes.
std::optional<int> parse_minute(const Json& json) {
    if (!json.is_string()) return std::nullopt;
    const auto& text = json.get_ref<const std::string&>();
    const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
    if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) return std::nullopt;
    const int minute = ((text[0] - '0') * 10 + (text[1] - '0')) * 60 + (text[3] - '0') * 10 + (text[4] - '0');
    return minute <= 24 * 60 && text[3] < '6' ? std::optional{minute} : std::nullopt;
}

struct Span { std::uint8_t days = all_days; int from = 0, to = 24 * 60; std::string zone, calendar; };

std::optional<Span> parse_span(const Json& json) {
    if (!json.is_object()) return std::nullopt;
    Span span;
    if (json.contains("days")) {
        const auto days = parse_days(json["days"]);
        if (!days) return std::nullopt;
        span.days = *days;
    } else if (json.contains("calendar")) {
        span.days = 0x3E;  // a calendar without days means working days
    }
    for (const auto& [name, minute] : {std::pair{"from", &span.from}, std::pair{"to", &span.to}})
        if (json.contains(name)) {
            const auto read = parse_minute(json[name]);
            if (!read) return std::nullopt;
            *minute = *read;
        }
    if (json.contains("time_zone") && json["time_zone"].is_string()) span.zone = json["time_zone"].get<std::string>();
    if (json.contains("calendar") && json["calendar"].is_string()) span.calendar = json["calendar"].get<std::string>();
    return span;
}

bool is_full_form(const Json& json) { return json.is_object() && json.contains("open"); }

leads::WorkingTime full_form(const Json& json, const std::string& pointer, const std::string& time_zone, const policy::Calendars& calendars, std::vector<Problem>& problems) {
    JsonReader reader{json, pointer, problems};
    leads::WorkingTime hours{reader, calendars, time_zone};
    reader.finish();
    return hours;
}

}  // namespace

routing::RouterSettings::Open hours_at(const Json& hours, Instant at, const std::string& time_zone, const policy::Calendars& calendars) {
    if (hours.is_null()) return {};
    const auto one = hours.is_array() ? hours : Json::array({hours});
    const bool short_form = std::any_of(one.begin(), one.end(), [](const Json& each) { return !is_full_form(each); });
    routing::RouterSettings::Open result{.open = false, .until = short_form ? std::optional{at + std::chrono::hours{24}} : std::nullopt};
    for (const auto& each : one) {
        if (is_full_form(each)) {
            std::vector<Problem> ignored;  // checked when it was put; a calendar that has gone since leaves the weekdays
            const auto working = full_form(each, {}, time_zone, calendars, ignored);
            if (working.is_open(at)) result.open = true;
            if (const auto change = working.next_change(at); change != instant_never && (!result.until || change < *result.until)) result.until = change;
            continue;
        }
        const auto span = parse_span(each);
        const auto* zone = span ? policy::Zone::find(span->zone.empty() ? time_zone : span->zone) : nullptr;
        if (zone == nullptr) continue;
        const auto& range = zone->range_at(at);
        const auto local = range.local(at);
        const auto today = std::chrono::floor<std::chrono::days>(local);
        const auto minute = std::chrono::duration_cast<std::chrono::minutes>(local - today).count();
        const auto is_open_on = [&](policy::LocalDay day) {
            if (!span->calendar.empty())
                if (const auto calendar = calendars.find(span->calendar); calendar != calendars.end()) {
                    const auto kind = calendar->second->kind(day);
                    if (kind == policy::DayKind::holiday) return false;
                    if (kind == policy::DayKind::workday) return true;
                }
            return (span->days >> std::chrono::weekday{std::chrono::sys_days{day.time_since_epoch()}}.iso_encoding() & 1U) != 0;
        };
        // Hours over midnight belong to the day on which they begin.
        const bool over_midnight = span->to <= span->from;
        if (over_midnight) {
            if ((is_open_on(today) && minute >= span->from) || (is_open_on(today - std::chrono::days{1}) && minute < span->to)) result.open = true;
        } else if (is_open_on(today) && minute >= span->from && minute < span->to) {
            result.open = true;
        }
        for (const auto boundary : {span->from, span->to, 24 * 60}) {
            const auto instant = range.instant(policy::LocalTime{today} + std::chrono::minutes{boundary});
            if (instant > at && (!result.until || instant < *result.until)) result.until = instant;
        }
    }
    return result;
}

void check_hours(const Json& hours, const std::string& pointer, const policy::Calendars& calendars, std::vector<Problem>& problems) {
    if (hours.is_null()) return;
    const auto one = hours.is_array() ? hours : Json::array({hours});
    for (std::size_t i = 0; i < one.size(); ++i) {
        const auto at = hours.is_array() ? pointer + "/" + std::to_string(i) : pointer;
        if (is_full_form(one[i])) (void)full_form(one[i], at, "UTC", calendars, problems);
        else if (!parse_span(one[i]))
            problems.push_back({at, R"(must say when: {"zone"?, "calendar"?, "open": [{"days": ["mon", …], "from": "09:00", "to": "18:00"}]}, or in short )"
                                    R"({"days": "mon-fri", "from": "09:00", "to": "18:00", "time_zone"?, "calendar"?})"});
    }
}

}  // namespace touchgate
