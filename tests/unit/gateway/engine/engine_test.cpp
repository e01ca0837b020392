// The engine over a simulated disk, a manual clock and a transport that only takes notes: permits, opt-outs, restarts.

#include "gateway/engine/engine.hpp"

#include "gateway/engine/internals.hpp"
#include "tests/catch.hpp"
#include "tests/simulation/faulty_disk.hpp"

using namespace touchgate;

namespace {

class NotedTransport final : public Transport {
public:
    std::vector<AttemptOrder> orders;
    std::vector<channel::AttemptRef> revoked;
    std::vector<std::pair<AckTicket, bool>> acknowledged;
    void hand_over(std::vector<AttemptOrder> more) override { std::move(more.begin(), more.end(), std::back_inserter(orders)); }
    void revoke(std::vector<channel::AttemptRef> refs) override { revoked.insert(revoked.end(), refs.begin(), refs.end()); }
    void acknowledge(AckTicket ticket, bool durable) override { acknowledged.emplace_back(ticket, durable); }
    void reconcile(std::vector<ReconcileOrder>) override {}
};

struct House {
    simulation::FaultyDisk disk{7};
    ManualClock clock{*parse_instant("2026-11-23T02:00:00Z")};
    Random random{7};
    NotedTransport transport;
    std::unique_ptr<KeyStore> keys;
    std::unique_ptr<FileLog> log;
    std::unique_ptr<Engine> engine;
    std::optional<double> rate_per_second;
    std::string policy = R"({"name":"p","rules":[{"name":"cap-day","kind":"cap","max":1,"per":"P1D","by":["contact"],"when":{"purposes":["marketing"]}}]})";

    House() { start(); }

    EngineSettings settings() const {
        EngineSettings made;
        made.data_dir = "data";
        made.policy_document = policy;
        made.templates = std::make_shared<content::TemplateStore>();
        AccountSettings account;
        account.name = "sms-main";
        account.adapter = "smpp";
        account.capabilities.channel = "sms";
        account.match_by_address = true;
        account.rate_per_second = rate_per_second;
        made.accounts = {account};
        return made;
    }

    void start() {
        (void)disk.make_folder("data");
        LogRecovery recovery;
        std::vector<std::string> skipped;
        keys = std::move(*KeyStore::open(disk, "data", crypto::Key{}));
        auto checkpoint = read_newest_checkpoint(disk, "data", skipped);
        REQUIRE(checkpoint);
        auto opened = FileLog::open(disk, {.data_dir = "data"}, *checkpoint ? (*checkpoint)->head : LogHead{}, 0, recovery);
        REQUIRE(opened);
        log = std::move(*opened);
        auto made = Engine::start({.disk = disk, .log = *log, .reader = *log, .keys = *keys, .clock = clock, .random = random, .transport = transport}, settings(),
                                  std::move(*checkpoint));
        REQUIRE(made);
        engine = std::move(*made);
        engine->on_transport_events({AccountUp{0}});
        turn();
    }

    void turn() { REQUIRE(engine->turn()); }

    void crash() {
        engine.reset();
        log.reset();
        keys.reset();
        disk.crash();
        transport = {};
        start();
    }

    template <class Act> auto in_turn(Act act) {
        std::optional<decltype(act(*engine))> result;
        REQUIRE(engine->post([&](Engine& inside) { result = act(inside); }));
        turn();
        REQUIRE(result);
        return std::move(*result);
    }

    static TouchRequest touch(const std::string& phone, const std::string& key = {}, const std::string& purpose = "marketing") {
        TouchRequest request;
        request.key = key;
        request.contact.address = Address{.kind = AddressKind::phone, .value = phone, .account = {}};
        request.purpose = purpose;
        request.channels = {"sms"};
        request.content.text = "hello " + key;
        return request;
    }
    Result<TouchView> submit(TouchRequest request) {
        return in_turn([&](Engine& inside) { return inside.submit_touch(request); });
    }
    TouchState state(const TouchId& id) {
        return in_turn([&](Engine& inside) { return inside.find_touch(id); })->state;
    }
    void answer(std::size_t order, channel::Outcome outcome) {
        engine->on_transport_events({AttemptAnswered{transport.orders[order].submission.ref, std::move(outcome)}});
        turn();
    }
    std::string dump() {
        std::string all;
        engine->internals().dump([&](std::string_view piece) { all += piece; });
        return all;
    }
};

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
    SECTION("no other is on its way any more, but a failure would have it sent again") {
        house.answer(1, {.kind = channel::OutcomeKind::accepted, .ids = {"B"}});
        receipt("A", channel::ReceiptStatus::failed, "UNDELIV");
        CHECK(house.state(first->id) == TouchState::unknown);
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

TEST_CASE("engine: an account's rate holds across a restart", "[engine]") {
    House house;
    house.rate_per_second = 2;  // with a burst of one
    house.crash();
    REQUIRE(house.submit(House::touch("+8613800000001")));
    CHECK(house.transport.orders.size() == 1);
    house.clock.advance(Duration{100});
    house.crash();
    REQUIRE(house.submit(House::touch("+8613800000002")));
    CHECK(house.transport.orders.empty());
    house.clock.advance(Duration{350});
    house.turn();
    CHECK(house.transport.orders.empty());
    house.clock.advance(Duration{100});
    house.turn();
    CHECK(house.transport.orders.size() == 1);
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
