#include "adapters/http_sms/settings.hpp"

#include <algorithm>
#include <array>

#include "adapters/http_sms/pointer.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::adapters::http_sms {

namespace {

using channel::OutcomeKind;
using channel::ReceiptStatus;

constexpr std::array request_names = {"to",        "to_digits",    "to_national", "from",  "text",         "attempt_id",
                                      "timestamp", "timestamp_ms", "date_time",   "nonce", "template_code"};
constexpr std::array sign_names = {"method", "host", "path", "query", "body", "sorted", "key"};
constexpr std::string_view signature_name = "signature";

constexpr std::array outcome_kinds = {OutcomeKind::not_sent,          OutcomeKind::unknown,       OutcomeKind::throttled,
                                      OutcomeKind::quota_exhausted,   OutcomeKind::window_closed, OutcomeKind::recipient_refuses,
                                      OutcomeKind::recipient_invalid, OutcomeKind::refused,       OutcomeKind::content_rejected,
                                      OutcomeKind::credentials,       OutcomeKind::config,        OutcomeKind::provider_down};

bool is_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

// Parses texts with placeholders, knowing which may stand where.
class TemplateReader {
public:
    TemplateReader(const std::map<std::string, std::string>& values, std::vector<Problem>& problems) : values_{values}, problems_{problems} {}

    enum class Where { request, header, sign };

    TextTemplate parse(std::string_view text, const std::string& pointer, Where where) {
        const auto known = [&](std::string_view name) {
            if (name.starts_with("values.")) return values_.contains(std::string{name.substr(7)});
            if (std::find(request_names.begin(), request_names.end(), name) != request_names.end()) return true;
            if (where == Where::header) return name == signature_name;
            return where == Where::sign && std::find(sign_names.begin(), sign_names.end(), name) != sign_names.end();
        };
        auto parsed = TextTemplate::parse(text, known, [&](std::string detail) { problems_.push_back({pointer, std::move(detail)}); });
        uses_text_ = uses_text_ || parsed.uses("text");
        uses_template_ = uses_template_ || parsed.uses("template_code");
        uses_attempt_ = uses_attempt_ || parsed.uses("attempt_id");
        return parsed;
    }

    BodyNode parse_body(const Json& value, const std::string& pointer, bool one_level, int depth = 0) {
        BodyNode node;
        if (value.is_string()) {
            node.kind = BodyNode::Kind::text;
            node.text = parse(value.get_ref<const std::string&>(), pointer, Where::request);
        } else if (value.is_object() || value.is_array()) {
            node.kind = value.is_object() ? BodyNode::Kind::object : BodyNode::Kind::array;
            if (one_level && depth > 0) problems_.push_back({pointer, "must be a string, number or boolean: a form has one level"});
            std::size_t index = 0;
            for (const auto& [key, element] : value.items()) {
                const auto below = value.is_object() ? pointer_to(pointer, key) : pointer_to(pointer, index++);
                node.members.push_back(parse_body(element, below, one_level, depth + 1));
                if (value.is_object()) node.members.back().name = key;
            }
        } else {
            node.kind = BodyNode::Kind::literal;
            node.literal = value.dump();
        }
        return node;
    }

    [[nodiscard]] bool uses_text() const { return uses_text_; }
    [[nodiscard]] bool uses_template() const { return uses_template_; }
    [[nodiscard]] bool uses_attempt() const { return uses_attempt_; }

private:
    const std::map<std::string, std::string>& values_;
    std::vector<Problem>& problems_;
    bool uses_text_ = false;
    bool uses_template_ = false;
    bool uses_attempt_ = false;
};

std::map<std::string, std::string> read_values(JsonReader& reader) {
    std::map<std::string, std::string> values;
    reader.members("values", [&](const std::string& name, const Json& value, const std::string& pointer) {
        if (!is_name(name)) reader.problems().push_back({pointer, "a name is made of letters, digits, '_' and '-'"});
        else if (!value.is_string()) reader.problems().push_back({pointer, std::string{"must be a string, is "} + value.type_name()});
        else values.emplace(name, value.get<std::string>());
    });
    return values;
}

Duration read_utc_offset(JsonReader& reader) {
    const auto text = reader.text("utc_offset", "+08:00");
    const auto shifted = text.size() == 6 ? parse_instant("2000-01-02T00:00:00" + text) : std::nullopt;
    if (!shifted) {
        reader.problem("utc_offset", "must be an offset such as \"+08:00\"");
        return Duration{8 * 3'600'000};
    }
    return *parse_instant("2000-01-02T00:00:00Z") - *shifted;
}

void read_address(JsonReader& account, JsonReader& request, TemplateReader& templates, RequestSettings& settings) {
    std::string path;
    std::string key = "path";
    if (request.has("url")) {
        key = "url";
        const auto url = request.required_text("url", {8, 2'000});
        const auto host_at = url.find("://");
        const auto path_at = host_at == std::string::npos ? std::string::npos : url.find_first_of("/?", host_at + 3);
        if (const auto base = channel::parse_base_url(url.substr(0, path_at))) settings.base = *base;
        else request.problem("url", "must be an http or https URL whose host is written out");
        if (path_at != std::string::npos) path = url.substr(path_at);
        if (path.empty() || path.front() == '?') path.insert(0, "/");
        if (request.has("path")) request.problem("path", "goes with base_url, not with url");
        (void)request.raw("path");
        (void)account.raw("base_url");
    } else {
        settings.base = channel::read_base_url(account, "");
        path = request.text("path", "/", {1, 2'000});
        if (path.front() != '/') request.problem("path", "must begin with '/'");
    }
    if (path.find_first_of("# \t\r\n") != std::string::npos) request.problem(key, "must not contain blanks, line breaks or '#'");
    settings.path = templates.parse(path, pointer_to(request.pointer(), key), TemplateReader::Where::request);
}

void read_request(JsonReader& account, TemplateReader& templates, RequestSettings& settings) {
    auto request = account.object("request");
    if (!request) {
        if (!account.has("request")) account.problem("request", "is required");
        return;
    }
    settings.method = request->choice("method", {"POST", "GET", "PUT"}, "POST");
    read_address(account, *request, templates, settings);
    request->members("headers", [&](const std::string& name, const Json& value, const std::string& pointer) {
        if (!is_name(name)) account.problems().push_back({pointer, "a header's name is made of letters, digits, '_' and '-'"});
        else if (!value.is_string()) account.problems().push_back({pointer, std::string{"must be a string, is "} + value.type_name()});
        else settings.headers.emplace_back(name, templates.parse(value.get_ref<const std::string&>(), pointer, TemplateReader::Where::header));
    });
    const auto encoding = request->choice("encoding", {"json", "form", "query"}, settings.method == "GET" ? "query" : "json");
    settings.encoding = encoding == "json" ? Encoding::json : encoding == "form" ? Encoding::form : Encoding::query;
    if (settings.method == "GET" && settings.encoding != Encoding::query)
        request->problem("encoding", "must be \"query\" for a GET, which has no body");
    if (const auto body = request->object("body"))
        settings.body = templates.parse_body(body->value(), body->pointer(), settings.encoding != Encoding::json);
    request->finish();
}

void read_sign(JsonReader& account, TemplateReader& templates, const RequestSettings& request, SignSettings& settings) {
    auto sign = account.object("sign");
    if (!sign) return;
    const auto algorithm = sign->choice("algorithm", {"none", "hmac-sha256", "hmac-sha1", "sha256", "md5"}, "none");
    using Algorithm = SignSettings::Algorithm;
    settings.algorithm = algorithm == "hmac-sha256" ? Algorithm::hmac_sha256
                         : algorithm == "hmac-sha1" ? Algorithm::hmac_sha1
                         : algorithm == "sha256"    ? Algorithm::sha256
                         : algorithm == "md5"       ? Algorithm::md5
                                                    : Algorithm::none;
    const auto form = sign->choice("encoding", {"hex", "upper_hex", "base64"}, "hex");
    settings.form = form == "hex"         ? SignSettings::TextForm::hex
                    : form == "upper_hex" ? SignSettings::TextForm::upper_hex
                                          : SignSettings::TextForm::base64;
    settings.key = sign->text("key", {}, {1, 2'000});
    settings.input = templates.parse(sign->text("input", {}, {1, 4'000}), pointer_to(sign->pointer(), "input"), TemplateReader::Where::sign);
    const auto into = sign->text("into", {}, {1, 200});
    const auto colon = into.find(':');
    const auto place = into.substr(0, colon);
    if (colon != std::string::npos) settings.name = into.substr(colon + 1);
    settings.place = place == "body" ? SignSettings::Place::body : place == "query" ? SignSettings::Place::query : SignSettings::Place::header;

    if (settings.algorithm != Algorithm::none) {
        const bool keyed = settings.algorithm == Algorithm::hmac_sha256 || settings.algorithm == Algorithm::hmac_sha1;
        if (keyed && settings.key.empty()) sign->problem("key", "is required for an HMAC");
        if (settings.input.empty()) sign->problem("input", "is required");
        const bool in_a_header =
            std::any_of(request.headers.begin(), request.headers.end(), [](const auto& header) { return header.second.uses(signature_name); });
        if (into.empty() && !in_a_header) sign->problem("into", "is required unless a header uses {{signature}}");
    }
    if (!into.empty() && ((place != "body" && place != "query" && place != "header") || !is_name(settings.name)))
        sign->problem("into", "must be \"header:NAME\", \"query:NAME\" or \"body:NAME\"");
    if (settings.place == SignSettings::Place::body && request.encoding == Encoding::query)
        sign->problem("into", "there is no body: use \"query:NAME\"");
    sign->finish();
}

std::optional<Pointer> read_pointer(JsonReader& reader, std::string_view key, bool required = false) {
    if (!reader.has(key)) {
        (void)reader.raw(key);
        if (required) reader.problem(key, "is required");
        return std::nullopt;
    }
    auto pointer = parse_pointer(reader.text(key));
    if (!pointer) reader.problem(key, "must be a JSON pointer such as \"/data/id\"");
    return pointer;
}

std::optional<OutcomeKind> outcome_named(std::string_view name) {
    for (const auto kind : outcome_kinds)
        if (to_string(kind) == name) return kind;
    return std::nullopt;
}

std::string outcome_list() {
    std::string list;
    for (const auto kind : outcome_kinds) list += (list.empty() ? "" : ", ") + std::string{to_string(kind)};
    return list;
}

// "throttled", or {"outcome": "throttled", "scope": "recipient", "retry_after": "PT1M"}.
Meaning read_meaning(const Json& value, const std::string& pointer, std::vector<Problem>& problems) {
    Meaning meaning;
    std::string name;
    if (value.is_string()) {
        name = value.get<std::string>();
    } else {
        JsonReader reader{value, pointer, problems};
        name = reader.required_text("outcome");
        meaning.scope = reader.text("scope");
        meaning.field = reader.text("field");
        if (reader.has("retry_after")) meaning.retry_after = reader.duration("retry_after", Duration{1'000}, Duration{1}, 31 * one_day);
        reader.finish();
        if (name.empty()) return meaning;
    }
    const auto kind = outcome_named(name);
    if (!kind) {
        problems.push_back({pointer, "must be one of: " + outcome_list()});
        return meaning;
    }
    meaning.kind = *kind;
    const bool waits = *kind == OutcomeKind::throttled || *kind == OutcomeKind::quota_exhausted;
    if (waits && meaning.scope.empty()) meaning.scope = "account";
    if (waits && !meaning.retry_after) meaning.retry_after = *kind == OutcomeKind::throttled ? Duration{1'000} : one_day;
    if (*kind == OutcomeKind::content_rejected && meaning.field.empty()) meaning.field = "text";
    return meaning;
}

void read_ok_when(JsonReader& accept, AcceptSettings& settings) {
    auto ok = accept.object("ok_when");
    if (!ok) return;
    if (const auto* statuses = ok->raw("status")) {
        settings.ok_statuses.clear();
        for (const auto& status : statuses->is_array() ? *statuses : Json::array({*statuses})) {
            if (status.is_number_integer() && status.get<std::int64_t>() >= 200 && status.get<std::int64_t>() <= 499)
                settings.ok_statuses.push_back(status.get<int>());
            else ok->problem("status", "must be a number or an array of numbers from 200 to 499");
        }
    }
    settings.ok_pointer = read_pointer(*ok, "pointer");
    if (const auto* values = ok->raw("equals")) {
        if (!settings.ok_pointer) ok->problem("equals", "goes with a pointer");
        for (const auto& value : values->is_array() ? *values : Json::array({*values})) {
            if (value.is_object() || value.is_array() || value.is_null())
                ok->problem("equals", "must be a string, number or boolean, or an array of these");
            else settings.ok_values.push_back(channel::as_text(value));
        }
    }
    ok->finish();
}

void read_accept(JsonReader& account, AcceptSettings& settings) {
    auto accept = account.object("accept");
    if (!accept) {
        if (!account.has("accept")) account.problem("accept", "is required");
        return;
    }
    const auto format = accept->choice("format", {"json", "form", "text"}, "json");
    using Format = AcceptSettings::Format;
    settings.format = format == "json" ? Format::json : format == "form" ? Format::form : Format::text;
    settings.separator = accept->text("separator", ",", {1, 10});
    read_ok_when(*accept, settings);
    settings.id = read_pointer(*accept, "id");
    settings.code = read_pointer(*accept, "code");
    accept->members("errors", [&](const std::string& code, const Json& value, const std::string& pointer) {
        settings.errors.emplace_back(code, read_meaning(value, pointer, account.problems()));
    });
    if (!settings.errors.empty() && !settings.code) accept->problem("code", "is required to look up errors");
    accept->members("statuses", [&](const std::string& status, const Json& value, const std::string& pointer) {
        const bool digits = status.size() == 3 && std::all_of(status.begin(), status.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (!digits) account.problems().push_back({pointer, "must be an HTTP status of three digits"});
        else settings.statuses.emplace(std::stoi(status), read_meaning(value, pointer, account.problems()));
    });
    settings.other_codes =
        accept->choice("other_codes", {"refused", "unknown"}, "refused") == "unknown" ? OutcomeKind::unknown : OutcomeKind::refused;
    accept->finish();
}

void read_hook(JsonReader& reader, HookSettings& settings) {
    settings.token = reader.required_text("token", {8, 200});
    if (settings.token.find('/') != std::string::npos) reader.problem("token", "must not contain '/': it is one step of a path");
    settings.is_form = reader.choice("format", {"json", "form"}, "json") == "form";
    settings.list = read_pointer(reader, "list");
    settings.id = read_pointer(reader, "id");
    settings.to = read_pointer(reader, "to");
    settings.at = read_pointer(reader, "at");
    const auto form = reader.choice("at_format", {"unix", "unix_ms", "rfc3339", "local", "compact"}, "unix");
    settings.at_form = form == "unix"      ? TimeForm::unix_seconds
                       : form == "unix_ms" ? TimeForm::unix_ms
                       : form == "rfc3339" ? TimeForm::rfc3339
                       : form == "local"   ? TimeForm::local
                                           : TimeForm::compact;
    if (auto answer = reader.object("answer")) {
        settings.answer_status = static_cast<int>(answer->integer("status", 200, 200, 299));
        settings.answer_type = answer->text("content_type", "text/plain", {1, 100});
        settings.answer_body = answer->text("body", "OK", {0, 10'000});
        if (header_text(settings.answer_type) != settings.answer_type) answer->problem("content_type", "must not contain control characters");
        answer->finish();
    }
}

std::optional<ReceiptStatus> receipt_status_named(std::string_view name) {
    if (name == "delivered") return ReceiptStatus::delivered;
    if (name == "read") return ReceiptStatus::read;
    if (name == "failed") return ReceiptStatus::failed;
    if (name == "recipient_refuses") return ReceiptStatus::recipient_refuses;
    if (name == "pending") return ReceiptStatus::pending;
    if (name == "unknown") return ReceiptStatus::unknown;
    return std::nullopt;
}

std::optional<ReceiptSettings> read_receipt(JsonReader& account) {
    auto reader = account.object("receipt");
    if (!reader) return std::nullopt;
    ReceiptSettings settings;
    read_hook(*reader, settings);
    settings.attempt_id = read_pointer(*reader, "attempt_id");
    if (!reader->has("id") && !reader->has("attempt_id")) reader->problem("id", "id or attempt_id is required");
    settings.status = read_pointer(*reader, "status", true).value_or(Pointer{});
    reader->members("map", [&](const std::string& word, const Json& value, const std::string& pointer) {
        const auto status = value.is_string() ? receipt_status_named(value.get_ref<const std::string&>()) : std::nullopt;
        if (status) settings.map.emplace(word, *status);
        else account.problems().push_back({pointer, "must be one of: delivered, read, failed, recipient_refuses, pending, unknown"});
    });
    if (settings.map.empty()) reader->problem("map", "is required: the provider's words for the statuses");
    settings.other = reader->choice("other", {"failed", "unknown", "pending"}, "failed") == "failed"
                         ? ReceiptStatus::failed
                         : *receipt_status_named(reader->choice("other", {"failed", "unknown", "pending"}, "failed"));
    reader->finish();
    return settings;
}

std::optional<MessageSettings> read_message(JsonReader& account) {
    auto reader = account.object("mo");
    if (!reader) return std::nullopt;
    MessageSettings settings;
    read_hook(*reader, settings);
    settings.from = read_pointer(*reader, "from", true).value_or(Pointer{});
    settings.text = read_pointer(*reader, "text", true).value_or(Pointer{});
    reader->finish();
    return settings;
}

}  // namespace

Settings read_settings(JsonReader& reader, const channel::AccountContext& context) {
    Settings settings;
    settings.values = read_values(reader);
    settings.from = reader.text("from", {}, {0, 100});
    settings.country_code = reader.text("country_code", context.default_region == "CN" ? "86" : "", {0, 4});
    if (!std::all_of(settings.country_code.begin(), settings.country_code.end(), [](char c) { return c >= '0' && c <= '9'; }))
        reader.problem("country_code", "must be digits, such as \"86\"");
    settings.utc_offset = read_utc_offset(reader);
    settings.timeout = reader.duration("timeout", settings.timeout, Duration{100}, Duration{120'000});
    settings.window = static_cast<int>(reader.integer("window", settings.window, 1, 1'000));
    settings.text_characters_max = static_cast<std::size_t>(reader.integer("text_characters_max", 0, 0, 100'000));
    settings.idempotent = reader.boolean("idempotent", false);

    TemplateReader templates{settings.values, reader.problems()};
    read_request(reader, templates, settings.request);
    settings.takes_text = templates.uses_text();
    settings.takes_template_code = templates.uses_template();
    const bool echoes_attempt = templates.uses_attempt();
    read_sign(reader, templates, settings.request, settings.sign);
    read_accept(reader, settings.accept);
    settings.receipt = read_receipt(reader);
    settings.message = read_message(reader);

    const auto* request = reader.raw("request");
    if (request != nullptr && request->is_object() && !settings.takes_text && !settings.takes_template_code)
        reader.problem("request", "uses neither {{text}} nor {{template_code}}, so it would send nothing of the message");
    if (settings.idempotent && !echoes_attempt) reader.problem("idempotent", "needs {{attempt_id}} in the request");
    if (settings.receipt && settings.message && settings.receipt->token == settings.message->token)
        reader.problem("mo", "needs another token than receipt: the token tells them apart");
    return settings;
}

}  // namespace touchgate::adapters::http_sms
