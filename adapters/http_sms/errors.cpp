#include "adapters/http_sms/errors.hpp"

#include <algorithm>

#include "adapters/http_sms/pointer.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::adapters::http_sms {

namespace {

using channel::HttpResponse;
using channel::Outcome;
using channel::OutcomeKind;

Json parsed_body(const AcceptSettings& settings, std::string_view body) {
    if (settings.format == AcceptSettings::Format::json) return channel::parse_foreign_json(body);
    if (!is_valid_utf8(body)) return Json{Json::value_t::discarded};
    if (settings.format == AcceptSettings::Format::form) {
        const auto fields = channel::parse_form(trim(body));
        if (!fields) return Json{Json::value_t::discarded};
        auto object = Json::object();
        for (const auto& [name, value] : *fields) object.emplace(name, value);
        return object;
    }
    auto array = Json::array();
    for (auto rest = trim(body);;) {
        const auto at = rest.find(settings.separator);
        array.push_back(std::string{trim(rest.substr(0, at))});
        if (at == std::string_view::npos) return array;
        rest.remove_prefix(at + settings.separator.size());
    }
}

bool is_ok(const AcceptSettings& settings, const HttpResponse& response, const Json& body) {
    if (std::find(settings.ok_statuses.begin(), settings.ok_statuses.end(), response.status) == settings.ok_statuses.end()) return false;
    if (!settings.ok_pointer) return !settings.code || text_at(body, settings.code).empty();
    const auto& value = value_at(body, *settings.ok_pointer);
    if (settings.ok_values.empty()) return !value.is_null();
    const auto text = channel::as_text(value);
    return (value.is_primitive() && !value.is_null()) &&
           std::find(settings.ok_values.begin(), settings.ok_values.end(), text) != settings.ok_values.end();
}

const Meaning* meaning_of(const AcceptSettings& settings, std::string_view code) {
    const Meaning* group = nullptr;
    for (const auto& [pattern, meaning] : settings.errors) {
        if (pattern == code) return &meaning;
        if (pattern.ends_with('*') && code.starts_with(std::string_view{pattern}.substr(0, pattern.size() - 1)) && group == nullptr) group = &meaning;
    }
    return group;
}

Outcome outcome_of(const Meaning& meaning, std::string code, const HttpResponse& response) {
    Outcome outcome{.kind = meaning.kind,
                    .code = std::move(code),
                    .detail = "as configured",
                    .scope = meaning.scope,
                    .field = meaning.field,
                    .retry_after = meaning.retry_after};
    if (meaning.kind == OutcomeKind::throttled)
        if (const auto told = channel::parse_retry_after(response.header("retry-after"))) outcome.retry_after = told;
    return outcome;
}

Outcome without_code(const HttpResponse& response) {
    const auto http = "http:" + std::to_string(response.status);
    if (response.status == 429)
        return outcome_of({.kind = OutcomeKind::throttled, .retry_after = Duration{1'000}, .scope = "account", .field = {}}, http, response);
    if (response.status == 401 || response.status == 403)
        return {.kind = OutcomeKind::credentials, .code = http, .detail = "the credentials were refused"};
    return {.kind = OutcomeKind::unknown, .code = http, .detail = "the answer cannot be read"};
}

}  // namespace

Outcome read_answer(const AcceptSettings& settings, const HttpResponse& response) {
    const auto http = "http:" + std::to_string(response.status);
    if (const auto found = settings.statuses.find(response.status); found != settings.statuses.end())
        return outcome_of(found->second, http, response);
    if (response.status >= 500) return {.kind = OutcomeKind::unknown, .code = http, .detail = "an error inside the provider"};

    const auto body = parsed_body(settings, response.body);
    if (body.is_discarded()) return without_code(response);
    const auto as_received = text_at(body, settings.code);
    const auto code = channel::printable_code(as_received);
    if (is_ok(settings, response, body)) {
        Outcome outcome{.kind = OutcomeKind::accepted, .code = code};
        if (auto id = text_at(body, settings.id); !id.empty()) outcome.ids.push_back(std::move(id));
        return outcome;
    }
    if (code.empty()) return without_code(response);
    if (const auto* meaning = meaning_of(settings, as_received)) return outcome_of(*meaning, code, response);
    return {.kind = settings.other_codes, .code = code, .detail = "a code that is not in the configuration"};
}

}  // namespace touchgate::adapters::http_sms
