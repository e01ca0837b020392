// Calls in the engine: from the telephone system to the agent's screen and the log, through restarts.
#include "gateway/policy/call_outcomes.hpp"
#include "gateway/voice/rules.hpp"
#include "tests/unit/gateway/engine/house.hpp"
#include "tests/unit/gateway/voice/fake_pbx.hpp"

namespace touchgate::engine_test {

namespace {

using voice_test::FakePbx;

struct CallScreen final : AgentConnection {
    std::vector<std::shared_ptr<const AgentPush>> pushes;
    bool push(std::vector<std::shared_ptr<const AgentPush>> more) override {
        pushes.insert(pushes.end(), more.begin(), more.end());
        return true;
    }
    void end(std::string) override {}
    template <class Body> std::vector<Body> all() const {
        std::vector<Body> found;
        for (const auto& push : pushes)
            if (const auto* body = std::get_if<Body>(&push->body)) found.push_back(*body);
        return found;
    }
    template <class Body> Body last() const {
        const auto found = all<Body>();
        REQUIRE(!found.empty());
        return found.back();
    }
    std::string call_states() const {
        std::string words;
        for (const auto& state : all<CallStatePush>()) words += (words.empty() ? "" : " ") + state.state;
        return words;
    }
};

AccountSettings telephone(const std::function<void(voice::CallRules&)>& change = {}) {
    voice::CallRules rules;
    rules.inbound.queue = "care";
    rules.normalise = [](std::string_view number) {
        if (number.starts_with("+86")) return std::string{number};
        return number.size() == 11 && number.front() == '1' ? "+86" + std::string{number} : std::string{};
    };
    rules.phone_routes["lawyer"] = "+861012345678";
    if (change) change(rules);
    AccountSettings account;
    account.name = "pbx";
    account.adapter = "fake_pbx";
    account.capabilities.channel = "voice";
    account.window = 100;
    account.calls = std::make_shared<const voice::CallRules>(std::move(rules));
    return account;
}

constexpr const char* voice_cap = R"({"name":"p","rules":[{"name":"one-call","kind":"cap","max":1,"per":"P1D","by":["contact"],"when":{"channels":["voice"],"purposes":["care"]}}]})";
const std::string customer = "+8613812345678";

struct Exchange : House {
    FakePbx pbx;
    std::shared_ptr<CallScreen> a1, a2, boss;

    explicit Exchange(const std::function<void(voice::CallRules&)>& change = {}) : House{voice_cap, 32, {telephone(change)}} {
        put_queue(R"({"channels":["voice"],"offer_timeout":"PT15S","wrap_up":"PT30S","max_wait":"PT5M","overflow":{"to":"promise"}})");
        put_agent("a1", "1001");
        put_agent("a2", "1002");
        put_agent("boss", "1009", R"("role":"supervisor","supervises":["care"],"rights":["dial_any"],)");
        up();
        a1 = sit_down("a1");
        a2 = sit_down("a2");
        boss = sit_down("boss");
    }
    void put_queue(const std::string& document) { REQUIRE(in_turn([&](Engine& inside) { return inside.desk().put_queue("care", Json::parse(document)); })); }
    void put_agent(const std::string& id, const std::string& extension, const std::string& more = {}) {
        const auto document = "{" + more + R"("name":")" + id + R"(","extension":")" + extension + R"(","capacity":{"voice":1},"queues":["care"]})";
        const auto put = in_turn([&](Engine& inside) { return inside.desk().put_agent(id, Json::parse(document)); });
        if (!put) FAIL(put.error().detail << (put.error().problems.empty() ? "" : put.error().problems[0].pointer + " " + put.error().problems[0].detail));
    }
    std::shared_ptr<CallScreen> sit_down(const std::string& agent, std::optional<std::uint64_t> after = {}) {
        auto screen = std::make_shared<CallScreen>();
        REQUIRE(in_turn([&](Engine& inside) { return inside.desk().attach(agent, screen); }));
        REQUIRE(in_turn([&](Engine& inside) { return after ? inside.desk().resume(agent, screen, *after) : inside.desk().snapshot(agent, screen); }));
        return screen;
    }
    void ready(const std::string& agent) {
        REQUIRE(in_turn([&](Engine& inside) { return inside.desk().set_presence(agent, "ready", {}); }));
        settle();
    }
    void up() {
        pbx.down = false;
        engine->on_transport_events({CallReported{.account = 1, .event = channel::PbxUp{.snapshot = pbx.snapshot()}}});
        settle();
    }
    // Commands to the telephone system and what it reports, until nothing is on its way.
    void settle() {
        for (int i = 0; i < 50; ++i) {
            turn();
            auto orders = std::exchange(transport.calls, {});
            for (auto& order : orders) pbx.execute(order.id, order.command);
            if (orders.empty() && pbx.events.empty()) return;
            std::vector<TransportEvent> reported;
            for (; !pbx.events.empty(); pbx.events.pop_front()) reported.push_back(CallReported{.account = 1, .event = std::move(pbx.events.front())});
            if (!reported.empty()) engine->on_transport_events(std::move(reported));
        }
        FAIL("calls do not come to rest");
    }
    // With a sign of life of everybody every few seconds.
    void pass(Duration by) {
        for (auto left = by; left > Duration{0}; left -= Duration{1'000}) {
            clock.advance(std::min(left, Duration{1'000}));
            (void)in_turn([&](Engine& inside) {
                for (const auto* agent : {"a1", "a2", "boss"}) inside.desk().heard(agent);
                return true;
            });
            settle();
        }
    }
    void call_in(const std::string& from = "13812345678", const std::string& to = "1000") {
        pbx.call_in(from, to);
        settle();
    }
    OfferPush offer_to(const std::shared_ptr<CallScreen>& screen) { return screen->last<OfferPush>(); }
    void accept(const std::string& agent, const OfferPush& offer) {
        const auto accepted = in_turn([&](Engine& inside) { return inside.desk().accept(agent, offer.offer, offer.fence); });
        if (!accepted) FAIL(accepted.error().reference << " " << accepted.error().detail);
        settle();
    }
    void pick_up(const std::string& target) {
        REQUIRE(!pbx.leg_to(target).empty());
        pbx.pick_up(pbx.leg_to(target));
        settle();
    }
    void hang_up(const std::string& target, int cause = 16, const std::string& outcome = "answered") {
        REQUIRE(!pbx.leg_to(target).empty());
        pbx.hang_up(pbx.leg_to(target), cause, outcome);
        settle();
    }
    std::string caller() { return pbx.legs.contains("in-1") ? pbx.legs.at("in-1").target : std::string{}; }
    InteractionDetails shown(const Uuid& id) { return *in_turn([&](Engine& inside) { return inside.find_interaction(id); }); }
    Result<void> control(const std::string& agent, const Uuid& id, CallControl what) {
        auto done = in_turn([&](Engine& inside) { return inside.desk().control(agent, id, what); });
        settle();
        return done;
    }
    PresencePush presence(const std::string& agent) { return in_turn([&](Engine& inside) { return inside.internals().presence_of(agent); }); }
    // a1 talks with the customer.
    Uuid talk() {
        ready("a1");
        call_in();
        const auto offer = offer_to(a1);
        accept("a1", offer);
        pick_up("1001");
        return offer.interaction;
    }
    // The last call.ended of the log.
    voice::CallEnded ended(const Uuid& id) {
        std::optional<voice::CallEnded> found;
        REQUIRE(log->scan(1, [&](const Record& record) {
            if (record.type == static_cast<std::uint16_t>(EventType::call_ended)) {
                CallOver event;
                REQUIRE(decode(record.payload, event));
                if (event.call == id) found = event;
            }
            return true;
        }));
        REQUIRE(found);
        return *found;
    }
    std::vector<EventType> logged() {
        std::vector<EventType> types;
        REQUIRE(log->scan(1, [&](const Record& record) {
            types.push_back(static_cast<EventType>(record.type));
            return true;
        }));
        return types;
    }
    void restart() {
        const auto before = std::tuple{a1->pushes.size(), 0};
        (void)before;
        crash();
    }
};

}  // namespace

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
        CHECK(house.a1->last<ClosedPush>().reason == "transfer");
        CHECK(house.presence("a1").state == "ready");
        house.accept("a2", house.offer_to(house.a2));
        house.pick_up("1002");
        CHECK(house.pbx.with("13812345678") == std::set<std::string>{"1002"});
        CHECK(house.shown(id).agent == "a2");
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
        house.hang_up("13812345678");
        CHECK(house.presence("a2").state == "wrapup");
        CHECK(house.presence("a1").state == "ready");
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

TEST_CASE("calls: a recording is fetched, sealed, kept and read in parts", "[engine]") {
    Exchange house{[](voice::CallRules& rules) { rules.recording.always = true; }};
    const auto id = house.talk();
    REQUIRE(house.control("a1", id, CallControl::record_pause));
    house.hang_up("13812345678");
    CHECK(house.pbx.dropped.size() == 1);
    const auto name = house.shown(id).call->recording;
    REQUIRE(!name.empty());
    const auto whole = house.in_turn([&](Engine& inside) { return inside.open_recording(id, {}, "boss", "complaint", 0, 1'000'000); });
    REQUIRE(whole);
    CHECK(whole->bytes == "RIFF" + name);
    const auto part = house.in_turn([&](Engine& inside) { return inside.open_recording(id, name, "boss", {}, 2, 2); });
    REQUIRE(part);
    CHECK(part->bytes == "FF");
    const auto types = house.logged();
    CHECK(std::count(types.begin(), types.end(), EventType::recording_accessed) == 2);
}

}  // namespace touchgate::engine_test
