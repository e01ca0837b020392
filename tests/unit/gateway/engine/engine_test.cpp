// The engine over a simulated disk, a manual clock and a transport that only takes notes: permits, opt-outs, restarts.

#include "tests/unit/gateway/engine/house.hpp"

using namespace touchgate;
using engine_test::House;

namespace {

const std::string phone = "+8613800000001";

}  // namespace

TEST_CASE("engine: an allowed touch is permitted in the turn that accepts it, and its receipt delivers it", "[engine]") {
    House house;
    const auto made = house.submit(House::touch(phone, "k"));
    REQUIRE(made);
    REQUIRE(house.transport.orders.size() == 1);
    CHECK(house.transport.orders[0].submission.to == phone);
    CHECK(house.transport.orders[0].submission.content.text == "hello k");
    CHECK(house.state(made->id) == TouchState::dispatching);
    house.answer(0, {.kind = channel::OutcomeKind::accepted, .ids = {"A1"}});
    CHECK(house.state(made->id) == TouchState::accepted);
    house.engine->on_transport_events({ReceiptReported{0, {.provider_ids = {"A1"}, .status = channel::ReceiptStatus::delivered, .raw = "DELIVRD"}, {1, 9}}});
    house.turn();
    CHECK(house.state(made->id) == TouchState::delivered);
    REQUIRE(house.transport.acknowledged.size() == 1);
    CHECK(house.transport.acknowledged[0].first.token == 9);
}

TEST_CASE("engine: a receipt that comes before the submit's answer is parked and matched", "[engine]") {
    House house;
    const auto made = house.submit(House::touch(phone));
    house.engine->on_transport_events({ReceiptReported{0, {.provider_ids = {"A1"}, .status = channel::ReceiptStatus::delivered, .raw = "DELIVRD"}, {}}});
    house.turn();
    CHECK(house.state(made->id) == TouchState::dispatching);
    house.crash();
    CHECK(house.state(made->id) == TouchState::unknown);  // the answer never came
    house.engine->on_transport_events({ReceiptReported{0, {.provider_ids = {"A1"}, .destination = phone, .status = channel::ReceiptStatus::delivered, .raw = "DELIVRD"}, {}}});
    house.turn();
    CHECK(house.state(made->id) == TouchState::delivered);  // the only unknown attempt to that address
}

TEST_CASE("engine: several early receipts of one message are all kept until its answer", "[engine]") {
    House house;
    const auto made = house.submit(House::touch(phone));
    const ReceiptReported delivered{0, {.provider_ids = {"A1"}, .status = channel::ReceiptStatus::delivered, .raw = "DELIVRD"}, {}};
    const ReceiptReported on_its_way{0, {.provider_ids = {"A1"}, .status = channel::ReceiptStatus::pending, .raw = "ENROUTE"}, {}};
    house.engine->on_transport_events(GENERATE(true, false) ? std::vector<TransportEvent>{delivered, on_its_way} : std::vector<TransportEvent>{on_its_way, delivered});
    house.turn();
    house.answer(0, {.kind = channel::OutcomeKind::accepted, .ids = {"A1"}});
    CHECK(house.state(made->id) == TouchState::delivered);
    CHECK(house.engine->internals().state.parked.empty());
    CHECK(house.engine->internals().state.parked_by_id.empty());
}

TEST_CASE("engine: a receipt with a new id is not taken for an unanswered attempt while another one to the address is on its way", "[engine]") {
    House house;
    const auto first = house.submit(House::touch(phone, "1", "transactional"));
    house.answer(0, {.kind = channel::OutcomeKind::unknown, .code = "no_answer"});
    const auto second = house.submit(House::touch(phone, "2", "transactional"));
    REQUIRE(house.transport.orders.size() == 2);
    const auto receipt = [&](const std::string& id, channel::ReceiptStatus status, const std::string& raw) {
        house.engine->on_transport_events({ReceiptReported{0, {.provider_ids = {id}, .destination = phone, .status = status, .raw = raw}, {}}});
        house.turn();
    };
    SECTION("it was of the one on its way") {
        receipt("B", channel::ReceiptStatus::failed, "UNDELIV");
        CHECK(house.state(first->id) == TouchState::unknown);
        house.answer(1, {.kind = channel::OutcomeKind::accepted, .ids = {"B"}});
        CHECK(house.state(second->id) == TouchState::failed);
        CHECK(house.state(first->id) == TouchState::unknown);
    }
    SECTION("no other is on its way any more, and nothing would be sent again after a failure") {
        house.answer(1, {.kind = channel::OutcomeKind::accepted, .ids = {"B"}});
        receipt("A", channel::ReceiptStatus::failed, "UNDELIV");
        CHECK(house.state(first->id) == TouchState::failed);
        receipt("A", channel::ReceiptStatus::delivered, "DELIVRD");
        CHECK(house.state(first->id) == TouchState::delivered);
    }
}

TEST_CASE("engine: the second touch of a day is deferred until the first leaves the window, and goes then", "[engine]") {
    House house;
    const auto first = house.submit(House::touch(phone));
    house.answer(0, {.kind = channel::OutcomeKind::accepted, .ids = {"1"}});
    const auto second = house.submit(House::touch(phone));
    REQUIRE(second);
    CHECK(second->state == TouchState::deferred);
    CHECK(second->decision.decision.until == first->created_at + one_day);
    house.clock.advance(one_day - Duration{2});
    house.turn();
    CHECK(house.transport.orders.size() == 1);
    house.clock.advance(Duration{2});
    house.turn();
    CHECK(house.transport.orders.size() == 2);
}

TEST_CASE("engine: a refused first attempt frees its slot for what waits", "[engine]") {
    House house;
    const auto first = house.submit(House::touch(phone));
    const auto second = house.submit(House::touch(phone));
    CHECK(second->state == TouchState::deferred);
    house.answer(0, {.kind = channel::OutcomeKind::recipient_invalid, .code = "0x0B"});
    CHECK(house.state(first->id) == TouchState::failed);
    CHECK(house.transport.orders.size() == 2);
}

TEST_CASE("engine: nothing is repeated after a restart in the middle of an attempt", "[engine]") {
    House house;
    const auto made = house.submit(House::touch(phone, "k"));
    house.crash();
    CHECK(house.transport.orders.empty());
    CHECK(house.state(made->id) == TouchState::unknown);
    auto again = House::touch(phone, "k");
    const auto repeated = house.submit(again);
    REQUIRE(repeated);
    CHECK(repeated->duplicate);
    CHECK(repeated->id == made->id);
    auto other = House::touch("+8613800000002", "k");
    other.body_hash = {1, 2};
    const auto conflict = house.submit(other);
    REQUIRE_FALSE(conflict);
    CHECK(conflict.error().kind == ErrorKind::conflict);
}

TEST_CASE("engine: an opt-out is acknowledged only when the permits it forbids are written or revoked", "[engine]") {
    House house;
    const auto made = house.submit(House::touch(phone));
    const auto ref = house.transport.orders[0].submission.ref;
    house.engine->on_transport_events({MessageReported{0, {.from = "8613800000001", .to = "1069", .text = "TD"}, {1, 5}}});
    house.turn();
    CHECK(house.transport.revoked == std::vector<channel::AttemptRef>{ref});
    CHECK(house.transport.acknowledged.empty());
    SECTION("revoked in time") {
        house.engine->on_transport_events({AttemptUnwritten{ref, true}});
        house.turn();
        CHECK(house.state(made->id) == TouchState::blocked);
    }
    SECTION("too late") {
        house.engine->on_transport_events({AttemptWritten{ref}});
        house.turn();
        CHECK(house.state(made->id) == TouchState::dispatching);
    }
    CHECK(house.transport.acknowledged.size() == 1);
    CHECK(house.submit(House::touch(phone))->state == TouchState::blocked);
    CHECK(house.submit(House::touch(phone, {}, "transactional"))->state == TouchState::queued);
}

TEST_CASE("engine: an opt-out also waits for the permit of a touch that the same reply ended", "[engine]") {
    House house;
    house.spare_window = 8;
    house.crash();
    const auto made = house.submit(House::touch(phone));
    house.answer(0, {.kind = channel::OutcomeKind::accepted, .ids = {"A"}});
    house.engine->on_transport_events({ReceiptReported{0, {.provider_ids = {"A"}, .destination = phone, .status = channel::ReceiptStatus::failed, .raw = "UNDELIV"}, {}}});
    house.turn();
    house.clock.advance(Duration{60'000});
    house.turn();
    REQUIRE(house.transport.orders.size() == 2);  // the other account tries
    const auto ref = house.transport.orders[1].submission.ref;
    house.engine->on_transport_events({MessageReported{0, {.from = "8613800000001", .to = "1069", .text = "TD"}, {1, 5}}});
    house.turn();
    CHECK(house.state(made->id) == TouchState::replied);
    CHECK(house.transport.revoked == std::vector<channel::AttemptRef>{ref});
    CHECK(house.transport.acknowledged.empty());
    house.engine->on_transport_events({AttemptUnwritten{ref, true}});
    house.turn();
    CHECK(house.transport.acknowledged.size() == 1);
    CHECK(house.state(made->id) == TouchState::replied);
}

TEST_CASE("engine: a fallback that waits holds its place against others, although its first attempt left the window", "[engine]") {
    House house;
    house.spare_window = 1;
    house.policy = R"({"name":"p","rules":[{"name":"cap","kind":"cap","max":1,"per":"PT1M","by":["contact"],"when":{"purposes":["marketing"]}}]})";
    house.crash();
    auto busy = House::touch("+8613800000099", {}, "service");
    busy.channels = {"sms-spare"};
    REQUIRE(house.submit(busy));  // fills the spare account's window
    auto patient = House::touch(phone);
    patient.fallback_after = std::chrono::minutes{2};
    const auto first = house.submit(patient);
    house.answer(1, {.kind = channel::OutcomeKind::accepted, .ids = {"A"}});
    house.clock.advance(std::chrono::minutes{3});
    house.turn();
    CHECK(house.transport.orders.size() == 2);  // the fallback waits for the spare account
    CHECK(house.state(first->id) == TouchState::queued);
    const auto second = house.submit(House::touch(phone));
    CHECK(second->state == TouchState::deferred);
    CHECK(second->decision.rule() == "cap");
}

TEST_CASE("engine: a full disk refuses with 503 and loses nothing", "[engine]") {
    House house;
    const auto made = house.submit(House::touch(phone, "k"));
    house.disk.set_capacity(0);
    std::optional<Result<TouchView>> refused;
    for (int i = 0; i < 5'000 && (!refused || *refused); ++i) {
        auto large = House::touch("+86139" + std::to_string(10'000'000 + i), "n" + std::to_string(i), "transactional");
        large.content.text = std::string(60'000, 'x');  // what was reserved before is soon used up
        refused = house.submit(large);
    }
    REQUIRE_FALSE(*refused);
    CHECK(refused->error().kind == ErrorKind::unavailable);
    CHECK(refused->error().retry_after_s >= 1);
    house.disk.set_capacity(simulation::FaultyDisk::unlimited);
    CHECK(house.submit(House::touch("+8613900000009", "after", "transactional")));
    house.crash();
    CHECK(house.state(made->id) == TouchState::unknown);
}

TEST_CASE("engine: the state after a checkpoint and the tail equals the fold of the whole log", "[engine]") {
    House house;
    for (int i = 0; i < 50; ++i) {
        (void)house.submit(House::touch("+861380000" + std::to_string(1000 + i % 20), "k" + std::to_string(i), i % 3 == 0 ? "transactional" : "marketing"));
        if (i % 4 == 0 && !house.transport.orders.empty())
            house.answer(house.transport.orders.size() - 1, {.kind = channel::OutcomeKind::accepted, .ids = {"id" + std::to_string(i)}});
        if (i == 25) REQUIRE(house.engine->write_checkpoint_now());
    }
    house.crash();
    const auto from_checkpoint = house.dump();
    for (const auto& path : house.disk.paths())
        if (path.find(".ckpt") != std::string::npos) REQUIRE(house.disk.remove(path));
    house.crash();
    CHECK(house.dump().size() == from_checkpoint.size());
}

TEST_CASE("engine: an account's rate holds across a restart", "[engine]") {
    House house;
    house.rate_per_second = 2;  // with a burst of one
    house.crash();
    (void)house.submit(House::touch("+8613800000001"));
    CHECK(house.transport.orders.size() == 1);
    house.clock.advance(Duration{100});
    house.crash();
    (void)house.submit(House::touch("+8613800000002"));
    CHECK(house.transport.orders.empty());
    house.clock.advance(Duration{350});
    house.turn();
    CHECK(house.transport.orders.empty());
    house.clock.advance(Duration{100});
    house.turn();
    CHECK(house.transport.orders.size() == 1);
}

namespace {

Result<InboundResult> happened(House& house, InboundKind kind, const std::string& key) {
    InboundInput input;
    input.key = key;
    input.channel = "sms";
    input.contact.address = Address{.kind = AddressKind::phone, .value = phone, .account = {}};
    input.kind = kind;
    return house.in_turn([&](Engine& inside) { return inside.inbound_event(input); });
}

// A service touch that may wait for a month.
TouchRequest patient(const House& house, const std::string& to) {
    auto request = House::touch(to, {}, "service");
    request.expires_at = house.clock.wall_now() + std::chrono::hours{24 * 30};
    return request;
}

}  // namespace

TEST_CASE("engine: a budget counts what attempts cost, and remembers it over restarts and checkpoints", "[engine]") {
    House house;
    house.use(R"({"name":"spend","kind":"budget","max":"0.10","per":"P1D","by":["account"]})");
    const auto first = house.submit(House::touch("+8613800000011"));
    house.answer(0, {.kind = channel::OutcomeKind::accepted, .ids = {"1"}});
    CHECK(house.submit(House::touch("+8613800000012"))->state != TouchState::deferred);
    house.answer(1, {.kind = channel::OutcomeKind::accepted, .ids = {"2"}});
    const auto third = house.submit(House::touch("+8613800000013"));
    CHECK(third->state == TouchState::deferred);
    CHECK(third->decision.decision.until == first->created_at + one_day);
    SECTION("from the log") { house.crash(); }
    SECTION("from a checkpoint") {
        REQUIRE(house.engine->write_checkpoint_now());
        house.crash();
    }
    const auto fourth = house.submit(House::touch("+8613800000014"));
    CHECK(fourth->state == TouchState::deferred);
    CHECK(fourth->decision.rule() == "spend");
    // A security code costs the same; it cannot wait that long.
    CHECK(house.submit(House::touch("+8613800000015", {}, "transactional"))->state == TouchState::blocked);
}

TEST_CASE("engine: a text of three segments takes three times its price from the budget", "[engine]") {
    House house;
    house.use(R"({"name":"spend","kind":"budget","max":"0.10","per":"P1D","by":["account"]})");
    auto large = House::touch(phone);
    large.content.text = std::string(150, 'x');
    const auto refused = house.submit(large);
    CHECK(refused->state == TouchState::blocked);
    CHECK(refused->decision.rule() == "spend");
    CHECK(house.submit(House::touch(phone))->state == TouchState::queued);
}

TEST_CASE("engine: a cap by metadata counts each debt by itself, over restarts", "[engine]") {
    House house;
    house.use(R"({"name":"per-debt","kind":"cap","max":1,"per":"P1D","by":["contact","metadata:debt"]})");
    const auto about = [&](const std::string& debt) {
        auto request = House::touch(phone);
        request.metadata = {{"debt", debt}};
        return house.submit(request)->state;
    };
    CHECK(about("a") == TouchState::queued);
    CHECK(about("a") == TouchState::deferred);
    CHECK(about("b") == TouchState::queued);
    SECTION("from the log") { house.crash(); }
    SECTION("from a checkpoint") {
        REQUIRE(house.engine->write_checkpoint_now());
        house.crash();
    }
    CHECK(about("b") == TouchState::deferred);
    CHECK(about("c") == TouchState::queued);
}

TEST_CASE("engine: complaints, withdrawals and refunds are signals, over restarts", "[engine]") {
    House house;
    house.use(R"({"name":"tired","kind":"fatigue","signals":{"complaint":1,"opt_out":1},"half_life":"P10D","ceilings":[{"score":1,"max":0,"per":"P1D"}]},
                 {"name":"refunded","kind":"gap","after":"event","events":["conversion.recorded"],"kinds":["refund"],"at_least":"P3D"})");
    CHECK(house.submit(patient(house, phone))->state == TouchState::queued);
    REQUIRE(happened(house, InboundKind::complaint, "c1"));
    REQUIRE(happened(house, InboundKind::complaint, "c1"));  // told twice, it happened once
    const auto after_one = house.submit(patient(house, phone));
    CHECK(after_one->decision.rule() == "tired");
    CHECK(after_one->decision.decision.until == house.clock.wall_now() + Duration{1});
    house.clock.advance(Duration{1'000});
    CHECK(house.submit(patient(house, phone))->state == TouchState::queued);
    REQUIRE(happened(house, InboundKind::opt_out, "o1"));
    SECTION("from the log") { house.crash(); }
    SECTION("from a checkpoint") {
        REQUIRE(house.engine->write_checkpoint_now());
        house.crash();
    }
    const auto after_two = house.submit(patient(house, phone));
    CHECK(after_two->decision.rule() == "tired");
    // Two signals of 1: about ten days until one of them is left.
    CHECK(after_two->decision.decision.until > house.clock.wall_now() + std::chrono::hours{24 * 9});
    CHECK(after_two->decision.decision.until < house.clock.wall_now() + std::chrono::hours{24 * 10 + 1});

    std::string contact_id;
    ConversionInput refund{.key = "r1", .contact = {}, .kind = "refund"};
    refund.contact.address = Address{.kind = AddressKind::phone, .value = "+8613800000077", .account = {}};
    CHECK(*house.in_turn([&](Engine& inside) { return inside.record_conversion(refund, contact_id); }));
    house.crash();
    const auto pause = house.submit(patient(house, "+8613800000077"));
    CHECK(pause->decision.rule() == "refunded");
}
