// What a restart of the gateway or of the telephone system must not lose: the use of lines and numbers, and customers who were cut off.
#include "tests/unit/gateway/engine/exchange.hpp"

namespace touchgate::engine_test {

namespace {

using channel::CallEvent;

// One line out, numbers with limits.
AccountSettings with_trunk(const std::string& more) {
    auto account = telephone();
    const auto document = Json::parse(R"({"trunks":[{"name":"a","endpoint":"PJSIP/{number}@a",)" + more + "}]}");
    std::vector<Problem> problems;
    JsonReader reader{document, "", problems};
    account.trunks = dialing::read_trunks(reader);
    REQUIRE(problems.empty());
    return account;
}

struct Lines : Exchange {
    explicit Lines(const std::string& more) : Exchange{with_trunk(more)} {}
    // Calls the customer; the number that he saw, empty for the account's own.
    std::string call(const std::string& number) {
        auto request = House::touch(number, "call" + std::to_string(++calls), "service");
        request.channels = {"voice"};
        request.content = {};
        request.content.body_json = R"({"voice":{"play":"file:reminder"}})";
        REQUIRE(submit(request));
        settle();
        REQUIRE(pbx.last_made.target == number);
        return pbx.last_made.caller_id;
    }
    std::string call_and_end(const std::string& number) {
        const auto seen = call(number);
        hang_up(number, 17, "busy");
        return seen;
    }
    void restarts(bool with_checkpoint) {
        if (with_checkpoint) REQUIRE(engine->write_checkpoint_now());
        crash();
        up();
    }
    int calls = 0;
};

std::string person(int number) { return "+86138000000" + std::to_string(10 + number); }

std::vector<PromiseRow> promises(Exchange& house) {
    std::vector<PromiseRow> all;
    for (const auto& [id, promise] : house.engine->internals().state.promises) all.push_back(promise);
    return all;
}

}  // namespace

TEST_CASE("lines: how often a number was shown, and to whom, is known after a restart", "[engine]") {
    Lines house{R"("caller_ids":[{"number":"+8610001","per_hour":2},{"number":"+8610002","per_day":2}])"};
    const bool with_checkpoint = GENERATE(false, true);
    const auto first = house.call_and_end(person(1));
    const auto second = house.call_and_end(person(2));
    CHECK(first == "+8610001");
    CHECK(second == "+8610002");  // the one that was used less
    house.restarts(with_checkpoint);
    CHECK(house.call_and_end(person(2)) == "+8610002");  // the one that he saw last
    CHECK(house.call_and_end(person(1)) == "+8610001");
    house.restarts(with_checkpoint);
    CHECK(house.call_and_end(person(3)).empty());        // both have been used as often as they may
    house.pass(Duration{1'000});
    house.clock.advance(std::chrono::minutes{61});
    house.settle();
    house.restarts(with_checkpoint);
    CHECK(house.call_and_end(person(4)) == "+8610001");  // its hour is over, the other's day is not
}

TEST_CASE("lines: a number that rests goes on resting after a restart, as the log says", "[engine]") {
    Lines house{R"("caller_ids":[{"number":"+8610001"}],"rest":{"answer_rate_below":0.9,"calls":5,"for":"PT2H"})"};
    const bool with_checkpoint = GENERATE(false, true);
    for (int i = 0; i < 3; ++i) CHECK(house.call_and_end(person(i)) == "+8610001");
    house.restarts(with_checkpoint);
    for (int i = 3; i < 5; ++i) CHECK(house.call_and_end(person(i)) == "+8610001");
    auto types = house.logged();
    CHECK(std::count(types.begin(), types.end(), EventType::caller_id_rested) == 1);
    CHECK(house.call_and_end(person(6)).empty());
    house.restarts(with_checkpoint);
    CHECK(house.call_and_end(person(7)).empty());
    house.clock.advance(std::chrono::hours{2});
    house.settle();
    house.restarts(with_checkpoint);
    CHECK(house.call_and_end(person(8)) == "+8610001");
    types = house.logged();
    CHECK(std::count(types.begin(), types.end(), EventType::caller_id_rested) == 1);
}

TEST_CASE("lines: a call that goes on through a restart holds its line until it ends", "[engine]") {
    Lines house{R"("max_calls":1,"caller_ids":[{"number":"+8610001"}])"};
    const bool with_checkpoint = GENERATE(false, true);
    CHECK(house.call(person(1)) == "+8610001");
    house.restarts(with_checkpoint);
    CHECK(house.call_and_end(person(2)).empty());
    house.hang_up(person(1), 17, "busy");
    CHECK(house.call_and_end(person(3)) == "+8610001");
    // Who reads the checkpoint has the same state as who folds the log.
    REQUIRE(house.engine->write_checkpoint_now());
    const auto live = house.engine->internals().dumped_trunks();
    house.crash();
    CHECK(house.engine->internals().dumped_trunks() == live);
}

TEST_CASE("lines: a call that comes in takes a line until it ends, through a restart too", "[engine]") {
    Lines house{R"("max_calls":1,"caller_ids":[{"number":"+8610001"}])"};
    const bool with_checkpoint = GENERATE(false, true);
    house.call_in();
    CHECK(house.call_and_end(person(1)).empty());
    house.restarts(with_checkpoint);
    CHECK(house.call_and_end(person(2)).empty());
    house.hang_up("13812345678");
    CHECK(house.call_and_end(person(3)) == "+8610001");
}

TEST_CASE("lines: a call from a telephone of the house takes none", "[engine]") {
    Lines house{R"("max_calls":1,"caller_ids":[{"number":"+8610001"}])"};
    house.pbx.comes_over = "1001";
    house.call_in();
    CHECK(house.call_and_end(person(1)) == "+8610001");
}

TEST_CASE("losses: a customer who waits when the telephone system is lost is promised a call, once", "[engine]") {
    Exchange house;
    house.call_in();
    const auto id = house.engine->internals().state.calls.begin()->first;
    house.pass(Duration{5'000});
    const bool gateway_too = GENERATE(false, true);
    house.clock.advance(Duration{1'000});
    house.pbx.restart(house.clock.wall_now());
    if (gateway_too) house.crash();
    else house.engine->on_transport_events({CallReported{.account = 1, .event = channel::PbxDown{.reason = "reset", .credentials = false}}});
    house.turn();
    CHECK(promises(house).empty());
    house.clock.advance(Duration{1'000});
    house.up();
    REQUIRE(promises(house).size() == 1);
    const auto promise = promises(house)[0];
    CHECK(promise.interaction == id);
    CHECK(promise.agent.empty());
    CHECK(promise.queue == "care");
    CHECK(promise.channel == "voice");
    CHECK(promise.is_open());
    CHECK(house.shown(id).state == "flowed_out");
    CHECK(house.shown(id).reason == "cut_off");
    CHECK(house.ended(id).outcome == "failed");
    CHECK(house.ended(id).hung_up_by == "network");
    CHECK(house.ended(id).estimated);
    CHECK(house.in_turn([](Engine& inside) { return inside.desk().queue("care"); })->abandoned == 0);
    house.up();
    house.crash();
    house.up();
    CHECK(promises(house).size() == 1);
}

TEST_CASE("losses: one who talked is promised a call by his agent, who says in his wrap-up how far they came", "[engine]") {
    Exchange house;
    const auto id = house.talk();
    const bool held = GENERATE(false, true);
    if (held) REQUIRE(house.control("a1", id, CallControl::hold));
    house.pass(Duration{7'000});
    house.pbx.restart(house.clock.wall_now());
    house.engine->on_transport_events({CallReported{.account = 1, .event = channel::PbxDown{.reason = "reset", .credentials = false}}});
    house.turn();
    house.up();
    REQUIRE(promises(house).size() == 1);
    CHECK(promises(house)[0].agent == "a1");
    CHECK(house.shown(id).state == "wrapping");
    CHECK(house.ended(id).outcome == "answered");
    CHECK(house.ended(id).hung_up_by == "network");
    CHECK(house.a1->all<PromisePush>().size() == 1);  // it is due at once
}

TEST_CASE("losses: nothing is promised to who hung up himself, withheld his number, or was only greeted", "[engine]") {
    SECTION("he hung up while the gateway was away") {
        Exchange house;
        const auto id = house.talk();
        house.crash();
        house.pbx.legs.erase("in-1");
        house.up();
        CHECK(house.ended(id).hung_up_by == "customer");
        CHECK(promises(house).empty());
    }
    SECTION("he hung up after the telephone system was started again") {
        Exchange house;
        house.pbx.began_at = house.clock.wall_now() - Duration{60'000};
        (void)house.talk();
        house.hang_up("13812345678");
        CHECK(promises(house).empty());
    }
    SECTION("nobody knows his number") {
        Exchange house;
        house.call_in("anonymous");
        house.clock.advance(Duration{1'000});
        house.pbx.restart(house.clock.wall_now());
        house.up();
        CHECK(promises(house).empty());
    }
    SECTION("he was being greeted") {
        Exchange house{[](voice::CallRules& rules) { rules.inbound.greeting = {"file:hello"}; }};
        house.call_in();
        house.clock.advance(Duration{1'000});
        house.pbx.restart(house.clock.wall_now());
        house.up();
        CHECK(promises(house).empty());
    }
}

TEST_CASE("losses: when the telephone system does not come back, who waited is promised a call", "[engine]") {
    Exchange house;
    house.put_queue(R"({"channels":["voice"],"max_wait":"PT1H"})");
    house.call_in();
    const auto id = house.engine->internals().state.calls.begin()->first;
    house.pbx.down = true;
    house.engine->on_transport_events({CallReported{.account = 1, .event = channel::PbxDown{.reason = "refused", .credentials = false}}});
    house.turn();
    house.pass(Duration{std::chrono::minutes{4}});
    CHECK(promises(house).empty());
    house.clock.advance(std::chrono::minutes{7});
    house.settle();
    CHECK(promises(house).size() == 1);
    CHECK(house.shown(id).state == "flowed_out");
}

TEST_CASE("losses: an agent whose telephone does not answer is blocked when he has let it ring as often as his queue allows", "[engine]") {
    Exchange house;
    house.put_queue(R"({"channels":["voice"],"offer_timeout":"PT15S","max_wait":"PT1H","rona":3,"backoff":{"no_answer":"PT0S"}})");
    const bool restarts = GENERATE(false, true);
    house.ready("a1");
    house.call_in();
    for (int i = 0; i < 2; ++i) {
        house.accept("a1", house.offer_to(house.a1));
        house.pass(Duration{18'000});
        CHECK(house.presence("a1").state == "ringing");  // offered again
        if (!restarts) continue;
        const auto seen = house.a1->pushes.back()->seq;
        REQUIRE(house.engine->write_checkpoint_now());
        house.crash();
        house.up();
        house.a1 = house.sit_down("a1", seen);
        house.settle();
    }
    house.accept("a1", house.offer_to(house.a1));
    house.pass(Duration{18'000});
    CHECK(house.presence("a1").state == "rona_blocked");
    CHECK(house.in_turn([](Engine& inside) { return inside.desk().queue("care"); })->rona == 3);
    // Once he has answered, he begins at nothing.
    house.ready("a1");
    house.accept("a1", house.offer_to(house.a1));
    house.pick_up("1001");
    house.hang_up("13812345678");
    house.call_in("13812345679");
    house.accept("a1", house.offer_to(house.a1));
    house.pass(Duration{18'000});
    CHECK(house.presence("a1").state == "ringing");
}

}  // namespace touchgate::engine_test
