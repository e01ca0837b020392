#include "gateway/measure/agent_time.hpp"

#include <vector>

#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::measure;
using namespace std::chrono_literals;

namespace {

constexpr Instant nine = from_unix_ms(1'800'000'000'000);

AgentTimeline shift() {
    AgentTimeline agent;
    agent.change(nine, AgentState::not_ready);
    agent.change(nine + 60s, AgentState::ready);
    agent.change(nine + 100s, AgentState::ringing);
    agent.change(nine + 105s, AgentState::talking);
    agent.change(nine + 255s, AgentState::wrapup);
    agent.change(nine + 300s, AgentState::ready);
    return agent;
}

}  // namespace

TEST_CASE("agent time: each state gets what lies inside the interval", "[measure]") {
    const auto agent = shift();
    const auto all = agent.between(nine - 100s, nine + 400s);
    CHECK(all[AgentState::offline] == 100s);
    CHECK(all[AgentState::not_ready] == 60s);
    CHECK(all[AgentState::ready] == 140s);
    CHECK(all[AgentState::ringing] == 5s);
    CHECK(all[AgentState::talking] == 150s);
    CHECK(all[AgentState::wrapup] == 45s);
    CHECK(all.total() == 500s);
    CHECK(all.signed_in() == 400s);
    CHECK(*occupancy(all) == Approx(200.0 / 340));
    CHECK(*utilisation(all) == Approx(340.0 / 400));

    const auto inside = agent.between(nine + 110s, nine + 110s + 1ms);
    CHECK(inside[AgentState::talking] == 1ms);
    CHECK(inside.total() == 1ms);
    CHECK(agent.between(nine + 10s, nine + 10s).total() == 0s);
    CHECK(agent.between(nine + 10s, nine).total() == 0s);
    CHECK_FALSE(occupancy(StateTimes{}));
    CHECK_FALSE(utilisation(StateTimes{}));
}

TEST_CASE("agent time: a state without duration leaves nothing behind", "[measure]") {
    AgentTimeline agent;
    agent.change(nine, AgentState::offline);
    CHECK(agent.size() == 0);
    agent.change(nine, AgentState::ready);
    agent.change(nine + 5s, AgentState::reserved);
    agent.change(nine + 5s, AgentState::ready);  // given back at once
    CHECK(agent.size() == 1);
    CHECK(agent.state() == AgentState::ready);
    agent.change(nine + 9s, AgentState::ready);
    CHECK(agent.size() == 1);
    CHECK(agent.between(nine, nine + 10s)[AgentState::ready] == 10s);
}

TEST_CASE("agent time: a clock that is set back takes no time away", "[measure]") {
    auto agent = shift();
    agent.change(nine + 200s, AgentState::talking);
    CHECK(agent.state() == AgentState::talking);
    CHECK(agent.between(nine, nine + 400s).total() == 400s);
    CHECK(agent.between(nine, nine + 400s)[AgentState::ready] == 40s);
    CHECK(agent.between(nine, nine + 400s)[AgentState::talking] == 250s);
}

TEST_CASE("agent time: what is forgotten does not change what comes later", "[measure]") {
    auto agent = shift();
    const auto expected = agent.between(nine + 200s, nine + 400s);
    agent.forget_before(nine + 200s);
    CHECK(agent.size() == 3);
    CHECK(agent.between(nine + 200s, nine + 400s).in == expected.in);
    agent.forget_before(nine + 4'000s);
    CHECK(agent.state() == AgentState::ready);
}

TEST_CASE("agent time: chats beside each other count once for occupancy and each for concurrency", "[measure]") {
    const std::vector<TimeSpan> slots = {{nine, nine + 100s}, {nine + 50s, nine + 150s}, {nine + 60s, nine + 70s}, {nine + 200s, nine + 300s}, {nine + 90s, nine + 80s}};
    const auto covered = coverage(slots, {nine + 10s, nine + 250s});
    CHECK(covered.at_least_one == 190s);
    CHECK(covered.sum == 90s + 100s + 10s + 50s);
    CHECK(*concurrency(covered) == Approx(250.0 / 190));
    CHECK_FALSE(concurrency(coverage({}, {nine, nine + 1s})));
}
