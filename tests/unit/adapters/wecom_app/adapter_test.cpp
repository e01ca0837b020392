#include "adapters/wecom_app/adapter.hpp"

#include "tests/unit/adapters/wecom_common/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using test::answered;
using test::to_customer;
using Kind = OutcomeKind;

namespace {

test::Made make_app(const Json& changes = Json::object()) {
    Json settings = {{"adapter", "wecom_app"}, {"corp", "wecom-main"}};
    settings.merge_patch(changes);
    return test::make(adapters::wecom_app_adapter(), settings);
}

Submission shaped(const Json& body, std::string to = "agent.lin") {
    auto submission = to_customer(std::move(to), "");
    submission.content.body_json = body.dump();
    return submission;
}

Json sent_body(const std::vector<Submission>& submissions) {
    const auto made = make_app();
    return test::body_of(made.adapter->submit(submissions, test::with_token(*made.adapter), test::now_context()));
}

std::vector<Kind> kinds(const std::vector<Submission>& submissions, const HttpResponse& response) {
    std::vector<Kind> found;
    for (const auto& outcome : make_app().adapter->classify(submissions, response)) found.push_back(outcome.kind);
    return found;
}

std::string problems(const Content& content) {
    std::string all;
    for (const auto& problem : make_app().adapter->content_problems(content)) all += (all.empty() ? "" : " ") + problem.pointer;
    return all;
}

}  // namespace

TEST_CASE("An application takes its number from the corporation's account unless it has its own") {
    CHECK(make_app().problems.empty());
    CHECK(sent_body({to_customer("agent.lin")}).at("agentid") == 1'000'002);
    const auto own = make_app({{"agent_id", 1'000'009}, {"secret", "own"}});
    const auto submission = to_customer("agent.lin");
    CHECK(test::body_of(own.adapter->submit({&submission, 1}, {}, test::now_context())).at("agentid") == 1'000'009);
    CHECK(test::pointers(make_app({{"agent_id", 0}})) == "/accounts/a/agent_id");
    CHECK(test::pointers(make_app({{"batch", 1'001}})) == "/accounts/a/batch");
    const auto capabilities = make_app().adapter->capabilities();
    CHECK(capabilities.topics == std::vector<std::string>{"app"});
    CHECK(capabilities.parent == "wecom-main");
    CHECK(capabilities.batch_max == 1);
    CHECK(make_app({{"batch", 500}}).adapter->capabilities().batch_max == 500);
}

TEST_CASE("Members who get equal content share one request") {
    const auto body = sent_body({to_customer("agent.lin"), to_customer("agent.wu")});
    CHECK(body == Json{{"touser", "agent.lin|agent.wu"}, {"agentid", 1'000'002}, {"msgtype", "text"}, {"text", {{"content", "您好"}}}});
    const auto made = make_app();
    CHECK(made.adapter->same_batch(to_customer("a"), to_customer("b")));
    CHECK_FALSE(made.adapter->same_batch(to_customer("a"), to_customer("a")));
    CHECK_FALSE(made.adapter->same_batch(to_customer("a"), to_customer("b", "另一个")));
}

TEST_CASE("Nobody becomes everybody: an address that is no member's id is left out and told") {
    const std::vector<Submission> submissions = {to_customer("@all"), to_customer("a|b"), to_customer(""), to_customer("agent.lin")};
    CHECK(sent_body(submissions).at("touser") == "agent.lin");
    CHECK(kinds(submissions, answered({{"errcode", 0}, {"msgid", "m"}})) == std::vector{Kind::recipient_invalid, Kind::recipient_invalid, Kind::recipient_invalid, Kind::accepted});
    CHECK(sent_body({to_customer("@all")}).at("touser") == "");
    CHECK(kinds({to_customer("@all")}, test::refused(82001)) == std::vector{Kind::recipient_invalid});
}

TEST_CASE("Every kind of message goes as it is given") {
    const auto kind = GENERATE("textcard", "markdown", "template_card", "image", "voice", "video", "file", "news", "mpnews", "miniprogram_notice");
    const Json object = {{"title", "t"}, {"content", "c"}};
    const auto body = sent_body({shaped({{kind, object}})});
    CHECK(body.at("msgtype") == kind);
    CHECK(body.at(kind) == object);
    CHECK(problems(shaped({{kind, object}}).content).empty());
}

TEST_CASE("WeCom sends on past wrong receivers, whose names come back in lower case") {
    const std::vector<Submission> submissions = {to_customer("Agent.Lin"), to_customer("Agent.Gone"), to_customer("Agent.NoLicence")};
    const auto made = make_app();
    const auto outcomes = made.adapter->classify(submissions, answered({{"errcode", 0}, {"msgid", "MSG1"}, {"invaliduser", "agent.gone"}, {"unlicenseduser", "agent.nolicence"}}));
    REQUIRE(outcomes.size() == 3);
    CHECK(outcomes[0].kind == Kind::accepted);
    CHECK(outcomes[0].ids == std::vector<std::string>{"MSG1"});
    CHECK(outcomes[1].kind == Kind::recipient_invalid);
    CHECK(outcomes[2].kind == Kind::refused);
}

TEST_CASE("When no receiver is valid the call itself fails") {
    CHECK(kinds({to_customer("a"), to_customer("b")}, test::refused(81013)) == std::vector{Kind::recipient_invalid, Kind::recipient_invalid});
    CHECK(kinds({to_customer("a")}, test::refused(60021)) == std::vector{Kind::recipient_invalid});
    CHECK(kinds({to_customer("a")}, test::refused(40056)) == std::vector{Kind::config});
    CHECK(kinds({to_customer("a")}, test::refused(-1)) == std::vector{Kind::not_sent});
    CHECK(kinds({to_customer("a")}, answered(Json::object())) == std::vector{Kind::unknown});
    CHECK(kinds({to_customer("a")}, {.status = 502, .headers = {}, .body = ""}) == std::vector{Kind::unknown});
}

TEST_CASE("A card that was pressed is updated by its code") {
    const auto submission = shaped({{"response_code", "RC-1"}, {"button", {{"replace_name", "已受理"}}}});
    const auto made = make_app();
    const auto request = made.adapter->submit({&submission, 1}, test::with_token(*made.adapter), test::now_context());
    CHECK(test::path_of(request) == "/cgi-bin/message/update_template_card");
    CHECK(test::body_of(request) == Json{{"userids", {"agent.lin"}}, {"agentid", 1'000'002}, {"response_code", "RC-1"}, {"button", {{"replace_name", "已受理"}}}});
    CHECK(problems(submission.content).empty());
    CHECK(kinds({submission}, answered({{"errcode", 0}, {"invaliduser", {"agent.lin"}}})) == std::vector{Kind::recipient_invalid});
    CHECK_FALSE(made.adapter->same_batch(submission, shaped({{"response_code", "RC-1"}, {"button", {{"replace_name", "已受理"}}}}, "b")));
}

TEST_CASE("Content that WeCom would refuse is named before") {
    CHECK(problems({.text = "t"}).empty());
    CHECK(problems({.text = std::string(2'049, 'x')}) == "/text");
    CHECK(problems({}) == "/text");
    CHECK(problems(shaped({{"markdown", {{"content", ""}}}}).content) == "/markdown");
    CHECK(problems(shaped({{"hologram", Json::object()}, {"text", "t"}}).content) == "/hologram");
    CHECK(problems(shaped({{"image", "m"}, {"text", "t"}}).content) == "/image");
    CHECK(make_app().adapter->content_problems(shaped({{"response_code", "RC"}}).content).size() == 1);
    auto articles = Json::array();
    for (int i = 0; i < 9; ++i) articles.push_back({{"title", "t"}});
    CHECK(problems(shaped({{"news", {{"articles", articles}}}}).content) == "/news/articles");
    CHECK(make_app().adapter->content_problems({.text = "t", .body_json = "{"}).size() == 1);
}

TEST_CASE("A message of the last day is taken back by its id") {
    const auto made = make_app();
    const auto request = made.adapter->ask_task(TaskAct::cancel, {.id = "MSG1", .employee = ""}, "", test::with_token(*made.adapter), test::now_context());
    CHECK(request.url == "http://127.0.0.1:9/cgi-bin/message/recall?access_token=TOKEN");
    CHECK(test::body_of(request) == Json{{"msgid", "MSG1"}});
    CHECK(made.adapter->read_task(TaskAct::cancel, {}, "", answered({{"errcode", 0}})).verdict == TaskAnswer::Verdict::done);
    CHECK(made.adapter->read_task(TaskAct::cancel, {}, "", test::refused(42052)).verdict == TaskAnswer::Verdict::gone);
    CHECK(made.adapter->read_task(TaskAct::cancel, {}, "", test::refused(-1)).verdict == TaskAnswer::Verdict::ask_again);
}

TEST_CASE("What members write comes by the application's own hook if it has one") {
    const auto made = make_app({{"token", test::callback_token}, {"encoding_aes_key", test::aes_key}});
    const auto answer = made.adapter->receive(test::callback_of(test::callback_text("message.text.xml")));
    CHECK(answer.status == 200);
    CHECK(answer.events.topic.empty());
    REQUIRE(answer.events.messages.size() == 1);
    CHECK(make_app().adapter->receive(test::callback_of("<xml/>")).status == 404);
}
