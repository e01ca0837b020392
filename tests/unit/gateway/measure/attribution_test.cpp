#include "gateway/measure/attribution.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::measure;

namespace {

constexpr Duration week = 7 * one_day;
using Shares = std::vector<double>;
using Parts = std::vector<std::int64_t>;

std::vector<Duration> days(const std::vector<int>& ages) {
    std::vector<Duration> made;
    for (const auto age : ages) made.push_back(age * one_day);
    return made;
}

}  // namespace

TEST_CASE("attribution: the models share the credit as they are defined", "[measure]") {
    const auto ages = days({21, 14, 7, 0});
    CHECK(credit_shares(AttributionModel::last, ages, week) == Shares{0, 0, 0, 1});
    CHECK(credit_shares(AttributionModel::first, ages, week) == Shares{1, 0, 0, 0});
    CHECK(credit_shares(AttributionModel::linear, ages, week) == Shares{0.25, 0.25, 0.25, 0.25});
    const auto decayed = credit_shares(AttributionModel::time_decay, ages, week);
    for (std::size_t i = 0; i < 4; ++i) CHECK(decayed[i] == Approx(std::pow(2, i) / 15));
    CHECK(credit_shares(AttributionModel::position, ages, week) == Shares{0.4, 0.1, 0.1, 0.4});
    CHECK(credit_shares(AttributionModel::position, days({3, 2, 1}), week) == Shares{0.4, 0.2, 0.4});
    CHECK(credit_shares(AttributionModel::position, days({3, 1}), week) == Shares{0.5, 0.5});
    CHECK(credit_shares(AttributionModel::position, days({3}), week) == Shares{1});
}

TEST_CASE("attribution: one touch gets all, none gets nothing, in every model", "[measure]") {
    for (const auto* word : {"last", "first", "linear", "time_decay", "position"}) {
        const auto model = *parse_attribution_model(word);
        CHECK(credit_shares(model, days({400}), Duration{1}) == Shares{1});
        CHECK(credit_shares(model, {}, week).empty());
    }
    CHECK_FALSE(parse_attribution_model("Last"));
    CHECK_FALSE(parse_attribution_model(""));
}

TEST_CASE("attribution: touches a thousand half-lives back still share what there is", "[measure]") {
    const auto shares = credit_shares(AttributionModel::time_decay, days({10'001, 10'000}), one_day);
    CHECK(shares[0] == Approx(1.0 / 3));
    CHECK(shares[1] == Approx(2.0 / 3));
    const auto ages = days({10'000, 0});
    CHECK(credit_shares(AttributionModel::time_decay, ages, Duration{1}) == Shares{0, 1});
}

TEST_CASE("attribution: an amount is split to the last cent by largest remainder", "[measure]") {
    const double third = 1.0 / 3;
    CHECK(split_amount(100, Shares{third, third, third}) == Parts{34, 33, 33});
    CHECK(split_amount(10'000, Shares{0.4, 0.2, 0.4}) == Parts{4000, 2000, 4000});
    CHECK(split_amount(5, Shares{0.4, 0.2, 0.4}) == Parts{2, 1, 2});
    CHECK(split_amount(1, Shares{0.4, 0.2, 0.4}) == Parts{1, 0, 0});
    CHECK(split_amount(-100, Shares{third, third, third}) == Parts{-34, -33, -33});
    CHECK(split_amount(0, Shares{0.5, 0.5}) == Parts{0, 0});
    CHECK(split_amount(7, Shares{}).empty());
}

TEST_CASE("attribution: parts add up exactly, whatever the model, the ages and the amount", "[measure]") {
    std::mt19937_64 random{11};
    for (int round = 0; round < 5'000; ++round) {
        std::vector<Duration> ages(1 + random() % 40);
        for (auto& age : ages) age = Duration{static_cast<std::int64_t>(random() % 2'592'000'000ULL)};
        std::sort(ages.rbegin(), ages.rend());
        const auto model = static_cast<AttributionModel>(random() % 5);
        const auto shares = credit_shares(model, ages, Duration{static_cast<std::int64_t>(1 + random() % 604'800'000ULL)});
        CHECK(std::accumulate(shares.begin(), shares.end(), 0.0) == Approx(1).epsilon(1e-12));
        const auto amount = static_cast<std::int64_t>(random() % 2'000'000'000'000'000ULL) - 1'000'000'000'000'000;
        const auto parts = split_amount(amount, shares);
        CHECK(std::accumulate(parts.begin(), parts.end(), std::int64_t{0}) == amount);
        for (std::size_t i = 0; i < parts.size(); ++i) CHECK(std::abs(static_cast<double>(parts[i]) - static_cast<double>(amount) * shares[i]) < 1.01);
    }
}

TEST_CASE("attribution: shares that do not add up to 1 still split the amount exactly", "[measure]") {
    for (const auto& shares : {Shares{0.2, 0.2}, Shares{0.9, 0.9}, Shares{0, 0, 0}}) {
        const auto parts = split_amount(101, shares);
        CHECK(std::accumulate(parts.begin(), parts.end(), std::int64_t{0}) == 101);
    }
}
