// Words of refusals that callers tell apart, in Error::reference; shown as `code` of the problem.
#pragma once

#include <string>
#include <string_view>

#include "gateway/base/error.hpp"

namespace touchgate {

inline constexpr std::string_view handled_natively_code = "handled_natively";  // an employee has the conversation in the platform's own client

// What an agent's request is answered with; the codes are those of his protocol (docs/agent-protocol.md).
[[nodiscard]] inline Error refused(std::string code, std::string detail, ErrorKind kind = ErrorKind::conflict) {
    return {.kind = kind, .detail = std::move(detail), .problems = {}, .retry_after_s = 0, .reference = std::move(code)};
}

}  // namespace touchgate
