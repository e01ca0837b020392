#include "gateway/leads/stages.hpp"
#include "tests/catch.hpp"

using namespace touchgate::leads;
using enum Stage;

TEST_CASE("stages: only the declared steps are possible, and what ended stays ended", "[leads]") {
    const auto [from, to, possible] = GENERATE(table<Stage, Stage, bool>({
        {fresh, assigned, true}, {fresh, accepted, false}, {fresh, won, false}, {fresh, disqualified, true},
        {assigned, accepted, true}, {assigned, contacted, true}, {assigned, won, false}, {assigned, recycled, true},
        {accepted, accepted, false}, {accepted, qualified, false}, {accepted, contacted, true},
        {contacted, qualified, true}, {contacted, won, true}, {contacted, accepted, false},
        {qualified, won, true}, {qualified, lost, true}, {qualified, contacted, false},
        {recycled, assigned, true}, {recycled, contacted, false},
        {won, lost, false}, {lost, recycled, false}, {disqualified, assigned, false},
    }));
    INFO(to_string(from) << " → " << to_string(to));
    CHECK(may_go(from, to) == possible);
}

TEST_CASE("stages: a refusal names the stage and what is allowed", "[leads]") {
    CHECK(refusal(won) == "the lead is won; nothing is allowed any more");
    CHECK(refusal(qualified) == "the lead is qualified; allowed: disqualified, won, lost, recycled");
}

TEST_CASE("stages: a report that says only how it ended takes the steps in between as done", "[leads]") {
    CHECK(way_to(assigned, won) == std::vector{accepted, contacted, won});
    CHECK(way_to(assigned, qualified) == std::vector{accepted, contacted, qualified});
    CHECK(way_to(contacted, lost) == std::vector{lost});
    CHECK(way_to(qualified, contacted).empty());
    CHECK(way_to(fresh, won).empty());
    CHECK(way_to(lost, won).empty());
}

TEST_CASE("stages: words and numbers lead to each other", "[leads]") {
    for (int i = 1; i <= 9; ++i) CHECK(parse_stage(to_string(static_cast<Stage>(i))) == static_cast<Stage>(i));
    CHECK(to_string(fresh) == "new");
    CHECK_FALSE(parse_stage("fresh"));
    CHECK_FALSE(parse_stage(""));
}
