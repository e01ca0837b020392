#include "adapters/http_sms/request.hpp"

#include <algorithm>

#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::http_sms {

namespace {

using channel::Fields;

bool all_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Values values_for(const Settings& settings, const channel::Submission& submission, const channel::RequestContext& context) {
    const std::string_view to = submission.to;
    const auto digits = to.starts_with('+') ? to.substr(1) : to;
    const bool is_national = to.starts_with("+" + settings.country_code) && !settings.country_code.empty();
    Values values{.texts = {{"to", std::string{to}},
                            {"to_digits", std::string{digits}},
                            {"to_national", std::string{is_national ? digits.substr(settings.country_code.size()) : digits}},
                            {"from", settings.from},
                            {"text", submission.content.text},
                            {"attempt_id", submission.attempt_id},
                            {"timestamp", std::to_string(std::chrono::floor<std::chrono::seconds>(context.now).time_since_epoch().count())},
                            {"timestamp_ms", std::to_string(unix_ms(context.now))},
                            {"date_time", compact_time(context.now, settings.utc_offset)},
                            {"nonce", context.nonce},
                            {"template_code", submission.content.template_code}},
                  .content = &submission.content};
    for (const auto& [name, value] : settings.values) values.texts.emplace("values." + name, value);
    return values;
}

void append_json(std::string& out, const BodyNode& node, const Values& values) {
    switch (node.kind) {
        case BodyNode::Kind::text: node.text.append_json(out, values); return;
        case BodyNode::Kind::literal: out += node.literal; return;
        case BodyNode::Kind::object:
        case BodyNode::Kind::array: break;
    }
    const bool is_object = node.kind == BodyNode::Kind::object;
    out.push_back(is_object ? '{' : '[');
    bool first = true;
    for (const auto& below : node.members) {
        if (!first) out.push_back(',');
        first = false;
        if (is_object) {
            append_json_string(out, below.name);
            out.push_back(':');
        }
        append_json(out, below, values);
    }
    out.push_back(is_object ? '}' : ']');
}

// The body's first level as names and texts: what a form sends, and what {{sorted}} signs.
Fields flat_fields(const BodyNode& body, const Values& values) {
    Fields fields;
    for (const auto& node : body.members) {
        if (node.kind == BodyNode::Kind::text) {
            fields.emplace_back(node.name, node.text.render(values));
        } else {
            std::string json;
            append_json(json, node, values);
            fields.emplace_back(node.name, std::move(json));
        }
    }
    return fields;
}

// "a=1&b=2" of the fields that have a value, by name, not encoded.
std::string sorted_text(Fields fields) {
    std::sort(fields.begin(), fields.end());
    std::string text;
    for (const auto& [name, value] : fields)
        if (!value.empty()) text += (text.empty() ? "" : "&") + name + "=" + value;
    return text;
}

std::string digest(const SignSettings& sign, const std::string& input) {
    switch (sign.algorithm) {
        case SignSettings::Algorithm::hmac_sha256: return std::string{crypto::view(crypto::hmac_sha256(sign.key, input))};
        case SignSettings::Algorithm::hmac_sha1: return crypto::hmac_sha1(sign.key, input);
        case SignSettings::Algorithm::sha256: return std::string{crypto::view(crypto::sha256(input))};
        case SignSettings::Algorithm::md5: return crypto::md5(input);
        case SignSettings::Algorithm::none: break;
    }
    return {};
}

std::string signature_text(const SignSettings& sign, const std::string& input) {
    const auto bytes = digest(sign, input);
    if (sign.form == SignSettings::TextForm::base64) return crypto::base64(bytes);
    auto text = to_hex(bytes);
    if (sign.form == SignSettings::TextForm::upper_hex)
        for (auto& c : text)
            if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
    return text;
}

struct Draft {
    std::string path;   // without the query
    std::string query;  // without '?'
    std::string body;
    Fields fields;
};

Draft draft_of(const RequestSettings& request, const Values& values) {
    Draft draft;
    const auto target = request.path.render(values, channel::percent_encode);
    const auto mark = target.find('?');
    draft.path = request.base.path + target.substr(0, mark);
    if (mark != std::string::npos) draft.query = target.substr(mark + 1);
    draft.fields = flat_fields(request.body, values);
    if (request.encoding == Encoding::json) append_json(draft.body, request.body, values);
    if (request.encoding == Encoding::form) draft.body = channel::encode_form(draft.fields);
    if (request.encoding == Encoding::query && !draft.fields.empty())
        draft.query += (draft.query.empty() ? "" : "&") + channel::encode_form(draft.fields);
    return draft;
}

void insert_into_body(std::string& body, Encoding encoding, const std::string& name, const std::string& value) {
    if (encoding == Encoding::form) {
        body += (body.empty() ? "" : "&") + channel::encode_form({{name, value}});
        return;
    }
    // The configured body is always an object.
    body.pop_back();
    if (body.size() > 1) body.push_back(',');
    append_json_string(body, name);
    body.push_back(':');
    append_json_string(body, value);
    body.push_back('}');
}

}  // namespace

std::string compact_time(Instant instant, Duration utc_offset) {
    std::string digits;
    for (const char c : format_instant(instant + utc_offset).substr(0, 19))
        if (c >= '0' && c <= '9') digits.push_back(c);
    return digits;
}

std::string e164_number(std::string_view as_received, std::string_view country_code) {
    if (!all_digits(as_received) || country_code.empty()) return std::string{as_received};
    if (as_received.starts_with("00")) return "+" + std::string{as_received.substr(2)};
    if (country_code == "86" && as_received.size() == 11 && as_received.front() == '1') return "+86" + std::string{as_received};
    if (as_received.starts_with(country_code) && as_received.size() >= country_code.size() + 8) return "+" + std::string{as_received};
    return std::string{as_received};
}

channel::HttpRequest build_request(const Settings& settings, const channel::Submission& submission, const channel::RequestContext& context) {
    const auto& request = settings.request;
    const auto& sign = settings.sign;
    auto values = values_for(settings, submission, context);
    auto draft = draft_of(request, values);
    channel::Headers headers;
    bool has_content_type = false;

    if (sign.algorithm != SignSettings::Algorithm::none) {
        for (const auto& [name, value] : {std::pair<std::string, std::string>{"method", request.method},
                                          {"host", request.base.host},
                                          {"path", draft.path},
                                          {"query", draft.query},
                                          {"body", draft.body},
                                          {"sorted", sorted_text(draft.fields)},
                                          {"key", sign.key}})
            values.texts.insert_or_assign(name, value);
        const auto signature = signature_text(sign, sign.input.render(values));
        values.texts.insert_or_assign("signature", signature);
        if (!sign.name.empty()) {
            if (sign.place == SignSettings::Place::header) headers.emplace_back(sign.name, signature);
            if (sign.place == SignSettings::Place::query)
                draft.query += (draft.query.empty() ? "" : "&") + channel::encode_form({{sign.name, signature}});
            if (sign.place == SignSettings::Place::body) insert_into_body(draft.body, request.encoding, sign.name, signature);
        }
    }
    for (const auto& [name, value] : request.headers) {
        headers.emplace_back(name, value.render(values, header_text));
        has_content_type = has_content_type || to_lower_ascii(name) == "content-type";
    }
    if (!has_content_type && request.encoding != Encoding::query)
        headers.emplace_back("content-type",
                             request.encoding == Encoding::json ? "application/json; charset=utf-8" : "application/x-www-form-urlencoded");
    return {request.method, request.base.origin + draft.path + (draft.query.empty() ? "" : "?" + draft.query), std::move(headers),
            std::move(draft.body)};
}

}  // namespace touchgate::adapters::http_sms
