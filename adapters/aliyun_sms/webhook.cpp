#include "adapters/aliyun_sms/webhook.hpp"

#include "adapters/aliyun_sms/request.hpp"
#include "gateway/base/text.hpp"
#include "gateway/channel/http_text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::aliyun_sms {

namespace {

using channel::as_text;
using channel::member;
using channel::text_member;
using channel::WebhookAnswer;
using channel::WebhookEvents;

WebhookAnswer refuse(int status, std::string why) { return {.status = status, .refusal = std::move(why)}; }

std::optional<channel::Receipt> read_receipt(const Json& entry) {
    const auto& success = member(entry, "success");
    const bool delivered = success.is_boolean() ? success.get<bool>() : as_text(success) == "true";
    if (!success.is_boolean() && as_text(success) != "true" && as_text(success) != "false") return std::nullopt;
    const auto id = text_member(entry, "biz_id");
    const auto own_id = text_member(entry, "out_id");
    const auto phone = text_member(entry, "phone_number");
    if ((id.empty() && own_id.empty()) || phone.empty()) return std::nullopt;

    channel::Receipt receipt{
        .destination = e164_number(phone), .raw = text_member(entry, "err_code"), .at = provider_time(text_member(entry, "report_time")), .kind = "smsreport"};
    // A batch has one BizId for all its numbers; its attempts were accepted under "BizId:number".
    if (!id.empty()) receipt.provider_ids = {id, id + ":" + provider_number(receipt.destination)};
    if (!is_batch_out_id(own_id)) receipt.attempt_id = own_id;
    receipt.status = delivered ? channel::ReceiptStatus::delivered : channel::ReceiptStatus::failed;
    if (!delivered) receipt.reason = receipt_reason(receipt.raw);
    return receipt;
}

std::optional<channel::InboundMessage> read_message(const Json& entry) {
    const auto phone = text_member(entry, "phone_number");
    const auto& content = member(entry, "content");
    if (phone.empty() || !content.is_string()) return std::nullopt;
    channel::InboundMessage message{.from = e164_number(phone),
                                    .to = text_member(entry, "dest_code"),
                                    .text = content.get<std::string>(),
                                    .provider_id = text_member(entry, "sequence_id"),
                                    .at = provider_time(text_member(entry, "send_time"))};
    if (message.provider_id.empty()) message.fingerprint = phone + "\n" + text_member(entry, "send_time") + "\n" + message.to + "\n" + message.text;
    return message;
}

}  // namespace

std::optional<Instant> provider_time(std::string_view text) { return parse_instant(std::string{text} + "+08:00"); }

std::string receipt_reason(std::string_view error_code) {
    return error_code.empty() ? "failed" : to_lower_ascii(channel::printable_code(error_code));
}

WebhookAnswer receive_push(std::string_view callback_token, const channel::WebhookRequest& request) {
    const auto expected = callback_token.empty() ? std::string{} : "/" + std::string{callback_token};
    if (!crypto::constant_time_equal(request.path_tail, expected)) return refuse(404, "TOKEN");
    if (request.method != "POST") return refuse(405, "METHOD");
    const auto push = channel::parse_foreign_json(request.body);
    if (!push.is_array()) return refuse(400, "BODY");

    WebhookEvents events;
    for (const auto& entry : push) {
        if (entry.is_object() && entry.contains("success")) {
            auto receipt = read_receipt(entry);
            if (!receipt) return refuse(400, "BODY");
            events.receipts.push_back(std::move(*receipt));
        } else {
            auto message = read_message(entry);
            if (!message) return refuse(400, "BODY");
            events.messages.push_back(std::move(*message));
        }
    }
    return {.status = 200, .content_type = "application/json;charset=utf-8", .body = R"({"code":0,"msg":"成功"})", .events = std::move(events)};
}

}  // namespace touchgate::adapters::aliyun_sms
