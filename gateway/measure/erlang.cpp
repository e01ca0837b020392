#include "gateway/measure/erlang.hpp"

#include <cmath>
#include <limits>

namespace touchgate::measure {

namespace {

bool is_load(double load) { return std::isfinite(load) && load >= 0; }
bool is_time(double seconds) { return std::isfinite(seconds) && seconds > 0; }

// B(k) from B(k − 1). Every value lies between 0 and 1, so nothing overflows.
double next_b(double b, double load, double k) { return load * b / (k + load * b); }

// From Erlang B with N > load agents: probability of waiting.
double wait_probability(double b, double load, double agents) { return b / (1 - load / agents * (1 - b)); }

double service_level(double waits, double load, double agents, double handling_seconds, double threshold_seconds) {
    return 1 - waits * std::exp(-(agents - load) * threshold_seconds / handling_seconds);
}

}  // namespace

double erlang_b(double load, std::uint32_t agents) {
    if (!is_load(load)) return std::numeric_limits<double>::quiet_NaN();
    double b = 1;
    for (std::uint32_t k = 1; k <= agents && b > 0; ++k) b = next_b(b, load, k);
    return b;
}

std::optional<QueueForecast> erlang_c(double load, std::uint32_t agents, double handling_seconds) {
    if (!is_load(load) || !is_time(handling_seconds) || agents > agents_max || load >= agents) return std::nullopt;
    const auto waits = wait_probability(erlang_b(load, agents), load, agents);
    return QueueForecast{.wait_probability = waits, .mean_wait = waits * handling_seconds / (agents - load), .occupancy = load / agents};
}

double erlang_c_service_level(double load, std::uint32_t agents, double handling_seconds, double threshold_seconds) {
    const auto forecast = erlang_c(load, agents, handling_seconds);
    if (!forecast || !(threshold_seconds >= 0)) return 0;
    return service_level(forecast->wait_probability, load, agents, handling_seconds, threshold_seconds);
}

std::optional<QueueForecast> erlang_a(double load, std::uint32_t agents, double handling_seconds, double patience_seconds) {
    if (!is_load(load) || !is_time(handling_seconds) || !is_time(patience_seconds) || agents == 0 || agents > agents_max) return std::nullopt;
    const auto b = erlang_b(load, agents);
    if (b <= 0) return QueueForecast{.occupancy = load / agents};  // nobody ever waits, as far as a double can tell
    // Weights of the states with j waiting, that with none being 1: each is the last times load / (N + j · handling / patience). Sums are
    // rescaled as they grow, for with more load than agents the heaviest state lies far out.
    constexpr std::uint64_t states_max = 20'000'000;
    constexpr double huge = 1e200;
    constexpr double negligible = 1e-18;
    const auto quits = handling_seconds / patience_seconds;
    double unit = 1;        // weight of the state with none waiting, after rescaling
    double weight = 1;
    double sum = 0;         // of the states with somebody waiting
    double waiting = 0;     // the same, times how many wait
    std::uint64_t j = 1;
    for (;; ++j) {
        if (j > states_max) return std::nullopt;
        const auto count = static_cast<double>(j);
        const auto ratio = load / (agents + count * quits);
        weight *= ratio;
        sum += weight;
        waiting += count * weight;
        // Beyond here the weights fall at least as fast as `ratio` to the powers.
        if (ratio < 1 && count * weight <= negligible * (1 - ratio) * (unit + waiting)) break;
        if (sum > huge) {
            unit /= huge;
            weight /= huge;
            sum /= huge;
            waiting /= huge;
        }
    }
    const auto below = unit * (1 / b - 1);  // states with a free agent
    const auto total = below + unit + sum;
    const auto queue = waiting / total;     // calls waiting on average
    QueueForecast forecast;
    forecast.wait_probability = (unit + sum) / total;
    forecast.mean_wait = load > 0 ? queue * handling_seconds / load : 0;  // Little's law; load / handling time calls arrive each second
    forecast.abandon_probability = forecast.mean_wait / patience_seconds;
    forecast.occupancy = load * (1 - forecast.abandon_probability) / agents;
    return forecast;
}

std::optional<Staffing> agents_needed(double load, double handling_seconds, const StaffingGoal& goal) {
    const bool is_goal = goal.service_level >= 0 && goal.service_level < 1 && goal.threshold_seconds >= 0 && goal.occupancy_max > 0 &&
                         goal.occupancy_max <= 1 && goal.shrinkage >= 0 && goal.shrinkage < 1;
    if (!is_load(load) || !is_time(handling_seconds) || !is_goal) return std::nullopt;
    if (load <= 0) return Staffing{};
    double b = 1;
    for (std::uint32_t k = 1; k <= agents_max; ++k) {
        b = next_b(b, load, k);
        if (k <= load || load / k > goal.occupancy_max) continue;
        if (service_level(wait_probability(b, load, k), load, k, handling_seconds, goal.threshold_seconds) < goal.service_level) continue;
        // A hair is taken off, so that 90 agents at a shrinkage of 0.1 are 100 and not, by rounding, 101.
        const auto scheduled = std::ceil(k / (1 - goal.shrinkage) * (1 - 1e-12));
        if (scheduled > agents_max) return std::nullopt;
        return Staffing{.agents = k, .scheduled = static_cast<std::uint32_t>(scheduled)};
    }
    return std::nullopt;
}

}  // namespace touchgate::measure
