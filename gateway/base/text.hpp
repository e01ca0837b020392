// Small text functions that several modules need: UTF-8 checks, hex, JSON string escaping, splitting.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace touchgate {

[[nodiscard]] bool is_valid_utf8(std::string_view text);
// Unicode code points of valid UTF-8; an invalid byte yields U+FFFD.
[[nodiscard]] std::u32string to_code_points(std::string_view utf8);
void append_utf8(std::string& out, char32_t code_point);
[[nodiscard]] std::string to_utf8(std::u32string_view code_points);

[[nodiscard]] std::string to_hex(std::string_view bytes);
[[nodiscard]] std::optional<std::string> from_hex(std::string_view hex);  // either case; nothing when odd or not hex

// Appends `text` as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

[[nodiscard]] std::string_view trim(std::string_view text);  // ASCII blanks
[[nodiscard]] std::string to_lower_ascii(std::string_view text);
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

// "+86138****0000": the country and first digits, four stars, the last four. Short numbers are starred whole.
[[nodiscard]] std::string mask_phone(std::string_view e164);

}  // namespace touchgate
