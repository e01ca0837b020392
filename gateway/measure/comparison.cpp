#include "gateway/measure/comparison.hpp"

#include <cmath>

#include "gateway/measure/distributions.hpp"

namespace touchgate::measure {

namespace {

constexpr double upper_end = 0.975;  // of a two-sided 95 % interval

}  // namespace

void Moments::add(double value, std::int64_t times) {
    if (times <= 0) return;
    const auto added = static_cast<double>(times);
    const auto before = static_cast<double>(count_);
    const auto delta = value - mean_;
    count_ += times;
    sum_ += static_cast<long double>(value) * static_cast<long double>(times);
    mean_ += delta * added / (before + added);
    squares_ += delta * delta * before * added / (before + added);
}

Comparison compare(const Moments& group, const Moments& control) {
    Comparison made{.n = group.count(), .n_control = control.count()};
    if (made.n > 0) made.mean = group.mean();
    if (made.n_control > 0) made.mean_control = control.mean();
    const bool normal = made.n > normal_above && made.n_control > normal_above;
    made.method = normal ? "normal" : "welch_t";
    if (made.n == 0 || made.n_control == 0) return made;
    const auto difference = group.mean() - control.mean();
    made.difference.value = difference;
    const bool has_ratio = group.mean() > 0 && control.mean() > 0;
    if (has_ratio) made.ratio.value = group.mean() / control.mean();
    if (made.n < 2 || made.n_control < 2) return made;

    const auto part = group.variance() / static_cast<double>(made.n);
    const auto part_control = control.variance() / static_cast<double>(made.n_control);
    const auto error = std::sqrt(part + part_control);
    if (!(error > 0)) return made;
    double freedom = 0;
    if (!normal)
        freedom = (part + part_control) * (part + part_control) /
                  (part * part / static_cast<double>(made.n - 1) + part_control * part_control / static_cast<double>(made.n_control - 1));
    const auto quantile = normal ? normal_quantile(upper_end) : student_t_quantile(upper_end, freedom);
    made.difference.low = difference - quantile * error;
    made.difference.high = difference + quantile * error;
    const auto distance = std::abs(difference) / error;
    made.p_value = 2 * (normal ? normal_upper_tail(distance) : student_t_upper_tail(distance, freedom));
    if (has_ratio) {
        // Delta method: the variance of log(mean) is that of the mean over its square.
        const auto log_error = std::sqrt(part / (group.mean() * group.mean()) + part_control / (control.mean() * control.mean()));
        made.ratio.low = *made.ratio.value * std::exp(-quantile * log_error);
        made.ratio.high = *made.ratio.value * std::exp(quantile * log_error);
    }
    return made;
}

std::optional<double> sample_ratio_p_value(std::span<const GroupSize> groups) {
    std::int64_t members = 0;
    double shares = 0;
    int with_share = 0;
    for (const auto& group : groups) {
        members += group.observed;
        shares += group.share;
        with_share += group.share > 0 ? 1 : 0;
        if (group.share <= 0 && group.observed > 0) return 0.0;
    }
    if (with_share < 2 || members == 0) return std::nullopt;
    double statistic = 0;
    for (const auto& group : groups) {
        if (group.share <= 0) continue;
        const auto expected = static_cast<double>(members) * group.share / shares;
        const auto off = static_cast<double>(group.observed) - expected;
        statistic += off * off / expected;
    }
    return chi_square_upper_tail(statistic, with_share - 1);
}

}  // namespace touchgate::measure
