// One decision, written as JSON: the rules of a policy and one case as in a policy's own `cases`. Gives the decision object.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "gateway/policy/calendar.hpp"
#include "gateway/policy/cases.hpp"
#include "gateway/policy/decide.hpp"
#include "gateway/policy/explain.hpp"
#include "tests/catch.hpp"

namespace touchgate::policy {

inline std::string read_text_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    REQUIRE(file.good());
    return {std::istreambuf_iterator<char>{file}, {}};
}

inline Json json_of(const std::string& text) {
    auto parsed = parse_json_with_comments(text);
    INFO(text);
    REQUIRE(parsed.has_value());
    return std::move(*parsed);
}

// The shipped calendars by name, and "short", which ends on 2026-11-30.
inline const Calendars& test_calendars() {
    static const Calendars calendars = [] {
        Calendars made;
        const auto add = [&](const std::string& name, const Json& document) {
            auto calendar = parse_calendar(document, name);
            REQUIRE(calendar.has_value());
            made[name] = *calendar;
        };
        add("cn", json_of(read_text_file(std::string{TOUCHGATE_SOURCE_DIR} + "/calendars/cn.json")));
        add("short", json_of(R"({"covers": ["2026-11-01", "2026-11-30"], "holidays": ["2026-11-24"], "workdays": ["2026-11-28"]})"));
        return made;
    }();
    return calendars;
}

inline Json decided(const std::string& rules, const std::string& fields) {
    auto document = json_of(R"({"name": "tested", "rules": )" + rules + "}");
    auto one = json_of(fields);
    one["name"] = "case";
    if (!one.contains("now")) one["now"] = "2026-11-23T02:00:00.000Z";  // Monday 10:00 in Shanghai
    if (!one.contains("touch")) one["touch"] = {{"purpose", "marketing"}, {"channels", {"sms"}}, {"account", "sms-main"}};
    one["expect"] = {{"verdict", "allow"}};
    document["cases"] = Json::array({one});
    const auto results = run_cases(document, {.calendars = test_calendars()});
    if (!results)
        for (const auto& problem : results.error().problems) UNSCOPED_INFO(problem.pointer << ": " << problem.detail);
    REQUIRE(results.has_value());
    return results->front().decision;
}

// "allow", "deny cap", "defer cap 2026-11-24T02:00:00.000Z", with the reason behind it if there is one.
inline std::string verdict(const std::string& rules, const std::string& fields) {
    const auto decision = decided(rules, fields);
    std::string text = decision["verdict"];
    if (decision["rule"].is_string()) text += " " + decision["rule"].get<std::string>();
    if (decision["until"].is_string()) text += " " + decision["until"].get<std::string>();
    if (decision.contains("reason")) text += " " + decision["reason"].get<std::string>();
    return text;
}

// The sentences of one step in the trace; null when the rule is not in it.
inline Json step_of(const Json& decision, const std::string& rule) {
    for (const auto& step : decision["trace"])
        if (step["rule"] == rule) return step;
    return nullptr;
}

// All problems of a document, "pointer: detail".
inline std::vector<std::string> problems_of(const Json& document, IncludeLoader include = {}, std::vector<Problem>* warnings = nullptr) {
    SymbolTable symbols;
    ProfileTable profiles;
    const CompileContext context{.symbols = symbols, .profiles = profiles, .calendars = test_calendars(), .include = std::move(include)};
    const auto compiled = CompiledPolicy::compile(document, context, warnings);
    std::vector<std::string> problems;
    if (!compiled)
        for (const auto& problem : compiled.error().problems) problems.push_back(problem.pointer + ": " + problem.detail);
    return problems;
}

}  // namespace touchgate::policy
