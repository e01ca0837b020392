// Which way follows which, and what a step waits for.

#include "gateway/dispatch/cascade.hpp"

#include <vector>

#include "tests/catch.hpp"

using namespace touchgate::dispatch;

TEST_CASE("cascade: without steps every candidate is one, and waits for delivery", "[dispatch]") {
    const Cascade plain{{}, 3, 1'000};
    CHECK(plain.next(0) == 1);
    CHECK(plain.next(1) == 2);
    CHECK_FALSE(plain.next(2));
    CHECK(plain.terms(1) == StepTerms{Until::delivered, 1'000});
    CHECK(Cascade({}, 3, -1).terms(0).within_ms < 0);
    CHECK_FALSE(Cascade({}, 1, 1'000).next(0));
}

TEST_CASE("cascade: a step is a run of candidates, and its time leads past all of them", "[dispatch]") {
    const std::vector<CascadeStep> steps = {{0, Until::read, 500}, {2, Until::accepted, -1}, {3, Until::replied, 7}};
    const Cascade cascade{steps, 5, -1};
    CHECK(cascade.next(0) == 2);
    CHECK(cascade.next(1) == 2);
    CHECK(cascade.next(2) == 3);
    CHECK_FALSE(cascade.next(3));
    CHECK_FALSE(cascade.next(4));
    CHECK(cascade.terms(1) == StepTerms{Until::read, 500});
    CHECK(cascade.terms(2) == StepTerms{Until::accepted, -1});
    CHECK(cascade.terms(4) == StepTerms{Until::replied, 7});
}

TEST_CASE("cascade: a step has what it waits for when its attempt came so far or further", "[dispatch]") {
    using Row = std::tuple<Until, bool, bool, Progress, bool>;
    const auto [until, voice, accepted, progress, reached] = GENERATE(table<Until, bool, bool, Progress, bool>({
        Row{Until::accepted, false, false, Progress::open, false}, Row{Until::accepted, false, true, Progress::open, true},
        Row{Until::accepted, false, false, Progress::delivered, true}, Row{Until::accepted, false, false, Progress::failed, false},
        Row{Until::delivered, false, true, Progress::open, false}, Row{Until::delivered, false, true, Progress::delivered, true},
        Row{Until::delivered, false, true, Progress::replied, true}, Row{Until::read, false, true, Progress::delivered, false},
        Row{Until::read, false, true, Progress::read, true}, Row{Until::replied, false, true, Progress::read, false},
        Row{Until::replied, false, true, Progress::replied, true}, Row{Until::answered, false, true, Progress::read, false},
        Row{Until::answered, false, true, Progress::replied, true}, Row{Until::answered, true, true, Progress::open, false},
        Row{Until::answered, true, true, Progress::delivered, true}, Row{Until::answered, true, true, Progress::completed, true},
    }));
    CHECK(reaches(until, voice, accepted, progress) == reached);
}
