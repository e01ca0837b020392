// Laws of dialing for all inputs: exact distributions against enumeration, limits against a plain count of what was dialed, the governor's restraint,
// and state that survives being written down.
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <vector>

#include "gateway/base/random.hpp"
#include "gateway/dialing/count_distribution.hpp"
#include "gateway/dialing/governor.hpp"
#include "gateway/dialing/trunk_pool.hpp"
#include "gateway/engine/event_codec.hpp"
#include "gateway/policy/binomial_bound.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::dialing;
using namespace std::chrono_literals;

namespace {

// Tests per property, unless the environment says otherwise. RapidCheck reads it at the first check, and prints the seed.
const int tests_per_property = setenv("RC_PARAMS", "max_success=1000 max_size=1000", 0);

constexpr Instant noon = from_unix_ms(1'800'000'000'000);

std::int64_t below(Random& random, std::int64_t bound) { return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bound))); }

DialStatistics random_statistics(Random& random, const Plan& plan) {
    DialStatistics statistics{plan};
    const auto answers = below(random, 3'000);
    const auto drop_chance = random.unit() * 0.04;
    for (std::int64_t i = 0; i < answers; ++i) statistics.drops.answered(noon - Duration{below(random, 1'000'000) + 1}, {.dropped = random.chance(drop_chance)});
    for (auto i = below(random, 200); i > 0; --i) {
        statistics.talk.ended_after(Duration{below(random, 600'000)});
        statistics.wrap_up.ended_after(Duration{below(random, 60'000)});
        statistics.dial_ended({.segment = random.chance(0.5) ? "a" : "b", .hour = static_cast<std::uint8_t>(random.below(24))}, Duration{below(random, 25'000)},
                              random.chance(0.4));
    }
    return statistics;
}

struct RandomRoom {
    std::vector<AgentView> agents;
    std::vector<LineView> lines;
    std::uint32_t waiting = 0;
    explicit RandomRoom(Random& random) {
        for (auto i = below(random, 30); i > 0; --i) agents.push_back({static_cast<AgentPhase>(random.below(3)), noon - Duration{below(random, 400'000)}});
        for (auto i = below(random, 30); i > 0; --i) lines.push_back({noon - Duration{below(random, 25'000)}, random.unit()});
        waiting = static_cast<std::uint32_t>(random.below(4));
    }
    [[nodiscard]] PacingView view() const { return {.agents = agents, .lines = lines, .waiting = waiting}; }
};

template <class T> std::string dump(T& state) {
    ByteWriter bytes;
    FieldWriter writer{bytes};
    state.fields(writer);
    return bytes.bytes();
}
template <class T> void load(T& state, const std::string& text) {
    ByteReader bytes{text};
    FieldReader reader{bytes};
    state.fields(reader);
    RC_ASSERT_FALSE(bytes.failed());
}

}  // namespace

TEST_CASE("property: a distribution of counts is what enumeration gives", "[dialing][property]") {
    REQUIRE(tests_per_property == 0);
    CHECK(rc::check("enumeration", [](std::uint64_t seed) {
        Random random{seed};
        const auto count = 1 + random.below(9);
        std::vector<std::pair<double, int>> events;  // probability, step
        for (std::uint64_t i = 0; i < count; ++i) events.emplace_back(random.chance(0.1) ? std::round(random.unit()) : random.unit(), random.chance(0.5) ? 1 : -1);
        const auto start = below(random, 7) - 3;
        std::map<std::int64_t, double> exact;
        for (std::uint64_t ways = 0; ways < (1ULL << count); ++ways) {
            auto value = start;
            double probability = 1;
            for (std::size_t i = 0; i < events.size(); ++i) {
                const bool happens = (ways >> i & 1U) != 0;
                probability *= happens ? events[i].first : 1 - events[i].first;
                value += happens ? events[i].second : 0;
            }
            exact[value] += probability;
        }
        CountDistribution counted{start};
        for (const auto& [probability, step] : events) step > 0 ? counted.add(probability) : counted.subtract(probability);
        for (std::int64_t value = -15; value <= 15; ++value) {
            double tail = 0;
            double excess = 0;
            for (const auto& [each, probability] : exact) {
                tail += each >= value ? probability : 0;
                excess += each > value ? probability * static_cast<double>(each - value) : 0;
            }
            RC_ASSERT(std::abs(counted.at_least(value) - tail) < 1e-9);
            RC_ASSERT(std::abs(counted.mean_excess(value) - excess) < 1e-8);
        }
    }));
}

TEST_CASE("property: the drops allowed are the most that keep the limit under the bound", "[dialing][property]") {
    CHECK(rc::check("allowed", [](std::uint64_t seed) {
        Random random{seed};
        const auto counted = 1 + random.below(random.chance(0.5) ? 1'000 : 200'000);
        const auto bound = 0.001 + random.unit() * 0.2;
        const auto allowed = drops_allowed(counted, bound, 0.95);
        RC_LOG() << allowed << " of " << counted << " at " << bound << "\n";
        RC_ASSERT(allowed < static_cast<std::int64_t>(counted));
        if (allowed >= 0) RC_ASSERT(policy::share_upper_bound(static_cast<std::uint64_t>(allowed), counted, 0.95) <= bound + 1e-9);
        RC_ASSERT(policy::share_upper_bound(static_cast<std::uint64_t>(allowed + 1), counted, 0.95) > bound - 1e-9);
    }));
}

TEST_CASE("property: the ledger's windows enclose a plain count", "[dialing][property]") {
    CHECK(rc::check("ledger", [](std::uint64_t seed) {
        Random random{seed};
        const auto window = Duration{std::chrono::hours{1 + below(random, 100)}};
        DropLedger ledger{window};
        std::vector<std::pair<Instant, bool>> all;
        auto now = noon;
        for (auto i = 1 + below(random, 200); i > 0; --i) {
            now += Duration{below(random, window.count() / 20)};
            all.emplace_back(now, random.chance(0.3));
            ledger.answered(now, {.dropped = all.back().second});
        }
        now += Duration{below(random, window.count())};
        std::int64_t live = 0;
        std::int64_t dropped = 0;
        std::int64_t period = 0;
        const auto began = all.front().first + (now - all.front().first) / window * window;
        for (const auto& [at, was_dropped] : all) {
            live += at > now - window ? 1 : 0;
            dropped += at > now - window && was_dropped ? 1 : 0;
            period += at >= began ? 1 : 0;
        }
        RC_ASSERT((ledger.last_window_inner(now).live <= live && live <= ledger.last_window(now).live));
        RC_ASSERT((ledger.last_window_inner(now).dropped <= dropped && dropped <= ledger.last_window(now).dropped));
        RC_ASSERT(ledger.current_period(now).live == period);
    }));
}

TEST_CASE("property: the governor never leaves a free agent without a line nor breaks a limit, and drops make it no bolder", "[dialing][property]") {
    CHECK(rc::check("governor", [](std::uint64_t seed) {
        Random random{seed};
        Plan plan;
        plan.mode = Mode::predictive;
        plan.max_drop_percent = random.chance(0.2) ? 0 : random.unit() * 6;
        plan.max_lines = 1 + static_cast<std::uint32_t>(random.below(60));
        auto statistics = random_statistics(random, plan);
        const RandomRoom room{random};
        auto view = room.view();
        view.room = static_cast<std::uint32_t>(random.below(40));
        view.recipients = static_cast<std::uint32_t>(random.below(40));
        view.next_answer_rate = random.unit();
        Governor governor{plan};
        const auto pace = governor.decide(noon, view, statistics);
        const auto out = view.lines.size() + view.waiting;
        RC_ASSERT(pace.dial <= view.room);
        RC_ASSERT(pace.dial <= view.recipients);
        RC_ASSERT((pace.dial == 0 || pace.dial + out <= plan.max_lines));
        const std::size_t free = free_agents(view);
        const auto wanted = free > out ? free - out : 0;
        const auto possible = std::min<std::size_t>({wanted, view.room, view.recipients, plan.max_lines > out ? plan.max_lines - out : 0});
        RC_ASSERT(pace.dial >= possible);
        if (pace.risk_accepted <= 0) RC_ASSERT(pace.dial == possible);
        if (plan.max_drop_percent <= 0) RC_ASSERT(pace.risk_accepted == 0);
        for (int i = 0; i < 5; ++i) statistics.drops.answered(noon, {.dropped = true});
        RC_ASSERT(governor.decide(noon, view, statistics).dial <= pace.dial);
    }));
}

TEST_CASE("property: retries end, and never exceed the attempts allowed", "[dialing][property]") {
    CHECK(rc::check("retries", [](std::uint64_t seed) {
        Random random{seed};
        Plan plan;
        plan.max_attempts = 1 + static_cast<std::uint32_t>(random.below(8));
        for (Outcome outcome = 1; outcome < policy::call_outcome_words.size(); ++outcome)
            if (random.chance(0.6)) plan.retry.push_back({outcome, Duration{below(random, 100'000)}, static_cast<std::uint32_t>(random.below(4))});
        std::vector<Outcome> outcomes;
        auto now = noon;
        for (;;) {
            outcomes.push_back(static_cast<Outcome>(1 + random.below(policy::call_outcome_words.size() - 1)));
            RC_ASSERT(outcomes.size() <= plan.max_attempts);
            const auto next = next_attempt(plan, outcomes, now);
            RC_ASSERT(next.at.has_value() == next.why.empty());
            if (!next.at) break;
            RC_ASSERT((*next.at >= now && is_retryable(outcomes.back())));
            now = *next.at;
        }
    }));
}

TEST_CASE("property: no limit of a trunk or a number is ever exceeded, and nothing waits that could go", "[dialing][property]") {
    CHECK(rc::check("trunks", [](std::uint64_t seed) {
        Random random{seed};
        TrunkTerms trunk;
        trunk.name = "a";
        trunk.max_calls = 1 + static_cast<std::uint32_t>(random.below(12));
        trunk.inbound_reserve = static_cast<std::uint32_t>(random.below(trunk.max_calls));
        if (random.chance(0.5)) trunk.calls_per_second = 1 + static_cast<double>(random.below(5));
        for (auto i = random.below(4); i > 0; --i) {
            CallerIdTerms number;
            number.number = "+8610000" + std::to_string(i);
            number.region = random.chance(0.5) ? "bj" : "sh";
            if (random.chance(0.7)) number.per_hour = 1 + static_cast<std::uint32_t>(random.below(20));
            if (random.chance(0.7)) number.per_day = 1 + static_cast<std::uint32_t>(random.below(60));
            if (random.chance(0.5)) number.max_calls = 1 + static_cast<std::uint32_t>(random.below(4));
            trunk.caller_ids.push_back(number);
        }
        trunk.rest.answer_rate_below = 0;  // nobody rests: the plain count below does not know
        trunk.rest.short_calls_above = 1;
        TrunkPool pool{{trunk}};
        struct Dial { Instant at; std::string number; bool over = false, inbound = false; };
        std::map<std::string, Dial> calls;
        auto now = noon;
        const auto count = [&](const auto& which) { return std::count_if(calls.begin(), calls.end(), [&](const auto& entry) { return which(entry.second); }); };
        for (int step = 0; step < 250; ++step) {
            now += Duration{below(random, random.chance(0.05) ? 20'000'000 : 800)};
            const auto name = "call" + std::to_string(step);
            if (random.chance(0.15)) {
                pool.arrived(name, "a");
                calls[name] = {now, {}, false, true};
            } else if (random.chance(0.4)) {
                for (auto& [each, dial] : calls)
                    if (!dial.over && random.chance(0.3)) {
                        dial.over = true;
                        pool.ended(now, each, {.answered = random.chance(0.5), .talked = Duration{below(random, 20'000)}});
                    }
            } else {
                const auto made = pool.choose(now, {.contact = random.below(6), .region = random.chance(0.5) ? "bj" : ""});
                const auto inbound = count([](const Dial& dial) { return !dial.over && dial.inbound; });
                const auto outbound = count([](const Dial& dial) { return !dial.over && !dial.inbound; });
                const auto reserved = std::max<std::int64_t>(0, trunk.inbound_reserve - inbound);
                const bool line_free = outbound + inbound + reserved < trunk.max_calls;
                const auto usable = [&](const CallerIdTerms& terms) {
                    const auto since = [&](Duration window) {
                        return count([&](const Dial& dial) { return dial.number == terms.number && dial.at > now - window; });
                    };
                    const auto at_once = count([&](const Dial& dial) { return !dial.over && dial.number == terms.number; });
                    return (!terms.per_hour || since(1h) < *terms.per_hour) && (!terms.per_day || since(24h) < *terms.per_day) &&
                           (!terms.max_calls || at_once < *terms.max_calls);
                };
                const bool number_free = trunk.caller_ids.empty() || std::any_of(trunk.caller_ids.begin(), trunk.caller_ids.end(), usable);
                if (const auto* choice = std::get_if<TrunkPool::Choice>(&made)) {
                    RC_ASSERT((line_free && number_free));
                    if (trunk.calls_per_second > 0)
                        RC_ASSERT(static_cast<double>(count([&](const Dial& dial) { return !dial.inbound && dial.at > now - 1s; })) < trunk.calls_per_second);
                    for (const auto& terms : trunk.caller_ids)
                        if (terms.number == choice->caller_id) RC_ASSERT(usable(terms));
                    RC_ASSERT(pool.room(now) > 0);
                    pool.dialed(now, name, choice->name, choice->caller_id, 1 + random.below(5));
                    calls[name] = {now, choice->caller_id, false, false};
                } else if (trunk.calls_per_second <= 0) {
                    RC_ASSERT_FALSE(line_free && number_free);
                } else if (const auto until = std::get<TrunkPool::Refusal>(made).until) {
                    RC_ASSERT(*until > now);
                }
            }
            if (random.chance(0.05)) {
                const auto dumped = dump(pool);
                TrunkPool again{{trunk}};
                load(again, dumped);
                RC_ASSERT(dump(again) == dumped);
            }
        }
    }));
}

TEST_CASE("property: what was learned decides the same after it was written and read", "[dialing][property]") {
    CHECK(rc::check("dump", [](std::uint64_t seed) {
        Random random{seed};
        Plan plan;
        plan.mode = Mode::predictive;
        auto statistics = random_statistics(random, plan);
        const auto text = dump(statistics);
        DialStatistics again{plan};
        load(again, text);
        RC_ASSERT(dump(again) == text);
        const RandomRoom room{random};
        auto view = room.view();
        view.next_answer_rate = statistics.answer_rates.rate({.segment = "a", .hour = 3});
        RC_ASSERT(view.next_answer_rate == again.answer_rates.rate({.segment = "a", .hour = 3}));
        RC_ASSERT(Governor{plan}.decide(noon, view, statistics).dial == Governor{plan}.decide(noon, view, again).dial);
    }));
}

TEST_CASE("property: survival falls from 1, and what ends sooner ends within longer", "[dialing][property]") {
    CHECK(rc::check("survival", [](std::uint64_t seed) {
        Random random{seed};
        SurvivalCurve curve{Duration{1 + below(random, 300'000)}, 0.5 + random.unit() * 5};
        for (auto i = below(random, 100); i > 0; --i) {
            const Duration lasted{below(random, random.chance(0.1) ? 50'000'000 : 500'000)};
            random.chance(0.9) ? curve.ended_after(lasted) : curve.lasted_at_least(lasted);
        }
        double last = 1;
        for (std::int64_t ms = 0; ms < 2'000'000; ms += 7'777) {
            const auto now = curve.survives(Duration{ms});
            RC_ASSERT((now <= last + 1e-12 && now >= 0));
            last = now;
            const auto ends = curve.ends_within(Duration{ms}, 10s);
            RC_ASSERT((ends >= 0 && ends <= 1 && ends <= curve.ends_within(Duration{ms}, 20s) + 1e-12));
        }
        const auto share = 0.01 + random.unit() * 0.98;
        const auto time = curve.outlasted_by(share);
        if (time > 5s && time < 10h) RC_ASSERT(std::abs(curve.survives(time) - share) < 0.01);
    }));
}
