// The words for how a call ended, and the number under which HistoryEntry::outcome keeps each. Numbers are written to the log: never
// change one, only add.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace touchgate::policy {

inline constexpr std::array<std::string_view, 17> call_outcome_words = {
    "",  // 0: a message, or a call that has not ended
    "answered", "busy",    "no_answer", "rejected", "invalid_number", "unreachable", "congestion", "failed",
    "machine",  "dropped", "cancelled", "unknown",  "abandoned",      "powered_off", "suspended",  "blocked_by_carrier"};

// 0 when the word is none of them.
[[nodiscard]] constexpr std::uint8_t call_outcome_number(std::string_view word) {
    for (std::size_t i = 1; i < call_outcome_words.size(); ++i)
        if (call_outcome_words[i] == word) return static_cast<std::uint8_t>(i);
    return 0;
}

}  // namespace touchgate::policy
