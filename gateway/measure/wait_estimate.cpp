#include "gateway/measure/wait_estimate.hpp"

#include <algorithm>
#include <cmath>

namespace touchgate::measure {

void WaitEstimate::departed(Instant at, bool queue_was_waiting) {
    const auto gap = last_ == instant_never ? gap_max : at - last_;
    if (last_ == instant_never || at > last_) last_ = at;
    if (!queue_was_waiting || gap >= gap_max || gap < Duration{0}) return;
    const auto ms = static_cast<double>(gap.count());
    if (intervals_ == 0) {
        mean_ms_ = ms;
        variance_ms2_ = ms * ms;  // of an exponential interval, until more is known
    } else {
        const auto off = ms - mean_ms_;
        mean_ms_ += weight * off;
        variance_ms2_ = (1 - weight) * (variance_ms2_ + weight * off * off);
    }
    ++intervals_;
}

std::optional<WaitBand> WaitEstimate::at_place(std::uint32_t place, Instant now) const {
    if (intervals_ == 0 || place == 0) return std::nullopt;
    const auto since = std::clamp(static_cast<double>((now - last_).count()), 0.0, static_cast<double>(Duration{gap_max}.count()));
    const auto overdue = std::max(0.0, since - mean_ms_);
    const auto mean = mean_ms_ + weight * overdue;
    const auto count = static_cast<double>(place);
    constexpr double ninety_percent = 1.2815515655446004;  // normal quantile
    const auto spread = ninety_percent * std::sqrt(count * variance_ms2_);
    const auto expected = count * mean;
    const auto whole = [](double ms) { return Duration{std::llround(std::max(0.0, ms))}; };
    return WaitBand{.low = whole(expected - spread), .expected = whole(expected), .high = whole(expected + spread)};
}

}  // namespace touchgate::measure
