// Calls in the engine: from the telephone system to the agent's screen and the log, through restarts.
#include "gateway/policy/call_outcomes.hpp"
#include "tests/unit/gateway/engine/exchange.hpp"

namespace touchgate::engine_test {

TEST_CASE("calls: a call comes in, is offered, accepted, put through, hung up by the customer and wrapped up", "[engine]") {
    Exchange house;
    house.ready("a1");
    house.call_in();
    const auto offer = house.offer_to(house.a1);
    CHECK(offer.channel == "voice");
    CHECK(offer.queue == "care");
    CHECK(offer.from == "+86138****5678");
    CHECK(offer.to == "****");
    CHECK(house.shown(offer.interaction).state == "reserved");
    house.pass(Duration{4'000});
    house.accept("a1", offer);
    CHECK(house.presence("a1").state == "ringing");
    CHECK(house.pbx.last_made.target == "1001");
    CHECK(house.pbx.last_made.owner == to_string(offer.interaction));
    CHECK(house.a1->all<ConnectedPush>().empty());
    house.pass(Duration{2'000});
    house.pick_up("1001");
    CHECK(house.a1->last<ConnectedPush>().interaction == offer.interaction);
    CHECK(house.a1->call_states() == "dialing_agent ringing connected");
    CHECK(house.a1->presence_states().ends_with("ready ringing talking"));
    CHECK(house.presence("a1").state == "talking");
    const auto during = house.shown(offer.interaction);
    CHECK(during.state == "assigned");
    CHECK(during.agent == "a1");
    REQUIRE(during.call);
    CHECK(during.call->from == customer);
    CHECK(during.call->did == "1000");
    house.pass(Duration{30'000});
    house.hang_up("13812345678");
    CHECK(house.pbx.legs.empty());
    CHECK(house.pbx.mixes.empty());
    CHECK(house.pbx.faults == std::vector<std::string>{});
    CHECK(house.a1->call_states() == "dialing_agent ringing connected ended");
    CHECK(house.a1->last<WrapUpPush>().interaction == offer.interaction);
    CHECK(house.presence("a1").state == "wrapup");
    const auto over = house.ended(offer.interaction);
    CHECK(over.outcome == "answered");
    CHECK(over.hung_up_by == "customer");
    CHECK(over.agent == "a1");
    CHECK(over.queue == "care");
    CHECK(over.wait_ms == 4'000);
    CHECK(over.ring_ms == 2'000);
    CHECK(over.talk_ms == 30'000);
    CHECK(over.cause == 16);
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.desk().wrap_up("a1", offer.interaction, "solved", {}); }));
    CHECK(house.shown(offer.interaction).state == "completed");
    CHECK(house.presence("a1").state == "ready");
}

TEST_CASE("calls: hung up by the agent, and by nobody for a caller who does not wait", "[engine]") {
    Exchange house;
    SECTION("agent") {
        const auto id = house.talk();
        REQUIRE(house.control("a1", id, CallControl::hang_up));
        CHECK(house.ended(id).hung_up_by == "agent");
        CHECK(house.shown(id).state == "wrapping");
        CHECK(house.pbx.legs.empty());
    }
    SECTION("caller") {
        house.ready("a1");
        house.call_in();
        const auto offer = house.offer_to(house.a1);
        house.pass(Duration{6'000});
        house.hang_up("13812345678");
        CHECK(house.a1->last<OfferRevokedPush>().reason == "cancelled");
        CHECK(house.shown(offer.interaction).state == "abandoned");
        CHECK(house.shown(offer.interaction).outcome == "abandoned");
        CHECK(house.ended(offer.interaction).outcome == "abandoned");
        CHECK(house.presence("a1").state == "ready");
        CHECK(house.in_turn([](Engine& inside) { return inside.desk().queue("care"); })->rona == 0);
    }
}

TEST_CASE("calls: an agent whose telephone is not answered is blocked, and the caller is offered to the next", "[engine]") {
    Exchange house;
    house.ready("a1");
    house.call_in();
    house.accept("a1", house.offer_to(house.a1));
    house.ready("a2");
    house.pass(Duration{18'000});
    CHECK(house.presence("a1").state == "rona_blocked");
    const auto offer = house.offer_to(house.a2);
    CHECK(house.shown(offer.interaction).state == "reserved");
    house.accept("a2", offer);
    house.pick_up("1002");
    CHECK(house.presence("a2").state == "talking");
    CHECK(house.shown(offer.interaction).agent == "a2");
    CHECK(house.pbx.with("13812345678") == std::set<std::string>{"1002"});
}

TEST_CASE("calls: an anonymous caller is a customer of whom nothing is known", "[engine]") {
    Exchange house;
    house.ready("a1");
    house.call_in("anonymous");
    const auto offer = house.offer_to(house.a1);
    CHECK(offer.contact.addresses.empty());
    CHECK(house.shown(offer.interaction).call->from == "anonymous");
}

TEST_CASE("calls: a caller for whom there is no queue is hung up, and is known to have found none", "[engine]") {
    Exchange house{[](voice::CallRules& rules) { rules.inbound.queue = "nowhere"; }};
    house.call_in();
    CHECK(house.pbx.legs.empty());
    CHECK(house.pbx.faults == std::vector<std::string>{});
    const auto all = house.in_turn([](Engine& inside) { return inside.internals().state.interactions; });
    REQUIRE(all.size() == 1);
    CHECK(all.begin()->second.state == "flowed_out");
    CHECK(all.begin()->second.reason == "no_queue");
    CHECK(house.ended(all.begin()->first).outcome == "cancelled");
    CHECK(house.ended(all.begin()->first).hung_up_by == "gateway");
}

TEST_CASE("calls: hold, mute, digits and what is not possible", "[engine]") {
    Exchange house;
    const auto id = house.talk();
    REQUIRE(house.control("a1", id, CallControl::hold));
    CHECK(house.presence("a1").state == "held");
    CHECK(house.a1->last<CallStatePush>().state == "held");
    CHECK(house.pbx.legs.at("in-1").music);
    house.pass(Duration{5'000});
    REQUIRE(house.control("a1", id, CallControl::resume));
    CHECK(house.a1->last<CallStatePush>().state == "connected");
    REQUIRE(house.control("a1", id, CallControl::mute));
    CHECK(house.pbx.legs.at(house.pbx.leg_to("1001")).muted);
    CHECK(house.in_turn([&](Engine& inside) { return inside.desk().send_digits("a1", id, "12#"); }).has_value());
    CHECK(house.control("a1", id, CallControl::consult_complete).error().reference == "wrong_state");
    CHECK(house.control("a2", id, CallControl::hold).error().reference == "not_yours");
    house.hang_up("13812345678");
    CHECK(house.ended(id).hold_ms == 5'000);
    CHECK(house.control("a1", id, CallControl::hold).error().reference == "wrong_state");
}

TEST_CASE("calls: a call is handed to another agent, to the queue, and to a number outside", "[engine]") {
    Exchange house;
    const auto id = house.talk();
    const auto hand = [&](const std::string& to, bool consult = false) {
        auto done = house.in_turn([&](Engine& inside) { return inside.desk().transfer("a1", id, to, "knows it all", consult); });
        house.settle();
        return done;
    };
    CHECK(hand("agent:nobody").error().reference == "bad_request");
    SECTION("agent") {
        house.ready("a2");
        REQUIRE(hand("agent:a2"));
        // His part is over, and he wraps it up while the call goes on.
        CHECK(house.a1->presence_states().ends_with("ready ringing talking wrapup"));
        CHECK(house.a1->last<WrapUpPush>().interaction == id);
        CHECK(house.a1->all<ClosedPush>().empty());
        CHECK(house.presence("a1").slots.front().used == 1);
        house.accept("a2", house.offer_to(house.a2));
        house.pick_up("1002");
        CHECK(house.pbx.with("13812345678") == std::set<std::string>{"1002"});
        CHECK(house.shown(id).agent == "a2");
        if (GENERATE(true, false)) {
            REQUIRE(house.in_turn([&](Engine& inside) { return inside.desk().wrap_up("a1", id, "handed on", "he knows"); }));
        } else {
            house.pass(Duration{31'000});
        }
        CHECK(house.presence("a1").state == "ready");
        CHECK(house.presence("a1").slots.front().used == 0);
        CHECK(house.a1->all<ClosedPush>().size() == 1);
        CHECK(house.a1->last<ClosedPush>().interaction == id);
        CHECK(house.a1->last<ClosedPush>().reason == "transfer");
        CHECK(house.in_turn([&](Engine& inside) { return inside.desk().wrap_up("a1", id, "again", {}); }).error().reference == "not_yours");
        house.hang_up("13812345678");
        CHECK(house.presence("a2").state == "wrapup");
        CHECK(house.shown(id).state == "wrapping");
    }
    SECTION("agent, and a restart while the first one wraps up") {
        house.ready("a2");
        REQUIRE(hand("agent:a2"));
        house.crash();
        house.up();
        house.a1 = house.sit_down("a1");
        CHECK(house.presence("a1").state == "wrapup");
        REQUIRE(house.in_turn([&](Engine& inside) { return inside.desk().wrap_up("a1", id, "handed on", {}); }));
        CHECK(house.presence("a1").state == "ready");
    }
    SECTION("agent, of a queue without wrap-up") {
        house.put_queue(R"({"channels":["voice"],"offer_timeout":"PT15S","wrap_up":"PT0S"})");
        house.ready("a2");
        REQUIRE(hand("agent:a2"));
        CHECK(house.a1->last<ClosedPush>().reason == "transfer");
        CHECK(house.presence("a1").state == "ready");
    }
    SECTION("queue") {
        REQUIRE(hand("queue:care"));
        CHECK(house.pbx.legs.at("in-1").music);
        CHECK(house.shown(id).state != "assigned");
    }
    SECTION("number") {
        REQUIRE(hand("phone:lawyer"));
        CHECK(house.pbx.leg_to("1001").empty());
        house.pick_up("+861012345678");
        CHECK(house.pbx.with("13812345678") == std::set<std::string>{"+861012345678"});
        CHECK(house.shown(id).state == "wrapping");
        house.hang_up("13812345678");
        CHECK(house.ended(id).outcome == "answered");
    }
    SECTION("number without the right") { CHECK(hand("phone:+8613900000000").error().reference == "not_allowed"); }
    SECTION("consultation, then handed over") {
        house.ready("a2");
        REQUIRE(hand("agent:a2", true));
        CHECK(house.presence("a1").state == "consulting");
        CHECK(house.presence("a2").state == "consulting");
        house.pick_up("1002");
        CHECK(house.pbx.with("1001") == std::set<std::string>{"1002"});
        REQUIRE(house.control("a1", id, CallControl::consult_complete));
        CHECK(house.shown(id).agent == "a2");
        CHECK(house.presence("a2").state == "talking");
        CHECK(house.a2->last<ConnectedPush>().interaction == id);
        CHECK(house.pbx.with("13812345678") == std::set<std::string>{"1002"});
        CHECK(house.presence("a1").state == "wrapup");
        house.hang_up("13812345678");
        CHECK(house.presence("a2").state == "wrapup");
        house.pass(Duration{31'000});
        CHECK(house.presence("a1").state == "ready");
        CHECK(house.presence("a2").state == "ready");
    }
    SECTION("consultation, then all three together") {
        house.ready("a2");
        REQUIRE(hand("agent:a2", true));
        house.pick_up("1002");
        REQUIRE(house.control("a1", id, CallControl::conference));
        CHECK(house.presence("a1").state == "conference");
        CHECK(house.presence("a2").state == "conference");
        CHECK(house.a2->presence_states().ends_with("ready consulting conference"));
        house.hang_up("1002");
        CHECK(house.presence("a1").state == "talking");
        CHECK(house.presence("a2").state == "ready");
    }
    SECTION("consultation of one who is busy") {
        CHECK(hand("agent:a2", true).has_value());
        CHECK(hand("agent:boss", true).error().reference == "wrong_state");
    }
}

TEST_CASE("calls: when the agent's device drops the customer is first in the queue", "[engine]") {
    Exchange house;
    const auto id = house.talk();
    house.hang_up("1001", 44, "congestion");
    const auto types = house.logged();
    CHECK(std::find(types.begin(), types.end(), EventType::interaction_recovering) != types.end());
    const auto offer = house.offer_to(house.a1);
    CHECK(offer.interaction == id);
    house.accept("a1", offer);
    house.pick_up("1001");
    CHECK(house.pbx.with("13812345678") == std::set<std::string>{"1001"});
    CHECK(house.presence("a1").state == "talking");
}

TEST_CASE("calls: a supervisor listens to a call of his queue, others may not", "[engine]") {
    Exchange house;
    const auto id = house.talk();
    const auto supervise = [&](const std::string& who, Supervision how) {
        auto done = house.in_turn([&](Engine& inside) { return inside.desk().supervise(who, id, how); });
        house.settle();
        return done;
    };
    CHECK(supervise("a2", Supervision::monitor).error().reference == "not_allowed");
    REQUIRE(supervise("boss", Supervision::monitor));
    house.pick_up("1009");
    CHECK(house.pbx.with("1009") == std::set<std::string>{"snoop"});
    REQUIRE(supervise("boss", Supervision::barge));
    CHECK(house.pbx.with("1009") == std::set<std::string>{"1001", "13812345678"});
    REQUIRE(supervise("boss", Supervision::coach_off));
    CHECK(house.pbx.leg_to("1009").empty());
}

TEST_CASE("calls: a dial by an agent passes the policy and is a touch that is completed", "[engine]") {
    Exchange house;
    house.ready("boss");
    const auto dial = [&](const std::string& agent, const std::string& purpose) {
        auto made = house.in_turn([&](Engine& inside) { return inside.desk().dial(agent, {.contact = {}, .number = customer, .purpose = purpose, .campaign = {}, .lead = {}}); });
        house.settle();
        return made;
    };
    CHECK(dial("a1", "care").error().reference == "not_allowed");
    CHECK(dial("boss", "marketing").error().reference == "not_allowed");
    const auto made = dial("boss", "care");
    if (!made) FAIL(made.error().reference << " " << made.error().detail);
    CHECK(house.pbx.last_made.target == "1009");
    CHECK(house.boss->call_states() == "dialing_agent ringing");
    house.pick_up("1009");
    CHECK(house.pbx.last_made.target == customer);
    CHECK(house.pbx.last_made.permit_deadline != channel::Monotonic::max());
    const auto touch = house.shown(made->id).touch;
    CHECK(house.state(touch) == TouchState::dispatching);
    SECTION("they talk") {
        house.pass(Duration{3'000});
        house.pick_up(customer);
        CHECK(house.state(touch) == TouchState::accepted);
        CHECK(house.presence("boss").state == "talking");
        CHECK(house.boss->last<ConnectedPush>().interaction == made->id);
        house.pass(Duration{8'000});
        REQUIRE(house.control("boss", made->id, CallControl::hang_up));
        CHECK(house.state(touch) == TouchState::completed);
        const auto over = house.ended(made->id);
        CHECK(over.outbound);
        CHECK(over.touch == touch);
        CHECK(over.talk_ms == 8'000);
        CHECK(over.ring_ms == 3'000);
        CHECK(house.presence("boss").state == "wrapup");
        // The slot counts: the policy allows one call of this purpose a day.
        REQUIRE(house.in_turn([&](Engine& inside) { return inside.desk().wrap_up("boss", made->id, "done", {}); }));
        CHECK(dial("boss", "care").error().reference == "policy_denied");
        CHECK(dial("boss", "service").has_value());
    }
    SECTION("busy counts, a number that is none does not") {
        const bool counts = GENERATE(true, false);
        house.hang_up(customer, counts ? 17 : 1, counts ? "busy" : "invalid_number");
        CHECK(house.state(touch) == TouchState::failed);
        CHECK(house.in_turn([&](Engine& inside) { return inside.find_touch(touch); })->reason == (counts ? "busy" : "invalid_number"));
        CHECK(house.pbx.legs.empty());
        if (house.presence("boss").state == "wrapup") REQUIRE(house.in_turn([&](Engine& inside) { return inside.desk().wrap_up("boss", made->id, "done", {}); }));
        const auto again = dial("boss", "care");
        CHECK(again.has_value() == !counts);
        const auto& history = house.engine->internals().state.contacts[house.engine->internals().state.touches[house.engine->internals().row_of(touch)].contact.value].history;
        REQUIRE(!history.empty());
        CHECK(history.front().outcome == policy::call_outcome_number(counts ? "busy" : "invalid_number"));
    }
}

TEST_CASE("calls: a touch is played to the customer", "[engine]") {
    Exchange house;
    auto request = House::touch(customer, "reminder", "care");
    request.channels = {"voice"};
    request.content = {};
    request.content.body_json = R"({"voice":{"play":"file:reminder"}})";
    const auto made = house.submit(request);
    REQUIRE(made);
    house.settle();
    CHECK(house.pbx.last_made.target == customer);
    CHECK(house.state(made->id) == TouchState::dispatching);
    SECTION("to its end") {
        house.pick_up(customer);
        CHECK(house.pbx.plays.begin()->second == "file:reminder");
        house.pbx.finish_plays();
        house.settle();
        CHECK(house.state(made->id) == TouchState::delivered);
    }
    SECTION("not at all: nobody is kept on a silent line") {
        house.pick_up(customer);
        const auto command = house.engine->internals().state.calls.begin()->second.live.play_command;
        house.engine->on_transport_events({CallReported{.account = 1, .event = channel::CommandFailed{.command = command, .unwritten = true, .code = "CANNOT_PLAY", .detail = "this system cannot play it"}}});
        house.settle();
        CHECK(house.state(made->id) == TouchState::failed);
        CHECK(house.ended(house.engine->internals().state.calls.begin()->first).outcome == "failed");
    }
    SECTION("to its end, by another run of the program") {
        house.crash();
        const bool meanwhile = GENERATE(true, false);
        if (meanwhile) {
            house.pbx.pick_up(house.pbx.leg_to(customer));
            house.pbx.events.clear();
        }
        house.up();
        if (!meanwhile) house.pick_up(customer);
        REQUIRE(!house.pbx.plays.empty());
        CHECK(house.pbx.plays.begin()->second == "file:reminder");
        house.pbx.finish_plays();
        house.settle();
        CHECK(house.state(made->id) == TouchState::delivered);
    }
    SECTION("nobody answers") {
        house.hang_up(customer, 19, "no_answer");
        CHECK(house.state(made->id) == TouchState::failed);
    }
    SECTION("the permit's time was over") {
        // Nothing left: the touch goes back into its queue and is dialled again.
        house.pbx.legs.clear();
        house.engine->on_transport_events({CallReported{.account = 1, .event = channel::CommandFailed{.command = house.engine->internals().next_command - 1, .unwritten = true, .code = {}, .detail = {}}}});
        house.settle();
        CHECK(house.state(made->id) == TouchState::dispatching);
        CHECK(house.in_turn([&](Engine& inside) { return inside.metrics(); }).permits_lapsed == 1);
        house.hang_up(customer, 17, "busy");
        CHECK(house.state(made->id) == TouchState::failed);
    }
    CHECK(house.pbx.legs.empty());
}

TEST_CASE("calls: after a restart a call goes on with its agent, its touch and its time", "[engine]") {
    Exchange house;
    const auto id = house.talk();
    house.pass(Duration{10'000});
    const auto seen = house.a1->pushes.back()->seq;
    house.crash();
    house.clock.advance(Duration{5'000});
    SECTION("everybody is there") {
        CHECK(house.shown(id).state == "recovering");
        house.up();
        CHECK(house.shown(id).state == "assigned");
        auto screen = house.sit_down("a1", seen);
        CHECK(screen->last<CallStatePush>().state == "connected");
        house.a1 = screen;
        CHECK(house.pbx.with("13812345678") == std::set<std::string>{"1001"});
        REQUIRE(house.control("a1", id, CallControl::hang_up));
        CHECK(house.ended(id).talk_ms == 15'000);
        CHECK(house.ended(id).hung_up_by == "agent");
        CHECK(house.pbx.legs.empty());
    }
    SECTION("the customer has hung up") {
        house.pbx.legs.erase("in-1");
        house.up();
        CHECK(house.ended(id).hung_up_by == "customer");
        CHECK(house.ended(id).estimated);
        CHECK(house.pbx.legs.empty());
    }
    SECTION("the agent's leg is gone") {
        house.pbx.legs.erase(house.pbx.leg_to("1001"));
        house.up();
        CHECK(house.shown(id).state == "queued");
        CHECK(house.pbx.legs.at("in-1").music);
    }
    SECTION("legs of ours that nobody knows are ended") {
        house.pbx.legs["stray"] = {.role = channel::LegRole::agent, .target = "1002", .owner = to_string(id), .mix = {}, .arrived = false, .up = true};
        house.up();
        CHECK_FALSE(house.pbx.legs.contains("stray"));
        CHECK(house.pbx.legs.size() == 2);
    }
}

TEST_CASE("calls: the state folded from the log is the state, and a checkpoint holds it", "[engine]") {
    Exchange house;
    const auto id = house.talk();
    REQUIRE(house.control("a1", id, CallControl::hold));
    house.in_turn([](Engine&) { return true; });
    REQUIRE(house.engine->write_checkpoint_now());
    house.crash();
    CHECK(house.engine->internals().state.calls.at(id).held);
    CHECK(house.engine->internals().state.calls.at(id).parties.size() == 2);
    house.up();
    house.sit_down("a1");
    REQUIRE(house.control("a1", id, CallControl::resume));
    CHECK(house.pbx.with("13812345678") == std::set<std::string>{"1001"});
}

TEST_CASE("calls: a caller who waits too long is promised a call", "[engine]") {
    Exchange house{[](voice::CallRules& rules) { rules.promised = {"file:we-call-back"}; }};
    house.call_in();
    const auto id = house.engine->internals().state.calls.begin()->first;
    house.pass(Duration{std::chrono::minutes{5}} + Duration{2'000});
    CHECK(house.shown(id).state == "flowed_out");
    REQUIRE(house.pbx.plays.size() == 1);
    CHECK(house.pbx.plays.begin()->second == "file:we-call-back");
    CHECK(house.engine->internals().state.promises.size() == 1);
    house.pbx.finish_plays();
    house.settle();
    CHECK(house.pbx.legs.empty());
    CHECK(house.ended(id).hung_up_by == "gateway");
}

}  // namespace touchgate::engine_test
