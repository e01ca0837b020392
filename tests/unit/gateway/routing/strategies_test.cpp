// Who is chosen: the sort keys of every strategy, and what a choice tells about itself.

#include <cmath>
#include <map>

#include "tests/catch.hpp"
#include "tests/unit/gateway/routing/router_world.hpp"

using namespace touchgate;
using namespace touchgate::routing;
using namespace touchgate::routing::test;
using namespace std::chrono_literals;

namespace {

Json member(const std::string& queue, int tier, int position, double weight = 1) {
    return Json::array({{{"queue", queue}, {"tier", tier}, {"position", position}, {"weight", weight}}});
}

}  // namespace

TEST_CASE("longest idle: whoever ended his last work first, within the best tier", "[routing]") {
    World w;
    w.queue("care", {{"strategy", "longest_idle"}});
    w.agent("ann", voice_agent("care"));
    w.pass(1s);
    w.agent("bob", voice_agent("care"));
    w.pass(1s);
    w.agent("cho", voice_agent("care", {{"queues", member("care", 0, 1)}}));
    w.pass(1s);
    CHECK(w.serve(w.item("care")) == "cho");
    CHECK(w.last_trace().tie_break == "tier");
    w.router->set_intent("cho", Intent::not_ready, "break", "", w.now).value();
    CHECK(w.serve(w.item("care")) == "ann");
    CHECK(w.last_trace().tie_break == "idle_since");
    w.pass(1s);
    CHECK(w.serve(w.item("care")) == "bob");
    w.pass(1s);
    CHECK(w.serve(w.item("care")) == "ann");
}

TEST_CASE("a choice tells how many candidates each filter left and what decided", "[routing]") {
    World w;
    w.queue("care", {{"required_skills", {{"english", 50}}}});
    w.agent("ann", voice_agent("care", {{"skills", {{"english", 60}}}}));
    w.agent("bob", voice_agent("care", {{"skills", {{"english", 70}}}}));
    w.agent("cho", voice_agent("care", {{"skills", {{"english", 40}}}}));
    w.define("dan", voice_agent("care", {{"skills", {{"english", 90}}}}));
    w.agent("eve", voice_agent("care", {{"skills", {{"english", 80}}}}));
    w.answer(w.item("care", {.only = "eve"}));
    w.item("care");
    const auto& trace = w.last_trace();
    CHECK(trace.strategy == "longest_idle");
    CHECK(trace.members == 5);
    CHECK(trace.routable == 4);
    CHECK(trace.skilled == 3);
    CHECK(trace.not_in_backoff == 3);
    CHECK(trace.with_capacity == 2);
    CHECK(trace.considered == std::vector<std::string>{"ann", "bob"});
    CHECK(trace.tie_break == "agent_id");
}

TEST_CASE("round robin goes on behind whoever was asked last, over restarts too", "[routing]") {
    World w;
    w.queue("care", {{"strategy", "round_robin"}});
    for (const auto* id : {"cho", "ann", "bob"}) w.agent(id, voice_agent("care"));
    CHECK(w.serve(w.item("care")) == "ann");
    CHECK(w.serve(w.item("care")) == "bob");
    w.crash();
    CHECK(w.serve(w.item("care")) == "cho");
    CHECK(w.serve(w.item("care")) == "ann");
    CHECK(w.last_trace().tie_break == "after_last_served");
}

TEST_CASE("top down always begins with the first position", "[routing]") {
    World w;
    w.queue("care", {{"strategy", "top_down"}});
    w.agent("ann", voice_agent("care", {{"queues", member("care", 1, 2)}}));
    w.agent("bob", voice_agent("care", {{"queues", member("care", 1, 1)}}));
    const auto first = w.item("care");
    CHECK(w.offered_to(first) == "bob");
    CHECK(w.offered_to(w.item("care")) == "ann");
    w.serve(first);
    CHECK(w.offered_to(w.item("care")) == "bob");
}

TEST_CASE("least loaded: whoever uses the smallest share of his slots", "[routing]") {
    World w;
    w.queue("chat", {{"strategy", "least_loaded"}});
    w.agent("ann", message_agent("chat", 2));
    w.agent("bob", message_agent("chat", 4));
    std::vector<std::string> who;
    for (int i = 0; i < 6; ++i) who.push_back(w.answer(w.item("chat", {.channel = "wecom_kf"})));
    CHECK(who == std::vector<std::string>{"ann", "bob", "bob", "ann", "bob", "bob"});
    CHECK(w.state(w.item("chat", {.channel = "wecom_kf"})) == "queued");
}

TEST_CASE("fewest calls and least talk time look at a rolling window that survives a new login", "[routing]") {
    World w;
    const std::string strategy = GENERATE(as<std::string>{}, "fewest_calls", "least_talk_time");
    w.queue("care", {{"strategy", strategy}});
    w.agent("ann", voice_agent("care"));
    const auto talk = [&](Duration time) {
        const auto item = w.item("care");
        const auto who = w.answer(item);
        w.pass(time);
        w.complete(item);
        return who;
    };
    CHECK(talk(60s) == "ann");
    CHECK(talk(60s) == "ann");
    w.router->sign_out("ann", "sign_out", "", w.now).value();
    w.router->sign_in("ann", "sign_in", w.now).value();
    w.router->set_intent("ann", Intent::ready, "", "", w.now).value();
    w.agent("bob", voice_agent("care"));
    CHECK(talk(30s) == "bob");
    CHECK(talk(30s) == "bob");
    if (strategy == "least_talk_time") {
        CHECK(talk(30s) == "bob");
    } else {
        w.pass(9h);  // all has left the window: who is longer idle
        CHECK(talk(1s) == "ann");
        CHECK(talk(1s) == "bob");
    }
}

TEST_CASE("best skill: the highest sum of levels of what is asked, then longest idle", "[routing]") {
    World w;
    w.queue("care", {{"strategy", "best_skill"}, {"required_skills", {{"english", 10}}}});
    w.agent("ann", voice_agent("care", {{"skills", {{"english", 50}, {"cards", 20}}}}));
    w.agent("bob", voice_agent("care", {{"skills", {{"english", 40}, {"cards", 80}}}}));
    w.agent("cho", voice_agent("care", {{"skills", {{"french", 100}}}}));
    const auto plain = w.item("care");
    CHECK(w.offered_to(plain) == "ann");
    CHECK(w.last_trace().tie_break == "skill");
    w.serve(plain);
    CHECK(w.offered_to(w.item("care", {.needs = {"cards:10"}})) == "bob");
    CHECK(w.state(w.item("care", {.needs = {"latin"}})) == "queued");
}

TEST_CASE("sticky: the preferred agent when he is free, else the longest idle", "[routing]") {
    World w;
    w.queue("care", {{"strategy", "sticky"}});
    w.agent("ann", voice_agent("care"));
    w.agent("bob", voice_agent("care"));
    const auto first = w.item("care", {.prefers = "bob"});
    CHECK(w.offered_to(first) == "bob");
    CHECK(w.last_trace().tie_break == "preferred");
    CHECK(w.offered_to(w.item("care", {.prefers = "bob"})) == "ann");
    w.router->reject("bob", w.offer_of(first), "busy", w.now).value();
    w.agent("cho", voice_agent("care"));
    CHECK(w.offered_to(first) == "bob");  // nobody else was there when he rejected it
}

TEST_CASE("ring all: everybody of the best tier is offered it, one gets it, the others hear that it is gone", "[routing]") {
    World w;
    w.queue("care", {{"strategy", "ring_all"}});
    w.agent("ann", voice_agent("care"));
    w.agent("bob", voice_agent("care"));
    w.agent("cho", voice_agent("care", {{"queues", member("care", 2, 1)}}));
    const auto item = w.item("care");
    CHECK(w.offered_to(item) == "ann bob");
    w.agent("dan", voice_agent("care"));
    CHECK(w.offered_to(item) == "ann bob dan");
    const auto next = w.item("care");
    CHECK(w.offered_to(next) == "cho");
    const auto bobs = w.offer_of(item, "bob");
    w.router->accept("ann", w.offer_of(item, "ann"), std::nullopt, w.now).value();
    const auto late = w.router->accept("bob", bobs, std::nullopt, w.now);
    REQUIRE_FALSE(late);
    CHECK(late.error().reference == "stale_offer");
    CHECK(w.offered_to(next) == "cho bob dan");
    w.router->reject("cho", w.offer_of(next, "cho"), "", w.now).value();
    CHECK(w.state(next) == "reserved");
}

TEST_CASE("ring progressively: one agent more at every step, or as soon as there is one", "[routing]") {
    World w;
    w.queue("care", {{"strategy", "ring_progressively"}, {"progressive_step", "PT5S"}, {"offer_timeout", "PT60S"}});
    w.agent("ann", voice_agent("care"));
    w.agent("bob", voice_agent("care"));
    const auto item = w.item("care");
    CHECK(w.offered_to(item) == "ann");
    w.pass(5s);
    CHECK(w.offered_to(item) == "ann bob");
    w.agent("cho", voice_agent("care"));
    CHECK(w.offered_to(item) == "ann bob");
    w.pass(5s);
    CHECK(w.offered_to(item) == "ann bob cho");
    w.pass(6s);
    w.agent("dan", voice_agent("care"));
    CHECK(w.offered_to(item) == "ann bob cho dan");
}

TEST_CASE("weighted and random: shares of the choices follow the weights", "[routing]") {
    World w{20261122};
    const std::string strategy = GENERATE(as<std::string>{}, "weighted", "random");
    w.queue("care", {{"strategy", strategy}});
    w.agent("ann", voice_agent("care", {{"queues", member("care", 1, 1, 1)}}));
    w.agent("bob", voice_agent("care", {{"queues", member("care", 1, 2, 3)}}));
    std::map<std::string, int> count;
    constexpr int choices = 4'000;
    for (int i = 0; i < choices; ++i) ++count[w.serve(w.item("care"))];
    const double expected = strategy == "weighted" ? 0.25 : 0.5;
    CHECK(count["ann"] / double{choices} == Approx(expected).margin(4 * std::sqrt(expected * (1 - expected) / choices)));
}

TEST_CASE("fair share: work in proportion to the shares, and a newcomer does not get all that he missed", "[routing]") {
    World w;
    w.queue("care", {{"strategy", "fair_share"}});
    w.agent("ann", voice_agent("care", {{"share", 1}}));
    w.agent("bob", voice_agent("care", {{"share", 3}}));
    std::map<std::string, int> count;
    for (int i = 0; i < 400; ++i) ++count[w.serve(w.item("care"))];
    CHECK(count["ann"] == Approx(100).margin(1));
    w.agent("cho", voice_agent("care", {{"share", 1}}));
    count.clear();
    for (int i = 0; i < 50; ++i) ++count[w.serve(w.item("care"))];
    CHECK(count["cho"] == Approx(10).margin(1));
}

TEST_CASE("agents of equal standing get equal work: Jain's index of longest idle is near 1", "[routing]") {
    World w;
    w.queue("care");
    constexpr int agents = 20, items = 1'000;
    for (int i = 0; i < agents; ++i) w.agent("agent" + std::to_string(i), voice_agent("care"));
    std::map<std::string, double> count;
    for (int i = 0; i < items; ++i) {
        ++count[w.serve(w.item("care"))];
        w.pass(1s);
    }
    double sum = 0, squares = 0;
    for (const auto& [who, n] : count) {
        sum += n;
        squares += n * n;
    }
    CHECK(sum * sum / (agents * squares) > 0.999);
}
