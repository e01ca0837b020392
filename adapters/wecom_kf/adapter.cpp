#include "adapters/wecom_kf/adapter.hpp"

#include "adapters/wechat/callback.hpp"
#include "adapters/wecom_common/events.hpp"
#include "adapters/wecom_kf/messages.hpp"
#include "adapters/wecom_kf/sending.hpp"
#include "adapters/wecom_kf/settings.hpp"

namespace touchgate::adapters {

namespace wecom_kf {

namespace {

using namespace channel;
using namespace wecom_common;
using namespace std::chrono_literals;

class WeComKf final : public ExchangeAdapter {
public:
    explicit WeComKf(Settings settings) : settings_{std::move(settings)} {}

    Capabilities capabilities() const override {
        return {.channel = "wecom_kf",
                .text_characters_max = text_bytes_max,
                .idempotent_submit = true,
                .receipts = true,
                .inbound = true,
                .receipt_scope = {},
                .rate_scopes = {"account", "recipient"},
                .reply_windows = {{.act = "message", .messages = 5, .lasts = 48h}},
                .topics = {std::string{topic_kf_prefix} + settings_.open_kfid},
                .parent = settings_.corp.account};
    }
    int segments(std::string_view) const override { return 1; }
    int window() const override { return settings_.corp.window; }
    Duration timeout() const override { return settings_.corp.timeout; }

    std::vector<Need> prepare(std::span<const Submission>) const override { return {token_need(settings_.corp)}; }
    HttpRequest fetch(const Need&, const Resources&, const RequestContext&) const override { return token_request(settings_.corp); }
    std::variant<Resource, Outcome> read_fetched(const Need&, const HttpResponse& response) const override { return read_token(response); }

    HttpRequest submit(std::span<const Submission> submissions, const Resources& resources, const RequestContext&) const override {
        if (submissions.empty()) return {};
        return send_request(settings_.corp, settings_.open_kfid, submissions.front(), resources);
    }
    std::vector<Outcome> classify(std::span<const Submission> submissions, const HttpResponse& response) const override {
        std::vector<Outcome> outcomes;
        for (const auto& submission : submissions) outcomes.push_back(read_sent(submission, response));
        return outcomes;
    }
    bool resources_stale(const HttpResponse& response) const override { return token_is_stale(read_answer(response)); }

    std::vector<Pull> pulls() const override { return {{.name = std::string{pull_messages}, .every = settings_.poll_interval}}; }
    std::vector<Need> pull_needs(const std::string&) const override { return {token_need(settings_.corp)}; }
    HttpRequest pull(const std::string&, const std::string& cursor, const std::string& hint, const Resources& resources, const RequestContext&) const override {
        return messages_request(settings_.corp, settings_.open_kfid, cursor, hint, resources);
    }
    PulledPage read_pull(const std::string&, const std::string& cursor, const HttpResponse& response) const override { return read_messages(cursor, response); }

    bool repeat_is_safe(const Content&) const override { return true; }  // msgid is made of the touch's id
    bool needs_reply_window(const Content& content) const override { return event_code(content).empty(); }
    std::vector<Problem> content_problems(const Content& content) const override { return wecom_kf::content_problems(content); }

    WebhookAnswer receive(const WebhookRequest& request) const override {
        if (!settings_.callback) return {.status = 404};
        return wechat::receive_callback(*settings_.callback, request, [this](const wechat::Callback& callback) {
            auto events = read_corp_callback(callback);
            // What comes to this account's own hook about this account needs no other one.
            if (events.topic == std::string{topic_kf_prefix} + settings_.open_kfid) events.topic.clear();
            return events;
        });
    }

private:
    Settings settings_;
};

}  // namespace

}  // namespace wecom_kf

channel::AdapterInfo wecom_kf_adapter() {
    return {.name = "wecom_kf", .channel = "wecom_kf", .make = [](JsonReader& settings, const channel::AccountContext& context) -> channel::AnyAdapter {
                return std::make_unique<wecom_kf::WeComKf>(wecom_kf::read_settings(settings, context));
            }};
}

}  // namespace touchgate::adapters
