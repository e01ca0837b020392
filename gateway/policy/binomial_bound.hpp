// How large a share may really be of which a sample is known: one-sided upper confidence limits. Three drops in 200 calls are 1.5 %, yet no
// proof of being under 3 %. Pure arithmetic; any thread.
#pragma once

#include <cstdint>

namespace touchgate::policy {

// Clopper and Pearson, exact: the p at which at most `hits` of `trials` has the probability 1 − confidence. (3, 200, 0.95) → 3.831 %.
// 1 when there were no trials or nothing but hits. Cost grows with `hits`.
[[nodiscard]] double clopper_pearson_upper(std::uint64_t hits, std::uint64_t trials, double confidence);

// Wilson's score limit: (3, 200, 0.95) → 3.694 %.
[[nodiscard]] double wilson_upper(std::uint64_t hits, std::uint64_t trials, double confidence);

// Clopper and Pearson up to this many trials, Wilson above, where the two differ by little.
inline constexpr std::uint64_t exact_trials_max = 1'000;
[[nodiscard]] double share_upper_bound(std::uint64_t hits, std::uint64_t trials, double confidence);

}  // namespace touchgate::policy
