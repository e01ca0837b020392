// Agents at work: what is pushed to them, what survives a restart, what supervisors and the clocks of conversations do.
#include "tests/unit/gateway/engine/screen.hpp"

namespace touchgate::engine_test {

namespace {

using namespace std::chrono_literals;

struct Centre : House {
    Centre() : House{R"({"name":"p","rules":[]})", 32} {
        put_queue("care", R"({"channels":["sms"],"offer_timeout":"PT15S","wrap_up":"PT30S","rona":2})");
        put_agent("a1");
        put_agent("a2");
        put_agent("boss", R"("role":"supervisor","supervises":["care"],)");
    }
    void put_queue(const std::string& id, const std::string& document) {
        const auto put = in_turn([&](Engine& inside) { return inside.desk().put_queue(id, Json::parse(document)); });
        if (!put) FAIL(put.error().detail << (put.error().problems.empty() ? "" : put.error().problems[0].pointer + " " + put.error().problems[0].detail));
    }
    void put_agent(const std::string& id, const std::string& more = "") {
        const auto document = R"({"name":"Agent )" + id + R"(",)" + more + R"("capacity":{"sms":2,"voice":1},"queues":["care"]})";
        const auto put = in_turn([&](Engine& inside) { return inside.desk().put_agent(id, Json::parse(document)); });
        if (!put) FAIL(put.error().detail << (put.error().problems.empty() ? "" : put.error().problems[0].pointer + " " + put.error().problems[0].detail));
    }
    std::shared_ptr<Screen> sit_down(const std::string& agent, std::optional<std::uint64_t> after = {}) {
        auto screen = std::make_shared<Screen>();
        const auto hello = in_turn([&](Engine& inside) { return inside.desk().attach(agent, screen); });
        REQUIRE(hello);
        const auto begun = in_turn([&](Engine& inside) { return after ? inside.desk().resume(agent, screen, *after) : inside.desk().snapshot(agent, screen); });
        REQUIRE(begun);
        return screen;
    }
    void presence(const std::string& agent, const std::string& state, const std::string& reason = {}) {
        REQUIRE(in_turn([&](Engine& inside) { return inside.desk().set_presence(agent, state, reason); }));
    }
    Uuid writes(const std::string& phone, const std::string& text, const std::string& key) {
        InboundInput input;
        input.key = key;
        input.channel = "sms";
        input.account = "sms-main";
        input.contact.address = Address{.kind = AddressKind::phone, .value = phone, .account = {}};
        input.text = text;
        const auto taken = in_turn([&](Engine& inside) { return inside.inbound_event(input); });
        REQUIRE(taken);
        return *parse_uuid(taken->interaction);
    }
    InteractionDetails shown(const Uuid& id) { return *in_turn([&](Engine& inside) { return inside.find_interaction(id); }); }
    Result<InteractionDetails> accept(const std::string& agent, const OfferPush& offer, std::optional<std::uint64_t> fence = {}) {
        return in_turn([&](Engine& inside) { return inside.desk().accept(agent, offer.offer, fence); });
    }
    void later(Duration by) {
        clock.advance(by);
        turn();
        turn();
    }
    // As `later`, with a sign of life of these agents every few seconds.
    void later_at_work(Duration by, const std::vector<std::string>& agents) {
        for (Duration gone{0}; gone < by; gone += Duration{5'000}) {
            clock.advance(Duration{5'000});
            (void)in_turn([&](Engine& inside) {
                for (const auto& agent : agents) inside.desk().heard(agent);
                return true;
            });
            turn();
        }
    }
};

}  // namespace

TEST_CASE("desk: a conversation is offered, accepted, answered and wrapped up, and each step is pushed once", "[engine]") {
    Centre house;
    const auto screen = house.sit_down("a1");
    CHECK(screen->last<SnapshotPush>().presence.state == "not_ready");
    house.presence("a1", "ready");
    CHECK(screen->last<PresencePush>().state == "ready");
    const auto id = house.writes("+8613812345678", "where is my parcel?", "m1");
    const auto offer = screen->last<OfferPush>();
    CHECK(offer.interaction == id);
    CHECK(offer.queue == "care");
    CHECK(offer.last_text == "where is my parcel?");
    CHECK(offer.contact.addresses == std::vector<std::string>{"+86138****5678"});
    CHECK(house.shown(id).state == "reserved");
    REQUIRE(house.accept("a1", offer, offer.fence));
    CHECK(house.shown(id).state == "assigned");
    CHECK(house.shown(id).agent == "a1");
    CHECK(screen->last<ConnectedPush>().interaction == id);
    CHECK(house.writes("+8613812345678", "hello?", "m2") == id);
    CHECK(screen->last<MessagePush>().message.text == "hello?");
    TouchRequest answer;
    answer.purpose = "service";
    answer.content.text = "on its way";
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.desk().send("a1", id, answer); }));
    CHECK(screen->last<MessagePush>().message.text == "on its way");
    CHECK_FALSE(screen->last<MessagePush>().message.inbound);
    const auto wrapped = house.in_turn([&](Engine& inside) { return inside.desk().wrap_up("a1", id, "solved", "note"); });
    REQUIRE(wrapped);
    CHECK(wrapped->state == "completed");
    CHECK(wrapped->disposition == "solved");
    CHECK(screen->last<ClosedPush>().reason == "agent");
    CHECK(screen->last<PresencePush>().state == "ready");
    screen->check_numbers();
}

TEST_CASE("desk: an offer that nobody answers goes to another agent and keeps its place; a late accept is stale", "[engine]") {
    Centre house;
    const auto first = house.sit_down("a1");
    house.presence("a1", "ready");
    const auto id = house.writes("+8613812345678", "hi", "m1");
    const auto offer = first->last<OfferPush>();
    const auto second = house.sit_down("a2");
    house.presence("a2", "ready");
    house.later_at_work(16s, {"a1", "a2"});
    CHECK(first->last<OfferRevokedPush>().reason == "timeout");
    CHECK(second->last<OfferPush>().interaction == id);
    const auto late = house.accept("a1", offer);
    REQUIRE_FALSE(late);
    CHECK(late.error().reference == "stale_offer");
    const auto other = house.accept("a1", second->last<OfferPush>());
    REQUIRE_FALSE(other);
    CHECK(other.error().reference == "not_yours");
    REQUIRE(house.accept("a2", second->last<OfferPush>()));
    first->check_numbers();
    second->check_numbers();
}

TEST_CASE("desk: numbers go on after a crash, nothing is pushed twice, and work is still there", "[engine]") {
    Centre house;
    auto screen = house.sit_down("a1");
    house.presence("a1", "ready");
    const auto mine = house.writes("+8613812345678", "first", "m1");
    REQUIRE(house.accept("a1", screen->last<OfferPush>()));
    const auto waiting = house.writes("+8613812345679", "second", "m2");
    CHECK(screen->last<OfferPush>().interaction == waiting);
    const auto seen = screen->pushes.back()->seq;

    house.crash();
    CHECK(house.shown(mine).state == "assigned");
    CHECK(house.shown(waiting).state == "queued");
    const auto again = house.sit_down("a1", seen);
    REQUIRE(!again->pushes.empty());
    CHECK(again->pushes.front()->seq == seen + 1);
    again->check_numbers();
    CHECK(again->all<OfferRevokedPush>().front().reason == "not_routable");
    // He was ready, and is again: what waits is offered to him anew.
    CHECK(again->last<OfferPush>().interaction == waiting);
    REQUIRE(house.accept("a1", again->last<OfferPush>()));
    // A screen that saw nothing gets everything, each once.
    const auto all = house.sit_down("a1", 0);
    CHECK(all->pushes.front()->seq == 1);
    all->check_numbers();
    CHECK(house.in_turn([&](Engine& inside) { return inside.desk().resume("a1", all, 99'999); }).error().reference == "resume_too_old");
}

TEST_CASE("desk: two screens of one agent get the same pushes, and either may act", "[engine]") {
    Centre house;
    const auto one = house.sit_down("a1");
    const auto two = house.sit_down("a1");
    house.presence("a1", "ready");
    house.writes("+8613812345678", "hi", "m1");
    CHECK(one->pushes.back()->seq == two->pushes.back()->seq);
    CHECK(one->last<OfferPush>().offer == two->last<OfferPush>().offer);
    REQUIRE(house.accept("a1", two->last<OfferPush>()));
    CHECK(house.accept("a1", one->last<OfferPush>()).error().reference == "stale_offer");
}

TEST_CASE("desk: a lease that lapses takes offers back, and after the grace others get his conversations", "[engine]") {
    Centre house;
    const auto screen = house.sit_down("a1");
    house.presence("a1", "ready");
    const auto mine = house.writes("+8613812345678", "first", "m1");
    REQUIRE(house.accept("a1", screen->last<OfferPush>()));
    const auto offered = house.writes("+8613812345679", "second", "m2");
    house.later(10s);
    CHECK(house.shown(offered).state == "reserved");
    house.later(6s);
    CHECK(screen->last<PresencePush>().state == "fault");
    CHECK(house.shown(offered).state == "queued");
    CHECK(house.shown(mine).state == "assigned");
    house.later(31s);
    CHECK(screen->last<PresencePush>().state == "offline");
    CHECK(house.shown(mine).state == "queued");
    const auto other = house.sit_down("a2");
    house.presence("a2", "ready");
    CHECK(other->last<OfferPush>().interaction == offered);
}

TEST_CASE("desk: a screen that takes no more is not flooded, and gets the rest when it asks", "[engine]") {
    Centre house;
    const auto screen = house.sit_down("a1");
    screen->full = true;
    house.presence("a1", "ready");
    const auto count = screen->pushes.size();
    house.presence("a1", "not_ready", "lunch");
    house.presence("a1", "ready");
    CHECK(screen->pushes.size() == count);
    screen->full = false;
    (void)house.in_turn([&](Engine& inside) {
        inside.desk().pull("a1", screen);
        return true;
    });
    CHECK(screen->pushes.size() == count + 2);
    screen->check_numbers();
}

TEST_CASE("desk: a conversation is handed to another agent or a queue, and the first one is told", "[engine]") {
    Centre house;
    house.put_queue("sales", R"({"channels":[]})");
    const auto first = house.sit_down("a1"), second = house.sit_down("a2");
    house.presence("a1", "ready");
    const auto id = house.writes("+8613812345678", "hi", "m1");
    REQUIRE(house.accept("a1", first->last<OfferPush>()));
    CHECK(house.in_turn([&](Engine& inside) { return inside.desk().transfer("a2", id, "agent:a2", {}, false); }).error().reference == "not_yours");
    CHECK(house.in_turn([&](Engine& inside) { return inside.desk().transfer("a1", id, "agent:nobody", {}, false); }).error().reference == "bad_request");
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.desk().transfer("a1", id, "agent:a2", "knows him", false); }));
    CHECK(first->last<ClosedPush>().reason == "transfer");
    CHECK(house.shown(id).state == "queued");
    house.presence("a2", "ready");
    CHECK(second->last<OfferPush>().interaction == id);
    REQUIRE(house.accept("a2", second->last<OfferPush>()));
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.desk().transfer_by_api(id, "queue:sales", {}); }));
    CHECK(house.shown(id).queue == "sales");
}

TEST_CASE("desk: supervisors may set, reassign and take over, others may not", "[engine]") {
    Centre house;
    const auto first = house.sit_down("a1"), second = house.sit_down("a2"), boss = house.sit_down("boss");
    house.presence("a1", "ready");
    const auto id = house.writes("+8613812345678", "hi", "m1");
    REQUIRE(house.accept("a1", first->last<OfferPush>()));
    CHECK(house.in_turn([&](Engine& inside) { return inside.desk().force_presence("a2", "a1", "not_ready"); }).error().reference == "not_allowed");
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.desk().force_presence("boss", "a1", "not_ready"); }));
    CHECK(first->last<PresencePush>().intent != "ready");
    CHECK(house.in_turn([&](Engine& inside) { return inside.desk().pull_interaction("a2", id); }).error().reference == "not_allowed");
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.desk().pull_interaction("boss", id); }));
    CHECK(house.shown(id).agent == "boss");
    CHECK(first->last<ClosedPush>().interaction == id);
    house.presence("a2", "ready");
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.desk().reassign("boss", id, "agent:a2"); }));
    CHECK(second->last<OfferPush>().interaction == id);
}

TEST_CASE("desk: an answer that is due is asked for, then the supervisor hears of it, then another agent gets it", "[engine]") {
    Centre house;
    house.put_queue("care", R"({"channels":["sms"],"reply_within":"PT1M","backoff":{"reject":"PT0S","no_answer":"PT0S"}})");
    const auto first = house.sit_down("a1"), boss = house.sit_down("boss");
    house.presence("a1", "ready");
    const auto id = house.writes("+8613812345678", "hi", "m1");
    REQUIRE(house.accept("a1", first->last<OfferPush>()));
    house.later_at_work(61s, {"a1", "boss"});
    CHECK(first->last<NoticePush>().kind == "reply_due");
    CHECK(boss->all<NoticePush>().empty());
    house.later_at_work(60s, {"a1", "boss"});
    CHECK(boss->last<NoticePush>().kind == "reply_late");
    house.presence("a1", "not_ready");
    house.later_at_work(60s, {"a1", "boss"});
    CHECK(house.shown(id).state == "queued");
    CHECK(first->last<ClosedPush>().reason == "transfer");
}

TEST_CASE("desk: that a conversation will be closed is said to its agent and its customer, and not twice for one silence", "[engine]") {
    Centre house;
    house.put_queue("care", R"({"channels":["sms"],"idle_close":"PT10M","idle_notice":{"before":"PT4M","text":"are you still there?"}})");
    const auto first = house.sit_down("a1");
    house.presence("a1", "ready");
    const auto id = house.writes("+8613812345678", "hi", "m1");
    REQUIRE(house.accept("a1", first->last<OfferPush>()));
    house.later_at_work(5min, {"a1"});
    CHECK(first->all<NoticePush>().empty());
    house.later_at_work(2min, {"a1"});
    CHECK(first->last<NoticePush>().kind == "idle");
    REQUIRE(house.shown(id).messages.size() == 2);
    CHECK(house.shown(id).messages.back().text == "are you still there?");
    SECTION("he writes: the time begins anew") {
        house.writes("+8613812345678", "I am here", "m2");
        house.later_at_work(5min, {"a1"});
        CHECK(house.shown(id).state == "assigned");
        CHECK(first->all<NoticePush>().size() == 1);
        house.later_at_work(2min, {"a1"});
        CHECK(first->all<NoticePush>().size() == 2);
    }
    SECTION("nobody writes: it is closed at its time, also by another run of the gateway") {
        house.crash();
        const auto again = house.sit_down("a1");
        house.later_at_work(4min, {"a1"});
        CHECK(house.shown(id).state == "completed");
        CHECK(house.shown(id).outcome == "timeout");
        CHECK(house.shown(id).messages.size() == 2);
    }
}

TEST_CASE("desk: a promise that is due is pushed to its agent, late ones to the queue, kept ones end", "[engine]") {
    Centre house;
    const auto first = house.sit_down("a1"), second = house.sit_down("a2");
    house.writes("+8613812345678", "call me", "m1");
    const auto contact = house.in_turn([&](Engine& inside) { return inside.interactions({}); }).front().contact_id;
    const auto made = house.in_turn([&](Engine& inside) {
        return inside.desk().create_promise("a1", {.contact = contact, .channel = "voice", .note = "about the parcel", .agent = {}, .at = house.clock.wall_now() + 1min});
    });
    REQUIRE(made);
    house.crash();
    const auto again = house.sit_down("a1"), other = house.sit_down("a2");
    house.later_at_work(61s, {"a1", "a2"});
    CHECK(again->last<PromisePush>().note == "about the parcel");
    CHECK(other->all<PromisePush>().empty());
    house.later_at_work(10min, {"a1", "a2"});
    CHECK(other->last<PromisePush>().promise == made->id);
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.desk().promise_done("a2", made->id); }));
    CHECK_FALSE(house.in_turn([&](Engine& inside) { return inside.desk().promise_done("a2", made->id); }));
}

TEST_CASE("desk: an event for a queue that is not there is refused by name", "[engine]") {
    House house;
    InboundInput input;
    input.key = "m1";
    input.channel = "sms";
    input.queue = "later";
    input.contact.address = Address{.kind = AddressKind::phone, .value = "+8613812345678", .account = {}};
    input.text = "hi";
    const auto refused = house.in_turn([&](Engine& inside) { return inside.inbound_event(input); });
    REQUIRE_FALSE(refused);
    CHECK(refused.error().problems.at(0).pointer == "/queue");
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.desk().put_queue("later", Json::parse(R"({"channels":[]})")); }));
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.inbound_event(input); }));
    CHECK(house.in_turn([&](Engine& inside) { return inside.desk().queue("later"); })->waiting == 1);
}

TEST_CASE("desk: a bot's conversation goes to people when the customer asks for one, or the bot hands it over", "[engine]") {
    Centre house;
    house.put_queue("bots", R"({"channels":[],"handler":"bot"})");
    const auto screen = house.sit_down("a1");
    house.presence("a1", "ready");
    const auto to_bot = [&](const std::string& phone, const std::string& text, const std::string& key) {
        InboundInput input;
        input.key = key;
        input.channel = "sms";
        input.account = "sms-main";
        input.queue = "bots";
        input.contact.address = Address{.kind = AddressKind::phone, .value = phone, .account = {}};
        input.text = text;
        const auto taken = house.in_turn([&](Engine& inside) { return inside.inbound_event(input); });
        REQUIRE(taken);
        return *parse_uuid(taken->interaction);
    };
    const auto first = to_bot("+8613812345678", "hi", "m1"), second = to_bot("+8613812345679", "hi", "m2");
    CHECK(screen->all<OfferPush>().empty());
    CHECK(house.shown(first).handler == "bot");
    TouchRequest answer;
    answer.purpose = "service";
    answer.content.text = "how can I help?";
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.reply_to_interaction(first, answer); }));
    CHECK(to_bot("+8613812345678", " 转人工 ", "m3") == first);
    CHECK(house.shown(first).handler == "agent");
    CHECK(house.in_turn([&](Engine& inside) { return inside.desk().queue("bots"); })->waiting == 1);
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.desk().hand_over(second, "queue:care", "too hard", "wants a refund"); }));
    CHECK(screen->last<OfferPush>().interaction == second);
    CHECK_FALSE(house.in_turn([&](Engine& inside) { return inside.desk().hand_over(second, {}, {}, {}); }));
}

TEST_CASE("desk: a customer to whom the bot has no answer gets an agent", "[engine]") {
    Centre house;
    house.put_queue("care", R"({"channels":["sms"],"handler":"bot","handover":{"words":["operator"],"after":3}})");
    const auto screen = house.sit_down("a1");
    house.presence("a1", "ready");
    const auto id = house.writes("+8613812345678", "one", "m1");
    house.writes("+8613812345678", "人工", "m2");  // not among this queue's words
    CHECK(house.shown(id).handler == "bot");
    TouchRequest answer;
    answer.purpose = "service";
    answer.content.text = "how can I help?";
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.reply_to_interaction(id, answer); }));
    house.writes("+8613812345678", "three", "m3");
    house.writes("+8613812345678", "four", "m4");
    CHECK(screen->all<OfferPush>().empty());
    house.writes("+8613812345678", "five", "m5");
    CHECK(screen->last<OfferPush>().interaction == id);
    const auto other = house.writes("+8613812345679", "operator", "m6");
    CHECK(house.shown(other).handler == "agent");
}

TEST_CASE("desk: everything of agents survives a checkpoint and its reading", "[engine]") {
    Centre house;
    const auto screen = house.sit_down("a1");
    house.presence("a1", "ready");
    const auto id = house.writes("+8613812345678", "hi", "m1");
    REQUIRE(house.accept("a1", screen->last<OfferPush>()));
    const auto seen = screen->pushes.back()->seq;
    REQUIRE(house.engine->write_checkpoint_now());
    house.crash();
    CHECK(house.shown(id).agent == "a1");
    const auto again = house.sit_down("a1", 0);
    CHECK(again->pushes.front()->seq == 1);
    CHECK(again->pushes.back()->seq > seen);
    again->check_numbers();
    CHECK(house.in_turn([&](Engine& inside) { return inside.desk().agents(10, {}); }).size() == 3);
}

}  // namespace touchgate::engine_test
