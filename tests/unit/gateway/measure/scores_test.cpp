#include "gateway/measure/scores.hpp"

#include "tests/catch.hpp"

using touchgate::measure::fifths;
using Scores = std::vector<std::uint8_t>;

TEST_CASE("scores: each fifth of the values gets its score", "[measure]") {
    CHECK(fifths(std::vector<double>{10, 20, 30, 40, 50}) == Scores{1, 2, 3, 4, 5});
    CHECK(fifths(std::vector<double>{5, 4, 3, 2, 1, 10, 9, 8, 7, 6}) == Scores{3, 2, 2, 1, 1, 5, 5, 4, 4, 3});
}

TEST_CASE("scores: equal values have equal scores", "[measure]") {
    CHECK(fifths(std::vector<double>{1, 1, 1, 1, 2}) == Scores{1, 1, 1, 1, 5});
    CHECK(fifths(std::vector<double>{3, 3, 3}) == Scores{1, 1, 1});
    CHECK(fifths(std::vector<double>{7}) == Scores{1});
    CHECK(fifths({}).empty());
}
