#include "adapters/aliyun_sms/request.hpp"

#include <algorithm>

#include "adapters/aliyun_sms/signature.hpp"
#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::aliyun_sms {

namespace {

using channel::Fields;
using channel::HttpRequest;
using channel::RequestContext;
using channel::Submission;

constexpr std::string_view api_version = "2017-05-25";
constexpr std::string_view form_type = "application/x-www-form-urlencoded";
constexpr std::string_view batch_prefix = "batch.";
constexpr std::size_t fingerprint_characters = 4;

std::string to_the_second(Instant now) { return format_instant(now).substr(0, 19) + "Z"; }

std::string url_of(const Settings& settings, const Fields& query) {
    return settings.base.origin + settings.base.path + "/?" + channel::encode_form(query);
}

HttpRequest signed_acs3(const Settings& settings, std::string_view action, const Fields& query, const std::string& body,
                        const RequestContext& context) {
    channel::Headers headers = {{"host", settings.base.host},
                                {"accept", "application/json"},
                                {"x-acs-action", std::string{action}},
                                {"x-acs-version", std::string{api_version}},
                                {"x-acs-date", to_the_second(context.now)},
                                {"x-acs-signature-nonce", context.nonce},
                                {"x-acs-content-sha256", to_hex(crypto::view(crypto::sha256(body)))},
                                {"x-acs-credentials-provider", settings.security_token.empty() ? "static_ak" : "static_sts"}};
    if (!settings.security_token.empty()) {
        headers.emplace_back("x-acs-accesskey-id", settings.access_key_id);
        headers.emplace_back("x-acs-security-token", settings.security_token);
    }
    if (!body.empty()) headers.emplace_back("content-type", form_type);
    const auto authorization =
        acs3_authorization(settings.access_key_id, settings.access_key_secret, {"POST", settings.base.path + "/", query, headers, body});
    headers.emplace_back("authorization", authorization);
    return {"POST", url_of(settings, query), std::move(headers), body};
}

// Parameters go in the query also here, as the current SDK does with the old signature; only the arrays of a batch are a form.
HttpRequest signed_rpc(const Settings& settings, std::string_view action, Fields query, const Fields& form, const RequestContext& context) {
    query.insert(query.end(), {{"AccessKeyId", settings.access_key_id},
                               {"Action", std::string{action}},
                               {"Format", "json"},
                               {"SignatureMethod", "HMAC-SHA1"},
                               {"SignatureNonce", context.nonce},
                               {"SignatureVersion", "1.0"},
                               {"Timestamp", to_the_second(context.now)},
                               {"Version", std::string{api_version}}});
    if (!settings.security_token.empty()) query.emplace_back("SecurityToken", settings.security_token);
    auto parameters = query;
    parameters.insert(parameters.end(), form.begin(), form.end());
    std::sort(query.begin(), query.end());
    query.emplace_back("Signature", rpc_signature(settings.access_key_secret, rpc_string_to_sign("POST", std::move(parameters))));

    channel::Headers headers = {{"host", settings.base.host}, {"accept", "application/json"}};
    if (!form.empty()) headers.emplace_back("content-type", form_type);
    return {"POST", url_of(settings, query), std::move(headers), channel::encode_form(form)};
}

HttpRequest signed_request(const Settings& settings, std::string_view action, Fields query, const Fields& form, const RequestContext& context) {
    if (settings.signature == Signature::rpc) return signed_rpc(settings, action, std::move(query), form, context);
    std::sort(query.begin(), query.end());
    return signed_acs3(settings, action, query, channel::encode_form(form), context);
}

// The provider asks for text values only, also where a variable looks like a number.
std::string parameters_as_json(const channel::Content& content) {
    std::string json = "{";
    for (const auto& [name, value] : content.params) {
        if (json.size() > 1) json.push_back(',');
        append_json_string(json, name);
        json.push_back(':');
        append_json_string(json, value);
    }
    return json + "}";
}

std::string fingerprint(std::string_view attempt_id) {
    const auto digest = crypto::sha256(attempt_id);
    auto text = crypto::base64(crypto::view(digest).substr(0, 3));  // three bytes: four characters, no padding
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
}

bool all_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

HttpRequest batch_request(const Settings& settings, std::span<const Submission> submissions, const RequestContext& context) {
    std::string numbers;
    std::string signatures;
    std::string parameters;
    std::string extensions;
    const auto add = [](std::string& array, std::string_view text) {
        array.push_back(array.empty() ? '[' : ',');
        append_json_string(array, text);
    };
    for (const auto& submission : submissions) {
        add(numbers, provider_number(submission.to));
        add(signatures, settings.sign_name);
        parameters += (parameters.empty() ? "[" : ",") + parameters_as_json(submission.content);
        add(extensions, settings.sms_up_extend_code);
    }
    Fields form = {{"PhoneNumberJson", numbers + "]"}, {"SignNameJson", signatures + "]"}};
    if (!settings.sms_up_extend_code.empty()) form.emplace_back("SmsUpExtendCodeJson", extensions + "]");
    form.emplace_back("TemplateParamJson", parameters + "]");
    return signed_request(settings, "SendBatchSms",
                          {{"OutId", batch_out_id(submissions)}, {"TemplateCode", submissions.front().content.template_code}}, form, context);
}

}  // namespace

HttpRequest send_request(const Settings& settings, std::span<const Submission> submissions, const RequestContext& context) {
    if (submissions.size() > 1) return batch_request(settings, submissions, context);
    const auto& submission = submissions.front();
    Fields query = {{"OutId", submission.attempt_id},
                    {"PhoneNumbers", provider_number(submission.to)},
                    {"SignName", settings.sign_name},
                    {"TemplateCode", submission.content.template_code}};
    if (!submission.content.params.empty()) query.emplace_back("TemplateParam", parameters_as_json(submission.content));
    if (!settings.sms_up_extend_code.empty()) query.emplace_back("SmsUpExtendCode", settings.sms_up_extend_code);
    return signed_request(settings, "SendSms", std::move(query), {}, context);
}

HttpRequest query_request(const Settings& settings, std::string_view to, Instant day, const RequestContext& context) {
    const auto local = format_instant(day + std::chrono::hours{8});
    return signed_request(settings, "QuerySendDetails",
                          {{"CurrentPage", "1"},
                           {"PageSize", "50"},
                           {"PhoneNumber", provider_number(to)},
                           {"SendDate", local.substr(0, 4) + local.substr(5, 2) + local.substr(8, 2)}},
                          {}, context);
}

std::string provider_number(std::string_view e164) {
    if (e164.starts_with("+86")) return std::string{e164.substr(3)};
    if (e164.starts_with("+")) return std::string{e164.substr(1)};
    return std::string{e164};
}

std::string e164_number(std::string_view as_received) {
    if (!all_digits(as_received)) return std::string{as_received};
    auto digits = as_received;
    if (digits.starts_with("00")) digits.remove_prefix(2);
    if (digits.size() == 11 && digits.front() == '1') return "+86" + std::string{digits};
    if (digits.size() == 13 && digits.starts_with("861")) return "+" + std::string{digits};
    return std::string{as_received};
}

std::string batch_out_id(std::span<const Submission> submissions) {
    std::string id{batch_prefix};
    for (const auto& submission : submissions) id += fingerprint(submission.attempt_id);
    return id;
}

bool is_batch_out_id(std::string_view out_id) { return out_id.starts_with(batch_prefix); }

bool out_id_names(std::string_view out_id, std::string_view attempt_id) {
    if (!is_batch_out_id(out_id)) return out_id == attempt_id;
    out_id.remove_prefix(batch_prefix.size());
    const auto wanted = fingerprint(attempt_id);
    for (; out_id.size() >= fingerprint_characters; out_id.remove_prefix(fingerprint_characters))
        if (out_id.substr(0, fingerprint_characters) == wanted) return true;
    return false;
}

}  // namespace touchgate::adapters::aliyun_sms
