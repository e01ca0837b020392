#include "tests/simulation/pacing/vicidial.hpp"

#include <algorithm>
#include <cmath>

namespace touchgate::pacing_simulation {

using namespace dialing;

namespace {

constexpr Duration second{1'000};

void forget_before(std::deque<Instant>& times, Instant limit) {
    while (!times.empty() && times.front() < limit) times.pop_front();
}

}  // namespace

Vicidial::Vicidial(const Plan& plan, const VicidialTuning& tuning) : plan_{plan}, tuning_{tuning} {}

void Vicidial::dialed(Instant at) {
    ++calls_today_;
    minute_calls_.push_back(at);
}

void Vicidial::answered(Instant at, bool dropped) {
    ++answers_today_;
    if (!dropped) return;
    ++drops_today_;
    minute_drops_.push_back(at);
}

void Vicidial::begin_day(Instant at) {
    day_began_ = at;
    calls_today_ = answers_today_ = drops_today_ = 0;
    drop_percent_today_ = 0;
    samples_.clear();
    next_sample_ = next_adapt_ = next_counts_ = next_dial_ = at;
}

void Vicidial::adapt(Instant now) {
    if (samples_.empty()) return;
    double difference = 0;
    double agents = 0;
    for (const auto& sample : samples_) {
        difference += sample.idle_minus_waiting;
        agents += sample.agents;
    }
    const auto count = static_cast<double>(samples_.size());
    agents /= count;
    if (agents <= 0) return;
    auto change = (difference / count + tuning_.target) / agents;
    change *= change > 0 ? 1 + tuning_.intensity / 100 : std::abs(tuning_.intensity / 100 - 1);
    auto level = std::clamp(level_ * (1 + change), 1.0, tuning_.level_max);
    forget_before(minute_calls_, now - 60 * second);
    forget_before(minute_drops_, now - 60 * second);
    const auto calls = static_cast<double>(minute_calls_.size());
    if (calls > 20 && static_cast<double>(minute_drops_.size()) > calls / 2) level /= 2;
    if (calls_today_ > 50 && drop_percent_today_ > plan_.max_drop_percent) {
        switch (tuning_.method) {
            case VicidialMethod::hard_limit: level = 1; break;
            case VicidialMethod::average: level /= 2; break;
            case VicidialMethod::tapered: {
                const auto passed = static_cast<double>((now - day_began_).count()) / static_cast<double>(tuning_.shift.count());
                level *= std::clamp(1 - passed, 0.0, 1.0);
                break;
            }
        }
    }
    level_ = std::clamp(level, 1.0, tuning_.level_max);
}

Pace Vicidial::decide(Instant now, const PacingView& view, const DialStatistics&) {
    const auto free = free_agents(view);
    std::uint32_t talking = 0;
    for (const auto& agent : view.agents) talking += agent.phase == AgentPhase::talking ? 1 : 0;
    if (now >= next_sample_) {
        samples_.push_back({static_cast<double>(free) - static_cast<double>(view.waiting), static_cast<double>(view.agents.size())});
        if (samples_.size() > 60) samples_.pop_front();
        next_sample_ = now + second;
    }
    if (now >= next_counts_) {
        drop_percent_today_ = answers_today_ > 0 ? 100.0 * static_cast<double>(drops_today_) / static_cast<double>(answers_today_) : 0;
        next_counts_ = now + 60 * second;
    }
    if (now >= next_adapt_) {
        adapt(now);
        next_adapt_ = now + 15 * second;
    }
    if (now < next_dial_) return {.dial = 0, .limit = "agents", .lines_per_agent = level_};
    next_dial_ = now + Duration{2'500};
    const auto goal = std::llround(level_ * static_cast<double>(free + talking));
    const auto out = static_cast<std::int64_t>(view.lines.size() + view.waiting + talking);
    return limited({.dial = static_cast<std::uint32_t>(std::max<std::int64_t>(0, goal - out)), .lines_per_agent = level_}, plan_, view);
}

}  // namespace touchgate::pacing_simulation
