#include "adapters/wechat/official_adapter.hpp"

#include <algorithm>
#include <chrono>

#include "adapters/wechat/callback.hpp"
#include "adapters/wechat/official_codes.hpp"
#include "adapters/wechat/official_events.hpp"
#include "adapters/wechat/official_followers.hpp"
#include "adapters/wechat/official_operations.hpp"
#include "adapters/wechat/passive_reply.hpp"

namespace touchgate::adapters::wechat {

namespace {

using namespace channel;
using namespace std::chrono_literals;

class OfficialAdapter final : public ExchangeAdapter {
public:
    explicit OfficialAdapter(OfficialSettings settings) : settings_{std::move(settings)} {}

    Capabilities capabilities() const override {
        return {.channel = std::string{settings_.rules.channel},
                .takes_text = true,
                .takes_template_code = true,
                .receipts = settings_.callbacks.has_value(),
                .inbound = settings_.callbacks.has_value(),
                .receipt_scope = {},
                .rate_scopes = {"account"},
                .reply_windows = settings_.windows};
    }

    int segments(std::string_view) const override { return 1; }
    int window() const override { return settings_.window; }
    Duration timeout() const override { return settings_.timeout; }

    std::vector<Need> prepare(std::span<const Submission> submissions) const override {
        std::vector<Need> needs{token_need(settings_.token)};
        for (const auto& submission : submissions)
            for (auto& need : media_needs(submission.content, settings_.media, settings_.token)) needs.push_back(std::move(need));
        return needs;
    }
    HttpRequest fetch(const Need& need, const Resources& resources, const RequestContext& context) const override {
        if (is_media_key(need.key)) return upload_request(need, settings_.media, settings_.token, resources, context);
        return token_request(settings_.token);
    }
    std::variant<Resource, Outcome> read_fetched(const Need& need, const HttpResponse& response) const override {
        return is_media_key(need.key) ? read_uploaded(response, official_codes()) : read_token(response, official_codes());
    }

    HttpRequest submit(std::span<const Submission> submissions, const Resources& resources, const RequestContext&) const override {
        if (submissions.empty()) return {};
        auto submission = submissions.front();
        submission.content = with_media_ids(submission.content, settings_.media, settings_.token, resources);
        auto request = message_request(submission, settings_.rules);
        return authorized_post(settings_.token, request.path, resources, std::move(request.body));
    }

    std::vector<Outcome> classify(std::span<const Submission> submissions, const HttpResponse& response) const override {
        std::vector<Outcome> outcomes{submissions.size(), outcome_of_submit(read_answer(response))};
        for (std::size_t i = 0; i < outcomes.size(); ++i)
            if (outcomes[i].scope == "api") outcomes[i].scope = quota_scope(submissions[i].content);
        return outcomes;
    }
    bool resources_stale(const HttpResponse& response) const override {
        const auto answer = read_answer(response);
        return token_is_stale(answer) || media_is_stale(answer);
    }
    bool resource_stale(const std::string& key, const HttpResponse& response) const override {
        const auto answer = read_answer(response);
        return is_media_key(key) ? media_is_stale(answer) : token_is_stale(answer);
    }

    std::vector<Need> task_needs() const override { return {token_need(settings_.token)}; }
    std::vector<Operation> operations() const override { return shown_of(official_operations()); }
    HttpRequest operation(std::string_view name, const std::string& body_json, const Resources& resources, const RequestContext&) const override {
        const auto* found = find_operation(official_operations(), name);
        return found == nullptr ? HttpRequest{} : operation_request(settings_.token, *found, body_json, resources);
    }
    OperationAnswer read_operation(std::string_view name, const std::string& body_json, const HttpResponse& response) const override {
        const auto* found = find_operation(official_operations(), name);
        if (found == nullptr) return {.outcome = {.kind = OutcomeKind::refused, .detail = "there is no such operation"}};
        return read_operation_answer(*found, body_json, response, [](const Answer& answer) { return outcome_of(answer, official_codes()); });
    }

    std::vector<Pull> pulls() const override {
        if (!settings_.lists_followers) return {};
        return {{.name = std::string{pull_followers}, .every = settings_.sync_interval}, {.name = std::string{pull_follower_info}, .every = one_day, .hinted_only = true, .each_hint = true}};
    }
    std::vector<Need> pull_needs(const std::string&) const override { return task_needs(); }
    HttpRequest pull(const std::string& name, const std::string& cursor, const std::string& hint, const Resources& resources, const RequestContext&) const override {
        return name == pull_follower_info ? follower_info_request(settings_.token, hint, resources) : followers_request(settings_.token, cursor, resources);
    }
    PulledPage read_pull(const std::string& name, const std::string& cursor, const HttpResponse& response) const override {
        return name == pull_follower_info ? read_follower_info(response) : read_followers(cursor, response);
    }

    // client_msg_id and clientmsgid are made of the touch's id.
    bool repeat_is_safe(const Content& content) const override {
        const auto form = form_of(content, settings_.rules);
        return form == MessageForm::template_ || form == MessageForm::mass;
    }
    bool needs_reply_window(const Content& content) const override { return form_of(content, settings_.rules) == MessageForm::custom; }
    std::string quota_scope(const Content& content) const override {
        switch (form_of(content, settings_.rules)) {
            case MessageForm::custom: return "api:custom";
            case MessageForm::template_: return "api:template";
            case MessageForm::mass: return "api:mass";
            default: return "api:subscribe";
        }
    }
    std::vector<Problem> content_problems(const Content& content) const override {
        auto problems = media_problems(content, settings_.media);
        for (auto& problem : wechat::content_problems(with_media_ids(content, settings_.media, settings_.token, {}), settings_.rules)) problems.push_back(std::move(problem));
        return problems;
    }
    std::optional<std::string> passive_reply(const InboundMessage& message, const Content& content, const RequestContext& context) const override {
        if (!settings_.callbacks || content.text.empty() || !content.body_json.empty() || message.from.empty() || message.to.empty()) return std::nullopt;
        return passive_text(*settings_.callbacks, message.from, message.to, content.text, context);
    }

    WebhookAnswer receive(const WebhookRequest& request) const override {
        if (!settings_.callbacks) return {.status = 404, .refusal = "PATH"};
        return receive_callback(*settings_.callbacks, request, read_official_callback);
    }

private:
    static Outcome outcome_of_submit(const Answer& answer) {
        auto id = text_member(answer.body, "msgid");
        if (id.empty()) id = text_member(answer.body, "msg_id");
        const bool exists = answer.readable && answer.errcode == mass_exists_code;
        // An object that has neither a code nor an id is not an answer of the platform.
        if (!exists && (!answer.ok() || (!answer.has_errcode && id.empty()))) return outcome_of(answer, official_codes());
        Outcome outcome{.kind = OutcomeKind::accepted, .code = std::to_string(answer.errcode)};
        if (exists) outcome.detail = "the platform had taken this mass task before";
        if (!id.empty()) outcome.ids.push_back(std::move(id));
        return outcome;
    }

    OfficialSettings settings_;
};

void read_windows(JsonReader& reader, std::vector<ReplyWindow>& windows) {
    auto given = reader.object("reply_window");
    if (!given) return;
    for (auto& window : windows)
        if (auto one = given->object(window.act)) {
            window.messages = static_cast<int>(one->integer("messages", window.messages, 1, 1'000'000));
            window.lasts = one->duration("lasts", window.lasts, 1s, one_day * 30);
            one->finish();
        }
    given->finish();
}

void read_templates(JsonReader& reader, ContentRules& rules) {
    reader.members("templates", [&](const std::string& id, const Json& keys, const std::string& pointer) {
        const bool texts = keys.is_array() && std::all_of(keys.begin(), keys.end(), [](const Json& key) { return key.is_string(); });
        if (texts) rules.templates[id] = keys.get<std::vector<std::string>>();
        else reader.problems().push_back({pointer, "must be an array of the names of the template's fields, such as [\"thing1\", \"time2\"]"});
    });
    rules.field_lengths = default_field_lengths();
    reader.members("field_lengths", [&](const std::string& kind, const Json& length, const std::string& pointer) {
        if (length.is_number_integer() && length >= 1 && length <= 10'000) rules.field_lengths[kind] = length.get<std::size_t>();
        else reader.problems().push_back({pointer, "must be a number of characters from 1 to 10000"});
    });
}

}  // namespace

OfficialSettings read_official_settings(JsonReader& reader, const AccountContext& context, const Offer& offer) {
    OfficialSettings settings{.rules = offer.rules, .windows = offer.windows};
    settings.token.base = read_base_url(reader, "https://api.weixin.qq.com");
    settings.token.app = reader.required_text("app_id", {1, 100});
    settings.token.secret = reader.required_text("app_secret", {1, 200});
    settings.token.call = reader.choice("token_api", {"stable", "classic"}, "stable") == "classic" ? TokenCall::classic : TokenCall::stable;
    settings.callbacks = read_callback_settings(
        reader, {.platform = Platform::official, .receive_id = settings.token.app, .required = false, .json = offer.json_callbacks});
    settings.timeout = reader.duration("timeout", settings.timeout, 100ms, 120s);
    settings.window = static_cast<int>(reader.integer("window", settings.window, 1, 1'000));
    settings.rules.text_bytes_max = static_cast<std::size_t>(reader.integer("text_bytes_max", 2'048, 1, 100'000));
    read_windows(reader, settings.windows);
    read_templates(reader, settings.rules);
    if (offer.followers) {
        settings.lists_followers = reader.boolean("sync", true);
        settings.sync_interval = reader.duration("sync_interval", settings.sync_interval, 10min, one_day * 30);
    }
    settings.media = official_media();
    settings.media.library = context.media;
    read_media_limits(reader, settings.media);
    return settings;
}

std::unique_ptr<ExchangeAdapter> make_official_adapter(OfficialSettings settings) { return std::make_unique<OfficialAdapter>(std::move(settings)); }

}  // namespace touchgate::adapters::wechat
