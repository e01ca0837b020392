#include "adapters/http_sms/webhook.hpp"

#include <charconv>

#include "adapters/http_sms/pointer.hpp"
#include "adapters/http_sms/request.hpp"
#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::http_sms {

namespace {

using channel::InboundMessage;
using channel::Receipt;
using channel::ReceiptStatus;
using channel::WebhookAnswer;
using channel::WebhookRequest;

constexpr std::int64_t unix_ms_max = 253'402'300'799'999;  // the end of the year 9999

WebhookAnswer refuse(int status, std::string why) { return {.status = status, .refusal = std::move(why)}; }

std::optional<Json> entries_of(const HookSettings& hook, const WebhookRequest& request) {
    if (!hook.is_form) {
        auto body = channel::parse_foreign_json(request.body);
        if (body.is_discarded()) return std::nullopt;
        return body;
    }
    const auto fields = channel::parse_form(request.method == "GET" ? std::string_view{request.query} : trim(request.body));
    if (!fields || fields->empty()) return std::nullopt;
    auto object = Json::object();
    for (const auto& [name, value] : *fields) object.emplace(name, value);
    return object;
}

std::optional<Receipt> read_receipt(const Settings& settings, const Json& entry) {
    const auto& hook = *settings.receipt;
    const auto word = channel::as_text(value_at(entry, hook.status));
    const auto id = text_at(entry, hook.id);
    Receipt receipt{
        .destination = e164_number(text_at(entry, hook.to), settings.country_code), .raw = word, .attempt_id = text_at(entry, hook.attempt_id)};
    if (word.empty() || (id.empty() && receipt.attempt_id.empty())) return std::nullopt;
    if (!id.empty()) receipt.provider_ids.push_back(id);
    const auto found = hook.map.find(word);
    receipt.status = found == hook.map.end() ? hook.other : found->second;
    if (receipt.status == ReceiptStatus::failed || receipt.status == ReceiptStatus::recipient_refuses)
        receipt.reason = to_lower_ascii(channel::printable_code(word));
    if (hook.at) receipt.at = read_time(value_at(entry, *hook.at), hook.at_form, settings.utc_offset);
    return receipt;
}

std::optional<InboundMessage> read_message(const Settings& settings, const Json& entry) {
    const auto& hook = *settings.message;
    const auto from = channel::as_text(value_at(entry, hook.from));
    const auto& text = value_at(entry, hook.text);
    if (from.empty() || !(text.is_string() || text.is_number())) return std::nullopt;
    InboundMessage message{.from = e164_number(from, settings.country_code),
                           .to = text_at(entry, hook.to),
                           .text = channel::as_text(text),
                           .provider_id = text_at(entry, hook.id)};
    if (hook.at) message.at = read_time(value_at(entry, *hook.at), hook.at_form, settings.utc_offset);
    if (message.provider_id.empty()) message.fingerprint = from + "\n" + message.to + "\n" + text_at(entry, hook.at) + "\n" + message.text;
    return message;
}

// Calls `read` for each entry; false as soon as one cannot be read.
template <class Read>
bool read_entries(const HookSettings& hook, const Json& body, Read read) {
    const auto& entries = hook.list ? value_at(body, *hook.list) : body;
    if (entries.is_array()) {
        for (const auto& entry : entries)
            if (!read(entry)) return false;
        return true;
    }
    return entries.is_object() && read(entries);
}

template <class Item, class Read>
bool collect(std::vector<Item>& items, const HookSettings& hook, const Json& body, Read read) {
    return read_entries(hook, body, [&](const Json& entry) {
        auto item = read(entry);
        if (item) items.push_back(std::move(*item));
        return item.has_value();
    });
}

}  // namespace

std::optional<Instant> read_time(const Json& value, TimeForm form, Duration utc_offset) {
    const auto text = channel::as_text(value);
    if (form == TimeForm::rfc3339) return parse_instant(text);
    if (form == TimeForm::local) {
        const auto local = parse_instant(text + "Z");
        return local ? std::optional{*local - utc_offset} : std::nullopt;
    }
    if (form == TimeForm::compact) {
        if (text.size() != 14) return std::nullopt;
        const auto local = parse_instant(text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6, 2) + "T" + text.substr(8, 2) + ":" +
                                         text.substr(10, 2) + ":" + text.substr(12, 2) + "Z");
        return local ? std::optional{*local - utc_offset} : std::nullopt;
    }
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < 0 || number > unix_ms_max) return std::nullopt;
    if (form == TimeForm::unix_ms) return from_unix_ms(number);
    return number <= unix_ms_max / 1000 ? std::optional{from_unix_ms(number * 1000)} : std::nullopt;
}

WebhookAnswer receive_push(const Settings& settings, const WebhookRequest& request) {
    const auto is_for = [&](const HookSettings& hook) { return crypto::constant_time_equal(request.path_tail, "/" + hook.token); };
    const bool is_receipt = settings.receipt && is_for(*settings.receipt);
    const bool is_message = settings.message && is_for(*settings.message);
    if (!is_receipt && !is_message) return refuse(404, "TOKEN");
    const HookSettings& hook = is_receipt ? static_cast<const HookSettings&>(*settings.receipt) : *settings.message;
    if (request.method != "POST" && !(request.method == "GET" && hook.is_form)) return refuse(405, "METHOD");
    const auto body = entries_of(hook, request);
    if (!body) return refuse(400, "BODY");

    WebhookAnswer answer{.status = hook.answer_status, .content_type = hook.answer_type, .body = hook.answer_body};
    const bool read = is_receipt ? collect(answer.events.receipts, hook, *body, [&](const Json& entry) { return read_receipt(settings, entry); })
                                 : collect(answer.events.messages, hook, *body, [&](const Json& entry) { return read_message(settings, entry); });
    return read ? answer : refuse(400, "BODY");
}

}  // namespace touchgate::adapters::http_sms
