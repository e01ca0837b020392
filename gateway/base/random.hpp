// Randomness is handed in: the real source is seeded in `main`, tests and the simulation pass a printed seed.
#pragma once

#include <array>
#include <cstdint>

namespace touchgate {

// xoshiro256** (Blackman and Vigna, public domain algorithm). Not for secrets: keys and nonces come from crypto/random.hpp.
class Random {
public:
    explicit Random(std::uint64_t seed);
    [[nodiscard]] std::uint64_t next();
    // Uniform in [0, bound); bound > 0.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound);
    // Uniform in [0, 1).
    [[nodiscard]] double unit();
    [[nodiscard]] bool chance(double probability) { return unit() < probability; }

private:
    std::array<std::uint64_t, 4> state_;
};

}  // namespace touchgate
