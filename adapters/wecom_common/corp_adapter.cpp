#include "adapters/wecom_common/corp_adapter.hpp"

#include <algorithm>

#include "adapters/wechat/callback.hpp"
#include "adapters/wecom_common/events.hpp"

namespace touchgate::adapters::wecom_common {

using namespace channel;

wechat::MediaRules read_media(JsonReader& settings, const AccountContext& context, wechat::MediaRules rules) {
    rules.library = context.media;
    wechat::read_media_limits(settings, rules);
    return rules;
}

std::vector<Need> CorpAdapter::prepare(std::span<const Submission> submissions) const {
    std::vector<Need> needs{token_need(about_.corp)};
    for (const auto& submission : submissions)
        for (auto& need : wechat::media_needs(submission.content, about_.media, about_.corp.source))
            if (std::find(needs.begin(), needs.end(), need) == needs.end()) needs.push_back(std::move(need));
    return needs;
}

HttpRequest CorpAdapter::fetch(const Need& need, const Resources& resources, const RequestContext& context) const {
    if (wechat::is_media_key(need.key)) return wechat::upload_request(need, about_.media, about_.corp.source, resources, context);
    return token_request(about_.corp);
}

std::variant<Resource, Outcome> CorpAdapter::read_fetched(const Need& need, const HttpResponse& response) const {
    return wechat::is_media_key(need.key) ? wechat::read_uploaded(response, known_codes()) : read_token(response);
}

bool CorpAdapter::resources_stale(const HttpResponse& response) const {
    const auto answer = read_answer(response);
    return token_is_stale(answer) || wechat::media_is_stale(answer);
}

bool CorpAdapter::resource_stale(const std::string& key, const HttpResponse& response) const {
    const auto answer = read_answer(response);
    return wechat::is_media_key(key) ? wechat::media_is_stale(answer) : token_is_stale(answer);
}

HttpRequest CorpAdapter::submit(std::span<const Submission> submissions, const Resources& resources, const RequestContext&) const {
    if (submissions.empty()) return {};
    if (std::none_of(submissions.begin(), submissions.end(), [](const Submission& each) { return wechat::names_media(each.content); })) return request_of(submissions, resources);
    std::vector<Submission> resolved{submissions.begin(), submissions.end()};
    for (auto& each : resolved) each.content = wechat::with_media_ids(each.content, about_.media, about_.corp.source, resources);
    return request_of(resolved, resources);
}

std::vector<Outcome> CorpAdapter::classify(std::span<const Submission> submissions, const HttpResponse& response) const {
    if (submissions.empty()) return {};
    auto outcomes = outcomes_of(submissions, response);
    for (std::size_t i = 0; i < outcomes.size() && i < submissions.size(); ++i)
        if (outcomes[i].scope == "api")
            if (auto scope = quota_scope(submissions[i].content); !scope.empty()) outcomes[i].scope = std::move(scope);
    return outcomes;
}

std::vector<Problem> CorpAdapter::content_problems(const Content& content) const {
    if (!wechat::names_media(content)) return problems_of(content);
    auto problems = wechat::media_problems(content, about_.media);
    for (auto& problem : problems_of(wechat::with_media_ids(content, about_.media, about_.corp.source, {}))) problems.push_back(std::move(problem));
    return problems;
}

HttpRequest CorpAdapter::operation(std::string_view name, const std::string& body_json, const Resources& resources, const RequestContext&) const {
    const auto* operation = wechat::find_operation(about_.operations, name);
    return operation == nullptr ? HttpRequest{} : wechat::operation_request(about_.corp.source, *operation, body_json, resources);
}

OperationAnswer CorpAdapter::read_operation(std::string_view name, const std::string& body_json, const HttpResponse& response) const {
    const auto* operation = wechat::find_operation(about_.operations, name);
    if (operation == nullptr) return {.outcome = {.kind = OutcomeKind::refused, .detail = "there is no such operation"}};
    return wechat::read_operation_answer(*operation, body_json, response, [](const Answer& answer) { return outcome_of(answer, Addressee::nobody); });
}

WebhookAnswer CorpAdapter::receive(const WebhookRequest& request) const {
    if (!about_.callback) return {.status = 404, .refusal = "PATH"};
    return wechat::receive_callback(*about_.callback, request, [this](const wechat::Callback& callback) {
        auto events = read_corp_callback(callback);
        if (!about_.topic.empty() && events.topic == about_.topic) events.topic.clear();
        return events;
    });
}

}  // namespace touchgate::adapters::wecom_common
