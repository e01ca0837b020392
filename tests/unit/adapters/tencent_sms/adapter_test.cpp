#include "adapters/tencent_sms/adapter.hpp"

#include "adapters/tencent_sms/request.hpp"
#include "tests/unit/adapters/tencent_sms/support.hpp"

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

HttpRequest submit_one(const Json& settings, const Submission& one, const RequestContext& context) {
    const auto made = test::make(settings);
    REQUIRE(made.problems.empty());
    const std::vector<Submission> all = {one};
    return made.adapter->submit(all, {}, context);
}

void check_like_recorded(const HttpRequest& request, const std::string& id) {
    const auto fixture = test::fixture("signatures.json");
    for (const auto& vector : fixture["vectors"]) {
        if (vector["id"] != id) continue;
        CHECK(request.body == vector["request"]["body"].get<std::string>());
        for (const auto& pair : vector["request"]["headers"])
            if (pair[0] == "Authorization") CHECK(header(request, "authorization") == pair[1].get<std::string>());
        return;
    }
    FAIL("no vector " << id);
}

}  // namespace

TEST_CASE("submit: SendSms is the SDK's request, body and signature", "[tencent_sms]") {
    const auto request = submit_one(basic_settings(), submission(), context_at("2026-01-02T03:04:05.999Z"));
    CHECK(request.method == "POST");
    CHECK(request.url == "https://sms.tencentcloudapi.com/");
    CHECK(header(request, "x-tc-action") == "SendSms");
    CHECK(header(request, "x-tc-version") == "2021-01-11");
    CHECK(header(request, "x-tc-timestamp") == "1767323045");
    CHECK(header(request, "x-tc-region") == "ap-guangzhou");
    CHECK(header(request, "content-type") == "application/json");
    check_like_recorded(request, "tc3-sendsms-basic");
}

TEST_CASE("submit: reserved characters, line feeds and emoji after midnight in China", "[tencent_sms]") {
    auto settings = basic_settings();
    settings["extend_code"] = "90999";
    auto one = submission();
    one.content.params = {{"a", "a b+c/d=e&f?g#h%i~j*k(l)m!n'o\"p"}, {"b", "张三😀"}, {"c", "l1\nl2"}};
    check_like_recorded(submit_one(settings, one, context_at("2026-03-31T18:00:01Z")), "tc3-sendsms-utc-date-rollover");
}

TEST_CASE("submit: a temporary token is sent and not signed", "[tencent_sms]") {
    auto settings = basic_settings();
    settings["token"] = "made-up-token+/=0001";
    const auto request = submit_one(settings, submission(), context_at("2026-01-02T03:04:05Z"));
    CHECK(header(request, "x-tc-token") == "made-up-token+/=0001");
    check_like_recorded(request, "tc3-sendsms-token-language");
}

TEST_CASE("submit: the port is in the Host header and not in what is signed", "[tencent_sms]") {
    auto settings = basic_settings();
    settings["base_url"] = "http://sms.tencentcloudapi.com:8090";
    const auto request = submit_one(settings, submission(), context_at("2026-01-02T03:04:05Z"));
    CHECK(request.url == "http://sms.tencentcloudapi.com:8090/");
    CHECK(header(request, "host") == "sms.tencentcloudapi.com:8090");
    check_like_recorded(request, "tc3-sendsms-basic");
}

TEST_CASE("submit: a template without variables has no parameter set", "[tencent_sms]") {
    auto one = submission();
    one.content.params.clear();
    CHECK(submit_one(basic_settings(), one, context_at("2026-01-02T03:04:05Z")).body.find("TemplateParamSet") == std::string::npos);
}

TEST_CASE("batch: equal texts to mainland numbers share a request; other texts, foreign numbers and repeats do not", "[tencent_sms]") {
    auto settings = basic_settings();
    settings["batch"] = 200;
    const auto made = test::make(settings);
    REQUIRE(made.problems.empty());
    CHECK(made.adapter->capabilities().batch_max == 200);
    const auto first = submission();
    auto other_name = submission("+8613900000002", "msg-0002");
    other_name.content.params[0].first = "renamed";
    auto other_value = other_name;
    other_value.content.params[0].second = "654321";
    auto other_template = other_name;
    other_template.content.template_code = "1000002";
    CHECK(made.adapter->same_batch(first, other_name));
    CHECK_FALSE(made.adapter->same_batch(first, other_value));
    CHECK_FALSE(made.adapter->same_batch(first, other_template));
    CHECK_FALSE(made.adapter->same_batch(first, submission("+85251234567", "msg-0003")));
    CHECK_FALSE(made.adapter->same_batch(first, first));

    const std::vector<Submission> two = {first, other_name};
    const auto body = parse_json(made.adapter->submit(two, {}, context_at("2026-01-02T03:04:05Z")).body).value();
    CHECK(body["PhoneNumberSet"] == Json::array({"+8613900000001", "+8613900000002"}));
    CHECK(body["TemplateParamSet"] == Json::array({"123456", "5"}));
    CHECK(body["SessionContext"].get<std::string>().size() == 6 + 2 * 4);
}

TEST_CASE("batch: the session context stays below 512 bytes and names each attempt as long as there is room", "[tencent_sms]") {
    using namespace adapters::tencent_sms;
    std::vector<Submission> all;
    for (int i = 0; i < 120; ++i) all.push_back(submission("+8613900000" + std::to_string(100 + i), "attempt-" + std::to_string(i)));
    const auto context = session_context(all);
    CHECK(context.size() < 512);
    for (const auto& one : all) CHECK(context_names(context, one.attempt_id));
    CHECK_FALSE(context_names(context, "attempt-999"));
    all.push_back(submission());
    CHECK(session_context(all) == "batch");
    CHECK_FALSE(context_names("batch", "msg-0001"));
    CHECK_FALSE(context_names("", "msg-0001"));
}

TEST_CASE("reconcile: only where the provider has opened the query, and only our own id settles", "[tencent_sms]") {
    CHECK_FALSE(test::make(basic_settings()).adapter->reconcile(submission(), {}, context_at("2026-01-02T03:04:05Z")));
    auto settings = basic_settings();
    settings["reconcile"] = true;
    const auto made = test::make(settings);
    CHECK(made.adapter->capabilities().can_reconcile);
    const auto request = made.adapter->reconcile(submission(), parse_instant("2026-01-02T03:04:00Z").value(), context_at("2026-01-02T03:04:05Z"));
    REQUIRE(request);
    CHECK(header(*request, "x-tc-action") == "PullSmsSendStatusByPhoneNumber");
    CHECK(parse_json(request->body).value() == Json{{"BeginTime", 1767322980},
                                                    {"EndTime", 1767323045},
                                                    {"Offset", 0},
                                                    {"Limit", 100},
                                                    {"PhoneNumber", "+8613900000001"},
                                                    {"SmsSdkAppId", "1400000001"}});

    const auto answer = [&](const std::string& entries, int status = 200) {
        return made.adapter->read_reconcile(
            submission(), {.status = status, .headers = {}, .body = R"({"Response":{"PullSmsSendStatusSet":[)" + entries + R"(],"RequestId":"r"}})"});
    };
    using Verdict = ReconcileAnswer::Verdict;
    const auto delivered = answer(R"({"SessionContext":"other","ReportStatus":"FAIL"},
        {"SessionContext":"msg-0001","ReportStatus":"SUCCESS","SerialNo":"2640:1","UserReceiveTime":1767323049,"Description":"DELIVRD"})");
    CHECK(delivered.verdict == Verdict::settled);
    CHECK(delivered.outcome.ids == std::vector<std::string>{"2640:1"});
    REQUIRE(delivered.receipt);
    CHECK(delivered.receipt->status == ReceiptStatus::delivered);
    CHECK(delivered.receipt->at == parse_instant("2026-01-02T03:04:09Z"));
    CHECK(answer(R"({"SessionContext":"msg-0001","ReportStatus":"FAIL"})").receipt->status == ReceiptStatus::failed);
    CHECK(answer(R"({"SessionContext":null,"ReportStatus":"SUCCESS"})").verdict == Verdict::ask_again);
    CHECK(answer("").verdict == Verdict::ask_again);  // no end known yet: proves nothing
    CHECK(answer(R"({"SessionContext":"msg-0001","ReportStatus":"SUCCESS"})", 500).verdict == Verdict::ask_again);
    for (const std::string body :
         {"", "{", "[]", R"({"Response":{"Error":{"Code":"UnsupportedOperation"}}})", R"({"Response":{"PullSmsSendStatusSet":{}}})"})
        CHECK(made.adapter->read_reconcile(submission(), {.status = 200, .headers = {}, .body = body}).verdict == Verdict::ask_again);
}

TEST_CASE("settings: every wrong field is named at once", "[tencent_sms]") {
    const auto made = test::make({{"base_url", "x"},
                                  {"sdk_app_id", "14x"},
                                  {"sign_name", "【示例】"},
                                  {"batch", 201},
                                  {"timeout", 5},
                                  {"callback_token", "short"},
                                  {"extend_code", "x"},
                                  {"window", 0},
                                  {"reconcile", "yes"},
                                  {"secret", "typo"},
                                  {"region", ""}});
    std::vector<std::string> pointers;
    for (const auto& problem : made.problems) pointers.push_back(problem.pointer.substr(std::string{"/accounts/a/"}.size()));
    for (const auto* expected : {"base_url", "secret_id", "secret_key", "sdk_app_id", "sign_name", "batch", "timeout", "callback_token",
                                 "extend_code", "window", "reconcile", "secret", "region"}) {
        INFO(expected);
        CHECK(std::count(pointers.begin(), pointers.end(), expected) >= 1);
    }
    auto settings = basic_settings();
    settings["reconcile"] = true;
    settings["batch"] = 121;
    CHECK(test::make(settings).problems.size() == 1);
    CHECK(test::make(basic_settings()).problems.empty());
}
