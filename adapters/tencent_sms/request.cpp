#include "adapters/tencent_sms/request.hpp"

#include <algorithm>

#include "adapters/tencent_sms/signature.hpp"
#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::tencent_sms {

namespace {

using channel::HttpRequest;
using channel::RequestContext;
using channel::Submission;

constexpr std::string_view api_version = "2021-01-11";
constexpr std::string_view content_type = "application/json";
constexpr std::string_view batch_prefix = "batch.";
constexpr std::size_t fingerprint_characters = 4;

std::string fingerprint(std::string_view attempt_id) {
    const auto digest = crypto::sha256(attempt_id);
    return crypto::base64(crypto::view(digest).substr(0, 3));
}

std::string seconds(Instant instant) { return std::to_string(std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count()); }

HttpRequest signed_request(const Settings& settings, std::string_view action, std::string body, const RequestContext& context) {
    const auto authorization =
        tc3_authorization(settings.secret_id, settings.secret_key, context.now, "sms",
                          {.path = settings.base.path + "/", .content_type = std::string{content_type}, .host = settings.base.name, .body = body});
    channel::Headers headers = {{"host", settings.base.host},
                                {"content-type", std::string{content_type}},
                                {"accept", "application/json"},
                                {"x-tc-action", std::string{action}},
                                {"x-tc-version", std::string{api_version}},
                                {"x-tc-timestamp", seconds(context.now)},
                                {"x-tc-region", settings.region},
                                {"authorization", authorization}};
    if (!settings.token.empty()) headers.emplace_back("x-tc-token", settings.token);
    return {"POST", settings.base.origin + settings.base.path + "/", std::move(headers), std::move(body)};
}

void add_member(std::string& json, std::string_view name, std::string_view text) {
    json.push_back(json.empty() ? '{' : ',');
    append_json_string(json, name);
    json.push_back(':');
    append_json_string(json, text);
}

template <class Range, class Text>
void add_array(std::string& json, std::string_view name, const Range& range, Text text_of) {
    json.push_back(json.empty() ? '{' : ',');
    append_json_string(json, name);
    json += ":[";
    bool first = true;
    for (const auto& element : range) {
        if (!first) json.push_back(',');
        append_json_string(json, text_of(element));
        first = false;
    }
    json.push_back(']');
}

}  // namespace

HttpRequest send_request(const Settings& settings, std::span<const Submission> submissions, const RequestContext& context) {
    const auto& content = submissions.front().content;
    std::string body;
    add_array(body, "PhoneNumberSet", submissions, [](const Submission& submission) { return submission.to; });
    add_member(body, "SmsSdkAppId", settings.sdk_app_id);
    add_member(body, "TemplateId", content.template_code);
    add_member(body, "SignName", settings.sign_name);
    if (!content.params.empty()) add_array(body, "TemplateParamSet", content.params, [](const auto& param) { return param.second; });
    add_member(body, "SessionContext", session_context(submissions));
    if (!settings.extend_code.empty()) add_member(body, "ExtendCode", settings.extend_code);
    return signed_request(settings, "SendSms", body + "}", context);
}

HttpRequest pull_request(const Settings& settings, std::string_view to, Instant from, const RequestContext& context) {
    std::string body = "{\"BeginTime\":" + seconds(from) + ",\"EndTime\":" + seconds(context.now) + ",\"Offset\":0,\"Limit\":100";
    add_member(body, "PhoneNumber", to);
    add_member(body, "SmsSdkAppId", settings.sdk_app_id);
    return signed_request(settings, "PullSmsSendStatusByPhoneNumber", body + "}", context);
}

std::string session_context(std::span<const Submission> submissions) {
    if (submissions.size() == 1) return submissions.front().attempt_id;
    if (submissions.size() > named_batch_limit) return "batch";
    std::string context{batch_prefix};
    for (const auto& submission : submissions) context += fingerprint(submission.attempt_id);
    return context;
}

bool context_names(std::string_view session_context, std::string_view attempt_id) {
    if (!session_context.starts_with(batch_prefix)) return session_context == attempt_id;
    session_context.remove_prefix(batch_prefix.size());
    const auto wanted = fingerprint(attempt_id);
    for (; session_context.size() >= fingerprint_characters; session_context.remove_prefix(fingerprint_characters))
        if (session_context.substr(0, fingerprint_characters) == wanted) return true;
    return false;
}

}  // namespace touchgate::adapters::tencent_sms
