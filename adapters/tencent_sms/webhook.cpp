#include "adapters/tencent_sms/webhook.hpp"

#include "gateway/base/text.hpp"
#include "gateway/channel/http_text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::tencent_sms {

namespace {

using channel::member;
using channel::text_member;
using channel::WebhookAnswer;
using channel::WebhookEvents;

constexpr double seconds_max = 253'402'300'799.0;  // the end of the year 9999

WebhookAnswer refuse(int status, std::string why) { return {.status = status, .refusal = std::move(why)}; }

// nationcode "86" and mobile "13900000001".
std::string number_of(const Json& entry) {
    const auto country = text_member(entry, "nationcode");
    const auto mobile = text_member(entry, "mobile");
    if (mobile.empty() || mobile.starts_with('+')) return mobile;
    return country.empty() ? mobile : "+" + country + mobile;
}

std::optional<Instant> unix_time(const Json& value) {
    if (!value.is_number() || value.get<double>() < 0 || value.get<double>() > seconds_max) return std::nullopt;
    return from_unix_ms(static_cast<std::int64_t>(value.get<double>() * 1000));
}

std::optional<channel::Receipt> read_receipt(const Json& entry) {
    const auto id = text_member(entry, "sid");
    const auto status = text_member(entry, "report_status");
    if (id.empty() || (status != "SUCCESS" && status != "FAIL")) return std::nullopt;
    channel::Receipt receipt{.provider_ids = {id},
                             .destination = number_of(entry),
                             .status = status == "SUCCESS" ? channel::ReceiptStatus::delivered : channel::ReceiptStatus::failed,
                             .raw = text_member(entry, "errmsg"),
                             // The provider writes local time of China without saying so.
                             .at = parse_instant(text_member(entry, "user_receive_time") + "+08:00")};
    if (receipt.status == channel::ReceiptStatus::failed)
        receipt.reason = receipt.raw.empty() ? "failed" : to_lower_ascii(channel::printable_code(receipt.raw));
    return receipt;
}

std::optional<channel::InboundMessage> read_reply(const Json& push) {
    const auto& text = member(push, "text");
    auto from = number_of(push);
    if (!text.is_string() || from.empty()) return std::nullopt;
    channel::InboundMessage message{
        .from = std::move(from), .to = text_member(push, "extend"), .text = text.get<std::string>(), .at = unix_time(member(push, "time"))};
    // Replies have no id of their own.
    message.fingerprint =
        message.from + "\n" + message.to + "\n" + text_member(push, "time") + "\n" + text_member(push, "sign") + "\n" + message.text;
    return message;
}

}  // namespace

WebhookAnswer receive_push(std::string_view callback_token, const channel::WebhookRequest& request) {
    const auto expected = callback_token.empty() ? std::string{} : "/" + std::string{callback_token};
    if (!crypto::constant_time_equal(request.path_tail, expected)) return refuse(404, "TOKEN");
    if (request.method != "POST") return refuse(405, "METHOD");
    const auto push = channel::parse_foreign_json(request.body);
    WebhookEvents events;
    if (push.is_array()) {
        for (const auto& entry : push) {
            auto receipt = read_receipt(entry);
            if (!receipt) return refuse(400, "BODY");
            events.receipts.push_back(std::move(*receipt));
        }
    } else {
        auto message = read_reply(push);
        if (!message) return refuse(400, "BODY");
        events.messages.push_back(std::move(*message));
    }
    return {.status = 200, .content_type = "application/json;charset=utf-8", .body = R"({"result":0,"errmsg":"OK"})", .events = std::move(events)};
}

}  // namespace touchgate::adapters::tencent_sms
