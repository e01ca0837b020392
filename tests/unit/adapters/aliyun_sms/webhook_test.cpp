#include "adapters/aliyun_sms/webhook.hpp"

#include "tests/unit/adapters/aliyun_sms/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;

namespace {

WebhookAnswer push(const std::string& body, const std::string& tail = "", const std::string& token = "", const std::string& method = "POST") {
    auto settings = test::basic_settings();
    if (!token.empty()) settings["callback_token"] = token;
    const auto made = test::make(settings);
    REQUIRE(made.problems.empty());
    return made.adapter->receive(
        {.method = method, .path_tail = tail, .query = "", .headers = {{"content-type", "application/json"}}, .body = body, .now = {}});
}

void check_nothing(const WebhookAnswer& answer, int status, const std::string& refusal) {
    CHECK(answer.status == status);
    CHECK(answer.refusal == refusal);
    CHECK(answer.body.empty());
    CHECK(answer.events.receipts.empty());
    CHECK(answer.events.messages.empty());
}

}  // namespace

TEST_CASE("push: receipts carry our id, the BizId alone and with the number, and times of China", "[aliyun_sms]") {
    const auto answer = push(test::fixture_text("sms_report.json"));
    CHECK(answer.status == 200);
    CHECK(answer.body == R"({"code":0,"msg":"成功"})");
    CHECK(answer.refusal.empty());
    REQUIRE(answer.events.receipts.size() == 2);
    CHECK(answer.events.messages.empty());
    const auto& good = answer.events.receipts[0];
    CHECK(good.status == ReceiptStatus::delivered);
    CHECK(good.attempt_id == "msg-0001");
    CHECK(good.provider_ids == std::vector<std::string>{"000000000000000000^0", "000000000000000000^0:13900000001"});
    CHECK(good.destination == "+8613900000001");
    CHECK(good.raw == "DELIVERED");
    CHECK(good.at == parse_instant("2026-01-02T03:04:09Z"));
    const auto& bad = answer.events.receipts[1];
    CHECK(bad.status == ReceiptStatus::failed);
    CHECK(bad.raw == "MK:0001");
    CHECK(bad.reason == "mk:0001");
    CHECK(bad.at == parse_instant("2026-01-02T03:05:00Z"));
}

TEST_CASE("push: a reply is a message with the provider's id, also where that is a number", "[aliyun_sms]") {
    const auto answer = push(test::fixture_text("sms_up.json"));
    CHECK(answer.status == 200);
    REQUIRE(answer.events.messages.size() == 1);
    const auto& message = answer.events.messages.front();
    CHECK(message.from == "+8613900000001");
    CHECK(message.to == "90999");
    CHECK(message.text == "R");
    CHECK(message.provider_id == "1234567890");
    CHECK(message.fingerprint.empty());
    CHECK(message.at == parse_instant("2026-01-02T03:10:00Z"));
}

TEST_CASE("push: a reply without an id has a fingerprint that its repeat shares", "[aliyun_sms]") {
    const std::string body = R"([{"phone_number":"13900000001","content":"TD","send_time":"2026-01-02 11:10:00","dest_code":"1"}])";
    const auto first = push(body).events.messages.at(0);
    CHECK(first.provider_id.empty());
    CHECK_FALSE(first.fingerprint.empty());
    CHECK(push(body).events.messages.at(0).fingerprint == first.fingerprint);
}

TEST_CASE("push: a repeat gives equal events, an empty array none", "[aliyun_sms]") {
    const auto body = test::fixture_text("sms_report.json");
    CHECK(push(body).events.receipts.at(0).provider_ids == push(body).events.receipts.at(0).provider_ids);
    CHECK(push("[]").status == 200);
}

TEST_CASE("push: the OutId of a batch is not taken for an attempt", "[aliyun_sms]") {
    const auto answer = push(R"([{"phone_number":"13900000002","success":true,"err_code":"DELIVERED","biz_id":"9^0","out_id":"batch.abcdefgh"}])");
    REQUIRE(answer.events.receipts.size() == 1);
    CHECK(answer.events.receipts[0].attempt_id.empty());
    CHECK(answer.events.receipts[0].provider_ids[1] == "9^0:13900000002");
    CHECK_FALSE(answer.events.receipts[0].at);
}

TEST_CASE("push: with a token only its path is taken, and without one only the bare path", "[aliyun_sms]") {
    const auto body = test::fixture_text("sms_report.json");
    CHECK(push(body, "/0123456789abcdef", "0123456789abcdef").status == 200);
    for (const auto* tail : {"", "/", "/0123456789abcdeg", "/0123456789abcde", "/0123456789abcdef/", "0123456789abcdef"}) {
        INFO(tail);
        check_nothing(push(body, tail, "0123456789abcdef"), 404, "TOKEN");
    }
    check_nothing(push(body, "/anything"), 404, "TOKEN");
    check_nothing(push(body, "", "", "GET"), 405, "METHOD");
}

TEST_CASE("push: what cannot be read is refused whole, so that the provider sends it again", "[aliyun_sms]") {
    const auto good = test::fixture_text("sms_report.json");
    for (std::size_t cut = 0; cut + 2 < good.size(); cut += 7) check_nothing(push(good.substr(0, cut)), 400, "BODY");
    for (const std::string body :
         {"null", "{}", "7", "[1]", "[null]", "[[]]", R"([{}])", R"([{"success":"maybe","biz_id":"1","phone_number":"1"}])",
          R"([{"success":true,"phone_number":"1"}])", R"([{"success":true,"biz_id":"1"}])", R"([{"success":true,"biz_id":{},"phone_number":[]}])",
          R"([{"phone_number":"1","content":7}])", R"([{"content":"R"}])", R"([{"phone_number":"1","content":"R","sequence_id":1},{}])",
          "[{\"phone_number\":\"1\",\"content\":\"\xFF\"}]", R"([1e999])"}) {
        INFO(body);
        check_nothing(push(body), 400, "BODY");
    }
    check_nothing(push(std::string(1'000'000, '[')), 400, "BODY");
    check_nothing(push(std::string(100'000, '[') + std::string(100'000, ']')), 400, "BODY");
}

TEST_CASE("push: words for true and a missing error code are understood", "[aliyun_sms]") {
    const auto answer = push(R"([{"phone_number":"13900000002","success":"false","biz_id":"9^0","report_time":"soon"}])");
    REQUIRE(answer.events.receipts.size() == 1);
    CHECK(answer.events.receipts[0].status == ReceiptStatus::failed);
    CHECK(answer.events.receipts[0].reason == "failed");
    CHECK_FALSE(answer.events.receipts[0].at);
}
