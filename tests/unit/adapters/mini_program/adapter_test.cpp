#include "adapters/mini_program/adapter.hpp"

#include "adapters/wechat/element.hpp"

#include "tests/unit/adapters/wechat/official_support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using namespace std::chrono_literals;

namespace {

test::Made make(const Json& settings = test::basic_settings()) { return test::make(settings, adapters::mini_program_adapter()); }

HttpRequest send(const Json& body) {
    const auto one = test::submission(body);
    return make().adapter->submit({&one, 1}, {}, {});
}

std::string event_xml(const std::string& more) {
    return "<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>1893456200</CreateTime>" + more + "</xml>";
}

}  // namespace

TEST_CASE("mini program: a message opens five in 48 hours, entering two in a minute", "[mini_program]") {
    const auto made = make();
    CHECK(made.problems.empty());
    const auto capabilities = made.adapter->capabilities();
    CHECK(capabilities.channel == "mini_program");
    REQUIRE(capabilities.reply_windows.size() == 2);
    CHECK(capabilities.reply_windows[0].act == "message");
    CHECK(capabilities.reply_windows[0].messages == 5);
    CHECK(capabilities.reply_windows[1].act == "enter");
    CHECK(capabilities.reply_windows[1].messages == 2);
    CHECK(capabilities.reply_windows[1].lasts == 1min);
}

TEST_CASE("mini program: subscribe messages and customer-service messages, nothing else", "[mini_program]") {
    const Json subscribe = {
        {"subscribe_message",
         {{"template_id", "T"}, {"page", "p"}, {"miniprogram_state", "formal"}, {"lang", "zh_CN"}, {"data", {{"thing1", {{"value", "x"}}}}}}}};
    const auto request = send(subscribe);
    CHECK(request.url == "https://api.weixin.qq.com/cgi-bin/message/subscribe/send");
    CHECK(parse_json(request.body).value().at("miniprogram_state") == "formal");
    CHECK(make().adapter->content_problems({.body_json = subscribe.dump()}).empty());
    CHECK_FALSE(make().adapter->needs_reply_window({.body_json = subscribe.dump()}));
    CHECK_FALSE(make().adapter->needs_reply_window({.template_code = "T", .params = {{"thing1", "x"}}}));
    CHECK(make().adapter->needs_reply_window({.text = "x"}));

    CHECK(send({{"link", {{"title", "t"}, {"url", "https://a.test"}, {"description", "d"}, {"thumb_url", "https://a.test"}}}}).url ==
          "https://api.weixin.qq.com/cgi-bin/message/custom/send");
    for (const Json& bad : {Json{{"template_message", {{"template_id", "T"}, {"data", {{"a", {{"value", "x"}}}}}}}},
                            Json{{"mass", {{"to_all", true}, {"text", {{"content", "x"}}}}}}, Json{{"voice", {{"media_id", "M"}}}}}) {
        INFO(bad.dump());
        CHECK(make().adapter->content_problems({.body_json = bad.dump()}).at(0).pointer == "/" + bad.begin().key());
    }
}

TEST_CASE("mini program: entering the customer-service session opens its window", "[mini_program]") {
    const auto answer =
        test::push(*make().adapter, event_xml("<MsgType>event</MsgType><Event>user_enter_tempsession</Event><SessionFrom>order-7</SessionFrom>"));
    CHECK(answer.body == "success");
    REQUIRE(answer.events.events.size() == 1);
    CHECK(answer.events.events[0].kind == "user_enter_tempsession");
    CHECK(answer.events.events[0].act == "enter");
    CHECK(answer.events.events[0].ref == "order-7");
    const auto card =
        test::push(*make().adapter, event_xml("<MsgType>miniprogrampage</MsgType><MsgId>1</MsgId><Title>t</Title><PagePath>p</PagePath>"));
    CHECK(card.events.messages.at(0).kind == "miniprogrampage");
}

TEST_CASE("mini program: callbacks may be JSON", "[mini_program]") {
    const auto platform = test::platform_settings();
    auto request = test::sealed(
        platform, R"({"ToUserName":"gh_1","FromUserName":"o1","CreateTime":1893456200,"MsgType":"event","Event":"subscribe_msg_popup_event",
        "List":[{"TemplateId":"T1","SubscribeStatusString":"accept","PopupScene":"0"},{"TemplateId":"T2","SubscribeStatusString":"reject","PopupScene":"0"}]})",
        from_unix_ms(1893456200'000), "&encrypt_type=aes");
    const auto envelope = adapters::wechat::read_xml(request.body).value();
    request.body = Json{{"ToUserName", "gh_1"}, {"Encrypt", std::string{envelope.text_of("Encrypt")}}}.dump();
    const auto answer = make().adapter->receive(request);
    CHECK(answer.status == 200);
    REQUIRE(answer.events.events.size() == 1);
    CHECK(answer.events.events[0].kind == "subscription_changed");
    CHECK(answer.events.events[0].ref == "T1,T2");
}
