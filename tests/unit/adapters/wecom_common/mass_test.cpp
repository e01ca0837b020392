#include "adapters/wecom_common/mass_message.hpp"
#include "adapters/wecom_common/mass_task.hpp"

#include "tests/unit/adapters/wecom_common/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using namespace touchgate::adapters::wecom_common;
using test::answered;
using Status = TaskResult::Status;
using Verdict = TaskAnswer::Verdict;

namespace {

Corp corp() {
    Corp made;
    made.source.base = parse_base_url("https://qyapi.example.test").value();
    made.source.app = test::corp_id;
    made.source.secret = "s";
    return made;
}

HttpRequest ask(TaskAct act, const Task& task, const std::string& step = "") { return task_request(corp(), act, task, step, {}); }

std::string pointers(const std::vector<Problem>& problems) {
    std::string all;
    for (const auto& problem : problems) all += (all.empty() ? "" : " ") + problem.pointer;
    return all;
}

Content shaped(const Json& body, std::string text = "") { return {.text = std::move(text), .body_json = body.dump()}; }

const Task task{.id = "msgTASK1", .employee = "agent.lin"};

}  // namespace

TEST_CASE("A message is a text, attachments, or both, in whichever form they are given") {
    CHECK(message_of(read_mass_content({.text = "您好"})) == Json{{"text", {{"content", "您好"}}}});
    CHECK(message_of(read_mass_content(shaped({{"text", {{"content", "a"}}}}))) == Json{{"text", {{"content", "a"}}}});
    CHECK(message_of(read_mass_content(shaped({{"text", "b"}}))) == Json{{"text", {{"content", "b"}}}});
    const Json link = {{"title", "t"}, {"url", "https://x.test"}};
    const auto both = message_of(read_mass_content(shaped({{"link", link}}, "words")));
    CHECK(both == Json{{"text", {{"content", "words"}}}, {"attachments", {{{"msgtype", "link"}, {"link", link}}}}});
    CHECK(message_of(read_mass_content(shaped({{"attachments", {{{"msgtype", "image"}, {"image", {{"media_id", "m"}}}}}}}))).at("attachments").size() == 1);
}

TEST_CASE("Content that WeCom would refuse is named before anything is decided") {
    const auto [content, expected] = GENERATE(table<Content, std::string>({
        {Content{.text = "ok"}, ""},
        {Content{}, ""  // nothing at all: named at the content itself
        },
        {Content{.text = std::string(4'001, 'x')}, "/text"},
        {shaped({{"attachments", {{{"msgtype", "hologram"}}}}}), "/attachments/0/msgtype"},
        {shaped({{"attachments", {{{"msgtype", "image"}, {"image", Json::object()}}}}}), "/attachments/0/image"},
        {shaped({{"link", {{"title", std::string(129, 't')}}}}), "/attachments/0/link/title /attachments/0/link/url"},
        {shaped({{"miniprogram", {{"title", "t"}, {"appid", "wx"}, {"page", "p"}}}}), "/attachments/0/miniprogram/pic_media_id"},
        {shaped({{"voice", {{"media_id", "m"}}}}, "t"), "/voice"},
        {shaped({{"attachments", "many"}}, "t"), "/attachments"},
        {Content{.text = "t", .body_json = "[1]"}, ""},
    }));
    CHECK(pointers(mass_content_problems(content)) == expected);
    CHECK(mass_content_problems({}).size() == 1);
    CHECK(mass_content_problems({.text = "t", .body_json = "no json"}).size() == 1);
}

TEST_CASE("More than nine attachments are too many") {
    auto list = Json::array();
    for (int i = 0; i < 10; ++i) list.push_back({{"msgtype", "file"}, {"file", {{"media_id", "m"}}}});
    CHECK(pointers(mass_content_problems(shaped({{"attachments", list}}))) == "/attachments");
}

TEST_CASE("A task for groups names groups and never lets the employee choose others") {
    const std::vector<Submission> submissions = {test::to_customer("wr1"), test::to_customer("wr2")};
    const auto request = add_task_request(corp(), TaskFor::groups, submissions, "agent.wu", {});
    const auto body = test::body_of(request);
    CHECK(body.at("chat_type") == "group");
    CHECK(body.at("chat_id_list") == Json{"wr1", "wr2"});
    CHECK(body.at("sender") == "agent.wu");
    CHECK_FALSE(body.contains("external_userid"));
    CHECK_FALSE(body.contains("allow_select"));
}

TEST_CASE("A poll asks page by page for what became of the task") {
    const auto first = ask(TaskAct::poll, task);
    CHECK(test::path_of(first) == "/cgi-bin/externalcontact/get_groupmsg_send_result");
    CHECK(test::body_of(first) == Json{{"msgid", "msgTASK1"}, {"userid", "agent.lin"}, {"limit", 1'000}});
    const auto answer = read_task_answer(TaskAct::poll, task, "",
                                         answered({{"errcode", 0},
                                                   {"next_cursor", "c2"},
                                                   {"send_list",
                                                    {{{"external_userid", "wm1"}, {"status", 0}},
                                                     {{"external_userid", "wm2"}, {"status", 1}, {"send_time", 1'893'456'000}},
                                                     {{"external_userid", "wm3"}, {"status", 2}},
                                                     {{"external_userid", "wm4"}, {"status", 3}},
                                                     {{"chat_id", "wr1"}, {"status", 9}},
                                                     {{"status", 1}}}}}));
    CHECK(answer.verdict == Verdict::more);
    REQUIRE(answer.results.size() == 5);
    CHECK(answer.results[0].status == Status::waiting);
    CHECK(answer.results[1].status == Status::sent);
    CHECK(answer.results[1].sent_at == from_unix_ms(1'893'456'000'000));
    CHECK(answer.results[2].status == Status::not_friend);
    CHECK(answer.results[3].status == Status::over_limit);
    CHECK(answer.results[4].recipient == "wr1");
    CHECK(answer.results[4].status == Status::waiting);

    const auto second = ask(TaskAct::poll, task, answer.next_step);
    CHECK(test::body_of(second).at("cursor") == "c2");
    CHECK(read_task_answer(TaskAct::poll, task, answer.next_step, answered({{"errcode", 0}, {"next_cursor", ""}, {"send_list", Json::array()}})).verdict == Verdict::done);
}

TEST_CASE("A list that repeats its cursor ends all the same") {
    const auto first = read_task_answer(TaskAct::poll, task, "", answered({{"errcode", 0}, {"next_cursor", "c"}, {"send_list", Json::array()}}));
    const auto second = read_task_answer(TaskAct::poll, task, first.next_step, answered({{"errcode", 0}, {"next_cursor", "c"}, {"send_list", Json::array()}}));
    CHECK(second.verdict == Verdict::done);
}

TEST_CASE("Where WeCom chose the employees, a poll first asks who they are and then reads each one's results") {
    const Task unnamed{.id = "msgTASK1", .employee = ""};
    CHECK(test::path_of(ask(TaskAct::poll, unnamed)) == "/cgi-bin/externalcontact/get_groupmsg_task");
    auto answer = read_task_answer(TaskAct::poll, unnamed, "", answered({{"errcode", 0}, {"next_cursor", "p2"}, {"task_list", {{{"userid", "a"}, {"status", 0}}}}}));
    REQUIRE(answer.verdict == Verdict::more);
    CHECK(test::path_of(ask(TaskAct::poll, unnamed, answer.next_step)) == "/cgi-bin/externalcontact/get_groupmsg_task");
    answer = read_task_answer(TaskAct::poll, unnamed, answer.next_step, answered({{"errcode", 0}, {"next_cursor", ""}, {"task_list", {{{"userid", "b"}, {"status", 2}}}}}));
    REQUIRE(answer.verdict == Verdict::more);
    CHECK(test::body_of(ask(TaskAct::poll, unnamed, answer.next_step)).at("userid") == "a");
    answer = read_task_answer(TaskAct::poll, unnamed, answer.next_step, answered({{"errcode", 0}, {"send_list", {{{"external_userid", "wm1"}, {"status", 1}}}}}));
    REQUIRE(answer.verdict == Verdict::more);
    CHECK(answer.results.size() == 1);
    CHECK(test::body_of(ask(TaskAct::poll, unnamed, answer.next_step)).at("userid") == "b");
    answer = read_task_answer(TaskAct::poll, unnamed, answer.next_step, answered({{"errcode", 0}, {"send_list", Json::array()}}));
    CHECK(answer.verdict == Verdict::done);
}

TEST_CASE("Refusals of a task's questions say whether asking again helps") {
    const auto [code, verdict] = GENERATE(table<int, Verdict>(
        {{41063, Verdict::ask_again}, {41093, Verdict::gone}, {41047, Verdict::gone}, {-1, Verdict::ask_again}, {45009, Verdict::ask_again}, {50100, Verdict::ask_again}}));
    for (const auto act : {TaskAct::poll, TaskAct::remind, TaskAct::cancel}) CHECK(read_task_answer(act, task, "", test::refused(code)).verdict == verdict);
}

TEST_CASE("An employee is reminded, at most so often as WeCom lets, and a task is stopped") {
    CHECK(test::path_of(ask(TaskAct::remind, task)) == "/cgi-bin/externalcontact/remind_groupmsg_send");
    CHECK(test::path_of(ask(TaskAct::cancel, task)) == "/cgi-bin/externalcontact/cancel_groupmsg_send");
    CHECK(test::body_of(ask(TaskAct::cancel, task)) == Json{{"msgid", "msgTASK1"}});
    CHECK(read_task_answer(TaskAct::remind, task, "", answered({{"errcode", 0}})).verdict == Verdict::done);
    CHECK(read_task_answer(TaskAct::cancel, task, "", answered({{"errcode", 0}})).verdict == Verdict::done);
    const auto again = read_task_answer(TaskAct::remind, task, "", test::refused(41094));
    CHECK(again.verdict == Verdict::ask_again);
    CHECK(again.code == "41094");
    CHECK(again.retry_after == Duration{one_day});
}

TEST_CASE("An answer that is none of WeCom's tells nothing of a task") {
    for (const auto* body : {"", "<html>", "[]", "{}", R"({"errcode":"0"})", R"({"errcode":1e99})"}) {
        CHECK(read_task_answer(TaskAct::poll, task, "", {.status = 200, .headers = {}, .body = body}).verdict == Verdict::ask_again);
        CHECK(read_task_answer(TaskAct::cancel, task, "broken step", {.status = 502, .headers = {}, .body = body}).verdict == Verdict::ask_again);
    }
}
