// The members of a touch and their limits: shared by the two readers of touch_intake.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/json/json.hpp"

namespace touchgate::http {

enum class TouchField : std::uint8_t {
    key, contact, purpose, campaign, channels, template_name, variables, content, priority, not_before, expires_at, fallback_after,
    delivery, unit, metadata, callback, fallback_on_unknown, at, steps, first,
};

inline constexpr std::array<std::string_view, 20> touch_field_names = {
    "key",        "contact",        "purpose",  "campaign", "channels", "template", "variables",           "content", "priority",
    "not_before", "expires_at",     "fallback_after", "delivery", "unit", "metadata", "callback", "fallback_on_unknown", "at",
    "steps",      "first"};

[[nodiscard]] constexpr std::uint32_t bit(TouchField field) { return 1U << static_cast<unsigned>(field); }

namespace limits {
inline constexpr TextLimits key{1, 200};
inline constexpr TextLimits contact_id{1, 200};
inline constexpr TextLimits platform_id{1, 128};  // external_userid, openid, chat_id
inline constexpr TextLimits name{1, 200};         // campaign, template, unit, callback, account, channel, purpose
inline constexpr TextLimits text{1, 20'000};
inline constexpr TextLimits variable_name{1, 100};
inline constexpr TextLimits variable_value{0, 8'192};
inline constexpr std::size_t variables_max = 200;
inline constexpr std::size_t channels_max = 16;
inline constexpr std::size_t metadata_bytes_max = 2'048;  // names and values together
}  // namespace limits

inline constexpr std::string_view reserved_key_prefix = "campaign:";

[[nodiscard]] constexpr bool fits(std::string_view text, TextLimits limits) {
    return text.size() >= limits.bytes_min && text.size() <= limits.bytes_max;
}

// A number as the text that a template shows: whole numbers without a point, others in the shortest form that reads back the same.
[[nodiscard]] inline std::string number_text(double value) {
    char buffer[32];
    const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
    return {buffer, end};
}

}  // namespace touchgate::http
