// Parts of an item: who hands a call on wraps up his part of it while the call goes on with others. The part is an item of its own, which wraps and
// ends as any other; its id says of which item it is, so that neither needs to be kept.
#pragma once

#include <optional>

#include "gateway/base/ids.hpp"

namespace touchgate::routing {

inline constexpr int parts_max = 8;  // of one item at the same time

// Ids of items are of version 7 (time-ordered); part n, from 0, is the same id with version 8 + n (own and undefined ones, which nobody else makes).
[[nodiscard]] inline Uuid part_of(Uuid item, int n) {
    item.bytes[6] = static_cast<std::uint8_t>((item.bytes[6] & 0x0FU) | (static_cast<unsigned>(8 + n) << 4U));
    return item;
}

// The item that it is a part of; nothing: it is no part.
[[nodiscard]] inline std::optional<Uuid> whole_of(Uuid part) {
    if ((part.bytes[6] >> 4U) < 8U) return std::nullopt;
    part.bytes[6] = static_cast<std::uint8_t>((part.bytes[6] & 0x0FU) | 0x70U);
    return part;
}

}  // namespace touchgate::routing
