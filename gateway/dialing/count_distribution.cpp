#include "gateway/dialing/count_distribution.hpp"

#include <algorithm>

namespace touchgate::dialing {

namespace {
constexpr double negligible = 1e-12;  // at one end, at one step
}

void CountDistribution::add(double probability) {
    const auto p = std::clamp(probability, 0.0, 1.0);
    if (p <= negligible) return;
    const auto q = 1 - p;
    mass_.push_back(0);
    for (std::size_t i = mass_.size() - 1; i > 0; --i) mass_[i] = mass_[i] * q + mass_[i - 1] * p;
    mass_[0] *= q;
    trim();
}

void CountDistribution::subtract(double probability) {
    const auto p = std::clamp(probability, 0.0, 1.0);
    if (p <= negligible) return;
    // One lower with p is: one lower for certain, and one higher again with 1 − p.
    --lowest_;
    if (p < 1) add(1 - p);
}

void CountDistribution::trim() {
    while (mass_.size() > 1 && mass_.back() < negligible) mass_.pop_back();
    std::size_t low = 0;
    while (low + 1 < mass_.size() && mass_[low] < negligible) ++low;
    if (low == 0) return;
    mass_.erase(mass_.begin(), mass_.begin() + static_cast<std::ptrdiff_t>(low));
    lowest_ += static_cast<std::int64_t>(low);
}

double CountDistribution::at_least(std::int64_t value) const {
    double sum = 0;
    for (std::size_t i = mass_.size(); i-- > 0 && lowest_ + static_cast<std::int64_t>(i) >= value;) sum += mass_[i];
    return std::min(1.0, sum);
}

double CountDistribution::mean() const {
    double sum = 0;
    for (std::size_t i = 0; i < mass_.size(); ++i) sum += mass_[i] * static_cast<double>(lowest_ + static_cast<std::int64_t>(i));
    return sum;
}

double CountDistribution::mean_excess(std::int64_t value) const {
    double sum = 0;
    for (std::size_t i = mass_.size(); i-- > 0 && lowest_ + static_cast<std::int64_t>(i) > value;)
        sum += mass_[i] * static_cast<double>(lowest_ + static_cast<std::int64_t>(i) - value);
    return sum;
}

}  // namespace touchgate::dialing
