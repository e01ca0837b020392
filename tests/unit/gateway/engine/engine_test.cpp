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
