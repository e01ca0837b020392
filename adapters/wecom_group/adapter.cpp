#include "adapters/wecom_group/adapter.hpp"

#include "adapters/wechat/callback.hpp"
#include "adapters/wecom_common/events.hpp"
#include "adapters/wecom_common/mass_message.hpp"
#include "adapters/wecom_common/mass_task.hpp"
#include "adapters/wecom_group/groups.hpp"
#include "adapters/wecom_group/robot.hpp"
#include "adapters/wecom_group/settings.hpp"

namespace touchgate::adapters {

namespace wecom_group {

namespace {

using namespace channel;
using namespace wecom_common;

class WeComGroup final : public ExchangeAdapter {
public:
    explicit WeComGroup(Settings settings) : settings_{std::move(settings)} {}

    Capabilities capabilities() const override {
        return {.channel = "wecom_group",
                .text_characters_max = mass_text_bytes_max,
                .inbound = true,
                .receipt_scope = {},
                .human_executed = true,
                .batch_max = settings_.task_max,
                .rate_scopes = {"account", "recipient"},
                .topics = {std::string{topic_groups}},
                .parent = settings_.corp.account};
    }
    int segments(std::string_view) const override { return 1; }
    int window() const override { return settings_.corp.window; }
    Duration timeout() const override { return settings_.corp.timeout; }

    std::vector<Need> prepare(std::span<const Submission> submissions) const override {
        if (!submissions.empty() && !key_of(submissions.front()).empty()) return {};
        return {token_need(settings_.corp)};
    }
    HttpRequest fetch(const Need&, const Resources&, const RequestContext&) const override { return token_request(settings_.corp); }
    std::variant<Resource, Outcome> read_fetched(const Need&, const HttpResponse& response) const override { return read_token(response); }

    bool same_batch(const Submission& a, const Submission& b) const override {
        return a.to != b.to && sender_of(a) == sender_of(b) && a.campaign == b.campaign && a.content.text == b.content.text &&
               a.content.body_json == b.content.body_json && key_of(a).empty() && key_of(b).empty();
    }

    HttpRequest submit(std::span<const Submission> submissions, const Resources& resources, const RequestContext&) const override {
        if (submissions.empty()) return {};
        const auto& first = submissions.front();
        if (const auto key = key_of(first); !key.empty()) return robot_request(settings_, key, first.content);
        return add_task_request(settings_.corp, TaskFor::groups, submissions, sender_of(first), resources);
    }

    std::vector<Outcome> classify(std::span<const Submission> submissions, const HttpResponse& response) const override {
        if (submissions.empty()) return {};
        const auto& first = submissions.front();
        if (!key_of(first).empty()) return std::vector<Outcome>(submissions.size(), read_robot(response));
        return read_add_task(TaskFor::groups, submissions, sender_of(first), response);
    }

    bool resources_stale(const HttpResponse& response) const override { return token_is_stale(read_answer(response)); }

    std::vector<Need> task_needs() const override { return {token_need(settings_.corp)}; }
    HttpRequest ask_task(TaskAct act, const Task& task, const std::string& step, const Resources& resources, const RequestContext&) const override {
        return task_request(settings_.corp, act, task, step, resources);
    }
    TaskAnswer read_task(TaskAct act, const Task& task, const std::string& step, const HttpResponse& response) const override {
        return read_task_answer(act, task, step, response);
    }

    std::vector<Pull> pulls() const override {
        if (!settings_.sync) return {};
        return {{.name = std::string{pull_groups}, .every = settings_.sync_interval}};
    }
    std::vector<Need> pull_needs(const std::string&) const override { return {token_need(settings_.corp)}; }
    HttpRequest pull(const std::string&, const std::string& cursor, const std::string& hint, const Resources& resources, const RequestContext&) const override {
        return groups_request(settings_.corp, settings_.owners, cursor, hint, resources);
    }
    PulledPage read_pull(const std::string&, const std::string& cursor, const HttpResponse& response) const override { return read_groups(cursor, response); }

    // A robot carries more kinds than an owner's message; which of the two it will be is not known here.
    std::vector<Problem> content_problems(const Content& content) const override {
        if (!settings_.robots.empty() && is_robot_content(content)) return {};
        return mass_content_problems(content);
    }

    WebhookAnswer receive(const WebhookRequest& request) const override {
        if (!settings_.callback) return {.status = 404};
        return wechat::receive_callback(*settings_.callback, request, [](const wechat::Callback& callback) {
            auto events = read_corp_callback(callback);
            if (events.topic == topic_groups) events.topic.clear();
            return events;
        });
    }

private:
    const std::string& sender_of(const Submission& submission) const { return submission.sender.empty() ? settings_.sender : submission.sender; }
    std::string key_of(const Submission& submission) const { return robot_key(settings_, submission.to); }

    Settings settings_;
};

}  // namespace

}  // namespace wecom_group

channel::AdapterInfo wecom_group_adapter() {
    return {.name = "wecom_group", .channel = "wecom_group", .make = [](JsonReader& settings, const channel::AccountContext& context) -> channel::AnyAdapter {
                return std::make_unique<wecom_group::WeComGroup>(wecom_group::read_settings(settings, context));
            }};
}

}  // namespace touchgate::adapters
