#include "gateway/base/time.hpp"

#include <cstdio>

namespace touchgate {

namespace {

using std::chrono::days;

struct Digits {
    std::string_view text;
    std::size_t at = 0;
    bool ok = true;

    int number(std::size_t width) {
        int value = 0;
        for (std::size_t i = 0; i < width; ++i, ++at) {
            if (at >= text.size() || text[at] < '0' || text[at] > '9') {
                ok = false;
                return 0;
            }
            value = value * 10 + (text[at] - '0');
        }
        return value;
    }
    void expect(std::string_view any_of) {
        if (at >= text.size() || any_of.find(text[at]) == std::string_view::npos) ok = false;
        ++at;
    }
};

void put(char* out, int value, int width) {
    for (int i = width - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

void append_instant(std::string& out, Instant instant) {
    const auto day = std::chrono::floor<days>(instant);
    const std::chrono::year_month_day date{day};
    const auto ms = static_cast<int>((instant - day).count());
    char text[] = "0000-00-00T00:00:00.000Z";
    put(text, static_cast<int>(date.year()), 4);
    put(text + 5, static_cast<int>(static_cast<unsigned>(date.month())), 2);
    put(text + 8, static_cast<int>(static_cast<unsigned>(date.day())), 2);
    put(text + 11, ms / 3'600'000, 2);
    put(text + 14, ms / 60'000 % 60, 2);
    put(text + 17, ms / 1000 % 60, 2);
    put(text + 20, ms % 1000, 3);
    out.append(text, sizeof text - 1);
}

std::string format_instant(Instant instant) {
    std::string text;
    append_instant(text, instant);
    return text;
}

std::optional<Instant> parse_instant(std::string_view text) {
    Digits in{text};
    const int year = in.number(4);
    in.expect("-");
    const int month = in.number(2);
    in.expect("-");
    const int day = in.number(2);
    in.expect("Tt ");
    const int hour = in.number(2);
    in.expect(":");
    const int minute = in.number(2);
    in.expect(":");
    const int second = in.number(2);
    if (!in.ok) return std::nullopt;
    int ms = 0;
    if (in.at < text.size() && text[in.at] == '.') {
        ++in.at;
        int digits = 0;
        for (int scale = 100; in.at < text.size() && text[in.at] >= '0' && text[in.at] <= '9'; ++in.at, scale /= 10, ++digits)
            ms += (text[in.at] - '0') * scale;
        if (digits == 0 || digits > 9) return std::nullopt;
    }
    int offset_minutes = 0;
    if (in.at < text.size() && (text[in.at] == 'Z' || text[in.at] == 'z')) {
        ++in.at;
    } else {
        if (in.at >= text.size()) return std::nullopt;
        const char sign = text[in.at];
        in.expect("+-");
        const int offset_hour = in.number(2);
        in.expect(":");
        const int offset_minute = in.number(2);
        if (!in.ok || offset_hour > 23 || offset_minute > 59) return std::nullopt;
        offset_minutes = (offset_hour * 60 + offset_minute) * (sign == '-' ? -1 : 1);
    }
    if (!in.ok || in.at != text.size()) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok() || year < 1970 || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    return Instant{std::chrono::sys_days{date}} + std::chrono::hours{hour} + std::chrono::minutes{minute - offset_minutes} +
           std::chrono::seconds{second == 60 ? 59 : second} + Duration{ms};
}

std::optional<Duration> parse_duration(std::string_view text) {
    constexpr std::int64_t limit_ms = 100LL * 366 * 86'400'000;
    if (text.size() < 3 || text[0] != 'P') return std::nullopt;
    std::int64_t total_ms = 0;
    bool in_time = false;
    bool any = false;
    int last_rank = 0;  // W < D < T < H < M < S: each unit at most once and in order
    for (std::size_t at = 1; at < text.size();) {
        if (text[at] == 'T') {
            if (in_time) return std::nullopt;
            in_time = true;
            ++at;
            if (at == text.size()) return std::nullopt;
            continue;
        }
        std::int64_t whole = 0;
        std::size_t digits = 0;
        for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++digits) {
            whole = whole * 10 + (text[at] - '0');
            if (whole > limit_ms) return std::nullopt;
        }
        std::int64_t fraction_ms = 0;
        bool fraction = false;
        if (at < text.size() && text[at] == '.') {
            ++at;
            fraction = true;
            std::size_t decimals = 0;
            for (int scale = 100; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10, ++decimals)
                fraction_ms += (text[at] - '0') * scale;
            if (decimals == 0 || decimals > 9) return std::nullopt;
        }
        if (digits == 0 || at == text.size()) return std::nullopt;
        const char unit = text[at++];
        std::int64_t unit_ms = 0;
        int rank = 0;
        if (!in_time && unit == 'W') { unit_ms = 7 * 86'400'000LL; rank = 1; }
        else if (!in_time && unit == 'D') { unit_ms = 86'400'000LL; rank = 2; }
        else if (in_time && unit == 'H') { unit_ms = 3'600'000LL; rank = 3; }
        else if (in_time && unit == 'M') { unit_ms = 60'000LL; rank = 4; }
        else if (in_time && unit == 'S') { unit_ms = 1000LL; rank = 5; }
        else return std::nullopt;
        if (rank <= last_rank || (fraction && unit != 'S')) return std::nullopt;
        last_rank = rank;
        any = true;
        if (whole > limit_ms / unit_ms) return std::nullopt;
        total_ms += whole * unit_ms + fraction_ms;
        if (total_ms > limit_ms) return std::nullopt;
    }
    if (!any) return std::nullopt;
    return Duration{total_ms};
}

std::string format_duration(Duration duration) {
    auto ms = duration.count();
    if (ms == 0) return "PT0S";
    std::string text = "P";
    if (const auto whole_days = ms / 86'400'000; whole_days > 0) text += std::to_string(whole_days) + "D";
    ms %= 86'400'000;
    if (ms == 0) return text;
    text += "T";
    if (ms >= 3'600'000) text += std::to_string(ms / 3'600'000) + "H";
    ms %= 3'600'000;
    if (ms >= 60'000) text += std::to_string(ms / 60'000) + "M";
    ms %= 60'000;
    if (ms == 0) return text;
    text += std::to_string(ms / 1000);
    if (ms % 1000 != 0) {
        char decimals[8];
        std::snprintf(decimals, sizeof decimals, ".%03d", static_cast<int>(ms % 1000));
        std::string fraction{decimals};
        while (fraction.back() == '0') fraction.pop_back();
        text += fraction;
    }
    return text + "S";
}

}  // namespace touchgate
