#include "gateway/policy/calendar.hpp"

namespace touchgate::policy {

std::optional<std::chrono::local_days> parse_date(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    std::string midnight{text};
    midnight.append("T00:00:00Z");
    const auto instant = parse_instant(midnight);  // checks digits, month lengths and leap years
    if (!instant) return std::nullopt;
    return std::chrono::local_days{std::chrono::floor<std::chrono::days>(*instant).time_since_epoch()};
}

std::string format_date(std::chrono::local_days day) {
    return format_instant(Instant{std::chrono::sys_days{day.time_since_epoch()}}).substr(0, 10);
}

Result<std::shared_ptr<const Calendar>> parse_calendar(const Json& document, std::string name) {
    constexpr auto days_max = std::chrono::days{366 * 50};
    std::vector<Problem> problems;
    auto calendar = std::make_shared<Calendar>();
    calendar->name = std::move(name);
    JsonReader reader{document, "", problems};
    reader.text("$schema");
    reader.raw("name");
    reader.raw("title");
    const auto covers = reader.texts("covers");
    const auto first = covers.size() == 2 ? parse_date(covers[0]) : std::nullopt;
    const auto last = covers.size() == 2 ? parse_date(covers[1]) : std::nullopt;
    if (!first || !last || *last < *first || *last - *first > days_max) {
        reader.problem("covers", "must be the first and the last date that the calendar knows, such as [\"2026-01-01\", \"2026-12-31\"]");
    } else {
        calendar->first = *first;
        calendar->last = *last;
        calendar->days.resize(static_cast<std::size_t>((*last - *first).count()) + 1, DayKind::plain);
    }
    const auto mark = [&](const std::string& key, DayKind kind) {
        const auto* entries = reader.raw(key);
        if (entries == nullptr) return;
        if (!entries->is_array()) return reader.problem(key, "must be an array of dates");
        for (std::size_t i = 0; i < entries->size(); ++i) {
            const auto pointer = pointer_to(pointer_to("", key), i);
            const auto& entry = (*entries)[i];
            std::string text;
            if (entry.is_string()) {
                text = entry.get<std::string>();
            } else {
                JsonReader fields{entry, pointer, problems};
                text = fields.required_text("date");
                fields.text("name");
                fields.finish();
                if (text.empty()) continue;
            }
            const auto day = parse_date(text);
            if (!day) {
                problems.push_back({pointer, "must be a date such as \"2026-10-01\""});
            } else if (!calendar->days.empty() && !calendar->covers(*day)) {
                problems.push_back({pointer, text + " lies outside of what the calendar covers"});
            } else if (!calendar->days.empty()) {
                auto& known = calendar->days[static_cast<std::size_t>((*day - calendar->first).count())];
                if (known != DayKind::plain) problems.push_back({pointer, text + " is named twice"});
                known = kind;
                if (kind == DayKind::workday) calendar->has_workdays = true;
            }
        }
    };
    mark("holidays", DayKind::holiday);
    mark("workdays", DayKind::workday);
    reader.finish();
    if (!problems.empty()) return Error{.detail = "the calendar has problems", .problems = std::move(problems)};
    return std::shared_ptr<const Calendar>{std::move(calendar)};
}

}  // namespace touchgate::policy
