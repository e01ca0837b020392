// Both clouds: the recorded requests of the official SDKs, the actions, callbacks and faults.
#include <fstream>
#include <sstream>

#include "adapters/sandbox/aliyun_peer.hpp"
#include "adapters/sandbox/cloud_signatures.hpp"
#include "adapters/sandbox/tencent_peer.hpp"
#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::sandbox;
using namespace std::chrono_literals;

namespace {

struct Recorded {
    std::string name, scheme;
    HttpRequest request;
    Secrets secrets;
    Instant clock;
};

std::vector<Recorded> recorded_requests() {
    std::ifstream file{TOUCHGATE_SOURCE_DIR "/adapters/sandbox/fixtures/cloud-signatures.json"};
    std::stringstream text;
    text << file.rdbuf();
    const auto json = parse_json(text.str()).value();
    std::vector<Recorded> all;
    for (const auto& one : json.at("requests")) {
        Recorded recorded{.name = one.at("id"), .scheme = one.at("scheme"), .request = {.method = one.at("method"), .target = one.at("target"), .headers = {}, .body = one.at("body")},
                          .secrets = {{one.at("key_id"), one.at("secret")}}, .clock = parse_instant(one.at("clock").get<std::string>()).value()};
        for (const auto& header : one.at("headers")) recorded.request.headers.emplace_back(to_lower_ascii(header[0].get<std::string>()), header[1]);
        all.push_back(std::move(recorded));
    }
    return all;
}

SignatureVerdict verify(const Recorded& recorded, const HttpRequest& request, Duration late = 0ms) {
    return recorded.scheme == "tc3" ? verify_tencent(request, recorded.secrets, recorded.clock + late) : verify_aliyun(request, recorded.secrets, recorded.clock + late);
}

std::string hex_digest(std::string_view bytes) { return to_hex(crypto::view(crypto::sha256(bytes))); }

// A client of the cloud that signs as the documentation says.
HttpRequest aliyun_request(const std::string& action, Parameters query, Instant at, const std::string& nonce) {
    HttpRequest request{.method = "POST", .target = "/?", .headers = {}, .body = {}};
    std::sort(query.begin(), query.end());
    std::string canonical_query;
    for (const auto& [name, value] : query) canonical_query += (canonical_query.empty() ? "" : "&") + percent_encode(name) + "=" + percent_encode(value);
    request.target += canonical_query;
    request.headers = {{"host", "127.0.0.1"}, {"x-acs-action", action}, {"x-acs-content-sha256", hex_digest("")}, {"x-acs-date", format_instant(at).substr(0, 19) + "Z"},
                       {"x-acs-signature-nonce", nonce}, {"x-acs-version", "2017-05-25"}};
    std::string canonical = "POST\n/\n" + canonical_query + "\n";
    std::string names;
    for (const auto& [name, value] : request.headers) {
        canonical += name + ":" + value + "\n";
        names += (names.empty() ? "" : ";") + name;
    }
    canonical += "\n" + names + "\n" + hex_digest("");
    const auto signature = to_hex(crypto::view(crypto::hmac_sha256("secret", "ACS3-HMAC-SHA256\n" + hex_digest(canonical))));
    request.headers.emplace_back("authorization", "ACS3-HMAC-SHA256 Credential=KEY,SignedHeaders=" + names + ",Signature=" + signature);
    return request;
}

HttpRequest tencent_request(const std::string& action, const Json& body, Instant at) {
    HttpRequest request{.method = "POST", .target = "/", .headers = {}, .body = body.dump()};
    const auto seconds = std::to_string(unix_ms(at) / 1000);
    const auto date = format_instant(at).substr(0, 10);
    const auto canonical = "POST\n/\n\ncontent-type:application/json\nhost:127.0.0.1\n\ncontent-type;host\n" + hex_digest(request.body);
    const auto key = crypto::hmac_sha256(crypto::view(crypto::hmac_sha256(crypto::view(crypto::hmac_sha256("TC3secret", date)), "sms")), "tc3_request");
    const auto signature = to_hex(crypto::view(
        crypto::hmac_sha256(crypto::view(key), "TC3-HMAC-SHA256\n" + seconds + "\n" + date + "/sms/tc3_request\n" + hex_digest(canonical))));
    request.headers = {{"host", "127.0.0.1:8092"}, {"content-type", "application/json"}, {"x-tc-action", action}, {"x-tc-version", "2021-01-11"}, {"x-tc-timestamp", seconds},
                       {"authorization", "TC3-HMAC-SHA256 Credential=KEY/" + date + "/sms/tc3_request, SignedHeaders=content-type;host, Signature=" + signature}};
    return request;
}

template <class Peer> class Cloud {
public:
    Cloud() : peer{{.keys = {{"KEY", "secret"}}, .templates = {{"SMS_1", "您的验证码是${code}"}, {"1001", "code {1}, {2} minutes"}}, .sign_names = {"示例"}}, behaviour, store, random} {
        behaviour.receipt_url = "http://gateway/receipts";
        behaviour.mo_url = "http://gateway/messages";
    }

    Json call(const HttpRequest& request, int status = 200) {
        last = peer.handle(request, now);
        CHECK(last.status == status);
        return parse_json(last.body).value();
    }
    Json send_aliyun(Parameters parameters, int status = 200) { return call(aliyun_request("SendSms", std::move(parameters), now.wall, std::to_string(++nonce)), status); }
    Json send_tencent(const Json& body) { return call(tencent_request("SendSms", body, now.wall)).at("Response"); }

    // Requests that fall due within `time`.
    std::vector<OutgoingRequest> wait(std::chrono::milliseconds time) {
        now.monotonic += time;
        now.wall += time;
        return peer.take_requests(now);
    }

    CloudBehaviour behaviour;
    MessageStore store;
    Random random{5};
    Peer peer;
    Now now{.monotonic = 1s, .wall = parse_instant("2026-01-02T03:04:05Z").value()};
    HttpReply last;
    int nonce = 0;
};

const Parameters good_aliyun{{"PhoneNumbers", "13900000001"}, {"SignName", "示例"}, {"TemplateCode", "SMS_1"}, {"TemplateParam", R"({"code":"123456"})"}, {"OutId", "attempt-1"}};

Parameters with(const std::string& name, const std::string& value) {
    auto parameters = good_aliyun;
    for (auto& [key, old] : parameters)
        if (key == name) old = value;
    return parameters;
}

Json good_tencent() {
    return {{"PhoneNumberSet", {"+8613900000001"}}, {"SmsSdkAppId", "1400"}, {"TemplateId", "1001"}, {"SignName", "示例"}, {"TemplateParamSet", {"123", "5"}}, {"SessionContext", "attempt-1"}};
}

}  // namespace

TEST_CASE("signatures: every recorded request of the official SDKs is accepted", "[sandbox]") {
    const auto all = recorded_requests();
    REQUIRE(all.size() == 17);
    for (const auto& recorded : all) {
        INFO(recorded.name);
        const auto verdict = verify(recorded, recorded.request);
        INFO(verdict.error << " " << verdict.message);
        CHECK(verdict.accepted());
        CHECK(verdict.key_id == recorded.secrets.begin()->first);
    }
}

TEST_CASE("signatures: a changed byte of query, body, signed header or signature is refused", "[sandbox]") {
    for (const auto& recorded : recorded_requests()) {
        INFO(recorded.name);
        const auto refused_with = [&](const auto& change) {
            auto request = recorded.request;
            change(request);
            return !verify(recorded, request).accepted();
        };
        if (recorded.request.target.size() > 10) CHECK(refused_with([](HttpRequest& r) { r.target[r.target.find('=') + 1] ^= 1; }));
        if (!recorded.request.body.empty()) CHECK(refused_with([](HttpRequest& r) { r.body[r.body.size() / 2] ^= 1; }));
        CHECK(refused_with([](HttpRequest& r) { r.method = r.method == "POST" ? "GET" : "POST"; }));
        for (std::size_t i = 0; i < recorded.request.headers.size(); ++i) {
            const auto& name = recorded.request.headers[i].first;
            const bool is_signed = recorded.scheme == "tc3"    ? name == "host" || name == "content-type" || name == "authorization" || name == "x-tc-timestamp"
                                   : recorded.scheme == "acs3" ? name.starts_with("x-acs-") || name == "host" || name == "content-type" || name == "authorization"
                                                               : false;
            if (!is_signed) continue;
            INFO(name);
            CHECK(refused_with([&](HttpRequest& r) { r.headers[i].second.back() ^= 1; }));
            CHECK(refused_with([&](HttpRequest& r) { r.headers.erase(r.headers.begin() + static_cast<std::ptrdiff_t>(i)); }));
        }
    }
}

TEST_CASE("signatures: an unknown key, another secret and a clock too far off are refused", "[sandbox]") {
    for (auto recorded : recorded_requests()) {
        INFO(recorded.name);
        const bool tencent = recorded.scheme == "tc3";
        const auto limit = tencent ? Duration{5min} : Duration{15min};
        CHECK(verify(recorded, recorded.request, limit).accepted());
        CHECK(verify(recorded, recorded.request, limit + 1s).error == (tencent ? "AuthFailure.SignatureExpire" : "InvalidTimeStamp.Expired"));
        CHECK_FALSE(verify(recorded, recorded.request, -limit - 1s).accepted());
        recorded.secrets.begin()->second += "x";
        CHECK(verify(recorded, recorded.request).error == (tencent ? "AuthFailure.SignatureFailure" : "SignatureDoesNotMatch"));
        recorded.secrets.clear();
        CHECK(verify(recorded, recorded.request).error == (tencent ? "AuthFailure.SecretIdNotFound" : "InvalidAccessKeyId.NotFound"));
    }
}

TEST_CASE("aliyun: SendSms renders the template, stores the message and reports it by callback", "[sandbox]") {
    Cloud<AliyunPeer> cloud;
    const auto answer = cloud.send_aliyun(good_aliyun);
    CHECK(answer.at("Code") == "OK");
    const auto stored = cloud.store.message(1).value();
    CHECK(stored.text == "【示例】您的验证码是123456");
    CHECK(stored.to == "13900000001");
    CHECK(stored.from == "示例");
    CHECK(stored.account_user == "KEY");
    CHECK(stored.answered);
    CHECK(cloud.wait(49ms).empty());
    const auto requests = cloud.wait(200ms);
    REQUIRE(requests.size() == 1);
    CHECK(requests[0].url == "http://gateway/receipts");
    const auto report = parse_json(requests[0].body).value();
    REQUIRE(report.size() == 1);
    CHECK(report[0].at("biz_id") == answer.at("BizId"));
    CHECK(report[0].at("out_id") == "attempt-1");
    CHECK(report[0].at("phone_number") == "13900000001");
    CHECK(report[0].at("success") == true);
    CHECK(report[0].at("err_code") == "DELIVERED");
    CHECK(report[0].at("send_time") == "2026-01-02 11:04:05");
    CHECK(report[0].at("sms_size") == "1");
    CHECK(cloud.store.message(1)->state == PartState::delivered);
}

TEST_CASE("aliyun: a callback without the numeric code 0 is tried again after 1, 5 and 10 minutes, then given up", "[sandbox]") {
    Cloud<AliyunPeer> cloud;
    cloud.send_aliyun(good_aliyun);
    auto requests = cloud.wait(1s);
    const std::vector<std::pair<int, std::string>> failures = {{0, ""}, {500, R"({"code":0})"}, {200, R"({"code":"0"})"}, {200, "OK"}};
    const std::vector<std::chrono::milliseconds> waits = {1min, 5min, 10min};
    for (std::size_t i = 0; i < failures.size(); ++i) {
        REQUIRE(requests.size() == 1);
        cloud.peer.on_callback_answer(requests[0].id, failures[i].first, failures[i].second, cloud.now);
        if (i == waits.size()) break;
        CHECK(cloud.wait(waits[i] - 1ms).empty());
        requests = cloud.wait(1ms);
    }
    CHECK(cloud.wait(24h).empty());
    CHECK(cloud.peer.callbacks().given_up() == 1);
}

TEST_CASE("aliyun: receipts due together share a request, up to the batch", "[sandbox]") {
    Cloud<AliyunPeer> cloud;
    cloud.behaviour.callback_batch = 2;
    cloud.behaviour.receipts = {{"MK:0001", 1.0}};
    for (int i = 0; i < 5; ++i) cloud.send_aliyun(good_aliyun);
    const auto requests = cloud.wait(1s);
    REQUIRE(requests.size() == 3);
    const auto first = parse_json(requests[0].body).value();
    CHECK(first.size() == 2);
    CHECK(first[0].at("success") == false);
    CHECK(first[0].at("err_code") == "MK:0001");
    cloud.peer.on_callback_answer(requests[0].id, 200, R"({"code":0,"msg":"接收成功"})", cloud.now);
    CHECK(cloud.peer.callbacks().taken() == 1);
}

TEST_CASE("aliyun: what is wrong with a request has its own code, and nothing is stored", "[sandbox]") {
    Cloud<AliyunPeer> cloud;
    CHECK(cloud.send_aliyun(with("PhoneNumbers", "139")).at("Code") == "isv.MOBILE_NUMBER_ILLEGAL");
    CHECK(cloud.send_aliyun(with("SignName", "【示例】")).at("Code") == "isv.SMS_SIGNATURE_ILLEGAL");
    CHECK(cloud.send_aliyun(with("TemplateCode", "SMS_2")).at("Code") == "isv.SMS_TEMPLATE_ILLEGAL");
    CHECK(cloud.send_aliyun(with("TemplateParam", "{}")).at("Code") == "isv.TEMPLATE_MISSING_PARAMETERS");
    CHECK(cloud.send_aliyun(with("TemplateParam", "{\"code\":[]}")).at("Code") == "isv.INVALID_JSON_PARAM");
    auto replay = aliyun_request("SendSms", good_aliyun, cloud.now.wall, "same");
    CHECK(cloud.call(replay).at("Code") == "OK");
    CHECK(cloud.call(replay, 400).at("Code") == "SignatureNonceUsed");
    CHECK(cloud.call(aliyun_request("SendMms", good_aliyun, cloud.now.wall, "n"), 404).at("Code") == "InvalidAction.NotFound");
    CHECK(cloud.store.message_count() == 1);
}

TEST_CASE("aliyun: a number in any spelling is one person, and QuerySendDetails finds what was sent to it", "[sandbox]") {
    Cloud<AliyunPeer> cloud;
    cloud.behaviour.receipts = {{"UNDELIV", 1.0}};
    for (const auto* const number : {"13900000001", "8613900000001", "+8613900000001", "008613900000001"}) CHECK(cloud.send_aliyun(with("PhoneNumbers", number)).at("Code") == "OK");
    const auto query = [&](const std::string& page) {
        return cloud.call(aliyun_request("QuerySendDetails", {{"PhoneNumber", "13900000001"}, {"SendDate", "20260102"}, {"PageSize", "3"}, {"CurrentPage", page}}, cloud.now.wall,
                                         "q" + std::to_string(++cloud.nonce)));
    };
    const auto waiting = query("1");
    CHECK(waiting.at("TotalCount") == 4);
    const auto& items = waiting.at("SmsSendDetailDTOs").at("SmsSendDetailDTO");
    REQUIRE(items.size() == 3);
    CHECK(items[0].at("SendStatus") == 1);
    CHECK(items[0].at("OutId") == "attempt-1");
    CHECK(query("2").at("SmsSendDetailDTOs").at("SmsSendDetailDTO").size() == 1);
    cloud.wait(1s);
    CHECK(query("1").at("SmsSendDetailDTOs").at("SmsSendDetailDTO")[0].at("SendStatus") == 2);
}

TEST_CASE("aliyun: faults refuse with the drawn code, stay silent after accepting, or fail before it", "[sandbox]") {
    Cloud<AliyunPeer> cloud;
    cloud.behaviour.error = {{"isv.BUSINESS_LIMIT_CONTROL", 1.0}};
    const auto limited = cloud.send_aliyun(good_aliyun);
    CHECK(limited.at("Code") == "isv.BUSINESS_LIMIT_CONTROL");
    CHECK(limited.at("Message") == "触发分钟级流控Permits:1");
    cloud.behaviour.error = {};
    cloud.behaviour.throttle = 1;
    CHECK(cloud.send_aliyun(good_aliyun, 400).at("Code") == "Throttling.User");
    cloud.behaviour.throttle = 0;
    cloud.behaviour.http_error = 1;
    CHECK(cloud.peer.handle(aliyun_request("SendSms", good_aliyun, cloud.now.wall, "x"), cloud.now).status == 503);
    cloud.behaviour.http_error = 0;
    CHECK(cloud.store.message_count() == 0);
    cloud.behaviour.no_response = 1;
    cloud.send_aliyun(good_aliyun);
    CHECK(cloud.last.hang_up);
    REQUIRE(cloud.store.message_count() == 1);
    CHECK_FALSE(cloud.store.message(1)->answered);
}

TEST_CASE("aliyun: a customer's message comes as SmsUp, an early receipt before the answer", "[sandbox]") {
    Cloud<AliyunPeer> cloud;
    cloud.behaviour.early_receipt = 1;
    cloud.send_aliyun(good_aliyun);
    CHECK(cloud.last.delay == 100ms);
    CHECK(cloud.wait(0ms).size() == 1);
    CHECK(cloud.peer.inbound("+8613900000001", "90999", "退订", cloud.now));
    const auto requests = cloud.wait(1ms);
    REQUIRE(requests.size() == 1);
    CHECK(requests[0].url == "http://gateway/messages");
    const auto message = parse_json(requests[0].body).value().at(0);
    CHECK(message.at("phone_number") == "13900000001");
    CHECK(message.at("content") == "退订");
    CHECK(message.at("dest_code") == "90999");
    CHECK(message.at("sign_name") == "示例");
}

TEST_CASE("tencent: SendSms answers per number, reports by callback and on request", "[sandbox]") {
    Cloud<TencentPeer> cloud;
    auto body = good_tencent();
    body["PhoneNumberSet"] = {"+8613900000001", "nonsense"};
    const auto statuses = cloud.send_tencent(body).at("SendStatusSet");
    REQUIRE(statuses.size() == 2);
    CHECK(statuses[0].at("Code") == "Ok");
    CHECK(statuses[0].at("Fee") == 1);
    CHECK(statuses[0].at("SessionContext") == "attempt-1");
    CHECK(statuses[1].at("Code") == "InvalidParameterValue.IncorrectPhoneNumber");
    CHECK(cloud.store.message(1)->text == "【示例】code 123, 5 minutes");
    const auto requests = cloud.wait(1s);
    REQUIRE(requests.size() == 1);
    const auto report = parse_json(requests[0].body).value();
    CHECK(report[0].at("sid") == statuses[0].at("SerialNo"));
    CHECK(report[0].at("report_status") == "SUCCESS");
    CHECK(report[0].at("mobile") == "13900000001");
    CHECK(report[0].at("nationcode") == "86");
    cloud.peer.on_callback_answer(requests[0].id, 200, R"({"result":0,"errmsg":"OK"})", cloud.now);
    CHECK(cloud.peer.callbacks().taken() == 1);
    const auto by_phone = cloud.call(tencent_request("PullSmsSendStatusByPhoneNumber", {{"Limit", 10}, {"Offset", 0}, {"BeginTime", 0}, {"PhoneNumber", "+8613900000001"}}, cloud.now.wall));
    CHECK(by_phone.at("Response").at("PullSmsSendStatusSet").at(0).at("SessionContext") == "attempt-1");
    const auto pull = [&] { return cloud.call(tencent_request("PullSmsSendStatus", {{"Limit", 10}, {"SmsSdkAppId", "1400"}}, cloud.now.wall)).at("Response").at("PullSmsSendStatusSet").size(); };
    CHECK(pull() == 1);
    CHECK(pull() == 0);
}

TEST_CASE("tencent: refusals of the whole call stand in Error, with status 200", "[sandbox]") {
    Cloud<TencentPeer> cloud;
    auto body = good_tencent();
    body["PhoneNumberSet"] = {"+8613900000001", "+14155550100"};
    CHECK(cloud.send_tencent(body).at("Error").at("Code") == "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber");
    body["PhoneNumberSet"] = Json::array();
    CHECK(cloud.send_tencent(body).at("Error").at("Code") == "MissingParameter.EmptyPhoneNumberSet");
    auto forged = tencent_request("SendSms", good_tencent(), cloud.now.wall);
    forged.body += " ";
    CHECK(cloud.call(forged).at("Response").at("Error").at("Code") == "AuthFailure.SignatureFailure");
    cloud.behaviour.error = {{"InternalError.Timeout", 1.0}};
    CHECK(cloud.send_tencent(good_tencent()).at("Error").at("Code") == "InternalError.Timeout");
    cloud.behaviour.error = {{"FailedOperation.PhoneNumberInBlacklist", 1.0}};
    CHECK(cloud.send_tencent(good_tencent()).at("SendStatusSet").at(0).at("Code") == "FailedOperation.PhoneNumberInBlacklist");
    CHECK(cloud.store.message_count() == 0);
}

TEST_CASE("tencent: a customer's reply comes as one object, and twice when repeated", "[sandbox]") {
    Cloud<TencentPeer> cloud;
    cloud.behaviour.receipts = {};
    cloud.behaviour.mo_repeat = 1;
    cloud.behaviour.customers = {.reply = 0, .opt_out = 1, .reply_delay = {1s, 1s}, .opt_out_words = {"T"}};
    auto body = good_tencent();
    body["ExtendCode"] = "90";
    cloud.send_tencent(body);
    CHECK(cloud.wait(999ms).empty());
    const auto first = cloud.wait(1ms);
    REQUIRE(first.size() == 1);
    const auto message = parse_json(first[0].body).value();
    CHECK(message.at("text") == "T");
    CHECK(message.at("extend") == "90");
    CHECK(message.at("sign") == "示例");
    CHECK(message.at("time") == unix_ms(cloud.now.wall) / 1000);
    const auto second = cloud.wait(50ms);
    REQUIRE(second.size() == 1);
    CHECK(second[0].body == first[0].body);
}
