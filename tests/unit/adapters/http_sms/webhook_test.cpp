#include "adapters/http_sms/webhook.hpp"

#include "tests/unit/adapters/http_sms/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;

namespace {

WebhookAnswer push(std::size_t example, const std::string& tail, const std::string& body, const std::string& method = "POST",
                   const std::string& query = "") {
    return test::example(example)->receive({.method = method, .path_tail = tail, .query = query, .headers = {}, .body = body, .now = {}});
}

void check_nothing(const WebhookAnswer& answer, int status, const std::string& refusal) {
    CHECK(answer.status == status);
    CHECK(answer.refusal == refusal);
    CHECK(answer.body.empty());
    CHECK(answer.events.receipts.empty());
    CHECK(answer.events.messages.empty());
}

}  // namespace

TEST_CASE("push: receipts in a list, each word mapped, the rest failed", "[http_sms]") {
    const auto answer = push(0, "/receipts-4f1c2a9b", R"({"reports":[
        {"id":"m1","reference":"msg-0001","state":"DELIVERED","to":"13900000001","at":"2026-01-02T03:04:09Z"},
        {"id":2,"state":"QUEUED"}, {"reference":"msg-0003","state":"BLACKLIST"}, {"id":"m4","state":"MK:0001","at":"soon"}]})");
    CHECK(answer.status == 200);
    CHECK(answer.content_type == "application/json");
    CHECK(answer.body == R"({"code":0})");
    REQUIRE(answer.events.receipts.size() == 4);
    const auto& receipts = answer.events.receipts;
    CHECK(receipts[0].status == ReceiptStatus::delivered);
    CHECK(receipts[0].provider_ids == std::vector<std::string>{"m1"});
    CHECK(receipts[0].attempt_id == "msg-0001");
    CHECK(receipts[0].destination == "+8613900000001");
    CHECK(receipts[0].at == parse_instant("2026-01-02T03:04:09Z"));
    CHECK(receipts[0].reason.empty());
    CHECK(receipts[1].status == ReceiptStatus::pending);
    CHECK(receipts[1].provider_ids == std::vector<std::string>{"2"});
    CHECK(receipts[2].status == ReceiptStatus::recipient_refuses);
    CHECK(receipts[2].provider_ids.empty());
    CHECK(receipts[3].status == ReceiptStatus::failed);
    CHECK(receipts[3].raw == "MK:0001");
    CHECK(receipts[3].reason == "mk:0001");
    CHECK_FALSE(receipts[3].at);
}

TEST_CASE("push: a form comes by POST or in the query of a GET", "[http_sms]") {
    const std::string form = "msgid=m1&status=DELIVRD&mobile=13900000001&reportTime=20260102110409";
    for (const auto& answer : {push(1, "/c1a55-receipts", form), push(1, "/c1a55-receipts", "", "GET", form)}) {
        CHECK(answer.status == 200);
        CHECK(answer.body == "OK");
        REQUIRE(answer.events.receipts.size() == 1);
        CHECK(answer.events.receipts[0].status == ReceiptStatus::delivered);
        CHECK(answer.events.receipts[0].at == parse_instant("2026-01-02T03:04:09Z"));
    }
    const auto reply = push(1, "/c1a55-replies", "mobile=13900000001&msg=%E9%80%80%E8%AE%A2&destcode=1069");
    REQUIRE(reply.events.messages.size() == 1);
    CHECK(reply.events.messages[0].text == "退订");
    CHECK(reply.events.messages[0].from == "+8613900000001");
    CHECK(reply.events.messages[0].to == "1069");
    CHECK_FALSE(reply.events.messages[0].fingerprint.empty());
}

TEST_CASE("push: a reply with an id and a time", "[http_sms]") {
    const auto answer = push(0, "/replies-77aa01c3", R"({"id":"r1","from":"13900000001","to":"1069","text":"R","at":1767323400123})");
    REQUIRE(answer.events.messages.size() == 1);
    CHECK(answer.events.messages[0].provider_id == "r1");
    CHECK(answer.events.messages[0].fingerprint.empty());
    CHECK(answer.events.messages[0].at == from_unix_ms(1767323400123));
    CHECK(push(0, "/replies-77aa01c3", R"([{"from":"1","text":"a"},{"from":"1","text":"b"}])").events.messages.size() == 2);
}

TEST_CASE("push: the token tells receipts from replies, and any other path is refused", "[http_sms]") {
    for (const auto* tail : {"", "/", "/receipts-4f1c2a9c", "/receipts-4f1c2a9b/", "receipts-4f1c2a9b", "/replies"}) {
        INFO(tail);
        check_nothing(push(0, tail, "{}"), 404, "TOKEN");
    }
    check_nothing(push(2, "/", "{}"), 404, "TOKEN");
    check_nothing(push(0, "/receipts-4f1c2a9b", "{}", "GET"), 405, "METHOD");
    check_nothing(push(1, "/c1a55-receipts", "", "DELETE"), 405, "METHOD");
}

TEST_CASE("push: what cannot be read is refused whole", "[http_sms]") {
    for (const std::string body : {"", "{", "null", "7", "{}", R"({"reports":7})", R"({"reports":[7]})", R"({"reports":[{"id":"m1"}]})",
                                   R"({"reports":[{"state":"DELIVERED"}]})", R"({"reports":[{"id":"m1","state":"DELIVERED"},{}]})",
                                   R"({"reports":[{"id":{},"state":[]}]})", "{\"reports\":\"\xFF\"}"}) {
        INFO(body);
        check_nothing(push(0, "/receipts-4f1c2a9b", body), 400, "BODY");
    }
    CHECK(push(0, "/receipts-4f1c2a9b", R"({"reports":[]})").status == 200);
    for (const std::string body : {"", "%", "msgid=m1", "status=DELIVRD", "msgid=%FF&status=DELIVRD"})
        check_nothing(push(1, "/c1a55-receipts", body), 400, "BODY");
    for (const std::string body : {"{}", R"({"from":"1"})", R"({"text":"a"})", R"({"from":"1","text":{}})"})
        check_nothing(push(0, "/replies-77aa01c3", body), 400, "BODY");
}

TEST_CASE("times: each form is read, and what lies outside is no time", "[http_sms]") {
    using namespace adapters::http_sms;
    using namespace std::chrono_literals;
    const auto expected = parse_instant("2026-01-02T03:04:05Z");
    CHECK(read_time(1767323045, TimeForm::unix_seconds, 8h) == expected);
    CHECK(read_time("1767323045", TimeForm::unix_seconds, 8h) == expected);
    CHECK(read_time(1767323045000, TimeForm::unix_ms, 8h) == expected);
    CHECK(read_time("2026-01-02T04:04:05+01:00", TimeForm::rfc3339, 8h) == expected);
    CHECK(read_time("2026-01-02 11:04:05", TimeForm::local, 8h) == expected);
    CHECK(read_time("20260102110405", TimeForm::compact, 8h) == expected);
    for (const auto form : {TimeForm::unix_seconds, TimeForm::unix_ms, TimeForm::rfc3339, TimeForm::local, TimeForm::compact})
        for (const auto& bad :
             {Json{}, Json{""}, Json{"x"}, Json{-1}, Json{1e300}, Json::array(), Json{"99999999999999999999"}, Json{"20261302110405x"}})
            CHECK_FALSE(read_time(bad, form, 8h));
}
