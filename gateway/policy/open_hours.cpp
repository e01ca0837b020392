#include "gateway/policy/open_hours.hpp"

#include <algorithm>

namespace touchgate::policy {

namespace {

using std::chrono::days;

constexpr std::array<std::string_view, 9> day_words = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday", "makeup"};
constexpr std::size_t holiday_kind = 7;
constexpr std::size_t makeup_kind = 8;

// "09:00", "24:00" as the time since midnight.
std::optional<Duration> parse_clock(std::string_view text) {
    if (text.size() != 5 || text[2] != ':') return std::nullopt;
    const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : 100; };
    const int hour = digit(0) * 10 + digit(1);
    const int minute = digit(3) * 10 + digit(4);
    if (hour > 24 || minute > 59 || (hour == 24 && minute != 0)) return std::nullopt;
    return std::chrono::hours{hour} + std::chrono::minutes{minute};
}

}  // namespace

// Sorted, without overlaps and gaps of nothing.
OpenHours::Spans OpenHours::merged(Spans spans) {
    std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.from < b.from; });
    Spans result;
    for (const auto& span : spans) {
        if (!result.empty() && span.from <= result.back().to) result.back().to = std::max(result.back().to, span.to);
        else result.push_back(span);
    }
    return result;
}

OpenHours::Spans OpenHours::intersection(const Spans& a, const Spans& b) {
    Spans result;
    for (const auto& one : a)
        for (const auto& other : b)
            if (const Span both{std::max(one.from, other.from), std::min(one.to, other.to)}; both.from < both.to) result.push_back(both);
    return merged(std::move(result));
}

OpenHours::OpenHours(JsonReader& reader, std::shared_ptr<const Calendar> calendar, bool calendar_named) : calendar_{std::move(calendar)} {
    std::array<Spans, 9> read;
    if (reader.raw("open") == nullptr) reader.problem("open", "is required: an array of {\"days\", \"from\", \"to\"}");
    reader.objects("open", [&](JsonReader& entry, std::size_t) {
        const auto from = parse_clock(entry.required_text("from"));
        const auto to = parse_clock(entry.required_text("to"));
        if (!from) entry.problem("from", "must be a time of day such as \"09:00\"");
        if (!to) entry.problem("to", "must be a time of day such as \"20:00\"; \"24:00\" is the end of the day");
        const bool ordered = from && to && *from < *to;
        if (from && to && !ordered) entry.problem("to", "must be later than `from`; a night is written as two entries");
        const auto words = entry.texts("days");
        if (words.empty()) entry.problem("days", "must name at least one of mon, tue, wed, thu, fri, sat, sun, holiday, makeup");
        for (std::size_t i = 0; i < words.size(); ++i) {
            const auto found = std::find(day_words.begin(), day_words.end(), words[i]);
            if (found == day_words.end()) {
                entry.problems().push_back(
                    {pointer_to(pointer_to(entry.pointer(), "days"), i), "must be one of mon, tue, wed, thu, fri, sat, sun, holiday, makeup"});
                continue;
            }
            const auto day = static_cast<std::size_t>(found - day_words.begin());
            makeup_named_ = makeup_named_ || day == makeup_kind;
            if (day >= holiday_kind && calendar_ == nullptr && !calendar_named)
                entry.problem("days", "\"" + words[i] + "\" needs a `calendar` to be named");
            if (ordered) read[day].push_back({*from, *to});
        }
        entry.finish();
    });
    for (std::size_t day = 0; day < read.size(); ++day) spans_[day] = merged(std::move(read[day]));
    for (std::size_t weekday = 0; weekday < 7; ++weekday) beyond_[weekday] = intersection(spans_[weekday], spans_[holiday_kind]);
}

const OpenHours::Spans& OpenHours::spans_of(LocalDay day, bool& ends) const {
    const auto weekday = static_cast<std::size_t>(std::chrono::weekday{day}.iso_encoding() - 1);
    if (calendar_ == nullptr) return spans_[weekday];
    if (!calendar_->covers(day)) {
        ends = true;
        return beyond_[weekday];
    }
    switch (calendar_->kind(day)) {
        case DayKind::holiday: return spans_[holiday_kind];
        case DayKind::workday: return spans_[makeup_kind];
        default: return spans_[weekday];
    }
}

bool OpenHours::is_open(const Zone& zone, Instant at, bool& ends) const {
    const auto local = zone.local(at);
    const auto day = std::chrono::floor<days>(local);
    const auto clock = local - day;
    for (const auto& span : spans_of(day, ends))
        if (span.from <= clock && clock < span.to) return true;
    return false;
}

Instant OpenHours::next_open(const Zone& zone, Instant at, Instant limit, bool& ends) const {
    while (at <= limit) {
        const auto& range = zone.range_at(at);
        const auto local = range.local(at);
        const auto end = std::min(range.end, limit + Duration{1});
        for (auto day = std::chrono::floor<days>(local); range.instant(day) < end; day += days{1})
            for (const auto& span : spans_of(day, ends)) {
                const auto opens = std::max(local, LocalTime{day} + span.from);
                if (opens >= day + span.to) continue;
                if (range.instant(opens) < end) return range.instant(opens);
            }
        if (range.end == instant_never) break;
        at = range.end;
    }
    return instant_never;
}

Instant OpenHours::next_closed(const Zone& zone, Instant at) const {
    bool ends = false;
    for (const auto limit = at + look_ahead; at <= limit;) {
        const auto& range = zone.range_at(at);
        const auto local = range.local(at);
        const auto day = std::chrono::floor<days>(local);
        const auto& spans = spans_of(day, ends);
        const auto clock = local - day;
        const auto span = std::find_if(spans.begin(), spans.end(), [&](const Span& one) { return one.from <= clock && clock < one.to; });
        if (span == spans.end()) return at;
        at = std::min(range.end, range.instant(day + span->to));
    }
    return instant_never;
}

}  // namespace touchgate::policy
