#include "gateway/dialing/outcomes.hpp"

#include <algorithm>

#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::dialing;

namespace {

std::vector<OutcomeRule> rules(const std::string& text, std::vector<Problem>& problems) {
    const auto document = parse_json(text);
    REQUIRE(document);
    JsonReader reader{*document, "", problems};
    auto read = read_outcome_rules(reader);
    reader.finish();
    return read;
}

}  // namespace

TEST_CASE("outcomes: each hang-up cause has its word", "[dialing]") {
    const auto [cause, expected] = GENERATE(table<int, std::string>({
        {1, "invalid_number"}, {3, "invalid_number"}, {22, "invalid_number"}, {28, "invalid_number"}, {16, "no_answer"}, {17, "busy"},
        {18, "no_answer"}, {19, "no_answer"}, {20, "unreachable"}, {21, "rejected"}, {26, "cancelled"}, {27, "failed"}, {38, "failed"},
        {41, "failed"}, {29, "failed"}, {57, "failed"}, {31, "failed"}, {127, "failed"}, {0, "failed"}, {34, "congestion"}, {42, "congestion"},
        {44, "congestion"}, {58, "failed"}, {88, "failed"}, {102, "failed"}, {-5, "failed"}, {999, "failed"}}));
    INFO(cause);
    CHECK(outcome_of({.cause = cause}) == expected);
    CHECK(policy::call_outcome_number(expected) != 0);
}

TEST_CASE("outcomes: a SIP status says what its cause cannot", "[dialing]") {
    // 480 is cause 19 on one system and 18 on another, 503 is 34 or 41, 487 is 127 or none.
    const auto [sip, cause, expected] = GENERATE(table<int, int, std::string>({
        {480, 19, "no_answer"}, {480, 18, "no_answer"}, {503, 41, "congestion"}, {503, 34, "congestion"}, {487, 127, "cancelled"}, {603, 21, "rejected"},
        {403, 21, "rejected"}, {404, 1, "invalid_number"}, {486, 17, "busy"}, {600, 17, "busy"}, {484, 28, "invalid_number"}, {408, 102, "no_answer"},
        {500, 38, "failed"}, {488, 58, "failed"}, {500, 0, "failed"}, {502, 0, "failed"}, {410, 0, "invalid_number"}, {485, 0, "invalid_number"}}));
    INFO(sip);
    CHECK(outcome_of({.cause = cause, .sip = sip}) == expected);
}

TEST_CASE("outcomes: an answered call is answered, whatever cause ends it", "[dialing]") {
    for (const int cause : {0, 16, 17, 19, 31, 44, 127}) {
        CHECK(outcome_of({.cause = cause, .answered = true}) == "answered");
        CHECK(outcome_of({.cause = cause, .answered = true, .machine = true}) == "machine");
        CHECK(outcome_of({.cause = cause, .answered = true, .dropped = true}) == "dropped");
    }
}

TEST_CASE("outcomes: our own ring time-out is no answer, our own hang-up a cancellation", "[dialing]") {
    CHECK(outcome_of({.cause = 19, .sip = 480, .ring_timeout = true, .by = EndedBy::gateway}) == "no_answer");
    CHECK(outcome_of({.cause = 16, .ring_timeout = true}) == "no_answer");
    CHECK(outcome_of({.cause = 16, .by = EndedBy::gateway}) == "cancelled");
    CHECK(outcome_of({.cause = 16, .by = EndedBy::far_end}) == "no_answer");
}

TEST_CASE("outcomes: the telephone system's own word goes before the tables, if it is one", "[dialing]") {
    CHECK(outcome_of({.cause = 41, .adapter_word = "unreachable"}) == "unreachable");
    CHECK(outcome_of({.cause = 17, .adapter_word = "user_gone"}) == "busy");
}

TEST_CASE("outcomes: an account maps its carrier's announcements and causes", "[dialing]") {
    std::vector<Problem> problems;
    const auto mapped = rules(R"({"outcomes": [{"announcement": "关机", "outcome": "powered_off"}, {"announcement": "停机", "outcome": "suspended"},
                                              {"sip": 403, "cause": 21, "outcome": "blocked_by_carrier"}, {"cause": 31, "outcome": "unreachable"}]})", problems);
    REQUIRE(problems.empty());
    CHECK(outcome_of({.cause = 19, .announcement = "关机", .ring_timeout = true}, mapped) == "powered_off");
    CHECK(outcome_of({.cause = 31, .announcement = "停机"}, mapped) == "suspended");
    CHECK(outcome_of({.cause = 21, .sip = 403}, mapped) == "blocked_by_carrier");
    CHECK(outcome_of({.cause = 21, .sip = 603}, mapped) == "rejected");
    CHECK(outcome_of({.cause = 31}, mapped) == "unreachable");
    CHECK(outcome_of({.cause = 31, .answered = true}, mapped) == "answered");
}

TEST_CASE("outcomes: a rule that cannot be meant is a problem at its place", "[dialing]") {
    std::vector<Problem> problems;
    (void)rules(R"({"outcomes": [{"cause": 31, "outcome": "answered"}, {"outcome": "busy"}, {"sip": 1000, "outcome": "busy"}, {"cause": 1, "outcome": "gone"}, 5,
                                {"cause": 1, "outcome": "busy", "note": "x"}]})", problems);
    std::vector<std::string> pointers;
    for (const auto& problem : problems) pointers.push_back(problem.pointer);
    for (const auto* at : {"/outcomes/0/outcome", "/outcomes/1", "/outcomes/2/sip", "/outcomes/3/outcome", "/outcomes/4", "/outcomes/5/note"}) {
        INFO(at);
        CHECK(std::find(pointers.begin(), pointers.end(), at) != pointers.end());
    }
}

TEST_CASE("outcomes: what is the trunk's fault says nothing about the number", "[dialing]") {
    for (const int cause : {34, 42, 44, 38, 41, 58, 88, 102}) CHECK(is_our_fault(cause));
    for (const int cause : {1, 16, 17, 18, 19, 20, 21, 28}) CHECK_FALSE(is_our_fault(cause));
}
