#include "gateway/policy/binomial_bound.hpp"

#include <cmath>

namespace touchgate::policy {

namespace {

// P(X ≤ hits) of a binomial distribution, by its terms; their logarithms do not underflow.
double binomial_cdf(std::uint64_t hits, std::uint64_t trials, double p) {
    const auto n = static_cast<double>(trials);
    double log_term = n * std::log1p(-p);
    double sum = std::exp(log_term);
    for (std::uint64_t k = 1; k <= hits; ++k) {
        const auto i = static_cast<double>(k);
        log_term += std::log((n - i + 1) / i) + std::log(p) - std::log1p(-p);
        sum += std::exp(log_term);
    }
    return sum;
}

// The z with P(Z ≤ z) = probability, by bisection of the error function.
double normal_quantile(double probability) {
    double low = -40;
    double high = 40;
    for (int i = 0; i < 100; ++i) {
        const auto middle = (low + high) / 2;
        (0.5 * std::erfc(-middle / std::sqrt(2.0)) < probability ? low : high) = middle;
    }
    return (low + high) / 2;
}

}  // namespace

double clopper_pearson_upper(std::uint64_t hits, std::uint64_t trials, double confidence) {
    if (trials == 0 || hits >= trials) return 1;
    double low = static_cast<double>(hits) / static_cast<double>(trials);
    double high = 1;
    for (int i = 0; i < 60; ++i) {
        const auto middle = (low + high) / 2;
        (binomial_cdf(hits, trials, middle) > 1 - confidence ? low : high) = middle;
    }
    return high;
}

double wilson_upper(std::uint64_t hits, std::uint64_t trials, double confidence) {
    if (trials == 0 || hits >= trials) return 1;
    const auto n = static_cast<double>(trials);
    const auto p = static_cast<double>(hits) / n;
    const auto z = normal_quantile(confidence);
    const auto z2 = z * z;
    return (p + z2 / (2 * n) + z * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n);
}

double share_upper_bound(std::uint64_t hits, std::uint64_t trials, double confidence) {
    return trials <= exact_trials_max ? clopper_pearson_upper(hits, trials, confidence) : wilson_upper(hits, trials, confidence);
}

}  // namespace touchgate::policy
