// Words of refusals that callers tell apart, in Error::reference; shown as `code` of the problem.
#pragma once

#include <string_view>

namespace touchgate {

inline constexpr std::string_view handled_natively_code = "handled_natively";  // an employee has the conversation in the platform's own client

}  // namespace touchgate
