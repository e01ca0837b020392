#include "gateway/http/router.hpp"

#include <set>

#include "gateway/base/text.hpp"
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/message.hpp"
#include "gateway/http/server.hpp"
#include "tests/catch.hpp"

using namespace touchgate::http;

namespace {

Router small() {
    Router router;
    router.add({.method = Method::get, .pattern = "/v1/things"});
    router.add({.method = Method::post, .pattern = "/v1/things"});
    router.add({.method = Method::post, .pattern = "/v1/things/bulk"});
    router.add({.method = Method::get, .pattern = "/v1/things/{id}"});
    router.add({.method = Method::del, .pattern = "/v1/lists/{list}/{address}"});
    router.add({.method = Method::post, .pattern = "/hooks/{account}/{*tail}"});
    return router;
}

}  // namespace

TEST_CASE("router: paths with and without placeholders") {
    const auto router = small();
    CHECK(router.match(Method::get, "/v1/things").route->pattern == "/v1/things");
    CHECK(router.match(Method::post, "/v1/things/bulk").route->pattern == "/v1/things/bulk");
    const auto one = router.match(Method::get, "/v1/things/42");
    REQUIRE(one.route != nullptr);
    CHECK(one.parameters == std::vector<std::string>{"42"});
    const auto tail = router.match(Method::post, "/hooks/sms-main/a/b");
    CHECK(tail.parameters == std::vector<std::string>{"sms-main", "a/b"});
}

TEST_CASE("router: placeholders are percent-decoded, a decoded slash stays in its segment") {
    const auto match = small().match(Method::del, "/v1/lists/dnc/%2B8613800138000%2Fx");
    CHECK(match.parameters == std::vector<std::string>{"dnc", "+8613800138000/x"});
}

TEST_CASE("router: an unknown path is told from a method that the path has not") {
    const auto router = small();
    CHECK(router.match(Method::get, "/v2/things").allow.empty());
    CHECK(router.match(Method::get, "/v1/things/").allow.empty());
    CHECK(router.match(Method::get, "/v1/things/1/2").allow.empty());
    CHECK(router.match(Method::del, "/v1/things").allow == "GET, HEAD, POST");
    CHECK(router.match(Method::del, "/v1/things/bulk").allow == "POST, GET, HEAD");
}

TEST_CASE("router: broken escapes match nothing") {
    const auto path =
        GENERATE(as<std::string>{}, "/v1/things/%", "/v1/things/%2", "/v1/things/%zz", "/v1/things/%00", "/v1/things/%ff", "/v1/things//x");
    CHECK(small().match(Method::get, path).route == nullptr);
}

TEST_CASE("router: every endpoint has a handler, and no method stands twice on a path") {
    Router router;
    add_all_endpoints(router);
    std::set<std::pair<Method, std::string>> seen;
    for (const auto& route : router.routes()) {
        INFO(route->pattern);
        CHECK((route->handler != nullptr) != (route->bulk != nullptr));
        CHECK(seen.insert({route->method, route->pattern}).second);
        CHECK((route->bulk == nullptr || route->body == BodyKind::ndjson));
    }
}

TEST_CASE("openapi: the document describes every route, and nothing else") {
    Router router;
    add_all_endpoints(router);
    std::set<std::string> routes;
    for (const auto& route : router.routes()) {
        auto path = route->pattern;
        if (const auto star = path.find("{*"); star != std::string::npos) path.erase(star + 1, 1);
        routes.insert(touchgate::to_lower_ascii(to_string(route->method)) + " " + path);
    }
    std::set<std::string> described;
    const auto document = nlohmann::json::parse(openapi_document());
    for (const auto& [path, methods] : document.at("paths").items())
        for (const auto& [method, operation] : methods.items())
            if (method != "parameters") described.insert(method + " " + path);
    CHECK(routes == described);
}

TEST_CASE("query: names and values are decoded, numbers and times checked") {
    const QueryParameters query{"limit=20&name=%E7%8E%8B+%E8%8A%B3&flag&from=2026-01-01T00:00:00+08:00&bad=x&empty="};
    std::vector<touchgate::Problem> problems;
    CHECK(query.integer("limit", 5, 1, 100, problems) == 20);
    CHECK(query.integer("absent", 5, 1, 100, problems) == 5);
    CHECK(query.text("name") == "王 芳");
    CHECK(query.has("flag"));
    CHECK(query.instant("from", problems) == touchgate::parse_instant("2025-12-31T16:00:00Z"));
    CHECK(problems.empty());
    CHECK(query.integer("bad", 5, 1, 100, problems) == 5);
    CHECK(query.integer("empty", 5, 1, 100, problems) == 5);
    CHECK_FALSE(query.boolean("bad", false, problems));
    CHECK(problems.size() == 3);
    CHECK(problems.front().pointer == "/bad");
}
