#include "adapters/tencent_sms/errors.hpp"

#include <algorithm>
#include <array>

#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::tencent_sms {

namespace {

using channel::HttpResponse;
using channel::member;
using channel::Outcome;
using channel::OutcomeKind;
using channel::text_member;
using namespace std::chrono_literals;

// A wrong template is a fault of the touch, not of the account: as `config` one bad template id would stop everyone's messages.
constexpr std::array meanings = std::to_array<CodeMeaning>({
    {"LimitExceeded.PhoneNumberThirtySecondLimit", OutcomeKind::throttled, "recipient", "", Reset::half_minute,
     "one message in 30 s for this number"},
    {"LimitExceeded.PhoneNumberOneHourLimit", OutcomeKind::quota_exhausted, "recipient", "", Reset::hour, "the hourly limit for this number"},
    {"LimitExceeded.PhoneNumberDailyLimit", OutcomeKind::quota_exhausted, "recipient", "", Reset::day, "the daily limit for this number"},
    {"LimitExceeded.PhoneNumberSameContentDailyLimit", OutcomeKind::quota_exhausted, "recipient", "", Reset::day,
     "the daily limit of equal content for this number"},
    {"LimitExceeded.DeliveryFrequencyLimit", OutcomeKind::quota_exhausted, "recipient", "", Reset::from_text, "the frequency limit for this number"},
    {"LimitExceeded.DailyLimit", OutcomeKind::quota_exhausted, "account", "", Reset::next_day, "the account's own daily limit"},
    {"LimitExceeded.AppDailyLimit", OutcomeKind::quota_exhausted, "account", "", Reset::next_day, "the application's own daily limit"},
    {"LimitExceeded.PhoneNumberCountLimit", OutcomeKind::refused, "", "", Reset::none, "too many numbers in one request"},
    {"FailedOperation.ContainSensitiveWord", OutcomeKind::content_rejected, "", "params", Reset::none, "the content contains a blocked word"},
    {"FailedOperation.TemplateIncorrectOrUnapproved", OutcomeKind::content_rejected, "", "template_code", Reset::none,
     "the template is unknown or not approved"},
    {"FailedOperation.FailResolvePacket", OutcomeKind::refused, "", "", Reset::none, "the provider could not read the request"},
    {"FailedOperation.JsonParseFail", OutcomeKind::refused, "", "", Reset::none, "the provider could not read the request"},
    {"FailedOperation.OtherError", OutcomeKind::refused, "", "", Reset::none, "the provider refused without a reason"},
    {"FailedOperation.SignatureIncorrectOrUnapproved", OutcomeKind::config, "", "", Reset::none, "the signature is unknown or not approved"},
    {"FailedOperation.PhoneNumberInBlacklist", OutcomeKind::recipient_refuses, "", "", Reset::none, "the number is on the provider's opt-out list"},
    {"FailedOperation.InsufficientBalanceInSmsPackage", OutcomeKind::config, "", "", Reset::none, "the balance is used up"},
    {"FailedOperation.MarketingSendTimeConstraint", OutcomeKind::quota_exhausted, "template", "", Reset::next_opening,
     "marketing is sent from 8 to 22 o'clock only"},
    {"InvalidParameterValue.IncorrectPhoneNumber", OutcomeKind::recipient_invalid, "", "", Reset::none, "not a phone number for the provider"},
    {"InvalidParameterValue.ContentLengthLimit", OutcomeKind::content_rejected, "", "params", Reset::none, "the message is too long"},
    {"InvalidParameterValue.TemplateParameterFormatError", OutcomeKind::content_rejected, "", "params", Reset::none, "a variable has the wrong form"},
    {"InvalidParameterValue.TemplateParameterLengthLimit", OutcomeKind::content_rejected, "", "params", Reset::none, "a variable is too long"},
    {"InvalidParameterValue.ProhibitedUseUrlInTemplateParameter", OutcomeKind::content_rejected, "", "params", Reset::none,
     "a variable contains a link"},
    {"InvalidParameterValue.SdkAppIdNotExist", OutcomeKind::config, "", "", Reset::none, "sdk_app_id is unknown"},
    {"MissingParameter.EmptyPhoneNumberSet", OutcomeKind::refused, "", "", Reset::none, "no number in the request"},
    {"UnauthorizedOperation.RequestIpNotInWhitelist", OutcomeKind::config, "", "", Reset::none,
     "the gateway's address is not on the provider's list"},
    {"UnauthorizedOperation.RequestPermissionDeny", OutcomeKind::credentials, "", "", Reset::none, "the secret lacks the right"},
    {"UnauthorizedOperation.SdkAppIdIsDisabled", OutcomeKind::config, "", "", Reset::none, "the application is switched off"},
    {"UnauthorizedOperation.SerivceSuspendDueToArrears", OutcomeKind::config, "", "", Reset::none, "the service is stopped for arrears"},
    {"UnauthorizedOperation.SmsSdkAppIdVerifyFail", OutcomeKind::config, "", "", Reset::none, "sdk_app_id does not belong to this secret"},
    {"UnauthorizedOperation.IndividualUserMarketingSmsPermissionDeny", OutcomeKind::content_rejected, "", "template_code", Reset::none,
     "individuals may not send marketing"},
    {"UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber", OutcomeKind::refused, "", "", Reset::none,
     "mainland and foreign numbers in one request"},
    {"UnsupportedOperation.UnsuportedRegion", OutcomeKind::config, "", "", Reset::none, "the region is not supported"},
    {"InternalError.RequestTimeException", OutcomeKind::config, "", "", Reset::none, "the gateway's clock is wrong"},
    {"InternalError.SigFieldMissing", OutcomeKind::config, "", "", Reset::none, "the signature is incomplete"},
    {"InternalError.SigVerificationFail", OutcomeKind::credentials, "", "", Reset::none, "the request signature is wrong: wrong secret_key"},
    {"InternalError.RestApiInterfaceNotExist", OutcomeKind::config, "", "", Reset::none, "no such call at base_url"},
    {"AuthFailure.SignatureExpire", OutcomeKind::config, "", "", Reset::none, "the gateway's clock is wrong"},
    {"RequestLimitExceeded*", OutcomeKind::throttled, "account", "", Reset::none, "too many requests"},
    {"AuthFailure*", OutcomeKind::credentials, "", "", Reset::none, "the credentials were refused"},
    {"InternalError*", OutcomeKind::unknown, "", "", Reset::none, "an error inside the provider"},
    {"LimitExceeded.PhoneNumber*", OutcomeKind::quota_exhausted, "recipient", "", Reset::from_text, "a limit for this number"},
    {"LimitExceeded*", OutcomeKind::quota_exhausted, "account", "", Reset::hour, "a limit of the account"},
    {"UnauthorizedOperation*", OutcomeKind::config, "", "", Reset::none, "the account is not allowed to do this"},
    {"FailedOperation*", OutcomeKind::refused, "", "", Reset::none, "a code that is not in the table"},
    {"InvalidParameter*", OutcomeKind::refused, "", "", Reset::none, "a code that is not in the table"},
    {"MissingParameter*", OutcomeKind::refused, "", "", Reset::none, "a code that is not in the table"},
    {"UnsupportedOperation*", OutcomeKind::refused, "", "", Reset::none, "a code that is not in the table"},
});

std::optional<Duration> time_to_wait(Reset reset, std::string_view message, const HttpResponse& response) {
    switch (reset) {
        case Reset::none: return std::nullopt;
        case Reset::half_minute: return 30s;
        case Reset::hour: return 1h;
        case Reset::day: return one_day;
        case Reset::next_day: return channel::until_hour_in_china(response.header("date"), 0h).value_or(one_day);
        case Reset::next_opening: return channel::until_hour_in_china(response.header("date"), 8h).value_or(Duration{1h});
        case Reset::from_text: break;
    }
    if (message.find("30秒") != std::string_view::npos || message.find("30 second") != std::string_view::npos) return 30s;
    if (message.find("分钟") != std::string_view::npos || message.find("minute") != std::string_view::npos) return 1min;
    if (message.find("小时") != std::string_view::npos || message.find("hour") != std::string_view::npos) return 1h;
    return one_day;
}

Outcome unknown(std::string code, std::string detail) { return {.kind = OutcomeKind::unknown, .code = std::move(code), .detail = std::move(detail)}; }

Outcome by_code(const std::string& code, std::string_view message, const HttpResponse& response) {
    const auto fits = [&](const CodeMeaning& meaning) {
        return meaning.code.ends_with('*') ? code.starts_with(meaning.code.substr(0, meaning.code.size() - 1)) : code == meaning.code;
    };
    const auto found = std::find_if(meanings.begin(), meanings.end(), fits);
    if (found == meanings.end()) return unknown(code, "a code that is not in the table");
    if (response.status >= 500 && found->kind != OutcomeKind::throttled) return unknown(code, "an error inside the provider");
    Outcome outcome{.kind = found->kind,
                    .code = code,
                    .detail = std::string{found->detail},
                    .scope = std::string{found->scope},
                    .field = std::string{found->field}};
    outcome.retry_after = time_to_wait(found->reset, message, response);
    if (outcome.kind == OutcomeKind::throttled && !outcome.retry_after) outcome.retry_after = 1s;
    return outcome;
}

Outcome read_status(const Json& status, const HttpResponse& response) {
    const auto code = channel::printable_code(text_member(status, "Code"));
    if (code.empty()) return unknown({}, "the answer does not tell about this number");
    if (code != "Ok") return by_code(code, text_member(status, "Message"), response);
    Outcome outcome{.kind = OutcomeKind::accepted, .code = code};
    if (auto id = text_member(status, "SerialNo"); !id.empty()) outcome.ids.push_back(std::move(id));
    const auto& fee = member(status, "Fee");
    if (fee.is_number_unsigned() && fee.get<std::uint64_t>() >= 1 && fee.get<std::uint64_t>() <= 100) outcome.parts = fee.get<int>();
    return outcome;
}

// Statuses come in the order of the numbers. They are matched by number only when that is visibly not so.
const Json& status_of(const Json& statuses, std::span<const channel::Submission> submissions, std::size_t index) {
    static const Json nothing;
    const auto is_for = [](const Json& status, const std::string& to) {
        const auto number = text_member(status, "PhoneNumber");
        return number == to || "+" + number == to || "+86" + number == to;
    };
    const auto& to = submissions[index].to;
    if (statuses.size() == submissions.size()) {
        const auto& candidate = statuses[index];
        if (text_member(candidate, "PhoneNumber").empty() || is_for(candidate, to)) return candidate;
    }
    for (const auto& status : statuses)
        if (is_for(status, to)) return status;
    return nothing;
}

}  // namespace

std::span<const CodeMeaning> known_codes() { return meanings; }

std::vector<Outcome> read_answer(std::span<const channel::Submission> submissions, const HttpResponse& response) {
    const auto http = "http:" + std::to_string(response.status);
    const auto all = [&](const Outcome& outcome) { return std::vector<Outcome>(submissions.size(), outcome); };
    const auto parsed = channel::parse_foreign_json(response.body);
    const auto& answer = member(parsed, "Response");
    const auto& error = member(answer, "Error");
    if (error.is_object()) {
        const auto code = channel::printable_code(text_member(error, "Code"));
        return all(code.empty() ? unknown(http, "the answer cannot be read") : by_code(code, text_member(error, "Message"), response));
    }
    const auto& statuses = member(answer, "SendStatusSet");
    if (!statuses.is_array() || response.status < 200 || response.status > 299) {
        if (response.status != 429) return all(unknown(http, "the answer cannot be read"));
        return all({.kind = OutcomeKind::throttled,
                    .code = http,
                    .detail = "too many requests",
                    .scope = "account",
                    .retry_after = channel::parse_retry_after(response.header("retry-after")).value_or(Duration{1s})});
    }
    std::vector<Outcome> outcomes;
    outcomes.reserve(submissions.size());
    for (std::size_t i = 0; i < submissions.size(); ++i) outcomes.push_back(read_status(status_of(statuses, submissions, i), response));
    return outcomes;
}

}  // namespace touchgate::adapters::tencent_sms
