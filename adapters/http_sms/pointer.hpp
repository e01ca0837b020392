// Places in foreign JSON, and the settings that name them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/http_sms/settings.hpp"

namespace touchgate::adapters::http_sms {

// "/data/0/id": RFC 6901. Nothing when it is none.
[[nodiscard]] std::optional<Pointer> parse_pointer(std::string_view text);
// The value there, or null.
[[nodiscard]] const Json& value_at(const Json& root, const Pointer& pointer);
[[nodiscard]] std::string text_at(const Json& root, const std::optional<Pointer>& pointer);

}  // namespace touchgate::adapters::http_sms
