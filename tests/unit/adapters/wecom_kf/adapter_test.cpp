#include "adapters/wecom_kf/sending.hpp"

#include "tests/unit/adapters/wecom_kf/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using test::answered;
using test::make_kf;
using test::to_customer;
using Kind = OutcomeKind;
using adapters::wecom_kf::message_id;

namespace {

const std::string our_id = message_id(to_customer("wm1"));

Submission shaped(const Json& body, std::string text = "") {
    auto submission = to_customer("wm1", std::move(text));
    submission.content.body_json = body.dump();
    return submission;
}

HttpRequest submit(const Submission& submission) {
    const auto made = make_kf();
    return made.adapter->submit({&submission, 1}, test::with_token(*made.adapter), test::now_context());
}

Outcome classify(const HttpResponse& response) {
    const auto made = make_kf();
    const auto submission = to_customer("wm1");
    return made.adapter->classify({&submission, 1}, response).at(0);
}

std::string problems(const Submission& submission) {
    std::string all;
    for (const auto& problem : make_kf().adapter->content_problems(submission.content)) all += (all.empty() ? "" : " ") + problem.pointer;
    return all;
}

}  // namespace

TEST_CASE("An account of customer service takes its corporation's secret, callbacks and window rule") {
    const auto made = make_kf();
    CHECK(made.problems.empty());
    const auto capabilities = made.adapter->capabilities();
    CHECK(capabilities.channel == "wecom_kf");
    CHECK(capabilities.parent == "wecom-main");
    CHECK(capabilities.topics == std::vector<std::string>{"kf:wkSYNTH00000000000000001"});
    CHECK(capabilities.idempotent_submit);
    REQUIRE(capabilities.reply_windows.size() == 1);
    CHECK(capabilities.reply_windows.front().act == "message");
    CHECK(capabilities.reply_windows.front().messages == 5);
    CHECK(capabilities.reply_windows.front().lasts == Duration{std::chrono::hours{48}});
    CHECK(make_kf({{"open_kfid", nullptr}}).problems.size() == 1);
    CHECK(make_kf({{"corp", "nobody"}}).problems.size() == 1);
}

TEST_CASE("A conversation goes to an employee in WeCom's own client only where the account allows it") {
    CHECK(make_kf().adapter->operations().empty());
    const auto made = make_kf({{"native_servicers", true}});
    CHECK(made.problems.empty());
    REQUIRE(made.adapter->operations().size() == 1);
    const auto request = made.adapter->operation("give_to_servicer", R"({"external_userid":"wm1","servicer_userid":"bob"})", test::with_token(*made.adapter), test::now_context());
    CHECK(test::path_of(request) == "/cgi-bin/kf/service_state/trans");
    CHECK(test::body_of(request) == Json{{"external_userid", "wm1"}, {"servicer_userid", "bob"}, {"open_kfid", "wkSYNTH00000000000000001"}, {"service_state", 3}});
    CHECK(pointers(make_kf({{"native_servicers", "yes"}})) == "/accounts/a/native_servicers");
}

TEST_CASE("A message id is one of WeCom's form, the same for every attempt of one touch") {
    auto submission = to_customer("wm1");
    submission.touch = parse_uuid("0193f6a0-0000-7000-8000-000000000001").value();
    CHECK(message_id(submission) == "0193f6a0000070008000000000000001");
    auto again = submission;
    again.attempt_id = "attempt-2";
    CHECK(message_id(submission) == message_id(again));
    again.touch = parse_uuid("0193f6a0-0000-7000-8000-000000000002").value();
    CHECK(message_id(submission) != message_id(again));
}

TEST_CASE("A text goes to the customer under our own id") {
    const auto request = submit(to_customer("wm1"));
    CHECK(request.url == "http://127.0.0.1:9/cgi-bin/kf/send_msg?access_token=TOKEN");
    CHECK(test::body_of(request) == Json{{"touser", "wm1"},
                                         {"open_kfid", "wkSYNTH00000000000000001"},
                                         {"msgid", our_id},
                                         {"msgtype", "text"},
                                         {"text", {{"content", "您好"}}}});
}

TEST_CASE("Other kinds go as they are given") {
    const Json menu = {{"head_content", "请选择"}, {"list", {{{"type", "click"}, {"click", {{"id", "1"}, {"content", "A"}}}}}}};
    const auto body = test::body_of(submit(shaped({{"msgmenu", menu}})));
    CHECK(body.at("msgtype") == "msgmenu");
    CHECK(body.at("msgmenu") == menu);
}

TEST_CASE("The answer to an event goes by its code and needs no window") {
    const auto name = GENERATE("code", "reply_code");
    const auto submission = shaped({{name, "CODE-1"}}, "欢迎");
    const auto request = submit(submission);
    CHECK(test::path_of(request) == "/cgi-bin/kf/send_msg_on_event");
    CHECK(test::body_of(request) == Json{{"code", "CODE-1"}, {"msgid", our_id}, {"msgtype", "text"}, {"text", {{"content", "欢迎"}}}});
    const auto made = make_kf();
    CHECK_FALSE(made.adapter->needs_reply_window(submission.content));
    CHECK(made.adapter->needs_reply_window(to_customer("wm1").content));
}

TEST_CASE("Content that WeCom would refuse is named before") {
    CHECK(problems(to_customer("wm1")).empty());
    CHECK(problems(shaped({{"code", "C"}}, "t")).empty());
    CHECK(problems(to_customer("wm1", std::string(2'049, 'x'))) == "/text");
    CHECK(problems(to_customer("wm1", "")) == "/text");
    CHECK(problems(shaped({{"template_card", Json::object()}}, "t")) == "/template_card");
    CHECK(problems(shaped({{"image", "m"}}, "t")) == "/image");
    CHECK(problems(shaped({{"code", "C"}, {"image", {{"media_id", "m"}}}})) == "/image");
    auto list = Json::array();
    for (int i = 0; i < 11; ++i) list.push_back({{"type", "click"}});
    CHECK(problems(shaped({{"msgmenu", {{"list", list}}}})) == "/msgmenu/list");
    auto broken = to_customer("wm1");
    broken.content.body_json = "{";
    CHECK(make_kf().adapter->content_problems(broken.content).size() == 1);
}

TEST_CASE("What WeCom took has our id, by which a later failure is found") {
    const auto outcome = classify(answered({{"errcode", 0}, {"msgid", our_id}}));
    CHECK(outcome.kind == Kind::accepted);
    CHECK(outcome.ids == std::vector<std::string>{our_id});
    CHECK(classify(answered({{"errcode", 0}})).ids == std::vector<std::string>{our_id});
    CHECK(classify(answered({{"errcode", 0}, {"msgid", "THEIRS"}})).ids == std::vector<std::string>{"THEIRS", our_id});
}

TEST_CASE("An id that WeCom has seen before means that the first time was taken") {
    const auto outcome = classify(test::refused(40058, "msgid repeat, hint: [1]"));
    CHECK(outcome.kind == Kind::accepted);
    CHECK(outcome.ids == std::vector<std::string>{our_id});
    CHECK(classify(test::refused(40058, "msgid exceed max length 32")).kind == Kind::refused);
}

TEST_CASE("A later attempt that is refused for a parameter may be the repeat of one that was taken") {
    const auto made = make_kf();
    const auto kind = [&](const std::string& attempt) {
        const auto submission = to_customer("wm1", "您好", attempt);
        return made.adapter->classify({&submission, 1}, test::refused(40058)).at(0).kind;
    };
    CHECK(kind("0193f6a0-0000-7000-8000-000000000001-1") == Kind::refused);
    CHECK(kind("0193f6a0-0000-7000-8000-000000000001-2") == Kind::unknown);
}

TEST_CASE("What the platform refuses") {
    const auto [code, kind] = GENERATE(table<int, Kind>({{95001, Kind::window_closed},
                                                         {95002, Kind::window_closed},
                                                         {95013, Kind::window_closed},
                                                         {95018, Kind::window_closed},
                                                         {95000, Kind::config},
                                                         {95003, Kind::config},
                                                         {95030, Kind::content_rejected},
                                                         {-1, Kind::not_sent},
                                                         {45009, Kind::throttled},
                                                         {12345, Kind::refused}}));
    CHECK(classify(test::refused(code)).kind == kind);
}

TEST_CASE("An answer of somebody else leaves it open, and the same id is sent again") {
    CHECK(classify(answered(Json::object())).kind == Kind::unknown);
    CHECK(classify({.status = 502, .headers = {}, .body = "x"}).kind == Kind::unknown);
}

TEST_CASE("With a token and key of its own the account has its own hook") {
    const auto made = make_kf({{"token", test::callback_token}, {"encoding_aes_key", test::aes_key}});
    CHECK(made.problems.empty());
    const auto answer = made.adapter->receive(test::callback_of(test::callback_text("kf_msg_or_event.xml")));
    CHECK(answer.status == 200);
    CHECK(answer.events.topic.empty());
    REQUIRE(answer.events.pulls.size() == 1);
    CHECK(answer.events.pulls.front().hint == "ENCSYNTHTOKEN000000000001");
    CHECK(make_kf().adapter->receive(test::callback_of("<xml/>")).status == 404);
}
