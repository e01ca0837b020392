#include "adapters/wecom_kf/messages.hpp"

#include <array>

#include "adapters/wecom_common/errors.hpp"
#include "adapters/wecom_common/events.hpp"
#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::wecom_kf {

namespace {

using namespace channel;
using namespace wecom_common;
using Reach = ProviderEvent::Reach;

constexpr int token_expired = 95007;
constexpr int cursor_forgotten = 50100;

std::string hash_of(std::string_view text) { return to_hex(crypto::view(crypto::sha256("kf\n", text))); }

// Reason words of msg_send_fail, by fail_type. 12 forbidden kind; a number that is not here is "unknown".
constexpr std::array<std::string_view, 13> failures = {"unknown",          "account_deleted", "app_closed",          "unknown",          "session_over_48_hours",
                                                       "session_closed",   "over_5_messages", "no_video_channel",    "not_verified",     "no_video_channel_and_not_verified",
                                                       "refused_by_user",  "no_member_logged_in", "kind_not_allowed"};
constexpr std::size_t refused_by_user = 10;

// The entry without what is kept elsewhere, the welcome code among it.
Json body_of(const Json& entry) {
    auto body = entry.is_object() ? entry : Json::object();
    for (const auto* name : {"msgid", "send_time"}) body.erase(name);
    if (auto event = body.find("event"); event != body.end() && event->is_object())
        event->erase("welcome_code");
    return body;
}

std::string customer_of(const Json& entry) {
    auto customer = text_member(entry, "external_userid");
    return customer.empty() ? text_member(member(entry, "event"), "external_userid") : customer;
}

ProviderEvent event_of(const Json& entry, std::string kind, std::string name) {
    ProviderEvent event{.kind = std::move(kind), .name = std::move(name), .from = customer_of(entry), .id = text_member(entry, "msgid"), .at = seconds_member(entry, "send_time")};
    // Events of older accounts have no id.
    if (event.id.empty()) event.id = hash_of(to_text(entry));
    event.body_json = to_text(body_of(entry));
    return event;
}

Receipt failed_message(const Json& entry, const Json& event) {
    std::size_t reason = 0;
    if (const auto& type = member(event, "fail_type"); type.is_number_unsigned() && type.get<std::uint64_t>() < failures.size()) reason = type.get<std::size_t>();
    return {.provider_ids = {text_member(event, "fail_msgid")},
            .status = reason == refused_by_user ? ReceiptStatus::recipient_refuses : ReceiptStatus::failed,
            .raw = "fail_type:" + printable_code(text_member(event, "fail_type")),
            .reason = std::string{failures[reason]},
            .at = seconds_member(entry, "send_time"),
            .kind = "kf.msg_send_fail"};
}

void add_entered(WebhookEvents& events, const Json& entry, const Json& event) {
    auto made = event_of(entry, "enter", "kf.enter_session");
    made.act = "enter";
    made.source = text_member(event, "scene");
    made.ref = text_member(event, "scene_param");
    made.reply_code = text_member(event, "welcome_code");
    if (!made.reply_code.empty()) made.reply_within = welcome_within;
    events.events.push_back(std::move(made));
}

void add_event(WebhookEvents& events, const Json& entry) {
    const auto& event = member(entry, "event");
    const auto type = to_lower_ascii(printable_code(text_member(event, "event_type")));
    const auto kind = "kf." + type;
    if (type == "enter_session") return add_entered(events, entry, event);
    if (type == "msg_send_fail" && !text_member(event, "fail_msgid").empty()) {
        events.receipts.push_back(failed_message(entry, event));
        return;
    }
    auto made = event_of(entry, kind, kind);
    if (type == "reject_customer_msg_switch_change") {
        const auto state = text_member(event, "reject_switch");
        if (state == "1") made.reach = Reach::refuses;
        if (state == "0") made.reach = Reach::reachable;
    } else if (type == "session_status_change") {
        made.ref = text_member(event, "change_type");
        made.employee = text_member(event, "new_servicer_userid");
    } else if (type == "user_recall_msg" || type == "servicer_recall_msg") {
        made.ref = text_member(event, "recall_msgid");
        made.employee = text_member(event, "servicer_userid");
    } else if (type == "servicer_status_change") {
        made.employee = text_member(event, "servicer_userid");
        made.ref = text_member(event, "status");
    } else {
        made.kind = "unknown";
    }
    events.events.push_back(std::move(made));
}

InboundMessage message_of(const Json& entry, const std::string& kind, std::string from) {
    InboundMessage message{.from = std::move(from), .to = text_member(entry, "open_kfid"), .provider_id = text_member(entry, "msgid"),
                           .at = seconds_member(entry, "send_time"), .kind = kind};
    const auto& object = member(entry, kind);
    if (kind == "text") {
        message.text = text_member(object, "content");
        // The item of a menu that was chosen.
        if (!text_member(object, "menu_id").empty()) message.body_json = to_text({{"menu_id", object["menu_id"]}});
    } else {
        message.body_json = object.is_object() ? to_text(object) : "{}";
    }
    return message;
}

void add_entry(WebhookEvents& events, const Json& entry) {
    const auto kind = to_lower_ascii(printable_code(text_member(entry, "msgtype")));
    const auto origin = text_member(entry, "origin");
    if (kind == "event") return add_event(events, entry);
    auto from = customer_of(entry);
    const bool complete = !kind.empty() && !from.empty() && !text_member(entry, "msgid").empty();
    if (complete && (origin == "3" || origin.empty())) {
        events.messages.push_back(message_of(entry, kind, std::move(from)));
    } else if (complete && origin == "5") {
        // What an employee wrote in WeCom's own client.
        auto made = event_of(entry, "kf.servicer_message", "kf.servicer_message." + kind);
        made.employee = text_member(entry, "servicer_userid");
        made.ref = kind;
        events.events.push_back(std::move(made));
    } else {
        events.events.push_back(event_of(entry, "unknown", "kf." + kind));
    }
}

}  // namespace

HttpRequest messages_request(const Corp& corp, const std::string& open_kfid, const std::string& cursor, const std::string& token, const Resources& resources) {
    Json body = {{"open_kfid", open_kfid}, {"limit", messages_per_page}, {"voice_format", 0}};
    if (!cursor.empty()) body["cursor"] = cursor;
    if (!token.empty()) body["token"] = token;
    return post(corp, "/cgi-bin/kf/sync_msg", body, resources);
}

PulledPage read_messages(const std::string& cursor, const HttpResponse& response) {
    const auto answer = read_answer(response);
    if (!says_done(answer)) {
        if (answer.errcode == token_expired) return {.cursor = cursor, .code = std::to_string(token_expired)};
        // What comes again from three days ago is known by its ids.
        if (answer.errcode == cursor_forgotten && !cursor.empty()) return {.cursor = {}, .more = true, .code = std::to_string(cursor_forgotten)};
        const auto outcome = outcome_of(answer, Addressee::nobody);
        return {.failed = true, .retry_after = outcome.retry_after, .code = outcome.code, .detail = outcome.detail};
    }
    PulledPage page{.cursor = text_member(answer.body, "next_cursor")};
    const auto& list = member(answer.body, "msg_list");
    if (list.is_array())
        for (const auto& entry : list) add_entry(page.events, entry);
    const bool moved = !page.cursor.empty() && page.cursor != cursor;
    if (page.cursor.empty()) page.cursor = cursor;
    // More without a step forward would be asked for without end.
    page.more = moved && text_member(answer.body, "has_more") == "1";
    return page;
}

}  // namespace touchgate::adapters::wecom_kf
