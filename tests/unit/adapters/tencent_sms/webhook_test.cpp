#include "adapters/tencent_sms/webhook.hpp"

#include "tests/unit/adapters/tencent_sms/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;

namespace {

WebhookAnswer push(const std::string& body, const std::string& tail = "", const std::string& token = "", const std::string& method = "POST") {
    auto settings = test::basic_settings();
    if (!token.empty()) settings["callback_token"] = token;
    return test::make(settings).adapter->receive({.method = method, .path_tail = tail, .query = "", .headers = {}, .body = body, .now = {}});
}

void check_nothing(const WebhookAnswer& answer, int status, const std::string& refusal) {
    CHECK(answer.status == status);
    CHECK(answer.refusal == refusal);
    CHECK(answer.body.empty());
    CHECK(answer.events.receipts.empty());
    CHECK(answer.events.messages.empty());
}

}  // namespace

TEST_CASE("push: receipts are known by the serial number", "[tencent_sms]") {
    const auto answer = push(test::fixture_text("status.json"));
    CHECK(answer.status == 200);
    CHECK(answer.body == R"({"result":0,"errmsg":"OK"})");
    REQUIRE(answer.events.receipts.size() == 1);
    const auto& receipt = answer.events.receipts[0];
    CHECK(receipt.provider_ids == std::vector<std::string>{"0000:000000000000000000"});
    CHECK(receipt.destination == "+8613900000001");
    CHECK(receipt.status == ReceiptStatus::delivered);
    CHECK(receipt.raw == "DELIVRD");
    CHECK(receipt.at == parse_instant("2026-01-02T03:04:09Z"));
    CHECK(receipt.attempt_id.empty());
}

TEST_CASE("push: a failure keeps the provider's word and makes it the reason", "[tencent_sms]") {
    const auto answer = push(R"([{"nationcode":"86","mobile":"13900000001","report_status":"FAIL","errmsg":"MK:0013","sid":"s"},
                                 {"mobile":"+8613900000002","report_status":"FAIL","sid":"t"}])");
    REQUIRE(answer.events.receipts.size() == 2);
    CHECK(answer.events.receipts[0].status == ReceiptStatus::failed);
    CHECK(answer.events.receipts[0].reason == "mk:0013");
    CHECK(answer.events.receipts[1].reason == "failed");
    CHECK(answer.events.receipts[1].destination == "+8613900000002");
}

TEST_CASE("push: a reply is one object and its repeat has the same fingerprint", "[tencent_sms]") {
    const auto answer = push(test::fixture_text("reply.json"));
    CHECK(answer.status == 200);
    REQUIRE(answer.events.messages.size() == 1);
    const auto& message = answer.events.messages[0];
    CHECK(message.from == "+8613900000001");
    CHECK(message.text == "R");
    CHECK(message.provider_id.empty());
    CHECK(message.at == from_unix_ms(1767323400'000));
    CHECK(message.fingerprint == push(test::fixture_text("reply.json")).events.messages[0].fingerprint);
    CHECK(message.fingerprint != push(R"({"mobile":"13900000001","nationcode":"86","text":"R","time":1767323401})").events.messages[0].fingerprint);
}

TEST_CASE("push: with a token only its path is taken", "[tencent_sms]") {
    const auto body = test::fixture_text("status.json");
    CHECK(push(body, "/0123456789abcdef", "0123456789abcdef").status == 200);
    for (const auto* tail : {"", "/", "/0123456789abcdeg", "/0123456789abcdef/"}) check_nothing(push(body, tail, "0123456789abcdef"), 404, "TOKEN");
    check_nothing(push(body, "/x"), 404, "TOKEN");
    check_nothing(push(body, "", "", "PUT"), 405, "METHOD");
}

TEST_CASE("push: what cannot be read is refused whole", "[tencent_sms]") {
    for (const std::string body :
         {"", "null", "{}", "7", "[1]", "[{}]", R"([{"sid":"s","report_status":"MAYBE"}])", R"([{"report_status":"SUCCESS"}])", R"({"text":"R"})",
          R"({"mobile":"1","text":7})", R"([{"sid":"s","report_status":"SUCCESS"},{}])", "{\"mobile\":\"1\",\"text\":\"\xFF\"}"}) {
        INFO(body);
        check_nothing(push(body), 400, "BODY");
    }
    const auto good = test::fixture_text("status.json");
    for (std::size_t cut = 0; cut + 2 < good.size(); cut += 5) check_nothing(push(good.substr(0, cut)), 400, "BODY");
    CHECK_FALSE(push(R"({"mobile":"1","text":"R","time":-5})").events.messages.at(0).at);
    CHECK_FALSE(push(R"({"mobile":"1","text":"R","time":1e300})").events.messages.at(0).at);
    CHECK(push("[]").status == 200);
}
