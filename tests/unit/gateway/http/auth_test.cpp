#include "gateway/http/auth.hpp"

#include "gateway/base/text.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::http;
using namespace std::chrono_literals;

namespace {

const std::string key = "a-key-of-sixteen-or-more";

std::shared_ptr<const ApiKeys> keys(std::vector<ApiKeyOptions> options) {
    auto made = ApiKeys::make(options);
    REQUIRE(made);
    return *made;
}

}  // namespace

TEST_CASE("keys: a caller is found by his key, given plainly or as its hash") {
    const auto hash = to_hex(crypto::view(crypto::sha256("another-key-of-sixteen")));
    const auto all = keys({{.name = "plain", .key = key, .scopes = {"touches"}}, {.name = "hashed", .key_hash = hash, .scopes = {"admin"}}});
    REQUIRE(all->find("Bearer " + key) != nullptr);
    CHECK(all->find("Bearer " + key)->name() == "plain");
    CHECK(all->find("bearer another-key-of-sixteen")->name() == "hashed");
    for (const auto* wrong : {"", "Bearer", "Bearer ", "Bearer x", "Basic YTpi"}) CHECK(all->find(wrong) == nullptr);
    CHECK(all->find("Bearer " + hash) == nullptr);
    CHECK(all->find(key) == nullptr);
}

TEST_CASE("keys: scopes, everywhere or in a unit and below") {
    const auto all = keys({{.name = "k", .key = key, .scopes = {"touches@hq/east", "touches@hq/west", "reports"}}});
    const auto* caller = all->find("Bearer " + key);
    const auto touches = caller->access("touches");
    CHECK(touches.granted);
    CHECK(touches.limited());
    CHECK(touches.covers("hq/east"));
    CHECK(touches.covers("hq/east/shop-1"));
    CHECK(touches.covers("hq/west"));
    CHECK_FALSE(touches.covers("hq/eastern"));
    CHECK_FALSE(touches.covers("hq"));
    CHECK_FALSE(touches.covers(""));
    CHECK_FALSE(caller->access("reports").limited());
    CHECK(caller->access("reports").covers("anything"));
    CHECK_FALSE(caller->has("admin"));
}

TEST_CASE("keys: a scope without unit beside one with is everywhere") {
    const auto all = keys({{.name = "k", .key = key, .scopes = {"touches@hq", "touches"}}});
    CHECK_FALSE(all->find("Bearer " + key)->access("touches").limited());
}

TEST_CASE("keys: everything that is wrong is named") {
    const auto made = ApiKeys::make({{.name = "", .key = "short", .scopes = {"everything", "touches@"}, .rate = "fast"},
                                     {.name = "b", .key_hash = "00"},
                                     {.name = "b", .key = key, .key_hash = "00"}});
    REQUIRE_FALSE(made);
    std::vector<std::string> pointers;
    for (const auto& problem : made.error().problems) pointers.push_back(problem.pointer);
    CHECK(pointers == std::vector<std::string>{"/api_keys/0/key", "/api_keys/0/name", "/api_keys/0/scopes/0", "/api_keys/0/scopes/1",
                                               "/api_keys/0/rate", "/api_keys/1/key_hash", "/api_keys/2/key", "/api_keys/2/name"});
}

TEST_CASE("rate: a bucket of N that refills in its unit, and the seconds to wait") {
    RateLimit limit{2, 1s};
    CHECK(limit.take(10s) == 0);
    CHECK(limit.take(10s) == 0);
    CHECK(limit.take(10s) == 1);
    CHECK(limit.take(10s + 499ms) == 1);
    CHECK(limit.take(10s + 501ms) == 0);
    CHECK(limit.take(20s) == 0);
    CHECK(limit.take(20s) == 0);
    CHECK(limit.take(20s) == 1);
    RateLimit hourly{1, 1h};
    CHECK(hourly.take(5s) == 0);
    CHECK(hourly.take(6s) == 3599);
}

TEST_CASE("rate: what is a rate and what is not") {
    CHECK(RateLimit::parse("100/second"));
    CHECK(RateLimit::parse("1/day"));
    for (const auto* wrong : {"", "100", "/second", "0/second", "-1/second", "1/fortnight", "1.5/second", "1/second "})
        CHECK_FALSE(RateLimit::parse(wrong));
}
