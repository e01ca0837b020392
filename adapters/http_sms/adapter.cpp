#include "adapters/http_sms/adapter.hpp"

#include "adapters/http_sms/errors.hpp"
#include "adapters/http_sms/request.hpp"
#include "adapters/http_sms/settings.hpp"
#include "adapters/http_sms/webhook.hpp"
#include "gateway/content/billing.hpp"

namespace touchgate::adapters {

namespace http_sms {

namespace {

using namespace channel;

class HttpSms final : public ExchangeAdapter {
public:
    explicit HttpSms(Settings settings) : settings_{std::move(settings)} {}

    Capabilities capabilities() const override {
        return {.channel = "sms",
                .takes_text = settings_.takes_text,
                .takes_template_code = settings_.takes_template_code,
                .text_characters_max = settings_.text_characters_max,
                .idempotent_submit = settings_.idempotent,
                .receipts = settings_.receipt.has_value(),
                .inbound = settings_.message.has_value(),
                .receipt_scope = {},
                .rate_scopes = {"account", "recipient"}};
    }

    int segments(std::string_view text) const override { return content::billed_segments(text, content::Counting::cn70); }
    int window() const override { return settings_.window; }
    Duration timeout() const override { return settings_.timeout; }

    HttpRequest submit(std::span<const Submission> submissions, const Resources&, const RequestContext& context) const override {
        if (submissions.empty()) return {};
        return build_request(settings_, submissions.front(), context);
    }

    std::vector<Outcome> classify(std::span<const Submission> submissions, const HttpResponse& response) const override {
        return std::vector<Outcome>(submissions.size(), read_answer(settings_.accept, response));
    }

    WebhookAnswer receive(const WebhookRequest& request) const override { return receive_push(settings_, request); }

private:
    Settings settings_;
};

}  // namespace

}  // namespace http_sms

channel::AdapterInfo http_sms_adapter() {
    return {.name = "http_sms", .channel = "sms", .make = [](JsonReader& settings, const channel::AccountContext& context) -> channel::AnyAdapter {
                return std::make_unique<http_sms::HttpSms>(http_sms::read_settings(settings, context));
            }};
}

}  // namespace touchgate::adapters
