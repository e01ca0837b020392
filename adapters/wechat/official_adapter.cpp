#include "adapters/wechat/official_adapter.hpp"

#include <algorithm>
#include <chrono>

#include "adapters/wechat/callback.hpp"
#include "adapters/wechat/official_codes.hpp"
#include "adapters/wechat/official_events.hpp"

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

    std::vector<Need> prepare(std::span<const Submission>) const override { return {token_need(settings_.token)}; }
    HttpRequest fetch(const Need&, const Resources&, const RequestContext&) const override { return token_request(settings_.token); }
    std::variant<Resource, Outcome> read_fetched(const Need&, const HttpResponse& response) const override {
        return read_token(response, official_codes());
    }

    HttpRequest submit(std::span<const Submission> submissions, const Resources& resources, const RequestContext&) const override {
        if (submissions.empty()) return {};
        auto request = message_request(submissions.front(), settings_.rules);
        return authorized_post(settings_.token, request.path, resources, std::move(request.body));
    }

    std::vector<Outcome> classify(std::span<const Submission> submissions, const HttpResponse& response) const override {
        return {submissions.size(), outcome_of_submit(read_answer(response))};
    }
    bool resources_stale(const HttpResponse& response) const override { return token_is_stale(read_answer(response)); }

    // client_msg_id and clientmsgid are made of the touch's id.
    bool repeat_is_safe(const Content& content) const override {
        const auto form = form_of(content, settings_.rules);
        return form == MessageForm::template_ || form == MessageForm::mass;
    }
    bool needs_reply_window(const Content& content) const override { return form_of(content, settings_.rules) == MessageForm::custom; }
    std::vector<Problem> content_problems(const Content& content) const override { return wechat::content_problems(content, settings_.rules); }

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

OfficialSettings read_official_settings(JsonReader& reader, const Offer& offer) {
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
    return settings;
}

std::unique_ptr<ExchangeAdapter> make_official_adapter(OfficialSettings settings) { return std::make_unique<OfficialAdapter>(std::move(settings)); }

}  // namespace touchgate::adapters::wechat
