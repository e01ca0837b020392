// Amounts of money are whole numbers of the currency's smallest unit (cents, yen, fils).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace touchgate {

// Decimals of the smallest unit by ISO 4217: 2 for CNY, 0 for JPY, 3 for KWD; 2 for a code that is not known.
[[nodiscard]] int currency_digits(std::string_view code);

// The nearest whole number of smallest units; `value` must lie within ±1e13.
[[nodiscard]] std::int64_t currency_units(double value, std::string_view code);

// "199.00" of 19900 with 2 digits, "-0.05", "7" with none.
[[nodiscard]] std::string decimal_text(std::int64_t units, int digits);

}  // namespace touchgate
