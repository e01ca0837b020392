// Agents: every row of their transition table.

#include "tests/catch.hpp"
#include "tests/unit/gateway/routing/router_world.hpp"

using namespace touchgate;
using namespace touchgate::routing;
using namespace touchgate::routing::test;
using namespace std::chrono_literals;

TEST_CASE("who signs in is not ready, for the reason login, until he says that he is", "[routing]") {
    World w;
    w.queue("care");
    w.define("ann", voice_agent("care"));
    CHECK(w.shown("ann") == "offline");
    CHECK_FALSE(w.router->set_intent("ann", Intent::ready, "", "", w.now));
    w.router->sign_in("ann", "sign_in", w.now).value();
    CHECK(w.shown("ann") == "not_ready");
    CHECK(w.router->agent("ann")->reason == "login");
    w.router->set_intent("ann", Intent::ready, "", "", w.now).value();
    CHECK(w.shown("ann") == "ready");
    CHECK(w.router->free_agents("care", "voice") == 1);
    CHECK(w.router->queue("care")->routable == 1);
    w.router->sign_out("ann", "sign_out", "", w.now).value();
    CHECK(w.shown("ann") == "offline");
    CHECK(w.router->free_agents("care", "voice") == 0);
    CHECK(w.router->queue("care")->signed_in == 0);
}

TEST_CASE("who is not ready during a call gets nothing new, and is not ready when the call is over", "[routing]") {
    World w;
    w.queue("care", {{"wrap_up", "PT10S"}});
    w.agent("ann", voice_agent("care"));
    const auto item = w.item("care");
    w.answer(item);
    w.router->set_intent("ann", Intent::not_ready, "lunch", "", w.now).value();
    CHECK(w.shown("ann") == "talking");
    CHECK(w.router->agent("ann")->intent == Intent::after_current);
    w.router->finish(item, "", "customer", w.now).value();
    CHECK(w.shown("ann") == "wrapup");
    w.item("care");
    w.complete(item);
    CHECK(w.shown("ann") == "not_ready");
    CHECK(w.router->agent("ann")->reason == "lunch");
    CHECK(w.events<AgentIntentChanged>().back().cause == "after_current");
    CHECK(w.events<OfferMade>().size() == 1);
}

TEST_CASE("who changes his mind during the call is ready after it", "[routing]") {
    World w;
    w.queue("care");
    w.agent("ann", voice_agent("care"));
    const auto item = w.item("care");
    w.answer(item);
    w.router->set_intent("ann", Intent::after_current, "lunch", "", w.now).value();
    w.router->set_intent("ann", Intent::ready, "", "", w.now).value();
    w.complete(item);
    CHECK(w.shown("ann") == "ready");
}

TEST_CASE("a lapsed lease is a fault that keeps intent and calls, and a new sign-in is as before", "[routing]") {
    World w;
    w.queue("care");
    w.agent("ann", voice_agent("care"));
    const auto item = w.item("care");
    w.answer(item);
    w.router->lapse("ann", w.now).value();
    CHECK(w.shown("ann") == "fault");
    CHECK(w.owner(item) == "ann");
    w.router->sign_in("ann", "resume", w.now).value();
    CHECK(w.shown("ann") == "talking");
    CHECK(w.router->agent("ann")->intent == Intent::ready);
}

TEST_CASE("a call keeps its agent from signing out, unless he is signed out by force", "[routing]") {
    World w;
    w.queue("care");
    w.agent("ann", voice_agent("care"));
    w.answer(w.item("care"));
    const auto refused = w.router->sign_out("ann", "sign_out", "", w.now);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reference == "wrong_state");
    w.router->sign_out("ann", "lease", "", w.now).value();
    CHECK(w.shown("ann") == "offline");
}

TEST_CASE("conversations of an agent who has gone go back to the queue, at once or after a while", "[routing]") {
    World w;
    SECTION("at once") {
        w.queue("chat");
        w.agent("ann", message_agent("chat", 3));
        const auto item = w.item("chat", {.channel = "wecom_kf"});
        w.answer(item);
        w.pass(10s);
        w.router->sign_out("ann", "sign_out", "", w.now).value();
        CHECK(w.state(item) == "queued");
        CHECK(w.router->item(item)->first_queued_at == morning);
    }
    SECTION("after ten minutes") {
        w.queue("chat", {{"on_offline", {{"hold_for", "PT10M"}}}});
        w.agent("ann", message_agent("chat", 3));
        const auto item = w.item("chat", {.channel = "wecom_kf"});
        w.answer(item);
        w.router->sign_out("ann", "sign_out", "", w.now).value();
        w.pass(599s);
        CHECK(w.owner(item) == "ann");
        w.pass(1s);
        CHECK(w.state(item) == "queued");
    }
    SECTION("or stay when he is back by then") {
        w.queue("chat", {{"on_offline", {{"hold_for", "PT10M"}}}});
        w.agent("ann", message_agent("chat", 3));
        const auto item = w.item("chat", {.channel = "wecom_kf"});
        w.answer(item);
        w.router->sign_out("ann", "sign_out", "", w.now).value();
        w.pass(300s);
        w.router->sign_in("ann", "sign_in", w.now).value();
        w.pass(1'000s);
        CHECK(w.owner(item) == "ann");
    }
}

TEST_CASE("slots count by channel and in all, and an exclusive channel keeps the others away", "[routing]") {
    World w;
    w.queue("all");
    const auto offered = [&](const char* channel) { return w.offered_to(w.item("all", {.channel = channel})) == "ann"; };
    Json document = {{"capacity", {{"voice", 1}, {"wecom_kf", 2}}}, {"queues", {"all"}}};
    SECTION("by channel") {
        w.agent("ann", document);
        CHECK(offered("voice"));
        CHECK(offered("wecom_kf"));
        CHECK(offered("wecom_kf"));
        CHECK_FALSE(offered("wecom_kf"));
        CHECK_FALSE(offered("voice"));
        CHECK_FALSE(offered("sms"));
    }
    SECTION("in all") {
        document["total"] = 2;
        w.agent("ann", document);
        CHECK(offered("wecom_kf"));
        CHECK(offered("wecom_kf"));
        CHECK_FALSE(offered("voice"));
    }
    SECTION("a call that must not be interrupted") {
        document["exclusive"] = {"voice"};
        w.agent("ann", document);
        CHECK(offered("wecom_kf"));
        CHECK(offered("voice"));
        CHECK_FALSE(offered("wecom_kf"));
    }
}

TEST_CASE("a conversation leaves its agent ready while he has free slots, and talking when he has none", "[routing]") {
    World w;
    w.queue("chat");
    w.agent("ann", message_agent("chat", 2));
    w.answer(w.item("chat", {.channel = "wecom_kf"}));
    CHECK(w.shown("ann") == "ready");
    w.answer(w.item("chat", {.channel = "wecom_kf"}));
    CHECK(w.shown("ann") == "talking");
}

TEST_CASE("before the end of his shift an agent gets nothing new, and is free again when the next begins", "[routing]") {
    RouterSettings settings;
    settings.hours = [](const Json&, Instant at) {
        // Open in the first hour of every two.
        const auto hours = std::chrono::duration_cast<std::chrono::hours>(at - morning).count();
        return RouterSettings::Open{.open = hours % 2 == 0, .until = morning + std::chrono::hours{hours + 1}};
    };
    World w{1, settings};
    w.queue("care");
    w.agent("ann", voice_agent("care", {{"shift", {{"calendar", "x"}}}, {"drain_before", "PT10M"}}));
    w.pass(49min);
    CHECK(w.shown("ann") == "ready");
    w.pass(1min);
    CHECK(w.shown("ann") == "not_ready");
    CHECK(w.router->agent("ann")->reason == "shift");
    const auto item = w.item("care");
    CHECK(w.state(item) == "queued");
    w.pass(69min);
    CHECK(w.state(item) == "queued");
    w.pass(1min);
    CHECK(w.offered_to(item) == "ann");
}

TEST_CASE("an absent or disabled agent gets nothing", "[routing]") {
    World w;
    w.queue("care");
    w.agent("ann", voice_agent("care", {{"absent", {{"from", format_instant(morning + 1h)}, {"to", format_instant(morning + 2h)}, {"delegate", "bob"}}}}));
    w.pass(1h);
    const auto item = w.item("care");
    CHECK(w.state(item) == "queued");
    w.pass(1h);
    CHECK(w.offered_to(item) == "ann");
    w.define("ann", voice_agent("care", {{"disabled", true}}));
    CHECK(w.state(item) == "queued");
    w.router->sign_out("ann", "disabled", "", w.now).value();
    CHECK_FALSE(w.router->sign_in("ann", "sign_in", w.now));
}

TEST_CASE("the counts of agents by state follow every change", "[routing]") {
    World w;
    w.queue("care");
    w.agent("ann", voice_agent("care"));
    w.agent("bob", voice_agent("care"));
    w.define("cho", voice_agent("care"));
    w.answer(w.item("care"));
    std::map<std::string, std::uint32_t> counts;
    for (const auto& [state, count] : w.router->agents_by_state())
        if (count > 0) counts[std::string{to_string(state)}] = count;
    CHECK(counts == std::map<std::string, std::uint32_t>{{"offline", 1}, {"ready", 1}, {"talking", 1}});
}

TEST_CASE("the same document again changes nothing, an unknown queue is refused by its place", "[routing]") {
    World w;
    w.queue("care");
    CHECK(w.router->put_agent("ann", voice_agent("care"), w.now).value());
    CHECK_FALSE(w.router->put_agent("ann", voice_agent("care"), w.now).value());
    const auto refused = w.router->put_agent("bob", voice_agent("other"), w.now);
    REQUIRE_FALSE(refused);
    REQUIRE(refused.error().problems.size() == 1);
    CHECK(refused.error().problems[0].pointer == "/queues/0");
}
