// Two groups of an experiment compared: difference and ratio of their means with 95 % intervals, and whether the groups have the sizes that
// the shares promised. Formulas and their sources are in docs/measuring.md. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace touchgate::measure {

// Count, mean and sum of squared deviations of a group, value by value in any order (Welford 1962; merging: Chan, Golub, LeVeque 1979),
// so that a file of any size needs no second pass and no memory.
class Moments {
public:
    void add(double value) { add(value, 1); }
    void add(double value, std::int64_t times);  // the same value many times: customers without an outcome are zeros
    [[nodiscard]] std::int64_t count() const { return count_; }
    // Of the sum, so that the mean of ones and zeros is their plain quotient.
    [[nodiscard]] double mean() const { return count_ == 0 ? 0 : static_cast<double>(sum_ / static_cast<long double>(count_)); }
    // Sample variance, with count − 1; 0 below two values.
    [[nodiscard]] double variance() const { return count_ < 2 ? 0 : squares_ / static_cast<double>(count_ - 1); }

private:
    std::int64_t count_ = 0;
    long double sum_ = 0;
    double mean_ = 0, squares_ = 0;
};

// A number with the ends of its 95 % interval. Empty members: the data cannot tell.
struct Estimate {
    std::optional<double> value = {}, low = {}, high = {};
};

struct Comparison {
    std::int64_t n = 0, n_control = 0;
    std::optional<double> mean = {}, mean_control = {};  // empty for an empty group
    Estimate difference = {};                            // mean − mean of control
    Estimate ratio = {};                                 // mean / mean of control; empty unless both are above 0
    std::optional<double> p_value = {};                  // two-sided, of no difference
    std::string_view method = {};                        // "normal", or "welch_t" where a group has at most `normal_above` members
};

// Beyond this many members in both groups the normal quantile is used; up to it, Student's t with Welch's degrees of freedom.
inline constexpr std::int64_t normal_above = 1'000;

// Unpooled variances. Without two members in each group, or where no value in either group varies, there is no interval and no p-value.
[[nodiscard]] Comparison compare(const Moments& group, const Moments& control);

struct GroupSize {
    std::int64_t observed = 0;
    double share = 0;  // promised; shares need not add up to 1
};
// Sample ratio mismatch: Pearson's chi-square of the sizes against the shares, with one degree of freedom less than there are groups. Nothing
// for fewer than two groups with a share, or without members. A group without a share that has members makes it 0.
[[nodiscard]] std::optional<double> sample_ratio_p_value(std::span<const GroupSize> groups);

}  // namespace touchgate::measure
