#include "gateway/net/resource_cache.hpp"

#include "tests/catch.hpp"

namespace touchgate::net {

using namespace std::chrono_literals;
using State = ResourceCache::View::State;

TEST_CASE("resource cache: fetched once, ready until it expires, refreshed in the background before", "[net]") {
    ResourceCache cache;
    Random random{1};
    CHECK(cache.view("token", 0s).state == State::missing);
    const auto generation = cache.begin_fetch("token");
    CHECK(cache.view("token", 0s).state == State::fetching);
    cache.arrived("token", generation, {.value = "A", .valid_for = 100s}, 0s, random);
    CHECK(cache.view("token", 0s).state == State::ready);
    CHECK(*cache.view("token", 74s).value == "A");
    CHECK_FALSE(cache.view("token", 74s).refresh_wanted);
    CHECK(cache.view("token", 80s).refresh_wanted);
    const auto next = cache.begin_fetch("token");
    CHECK(cache.view("token", 81s).state == State::ready);  // the old one serves meanwhile
    CHECK_FALSE(cache.view("token", 81s).refresh_wanted);
    cache.failed("token", next, {.kind = channel::OutcomeKind::not_sent}, 81s, random);
    CHECK(cache.view("token", 81s).state == State::ready);
    CHECK_FALSE(cache.view("token", 81s).refresh_wanted);  // rests first
    CHECK(cache.view("token", 85s).refresh_wanted);
    CHECK(cache.view("token", 100s).state == State::missing);
}

TEST_CASE("resource cache: an old answer never replaces a newer one", "[net]") {
    ResourceCache cache;
    Random random{1};
    const auto first = cache.begin_fetch("token");
    cache.abandoned("token", first);
    const auto second = cache.begin_fetch("token");
    cache.arrived("token", second, {.value = "new", .valid_for = 100s}, 0s, random);
    cache.arrived("token", first, {.value = "old", .valid_for = 100s}, 1s, random);
    CHECK(*cache.view("token", 2s).value == "new");
    CHECK(cache.view("token", 2s).generation == second);
    cache.failed("token", first, {}, 2s, random);
    CHECK(cache.view("token", 2s).state == State::ready);
    // Also not once the newer one has been refused.
    CHECK(cache.invalidate("token", second));
    cache.arrived("token", first, {.value = "old", .valid_for = 100s}, 3s, random);
    CHECK(cache.view("token", 3s).state == State::missing);
}

TEST_CASE("resource cache: only the current generation can be invalidated", "[net]") {
    ResourceCache cache;
    Random random{1};
    const auto first = cache.begin_fetch("token");
    cache.arrived("token", first, {.value = "A", .valid_for = 100s}, 0s, random);
    const auto second = cache.begin_fetch("token");
    cache.arrived("token", second, {.value = "B", .valid_for = 100s}, 0s, random);
    CHECK_FALSE(cache.invalidate("token", first));
    CHECK(cache.view("token", 1s).state == State::ready);
    CHECK(cache.invalidate("token", second));
    CHECK(cache.view("token", 1s).state == State::missing);
    CHECK_FALSE(cache.invalidate("other", 1));
}

TEST_CASE("resource cache: a failed fetch is not repeated at once, longer each time", "[net]") {
    ResourceCache cache;
    Random random{1};
    Monotonic now{0};
    Monotonic rest_before{0};
    for (int i = 0; i < 5; ++i) {
        cache.failed("token", cache.begin_fetch("token"), {.kind = channel::OutcomeKind::credentials, .code = "40001"}, now, random);
        REQUIRE(cache.view("token", now).state == State::failed);
        CHECK(cache.view("token", now).failure->code == "40001");
        auto until = now;
        while (cache.view("token", until).state == State::failed) until += 100ms;
        CHECK(until - now > rest_before);
        rest_before = (until - now) * 3 / 2;
        now = until;
    }
    cache.failed("token", cache.begin_fetch("token"), {.kind = channel::OutcomeKind::throttled, .retry_after = 600s}, now, random);
    CHECK(cache.view("token", now + 599s).state == State::failed);
}

TEST_CASE("resource cache: a validity of nothing does not make an endless loop", "[net]") {
    ResourceCache cache;
    Random random{1};
    cache.arrived("token", cache.begin_fetch("token"), {.value = "A", .valid_for = 0s}, 0s, random);
    CHECK(cache.view("token", 500ms).state == State::ready);
    CHECK(cache.view("token", 1s).state == State::missing);
}

TEST_CASE("resource cache: expired resources are dropped when there are many", "[net]") {
    ResourceCache cache{{.entries_kept = 10}};
    Random random{1};
    for (int i = 0; i < 100; ++i) {
        const auto key = "media:" + std::to_string(i);
        cache.arrived(key, cache.begin_fetch(key), {.value = "A", .valid_for = 1s}, Monotonic{std::chrono::seconds{i * 2}}, random);
    }
    CHECK(cache.view("media:99", 198s).state == State::ready);
    CHECK(cache.view("media:1", 198s).state == State::missing);
}

}  // namespace touchgate::net
