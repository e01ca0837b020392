#include "adapters/moments/adapter.hpp"

#include "tests/unit/adapters/wecom_common/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using test::answered;
using test::to_customer;
using Kind = OutcomeKind;
using Verdict = TaskAnswer::Verdict;

namespace {

test::Made make_moments(const Json& changes = Json::object()) {
    Json settings = {{"adapter", "moments"}, {"corp", "wecom-main"}, {"sender", "agent.lin"}};
    settings.merge_patch(changes);
    return test::make(adapters::moments_adapter(), settings);
}

const Task job{.id = "JOB1", .employee = "agent.lin"};

HttpRequest ask(TaskAct act, const std::string& step) {
    const auto made = make_moments();
    return made.adapter->ask_task(act, job, step, test::with_token(*made.adapter), test::now_context());
}
TaskAnswer read(TaskAct act, const std::string& step, const HttpResponse& response) { return make_moments().adapter->read_task(act, job, step, response); }

HttpResponse finished_job() { return answered({{"errcode", 0}, {"status", 3}, {"result", {{"errcode", 0}, {"moment_id", "mom1"}}}}); }

std::string problems(const Content& content) {
    std::string all;
    for (const auto& problem : make_moments().adapter->content_problems(content)) all += (all.empty() ? "" : " ") + problem.pointer;
    return all;
}

Content shaped(const Json& body, std::string text = "") { return {.text = std::move(text), .body_json = body.dump()}; }

Json images(int count) {
    auto list = Json::array();
    for (int i = 0; i < count; ++i) list.push_back({{"msgtype", "image"}, {"image", {{"media_id", "m"}}}});
    return list;
}

}  // namespace

TEST_CASE("An account of moments names who publishes, for WeCom would else ask everybody") {
    const auto made = make_moments();
    CHECK(made.problems.empty());
    CHECK(made.adapter->capabilities().channel == "moments");
    CHECK(made.adapter->capabilities().human_executed);
    CHECK(test::pointers(make_moments({{"sender", nullptr}})) == "/accounts/a/sender");
    CHECK(made.adapter->receive({}).status == 404);
}

TEST_CASE("One post serves all touches of a campaign with the same content") {
    const auto made = make_moments();
    const std::vector<Submission> submissions = {to_customer("wm1", "上新"), to_customer("wm2", "上新")};
    CHECK(made.adapter->same_batch(submissions[0], submissions[1]));
    CHECK_FALSE(made.adapter->same_batch(submissions[0], to_customer("wm2", "另一个")));
    const auto request = made.adapter->submit(submissions, test::with_token(*made.adapter), test::now_context());
    CHECK(request.url == "http://127.0.0.1:9/cgi-bin/externalcontact/add_moment_task?access_token=TOKEN");
    CHECK(test::body_of(request) == Json{{"text", {{"content", "上新"}}}, {"visible_range", {{"sender_list", {{"user_list", {"agent.lin"}}}}}}});
    const auto outcomes = made.adapter->classify(submissions, answered({{"errcode", 0}, {"jobid", "JOB1"}}));
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].kind == Kind::handed_to_human);
    CHECK(outcomes[0].task == "JOB1");
    CHECK(outcomes[0].employee == "agent.lin");
}

TEST_CASE("Content that says who sees it is believed") {
    const Json range = {{"sender_list", {{"user_list", {"a", "b"}}}}, {"external_contact_list", {{"tag_list", {"et1"}}}}};
    auto submission = to_customer("wm1", "");
    submission.content = shaped({{"visible_range", range}}, "上新");
    const auto made = make_moments();
    CHECK(test::body_of(made.adapter->submit({&submission, 1}, {}, test::now_context())).at("visible_range") == range);
    CHECK(made.adapter->classify({&submission, 1}, answered({{"errcode", 0}, {"jobid", "J"}})).at(0).employee.empty());
    CHECK(problems(submission.content).empty());
}

TEST_CASE("What becomes of a post that WeCom did not take") {
    const auto made = make_moments();
    const auto submission = to_customer("wm1");
    const auto kind = [&](const HttpResponse& response) { return made.adapter->classify({&submission, 1}, response).at(0).kind; };
    CHECK(kind(test::refused(41078)) == Kind::throttled);
    CHECK(kind(test::refused(41072)) == Kind::content_rejected);
    CHECK(kind(test::refused(40003)) == Kind::refused);
    CHECK(kind(answered({{"errcode", 0}})) == Kind::unknown);
    CHECK(kind({.status = 504, .headers = {}, .body = ""}) == Kind::unknown);
}

TEST_CASE("A post carries at most nine images, or one video, or one link, all uploaded for moments") {
    CHECK(problems({.text = "t"}).empty());
    CHECK(problems(shaped({{"attachments", images(9)}})).empty());
    CHECK(problems(shaped({{"attachments", images(10)}})) == "/attachments");
    CHECK(problems(shaped({{"attachments", images(1)}, {"video", {{"media_id", "m"}}}})) == "/attachments");
    CHECK(problems(shaped({{"file", {{"media_id", "m"}}}})) == "/attachments/0/msgtype");
    CHECK(problems(shaped({{"link", {{"title", "t"}, {"url", "u"}}}})) == "/attachments/0/link/media_id");
    CHECK(problems(shaped({{"image", {{"pic_url", "https://x.test/1.jpg"}}}})) == "/attachments/0/image/media_id");
    CHECK(problems(shaped({{"visible_range", "all"}}, "t")) == "/visible_range");
}

TEST_CASE("A poll goes from the job to the post, its publishers, and their customers") {
    auto request = ask(TaskAct::poll, "");
    CHECK(request.method == "GET");
    CHECK(request.url == "http://127.0.0.1:9/cgi-bin/externalcontact/get_moment_task_result?jobid=JOB1&access_token=TOKEN");
    CHECK(read(TaskAct::poll, "", answered({{"errcode", 0}, {"status", 2}})).verdict == Verdict::ask_again);
    auto answer = read(TaskAct::poll, "", finished_job());
    REQUIRE(answer.verdict == Verdict::more);

    request = ask(TaskAct::poll, answer.next_step);
    CHECK(test::path_of(request) == "/cgi-bin/externalcontact/get_moment_task");
    CHECK(test::body_of(request).at("moment_id") == "mom1");
    answer = read(TaskAct::poll, answer.next_step,
                  answered({{"errcode", 0}, {"next_cursor", "p2"}, {"task_list", {{{"userid", "a"}, {"publish_status", 1}}, {{"userid", "b"}, {"publish_status", 0}}}}}));
    REQUIRE(answer.verdict == Verdict::more);
    CHECK(test::body_of(ask(TaskAct::poll, answer.next_step)).at("cursor") == "p2");
    answer = read(TaskAct::poll, answer.next_step, answered({{"errcode", 0}, {"task_list", Json::array()}}));
    REQUIRE(answer.verdict == Verdict::more);

    request = ask(TaskAct::poll, answer.next_step);
    CHECK(test::path_of(request) == "/cgi-bin/externalcontact/get_moment_send_result");
    CHECK(test::body_of(request) == Json{{"moment_id", "mom1"}, {"limit", 1'000}, {"userid", "a"}});
    answer = read(TaskAct::poll, answer.next_step, answered({{"errcode", 0}, {"customer_list", {{{"external_userid", "wm1"}}, {{"external_userid", "wm2"}}}}}));
    CHECK(answer.verdict == Verdict::done);
    REQUIRE(answer.results.size() == 2);
    CHECK(answer.results[0].recipient == "wm1");
    CHECK(answer.results[0].status == TaskResult::Status::sent);
}

TEST_CASE("A post that nobody has published yet has no results") {
    const auto step = read(TaskAct::poll, "", finished_job()).next_step;
    const auto answer = read(TaskAct::poll, step, answered({{"errcode", 0}, {"task_list", {{{"userid", "a"}, {"publish_status", 0}}}}}));
    CHECK(answer.verdict == Verdict::done);
    CHECK(answer.results.empty());
}

TEST_CASE("A job of which no post came, or which WeCom has forgotten, is gone") {
    CHECK(read(TaskAct::poll, "", answered({{"errcode", 0}, {"status", 3}, {"result", {{"errcode", 40003}}}})).verdict == Verdict::gone);
    for (const int code : {40058, 40088}) CHECK(read(TaskAct::cancel, "", test::refused(code)).verdict == Verdict::gone);
    CHECK(read(TaskAct::cancel, read(TaskAct::cancel, "", finished_job()).next_step, test::refused(41060)).verdict == Verdict::gone);
    for (const int code : {-1, 41079, 45009}) CHECK(read(TaskAct::poll, "", test::refused(code)).verdict == Verdict::ask_again);
    CHECK(read(TaskAct::poll, "", answered(Json::object())).verdict == Verdict::ask_again);
}

TEST_CASE("A post is stopped by its own id, which the job tells") {
    const auto answer = read(TaskAct::cancel, "", finished_job());
    REQUIRE(answer.verdict == Verdict::more);
    const auto request = ask(TaskAct::cancel, answer.next_step);
    CHECK(test::path_of(request) == "/cgi-bin/externalcontact/cancel_moment_task");
    CHECK(test::body_of(request) == Json{{"moment_id", "mom1"}});
    CHECK(read(TaskAct::cancel, answer.next_step, answered({{"errcode", 0}})).verdict == Verdict::done);
}

TEST_CASE("A reminder only looks at the job, for moments have none") {
    CHECK(test::path_of(ask(TaskAct::remind, "")) == "/cgi-bin/externalcontact/get_moment_task_result");
    CHECK(read(TaskAct::remind, "", finished_job()).verdict == Verdict::done);
}
