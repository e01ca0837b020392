// Every recorded message and event of the platform, from the encrypted request to what the gateway learns.
#include <filesystem>

#include "adapters/wechat/callback.hpp"
#include "adapters/wechat/official_events.hpp"
#include "gateway/base/text.hpp"
#include "tests/unit/adapters/official_account/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using Reach = ProviderEvent::Reach;

namespace {

WebhookEvents events_of(const std::string& text) {
    static const auto made = test::make(test::basic_settings());
    const auto answer = test::push(*made.adapter, text);
    CHECK(answer.status == 200);
    CHECK(answer.body == "success");
    CHECK(answer.content_type == "text/plain");
    CHECK(answer.refusal.empty());
    return answer.events;
}

ProviderEvent event_of(const std::string& file) {
    const auto events = events_of(test::callback_text(file));
    REQUIRE(events.events.size() == 1);
    CHECK(events.messages.empty());
    CHECK(events.receipts.empty());
    return events.events[0];
}

InboundMessage message_of(const std::string& file) {
    const auto events = events_of(test::callback_text(file));
    REQUIRE(events.messages.size() == 1);
    CHECK(events.events.empty());
    CHECK(events.messages[0].from == test::openid);
    CHECK(events.messages[0].to == "gh_0123456789ab");
    return events.messages[0];
}

Receipt receipt_of(const std::string& file) {
    const auto events = events_of(test::callback_text(file));
    REQUIRE(events.receipts.size() == 1);
    CHECK(events.messages.empty());
    return events.receipts[0];
}

std::string event_xml(const std::string& event, const std::string& more) {
    return "<xml><FromUserName>o1</FromUserName><CreateTime>1893456000</CreateTime><MsgType>event</MsgType><Event>" + event + "</Event>" + more +
           "</xml>";
}

}  // namespace

TEST_CASE("callbacks: what a customer does becomes an event with what it opens and changes", "[official_account]") {
    struct Row {
        std::string file, kind, act, source, ref;
        Reach reach;
        std::int64_t at;
    };
    for (const auto& row : std::vector<Row>{
             {"event.subscribe.xml", "follow", "follow", "", "", Reach::reachable, 1893456153},
             {"event.subscribe.qrscene.xml", "follow", "follow", "expo_2030_b12", "qrscene_expo_2030_b12", Reach::reachable, 1893456154},
             {"event.unsubscribe.xml", "unfollow", "", "", "", Reach::refuses, 1893456155},
             {"event.SCAN.xml", "scan", "scan", "expo_2030_b12", "expo_2030_b12", Reach::unchanged, 1893456156},
             {"event.CLICK.xml", "click", "menu", "", "MENU_HELP", Reach::unchanged, 1893456157},
             {"event.VIEW.xml", "view", "", "", "https://shop.example.test/", Reach::unchanged, 1893456158},
             {"event.view_miniprogram.xml", "view_miniprogram", "", "", "pages/index/index", Reach::unchanged, 1893456159},
             {"event.LOCATION.xml", "location", "", "", "", Reach::unchanged, 1893456160},
             {"event.scancode_waitmsg.xml", "scancode_waitmsg", "menu", "", "MENU_SCAN", Reach::unchanged, 1893456161},
             {"event.unknown.xml", "unknown", "", "", "", Reach::unchanged, 1893456171},
         }) {
        INFO(row.file);
        const auto event = event_of(row.file);
        CHECK(event.kind == row.kind);
        CHECK(event.name == to_lower_ascii(adapters::wechat::read_xml(test::callback_text(row.file))->text_of("Event")));
        CHECK(event.from == test::openid);
        CHECK(event.act == row.act);
        CHECK(event.source == row.source);
        CHECK(event.ref == row.ref);
        CHECK(event.reach == row.reach);
        CHECK(event.at == from_unix_ms(row.at * 1000));
        CHECK(event.id.size() == 64);
        CHECK(event.refused.empty());
        CHECK(parse_json(event.body_json).value().at("FromUserName") == test::openid);
    }
    CHECK(parse_json(event_of("event.scancode_waitmsg.xml").body_json).value().at("ScanCodeInfo").at("ScanResult") == "SN-000123");
}

TEST_CASE("callbacks: exactly one qrscene_ is the platform's", "[official_account]") {
    const auto source = [](const std::string& event, const std::string& key) {
        return events_of(event_xml(event, "<EventKey>" + key + "</EventKey>")).events.at(0).source;
    };
    CHECK(source("subscribe", "qrscene_qrscene_x") == "qrscene_x");
    CHECK(source("subscribe", "qrscene_123") == "123");
    CHECK(source("subscribe", "last_trade_no_1") == "");
    CHECK(source("SCAN", "qrscene_x") == "qrscene_x");
    CHECK(source("CLICK", "qrscene_x") == "");
}

TEST_CASE("callbacks: the case of an event's name matters, and what is not known stays unknown", "[official_account]") {
    for (const auto* event : {"scan", "click", "Subscribe", "", "some_future_event", "change_external_contact"})
        CHECK(events_of(event_xml(event, "")).events.at(0).kind == "unknown");
    CHECK(events_of("<xml><MsgType>event</MsgType><Event>subscribe</Event></xml>").events.at(0).kind == "unknown");  // from nobody
    CHECK(events_of("<xml><FromUserName>o1</FromUserName></xml>").events.at(0).kind == "unknown");
    CHECK(events_of("<xml><FromUserName>o1</FromUserName><MsgType>a b</MsgType></xml>").events.at(0).kind == "unknown");
    CHECK(events_of("<xml><MsgType>text</MsgType><Content>x</Content></xml>").events.at(0).kind == "unknown");
    CHECK(events_of(event_xml("kf_create_session", "<KfAccount>a@b</KfAccount>")).events.at(0).employee == "a@b");
    CHECK(events_of(event_xml("kf_switch_session", "<FromKfAccount>a@b</FromKfAccount><ToKfAccount>c@b</ToKfAccount>")).events.at(0).employee ==
          "c@b");
    CHECK(events_of(event_xml("user_authorization_revoke", "")).events.at(0).kind == "user_authorization_revoke");
}

TEST_CASE("callbacks: a text is a message, also the answer to a menu", "[official_account]") {
    const auto text = message_of("message.text.xml");
    CHECK(text.kind == "text");
    CHECK(text.text == "请问营业时间？");
    CHECK(text.provider_id == "24000000000000101");
    CHECK(text.body_json.empty());
    CHECK(text.at == from_unix_ms(1893456144'000));
    const auto reply = message_of("message.text.menu_reply.xml");
    CHECK(reply.text == "满意");
    CHECK(reply.body_json == R"({"bizmsgmenuid":"101"})");
}

TEST_CASE("callbacks: other messages keep the platform's members", "[official_account]") {
    struct Row {
        std::string file, kind, text;
        Json body;
    };
    for (const auto& row : std::vector<Row>{
             {"message.image.xml", "image", "", {{"PicUrl", "https://img.example.test/p/4.jpg"}, {"MediaId", "MEDIA-SYNTH-IMG-4"}}},
             {"message.voice.xml", "voice", "", {{"MediaId", "MEDIA-SYNTH-VOICE-4"}, {"Format", "amr"}}},
             {"message.voice.recognition.xml",
              "voice",
              "我要退货",
              {{"MediaId", "MEDIA-SYNTH-VOICE-5"}, {"Format", "amr"}, {"Recognition", "我要退货"}}},
             {"message.video.xml", "video", "", {{"MediaId", "MEDIA-SYNTH-VIDEO-4"}, {"ThumbMediaId", "MEDIA-SYNTH-THUMB-4"}}},
             {"message.shortvideo.xml", "shortvideo", "", {{"MediaId", "MEDIA-SYNTH-VIDEO-5"}, {"ThumbMediaId", "MEDIA-SYNTH-THUMB-5"}}},
             {"message.location.xml",
              "location",
              "",
              {{"Location_X", "31.230400"}, {"Location_Y", "121.473700"}, {"Scale", "20"}, {"Label", "示例路 1 号"}}},
             {"message.link.xml", "link", "", {{"Title", "产品手册"}, {"Description", "第二版"}, {"Url", "https://docs.example.test/m"}}},
         }) {
        INFO(row.file);
        const auto message = message_of(row.file);
        CHECK(message.kind == row.kind);
        CHECK(message.text == row.text);
        CHECK(parse_json(message.body_json).value() == row.body);
        CHECK_FALSE(message.provider_id.empty());
        CHECK(message.fingerprint.empty());
    }
    const auto without_id = events_of("<xml><FromUserName>o1</FromUserName><MsgType>text</MsgType><Content>x</Content></xml>").messages.at(0);
    CHECK(without_id.provider_id.empty());
    CHECK_FALSE(without_id.fingerprint.empty());
}

TEST_CASE("callbacks: the end of a message is a receipt", "[official_account]") {
    struct Row {
        std::string file, id;
        ReceiptStatus status;
        std::string reason, destination;
    };
    for (const auto& row : std::vector<Row>{
             {"event.TEMPLATESENDJOBFINISH.success.xml", "300000001", ReceiptStatus::delivered, "", test::openid},
             {"event.TEMPLATESENDJOBFINISH.user_block.xml", "300000001", ReceiptStatus::recipient_refuses, "user_block", test::openid},
             {"event.TEMPLATESENDJOBFINISH.system_failed.xml", "300000001", ReceiptStatus::failed, "system_failed", test::openid},
             {"event.MASSSENDJOBFINISH.success.xml", "1000000001", ReceiptStatus::delivered, "", ""},
             {"event.MASSSENDJOBFINISH.err.xml", "1000000002", ReceiptStatus::failed, "err(30003)", ""},
             {"event.subscribe_msg_sent_event.success.xml", "1700000000000000001", ReceiptStatus::delivered, "", test::openid},
             {"event.subscribe_msg_sent_event.failed.xml", "1700000000000000002", ReceiptStatus::recipient_refuses, "user_refused", test::openid},
         }) {
        INFO(row.file);
        const auto receipt = receipt_of(row.file);
        CHECK(receipt.provider_ids == std::vector<std::string>{row.id});
        CHECK(receipt.status == row.status);
        CHECK(receipt.reason == row.reason);
        CHECK(receipt.destination == row.destination);
        CHECK(receipt.at.has_value());
        CHECK(receipt.kind == to_lower_ascii(adapters::wechat::read_xml(test::callback_text(row.file))->text_of("Event")));
        CHECK(events_of(test::callback_text(row.file)).events.empty());
    }
    const auto counted = parse_json(receipt_of("event.MASSSENDJOBFINISH.success.xml").body_json).value();
    CHECK(counted.at("SentCount") == "75");
    CHECK_FALSE(counted.contains("FromUserName"));  // the administrator
    CHECK(receipt_of("event.TEMPLATESENDJOBFINISH.success.xml").body_json.empty());
}

TEST_CASE("callbacks: a status is read without regard to blanks and case", "[official_account]") {
    const auto status = [](const std::string& text) {
        return events_of(event_xml("TEMPLATESENDJOBFINISH", "<MsgID>1</MsgID><Status>" + text + "</Status>")).receipts.at(0).status;
    };
    CHECK(status("Success") == ReceiptStatus::delivered);
    CHECK(status(" suc cess ") == ReceiptStatus::delivered);
    CHECK(status("failed: user block") == ReceiptStatus::recipient_refuses);
    CHECK(status("FAILED:User Block") == ReceiptStatus::recipient_refuses);
    CHECK(status("failed: system failed") == ReceiptStatus::failed);
    CHECK(status("whatever") == ReceiptStatus::failed);
    CHECK(status("") == ReceiptStatus::failed);
    CHECK(events_of(event_xml("TEMPLATESENDJOBFINISH", "<Status>success</Status>")).events.at(0).kind == "unknown");  // of no message
    CHECK(adapters::wechat::bare_status("failed: System\tFailed ") == "failed:systemfailed");
}

TEST_CASE("callbacks: one answer about several templates is one event, and only switching them off is a refusal", "[official_account]") {
    const auto popup = events_of(test::callback_text("event.subscribe_msg_popup_event.xml")).events;
    REQUIRE(popup.size() == 1);
    CHECK(popup[0].kind == "subscription_changed");
    CHECK(popup[0].name == "subscribe_msg_popup_event");
    CHECK(popup[0].ref == "TPL-SYNTH-0001,TPL-SYNTH-0002");
    CHECK(popup[0].id.size() == 64);
    CHECK(popup[0].reach == Reach::unchanged);
    const auto one = [](const std::string& status) {
        return events_of(event_xml("subscribe_msg_popup_event", "<SubscribeMsgPopupEvent><List><TemplateId>T</TemplateId><SubscribeStatusString>" + status +
                                                                    "</SubscribeStatusString></List></SubscribeMsgPopupEvent>"))
            .events.at(0);
    };
    CHECK(one("accept").kind == "subscription_accepted");
    CHECK(one("accept").name == "subscribe_msg_popup_event.accept");
    CHECK(one("reject").kind == "subscription_rejected");
    CHECK(one("reject").name == "subscribe_msg_popup_event.reject");
    CHECK(one("reject").ref == "T");
    CHECK(one("perhaps").kind == "unknown");
    const auto change = event_of("event.subscribe_msg_change_event.xml");
    CHECK(change.kind == "subscription_rejected");
    CHECK(change.reach == Reach::refuses);
    CHECK(change.from == test::openid);
    CHECK(
        events_of(event_xml("subscribe_msg_change_event",
                            "<SubscribeMsgChangeEvent><List><SubscribeStatusString>accept</SubscribeStatusString></List></SubscribeMsgChangeEvent>"))
            .events.at(0)
            .reach == Reach::reachable);
    CHECK(events_of(event_xml("subscribe_msg_change_event", "")).events.at(0).kind == "unknown");
}

TEST_CASE("callbacks: every recorded body is read, and a repeat has the same id", "[official_account]") {
    int seen = 0;
    for (const auto& entry : std::filesystem::directory_iterator{TOUCHGATE_SOURCE_DIR "/adapters/official_account/fixtures/callbacks"}) {
        const auto name = entry.path().filename().string();
        INFO(name);
        ++seen;
        const auto text = test::callback_text(name);
        const auto first = events_of(text);
        const auto again = events_of(text);
        for (std::size_t i = 0; i < first.events.size(); ++i) CHECK(first.events[i].id == again.events.at(i).id);
        if (name.starts_with("passive_reply")) {
            CHECK(adapters::wechat::read_xml(text)->text_of("FromUserName") == "gh_0123456789ab");
            continue;
        }
        CHECK(first.events.size() + first.messages.size() + first.receipts.size() >= 1);
    }
    CHECK(seen == 36);
}

TEST_CASE("callbacks: an official account writes XML only", "[official_account]") {
    auto request = test::sealed(test::platform_settings(), R"({"MsgType":"text"})", from_unix_ms(1893456200'000), "&encrypt_type=aes");
    request.body = R"({"ToUserName":"gh_1","Encrypt":"AAAA"})";
    CHECK(test::make(test::basic_settings()).adapter->receive(request).status == 400);
}

TEST_CASE("callbacks: an account without token and key has no hook", "[official_account]") {
    auto settings = test::basic_settings();
    settings.erase("token");
    settings.erase("encoding_aes_key");
    const auto made = test::make(settings);
    CHECK(made.problems.empty());
    CHECK(test::push(*made.adapter, test::callback_text("message.text.xml")).status == 404);
    CHECK_FALSE(made.adapter->capabilities().inbound);
    CHECK_FALSE(made.adapter->capabilities().receipts);
}
