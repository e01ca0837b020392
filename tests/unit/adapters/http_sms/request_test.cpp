#include "adapters/http_sms/request.hpp"

#include "gateway/base/text.hpp"
#include "gateway/channel/http_text.hpp"
#include "gateway/crypto/crypto.hpp"
#include "tests/unit/adapters/http_sms/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using test::header;
using test::text_submission;

TEST_CASE("examples: every worked example of the README is a valid account", "[http_sms]") {
    for (std::size_t i = 0; i < 3; ++i) (void)test::example(i);
    CHECK(test::example(0)->capabilities().takes_text);
    CHECK(test::example(0)->capabilities().receipts);
    CHECK(test::example(0)->capabilities().inbound);
    CHECK_FALSE(test::example(0)->capabilities().can_reconcile);
    CHECK_FALSE(test::example(2)->capabilities().takes_text);
    CHECK(test::example(2)->capabilities().takes_template_code);
    CHECK(test::example(2)->capabilities().idempotent_submit);
}

TEST_CASE("request: JSON body, numbers, headers and an HMAC over what is sent", "[http_sms]") {
    const auto request = test::submit(*test::example(0), text_submission("【示例】您好"));
    CHECK(request.method == "POST");
    CHECK(request.url == "https://api.acme.example/v2/messages?app=10001");
    const auto body = parse_json(request.body).value();
    CHECK(body == Json{{"messages", Json::array({{{"to", "+8613900000001"}, {"content", "【示例】您好"}, {"reference", "msg-0001"}}})},
                       {"sent_at", 1767323045},
                       {"test", false}});
    CHECK(header(request, "X-Time") == "1767323045");
    CHECK(header(request, "content-type") == "application/json; charset=utf-8");
    const auto expected = crypto::base64(crypto::view(crypto::hmac_sha256("secret", "POST\n/v2/messages\n1767323045\n" + request.body)));
    CHECK(header(request, "Authorization") == "ACME 10001:" + expected);
}

TEST_CASE("request: a form with an MD5 of its sorted fields that have a value", "[http_sms]") {
    const auto request = test::submit(*test::example(1), text_submission("a&b=c d"));
    CHECK(request.url == "http://sms.classic.example:8080/api/send.do");
    CHECK(header(request, "content-type") == "application/x-www-form-urlencoded");
    const auto fields = parse_form(request.body).value();
    CHECK(field(fields, "mobile") == "13900000001");
    CHECK(field(fields, "msg") == "a&b=c d");
    CHECK(field(fields, "ts") == "20260102110405");
    auto expected = to_hex(crypto::md5("account=shop&mobile=13900000001&msg=a&b=c d&ts=20260102110405&key=secret"));
    for (auto& c : expected) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    CHECK(field(fields, "sign") == expected);
    CHECK(request.body.ends_with("&sign=" + expected));
}

TEST_CASE("request: a template's parameters in the query of a GET", "[http_sms]") {
    Submission one{.attempt_id = "msg/1", .to = "+8613900000001", .content = {.template_code = "T/1", .params = {{"code", "12\"34"}, {"x", "&"}}}};
    const auto request = test::submit(*test::example(2), one);
    CHECK(request.method == "GET");
    CHECK(request.body.empty());
    CHECK(request.url.starts_with("https://gateway.example/tpl/T%2F1/send?"));
    const auto query_text = request.url.substr(request.url.find('?') + 1);
    const auto query = parse_form(query_text).value();
    CHECK(field(query, "vars") == R"({"code":"12\"34","x":"&"})");
    CHECK(field(query, "code") == "12\"34");
    CHECK(field(query, "phone") == "8613900000001");
    CHECK(field(query, "nonce") == "00112233445566778899aabbccddeeff");
    const auto signed_part = query_text.substr(0, query_text.find("&signature="));
    CHECK(field(query, "signature") == to_hex(crypto::hmac_sha1("secret", signed_part)));
    CHECK(request.headers.empty());
}

TEST_CASE("escaping: no text can leave the place it is put in", "[http_sms]") {
    const std::vector<std::string> hostile = {
        R"(","to":"+10000000000)", "\\\"}]}",  "\r\nX-Evil: 1", "&mobile=1&", "{{values.password}}", "%22", "a\0b",
        std::string("\0", 1),      "\xFF\xFE", "</x>",          "#?/../"};
    for (const auto& text : hostile) {
        INFO(text);
        const auto json = parse_json(test::submit(*test::example(0), text_submission(text)).body);
        REQUIRE(json);
        CHECK((*json)["messages"].size() == 1);
        CHECK((*json)["messages"][0].size() == 3);
        if (is_valid_utf8(text)) CHECK((*json)["messages"][0]["content"] == text);
        CHECK((*json)["messages"][0]["to"] == "+8613900000001");

        const auto form = test::submit(*test::example(1), text_submission(text)).body;
        CHECK(std::count(form.begin(), form.end(), '&') == 5);
        CHECK(form.find("secret") == std::string::npos);
    }
    Json settings = {{"base_url", "http://h"},
                     {"request", {{"path", "/{{text}}/x?y={{text}}"}, {"headers", {{"X-Text", "a {{text}}"}}}, {"body", Json::object()}}},
                     {"accept", Json::object()}};
    const auto made = test::make(settings);
    REQUIRE(made.problems.empty());
    const auto request = test::submit(*made.adapter, text_submission("a/../b?c\r\nX: y&z"));
    CHECK(request.url == "http://h/a%2F..%2Fb%3Fc%0D%0AX%3A%20y%26z/x?y=a%2F..%2Fb%3Fc%0D%0AX%3A%20y%26z");
    CHECK(header(request, "X-Text") == "a a/../b?c  X: y&z");
    CHECK(request.body == "{}");
}

TEST_CASE("placeholders: filters make JSON values, and only where the whole text is one placeholder", "[http_sms]") {
    Json settings = {{"base_url", "http://h"},
                     {"values", {{"zip", "00123"}, {"big", "12345678901234567890"}, {"id", "42"}}},
                     {"request",
                      {{"body",
                        {{"o", "{{params|object}}"},
                         {"l", "{{params|list}}"},
                         {"t", "{{ params | list_text }}"},
                         {"mixed", "n={{timestamp|number}}"},
                         {"zip", "{{values.zip|number}}"},
                         {"big", "{{values.big|number}}"},
                         {"id", "{{values.id|number}}"},
                         {"code", "{{template_code}}"},
                         {"none", "{{param.none}}"},
                         {"nested", {{"a", {1, nullptr, "{{from}}"}}}}}}}},
                     {"from", "1069"},
                     {"sign", {{"algorithm", "sha256"}, {"input", "{{body}}"}, {"into", "body:sum"}}},
                     {"accept", Json::object()}};
    const auto made = test::make(settings);
    REQUIRE(made.problems.empty());
    Submission one{.attempt_id = "a", .to = "+85251234567", .content = {.template_code = "T", .params = {{"b", "2"}, {"a", "1"}}}};
    const auto body = parse_json(test::submit(*made.adapter, one).body).value();
    CHECK(body["o"] == Json{{"b", "2"}, {"a", "1"}});
    CHECK(body["l"] == Json::array({"2", "1"}));
    CHECK(body["t"] == R"(["2","1"])");
    CHECK(body["mixed"] == "n=1767323045");
    CHECK(body["zip"] == "00123");
    CHECK(body["big"] == "12345678901234567890");
    CHECK(body["id"] == 42);
    CHECK(body["none"] == "");
    CHECK(body["nested"]["a"] == Json::array({1, nullptr, "1069"}));
    CHECK(body["sum"].get<std::string>().size() == 64);
}

TEST_CASE("settings: every wrong or unknown setting is named at once", "[http_sms]") {
    const Json settings = {{"values", {{"a b", "x"}, {"n", 1}}},
                           {"country_code", "+86"},
                           {"utc_offset", "8"},
                           {"timeout", "x"},
                           {"window", 0},
                           {"idempotent", true},
                           {"surprise", 1},
                           {"request",
                            {{"method", "DELETE"},
                             {"path", "send"},
                             {"encoding", "form"},
                             {"headers", {{"X", 1}, {"Y:Z", "a"}}},
                             {"body",
                              {{"a", "{{txt}}"},
                               {"b", {{"c", "d"}}},
                               {"e", "{{text"},
                               {"f", "{{params}}"},
                               {"g", "{{text|object}}"},
                               {"h", "{{text|upper}}"},
                               {"i", "{{values.none}}"}}},
                             {"extra", 1}}},
                           {"sign", {{"algorithm", "hmac-sha256"}, {"into", "cookie:x"}, {"encoding", "octal"}}},
                           {"accept",
                            {{"ok_when", {{"status", {200, 700}}, {"equals", {Json::object()}}}},
                             {"id", "data/id"},
                             {"errors", {{"1", "boom"}, {"2", {{"outcome", "throttled"}, {"retry_after", "1s"}}}, {"3", 7}}},
                             {"statuses", {{"5xx", "unknown"}}},
                             {"other_codes", "accepted"}}},
                           {"receipt", {{"token", "a/b"}, {"map", {{"X", "sent"}}}, {"at_format", "stardate"}, {"answer", {{"status", 500}}}}},
                           {"mo", {{"token", "12345678"}, {"typo", 1}}}};
    const auto made = test::make(settings);
    std::vector<std::string> pointers;
    for (const auto& problem : made.problems) pointers.push_back(problem.pointer.substr(std::string{"/accounts/a"}.size()));
    for (const std::string expected : {"/values/a b",
                                       "/values/n",
                                       "/country_code",
                                       "/utc_offset",
                                       "/timeout",
                                       "/window",
                                       "/idempotent",
                                       "/surprise",
                                       "/base_url",
                                       "/request/method",
                                       "/request/path",
                                       "/request/headers/X",
                                       "/request/headers/Y:Z",
                                       "/request/body/a",
                                       "/request/body/b",
                                       "/request/body/e",
                                       "/request/body/f",
                                       "/request/body/g",
                                       "/request/body/h",
                                       "/request/body/i",
                                       "/request/extra",
                                       "/sign/key",
                                       "/sign/input",
                                       "/sign/into",
                                       "/sign/encoding",
                                       "/accept/ok_when/status",
                                       "/accept/ok_when/equals",
                                       "/accept/id",
                                       "/accept/code",
                                       "/accept/errors/1",
                                       "/accept/errors/2/retry_after",
                                       "/accept/errors/3",
                                       "/accept/statuses/5xx",
                                       "/accept/other_codes",
                                       "/receipt/token",
                                       "/receipt/map/X",
                                       "/receipt/id",
                                       "/receipt/status",
                                       "/receipt/at_format",
                                       "/receipt/answer/status",
                                       "/mo/from",
                                       "/mo/text",
                                       "/mo/typo"}) {
        INFO(expected);
        CHECK(std::count(pointers.begin(), pointers.end(), expected) >= 1);
    }
}

TEST_CASE("settings: what is missing is named too", "[http_sms]") {
    const auto count = [](const Json& settings, const std::string& pointer) {
        const auto made = test::make(settings);
        return std::count_if(made.problems.begin(), made.problems.end(), [&](const auto& problem) { return problem.pointer == pointer; });
    };
    CHECK(count(Json::object(), "/accounts/a/request") == 1);
    CHECK(count(Json::object(), "/accounts/a/accept") == 1);
    CHECK(count({{"request", {{"url", "https://h/{{to}}"}}}, {"accept", Json::object()}}, "/accounts/a/request") ==
          1);  // sends neither text nor template
    CHECK(count({{"request", {{"url", "https://{{to}}/x"}, {"body", {{"t", "{{text}}"}}}}}, {"accept", Json::object()}}, "/accounts/a/request/url") ==
          1);
    CHECK(count({{"request", 7}, {"accept", "x"}}, "/accounts/a/request") == 1);
    const Json same_tokens = {{"base_url", "http://h"},
                              {"request", {{"body", {{"t", "{{text}}"}}}}},
                              {"accept", Json::object()},
                              {"receipt", {{"token", "12345678"}, {"id", "/i"}, {"status", "/s"}, {"map", {{"a", "delivered"}}}}},
                              {"mo", {{"token", "12345678"}, {"from", "/f"}, {"text", "/t"}}}};
    CHECK(count(same_tokens, "/accounts/a/mo") == 1);
}

TEST_CASE("numbers: what comes back without a country becomes E.164 where it can be told", "[http_sms]") {
    using adapters::http_sms::e164_number;
    CHECK(e164_number("13900000001", "86") == "+8613900000001");
    CHECK(e164_number("8613900000001", "86") == "+8613900000001");
    CHECK(e164_number("008613900000001", "86") == "+8613900000001");
    CHECK(e164_number("+8613900000001", "86") == "+8613900000001");
    CHECK(e164_number("10690000", "86") == "10690000");
    CHECK(e164_number("4915112345678", "49") == "+4915112345678");
    CHECK(e164_number("13900000001", "") == "13900000001");
    CHECK(e164_number("bank", "86") == "bank");
}
