#include "gateway/dialing/governor.hpp"

#include <algorithm>
#include <cmath>

#include "gateway/dialing/count_distribution.hpp"

namespace touchgate::dialing {

Governor::Governor(const Plan& plan, const GovernorTuning& tuning) : plan_{plan}, tuning_{tuning} {}

double free_within(const AgentView& agent, Instant now, Duration horizon, const DialStatistics& statistics) {
    const auto elapsed = std::max(Duration{0}, now - agent.since);
    switch (agent.phase) {
        case AgentPhase::free: return 1;
        case AgentPhase::wrapping: return statistics.wrap_up.ends_within(elapsed, horizon);
        case AgentPhase::talking: break;
    }
    // The talk ends in one of a few steps of the horizon, from the middle of which the wrap-up has what is left of it.
    constexpr int steps = 6;
    double sum = 0;
    double ended_before = 0;
    for (int step = 1; step <= steps; ++step) {
        const auto ended = statistics.talk.ends_within(elapsed, horizon * step / steps);
        sum += (ended - ended_before) * statistics.wrap_up.ends_within(Duration{0}, horizon * (2 * (steps - step) + 1) / (2 * steps));
        ended_before = ended;
    }
    return sum;
}

double Governor::accepted_risk(Instant now, const DropLedger& drops) const {
    const auto bound = plan_.max_drop_percent / 100;
    if (bound <= 0) return 0;
    auto risk = tuning_.risk_max;
    for (const auto& counts : {drops.last_window(now), drops.last_window_inner(now), drops.current_period(now)}) {
        const auto count = drop_count(plan_.drop_rate, counts, plan_.machine_share);
        const auto allowed = drops_allowed(count.counted, bound, tuning_.confidence);
        const auto left = static_cast<double>(allowed - static_cast<std::int64_t>(count.dropped));
        if (left < 1) return 0;
        const auto ease = tuning_.ease_least + tuning_.ease * std::sqrt(static_cast<double>(allowed));
        risk = std::min(risk, tuning_.risk_base * std::exp(left / ease));
    }
    return risk;
}

Pace Governor::decide(Instant now, const PacingView& view, const DialStatistics& statistics) {
    const auto risk = accepted_risk(now, statistics.drops);
    const auto free = free_agents(view);
    const auto out = view.lines.size() + view.waiting;
    Pace pace{.dial = free > out ? static_cast<std::uint32_t>(free - out) : 0, .limit = "zero_drop", .risk_accepted = risk};
    if (risk <= 0 || view.agents.empty()) return limited(pace, plan_, view);

    // Answers minus agents that came free, at the time at which the next line would be answered.
    const auto horizon = statistics.ring.answered_within(tuning_.horizon_share);
    CountDistribution excess{static_cast<std::int64_t>(view.waiting) - static_cast<std::int64_t>(free)};
    for (const auto& agent : view.agents)
        if (agent.phase != AgentPhase::free) excess.subtract(free_within(agent, now, horizon + plan_.no_agent_within, statistics));
    for (const auto& line : view.lines)
        excess.add(statistics.ring.answers_within(std::max(Duration{0}, now - line.dialed_at), horizon, line.answer_rate));
    const auto one_more = statistics.ring.answers_within(Duration{0}, horizon, view.next_answer_rate);
    const auto most = std::min<std::uint64_t>({plan_.max_lines, view.room, view.recipients});
    std::uint32_t lines = 0;
    // Somebody answers and there are already as many answers as agents: nobody is left.
    while (lines < most && excess.at_least(0) <= risk) {
        ++lines;
        excess.add(one_more);
    }
    // Agents who sit free with no line out get theirs whatever the forecast says: such a line cannot be dropped for want of them.
    if (lines > pace.dial) pace.limit = "drop_bound";
    pace.dial = std::max(pace.dial, lines);
    return limited(pace, plan_, view);
}

}  // namespace touchgate::dialing
