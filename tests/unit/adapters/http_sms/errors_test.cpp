#include "adapters/http_sms/errors.hpp"

#include "tests/unit/adapters/http_sms/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using test::classify;
using namespace std::chrono_literals;

TEST_CASE("answers: JSON is accepted when all conditions hold, and codes mean what the configuration says", "[http_sms]") {
    const auto adapter = test::example(0);
    for (const auto& [status, body] :
         std::vector<std::pair<int, std::string>>{{200, R"({"code":0,"data":[{"id":"m1"}]})"}, {202, R"({"code":"0","data":[{"id":"m1"}]})"}}) {
        const auto accepted = classify(*adapter, status, body);
        CHECK(accepted.kind == OutcomeKind::accepted);
        CHECK(accepted.ids == std::vector<std::string>{"m1"});
    }
    CHECK(classify(*adapter, 200, R"({"code":0})").ids.empty());

    const auto [code, kind, scope, field, wait] =
        GENERATE(table<std::string, OutcomeKind, std::string, std::string, Duration>({{"1001", OutcomeKind::credentials, "", "", 0s},
                                                                                      {"1002", OutcomeKind::recipient_invalid, "", "", 0s},
                                                                                      {"1003", OutcomeKind::recipient_refuses, "", "", 0s},
                                                                                      {"2001", OutcomeKind::content_rejected, "", "text", 0s},
                                                                                      {"2099", OutcomeKind::content_rejected, "", "text", 0s},
                                                                                      {"3001", OutcomeKind::throttled, "account", "", 5s},
                                                                                      {"3002", OutcomeKind::quota_exhausted, "recipient", "", 24h},
                                                                                      {"9999", OutcomeKind::refused, "", "", 0s}}));
    INFO(code);
    for (const int status : {200, 400, 422}) {
        const auto outcome = classify(*adapter, status, R"({"code":)" + code + "}");
        CHECK(outcome.kind == kind);
        CHECK(outcome.code == code);
        CHECK(outcome.scope == scope);
        CHECK(outcome.field == field);
        CHECK(outcome.retry_after.value_or(0s) == wait);
    }
}

TEST_CASE("answers: statuses decide before the body, and what cannot be read is unknown", "[http_sms]") {
    const auto adapter = test::example(0);
    const std::string good = R"({"code":0,"data":[{"id":"m1"}]})";
    CHECK(classify(*adapter, 503, good).kind == OutcomeKind::not_sent);
    CHECK(classify(*adapter, 500, good).kind == OutcomeKind::unknown);
    CHECK(classify(*adapter, 502, R"({"code":1001})").kind == OutcomeKind::unknown);
    CHECK(classify(*adapter, 401, "no").kind == OutcomeKind::credentials);
    CHECK(classify(*adapter, 403, "{}").kind == OutcomeKind::credentials);
    CHECK(classify(*adapter, 429, "").kind == OutcomeKind::throttled);
    CHECK(classify(*adapter, 429, "", {{"retry-after", "9"}}).retry_after == 9s);
    CHECK(classify(*adapter, 200, R"({"code":3001})", {{"retry-after", "9"}}).retry_after == 9s);
    CHECK(classify(*adapter, 204, good).kind == OutcomeKind::refused);  // code 0 in a status that is not ok: a contradiction named by its code
    for (std::size_t cut = 0; cut < good.size(); ++cut) CHECK(classify(*adapter, 200, good.substr(0, cut)).kind == OutcomeKind::unknown);
    for (const std::string body : {"", "null", "[]", "{}", R"({"code":null})", R"({"code":[0]})", R"({"code":{}})", "\xFF", "1e999", "<html>"}) {
        INFO(body);
        CHECK(classify(*adapter, 200, body).kind == OutcomeKind::unknown);
    }
    CHECK(classify(*adapter, 200, std::string(1'000'000, '[')).kind == OutcomeKind::unknown);
}

TEST_CASE("answers: plain text is cut at its separator", "[http_sms]") {
    const auto adapter = test::example(1);
    const auto accepted = classify(*adapter, 200, " 0,msg-77\r\n");
    CHECK(accepted.kind == OutcomeKind::accepted);
    CHECK(accepted.ids == std::vector<std::string>{"msg-77"});
    CHECK(classify(*adapter, 200, "0").ids.empty());
    CHECK(classify(*adapter, 200, "101").kind == OutcomeKind::credentials);
    CHECK(classify(*adapter, 200, "103,slow").kind == OutcomeKind::throttled);
    CHECK(classify(*adapter, 200, "103,slow").retry_after == 1s);
    CHECK(classify(*adapter, 200, "999").kind == OutcomeKind::refused);
    CHECK(classify(*adapter, 200, "").kind == OutcomeKind::unknown);
    CHECK(classify(*adapter, 200, "\xFF").kind == OutcomeKind::unknown);
    CHECK(classify(*adapter, 404, "<html>not found</html>").kind == OutcomeKind::refused);
}

TEST_CASE("answers: without a pointer the status alone is enough as long as no code is there", "[http_sms]") {
    const auto adapter = test::example(2);
    CHECK(classify(*adapter, 200, R"({"msg_id":7})").ids == std::vector<std::string>{"7"});
    CHECK(classify(*adapter, 200, R"({"error":"rate"})").kind == OutcomeKind::throttled);
    CHECK(classify(*adapter, 200, R"({"error":"new"})").kind == OutcomeKind::unknown);  // other_codes
    CHECK(classify(*adapter, 404, R"({"msg_id":7})").kind == OutcomeKind::unknown);
}

TEST_CASE("answers: a form is an object of texts", "[http_sms]") {
    const Json settings = {
        {"base_url", "http://h"},
        {"request", {{"body", {{"t", "{{text}}"}}}}},
        {"accept", {{"format", "form"}, {"ok_when", {{"pointer", "/result"}, {"equals", {0, "ok"}}}}, {"id", "/id"}, {"code", "/result"}}}};
    const auto made = test::make(settings);
    REQUIRE(made.problems.empty());
    CHECK(classify(*made.adapter, 200, "result=0&id=a%20b").ids == std::vector<std::string>{"a b"});
    CHECK(classify(*made.adapter, 200, "result=ok").kind == OutcomeKind::accepted);
    CHECK(classify(*made.adapter, 200, "result=5").kind == OutcomeKind::refused);
    CHECK(classify(*made.adapter, 200, "result=%").kind == OutcomeKind::unknown);
}
