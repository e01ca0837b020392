#include "adapters/sandbox/control_reply.hpp"

#include "gateway/json/json.hpp"

namespace touchgate::sandbox {

HttpReply problem_reply(int status, std::string_view title, const std::vector<Problem>& problems) {
    Json body{{"type", "about:blank"}, {"title", title}, {"status", status}};
    for (const auto& one : problems) body["errors"].push_back({{"pointer", one.pointer}, {"detail", one.detail}});
    return {.status = status, .content_type = "application/problem+json", .body = body.dump()};
}

}  // namespace touchgate::sandbox
