#include "gateway/measure/comparison.hpp"

#include <cmath>
#include <vector>

#include "gateway/measure/distributions.hpp"
#include "tests/catch.hpp"

using namespace touchgate::measure;

namespace {

Moments of(const std::vector<double>& values) {
    Moments moments;
    for (const auto value : values) moments.add(value);
    return moments;
}

Moments binary(std::int64_t ones, std::int64_t all) {
    Moments moments;
    moments.add(1, ones);
    moments.add(0, all - ones);
    return moments;
}

Approx near(double value) { return Approx(value).epsilon(1e-10); }

}  // namespace

TEST_CASE("comparison: Hillstrom's e-mail experiment gives the published effects", "[measure]") {
    // Visits of 21,307 customers with the men's e-mail, 21,387 with the women's, 21,306 without. The expected values come from Python's
    // statistics module over the 64,000 rows.
    const auto none = binary(2262, 21306);
    const auto mens = compare(binary(3894, 21307), none);
    CHECK(mens.n == 21307);
    CHECK(mens.n_control == 21306);
    CHECK(mens.method == "normal");
    CHECK(*mens.mean == near(0.18275684047496127));
    CHECK(*mens.mean_control == near(0.10616727682343002));
    CHECK(*mens.difference.value == near(0.07658956365153125));
    CHECK(*mens.difference.low == near(0.06995334548485052));
    CHECK(*mens.difference.high == near(0.08322578181821197));
    CHECK(*mens.ratio.value == near(1.721404616781399));
    CHECK(*mens.ratio.low == near(1.6403830325731383));
    CHECK(*mens.ratio.high == near(1.8064280084805104));
    CHECK(*mens.p_value == Approx(2.740429349829804e-113).epsilon(1e-9).margin(0));
    const auto womens = compare(binary(3238, 21387), none);
    CHECK(*womens.difference.value == near(0.045233106587052985));
    CHECK(*womens.difference.low == near(0.03889367736347529));
    CHECK(*womens.p_value == Approx(1.9318565617798534e-44).epsilon(1e-9).margin(0));
}

TEST_CASE("comparison: small groups are compared by Welch's t", "[measure]") {
    // Expected values with 30 digits from the definitions.
    const auto made = compare(of({1, 0, 2, 5, 3, 0, 1.5}), of({0, 0, 1, 0.5, 2}));
    CHECK(made.method == "welch_t");
    CHECK(*made.mean == near(1.7857142857142857));
    CHECK(*made.mean_control == near(0.7));
    CHECK(*made.difference.value == near(1.0857142857142857));
    CHECK(*made.difference.low == near(-0.65278116714273531));
    CHECK(*made.difference.high == near(2.8242097385713067));
    CHECK(*made.ratio.value == near(2.5510204081632653));
    CHECK(*made.ratio.low == near(0.58175008962963122));
    CHECK(*made.ratio.high == near(11.186427366102472));
    CHECK(*made.p_value == near(0.1913755123191978));
}

TEST_CASE("comparison: beyond a thousand members in both groups the normal quantile is used", "[measure]") {
    CHECK(compare(binary(10, 1000), binary(10, 5000)).method == "welch_t");
    CHECK(compare(binary(10, 5000), binary(10, 1000)).method == "welch_t");
    CHECK(compare(binary(10, 1001), binary(10, 1001)).method == "normal");
}

TEST_CASE("comparison: what the data cannot tell stays empty", "[measure]") {
    SECTION("an empty group") {
        const auto made = compare(of({1, 2}), of({}));
        CHECK(*made.mean == 1.5);
        CHECK_FALSE(made.mean_control);
        CHECK_FALSE(made.difference.value);
        CHECK_FALSE(made.p_value);
    }
    SECTION("a single member") {
        const auto made = compare(of({1}), of({1, 2}));
        CHECK(*made.difference.value == near(-0.5));
        CHECK_FALSE(made.difference.low);
        CHECK_FALSE(made.p_value);
    }
    SECTION("nothing varies") {
        const auto made = compare(binary(0, 2000), binary(0, 2000));
        CHECK(*made.difference.value == 0);
        CHECK_FALSE(made.difference.high);
        CHECK_FALSE(made.ratio.value);
        CHECK_FALSE(made.p_value);
    }
    SECTION("nobody of the control") {
        const auto made = compare(binary(5, 2000), binary(0, 2000));
        CHECK(*made.difference.value == near(0.0025));
        CHECK(made.difference.low);
        CHECK(made.p_value);
        CHECK_FALSE(made.ratio.value);
        CHECK_FALSE(made.ratio.low);
    }
    SECTION("a mean below zero has no ratio") { CHECK_FALSE(compare(of({-1, -2, -3}), of({1, 2, 3})).ratio.value); }
}

TEST_CASE("comparison: repeated values count as if added one by one, in any order", "[measure]") {
    Moments once, together;
    for (int i = 0; i < 7; ++i) once.add(2.5);
    for (int i = 0; i < 900; ++i) once.add(0);
    once.add(100);
    together.add(100);
    together.add(0, 900);
    together.add(2.5, 7);
    together.add(3, 0);
    together.add(3, -2);
    CHECK(once.count() == together.count());
    CHECK(once.mean() == near(together.mean()));
    CHECK(once.variance() == near(together.variance()));
}

TEST_CASE("comparison: large values with small differences keep their variance", "[measure]") {
    Moments moments;
    for (int i = 0; i < 1000; ++i) moments.add(1e9 + i % 2);
    CHECK(moments.variance() == Approx(0.25 * 1000 / 999).epsilon(1e-6));
}

TEST_CASE("comparison: the sizes of the groups are held against the shares", "[measure]") {
    SECTION("as promised") {
        const std::vector<GroupSize> sizes = {{90'000, 0.9}, {10'000, 0.1}};
        CHECK(*sample_ratio_p_value(sizes) == near(1));
    }
    SECTION("off by a known chi-square of 10 with two degrees of freedom") {
        // (100 − 80)² / 80 + (60 − 80)² / 80 + 0 = 10
        const std::vector<GroupSize> sizes = {{100, 1}, {60, 1}, {80, 1}};
        CHECK(*sample_ratio_p_value(sizes) == near(chi_square_upper_tail(10, 2)));
    }
    SECTION("members where there should be none") {
        const std::vector<GroupSize> sizes = {{100, 0.5}, {100, 0.5}, {1, 0}};
        CHECK(*sample_ratio_p_value(sizes) == 0);
    }
    SECTION("nothing to compare") {
        CHECK_FALSE(sample_ratio_p_value(std::vector<GroupSize>{{100, 1}}));
        CHECK_FALSE(sample_ratio_p_value(std::vector<GroupSize>{{0, 0.5}, {0, 0.5}}));
        CHECK_FALSE(sample_ratio_p_value({}));
    }
}
