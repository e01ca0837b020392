#include "adapters/official_account/adapter.hpp"

#include "adapters/wechat/official_codes.hpp"
#include "tests/unit/adapters/official_account/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using namespace std::chrono_literals;

namespace {

const RequestContext context{.now = from_unix_ms(1893456200'000), .nonce = "00"};

HttpResponse said(std::string body, int status = 200) {
    return {.status = status, .headers = {{"date", "Fri, 02 Jan 2026 15:00:00 GMT"}}, .body = std::move(body)};
}

Outcome outcome_of(const HttpResponse& response) {
    static const auto made = test::make(test::basic_settings());
    const auto one = test::submission(Content{.text = "您好"});
    const auto outcomes = made.adapter->classify({&one, 1}, response);
    REQUIRE(outcomes.size() == 1);
    return outcomes[0];
}

struct Sent {
    std::string path;
    Json body;
};
Sent send(const Submission& one, const Json& settings = test::basic_settings()) {
    const auto made = test::make(settings);
    CHECK(made.problems.empty());
    const auto needs = made.adapter->prepare({&one, 1});
    REQUIRE(needs.size() == 1);
    const auto request = made.adapter->submit({&one, 1}, {{needs[0].key, "T1"}}, context);
    CHECK(request.method == "POST");
    const std::string prefix = "https://api.weixin.qq.com";
    REQUIRE(request.url.starts_with(prefix));
    const auto question = request.url.find("?access_token=T1");
    REQUIRE(question != std::string::npos);
    return {request.url.substr(prefix.size(), question - prefix.size()), parse_json(request.body).value()};
}

std::vector<std::string> problems_of(const Content& content, Json settings = test::basic_settings()) {
    std::vector<std::string> pointers;
    for (const auto& problem : test::make(settings).adapter->content_problems(content)) pointers.push_back(problem.pointer);
    return pointers;
}
std::vector<std::string> problems_of(const Json& body, Json settings = test::basic_settings()) {
    return problems_of(Content{.body_json = body.dump()}, std::move(settings));
}

using Pointers = std::vector<std::string>;

}  // namespace

TEST_CASE("official account: capabilities tell of the platform's reply windows", "[official_account]") {
    const auto made = test::make(test::basic_settings());
    CHECK(made.problems.empty());
    const auto capabilities = made.adapter->capabilities();
    CHECK(capabilities.channel == "official_account");
    CHECK_FALSE(capabilities.idempotent_submit);
    REQUIRE(capabilities.reply_windows.size() == 4);
    CHECK(capabilities.reply_windows[0].act == "message");
    CHECK(capabilities.reply_windows[0].messages == 5);
    CHECK(capabilities.reply_windows[0].lasts == 48h);
    for (std::size_t i = 1; i < 4; ++i) {
        CHECK(capabilities.reply_windows[i].messages == 3);
        CHECK(capabilities.reply_windows[i].lasts == 1min);
    }
}

TEST_CASE("official account: settings are read with bounds, and each mistake is named", "[official_account]") {
    auto settings = test::basic_settings();
    settings.update({{"base_url", "http://127.0.0.1:8100"},
                     {"timeout", "PT3S"},
                     {"window", 4},
                     {"token_api", "classic"},
                     {"mode", "compatible"},
                     {"callback_max_skew", nullptr},
                     {"reply_window", {{"message", {{"messages", 20}, {"lasts", "PT24H"}}}}},
                     {"templates", {{"T", {"thing1"}}}},
                     {"field_lengths", {{"thing", 30}}},
                     {"text_bytes_max", 600}});
    const auto made = test::make(settings);
    for (const auto& problem : made.problems) FAIL_CHECK(problem.pointer << " " << problem.detail);
    CHECK(made.adapter->window() == 4);
    CHECK(made.adapter->timeout() == 3s);
    CHECK(made.adapter->capabilities().reply_windows[0].messages == 20);
    CHECK(made.adapter->capabilities().reply_windows[0].lasts == 24h);
    CHECK(made.adapter->capabilities().reply_windows[1].messages == 3);
    CHECK(made.adapter->fetch({}, {}, context).url ==
          "http://127.0.0.1:8100/cgi-bin/token?grant_type=client_credential&appid=wx0a1b2c3d4e5f6071&secret=made-up-secret");

    const auto wrong = test::make({{"base_url", "ftp://x"},
                                   {"token", "t"},
                                   {"encoding_aes_key", "short"},
                                   {"mode", "open"},
                                   {"token_api", "x"},
                                   {"reply_window", {{"enter", Json::object()}}},
                                   {"templates", {{"T", "thing1"}}},
                                   {"field_lengths", {{"thing", 0}}},
                                   {"other", 1}});
    std::vector<std::string> pointers;
    for (const auto& problem : wrong.problems) pointers.push_back(problem.pointer);
    for (const auto* pointer : {"base_url", "app_id", "app_secret", "encoding_aes_key", "mode", "token_api", "reply_window/enter", "templates/T",
                                "field_lengths/thing", "other"}) {
        INFO(pointer);
        CHECK(std::count(pointers.begin(), pointers.end(), std::string{"/accounts/a/"} + pointer) == 1);
    }
}

TEST_CASE("official account: a text is a customer-service message", "[official_account]") {
    const auto sent = send(test::submission(Content{.text = "您好 \"王芳\""}));
    CHECK(sent.path == "/cgi-bin/message/custom/send");
    CHECK(sent.body == Json{{"touser", test::openid}, {"msgtype", "text"}, {"text", {{"content", "您好 \"王芳\""}}}});
    // The platform has an error code for escaped characters.
    const auto made = test::make(test::basic_settings());
    const auto one = test::submission(Content{.text = "您好"});
    CHECK(made.adapter->submit({&one, 1}, {}, context).body.find("您好") != std::string::npos);
}

TEST_CASE("official account: each kind of customer-service message goes as it is", "[official_account]") {
    for (const Json& content : {
             Json{{"image", {{"media_id", "M"}}}},
             Json{{"voice", {{"media_id", "M"}}}},
             Json{{"video", {{"media_id", "M"}, {"thumb_media_id", "N"}, {"title", "t"}}}},
             Json{{"music", {{"musicurl", "https://a.test"}, {"hqmusicurl", "https://a.test"}, {"thumb_media_id", "N"}}}},
             Json{{"news", {{"articles", {{{"title", "t"}, {"description", "d"}, {"url", "https://a.test"}, {"picurl", "https://a.test"}}}}}}},
             Json{{"mpnews", {{"media_id", "M"}}}},
             Json{{"msgmenu",
                   {{"head_content", "满意吗"},
                    {"list", {{{"id", "101"}, {"content", "满意"}}, {{"id", "102"}, {"content", "不满意"}}}},
                    {"tail_content", "谢谢"}}}},
             Json{{"wxcard", {{"card_id", "C"}}}},
             Json{{"miniprogrampage", {{"title", "t"}, {"appid", "wx"}, {"pagepath", "p"}, {"thumb_media_id", "N"}}}},
         }) {
        INFO(content.dump());
        CHECK(problems_of(content).empty());
        const auto kind = content.begin().key();
        const auto sent = send(test::submission(content));
        CHECK(sent.path == "/cgi-bin/message/custom/send");
        CHECK(sent.body == Json{{"touser", test::openid}, {"msgtype", kind}, {kind, content.at(kind)}});
        CHECK(test::make(test::basic_settings()).adapter->needs_reply_window({.body_json = content.dump()}));
    }
}

TEST_CASE("official account: a template message carries the touch's id, so that every attempt has the same", "[official_account]") {
    const Json content = {{"template_message",
                           {{"template_id", "T"},
                            {"url", "https://a.test"},
                            {"miniprogram", {{"appid", "wx"}, {"pagepath", "p"}}},
                            {"data", {{"thing1", {{"value", "寄出"}}}}}}}};
    auto one = test::submission(content);
    const auto sent = send(one);
    CHECK(sent.path == "/cgi-bin/message/template/send");
    CHECK(sent.body.at("client_msg_id") == "01890a5dac96774bbcceb302099a8057");
    CHECK(sent.body.at("template_id") == "T");
    CHECK(sent.body.at("data").at("thing1").at("value") == "寄出");
    CHECK(sent.body.at("touser") == test::openid);
    CHECK_FALSE(sent.body.contains("msgtype"));
    one.attempt_id = "01890a5d-ac96-774b-bcce-b302099a8057-2";
    CHECK(send(one).body == sent.body);
    CHECK_FALSE(test::make(test::basic_settings()).adapter->needs_reply_window(one.content));

    const auto by_code = send(test::submission(Content{.template_code = "T", .params = {{"thing1", "寄出"}, {"time2", "明天"}}}));
    CHECK(by_code.path == "/cgi-bin/message/template/send");
    CHECK(by_code.body.at("data") == Json{{"thing1", {{"value", "寄出"}}}, {"time2", {{"value", "明天"}}}});
}

TEST_CASE("official account: subscribe messages and mass messages have their own calls", "[official_account]") {
    const auto subscribe =
        send(test::submission(Json{{"subscribe_message", {{"template_id", "T"}, {"page", "p"}, {"data", {{"thing1", {{"value", "x"}}}}}}}}));
    CHECK(subscribe.path == "/cgi-bin/message/subscribe/bizsend");
    CHECK(subscribe.body == Json{{"touser", test::openid}, {"template_id", "T"}, {"page", "p"}, {"data", {{"thing1", {{"value", "x"}}}}}});

    const auto tagged = send(test::submission(Json{{"mass", {{"tag_id", 2}, {"mpnews", {{"media_id", "M"}}}}}}));
    CHECK(tagged.path == "/cgi-bin/message/mass/sendall");
    CHECK(tagged.body == Json{{"filter", {{"is_to_all", false}, {"tag_id", 2}}},
                              {"msgtype", "mpnews"},
                              {"mpnews", {{"media_id", "M"}}},
                              {"send_ignore_reprint", 0},
                              {"clientmsgid", "01890a5dac96774bbcceb302099a8057"}});
    const auto all = send(test::submission(Json{{"mass", {{"to_all", true}, {"text", {{"content", "x"}}}, {"send_ignore_reprint", 1}}}}));
    CHECK(all.body.at("filter") == Json{{"is_to_all", true}});
    CHECK(all.body.at("send_ignore_reprint") == 1);
    const auto listed = send(test::submission(Json{{"mass", {{"touser", {"o1", "o2"}}, {"text", {{"content", "x"}}}}}}));
    CHECK(listed.path == "/cgi-bin/message/mass/send");
    CHECK(listed.body.at("touser") == Json{"o1", "o2"});
    CHECK_FALSE(listed.body.contains("filter"));
    for (const Json& content : {Json{{"subscribe_message", Json::object()}}, Json{{"mass", Json::object()}}})
        CHECK_FALSE(test::make(test::basic_settings()).adapter->needs_reply_window({.body_json = content.dump()}));
}

TEST_CASE("official account: what is wrong with a content is named where it stands", "[official_account]") {
    CHECK(problems_of(Content{}) == Pointers{""});
    CHECK(problems_of(Content{.text = "a", .template_code = "T"}) == Pointers{""});
    CHECK(problems_of(Content{.text = std::string(2048, 'a')}).empty());
    CHECK(problems_of(Content{.text = std::string(2049, 'a')}) == Pointers{"/text"});
    CHECK(problems_of(Content{.body_json = "[]"}) == Pointers{""});
    CHECK(problems_of(Content{.body_json = "{"}) == Pointers{""});
    struct Row {
        Json content;
        Pointers pointers;
    };
    const Json field = {{"thing1", {{"value", "x"}}}};
    for (const auto& row : std::vector<Row>{
             {{{"image", {{"media_id", "M"}}}, {"voice", {{"media_id", "M"}}}}, {""}},
             {{{"image", Json::object()}}, {"/image/media_id"}},
             {{{"image", 7}}, {"/image"}},
             {{{"image", {{"media_id", 7}, {"url", "x"}}}}, {"/image/url", "/image/media_id"}},
             {{{"file", {{"media_id", "M"}}}}, {"/file"}},
             {{{"miniprogram", {{"appid", "x"}}}}, {"/miniprogram"}},
             {{{"news", {{"articles", Json::array()}}}}, {"/news/articles"}},
             {{{"news", {{"articles", {{{"title", "a"}}, {{"title", "b"}}}}}}}, {"/news/articles"}},
             {{{"news", {{"articles", {{{"titel", "a"}}}}}}}, {"/news/articles/0/titel", "/news/articles/0/title"}},
             {{{"msgmenu", {{"list", {{{"id", "1"}}, 7}}}}}, {"/msgmenu/list/0/content", "/msgmenu/list/1/id", "/msgmenu/list/1/content"}},
             {{{"template_message", {{"data", field}}}}, {"/template_message/template_id"}},
             {{{"template_message", {{"template_id", "T"}}}}, {"/template_message/data"}},
             {{{"template_message", {{"template_id", "T"}, {"data", field}, {"touser", "o2"}, {"client_msg_id", "x"}}}},
              {"/template_message/client_msg_id", "/template_message/touser"}},
             {{{"template_message", {{"template_id", "T"}, {"data", {{"thing1", "x"}}}}}}, {"/template_message/data/thing1"}},
             {{{"template_message",
                {{"template_id", "T"}, {"data", {{"thing1", {{"value", std::string(21, 'x')}}}, {"first", {{"value", std::string(21, 'x')}}}}}}}},
              {"/template_message/data/thing1/value"}},
             {{{"template_message", {{"template_id", "T"}, {"data", field}, {"miniprogram", {{"pagepath", "p"}}}}}},
              {"/template_message/miniprogram/appid"}},
             {{{"subscribe_message", {{"template_id", "T"}, {"data", field}, {"url", "x"}}}}, {"/subscribe_message/url"}},
             {{{"mass", {{"text", {{"content", "x"}}}}}}, {"/mass"}},
             {{{"mass", {{"tag_id", 1}, {"to_all", true}, {"text", {{"content", "x"}}}}}}, {"/mass"}},
             {{{"mass", {{"tag_id", "1"}, {"text", Json::object()}}}}, {"/mass/text/content", "/mass/tag_id"}},
             {{{"mass", {{"to_all", false}, {"mpnews", {{"media_id", "M"}}}}}}, {"/mass/to_all"}},
             {{{"mass", {{"touser", {"o1"}}, {"news", 1}}}}, {"/mass/news", "/mass", "/mass/touser"}},
             {{{"mass", {{"tag_id", 1}, {"msgtype", "text"}, {"text", {{"content", "x"}}}}}}, {}},
             {{{"mass", {{"tag_id", 1}, {"msgtype", "image"}, {"text", {{"content", "x"}}}}}}, {"/mass/msgtype"}},
             {{{"mass", {{"tag_id", 1}, {"msgtype", "tag_id"}, {"text", {{"content", "x"}}}}}}, {"/mass/msgtype"}},
             {{{"mass", {{"tag_id", 1}, {"msgtype", 7}, {"text", {{"content", "x"}}}}}}, {"/mass/msgtype"}},
             {{{"template_message", {{"template_id", "T"}, {"data", Json::object()}}}}, {}},
             {{{"subscribe_message", {{"template_id", "T"}, {"data", Json::object()}}}}, {}},
             {{{"template_message", {{"template_id", "T"}, {"data", Json::array()}}}}, {"/template_message/data"}},
         }) {
        INFO(row.content.dump());
        CHECK(problems_of(row.content) == row.pointers);
    }
}

TEST_CASE("official account: a listed template takes its own fields only", "[official_account]") {
    auto settings = test::basic_settings();
    settings["templates"] = {{"T", {"thing1", "time2"}}};
    settings["field_lengths"] = {{"thing", 3}};
    const auto with = [&](const Json& data) { return problems_of(Json{{"template_message", {{"template_id", "T"}, {"data", data}}}}, settings); };
    CHECK(with({{"thing1", {{"value", "寄出了"}}}, {"time2", {{"value", 7}}}}).empty());
    CHECK(with({{"thing1", {{"value", "x"}}}}) == Pointers{"/template_message/data/time2"});
    CHECK(with(Json::object()) == Pointers{"/template_message/data/thing1", "/template_message/data/time2"});
    CHECK(with({{"thing1", {{"value", "x"}}}, {"time2", {{"value", "x"}}}, {"thing3", {{"value", "x"}}}}) ==
          Pointers{"/template_message/data/thing3"});
    CHECK(with({{"thing1", {{"value", "寄出了啊"}}}, {"time2", {{"value", "x"}}}}) == Pointers{"/template_message/data/thing1/value"});
    CHECK(problems_of(Content{.template_code = "T", .params = {{"thing1", "x"}}}, settings) == Pointers{"/data/time2"});
    CHECK(problems_of(Json{{"template_message", {{"template_id", "other"}, {"data", {{"first", {{"value", "x"}}}}}}}}, settings).empty());
}

TEST_CASE("official account: content that is no message is refused by the platform, never sent as another", "[official_account]") {
    for (const auto& content :
         {Content{}, Content{.body_json = "{"}, Content{.body_json = "[]"}, Content{.body_json = R"({"image":{},"voice":{}})"}}) {
        const auto sent = send(test::submission(content));
        CHECK(sent.body == Json{{"touser", test::openid}, {"msgtype", ""}});
    }
    CHECK(send(test::submission(Json{{"mass", 7}})).body.at("clientmsgid").is_string());
    CHECK(send(test::submission(Json{{"template_message", {{"touser", "o2"}}}})).body.at("touser") == test::openid);
    CHECK(send(test::submission(Json{{"template_message", 7}})).body.at("touser") == test::openid);
}

TEST_CASE("official account: answers become outcomes", "[official_account]") {
    CHECK(outcome_of(said(R"({"errcode":0,"errmsg":"ok"})")).kind == OutcomeKind::accepted);
    CHECK(outcome_of(said(R"({"errcode":0,"errmsg":"ok"})")).ids.empty());
    CHECK(outcome_of(said(R"({"errcode":0,"errmsg":"ok","msgid":3456789012345678901})")).ids == std::vector<std::string>{"3456789012345678901"});
    CHECK(outcome_of(said(R"({"msg_id":1000000001,"msg_data_id":7})")).ids == std::vector<std::string>{"1000000001"});
    const auto again = outcome_of(said(R"({"errcode":45065,"errmsg":"clientmsgid exist","msg_id":1000000001})"));
    CHECK(again.kind == OutcomeKind::accepted);
    CHECK(again.ids == std::vector<std::string>{"1000000001"});

    struct Row {
        int code;
        OutcomeKind kind;
        std::string scope, field;
    };
    for (const auto& row : std::vector<Row>{
             {-1, OutcomeKind::not_sent, "", ""},
             {40001, OutcomeKind::credentials, "", ""},
             {42001, OutcomeKind::credentials, "", ""},
             {40164, OutcomeKind::config, "", ""},
             {48001, OutcomeKind::config, "", ""},
             {40003, OutcomeKind::recipient_invalid, "", ""},
             {43004, OutcomeKind::recipient_refuses, "", ""},
             {48002, OutcomeKind::recipient_refuses, "", ""},
             {43101, OutcomeKind::recipient_refuses, "", ""},
             {45015, OutcomeKind::window_closed, "", ""},
             {45047, OutcomeKind::quota_exhausted, "recipient", ""},
             {45009, OutcomeKind::quota_exhausted, "api:custom", ""},
             {45028, OutcomeKind::quota_exhausted, "api:custom", ""},
             {45011, OutcomeKind::throttled, "account", ""},
             {45066, OutcomeKind::not_sent, "", ""},
             {40007, OutcomeKind::content_rejected, "", "media_id"},
             {47003, OutcomeKind::content_rejected, "", "data"},
             {45002, OutcomeKind::content_rejected, "", "content"},
             {40037, OutcomeKind::content_rejected, "", "template_id"},
             {61455, OutcomeKind::config, "", ""},
             {12345, OutcomeKind::refused, "", ""},
         }) {
        const auto outcome = outcome_of(said("{\"errcode\":" + std::to_string(row.code) + ",\"errmsg\":\"x rid: 6123-4\"}"));
        INFO(row.code);
        CHECK(outcome.kind == row.kind);
        CHECK(outcome.scope == row.scope);
        CHECK(outcome.field == row.field);
        CHECK(outcome.code == std::to_string(row.code));
        CHECK(outcome.detail.find("rid 6123-4") != std::string::npos);
        CHECK(outcome.detail.find("x ") == std::string::npos);
    }
    CHECK(outcome_of(said(R"({"errcode":45009})")).retry_after == 1h);  // 23:00 in China
    CHECK(outcome_of(said(R"({"errcode":45066})")).retry_after == 1min);
    for (const auto& unreadable : {said(""), said("{}"), said("<html>"), said(R"({"errcode":0})", 502), said(R"({"errcode":"0"})"), said("[]")})
        CHECK(outcome_of(unreadable).kind == OutcomeKind::unknown);
}

TEST_CASE("official account: no code is in the table twice", "[official_account]") {
    const auto codes = adapters::wechat::official_codes();
    for (std::size_t i = 0; i < codes.size(); ++i)
        for (std::size_t j = i + 1; j < codes.size(); ++j) {
            INFO(codes[i].first << " " << codes[j].first);
            CHECK((codes[i].last < codes[j].first || codes[j].last < codes[i].first));
        }
}

TEST_CASE("official account: a stale token is told, and fetched without force", "[official_account]") {
    const auto made = test::make(test::basic_settings());
    CHECK(made.adapter->resources_stale(said(R"({"errcode":40014})")));
    CHECK_FALSE(made.adapter->resources_stale(said(R"({"errcode":0})")));
    CHECK(parse_json(made.adapter->fetch({}, {}, context).body).value().at("force_refresh") == false);
    CHECK(std::get<Resource>(made.adapter->read_fetched({}, said(R"({"access_token":"T","expires_in":7200})"))).value == "T");
    CHECK(std::get<Outcome>(made.adapter->read_fetched({}, said(R"({"errcode":40125})"))).kind == OutcomeKind::credentials);
}
