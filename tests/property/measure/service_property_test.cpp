// Laws that hold for all counts and timelines: levels are shares, times add up to the millisecond, intervals add up, Erlang's formulas are monotone.
#include <rapidcheck.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "gateway/base/random.hpp"
#include "gateway/measure/agent_time.hpp"
#include "gateway/measure/erlang.hpp"
#include "gateway/measure/service.hpp"
#include "gateway/measure/wait_estimate.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::measure;

namespace {

// Tests per property, unless the environment says otherwise. RapidCheck reads it at the first check, and prints the seed.
const int tests_per_property = setenv("RC_PARAMS", "max_success=1000 max_size=1000", 0);

std::int64_t below(Random& random, std::int64_t bound) { return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bound) + 1)); }

// Counts that a queue can really have: every item has one end.
QueueCounts random_queue(Random& random) {
    QueueCounts counts;
    counts.answered = below(random, 500);
    counts.answered_within = below(random, counts.answered);
    counts.abandoned = below(random, 100);
    counts.abandoned_within = below(random, counts.abandoned);
    counts.abandoned_short = below(random, counts.abandoned_within);
    counts.flowed_out = below(random, 50);
    counts.flowed_out_within = below(random, counts.flowed_out);
    counts.offered = counts.answered + counts.abandoned + counts.flowed_out;
    counts.handled = counts.answered;
    counts.wait_of_answered = Duration{below(random, 1'000'000)};
    return counts;
}

}  // namespace

TEST_CASE("property: service levels are shares, and agree where nobody gives up", "[measure][property]") {
    REQUIRE(tests_per_property == 0);
    CHECK(rc::check("shares", [](std::uint64_t seed) {
        Random random{seed};
        auto counts = random_queue(random);
        RC_ASSERT(unaccounted(counts) == 0);
        for (const auto* word : {"offered", "answered", "sl2", "excluding_abandons", "ac"}) {
            const auto level = service_level(*parse_service_level(word), counts);
            if (level) RC_ASSERT((*level >= 0 && *level <= 1));
        }
        counts.offered -= counts.abandoned + counts.flowed_out;
        counts.abandoned = counts.abandoned_within = counts.abandoned_short = counts.flowed_out = counts.flowed_out_within = 0;
        const auto level = service_level(ServiceLevel::offered, counts);
        for (const auto* word : {"answered", "sl2", "excluding_abandons", "ac"}) RC_ASSERT(service_level(*parse_service_level(word), counts) == level);
    }));
}

TEST_CASE("property: the measure of a sum lies between those of its parts", "[measure][property]") {
    CHECK(rc::check("mediant", [](std::uint64_t seed) {
        Random random{seed};
        const auto first = random_queue(random);
        const auto second = random_queue(random);
        auto sum = first;
        sum += second;
        RC_ASSERT(unaccounted(sum) == 0);
        const auto a = service_level(ServiceLevel::offered, first);
        const auto b = service_level(ServiceLevel::offered, second);
        const auto both = service_level(ServiceLevel::offered, sum);
        if (!a || !b) return;
        RC_ASSERT((*both >= std::min(*a, *b) - 1e-12 && *both <= std::max(*a, *b) + 1e-12));
    }));
}

TEST_CASE("property: an agent's time adds up to the millisecond, as a clock that ticks through it", "[measure][property]") {
    CHECK(rc::check("timeline", [](std::uint64_t seed) {
        Random random{seed};
        AgentTimeline agent;
        std::vector<std::pair<std::int64_t, AgentState>> plain;  // as the last of those at or before a moment
        std::int64_t at = 1'000;
        for (auto count = random.below(20); count > 0; --count) {
            at += below(random, 30);
            const auto state = static_cast<AgentState>(random.below(agent_state_words.size()));
            agent.change(from_unix_ms(at), state);
            plain.emplace_back(at, state);
        }
        const auto from = 900 + below(random, 400);
        const auto to = from + below(random, 400);
        std::array<Duration, agent_state_words.size()> ticked{};
        for (auto tick = from; tick < to; ++tick) {
            auto state = AgentState::offline;
            for (const auto& [since, changed] : plain)
                if (since <= tick) state = changed;
            ticked[static_cast<std::size_t>(state)] += Duration{1};
        }
        const auto times = agent.between(from_unix_ms(from), from_unix_ms(to));
        RC_ASSERT(times.in == ticked);
        RC_ASSERT(times.total() == Duration{to - from});
        RC_ASSERT(times.handling() + times.idle() <= times.signed_in());
        // Cut anywhere, the parts are the whole; also when the past was forgotten.
        const auto cut = from_unix_ms(from + below(random, to - from));
        auto parts = agent.between(from_unix_ms(from), cut);
        agent.forget_before(cut);
        parts += agent.between(cut, from_unix_ms(to));
        RC_ASSERT(parts.in == ticked);
    }));
}

TEST_CASE("property: covered time is what a clock counts", "[measure][property]") {
    CHECK(rc::check("coverage", [](std::uint64_t seed) {
        Random random{seed};
        std::vector<TimeSpan> spans;
        for (auto count = random.below(8); count > 0; --count) {
            const auto from = below(random, 200);
            spans.push_back({from_unix_ms(from), from_unix_ms(from + below(random, 60))});
        }
        const TimeSpan window{from_unix_ms(below(random, 100)), from_unix_ms(100 + below(random, 100))};
        Coverage ticked;
        for (auto tick = window.from; tick < window.to; tick += Duration{1}) {
            std::int64_t open = 0;
            for (const auto& span : spans) open += span.from <= tick && tick < span.to ? 1 : 0;
            ticked.sum += Duration{open};
            ticked.at_least_one += Duration{open > 0 ? 1 : 0};
        }
        const auto covered = coverage(spans, window);
        RC_ASSERT(covered.sum == ticked.sum);
        RC_ASSERT(covered.at_least_one == ticked.at_least_one);
    }));
}

TEST_CASE("property: Jain's index lies between 1/n and 1 and does not know the unit", "[measure][property]") {
    CHECK(rc::check("fairness", [](std::uint64_t seed) {
        Random random{seed};
        std::vector<double> shares(1 + random.below(20));
        for (auto& share : shares) share = random.chance(0.2) ? 0 : random.unit() * 100;
        const auto index = fairness(shares);
        if (!index) return;
        RC_ASSERT((*index <= 1 + 1e-12 && *index >= 1 / static_cast<double>(shares.size()) - 1e-12));
        for (auto& share : shares) share *= 7;
        RC_ASSERT(std::abs(*fairness(shares) - *index) < 1e-9);
    }));
}

TEST_CASE("property: more agents wait less, longer patience abandons less, and the staff found is the smallest", "[measure][property]") {
    CHECK(rc::check("erlang", [](std::uint64_t seed) {
        Random random{seed};
        const auto load = 0.1 + random.unit() * 200;
        const auto handling = 30 + random.unit() * 600;
        const auto agents = static_cast<std::uint32_t>(load) + 1 + static_cast<std::uint32_t>(random.below(40));
        const auto fewer = erlang_c(load, agents, handling);
        const auto more = erlang_c(load, agents + 1, handling);
        RC_ASSERT((fewer && more));
        RC_ASSERT((more->wait_probability < fewer->wait_probability && more->mean_wait < fewer->mean_wait));
        RC_ASSERT((fewer->wait_probability >= 0 && fewer->wait_probability <= 1));
        const auto patience = 5 + random.unit() * 500;
        const auto hasty = erlang_a(load, agents, handling, patience);
        const auto patient = erlang_a(load, agents, handling, patience * 2);
        RC_ASSERT((hasty && patient));
        RC_ASSERT(patient->abandon_probability <= hasty->abandon_probability + 1e-12);
        RC_ASSERT(hasty->wait_probability <= fewer->wait_probability + 1e-12);
        const StaffingGoal goal{.service_level = random.unit() * 0.99, .threshold_seconds = random.unit() * 60, .occupancy_max = 0.5 + random.unit() / 2};
        const auto staff = agents_needed(load, handling, goal);
        RC_ASSERT(staff.has_value());
        const auto meets = [&](std::uint32_t count) {
            return load < count && load / count <= goal.occupancy_max &&
                   erlang_c_service_level(load, count, handling, goal.threshold_seconds) >= goal.service_level - 1e-12;
        };
        RC_ASSERT(meets(staff->agents));
        RC_ASSERT_FALSE(staff->agents > 1 && load / (staff->agents - 1) <= goal.occupancy_max &&
                        erlang_c_service_level(load, staff->agents - 1, handling, goal.threshold_seconds) > goal.service_level + 1e-12);
    }));
}

TEST_CASE("property: nothing about the shape of departures makes a band that is no band", "[measure][property]") {
    CHECK(rc::check("band", [](std::uint64_t seed) {
        Random random{seed};
        WaitEstimate queue;
        auto at = from_unix_ms(1'000'000);
        for (auto count = random.below(40); count > 0; --count) {
            at += Duration{below(random, 100'000) - 5'000};
            queue.departed(at, random.chance(0.8));
        }
        for (std::uint32_t place = 1; place < 5; ++place) {
            const auto band = queue.at_place(place, at + Duration{below(random, 10'000)});
            if (!band) return;
            RC_ASSERT((Duration{0} <= band->low && band->low <= band->expected && band->expected <= band->high));
        }
    }));
}
