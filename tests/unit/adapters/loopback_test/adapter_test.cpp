#include "adapters/loopback_test/adapter.hpp"

#include "gateway/channel/http_text.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using namespace std::chrono_literals;

namespace {

struct Made {
    std::unique_ptr<ExchangeAdapter> adapter;
    std::vector<Problem> problems;
};

Made make(const Json& extra = Json::object()) {
    Json settings = {{"base_url", "http://127.0.0.1:9"}, {"secret", "s\"1"}, {"callback_token", "0123456789"}};
    settings.update(extra);
    Made made;
    JsonReader reader{settings, "", made.problems};
    made.adapter =
        std::move(std::get<std::unique_ptr<ExchangeAdapter>>(adapters::loopback_test_adapter().make(reader, {.name = "l", .default_region = "CN"})));
    reader.finish();
    return made;
}

Submission submission(std::string to, std::string text = "hello") {
    return {.attempt_id = "a-" + to, .to = std::move(to), .content = {.text = std::move(text)}};
}

}  // namespace

TEST_CASE("needs: a token, then the text as a resource, fetched with the token", "[loopback_test]") {
    const auto adapter = make().adapter;
    const std::vector<Submission> one = {submission("u1")};
    const auto needs = adapter->prepare(one);
    REQUIRE(needs.size() == 2);
    const auto token_request = adapter->fetch(needs[0], {}, {});
    CHECK(token_request.url == "http://127.0.0.1:9/token");
    CHECK(token_request.body == R"({"secret":"s\"1"})");
    const auto token = adapter->read_fetched(needs[0], {.status = 200, .headers = {}, .body = R"({"token":"t1","expires_in":7200})"});
    REQUIRE(std::holds_alternative<Resource>(token));
    CHECK(std::get<Resource>(token).value == "t1");
    CHECK(std::get<Resource>(token).valid_for == 2h);
    const auto upload = adapter->fetch(needs[1], {{needs[0].key, "t1"}}, {});
    CHECK(upload.body == R"({"text":"hello"})");
    CHECK(upload.headers.back() == std::pair<std::string, std::string>{"authorization", "Bearer t1"});
}

TEST_CASE("needs: a failed fetch is never unknown", "[loopback_test]") {
    const auto adapter = make().adapter;
    for (const auto& [body, kind] : std::vector<std::pair<std::string, OutcomeKind>>{{"", OutcomeKind::not_sent},
                                                                                     {"{}", OutcomeKind::not_sent},
                                                                                     {R"({"error":"wrong_secret"})", OutcomeKind::credentials},
                                                                                     {R"({"error":"too_fast"})", OutcomeKind::throttled}}) {
        const auto read = adapter->read_fetched({"token"}, {.status = 400, .headers = {}, .body = body});
        REQUIRE(std::holds_alternative<Outcome>(read));
        CHECK(std::get<Outcome>(read).kind == kind);
    }
}

TEST_CASE("submit: one task for several recipients, each with its own outcome", "[loopback_test]") {
    const auto adapter = make().adapter;
    CHECK(adapter->capabilities().human_executed);
    const std::vector<Submission> three = {submission("u1"), submission("u2"), submission("u3"), submission("u4")};
    CHECK(adapter->same_batch(three[0], three[1]));
    CHECK_FALSE(adapter->same_batch(three[0], submission("u2", "other")));
    const auto request = adapter->submit(three, {{"token", "t1"}, {"resource:hello", "r1"}}, {});
    CHECK(parse_json(request.body).value()["resource"] == "r1");
    CHECK(parse_json(request.body).value()["recipients"].size() == 4);
    const auto outcomes = adapter->classify(
        three,
        {.status = 200,
         .headers = {},
         .body =
             R"({"task":"k","recipients":[{"to":"u2","status":"not_following"},{"to":"u1","status":"waiting"},{"to":"u3","status":"invalid"}]})"});
    REQUIRE(outcomes.size() == 4);
    CHECK(outcomes[0].kind == OutcomeKind::handed_to_human);
    CHECK(outcomes[0].task == "k");
    CHECK(outcomes[1].kind == OutcomeKind::recipient_refuses);
    CHECK(outcomes[2].kind == OutcomeKind::recipient_invalid);
    CHECK(outcomes[3].kind == OutcomeKind::unknown);
    const auto direct =
        make({{"human", false}})
            .adapter->classify(three, {.status = 200, .headers = {}, .body = R"({"task":"k","recipients":[{"to":"u1","status":"sent"}]})"});
    CHECK(direct[0].kind == OutcomeKind::accepted);
    CHECK(direct[0].ids == std::vector<std::string>{"k:u1"});
}

TEST_CASE("submit: the provider's error words, and unknown for all else", "[loopback_test]") {
    const auto adapter = make().adapter;
    const std::vector<Submission> one = {submission("u1")};
    for (const auto& [body, kind] :
         std::vector<std::pair<std::string, OutcomeKind>>{{R"({"error":"token_expired"})", OutcomeKind::credentials},
                                                          {R"({"error":"busy"})", OutcomeKind::not_sent},
                                                          {R"({"error":"too_fast","retry_after":2})", OutcomeKind::throttled},
                                                          {R"({"error":"quota"})", OutcomeKind::quota_exhausted},
                                                          {R"({"error":"content"})", OutcomeKind::content_rejected},
                                                          {R"({"error":"refused"})", OutcomeKind::refused},
                                                          {R"({"error":"new"})", OutcomeKind::unknown},
                                                          {"{", OutcomeKind::unknown},
                                                          {"[]", OutcomeKind::unknown}}) {
        INFO(body);
        const HttpResponse response{.status = 400, .headers = {}, .body = body};
        CHECK(adapter->classify(one, response)[0].kind == kind);
        CHECK(adapter->resources_stale(response) == (body.find("token_expired") != std::string::npos));
    }
}

TEST_CASE("tasks: polled, cancelled, reconciled", "[loopback_test]") {
    const auto adapter = make().adapter;
    const Task task{.id = "k/1", .employee = {}};
    CHECK(adapter->ask_task(TaskAct::poll, task, {}, {}, {}).url == "http://127.0.0.1:9/tasks/k%2F1");
    CHECK(adapter->ask_task(TaskAct::cancel, task, {}, {}, {}).url == "http://127.0.0.1:9/tasks/k%2F1/cancel");
    CHECK(adapter->ask_task(TaskAct::remind, task, {}, {}, {}).url == "http://127.0.0.1:9/tasks/k%2F1/remind");
    const HttpResponse known{.status = 200, .headers = {}, .body = R"({"recipients":[{"to":"u1","status":"sent"},{"to":"u2"},7]})"};
    const auto polled = adapter->read_task(TaskAct::poll, task, {}, known);
    CHECK(polled.verdict == TaskAnswer::Verdict::done);
    REQUIRE(polled.results.size() == 1);
    CHECK(polled.results[0].recipient == "u1");
    CHECK(polled.results[0].status == TaskResult::Status::sent);
    CHECK(adapter->read_task(TaskAct::poll, task, {}, {.status = 500, .headers = {}, .body = "x"}).verdict == TaskAnswer::Verdict::ask_again);
    CHECK(adapter->read_task(TaskAct::cancel, task, {}, {.status = 404, .headers = {}, .body = ""}).verdict == TaskAnswer::Verdict::gone);
    CHECK(adapter->reconcile(submission("u1"), {}, {})->url == "http://127.0.0.1:9/attempts/a-u1");
    using Verdict = ReconcileAnswer::Verdict;
    CHECK(adapter->read_reconcile(submission("u1"), {.status = 200, .headers = {}, .body = R"({"task":"k"})"}).outcome.ids ==
          std::vector<std::string>{"k:u1"});
    CHECK(adapter->read_reconcile(submission("u1"), {.status = 404, .headers = {}, .body = ""}).verdict == Verdict::not_found);
    CHECK(adapter->read_reconcile(submission("u1"), {.status = 500, .headers = {}, .body = ""}).verdict == Verdict::ask_again);
}

TEST_CASE("push: receipts and messages behind the token", "[loopback_test]") {
    const auto adapter = make().adapter;
    const auto push = [&](const std::string& body, const std::string& tail = "/0123456789") {
        return adapter->receive({.method = "POST", .path_tail = tail, .query = "", .headers = {}, .body = body, .now = {}});
    };
    CHECK(push(R"({"task":"k","to":"u1","status":"delivered"})").events.receipts.at(0).provider_ids == std::vector<std::string>{"k:u1"});
    CHECK(push(R"({"task":"k","to":"u1","status":"lost"})").events.receipts.at(0).status == ReceiptStatus::failed);
    CHECK(push(R"({"from":"u1","text":"hi","id":"m"})").events.messages.at(0).provider_id == "m");
    CHECK(push("{}").status == 400);
    CHECK(push("{}", "/x").refusal == "TOKEN");
}

TEST_CASE("settings: required and unknown fields are named", "[loopback_test]") {
    CHECK(make().problems.empty());
    CHECK(make({{"base_url", nullptr}, {"secret", nullptr}, {"callback_token", nullptr}, {"typo", 1}}).problems.size() == 4);
}
