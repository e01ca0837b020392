#include "adapters/wecom_kf/messages.hpp"

#include "adapters/wecom_kf/sending.hpp"
#include "tests/unit/adapters/wecom_kf/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using namespace touchgate::adapters::wecom_kf;
using test::answered;
using test::make_kf;
using Reach = ProviderEvent::Reach;
using namespace std::chrono_literals;

namespace {

Json entry(const std::string& kind, const Json& object, int origin = 3) {
    return {{"msgid", "kfmsg-1"}, {"open_kfid", "wk1"}, {"external_userid", "wm1"}, {"send_time", 1'893'456'000}, {"origin", origin}, {"msgtype", kind}, {kind, object}};
}

// As events come: the customer stands in the event itself.
Json event_entry(Json event) {
    event["open_kfid"] = "wk1";
    event["external_userid"] = "wm1";
    return {{"msgid", "kfev-1"}, {"send_time", 1'893'456'000}, {"origin", 4}, {"msgtype", "event"}, {"event", std::move(event)}};
}

PulledPage read(const Json& list) { return read_messages("c1", answered({{"errcode", 0}, {"next_cursor", "c2"}, {"has_more", 0}, {"msg_list", list}})); }

ProviderEvent only_event(const Json& one) {
    const auto page = read(Json::array({one}));
    REQUIRE(page.events.events.size() == 1);
    REQUIRE(page.events.messages.empty());
    REQUIRE(page.events.receipts.empty());
    return page.events.events.front();
}

}  // namespace

TEST_CASE("Messages are asked for from the cursor, with the callback's token if there is one") {
    const auto made = make_kf();
    REQUIRE(made.adapter->pulls().size() == 1);
    CHECK(made.adapter->pulls().front().every == Duration{5min});
    const auto request = made.adapter->pull("messages", "c1", "TOKEN-1", test::with_token(*made.adapter), test::now_context());
    CHECK(request.url == "http://127.0.0.1:9/cgi-bin/kf/sync_msg?access_token=TOKEN");
    CHECK(test::body_of(request) == Json{{"cursor", "c1"}, {"token", "TOKEN-1"}, {"limit", 1'000}, {"voice_format", 0}, {"open_kfid", "wkSYNTH00000000000000001"}});
    CHECK(test::body_of(made.adapter->pull("messages", "", "", {}, test::now_context())) == Json{{"limit", 1'000}, {"voice_format", 0}, {"open_kfid", "wkSYNTH00000000000000001"}});
}

TEST_CASE("Pages follow one another while there is more, even if one is empty") {
    const auto more = read_messages("c1", answered({{"errcode", 0}, {"next_cursor", "c2"}, {"has_more", 1}, {"msg_list", Json::array()}}));
    CHECK(more.more);
    CHECK(more.cursor == "c2");
    const auto last = read_messages("c2", answered({{"errcode", 0}, {"next_cursor", "c3"}, {"has_more", 0}, {"msg_list", Json::array()}}));
    CHECK_FALSE(last.more);
    CHECK(last.cursor == "c3");
    // Without a step forward it would go on without end.
    CHECK_FALSE(read_messages("c2", answered({{"errcode", 0}, {"next_cursor", "c2"}, {"has_more", 1}})).more);
    CHECK(read_messages("c2", answered({{"errcode", 0}, {"next_cursor", ""}, {"has_more", 1}})).cursor == "c2");
}

TEST_CASE("An expired token does no harm: the cursor stays and the next pull goes without") {
    const auto page = read_messages("c1", test::refused(95007));
    CHECK_FALSE(page.failed);
    CHECK_FALSE(page.more);
    CHECK(page.cursor == "c1");
    CHECK(page.events.messages.empty());
}

TEST_CASE("A cursor that WeCom has forgotten begins anew, once") {
    const auto page = read_messages("c1", test::refused(50100));
    CHECK_FALSE(page.failed);
    CHECK(page.more);
    CHECK(page.cursor.empty());
    CHECK(read_messages("", test::refused(50100)).failed);
}

TEST_CASE("An answer that cannot be used leaves the cursor alone") {
    for (const auto& response : {test::refused(-1), test::refused(95000), answered(Json::object()), answered(Json::array()), HttpResponse{.status = 500, .headers = {}, .body = ""}})
        CHECK(read_messages("c1", response).failed);
    CHECK(read_messages("c1", test::refused(45009)).retry_after == Duration{1min});
}

TEST_CASE("A customer's words are a message") {
    const auto page = read(Json::array({entry("text", {{"content", "在吗"}, {"menu_id", "101"}})}));
    REQUIRE(page.events.messages.size() == 1);
    const auto& message = page.events.messages.front();
    CHECK(message.from == "wm1");
    CHECK(message.to == "wk1");
    CHECK(message.text == "在吗");
    CHECK(message.kind == "text");
    CHECK(message.provider_id == "kfmsg-1");
    CHECK(message.at == from_unix_ms(1'893'456'000'000));
    CHECK(parse_json(message.body_json).value() == Json{{"menu_id", "101"}});
}

TEST_CASE("Every kind of message is kept with its members, also kinds that are new") {
    const auto kind = GENERATE("image", "voice", "video", "file", "location", "link", "business_card", "miniprogram", "msgmenu", "channels_shop_product",
                               "channels_shop_order", "channels", "merged_msg", "note_of_the_future");
    const auto page = read(Json::array({entry(kind, {{"media_id", "m1"}})}));
    REQUIRE(page.events.messages.size() == 1);
    CHECK(page.events.messages.front().kind == kind);
    CHECK(parse_json(page.events.messages.front().body_json).value() == Json{{"media_id", "m1"}});
}

TEST_CASE("What an employee writes in WeCom's client is an event, not a customer's message") {
    auto written = entry("text", {{"content", "您好"}}, 5);
    written["servicer_userid"] = "agent.lin";
    const auto event = only_event(written);
    CHECK(event.kind == "kf.servicer_message");
    CHECK(event.employee == "agent.lin");
    CHECK(event.from == "wm1");
    CHECK(event.act.empty());
}

TEST_CASE("Who enters tells where from, and may be greeted once within 15 seconds") {
    const auto event = only_event(event_entry({{"event_type", "enter_session"}, {"scene", "oa_menu"}, {"scene_param", "p=1"}, {"welcome_code", "WC-1"}}));
    CHECK(event.kind == "enter");
    CHECK(event.act == "enter");
    CHECK(event.from == "wm1");
    CHECK(event.source == "oa_menu");
    CHECK(event.ref == "p=1");
    CHECK(event.reply_code == "WC-1");
    CHECK(event.reply_within == Duration{15s});
    CHECK(event.id == "kfev-1");
    CHECK(event.body_json.find("WC-1") == std::string::npos);
    CHECK(event.name == "kf.enter_session");
    CHECK(only_event(event_entry({{"event_type", "enter_session"}})).reply_within == Duration{0});
}

TEST_CASE("A message of ours that failed is a receipt under our id, with the reason") {
    const auto [type, status, reason] = GENERATE(table<int, ReceiptStatus, std::string>({{0, ReceiptStatus::failed, "unknown"},
                                                                                         {4, ReceiptStatus::failed, "session_over_48_hours"},
                                                                                         {6, ReceiptStatus::failed, "over_5_messages"},
                                                                                         {10, ReceiptStatus::recipient_refuses, "refused_by_user"},
                                                                                         {12, ReceiptStatus::failed, "kind_not_allowed"},
                                                                                         {99, ReceiptStatus::failed, "unknown"}}));
    const auto page = read(Json::array({event_entry({{"event_type", "msg_send_fail"}, {"fail_msgid", message_id(test::to_customer("wm1"))}, {"fail_type", type}})}));
    CHECK(page.events.events.empty());
    REQUIRE(page.events.receipts.size() == 1);
    const auto& receipt = page.events.receipts.front();
    CHECK(receipt.provider_ids == std::vector<std::string>{message_id(test::to_customer("wm1"))});
    CHECK(receipt.status == status);
    CHECK(receipt.reason == reason);
    CHECK(receipt.kind == "kf.msg_send_fail");
    CHECK(receipt.at == from_unix_ms(1'893'456'000'000));
}

TEST_CASE("A customer who switches messages off refuses, and who switches them on is reachable") {
    CHECK(only_event(event_entry({{"event_type", "reject_customer_msg_switch_change"}, {"reject_switch", 1}})).reach == Reach::refuses);
    CHECK(only_event(event_entry({{"event_type", "reject_customer_msg_switch_change"}, {"reject_switch", 0}})).reach == Reach::reachable);
    CHECK(only_event(event_entry({{"event_type", "reject_customer_msg_switch_change"}})).reach == Reach::unchanged);
}

TEST_CASE("What happens to a session is told with the employee; its code is for whoever reads the event, not for a greeting") {
    const auto ended = only_event(event_entry({{"event_type", "session_status_change"}, {"change_type", 3}, {"old_servicer_userid", "a"}, {"msg_code", "MC-1"}}));
    CHECK(ended.kind == "kf.session_status_change");
    CHECK(ended.ref == "3");
    CHECK(ended.reply_code.empty());
    CHECK(parse_json(ended.body_json).value().at("event").at("msg_code") == "MC-1");
    const auto taken = only_event(event_entry({{"event_type", "session_status_change"}, {"change_type", 1}, {"new_servicer_userid", "b"}, {"msg_code", "MC-2"}}));
    CHECK(taken.employee == "b");
    CHECK(only_event(event_entry({{"event_type", "user_recall_msg"}, {"recall_msgid", "m9"}})).ref == "m9");
    CHECK(only_event(event_entry({{"event_type", "servicer_status_change"}, {"servicer_userid", "a"}, {"status", 2}})).employee == "a");
}

TEST_CASE("Entries that nobody understands are kept as unknown") {
    for (const auto& one : {event_entry({{"event_type", "of_the_future"}}), Json::object(), Json{{"msgtype", "text"}}, entry("text", {{"content", "x"}}, 7),
                            event_entry({{"event_type", "msg_send_fail"}}), Json{{"msgtype", 5}, {"msgid", "m"}}, Json(nullptr), Json("x")}) {
        const auto event = only_event(one);
        CHECK(event.kind == "unknown");
        CHECK_FALSE(event.id.empty());
        CHECK(event.reach == Reach::unchanged);
    }
}

TEST_CASE("An event without an id of its own has one of its contents") {
    auto old = event_entry({{"event_type", "enter_session"}});
    old.erase("msgid");
    CHECK(only_event(old).id.size() == 64);
    CHECK(only_event(old).id == only_event(old).id);
}
