#include "adapters/aliyun_sms/adapter.hpp"

#include "adapters/aliyun_sms/errors.hpp"
#include "adapters/aliyun_sms/request.hpp"
#include "adapters/aliyun_sms/settings.hpp"
#include "adapters/aliyun_sms/webhook.hpp"
#include "gateway/content/billing.hpp"

namespace touchgate::adapters {

namespace aliyun_sms {

namespace {

using namespace channel;
using namespace std::chrono_literals;

class AliyunSms final : public ExchangeAdapter {
public:
    explicit AliyunSms(Settings settings) : settings_{std::move(settings)} {}

    Capabilities capabilities() const override {
        return {.channel = "sms",
                .takes_text = false,
                .takes_template_code = true,
                .receipts = true,
                .inbound = true,
                .receipt_scope = {},
                .can_reconcile = true,
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

    bool same_batch(const Submission& a, const Submission& b) const override {
        return a.content.template_code == b.content.template_code && a.to != b.to;
    }

    HttpRequest submit(std::span<const Submission> submissions, const Resources&, const RequestContext& context) const override {
        if (submissions.empty()) return {};
        return send_request(settings_, submissions, context);
    }

    std::vector<Outcome> classify(std::span<const Submission> submissions, const HttpResponse& response) const override {
        std::vector<Outcome> outcomes(submissions.size(), read_answer(response));
        if (submissions.size() > 1) {
            for (std::size_t i = 0; i < outcomes.size(); ++i)
                for (auto& id : outcomes[i].ids) id += ":" + provider_number(submissions[i].to);
        }
        return outcomes;
    }

    // A message permitted in the last seconds of a day may be in the next day's list, so later questions ask for that one.
    std::optional<HttpRequest> reconcile(const Submission& submission, Instant permitted_at, const RequestContext& context) const override {
        const bool is_early = context.now - permitted_at < 1min;
        return query_request(settings_, submission.to, is_early ? permitted_at : permitted_at + 30s, context);
    }

    ReconcileAnswer read_reconcile(const Submission& submission, const HttpResponse& response) const override {
        const auto answer = parse_foreign_json(response.body);
        const auto& details = member(member(answer, "SmsSendDetailDTOs"), "SmsSendDetailDTO");
        if (response.status != 200 || text_member(answer, "Code") != "OK") return {};
        if (!details.is_array() && text_member(answer, "TotalCount") != "0") return {};
        for (const auto& detail : details)
            if (out_id_names(text_member(detail, "OutId"), submission.attempt_id)) return settled(submission, detail);
        // Only the newest 50 are asked for: with more than these, absence proves nothing.
        const auto& total = member(answer, "TotalCount");
        const auto seen = static_cast<double>(details.size());
        if (total.is_number() && total.get<double>() > seen) return {};
        return {.verdict = ReconcileAnswer::Verdict::not_found};
    }

    WebhookAnswer receive(const WebhookRequest& request) const override { return receive_push(settings_.callback_token, request); }

    // Asks for what was sent today to a number of the test range; sends nothing.
    std::optional<HttpRequest> probe(const RequestContext& context) const override {
        return query_request(settings_, "+8613900000000", context.now, context);
    }

private:
    static ReconcileAnswer settled(const Submission& submission, const Json& detail) {
        ReconcileAnswer answer{.verdict = ReconcileAnswer::Verdict::settled, .outcome = {.kind = OutcomeKind::accepted, .code = "OK"}};
        const auto status = text_member(detail, "SendStatus");
        if (status != "2" && status != "3") return answer;  // 1: waiting for the receipt
        Receipt receipt{.destination = submission.to,
                        .status = status == "3" ? ReceiptStatus::delivered : ReceiptStatus::failed,
                        .raw = text_member(detail, "ErrCode"),
                        .at = provider_time(text_member(detail, "ReceiveDate")),
                        .attempt_id = submission.attempt_id};
        if (receipt.status == ReceiptStatus::failed) receipt.reason = receipt_reason(receipt.raw);
        answer.receipt = std::move(receipt);
        return answer;
    }

    Settings settings_;
};

}  // namespace

}  // namespace aliyun_sms

channel::AdapterInfo aliyun_sms_adapter() {
    return {.name = "aliyun_sms", .channel = "sms", .make = [](JsonReader& settings, const channel::AccountContext&) -> channel::AnyAdapter {
                return std::make_unique<aliyun_sms::AliyunSms>(aliyun_sms::read_settings(settings));
            }};
}

}  // namespace touchgate::adapters
