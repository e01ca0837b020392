#include "adapters/wecom_app/adapter.hpp"

#include "adapters/wecom_app/messages.hpp"
#include "adapters/wecom_app/settings.hpp"
#include "adapters/wecom_common/corp_adapter.hpp"
#include "adapters/wecom_common/events.hpp"

namespace touchgate::adapters {

namespace wecom_app {

namespace {

using namespace channel;
using namespace wecom_common;

class WeComApp final : public CorpAdapter {
public:
    WeComApp(Settings settings, wechat::MediaRules media)
        : CorpAdapter{{.corp = settings.corp, .callback = settings.callback, .topic = std::string{topic_app}, .media = std::move(media)}}, settings_{std::move(settings)} {}

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

    bool same_batch(const Submission& a, const Submission& b) const override {
        return a.to != b.to && a.content.text == b.content.text && a.content.body_json == b.content.body_json && response_code(a.content).empty();
    }
    std::string quota_scope(const Content&) const override { return "api:message_send"; }

    // A message is no task, but may be taken back like one.
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

private:
    HttpRequest request_of(std::span<const Submission> submissions, const Resources& resources) const override { return send_request(settings_, submissions, resources); }
    std::vector<Outcome> outcomes_of(std::span<const Submission> submissions, const HttpResponse& response) const override { return read_sent(submissions, response); }
    std::vector<Problem> problems_of(const Content& content) const override { return wecom_app::content_problems(content); }

    Settings settings_;
};

}  // namespace

}  // namespace wecom_app

channel::AdapterInfo wecom_app_adapter() {
    return {.name = "wecom_app", .channel = "wecom_app", .make = [](JsonReader& settings, const channel::AccountContext& context) -> channel::AnyAdapter {
                auto read = wecom_app::read_settings(settings, context);
                return std::make_unique<wecom_app::WeComApp>(std::move(read), wecom_common::read_media(settings, context, wechat::corp_media()));
            }};
}

}  // namespace touchgate::adapters
