#include "adapters/wecom_common/events.hpp"

#include <filesystem>

#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"
#include "tests/unit/adapters/wecom_common/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using adapters::wechat::Callback;
using adapters::wecom_common::read_corp_callback;
using Reach = ProviderEvent::Reach;
using namespace std::chrono_literals;

namespace {

WebhookEvents read_text(const std::string& text) {
    auto message = adapters::wechat::read_xml(text);
    REQUIRE(message);
    Callback callback{.text = text, .message = std::move(*message), .at = {}};
    callback.at = adapters::wechat::read_unix_time(callback["CreateTime"]);
    return read_corp_callback(callback);
}

WebhookEvents read(const std::string& name) { return read_text(test::callback_text(name)); }

const ProviderEvent& only_event(const WebhookEvents& events) {
    REQUIRE(events.events.size() == 1);
    REQUIRE(events.messages.empty());
    REQUIRE(events.receipts.empty());
    return events.events.front();
}

Json body_of(const ProviderEvent& event) { return parse_json(event.body_json).value(); }

}  // namespace

TEST_CASE("A customer who adds an employee is a follow with source, employee and a code that lives 15 seconds") {
    const auto events = read("change_external_contact.add_external_contact.xml");
    const auto& event = only_event(events);
    CHECK(event.kind == "follow");
    CHECK(event.from == "wmSYNTH0000000000000000000000001");
    CHECK(event.employee == "agent.lin");
    CHECK(event.source == "lead_qr_0007");
    CHECK(event.reply_code == "WC-SYNTH-0001");
    CHECK(event.reply_within == Duration{15s});
    CHECK(event.reach == Reach::reachable);
    CHECK(event.act.empty());
    CHECK(event.at == from_unix_ms(1'893'456'101'000));
    CHECK(events.topic.empty());
    CHECK(event.name == "change_external_contact.add_external_contact");
}

TEST_CASE("An event's id is the hash of its plain text, so that a repeat shares it") {
    const auto text = test::callback_text("change_external_contact.add_external_contact.xml");
    CHECK(only_event(read_text(text)).id == to_hex(crypto::view(crypto::sha256(text))));
}

TEST_CASE("Codes that the gateway uses itself are not kept in the event's body") {
    CHECK(only_event(read("change_external_contact.add_external_contact.xml")).body_json.find("WC-SYNTH") == std::string::npos);
    CHECK(only_event(read("kf_msg_or_event.xml")).body_json.find("ENCSYNTHTOKEN") == std::string::npos);
}

TEST_CASE("Without a welcome code there is nothing to answer within") {
    const auto events = read("change_external_contact.add_external_contact.no_welcome_code.xml");
    const auto& event = only_event(events);
    CHECK(event.kind == "follow");
    CHECK(event.reply_code.empty());
    CHECK(event.reply_within == Duration{0});
}

TEST_CASE("Who deletes or is deleted is an unfollow of that employee; who is handed over stays reachable") {
    const auto [name, reach, ref] = GENERATE(table<std::string, Reach, std::string>({{"del_external_contact", Reach::refuses, ""},
                                                                                     {"del_follow_user", Reach::refuses, ""},
                                                                                     {"del_external_contact.by_transfer", Reach::unchanged, "DELETE_BY_TRANSFER"}}));
    const auto events = read("change_external_contact." + name + ".xml");
    const auto& event = only_event(events);
    CHECK(event.kind == "unfollow");
    CHECK(event.reach == reach);
    CHECK(event.ref == ref);
    CHECK(event.employee == "agent.lin");
}

TEST_CASE("Every other known event keeps WeCom's own name") {
    const auto [file, kind, from, ref, topic] = GENERATE(table<std::string, std::string, std::string, std::string, std::string>({
        {"change_external_contact.edit_external_contact", "change_external_contact.edit_external_contact", "wmSYNTH0000000000000000000000001", "", ""},
        {"change_external_contact.transfer_fail.refused", "change_external_contact.transfer_fail", "wmSYNTH0000000000000000000000001", "customer_refused", ""},
        {"change_external_contact.transfer_fail.limit", "change_external_contact.transfer_fail", "wmSYNTH0000000000000000000000002", "customer_limit_exceed", ""},
        {"change_external_contact.msg_audit_approved", "change_external_contact.msg_audit_approved", "wmSYNTH0000000000000000000000001", "", ""},
        {"change_external_chat.create", "change_external_chat.create", "", "wrSYNTH0000000000000000000000001", "groups"},
        {"change_external_chat.dismiss", "change_external_chat.dismiss", "", "wrSYNTH0000000000000000000000001", "groups"},
        {"change_external_chat.update.change_owner", "change_external_chat.update.change_owner", "", "wrSYNTH0000000000000000000000001", "groups"},
        {"change_external_chat.update.change_name", "change_external_chat.update.change_name", "", "wrSYNTH0000000000000000000000001", "groups"},
        {"change_external_chat.update.change_notice", "change_external_chat.update.change_notice", "", "wrSYNTH0000000000000000000000001", "groups"},
        {"change_external_tag.create.tag", "change_external_tag.create", "", "etSYNTH0000000000000000000000001", ""},
        {"change_external_tag.create.tag_group", "change_external_tag.create", "", "etSYNTH0000000000000000000000G01", ""},
        {"change_external_tag.update", "change_external_tag.update", "", "etSYNTH0000000000000000000000001", ""},
        {"change_external_tag.delete", "change_external_tag.delete", "", "etSYNTH0000000000000000000000001", ""},
        {"change_external_tag.shuffle", "change_external_tag.shuffle", "", "etSYNTH0000000000000000000000G01", ""},
        {"kf_account_auth_change", "kf_account_auth_change", "", "", ""},
        {"enter_agent", "enter_agent", "agent.lin", "", "app"},
        {"subscribe", "subscribe", "agent.lin", "", "app"},
        {"unsubscribe", "unsubscribe", "agent.lin", "", "app"},
        {"click", "click", "agent.lin", "MENU_TICKETS", "app"},
        {"view", "view", "agent.lin", "https://desk.example.test/tickets", "app"},
        {"location_report", "location", "agent.lin", "", "app"},
        {"template_card_event.button_interaction", "template_card_event", "agent.lin", "accept", "app"},
        {"template_card_menu_event", "template_card_menu_event", "agent.lin", "snooze", "app"},
    }));
    const auto events = read(file + ".xml");
    const auto& event = only_event(events);
    CHECK(event.kind == kind);
    CHECK(event.from == from);
    CHECK(event.ref == ref);
    CHECK(event.reach == Reach::unchanged);
    CHECK(events.topic == topic);
    CHECK(event.name == kind);
}

TEST_CASE("An agreement to archiving brings a code for a welcome message") {
    const auto events = read("change_external_contact.msg_audit_approved.xml");
    CHECK(only_event(events).reply_code == "WC-SYNTH-0003");
    CHECK(only_event(events).reply_within == Duration{15s});
}

TEST_CASE("The members who joined or left a group are read in both forms of the list") {
    const auto [file, members] = GENERATE(table<std::string, Json>({
        {"add_member", Json{"wmSYNTH0000000000000000000000001", "wmSYNTH0000000000000000000000002"}},
        {"add_member.legacy_list", Json{"wmSYNTH0000000000000000000000001", "wmSYNTH0000000000000000000000002"}},
        {"del_member", Json{"wmSYNTH0000000000000000000000002"}},
    }));
    const auto events = read("change_external_chat.update." + file + ".xml");
    CHECK(body_of(only_event(events)).at("members") == members);
    REQUIRE(events.pulls.size() == 1);
    CHECK(events.pulls.front().name == "groups");
    CHECK(events.pulls.front().hint == "wrSYNTH0000000000000000000000001");
}

TEST_CASE("A group event without a list of members has none, and a dissolved group is not asked for") {
    CHECK_FALSE(body_of(only_event(read("change_external_chat.update.add_member.no_list.xml"))).contains("members"));
    CHECK(read("change_external_chat.dismiss.xml").pulls.empty());
}

TEST_CASE("Customer service's callback asks its account to pull with the token") {
    const auto events = read("kf_msg_or_event.xml");
    CHECK(only_event(events).kind == "kf_msg_or_event");
    CHECK(events.topic == "kf:wkSYNTH00000000000000001");
    REQUIRE(events.pulls.size() == 1);
    CHECK(events.pulls.front().name == "messages");
    CHECK(events.pulls.front().hint == "ENCSYNTHTOKEN000000000001");
}

TEST_CASE("Accounts that were given to customer service are listed, one or several") {
    const auto body = body_of(only_event(read("kf_account_auth_change.xml")));
    CHECK(body.at("AuthAddOpenKfId") == Json{"wkSYNTH00000000000000002", "wkSYNTH00000000000000003"});
    CHECK(body.at("AuthDelOpenKfId") == "wkSYNTH00000000000000001");
}

TEST_CASE("What was chosen on a card is read in both spellings, and the code to update the card once is told") {
    const auto file = GENERATE("template_card_event.multiple_interaction.optionids.xml", "template_card_event.multiple_interaction.opitonids_typo.xml");
    const auto events = read(file);
    const auto& event = only_event(events);
    CHECK(body_of(event).at("selected") == Json{{"q_priority", {"high"}}});
    CHECK(body_of(event).at("ResponseCode") == "RC-SYNTH-0001");
    CHECK(event.reply_code.empty());
}

TEST_CASE("Members' messages keep WeCom's id, kind and members") {
    const auto [kind, id, key] = GENERATE(table<std::string, std::string, std::string>({
        {"image", "7300000000000000102", "MediaId"},
        {"voice", "7300000000000000103", "Format"},
        {"video", "7300000000000000104", "ThumbMediaId"},
        {"location", "7300000000000000105", "Location_X"},
        {"link", "7300000000000000106", "Url"},
    }));
    const auto events = read("message." + kind + ".xml");
    REQUIRE(events.messages.size() == 1);
    CHECK(events.events.empty());
    const auto& message = events.messages.front();
    CHECK(message.kind == kind);
    CHECK(message.provider_id == id);
    CHECK(message.from == "agent.lin");
    CHECK(message.to == "1000002");
    CHECK(message.text.empty());
    CHECK(parse_json(message.body_json).value().contains(key));
    CHECK(events.topic == "app");
}

TEST_CASE("A member's text is a text") {
    const auto events = read("message.text.xml");
    REQUIRE(events.messages.size() == 1);
    CHECK(events.messages.front().text == "客户张女士要求回电，今天下午三点。");
    CHECK(events.messages.front().body_json.empty());
    CHECK(events.messages.front().at == from_unix_ms(1'893'456'137'000));
}

TEST_CASE("What is not understood of a known event is named with the change that it tells of") {
    const auto name = [](const std::string& event, const std::string& change) {
        const auto events = read_text("<xml><MsgType>event</MsgType><Event>" + event + "</Event><ChangeType>" + change + "</ChangeType></xml>");
        CHECK(only_event(events).kind == "unknown");
        return only_event(events).name;
    };
    CHECK(name("change_external_contact", "something_new") == "change_external_contact.something_new");
    CHECK(name("change_external_chat", "something_new") == "change_external_chat.something_new");
    CHECK(name("change_of_weather", "rain") == "change_of_weather.rain");
    CHECK(name("change_of_weather", "") == "change_of_weather");
}

TEST_CASE("What is not understood is kept as unknown and concerns no customer") {
    const auto text = GENERATE(as<std::string>{}, test::callback_text("unknown_event.xml"), test::callback_text("passive_reply.update_button.xml"),
                               "<xml><MsgType>event</MsgType></xml>", "<xml/>",
                               "<xml><MsgType>event</MsgType><Event>change_external_contact</Event><ChangeType>add_external_contact</ChangeType></xml>",
                               "<xml><MsgType>event</MsgType><Event>change_external_contact</Event><ChangeType>new_kind</ChangeType><ExternalUserID>wm1</ExternalUserID></xml>",
                               "<xml><MsgType>event</MsgType><Event>change_external_chat</Event><ChangeType>create</ChangeType></xml>",
                               "<xml><MsgType>event</MsgType><Event>change_external_tag</Event></xml>",
                               "<xml><MsgType>event</MsgType><Event>kf_msg_or_event</Event><Token>t</Token></xml>", "<xml><MsgType>text</MsgType><Content>x</Content></xml>",
                               "<xml><MsgType>hologram</MsgType><FromUserName>a</FromUserName><MsgId>1</MsgId></xml>");
    const auto events = read_text(text);
    const auto& event = only_event(events);
    CHECK(event.kind == "unknown");
    CHECK(event.from.empty());
    CHECK(event.id.size() == 64);
    CHECK(event.reach == Reach::unchanged);
    CHECK(body_of(event).is_object());
    CHECK(events.pulls.empty());
    CHECK(events.topic.empty());
}

TEST_CASE("Every recorded callback is exactly one event or message") {
    for (const auto& entry : std::filesystem::directory_iterator{TOUCHGATE_SOURCE_DIR "/adapters/wecom_common/fixtures"}) {
        if (entry.path().extension() != ".xml") continue;
        INFO(entry.path().filename());
        const auto events = read(entry.path().filename().string());
        CHECK(events.events.size() + events.messages.size() == 1);
        if (!events.events.empty()) CHECK_FALSE(events.events.front().id.empty());
    }
}
