// The words that go with the platforms' error codes (全局返回码). Clients must not depend on them; people read them.
#pragma once

#include <string_view>

namespace touchgate::sandbox {

[[nodiscard]] std::string_view error_text(int code);

}  // namespace touchgate::sandbox
