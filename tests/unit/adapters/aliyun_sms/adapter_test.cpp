#include "adapters/aliyun_sms/adapter.hpp"

#include "adapters/aliyun_sms/request.hpp"
#include "gateway/channel/http_text.hpp"
#include "tests/unit/adapters/aliyun_sms/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using test::basic_settings;
using test::context_at;
using test::submission;
using namespace std::chrono_literals;

namespace {

std::string header(const HttpRequest& request, std::string_view name) {
    for (const auto& [key, value] : request.headers)
        if (key == name) return value;
    return {};
}

Json vector_named(const std::string& id) {
    const auto fixture = test::fixture("signatures.json");
    for (const auto& vector : fixture["vectors"])
        if (vector["id"] == id) return vector;
    FAIL("no vector " << id);
    return {};
}

std::string recorded_header(const Json& vector, std::string_view name) {
    for (const auto& pair : vector["request"]["headers"])
        if (pair[0] == name) return pair[1].get<std::string>();
    return {};
}

Fields query_of(const HttpRequest& request) { return parse_form(request.url.substr(request.url.find('?') + 1)).value(); }

HttpRequest submit_one(const Json& settings, const Submission& one, const RequestContext& context) {
    const auto made = test::make(settings);
    REQUIRE(made.problems.empty());
    const std::vector<Submission> all = {one};
    return made.adapter->submit(all, {}, context);
}

}  // namespace

TEST_CASE("submit: SendSms is the SDK's request, signature included", "[aliyun_sms]") {
    const auto request = submit_one(basic_settings(), submission(), context_at("2026-01-02T03:04:05.678Z", "nonce-0000-0001"));
    const auto vector = vector_named("acs3-sendsms-basic");
    CHECK(request.method == "POST");
    CHECK(request.body.empty());
    CHECK(request.url == "https://dysmsapi.aliyuncs.com" + vector["request"]["target"].get<std::string>());
    CHECK(header(request, "authorization") == recorded_header(vector, "Authorization"));
    for (const auto* name : {"host", "x-acs-date", "x-acs-action", "x-acs-version", "x-acs-signature-nonce", "x-acs-content-sha256"}) {
        INFO(name);
        CHECK(header(request, name) == recorded_header(vector, name));
    }
}

TEST_CASE("submit: temporary credentials are signed too", "[aliyun_sms]") {
    auto settings = basic_settings();
    settings["security_token"] = "made-up-sts-token+/=0001";
    const auto request = submit_one(settings, submission(), context_at("2026-01-02T03:04:05Z", "nonce-0000-0005"));
    CHECK(header(request, "authorization") == recorded_header(vector_named("acs3-sendsms-sts"), "Authorization"));
    CHECK(header(request, "x-acs-security-token") == "made-up-sts-token+/=0001");
}

TEST_CASE("submit: variables with reserved characters, quotes, line feeds and emoji are sent unharmed", "[aliyun_sms]") {
    auto settings = basic_settings();
    settings["sms_up_extend_code"] = "90999";
    auto one = submission();
    one.content.params = {{"code", "a b+c/d=e&f?g#h%i~j*k(l)m!n'o\"p"}, {"name", "张三😀"}, {"nl", "l1\nl2"}};
    const auto request = submit_one(settings, one, context_at("2026-03-31T18:00:01Z", "nonce"));
    const auto recorded = parse_form(vector_named("acs3-sendsms-special-chars")["request"]["target"].get<std::string>().substr(2)).value();
    CHECK(field(query_of(request), "TemplateParam") == field(recorded, "TemplateParam"));
    CHECK(field(query_of(request), "SmsUpExtendCode") == "90999");
}

TEST_CASE("submit: a template without variables has no TemplateParam", "[aliyun_sms]") {
    auto one = submission();
    one.content.params.clear();
    const auto query = query_of(submit_one(basic_settings(), one, context_at("2026-01-02T03:04:05Z", "n")));
    for (const auto& [name, value] : query) CHECK(name != "TemplateParam");
}

TEST_CASE("submit: the old signature gives the SDK's signature and keeps all parameters in the query", "[aliyun_sms]") {
    auto settings = basic_settings();
    settings["signature"] = "rpc";
    const auto request = submit_one(settings, submission(), context_at("2026-01-02T03:04:05Z", "nonce-0000-0106"));
    CHECK(field(query_of(request), "Signature") == "j7aDtpM8ByHg4eODcwrH0bFFqgI=");
    CHECK(field(query_of(request), "Action") == "SendSms");
    CHECK(request.body.empty());
}

TEST_CASE("submit: base_url may be any host, port and prefix, and the Host header that is signed is the one on the wire", "[aliyun_sms]") {
    auto settings = basic_settings();
    settings["base_url"] = "http://127.0.0.1:8090/cloud/";
    const auto request = submit_one(settings, submission(), context_at("2026-01-02T03:04:05Z", "n"));
    CHECK(request.url.starts_with("http://127.0.0.1:8090/cloud/?OutId="));
    CHECK(header(request, "host") == "127.0.0.1:8090");
}

TEST_CASE("numbers: mainland numbers go out national, others with their country code, and come back as E.164", "[aliyun_sms]") {
    using namespace adapters::aliyun_sms;
    CHECK(provider_number("+8613900000001") == "13900000001");
    CHECK(provider_number("+85251234567") == "85251234567");
    CHECK(e164_number("13900000001") == "+8613900000001");
    CHECK(e164_number("8613900000001") == "+8613900000001");
    CHECK(e164_number("008613900000001") == "+8613900000001");
    CHECK(e164_number("10690000") == "10690000");
    CHECK(e164_number("+8613900000001") == "+8613900000001");
    CHECK(e164_number("") == "");
}

TEST_CASE("batch: several numbers are one SendBatchSms, each accepted under the BizId and its number", "[aliyun_sms]") {
    auto settings = basic_settings();
    settings["batch"] = 10;
    const auto made = test::make(settings);
    REQUIRE(made.problems.empty());
    CHECK(made.adapter->capabilities().batch_max == 10);
    std::vector<Submission> two = {submission(), submission("+8613900000002", "msg-0002")};
    two[1].content.params = {{"code", "2 2+2*(~)'!"}};
    CHECK(made.adapter->same_batch(two[0], two[1]));
    CHECK_FALSE(made.adapter->same_batch(two[0], two[0]));

    const auto request = made.adapter->submit(two, {}, context_at("2026-01-02T03:04:05Z", "n"));
    const auto form = parse_form(request.body).value();
    CHECK(field(form, "PhoneNumberJson") == R"(["13900000001","13900000002"])");
    CHECK(field(form, "SignNameJson") == R"(["示例科技","示例科技"])");
    CHECK(field(form, "TemplateParamJson") == R"([{"code":"123456"},{"code":"2 2+2*(~)'!"}])");
    CHECK(header(request, "x-acs-action") == "SendBatchSms");
    CHECK(header(request, "content-type") == "application/x-www-form-urlencoded");
    CHECK(field(query_of(request), "OutId").size() == 6 + 2 * 4);

    const auto outcomes =
        made.adapter->classify(two, {.status = 200, .headers = {}, .body = R"({"Code":"OK","BizId":"9^0","Message":"OK","RequestId":"r"})"});
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].ids == std::vector<std::string>{"9^0:13900000001"});
    CHECK(outcomes[1].ids == std::vector<std::string>{"9^0:13900000002"});
}

TEST_CASE("batch: the OutId of a full batch stays below 256 bytes and names each of its attempts and no other", "[aliyun_sms]") {
    std::vector<Submission> all;
    for (int i = 0; i < 60; ++i)
        all.push_back(submission("+86139000000" + std::to_string(10 + i), "0193f0a0-0000-7000-8000-0000000000" + std::to_string(10 + i) + "-1"));
    const auto id = adapters::aliyun_sms::batch_out_id(all);
    CHECK(id.size() < 256);
    for (const auto& one : all) CHECK(adapters::aliyun_sms::out_id_names(id, one.attempt_id));
    CHECK_FALSE(adapters::aliyun_sms::out_id_names(id, "0193f0a0-0000-7000-8000-000000000099-1"));
    CHECK(adapters::aliyun_sms::out_id_names("msg-0001", "msg-0001"));
    CHECK_FALSE(adapters::aliyun_sms::out_id_names("msg-0001", "msg-0002"));
}

TEST_CASE("reconcile: asks by number and the day in China on which the message was permitted", "[aliyun_sms]") {
    const auto made = test::make(basic_settings());
    const auto permitted = parse_instant("2026-01-02T15:59:50Z").value();  // 23:59:50 in China
    const auto early = made.adapter->reconcile(submission(), permitted, {.now = permitted + 5s, .nonce = "n"});
    REQUIRE(early);
    CHECK(field(query_of(*early), "SendDate") == "20260102");
    CHECK(field(query_of(*early), "PhoneNumber") == "13900000001");
    CHECK(header(*early, "x-acs-action") == "QuerySendDetails");
    const auto late = made.adapter->reconcile(submission(), permitted, {.now = permitted + 2min, .nonce = "n"});
    CHECK(field(query_of(*late), "SendDate") == "20260103");
}

TEST_CASE("reconcile: the answer is found by our own id, and its status becomes a receipt", "[aliyun_sms]") {
    const auto made = test::make(basic_settings());
    const auto answer = [&](const std::string& details, int total) {
        return made.adapter->read_reconcile(submission(), {.status = 200,
                                                           .headers = {},
                                                           .body = R"({"Code":"OK","TotalCount":)" + std::to_string(total) +
                                                                   R"(,"SmsSendDetailDTOs":{"SmsSendDetailDTO":[)" + details + "]}}"});
    };
    const std::string other = R"({"OutId":"other","SendStatus":3})";
    using Verdict = ReconcileAnswer::Verdict;

    const auto waiting = answer(other + R"(,{"OutId":"msg-0001","SendStatus":1})", 2);
    CHECK(waiting.verdict == Verdict::settled);
    CHECK(waiting.outcome.kind == OutcomeKind::accepted);
    CHECK_FALSE(waiting.receipt);

    const auto failed = answer(R"({"OutId":"msg-0001","SendStatus":2,"ErrCode":"MK:0001","ReceiveDate":"2026-01-02 11:05:00"})", 1);
    REQUIRE(failed.receipt);
    CHECK(failed.receipt->status == ReceiptStatus::failed);
    CHECK(failed.receipt->raw == "MK:0001");
    CHECK(failed.receipt->reason == "mk:0001");
    CHECK(failed.receipt->attempt_id == "msg-0001");
    CHECK(failed.receipt->at == parse_instant("2026-01-02T03:05:00Z"));

    const auto delivered = answer(R"({"OutId":"msg-0001","SendStatus":3,"ErrCode":"DELIVERED"})", 1);
    REQUIRE(delivered.receipt);
    CHECK(delivered.receipt->status == ReceiptStatus::delivered);

    CHECK(answer(other, 1).verdict == Verdict::not_found);
    CHECK(answer("", 0).verdict == Verdict::not_found);
    CHECK(answer(other, 51).verdict == Verdict::ask_again);  // more were sent than one page shows

    const std::vector<Submission> batch = {submission(), submission("+8613900000002", "msg-0002")};
    CHECK(answer(R"({"OutId":")" + adapters::aliyun_sms::batch_out_id(batch) + R"(","SendStatus":3})", 1).verdict == Verdict::settled);
}

TEST_CASE("reconcile: an error or an unreadable answer settles nothing", "[aliyun_sms]") {
    const auto made = test::make(basic_settings());
    for (const auto& [status, body] :
         std::vector<std::pair<int, std::string>>{{200, ""},
                                                  {200, "{"},
                                                  {200, "[]"},
                                                  {200, R"({"Code":"OK"})"},
                                                  {200, R"({"Code":"isp.SYSTEM_ERROR"})"},
                                                  {500, R"({"Code":"OK","TotalCount":0})"},
                                                  {200, R"({"Code":"OK","SmsSendDetailDTOs":[]})"},
                                                  {400, R"({"Code":"Throttling.User"})"},
                                                  {200, R"({"Code":"OK","SmsSendDetailDTOs":{"SmsSendDetailDTO":7},"TotalCount":1})"}}) {
        INFO(body);
        CHECK(made.adapter->read_reconcile(submission(), {.status = status, .headers = {}, .body = body}).verdict ==
              ReconcileAnswer::Verdict::ask_again);
    }
}

TEST_CASE("settings: every wrong field is named at once", "[aliyun_sms]") {
    const auto made = test::make({{"base_url", "ftp://x"},
                                  {"sign_name", "【示例】"},
                                  {"signature", "v4"},
                                  {"batch", 61},
                                  {"timeout", "10s"},
                                  {"callback_token", "a/b"},
                                  {"sms_up_extend_code", "9x"},
                                  {"window", 0},
                                  {"access_key", "typo"}});
    std::vector<std::string> pointers;
    for (const auto& problem : made.problems) pointers.push_back(problem.pointer.substr(std::string{"/accounts/a/"}.size()));
    for (const auto* expected : {"base_url", "access_key_id", "access_key_secret", "sign_name", "signature", "batch", "timeout", "callback_token",
                                 "sms_up_extend_code", "window", "access_key"}) {
        INFO(expected);
        CHECK(std::count(pointers.begin(), pointers.end(), expected) >= 1);
    }
    CHECK(test::make(basic_settings()).problems.empty());
}

TEST_CASE("capabilities: templates only, receipts, replies and questions about unknown attempts", "[aliyun_sms]") {
    const auto made = test::make(basic_settings());
    const auto capabilities = made.adapter->capabilities();
    CHECK_FALSE(capabilities.takes_text);
    CHECK(capabilities.takes_template_code);
    CHECK(capabilities.can_reconcile);
    CHECK(capabilities.receipts);
    CHECK(capabilities.inbound);
    CHECK_FALSE(capabilities.idempotent_submit);
    CHECK(capabilities.batch_max == 1);
    CHECK(made.adapter->timeout() == 10s);
    CHECK(made.adapter->window() == 32);
    std::string text;
    for (int i = 0; i < 64; ++i) text += "字";
    CHECK(made.adapter->segments(text) == 1);  // 6 of 【示例科技】 and 64
    CHECK(made.adapter->segments(text + "字") == 2);
}
