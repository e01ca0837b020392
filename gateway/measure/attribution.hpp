// How the credit for a conversion is shared among the touches before it. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gateway/base/time.hpp"

namespace touchgate::measure {

enum class AttributionModel : std::uint8_t {
    last,        // all to the newest touch
    first,       // all to the oldest
    linear,      // equal parts
    time_decay,  // half as much for each half-life further back
    position,    // 40 % to the oldest, 40 % to the newest, 20 % shared by those between; two touches: half each
};
// "last", "first", "linear", "time_decay", "position".
[[nodiscard]] std::optional<AttributionModel> parse_attribution_model(std::string_view word);

// The share of each touch, adding up to 1; none without touches. `ages`: how long before the conversion each touch was, oldest touch first (so
// never rising). `half_life` must be above 0 and is read by time_decay only.
[[nodiscard]] std::vector<double> credit_shares(AttributionModel model, std::span<const Duration> ages, Duration half_life);

// Whole units (cents) of `amount` by `shares` that add up to 1: each gets its part rounded down, what is left goes one by one to the largest
// remainders, among equal ones to the first. The parts add up to `amount` exactly; a negative amount is split as its opposite.
[[nodiscard]] std::vector<std::int64_t> split_amount(std::int64_t amount, std::span<const double> shares);

}  // namespace touchgate::measure
