#include "gateway/leads/definition.hpp"
#include "gateway/leads/texts.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::leads;
using namespace std::chrono_literals;

namespace {

Definition parse(const std::string& text, std::vector<std::string>* wrong = nullptr) {
    SymbolTable symbols;
    const policy::Calendars calendars;
    std::vector<Problem> problems;
    auto made = parse_definition(Json::parse(text), "/lead_routing", {.symbols = symbols, .calendars = calendars}, problems);
    if (wrong == nullptr) CHECK(problems.empty());
    else
        for (const auto& problem : problems) wrong->push_back(problem.pointer);
    return made;
}

}  // namespace

TEST_CASE("lead routing: nothing declared makes leads of scans, answers within half an hour, and recycles after a week", "[leads]") {
    const auto made = parse("{}");
    CHECK(made.source("wecom:spring") != nullptr);
    CHECK(made.source("official_account:poster") != nullptr);
    CHECK(made.source("call:missed") == nullptr);
    CHECK(made.dedupe_window == 30 * 24h);
    CHECK(made.promptness_of(Grade::a).first_response == 30min);
    CHECK(made.promptness_of(Grade::d).remind_after == 15min);
    CHECK(made.promptness_of(Grade::d).supervisor_after == 30min);
    CHECK(made.promptness_of(Grade::d).reassign_after == 60min);
    CHECK(made.recycle_after == 7 * 24h);
    CHECK(made.link_valid_for == 14 * 24h);
}

TEST_CASE("lead routing: a grade has its own times; null switches a step off", "[leads]") {
    const auto made = parse(R"({"sla": {"first_response": "PT1H", "reassign_after": null, "by_grade": {"A": {"first_response": "PT10M"}, "D": {"remind_after": null}}}, "recycle": false})");
    CHECK(made.promptness_of(Grade::b).first_response == 1h);
    CHECK(made.promptness_of(Grade::b).remind_after == 30min);
    CHECK_FALSE(made.promptness_of(Grade::b).reassign_after);
    CHECK(made.promptness_of(Grade::a).reassign_after == 20min);
    CHECK_FALSE(made.promptness_of(Grade::d).remind_after);
    CHECK_FALSE(made.recycle_after);
}

TEST_CASE("lead routing: keywords match by channel, account and word", "[leads]") {
    const auto made = parse(R"({"keywords": [{"words": ["试驾", "Test Drive"], "channels": ["sms"], "source": "sms:test-drive", "product": "suv"},
                                             {"words": ["1"], "match": "exact", "accounts": ["oa"], "source": "oa:one"}]})");
    CHECK(made.keywords[0].matches("sms", "any", "我想预约试驾"));
    CHECK(made.keywords[0].matches("sms", "any", "a test drive please"));
    CHECK_FALSE(made.keywords[0].matches("wecom_kf", "any", "试驾"));
    CHECK(made.keywords[1].matches("official_account", "oa", "1"));
    CHECK_FALSE(made.keywords[1].matches("official_account", "oa", "11"));
    CHECK_FALSE(made.keywords[1].matches("official_account", "other", "1"));
}

TEST_CASE("lead routing: what is wrong is named, all of it", "[leads]") {
    std::vector<std::string> wrong;
    (void)parse(R"({
        "sources": ["", {"match": "call:*", "colour": 1}],
        "keywords": [{"words": [""], "source": "x"}],
        "forms": {"Shop": {"secret": "0123456789abcdef", "fields": {"m": "contact.phone"}}},
        "dedupe_window": "P1M",
        "sla": {"remind_after": "PT2H", "supervisor_after": "PT1H", "by_grade": {"E": {}}},
        "agents": {"a": {"unit": "hq"}, "b": {"external": true, "skills": {"suv": 1000}}},
        "rules": [{"when": {"origins": ["api"]}, "strategy": "best"}],
        "owner_first": "sometimes", "work": {"A": 0}, "recycle": {"to": "bin"}, "conversions": {"lost": "x"}, "notify": {}, "nonsense": 1})", &wrong);
    CHECK(wrong == std::vector<std::string>{"/lead_routing/sources/0", "/lead_routing/sources/1/colour", "/lead_routing/keywords/0/words", "/lead_routing/forms/Shop",
                                            "/lead_routing/dedupe_window", "/lead_routing/sla/supervisor_after", "/lead_routing/sla/by_grade/E", "/lead_routing/agents/a",
                                            "/lead_routing/agents/b/skills/suv", "/lead_routing/rules/0/when/origins", "/lead_routing/rules/0/strategy", "/lead_routing/owner_first",
                                            "/lead_routing/work/A", "/lead_routing/recycle/to", "/lead_routing/conversions/lost", "/lead_routing/notify/account", "/lead_routing/nonsense"});
}

TEST_CASE("lead texts: values are put in, languages differ, an unknown key is shown as it is", "[leads]") {
    CHECK(text("page.refused", "en", {{"detail", "the lead is won"}}) == "This could not be saved: the lead is won");
    CHECK(text("page.customer", "zh-CN") == "客户");
    CHECK(text("page.customer", "fr") == "Customer");
    CHECK(text("no.such.key", "en") == "no.such.key");
}
