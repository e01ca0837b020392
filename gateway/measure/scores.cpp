#include "gateway/measure/scores.hpp"

#include <algorithm>

namespace touchgate::measure {

std::vector<std::uint8_t> fifths(std::span<const double> values) {
    std::vector<double> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::uint8_t> scores;
    scores.reserve(values.size());
    for (const auto value : values) {
        const auto below = static_cast<std::size_t>(std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin());
        scores.push_back(static_cast<std::uint8_t>(1 + below * 5 / values.size()));
    }
    return scores;
}

}  // namespace touchgate::measure
