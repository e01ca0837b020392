#include "gateway/campaign/forecast.hpp"

#include <algorithm>
#include <cmath>

namespace touchgate::campaign {

void Histogram::add(Instant at) {
    const auto since = at.time_since_epoch();
    ++buckets_[Instant{since - since % width_}];
}

Instant earliest_finish(Instant now, std::uint64_t at_once, const Histogram& later, double per_second) {
    auto free_at = now;
    const auto send = [&](Instant from, std::uint64_t count) {
        if (count == 0) return;
        free_at = std::max(free_at, from);
        if (per_second <= 0) return;
        const double ms = std::ceil(1000.0 * static_cast<double>(count) / per_second);
        constexpr double most = 100.0 * 366 * 86'400'000;
        free_at += Duration{static_cast<std::int64_t>(std::min(ms, most))};
    };
    send(now, at_once);
    for (const auto& [from, count] : later.buckets()) send(from, count);
    return free_at;
}

}  // namespace touchgate::campaign
