#include "adapters/wecom_app/adapter.hpp"

#include "adapters/wechat/callback.hpp"
#include "adapters/wecom_app/messages.hpp"
#include "adapters/wecom_app/settings.hpp"
#include "adapters/wecom_common/errors.hpp"
#include "adapters/wecom_common/events.hpp"

namespace touchgate::adapters {

namespace wecom_app {

namespace {

using namespace channel;
using namespace wecom_common;

class WeComApp final : public ExchangeAdapter {
public:
    explicit WeComApp(Settings settings) : settings_{std::move(settings)} {}

    Capabilities capabilities() const override {
        return {.channel = "wecom_app",
                .text_characters_max = text_bytes_max,
                .inbound = true,
                .receipt_scope = {},
                .recall = true,
                .batch_max = settings_.batch,
                .rate_scopes = {"account", "recipient"},
                .topics = {std::string{topic_app}},
                .parent = settings_.corp.account};
    }
    int segments(std::string_view) const override { return 1; }
    int window() const override { return settings_.corp.window; }
    Duration timeout() const override { return settings_.corp.timeout; }

    std::vector<Need> prepare(std::span<const Submission>) const override { return {token_need(settings_.corp)}; }
    HttpRequest fetch(const Need&, const Resources&, const RequestContext&) const override { return token_request(settings_.corp); }
    std::variant<Resource, Outcome> read_fetched(const Need&, const HttpResponse& response) const override { return read_token(response); }

    bool same_batch(const Submission& a, const Submission& b) const override {
        return a.to != b.to && a.content.text == b.content.text && a.content.body_json == b.content.body_json && response_code(a.content).empty();
    }
    HttpRequest submit(std::span<const Submission> submissions, const Resources& resources, const RequestContext&) const override {
        if (submissions.empty()) return {};
        return send_request(settings_, submissions, resources);
    }
    std::vector<Outcome> classify(std::span<const Submission> submissions, const HttpResponse& response) const override { return read_sent(submissions, response); }
    bool resources_stale(const HttpResponse& response) const override { return token_is_stale(read_answer(response)); }

    // A message is no task, but may be taken back like one.
    std::vector<Need> task_needs() const override { return {token_need(settings_.corp)}; }
    HttpRequest ask_task(TaskAct, const Task& message, const std::string&, const Resources& resources, const RequestContext&) const override {
        return recall_request(settings_, message.id, resources);
    }
    TaskAnswer read_task(TaskAct, const Task&, const std::string&, const HttpResponse& response) const override {
        const auto answer = read_answer(response);
        if (says_done(answer)) return {.verdict = TaskAnswer::Verdict::done, .code = "0"};
        const auto outcome = outcome_of(answer, Addressee::nobody);
        const bool too_late = answer.readable && (answer.errcode == 42052 || answer.errcode == 40058);
        return {.verdict = too_late ? TaskAnswer::Verdict::gone : TaskAnswer::Verdict::ask_again, .code = outcome.code, .retry_after = outcome.retry_after};
    }

    std::vector<Problem> content_problems(const Content& content) const override { return wecom_app::content_problems(content); }

    WebhookAnswer receive(const WebhookRequest& request) const override {
        if (!settings_.callback) return {.status = 404};
        return wechat::receive_callback(*settings_.callback, request, [](const wechat::Callback& callback) {
            auto events = read_corp_callback(callback);
            if (events.topic == topic_app) events.topic.clear();
            return events;
        });
    }

private:
    Settings settings_;
};

}  // namespace

}  // namespace wecom_app

channel::AdapterInfo wecom_app_adapter() {
    return {.name = "wecom_app", .channel = "wecom_app", .make = [](JsonReader& settings, const channel::AccountContext& context) -> channel::AnyAdapter {
                return std::make_unique<wecom_app::WeComApp>(wecom_app::read_settings(settings, context));
            }};
}

}  // namespace touchgate::adapters
