// How many of many independent things happen, each with a probability of its own: the exact distribution (Poisson's binomial), built one by
// one. Pure.
#pragma once

#include <cstdint>
#include <vector>

namespace touchgate::dialing {

// Of a count that may be negative: things that happen can add to it or take from it. Tails below 1e-10 in all are cut, so that the cost of
// one more is that of a few standard deviations, however many there are.
class CountDistribution {
public:
    // Exactly `value`.
    explicit CountDistribution(std::int64_t value = 0) : lowest_{value}, mass_{1.0} {}
    // With this probability (0 … 1; beyond is clamped) the count is one higher.
    void add(double probability);
    // … one lower.
    void subtract(double probability);
    [[nodiscard]] double at_least(std::int64_t value) const;
    [[nodiscard]] double mean() const;
    // Mean of what lies above `value`: how many too many there are.
    [[nodiscard]] double mean_excess(std::int64_t value) const;

private:
    void trim();
    std::int64_t lowest_;
    std::vector<double> mass_;  // of lowest_, lowest_ + 1, …
};

}  // namespace touchgate::dialing
