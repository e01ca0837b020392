#include "adapters/wecom_group/adapter.hpp"

#include "adapters/wecom_common/corp_adapter.hpp"
#include "adapters/wecom_common/events.hpp"
#include "adapters/wecom_common/mass_message.hpp"
#include "adapters/wecom_common/mass_task.hpp"
#include "adapters/wecom_common/operations.hpp"
#include "adapters/wecom_group/groups.hpp"
#include "adapters/wecom_group/robot.hpp"
#include "adapters/wecom_group/settings.hpp"

namespace touchgate::adapters {

namespace wecom_group {

namespace {

using namespace channel;
using namespace wecom_common;

class WeComGroup final : public CorpAdapter {
public:
    WeComGroup(Settings settings, wechat::MediaRules media)
        : CorpAdapter{{.corp = settings.corp, .callback = settings.callback, .topic = std::string{topic_groups}, .operations = group_operations(), .media = std::move(media)}},
          settings_{std::move(settings)} {}

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

    std::vector<Need> prepare(std::span<const Submission> submissions) const override {
        if (!submissions.empty() && !key_of(submissions.front()).empty()) return {};
        auto needs = CorpAdapter::prepare(submissions);
        // WeCom wants to know who posts to a group, and only its owner can.
        if (!submissions.empty() && submissions.front().sender.empty()) needs.push_back(owner_need(submissions.front().to));
        return needs;
    }
    HttpRequest fetch(const Need& need, const Resources& resources, const RequestContext& context) const override {
        const auto chat = chat_of(need);
        return chat.empty() ? CorpAdapter::fetch(need, resources, context) : owner_request(settings_.corp, chat, resources);
    }
    std::variant<Resource, Outcome> read_fetched(const Need& need, const HttpResponse& response) const override {
        return chat_of(need).empty() ? CorpAdapter::read_fetched(need, response) : read_owner(response, !settings_.sender.empty());
    }

    // Groups whose owners are still to be asked for may have different ones.
    bool same_batch(const Submission& a, const Submission& b) const override {
        return a.to != b.to && !a.sender.empty() && a.sender == b.sender && a.campaign == b.campaign && a.content.text == b.content.text &&
               a.content.body_json == b.content.body_json && key_of(a).empty() && key_of(b).empty();
    }
    std::string quota_scope(const Content&) const override { return "api:add_msg_template"; }

    HttpRequest ask_task(TaskAct act, const Task& task, const std::string& step, const Resources& resources, const RequestContext&) const override {
        return task_request(settings_.corp, act, task, step, resources);
    }
    TaskAnswer read_task(TaskAct act, const Task& task, const std::string& step, const HttpResponse& response) const override {
        return read_task_answer(act, task, step, response);
    }

    std::vector<Pull> pulls() const override {
        if (!settings_.sync) return {};
        return {{.name = std::string{pull_groups}, .every = settings_.sync_interval, .each_hint = true}};
    }
    HttpRequest pull(const std::string&, const std::string& cursor, const std::string& hint, const Resources& resources, const RequestContext&) const override {
        return groups_request(settings_.corp, settings_.owners, cursor, hint, resources);
    }
    PulledPage read_pull(const std::string&, const std::string& cursor, const HttpResponse& response) const override { return read_groups(cursor, response); }

private:
    HttpRequest request_of(std::span<const Submission> submissions, const Resources& resources) const override {
        const auto& first = submissions.front();
        if (const auto key = key_of(first); !key.empty()) return robot_request(settings_, key, first.content);
        return add_task_request(settings_.corp, TaskFor::groups, submissions, sender_of(first, resources), resources);
    }
    std::vector<Outcome> outcomes_of(std::span<const Submission> submissions, const HttpResponse& response) const override {
        const auto& first = submissions.front();
        if (!key_of(first).empty()) return std::vector<Outcome>(submissions.size(), read_robot(response));
        return read_add_task(TaskFor::groups, submissions, first.sender, response);  // without a name the task is asked whose it is
    }
    // A robot carries more kinds than an owner's message; which of the two it will be is not known here.
    std::vector<Problem> problems_of(const Content& content) const override {
        if (!settings_.robots.empty() && is_robot_content(content)) return {};
        return mass_content_problems(content);
    }

    const std::string& sender_of(const Submission& submission, const Resources& resources) const {
        if (!submission.sender.empty()) return submission.sender;
        const auto owner = resources.find(owner_need(submission.to).key);
        return owner == resources.end() || owner->second.empty() ? settings_.sender : owner->second;
    }
    std::string key_of(const Submission& submission) const { return robot_key(settings_, submission.to); }

    Settings settings_;
};

}  // namespace

}  // namespace wecom_group

channel::AdapterInfo wecom_group_adapter() {
    return {.name = "wecom_group", .channel = "wecom_group", .make = [](JsonReader& settings, const channel::AccountContext& context) -> channel::AnyAdapter {
                auto read = wecom_group::read_settings(settings, context);
                return std::make_unique<wecom_group::WeComGroup>(std::move(read), wecom_common::read_media(settings, context, wechat::corp_media()));
            }};
}

}  // namespace touchgate::adapters
