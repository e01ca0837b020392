#include "gateway/dialing/ring_curve.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace touchgate::dialing {

RingCurve::RingCurve() {
    // Until something is known: answers evenly between the third and the fifteenth second, others given up in the twentieth.
    constexpr double prior_weight = 10;
    for (std::size_t i = 3; i < 15; ++i) answered_[i] = prior_weight / 12;
    unanswered_[19] = prior_weight;
    answered_sum_ = unanswered_sum_ = prior_weight;
}

void RingCurve::ended(Duration rang, bool answered) {
    const auto second = static_cast<std::size_t>(std::clamp<std::int64_t>(rang.count() / 1'000, 0, seconds_max - 1));
    auto& histogram = answered ? answered_ : unanswered_;
    for (auto& each : histogram) each *= 1 - 1 / memory;
    histogram[second] += 1;
    (answered ? answered_sum_ : unanswered_sum_) = std::accumulate(histogram.begin(), histogram.end(), 0.0);
}

double RingCurve::share_until(const Seconds& histogram, double sum, double seconds) {
    if (seconds <= 0) return 0;
    const auto whole = static_cast<std::size_t>(seconds);
    if (whole >= seconds_max) return 1;
    double below = 0;
    for (std::size_t i = 0; i < whole; ++i) below += histogram[i];
    return (below + histogram[whole] * (seconds - static_cast<double>(whole))) / sum;
}

double RingCurve::answers_within(Duration elapsed, Duration horizon, double rate) const {
    const auto from = static_cast<double>(elapsed.count()) / 1'000;
    const auto to = from + static_cast<double>(horizon.count()) / 1'000;
    const auto p = std::clamp(rate, 0.0, 1.0);
    const auto answered_before = share_until(answered_, answered_sum_, from);
    const auto still_ringing = p * (1 - answered_before) + (1 - p) * (1 - share_until(unanswered_, unanswered_sum_, from));
    if (still_ringing <= 1e-9) return 0;  // longer than any before
    return std::clamp(p * (share_until(answered_, answered_sum_, to) - answered_before) / still_ringing, 0.0, 1.0);
}

Duration RingCurve::answered_within(double share) const {
    const auto wanted = std::clamp(share, 0.0, 1.0) * answered_sum_;
    double below = 0;
    for (std::size_t i = 0; i < seconds_max; ++i) {
        if (answered_[i] > 0 && below + answered_[i] >= wanted)
            return Duration{std::llround(1'000 * (static_cast<double>(i) + (wanted - below) / answered_[i]))};
        below += answered_[i];
    }
    return Duration{static_cast<std::int64_t>(seconds_max) * 1'000};
}

}  // namespace touchgate::dialing
