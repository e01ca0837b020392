// The server of official accounts and mini programs: tokens, windows, templates, subscriptions, mass messages, users.
#include <set>

#include "tests/unit/adapters/sandbox/wechat_client.hpp"

using namespace touchgate;
using namespace touchgate::sandbox;
using namespace touchgate::sandbox::test;

namespace {

struct Platform : WechatClient {
    Platform()
        : WechatClient{R"({"seed": 3, "official_account": {"listen": "127.0.0.1:0", "apps": [
            {"appid": "wx1", "secret": "s1", "original_id": "gh_1", "openids": ["oA", "oB", "oC"], "templates": {"T1": "订单{{order.DATA}}已发货"},
             "callback": {"url": "http://127.0.0.1:1/h", "token": "T", "encoding_aes_key": "Nadx4MUBviQpkF16Kl6krQlSlt9Z4wRJ3eu1BzETSlE"}},
            {"appid": "wxmini", "secret": "s2", "kind": "mini_program", "openids": ["oM"]}]}})"} {
        official_token = token("wx1", "s1");
    }
    std::string token(const std::string& appid, const std::string& secret) {
        return official("GET", "token?grant_type=client_credential&appid=" + appid + "&secret=" + secret).at("access_token").get<std::string>();
    }
    std::vector<OutgoingRequest> taken(int status = 200, const std::string& body = "success") { return callbacks(*playground().official_account(), status, body); }
    void act(const std::string& what, const std::string& openid, Json more = Json::object()) {
        more["act"] = what;
        more["openid"] = openid;
        control("POST", "official_account/act", more);
    }
    std::int64_t custom(const std::string& openid) {
        return errcode(official("POST", "message/custom/send", {{"touser", openid}, {"msgtype", "text"}, {"text", {{"content", "您好"}}}}));
    }
    Json send_template(const std::string& openid, const Json& more = Json::object()) {
        Json body{{"touser", openid}, {"template_id", "T1"}, {"data", {{"order", {{"value", "A7"}}}}}};
        body.update(more);
        return official("POST", "message/template/send", body);
    }
    void renew() { official_token = token("wx1", "s1"); }
};

}  // namespace

TEST_CASE("official account: a new token replaces the old one after an overlap; stable tokens stay apart", "[sandbox]") {
    Platform platform;
    CHECK(errcode(platform.official("GET", "token?grant_type=client_credential&appid=wx1&secret=wrong")) == 40125);
    CHECK(errcode(platform.official("GET", "token?grant_type=client_credential&appid=wxnone&secret=s")) == 40013);
    CHECK(errcode(platform.official("GET", "token?grant_type=other&appid=wx1&secret=s1")) == 40002);
    const auto stable = [&](bool force) {
        return platform.official("POST", "stable_token", {{"grant_type", "client_credential"}, {"appid", "wx1"}, {"secret", "s1"}, {"force_refresh", force}});
    };
    const auto first_stable = stable(false).at("access_token").get<std::string>();
    CHECK(stable(false).at("access_token") == first_stable);
    const auto old = platform.official_token;
    platform.renew();
    const auto fresh = platform.official_token;
    const auto works = [&](const std::string& token) {
        platform.official_token = token;
        return errcode(platform.official("GET", "user/get"));
    };
    CHECK(works(old) == 0);
    platform.pass(5min);
    CHECK(works(old) == 40001);
    CHECK(works(fresh) == 0);
    CHECK(works(first_stable) == 0);
    const auto forced = stable(true).at("access_token").get<std::string>();
    CHECK(works(first_stable) == 40001);
    CHECK(errcode(stable(true)) == 45011);
    platform.pass(1h + 56min);
    const auto renewed = stable(false).at("access_token").get<std::string>();
    CHECK(renewed != forced);
    CHECK(works(forced) == 0);
    CHECK(works("nonsense") == 40014);
    platform.pass(2h);
    CHECK(works(renewed) == 42001);
    CHECK(works("") == 41001);
}

TEST_CASE("official account: a message allows five answers in 48 hours, a menu, follow or scan three in a minute", "[sandbox]") {
    Platform platform;
    CHECK(platform.custom("oA") == 45015);
    platform.act("write", "oA", {{"text", "在吗"}});
    for (int i = 0; i < 5; ++i) CHECK(platform.custom("oA") == 0);
    CHECK(platform.custom("oA") == 45047);
    platform.act("write", "oA", {{"text", "？"}});
    CHECK(platform.custom("oA") == 0);
    platform.behave({{"official_account", {{"message_window", "PT1H"}}}});
    platform.pass(1h);
    CHECK(platform.custom("oA") == 45015);

    const auto act = GENERATE("click", "scan");
    platform.act(act, "oB", {{"key", "MENU"}, {"scene", "expo"}});
    for (int i = 0; i < 3; ++i) CHECK(platform.custom("oB") == 0);
    CHECK(platform.custom("oB") == 45047);
    platform.pass(1min);
    CHECK(platform.custom("oB") == 45015);
}

TEST_CASE("official account: strangers, those who left and those who block", "[sandbox]") {
    Platform platform;
    CHECK(platform.custom("oNobody") == 40003);
    platform.act("click", "oStranger", {{"key", "K"}});
    CHECK(platform.custom("oStranger") == 43004);
    CHECK(errcode(platform.send_template("oStranger")) == 43004);
    platform.act("follow", "oStranger");
    CHECK(platform.custom("oStranger") == 0);
    platform.act("block", "oStranger");
    CHECK(platform.custom("oStranger") == 48002);
    platform.act("unfollow", "oStranger");
    CHECK(platform.custom("oStranger") == 45015);
    CHECK(errcode(platform.send_template("oStranger")) == 43004);
    CHECK(platform.official("GET", "user/info?openid=oStranger") == Json({{"subscribe", 0}, {"openid", "oStranger"}, {"errcode", 0}, {"errmsg", "ok"}}));
}

TEST_CASE("official account: what users do is called back", "[sandbox]") {
    Platform platform;
    platform.act("write", "oA", {{"text", "在吗"}});
    auto xml = opened(platform.taken().at(0), "wx1");
    CHECK(element_text(xml, "ToUserName") == "gh_1");
    CHECK(element_text(xml, "FromUserName") == "oA");
    CHECK(element_text(xml, "Content") == "在吗");
    const auto ticket = platform.official("POST", "qrcode/create", {{"expire_seconds", 600}, {"action_name", "QR_STR_SCENE"}, {"action_info", {{"scene", {{"scene_str", "expo"}}}}}}).at("ticket");
    platform.act("scan", "oA", {{"ticket", ticket}});
    xml = opened(platform.taken().at(0), "wx1");
    CHECK(element_text(xml, "Event") == "SCAN");
    CHECK(element_text(xml, "EventKey") == "expo");
    platform.act("scan", "oNew", {{"ticket", ticket}});
    xml = opened(platform.taken().at(0), "wx1");
    CHECK(element_text(xml, "Event") == "subscribe");
    CHECK(element_text(xml, "EventKey") == "qrscene_expo");
    CHECK(platform.official("GET", "user/info?openid=oNew").at("qr_scene_str") == "expo");
    platform.pass(10min);
    platform.control("POST", "official_account/act", {{"act", "scan"}, {"openid", "oB"}, {"ticket", ticket}}, 422);
}

TEST_CASE("official account: the answer to a callback is a message to the user", "[sandbox]") {
    Platform platform;
    platform.act("write", "oA", {{"text", "在吗"}});
    platform.taken(200, "<xml><ToUserName>oA</ToUserName><FromUserName>gh_1</FromUserName><MsgType>text</MsgType><Content><![CDATA[在]]></Content></xml>");
    CHECK(platform.messages("?kind=reply").at(0).at("text") == "在");
}

TEST_CASE("official account: a template message is reported by an event, and its client id is known again", "[sandbox]") {
    Platform platform;
    const auto sent = platform.send_template("oA", {{"client_msg_id", "c1"}});
    CHECK(errcode(sent) == 0);
    CHECK(platform.send_template("oA", {{"client_msg_id", "c1"}}).at("msgid") == sent.at("msgid"));
    CHECK(platform.messages().size() == 1);
    CHECK(platform.messages().at(0).at("text") == "订单A7已发货");
    CHECK(platform.messages().at(0).at("state") == "accepted");
    platform.pass(1s);
    const auto xml = opened(platform.taken().at(0), "wx1");
    CHECK(element_text(xml, "Event") == "TEMPLATESENDJOBFINISH");
    CHECK(element_text(xml, "MsgID") == std::to_string(sent.at("msgid").get<std::int64_t>()));
    CHECK(element_text(xml, "Status") == "success");
    CHECK(platform.messages().at(0).at("state") == "delivered");
    platform.pass(10min);
    CHECK(platform.send_template("oA", {{"client_msg_id", "c1"}}).at("msgid") != sent.at("msgid"));
    CHECK(errcode(platform.send_template("oA", {{"template_id", "T9"}})) == 40037);
    CHECK(errcode(platform.send_template("oA", {{"data", {{"other", {{"value", "x"}}}}}})) == 47003);
    platform.act("block", "oB");
    CHECK(errcode(platform.send_template("oB")) == 0);
    platform.pass(1s);
    std::set<std::string> states;
    for (const auto& request : platform.taken()) states.insert(element_text(opened(request, "wx1"), "Status").value_or(""));
    CHECK(states.contains("failed:user block"));
}

TEST_CASE("official account: a subscribe message needs an acceptance and uses it up", "[sandbox]") {
    Platform platform;
    const auto send = [&](const std::string& value) {
        return platform.official("POST", "message/subscribe/bizsend", {{"touser", "oA"}, {"template_id", "T1"}, {"data", {{"order", {{"value", value}}}, {"thing1", {{"value", "x"}}}}}});
    };
    CHECK(errcode(send("1")) == 43101);
    platform.act("accept", "oA", {{"template_id", "T1"}});
    CHECK(element_text(opened(platform.taken().at(0), "wx1"), "SubscribeStatusString") == "accept");
    CHECK(errcode(send("1")) == 0);
    CHECK(errcode(send("1")) == 43101);
    platform.pass(1s);
    const auto xml = opened(platform.taken().at(0), "wx1");
    CHECK(element_text(xml, "Event") == "subscribe_msg_sent_event");
    CHECK(element_text(xml, "ErrorStatus") == "success");
    platform.act("accept", "oA", {{"template_id", "T1"}, {"count", -1}});
    for (int i = 0; i < 3; ++i) CHECK(errcode(send("1")) == 0);
    CHECK(errcode(platform.official("POST", "message/subscribe/bizsend", {{"touser", "oA"}, {"template_id", "T1"}, {"data", {{"order", {{"value", "1"}}}, {"thing1", {{"value", std::string(21, 'x')}}}}}})) == 47003);
    platform.act("switch_off", "oA", {{"template_id", "T1"}});
    CHECK(errcode(send("1")) == 43101);
}

TEST_CASE("mini program: who enters allows two messages, and it has its own subscribe call", "[sandbox]") {
    Platform platform;
    platform.official_token = platform.token("wxmini", "s2");
    CHECK(platform.custom("oM") == 45015);
    platform.act("enter", "oM", {{"appid", "wxmini"}, {"scene", "page"}});
    CHECK(platform.custom("oM") == 0);
    CHECK(platform.custom("oM") == 0);
    CHECK(platform.custom("oM") == 45047);
    platform.act("accept", "oM", {{"appid", "wxmini"}, {"template_id", "any"}});
    const Json body{{"touser", "oM"}, {"template_id", "any"}, {"data", {{"thing1", {{"value", "到货"}}}}}};
    CHECK(errcode(platform.official("POST", "message/subscribe/bizsend", body)) == 48001);
    CHECK(errcode(platform.official("POST", "message/subscribe/send", body)) == 0);
}

TEST_CASE("official account: a mass message runs later, once per client id, and ends in one event", "[sandbox]") {
    Platform platform;
    platform.act("block", "oC");
    const Json body{{"touser", {"oA", "oB", "oC"}}, {"msgtype", "text"}, {"text", {{"content", "上新"}}}, {"clientmsgid", "m1"}};
    const auto sent = platform.official("POST", "message/mass/send", body);
    const auto msg_id = sent.at("msg_id").get<std::int64_t>();
    const auto again = platform.official("POST", "message/mass/send", body);
    CHECK(errcode(again) == 45065);
    CHECK(again.at("msg_id") == msg_id);
    CHECK(platform.official("POST", "message/mass/get", {{"msg_id", msg_id}}).at("msg_status") == "SENDING");
    CHECK(platform.messages().empty());
    platform.pass(1s);
    const auto xml = opened(platform.taken().at(0), "wx1");
    CHECK(element_text(xml, "Event") == "MASSSENDJOBFINISH");
    CHECK(element_text(xml, "TotalCount") == "3");
    CHECK(element_text(xml, "SentCount") == "2");
    CHECK(element_text(xml, "ErrorCount") == "1");
    CHECK(platform.messages().size() == 2);
    CHECK(platform.official("POST", "message/mass/get", {{"msg_id", msg_id}}).at("msg_status") == "SEND_SUCCESS");

    // Four in a calendar month; more are filtered out.
    const auto all = [&](int i) { return platform.official("POST", "message/mass/sendall", {{"filter", {{"is_to_all", true}}}, {"msgtype", "text"}, {"text", {{"content", "第" + std::to_string(i)}}}}); };
    for (int i = 0; i < 4; ++i) CHECK(errcode(all(i)) == 0);
    CHECK(errcode(all(3)) == 45065);  // the same range and content
    platform.pass(1s);
    platform.taken();
    CHECK(platform.messages().size() == 8);
    CHECK(errcode(platform.official("POST", "message/mass/send", {{"touser", {"oA"}}, {"msgtype", "text"}, {"text", {{"content", "x"}}}})) == 40130);
}

TEST_CASE("official account: followers come ten thousand a page, tags choose among them", "[sandbox]") {
    WechatClient client{R"({"official_account": {"listen": "127.0.0.1:0", "apps": [{"appid": "wx1", "secret": "s1", "followers": 10001}]}})"};
    client.official_token = client.official("GET", "token?grant_type=client_credential&appid=wx1&secret=s1").at("access_token").get<std::string>();
    const auto first = client.official("GET", "user/get");
    CHECK(first.at("total") == 10001);
    CHECK(first.at("count") == 10000);
    const auto second = client.official("GET", "user/get?next_openid=" + first.at("next_openid").get<std::string>());
    REQUIRE(second.at("count") == 1);
    const auto openid = second.at("data").at("openid").at(0).get<std::string>();
    const auto last = client.official("GET", "user/get?next_openid=" + openid);
    CHECK(last.at("count") == 0);
    CHECK(last.at("next_openid") == "");
    const auto tag = client.official("POST", "tags/create", {{"tag", {{"name", "VIP"}}}}).at("tag").at("id");
    CHECK(errcode(client.official("POST", "tags/create", {{"tag", {{"name", "VIP"}}}})) == 45157);
    CHECK(errcode(client.official("POST", "tags/members/batchtagging", {{"openid_list", {openid}}, {"tagid", tag}})) == 0);
    CHECK(client.official("POST", "user/tag/get", {{"tagid", tag}}).at("data").at("openid") == Json({openid}));
    CHECK(client.official("POST", "tags/getidlist", {{"openid", openid}}).at("tagid_list") == Json({tag}));
    CHECK(errcode(client.official("POST", "tags/delete", {{"tag", {{"id", 2}}}})) == 45058);
    CHECK(errcode(client.official("POST", "message/mass/sendall", {{"filter", {{"tag_id", tag}}}, {"msgtype", "text"}, {"text", {{"content", "x"}}}})) == 0);
    client.pass(1s);
    static_cast<void>(client.playground().official_account()->take_requests(client.now));
    CHECK(client.control("GET", "recipients?via=official_account").at("items") == Json({{{"to", openid}, {"kind", "mass"}, {"count", 1}}}));
}

TEST_CASE("official account: quotas count calls of a day and can be cleared ten times a month", "[sandbox]") {
    Platform platform;
    platform.behave({{"official_account", {{"quotas", {{"/cgi-bin/user/get", 2}}}}}});
    CHECK(errcode(platform.official("GET", "user/get")) == 0);
    CHECK(errcode(platform.official("GET", "user/get")) == 0);
    CHECK(errcode(platform.official("GET", "user/get")) == 45009);
    CHECK(platform.official("POST", "openapi/quota/get", {{"cgi_path", "/cgi-bin/user/get"}}).at("quota").at("remain") == 0);
    CHECK(errcode(platform.official("POST", "clear_quota", {{"appid", "wx1"}})) == 0);
    CHECK(errcode(platform.official("GET", "user/get")) == 0);
    for (int i = 0; i < 9; ++i) CHECK(errcode(platform.official("POST", "clear_quota", {{"appid", "wx1"}})) == 0);
    CHECK(errcode(platform.official("POST", "clear_quota", {{"appid", "wx1"}})) == 48006);
}

TEST_CASE("official account: requests that are none are refused and change nothing", "[sandbox]") {
    Platform platform;
    const auto post = [&](const std::string& path, const std::string& body) {
        return errcode(parse_json(platform.request(*platform.playground().official_account(), "POST", "/cgi-bin/" + path + "?access_token=" + platform.official_token, body).body).value());
    };
    CHECK(post("message/custom/send", "{") == 47001);
    CHECK(post("message/custom/send", "") == 44002);
    CHECK(post("message/custom/send", "[]") == 47001);
    CHECK(post("message/custom/send", R"({"touser":5,"msgtype":{},"text":[]})") == 40003);
    CHECK(post("message/template/send", R"({"touser":"oA","template_id":"T1","data":[]})") == 47003);
    CHECK(post("message/mass/send", R"({"touser":"oA","msgtype":"text","text":{"content":"x"}})") == 40130);
    CHECK(post("user/get", "{}") == 43001);
    CHECK(post("nothing/here", "{}") == 40066);
    CHECK(errcode(platform.official("GET", "message/custom/send")) == 43002);
    CHECK(platform.messages().empty());
}

TEST_CASE("official account: users write back and leave by share", "[sandbox]") {
    Platform platform;
    platform.behave({{"official_account", {{"reply", 1}, {"reply_delay", "PT1S"}, {"replies", {"好的"}}}}});
    platform.act("write", "oA", {{"text", "在吗"}});
    platform.taken();
    CHECK(platform.custom("oA") == 0);
    platform.pass(1s);
    CHECK(element_text(opened(platform.taken().at(0), "wx1"), "Content") == "好的");
    platform.behave({{"official_account", {{"leave", 1}}}});
    CHECK(platform.custom("oA") == 0);
    platform.pass(1s);
    CHECK(element_text(opened(platform.taken().at(0), "wx1"), "Event") == "unsubscribe");
}

TEST_CASE("official account: follows, messages, scans and clicks happen by themselves at the rates asked for, the same for one seed", "[sandbox]") {
    const auto run = [] {
        Platform platform;
        platform.official("POST", "qrcode/create", {{"action_name", "QR_LIMIT_STR_SCENE"}, {"action_info", {{"scene", {{"scene_str", "shop"}}}}}});
        platform.behave({{"official_account", {{"follows", 2}, {"writes", 2}, {"scans", 2}, {"clicks", 2}}}});
        platform.control("GET", "official_account/people");
        std::map<std::string, int> events;
        for (int i = 0; i < 1'000; ++i) {
            platform.pass(100ms);
            for (const auto& request : platform.taken()) {
                const auto xml = opened(request, "wx1");
                ++events[element_text(xml, "Event").value_or("text")];
            }
        }
        return events;
    };
    const auto events = run();
    for (const auto* name : {"subscribe", "text", "SCAN", "CLICK"}) {
        INFO(name << " " << events.at(name));
        CHECK(events.at(name) > 50);
    }
    CHECK(events.at("CLICK") < 400);
    CHECK(run() == events);
}

TEST_CASE("wechat settings: every mistake is named by its pointer", "[sandbox]") {
    std::vector<Problem> problems;
    static_cast<void>(read_settings(parse_json(R"({"wecom": {"corpid": "ww1", "customers": 5, "apps": [{"agentid": 0, "secret": "s", "callback": {"url": "https://x", "token": "T", "encoding_aes_key": "short"}}], "x": 1},
        "official_account": {"apps": [{"appid": "wx1", "kind": "shop", "templates": {"T": 1}}]}, "behaviour": {"wecom": {"press": 2}, "official_account": {"quotas": {"/x": -1}}}})").value(), "/sandbox", problems));
    std::set<std::string> pointers;
    for (const auto& problem : problems) pointers.insert(problem.pointer);
    CHECK(pointers == std::set<std::string>{"/sandbox/wecom/apps/0/agentid", "/sandbox/wecom/apps/0/callback/url", "/sandbox/wecom/apps/0/callback/encoding_aes_key", "/sandbox/wecom/members",
                                            "/sandbox/wecom/x", "/sandbox/official_account/apps/0/secret", "/sandbox/official_account/apps/0/kind", "/sandbox/official_account/apps/0/templates/T",
                                            "/sandbox/behaviour/wecom/press", "/sandbox/behaviour/official_account/quotas/~1x"});
}
