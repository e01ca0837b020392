// How many agents a stream of calls needs, and how long calls wait with a given number: Erlang's formulas. Pure; any thread.
//
// Load is in erlangs: arrivals per second times the mean handling time in seconds. All functions are stable to at least 10,000 agents: no
// factorial or power of the load is formed.
// Sources: Erlang B and C: A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in automatic telephone
// exchanges", 1917; the recursion for B: Cooper, Introduction to Queueing Theory, 1981. Erlang A (M/M/N+M): Palm, 1957; Garnett, Mandelbaum
// and Reiman, "Designing a call center with impatient customers", 2002.
#pragma once

#include <cstdint>
#include <optional>

namespace touchgate::measure {

inline constexpr std::uint32_t agents_max = 1'000'000;  // more are refused

// Probability that all `agents` are busy when no call waits (lost calls). 1 without agents; 0 without load. NaN for a load that is negative
// or no number.
[[nodiscard]] double erlang_b(double load, std::uint32_t agents);

// What callers of a queue meet. Times are in seconds.
struct QueueForecast {
    double wait_probability = 0;       // that a call finds no free agent
    double mean_wait = 0;              // over all calls: ASA where nobody gives up
    double abandon_probability = 0;    // 0 in Erlang C, where callers wait for ever
    double occupancy = 0;              // share of their time that agents work
};

// Callers wait for ever. Nothing where the queue would grow without end (load ≥ agents) or an argument is out of range: load ≥ 0, handling
// time > 0.
[[nodiscard]] std::optional<QueueForecast> erlang_c(double load, std::uint32_t agents, double handling_seconds);
// Share of calls answered within `threshold_seconds` (≥ 0); 0 where the queue would grow without end.
[[nodiscard]] double erlang_c_service_level(double load, std::uint32_t agents, double handling_seconds, double threshold_seconds);

// Callers give up after an exponential patience with this mean (> 0); never without a solution, but nothing for arguments out of range or a
// queue so long that its states cannot be summed (patience above thousands of handling times with more load than agents).
[[nodiscard]] std::optional<QueueForecast> erlang_a(double load, std::uint32_t agents, double handling_seconds, double patience_seconds);

struct StaffingGoal {
    double service_level = 0.8;        // share to be answered within `threshold_seconds`; from 0 to below 1
    double threshold_seconds = 20;
    double occupancy_max = 1;          // agents are not to work more than this share of their time; above 0, at most 1
    double shrinkage = 0;              // share of paid time in which agents are not there (breaks, training); from 0 to below 1
};
struct Staffing {
    std::uint32_t agents = 0;          // at their desks: the smallest number that meets level and occupancy (Erlang C)
    std::uint32_t scheduled = 0;       // agents / (1 − shrinkage), rounded up
};
// Nothing for arguments out of range or a need above `agents_max`. No load needs no agents.
[[nodiscard]] std::optional<Staffing> agents_needed(double load, double handling_seconds, const StaffingGoal& goal);

}  // namespace touchgate::measure
