// Scores of customers from 1 to 5 for recency, frequency and monetary value (Hughes, Strategic Database Marketing, 1994). Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace touchgate::measure {

// For each value 1 to 5: 1 + ⌊5 · (how many values lie below it) / (how many there are)⌋. Equal values get equal scores, so the fifths
// are as even as the data allow.
[[nodiscard]] std::vector<std::uint8_t> fifths(std::span<const double> values);

}  // namespace touchgate::measure
