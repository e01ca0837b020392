// The adapters of WeCom against the simulated WeCom, in memory: both were written from the documents alone, and neither knows the other.

#include <set>

#include "gateway/channel/adapter.hpp"
#include "gateway/channel/http_text.hpp"
#include "tests/unit/adapters/sandbox/wechat_client.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using Kind = OutcomeKind;
using Status = TaskResult::Status;
using Verdict = TaskAnswer::Verdict;

namespace {

struct Corp : sandbox::test::WechatClient {
    Corp()
        : WechatClient{R"({"seed": 5, "wecom": {"listen": "127.0.0.1:0", "corpid": "ww1", "members": ["alice", "bob"], "customers": 6, "groups": 2, "kf_accounts": ["售后"],
                           "apps": [{"agentid": 1000002, "secret": "s", "callback": {"url": "http://127.0.0.1:1/h", "token": "T", "encoding_aes_key": "Nadx4MUBviQpkF16Kl6krQlSlt9Z4wRJ3eu1BzETSlE"}}]},
                           "behaviour": {"wecom": {"press": 0}}})"} {
        wecom_token = wecom("GET", "gettoken?corpid=ww1&corpsecret=s").at("access_token").get<std::string>();
    }

    // As the gateway's transport does: the token first, then the request.
    HttpResponse exchange(const ExchangeAdapter& adapter, const std::function<HttpRequest(const Resources&)>& request) {
        Resources resources;
        for (const auto& need : adapter.prepare({})) {
            const auto read = adapter.read_fetched(need, carry(adapter.fetch(need, {}, context())));
            REQUIRE(std::holds_alternative<Resource>(read));
            resources[need.key] = std::get<Resource>(read).value;
        }
        return carry(request(resources));
    }
    std::vector<Outcome> send(const ExchangeAdapter& adapter, const std::vector<Submission>& submissions) {
        return adapter.classify(submissions, exchange(adapter, [&](const Resources& resources) { return adapter.submit(submissions, resources, context()); }));
    }
    // All steps of one act on a task; the last answer with the results of all.
    TaskAnswer ask(const ExchangeAdapter& adapter, TaskAct act, const Task& task) {
        std::vector<TaskResult> results;
        TaskAnswer answer;
        std::string step;
        do {
            answer = adapter.read_task(act, task, step, exchange(adapter, [&](const Resources& resources) { return adapter.ask_task(act, task, step, resources, context()); }));
            results.insert(results.end(), answer.results.begin(), answer.results.end());
            step = answer.next_step;
        } while (answer.verdict == Verdict::more);
        answer.results = std::move(results);
        return answer;
    }
    // All pages from the cursor, which is moved on.
    WebhookEvents pull(const ExchangeAdapter& adapter, const std::string& name, std::string& cursor, const std::string& hint = "") {
        WebhookEvents all;
        bool more = true;
        while (more) {
            const auto page = adapter.read_pull(name, cursor, exchange(adapter, [&](const Resources& resources) { return adapter.pull(name, cursor, hint, resources, context()); }));
            INFO(page.code << " " << page.detail);
            REQUIRE_FALSE(page.failed);
            all.events.insert(all.events.end(), page.events.events.begin(), page.events.events.end());
            all.messages.insert(all.messages.end(), page.events.messages.begin(), page.events.messages.end());
            all.receipts.insert(all.receipts.end(), page.events.receipts.begin(), page.events.receipts.end());
            cursor = page.cursor;
            more = page.more;
        }
        return all;
    }
    // The callbacks that are due, through the adapter's hook.
    std::vector<WebhookEvents> told(const ExchangeAdapter& adapter) {
        std::vector<WebhookEvents> all;
        for (const auto& request : callbacks(*playground().wecom())) {
            const auto answer = adapter.receive({.method = request.method,
                                                 .path_tail = "",
                                                 .query = request.url.substr(request.url.find('?') + 1),
                                                 .headers = {},
                                                 .body = request.body,
                                                 .now = now.wall});
            CHECK(answer.status == 200);
            all.push_back(answer.events);
        }
        return all;
    }
    std::vector<std::string> customers_of(const std::string& member) {
        return wecom("GET", "externalcontact/list?userid=" + member).at("external_userid").get<std::vector<std::string>>();
    }

private:
    RequestContext context() const { return {.now = now.wall, .nonce = "0123456789abcdef0123456789abcdef"}; }
    HttpResponse carry(const HttpRequest& sent) {
        const auto reply = request(*playground().wecom(), sent.method, sent.url.substr(sent.url.find("/cgi-bin")), sent.body);
        return {.status = reply.status, .headers = {}, .body = reply.body};
    }
};

const Json& corp_account() {
    static const Json account = {{"adapter", "wecom"},      {"base_url", "http://wecom.test"}, {"corp_id", "ww1"}, {"secret", "s"}, {"agent_id", 1000002}, {"token", "T"},
                                 {"encoding_aes_key", sandbox::test::callback_key}, {"sender", "alice"}};
    return account;
}

std::unique_ptr<ExchangeAdapter> make(const std::string& name, Json settings) {
    for (const auto& info : all_adapters()) {
        if (info.name != name) continue;
        std::vector<Problem> problems;
        settings["adapter"] = name;
        JsonReader reader{settings, "", problems};
        (void)reader.raw("adapter");
        auto any = info.make(reader, {.name = name, .default_region = "CN", .settings_of = [](std::string_view) { return &corp_account(); }});
        reader.finish();
        for (const auto& problem : problems) FAIL(problem.pointer << ": " << problem.detail);
        return std::move(std::get<std::unique_ptr<ExchangeAdapter>>(any));
    }
    FAIL("no adapter " << name);
    return nullptr;
}
std::unique_ptr<ExchangeAdapter> one_to_one() { return make("wecom", corp_account()); }

Submission to(const std::string& address, const std::string& text = "您好", const std::string& body = "") {
    return {.attempt_id = "a-1", .to = address, .content = {.text = text, .body_json = body}};
}

Status status_in(const TaskAnswer& answer, const std::string& recipient) {
    for (const auto& result : answer.results)
        if (result.recipient == recipient) return result.status;
    FAIL("no result for " << recipient);
    return Status::waiting;
}

}  // namespace

TEST_CASE("A mass message waits for the employee, and is sent when he presses") {
    Corp corp;
    const auto adapter = one_to_one();
    const auto customers = corp.customers_of("alice");
    const auto outcomes = corp.send(*adapter, {to(customers[0]), to(customers[1]), to("wmUnknown")});
    REQUIRE(outcomes[0].kind == Kind::handed_to_human);
    CHECK(outcomes[2].kind == Kind::recipient_refuses);
    const Task task{.id = outcomes[0].task, .employee = outcomes[0].employee};
    CHECK(status_in(corp.ask(*adapter, TaskAct::poll, task), customers[0]) == Status::waiting);
    corp.control("POST", "wecom/act", {{"act", "leave"}, {"userid", "alice"}, {"external_userid", customers[1]}});
    corp.control("POST", "wecom/press", {{"msgid", task.id}});
    const auto answer = corp.ask(*adapter, TaskAct::poll, task);
    CHECK(answer.verdict == Verdict::done);
    CHECK(status_in(answer, customers[0]) == Status::sent);
    CHECK(status_in(answer, customers[1]) == Status::not_friend);
}

TEST_CASE("A task is reminded of and stopped; nothing is sent after that") {
    Corp corp;
    const auto adapter = one_to_one();
    const auto outcome = corp.send(*adapter, {to(corp.customers_of("alice")[0])}).at(0);
    const Task task{.id = outcome.task, .employee = outcome.employee};
    for (int i = 0; i < 3; ++i) CHECK(corp.ask(*adapter, TaskAct::remind, task).verdict == Verdict::done);
    CHECK(corp.ask(*adapter, TaskAct::remind, task).code == "41094");
    CHECK(corp.ask(*adapter, TaskAct::cancel, task).verdict == Verdict::done);
    CHECK(corp.ask(*adapter, TaskAct::cancel, task).verdict == Verdict::gone);
    corp.control("POST", "wecom/press", Json::object());
    CHECK(corp.messages().empty());
}

TEST_CASE("A customer who adds an employee is told of, and greeted by his code once") {
    Corp corp;
    const auto adapter = one_to_one();
    const auto followed = corp.control("POST", "wecom/act", {{"act", "follow"}, {"userid", "alice"}, {"state", "lead7"}});
    const auto told = corp.told(*adapter);
    REQUIRE(told.size() == 1);
    const auto& event = told[0].events.at(0);
    CHECK(event.kind == "follow");
    CHECK(event.from == followed.at("external_userid"));
    CHECK(event.source == "lead7");
    const auto greeting = to(event.from, "", Json{{"text", "欢迎"}, {"reply_code", event.reply_code}}.dump());
    CHECK(corp.send(*adapter, {greeting}).at(0).kind == Kind::accepted);
    CHECK(corp.messages("?kind=welcome").size() == 1);
    const auto again = corp.send(*adapter, {greeting}).at(0);
    CHECK(again.kind == Kind::accepted);
    CHECK(again.code == "41051");
    CHECK(corp.messages("?kind=welcome").size() == 1);
}

TEST_CASE("All customers of all employees are read, and again only who changed") {
    Corp corp;
    const auto adapter = one_to_one();
    std::string cursor;
    std::set<std::pair<std::string, std::string>> seen;
    std::set<std::string> ids;
    for (const auto& event : corp.pull(*adapter, "customers", cursor).events) {
        CHECK(event.kind == "customer");
        seen.emplace(event.employee, event.from);
        ids.insert(event.id);
    }
    CHECK(cursor.empty());
    for (const auto* member : {"alice", "bob"})
        for (const auto& customer : corp.customers_of(member)) CHECK(seen.contains({member, customer}));
    CHECK(corp.pull(*adapter, "customers", cursor).events.size() == ids.size());
    corp.wecom("POST", "externalcontact/remark", {{"userid", "alice"}, {"external_userid", corp.customers_of("alice")[0]}, {"remark", "老客户"}});
    std::size_t changed = 0;
    for (const auto& event : corp.pull(*adapter, "customers", cursor).events) changed += ids.contains(event.id) ? 0 : 1;
    CHECK(changed == 1);
}

TEST_CASE("Customer service: the callback's hint brings the message, and answers go until five are used up") {
    Corp corp;
    const auto main = one_to_one();
    const auto wrote = corp.control("POST", "wecom/act", {{"act", "write"}, {"text", "在吗"}});
    const auto customer = wrote.at("external_userid").get<std::string>();
    const auto adapter = make("wecom_kf", {{"corp", "wecom-main"}, {"open_kfid", wrote.at("open_kfid")}});
    const auto told = corp.told(*main);
    REQUIRE(told.size() == 1);
    CHECK(adapter->capabilities().topics.at(0) == told[0].topic);
    REQUIRE(told[0].pulls.size() == 1);
    std::string cursor;
    const auto pulled = corp.pull(*adapter, told[0].pulls[0].name, cursor, told[0].pulls[0].hint);
    REQUIRE(pulled.messages.size() == 1);
    CHECK(pulled.messages[0].text == "在吗");
    CHECK(pulled.messages[0].from == customer);
    CHECK(corp.pull(*adapter, "messages", cursor).messages.empty());
    // An expired token stops nothing, and a cursor that the server has forgotten begins anew.
    CHECK(corp.pull(*adapter, "messages", cursor, "none").messages.empty());
    std::string forgotten = "kf99";
    CHECK(corp.pull(*adapter, "messages", forgotten).messages.size() == 1);

    for (std::uint8_t i = 1; i <= 6; ++i) {
        auto answer = to(customer);
        answer.touch.bytes[15] = i;
        CHECK(corp.send(*adapter, {answer}).at(0).kind == (i <= 5 ? Kind::accepted : Kind::window_closed));
    }
    CHECK(corp.messages("?kind=kf").size() == 5);
}

TEST_CASE("Customer service: the same message twice is one, whatever the server calls it") {
    Corp corp;
    const auto wrote = corp.control("POST", "wecom/act", {{"act", "write"}, {"text", "在吗"}});
    const auto adapter = make("wecom_kf", {{"corp", "wecom-main"}, {"open_kfid", wrote.at("open_kfid")}});
    auto answer = to(wrote.at("external_userid").get<std::string>());
    CHECK(corp.send(*adapter, {answer}).at(0).kind == Kind::accepted);
    answer.attempt_id = "a-2";
    const auto again = corp.send(*adapter, {answer}).at(0).kind;
    CHECK((again == Kind::accepted || again == Kind::unknown));
    CHECK(corp.messages("?kind=kf").size() == 1);
}

TEST_CASE("Customer service: who enters is greeted by his code once") {
    Corp corp;
    const auto entered = corp.control("POST", "wecom/act", {{"act", "enter"}, {"scene", "oa_menu"}});
    const auto adapter = make("wecom_kf", {{"corp", "wecom-main"}, {"open_kfid", entered.at("open_kfid")}});
    std::string cursor;
    const auto events = corp.pull(*adapter, "messages", cursor).events;
    REQUIRE(events.size() == 1);
    CHECK(events[0].kind == "enter");
    CHECK(events[0].source == "oa_menu");
    CHECK(events[0].reply_code == entered.at("welcome_code"));
    const auto greeting = [&](std::uint8_t touch) {
        auto made = to(events[0].from, "", Json{{"text", "欢迎"}, {"reply_code", events[0].reply_code}}.dump());
        made.touch.bytes[15] = touch;
        return made;
    };
    CHECK(corp.send(*adapter, {greeting(1)}).at(0).kind == Kind::accepted);
    CHECK(corp.send(*adapter, {greeting(2)}).at(0).kind == Kind::refused);
}

TEST_CASE("Customer service: a message that fails after it was taken has a receipt") {
    Corp corp;
    corp.behave({{"wecom", {{"kf_fail", {{"10", 1}}}}}});
    const auto wrote = corp.control("POST", "wecom/act", {{"act", "write"}, {"text", "在吗"}});
    const auto adapter = make("wecom_kf", {{"corp", "wecom-main"}, {"open_kfid", wrote.at("open_kfid")}});
    const auto outcome = corp.send(*adapter, {to(wrote.at("external_userid").get<std::string>())}).at(0);
    REQUIRE(outcome.kind == Kind::accepted);
    corp.pass(std::chrono::seconds{1});
    corp.told(*one_to_one());
    std::string cursor;
    const auto pulled = corp.pull(*adapter, "messages", cursor);
    REQUIRE(pulled.receipts.size() == 1);
    CHECK(pulled.receipts[0].provider_ids == outcome.ids);
    CHECK(pulled.receipts[0].status == ReceiptStatus::recipient_refuses);
}

TEST_CASE("Groups are read with their members, one of them again when it changed, and written to through their owner") {
    Corp corp;
    const auto main = one_to_one();
    const auto adapter = make("wecom_group", {{"corp", "wecom-main"}});
    std::string cursor;
    const auto groups = corp.pull(*adapter, "groups", cursor).events;
    REQUIRE(groups.size() == 2);
    const auto& group = groups[0];
    CHECK_FALSE(group.employee.empty());
    corp.control("POST", "wecom/act", {{"act", "join"}, {"chat_id", group.ref}, {"external_userid", corp.customers_of("alice")[0]}, {"state", "qr3"}});
    const auto told = corp.told(*main);
    REQUIRE(told.size() == 1);
    CHECK(adapter->capabilities().topics.at(0) == told[0].topic);
    CHECK(told[0].events.at(0).kind == "change_external_chat.update.add_member");
    const auto changed = corp.pull(*adapter, told[0].pulls.at(0).name, cursor, told[0].pulls.at(0).hint).events;
    REQUIRE(changed.size() == 1);
    CHECK(changed[0].ref == group.ref);
    CHECK(changed[0].id != group.id);

    auto message = to(group.ref);
    message.sender = group.employee;
    const auto outcome = corp.send(*adapter, {message}).at(0);
    REQUIRE(outcome.kind == Kind::handed_to_human);
    corp.control("POST", "wecom/press", {{"msgid", outcome.task}});
    CHECK(status_in(corp.ask(*adapter, TaskAct::poll, {.id = outcome.task, .employee = outcome.employee}), group.ref) == Status::sent);
}

TEST_CASE("Application messages reach members and are taken back") {
    Corp corp;
    const auto adapter = make("wecom_app", {{"corp", "wecom-main"}});
    const auto outcomes = corp.send(*adapter, {to("alice", "开会"), to("Carol", "开会")});
    CHECK(outcomes[0].kind == Kind::accepted);
    CHECK(outcomes[1].kind == Kind::recipient_invalid);
    CHECK(corp.messages("?kind=member").size() == 1);
    CHECK(corp.ask(*adapter, TaskAct::cancel, {.id = outcomes[0].ids.at(0), .employee = ""}).verdict == Verdict::done);
    corp.control("POST", "wecom/act", {{"act", "member_write"}, {"userid", "bob"}, {"text", "收到"}});
    const auto told = corp.told(*one_to_one());
    REQUIRE(told.size() == 1);
    CHECK(told[0].topic == "app");
    CHECK(told[0].messages.at(0).text == "收到");
}

TEST_CASE("A post is delivered to those for whom an employee published it, and can be stopped before") {
    Corp corp;
    const auto adapter = make("moments", {{"corp", "wecom-main"}, {"sender", "alice"}});
    const auto customers = corp.customers_of("alice");
    const auto outcome = corp.send(*adapter, {to(customers[0], "上新")}).at(0);
    REQUIRE(outcome.kind == Kind::handed_to_human);
    const Task task{.id = outcome.task, .employee = outcome.employee};
    corp.pass(std::chrono::minutes{1});
    CHECK(corp.ask(*adapter, TaskAct::poll, task).results.empty());
    corp.control("POST", "wecom/press", {{"msgid", task.id}});
    const auto answer = corp.ask(*adapter, TaskAct::poll, task);
    CHECK(answer.verdict == Verdict::done);
    CHECK(answer.results.size() == customers.size());
    CHECK(status_in(answer, customers[0]) == Status::sent);
    CHECK(corp.ask(*adapter, TaskAct::cancel, task).verdict == Verdict::done);
}

TEST_CASE("A revoked token is seen as stale, and a fresh one serves") {
    Corp corp;
    const auto adapter = one_to_one();
    corp.control("POST", "wecom/revoke", Json::object());
    const Resources old = {{adapter->prepare({}).at(0).key, corp.wecom_token}};
    const auto request = adapter->submit(std::vector<Submission>{to("wm1")}, old, {});
    const auto reply = corp.request(*corp.playground().wecom(), request.method, request.url.substr(request.url.find("/cgi-bin")), request.body);
    CHECK(adapter->resources_stale({.status = reply.status, .headers = {}, .body = reply.body}));
    CHECK(corp.send(*adapter, {to("wmUnknown")}).at(0).kind != Kind::credentials);
}
