#include "adapters/wechat/callback.hpp"

#include <variant>

#include "adapters/wechat/callback_crypto.hpp"
#include "gateway/base/text.hpp"
#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::wechat {

namespace {

using channel::Fields;
using channel::WebhookAnswer;
using channel::WebhookEvents;
using channel::WebhookRequest;

int status_of(Refusal refusal) {
    switch (refusal) {
        case Refusal::xml: return 400;
        case Refusal::too_large: return 413;
        case Refusal::method: return 405;
        case Refusal::path: return 404;
        default: return 403;
    }
}

WebhookAnswer refuse(Refusal refusal) { return {.status = status_of(refusal), .refusal = std::string{to_string(refusal)}}; }

// The query's values that a callback may have. A '+' stays one: base64 has it.
struct Query {
    Fields fields;
    [[nodiscard]] std::string_view operator[](std::string_view name) const { return channel::field(fields, name); }
};

bool is_fresh(const CallbackSettings& settings, const Query& query, Instant now) {
    if (!settings.max_skew) return true;
    const auto at = read_unix_time(query["timestamp"]);
    return at && *at >= now - *settings.max_skew && *at <= now + *settings.max_skew;
}

// The signature over the time stamp and nonce, and over `encrypted` where that is given; then the time stamp.
std::optional<Refusal> check_signature(const CallbackSettings& settings, const Query& query, std::optional<std::string_view> encrypted, Instant now) {
    const std::array<std::string_view, 4> parts = {settings.token, query["timestamp"], query["nonce"], encrypted.value_or(std::string_view{})};
    const auto given = query[encrypted ? "msg_signature" : "signature"];
    if (!signature_fits(given, std::span{parts}.first(encrypted ? 4 : 3))) return Refusal::signature_mismatch;
    if (!is_fresh(settings, query, now)) return Refusal::stale;
    return std::nullopt;
}

std::variant<std::string, Refusal> open(const CallbackSettings& settings, const Query& query, std::string_view encrypted, Instant now) {
    if (const auto refusal = check_signature(settings, query, encrypted, now)) return *refusal;
    if (!settings.aes_key) return Refusal::not_encrypted;
    return decrypt_callback(*settings.aes_key, settings.receive_id, encrypted);
}

WebhookAnswer answer_echo(const CallbackSettings& settings, const Query& query, Instant now) {
    const auto echo = query["echostr"];
    // An official account's question is signed but not encrypted, also in secure mode; some senders encrypt it all the same.
    if (settings.platform == Platform::official && query["encrypt_type"] != "aes") {
        if (const auto refusal = check_signature(settings, query, std::nullopt, now)) return refuse(*refusal);
        return {.body = std::string{echo}};
    }
    auto opened = open(settings, query, echo, now);
    if (const auto* refusal = std::get_if<Refusal>(&opened)) return refuse(*refusal);
    return {.body = std::get<std::string>(std::move(opened))};
}

std::optional<Element> read_document(const CallbackSettings& settings, std::string_view text) {
    auto document = settings.json && trim(text).starts_with('{') ? read_json(text) : read_xml(text);
    if (!document || document->name != "xml") return std::nullopt;
    return document;
}

// The authentic plain text of a POST.
std::variant<std::string, Refusal> read_post(const CallbackSettings& settings, const Query& query, const WebhookRequest& request) {
    const bool official = settings.platform == Platform::official;
    const bool says_encrypted = query["encrypt_type"] == "aes";
    if (official && settings.mode == CallbackMode::secure && !says_encrypted) return Refusal::not_encrypted;
    const auto envelope = read_document(settings, request.body);
    if (!envelope) return Refusal::xml;
    const auto* encrypted = official && settings.mode == CallbackMode::plain ? nullptr : envelope->child("Encrypt");
    if (encrypted != nullptr) return open(settings, query, trim(encrypted->text), request.now);
    if (!official || settings.mode == CallbackMode::secure || envelope->child("MsgType") == nullptr) return Refusal::xml;
    if (const auto refusal = check_signature(settings, query, std::nullopt, request.now)) return *refusal;
    return request.body;
}

}  // namespace

std::string Callback::id() const {
    const auto digest = crypto::sha256(text);
    return to_hex(crypto::view(digest));
}

channel::ProviderEvent unknown_event(const Callback& callback) {
    const auto word = callback[callback["Event"].empty() ? "MsgType" : "Event"];
    return {.kind = "unknown",
            .name = channel::printable_code(to_lower_ascii(word)),
            .from = std::string{callback["FromUserName"]},
            .id = callback.id(),
            .at = callback.at,
            .body_json = to_body_json(callback.message)};
}

WebhookAnswer receive_callback(const CallbackSettings& settings, const WebhookRequest& request,
                               const std::function<WebhookEvents(const Callback&)>& take) {
    if (!request.path_tail.empty()) return refuse(Refusal::path);
    if (request.body.size() > document_bytes_max) return refuse(Refusal::too_large);
    if (request.method != "GET" && request.method != "POST") return refuse(Refusal::method);
    auto fields = channel::parse_form(request.query, false);
    if (!fields) return refuse(Refusal::signature_mismatch);
    const Query query{std::move(*fields)};
    if (request.method == "GET") return answer_echo(settings, query, request.now);

    auto opened = read_post(settings, query, request);
    if (const auto* refusal = std::get_if<Refusal>(&opened)) return refuse(*refusal);
    Callback callback{.text = std::get<std::string>(std::move(opened)), .message = {}, .at = {}};
    WebhookAnswer answer{.body = settings.platform == Platform::official ? "success" : ""};
    auto message = read_document(settings, callback.text);
    if (!message) {
        const auto digest = crypto::sha256(callback.text);
        answer.events.events.push_back({.kind = "unknown", .id = to_hex(crypto::view(digest)), .refused = std::string{to_string(Refusal::xml)}});
        return answer;
    }
    callback.message = std::move(*message);
    callback.at = read_unix_time(callback["CreateTime"]);
    answer.events = take(callback);
    return answer;
}

std::string encrypted_answer(const CallbackSettings& settings, std::string_view message, Instant now, std::string_view nonce,
                             const std::array<std::uint8_t, 16>& random) {
    if (!settings.aes_key) return {};
    const auto encrypted = encrypt_callback(*settings.aes_key, settings.receive_id, message, random);
    const auto time = std::to_string(unix_ms(now) / 1000);
    const std::array<std::string_view, 4> parts = {settings.token, time, nonce, encrypted};
    return "<xml><Encrypt><![CDATA[" + encrypted + "]]></Encrypt><MsgSignature><![CDATA[" + callback_signature(parts) +
           "]]></MsgSignature><TimeStamp>" + time + "</TimeStamp><Nonce><![CDATA[" + std::string{nonce} + "]]></Nonce></xml>";
}

}  // namespace touchgate::adapters::wechat
