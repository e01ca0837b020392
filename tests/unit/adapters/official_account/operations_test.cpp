#include "adapters/wechat/element.hpp"
#include "tests/unit/adapters/official_account/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;

namespace {

Json body_of(const HttpRequest& request) { return parse_json(request.body).value(); }
HttpRequest request_of(const std::string& name, const Json& body) { return test::make(test::basic_settings()).adapter->operation(name, body.dump(), {}, {}); }
OperationAnswer read(const std::string& name, const Json& answer) {
    return test::make(test::basic_settings()).adapter->read_operation(name, "{}", {.status = 200, .headers = {}, .body = answer.dump()});
}

}  // namespace

TEST_CASE("A scene's QR code is temporary or permanent, by text or by number, and comes with its picture's address") {
    CHECK(body_of(request_of("create_qr_code", {{"scene_str", "shop"}})) == Json{{"action_name", "QR_LIMIT_STR_SCENE"}, {"action_info", {{"scene", {{"scene_str", "shop"}}}}}});
    CHECK(body_of(request_of("create_qr_code", {{"scene_id", 7}, {"expire_seconds", 60}})) ==
          Json{{"action_name", "QR_SCENE"}, {"expire_seconds", 60}, {"action_info", {{"scene", {{"scene_id", 7}}}}}});
    const auto answer = read("create_qr_code", {{"ticket", "a+b"}, {"url", "http://w"}});
    CHECK(answer.outcome.kind == OutcomeKind::accepted);
    CHECK(parse_json(answer.result_json).value()["picture_url"] == "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=a%2Bb");
}

TEST_CASE("Tags and followers are called as the platform wants them") {
    CHECK(body_of(request_of("create_tag", {{"name", "VIP"}})) == Json{{"tag", {{"name", "VIP"}}}});
    CHECK(body_of(request_of("tag_users", {{"openid_list", {"o1"}}, {"tagid", 100}})) == Json{{"openid_list", {"o1"}}, {"tagid", 100}});
    CHECK(body_of(request_of("get_users", {{"openid_list", {"o1"}}}))["user_list"][0]["openid"] == "o1");
    CHECK(request_of("get_user", {{"openid", "o1"}}).url.find("/cgi-bin/user/info?openid=o1") != std::string::npos);
    CHECK(parse_json(read("get_user", {{"openid", "o1"}, {"subscribe", 1}}).result_json).value()["subscribe"] == 1);
    CHECK(read("create_tag", {{"errcode", 45158}, {"errmsg", "too long"}}).outcome.kind == OutcomeKind::refused);
}

TEST_CASE("Followers whose tags were changed are read again") {
    const auto made = test::make(test::basic_settings());
    const auto answer = made.adapter->read_operation("tag_users", Json{{"openid_list", {"o1", "o2"}}, {"tagid", 100}}.dump(), {.status = 200, .headers = {}, .body = R"({"errcode":0})"});
    REQUIRE(answer.pulls.size() == 1);
    CHECK(answer.pulls[0].name == "follower_info");
    CHECK(answer.pulls[0].hint == "o1,o2");
    CHECK(body_of(made.adapter->pull("follower_info", "", "o1,o2", {}, {}))["user_list"].size() == 2);
}

TEST_CASE("All followers are listed page by page, and asked about a hundred at a time") {
    auto on = test::basic_settings();
    on["sync"] = true;
    const auto made = test::make(on);
    const auto pulls = made.adapter->pulls();
    REQUIRE(pulls.size() == 2);
    CHECK(pulls[0].name == "followers");
    CHECK(pulls[0].every == one_day);
    CHECK(pulls[1].hinted_only);
    CHECK(made.adapter->pull("followers", "", "", {}, {}).url.find("/cgi-bin/user/get") != std::string::npos);
    CHECK(made.adapter->pull("followers", "o9", "", {}, {}).url.find("next_openid=o9") != std::string::npos);
    const auto page_of = [&](const Json& body) { return made.adapter->read_pull("followers", "", {.status = 200, .headers = {}, .body = body.dump()}); };
    auto ids = Json::array();
    for (int i = 0; i < 250; ++i) ids.push_back("o" + std::to_string(i));
    auto page = page_of({{"total", 250}, {"count", 250}, {"data", {{"openid", ids}}}, {"next_openid", "o249"}});
    CHECK(page.more);
    CHECK(page.cursor == "o249");
    REQUIRE(page.events.pulls.size() == 3);
    CHECK(page.events.pulls[2].hint.starts_with("o200,o201,"));
    CHECK(page.events.pulls[2].hint.ends_with(",o249"));
    page = page_of({{"total", 250}, {"count", 0}, {"next_openid", ""}});
    CHECK_FALSE(page.more);
    CHECK(page.cursor.empty());
    CHECK_FALSE(page.failed);
    CHECK(page_of({{"errcode", 45009}, {"errmsg", "reach max api daily quota limit"}}).failed);
    page = page_of({{"errcode", 48001}, {"errmsg", "api unauthorized"}});  // the account has no right to it
    CHECK_FALSE(page.failed);
    CHECK_FALSE(page.more);
    CHECK(test::make(test::basic_settings()).adapter->pulls().empty());
}

TEST_CASE("A follower's record brings his tags and his unionid, and is another event only when it says something else") {
    const auto made = test::make(test::basic_settings());
    const auto read_info = [&](const Json& users) {
        return made.adapter->read_pull("follower_info", "", {.status = 200, .headers = {}, .body = Json{{"user_info_list", users}}.dump()}).events.events;
    };
    const Json user{{"subscribe", 1}, {"openid", "o1"}, {"unionid", "u1"}, {"subscribe_time", 1'893'456'000}, {"tagid_list", {2, 128}}, {"remark", ""}, {"qr_scene", 0}};
    const auto events = read_info(Json::array({user, {{"subscribe", 0}, {"openid", "o2"}}, 7}));
    REQUIRE(events.size() == 1);
    CHECK(events[0].kind == "customer");
    CHECK(events[0].from == "o1");
    CHECK(events[0].employee.empty());
    CHECK(events[0].unionid == "u1");
    CHECK(events[0].at == from_unix_ms(1'893'456'000'000));
    CHECK(events[0].reach == ProviderEvent::Reach::reachable);
    CHECK(parse_json(events[0].body_json).value()["tags"] == Json{"2", "128"});
    CHECK(read_info(Json::array({user}))[0].id == events[0].id);
    auto other = user;
    other["tagid_list"] = Json::array();
    CHECK(read_info(Json::array({other}))[0].id != events[0].id);
    CHECK(made.adapter->read_pull("follower_info", "", {.status = 200, .headers = {}, .body = "<html>"}).failed);
}

TEST_CASE("A passive reply exchanges the two names and is encrypted as the account's callbacks are") {
    const auto made = test::make(test::basic_settings());
    const InboundMessage message{.from = "oCUSTOMER", .to = "gh_1", .text = "hi"};
    const RequestContext context{.now = from_unix_ms(1'893'456'200'000), .nonce = "00112233445566778899aabbccddeeff"};
    const auto body = made.adapter->passive_reply(message, {.text = "您好 ]]> <b>"}, context);
    REQUIRE(body);
    const auto envelope = adapters::wechat::read_xml(*body);
    REQUIRE(envelope);
    const auto settings = test::platform_settings();
    const auto opened = adapters::wechat::decrypt_callback(*settings.aes_key, settings.receive_id, envelope->text_of("Encrypt"));
    REQUIRE(std::holds_alternative<std::string>(opened));
    const auto inner = adapters::wechat::read_xml(std::get<std::string>(opened));
    REQUIRE(inner);
    CHECK(inner->text_of("ToUserName") == "oCUSTOMER");
    CHECK(inner->text_of("FromUserName") == "gh_1");
    CHECK(inner->text_of("MsgType") == "text");
    CHECK(inner->text_of("Content") == "您好 ]]> <b>");
    CHECK(inner->text_of("CreateTime") == "1893456200");
    const std::array<std::string_view, 4> parts = {settings.token, envelope->text_of("TimeStamp"), envelope->text_of("Nonce"), envelope->text_of("Encrypt")};
    CHECK(adapters::wechat::signature_fits(envelope->text_of("MsgSignature"), parts));

    auto plain = test::basic_settings();
    plain["mode"] = "plain";
    CHECK(test::make(plain).adapter->passive_reply(message, {.text = "x"}, context)->starts_with("<xml><ToUserName>"));
    CHECK_FALSE(made.adapter->passive_reply(message, {.body_json = R"({"image":{}})"}, context));
}
