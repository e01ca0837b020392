#include "adapters/moments/adapter.hpp"

#include "adapters/moments/post.hpp"
#include "adapters/moments/settings.hpp"
#include "adapters/wecom_common/mass_message.hpp"

namespace touchgate::adapters {

namespace moments {

namespace {

using namespace channel;
using namespace wecom_common;

class Moments final : public ExchangeAdapter {
public:
    explicit Moments(Settings settings) : settings_{std::move(settings)} {}

    Capabilities capabilities() const override {
        return {.channel = "moments",
                .text_characters_max = mass_text_bytes_max / 2,
                .receipt_scope = {},
                .human_executed = true,
                .batch_max = settings_.task_max,
                .parent = settings_.corp.account};
    }
    int segments(std::string_view) const override { return 1; }
    int window() const override { return settings_.corp.window; }
    Duration timeout() const override { return settings_.corp.timeout; }

    std::vector<Need> prepare(std::span<const Submission>) const override { return {token_need(settings_.corp)}; }
    HttpRequest fetch(const Need&, const Resources&, const RequestContext&) const override { return token_request(settings_.corp); }
    std::variant<Resource, Outcome> read_fetched(const Need&, const HttpResponse& response) const override { return read_token(response); }

    // One post is for many customers.
    bool same_batch(const Submission& a, const Submission& b) const override {
        return a.to != b.to && sender_of(a) == sender_of(b) && a.campaign == b.campaign && a.content.text == b.content.text && a.content.body_json == b.content.body_json;
    }
    HttpRequest submit(std::span<const Submission> submissions, const Resources& resources, const RequestContext&) const override {
        if (submissions.empty()) return {};
        const auto& first = submissions.front();
        return post_request(settings_.corp, first.content, sender_of(first), resources);
    }
    std::vector<Outcome> classify(std::span<const Submission> submissions, const HttpResponse& response) const override {
        if (submissions.empty()) return {};
        const auto& first = submissions.front();
        return std::vector<Outcome>(submissions.size(), read_post(first.content, sender_of(first), response));
    }
    bool resources_stale(const HttpResponse& response) const override { return token_is_stale(read_answer(response)); }

    std::vector<Need> task_needs() const override { return {token_need(settings_.corp)}; }
    HttpRequest ask_task(TaskAct act, const Task& task, const std::string& step, const Resources& resources, const RequestContext&) const override {
        return task_request(settings_.corp, act, task, step, resources);
    }
    TaskAnswer read_task(TaskAct act, const Task&, const std::string& step, const HttpResponse& response) const override { return read_task_answer(act, step, response); }

    std::vector<Problem> content_problems(const Content& content) const override { return moments::content_problems(content); }

private:
    const std::string& sender_of(const Submission& submission) const { return submission.sender.empty() ? settings_.sender : submission.sender; }

    Settings settings_;
};

}  // namespace

}  // namespace moments

channel::AdapterInfo moments_adapter() {
    return {.name = "moments", .channel = "moments", .make = [](JsonReader& settings, const channel::AccountContext& context) -> channel::AnyAdapter {
                return std::make_unique<moments::Moments>(moments::read_settings(settings, context));
            }};
}

}  // namespace touchgate::adapters
