// An engine with accounts of messaging platforms, for tests.
#pragma once

#include "tests/unit/gateway/engine/house.hpp"

namespace touchgate::engine_test {

using namespace std::chrono_literals;
using channel::TaskAct;
using channel::TaskAnswer;
using channel::TaskResult;
using Reached = channel::ProviderEvent::Reach;

// Account 1 has tasks of employees, account 2 reply windows and a queue.
struct Platforms : House {
    Platforms() : House{R"({"name":"p","rules":[]})", 32, accounts()} {
        for (AccountNumber number : {1U, 2U}) engine->on_transport_events({AccountUp{number}});
        turn();
    }
    static std::vector<AccountSettings> accounts() {
        AccountSettings tasks;
        tasks.name = "wecom-main";
        tasks.adapter = "wecom";
        tasks.capabilities.channel = "wecom";
        tasks.capabilities.human_executed = true;
        AccountSettings windows;
        windows.name = "oa-main";
        windows.adapter = "official_account";
        windows.capabilities.channel = "official_account";
        windows.capabilities.reply_windows = {{.act = "message", .messages = 2, .lasts = Duration{48h}}, {.act = "menu", .messages = 1, .lasts = Duration{1min}}};
        windows.needs_reply_window = [](const channel::Content& content) { return content.body_json.empty(); };
        windows.repeat_is_safe = [](const channel::Content& content) { return !content.body_json.empty(); };
        windows.queue = "care";
        windows.auto_replies = {{.keywords = {"price"}, .text = "99"}};
        return {tasks, windows};
    }
    static TouchRequest to_customer(const std::string& customer, const std::string& text = "hello") {
        TouchRequest request;
        request.contact.address = Address{.kind = AddressKind::external_userid, .value = customer, .account = {}};
        request.purpose = "marketing";
        request.channels = {"wecom"};
        request.content.text = text;
        return request;
    }
    static TouchRequest to_follower(const std::string& openid) {
        TouchRequest request;
        request.contact.address = Address{.kind = AddressKind::openid, .value = openid, .account = "oa-main"};
        request.purpose = "service";
        request.channels = {"oa-main"};
        request.content.text = "hello";
        return request;
    }
    // A touch that an employee has as a task.
    TouchId handed_over(const std::string& customer, const std::string& task = "m1") {
        const auto touch = submit(to_customer(customer));
        REQUIRE(touch);
        REQUIRE(!transport.orders.empty());
        answer(transport.orders.size() - 1, {.kind = channel::OutcomeKind::handed_to_human, .task = task, .employee = "alice"});
        return touch->id;
    }
    void later(Duration by) {
        clock.advance(by);
        turn();
    }
    TaskAct asked() {
        REQUIRE(!transport.tasks.empty());
        return transport.tasks.back().act;
    }
    // Answers the newest question about a task.
    void task_says(TaskAnswer given) {
        REQUIRE(!transport.tasks.empty());
        engine->on_transport_events({TaskAnswered{transport.tasks.back().ref, transport.tasks.back().act, std::move(given)}});
        turn();
    }
    void tell(AccountNumber account, channel::WebhookEvents told) {
        bool done = false;
        REQUIRE(in_turn([&](Engine& inside) { return inside.provider_events(account, std::move(told), [&done] { done = true; }).has_value(); }));
        CHECK(done);
    }
    void follows(const std::string& openid, Instant at, bool leaves = false) {
        tell(2, {.events = {{.kind = leaves ? "unfollow" : "follow", .from = openid, .id = openid + std::to_string(unix_ms(at)), .at = at,
                             .reach = leaves ? Reached::refuses : Reached::reachable}}});
    }
    void writes(const std::string& openid, const std::string& text, const std::string& id) {
        tell(2, {.messages = {{.from = openid, .text = text, .provider_id = id, .at = clock.wall_now()}}});
    }
    std::vector<InteractionDetails> conversations() {
        return in_turn([](Engine& inside) { return inside.interactions({}); });
    }
};

}  // namespace touchgate::engine_test
