// Offers and items: every row of their transition tables.

#include "tests/catch.hpp"
#include "tests/unit/gateway/routing/router_world.hpp"

using namespace touchgate;
using namespace touchgate::routing;
using namespace touchgate::routing::test;
using namespace std::chrono_literals;

namespace {

std::string code_of(const Result<void>& result) { return result ? "ok" : result.error().reference; }

}  // namespace

TEST_CASE("an item that finds a free agent is offered to him and is his when he accepts", "[routing]") {
    World w;
    w.queue("care");
    w.agent("ann", voice_agent("care"));
    const auto item = w.item("care");
    CHECK(w.state(item) == "reserved");
    CHECK(w.offered_to(item) == "ann");
    CHECK(w.shown("ann") == "ringing");
    const auto made = w.events<OfferMade>();
    REQUIRE(made.size() == 1);
    CHECK(from_unix_ms(made[0].deadline) == w.now + 20s);
    w.router->accept("ann", made[0].offer, made[0].fence, w.now).value();
    CHECK(w.state(item) == "assigned");
    CHECK(w.owner(item) == "ann");
    CHECK(w.shown("ann") == "talking");
}

TEST_CASE("an item that finds nobody waits until somebody becomes ready", "[routing]") {
    World w;
    w.queue("care");
    const auto item = w.item("care");
    CHECK(w.state(item) == "queued");
    w.agent("ann", voice_agent("care"));
    CHECK(w.offered_to(item) == "ann");
}

TEST_CASE("an accept with an old fence, after the deadline, twice or of somebody else's offer is refused and changes nothing", "[routing]") {
    World w;
    w.queue("care");
    w.agent("ann", voice_agent("care"));
    w.define("bob", voice_agent("care"));
    const auto item = w.item("care");
    const auto offer = w.offer_of(item);
    const auto fence = w.router->offer(offer)->fence;
    const auto before = w.log.size();
    CHECK(code_of(w.router->accept("ann", offer, fence - 1, w.now)) == "stale_offer");
    CHECK(code_of(w.router->accept("ann", offer, fence, w.now + 20s)) == "stale_offer");
    CHECK(code_of(w.router->accept("bob", offer, fence, w.now)) == "not_yours");
    CHECK(code_of(w.router->accept("ann", w.ids.next(w.now), fence, w.now)) == "unknown_offer");
    CHECK(w.log.size() == before);
    CHECK(code_of(w.router->accept("ann", offer, fence, w.now + 19'999ms)) == "ok");
    CHECK(code_of(w.router->accept("ann", offer, fence, w.now)) == "stale_offer");
    CHECK(code_of(w.router->reject("ann", offer, "", w.now)) == "stale_offer");
    CHECK(code_of(w.router->accept("bob", offer, fence, w.now)) == "not_yours");
}

TEST_CASE("fences rise over all offers", "[routing]") {
    World w;
    w.queue("care");
    w.agent("ann", voice_agent("care"));
    w.agent("bob", voice_agent("care"));
    const auto item = w.item("care");
    w.router->reject("ann", w.offer_of(item), "busy", w.now).value();
    w.item("care");
    std::uint64_t last = 0;
    for (const auto& made : w.events<OfferMade>()) {
        CHECK(made.fence > last);
        last = made.fence;
    }
}

TEST_CASE("a rejected item goes back to its old place and to another agent, and the agent gets the next one", "[routing]") {
    World w;
    w.queue("care");
    w.agent("ann", voice_agent("care"));
    const auto first = w.item("care");
    w.pass(1s);
    const auto second = w.item("care");
    w.router->reject("ann", w.offer_of(first), "busy", w.now).value();
    CHECK(w.state(first) == "queued");
    CHECK(w.router->item(first)->first_queued_at == morning);
    CHECK(w.offered_to(second) == "ann");
    w.agent("bob", voice_agent("care"));
    CHECK(w.offered_to(first) == "bob");
    const auto ended = w.events<OfferEnded>();
    REQUIRE(ended.size() == 1);
    CHECK(ended[0].result == OfferResult::rejected);
    CHECK(ended[0].reason == "busy");
}

TEST_CASE("whoever rejected an item gets it again at once when nobody else can take it", "[routing]") {
    World w;
    w.queue("care");
    w.agent("ann", voice_agent("care"));
    const auto item = w.item("care");
    const auto offer = w.offer_of(item);
    w.router->reject("ann", offer, "", w.now).value();
    CHECK(w.offered_to(item) == "ann");
    CHECK(w.offer_of(item) != offer);
}

TEST_CASE("an unanswered call blocks the agent, an unanswered message only the third time", "[routing]") {
    World w;
    w.queue("care");
    SECTION("a call") {
        w.agent("ann", voice_agent("care"));
        w.agent("bob", voice_agent("care"));
        const auto item = w.item("care");
        REQUIRE(w.offered_to(item) == "ann");
        w.pass(20s);
        CHECK(w.shown("ann") == "rona_blocked");
        CHECK(w.offered_to(item) == "bob");
        CHECK(w.router->item(item)->first_queued_at == morning);
        CHECK(w.router->queue("care")->rona == 1);
        w.router->set_intent("ann", Intent::ready, "", "", w.now).value();
        CHECK(w.shown("ann") == "ready");
    }
    SECTION("a message") {
        w.agent("ann", message_agent("care", 2));
        const auto item = w.item("care", {.channel = "wecom_kf"});
        w.pass(30s);
        CHECK(w.offered_to(item) == "ann");
        w.pass(30s);
        CHECK(w.shown("ann") == "ringing");
        w.pass(30s);
        CHECK(w.shown("ann") == "rona_blocked");
        CHECK(w.state(item) == "queued");
    }
}

TEST_CASE("a telephone that is not answered counts as the offer would, until he has answered", "[routing]") {
    World w;
    w.queue("care", {{"rona", {{"voice", 3}}}, {"backoff", {{"no_answer", "PT0S"}}}});
    w.agent("ann", voice_agent("care"));
    const auto item = w.item("care");
    const auto accepts = [&] { w.router->accept("ann", w.offer_of(item), std::nullopt, w.now).value(); };
    SECTION("unanswered telephones and unanswered offers make one count") {
        accepts();
        w.router->set_phase(item, Phase::dialing, w.now).value();
        w.router->unanswered(item, "no_answer", w.now).value();
        REQUIRE(w.offered_to(item) == "ann");
        w.pass(20s);
        REQUIRE(w.offered_to(item) == "ann");
        accepts();
        w.router->unanswered(item, "no_answer", w.now).value();
        CHECK(w.shown("ann") == "rona_blocked");
        CHECK(w.state(item) == "queued");
        CHECK(w.router->queue("care")->rona == 3);
    }
    SECTION("once they talk all is forgotten") {
        for (int i = 0; i < 2; ++i) {
            accepts();
            w.router->unanswered(item, "no_answer", w.now).value();
        }
        accepts();
        w.router->set_phase(item, Phase::dialing, w.now).value();
        w.router->set_phase(item, Phase::active, w.now).value();
        // His device drops out of the talk, and does not come back at the first ring.
        w.router->unanswered(item, "no_answer", w.now).value();
        CHECK(w.shown("ann") == "ringing");
    }
}

TEST_CASE("answering forgives what was not answered before", "[routing]") {
    World w;
    w.queue("care", {{"rona", {{"voice", 2}}}});
    w.agent("ann", voice_agent("care"));
    for (int i = 0; i < 3; ++i) {
        const auto item = w.item("care");
        w.pass(20s);
        REQUIRE(w.offered_to(item) == "ann");
        w.serve(item);
    }
    CHECK(w.shown("ann") == "ready");
}

TEST_CASE("an offer is withdrawn when its item ends, and does not count as unanswered", "[routing]") {
    World w;
    w.queue("care");
    w.agent("ann", voice_agent("care"));
    const auto item = w.item("care");
    w.router->end({.id = item, .state = "abandoned"}, w.now).value();
    CHECK(w.state(item) == "ended");
    CHECK(w.shown("ann") == "ready");
    REQUIRE(w.events<OfferEnded>().size() == 1);
    CHECK(w.events<OfferEnded>()[0].result == OfferResult::cancelled);
    CHECK(w.router->queue("care")->rona == 0);
    CHECK(w.router->queue("care")->abandoned == 1);
    CHECK(w.router->queue("care")->short_abandoned == 1);
}

TEST_CASE("offers are rescinded when the agent is not ready, out of order, gone or lapses, and the item keeps its place", "[routing]") {
    World w;
    w.queue("care");
    w.agent("ann", voice_agent("care"));
    const auto item = w.item("care");
    std::string after;
    SECTION("not ready") {
        w.router->set_intent("ann", Intent::not_ready, "lunch", "", w.now).value();
        after = "not_ready";
    }
    SECTION("after current, with nothing current") {
        w.router->set_intent("ann", Intent::after_current, "lunch", "", w.now).value();
        after = "not_ready";
    }
    SECTION("unhealthy") {
        w.router->set_health("ann", false, "microphone", w.now).value();
        after = "fault";
    }
    SECTION("lapsed") {
        w.router->lapse("ann", w.now).value();
        after = "fault";
    }
    SECTION("signed out") {
        w.router->sign_out("ann", "sign_out", "", w.now).value();
        after = "offline";
    }
    CHECK(w.shown("ann") == after);
    CHECK(w.state(item) == "queued");
    CHECK(w.router->item(item)->first_queued_at == morning);
    CHECK(w.events<OfferEnded>().back().result == OfferResult::rescinded);
    CHECK(w.events<OfferEnded>().back().reason == "not_routable");
}

TEST_CASE("wrap-up keeps a call's slot until it is over and frees a message's at once", "[routing]") {
    World w;
    w.queue("care", {{"wrap_up", "PT30S"}, {"default_disposition", "none"}});
    SECTION("call") {
        w.agent("ann", voice_agent("care"));
        const auto item = w.item("care");
        w.answer(item);
        w.router->finish(item, "done", "customer", w.now).value();
        CHECK(w.state(item) == "wrapping");
        CHECK(w.shown("ann") == "wrapup");
        CHECK(w.router->agent("ann")->slots[0].used == 1);
        const auto next = w.item("care");
        CHECK(w.state(next) == "queued");
        w.pass(30s);
        CHECK(w.state(item) == "ended");
        CHECK(w.offered_to(next) == "ann");
        const auto ended = w.events<ItemEnded>().back();
        CHECK(ended.disposition == "none");
        CHECK(ended.reason == "auto");
        CHECK(ended.outcome == "done");
    }
    SECTION("message") {
        w.agent("ann", message_agent("care", 1));
        const auto item = w.item("care", {.channel = "wecom_kf"});
        w.answer(item);
        const auto next = w.item("care", {.channel = "wecom_kf"});
        w.router->finish(item, "", "agent", w.now).value();
        CHECK(w.state(item) == "wrapping");
        CHECK(w.offered_to(next) == "ann");
    }
    SECTION("disposed before") {
        w.agent("ann", voice_agent("care"));
        const auto item = w.item("care");
        w.answer(item);
        w.router->finish(item, "", "customer", w.now).value();
        w.router->end({.id = item, .state = "completed", .disposition = "sold"}, w.now).value();
        CHECK(w.shown("ann") == "ready");
        w.pass(60s);
        CHECK(w.events<ItemEnded>().size() == 1);
    }
}

TEST_CASE("a reservation for a call that is dialled shows nothing, is taken by accept and ends with its deadline", "[routing]") {
    World w;
    w.queue("sales");
    w.agent("ann", voice_agent("sales"));
    const auto item = w.ids.next(w.now);
    const auto offer = w.router->reserve({.item = {.item = item, .queue = "sales", .channel = "voice"}, .longest = 45s}, w.now);
    REQUIRE(offer);
    CHECK(w.shown("ann") == "reserved");
    CHECK(w.router->agent("ann")->offers.empty());
    CHECK(w.router->offer(*offer)->silent);
    CHECK(w.router->queue("sales")->offered == 0);
    const auto second = w.router->reserve({.item = {.item = w.ids.next(w.now), .queue = "sales", .channel = "voice"}}, w.now);
    REQUIRE_FALSE(second);
    CHECK(second.error().kind == ErrorKind::unavailable);
    SECTION("the customer answered") {
        w.router->accept("ann", *offer, std::nullopt, w.now).value();
        CHECK(w.owner(item) == "ann");
    }
    SECTION("nothing came back") {
        w.pass(45s);
        CHECK(w.state(item) == "ended");
        CHECK(w.shown("ann") == "ready");
        CHECK(w.events<ItemEnded>().back().state == "expired");
    }
    SECTION("the agent is lost: the next one is reserved") {
        w.agent("bob", voice_agent("sales"));
        w.router->set_intent("ann", Intent::not_ready, "break", "", w.now).value();
        CHECK(w.offered_to(item) == "bob");
        CHECK(w.shown("bob") == "reserved");
    }
}

TEST_CASE("a preview is shown to one agent, and the item ends with its offer unless that is accepted", "[routing]") {
    World w;
    const auto strategy = GENERATE(as<std::string>{}, "longest_idle", "ring_all", "ring_progressively");
    w.queue("sales", Json{{"strategy", strategy}, {"offer_timeout", "PT10S"}, {"progressive_step", "PT1S"}});
    w.agent("ann", voice_agent("sales"));
    w.agent("bob", voice_agent("sales"));
    const auto item = w.ids.next(w.now);
    const auto offer = w.router->reserve({.item = {.item = item, .queue = "sales", .channel = "voice"}, .preview = true}, w.now).value();
    const auto shown = *w.router->offer(offer);
    const std::string agent{shown.agent}, other = agent == "ann" ? "bob" : "ann";
    CHECK(shown.preview);
    CHECK_FALSE(shown.silent);
    CHECK_FALSE(shown.auto_answer);
    CHECK(shown.deadline == w.now + 10s);
    CHECK(w.router->agent(agent)->offers == std::vector<Uuid>{offer});
    w.pass(5s);
    CHECK(w.events<OfferMade>().size() == 1);
    CHECK(w.shown(other) == "ready");
    SECTION("accepted") {
        w.router->accept(agent, offer, std::nullopt, w.now).value();
        CHECK(w.owner(item) == agent);
        SECTION("his telephone is not answered") {
            w.router->unanswered(item, "no_answer", w.now).value();
            CHECK(w.state(item) == "ended");
            CHECK(w.shown(agent) == "rona_blocked");
            CHECK(w.shown(other) == "ready");
        }
        SECTION("it was talked with, and waits again like any other") {
            w.router->requeue(item, "sales", {}, true, "recovered", w.now).value();
            CHECK(w.events<OfferMade>().back().item == item);
            CHECK_FALSE(w.events<OfferMade>().back().silent);
            CHECK_FALSE(w.events<OfferMade>().back().preview);
            w.router->reject(std::string{w.events<OfferMade>().back().agent}, w.events<OfferMade>().back().offer, "", w.now).value();
            CHECK(w.state(item) != "ended");
        }
    }
    SECTION("rejected") {
        w.router->reject(agent, offer, "knows him", w.now).value();
        CHECK(w.state(item) == "ended");
        CHECK(w.events<ItemEnded>().back().state == "cancelled");
        CHECK(w.events<OfferEnded>().back().reason == "knows him");
        CHECK(w.shown(agent) == "ready");
        const auto request = Router::Reserve{.item = {.item = w.ids.next(w.now), .queue = "sales", .channel = "voice"}, .preview = true, .not_to = {agent}};
        CHECK(w.router->can_reserve(request, w.now));
        CHECK(w.router->offer(w.router->reserve(request, w.now).value())->agent == other);
        CHECK_FALSE(w.router->can_reserve({.item = {.item = w.ids.next(w.now), .queue = "sales", .channel = "voice"}, .preview = true, .not_to = {agent}}, w.now));
    }
    SECTION("not answered") {
        w.pass(5s);
        CHECK(w.state(item) == "ended");
        CHECK(w.shown(agent) == "rona_blocked");
    }
    SECTION("its agent goes") {
        w.router->set_intent(agent, Intent::not_ready, "break", "", w.now).value();
        CHECK(w.state(item) == "ended");
        CHECK(w.shown(other) == "ready");
    }
    CHECK(w.router->queue("sales")->waiting == (w.state(item) == "ended" || w.state(item) == "assigned" ? 0 : 1));
}

TEST_CASE("a parked call is nobody's and offered to nobody until it is taken up or queued again", "[routing]") {
    World w;
    w.queue("care", Json{{"max_wait", "PT10S"}, {"overflow", "hangup"}, {"wrap_up", "PT30S"}});
    w.agent("ann", voice_agent("care"));
    const auto item = w.item("care");
    w.answer(item);
    w.router->park(item, w.now).value();
    w.agent("bob", voice_agent("care"));
    CHECK(w.shown("ann") == "ready");
    CHECK(w.router->item(item)->parked);
    w.pass(60s);
    CHECK(w.events<OfferMade>().size() == 1);
    CHECK(w.router->take_flow_outs().empty());
    CHECK(w.router->queue("care")->waiting == 0);
    CHECK(w.router->queue("care")->offered == 1);
    CHECK(code_of(w.router->park(item, w.now)) == "wrong_state");
    SECTION("taken up") {
        w.router->assign(item, "bob", "voice", "care", "pickup", false, w.now).value();
        CHECK(w.owner(item) == "bob");
        CHECK(w.router->queue("care")->answered == 1);
        w.router->requeue(item, "care", {}, false, "transfer", w.now).value();
        CHECK(w.events<OfferMade>().size() == 2);
    }
    SECTION("queued again") {
        w.router->requeue(item, "care", {}, true, "park_over", w.now).value();
        CHECK_FALSE(w.router->item(item)->parked);
        CHECK(w.events<OfferMade>().size() == 2);
    }
    SECTION("over") {
        w.router->end({.id = item, .state = "completed"}, w.now).value();
        CHECK(w.state(item) == "ended");
    }
}

TEST_CASE("an item can be given to an agent, taken from another and put back", "[routing]") {
    World w;
    w.queue("care");
    w.queue("tech");
    w.agent("ann", voice_agent("care"));
    w.agent("eve", voice_agent("tech"));
    const auto item = w.item("care");
    SECTION("from the queue, past the offer that is pending") {
        w.router->assign(item, "eve", "voice", "", "supervisor", false, w.now).value();
        CHECK(w.owner(item) == "eve");
        CHECK(w.shown("ann") == "ready");
        CHECK(w.events<OfferEnded>().back().result == OfferResult::rescinded);
    }
    SECTION("from one agent to another") {
        w.answer(item);
        w.router->assign(item, "eve", "voice", "", "supervisor", false, w.now).value();
        CHECK(w.owner(item) == "eve");
        CHECK(w.shown("ann") == "ready");
    }
    SECTION("not beyond the capacity, unless that is wanted") {
        w.answer(item);
        const auto other = w.item("care");
        CHECK(code_of(w.router->assign(other, "ann", "voice", "", "take", false, w.now)) == "no_capacity");
        w.router->assign(other, "ann", "voice", "", "take", true, w.now).value();
        CHECK(w.router->agent("ann")->slots[0].used == 2);
        w.complete(item);
        CHECK(w.shown("ann") == "talking");
        w.complete(other);
        CHECK(w.shown("ann") == "ready");
    }
    SECTION("a new one that he dialled himself") {
        const auto dialled = w.ids.next(w.now);
        w.router->assign(dialled, "eve", "voice", "tech", "dialled", false, w.now).value();
        CHECK(w.shown("eve") == "talking");
        CHECK(w.router->queue("tech")->answered == 0);
    }
    SECTION("back to another queue, its age kept") {
        w.answer(item);
        w.pass(60s);
        w.router->requeue(item, "tech", "", false, "transfer", w.now).value();
        CHECK(w.offered_to(item) == "eve");
        CHECK(w.shown("ann") == "ready");
        CHECK(w.router->item(item)->first_queued_at == morning);
    }
    SECTION("to one agent alone, whatever his queues are") {
        w.answer(item);
        const auto busy = w.item("tech");
        w.answer(busy);
        w.router->requeue(item, "", "eve", false, "transfer", w.now).value();
        CHECK(w.state(item) == "queued");
        w.agent("fay", voice_agent("care"));
        CHECK(w.state(item) == "queued");
        w.complete(busy);
        CHECK(w.offered_to(item) == "eve");
    }
    SECTION("in front of those who wait") {
        w.answer(item);
        const auto older = w.item("care");
        w.router->requeue(item, "", "", true, "recovered", w.now).value();
        CHECK(w.offered_to(item) == "ann");
        CHECK(w.state(older) == "queued");
    }
}

TEST_CASE("phases of a call are shown, and recovering keeps it with its agent", "[routing]") {
    World w;
    w.queue("care");
    w.agent("ann", voice_agent("care"));
    const auto item = w.item("care");
    w.answer(item);
    using Row = std::tuple<Phase, std::string>;
    for (const auto& [phase, shown] : {Row{Phase::held, "held"}, Row{Phase::consulting, "consulting"}, Row{Phase::conference, "conference"}, Row{Phase::dialing, "ringing"},
                                       Row{Phase::active, "talking"}}) {
        w.router->set_phase(item, phase, w.now).value();
        CHECK(w.shown("ann") == shown);
    }
    w.router->set_recovering(item, true, "media", w.now).value();
    CHECK(w.state(item) == "recovering");
    CHECK(w.owner(item) == "ann");
    w.router->set_recovering(item, false, "", w.now).value();
    CHECK(w.state(item) == "assigned");
}

TEST_CASE("commands about what is not there are refused by name", "[routing]") {
    World w;
    w.queue("care");
    const auto none = w.ids.next(w.now);
    CHECK(code_of(w.router->end({.id = none, .state = "completed"}, w.now)) == "unknown_interaction");
    CHECK(code_of(w.router->finish(none, "", "", w.now)) == "unknown_interaction");
    CHECK(code_of(w.router->accept("nobody", none, std::nullopt, w.now)) == "unknown_agent");
    const auto item = w.item("care");
    CHECK(code_of(w.router->finish(item, "", "", w.now)) == "wrong_state");
    CHECK(code_of(w.router->set_phase(item, Phase::held, w.now)) == "wrong_state");
    CHECK(code_of(w.router->enqueue({.item = item, .queue = "care", .channel = "voice"}, w.now)) == "wrong_state");
    CHECK(code_of(w.router->enqueue({.item = none, .queue = "other", .channel = "voice"}, w.now)) == "unknown_queue");
    CHECK_FALSE(w.router->end({.id = item, .state = "done"}, w.now));
}
