// docs/asyncapi.yaml names every request that the program knows, and nothing else.
#include <fstream>
#include <set>

#include "gateway/http/agent_requests.hpp"
#include "gateway/json/json.hpp"
#include "tests/catch.hpp"

TEST_CASE("asyncapi: the document describes every request, and nothing else") {
    std::ifstream file{std::string{TOUCHGATE_SOURCE_DIR} + "/docs/asyncapi.yaml"};
    const auto document = touchgate::Json::parse(file);
    std::set<std::string> described;
    for (const auto& [name, message] : document.at("components").at("messages").items())
        if (name.starts_with("request.")) described.insert(name.substr(8));
    std::set<std::string> known = {"resume", "token.renew", "wallboard.watch"};  // the session's own
    for (const auto type : touchgate::http::agent_request_types()) known.emplace(type);
    CHECK(described == known);
}
