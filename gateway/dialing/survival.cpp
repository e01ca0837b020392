#include "gateway/dialing/survival.hpp"

#include <algorithm>
#include <cmath>

namespace touchgate::dialing {

namespace {

double in_seconds(Duration duration) { return std::max(0.0, static_cast<double>(duration.count()) / 1'000); }

}  // namespace

const std::array<double, SurvivalCurve::count>& SurvivalCurve::starts() {
    static const auto made = [] {
        std::array<double, count> start{};
        for (std::size_t i = 0; i < count; ++i) start[i] = i <= fine ? static_cast<double>(i) : start[i - 1] * 1.25;
        return start;
    }();
    return made;
}

std::size_t SurvivalCurve::span_at(double seconds) {
    if (seconds < static_cast<double>(fine)) return static_cast<std::size_t>(seconds);
    const auto& start = starts();
    return static_cast<std::size_t>(std::upper_bound(start.begin() + fine, start.end(), seconds) - start.begin()) - 1;
}

SurvivalCurve::SurvivalCurve(Duration prior_mean, double prior_weight, double memory) : memory_{std::max(1.0, memory)} {
    // What the prior would have seen: those alive at the start of each span, and how long they stay in it.
    const auto mean = std::max(1e-3, in_seconds(prior_mean));
    const auto& start = starts();
    for (std::size_t i = 0; i < count; ++i) {
        const auto alive = std::exp(-start[i] / mean);
        const auto left = i + 1 < count ? std::exp(-start[i + 1] / mean) : 0;
        spans_[i].endings = prior_weight * (alive - left);
        spans_[i].seconds = prior_weight * mean * (alive - left);
        // Far beyond the mean nothing would remain of it, and a rate needs something to stand on.
        constexpr double least = 1e-6;
        spans_[i].endings = std::max(spans_[i].endings, least);
        spans_[i].seconds = std::max(spans_[i].seconds, least * mean);
    }
    rebuild();
}

void SurvivalCurve::observe(Duration lasted, bool ended) {
    const auto seconds = in_seconds(lasted);
    const auto last = span_at(seconds);
    const auto keep = 1 - 1 / memory_;
    const auto& start = starts();
    for (std::size_t i = 0; i < count; ++i) {
        // A span that is never reached again keeps what it knows: forgetting needs something new in its place.
        if (i > last) break;
        spans_[i].endings *= keep;
        spans_[i].seconds *= keep;
        spans_[i].seconds += (i < last ? start[i + 1] : seconds) - start[i];
    }
    if (ended) spans_[last].endings += 1;
    rebuild();
}

void SurvivalCurve::rebuild() {
    const auto& start = starts();
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
        rate_[i] = spans_[i].seconds > 0 ? spans_[i].endings / spans_[i].seconds : 0;
        hazard_[i] = sum;
        if (i + 1 < count) sum += rate_[i] * (start[i + 1] - start[i]);
    }
}

double SurvivalCurve::hazard_until(double seconds) const {
    const auto i = span_at(seconds);
    return hazard_[i] + rate_[i] * (seconds - starts()[i]);
}

double SurvivalCurve::ends_within(Duration elapsed, Duration horizon) const {
    const auto from = in_seconds(elapsed);
    return -std::expm1(hazard_until(from) - hazard_until(from + in_seconds(horizon)));
}

double SurvivalCurve::survives(Duration time) const { return std::exp(-hazard_until(in_seconds(time))); }

Duration SurvivalCurve::outlasted_by(double share) const {
    const auto hazard = -std::log(std::clamp(share, 1e-9, 1.0));
    const auto above = std::upper_bound(hazard_.begin(), hazard_.end(), hazard);
    const auto i = static_cast<std::size_t>(above - hazard_.begin()) - 1;
    const auto within = rate_[i] > 0 ? (hazard - hazard_[i]) / rate_[i] : 0;
    constexpr double longest = 86'400;
    return Duration{static_cast<std::int64_t>(1'000 * std::min(longest, starts()[i] + within))};
}

}  // namespace touchgate::dialing
