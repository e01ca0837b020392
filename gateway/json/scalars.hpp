// Variables and parameters as the text that a template shows.
#pragma once

#include <charconv>
#include <optional>
#include <string>

#include "gateway/json/json.hpp"

namespace touchgate {

// Texts as they are, numbers in the shortest form that reads back the same (whole ones without a point), true and false as words; nothing
// for anything else.
[[nodiscard]] inline std::optional<std::string> scalar_text(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
    if (value.is_number_unsigned()) return std::to_string(value.get<std::uint64_t>());
    if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
    if (!value.is_number_float()) return std::nullopt;
    char buffer[32];
    const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value.get<double>());
    return std::string{buffer, end};
}

}  // namespace touchgate
