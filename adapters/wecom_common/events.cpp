#include "adapters/wecom_common/events.hpp"

#include <algorithm>
#include <array>

#include "adapters/wecom_common/corp.hpp"
#include "adapters/wecom_common/operations.hpp"
#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::wecom_common {

namespace {

using namespace channel;
using wechat::Callback;
using Reach = ProviderEvent::Reach;

constexpr std::array<std::string_view, 13> application_events = {
    "enter_agent", "subscribe",          "unsubscribe",     "click",           "view",           "location",        "scancode_push",
    "scancode_waitmsg", "location_select", "pic_sysphoto", "pic_photo_or_album", "pic_weixin", "open_approval_change"};
constexpr std::array<std::string_view, 6> message_kinds = {"text", "image", "voice", "video", "location", "link"};

template <std::size_t n> bool is_one_of(const std::array<std::string_view, n>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string text(const Callback& callback, std::string_view name) { return std::string{callback[name]}; }

std::string id_of(const Callback& callback) { return to_hex(crypto::view(crypto::sha256(callback.text))); }

// The callback's own members; what the gateway itself uses is handed on once and not kept.
std::string body_of(const Callback& callback) { return wechat::to_body_json(callback.message, {"WelcomeCode", "Token"}); }

ProviderEvent event_of(const Callback& callback, std::string kind, std::string name) {
    return {.kind = std::move(kind), .name = std::move(name), .from = {}, .id = id_of(callback), .at = callback.at, .body_json = body_of(callback)};
}

// One more member of the event's body, unless it is empty.
void add_to_body(ProviderEvent& event, const char* key, Json value) {
    if (value.empty()) return;
    auto body = parse_foreign_json(event.body_json);
    if (!body.is_object()) return;
    body[key] = std::move(value);
    event.body_json = to_text(body);
}

WebhookEvents only(ProviderEvent event, std::string_view topic = {}) {
    WebhookEvents events;
    events.events.push_back(std::move(event));
    events.topic = topic;
    return events;
}

WebhookEvents unknown(const Callback& callback) {
    auto name = printable_code(to_lower_ascii(callback["Event"]));
    if (name.empty()) name = printable_code(to_lower_ascii(callback["MsgType"]));
    else if (const auto change = printable_code(to_lower_ascii(callback["ChangeType"])); !change.empty()) name.append(".").append(change);
    return only(event_of(callback, "unknown", std::move(name)));
}

// ---- Customers and the employees whom they added.

WebhookEvents customer_event(const Callback& callback) {
    const auto change = printable_code(to_lower_ascii(callback["ChangeType"]));
    const bool added = change == "add_external_contact" || change == "add_half_external_contact";
    const bool removed = change == "del_external_contact" || change == "del_follow_user";
    const bool other = change == "edit_external_contact" || change == "transfer_fail" || change == "msg_audit_approved";
    const auto customer = text(callback, "ExternalUserID");
    if (customer.empty() || (!added && !removed && !other)) return unknown(callback);
    const auto name = "change_external_contact." + change;
    auto event = event_of(callback, added ? "follow" : removed ? "unfollow" : name, name);
    event.from = customer;
    event.employee = text(callback, "UserID");
    event.source = text(callback, "State");
    event.reply_code = text(callback, "WelcomeCode");
    if (!event.reply_code.empty()) event.reply_within = welcome_within;
    event.ref = text(callback, change == "transfer_fail" ? "FailReason" : "Source");
    if (added) event.reach = Reach::reachable;
    // A customer who was handed over stays a customer, of an employee whom no callback names.
    if (removed && event.ref != "DELETE_BY_TRANSFER") event.reach = Reach::refuses;
    auto events = only(std::move(event));
    // The callback tells neither names nor tags.
    if (added || change == "edit_external_contact") events.pulls.push_back({.name = std::string{pull_customer}, .hint = customer});
    return events;
}

// ---- Groups.

// <Item> elements, or one text of names joined by commas, as older senders write.
Json changed_members(const Callback& callback) {
    auto members = Json::array();
    const auto* list = callback.message.child("MemChangeList");
    if (list == nullptr) return members;
    for (const auto* item : list->all("Item"))
        if (!item->text.empty()) members.push_back(item->text);
    if (members.empty())
        for (const auto name : split(list->text, ','))
            if (const auto trimmed = trim(name); !trimmed.empty()) members.push_back(trimmed);
    return members;
}

WebhookEvents group_event(const Callback& callback) {
    const auto change = printable_code(to_lower_ascii(callback["ChangeType"]));
    const auto chat = text(callback, "ChatId");
    if (chat.empty() || (change != "create" && change != "update" && change != "dismiss")) return unknown(callback);
    auto kind = "change_external_chat." + change;
    if (const auto detail = printable_code(to_lower_ascii(callback["UpdateDetail"])); change == "update" && !detail.empty()) kind += "." + detail;
    auto event = event_of(callback, kind, kind);
    event.ref = chat;
    add_to_body(event, "members", changed_members(callback));
    auto events = only(std::move(event), topic_groups);
    if (change != "dismiss") events.pulls.push_back({.name = std::string{pull_groups}, .hint = chat});
    return events;
}

WebhookEvents tag_event(const Callback& callback) {
    const auto change = printable_code(to_lower_ascii(callback["ChangeType"]));
    if (change.empty()) return unknown(callback);
    const auto kind = "change_external_tag." + change;
    auto event = event_of(callback, kind, kind);
    event.ref = text(callback, "Id");
    return only(std::move(event));
}

// ---- Customer service: the callback only says that there is something to pull.

WebhookEvents service_event(const Callback& callback, const std::string& name) {
    auto event = event_of(callback, name, name);
    if (name != "kf_msg_or_event") return only(std::move(event));
    const auto account = text(callback, "OpenKfId");
    if (account.empty()) return unknown(callback);
    event.ref = account;
    auto events = only(std::move(event), std::string{topic_kf_prefix} + account);
    events.pulls.push_back({.name = std::string{pull_messages}, .hint = text(callback, "Token")});
    return events;
}

// ---- Applications: members press, enter, choose and write.

// Question → the options chosen. Two spellings of the same element are met.
Json selected_options(const wechat::Element& message) {
    auto selected = Json::object();
    const auto* items = message.child("SelectedItems");
    if (items == nullptr) return selected;
    for (const auto* item : items->all("SelectedItem"))
        for (const auto& [list, entry] : {std::pair{"OptionIds", "OptionId"}, std::pair{"OpitonIds", "OpitonId"}})
            if (const auto* options = item->child(list); options != nullptr)
                for (const auto* option : options->all(entry)) selected[std::string{item->text_of("QuestionKey")}].push_back(option->text);
    return selected;
}

WebhookEvents application_event(const Callback& callback, const std::string& name) {
    auto event = event_of(callback, name, name);
    event.from = text(callback, "FromUserName");
    event.ref = text(callback, "EventKey");
    add_to_body(event, "selected", selected_options(callback.message));
    return only(std::move(event), topic_app);
}

WebhookEvents application_message(const Callback& callback, const std::string& kind) {
    InboundMessage message{.from = text(callback, "FromUserName"), .to = text(callback, "AgentID"), .provider_id = text(callback, "MsgId"), .at = callback.at, .kind = kind};
    if (message.from.empty()) return unknown(callback);
    if (message.provider_id.empty()) message.provider_id = id_of(callback);
    if (kind == "text") message.text = text(callback, "Content");
    else message.body_json = wechat::to_body_json(callback.message, {"ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "AgentID"});
    WebhookEvents events;
    events.messages.push_back(std::move(message));
    events.topic = topic_app;
    return events;
}

}  // namespace

WebhookEvents read_corp_callback(const Callback& callback) {
    const auto type = to_lower_ascii(callback["MsgType"]);
    if (type != "event") return is_one_of(message_kinds, type) ? application_message(callback, type) : unknown(callback);
    const auto name = to_lower_ascii(callback["Event"]);
    if (name == "change_external_contact") return customer_event(callback);
    if (name == "change_external_chat") return group_event(callback);
    if (name == "change_external_tag") return tag_event(callback);
    if (name == "kf_msg_or_event" || name == "kf_account_auth_change") return service_event(callback, name);
    if (is_one_of(application_events, name) || name == "template_card_event" || name == "template_card_menu_event") return application_event(callback, name);
    return unknown(callback);
}

}  // namespace touchgate::adapters::wecom_common
