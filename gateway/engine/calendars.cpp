// Calendars are in the log like policies: a decision can be explained and replayed with the holidays that were known then.

#include "gateway/engine/internals.hpp"
#include "gateway/policy/calendar.hpp"

namespace touchgate {

Result<std::shared_ptr<const policy::Calendar>> Engine::Internals::parse_calendar(const std::string& id, const std::string& document) {
    const auto json = parse_json_with_comments(document);
    if (!json) return json.error();
    return policy::parse_calendar(*json, id);
}

Result<CalendarView> Engine::put_calendar(const std::string& id, const std::string& document) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    auto calendar = Internals::parse_calendar(id, document);
    if (!calendar) return calendar.error();
    const auto known = in.state.calendars.find(id);
    if (known == in.state.calendars.end() || known->second.document != document) {
        // The active policy must still compile with it: a rule may need what the new calendar no longer has.
        const auto before = in.calendars;
        in.calendars[id] = *calendar;
        std::string name;
        auto& active = in.state.policies[in.state.active_policy];
        auto compiled = in.compile(active.version->document, name);
        if (!compiled) {
            in.calendars = before;
            return compiled.error();
        }
        in.emit(ContactIndex{}, CalendarUpdated{.id = id, .document = document, .from_file = false});
        in.use(active, std::move(*compiled));
        in.policy_changed();
        in.compile_leads();
    }
    return CalendarView{.id = id, .document = document, .calendar = *calendar, .updated_at = in.state.calendars[id].updated_at};
}

std::vector<CalendarView> Engine::calendars() const {
    std::vector<CalendarView> all;
    for (const auto& [id, row] : internals_->state.calendars) {
        const auto parsed = internals_->calendars.find(id);
        if (parsed != internals_->calendars.end()) all.push_back({.id = id, .document = row.document, .calendar = parsed->second, .updated_at = row.updated_at});
    }
    return all;
}

// A configured file counts only when its bytes differ from those last loaded from it, so that what was put by the API survives a restart.
bool Engine::Internals::activate_configured_calendars() {
    bool changed = false;
    for (const auto& [id, document] : settings.calendars) {
        const auto known = state.calendars.find(id);
        if (known != state.calendars.end() && known->second.file_hash == crypto::document_hash(document)) continue;
        if (!parse_calendar(id, document)) continue;  // the configuration's check names it
        emit(ContactIndex{}, CalendarUpdated{.id = id, .document = document, .from_file = true});
        changed = true;
    }
    calendars.clear();
    for (const auto& [id, row] : state.calendars)
        if (auto calendar = parse_calendar(id, row.document)) calendars[id] = *calendar;
    return changed;
}

}  // namespace touchgate
