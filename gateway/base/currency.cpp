#include "gateway/base/currency.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace touchgate {

int currency_digits(std::string_view code) {
    constexpr std::array<std::string_view, 16> without = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW",
                                                          "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"};
    constexpr std::array<std::string_view, 7> three = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
    if (std::find(without.begin(), without.end(), code) != without.end()) return 0;
    return std::find(three.begin(), three.end(), code) != three.end() ? 3 : 2;
}

std::int64_t currency_units(double value, std::string_view code) {
    return static_cast<std::int64_t>(std::llround(static_cast<long double>(value) * std::pow(10.0L, currency_digits(code))));
}

std::string decimal_text(std::int64_t units, int digits) {
    // The magnitude as unsigned, for the least number has no opposite.
    auto text = std::to_string(units < 0 ? 0 - static_cast<std::uint64_t>(units) : static_cast<std::uint64_t>(units));
    const auto decimals = static_cast<std::size_t>(std::max(digits, 0));
    if (text.size() <= decimals) text.insert(0, decimals + 1 - text.size(), '0');
    if (decimals > 0) text.insert(text.size() - decimals, 1, '.');
    return units < 0 ? "-" + text : text;
}

}  // namespace touchgate
