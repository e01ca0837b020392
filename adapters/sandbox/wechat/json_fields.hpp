// Fields of a request that somebody else wrote: anything may be absent or of another kind, and nothing here throws.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/json/json.hpp"

namespace touchgate::sandbox {

// The member, or JSON's null.
[[nodiscard]] const Json& member_of(const Json& object, std::string_view key);
// A string, or an integer as text (the platforms take both); "" for anything else.
[[nodiscard]] std::string text_of(const Json& object, std::string_view key);
// An integer, or a string that is one.
[[nodiscard]] std::int64_t integer_of(const Json& object, std::string_view key, std::int64_t fallback);
// The strings of an array; other elements are left out.
[[nodiscard]] std::vector<std::string> texts_of(const Json& object, std::string_view key);
// The elements of an array; nothing of anything else.
[[nodiscard]] const Json::array_t& items_of(const Json& object, std::string_view key);

}  // namespace touchgate::sandbox
