// How long things last, learned while they happen: a survival curve that forgets slowly. Pure; not thread-safe.
//
// The model is the piecewise exponential one: in each of a fixed row of spans of time an ending has a rate of its own, estimated as endings
// divided by time spent in the span (Friedman, Annals of Statistics 10, 1982). Observations that were cut off count with the time they lasted, so
// nothing is biased towards short ones. Older observations weigh less: each new one takes `1 / memory` from all before.
#pragma once

#include <array>
#include <cstdint>

#include "gateway/base/time.hpp"

namespace touchgate::dialing {

class SurvivalCurve {
public:
    // Until something is known: endings with this mean, as heavy as `prior_weight` observations. Both above 0.
    SurvivalCurve(Duration prior_mean, double prior_weight, double memory = 2'000);
    SurvivalCurve() : SurvivalCurve(Duration{180'000}, 2) {}

    void ended_after(Duration lasted) { observe(lasted, true); }
    // Still going on, or cut off, after this time.
    void lasted_at_least(Duration lasted) { observe(lasted, false); }

    // Probability that what has lasted for `elapsed` ends within `horizon` from now.
    [[nodiscard]] double ends_within(Duration elapsed, Duration horizon) const;
    // Probability to last longer than `time`.
    [[nodiscard]] double survives(Duration time) const;
    // The time that the given share outlasts; share in (0, 1].
    [[nodiscard]] Duration outlasted_by(double share) const;
    template <class A> void fields(A&& a) {
        for (auto& span : spans_) a(span.endings, span.seconds);
        a(memory_);
        rebuild();
    }

private:
    // 1 s each up to 16 s, then growing by a quarter, to more than 5 hours; the last is open.
    static constexpr std::size_t fine = 16;
    static constexpr std::size_t count = 52;
    struct Span { double endings = 0, seconds = 0; };
    static const std::array<double, count>& starts();  // in seconds
    [[nodiscard]] static std::size_t span_at(double seconds);
    [[nodiscard]] double hazard_until(double seconds) const;
    void observe(Duration lasted, bool ended);
    void rebuild();

    std::array<Span, count> spans_{};
    double memory_ = 2'000;
    std::array<double, count> rate_{}, hazard_{};  // rate in a span, hazard up to its start; derived
};

}  // namespace touchgate::dialing
