// An engine with a telephone system, three agents and a queue, for tests.
#pragma once

#include "gateway/voice/rules.hpp"
#include "tests/unit/gateway/engine/screen.hpp"
#include "tests/unit/gateway/voice/fake_pbx.hpp"

namespace touchgate::engine_test {

using voice_test::FakePbx;

inline AccountSettings telephone(const std::function<void(voice::CallRules&)>& change = {}) {
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

inline constexpr const char* voice_cap = R"({"name":"p","rules":[{"name":"one-call","kind":"cap","max":1,"per":"P1D","by":["contact"],"when":{"channels":["voice"],"purposes":["care"]}}]})";
inline const std::string customer = "+8613812345678";

struct Exchange : House {
    FakePbx pbx;
    std::shared_ptr<Screen> a1, a2, boss;

    explicit Exchange(const std::function<void(voice::CallRules&)>& change = {}) : Exchange{telephone(change)} {}
    explicit Exchange(AccountSettings account) : House{voice_cap, 32, {std::move(account)}} {
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
        const auto document = "{" + more + R"("name":")" + id + R"(","extension":")" + extension + R"(","capacity":{"voice":1},"queues":["care"],"dial_purposes":["care","service"]})";
        const auto put = in_turn([&](Engine& inside) { return inside.desk().put_agent(id, Json::parse(document)); });
        if (!put) FAIL(put.error().detail << (put.error().problems.empty() ? "" : put.error().problems[0].pointer + " " + put.error().problems[0].detail));
    }
    std::shared_ptr<Screen> sit_down(const std::string& agent, std::optional<std::uint64_t> after = {}) {
        auto screen = std::make_shared<Screen>();
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
    OfferPush offer_to(const std::shared_ptr<Screen>& screen) { return screen->last<OfferPush>(); }
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
};

}  // namespace touchgate::engine_test
