#include "gateway/measure/service.hpp"

#include <array>

#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::measure;
using namespace std::chrono_literals;

namespace {

// 100 offered: 80 answered (60 in time), 15 gave up (9 in time, of these 5 at once), 3 flowed out (1 in time), 4 waited before, 6 wait now.
QueueCounts morning() {
    QueueCounts counts;
    counts.offered = 100;
    counts.answered = 80;
    counts.answered_within = 60;
    counts.abandoned = 15;
    counts.abandoned_within = 9;
    counts.abandoned_short = 5;
    counts.flowed_out = 3;
    counts.flowed_out_within = 1;
    counts.waiting_at_start = 4;
    counts.waiting_at_end = 6;
    counts.handled = 80;
    counts.wait_of_answered = 1'200s;
    counts.talk = 14'400s;
    counts.hold = 800s;
    counts.wrap_up = 2'400s;
    counts.dial = 80s;
    return counts;
}

}  // namespace

TEST_CASE("service: the rival service levels of one morning differ by twenty points", "[measure]") {
    const auto counts = morning();
    const auto [word, expected] = GENERATE(table<std::string, double>({{"offered", 60.0 / 95},
                                                                        {"answered", 0.75},
                                                                        {"sl2", 69.0 / 95},
                                                                        {"excluding_abandons", 60.0 / 91},
                                                                        {"ac", 0.70}}));
    const auto kind = parse_service_level(word);
    REQUIRE(kind);
    CHECK(*service_level(*kind, counts) == Approx(expected));
    CHECK_FALSE(service_level(*kind, {}));
    CHECK_FALSE(parse_service_level(word + " "));
}

TEST_CASE("service: waiting, abandoning and handling are means over those concerned", "[measure]") {
    const auto counts = morning();
    CHECK(*speed_of_answer(counts) == 15s);
    CHECK(*abandon_rate(counts) == Approx(10.0 / 95));
    CHECK(*abandon_rate_raw(counts) == Approx(0.15));
    CHECK(*handling_time(counts) == 220s);
    CHECK(*handling_time(counts, true) == 221s);
    CHECK_FALSE(speed_of_answer({}));
    CHECK_FALSE(abandon_rate({}));
    CHECK_FALSE(handling_time({}));
    QueueCounts only_short;  // everybody who called hung up at once: there is nothing to measure
    only_short.offered = only_short.abandoned = only_short.abandoned_short = 3;
    CHECK_FALSE(abandon_rate(only_short));
    CHECK_FALSE(service_level(ServiceLevel::offered, only_short));
}

TEST_CASE("service: a lost item shows in the balance", "[measure]") {
    auto counts = morning();
    CHECK(unaccounted(counts) == 0);
    --counts.answered;
    CHECK(unaccounted(counts) == 1);
    OfferCounts offers{.created = 20, .accepted = 12, .rejected = 2, .timed_out = 3, .rescinded = 1, .cancelled = 1, .pending = 1};
    CHECK(unaccounted(offers) == 0);
    offers.pending = 0;
    CHECK(unaccounted(offers) == 1);
}

TEST_CASE("service: consecutive intervals add up to the day", "[measure]") {
    auto day = morning();
    QueueCounts noon;
    noon.offered = 4;
    noon.answered = 10;
    noon.waiting_at_start = 6;
    noon.waiting_at_end = 0;
    REQUIRE(unaccounted(noon) == 0);
    day += noon;
    CHECK(day.offered == 104);
    CHECK(day.waiting_at_start == 4);
    CHECK(day.waiting_at_end == 0);
    CHECK(unaccounted(day) == 0);
}

TEST_CASE("service: a customer who hangs up while the agent's device rings is not the agent's fault", "[measure]") {
    const OfferCounts offers{.created = 20, .accepted = 12, .rejected = 2, .timed_out = 3, .rescinded = 1, .cancelled = 2, .hung_up_while_ringing = 2};
    CHECK(*no_answer_rate(offers).agent == Approx(0.15));
    CHECK(*no_answer_rate(offers).customer == Approx(0.10));
    CHECK(*offer_acceptance(offers) == Approx(12.0 / 17));
    CHECK_FALSE(no_answer_rate({}).agent);
    CHECK_FALSE(offer_acceptance({}));
}

TEST_CASE("service: what a drop rate is depends on who asks", "[measure]") {
    // 1000 dialed; 300 people and 100 machines answered; 9 people were dropped; 380 calls reached the queue, 280 were bridged.
    const DialCounts counts{.attempts = 1'000, .live = 300, .machines = 100, .dropped = 9, .reached_queue = 380, .connected = 280};
    CHECK(*drop_rate(*parse_drop_rate("tsr"), counts) == Approx(0.03));
    CHECK(*drop_rate(*parse_drop_rate("vici"), counts) == Approx(0.03));
    CHECK(*drop_rate(*parse_drop_rate("gc_all"), counts) == Approx(9.0 / 400));
    CHECK(*drop_rate(*parse_drop_rate("gc_queue"), counts) == Approx(9.0 / 380));
    CHECK(*drop_rate(*parse_drop_rate("ofcom"), counts) == Approx(9.0 / 289));
    CHECK(*drop_rate(DropRate::ofcom, counts, 1.0 / 3) == Approx(6.0 / 286));
    CHECK(*drop_rate(DropRate::ofcom, counts, 7) == 0);  // an estimate beyond all is taken as all
    CHECK_FALSE(drop_rate(DropRate::ofcom, {}));
    CHECK_FALSE(drop_rate(DropRate::tsr, {}));
    CHECK_FALSE(parse_drop_rate("acme"));
}

TEST_CASE("service: from attempts to results", "[measure]") {
    const DialCounts counts{.attempts = 1'000, .live = 300, .right_party = 150, .success = 30, .contacts = 400, .callable = 800, .attempted = 400};
    CHECK(*contact_rate(counts) == Approx(0.3));
    CHECK(*right_party_rate(counts) == Approx(0.5));
    CHECK(*conversion_rate(counts) == Approx(0.2));
    CHECK(*list_penetration(counts) == Approx(0.5));
    CHECK(*attempts_per_contact(counts) == Approx(2.5));
    CHECK_FALSE(conversion_rate({}));
}

TEST_CASE("service: fairness is 1 for equal work and 1/n when one does it all", "[measure]") {
    CHECK(*fairness(std::array{3.0, 3.0, 3.0}) == Approx(1));
    CHECK(*fairness(std::array{9.0, 0.0, 0.0}) == Approx(1.0 / 3));
    CHECK(*fairness(std::array{1.0, 2.0}) == Approx(0.9));
    CHECK_FALSE(fairness({}));
    CHECK_FALSE(fairness(std::array{0.0, 0.0}));
}
