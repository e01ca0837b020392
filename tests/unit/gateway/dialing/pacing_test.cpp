#include "gateway/dialing/pacing.hpp"

#include <vector>

#include "gateway/dialing/governor.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::dialing;
using namespace std::chrono_literals;

namespace {

constexpr Instant noon = from_unix_ms(1'800'000'000'000);

Plan plan_of(Mode mode) {
    Plan plan;
    plan.mode = mode;
    return plan;
}

struct Room {
    std::vector<AgentView> agents;
    std::vector<LineView> lines;
    std::uint32_t waiting = 0;
    Room& with(std::size_t count, AgentPhase phase, Duration elapsed = 0s) {
        agents.insert(agents.end(), count, {phase, noon - elapsed});
        return *this;
    }
    Room& dialed(std::size_t count, Duration elapsed = 1s) {
        lines.insert(lines.end(), count, {noon - elapsed, 0.3});
        return *this;
    }
    [[nodiscard]] PacingView view() const { return {.agents = agents, .lines = lines, .waiting = waiting}; }
};

Pace decide(const Plan& plan, const Room& room, const DialStatistics& statistics = DialStatistics{}) {
    return make_pacer(plan)->decide(noon, room.view(), statistics);
}

// A campaign that has learned: 10,000 answers with so many dropped, talks of 3 minutes, answers after 5 to 10 seconds.
DialStatistics experienced(const Plan& plan, int dropped = 100) {
    DialStatistics statistics{plan};
    for (int i = 0; i < 10'000; ++i) {
        statistics.drops.answered(noon - 1h + Duration{i}, {.dropped = i < dropped});
        if (i >= 3'000) continue;
        statistics.talk.ended_after(Duration{60'000 + (i % 240) * 1'000});
        statistics.wrap_up.ended_after(Duration{10'000 + (i % 20) * 1'000});
        statistics.dial_ended({.segment = "a"}, i % 10 < 3 ? Duration{5'000 + i % 5'000} : Duration{20'000}, i % 10 < 3);
    }
    return statistics;
}

}  // namespace

TEST_CASE("pacing: preview dials nothing of its own accord", "[dialing]") {
    CHECK(decide(plan_of(Mode::preview), Room{}.with(5, AgentPhase::free)).dial == 0);
    CHECK(decide(plan_of(Mode::preview), Room{}.with(5, AgentPhase::free)).limit == "mode");
}

TEST_CASE("pacing: progressive has one line for each free agent", "[dialing]") {
    const auto plan = plan_of(Mode::progressive);
    CHECK(decide(plan, Room{}.with(5, AgentPhase::free).with(9, AgentPhase::talking)).dial == 5);
    CHECK(decide(plan, Room{}.with(5, AgentPhase::free).dialed(3)).dial == 2);
    auto waiting = Room{}.with(5, AgentPhase::free).dialed(3);
    waiting.waiting = 2;
    CHECK(decide(plan, waiting).dial == 0);
    CHECK(decide(plan, Room{}.with(1, AgentPhase::free).dialed(4)).dial == 0);  // agents went away
    CHECK(decide(plan, Room{}).dial == 0);
}

TEST_CASE("pacing: power has its lines for each free agent, whole ones", "[dialing]") {
    auto plan = plan_of(Mode::power);
    plan.lines_per_agent = 1.5;
    CHECK(decide(plan, Room{}.with(3, AgentPhase::free)).dial == 4);
    CHECK(decide(plan, Room{}.with(2, AgentPhase::free).dialed(1)).dial == 2);
    CHECK(decide(plan, Room{}.with(1, AgentPhase::free)).dial == 1);
}

TEST_CASE("pacing: lines, trunks and recipients hold every law back", "[dialing]") {
    auto plan = plan_of(GENERATE(Mode::progressive, Mode::power, Mode::predictive));
    plan.lines_per_agent = 3;
    plan.max_lines = 6;
    const auto room = Room{}.with(20, AgentPhase::free).dialed(2);
    const auto statistics = experienced(plan);
    auto view = room.view();
    const auto pacer = make_pacer(plan);
    CHECK(pacer->decide(noon, view, statistics).dial == 4);
    CHECK(pacer->decide(noon, view, statistics).limit == "lines");
    view.room = 3;
    CHECK(pacer->decide(noon, view, statistics).dial == 3);
    CHECK(pacer->decide(noon, view, statistics).limit == "trunks");
    view.recipients = 1;
    CHECK(pacer->decide(noon, view, statistics).dial == 1);
    CHECK(pacer->decide(noon, view, statistics).limit == "recipients");
}

TEST_CASE("governor: without proof that the bound holds nobody is dialed without an agent", "[dialing]") {
    const auto plan = plan_of(Mode::predictive);
    DialStatistics fresh{plan};
    const auto room = Room{}.with(4, AgentPhase::free).with(40, AgentPhase::talking, 10min);
    CHECK(decide(plan, room, fresh).dial == 4);
    CHECK(decide(plan, room, fresh).limit == "zero_drop");
    CHECK(Governor{plan}.accepted_risk(noon, fresh.drops) == 0);
    // 98 answers without a drop: up to 3.01 % is possible. Of 300, three dropped ones are 1 %, and proof of nothing better than 2.56 %.
    for (int i = 0; i < 98; ++i) fresh.drops.answered(noon, {});
    CHECK(Governor{plan}.accepted_risk(noon, fresh.drops) == 0);
    for (int i = 0; i < 199; ++i) fresh.drops.answered(noon, {});
    CHECK(Governor{plan}.accepted_risk(noon, fresh.drops) > 0);
    for (int i = 0; i < 3; ++i) fresh.drops.answered(noon, {.dropped = true});
    CHECK(Governor{plan}.accepted_risk(noon, fresh.drops) == 0);
}

TEST_CASE("governor: an experienced campaign dials ahead of agents who are about to be free", "[dialing]") {
    const auto plan = plan_of(Mode::predictive);
    const auto statistics = experienced(plan);
    const auto busy = Room{}.with(40, AgentPhase::wrapping, 25s);   // nearly all free within 10 s
    const auto talking = Room{}.with(40, AgentPhase::talking, 5s);  // nobody is
    CHECK(decide(plan, busy, statistics).dial > 20);
    CHECK(decide(plan, busy, statistics).limit != "zero_drop");
    CHECK(decide(plan, talking, statistics).dial == 0);
    const auto more = decide(plan, Room{}.with(40, AgentPhase::wrapping, 25s).dialed(30, 2s), statistics).dial;
    CHECK(more < decide(plan, busy, statistics).dial);
    auto waiting = Room{}.with(40, AgentPhase::wrapping, 25s);
    waiting.waiting = 10;
    CHECK(decide(plan, waiting, statistics).dial < decide(plan, busy, statistics).dial);
}

TEST_CASE("governor: free agents always get a line each, more only by the forecast", "[dialing]") {
    const auto plan = plan_of(Mode::predictive);
    const auto statistics = experienced(plan);
    CHECK(decide(plan, Room{}.with(1, AgentPhase::free), statistics).dial >= 1);
    // Three in ten answer. With many drops to spare half of the last answers may find nobody; with few hardly any.
    CHECK(decide(plan, Room{}.with(10, AgentPhase::free), statistics).dial > 30);
    const auto careful = decide(plan, Room{}.with(10, AgentPhase::free), experienced(plan, 268)).dial;
    CHECK(careful > 10);
    CHECK(careful < 22);
}

TEST_CASE("governor: the more was dropped, the fewer are dialed; at the bound it is zero-drop", "[dialing]") {
    const auto plan = plan_of(Mode::predictive);
    const auto room = Room{}.with(10, AgentPhase::free).with(30, AgentPhase::talking, 3min);
    auto last = decide(plan, room, experienced(plan, 0)).dial;
    for (const int dropped : {100, 200, 250, 265}) {
        const auto next = decide(plan, room, experienced(plan, dropped)).dial;
        CHECK(next <= last);
        last = next;
    }
    CHECK(decide(plan, room, experienced(plan, 280)).dial == 10);
    CHECK(decide(plan, room, experienced(plan, 280)).limit == "zero_drop");
    CHECK(decide(plan, room, experienced(plan, 0)).dial > 10);
}

TEST_CASE("governor: with a bound of zero there are never more lines than free agents", "[dialing]") {
    auto plan = plan_of(Mode::predictive);
    plan.max_drop_percent = 0;
    const auto statistics = experienced(plan, 0);
    CHECK(decide(plan, Room{}.with(3, AgentPhase::free).with(50, AgentPhase::wrapping, 30s).dialed(1), statistics).dial == 2);
}

TEST_CASE("governor: a new window of the campaign must be proven again", "[dialing]") {
    auto plan = plan_of(Mode::predictive);
    plan.drop_window = 24h;
    auto statistics = experienced(plan);
    const Governor governor{plan};
    CHECK(governor.accepted_risk(noon, statistics.drops) > 0);
    CHECK(governor.accepted_risk(noon + 48h, statistics.drops) == 0);
}

TEST_CASE("drop ledger: what leaves the window is not counted, what is in it is", "[dialing]") {
    DropLedger ledger{24h};
    ledger.answered(noon, {.dropped = true});
    for (int hour = 1; hour <= 23; ++hour) ledger.answered(noon + hour * 1h, {});
    CHECK(ledger.last_window(noon + 23h).dropped == 1);
    CHECK(ledger.current_period(noon + 23h).dropped == 1);
    for (int hour = 24; hour <= 30; ++hour) ledger.answered(noon + hour * 1h, {.machine = hour == 30});
    CHECK(ledger.last_window(noon + 30h).dropped == 0);
    CHECK(ledger.last_window(noon + 30h).live == 24);
    CHECK(ledger.last_window(noon + 30h).machines == 1);
    CHECK(ledger.last_window_inner(noon + 30h).live == 23);
    CHECK(ledger.current_period(noon + 30h).live == 6);     // since the second day began
    CHECK(ledger.current_period(noon + 30h).machines == 1);
    CHECK(ledger.current_period(noon + 72h).live == 0);
    CHECK(ledger.last_window(noon + 100h).live == 0);
    ledger.answered(noon + 2h, {});                         // a clock that was set back
    CHECK(ledger.last_window(noon + 30h).live == 25);
}

TEST_CASE("drop ledger: each jurisdiction counts in its own way", "[dialing]") {
    measure::DialCounts counts;
    counts.live = 100;
    counts.machines = 50;
    counts.dropped = 3;
    counts.reached_queue = 120;
    counts.connected = 97;
    const auto count = [&](measure::DropRate kind, double share = 0) {
        const auto made = drop_count(kind, counts, share);
        return std::pair{made.dropped, made.counted};
    };
    CHECK(count(measure::DropRate::tsr) == std::pair<std::uint64_t, std::uint64_t>{3, 100});
    CHECK(count(measure::DropRate::gc_all) == std::pair<std::uint64_t, std::uint64_t>{3, 150});
    CHECK(count(measure::DropRate::gc_queue) == std::pair<std::uint64_t, std::uint64_t>{3, 120});
    CHECK(count(measure::DropRate::ofcom, 0.5) == std::pair<std::uint64_t, std::uint64_t>{2, 99});
}

TEST_CASE("drops allowed: as many as keep the upper limit under the bound", "[dialing]") {
    CHECK(drops_allowed(0, 0.03, 0.95) == -1);
    CHECK(drops_allowed(98, 0.03, 0.95) == -1);   // 0 of 98 may be 3.01 %
    CHECK(drops_allowed(99, 0.03, 0.95) == 0);
    CHECK(drops_allowed(200, 0.03, 0.95) == 1);   // 3 of 200 may be 3.83 %, 2 still 3.11 %
    CHECK(drops_allowed(200, 0.03831, 0.95) == 3);
    CHECK(drops_allowed(10'000, 0.03, 0.95) == 271);
    CHECK(drops_allowed(100, 0, 0.95) == -1);
    CHECK(drops_allowed(100, 1, 0.95) == 100);
}
