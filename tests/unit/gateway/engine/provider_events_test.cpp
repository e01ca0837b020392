// What a platform tells is one record of what it told, beside its effects; and what follows of it for conversations and repeats.
#include <algorithm>

#include "gateway/engine/event_codec.hpp"
#include "gateway/engine/refusals.hpp"
#include "tests/unit/gateway/engine/platforms.hpp"

namespace touchgate::engine_test {

namespace {

struct Told {
    std::uint64_t sequence = 0;
    std::string type, payload;
    ContactIndex contact{};
    template <class E> E as() const {
        E event;
        REQUIRE(decode(payload, event));
        return event;
    }
};

// The records of these names, in the order of the log.
std::vector<Told> told(House& house, const std::vector<std::string>& names) {
    std::vector<Told> found;
    REQUIRE(house.log->scan(1, [&](const Record& record) {
        const std::string name{event_name(static_cast<EventType>(record.type))};
        if (std::find(names.begin(), names.end(), name) != names.end()) found.push_back({record.sequence, name, std::string{record.payload}, record.contact});
        return true;
    }));
    return found;
}

std::vector<std::string> types(const std::vector<Told>& records) {
    std::vector<std::string> names;
    for (const auto& record : records) names.push_back(record.type);
    return names;
}

}  // namespace

TEST_CASE("events: a follow is the platform's event and then its effect, and a repeat is neither", "[engine]") {
    Platforms house;
    const auto at = house.clock.wall_now() - Duration{5'000};
    for (int i = 0; i < 2; ++i) {
        house.tell(2, {.events = {{.kind = "unfollow", .name = "unsubscribe", .from = "o1", .id = "u1", .at = at, .reach = Reached::refuses}}});
        house.tell(2, {.events = {{.kind = "follow", .name = "subscribe", .from = "o1", .id = "f1", .at = at + Duration{1'000}, .reach = Reached::reachable, .act = "menu"}}});
    }
    const auto records = told(house, {"event.received", "contact.followed", "contact.unfollowed", "suppression.added"});
    REQUIRE(types(records) == std::vector<std::string>{"event.received", "contact.unfollowed", "suppression.added", "event.received", "contact.followed"});
    const auto event = records[0].as<PlatformEvent>();
    CHECK(event.name == "unsubscribe");
    CHECK(event.provider_id == "u1");
    CHECK(event.provider_time == at);
    CHECK(event.account == "oa-main");
    CHECK(records[0].contact == records[1].contact);
    // The evidence is the event itself, not its effect.
    SuppressionSecret secret;
    REQUIRE(house.engine->internals().unseal_of(ContactIndex{}, records[2].as<SuppressionAdded>().sealed, secret));
    CHECK(secret.evidence == std::to_string(records[0].sequence));
    // The effect alone counts: one unfollow, one follow.
    const auto acts = house.engine->internals().state.contacts[1].extras->acts;
    CHECK(acts.size() == 2);
    if (GENERATE(false, true)) REQUIRE(house.engine->write_checkpoint_now());
    house.crash();
    CHECK(house.engine->internals().state.contacts[1].extras->acts.size() == 2);
    house.follows("o1", at + Duration{1'000});
    CHECK(house.in_turn([](Engine& inside) { return inside.suppressions("platform:oa-main", 10, {}); }).empty());
}

TEST_CASE("events: what the gateway reads for itself is no event of the platform", "[engine]") {
    Platforms house;
    house.tell(1, {.events = {{.kind = "change_external_chat.update.change_owner", .name = "change_external_chat.update.change_owner", .id = "e1", .at = house.clock.wall_now()},
                              {.kind = "group", .from = "wr1", .id = "g1", .at = house.clock.wall_now(), .reach = Reached::reachable, .employee = "alice"},
                              {.kind = "customer", .from = "wm1", .id = "c1", .at = house.clock.wall_now(), .reach = Reached::reachable, .employee = "alice"}}});
    CHECK(types(told(house, {"event.received", "contact.synced"})) == std::vector<std::string>{"event.received", "contact.synced", "contact.synced"});
    house.crash();
    const auto& in = house.engine->internals();
    const auto address = in.find_address({.kind = AddressKind::external_userid, .value = "wm1", .account = {}});
    REQUIRE(address != 0);
    REQUIRE(in.state.addresses[address].reach);
    REQUIRE(in.state.addresses[address].reach->followers.size() == 1);
    CHECK(in.state.addresses[address].reach->followers[0].employee == "alice");
}

TEST_CASE("receipts: one that comes before the answer is received once and matched later", "[engine]") {
    Platforms house;
    auto request = Platforms::to_follower("o1");
    request.content = {.body_json = R"({"template_message":{}})"};
    const auto touch = house.submit(std::move(request));
    REQUIRE(touch);
    const channel::Receipt receipt{.provider_ids = {"77"}, .destination = "o1", .status = channel::ReceiptStatus::delivered, .raw = "success", .at = house.clock.wall_now(),
                                   .kind = "templatesendjobfinish", .body_json = R"({"SentCount":"1"})"};
    house.tell(2, {.receipts = {receipt}});
    if (GENERATE(false, true)) REQUIRE(house.engine->write_checkpoint_now());
    house.answer(0, {.kind = channel::OutcomeKind::accepted, .ids = {"77"}});
    CHECK(house.state(touch->id) == TouchState::delivered);
    const auto records = told(house, {"receipt.received", "receipt.matched"});
    REQUIRE(types(records) == std::vector<std::string>{"receipt.received", "receipt.matched"});
    const auto received = records[0].as<ReceiptReceived>();
    CHECK(received.kind == "templatesendjobfinish");
    CHECK(received.body_json == R"({"SentCount":"1"})");
    CHECK(records[0].contact == ContactIndex{1});  // whose it is was known
    CHECK(records[1].as<ReceiptMatched>().touch == touch->id);
    CHECK(records[1].as<ReceiptMatched>().kind == "templatesendjobfinish");
    house.crash();
    CHECK(house.state(touch->id) == TouchState::delivered);
    CHECK(house.engine->internals().state.parked.empty());
}

TEST_CASE("receipts: a record of an earlier version has no kind", "[engine]") {
    ReceiptReceived receipt;
    receipt.provider_id = "1";
    receipt.kind = "x";
    ByteWriter whole;
    encode(whole, receipt);
    auto bytes = std::string{whole.bytes()};
    bytes.resize(bytes.size() - 3);  // "x" and the empty body, each after its length
    ReceiptReceived read = receipt;
    REQUIRE(decode(bytes, read));
    CHECK(read.provider_id == "1");
    CHECK(read.kind.empty());
    CHECK_FALSE(decode(bytes + "\x05", read));
}

TEST_CASE("conversations: what an employee has in the platform's own client is not answered from here", "[engine]") {
    Platforms house;
    house.writes("o1", "hello", "1");
    const auto id = house.conversations().at(0).id;
    int events = 0;
    const auto session = [&](const std::string& kind, const std::string& change, Duration ago = Duration{0}) {
        house.tell(2, {.events = {{.kind = kind, .name = kind, .from = "o1", .id = "s" + std::to_string(++events), .at = house.clock.wall_now() - ago, .employee = "bob", .ref = change}}});
    };
    auto answer = Platforms::to_follower("ignored");
    const auto reply = [&] { return house.in_turn([&](Engine& inside) { return inside.reply_to_interaction(id, answer); }); };
    const auto refused = [&] {
        const auto sent = house.transport.orders.size();
        const auto refusal = reply();
        return !refusal && refusal.error().kind == ErrorKind::conflict && refusal.error().reference == handled_natively_code && house.transport.orders.size() == sent;
    };
    SECTION("taken from the pool, through a restart, until it is ended") {
        session("kf.session_status_change", "1");
        CHECK(refused());
        house.writes("o1", "are you there?", "2");
        CHECK(refused());
        if (GENERATE(false, true)) REQUIRE(house.engine->write_checkpoint_now());
        house.crash();
        CHECK(refused());
        house.later(1s);
        session("kf.session_status_change", "3");
        CHECK(reply());
    }
    SECTION("handed over or opened again") {
        session("kf.session_status_change", GENERATE("2", "4"));
        CHECK(refused());
    }
    SECTION("an employee wrote in the client") {
        session("kf.servicer_message", "text");
        CHECK(refused());
    }
    SECTION("what is told late changes nothing") {
        session("kf.session_status_change", "3");
        session("kf.session_status_change", "1", 10s);
        CHECK(reply());
    }
    SECTION("no conversation lasts longer than two days, whatever was lost") {
        session("kf.session_status_change", "1");
        house.later(47h);
        CHECK(refused());
        house.later(1h);
        house.writes("o1", "hello again", "3");
        const auto newest = house.conversations().back().id;
        CHECK(house.in_turn([&](Engine& inside) { return inside.reply_to_interaction(newest, answer); }));
    }
    SECTION("a change that is not known") {
        session("kf.session_status_change", "9");
        CHECK(reply());
    }
}

TEST_CASE("repeats: after a crash what the provider recognises is asked for again, and nothing else", "[engine]") {
    Platforms house;
    auto request = Platforms::to_follower("o1");
    request.content = {.body_json = R"({"template_message":{}})"};
    const auto recognised = house.submit(std::move(request));
    house.writes("o2", "hello", "1");
    house.later(2s);
    const auto plain = house.submit(Platforms::to_follower("o2"));
    REQUIRE(recognised);
    REQUIRE(plain);
    REQUIRE(house.transport.orders.size() == 2);
    const bool at_once = GENERATE(true, false);
    if (!at_once) house.clock.advance(Duration{11min});  // by then the platform may have forgotten the id
    house.crash();
    for (AccountNumber number : {1U, 2U}) house.engine->on_transport_events({AccountUp{number}});
    for (int i = 0; i < 40 && house.transport.orders.empty(); ++i) house.later(1s);
    CHECK(house.state(plain->id) == TouchState::unknown);
    if (!at_once) {
        CHECK(house.transport.orders.empty());
        CHECK(house.state(recognised->id) == TouchState::unknown);
        return;
    }
    REQUIRE(house.transport.orders.size() == 1);
    CHECK(house.transport.orders[0].submission.touch == recognised->id);
    house.answer(0, {.kind = channel::OutcomeKind::accepted, .ids = {"id"}});
    CHECK(house.state(recognised->id) == TouchState::accepted);
}

TEST_CASE("repeats: a refusal that nobody understands is asked for once more before it counts", "[engine]") {
    Platforms house;
    auto request = Platforms::to_follower("o1");
    request.content = {.body_json = R"({"template_message":{}})"};
    const auto touch = house.submit(std::move(request));
    REQUIRE(touch);
    const channel::Outcome refusal{.kind = channel::OutcomeKind::refused, .code = "88888", .once_more = true};
    house.answer(0, refusal);
    CHECK(house.state(touch->id) == TouchState::queued);
    for (int i = 0; i < 40 && house.transport.orders.size() < 2; ++i) house.later(1s);
    REQUIRE(house.transport.orders.size() == 2);
    SECTION("it stays refused") {
        house.answer(1, refusal);
        CHECK(house.state(touch->id) == TouchState::failed);
        CHECK(house.in_turn([&](Engine& inside) { return inside.find_touch(touch->id); })->reason == "refused:88888");
        CHECK(house.transport.orders.size() == 2);
    }
    SECTION("it passes") {
        house.answer(1, {.kind = channel::OutcomeKind::accepted, .ids = {"id"}});
        CHECK(house.state(touch->id) == TouchState::accepted);
    }
}

TEST_CASE("tasks: a reminder that the platform took is told, and changes nothing", "[engine]") {
    Platforms house;
    const auto touch = house.handed_over("wm1");
    for (int i = 0; i < 60 && told(house, {"touch.task_changed", "task.reminded"}).empty(); ++i) {
        const auto before = house.transport.tasks.size();
        house.later(20min);
        if (house.transport.tasks.size() != before) house.task_says({.verdict = TaskAnswer::Verdict::done});
    }
    CHECK(house.asked() == TaskAct::remind);
    const auto changes = told(house, {"touch.task_changed", "task.reminded"});
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].as<TouchTaskChanged>().status == TaskStatus::reminded);
    CHECK(house.state(touch) == TouchState::dispatching);
    house.crash();
    CHECK(house.state(touch) == TouchState::dispatching);
}

}  // namespace touchgate::engine_test
