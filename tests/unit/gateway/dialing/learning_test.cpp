#include <cmath>

#include "gateway/base/random.hpp"
#include "gateway/dialing/answer_rates.hpp"
#include "gateway/dialing/count_distribution.hpp"
#include "gateway/dialing/ring_curve.hpp"
#include "gateway/dialing/survival.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::dialing;
using namespace std::chrono_literals;

TEST_CASE("survival: before anything is known the prior holds", "[dialing]") {
    const SurvivalCurve curve{180s, 2};
    CHECK(curve.survives(0s) == 1);
    CHECK(curve.survives(180s) == Approx(std::exp(-1.0)).epsilon(0.01));
    CHECK(curve.ends_within(0s, 18s) == Approx(1 - std::exp(-0.1)).epsilon(0.01));
    CHECK(curve.ends_within(600s, 18s) == Approx(1 - std::exp(-0.1)).epsilon(0.02));  // an exponential has no memory
    CHECK(curve.outlasted_by(std::exp(-1.0)).count() == Approx(180'000).epsilon(0.01));
}

TEST_CASE("survival: the curve comes to what is observed", "[dialing]") {
    SurvivalCurve curve{180s, 2};
    Random random{5};
    for (int i = 0; i < 20'000; ++i) curve.ended_after(Duration{static_cast<std::int64_t>(10'000 + random.below(50'000))});  // evenly between 10 and 60 s
    CHECK(curve.survives(9s) > 0.97);
    CHECK(curve.survives(35s) == Approx(0.5).epsilon(0.06));
    CHECK(curve.survives(62s) < 0.05);
    CHECK(curve.ends_within(40s, 10s) == Approx(0.5).epsilon(0.15));
    CHECK(curve.outlasted_by(0.5).count() == Approx(35'000).epsilon(0.06));
}

TEST_CASE("survival: what was cut off counts as having lasted", "[dialing]") {
    SurvivalCurve cut, biased;
    for (int i = 0; i < 500; ++i) {
        // Half of the calls last 20 to 45 s. The others go on when the day ends after 100 s.
        const auto lasted = Duration{20'000 + i * 50};
        cut.ended_after(lasted);
        cut.lasted_at_least(100s);
        biased.ended_after(lasted);
    }
    CHECK(cut.survives(60s) == Approx(0.5).epsilon(0.05));
    CHECK(biased.survives(60s) < 0.05);
}

TEST_CASE("survival: times beyond all experience neither fail nor hang", "[dialing]") {
    SurvivalCurve curve;
    curve.ended_after(100h);
    curve.ended_after(-5s);
    CHECK(curve.ends_within(100h, 1h) >= 0);
    CHECK(curve.ends_within(100h, 1h) <= 1);
    CHECK(curve.ends_within(-1h, 0s) == 0);
    CHECK(curve.outlasted_by(0) <= 24h);
    CHECK(curve.outlasted_by(1) == 0s);
}

TEST_CASE("ring curve: answers come when others did, and never after all have", "[dialing]") {
    RingCurve curve;
    for (int i = 0; i < 5'000; ++i) {
        curve.ended(Duration{5'000 + i * 7'919 % 5'000}, true);  // from 5 to 10 s
        curve.ended(20s, false);
    }
    CHECK(curve.answers_within(0s, 30s, 0.3) == Approx(0.3).epsilon(0.02));
    CHECK(curve.answers_within(0s, 7'500ms, 0.3) == Approx(0.15).epsilon(0.05));
    // Whoever rings for 8 s has not answered in the first three fifths; others still ring. 0.3 · 0.4 of 0.3 · 0.4 + 0.7.
    CHECK(curve.answers_within(8s, 10s, 0.3) == Approx(0.12 / 0.82).epsilon(0.05));
    CHECK(curve.answers_within(15s, 10s, 0.3) < 0.01);
    CHECK(curve.answers_within(0s, 30s, 0) == 0);
    CHECK(curve.answers_within(0s, 30s, 1) == Approx(1).epsilon(0.01));
    CHECK(curve.answers_within(90s, 30s, 0.5) == 0);
    CHECK(curve.answered_within(0.5).count() == Approx(7'500).epsilon(0.05));
}

TEST_CASE("answer rates: little data leans on the level above, much stands alone", "[dialing]") {
    AnswerRates rates;
    const DialKind gold{.segment = "gold", .carrier = "cmcc", .hour = 10};
    const DialKind gold_evening{.segment = "gold", .carrier = "cmcc", .hour = 19};
    const DialKind lead{.segment = "lead", .carrier = "cmcc", .hour = 10};
    CHECK(rates.rate(gold) == AnswerRates::first_guess);
    for (int i = 0; i < 2'000; ++i) rates.ended(gold, i % 10 < 6);
    CHECK(rates.rate(gold) == Approx(0.6).epsilon(0.03));
    CHECK(rates.rate(lead) == Approx(0.6).epsilon(0.05));          // the campaign's, until the segment is known
    CHECK(rates.rate(gold_evening) == Approx(0.6).epsilon(0.03));
    for (int i = 0; i < 2'000; ++i) rates.ended(lead, i % 10 < 1);
    CHECK(rates.rate(lead) == Approx(0.1).epsilon(0.1));
    CHECK(rates.rate(gold) == Approx(0.6).epsilon(0.03));
    for (int i = 0; i < 20; ++i) rates.ended(gold_evening, true);  // a run of luck
    CHECK(rates.rate(gold_evening) > 0.65);
    CHECK(rates.rate(gold_evening) < 0.8);
}

TEST_CASE("answer rates: a list whose mood changes is followed", "[dialing]") {
    AnswerRates rates;
    const DialKind kind{.segment = "a", .carrier = "", .hour = 10};
    for (int i = 0; i < 20'000; ++i) rates.ended(kind, i % 10 < 5);
    for (int i = 0; i < 10'000; ++i) rates.ended(kind, i % 10 < 2);
    CHECK(rates.rate(kind) < 0.25);
}

TEST_CASE("count distribution: sums of independent events are exact", "[dialing]") {
    CountDistribution two;
    two.add(0.5);
    two.add(0.25);
    CHECK(two.at_least(1) == Approx(1 - 0.375));
    CHECK(two.at_least(2) == Approx(0.125));
    CHECK(two.at_least(3) == 0);
    CHECK(two.at_least(0) == Approx(1));
    CHECK(two.mean() == Approx(0.75));
    two.subtract(1);
    two.subtract(0.5);
    CHECK(two.mean() == Approx(-0.75));
    CHECK(two.at_least(1) == Approx(0.125 * 0.5));
    CHECK(two.mean_excess(0) == Approx(0.125 * 0.5));
    two.add(0);
    two.subtract(0);
    two.add(-3);
    CHECK(two.mean() == Approx(-0.75));
}

TEST_CASE("count distribution: a thousand events stay narrow and right", "[dialing]") {
    CountDistribution many{-300};
    for (int i = 0; i < 1'000; ++i) many.add(0.3);
    CHECK(many.mean() == Approx(0).margin(1e-6));
    CHECK(many.at_least(-10'000) == Approx(1).epsilon(1e-8));
    // The normal approximation with continuity correction, at two standard deviations.
    const double deviation = std::sqrt(1'000 * 0.3 * 0.7);
    CHECK(many.at_least(29) == Approx(0.5 * std::erfc(28.5 / deviation / std::sqrt(2.0))).epsilon(0.05));
}
