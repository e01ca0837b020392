#include "adapters/wecom/adapter.hpp"

#include "adapters/wechat/callback.hpp"
#include "adapters/wecom/customers.hpp"
#include "adapters/wecom/settings.hpp"
#include "adapters/wecom/welcome.hpp"
#include "adapters/wecom_common/events.hpp"
#include "adapters/wecom_common/mass_message.hpp"
#include "adapters/wecom_common/mass_task.hpp"

namespace touchgate::adapters {

namespace wecom {

namespace {

using namespace channel;
using namespace wecom_common;

constexpr std::string_view pull_customers = "customers";

class WeCom final : public ExchangeAdapter {
public:
    explicit WeCom(Settings settings) : settings_{std::move(settings)} {}

    Capabilities capabilities() const override {
        return {.channel = "wecom",
                .text_characters_max = mass_text_bytes_max,
                .inbound = settings_.callback.has_value() || settings_.sync,
                .receipt_scope = {},
                .human_executed = true,
                .batch_max = settings_.task_max,
                .rate_scopes = {"account", "recipient"}};
    }
    int segments(std::string_view) const override { return 1; }
    int window() const override { return settings_.corp.window; }
    Duration timeout() const override { return settings_.corp.timeout; }

    std::vector<Need> prepare(std::span<const Submission>) const override { return {token_need(settings_.corp)}; }
    HttpRequest fetch(const Need&, const Resources&, const RequestContext&) const override { return token_request(settings_.corp); }
    std::variant<Resource, Outcome> read_fetched(const Need&, const HttpResponse& response) const override { return read_token(response); }

    // One task has one employee and one content; a customer stands in it once.
    bool same_batch(const Submission& a, const Submission& b) const override {
        return a.to != b.to && sender_of(a) == sender_of(b) && a.campaign == b.campaign && a.content.text == b.content.text &&
               a.content.body_json == b.content.body_json && welcome_code(a.content).empty();
    }

    HttpRequest submit(std::span<const Submission> submissions, const Resources& resources, const RequestContext&) const override {
        if (submissions.empty()) return {};
        const auto& first = submissions.front();
        if (!welcome_code(first.content).empty()) return welcome_request(settings_.corp, first.content, resources);
        return add_task_request(settings_.corp, TaskFor::customers, submissions, sender_of(first), resources);
    }

    std::vector<Outcome> classify(std::span<const Submission> submissions, const HttpResponse& response) const override {
        if (submissions.empty()) return {};
        const auto& first = submissions.front();
        if (!welcome_code(first.content).empty()) return std::vector<Outcome>(submissions.size(), read_welcome(response));
        return read_add_task(TaskFor::customers, submissions, sender_of(first), response);
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
        return {{.name = std::string{pull_customers}, .every = settings_.sync_interval}};
    }
    std::vector<Need> pull_needs(const std::string&) const override { return {token_need(settings_.corp)}; }
    HttpRequest pull(const std::string&, const std::string& cursor, const std::string&, const Resources& resources, const RequestContext&) const override {
        return customers_request(settings_.corp, cursor, resources);
    }
    PulledPage read_pull(const std::string&, const std::string& cursor, const HttpResponse& response) const override { return read_customers(cursor, response); }

    std::vector<Problem> content_problems(const Content& content) const override { return mass_content_problems(content, {"welcome_code", "reply_code"}); }

    WebhookAnswer receive(const WebhookRequest& request) const override {
        if (!settings_.callback) return {.status = 404};
        return wechat::receive_callback(*settings_.callback, request, read_corp_callback);
    }

private:
    const std::string& sender_of(const Submission& submission) const { return submission.sender.empty() ? settings_.sender : submission.sender; }

    Settings settings_;
};

}  // namespace

}  // namespace wecom

channel::AdapterInfo wecom_adapter() {
    return {.name = "wecom", .channel = "wecom", .make = [](JsonReader& settings, const channel::AccountContext&) -> channel::AnyAdapter {
                return std::make_unique<wecom::WeCom>(wecom::read_settings(settings));
            }};
}

}  // namespace touchgate::adapters
