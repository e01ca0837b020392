// How long somebody at a place in the queue will wait, as a band and not as a point. Pure; not thread-safe.
//
// The estimate is the place times the mean time between departures from the queue to an agent, both smoothed exponentially; the band follows
// from their smoothed spread, as if they were independent (central limit theorem).
#pragma once

#include <cstdint>
#include <optional>

#include "gateway/base/time.hpp"

namespace touchgate::measure {

struct WaitBand {
    Duration low{0}, expected{0}, high{0};  // 10 %, mean and 90 %
};

class WaitEstimate {
public:
    // Weight of the newest interval: 1/4, as the hold time of Asterisk's queues has.
    static constexpr double weight = 0.25;
    // After this long without a departure the queue was empty or closed: the gap says nothing about its pace.
    static constexpr Duration gap_max = std::chrono::hours{1};

    // Somebody left the queue to an agent. `queue_was_waiting`: others were waiting all the time since the last departure; otherwise the
    // gap measured the arrivals and not the agents, and is not counted.
    void departed(Instant at, bool queue_was_waiting);
    // `place` counts from 1, the next to be served. Nothing before two departures are known. A departure that is overdue makes the
    // estimate grow while nothing happens.
    [[nodiscard]] std::optional<WaitBand> at_place(std::uint32_t place, Instant now) const;
    template <class A> void fields(A&& a) { a(mean_ms_, variance_ms2_, intervals_, last_); }

private:
    double mean_ms_ = 0, variance_ms2_ = 0;
    std::uint64_t intervals_ = 0;
    Instant last_ = instant_never;
};

}  // namespace touchgate::measure
