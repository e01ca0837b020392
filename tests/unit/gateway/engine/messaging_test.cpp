// Messaging platforms in the engine: employees' tasks, reply windows, conversations, follows, pulls, one person with several records.
#include "tests/unit/gateway/engine/platforms.hpp"

namespace touchgate::engine_test {

TEST_CASE("tasks: what an employee has sent is delivered, and its slot counts from that moment", "[engine]") {
    Platforms house;
    const auto touch = house.handed_over("wm1");
    CHECK(house.state(touch) == TouchState::dispatching);
    house.later(30s);
    REQUIRE(house.transport.tasks.size() == 1);
    CHECK(house.transport.tasks[0].act == TaskAct::poll);
    CHECK(house.transport.tasks[0].task.employee == "alice");
    const auto sent_at = house.clock.wall_now() - Duration{5'000};
    house.task_says({.verdict = TaskAnswer::Verdict::done, .results = {{.recipient = "wm1", .status = TaskResult::Status::sent, .sent_at = sent_at}}});
    CHECK(house.state(touch) == TouchState::delivered);
    const auto& contact = house.engine->internals().state.contacts[1];
    REQUIRE(contact.history.size() == 1);
    CHECK(contact.history[0].slot == policy::Slot::counted);
    CHECK(contact.history[0].at == sent_at);
}

TEST_CASE("tasks: a customer who is gone fails the touch and is suppressed; one over his limit only fails it", "[engine]") {
    Platforms house;
    const auto first = house.handed_over("wm1", "m1");
    const auto second = house.handed_over("wm2", "m2");
    house.later(30s);
    REQUIRE(house.transport.tasks.size() == 2);
    for (const auto& order : std::vector{house.transport.tasks}) {
        const bool is_first = order.task.id == "m1";
        const TaskResult result{.recipient = is_first ? "wm1" : "wm2", .status = is_first ? TaskResult::Status::not_friend : TaskResult::Status::over_limit};
        house.engine->on_transport_events({TaskAnswered{order.ref, order.act, {.verdict = TaskAnswer::Verdict::done, .results = {result}}}});
        house.turn();
    }
    CHECK(house.state(first) == TouchState::failed);
    CHECK(house.in_turn([&](Engine& inside) { return inside.find_touch(first); })->reason == "not_friend");
    CHECK(house.in_turn([&](Engine& inside) { return inside.find_touch(second); })->reason == "over_limit");
    CHECK(house.in_turn([](Engine& inside) { return inside.suppressions("platform:wecom-main", 10, {}); }).size() == 1);
}

TEST_CASE("tasks: at its end a task is asked for, stopped, asked for again, and only then the touch expires", "[engine]") {
    Platforms house;
    auto request = Platforms::to_customer("wm1");
    request.expires_at = house.clock.wall_now() + Duration{10'000};
    const auto touch = house.submit(std::move(request));
    REQUIRE(touch);
    house.answer(0, {.kind = channel::OutcomeKind::handed_to_human, .task = "m1", .employee = "alice"});
    house.later(10s);
    REQUIRE(house.asked() == TaskAct::poll);
    house.task_says({.verdict = TaskAnswer::Verdict::done});
    house.turn();
    REQUIRE(house.asked() == TaskAct::cancel);
    house.task_says({.verdict = TaskAnswer::Verdict::ask_again});
    CHECK(house.state(touch->id) == TouchState::dispatching);
    house.later(2s);
    REQUIRE(house.asked() == TaskAct::cancel);
    house.task_says({.verdict = TaskAnswer::Verdict::done});
    house.turn();
    REQUIRE(house.asked() == TaskAct::poll);
    SECTION("not sent") {
        house.task_says({.verdict = TaskAnswer::Verdict::gone});
        CHECK(house.state(touch->id) == TouchState::expired);
    }
    SECTION("sent in the last moment") {
        house.task_says({.verdict = TaskAnswer::Verdict::done, .results = {{.recipient = "wm1", .status = TaskResult::Status::sent}}});
        CHECK(house.state(touch->id) == TouchState::delivered);
    }
}

TEST_CASE("tasks: a withdrawal stops the task within seconds; the others of it get another", "[engine]") {
    Platforms house;
    const auto first = house.handed_over("wm1", "m1");
    const auto second = house.handed_over("wm2", "m1");
    const auto contact = house.in_turn([&](Engine& inside) { return inside.find_touch(first); })->contact_id;
    REQUIRE(house.in_turn([&](Engine& inside) {
        const ContactRef whose{.id = contact, .address = {}};
        const bool recorded = inside.record_consent(whose, {.channel = "*", .purpose = "marketing", .granted = false, .source = "form"}).has_value();
        inside.when_settled(whose, [] {});
        return recorded;
    }));
    house.later(2s);
    REQUIRE(house.asked() == TaskAct::poll);
    house.task_says({.verdict = TaskAnswer::Verdict::done});
    house.turn();
    REQUIRE(house.asked() == TaskAct::cancel);
    house.task_says({.verdict = TaskAnswer::Verdict::done});
    house.turn();
    const auto orders = house.transport.orders.size();
    house.task_says({.verdict = TaskAnswer::Verdict::gone});
    CHECK(house.state(first) == TouchState::blocked);
    CHECK(house.state(second) == TouchState::dispatching);
    REQUIRE(house.transport.orders.size() == orders + 1);
    CHECK(house.transport.orders.back().submission.to == "wm2");
}

TEST_CASE("tasks: reminders go out within their budget, and a touch that is called back is cancelled", "[engine]") {
    Platforms house;
    const auto touch = house.handed_over("wm1");
    int reminders = 0;
    for (int i = 0; i < 60; ++i) {
        const auto before = house.transport.tasks.size();
        house.later(20min);
        if (house.transport.tasks.size() == before) continue;
        if (house.asked() == TaskAct::remind) ++reminders;
        house.task_says({.verdict = TaskAnswer::Verdict::done});
    }
    CHECK(reminders == 3);
    CHECK(house.in_turn([&](Engine& inside) { return inside.cancel_touch(touch).has_value(); }));
    for (int i = 0; i < 10 && house.state(touch) == TouchState::dispatching; ++i) {
        house.later(2s);
        if (house.transport.tasks.empty()) continue;
        house.engine->on_transport_events({TaskAnswered{house.transport.tasks.back().ref, house.transport.tasks.back().act, {.verdict = TaskAnswer::Verdict::done}}});
        house.turn();
    }
    CHECK(house.state(touch) == TouchState::cancelled);
}

TEST_CASE("tasks: one that is made for a touch that has ended meanwhile is stopped, and holds no slot", "[engine]") {
    Platforms house;
    const auto touch = house.submit(Platforms::to_customer("wm1"));
    REQUIRE(touch);
    // The customer writes while the task is being made: on the same channel, so it is a reply to an earlier attempt's touch, which ends it.
    house.engine->post([&](Engine& inside) {
        auto& in = inside.internals();
        in.emit(ContactIndex{1}, TouchReplied{.touch = touch->id, .attempt = 1, .provider_id = {}, .raw = {}, .provider_time = 0});
    });
    house.turn();
    house.answer(0, {.kind = channel::OutcomeKind::handed_to_human, .task = "m1", .employee = "alice"});
    house.turn();
    for (const auto act : {TaskAct::poll, TaskAct::cancel, TaskAct::poll}) {
        REQUIRE(house.asked() == act);
        house.task_says({.verdict = TaskAnswer::Verdict::done});
        house.turn();
    }
    CHECK(house.engine->internals().tasks.empty());
    for (const auto& entry : house.engine->internals().state.contacts[1].history) CHECK(entry.slot != policy::Slot::reserved);
}

TEST_CASE("tasks: a crash keeps the task, and what was called back stays called back", "[engine]") {
    Platforms house;
    const auto waiting = house.handed_over("wm1", "m1");
    const auto called_back = house.handed_over("wm2", "m2");
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.cancel_touch(called_back).has_value(); }));
    house.crash();
    CHECK(house.state(waiting) == TouchState::dispatching);
    house.later(31s);
    std::set<std::string> asked;
    for (const auto& order : house.transport.tasks) asked.insert(order.task.id);
    CHECK(asked == std::set<std::string>{"m1", "m2"});
}

TEST_CASE("windows: a message opens so many answers; a new one begins anew; other content needs none", "[engine]") {
    Platforms house;
    const auto closed = house.submit(Platforms::to_follower("o1"));
    REQUIRE(closed);
    CHECK(closed->state == TouchState::blocked);
    CHECK(closed->decision.rule() == "window:oa-main");
    auto shaped = Platforms::to_follower("o1");
    shaped.content = {.body_json = R"({"template_message":{}})"};
    CHECK(house.submit(std::move(shaped))->state != TouchState::blocked);

    house.writes("o2", "hello", "1");
    house.later(2s);
    CHECK(house.submit(Platforms::to_follower("o2"))->state != TouchState::blocked);
    CHECK(house.submit(Platforms::to_follower("o2"))->state != TouchState::blocked);
    CHECK(house.submit(Platforms::to_follower("o2"))->state == TouchState::blocked);
    house.later(2s);
    house.writes("o2", "again", "2");
    house.later(2s);
    CHECK(house.submit(Platforms::to_follower("o2"))->state != TouchState::blocked);
    house.later(49h);
    CHECK(house.submit(Platforms::to_follower("o2"))->state == TouchState::blocked);
}

TEST_CASE("windows: they outlive a restart, from the log and from a checkpoint", "[engine]") {
    Platforms house;
    house.writes("o2", "hello", "1");
    house.later(2s);
    if (GENERATE(false, true)) REQUIRE(house.engine->write_checkpoint_now());
    house.crash();
    CHECK(house.submit(Platforms::to_follower("o2"))->state != TouchState::blocked);
    CHECK(house.conversations().size() == 1);
}

TEST_CASE("repeats: an unknown answer to what the provider recognises is asked for again as one message, in one slot", "[engine]") {
    Platforms house;
    auto request = Platforms::to_follower("o1");
    request.content = {.body_json = R"({"template_message":{}})"};
    const auto touch = house.submit(std::move(request));
    REQUIRE(touch);
    const auto slots = [&] {
        int counting = 0;
        for (const auto& entry : house.engine->internals().state.contacts[1].history) counting += entry.slot == policy::Slot::counted || entry.slot == policy::Slot::reserved;
        return counting;
    };
    house.answer(0, {.kind = channel::OutcomeKind::unknown, .code = "TIMEOUT"});
    CHECK(slots() == 1);
    for (int i = 0; i < 40 && house.transport.orders.size() < 2; ++i) house.later(1s);
    REQUIRE(house.transport.orders.size() == 2);
    CHECK(house.transport.orders[1].submission.touch == touch->id);
    SECTION("taken") {
        house.answer(1, {.kind = channel::OutcomeKind::accepted, .ids = {"id"}});
        CHECK(house.state(touch->id) == TouchState::accepted);
    }
    SECTION("refused, but the first may have arrived") {
        house.answer(1, {.kind = channel::OutcomeKind::refused, .code = "1"});
        CHECK(house.state(touch->id) == TouchState::unknown);
    }
    CHECK(slots() == 1);
}

TEST_CASE("follows: the platform's time decides, not the order of arrival; repeats change nothing", "[engine]") {
    Platforms house;
    const auto t0 = house.clock.wall_now() - Duration{60'000};
    house.follows("o1", t0 + Duration{20'000});
    house.follows("o1", t0 + Duration{10'000}, true);  // an older unfollow that came late
    const auto refused = [&] { return house.in_turn([](Engine& inside) { return inside.suppressions("platform:oa-main", 10, {}); }).size(); };
    CHECK(refused() == 0);
    house.follows("o1", t0 + Duration{30'000}, true);
    CHECK(refused() == 1);
    const auto before = house.engine->sequence();
    house.follows("o1", t0 + Duration{30'000}, true);
    CHECK(house.engine->sequence() == before);
    house.follows("o1", t0 + Duration{40'000});
    CHECK(refused() == 0);
    house.crash();
    CHECK(refused() == 0);
}

TEST_CASE("follows: a customer is lost only when no employee of ours is left, and is written to by the newest", "[engine]") {
    Platforms house;
    const auto t0 = house.clock.wall_now() - Duration{60'000};
    const auto employee = [&](const std::string& name, int second, bool leaves) {
        house.tell(1, {.events = {{.kind = leaves ? "unfollow" : "follow", .from = "wm1", .id = name + std::to_string(second), .at = t0 + Duration{second * 1'000},
                                   .reach = leaves ? Reached::refuses : Reached::reachable, .employee = name}}});
    };
    const auto refused = [&] { return house.in_turn([](Engine& inside) { return inside.suppressions("platform:wecom-main", 10, {}); }).size(); };
    employee("alice", 1, false);
    employee("bob", 2, false);
    REQUIRE(house.submit(Platforms::to_customer("wm1")));
    CHECK(house.transport.orders.back().submission.sender == "bob");
    employee("bob", 3, true);
    CHECK(refused() == 0);
    REQUIRE(house.submit(Platforms::to_customer("wm1", "second")));
    CHECK(house.transport.orders.back().submission.sender == "alice");
    employee("alice", 4, true);
    CHECK(refused() == 1);
}

TEST_CASE("events: what is not understood is kept once, without effect", "[engine]") {
    Platforms house;
    for (int i = 0; i < 2; ++i) house.tell(2, {.events = {{.kind = "unknown", .name = "brand_new", .from = "o9", .id = "x", .at = house.clock.wall_now()}}});
    CHECK(house.in_turn([](Engine& inside) { return inside.accounts(); })[2].events_unknown == 1);
    CHECK(house.engine->internals().state.contacts.size() == 1);  // nobody
}

TEST_CASE("conversations: messages of one customer belong together until somebody closes it; answers are touches", "[engine]") {
    Platforms house;
    house.writes("o1", "hello", "1");
    house.writes("o1", "anybody?", "2");
    house.writes("o1", "anybody?", "2");  // a repeat
    house.writes("o2", "hi", "3");
    const auto open = house.conversations();
    REQUIRE(open.size() == 2);
    CHECK(open[0].state == "queued");
    CHECK(open[0].queue == "care");
    auto request = Platforms::to_follower("ignored");
    request.key = "k";
    const auto reply = house.in_turn([&](Engine& inside) { return inside.reply_to_interaction(open[0].id, request); });
    REQUIRE(reply);
    CHECK(house.transport.orders.back().submission.to == "o1");
    const auto whole = house.in_turn([&](Engine& inside) { return inside.find_interaction(open[0].id); });
    REQUIRE(whole);
    REQUIRE(whole->messages.size() == 3);
    CHECK(whole->messages[1].text == "anybody?");
    CHECK_FALSE(whole->messages[2].inbound);
    const auto closed = house.in_turn([&](Engine& inside) { return inside.close_interaction(open[0].id, "solved", "a note"); });
    REQUIRE(closed);
    CHECK(closed->state == "completed");
    CHECK_FALSE(house.in_turn([&](Engine& inside) { return inside.close_interaction(open[0].id, {}, {}); }));
    CHECK_FALSE(house.in_turn([&](Engine& inside) { return inside.reply_to_interaction(open[0].id, request); }));
    house.writes("o1", "one more thing", "4");
    CHECK(house.conversations().size() == 3);
    if (GENERATE(false, true)) REQUIRE(house.engine->write_checkpoint_now());
    const auto before = house.dump();
    house.crash();
    CHECK(house.conversations().size() == 3);
    CHECK(house.dump().size() >= before.size());
}

TEST_CASE("conversations: a rule answers what it knows, and nobody answers a withdrawal", "[engine]") {
    Platforms house;
    house.writes("o1", "What is the PRICE?", "1");
    REQUIRE(!house.transport.orders.empty());
    CHECK(house.transport.orders.back().submission.content.text == "99");
    const auto sent = house.transport.orders.size();
    house.writes("o2", "hello", "2");
    CHECK(house.transport.orders.size() == sent);
    house.writes("o3", "TD", "3");
    CHECK(house.conversations().size() == 2);
}

TEST_CASE("conversations: one that nobody goes on with ends by itself", "[engine]") {
    Platforms house;
    house.writes("o1", "hello", "1");
    house.clock.advance(Duration{49h});
    for (int i = 0; i < 300; ++i) house.turn();
    REQUIRE(house.conversations().size() == 1);
    CHECK(house.conversations()[0].outcome == "timeout");
}

TEST_CASE("pulls: cursor and content are one batch, and the page is acknowledged when it is durable", "[engine]") {
    Platforms house;
    channel::PulledPage page;
    page.events.messages = {{.from = "o1", .text = "hello", .provider_id = "1", .at = house.clock.wall_now()}};
    page.cursor = "c1";
    house.engine->on_transport_events({PageArrived{2, "messages", page}});
    house.turn();
    CHECK(house.transport.kept == std::vector<std::string>{"messages"});
    house.crash();
    REQUIRE(house.transport.pulls.size() == 1);
    CHECK(house.transport.pulls[0].cursor == "c1");
    house.engine->on_transport_events({PageArrived{2, "messages", page}});  // the same page again
    house.turn();
    CHECK(house.conversations()[0].id == house.conversations()[0].id);
    const auto whole = house.in_turn([&](Engine& inside) { return inside.find_interaction(inside.interactions({})[0].id); });
    CHECK(whole->messages.size() == 1);
}

TEST_CASE("pulls: large pages that arrive together are taken over several turns, each whole", "[engine]") {
    Platforms house;
    std::vector<TransportEvent> pages;
    const std::size_t first_text = GENERATE(1'500U, 2'000U, 2'500U, 3'000U);  // so that what is left for the others differs
    for (int p = 0; p < 5; ++p) {
        channel::PulledPage page;
        page.cursor = "c" + std::to_string(p);
        for (int i = 0; i < 1'000; ++i)
            page.events.messages.push_back({.from = "o" + std::to_string(i), .text = std::string(p == 0 ? first_text : 4'190, 'x'), .provider_id = std::to_string(p * 1'000 + i),
                                            .at = house.clock.wall_now()});
        pages.push_back(PageArrived{2, "messages", std::move(page)});
    }
    house.engine->on_transport_events(std::move(pages));
    for (int i = 0; i < 10 && house.transport.kept.size() < 5; ++i) house.turn();
    CHECK(house.transport.kept.size() == 5);
    house.crash();
    CHECK(house.conversations().size() == 100);  // a page of the list
    CHECK(house.transport.pulls[0].cursor == "c4");
}

TEST_CASE("groups: a post is an exposure of each known member, with the policy's weight, once", "[engine]") {
    Platforms house;
    AccountSettings groups;
    groups.name = "groups-main";
    groups.adapter = "wecom_group";
    groups.capabilities.channel = "wecom_group";
    house.more_accounts.push_back(groups);
    house.use(R"({"name":"day","kind":"cap","max":1,"per":"P1D","by":["contact"],"weight":{"wecom_group":1}})");
    for (AccountNumber number : {1U, 2U, 3U}) house.engine->on_transport_events({AccountUp{number}});
    house.turn();
    house.tell(1, {.events = {{.kind = "customer", .from = "wm1", .id = "c1", .at = house.clock.wall_now(), .reach = Reached::reachable, .employee = "alice"}}});
    house.tell(3, {.events = {{.kind = "group", .from = "wr1", .id = "g1", .at = house.clock.wall_now(), .reach = Reached::reachable, .employee = "alice",
                               .body_json = R"({"members":[{"userid":"wm1","type":2},{"userid":"alice","type":1},{"userid":"unknown","type":2}]})"}}});
    TouchRequest post;
    post.contact.address = Address{.kind = AddressKind::chat_id, .value = "wr1", .account = {}};
    post.purpose = "marketing";
    post.channels = {"wecom_group"};
    post.content.text = "hello all";
    const auto posted = house.submit(std::move(post));
    REQUIRE(posted);
    CHECK(posted->state == TouchState::queued);
    const auto to_member = house.submit(Platforms::to_customer("wm1"));
    REQUIRE(to_member);
    CHECK(to_member->state == TouchState::deferred);
    if (GENERATE(false, true)) REQUIRE(house.engine->write_checkpoint_now());
    house.crash();
    CHECK(house.state(to_member->id) == TouchState::deferred);
}

TEST_CASE("persons: caps count over merged contacts, and apart again after they were parted", "[engine]") {
    Platforms house;
    house.use(R"({"name":"cap","kind":"cap","max":1,"per":"P1D","by":["contact"]})");
    for (AccountNumber number : {1U, 2U}) house.engine->on_transport_events({AccountUp{number}});
    house.turn();
    const auto put = [&](const std::string& id, const std::string& customer) {
        ContactInput input;
        input.addresses = {{Address{.kind = AddressKind::external_userid, .value = customer, .account = {}}}};
        input.address_kinds = {AddressKind::external_userid};
        return house.in_turn([&](Engine& inside) { return inside.put_contact(id, input, true, OnConflict::reject, {}).has_value(); });
    };
    REQUIRE(put("a", "wm1"));
    REQUIRE(put("b", "wm2"));
    REQUIRE(house.in_turn([](Engine& inside) { return inside.merge_contacts("a", "b", "same phone"); })->merged_with == std::vector<std::string>{"b"});
    CHECK(house.submit(Platforms::to_customer("wm1"))->state == TouchState::queued);
    const auto second = house.submit(Platforms::to_customer("wm2"));
    CHECK(second->state == TouchState::deferred);
    house.crash();
    CHECK(house.state(second->id) == TouchState::deferred);
    CHECK(house.in_turn([](Engine& inside) { return inside.unmerge_contact("b", "an error"); })->merged_with.empty());
    CHECK(house.state(second->id) != TouchState::deferred);
    CHECK_FALSE(house.in_turn([](Engine& inside) { return inside.merge_contacts("a", "a", {}); }));
}

TEST_CASE("persons: an address whose unionid is known joins that contact; two known ones are merged", "[engine]") {
    Platforms house;
    ContactInput input;
    input.unionids = {{"u1"}};
    REQUIRE(house.in_turn([&](Engine& inside) { return inside.put_contact("known", input, true, OnConflict::reject, {}).has_value(); }));
    const auto customer = [&](const std::string& id, const std::string& unionid) {
        house.tell(1, {.events = {{.kind = "customer", .from = id, .id = id + unionid, .at = house.clock.wall_now(), .reach = Reached::reachable, .employee = "alice",
                                   .unionid = unionid}}});
    };
    customer("wm1", "u1");
    CHECK(house.in_turn([](Engine& inside) { return inside.find_contact("known"); })->addresses.size() == 1);
    customer("wm2", "");
    customer("wm2", "u1");
    CHECK(house.in_turn([](Engine& inside) { return inside.find_contact("known"); })->merged_with.size() == 1);
}

}  // namespace touchgate::engine_test
