// Waiting: order, rings, limits, hours, places and figures.

#include "tests/catch.hpp"
#include "tests/unit/gateway/routing/router_world.hpp"

using namespace touchgate;
using namespace touchgate::routing;
using namespace touchgate::routing::test;
using namespace std::chrono_literals;

TEST_CASE("priority goes first, then age; a place that was kept counts from its first day", "[routing]") {
    World w;
    w.queue("care");
    const auto old = w.item("care");
    w.pass(10s);
    const auto urgent = w.item("care", {.priority = 90});
    const auto back = w.item("care", {.first_queued_at = morning - 60s});
    const auto front = w.item("care", {.front = true});
    w.agent("ann", voice_agent("care"));
    for (const auto& expected : {urgent, front, back, old}) {
        CHECK(w.offered_to(expected) == "ann");
        w.serve(expected);
    }
}

TEST_CASE("an agent of several queues serves the highest item of all, points of age compared by each queue's weight", "[routing]") {
    World w;
    w.queue("slow", {{"age_weight", 1}});
    w.queue("fast", {{"age_weight", 3}});
    w.queue("vip", {{"priority", 80}});
    const auto slow = w.item("slow");
    w.pass(20s);
    const auto fast = w.item("fast");
    w.pass(5s);
    SECTION("25 points against 15") {
        w.agent("ann", voice_agent("slow", {{"queues", {"fast", "slow", "vip"}}}));
        CHECK(w.offered_to(slow) == "ann");
    }
    SECTION("35 points against 45") {
        w.pass(10s);
        w.agent("ann", voice_agent("slow", {{"queues", {"fast", "slow", "vip"}}}));
        CHECK(w.offered_to(fast) == "ann");
    }
    SECTION("priority before all points") {
        const auto vip = w.item("vip");
        w.agent("ann", voice_agent("slow", {{"queues", {"fast", "slow", "vip"}}}));
        CHECK(w.offered_to(vip) == "ann");
    }
}

TEST_CASE("rings open with time, and what they no longer ask for lets others in", "[routing]") {
    World w;
    w.queue("care", {{"required_skills", {{"english", 80}}}, {"relax", {{{"after", "PT20S"}, {"required_skills", {{"english", 30}}}}, {{"after", "PT40S"}, {"required_skills", Json::object()}}}}});
    w.agent("ann", voice_agent("care", {{"skills", {{"english", 40}}}}));
    w.agent("bob", voice_agent("care"));
    const auto first = w.item("care");
    const auto second = w.item("care");
    w.pass(19s);
    CHECK(w.state(first) == "queued");
    w.pass(1s);
    CHECK(w.offered_to(first) == "ann");
    CHECK(w.last_trace().ring == 1);
    w.answer(first);
    w.pass(20s);
    CHECK(w.offered_to(second) == "bob");
}

TEST_CASE("rings may open tiers: the second tier is asked only later", "[routing]") {
    World w;
    w.queue("care", {{"relax", {{{"after", "PT10S"}, {"tiers", 2}}}}});
    w.agent("bob", voice_agent("care", {{"queues", Json::array({{{"queue", "care"}, {"tier", 2}}})}}));
    const auto item = w.item("care");
    CHECK(w.state(item) == "queued");
    w.pass(10s);
    CHECK(w.offered_to(item) == "bob");
}

TEST_CASE("who waited too long flows out, again and again until he is taken, and is served meanwhile", "[routing]") {
    World w;
    w.queue("care", {{"max_wait", "PT60S"}, {"overflow", {{"to", "queue:tech"}}}});
    w.queue("tech");
    const auto item = w.item("care");
    w.pass(59s);
    CHECK(w.router->take_flow_outs().empty());
    w.pass(1s);
    const auto told = w.router->take_flow_outs();
    REQUIRE(told.size() == 1);
    CHECK(told[0].item == item);
    CHECK(told[0].to.kind == Overflow::Kind::queue);
    CHECK(told[0].to.queue == "tech");
    CHECK(told[0].reason == "max_wait");
    SECTION("not taken, it is served where it stands") {
        w.agent("ann", voice_agent("care"));
        w.pass(1ms);
        CHECK(w.offered_to(item) == "ann");
    }
    SECTION("it is told again") {
        w.pass(5s);
        CHECK(w.router->take_flow_outs().size() == 1);
    }
    SECTION("it moves, its age kept, and waits there anew") {
        w.router->requeue(item, "tech", "", false, "overflow", w.now).value();
        CHECK(w.router->item(item)->first_queued_at == morning);
        CHECK(w.router->queue("care")->flowed_out == 1);
        CHECK(w.router->queue("care")->waiting == 0);
        CHECK(w.router->queue("tech")->waiting == 1);
        w.pass(60s);
        CHECK(w.router->take_flow_outs().empty());
    }
}

TEST_CASE("an unanswered offer beyond the longest wait flows out instead of being offered again", "[routing]") {
    World w;
    w.queue("care", {{"max_wait", "PT25S"}, {"overflow", "promise"}, {"rona", 5}});
    w.agent("ann", voice_agent("care"));
    const auto item = w.item("care");
    w.pass(20s);
    CHECK(w.offered_to(item) == "ann");
    w.pass(20s);
    CHECK(w.state(item) == "queued");
    CHECK(w.router->take_flow_outs().size() == 1);
}

TEST_CASE("a queue that nobody is signed in to sends its items elsewhere, if that is wanted", "[routing]") {
    World w;
    w.queue("care", {{"when_empty", "voicemail"}});
    const auto item = w.item("care");
    auto told = w.router->take_flow_outs();
    REQUIRE(told.size() == 1);
    CHECK(told[0].reason == "no_agents");
    w.router->end({.id = item, .state = "flowed_out"}, w.now).value();
    w.agent("ann", voice_agent("care"));
    w.router->set_intent("ann", Intent::not_ready, "break", "", w.now).value();
    w.item("care");
    CHECK(w.router->take_flow_outs().empty());
    w.router->sign_out("ann", "sign_out", "", w.now).value();
    CHECK(w.router->take_flow_outs().size() == 1);
}

TEST_CASE("outside of its hours a queue sends new items elsewhere or keeps them until it opens, and serves those who came before", "[routing]") {
    RouterSettings settings;
    settings.hours = [](const Json&, Instant at) {
        if (at < morning + 1h) return RouterSettings::Open{.open = true, .until = morning + 1h};
        if (at < morning + 3h) return RouterSettings::Open{.open = false, .until = morning + 3h};
        return RouterSettings::Open{};
    };
    World w{1, settings};
    const bool elsewhere = GENERATE(true, false);
    Json document = {{"hours", {{"calendar", "cn"}}}};
    if (elsewhere) document["closed"] = "hangup";
    w.queue("care", document);
    const auto early = w.item("care");
    w.pass(1h + 1min);
    const auto late = w.item("care");
    CHECK(w.router->take_flow_outs().size() == (elsewhere ? 1 : 0));
    w.agent("ann", voice_agent("care"));
    CHECK(w.offered_to(early) == "ann");
    w.serve(early);
    CHECK(w.state(late) == "queued");
    CHECK(w.router->place(late)->position == 1);
    w.crash();
    w.router->run(w.now);
    CHECK(w.state(late) == "queued");
    w.pass(119min);
    CHECK(w.offered_to(late) == "ann");
}

TEST_CASE("a place in the queue is counted over all lanes and comes with a band of the wait to expect", "[routing]") {
    World w;
    w.queue("care");
    w.agent("ann", voice_agent("care"));
    CHECK_FALSE(w.router->place(w.ids.next(w.now)));
    w.answer(w.item("care"));
    std::vector<Uuid> waiting;
    for (int i = 0; i < 5; ++i) {
        w.pass(1s);
        waiting.push_back(w.item("care", {.needs = i % 2 == 0 ? std::vector<std::string>{} : std::vector<std::string>{"english"}}));
    }
    for (std::size_t i = 0; i < waiting.size(); ++i) CHECK(w.router->place(waiting[i])->position == i + 1);
    CHECK(w.router->place(w.item("care", {.priority = 100}))->position == 1);
    CHECK(w.router->place(waiting[0])->position == 2);
    const auto place = *w.router->place(waiting[4]);
    REQUIRE(place.at_least);
    CHECK(*place.at_least <= *place.at_most);
    CHECK(*w.router->queue("care")->oldest == morning + 1s);
}

TEST_CASE("the figures of a queue add up and begin anew with each day of its time zone", "[routing]") {
    World w;
    w.queue("care", {{"service_level", {{"within", "PT10S"}}}});
    w.agent("ann", voice_agent("care"));
    w.serve(w.item("care"));
    const auto late = w.item("care");
    w.pass(15s);
    w.answer(late);
    const auto gone = w.item("care");
    w.pass(6s);
    w.router->end({.id = gone, .state = "abandoned"}, w.now).value();
    const auto brief = w.item("care");
    w.router->end({.id = brief, .state = "abandoned"}, w.now).value();
    const auto waiting = w.item("care");
    const auto seen = *w.router->queue("care");
    CHECK(seen.offered == 5);
    CHECK(seen.answered == 2);
    CHECK(seen.answered_within == 1);
    CHECK(seen.abandoned == 2);
    CHECK(seen.short_abandoned == 1);
    CHECK(seen.waiting == 1);
    CHECK(seen.service_level() == Approx(0.25));
    w.pass(24h);
    CHECK(w.router->queue("care")->offered == 0);
    w.router->end({.id = waiting, .state = "abandoned"}, w.now).value();
    CHECK(w.router->queue("care")->abandoned == 0);  // it was of yesterday
}

TEST_CASE("a queue that changes places its items anew", "[routing]") {
    World w;
    w.queue("care", {{"required_skills", {{"english", 50}}}});
    w.agent("ann", voice_agent("care"));
    const auto item = w.item("care");
    CHECK(w.state(item) == "queued");
    w.queue("care");
    CHECK(w.offered_to(item) == "ann");
}
