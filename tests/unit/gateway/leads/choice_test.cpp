#include "gateway/leads/choice.hpp"
#include "tests/catch.hpp"

using namespace touchgate::leads;

namespace {

std::vector<Agent> three() {
    return {{.id = "anna", .unit = "hq/east/a", .skills = {{"suv", 3}}}, {.id = "bo", .unit = "hq/east/b", .skills = {{"suv", 5}}}, {.id = "chen", .unit = "hq/west"}};
}

}  // namespace

TEST_CASE("choice: the contact's owner comes first, also off shift and without room", "[leads]") {
    auto agents = three();
    agents[2].on_shift = false;
    agents[2].open = 9;
    agents[2].max_open = 5;
    const auto choice = choose({.unit = "hq/east", .owner = "chen"}, agents);
    CHECK(choice.agent == "chen");
    CHECK(choice.trace.cause == "owner");
    CHECK(choose({.unit = "hq/east", .owner = "chen", .owner_first = OwnerFirst::available}, agents).agent == "anna");
    CHECK(choose({.unit = "hq/west", .owner = "anna", .owner_first = OwnerFirst::never}, three()).agent == "chen");
}

TEST_CASE("choice: an absent owner's delegate takes his place; an owner who had it already does not get it again", "[leads]") {
    auto agents = three();
    agents[0].absent = true;
    agents[0].delegate = "chen";
    const auto choice = choose({.owner = "anna"}, agents);
    CHECK(choice.agent == "chen");
    CHECK(choice.trace.cause == "delegate");
    agents[0].delegate = "";
    CHECK(choose({.owner = "anna"}, agents).agent == "bo");
    CHECK(choose({.except = {"bo"}, .owner = "bo"}, three()).agent == "anna");
    agents[1].disabled = true;
    CHECK(choose({.owner = "bo"}, agents).agent == "chen");
}

TEST_CASE("choice: territory, skills, shift and room are sieves, and the trace counts what each leaves", "[leads]") {
    auto agents = three();
    agents.push_back({.id = "dora", .unit = "hq/east/a", .skills = {{"suv", 3}}, .on_shift = false});
    agents.push_back({.id = "egon", .unit = "hq/east/a", .skills = {{"suv", 3}}, .open = 2, .max_open = 2});
    agents.push_back({.id = "fred", .unit = "hq/east/a", .skills = {{"suv", 3}}, .today = 1, .max_per_day = 1});
    agents.push_back({.id = "gina", .unit = "hq/east/a", .skills = {{"van", 3}}});
    const auto choice = choose({.unit = "hq/east/a", .skills = {{"suv", 2}}}, agents);
    CHECK(choice.agent == "anna");
    CHECK(choice.trace.agents == 7);
    CHECK(choice.trace.in_unit == 5);
    CHECK(choice.trace.skilled == 4);
    CHECK(choice.trace.on_shift == 3);
    CHECK(choice.trace.with_room == 1);
    CHECK(choice.trace.considered == std::vector<std::string>{"anna"});
}

TEST_CASE("choice: nobody in the unit is nobody, unless the search may widen", "[leads]") {
    CHECK(choose({.unit = "hq/north"}, three()).agent.empty());
    CHECK(choose({.unit = "hq/north"}, three()).trace.cause == "nobody");
    const auto widened = choose({.unit = "hq/east/c/shop", .widen = true}, three());
    CHECK(widened.agent == "anna");
    CHECK(widened.trace.unit == "hq/east");
    CHECK(choose({}, {}).agent.empty());
    CHECK(choose({.unit = "hq/north"}, std::vector<Agent>{{.id = "all"}}).agent == "all");  // of no unit: of every one
}

TEST_CASE("choice: each strategy has its own order, the id ends it", "[leads]") {
    auto agents = three();
    agents[0].open = 4;
    agents[1].open = 4;
    agents[1].weight = 3;
    agents[2].open = 2;
    agents[0].share = 1.5;
    agents[1].share = 1.2;
    agents[2].share = 1.9;
    CHECK(choose({.strategy = Strategy::least_loaded}, agents).agent == "bo");
    CHECK(choose({.strategy = Strategy::fair_share}, agents).agent == "bo");
    CHECK(choose({.skills = {{"suv", 1}}, .strategy = Strategy::best_skill}, agents).agent == "bo");
    CHECK(choose({.strategy = Strategy::best_skill}, three()).agent == "anna");
    CHECK(choose({.strategy = Strategy::best_skill}, three()).trace.tie_break == "id");
}

TEST_CASE("choice: agents who are not ready count only where readiness is asked for", "[leads]") {
    auto agents = three();
    agents[0].ready = false;
    CHECK(choose({}, agents).agent == "anna");
    CHECK(choose({.require_ready = true}, agents).agent == "bo");
}

TEST_CASE("choice: who comes back after a long absence is not flooded", "[leads]") {
    auto agents = three();
    agents[0].turn = 100;
    agents[1].turn = 100;  // chen's is 0
    int to_chen = 0;
    for (int i = 0; i < 30; ++i) {
        const auto choice = choose({}, agents);
        for (auto& agent : agents)
            if (agent.id == choice.agent) agent.turn = choice.turn;
        to_chen += choice.agent == "chen" ? 1 : 0;
    }
    CHECK(to_chen <= 11);
    CHECK(to_chen >= 10);
}
