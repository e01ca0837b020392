#include "gateway/measure/erlang.hpp"

#include <cmath>
#include <limits>

#include "tests/catch.hpp"

using namespace touchgate::measure;

namespace {

Approx about(double value) { return Approx(value).epsilon(2e-6); }

}  // namespace

TEST_CASE("erlang: B gives the classic table of lost calls", "[measure]") {
    CHECK(erlang_b(1, 1) == Approx(0.5));
    CHECK(erlang_b(1, 2) == Approx(0.2));
    CHECK(erlang_b(2, 2) == Approx(0.4));
    CHECK(erlang_b(10, 10) == about(0.2145823));
    CHECK(erlang_b(5, 0) == 1);
    CHECK(erlang_b(0, 5) == 0);
    CHECK(erlang_b(0, 0) == 1);
    CHECK(std::isnan(erlang_b(-1, 5)));
    CHECK(std::isnan(erlang_b(std::numeric_limits<double>::infinity(), 5)));
}

TEST_CASE("erlang: C gives waiting, service level and mean wait of the reference cases", "[measure]") {
    struct Case {
        double load;
        std::uint32_t agents;
        double handling, threshold, waits, level, mean;
    };
    const auto row = GENERATE(values<Case>({{10, 13, 180, 20, 0.285270, 0.795595, 17.1162},
                                            {10, 14, 180, 20, 0.174132, 0.888350, 7.8359},
                                            {26.0 + 2.0 / 3, 30, 240, 20, 0.427692, 0.676039, 30.7938},
                                            {50, 56, 300, 20, 0.309348, 0.792638, 15.4674},
                                            {75, 82, 270, 15, 0.326076, 0.778982, 12.5772}}));
    const auto forecast = erlang_c(row.load, row.agents, row.handling);
    REQUIRE(forecast);
    CHECK(forecast->wait_probability == about(row.waits));
    CHECK(forecast->mean_wait == Approx(row.mean).epsilon(5e-6));
    CHECK(forecast->occupancy == Approx(row.load / row.agents));
    CHECK(forecast->abandon_probability == 0);
    CHECK(erlang_c_service_level(row.load, row.agents, row.handling, row.threshold) == about(row.level));
    CHECK(erlang_c_service_level(row.load, row.agents, row.handling, 0) == Approx(1 - forecast->wait_probability));
}

TEST_CASE("erlang: without enough agents a queue of patient callers has no forecast", "[measure]") {
    CHECK_FALSE(erlang_c(10, 10, 180));
    CHECK_FALSE(erlang_c(10, 0, 180));
    CHECK_FALSE(erlang_c(10, 12, 0));
    CHECK_FALSE(erlang_c(std::nan(""), 12, 180));
    CHECK(erlang_c_service_level(10, 10, 180, 20) == 0);
    CHECK(erlang_c_service_level(10, 13, 180, -1) == 0);
}

TEST_CASE("erlang: A gives waiting, abandoning and mean wait of the reference cases", "[measure]") {
    struct Case {
        double load;
        std::uint32_t agents;
        double handling, patience, waits, abandons, mean;
    };
    const auto row = GENERATE(values<Case>({{50, 50, 300, 120, 0.411076, 0.068935, 8.272253},
                                            {50, 56, 300, 120, 0.175575, 0.023243, 2.789138},
                                            {10, 11, 180, 90, 0.359033, 0.101637, 9.147330}}));
    const auto forecast = erlang_a(row.load, row.agents, row.handling, row.patience);
    REQUIRE(forecast);
    CHECK(forecast->wait_probability == about(row.waits));
    CHECK(forecast->abandon_probability == Approx(row.abandons).epsilon(1e-5));
    CHECK(forecast->mean_wait == about(row.mean));
    CHECK(forecast->occupancy == Approx(row.load * (1 - forecast->abandon_probability) / row.agents));
}

TEST_CASE("erlang: A tends to C as patience grows, and to B as it vanishes", "[measure]") {
    const auto patient = erlang_a(50, 56, 300, 3e9);
    const auto endless = erlang_c(50, 56, 300);
    REQUIRE((patient && endless));
    CHECK(patient->wait_probability == Approx(endless->wait_probability).epsilon(1e-4));
    CHECK(patient->mean_wait == Approx(endless->mean_wait).epsilon(1e-4));
    const auto hasty = erlang_a(50, 56, 300, 1e-6);
    REQUIRE(hasty);
    CHECK(hasty->abandon_probability == Approx(erlang_b(50, 56)).epsilon(1e-4));
}

TEST_CASE("erlang: ten thousand agents are computed without overflow or loss", "[measure]") {
    const auto forecast = erlang_c(9'900, 10'000, 300);
    REQUIRE(forecast);
    CHECK(forecast->wait_probability > 0);
    CHECK(forecast->wait_probability < 1);
    // The square root rule of Halfin and Whitt: with N = a + β√a, Pw → 1 / (1 + √(2π) β Φ(β) exp(β²/2)).
    const double beta = (10'000 - 9'900) / std::sqrt(9'900.0);
    const double phi = 0.5 * std::erfc(-beta / std::sqrt(2.0));
    CHECK(forecast->wait_probability == Approx(1 / (1 + std::sqrt(2 * M_PI) * beta * phi * std::exp(beta * beta / 2))).epsilon(0.01));

    const auto overloaded = erlang_a(12'000, 10'000, 300, 120);
    REQUIRE(overloaded);  // one call in six gives up, and nearly everyone waits
    CHECK(overloaded->abandon_probability == Approx(1.0 / 6).epsilon(1e-6));
    CHECK(overloaded->occupancy == Approx(1).epsilon(1e-6));
    CHECK(overloaded->wait_probability == Approx(1).epsilon(1e-6));
    const auto far_over = erlang_a(100'000, 10'000, 300, 3'000);
    REQUIRE(far_over);
    CHECK(far_over->abandon_probability == Approx(0.9).epsilon(1e-6));
    const auto idle = erlang_a(100, 10'000, 300, 120);
    REQUIRE(idle);
    CHECK(idle->wait_probability == 0);
    CHECK_FALSE(erlang_a(12'000, 10'000, 300, 1e12));  // no end of the queue in sight
    CHECK_FALSE(erlang_a(1, 0, 300, 120));
    CHECK_FALSE(erlang_a(1, 2, 300, 0));
    CHECK(erlang_a(0, 2, 300, 60)->mean_wait == 0);
}

TEST_CASE("erlang: the staff is the smallest that meets level and occupancy", "[measure]") {
    const auto needed = agents_needed(10, 180, {.service_level = 0.8, .threshold_seconds = 20});
    REQUIRE(needed);
    CHECK(needed->agents == 14);  // 13 reach 79.56 %
    CHECK(needed->scheduled == 14);
    CHECK(agents_needed(10, 180, {.service_level = 0.795, .threshold_seconds = 20})->agents == 13);
    CHECK(agents_needed(10, 180, {.service_level = 0.8, .threshold_seconds = 20, .occupancy_max = 0.5})->agents == 20);
    CHECK(agents_needed(10, 180, {.service_level = 0.8, .threshold_seconds = 20, .shrinkage = 0.3})->scheduled == 20);
    CHECK(agents_needed(50, 180, {.service_level = 0, .threshold_seconds = 0, .occupancy_max = 50.0 / 90, .shrinkage = 0.1})->scheduled == 100);
    CHECK(agents_needed(0, 180, {})->agents == 0);
    CHECK(agents_needed(9'800, 300, {})->agents > 9'800);
    CHECK(agents_needed(9'800, 300, {})->agents < 9'900);
    CHECK_FALSE(agents_needed(10, 180, {.service_level = 1}));
    CHECK_FALSE(agents_needed(10, 180, {.shrinkage = 1}));
    CHECK_FALSE(agents_needed(10, 180, {.occupancy_max = 0}));
    CHECK_FALSE(agents_needed(10, -1, {}));
    CHECK_FALSE(agents_needed(2e6, 180, {}));
}
