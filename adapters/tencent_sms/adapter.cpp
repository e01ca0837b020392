#include "adapters/tencent_sms/adapter.hpp"

#include <algorithm>

#include "adapters/tencent_sms/errors.hpp"
#include "adapters/tencent_sms/request.hpp"
#include "adapters/tencent_sms/settings.hpp"
#include "adapters/tencent_sms/webhook.hpp"
#include "gateway/content/billing.hpp"

namespace touchgate::adapters {

namespace tencent_sms {

namespace {

using namespace channel;
using namespace std::chrono_literals;

bool is_mainland(std::string_view e164) { return e164.starts_with("+86"); }

bool equal_values(const Content& a, const Content& b) {
    return std::equal(a.params.begin(), a.params.end(), b.params.begin(), b.params.end(),
                      [](const auto& x, const auto& y) { return x.second == y.second; });
}

class TencentSms final : public ExchangeAdapter {
public:
    explicit TencentSms(Settings settings) : settings_{std::move(settings)} {}

    Capabilities capabilities() const override {
        return {.channel = "sms",
                .takes_text = false,
                .takes_template_code = true,
                .text_characters_max = 500,
                .receipts = true,
                .inbound = true,
                .receipt_scope = {},
                .can_reconcile = settings_.reconcile,
                .batch_max = settings_.batch,
                .rate_scopes = {"account", "recipient"}};
    }

    // The provider puts 【signature】 before the text and counts it.
    int segments(std::string_view text) const override {
        const bool signed_already = text.starts_with("【");
        const auto whole = signed_already ? std::string{text} : "【" + settings_.sign_name + "】" + std::string{text};
        return content::billed_segments(whole, content::Counting::cn70);
    }

    int window() const override { return settings_.window; }
    Duration timeout() const override { return settings_.timeout; }

    // Numbers of one request are all mainland or all foreign, and get the same text.
    bool same_batch(const Submission& a, const Submission& b) const override {
        return a.to != b.to && is_mainland(a.to) == is_mainland(b.to) && a.content.template_code == b.content.template_code &&
               equal_values(a.content, b.content);
    }

    HttpRequest submit(std::span<const Submission> submissions, const Resources&, const RequestContext& context) const override {
        if (submissions.empty()) return {};
        return send_request(settings_, submissions, context);
    }

    std::vector<Outcome> classify(std::span<const Submission> submissions, const HttpResponse& response) const override {
        return read_answer(submissions, response);
    }

    std::optional<HttpRequest> reconcile(const Submission& submission, Instant permitted_at, const RequestContext& context) const override {
        if (!settings_.reconcile) return std::nullopt;
        return pull_request(settings_, submission.to, permitted_at - 1min, context);
    }

    // The provider lists a message only when its end is known, so absence never proves that it was not sent.
    ReconcileAnswer read_reconcile(const Submission& submission, const HttpResponse& response) const override {
        const auto parsed = parse_foreign_json(response.body);
        const auto& entries = member(member(parsed, "Response"), "PullSmsSendStatusSet");
        if (response.status != 200 || !entries.is_array()) return {};
        for (const auto& entry : entries) {
            const auto status = text_member(entry, "ReportStatus");
            if (!context_names(text_member(entry, "SessionContext"), submission.attempt_id) || (status != "SUCCESS" && status != "FAIL")) continue;
            return settled(submission, entry, status == "SUCCESS");
        }
        return {};
    }

    WebhookAnswer receive(const WebhookRequest& request) const override { return receive_push(settings_.callback_token, request); }

private:
    static ReconcileAnswer settled(const Submission& submission, const Json& entry, bool delivered) {
        ReconcileAnswer answer{.verdict = ReconcileAnswer::Verdict::settled, .outcome = {.kind = OutcomeKind::accepted, .code = "Ok"}};
        Receipt receipt{.destination = submission.to,
                        .status = delivered ? ReceiptStatus::delivered : ReceiptStatus::failed,
                        .raw = text_member(entry, "Description"),
                        .reason = delivered ? "" : "failed",
                        .attempt_id = submission.attempt_id};
        if (auto id = text_member(entry, "SerialNo"); !id.empty()) {
            answer.outcome.ids = {id};
            receipt.provider_ids = {std::move(id)};
        }
        const auto& seconds = member(entry, "UserReceiveTime");
        if (seconds.is_number_unsigned() && seconds.get<std::uint64_t>() < 253'402'300'800U)
            receipt.at = from_unix_ms(static_cast<std::int64_t>(seconds.get<std::uint64_t>()) * 1000);
        answer.receipt = std::move(receipt);
        return answer;
    }

    Settings settings_;
};

}  // namespace

}  // namespace tencent_sms

channel::AdapterInfo tencent_sms_adapter() {
    return {.name = "tencent_sms", .channel = "sms", .make = [](JsonReader& settings, const channel::AccountContext&) -> channel::AnyAdapter {
                return std::make_unique<tencent_sms::TencentSms>(tencent_sms::read_settings(settings));
            }};
}

}  // namespace touchgate::adapters
