#include "gateway/app/messaging_settings.hpp"

#include <algorithm>
#include <array>

#include "gateway/base/text.hpp"

namespace touchgate::app {

void read_task_rules(JsonReader& reader, TaskRules& rules) {
    rules.poll_interval = reader.duration("poll_interval", rules.poll_interval, Duration{100}, Duration{std::chrono::hours{24}});
    rules.batch_window = reader.duration("batch_window", rules.batch_window, Duration{0}, Duration{4'000});  // well within a permit's time
    rules.expires_after = reader.duration("task_expires_after", rules.expires_after, Duration{1'000}, Duration{std::chrono::hours{24 * 30}});
    if (reader.has("remind_after")) {
        rules.remind_after.clear();
        for (const auto& text : reader.texts("remind_after")) {
            if (const auto after = parse_duration(text)) rules.remind_after.push_back(*after);
            else reader.problem("remind_after", "must be a list of ISO 8601 durations such as \"PT4H\"");
        }
        std::sort(rules.remind_after.begin(), rules.remind_after.end());
    }
    rules.reminders = static_cast<int>(reader.integer("reminders", rules.reminders, 0, 100));
    rules.ends_with_hours = reader.choice("task_hours", {"policy", "ignore"}, "policy") == "policy";
}

AutoReply read_auto_reply(JsonReader& rule) {
    AutoReply made;
    for (const auto& word : rule.texts("keywords")) made.keywords.push_back(to_lower_ascii(word));
    made.first_contact = rule.boolean("first_contact", false);
    if (auto hours = rule.object("outside")) {
        made.outside.emplace();
        const auto minute = [&](const char* key, const char* fallback) {
            const auto text = hours->text(key, fallback);
            const bool form = text.size() == 5 && text[2] == ':' && text.find_first_not_of("0123456789:") == std::string::npos;
            const int value = form ? ((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 + text[4] - '0' : -1;
            if (value < 0 || value > 24 * 60) hours->problem(key, "must be a clock time such as \"09:00\"");
            return value;
        };
        made.outside->from_minute = minute("from", "09:00");
        made.outside->to_minute = minute("to", "18:00");
        static constexpr std::array<std::string_view, 7> names = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
        for (const auto& day : hours->texts("days", {"mon", "tue", "wed", "thu", "fri"})) {
            const auto found = std::find(names.begin(), names.end(), day);
            if (found == names.end()) hours->problem("days", "has days mon, tue, wed, thu, fri, sat, sun");
            else made.outside->days = static_cast<std::uint8_t>(made.outside->days | (1U << (found - names.begin() + 1)));
        }
        hours->finish();
    }
    if (const auto* content = rule.raw("content"); content == nullptr || !content->is_object()) {
        rule.problem("content", "must be an object such as {\"text\": \"…\"}");
    } else if (content->size() == 1 && content->contains("text") && content->at("text").is_string()) {
        made.text = content->at("text").get<std::string>();
    } else {
        made.content_json = content->dump();
    }
    rule.finish();
    return made;
}

void read_employees(JsonReader& account, std::map<std::string, Employee, std::less<>>& employees) {
    account.members("employees", [&](const std::string& id, const Json& value, const std::string& pointer) {
        JsonReader reader{value, pointer, account.problems()};
        if (!value.is_object()) return reader.problem_here("must be an object such as {\"delegate\": \"lisi\"}");
        Employee employee;
        if (auto absent = reader.object("absent")) {
            const auto instant = [&](const char* key) {
                const auto text = absent->required_text(key);
                const auto at = parse_instant(text);
                if (!at && !text.empty()) absent->problem(key, "must be an instant such as \"2026-10-01T00:00:00+08:00\"");
                return at.value_or(instant_never);
            };
            employee.absent_from = instant("from");
            employee.absent_to = instant("to");
            if (employee.absent_to <= employee.absent_from) absent->problem("to", "must be later than from");
            absent->finish();
        }
        employee.delegate = reader.text("delegate", {}, {1, 64});
        if (employee.delegate == id) reader.problem("delegate", "must be somebody else");
        employee.resigned = reader.boolean("resigned", false);
        reader.finish();
        employees.emplace(id, std::move(employee));
    });
}

void read_tag_names(JsonReader& account, std::map<std::string, std::string, std::less<>>& names) {
    account.members("contact_tags", [&](const std::string& id, const Json& value, const std::string& pointer) {
        if (value.is_string() && !value.get_ref<const std::string&>().empty() && value.get_ref<const std::string&>().size() <= 100) names.emplace(id, value.get<std::string>());
        else account.problems().push_back({pointer, "must be the contact's tag, 1 to 100 characters"});
    });
}

}  // namespace touchgate::app
