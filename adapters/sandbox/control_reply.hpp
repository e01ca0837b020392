// Answers of the control API.
#pragma once

#include <string_view>
#include <vector>

#include "adapters/sandbox/http_exchange.hpp"
#include "gateway/base/error.hpp"

namespace touchgate::sandbox {

// application/problem+json with every problem's pointer.
[[nodiscard]] HttpReply problem_reply(int status, std::string_view title, const std::vector<Problem>& problems = {});

}  // namespace touchgate::sandbox
