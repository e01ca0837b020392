#include "adapters/tencent_sms/errors.hpp"

#include "tests/unit/adapters/tencent_sms/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using test::submission;
using namespace std::chrono_literals;

namespace {

std::vector<Outcome> classify(const std::vector<Submission>& submissions, const HttpResponse& response) {
    const auto outcomes = test::make(test::basic_settings()).adapter->classify(submissions, response);
    REQUIRE(outcomes.size() == submissions.size());
    return outcomes;
}

HttpResponse refused_number(const std::string& code, const std::string& message = "m", Headers headers = {}, int status = 200) {
    return {.status = status,
            .headers = std::move(headers),
            .body = R"({"Response":{"SendStatusSet":[{"SerialNo":"","PhoneNumber":"+8613900000001","Fee":0,"SessionContext":"msg-0001","Code":")" +
                    code + R"(","Message":")" + message + R"(","IsoCode":"CN"}],"RequestId":"r"}})"};
}

HttpResponse refused_call(const std::string& code, int status = 200) {
    return {.status = status, .headers = {}, .body = R"({"Response":{"Error":{"Code":")" + code + R"(","Message":"m"},"RequestId":"r"}})"};
}

struct Row {
    std::string code;
    OutcomeKind kind;
    std::string scope;
    std::string field;
    Duration wait;  // 0: none
};

const std::vector<Row> rows = {
    {"LimitExceeded.PhoneNumberThirtySecondLimit", OutcomeKind::throttled, "recipient", "", 30s},
    {"LimitExceeded.PhoneNumberOneHourLimit", OutcomeKind::quota_exhausted, "recipient", "", 1h},
    {"LimitExceeded.PhoneNumberDailyLimit", OutcomeKind::quota_exhausted, "recipient", "", 24h},
    {"LimitExceeded.PhoneNumberSameContentDailyLimit", OutcomeKind::quota_exhausted, "recipient", "", 24h},
    {"LimitExceeded.DeliveryFrequencyLimit", OutcomeKind::quota_exhausted, "recipient", "", 24h},
    {"LimitExceeded.DailyLimit", OutcomeKind::quota_exhausted, "account", "", 24h},
    {"LimitExceeded.AppDailyLimit", OutcomeKind::quota_exhausted, "account", "", 24h},
    {"LimitExceeded.PhoneNumberCountLimit", OutcomeKind::refused, "", "", 0s},
    {"FailedOperation.ContainSensitiveWord", OutcomeKind::content_rejected, "", "params", 0s},
    {"FailedOperation.TemplateIncorrectOrUnapproved", OutcomeKind::content_rejected, "", "template_code", 0s},
    {"FailedOperation.FailResolvePacket", OutcomeKind::refused, "", "", 0s},
    {"FailedOperation.JsonParseFail", OutcomeKind::refused, "", "", 0s},
    {"FailedOperation.OtherError", OutcomeKind::refused, "", "", 0s},
    {"FailedOperation.SignatureIncorrectOrUnapproved", OutcomeKind::config, "", "", 0s},
    {"FailedOperation.PhoneNumberInBlacklist", OutcomeKind::recipient_refuses, "", "", 0s},
    {"FailedOperation.InsufficientBalanceInSmsPackage", OutcomeKind::config, "", "", 0s},
    {"FailedOperation.MarketingSendTimeConstraint", OutcomeKind::quota_exhausted, "template", "", 1h},
    {"InvalidParameterValue.IncorrectPhoneNumber", OutcomeKind::recipient_invalid, "", "", 0s},
    {"InvalidParameterValue.ContentLengthLimit", OutcomeKind::content_rejected, "", "params", 0s},
    {"InvalidParameterValue.TemplateParameterFormatError", OutcomeKind::content_rejected, "", "params", 0s},
    {"InvalidParameterValue.TemplateParameterLengthLimit", OutcomeKind::content_rejected, "", "params", 0s},
    {"InvalidParameterValue.ProhibitedUseUrlInTemplateParameter", OutcomeKind::content_rejected, "", "params", 0s},
    {"InvalidParameterValue.SdkAppIdNotExist", OutcomeKind::config, "", "", 0s},
    {"MissingParameter.EmptyPhoneNumberSet", OutcomeKind::refused, "", "", 0s},
    {"UnauthorizedOperation.RequestIpNotInWhitelist", OutcomeKind::config, "", "", 0s},
    {"UnauthorizedOperation.RequestPermissionDeny", OutcomeKind::credentials, "", "", 0s},
    {"UnauthorizedOperation.SdkAppIdIsDisabled", OutcomeKind::config, "", "", 0s},
    {"UnauthorizedOperation.SerivceSuspendDueToArrears", OutcomeKind::config, "", "", 0s},
    {"UnauthorizedOperation.SmsSdkAppIdVerifyFail", OutcomeKind::config, "", "", 0s},
    {"UnauthorizedOperation.IndividualUserMarketingSmsPermissionDeny", OutcomeKind::content_rejected, "", "template_code", 0s},
    {"UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber", OutcomeKind::refused, "", "", 0s},
    {"UnsupportedOperation.UnsuportedRegion", OutcomeKind::config, "", "", 0s},
    {"InternalError.RequestTimeException", OutcomeKind::config, "", "", 0s},
    {"InternalError.SigFieldMissing", OutcomeKind::config, "", "", 0s},
    {"InternalError.SigVerificationFail", OutcomeKind::credentials, "", "", 0s},
    {"InternalError.RestApiInterfaceNotExist", OutcomeKind::config, "", "", 0s},
    {"AuthFailure.SignatureExpire", OutcomeKind::config, "", "", 0s},
    // Groups: codes that are not in the table by name.
    {"RequestLimitExceeded", OutcomeKind::throttled, "account", "", 1s},
    {"RequestLimitExceeded.UinLimitExceeded", OutcomeKind::throttled, "account", "", 1s},
    {"AuthFailure.SecretIdNotFound", OutcomeKind::credentials, "", "", 0s},
    {"AuthFailure.SignatureFailure", OutcomeKind::credentials, "", "", 0s},
    {"InternalError", OutcomeKind::unknown, "", "", 0s},
    {"InternalError.Timeout", OutcomeKind::unknown, "", "", 0s},
    {"InternalError.SendAndRecvFail", OutcomeKind::unknown, "", "", 0s},
    {"InternalError.OtherError", OutcomeKind::unknown, "", "", 0s},
    {"InternalError.UnknownError", OutcomeKind::unknown, "", "", 0s},
    {"LimitExceeded.PhoneNumberSomethingNew", OutcomeKind::quota_exhausted, "recipient", "", 24h},
    {"LimitExceeded.SomethingNew", OutcomeKind::quota_exhausted, "account", "", 1h},
    {"UnauthorizedOperation.SomethingNew", OutcomeKind::config, "", "", 0s},
    {"FailedOperation.SomethingNew", OutcomeKind::refused, "", "", 0s},
    {"InvalidParameterValue.SomethingNew", OutcomeKind::refused, "", "", 0s},
    {"InvalidParameter", OutcomeKind::refused, "", "", 0s},
    {"MissingParameter", OutcomeKind::refused, "", "", 0s},
    {"UnsupportedOperation.SomethingNew", OutcomeKind::refused, "", "", 0s},
    {"SomethingNew", OutcomeKind::unknown, "", "", 0s},
};

}  // namespace

TEST_CASE("errors: each code means the same for one number and for the whole request, and a 5xx is unknown", "[tencent_sms]") {
    std::size_t by_name = 0;
    for (const auto& meaning : adapters::tencent_sms::known_codes()) by_name += meaning.code.ends_with('*') ? 0 : 1;
    CHECK(by_name == 37);
    for (const auto& row : rows) {
        INFO(row.code);
        for (const auto& response : {refused_number(row.code), refused_call(row.code), refused_call(row.code, 400)}) {
            const auto outcome = classify({submission()}, response).front();
            CHECK(outcome.kind == row.kind);
            CHECK(outcome.code == row.code);
            CHECK(outcome.scope == row.scope);
            CHECK(outcome.field == row.field);
            CHECK(outcome.retry_after.value_or(0s) == row.wait);
            CHECK(outcome.ids.empty());
            CHECK_FALSE(outcome.detail.empty());
        }
        const auto broken = classify({submission()}, refused_call(row.code, 503)).front().kind;
        CHECK(broken == (row.kind == OutcomeKind::throttled ? OutcomeKind::throttled : OutcomeKind::unknown));
    }
}

TEST_CASE("errors: the console's own frequency limit tells its window in its text", "[tencent_sms]") {
    const auto wait = [](const std::string& text) {
        return classify({submission()}, refused_number("LimitExceeded.DeliveryFrequencyLimit", text)).front().retry_after;
    };
    CHECK(wait("30秒内") == 30s);
    CHECK(wait("1分钟") == 1min);
    CHECK(wait("the number of SMS messages sent in 1 hour") == 1h);
    CHECK(wait("whatever") == 24h);
}

TEST_CASE("errors: the day and the marketing hours are China's, by the provider's clock", "[tencent_sms]") {
    const auto wait = [](const std::string& code, const std::string& date) {
        return classify({submission()}, refused_number(code, "m", {{"date", date}})).front().retry_after;
    };
    CHECK(wait("LimitExceeded.DailyLimit", "Fri, 02 Jan 2026 15:00:00 GMT") == 1h);
    CHECK(wait("FailedOperation.MarketingSendTimeConstraint", "Fri, 02 Jan 2026 15:00:00 GMT") == 9h);
    CHECK(wait("FailedOperation.MarketingSendTimeConstraint", "Fri, 02 Jan 2026 23:30:00 GMT") == 30min);
    CHECK(wait("FailedOperation.MarketingSendTimeConstraint", "Sat, 03 Jan 2026 00:00:00 GMT") == 24h);
}

TEST_CASE("answers: each number has its own outcome, in the order of the numbers", "[tencent_sms]") {
    const std::vector<Submission> three = {submission(), submission("+8613900000002", "b"), submission("+8613900000003", "c")};
    const auto status = [](const std::string& number, const std::string& code, const std::string& id) {
        return R"({"SerialNo":")" + id + R"(","PhoneNumber":")" + number + R"(","Fee":2,"Code":")" + code + R"("})";
    };
    const auto answer = [](const std::string& statuses) {
        return HttpResponse{.status = 200, .headers = {}, .body = R"({"Response":{"SendStatusSet":[)" + statuses + "]}}"};
    };

    const auto one = status("+8613900000001", "Ok", "s1");
    const auto two = status("+8613900000002", "FailedOperation.PhoneNumberInBlacklist", "");
    const auto last = status("+8613900000003", "Ok", "s3");
    const auto outcomes = classify(three, answer(one + "," + two + "," + last));
    CHECK(outcomes[0].ids == std::vector<std::string>{"s1"});
    CHECK(outcomes[0].parts == 2);
    CHECK(outcomes[1].kind == OutcomeKind::recipient_refuses);
    CHECK(outcomes[2].ids == std::vector<std::string>{"s3"});

    // Out of order: matched by number.
    const auto shuffled = classify(three, answer(last + "," + one + "," + two));
    CHECK(shuffled[0].ids == std::vector<std::string>{"s1"});
    CHECK(shuffled[1].kind == OutcomeKind::recipient_refuses);
    CHECK(shuffled[2].ids == std::vector<std::string>{"s3"});

    // One missing: only that one is unknown.
    const auto short_answer = classify(three, answer(one + "," + last));
    CHECK(short_answer[0].kind == OutcomeKind::accepted);
    CHECK(short_answer[1].kind == OutcomeKind::unknown);
    CHECK(short_answer[2].kind == OutcomeKind::accepted);

    // Without numbers the order counts.
    const auto by_order = classify(three, answer(R"({"Code":"Ok","SerialNo":"x"},{"Code":"Ok","SerialNo":"y"},{})"));
    CHECK(by_order[0].ids == std::vector<std::string>{"x"});
    CHECK(by_order[1].ids == std::vector<std::string>{"y"});
    CHECK(by_order[2].kind == OutcomeKind::unknown);
}

TEST_CASE("answers: whatever cannot be read is unknown for every number", "[tencent_sms]") {
    const std::vector<Submission> two = {submission(), submission("+8613900000002", "b")};
    const std::string good =
        R"({"Response":{"SendStatusSet":[{"SerialNo":"s","PhoneNumber":"+8613900000001","Fee":1,"Code":"Ok"}],"RequestId":"r"}})";
    for (std::size_t cut = 0; cut < good.size(); cut += 3)
        for (const auto& outcome : classify(two, {.status = 200, .headers = {}, .body = good.substr(0, cut)}))
            CHECK(outcome.kind == OutcomeKind::unknown);
    for (const std::string body :
         {"null", "[]", "{}", R"({"Response":null})", R"({"Response":[]})", R"({"Response":{"SendStatusSet":{}}})",
          R"({"Response":{"SendStatusSet":[1,null]}})", R"({"Response":{"SendStatusSet":[]}})", R"({"Response":{"Error":{}}})",
          R"({"Response":{"Error":{"Code":7.5e999}}})", R"({"Response":{"SendStatusSet":[{"Code":{}},{"Code":[]}]}})"}) {
        INFO(body);
        for (const auto& outcome : classify(two, {.status = 200, .headers = {}, .body = body})) CHECK(outcome.kind == OutcomeKind::unknown);
    }
    CHECK(classify(two, {.status = 500, .headers = {}, .body = good})[0].kind == OutcomeKind::unknown);
    CHECK(classify(two, {.status = 429, .headers = {{"retry-after", "3"}}, .body = ""})[0].retry_after == 3s);
    CHECK(
        classify({submission()}, {.status = 200, .headers = {}, .body = R"({"Response":{"SendStatusSet":[{"Code":"Ok","Fee":1e300}]}})"})[0].parts ==
        1);
}
