// {"kind": "hours", "zone": "contact" | IANA, "unknown_zones": […], "calendar": "cn", "open": [{"days": […], "from": "09:00", "to": "20:00"}]}
// Open iff the wall clock in the zone reads a time in [from, to) of an entry for that date's day kind. Several plausible zones: open only
// while open in all of them. Wall times that a clock change skips never occur, repeated ones occur twice; nothing here is special about them.
#include <algorithm>
#include <array>

#include "gateway/policy/calendar.hpp"
#include "gateway/policy/rule.hpp"

namespace touchgate::policy {

namespace {

using std::chrono::days;

constexpr auto look_ahead = days{366};

struct Span {
    Duration from;  // since midnight
    Duration to;
};
using Spans = std::vector<Span>;

constexpr std::array<std::string_view, 9> day_words = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday", "makeup"};
constexpr std::size_t holiday_kind = 7;
constexpr std::size_t makeup_kind = 8;

// Sorted, without overlaps and gaps of nothing.
Spans merged(Spans spans) {
    std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.from < b.from; });
    Spans result;
    for (const auto& span : spans) {
        if (!result.empty() && span.from <= result.back().to) result.back().to = std::max(result.back().to, span.to);
        else result.push_back(span);
    }
    return result;
}

Spans intersection(const Spans& a, const Spans& b) {
    Spans result;
    for (const auto& one : a)
        for (const auto& other : b)
            if (const Span both{std::max(one.from, other.from), std::min(one.to, other.to)}; both.from < both.to) result.push_back(both);
    return merged(std::move(result));
}

// "09:00", "24:00" as the time since midnight.
std::optional<Duration> parse_clock(std::string_view text) {
    if (text.size() != 5 || text[2] != ':') return std::nullopt;
    const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : 100; };
    const int hour = digit(0) * 10 + digit(1);
    const int minute = digit(3) * 10 + digit(4);
    if (hour > 24 || minute > 59 || (hour == 24 && minute != 0)) return std::nullopt;
    return std::chrono::hours{hour} + std::chrono::minutes{minute};
}

class Hours final : public Rule {
public:
    explicit Hours(RuleReader& reader) {
        zone_name_ = reader.zone("zone", "contact");
        if (zone_name_ != "contact") zone_ = Zone::find(zone_name_);
        unknown_zones_ = reader.unknown_zones();
        if (const auto wanted = reader.json.text("calendar"); !wanted.empty()) {
            const auto found = reader.context.calendars.find(wanted);
            if (found == reader.context.calendars.end()) reader.json.problem("calendar", "there is no calendar \"" + wanted + "\"");
            else calendar_ = found->second;
        }
        read_open(reader);
        if (calendar_ != nullptr && calendar_->has_workdays && !makeup_named_)
            reader.warn("open", "the calendar has make-up workdays and no entry names \"makeup\": these days are closed");
        if (calendar_ != nullptr && reader.context.now) {
            const auto left = calendar_->days_left(*reader.context.now);
            if (left < calendar_warning_days)
                reader.warn("calendar", "the calendar \"" + calendar_->name + "\" " + (left < 0 ? "has ended" : "ends in " + std::to_string(left) + " days") +
                                            ": after that the stricter of weekday and holiday hours holds (calendar_ends)");
        }
    }

    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        bool ends = false;  // some date looked at lies beyond the calendar
        bool open = true;
        const bool known = each_zone(evaluation, [&](const Zone& zone) { open = open && is_open(zone, at, ends); });
        if (!known) return Judgement::deny(Why::cannot_evaluate);
        if (open) return Judgement::allow(at, ends ? Why::within_hours_calendar_ends : Why::within_hours);
        const auto limit = at + look_ahead;
        // Each zone's next open instant is a lower bound for all; repeat until no zone objects.
        auto next = at;
        for (bool moved = true; moved && next != instant_never;) {
            moved = false;
            (void)each_zone(evaluation, [&](const Zone& zone) {
                if (next == instant_never) return;
                const auto opens = next_open(zone, next, limit, ends);
                moved = moved || opens != next;
                next = opens;
            });
        }
        if (next == instant_never) return Judgement::until(instant_never, Why::never_open);
        return Judgement::until(next, ends ? Why::outside_hours_calendar_ends : Why::outside_hours);
    }

    const Calendar* calendar() const override { return calendar_.get(); }
    bool has_closing() const override { return true; }
    Instant closes(const Evaluation& evaluation, Instant at) const override {
        auto earliest = instant_never;
        const bool known = each_zone(evaluation, [&](const Zone& zone) { earliest = std::min(earliest, next_closed(zone, at)); });
        return known ? earliest : at;
    }

private:
    void read_open(RuleReader& reader) {
        std::array<Spans, 9> read;
        if (reader.json.raw("open") == nullptr) reader.json.problem("open", "is required: an array of {\"days\", \"from\", \"to\"}");
        reader.json.objects("open", [&](JsonReader& entry, std::size_t) {
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
                if (day >= holiday_kind && calendar_ == nullptr && !reader.json.has("calendar"))
                    entry.problem("days", "\"" + words[i] + "\" needs the rule to name a calendar");
                if (ordered) read[day].push_back({*from, *to});
            }
            entry.finish();
        });
        for (std::size_t day = 0; day < read.size(); ++day) spans_[day] = merged(std::move(read[day]));
        for (std::size_t weekday = 0; weekday < 7; ++weekday) beyond_[weekday] = intersection(spans_[weekday], spans_[holiday_kind]);
    }

    template <class Each>
    bool each_zone(const Evaluation& evaluation, Each&& each) const {
        if (zone_ != nullptr) {
            each(*zone_);
            return true;
        }
        return for_each_zone(evaluation.around, unknown_zones_, each);
    }

    const Spans& spans_of(LocalDay day, bool& ends) const {
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

    bool is_open(const Zone& zone, Instant at, bool& ends) const {
        const auto local = zone.local(at);
        const auto day = std::chrono::floor<days>(local);
        const auto clock = local - day;
        for (const auto& span : spans_of(day, ends))
            if (span.from <= clock && clock < span.to) return true;
        return false;
    }

    Instant next_open(const Zone& zone, Instant at, Instant limit, bool& ends) const {
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

    Instant next_closed(const Zone& zone, Instant at) const {
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

    std::string zone_name_;
    const Zone* zone_ = nullptr;
    std::vector<std::string> unknown_zones_;
    std::shared_ptr<const Calendar> calendar_;
    std::array<Spans, 9> spans_;
    std::array<Spans, 7> beyond_;  // beyond what the calendar covers: open only where weekday and holiday both are
    bool makeup_named_ = false;
};

}  // namespace

std::unique_ptr<Rule> make_hours(RuleReader& reader) { return std::make_unique<Hours>(reader); }

}  // namespace touchgate::policy
