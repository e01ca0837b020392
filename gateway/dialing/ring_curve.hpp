// When a ringing call is answered, or ends unanswered, learned from past ones. Pure; not thread-safe.
//
// The two are competing risks: a dial is answered with probability p in all; how long that takes, and how long the others ring until they are
// busy, refused or given up, are two histograms of seconds that forget slowly.
#pragma once

#include <array>

#include "gateway/base/time.hpp"

namespace touchgate::dialing {

class RingCurve {
public:
    static constexpr double memory = 2'000;  // ends after which the weight of one has fallen to a third

    RingCurve();
    void ended(Duration rang, bool answered);

    // Probability that a call which has rung for `elapsed` is answered within `horizon` from now; `rate` is that of being answered at all.
    [[nodiscard]] double answers_within(Duration elapsed, Duration horizon, double rate) const;
    // The time within which the given share of those that are answered have been.
    [[nodiscard]] Duration answered_within(double share) const;
    template <class A> void fields(A&& a) {
        for (auto& second : answered_) a(second);
        for (auto& second : unanswered_) a(second);
        a(answered_sum_, unanswered_sum_);
    }

private:
    static constexpr std::size_t seconds_max = 64;  // the last counts all that is longer
    using Seconds = std::array<double, seconds_max>;
    [[nodiscard]] static double share_until(const Seconds& histogram, double sum, double seconds);
    Seconds answered_{}, unanswered_{};
    double answered_sum_ = 0, unanswered_sum_ = 0;
};

}  // namespace touchgate::dialing
