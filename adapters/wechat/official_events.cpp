#include "adapters/wechat/official_events.hpp"

#include <algorithm>
#include <array>

#include "gateway/base/text.hpp"

namespace touchgate::adapters::wechat {

namespace {

using channel::InboundMessage;
using channel::ProviderEvent;
using channel::Receipt;
using channel::ReceiptStatus;
using channel::WebhookEvents;
using Reach = ProviderEvent::Reach;

// The names of events are case-sensitive: an official account's menu says CLICK. Kinds are their words in lower case, but for those that the gateway
// has its own word for.
struct EventMeaning {
    std::string_view event;
    std::string_view kind = {};  // empty: the event's word
    std::string_view act = {};
    Reach reach = Reach::unchanged;
};
constexpr std::array meanings = std::to_array<EventMeaning>({
    {"subscribe", "follow", "follow", Reach::reachable},
    {"unsubscribe", "unfollow", "", Reach::refuses},
    {"SCAN", "", "scan"},
    {"CLICK", "", "menu"},
    {"scancode_push", "", "menu"},
    {"scancode_waitmsg", "", "menu"},
    {"user_enter_tempsession", "", "enter"},
    {"VIEW"},
    {"view_miniprogram"},
    {"LOCATION"},
    {"pic_sysphoto"},
    {"pic_photo_or_album"},
    {"pic_weixin"},
    {"location_select"},
    {"user_authorization_revoke"},
    {"kf_create_session"},
    {"kf_close_session"},
    {"kf_switch_session"},
    {"FREEPUBLISHJOBFINISH"},
});

// Where a customer came from by a code: a follow says "qrscene_<scene>", a later scan the bare scene. A scene may itself begin so.
std::string source_of(std::string_view event, std::string_view key) {
    constexpr std::string_view prefix = "qrscene_";
    if (event == "subscribe") return std::string{key.starts_with(prefix) ? key.substr(prefix.size()) : std::string_view{}};
    return event == "SCAN" ? std::string{key} : std::string{};
}

std::string employee_of(const Callback& callback) {
    const auto account = callback["KfAccount"];
    return std::string{account.empty() ? callback["ToKfAccount"] : account};
}

ProviderEvent plain_event(const Callback& callback, const EventMeaning& meaning) {
    const auto event = callback["Event"];
    const auto key = callback["EventKey"];
    return {.kind = meaning.kind.empty() ? to_lower_ascii(event) : std::string{meaning.kind},
            .name = to_lower_ascii(event),
            .from = std::string{callback["FromUserName"]},
            .id = callback.id(),
            .at = callback.at,
            .reach = meaning.reach,
            .act = std::string{meaning.act},
            .employee = employee_of(callback),
            .source = source_of(event, key),
            .ref = std::string{event == "user_enter_tempsession" ? callback["SessionFrom"] : key},
            .body_json = to_body_json(callback.message)};
}

// The elements of <SubscribeMsg…Event><List>…</List></…>, of which there may be several; in JSON `List` stands beside the event.
std::vector<const Element*> list_of(const Callback& callback, std::string_view name) {
    const auto* holder = callback.message.child(name);
    return (holder == nullptr ? callback.message : *holder).all("List");
}

// One event for one callback, also where the customer was asked about several templates: what he said of each is in its body.
void add_subscriptions(const Callback& callback, std::string_view holder, bool binding, WebhookEvents& events) {
    const auto list = list_of(callback, holder);
    std::size_t accepted = 0;
    std::size_t rejected = 0;
    auto event = unknown_event(callback);
    for (const auto* entry : list) {
        const auto status = bare_status(entry->text_of("SubscribeStatusString"));
        accepted += status == "accept" ? 1U : 0U;
        rejected += status == "reject" ? 1U : 0U;
        const auto id = entry->text_of("TemplateId");
        if (!event.ref.empty() && !id.empty()) event.ref.append(",");
        event.ref.append(id);
    }
    if (accepted + rejected == 0) return;  // not understood
    if (accepted == list.size()) {
        event.kind = "subscription_accepted";
        event.name.append(".accept");
    } else if (rejected == list.size()) {
        event.kind = "subscription_rejected";
        event.name.append(".reject");
    } else {
        event.kind = "subscription_changed";
    }
    // Declining a question is no refusal of the account; switching messages off in the settings is.
    if (binding) event.reach = rejected == 0 ? Reach::reachable : Reach::refuses;
    events.events.push_back(std::move(event));
}

// "failed:system failed" → "system_failed", "err(30003)" stays.
std::string reason_of(std::string_view status) {
    auto text = to_lower_ascii(trim(status));
    if (text.starts_with("failed:")) text = std::string{trim(std::string_view{text}.substr(7))};
    std::string reason;
    for (const char c : text) {
        const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '(' || c == ')' || c == '-';
        if (fits) reason.push_back(c);
        else if (!reason.empty() && reason.back() != '_') reason.push_back('_');
    }
    return reason.empty() ? "failed" : reason.substr(0, 100);
}

// `status` without blanks.
bool is_refusal(const std::string& status) {
    return status.find("userblock") != std::string::npos || status.find("userrefuse") != std::string::npos ||
           status.find("userreject") != std::string::npos;
}

std::optional<Receipt> receipt(const Callback& callback, std::string_view id, std::string_view status, bool delivered) {
    if (id.empty()) return std::nullopt;
    Receipt made{.provider_ids = {std::string{id}},
                 .destination = std::string{callback["FromUserName"]},
                 .raw = std::string{status.substr(0, 200)},
                 .at = callback.at,
                 .kind = to_lower_ascii(callback["Event"])};
    made.status = delivered ? ReceiptStatus::delivered : is_refusal(bare_status(status)) ? ReceiptStatus::recipient_refuses : ReceiptStatus::failed;
    if (!delivered) made.reason = reason_of(status);
    return made;
}

void add_sent(const Callback& callback, WebhookEvents& events) {
    for (const auto* entry : list_of(callback, "SubscribeMsgSentEvent")) {
        const auto status = entry->text_of("ErrorStatus");
        const bool delivered = entry->text_of("ErrorCode") == "0" && bare_status(status) == "success";
        if (auto made = receipt(callback, entry->text_of("MsgID"), status, delivered)) events.receipts.push_back(std::move(*made));
    }
}

void add_mass_end(const Callback& callback, WebhookEvents& events) {
    const auto status = callback["Status"];
    auto made = receipt(callback, callback["MsgID"], status, bare_status(status) == "sendsuccess");
    if (!made) return;
    // FromUserName is the account's administrator here, and what the platform counted concerns nobody in particular.
    made->destination.clear();
    made->body_json = to_body_json(callback.message, {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Event", "MsgID", "Status"});
    events.receipts.push_back(std::move(*made));
}

WebhookEvents read_event(const Callback& callback) {
    WebhookEvents events;
    const auto name = callback["Event"];
    if (name == "TEMPLATESENDJOBFINISH") {
        const auto status = callback["Status"];
        if (auto made = receipt(callback, callback["MsgID"], status, bare_status(status) == "success")) events.receipts.push_back(std::move(*made));
    } else if (name == "MASSSENDJOBFINISH") {
        add_mass_end(callback, events);
    } else if (name == "subscribe_msg_sent_event") {
        add_sent(callback, events);
    } else if (name == "subscribe_msg_popup_event") {
        add_subscriptions(callback, "SubscribeMsgPopupEvent", false, events);
    } else if (name == "subscribe_msg_change_event") {
        add_subscriptions(callback, "SubscribeMsgChangeEvent", true, events);
    } else if (const auto found = std::find_if(meanings.begin(), meanings.end(), [&](const EventMeaning& each) { return each.event == name; });
               found != meanings.end() && !callback["FromUserName"].empty()) {
        events.events.push_back(plain_event(callback, *found));
    }
    if (events.receipts.empty() && events.events.empty()) events.events.push_back(unknown_event(callback));
    return events;
}

InboundMessage read_message(const Callback& callback, std::string kind) {
    InboundMessage message{.from = std::string{callback["FromUserName"]},
                           .to = std::string{callback["ToUserName"]},
                           .text = std::string{kind == "voice" ? callback["Recognition"] : callback["Content"]},
                           .provider_id = std::string{callback["MsgId"]},
                           .at = callback.at,
                           .kind = std::move(kind)};
    if (message.provider_id.empty()) message.fingerprint = callback.text;
    message.body_json = to_body_json(callback.message, {"ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "Content"});
    if (message.body_json == "{}") message.body_json.clear();
    return message;
}

}  // namespace

std::string bare_status(std::string_view status) {
    auto bare = to_lower_ascii(status);
    std::erase_if(bare, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
    return bare;
}

WebhookEvents read_official_callback(const Callback& callback) {
    const auto type = callback["MsgType"];
    if (type == "event") return read_event(callback);
    const bool named =
        !type.empty() && std::all_of(type.begin(), type.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
    WebhookEvents events;
    if (named && !callback["FromUserName"].empty()) events.messages.push_back(read_message(callback, std::string{type}));
    else events.events.push_back(unknown_event(callback));
    return events;
}

}  // namespace touchgate::adapters::wechat
