#include "gateway/dialing/pacing.hpp"

#include <algorithm>
#include <cmath>

#include "gateway/dialing/governor.hpp"

namespace touchgate::dialing {

namespace {

std::uint32_t less(std::uint64_t wanted, std::uint64_t have) { return wanted > have ? static_cast<std::uint32_t>(wanted - have) : 0; }

// A call only after an agent has said so: none on the pacer's account.
class Preview final : public Pacer {
public:
    Pace decide(Instant, const PacingView&, const DialStatistics&) override { return {.dial = 0, .limit = "mode"}; }
};

// Progressive (one line) and power (several) for each free agent. The fraction of a line is kept whole: 3 agents at 1.5 are 4 lines.
class LinesPerAgent final : public Pacer {
public:
    LinesPerAgent(const Plan& plan, double lines) : plan_{plan}, lines_{lines} {}
    Pace decide(Instant, const PacingView& view, const DialStatistics&) override {
        const auto lines = static_cast<std::uint64_t>(std::floor(lines_ * free_agents(view) + 1e-9));
        return limited({.dial = less(lines, view.lines.size() + view.waiting), .lines_per_agent = lines_}, plan_, view);
    }

private:
    Plan plan_;
    double lines_;
};

}  // namespace

std::uint32_t free_agents(const PacingView& view) {
    return static_cast<std::uint32_t>(
        std::count_if(view.agents.begin(), view.agents.end(), [](const AgentView& agent) { return agent.phase == AgentPhase::free; }));
}

Pace limited(Pace pace, const Plan& plan, const PacingView& view) {
    const auto cut = [&](std::uint32_t most, std::string_view limit) {
        if (pace.dial <= most) return;
        pace.dial = most;
        pace.limit = limit;
    };
    cut(less(plan.max_lines, view.lines.size() + view.waiting), "lines");
    cut(view.room, "trunks");
    cut(view.recipients, "recipients");
    return pace;
}

std::unique_ptr<Pacer> make_pacer(const Plan& plan) {
    switch (plan.mode) {
        case Mode::preview: return std::make_unique<Preview>();
        case Mode::progressive: return std::make_unique<LinesPerAgent>(plan, 1);
        case Mode::power: return std::make_unique<LinesPerAgent>(plan, plan.lines_per_agent);
        case Mode::predictive: break;
    }
    return std::make_unique<Governor>(plan);
}

}  // namespace touchgate::dialing
