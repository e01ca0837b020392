// Identifiers: 16-byte UUIDs (version 7, time-ordered) for touches and the like, dense numbers for what lives in tables in memory.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/random.hpp"
#include "gateway/base/time.hpp"

namespace touchgate {

// A number that does not mix with other numbers. `Tag` only tells the types apart.
template <class Tag> struct Number {
    std::uint32_t value = 0;
    auto operator<=>(const Number&) const = default;
    template <class H> friend H AbslHashValue(H h, const Number& number) { return H::combine(std::move(h), number.value); }
};
using ContactIndex = Number<struct ContactTag>;  // row of a contact in the engine's table; 0 is nobody
using Symbol = Number<struct SymbolTag>;         // an interned name (see symbols.hpp); 0 is the empty name
using ProfileId = Number<struct ProfileTag>;     // an interned combination of names (see policy/profile.hpp); 0 is empty

struct Uuid {
    std::array<std::uint8_t, 16> bytes{};
    auto operator<=>(const Uuid&) const = default;
    [[nodiscard]] bool is_nil() const { return *this == Uuid{}; }
    // Milliseconds of a version 7 id.
    [[nodiscard]] Instant time() const;
    [[nodiscard]] std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
    template <class H> friend H AbslHashValue(H h, const Uuid& id) {
        std::uint64_t low = 0;  // version 7 ends in 62 random bits
        std::memcpy(&low, id.bytes.data() + 8, 8);
        return H::combine(std::move(h), low);
    }
};

using TouchId = Uuid;

// "0193…" in the 8-4-4-4-12 form, lower case.
[[nodiscard]] std::string to_string(const Uuid& id);
void append_uuid(std::string& out, const Uuid& id);
[[nodiscard]] std::optional<Uuid> parse_uuid(std::string_view text);

// Makes version 7 ids that rise strictly within one source, also inside a millisecond (RFC 9562, method 1 with a 12-bit counter that
// spills into the time). Not for use from several threads.
class UuidSource {
public:
    explicit UuidSource(Random& random) : random_{random} {}
    [[nodiscard]] Uuid next(Instant now);

private:
    Random& random_;
    std::int64_t last_ms_ = 0;
    std::uint32_t counter_ = 0;
};

}  // namespace touchgate

template <> struct std::hash<touchgate::Uuid> {
    std::size_t operator()(const touchgate::Uuid& id) const noexcept {
        std::uint64_t low = 0;
        std::memcpy(&low, id.bytes.data() + 8, 8);
        return low;
    }
};
