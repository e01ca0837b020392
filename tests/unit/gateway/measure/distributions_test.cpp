#include "gateway/measure/distributions.hpp"

#include <cmath>
#include <limits>

#include "tests/catch.hpp"

using namespace touchgate::measure;

namespace {

bool agrees(double value, double expected) { return std::abs(value - expected) <= 1e-10 * std::max(1e-300, std::abs(expected)); }

}  // namespace

// The expected values were computed with 40 digits from the error function, the incomplete beta and the incomplete gamma function.
TEST_CASE("distributions: quantiles of the normal distribution", "[measure]") {
    const auto [p, expected] = GENERATE(table<double, double>({{0.9, 1.2815515655446005},
                                                               {0.95, 1.6448536269514727},
                                                               {0.975, 1.9599639845400542},
                                                               {0.995, 2.5758293035489008},
                                                               {0.025, -1.9599639845400542},
                                                               {1e-10, -6.3613409024040562},
                                                               {0.9999999, 5.1993375821928169}}));
    INFO(p);
    CHECK(agrees(normal_quantile(p), expected));
}

TEST_CASE("distributions: tails of the normal distribution, also far out", "[measure]") {
    const auto [z, expected] = GENERATE(table<double, double>({{0, 0.5},
                                                               {0.5, 0.3085375387259869},
                                                               {1, 0.15865525393145705},
                                                               {3, 0.0013498980316300945},
                                                               {5, 2.8665157187919391e-7},
                                                               {10, 7.6198530241605261e-24},
                                                               {37, 5.7255712225245768e-300},
                                                               {-1, 0.84134474606854295},
                                                               {-3, 0.99865010196836991}}));
    INFO(z);
    CHECK(agrees(normal_upper_tail(z), expected));
}

TEST_CASE("distributions: Student's t for whole and broken degrees of freedom", "[measure]") {
    SECTION("tails") {
        const auto [t, freedom, expected] = GENERATE(table<double, double, double>({{1, 1, 0.25},
                                                                                    {2, 3.5, 0.063069261287956767},
                                                                                    {-1.5, 7, 0.91135075650501498},
                                                                                    {4, 30, 0.00019092281804187842},
                                                                                    {12, 5, 3.5447462585807613e-5},
                                                                                    {1.96, 1e6, 0.024998033792634893},
                                                                                    {3, 2.25, 0.041353009870360621},
                                                                                    {40, 800, 2.4462608183838347e-193}}));
        INFO(t << " with " << freedom);
        CHECK(agrees(student_t_upper_tail(t, freedom), expected));
    }
    SECTION("quantiles") {
        const auto [p, freedom, expected] = GENERATE(table<double, double, double>({{0.975, 1, 12.706204736174705},
                                                                                    {0.975, 2.5, 3.5746548420036832},
                                                                                    {0.975, 10, 2.2281388519862747},
                                                                                    {0.975, 30, 2.0422724563012383},
                                                                                    {0.975, 1998, 1.9611520148367059},
                                                                                    {0.9, 4, 1.5332062740589439}}));
        INFO(p << " with " << freedom);
        CHECK(agrees(student_t_quantile(p, freedom), expected));
    }
}

TEST_CASE("distributions: tails of chi-square", "[measure]") {
    const auto [x, freedom, expected] = GENERATE(table<double, double, double>({{0.5, 1, 0.47950012218695346},
                                                                                {10, 2, 0.0067379469990854671},
                                                                                {7.81, 3, 0.050106056350005933},
                                                                                {100, 3, 1.5541594313896049e-21},
                                                                                {500, 4, 6.6996674410086037e-107},
                                                                                {0.001, 5, 0.99999999831851228},
                                                                                {30, 12, 0.0027924293327009167}}));
    INFO(x << " with " << freedom);
    CHECK(agrees(chi_square_upper_tail(x, freedom), expected));
}

TEST_CASE("distributions: what has no answer is NaN, and nothing throws", "[measure]") {
    const auto infinity = std::numeric_limits<double>::infinity();
    for (const double p : {0.0, 1.0, -1.0, 2.0, std::nan("")}) {
        CHECK(std::isnan(normal_quantile(p)));
        CHECK(std::isnan(student_t_quantile(p, 5)));
    }
    CHECK(std::isnan(student_t_quantile(0.9, 0)));
    CHECK(std::isnan(student_t_upper_tail(1, -1)));
    CHECK(std::isnan(student_t_upper_tail(1, std::nan(""))));
    CHECK(std::isnan(chi_square_upper_tail(1, 0)));
    CHECK(std::isnan(normal_upper_tail(std::nan(""))));
    CHECK(normal_upper_tail(infinity) == 0);
    CHECK(normal_upper_tail(-infinity) == 1);
    CHECK(student_t_upper_tail(infinity, 3) == 0);
    CHECK(student_t_upper_tail(-infinity, 3) == 1);
    CHECK(chi_square_upper_tail(infinity, 3) == 0);
    CHECK(chi_square_upper_tail(-1, 3) == 1);
    CHECK(chi_square_upper_tail(0, 3) == 1);
}
