#include "adapters/aliyun_sms/errors.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "gateway/base/text.hpp"
#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::aliyun_sms {

namespace {

using channel::HttpResponse;
using channel::Outcome;
using channel::OutcomeKind;
using namespace std::chrono_literals;

constexpr std::string_view frequency_limit = "isv.BUSINESS_LIMIT_CONTROL";

// A wrong template is a fault of the touch, not of the account: as `config` one bad template code would stop everyone's messages.
// A nonce that was used means that a copy of this very request had arrived before, so nobody knows here what became of it.
constexpr std::array meanings = std::to_array<CodeMeaning>({
    {frequency_limit, OutcomeKind::quota_exhausted, "recipient", "", "the provider's frequency limit for this number"},
    {"isv.DAY_LIMIT_CONTROL", OutcomeKind::quota_exhausted, "account", "", "the account's own daily limit"},
    {"isv.MONTH_LIMIT_CONTROL", OutcomeKind::quota_exhausted, "account", "", "the account's own monthly limit"},
    {"isv.MOBILE_NUMBER_ILLEGAL", OutcomeKind::recipient_invalid, "", "", "not a phone number for the provider"},
    {"isv.MOBILE_COUNT_OVER_LIMIT", OutcomeKind::refused, "", "", "too many numbers in one request"},
    {"isv.DOMESTIC_NUMBER_NOT_SUPPORTED", OutcomeKind::content_rejected, "", "template_code", "a mainland number with an international template"},
    {"isv.BLACK_KEY_CONTROL_LIMIT", OutcomeKind::content_rejected, "", "params", "a variable contains a blocked word"},
    {"isv.SMS_CONTENT_ILLEGAL", OutcomeKind::content_rejected, "", "params", "the content is not allowed"},
    {"isv.PARAM_NOT_SUPPORT_URL", OutcomeKind::content_rejected, "", "params", "a variable contains a link"},
    {"isv.PARAM_LENGTH_LIMIT", OutcomeKind::content_rejected, "", "params", "a variable is too long"},
    {"isv.TEMPLATE_MISSING_PARAMETERS", OutcomeKind::content_rejected, "", "params", "a variable of the template is missing"},
    {"isv.INVALID_JSON_PARAM", OutcomeKind::content_rejected, "", "params", "the variables are not an object of texts"},
    {"isv.INVALID_PARAMETERS", OutcomeKind::refused, "", "", "a parameter is wrong"},
    {"isv.EXTEND_CODE_ERROR", OutcomeKind::refused, "", "", "the extension code clashes with another one"},
    {"isv.SMS_TEMPLATE_ILLEGAL", OutcomeKind::content_rejected, "", "template_code", "the template is unknown or not approved"},
    {"isv.SMS_SIGNATURE_SCENE_ILLEGAL", OutcomeKind::content_rejected, "", "template_code", "the signature is not allowed for this kind of template"},
    {"isv.SMS_SIGNATURE_ILLEGAL", OutcomeKind::config, "", "", "the signature is unknown or not approved"},
    {"isv.SMS_SIGN_ILLEGAL", OutcomeKind::config, "", "", "the signature is unknown or not approved"},
    {"isv.SIGN_STATE_ILLEGAL", OutcomeKind::config, "", "", "the signature is blocked or not approved"},
    {"isv.OUT_OF_SERVICE", OutcomeKind::config, "", "", "the service is stopped"},
    {"isv.AMOUNT_NOT_ENOUGH", OutcomeKind::config, "", "", "the balance is used up"},
    {"isv.PRODUCT_UN_SUBSCRIPT", OutcomeKind::config, "", "", "the product is not opened"},
    {"isv.PRODUCT_UNSUBSCRIBE", OutcomeKind::config, "", "", "the product is not opened"},
    {"isv.ACCOUNT_NOT_EXISTS", OutcomeKind::config, "", "", "the account does not exist"},
    {"isv.ACCOUNT_ABNORMAL", OutcomeKind::config, "", "", "the account is in an abnormal state"},
    {"isv.DENY_IP_RANGE", OutcomeKind::config, "", "", "the gateway's address is barred"},
    {"isp.RAM_PERMISSION_DENY", OutcomeKind::credentials, "", "", "the access key lacks the right"},
    {"isp.SYSTEM_ERROR", OutcomeKind::unknown, "", "", "an error inside the provider"},
    {"SignatureDoesNotMatch", OutcomeKind::credentials, "", "", "the request signature is wrong: wrong access_key_secret"},
    {"InvalidAccessKeyId.NotFound", OutcomeKind::credentials, "", "", "access_key_id is unknown"},
    {"InvalidAccessKeyId.Inactive", OutcomeKind::credentials, "", "", "the access key is switched off"},
    {"InvalidSecurityToken.Expired", OutcomeKind::credentials, "", "", "the temporary credentials have ended"},
    {"SignatureNonceUsed", OutcomeKind::unknown, "", "", "a copy of this request had arrived before"},
    {"InvalidTimeStamp.Expired", OutcomeKind::config, "", "", "the gateway's clock is wrong"},
});

// The platform's day and month begin at midnight in China; when its clock is not told, ask again after a day.
Duration until_next_day(const HttpResponse& response) { return channel::until_hour_in_china(response.header("date"), 0h).value_or(one_day); }

std::optional<Duration> until_next_month(const HttpResponse& response) {
    const auto now = channel::parse_http_date(response.header("date"));
    if (!now) return one_day;
    const auto local = *now + 8h;
    const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(local)};
    const auto first = (today.year() / today.month() + std::chrono::months{1}) / std::chrono::day{1};
    return Instant{std::chrono::sys_days{first}} - local;
}

// "触发分钟级流控Permits:1": the text names the window. The minute is soon over; hour and day are a quota for this number.
void read_frequency_window(Outcome& outcome, std::string_view message) {
    if (message.find("分钟") != std::string_view::npos) {
        outcome.kind = OutcomeKind::throttled;
        outcome.retry_after = 1min;
    } else {
        outcome.retry_after = message.find("小时") != std::string_view::npos ? Duration{1h} : one_day;
    }
}

// The SDKs read this header in milliseconds.
Duration throttling_time(const HttpResponse& response) {
    const auto text = trim(response.header("x-acs-retry-after"));
    std::int64_t ms = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
    if (error == std::errc{} && end == text.data() + text.size() && ms > 0 && ms <= one_day.count()) return Duration{ms};
    return channel::parse_retry_after(response.header("retry-after")).value_or(Duration{1s});
}

Outcome throttled(std::string code, const HttpResponse& response) {
    return {.kind = OutcomeKind::throttled,
            .code = std::move(code),
            .detail = "too many requests",
            .scope = "account",
            .retry_after = throttling_time(response)};
}

Outcome unknown(std::string code, std::string detail) { return {.kind = OutcomeKind::unknown, .code = std::move(code), .detail = std::move(detail)}; }

Outcome by_code(const std::string& code, std::string_view message, const HttpResponse& response) {
    if (code == "Throttling" || code.starts_with("Throttling.")) return throttled(code, response);
    if (response.status >= 500) return unknown(code, "an error inside the provider");
    const auto found = std::find_if(meanings.begin(), meanings.end(), [&](const auto& meaning) { return meaning.code == code; });
    if (found != meanings.end()) {
        Outcome outcome{.kind = found->kind,
                        .code = code,
                        .detail = std::string{found->detail},
                        .scope = std::string{found->scope},
                        .field = std::string{found->field}};
        if (code == frequency_limit) read_frequency_window(outcome, message);
        else if (code == "isv.DAY_LIMIT_CONTROL") outcome.retry_after = until_next_day(response);
        else if (code == "isv.MONTH_LIMIT_CONTROL") outcome.retry_after = until_next_month(response);
        return outcome;
    }
    if (response.status == 429) return throttled(code, response);
    if (code.starts_with("isv.") || (response.status >= 400 && !code.starts_with("isp.")))
        return {.kind = OutcomeKind::refused, .code = code, .detail = "a code that is not in the table"};
    return unknown(code, "a code that is not in the table");
}

}  // namespace

std::span<const CodeMeaning> known_codes() { return meanings; }

Outcome read_answer(const HttpResponse& response) {
    const auto http = "http:" + std::to_string(response.status);
    const auto answer = channel::parse_foreign_json(response.body);
    const auto code = channel::printable_code(channel::text_member(answer, "Code"));
    if (code.empty()) {
        if (response.status == 429) return throttled(http, response);
        return unknown(http, "the answer cannot be read");
    }
    if (code != "OK") return by_code(code, channel::text_member(answer, "Message"), response);
    if (response.status < 200 || response.status > 299) return unknown(http, "the answer contradicts itself");
    Outcome outcome{.kind = OutcomeKind::accepted, .code = code};
    if (auto id = channel::text_member(answer, "BizId"); !id.empty()) outcome.ids.push_back(std::move(id));
    return outcome;
}

}  // namespace touchgate::adapters::aliyun_sms
