// How telephone numbers are written in what the PBX dials, and the templates of its endpoints. Pure and total over any text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace touchgate::adapters::telephony {

enum class NumberFormat : std::uint8_t { e164, digits, national };

struct NumberRules {
    NumberFormat format = NumberFormat::e164;
    std::string region = "CN";                // whose numbers are national
    std::string international_prefix = "00";  // before the digits of other countries' numbers in the national form
};

// Whether the national form of this region's numbers is known here.
[[nodiscard]] bool knows_region(std::string_view region);

// "+8613800000000" → "+8613800000000", "8613800000000" or "13800000000". What does not begin with '+' stays as it is.
[[nodiscard]] std::string write_number(const std::string& number, NumberFormat format, const NumberRules& rules);

// Fills {number} (by the rules' format), {national} and {extension}. Nothing when the target is neither a number (digits, '*', '#', with or
// without '+') nor a name of letters, digits, '.', '_' and '-': it must not be able to say anything else to the PBX.
[[nodiscard]] std::optional<std::string> fill_endpoint(std::string_view endpoint, const std::string& target, const NumberRules& rules);
// "Technology/resource" with at least one placeholder and no separators that would name several endpoints.
[[nodiscard]] bool is_endpoint_template(std::string_view text);

// `"Name" <number>` as originating commands take it, without what could end the name early; either may be empty.
[[nodiscard]] std::string write_caller(std::string_view name, std::string_view number);

}  // namespace touchgate::adapters::telephony
