#include "adapters/aliyun_sms/errors.hpp"

#include "tests/unit/adapters/aliyun_sms/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using namespace std::chrono_literals;

namespace {

HttpResponse answer(int status, const std::string& code, const std::string& message = "m", Headers headers = {}) {
    return {.status = status, .headers = std::move(headers), .body = Json{{"Code", code}, {"Message", message}, {"RequestId", "r"}}.dump()};
}

struct Row {
    std::string code;
    OutcomeKind kind;
    std::string scope;
    std::string field;
};

const std::vector<Row> rows = {
    {"isv.BUSINESS_LIMIT_CONTROL", OutcomeKind::quota_exhausted, "recipient", ""},
    {"isv.DAY_LIMIT_CONTROL", OutcomeKind::quota_exhausted, "account", ""},
    {"isv.MONTH_LIMIT_CONTROL", OutcomeKind::quota_exhausted, "account", ""},
    {"isv.MOBILE_NUMBER_ILLEGAL", OutcomeKind::recipient_invalid, "", ""},
    {"isv.MOBILE_COUNT_OVER_LIMIT", OutcomeKind::refused, "", ""},
    {"isv.DOMESTIC_NUMBER_NOT_SUPPORTED", OutcomeKind::content_rejected, "", "template_code"},
    {"isv.BLACK_KEY_CONTROL_LIMIT", OutcomeKind::content_rejected, "", "params"},
    {"isv.SMS_CONTENT_ILLEGAL", OutcomeKind::content_rejected, "", "params"},
    {"isv.PARAM_NOT_SUPPORT_URL", OutcomeKind::content_rejected, "", "params"},
    {"isv.PARAM_LENGTH_LIMIT", OutcomeKind::content_rejected, "", "params"},
    {"isv.TEMPLATE_MISSING_PARAMETERS", OutcomeKind::content_rejected, "", "params"},
    {"isv.INVALID_JSON_PARAM", OutcomeKind::content_rejected, "", "params"},
    {"isv.INVALID_PARAMETERS", OutcomeKind::refused, "", ""},
    {"isv.EXTEND_CODE_ERROR", OutcomeKind::refused, "", ""},
    {"isv.SMS_TEMPLATE_ILLEGAL", OutcomeKind::content_rejected, "", "template_code"},
    {"isv.SMS_SIGNATURE_SCENE_ILLEGAL", OutcomeKind::content_rejected, "", "template_code"},
    {"isv.SMS_SIGNATURE_ILLEGAL", OutcomeKind::config, "", ""},
    {"isv.SMS_SIGN_ILLEGAL", OutcomeKind::config, "", ""},
    {"isv.SIGN_STATE_ILLEGAL", OutcomeKind::config, "", ""},
    {"isv.OUT_OF_SERVICE", OutcomeKind::config, "", ""},
    {"isv.AMOUNT_NOT_ENOUGH", OutcomeKind::config, "", ""},
    {"isv.PRODUCT_UN_SUBSCRIPT", OutcomeKind::config, "", ""},
    {"isv.PRODUCT_UNSUBSCRIBE", OutcomeKind::config, "", ""},
    {"isv.ACCOUNT_NOT_EXISTS", OutcomeKind::config, "", ""},
    {"isv.ACCOUNT_ABNORMAL", OutcomeKind::config, "", ""},
    {"isv.DENY_IP_RANGE", OutcomeKind::config, "", ""},
    {"isp.RAM_PERMISSION_DENY", OutcomeKind::credentials, "", ""},
    {"isp.SYSTEM_ERROR", OutcomeKind::unknown, "", ""},
    {"SignatureDoesNotMatch", OutcomeKind::credentials, "", ""},
    {"InvalidAccessKeyId.NotFound", OutcomeKind::credentials, "", ""},
    {"InvalidAccessKeyId.Inactive", OutcomeKind::credentials, "", ""},
    {"InvalidSecurityToken.Expired", OutcomeKind::credentials, "", ""},
    {"SignatureNonceUsed", OutcomeKind::unknown, "", ""},
    {"InvalidTimeStamp.Expired", OutcomeKind::config, "", ""},
};

}  // namespace

TEST_CASE("errors: each known code means the same in a 200 and in a 400, and a 5xx is unknown whatever it says", "[aliyun_sms]") {
    const auto made = test::make(test::basic_settings());
    REQUIRE(adapters::aliyun_sms::known_codes().size() == rows.size());
    for (const auto& row : rows) {
        INFO(row.code);
        for (const int status : {200, 400, 403}) {
            const auto outcome = test::classify_one(*made.adapter, answer(status, row.code));
            CHECK(outcome.kind == row.kind);
            CHECK(outcome.code == row.code);
            CHECK(outcome.scope == row.scope);
            CHECK(outcome.field == row.field);
            CHECK_FALSE(outcome.detail.empty());
            CHECK(outcome.retry_after.has_value() == (row.kind == OutcomeKind::quota_exhausted));
            CHECK(outcome.ids.empty());
        }
        CHECK(test::classify_one(*made.adapter, answer(500, row.code)).kind == OutcomeKind::unknown);
    }
}

TEST_CASE("errors: the frequency limit's text tells the window; an unknown text means a day", "[aliyun_sms]") {
    const auto made = test::make(test::basic_settings());
    const auto [text, kind, wait] = GENERATE(table<std::string, OutcomeKind, Duration>({{"触发分钟级流控Permits:1", OutcomeKind::throttled, 1min},
                                                                                        {"触发小时级流控Permits:5", OutcomeKind::quota_exhausted, 1h},
                                                                                        {"触发天级流控Permits:10", OutcomeKind::quota_exhausted, 24h},
                                                                                        {"something else", OutcomeKind::quota_exhausted, 24h},
                                                                                        {"", OutcomeKind::quota_exhausted, 24h}}));
    INFO(text);
    const auto outcome = test::classify_one(*made.adapter, answer(200, "isv.BUSINESS_LIMIT_CONTROL", text));
    CHECK(outcome.kind == kind);
    CHECK(outcome.scope == "recipient");
    CHECK(outcome.retry_after == wait);
}

TEST_CASE("errors: the account's day and month end at midnight in China, by the provider's own clock", "[aliyun_sms]") {
    const auto made = test::make(test::basic_settings());
    const auto wait = [&](const std::string& code, const std::string& date) {
        return test::classify_one(*made.adapter, answer(200, code, "m", date.empty() ? Headers{} : Headers{{"date", date}})).retry_after;
    };
    CHECK(wait("isv.DAY_LIMIT_CONTROL", "Fri, 02 Jan 2026 15:00:00 GMT") == 1h);
    CHECK(wait("isv.DAY_LIMIT_CONTROL", "Fri, 02 Jan 2026 16:00:00 GMT") == 24h);
    CHECK(wait("isv.MONTH_LIMIT_CONTROL", "Wed, 31 Dec 2025 15:00:00 GMT") == 1h);
    CHECK(wait("isv.MONTH_LIMIT_CONTROL", "Fri, 27 Feb 2026 16:00:00 GMT") == 24h);
    CHECK(wait("isv.DAY_LIMIT_CONTROL", "") == 24h);
    CHECK(wait("isv.MONTH_LIMIT_CONTROL", "yesterday") == 24h);
}

TEST_CASE("errors: throttling waits as long as the header says, in any status", "[aliyun_sms]") {
    const auto made = test::make(test::basic_settings());
    for (const auto* code : {"Throttling", "Throttling.User", "Throttling.Api"}) {
        for (const int status : {200, 400, 429, 503}) {
            const auto outcome = test::classify_one(*made.adapter, answer(status, code, "m", {{"x-acs-retry-after", "2500"}}));
            CHECK(outcome.kind == OutcomeKind::throttled);
            CHECK(outcome.scope == "account");
            CHECK(outcome.retry_after == 2500ms);
        }
    }
    CHECK(test::classify_one(*made.adapter, answer(400, "Throttling.User")).retry_after == 1s);
    CHECK(test::classify_one(*made.adapter, answer(400, "Throttling.User", "m", {{"x-acs-retry-after", "soon"}})).retry_after == 1s);
    CHECK(test::classify_one(*made.adapter, {.status = 429, .headers = {{"retry-after", "7"}}, .body = "slow down"}).retry_after == 7s);
}

TEST_CASE("errors: a code that nobody knows has a safe meaning", "[aliyun_sms]") {
    const auto made = test::make(test::basic_settings());
    const auto kind = [&](int status, const std::string& code) { return test::classify_one(*made.adapter, answer(status, code)).kind; };
    CHECK(kind(200, "isv.SOMETHING_NEW") == OutcomeKind::refused);
    CHECK(kind(400, "isv.SOMETHING_NEW") == OutcomeKind::refused);
    CHECK(kind(400, "MissingPhoneNumbers") == OutcomeKind::refused);
    CHECK(kind(404, "InvalidVersion") == OutcomeKind::refused);
    CHECK(kind(200, "isp.SOMETHING_NEW") == OutcomeKind::unknown);
    CHECK(kind(400, "isp.SOMETHING_NEW") == OutcomeKind::unknown);
    CHECK(kind(200, "SOMETHING_NEW") == OutcomeKind::unknown);
    CHECK(kind(503, "ServiceUnavailable") == OutcomeKind::unknown);
    const auto strange = test::classify_one(*made.adapter, answer(400, "<script>\n" + std::string(300, 'x')));
    CHECK(strange.code.size() == 100);
    CHECK(strange.code.find_first_of("<>\n") == std::string::npos);
}

TEST_CASE("answers: OK is accepted with its BizId, and whatever cannot be read is unknown", "[aliyun_sms]") {
    const auto made = test::make(test::basic_settings());
    const std::string good = R"({"Message":"OK","RequestId":"r","Code":"OK","BizId":"900619746936498440^0"})";
    const auto accepted = test::classify_one(*made.adapter, {.status = 200, .headers = {}, .body = good});
    CHECK(accepted.kind == OutcomeKind::accepted);
    CHECK(accepted.ids == std::vector<std::string>{"900619746936498440^0"});
    CHECK(test::classify_one(*made.adapter, {.status = 200, .headers = {}, .body = R"({"Code":"OK"})"}).kind == OutcomeKind::accepted);
    CHECK(test::classify_one(*made.adapter, {.status = 502, .headers = {}, .body = good}).kind == OutcomeKind::unknown);
    for (std::size_t cut = 0; cut < good.size(); ++cut) {
        INFO(cut);
        CHECK(test::classify_one(*made.adapter, {.status = 200, .headers = {}, .body = good.substr(0, cut)}).kind == OutcomeKind::unknown);
    }
    for (const std::string body : {"null", "[]", "\"OK\"", R"({"Code":["OK"]})", R"({"Code":null})", R"({"Code":{}})", "<html>bad gateway</html>",
                                   R"({"Code":1e999})", "\xFF\xFE", R"({"code":"OK"})"}) {
        INFO(body);
        CHECK(test::classify_one(*made.adapter, {.status = 200, .headers = {}, .body = body}).kind == OutcomeKind::unknown);
        CHECK(test::classify_one(*made.adapter, {.status = 400, .headers = {}, .body = body}).kind == OutcomeKind::unknown);
    }
    CHECK(test::classify_one(*made.adapter, {.status = 200, .headers = {}, .body = std::string(1'000'000, '[')}).kind == OutcomeKind::unknown);
}
