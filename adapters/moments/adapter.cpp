#include "adapters/moments/adapter.hpp"

#include "adapters/moments/engagement.hpp"
#include "adapters/moments/post.hpp"
#include "adapters/moments/settings.hpp"
#include "adapters/wecom_common/corp_adapter.hpp"
#include "adapters/wecom_common/mass_message.hpp"

namespace touchgate::adapters {

namespace moments {

namespace {

using namespace channel;
using namespace wecom_common;

class Moments final : public CorpAdapter {
public:
    Moments(Settings settings, wechat::MediaRules media) : CorpAdapter{{.corp = settings.corp, .media = std::move(media)}}, settings_{std::move(settings)} {}

    Capabilities capabilities() const override {
        return {.channel = "moments",
                .text_characters_max = mass_text_bytes_max / 2,
                .inbound = settings_.engagement,
                .receipt_scope = {},
                .human_executed = true,
                .batch_max = settings_.task_max,
                .parent = settings_.corp.account};
    }

    // One post is for many customers.
    bool same_batch(const Submission& a, const Submission& b) const override {
        return a.to != b.to && sender_of(a) == sender_of(b) && a.campaign == b.campaign && a.content.text == b.content.text && a.content.body_json == b.content.body_json;
    }
    std::string quota_scope(const Content&) const override { return "api:add_moment_task"; }

    HttpRequest ask_task(TaskAct act, const Task& task, const std::string& step, const Resources& resources, const RequestContext&) const override {
        return task_request(settings_.corp, act, task, step, resources);
    }
    TaskAnswer read_task(TaskAct act, const Task&, const std::string& step, const HttpResponse& response) const override { return read_task_answer(act, step, response); }

    std::vector<Pull> pulls() const override {
        if (!settings_.engagement) return {};
        return {{.name = "engagement", .every = settings_.engagement_interval}};
    }
    HttpRequest pull(const std::string&, const std::string& cursor, const std::string&, const Resources& resources, const RequestContext& context) const override {
        return engagement_request(settings_.corp, cursor, resources, context.now);
    }
    PulledPage read_pull(const std::string&, const std::string& cursor, const HttpResponse& response) const override { return read_engagement(cursor, response); }

private:
    HttpRequest request_of(std::span<const Submission> submissions, const Resources& resources) const override {
        return post_request(settings_.corp, submissions.front().content, sender_of(submissions.front()), resources);
    }
    std::vector<Outcome> outcomes_of(std::span<const Submission> submissions, const HttpResponse& response) const override {
        const auto& first = submissions.front();
        return std::vector<Outcome>(submissions.size(), read_post(first.content, sender_of(first), response));
    }
    std::vector<Problem> problems_of(const Content& content) const override { return moments::content_problems(content); }

    const std::string& sender_of(const Submission& submission) const { return submission.sender.empty() ? settings_.sender : submission.sender; }

    Settings settings_;
};

}  // namespace

}  // namespace moments

channel::AdapterInfo moments_adapter() {
    return {.name = "moments", .channel = "moments", .make = [](JsonReader& settings, const channel::AccountContext& context) -> channel::AnyAdapter {
                auto read = moments::read_settings(settings, context);
                return std::make_unique<moments::Moments>(std::move(read), wecom_common::read_media(settings, context, wechat::moments_media()));
            }};
}

}  // namespace touchgate::adapters
