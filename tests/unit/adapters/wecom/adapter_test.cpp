#include "tests/unit/adapters/wecom/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using test::answered;
using test::make_wecom;
using test::to_customer;
using Kind = OutcomeKind;

namespace {

HttpRequest submit(const ExchangeAdapter& adapter, const std::vector<Submission>& submissions) {
    return adapter.submit(submissions, test::with_token(adapter), test::now_context());
}

Outcome classify_one(const Submission& submission, const HttpResponse& response) {
    const auto made = make_wecom();
    const auto outcomes = made.adapter->classify({&submission, 1}, response);
    REQUIRE(outcomes.size() == 1);
    return outcomes.front();
}

Submission welcome(const std::string& code = "WC-1") {
    auto submission = to_customer("wm1", "欢迎");
    submission.content.body_json = Json{{"welcome_code", code}}.dump();
    return submission;
}

}  // namespace

TEST_CASE("A complete account is accepted, and says that an employee must press send") {
    const auto made = make_wecom();
    CHECK(made.problems.empty());
    const auto capabilities = made.adapter->capabilities();
    CHECK(capabilities.channel == "wecom");
    CHECK(capabilities.human_executed);
    CHECK(capabilities.inbound);
    CHECK(capabilities.batch_max == 200);
    CHECK(capabilities.parent.empty());
    CHECK_FALSE(capabilities.idempotent_submit);
}

TEST_CASE("Each wrong setting is named") {
    const auto [changes, pointer] = GENERATE(table<Json, std::string>({
        {{{"corp_id", nullptr}}, "/accounts/a/corp_id"},
        {{{"secret", nullptr}}, "/accounts/a/secret"},
        {{{"base_url", "ftp://x"}}, "/accounts/a/base_url"},
        {{{"encoding_aes_key", "short"}}, "/accounts/a/encoding_aes_key"},
        {{{"encoding_aes_key", nullptr}}, "/accounts/a/encoding_aes_key"},
        {{{"token", nullptr}}, "/accounts/a/token"},
        {{{"task_max", 10'001}}, "/accounts/a/task_max"},
        {{{"task_max", 0}}, "/accounts/a/task_max"},
        {{{"sync_interval", "PT1S"}}, "/accounts/a/sync_interval"},
        {{{"agent_id", "x"}}, "/accounts/a/agent_id"},
        {{{"allow_select", true}}, "/accounts/a/allow_select"},
    }));
    CHECK(test::pointers(make_wecom(changes)) == pointer);
}

TEST_CASE("An account without callbacks can send; its hook does not exist") {
    const auto made = make_wecom({{"token", nullptr}, {"encoding_aes_key", nullptr}, {"sync", false}});
    CHECK(made.problems.empty());
    CHECK_FALSE(made.adapter->capabilities().inbound);
    CHECK(made.adapter->receive(test::callback_of("<xml/>")).status == 404);
}

TEST_CASE("The first request logs in, and its answer is the token") {
    const auto made = make_wecom();
    const auto needs = made.adapter->prepare({});
    REQUIRE(needs.size() == 1);
    const auto request = made.adapter->fetch(needs.front(), {}, test::now_context());
    CHECK(request.method == "GET");
    CHECK(request.url == "http://127.0.0.1:9/cgi-bin/gettoken?corpid=ww0123456789abcdef&corpsecret=made-up-secret-0001");
    const auto read = made.adapter->read_fetched(needs.front(), answered({{"errcode", 0}, {"access_token", "T"}, {"expires_in", 7200}}));
    REQUIRE(std::holds_alternative<Resource>(read));
    CHECK(std::get<Resource>(read).value == "T");
}

TEST_CASE("A wrong secret is credentials, and a token that WeCom ended is stale") {
    const auto made = make_wecom();
    for (const int code : {40001, 40013, 40091}) {
        const auto read = made.adapter->read_fetched({}, test::refused(code));
        REQUIRE(std::holds_alternative<Outcome>(read));
        CHECK(std::get<Outcome>(read).kind == Kind::credentials);
    }
    for (const int code : {40001, 40014, 42001}) CHECK(made.adapter->resources_stale(test::refused(code)));
    for (const int code : {0, -1, 40013, 41001}) CHECK_FALSE(made.adapter->resources_stale(test::refused(code)));
}

TEST_CASE("Customers of one employee, campaign and content share one task") {
    const auto made = make_wecom();
    const auto request = submit(*made.adapter, {to_customer("wm1"), to_customer("wm2")});
    CHECK(request.url == "http://127.0.0.1:9/cgi-bin/externalcontact/add_msg_template?access_token=TOKEN");
    CHECK(test::body_of(request) == Json{{"chat_type", "single"},
                                         {"external_userid", {"wm1", "wm2"}},
                                         {"sender", "agent.lin"},
                                         {"text", {{"content", "您好"}}},
                                         {"allow_select", false}});
}

TEST_CASE("What differs in sender, campaign or content never shares a task, and neither does the same customer") {
    const auto made = make_wecom();
    const auto one = to_customer("wm1");
    CHECK(made.adapter->same_batch(one, to_customer("wm2")));
    CHECK_FALSE(made.adapter->same_batch(one, to_customer("wm1")));
    CHECK_FALSE(made.adapter->same_batch(one, to_customer("wm2", "另一个")));
    auto other = to_customer("wm2");
    other.sender = "agent.wu";
    CHECK_FALSE(made.adapter->same_batch(one, other));
    other.sender = "agent.lin";  // the account's own
    CHECK(made.adapter->same_batch(one, other));
    other = to_customer("wm2");
    other.campaign = "spring";
    CHECK_FALSE(made.adapter->same_batch(one, other));
    CHECK_FALSE(made.adapter->same_batch(welcome(), welcome()));
}

TEST_CASE("The touch's employee sends rather than the account's") {
    const auto made = make_wecom();
    auto submission = to_customer("wm1");
    submission.sender = "agent.wu";
    CHECK(test::body_of(submit(*made.adapter, {submission})).at("sender") == "agent.wu");
    const auto outcomes = made.adapter->classify({&submission, 1}, answered({{"errcode", 0}, {"msgid", "msg1"}, {"fail_list", Json::array()}}));
    CHECK(outcomes.front().employee == "agent.wu");
}

TEST_CASE("A task that was made waits for the employee; who cannot be reached is told apart") {
    const auto made = make_wecom();
    const std::vector<Submission> submissions = {to_customer("wm1"), to_customer("wmGONE"), to_customer("13800000000")};
    const auto outcomes = made.adapter->classify(submissions, answered({{"errcode", 0}, {"msgid", "msgT"}, {"fail_list", {"wmGONE", "13800000000"}}}));
    REQUIRE(outcomes.size() == 3);
    CHECK(outcomes[0].kind == Kind::handed_to_human);
    CHECK(outcomes[0].task == "msgT");
    CHECK(outcomes[0].employee == "agent.lin");
    CHECK(outcomes[1].kind == Kind::recipient_refuses);
    CHECK(outcomes[2].kind == Kind::recipient_invalid);
}

TEST_CASE("An answer that names no task, or is none of WeCom's, leaves it open whether there is one") {
    for (const auto& response : {answered({{"errcode", 0}}), answered(Json::object()), HttpResponse{.status = 200, .headers = {}, .body = "<html>"},
                                 HttpResponse{.status = 502, .headers = {}, .body = ""}, answered({{"errcode", 0}, {"msgid", "m"}}, 500)})
        CHECK(classify_one(to_customer("wm1"), response).kind == Kind::unknown);
}

TEST_CASE("A busy or limiting WeCom is asked again later") {
    CHECK(classify_one(to_customer("wm1"), test::refused(-1)).kind == Kind::not_sent);
    CHECK(classify_one(to_customer("wm1"), test::refused(45009)).kind == Kind::throttled);
    CHECK(classify_one(to_customer("wm1"), {.status = 429, .headers = {}, .body = ""}).kind == Kind::throttled);
}

TEST_CASE("A welcome message goes out by its code, alone") {
    const auto made = make_wecom();
    const auto name = GENERATE("welcome_code", "reply_code");
    auto greeting = to_customer("wm1", "");
    greeting.content.body_json = Json{{name, "WC-7"}, {"text", "欢迎"}}.dump();
    const auto request = submit(*made.adapter, {greeting});
    CHECK(made.adapter->content_problems(greeting.content).empty());
    CHECK(test::path_of(request) == "/cgi-bin/externalcontact/send_welcome_msg");
    CHECK(test::body_of(request) == Json{{"welcome_code", "WC-7"}, {"text", {{"content", "欢迎"}}}});
    CHECK(made.adapter->content_problems(welcome().content).empty());
}

TEST_CASE("What becomes of a welcome message") {
    const auto [response, kind] = GENERATE(table<HttpResponse, Kind>({{answered({{"errcode", 0}}), Kind::accepted},
                                                                      {test::refused(41051), Kind::accepted},
                                                                      {test::refused(41096), Kind::not_sent},
                                                                      {test::refused(41050), Kind::refused},
                                                                      {HttpResponse{.status = 500, .headers = {}, .body = ""}, Kind::unknown}}));
    CHECK(classify_one(welcome(), response).kind == kind);
}

TEST_CASE("A task is polled, reminded and stopped with the same token") {
    const auto made = make_wecom();
    CHECK(made.adapter->task_needs() == made.adapter->prepare({}));
    const auto request = made.adapter->ask_task(TaskAct::poll, {.id = "msgT", .employee = "agent.lin"}, "", test::with_token(*made.adapter), test::now_context());
    CHECK(request.url == "http://127.0.0.1:9/cgi-bin/externalcontact/get_groupmsg_send_result?access_token=TOKEN");
    CHECK(made.adapter->read_task(TaskAct::cancel, {.id = "msgT", .employee = "agent.lin"}, "", answered({{"errcode", 0}})).verdict == TaskAnswer::Verdict::done);
}

TEST_CASE("A callback that fits is answered with an empty 200 and its event; any other is refused without a word") {
    const auto made = make_wecom();
    const auto plain = test::callback_text("change_external_contact.add_external_contact.xml");
    const auto answer = made.adapter->receive(test::callback_of(plain));
    CHECK(answer.status == 200);
    CHECK(answer.body.empty());
    REQUIRE(answer.events.events.size() == 1);
    CHECK(answer.events.events.front().kind == "follow");

    auto forged = test::callback_of(plain);
    forged.body.replace(forged.body.find("[CDATA[") + 60, 1, "A");
    CHECK(made.adapter->receive(forged).status == 403);
    CHECK(made.adapter->receive(test::callback_of(plain, "ww-another-corp")).refusal == "RECEIVE_ID_MISMATCH");
    CHECK(made.adapter->receive({.method = "POST", .path_tail = "", .query = "", .headers = {}, .body = test::callback_text("envelope.encrypted.xml"), .now = {}}).status == 403);
}
