// What must hold of leads whatever the configuration: fair shares, working time that adds up, scores within their bounds, a machine without ways out of its ends.
#include <rapidcheck.h>

#include <cmath>

#include "gateway/base/random.hpp"
#include "gateway/leads/choice.hpp"
#include "gateway/leads/scoring.hpp"
#include "gateway/leads/stages.hpp"
#include "gateway/leads/working_time.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::leads;

TEST_CASE("property: with the same agents every time, each gets what his weight promises, give or take one lead an agent", "[leads][property]") {
    CHECK(rc::check("shares", [](std::uint64_t seed) {
        Random random{seed};
        std::vector<Agent> agents(1 + random.below(8));
        double weights = 0;
        for (std::size_t i = 0; i < agents.size(); ++i) {
            agents[i].id = "agent-" + std::to_string(i);
            agents[i].weight = static_cast<double>(1 + random.below(4));
            weights += agents[i].weight;
        }
        std::vector<int> given(agents.size());
        const int count = 1 + static_cast<int>(random.below(200));
        for (int i = 0; i < count; ++i) {
            const auto choice = choose({.strategy = Strategy::weighted_round_robin}, agents);
            const auto who = static_cast<std::size_t>(std::stoi(choice.agent.substr(6)));
            agents[who].turn = choice.turn;
            ++given[who];
        }
        for (std::size_t i = 0; i < agents.size(); ++i) {
            const auto fair = count * agents[i].weight / weights;
            RC_ASSERT(std::abs(given[i] - fair) <= static_cast<double>(agents.size()) + 1e-9);
        }
    }));
}

TEST_CASE("property: nobody is chosen who is excluded, disabled, absent, off shift or full, and somebody is if anybody can", "[leads][property]") {
    CHECK(rc::check("sieves", [](std::uint64_t seed) {
        Random random{seed};
        std::vector<Agent> agents(random.below(7));
        for (std::size_t i = 0; i < agents.size(); ++i) {
            auto& agent = agents[i];
            agent.id = std::to_string(i);
            agent.unit = random.chance(0.5) ? "hq/a" : random.chance(0.5) ? "hq/b" : "hq";
            agent.disabled = random.chance(0.2);
            agent.absent = random.chance(0.2);
            agent.on_shift = !random.chance(0.2);
            agent.ready = random.chance(0.5);
            if (random.chance(0.5)) agent.skills["suv"] = static_cast<int>(random.below(6));
            agent.open = static_cast<std::uint32_t>(random.below(4));
            if (random.chance(0.5)) agent.max_open = static_cast<std::uint32_t>(random.below(4));
            agent.turn = random.unit() * 10;
            agent.share = random.unit() * 10;
        }
        Need need{.unit = random.chance(0.5) ? "hq/a" : "", .strategy = static_cast<Strategy>(1 + random.below(4))};
        if (random.chance(0.5)) need.skills["suv"] = 3;
        if (random.chance(0.5)) need.except = {"0"};
        need.require_ready = random.chance(0.5);
        const auto can = [&](const Agent& agent) {
            const auto skill = agent.skills.find("suv");
            return !agent.disabled && !agent.absent && agent.on_shift && (agent.ready || !need.require_ready) && agent.has_room() && (need.except.empty() || agent.id != "0") &&
                   (need.unit.empty() || agent.unit == "hq/a" || agent.unit.empty()) && (need.skills.empty() || (skill != agent.skills.end() && skill->second >= 3));
        };
        const auto able = std::count_if(agents.begin(), agents.end(), can);
        const auto choice = choose(need, agents);
        RC_ASSERT(choice.agent.empty() == (able == 0));
        RC_ASSERT(choice.trace.with_room == static_cast<std::uint32_t>(able));
        if (!choice.agent.empty()) RC_ASSERT(can(agents[static_cast<std::size_t>(std::stoi(choice.agent))]));
    }));
}

TEST_CASE("property: working time that is waited for is working time that has passed", "[leads][property]") {
    CHECK(rc::check("hours", [](std::uint64_t seed) {
        Random random{seed};
        Json open = Json::array();
        for (const auto* day : {"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
            if (random.chance(0.7)) {
                const auto from = random.below(20), to = from + 1 + random.below(23 - from);
                const auto clock = [](std::uint64_t hour) { return (hour < 10 ? "0" : "") + std::to_string(hour) + ":00"; };
                open.push_back({{"days", {day}}, {"from", clock(from)}, {"to", clock(to)}});
            }
        if (open.empty()) return;
        const auto zones = {"Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"};
        const Json document{{"zone", *(zones.begin() + random.below(4))}, {"open", open}};
        std::vector<Problem> problems;
        JsonReader reader{document, "", problems};
        const WorkingTime hours{reader, {}, "UTC"};
        RC_ASSERT(problems.empty());
        const Instant from{Duration{static_cast<std::int64_t>(1'700'000'000'000 + random.below(90'000'000'000))}};
        const Duration amount{static_cast<std::int64_t>(1 + random.below(100 * 3'600'000))};
        const auto until = hours.after(from, amount);
        RC_ASSERT(until != instant_never);
        RC_ASSERT(hours.between(from, until) == amount);
        RC_ASSERT(hours.between(from, until - Duration{1}) == amount - Duration{1});
        // It adds up, wherever it is cut.
        const auto middle = from + Duration{static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>((until - from).count())))};
        RC_ASSERT(hours.between(from, middle) + hours.between(middle, until) == amount);
    }));
}

TEST_CASE("property: a score stays from 0 to 100, is the sum of its parts, and fades towards its base", "[leads][property]") {
    CHECK(rc::check("scores", [](std::uint64_t seed) {
        Random random{seed};
        Scoring scoring{.base = static_cast<double>(random.below(50))};
        for (std::size_t i = random.below(6); i > 0; --i)
            scoring.rules.push_back({.name = "r" + std::to_string(i), .when = {}, .points = random.unit() * 100, .half_life = Duration{static_cast<std::int64_t>(1'000 + random.below(1'000'000))}, .each = {}});
        const Instant start{Duration{1'795'000'000'000}};
        const std::vector<Touchpoint> touchpoints{{.source = "x", .at = start}};
        const Facts facts{.touchpoints = touchpoints, .product = {}, .unit = {}, .contact = {}, .address = {}, .default_zone = {}};
        int before = 101;
        for (int step = 0; step < 6; ++step) {
            const auto made = score(scoring, facts, start + Duration{step * 400'000});
            double sum = 0;
            for (const auto& part : made.parts) sum += part.points;
            RC_ASSERT(made.value == std::lround(std::clamp(sum, 0.0, 100.0)));
            RC_ASSERT(made.value <= before);
            before = made.value;
        }
        RC_ASSERT(score(scoring, facts, start + Duration{100'000'000'000}).value == std::lround(scoring.base));
    }));
}

TEST_CASE("property: whatever is done, a lead that ended stays as it is, and every way that is found is allowed step by step", "[leads][property]") {
    CHECK(rc::check("stages", [](std::uint64_t seed) {
        Random random{seed};
        const auto any = [&] { return static_cast<Stage>(1 + random.below(9)); };
        const auto from = any(), to = any();
        auto at = from;
        for (const auto step : way_to(from, to)) {
            RC_ASSERT(may_go(at, step));
            at = step;
        }
        RC_ASSERT(at == from || at == to);
        if (is_closed(from)) RC_ASSERT(next_stages(from).empty());
    }));
}
