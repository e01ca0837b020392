#include "gateway/measure/attribution.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace touchgate::measure {

std::optional<AttributionModel> parse_attribution_model(std::string_view word) {
    constexpr std::array<std::string_view, 5> words = {"last", "first", "linear", "time_decay", "position"};
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) return std::nullopt;
    return static_cast<AttributionModel>(found - words.begin());
}

std::vector<double> credit_shares(AttributionModel model, std::span<const Duration> ages, Duration half_life) {
    const auto count = ages.size();
    std::vector<double> shares(count, 0);
    if (count == 0) return shares;
    switch (model) {
        case AttributionModel::last: shares.back() = 1; break;
        case AttributionModel::first: shares.front() = 1; break;
        case AttributionModel::linear: std::fill(shares.begin(), shares.end(), 1 / static_cast<double>(count)); break;
        case AttributionModel::time_decay: {
            // Measured from the newest touch, so that old touches alone do not all vanish.
            const auto half_life_ms = static_cast<double>(std::max<std::int64_t>(half_life.count(), 1));
            for (std::size_t i = 0; i < count; ++i) shares[i] = std::exp2(-static_cast<double>((ages[i] - ages.back()).count()) / half_life_ms);
            const auto sum = std::accumulate(shares.begin(), shares.end(), 0.0);
            for (auto& share : shares) share /= sum;
            break;
        }
        case AttributionModel::position:
            if (count <= 2) {
                std::fill(shares.begin(), shares.end(), 1 / static_cast<double>(count));
            } else {
                std::fill(shares.begin(), shares.end(), 0.2 / static_cast<double>(count - 2));
                shares.front() = shares.back() = 0.4;
            }
            break;
    }
    return shares;
}

std::vector<std::int64_t> split_amount(std::int64_t amount, std::span<const double> shares) {
    std::vector<std::int64_t> parts(shares.size(), 0);
    if (shares.empty()) return parts;
    const bool negative = amount < 0;
    const auto whole = negative ? -amount : amount;
    std::vector<long double> remainders(shares.size());
    std::int64_t left = whole;
    for (std::size_t i = 0; i < shares.size(); ++i) {
        const auto exact = static_cast<long double>(whole) * static_cast<long double>(shares[i]);
        parts[i] = static_cast<std::int64_t>(std::floor(exact));
        remainders[i] = exact - std::floor(exact);
        left -= parts[i];
    }
    std::vector<std::size_t> order(shares.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return remainders[a] > remainders[b]; });
    // Shares that add up to 1 but for rounding leave less than one unit each; the loop ends exactly whatever they add up to.
    for (std::size_t next = 0; left > 0; next = (next + 1) % order.size(), --left) ++parts[order[next]];
    for (std::size_t next = order.size() - 1; left < 0; next = next == 0 ? order.size() - 1 : next - 1)
        if (parts[order[next]] > 0) {
            --parts[order[next]];
            ++left;
        }
    if (negative)
        for (auto& part : parts) part = -part;
    return parts;
}

}  // namespace touchgate::measure
