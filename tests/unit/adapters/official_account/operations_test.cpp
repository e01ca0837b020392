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
