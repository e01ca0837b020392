#include "adapters/wecom_kf/adapter.hpp"

#include <array>
#include <span>

#include "adapters/wecom_common/corp_adapter.hpp"
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

constexpr int state_with_servicer = 3;
constexpr std::array give_fields = {
    OperationField{"external_userid", OperationField::Kind::text, true, 64, "the customer"},
    OperationField{"servicer_userid", OperationField::Kind::text, true, 64, "an employee who serves this account and is receiving"},
};
constexpr std::array servicer_operations = {
    wechat::PlatformOperation{{"give_to_servicer", "gives a customer's conversation to an employee in WeCom's own client; it cannot be answered from here then", true, give_fields},
                              "/cgi-bin/kf/service_state/trans"},
};

class WeComKf final : public CorpAdapter {
public:
    WeComKf(Settings settings, wechat::MediaRules media)
        : CorpAdapter{{.corp = settings.corp,
                       .callback = settings.callback,
                       .topic = std::string{topic_kf_prefix} + settings.open_kfid,
                       .operations = settings.native_servicers ? std::span<const wechat::PlatformOperation>{servicer_operations} : std::span<const wechat::PlatformOperation>{},
                       .media = std::move(media)}},
          settings_{std::move(settings)} {}

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

    std::vector<Pull> pulls() const override { return {{.name = std::string{pull_messages}, .every = settings_.poll_interval}}; }
    HttpRequest pull(const std::string&, const std::string& cursor, const std::string& hint, const Resources& resources, const RequestContext&) const override {
        return messages_request(settings_.corp, settings_.open_kfid, cursor, hint, resources);
    }
    PulledPage read_pull(const std::string&, const std::string& cursor, const HttpResponse& response) const override { return read_messages(cursor, response); }

    HttpRequest operation(std::string_view name, const std::string& body_json, const Resources& resources, const RequestContext& context) const override {
        auto body = parse_foreign_json(body_json);
        if (!body.is_object()) body = Json::object();
        body["open_kfid"] = settings_.open_kfid;
        body["service_state"] = state_with_servicer;
        return CorpAdapter::operation(name, to_text(body), resources, context);
    }

    bool repeat_is_safe(const Content&) const override { return true; }  // msgid is made of the touch's id
    bool needs_reply_window(const Content& content) const override { return event_code(content).empty(); }
    std::string quota_scope(const Content& content) const override { return event_code(content).empty() ? "api:kf_send_msg" : "api:kf_send_msg_on_event"; }

private:
    HttpRequest request_of(std::span<const Submission> submissions, const Resources& resources) const override {
        return send_request(settings_.corp, settings_.open_kfid, submissions.front(), resources);
    }
    std::vector<Outcome> outcomes_of(std::span<const Submission> submissions, const HttpResponse& response) const override {
        std::vector<Outcome> outcomes;
        for (const auto& submission : submissions) outcomes.push_back(read_sent(submission, response));
        return outcomes;
    }
    std::vector<Problem> problems_of(const Content& content) const override { return wecom_kf::content_problems(content); }

    Settings settings_;
};

}  // namespace

}  // namespace wecom_kf

channel::AdapterInfo wecom_kf_adapter() {
    return {.name = "wecom_kf", .channel = "wecom_kf", .make = [](JsonReader& settings, const channel::AccountContext& context) -> channel::AnyAdapter {
                auto read = wecom_kf::read_settings(settings, context);
                return std::make_unique<wecom_kf::WeComKf>(std::move(read), wecom_common::read_media(settings, context, wechat::corp_media()));
            }};
}

}  // namespace touchgate::adapters
