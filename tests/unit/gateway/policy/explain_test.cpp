#include <set>

#include "tests/unit/gateway/policy/decided.hpp"

using namespace touchgate;
using namespace touchgate::policy;

TEST_CASE("decision: the JSON object of the API", "[policy][explain]") {
    const auto decision = decided(R"([{"name": "cap", "kind": "cap", "max": 1, "per": "P1D", "weight": {"wecom": 0.5}}])",
                                  R"({"history": [{"at": "2026-11-23T00:00:00.000Z", "purpose": "marketing", "channel": "sms", "touch": 9}]})");
    CHECK(decision == Json::parse(R"({
        "verdict": "defer", "policy": "tested", "rule": "cap", "until": "2026-11-24T00:00:00.000Z",
        "trace": [{"rule": "cap", "kind": "cap", "verdict": "defer", "until": "2026-11-24T00:00:00.000Z", "counted": 1, "max": 1, "touches": ["9"],
                   "why": {"en": "1 of 1 used; room again at 2026-11-24T00:00:00.000Z.", "zh-CN": "已用 1，上限 1，2026-11-24T00:00:00.000Z 起有余量。"}}]})"));
}

TEST_CASE("decision: the trace has every rule that binds, in document order, and nothing of those that do not", "[policy][explain]") {
    const auto decision = decided(R"([
        {"name": "a", "kind": "suppression", "lists": ["*"]}, {"name": "b", "kind": "cap", "max": 5, "per": "P1D", "when": {"purposes": ["care"]}},
        {"name": "c", "kind": "consent"}, {"name": "d", "kind": "cap", "max": 5, "per": "P1D"}])",
                                  "{}");
    std::vector<std::string> rules;
    for (const auto& step : decision["trace"]) rules.push_back(step["rule"]);
    CHECK(rules == std::vector<std::string>{"a", "c", "d"});
    CHECK(step_of(decision, "c")["verdict"] == "deny");
    CHECK(step_of(decision, "d")["why"]["en"] == "0 of 5 used.");
}

TEST_CASE("explain: every number has a sentence of its own in both languages", "[policy][explain]") {
    SymbolTable symbols;
    ProfileTable profiles;
    const auto policy = CompiledPolicy::compile(json_of(R"({"name": "p", "rules": []})"),
                                                {.symbols = symbols, .profiles = profiles, .calendars = test_calendars(), .include = {}});
    REQUIRE(policy.has_value());
    std::set<std::string> seen;
    for (std::uint8_t why = 0; why <= static_cast<std::uint8_t>(Why::too_soon_after_disposition); ++why) {
        TraceStep step;
        step.why = why;
        const auto text = sentence(**policy, step);
        CHECK(seen.insert(text.en).second);
        CHECK(seen.insert(text.zh).second);
        CHECK(text.en.find('{') == std::string::npos);
        CHECK(text.zh.find('{') == std::string::npos);
    }
}
