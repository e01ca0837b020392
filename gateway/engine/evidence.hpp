// The evidence of a suppression as it is shown. What a platform's event caused names that event's record by its sequence; what a caller or a provider's
// answer gave is a text and stays as it was given.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace touchgate {

// The sequence of the inbound event; nothing where the evidence is a text.
[[nodiscard]] inline std::optional<std::int64_t> evidence_sequence(std::string_view source, std::string_view evidence) {
    std::int64_t sequence = 0;
    const auto* end = evidence.data() + evidence.size();
    const auto read = std::from_chars(evidence.data(), end, sequence);
    if (source != "platform" || evidence.empty() || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return sequence;
}

}  // namespace touchgate
