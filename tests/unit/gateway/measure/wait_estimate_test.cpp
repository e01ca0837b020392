#include "gateway/measure/wait_estimate.hpp"

#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::measure;
using namespace std::chrono_literals;

namespace {
constexpr Instant start = from_unix_ms(1'800'000'000'000);
}

TEST_CASE("wait estimate: a steady queue is foreseen by the place, with a narrow band", "[measure]") {
    WaitEstimate queue;
    for (int i = 0; i < 60; ++i) queue.departed(start + i * 10s, true);
    const auto band = queue.at_place(3, start + 590s);
    REQUIRE(band);
    CHECK(band->expected == 30s);
    CHECK(band->high - band->low < 200ms);
    CHECK(queue.at_place(6, start + 590s)->expected == 60s);
    CHECK_FALSE(queue.at_place(0, start));
}

TEST_CASE("wait estimate: nothing is said before two departures of a waiting queue", "[measure]") {
    WaitEstimate queue;
    CHECK_FALSE(queue.at_place(1, start));
    queue.departed(start, true);
    CHECK_FALSE(queue.at_place(1, start));
    queue.departed(start + 30s, false);  // nobody waited in between
    CHECK_FALSE(queue.at_place(1, start + 31s));
    queue.departed(start + 50s, true);
    CHECK(queue.at_place(1, start + 50s)->expected == 20s);
    queue.departed(start + 50s + 20h, true);  // the night
    CHECK(queue.at_place(1, start + 50s + 20h)->expected == 20s);
}

TEST_CASE("wait estimate: while nobody leaves, the estimate grows", "[measure]") {
    WaitEstimate queue;
    for (int i = 0; i < 20; ++i) queue.departed(start + i * 10s, true);
    const auto last = start + 190s;
    CHECK(queue.at_place(1, last + 5s)->expected == 10s);
    const auto stuck = queue.at_place(1, last + 110s);
    CHECK(stuck->expected == 35s);
    CHECK(stuck->low >= 0s);
    CHECK(queue.at_place(1, last + 1'000h)->expected < 1h);
    CHECK(queue.at_place(1, last - 10s)->expected == 10s);  // a clock that was set back
}
