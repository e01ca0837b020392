// The cascade in the engine: conditions and times of steps, late receipts, restarts, expiry, refusals, unknown outcomes, the cheapest first.

#include "tests/unit/gateway/engine/house.hpp"

using namespace touchgate;
using channel::OutcomeKind;
using channel::ReceiptStatus;
using dispatch::StepTerms;
using dispatch::Until;
using engine_test::House;

namespace {

const std::string phone = "+8613800000001";
constexpr std::int64_t half_hour_ms = 30 * 60'000;

struct Ladder : House {
    Ladder() {
        spare_window = 8;
        crash();
    }

    TouchRequest asked(StepTerms first, StepTerms second = {}, const std::string& to = phone) const {
        auto request = touch(to);
        request.channels = {"sms-main", "sms-spare"};
        request.steps = {first, second};
        return request;
    }
    TouchId sent(StepTerms first, StepTerms second = {}) {
        const auto made = submit(asked(first, second));
        REQUIRE(made);
        REQUIRE(transport.orders.size() == 1);
        answer(0, {.kind = OutcomeKind::accepted, .ids = {"A"}});
        return made->id;
    }
    void receipt(const std::string& id, ReceiptStatus status, AccountNumber account = 0) {
        engine->on_transport_events({ReceiptReported{account, {.provider_ids = {id}, .destination = phone, .status = status, .raw = "R"}, {}}});
        turn();
    }
    void pass(Duration time) {
        clock.advance(time);
        turn();
        turn();
    }
    std::optional<TouchView> show(const TouchId& id) {
        return in_turn([&](Engine& inside) { return inside.find_touch(id); });
    }
    bool is_final(const TouchId& id) { return show(id)->final; }
    // Fills the window of the spare account, so that what falls back to it waits.
    void keep_spare_busy() {
        for (int i = 0; i < spare_window; ++i) {
            auto busy = touch("+861390000000" + std::to_string(i), {}, "service");
            busy.channels = {"sms-spare"};
            REQUIRE(submit(busy));
        }
        REQUIRE(transport.orders.size() == static_cast<std::size_t>(spare_window) + 1);
    }
};

}  // namespace

TEST_CASE("cascade: what is delivered and not read in time goes over the next step, and the touch ends with the best", "[engine]") {
    Ladder house;
    const auto id = house.sent({Until::read, half_hour_ms});
    house.receipt("A", ReceiptStatus::delivered);
    CHECK(house.state(id) == TouchState::delivered);
    CHECK_FALSE(house.is_final(id));
    house.pass(Duration{half_hour_ms - 1});
    CHECK(house.transport.orders.size() == 1);
    SECTION("the time passes") {}
    SECTION("the time passes after a restart from the log") { house.crash(); }
    SECTION("the time passes after a restart from a checkpoint") {
        REQUIRE(house.engine->write_checkpoint_now());
        house.crash();
    }
    house.pass(Duration{1});
    const auto last = house.transport.orders.size() - 1;
    REQUIRE(house.transport.orders[last].account == 1);
    CHECK(house.state(id) == TouchState::dispatching);
    house.answer(last, {.kind = OutcomeKind::accepted, .ids = {"B"}});
    CHECK(house.state(id) == TouchState::delivered);  // nothing follows, and the first attempt arrived
    CHECK(house.is_final(id));
    house.receipt("B", ReceiptStatus::failed, 1);
    CHECK(house.state(id) == TouchState::delivered);
    house.receipt("A", ReceiptStatus::read);
    CHECK(house.state(id) == TouchState::read);
}

TEST_CASE("cascade: a condition that is met in time ends it, and nothing follows", "[engine]") {
    Ladder house;
    const auto [until, status] = GENERATE(table<Until, ReceiptStatus>({{Until::delivered, ReceiptStatus::delivered}, {Until::read, ReceiptStatus::read}}));
    const auto id = house.sent({until, half_hour_ms});
    house.receipt("A", status);
    CHECK(house.is_final(id));
    house.pass(Duration{2 * half_hour_ms});
    CHECK(house.transport.orders.size() == 1);
}

TEST_CASE("cascade: a reply ends it for a step that waits for one", "[engine]") {
    Ladder house;
    const auto id = house.sent({Until::replied, half_hour_ms});
    house.receipt("A", ReceiptStatus::delivered);
    CHECK_FALSE(house.is_final(id));
    house.engine->on_transport_events({MessageReported{0, {.from = "8613800000001", .to = "1069", .text = "yes"}, {1, 5}}});
    house.turn();
    CHECK(house.state(id) == TouchState::replied);
    CHECK(house.is_final(id));
    house.pass(Duration{2 * half_hour_ms});
    CHECK(house.transport.orders.size() == 1);
}

TEST_CASE("cascade: a late receipt cancels the next step while it waits", "[engine]") {
    Ladder house;
    const auto id = house.sent({Until::read, half_hour_ms});
    house.receipt("A", ReceiptStatus::delivered);
    house.keep_spare_busy();
    house.pass(Duration{half_hour_ms});
    CHECK(house.state(id) == TouchState::queued);
    SECTION("the condition is met") {
        house.receipt("A", ReceiptStatus::read);
        CHECK(house.state(id) == TouchState::read);
        CHECK(house.is_final(id));
    }
    SECTION("also after a restart") {
        house.crash();  // what was on its way over the spare account is not repeated
        REQUIRE(house.state(id) != TouchState::queued);
        house.receipt("A", ReceiptStatus::read);
        CHECK(house.state(id) == TouchState::read);
        CHECK(house.is_final(id));
        return;
    }
    house.answer(1, {.kind = OutcomeKind::accepted, .ids = {"X"}});  // the spare account is free
    house.pass(Duration{half_hour_ms});
    CHECK(house.transport.orders.size() == static_cast<std::size_t>(house.spare_window) + 1);
}

TEST_CASE("cascade: a late receipt revokes the next step while it is on its way", "[engine]") {
    Ladder house;
    const auto id = house.sent({Until::read, half_hour_ms});
    house.pass(Duration{half_hour_ms});
    REQUIRE(house.transport.orders.size() == 2);
    const auto ref = house.transport.orders[1].submission.ref;
    house.receipt("A", ReceiptStatus::read);
    CHECK(house.transport.revoked == std::vector<channel::AttemptRef>{ref});
    CHECK(house.state(id) == TouchState::read);
    SECTION("in time") {
        house.engine->on_transport_events({AttemptUnwritten{ref, true}});
        house.turn();
    }
    SECTION("too late") {
        house.answer(1, {.kind = OutcomeKind::accepted, .ids = {"B"}});
        house.receipt("B", ReceiptStatus::delivered, 1);
    }
    CHECK(house.state(id) == TouchState::read);
    CHECK(house.transport.orders.size() == 2);
}

TEST_CASE("cascade: a late acceptance calls the next step back where acceptance is enough", "[engine]") {
    Ladder house;
    auto request = house.asked({Until::accepted, half_hour_ms});
    request.fallback_on_unknown = true;
    const auto id = house.submit(request)->id;
    house.answer(0, {.kind = OutcomeKind::unknown, .code = "no_answer"});
    house.keep_spare_busy();
    house.pass(Duration{half_hour_ms});
    CHECK(house.state(id) == TouchState::queued);
    house.receipt("A", ReceiptStatus::delivered);  // matched by the address
    CHECK(house.state(id) == TouchState::delivered);
    CHECK(house.is_final(id));
}

TEST_CASE("cascade: after an acceptance that was enough nothing follows, whatever becomes of it", "[engine]") {
    Ladder house;
    const auto id = house.sent({Until::accepted, half_hour_ms});
    house.pass(Duration{2 * half_hour_ms});
    CHECK(house.transport.orders.size() == 1);
    house.receipt("A", ReceiptStatus::failed);
    CHECK(house.state(id) == TouchState::failed);
    CHECK(house.transport.orders.size() == 1);
}

TEST_CASE("cascade: a definite failure leads on at once", "[engine]") {
    Ladder house;
    SECTION("of the submit") {
        const auto id = house.submit(house.asked({Until::read, half_hour_ms}))->id;
        house.answer(0, {.kind = OutcomeKind::refused, .code = "0x45"});
        CHECK(house.transport.orders.size() == 2);
        CHECK(house.state(id) == TouchState::dispatching);
    }
    SECTION("by a receipt") {
        const auto id = house.sent({Until::read, -1});
        house.pass(Duration{2 * half_hour_ms});
        CHECK(house.transport.orders.size() == 1);
        house.receipt("A", ReceiptStatus::failed);
        CHECK(house.transport.orders.size() == 2);
        house.answer(1, {.kind = OutcomeKind::refused, .code = "0x45"});
        CHECK(house.state(id) == TouchState::failed);
    }
}

TEST_CASE("cascade: a last step that fails leaves what arrived before", "[engine]") {
    Ladder house;
    const auto id = house.sent({Until::read, half_hour_ms});
    house.receipt("A", ReceiptStatus::delivered);
    house.pass(Duration{half_hour_ms});
    REQUIRE(house.transport.orders.size() == 2);
    house.answer(1, {.kind = OutcomeKind::refused, .code = "0x45"});
    CHECK(house.state(id) == TouchState::delivered);
    CHECK(house.is_final(id));
}

TEST_CASE("cascade: the steps of a touch share its one place under a cap", "[engine]") {
    Ladder house;  // one a day for each contact
    const auto id = house.sent({Until::delivered, half_hour_ms});
    CHECK(house.submit(House::touch(phone))->state == TouchState::deferred);
    house.pass(Duration{half_hour_ms});
    CHECK(house.transport.orders.size() == 2);
    CHECK(house.state(id) == TouchState::dispatching);
}

TEST_CASE("cascade: a later step that the policy denies is not tried, and the first stands", "[engine]") {
    Ladder house;
    house.policy = R"({"name":"p","rules":[{"name":"dnc","kind":"suppression","lists":["*"]}]})";
    house.crash();
    const auto id = house.sent({Until::read, half_hour_ms});
    const bool arrived = GENERATE(true, false);
    if (arrived) house.receipt("A", ReceiptStatus::delivered);
    REQUIRE(house.in_turn([](Engine& inside) { return inside.add_suppression({.list = "dnc", .address = Address{.kind = AddressKind::phone, .value = phone, .account = {}}}); }));
    house.pass(Duration{half_hour_ms});
    CHECK(house.transport.orders.size() == 1);
    CHECK(house.state(id) == (arrived ? TouchState::delivered : TouchState::accepted));
    CHECK(house.is_final(id) == arrived);
    if (GENERATE(true, false)) house.crash();
    house.pass(Duration{half_hour_ms});
    CHECK(house.transport.orders.size() == (house.transport.orders.empty() ? 0 : 1));
    house.receipt("A", ReceiptStatus::delivered);
    CHECK(house.state(id) == TouchState::delivered);
    CHECK(house.is_final(id));
}

TEST_CASE("cascade: no step begins after the touch expired", "[engine]") {
    Ladder house;
    auto request = house.asked({Until::read, 2 * half_hour_ms});
    request.expires_at = house.clock.wall_now() + Duration{half_hour_ms};
    const auto id = house.submit(request)->id;
    house.answer(0, {.kind = OutcomeKind::accepted, .ids = {"A"}});
    const bool early = GENERATE(true, false);
    if (early) house.receipt("A", ReceiptStatus::delivered);
    house.pass(Duration{3 * half_hour_ms});
    if (!early) {
        CHECK(house.state(id) == TouchState::accepted);
        house.receipt("A", ReceiptStatus::delivered);
        house.pass(Duration{1});
    }
    CHECK(house.transport.orders.size() == 1);
    CHECK(house.state(id) == TouchState::delivered);
    CHECK(house.is_final(id));
}

TEST_CASE("cascade: nothing follows an unknown outcome until it is resolved, unless the caller says so", "[engine]") {
    Ladder house;
    auto request = house.asked({Until::delivered, half_hour_ms});
    request.fallback_on_unknown = GENERATE(true, false);
    const bool with_steps = GENERATE(true, false);
    if (!with_steps) {
        request.steps.clear();
        request.fallback_after = Duration{half_hour_ms};
    }
    const auto id = house.submit(request)->id;
    house.clock.advance(Duration{1});
    house.answer(0, {.kind = OutcomeKind::unknown, .code = "no_answer"});
    if (request.fallback_on_unknown && !with_steps) {
        CHECK(house.transport.orders.size() == 2);
        return;
    }
    CHECK(house.transport.orders.size() == 1);
    house.pass(Duration{half_hour_ms});
    CHECK(house.transport.orders.size() == (request.fallback_on_unknown ? 2 : 1));
    if (request.fallback_on_unknown) return;
    CHECK(house.state(id) == TouchState::unknown);
    house.receipt("A", ReceiptStatus::failed);  // could be of another message: for a second one a guess is not enough
    CHECK(house.transport.orders.size() == 1);
}

TEST_CASE("cascade: an answer that comes after the time still leads on", "[engine]") {
    Ladder house;
    auto request = house.asked({Until::delivered, half_hour_ms});
    if (GENERATE(true, false)) {
        request.steps.clear();
        request.fallback_after = Duration{half_hour_ms};
    }
    REQUIRE(house.submit(request));
    house.pass(Duration{half_hour_ms + 1});
    CHECK(house.transport.orders.size() == 1);
    house.answer(0, {.kind = OutcomeKind::accepted, .ids = {"A"}});
    house.pass(Duration{1});
    CHECK(house.transport.orders.size() == 2);
}

TEST_CASE("cascade: a call-back while a further step is still to come changes nothing that was sent", "[engine]") {
    Ladder house;
    const auto id = house.sent({Until::read, half_hour_ms});
    house.receipt("A", ReceiptStatus::delivered);
    house.keep_spare_busy();
    house.pass(Duration{half_hour_ms});
    const auto cancelled = house.in_turn([&](Engine& inside) { return inside.cancel_touch(id); });
    REQUIRE_FALSE(cancelled);
    CHECK(cancelled.error().kind == ErrorKind::conflict);
}

TEST_CASE("cascade: steps that name no account, or only those of earlier steps, are named", "[engine]") {
    Ladder house;
    auto request = house.asked({});
    request.channels = {"sms", "sms-spare"};
    const auto covered = house.submit(request);
    REQUIRE_FALSE(covered);
    REQUIRE(covered.error().problems.size() == 1);
    CHECK(covered.error().problems[0].pointer == "/steps/1/channel");
    request.channels = {"pigeon", "sms"};
    const auto unknown = house.submit(request);
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().problems[0].pointer == "/steps/0/channel");
}

TEST_CASE("cascade: the cheapest account goes first, and the permit says why", "[engine]") {
    Ladder house;
    house.spare_price = content::Money{40'000};
    house.crash();
    auto request = House::touch(phone);
    request.cheapest_first = true;
    REQUIRE(house.submit(request));
    REQUIRE(house.transport.orders.size() == 1);
    CHECK(house.transport.orders[0].account == 1);
    std::string reason;
    REQUIRE(house.log->scan(1, [&](const Record& record) {
        TouchDispatching event;
        if (static_cast<EventType>(record.type) == EventType::touch_dispatching && decode(record.payload, event)) reason = event.route_reason;
        return true;
    }));
    CHECK(reason == "cheapest first: sms-spare 0.04 CNY for 1 segment, sms-main 0.05 CNY for 1 segment");
}

TEST_CASE("cascade: among steps the order is the caller's, whatever they cost", "[engine]") {
    Ladder house;
    house.spare_price = content::Money{1};
    house.crash();
    auto request = house.asked({Until::delivered, half_hour_ms});
    request.cheapest_first = true;
    REQUIRE(house.submit(request));
    CHECK(house.transport.orders[0].account == 0);
}
