#include "adapters/wecom/adapter.hpp"

#include "adapters/wecom/customers.hpp"
#include "adapters/wecom/settings.hpp"
#include "adapters/wecom/welcome.hpp"
#include "adapters/wecom_common/corp_adapter.hpp"
#include "adapters/wecom_common/mass_message.hpp"
#include "adapters/wecom_common/mass_task.hpp"
#include "adapters/wecom_common/operations.hpp"

namespace touchgate::adapters {

namespace wecom {

namespace {

using namespace channel;
using namespace wecom_common;

constexpr std::string_view pull_customers = "customers";
constexpr std::string_view pull_unassigned = "unassigned";

class WeCom final : public CorpAdapter {
public:
    WeCom(Settings settings, wechat::MediaRules media)
        : CorpAdapter{{.corp = settings.corp, .callback = settings.callback, .operations = customer_operations(), .media = std::move(media)}}, settings_{std::move(settings)} {}

    Capabilities capabilities() const override {
        return {.channel = "wecom",
                .text_characters_max = mass_text_bytes_max,
                .inbound = settings_.callback.has_value() || settings_.sync,
                .receipt_scope = {},
                .human_executed = true,
                .batch_max = settings_.task_max,
                .rate_scopes = {"account", "recipient"}};
    }

    // One task has one employee and one content; a customer stands in it once.
    bool same_batch(const Submission& a, const Submission& b) const override {
        return a.to != b.to && sender_of(a) == sender_of(b) && a.campaign == b.campaign && a.content.text == b.content.text &&
               a.content.body_json == b.content.body_json && welcome_code(a.content).empty();
    }
    std::string quota_scope(const Content& content) const override { return welcome_code(content).empty() ? "api:add_msg_template" : "api:send_welcome_msg"; }

    HttpRequest ask_task(TaskAct act, const Task& task, const std::string& step, const Resources& resources, const RequestContext&) const override {
        return task_request(settings_.corp, act, task, step, resources);
    }
    TaskAnswer read_task(TaskAct act, const Task& task, const std::string& step, const HttpResponse& response) const override {
        return read_task_answer(act, task, step, response);
    }

    std::vector<Pull> pulls() const override {
        std::vector<Pull> all;
        if (settings_.sync) {
            all.push_back({.name = std::string{pull_customers}, .every = settings_.sync_interval});
            all.push_back({.name = std::string{pull_unassigned}, .every = settings_.sync_interval});
        }
        all.push_back({.name = std::string{pull_customer}, .every = one_day, .hinted_only = true, .each_hint = true});
        return all;
    }
    HttpRequest pull(const std::string& name, const std::string& cursor, const std::string& hint, const Resources& resources, const RequestContext&) const override {
        if (name == pull_customer) return customer_request(settings_.corp, hint, resources);
        if (name == pull_unassigned) return unassigned_request(settings_.corp, cursor, resources);
        return customers_request(settings_.corp, cursor, resources);
    }
    PulledPage read_pull(const std::string& name, const std::string& cursor, const HttpResponse& response) const override {
        if (name == pull_customer) return read_customer(response);
        return name == pull_unassigned ? read_unassigned(cursor, response) : read_customers(cursor, response);
    }

private:
    HttpRequest request_of(std::span<const Submission> submissions, const Resources& resources) const override {
        const auto& first = submissions.front();
        if (!welcome_code(first.content).empty()) return welcome_request(settings_.corp, first.content, resources);
        return add_task_request(settings_.corp, TaskFor::customers, submissions, sender_of(first), resources);
    }
    std::vector<Outcome> outcomes_of(std::span<const Submission> submissions, const HttpResponse& response) const override {
        const auto& first = submissions.front();
        if (!welcome_code(first.content).empty()) return std::vector<Outcome>(submissions.size(), read_welcome(response));
        return read_add_task(TaskFor::customers, submissions, sender_of(first), response);
    }
    std::vector<Problem> problems_of(const Content& content) const override { return mass_content_problems(content, {"welcome_code", "reply_code"}); }

    const std::string& sender_of(const Submission& submission) const { return submission.sender.empty() ? settings_.sender : submission.sender; }

    Settings settings_;
};

}  // namespace

}  // namespace wecom

channel::AdapterInfo wecom_adapter() {
    return {.name = "wecom", .channel = "wecom", .make = [](JsonReader& settings, const channel::AccountContext& context) -> channel::AnyAdapter {
                auto read = wecom::read_settings(settings);
                return std::make_unique<wecom::WeCom>(std::move(read), wecom_common::read_media(settings, context, wechat::corp_media()));
            }};
}

}  // namespace touchgate::adapters
