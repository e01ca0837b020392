#include "adapters/sandbox/tencent_peer.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <optional>

namespace touchgate::sandbox {

namespace {

constexpr std::size_t numbers_max = 200;
constexpr std::size_t session_context_max = 512;
constexpr std::int64_t pull_max = 100;

// Codes that stand beside one number; the others refuse the whole call.
bool is_per_number(std::string_view code) {
    return code.starts_with("LimitExceeded.") || code.starts_with("FailedOperation.") || code.starts_with("InvalidParameterValue.");
}

std::string text_of(const Json& body, const char* key) {
    const auto found = body.find(key);
    return found != body.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::int64_t number_of(const Json& body, const char* key, std::int64_t fallback) {
    const auto found = body.find(key);
    return found != body.end() && found->is_number_integer() ? found->get<std::int64_t>() : fallback;
}

}  // namespace

HttpReply TencentPeer::reply(Json response) {
    response["RequestId"] = new_id();
    return {.content_type = "application/json", .body = Json{{"Response", std::move(response)}}.dump()};
}

HttpReply TencentPeer::refusal(int status, std::string_view code, std::string_view message) {
    auto answer = reply({{"Error", {{"Code", code}, {"Message", message}}}});
    answer.status = status;
    return answer;
}

HttpReply TencentPeer::answer(const HttpRequest& request, Now now) {
    const auto verdict = verify_tencent(request, settings_.keys, now.wall);
    if (!verdict.accepted()) {
        ++statistics_.signatures_refused;
        return refuse(verdict.status, verdict.error, verdict.message);
    }
    if (request.header("x-tc-version") != "2021-01-11") return refuse(200, "NoSuchVersion", "The version is not supported.");
    const auto action = request.header("x-tc-action");
    const auto body = parse_json(request.body);
    if (!body || !body->is_object()) return refuse(200, "InvalidParameter", "The request body is not a JSON object.");
    if (action == "SendSms") return send(*body, verdict.key_id, request, now);
    if (action == "PullSmsSendStatus") return pull(*body, pull_receipts_, "PullSmsSendStatusSet");
    if (action == "PullSmsReplyStatus") return pull(*body, pull_messages_, "PullSmsReplyStatusSet");
    if (action == "PullSmsSendStatusByPhoneNumber") return pull_by_phone(*body, receipts_of(*body), "PullSmsSendStatusSet", "UserReceiveTime");
    if (action == "PullSmsReplyStatusByPhoneNumber")
        return pull_by_phone(*body, {pull_messages_.begin(), pull_messages_.end()}, "PullSmsReplyStatusSet", "ReplyTime");
    return refuse(200, "InvalidAction", "The request action=" + std::string{action} + " is invalid or not found.");
}

HttpReply TencentPeer::send(const Json& body, std::string_view user, const HttpRequest& request, Now now) {
    ++statistics_.submits;
    const auto drawn = draw_error();
    if (!drawn.empty() && !is_per_number(drawn)) return refuse(200, drawn, "The request was refused.");
    for (const auto* const key : {"SmsSdkAppId", "TemplateId"})
        if (text_of(body, key).empty()) return refuse(200, "MissingParameter", std::string{"The parameter "} + key + " is missing.");
    const auto numbers = body.find("PhoneNumberSet");
    if (numbers == body.end() || !numbers->is_array() || numbers->empty())
        return refuse(200, "MissingParameter.EmptyPhoneNumberSet", "PhoneNumberSet is empty.");
    if (numbers->size() > numbers_max) return refuse(200, "LimitExceeded.PhoneNumberCountLimit", "More than 200 numbers.");
    const auto context = text_of(body, "SessionContext");
    if (context.size() >= session_context_max) return refuse(200, "InvalidParameterValue.SessionContext", "SessionContext is too long.");

    bool domestic = false;
    bool foreign = false;
    for (const auto& number : *numbers) {
        const auto phone = number.is_string() ? normal_phone(number.get<std::string>()) : std::string{};
        if (!phone.empty()) (phone.starts_with("86") ? domestic : foreign) = true;
    }
    if (domestic && foreign)
        return refuse(200, "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber", "Domestic and international numbers in one call.");

    Json values = Json::object();
    if (const auto list = body.find("TemplateParamSet"); list != body.end() && list->is_array())
        for (std::size_t i = 0; i < list->size(); ++i) values[std::to_string(i + 1)] = (*list)[i];
    const auto sign_name = text_of(body, "SignName");
    const auto code = text_of(body, "TemplateId");
    const auto rendered = render(sign_name, code, values, "{", "}");

    Json statuses = Json::array();
    for (const auto& number : *numbers) {
        const auto wire = number.is_string() ? number.get<std::string>() : std::string{};
        auto phone = normal_phone(wire);
        std::string error{drawn};
        if (!error.empty()) {}
        else if (phone.empty()) error = "InvalidParameterValue.IncorrectPhoneNumber";
        else if (domestic && !sign_name_known(sign_name)) error = "FailedOperation.SignatureIncorrectOrUnapproved";
        else if (rendered.fault == Rendered::Fault::no_template) error = "FailedOperation.TemplateIncorrectOrUnapproved";
        else if (rendered.fault == Rendered::Fault::no_value) error = "InvalidParameterValue.TemplateParameterFormatError";
        if (!error.empty()) {
            count_refused(error);
            statuses.push_back({{"SerialNo", ""}, {"PhoneNumber", wire}, {"Fee", 0}, {"SessionContext", context}, {"Code", error},
                                {"Message", "the message was refused"}, {"IsoCode", ""}});
            continue;
        }
        const auto serial = "2640:" + std::to_string(new_serial(now));
        accept({.user = user,
                .wire_number = wire,
                .raw = request.body,
                .send = {.phone = std::move(phone), .sign_name = sign_name, .template_code = code, .text = rendered.text, .id = serial, .own_id = context,
                         .extension = text_of(body, "ExtendCode"), .at = {}, .stat = {}}},
               now);
        statuses.push_back({{"SerialNo", serial}, {"PhoneNumber", wire}, {"Fee", billed_segments(rendered.text)}, {"SessionContext", context},
                            {"Code", "Ok"}, {"Message", "send success"}, {"IsoCode", domestic ? "CN" : "US"}});
    }
    return reply({{"SendStatusSet", std::move(statuses)}});
}

HttpReply TencentPeer::pull(const Json& body, std::deque<Json>& from, const char* set_name) {
    const auto limit = number_of(body, "Limit", 0);
    if (limit < 1 || limit > pull_max) return refuse(200, "InvalidParameterValue", "Limit must be 1 to 100.");
    Json items = Json::array();
    for (; !from.empty() && items.size() < static_cast<std::size_t>(limit); from.pop_front()) items.push_back(std::move(from.front()));
    return reply({{set_name, std::move(items)}});
}

HttpReply TencentPeer::pull_by_phone(const Json& body, const std::vector<Json>& items, const char* set_name, const char* time_name) {
    const auto limit = number_of(body, "Limit", 0);
    if (limit < 1 || limit > pull_max) return refuse(200, "InvalidParameterValue", "Limit must be 1 to 100.");
    const auto phone = "+" + normal_phone(text_of(body, "PhoneNumber"));
    const auto begin = number_of(body, "BeginTime", 0);
    const auto end = number_of(body, "EndTime", std::numeric_limits<std::int64_t>::max());
    Json found = Json::array();
    for (const auto& item : items) {
        const auto at = item.at(time_name).get<std::int64_t>();
        if (item.at("PhoneNumber") == phone && at >= begin && at <= end && found.size() < static_cast<std::size_t>(limit)) found.push_back(item);
    }
    return reply({{set_name, std::move(found)}});
}

std::vector<Json> TencentPeer::receipts_of(const Json& body) const {
    std::vector<Json> receipts;
    for (const auto* const send : sends_to(normal_phone(text_of(body, "PhoneNumber"))))
        if (!send->stat.empty()) receipts.push_back(*pulled_receipt(*send));
    return receipts;
}

Json TencentPeer::receipt_item(const Send& send) const {
    const auto [country, number] = split_phone(send.phone);
    return {{"user_receive_time", china_time(send.reported)},
            {"nationcode", country},
            {"mobile", number},
            {"report_status", send.delivered() ? "SUCCESS" : "FAIL"},
            {"errmsg", send.stat},
            {"description", send.delivered() ? "用户短信送达成功" : "用户短信送达失败"},
            {"sid", send.id}};
}

Json TencentPeer::message_item(std::string_view phone, std::string_view extension, std::string_view sign_name, std::string_view text,
                               std::uint64_t, Instant at) const {
    const auto [country, number] = split_phone(phone);
    return {{"extend", extension}, {"mobile", number}, {"nationcode", country}, {"sign", sign_name}, {"text", text}, {"time", unix_ms(at) / 1000}};
}

bool TencentPeer::is_taken(const Json& answer) const {
    const auto result = answer.find("result");
    return result != answer.end() && result->is_number_integer() && *result == 0;
}

std::optional<Json> TencentPeer::pulled_receipt(const Send& send) const {
    const auto [country, number] = split_phone(send.phone);
    return Json{{"UserReceiveTime", unix_ms(send.reported) / 1000}, {"CountryCode", country}, {"SubscriberNumber", number},
                {"PhoneNumber", "+" + send.phone}, {"SerialNo", send.id}, {"ReportStatus", send.delivered() ? "SUCCESS" : "FAIL"},
                {"Description", send.stat}, {"SessionContext", send.own_id}};
}

std::optional<Json> TencentPeer::pulled_message(std::string_view phone, std::string_view extension, std::string_view sign_name, std::string_view text,
                                                Instant at) const {
    const auto [country, number] = split_phone(phone);
    return Json{{"ExtendCode", extension}, {"CountryCode", country}, {"PhoneNumber", "+" + std::string{phone}}, {"SignName", sign_name},
                {"ReplyContent", text}, {"ReplyTime", unix_ms(at) / 1000}, {"SubscriberNumber", number}};
}

}  // namespace touchgate::sandbox
