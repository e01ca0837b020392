#include "gateway/leads/scoring.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::leads;
using namespace std::chrono_literals;

namespace {

struct Fixture {
    SymbolTable symbols;
    std::vector<Problem> problems;
    Scoring scoring;
    std::map<std::string, policy::AttributeValue, std::less<>> attributes;
    std::vector<Symbol> tags;
    std::vector<policy::Act> acts;
    std::vector<Touchpoint> touchpoints{{.source = "wecom:spring-fair", .at = start}};
    static constexpr Instant start{1'795'000'000'000ms};

    explicit Fixture(const std::string& text) {
        const auto json = Json::parse(text);
        JsonReader reader{json, "", problems};
        scoring = read_scoring(reader, symbols);
        reader.finish();
    }
    Score at(Instant now) const {
        Facts facts{.touchpoints = touchpoints, .product = "suv", .unit = "hq/east/a", .contact = {}, .address = {}, .default_zone = "Asia/Shanghai"};
        facts.contact.attributes = &attributes;
        facts.contact.tags = tags;
        facts.contact.acts = acts;
        return score(scoring, facts, now);
    }
    std::vector<std::string> wrong() const {
        std::vector<std::string> pointers;
        for (const auto& problem : problems) pointers.push_back(problem.pointer);
        return pointers;
    }
};

}  // namespace

TEST_CASE("score: rules that hold add their points, faded by their half-life, and each part is shown", "[leads]") {
    Fixture fixture{R"({"score": [
        {"name": "fair", "when": {"sources": ["wecom:spring*"]}, "points": 40, "half_life": "P1D"},
        {"name": "suv", "when": {"products": ["suv"], "units": ["hq/east"]}, "points": 30},
        {"name": "budget", "when": {"attributes": {"budget": {"gte": 200000}}}, "points": 25},
        {"name": "gold", "when": {"tags": ["gold"]}, "points": 10},
        {"name": "poor", "when": {"not": {"attributes": {"budget": {"exists": true}}}}, "points": -15}]})"};
    REQUIRE(fixture.wrong().empty());
    auto score = fixture.at(Fixture::start);
    CHECK(score.value == 55);
    CHECK(score.grade == Grade::c);
    fixture.attributes["budget"] = 300'000.0;
    fixture.tags = {fixture.symbols.intern("gold")};
    score = fixture.at(Fixture::start);
    CHECK(score.value == 100);  // 105, clamped
    CHECK(score.grade == Grade::a);
    score = fixture.at(Fixture::start + 48h);
    CHECK(score.value == 75);  // 10 of the 40 are left
    REQUIRE(score.parts.size() == 4);
    CHECK(score.parts[0].rule == "fair");
    CHECK(score.parts[0].points == Approx(10));
    CHECK(score.parts[0].full == 40);
}

TEST_CASE("score: points fade from the newest touchpoint of the sources that the rule names", "[leads]") {
    Fixture fixture{R"({"score": [{"when": {"sources": ["wecom:*"]}, "points": 80, "half_life": "PT1H"}]})"};
    fixture.touchpoints.push_back({.source = "form:shop", .at = Fixture::start + 2h});
    CHECK(fixture.at(Fixture::start + 2h).value == 20);
    fixture.touchpoints.push_back({.source = "wecom:again", .at = Fixture::start + 2h});
    CHECK(fixture.at(Fixture::start + 2h).value == 80);
}

TEST_CASE("score: points for each act fade from that act on, and only the newest count", "[leads]") {
    Fixture fixture{R"({"score": [{"name": "writes", "points": 8, "half_life": "PT1H", "each": {"events": ["message.received"], "times": 2}}]})"};
    const auto message = fixture.symbols.intern("message.received");
    for (int i = 0; i < 4; ++i) fixture.acts.push_back({.at = Fixture::start + i * 1h, .event = message, .kind = {}, .channel = {}});
    fixture.acts.push_back({.at = Fixture::start + 3h, .event = fixture.symbols.intern("event.received"), .kind = {}, .channel = {}});
    const auto score = fixture.at(Fixture::start + 3h);
    CHECK(score.value == 12);  // 8 + 4
    CHECK(score.parts.front().times == 2);
    CHECK(fixture.at(Fixture::start - 1h).value == 0);  // nothing of the future
}

TEST_CASE("score: acts as a condition count within their time", "[leads]") {
    Fixture fixture{R"({"score": [{"when": {"acts": {"kinds": ["scan"], "within": "P1D", "at_least": 2}}, "points": 50}]})"};
    const auto scan = fixture.symbols.intern("scan");
    fixture.acts = {{.at = Fixture::start, .event = {}, .kind = scan, .channel = {}}};
    CHECK(fixture.at(Fixture::start).value == 0);
    fixture.acts.push_back({.at = Fixture::start + 1h, .event = {}, .kind = scan, .channel = {}});
    CHECK(fixture.at(Fixture::start + 1h).value == 50);
    CHECK(fixture.at(Fixture::start + 25h).value == 0);
}

TEST_CASE("score: without a rule every lead stands in the middle", "[leads]") {
    const Fixture fixture{"{}"};
    CHECK(fixture.at(Fixture::start).value == 50);
    CHECK(fixture.at(Fixture::start).grade == Grade::c);
    CHECK(fixture.at(Fixture::start).parts.front().rule == "base");
}

TEST_CASE("score: what is wrong is named, all of it", "[leads]") {
    const Fixture fixture{R"({"score": [
        {"name": "a", "when": {"sources": [], "purposes": ["marketing"], "colour": 1}},
        {"name": "a", "points": 300, "half_life": "soon"},
        {"name": "c", "points": 1, "when": {"any": {}, "all": [{"tags": []}], "not": 3}}], "grades": {"A": 10, "B": 50}})"};
    CHECK(fixture.wrong() == std::vector<std::string>{"/score/0/when/sources", "/score/0/when/purposes", "/score/0/when/colour", "/score/0/points", "/score/1/points",
                                                      "/score/1/half_life", "/score/1/name", "/score/2/when/all/0/tags", "/score/2/when/any", "/score/2/when/not", "/grades"});
}

TEST_CASE("patterns: a star stands for anything, everything else for itself", "[leads]") {
    const auto [pattern, text, matches] = GENERATE(table<const char*, const char*, bool>({
        {"wecom:*", "wecom:a", true}, {"wecom:*", "wecom:", true}, {"wecom:*", "wecom_kf:a", false}, {"*", "", true}, {"", "", true}, {"", "a", false},
        {"*:missed", "call:missed", true}, {"a*b*c", "aXbYbZc", true}, {"a*b*c", "aXbY", false}, {"call:missed", "call:missed", true}, {"call:missed", "call:missed2", false},
    }));
    INFO(pattern << " " << text);
    CHECK(matches_pattern(pattern, text) == matches);
}
