#include "adapters/loopback_test/adapter.hpp"

#include "adapters/loopback_test/settings.hpp"
#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters {

namespace loopback_test {

namespace {

using namespace channel;

constexpr std::string_view token_key = "token";
constexpr std::string_view resource_prefix = "resource:";  // followed by the text itself: a fetch knows nothing else

std::string resource_key(const Submission& submission) { return std::string{resource_prefix} + submission.content.text; }

std::string json_of(std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
    std::string json;
    for (const auto& [name, value] : members) {
        json.push_back(json.empty() ? '{' : ',');
        append_json_string(json, name);
        json.push_back(':');
        append_json_string(json, value);
    }
    return json + "}";
}

std::string resource(const Resources& resources, const std::string& key) {
    const auto found = resources.find(key);
    return found == resources.end() ? std::string{} : found->second;
}

Duration seconds_member(const Json& answer, std::string_view name, Duration fallback) {
    const auto& value = member(answer, name);
    if (!value.is_number() || value.get<double>() < 0 || value.get<double>() > 1e7) return fallback;
    return Duration{static_cast<std::int64_t>(value.get<double>() * 1000)};
}

// What the provider's error words mean; anything else is `unknown` after a submit.
Outcome error_outcome(const Json& answer, const HttpResponse& response) {
    auto code = printable_code(text_member(answer, "error"));
    if (code == "token_expired" || code == "wrong_secret") return {.kind = OutcomeKind::credentials, .code = code};
    if (code == "busy") return {.kind = OutcomeKind::not_sent, .code = code};
    if (code == "too_fast")
        return {
            .kind = OutcomeKind::throttled, .code = code, .scope = "account", .retry_after = seconds_member(answer, "retry_after", Duration{1'000})};
    if (code == "quota")
        return {
            .kind = OutcomeKind::quota_exhausted, .code = code, .scope = "account", .retry_after = seconds_member(answer, "retry_after", one_day)};
    if (code == "content") return {.kind = OutcomeKind::content_rejected, .code = code, .field = "text"};
    if (code == "refused") return {.kind = OutcomeKind::refused, .code = code};
    return {
        .kind = OutcomeKind::unknown, .code = code.empty() ? "http:" + std::to_string(response.status) : code, .detail = "the answer cannot be read"};
}

class LoopbackTest final : public ExchangeAdapter {
public:
    explicit LoopbackTest(Settings settings) : settings_{std::move(settings)} {}

    Capabilities capabilities() const override {
        return {.channel = "loopback",
                .receipts = true,
                .inbound = true,
                .receipt_scope = {},
                .recall = true,
                .human_executed = settings_.human,
                .can_reconcile = true,
                .batch_max = settings_.batch};
    }
    int segments(std::string_view) const override { return 1; }
    int window() const override { return settings_.window; }
    Duration timeout() const override { return settings_.timeout; }

    std::vector<Need> prepare(std::span<const Submission> submissions) const override {
        std::vector<Need> needs = {{std::string{token_key}}};
        if (!submissions.empty()) needs.push_back({resource_key(submissions.front())});
        return needs;
    }

    HttpRequest fetch(const Need& need, const Resources& resources, const RequestContext&) const override {
        if (need.key == token_key) return request("POST", "/token", {}, json_of({{"secret", settings_.secret}}));
        return request("POST", "/resources", resources, json_of({{"text", std::string_view{need.key}.substr(resource_prefix.size())}}));
    }

    std::variant<Resource, Outcome> read_fetched(const Need& need, const HttpResponse& response) const override {
        const auto answer = parse_foreign_json(response.body);
        const auto value = text_member(answer, need.key == token_key ? "token" : "resource");
        if (response.status == 200 && !value.empty()) return Resource{value, seconds_member(answer, "expires_in", Duration{60'000})};
        auto outcome = error_outcome(answer, response);
        if (outcome.kind == OutcomeKind::unknown) outcome.kind = OutcomeKind::not_sent;  // nothing was submitted yet
        return outcome;
    }

    bool same_batch(const Submission& a, const Submission& b) const override { return a.content.text == b.content.text && a.to != b.to; }

    HttpRequest submit(std::span<const Submission> submissions, const Resources& resources, const RequestContext&) const override {
        if (submissions.empty()) return {};
        std::string recipients;
        for (const auto& submission : submissions)
            recipients += (recipients.empty() ? "" : ",") + json_of({{"to", submission.to}, {"attempt", submission.attempt_id}});
        auto body = json_of({{"resource", resource(resources, resource_key(submissions.front()))}});
        body.pop_back();
        return request("POST", "/tasks", resources, body + ",\"recipients\":[" + recipients + "]}");
    }

    std::vector<Outcome> classify(std::span<const Submission> submissions, const HttpResponse& response) const override {
        const auto answer = parse_foreign_json(response.body);
        const auto task = text_member(answer, "task");
        if (response.status != 200 || task.empty()) return std::vector<Outcome>(submissions.size(), error_outcome(answer, response));
        std::vector<Outcome> outcomes;
        for (const auto& submission : submissions) outcomes.push_back(of_recipient(task, submission, member(answer, "recipients")));
        return outcomes;
    }

    bool resources_stale(const HttpResponse& response) const override {
        return text_member(parse_foreign_json(response.body), "error") == "token_expired";
    }

    std::optional<HttpRequest> reconcile(const Submission& submission, Instant, const RequestContext&) const override {
        return request("GET", "/attempts/" + percent_encode(submission.attempt_id), {}, {});
    }

    ReconcileAnswer read_reconcile(const Submission& submission, const HttpResponse& response) const override {
        if (response.status == 404) return {.verdict = ReconcileAnswer::Verdict::not_found};
        const auto task = text_member(parse_foreign_json(response.body), "task");
        if (response.status != 200 || task.empty()) return {};
        return {.verdict = ReconcileAnswer::Verdict::settled, .outcome = {.kind = OutcomeKind::accepted, .ids = {task + ":" + submission.to}}};
    }

    HttpRequest ask_task(TaskAct act, const Task& task, const std::string&, const Resources& resources, const RequestContext&) const override {
        const auto path = "/tasks/" + percent_encode(task.id);
        switch (act) {
            case TaskAct::poll: break;
            case TaskAct::remind: return request("POST", path + "/remind", resources, "{}");
            case TaskAct::cancel: return request("POST", path + "/cancel", resources, "{}");
        }
        return request("GET", path, resources, {});
    }

    TaskAnswer read_task(TaskAct act, const Task&, const std::string&, const HttpResponse& response) const override {
        using Verdict = TaskAnswer::Verdict;
        if (response.status == 404) return {.verdict = Verdict::gone};
        if (response.status != 200) return {.verdict = Verdict::ask_again};
        TaskAnswer answer{.verdict = Verdict::done};
        if (act != TaskAct::poll) return answer;
        const auto body = parse_foreign_json(response.body);
        for (const auto& entry : member(body, "recipients")) {
            TaskResult result{.recipient = text_member(entry, "to")};
            const auto status = text_member(entry, "status");
            if (status == "sent") result.status = TaskResult::Status::sent;
            else if (status == "not_friend") result.status = TaskResult::Status::not_friend;
            else if (status == "over_limit") result.status = TaskResult::Status::over_limit;
            if (!result.recipient.empty() && !status.empty()) answer.results.push_back(std::move(result));
        }
        return answer;
    }

    WebhookAnswer receive(const WebhookRequest& hook) const override {
        if (!crypto::constant_time_equal(hook.path_tail, "/" + settings_.callback_token)) return {.status = 404, .refusal = "TOKEN"};
        const auto push = parse_foreign_json(hook.body);
        WebhookAnswer answer{.body = "ok"};
        if (const auto task = text_member(push, "task"), to = text_member(push, "to"); !task.empty() && !to.empty()) {
            const bool delivered = text_member(push, "status") == "delivered";
            answer.events.receipts.push_back({.provider_ids = {task + ":" + to},
                                              .destination = to,
                                              .status = delivered ? ReceiptStatus::delivered : ReceiptStatus::failed,
                                              .raw = text_member(push, "status"),
                                              .reason = delivered ? "" : "failed",
                                              .at = hook.now});
        } else if (const auto from = text_member(push, "from"); !from.empty()) {
            answer.events.messages.push_back(
                {.from = from, .text = text_member(push, "text"), .provider_id = text_member(push, "id"), .at = hook.now});
        } else {
            return {.status = 400, .refusal = "BODY"};
        }
        return answer;
    }

    std::optional<HttpRequest> probe(const RequestContext&) const override {
        return request("POST", "/token", {}, json_of({{"secret", settings_.secret}}));
    }

private:
    HttpRequest request(std::string method, const std::string& path, const Resources& resources, std::string body) const {
        Headers headers;
        if (!body.empty()) headers.emplace_back("content-type", "application/json");
        if (const auto token = resource(resources, std::string{token_key}); !token.empty()) headers.emplace_back("authorization", "Bearer " + token);
        return {std::move(method), settings_.base.origin + settings_.base.path + path, std::move(headers), std::move(body)};
    }

    Outcome of_recipient(const std::string& task, const Submission& submission, const Json& recipients) const {
        for (const auto& entry : recipients) {
            if (text_member(entry, "to") != submission.to) continue;
            const auto status = text_member(entry, "status");
            if (status == "not_following") return {.kind = OutcomeKind::recipient_refuses, .code = status};
            if (status == "invalid") return {.kind = OutcomeKind::recipient_invalid, .code = status};
            if (status != "waiting" && status != "sent") break;
            if (settings_.human) return {.kind = OutcomeKind::handed_to_human, .code = status, .task = task};
            return {.kind = OutcomeKind::accepted, .ids = {task + ":" + submission.to}, .code = status};
        }
        return {.kind = OutcomeKind::unknown, .detail = "the answer does not tell about this recipient"};
    }

    Settings settings_;
};

}  // namespace

}  // namespace loopback_test

channel::AdapterInfo loopback_test_adapter() {
    return {.name = "loopback_test", .channel = "loopback", .make = [](JsonReader& settings, const channel::AccountContext&) -> channel::AnyAdapter {
                return std::make_unique<loopback_test::LoopbackTest>(loopback_test::read_settings(settings));
            }};
}

}  // namespace touchgate::adapters
