// Quantiles and tails of the distributions that reports need, accurate to at least ten digits. Pure; any thread.
//
// Definitions as in Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2 (normal), 26.7 (Student), 26.4 (chi-square).
#pragma once

namespace touchgate::measure {

// The z below which a standard normal value falls with probability `p`. `p` must lie strictly between 0 and 1, else NaN.
[[nodiscard]] double normal_quantile(double p);
// Probability that a standard normal value exceeds `z`; exact far out as well, where 1 − P(z) would be 0.
[[nodiscard]] double normal_upper_tail(double z);

// `degrees_of_freedom` may be any positive number (Welch's are no whole ones); NaN otherwise.
[[nodiscard]] double student_t_quantile(double p, double degrees_of_freedom);
[[nodiscard]] double student_t_upper_tail(double t, double degrees_of_freedom);

// Probability that a chi-square value exceeds `x`; 1 for x ≤ 0.
[[nodiscard]] double chi_square_upper_tail(double x, double degrees_of_freedom);

}  // namespace touchgate::measure
