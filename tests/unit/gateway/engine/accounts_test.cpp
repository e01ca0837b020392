// What accounts of messaging platforms do beside sending: operations, quotas, employees who are away, tags, replies in the answer to a callback.
#include "tests/unit/gateway/engine/platforms.hpp"

namespace touchgate::engine_test {

namespace {

using channel::OutcomeKind;

struct Asked {
    std::vector<Result<OperationResult>> answers;
};

OperationRequest operation(const std::string& key, const std::string& body = R"({"external_userid":"wm1"})") {
    OperationRequest request{.account = "wecom-main", .name = "mark_tags", .body_json = body, .key = key, .by = "console"};
    request.body_hash = {.high = body.size(), .low = static_cast<std::uint64_t>(std::hash<std::string>{}(body))};
    return request;
}

void ask(Platforms& house, Asked& asked, OperationRequest request) {
    house.in_turn([&](Engine& inside) {
        inside.run_operation(std::move(request), [&asked](Result<OperationResult> result) { asked.answers.push_back(std::move(result)); });
        return true;
    });
}

void answer_operation(Platforms& house, channel::OperationAnswer answer) {
    REQUIRE(!house.transport.operations.empty());
    const auto ref = house.transport.operations.back().ref;
    house.engine->on_transport_events({OperationAnswered{ref, std::move(answer)}});
    house.turn();
}

channel::OperationAnswer done(const std::string& result) { return {.outcome = {.kind = OutcomeKind::accepted, .code = "0"}, .result_json = result}; }

void employ(Platforms& house, const std::string& customer, const std::string& employee, int second, const std::string& body = {}) {
    const auto at = house.clock.wall_now() - Duration{60'000} + Duration{second * 1'000};
    house.tell(1, {.events = {{.kind = "customer", .from = customer, .id = customer + employee + body, .at = at, .reach = Reached::reachable, .employee = employee, .body_json = body}}});
}

std::vector<std::string> tags_of(Platforms& house, const std::string& customer) {
    return house.in_turn([&](Engine& inside) {
        std::uint32_t address = 0;
        const auto contact = inside.internals().resolve({.id = {}, .address = Address{.kind = AddressKind::external_userid, .value = customer, .account = {}}}, false, address);
        return contact ? inside.internals().details(*contact).tags : std::vector<std::string>{};
    });
}

}  // namespace

TEST_CASE("operations: what changes something is logged before it leaves, and its key answers it again from the log", "[engine]") {
    Platforms house;
    Asked asked;
    const auto before = house.engine->sequence();
    ask(house, asked, operation("k1"));
    CHECK(house.engine->sequence() == before + 1);
    REQUIRE(house.transport.operations.size() == 1);
    CHECK(house.transport.operations[0].name == "mark_tags");
    CHECK(asked.answers.empty());
    ask(house, asked, operation("k1"));  // a twin waits for the same answer
    CHECK(house.transport.operations.size() == 1);
    answer_operation(house, done(R"({"made":"x"})"));
    REQUIRE(asked.answers.size() == 2);
    CHECK(asked.answers[0]->result_json == R"({"made":"x"})");
    CHECK_FALSE(asked.answers[0]->duplicate);
    CHECK(asked.answers[1]->duplicate);
    if (GENERATE(false, true)) REQUIRE(house.engine->write_checkpoint_now());
    house.crash();
    for (AccountNumber number : {1U, 2U}) house.engine->on_transport_events({AccountUp{number}});
    house.turn();
    asked.answers.clear();
    ask(house, asked, operation("k1"));
    REQUIRE(asked.answers.size() == 1);
    REQUIRE(asked.answers[0]);
    CHECK(asked.answers[0]->duplicate);
    CHECK(asked.answers[0]->result_json == R"({"made":"x"})");
    ask(house, asked, operation("k1", R"({"external_userid":"wm2"})"));
    REQUIRE(asked.answers.size() == 2);
    CHECK(asked.answers[1].error().kind == ErrorKind::conflict);
}

TEST_CASE("operations: one that was on its way when the program ended is not run again under its key", "[engine]") {
    Platforms house;
    Asked asked;
    ask(house, asked, operation("k1"));
    house.crash();
    for (AccountNumber number : {1U, 2U}) house.engine->on_transport_events({AccountUp{number}});
    house.turn();
    ask(house, asked, operation("k1"));
    REQUIRE(asked.answers.size() == 1);
    CHECK(asked.answers[0].error().kind == ErrorKind::conflict);
    CHECK(asked.answers[0].error().detail.find("nobody knows") != std::string::npos);
}

TEST_CASE("operations: a refusal says what to do, frees its key, and a quota holds the account", "[engine]") {
    Platforms house;
    Asked asked;
    struct Case { OutcomeKind kind; ErrorKind error; const char* word; };
    const auto one = GENERATE(Case{OutcomeKind::config, ErrorKind::conflict, "rights"}, Case{OutcomeKind::credentials, ErrorKind::conflict, "secret"},
                              Case{OutcomeKind::refused, ErrorKind::invalid_input, "refused"}, Case{OutcomeKind::not_sent, ErrorKind::unavailable, "try again"},
                              Case{OutcomeKind::quota_exhausted, ErrorKind::unavailable, "no more"});
    ask(house, asked, operation("k1"));
    answer_operation(house, {.outcome = {.kind = one.kind, .code = "1", .detail = "said", .scope = "account", .retry_after = Duration{10min}}});
    REQUIRE(asked.answers.size() == 1);
    REQUIRE_FALSE(asked.answers[0]);
    CHECK(asked.answers[0].error().kind == one.error);
    CHECK(asked.answers[0].error().detail.find(one.word) != std::string::npos);
    if (one.error == ErrorKind::unavailable) CHECK(asked.answers[0].error().retry_after_s >= 1);
    ask(house, asked, operation("k1"));
    CHECK(house.transport.operations.size() == 2);
}

TEST_CASE("operations: what only reads is neither logged nor kept", "[engine]") {
    Platforms house;
    Asked asked;
    auto request = operation("");
    request.changes = false;
    const auto before = house.engine->sequence();
    ask(house, asked, std::move(request));
    answer_operation(house, done("{}"));
    CHECK(asked.answers.size() == 1);
    CHECK(house.engine->sequence() == before);
}

TEST_CASE("quotas: nothing is tried before the instant that the platform named; then it goes", "[engine]") {
    Platforms house;
    auto request = Platforms::to_customer("wm1");
    request.expires_at = house.clock.wall_now() + Duration{24h};
    const auto first = house.submit(std::move(request));
    REQUIRE(first);
    house.answer(0, {.kind = OutcomeKind::quota_exhausted, .code = "45009", .scope = "account", .retry_after = Duration{1h}});
    CHECK(house.state(first->id) != TouchState::failed);
    auto second = Platforms::to_customer("wm2");
    second.expires_at = house.clock.wall_now() + Duration{24h};
    const auto held = house.submit(std::move(second));
    REQUIRE(held);
    CHECK(held->state == TouchState::deferred);
    CHECK(held->decision.rule() == "quota:wecom-main");
    CHECK(held->decision.decision.until == house.clock.wall_now() + Duration{1h});
    CHECK(house.in_turn([](Engine& inside) { return inside.accounts(); })[1].quota_until.contains("account"));
    for (int i = 0; i < 59; ++i) house.later(1min);
    CHECK(house.transport.orders.size() == 1);
    for (int i = 0; i < 4; ++i) house.later(1min);
    CHECK(house.transport.orders.size() == 3);
}

TEST_CASE("quotas: what a platform said before a restart holds after it, until its instant", "[engine]") {
    Platforms house;
    const bool with_checkpoint = GENERATE(false, true);
    auto request = Platforms::to_customer("wm1");
    request.expires_at = house.clock.wall_now() + Duration{24h};
    REQUIRE(house.submit(std::move(request)));
    house.answer(0, {.kind = OutcomeKind::quota_exhausted, .code = "45009", .scope = "account", .retry_after = Duration{1h}});
    const auto until = house.clock.wall_now() + Duration{1h};
    house.later(10min);
    if (with_checkpoint) REQUIRE(house.engine->write_checkpoint_now());
    house.crash();
    for (AccountNumber number : {1U, 2U}) house.engine->on_transport_events({AccountUp{number}});
    house.turn();
    auto second = Platforms::to_customer("wm2");
    second.expires_at = house.clock.wall_now() + Duration{24h};
    const auto held = house.submit(std::move(second));
    REQUIRE(held);
    CHECK(held->decision.rule() == "quota:wecom-main");
    CHECK(held->decision.decision.until == until);
    CHECK(house.in_turn([](Engine& inside) { return inside.accounts(); })[1].quota_until.at("account") == until);
    for (int i = 0; i < 49; ++i) house.later(1min);
    CHECK(house.transport.orders.empty());
    for (int i = 0; i < 4; ++i) house.later(1min);
    CHECK(house.transport.orders.size() == 2);
}

TEST_CASE("quotas: one of a call holds what makes that call, and a touch that would not live to its end fails at once", "[engine]") {
    Platforms house;
    house.more_accounts.clear();
    house.engine->internals().accounts[1].settings.quota_scope = [](const channel::Content& content) { return std::string{content.text == "hello" ? "api:a" : "api:b"}; };
    auto request = Platforms::to_customer("wm1");
    request.expires_at = house.clock.wall_now() + Duration{10min};
    const auto first = house.submit(std::move(request));
    house.answer(0, {.kind = OutcomeKind::quota_exhausted, .code = "45009", .scope = "api:a", .retry_after = Duration{1h}});
    CHECK(house.state(first->id) == TouchState::failed);
    CHECK(house.submit(Platforms::to_customer("wm2"))->state == TouchState::deferred);
    CHECK(house.submit(Platforms::to_customer("wm3", "other"))->state != TouchState::deferred);
}

TEST_CASE("windows: what needs none takes no place in one, also after a restart", "[engine]") {
    Platforms house;
    house.writes("o2", "hello", "1");
    house.later(2s);
    for (int i = 0; i < 3; ++i) {
        auto shaped = Platforms::to_follower("o2");
        shaped.content = {.body_json = R"({"template_message":{}})"};
        const auto sent = house.submit(std::move(shaped));
        REQUIRE(sent);
        house.answer(house.transport.orders.size() - 1, {.kind = OutcomeKind::accepted, .ids = {"t" + std::to_string(i)}});
    }
    if (GENERATE(0, 1, 2) == 1) house.crash();
    else REQUIRE(house.engine->write_checkpoint_now());
    house.crash();
    for (AccountNumber number : {1U, 2U}) house.engine->on_transport_events({AccountUp{number}});
    house.turn();
    CHECK(house.submit(Platforms::to_follower("o2"))->state != TouchState::blocked);
    CHECK(house.submit(Platforms::to_follower("o2"))->state != TouchState::blocked);
    CHECK(house.submit(Platforms::to_follower("o2"))->state == TouchState::blocked);
}

TEST_CASE("employees: in the place of one who is away his delegate sends if the customer has him, else another", "[engine]") {
    Platforms house;
    employ(house, "wm1", "carol", 1);
    employ(house, "wm1", "bob", 2);
    employ(house, "wm1", "alice", 3);
    auto& employees = house.engine->internals().accounts[1].settings.employees;
    const auto sender = [&] {
        REQUIRE(house.submit(Platforms::to_customer("wm1", "text " + std::to_string(house.transport.orders.size()))));
        return house.transport.orders.back().submission.sender;
    };
    CHECK(sender() == "alice");
    employees["alice"] = {.absent_from = house.clock.wall_now() - Duration{1h}, .absent_to = house.clock.wall_now() + Duration{1h}, .delegate = "carol"};
    CHECK(sender() == "carol");
    employees["alice"].delegate = "dave";  // whom the customer does not have
    CHECK(sender() == "bob");
    employees["bob"].resigned = true;
    CHECK(sender() == "carol");
    employees["carol"].resigned = true;
    CHECK(sender() == "alice");  // nobody is there: it waits for her
    house.later(2h);
    CHECK(sender() == "alice");
}

TEST_CASE("employees: a task that waits for one who went away is stopped and goes to somebody who is there", "[engine]") {
    Platforms house;
    employ(house, "wm1", "bob", 1);
    employ(house, "wm1", "alice", 2);
    const auto touch = house.handed_over("wm1");
    house.engine->internals().accounts[1].settings.employees["alice"].resigned = true;
    house.later(30s);
    REQUIRE(house.asked() == TaskAct::poll);
    house.task_says({.verdict = TaskAnswer::Verdict::done});
    for (const auto act : {TaskAct::poll, TaskAct::cancel, TaskAct::poll}) {
        house.turn();
        REQUIRE(house.asked() == act);
        house.task_says({.verdict = TaskAnswer::Verdict::done});
    }
    house.turn();
    CHECK(house.state(touch) == TouchState::dispatching);
    CHECK(house.transport.orders.back().submission.sender == "bob");
    const auto progress = house.in_turn([](Engine& inside) { return inside.employees("wecom-main"); });
    REQUIRE(progress);
    REQUIRE(progress->size() == 1);
    CHECK((*progress)[0].id == "alice");
    CHECK((*progress)[0].cancelled == 1);
    CHECK((*progress)[0].resigned);
}

TEST_CASE("employees: what each was asked to send is counted, over a crash and from a checkpoint", "[engine]") {
    Platforms house;
    const auto touch = house.handed_over("wm1");
    auto progress = house.in_turn([](Engine& inside) { return inside.employees("wecom-main"); });
    REQUIRE(progress->size() == 1);
    CHECK((*progress)[0].tasks_waiting == 1);
    CHECK((*progress)[0].oldest_at.has_value());
    house.later(30s);
    house.task_says({.verdict = TaskAnswer::Verdict::done, .results = {{.recipient = "wm1", .status = TaskResult::Status::sent}}});
    CHECK(house.state(touch) == TouchState::delivered);
    if (GENERATE(false, true)) REQUIRE(house.engine->write_checkpoint_now());
    house.crash();
    progress = house.in_turn([](Engine& inside) { return inside.employees("wecom-main"); });
    REQUIRE(progress->size() == 1);
    CHECK((*progress)[0].sent == 1);
    CHECK((*progress)[0].tasks_waiting == 0);
    CHECK(house.in_turn([](Engine& inside) { return inside.employees("nobody"); }).error().kind == ErrorKind::not_found);
}

TEST_CASE("employees: whose customers the platform lists as nobody's has left", "[engine]") {
    Platforms house;
    employ(house, "wm1", "bob", 1);
    employ(house, "wm1", "alice", 2);
    house.tell(1, {.events = {{.kind = "unassigned", .from = "wm1", .id = "u1", .at = house.clock.wall_now(), .employee = "alice"}}});
    REQUIRE(house.submit(Platforms::to_customer("wm1")));
    CHECK(house.transport.orders.back().submission.sender == "bob");
    CHECK((*house.in_turn([](Engine& inside) { return inside.employees("wecom-main"); }))[0].resigned);
    house.crash();
    CHECK((*house.in_turn([](Engine& inside) { return inside.employees("wecom-main"); }))[0].resigned);
}

TEST_CASE("tags: a platform's tags become the contact's, of all his employees together; others stay", "[engine]") {
    Platforms house;
    house.engine->internals().accounts[1].settings.tag_names["etVIP"] = "vip";
    employ(house, "wm1", "alice", 1, R"({"tags":["etVIP","et2"]})");
    CHECK(tags_of(house, "wm1") == std::vector<std::string>{"vip", "wecom-main:et2"});
    employ(house, "wm1", "bob", 2, R"({"tags":["et2"]})");
    employ(house, "wm1", "alice", 1, R"({"tags":[]})");
    CHECK(tags_of(house, "wm1") == std::vector<std::string>{"wecom-main:et2"});
    const auto contact = house.in_turn([](Engine& inside) { return inside.contact_name(ContactIndex{1}); });
    house.in_turn([&](Engine& inside) {
        ContactInput input;
        input.tags = std::vector<std::string>{"own", "wecom-main:et2"};
        return inside.put_contact(contact, input, false, OnConflict::reject, {}).has_value();
    });
    employ(house, "wm1", "bob", 2, R"({"name":"x"})");
    CHECK(tags_of(house, "wm1") == std::vector<std::string>{"own"});
    house.crash();
    CHECK(tags_of(house, "wm1") == std::vector<std::string>{"own"});
}

TEST_CASE("tags: an account's own followers bring theirs, an unfollow ends them, and a record that says what the last one said is no event", "[engine]") {
    Platforms house;
    const auto since = house.clock.wall_now() - Duration{24h};
    const auto record = [&](const std::string& tags) {
        house.tell(2, {.events = {{.kind = "customer", .from = "o1", .id = "record" + tags, .at = since, .reach = Reached::reachable, .body_json = R"({"tags":)" + tags + "}"}}});
    };
    const auto tags = [&] {
        return house.in_turn([](Engine& inside) { return inside.find_contact(inside.contact_name(ContactIndex{1}))->tags; });
    };
    record(R"(["2","7"])");
    CHECK(tags() == std::vector<std::string>{"oa-main:2", "oa-main:7"});
    const auto before = house.engine->sequence();
    record(R"(["2","7"])");
    CHECK(house.engine->sequence() == before);
    record("[]");
    CHECK(tags().empty());
    record(R"(["2","7"])");  // once more as it was before
    CHECK(tags() == std::vector<std::string>{"oa-main:2", "oa-main:7"});
    if (GENERATE(false, true)) REQUIRE(house.engine->write_checkpoint_now());
    house.crash();
    const auto after = house.engine->sequence();
    record(R"(["2","7"])");
    CHECK(house.engine->sequence() == after);
    house.tell(2, {.events = {{.kind = "unfollow", .from = "o1", .id = "u1", .at = house.clock.wall_now(), .reach = Reached::refuses}}});
    CHECK(tags().empty());
    // What was read before he left does not bring them back.
    record(R"(["3"])");
    CHECK(tags().empty());
}

TEST_CASE("passive replies: an answer by rule goes in the answer to the callback and takes no place in the window", "[engine]") {
    Platforms house;
    house.engine->internals().accounts[2].settings.passive_replies = GENERATE(true, false);
    const bool passive_on = house.engine->internals().accounts[2].settings.passive_replies;
    auto reply = std::make_shared<PassiveReply>();
    bool answered = false;
    channel::WebhookEvents told{.messages = {{.from = "o1", .to = "gh_1", .text = "what is the price?", .provider_id = "1", .at = house.clock.wall_now()}}};
    house.in_turn([&](Engine& inside) { return inside.provider_events(2, std::move(told), [&answered] { answered = true; }, reply).has_value(); });
    CHECK(answered);
    CHECK(reply->content.has_value() == passive_on);
    CHECK(house.transport.orders.size() == (passive_on ? 0U : 1U));
    house.turn();
    if (passive_on) {
        CHECK(reply->content->text == "99");
        CHECK(reply->message.to == "gh_1");
        const auto whole = house.in_turn([&](Engine& inside) { return inside.find_interaction(inside.interactions({})[0].id); });
        REQUIRE(whole->messages.size() == 2);
        CHECK(whole->messages[1].state == "accepted");
    }
    house.later(2s);
    int more = 0;
    while (more < 5 && house.submit(Platforms::to_follower("o1"))->state != TouchState::blocked) ++more;
    CHECK(more == (passive_on ? 2 : 1));
}

TEST_CASE("pulls: how far a list is read is shown, and why it stands", "[engine]") {
    Platforms house;
    channel::PulledPage page{.cursor = "c1", .more = true, .share = 0.25};
    page.events.events = {{.kind = "customer", .from = "wm1", .id = "1", .at = house.clock.wall_now(), .reach = Reached::reachable, .employee = "alice"}};
    house.engine->on_transport_events({PageArrived{1, "customers", page}});
    house.turn();
    const auto shown = [&] { return house.in_turn([](Engine& inside) { return inside.accounts(); })[1].pulls.at(0); };
    CHECK(shown().running);
    CHECK(shown().pages == 1);
    CHECK(shown().items == 1);
    CHECK(shown().share == 0.25);
    house.engine->on_transport_events({PageArrived{1, "customers", {.failed = true, .code = "45033", .detail = "too many at once"}}});
    house.turn();
    CHECK(shown().last_error == "45033 too many at once");
    house.engine->on_transport_events({PageArrived{1, "customers", {.cursor = ""}}});
    house.turn();
    CHECK_FALSE(shown().running);
    CHECK(shown().completed_at.has_value());
    CHECK(shown().last_error.empty());
}

}  // namespace touchgate::engine_test
