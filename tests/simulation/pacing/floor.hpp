// A call floor in memory: agents, people who answer or do not, and a law of pacing that dials them. Every run follows from its seed.
#pragma once

#include <cstdint>
#include <functional>

#include "gateway/dialing/pacing.hpp"
#include "tests/simulation/pacing/vicidial.hpp"

namespace touchgate::pacing_simulation {

struct FloorTerms {
    std::uint32_t agents = 50;
    double answer_rate = 0.30;        // over the day; by hour it moves by a third up and down
    double talk_mean_s = 180, talk_sigma = 0.9;  // lognormal: the middle half lasts 65 to 220 s, one in a hundred more than 16 minutes
    double wrap_mean_s = 20, wrap_sigma = 0.5;
    Duration shift{std::chrono::hours{8}};
    int days = 30;
};

struct FloorResult {
    std::uint64_t dials = 0, answers = 0, dropped = 0;
    double occupancy = 0;              // of the agents' time in the shifts
    double drop_rate = 0;              // of the whole campaign
    double drop_rate_worst = 0;        // highest at the end of a day, of all calls since the beginning
};

// Runs the campaign from its first call to its last. `vicidial`: the law's own counts are fed, where it is VICIdial's.
[[nodiscard]] FloorResult run_floor(const FloorTerms& terms, const dialing::Plan& plan, dialing::Pacer& pacer, Vicidial* vicidial, std::uint64_t seed);

}  // namespace touchgate::pacing_simulation
