#include "gateway/routing/opening_hours.hpp"

#include <algorithm>
#include <array>

namespace touchgate::routing {

namespace {

// "09:00" to "24:00".
bool is_clock_time(std::string_view text) {
    if (text.size() != 5 || text[2] != ':') return false;
    for (const auto i : {0U, 1U, 3U, 4U})
        if (text[i] < '0' || text[i] > '9') return false;
    const int hour = (text[0] - '0') * 10 + text[1] - '0';
    const int minute = (text[3] - '0') * 10 + text[4] - '0';
    return minute < 60 && (hour < 24 || (hour == 24 && minute == 0));
}

void check_span(JsonReader& entry) {
    static constexpr std::array<std::string_view, 7> days_of_week = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    const auto days = entry.texts("days");
    for (std::size_t i = 0; i < days.size(); ++i)
        if (std::find(days_of_week.begin(), days_of_week.end(), days[i]) == days_of_week.end())
            entry.problems().push_back({pointer_to(pointer_to(entry.pointer(), "days"), i), "must be one of mon, tue, wed, thu, fri, sat, sun"});
    for (const auto* key : {"from", "to"}) {
        const auto text = entry.required_text(key, {1, 20});
        if (!text.empty() && !is_clock_time(text)) entry.problem(key, "must be a clock time such as \"09:00\"");
    }
    entry.finish();
}

void check_spans(const Json& list, const std::string& pointer, std::vector<Problem>& problems) {
    if (!list.is_array()) return problems.push_back({pointer, "must be an array of {\"days\", \"from\", \"to\"}"});
    for (std::size_t i = 0; i < list.size(); ++i) {
        JsonReader entry{list[i], pointer_to(pointer, i), problems};
        if (list[i].is_object()) check_span(entry);
    }
}

}  // namespace

void check_opening_hours(const Json& hours, const std::string& pointer, std::vector<Problem>& problems) {
    if (hours.is_array()) return check_spans(hours, pointer, problems);
    if (!hours.is_object()) return problems.push_back({pointer, "must be {\"calendar\", \"zone\", \"weekly\"} or an array of {\"days\", \"from\", \"to\"}"});
    JsonReader body{hours, pointer, problems};
    (void)body.text("calendar");
    (void)body.text("zone");
    if (const auto* weekly = body.raw("weekly")) check_spans(*weekly, pointer_to(pointer, "weekly"), problems);
    body.finish();
}

}  // namespace touchgate::routing
