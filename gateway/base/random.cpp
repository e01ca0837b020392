#include "gateway/base/random.hpp"

#include <bit>

namespace touchgate {

Random::Random(std::uint64_t seed) : state_{} {
    for (auto& word : state_) {  // splitmix64 spreads a small seed over the whole state
        seed += 0x9E3779B97F4A7C15ULL;
        auto z = seed;
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
        word = z ^ (z >> 31U);
    }
}

std::uint64_t Random::next() {
    const auto result = std::rotl(state_[1] * 5, 7) * 9;
    const auto t = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

std::uint64_t Random::below(std::uint64_t bound) {
    const auto threshold = (0 - bound) % bound;  // rejection keeps it uniform
    for (;;) {
        const auto value = next();
        if (value >= threshold) return value % bound;
    }
}

double Random::unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

}  // namespace touchgate
