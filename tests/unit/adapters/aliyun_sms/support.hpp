// Makes an adapter from settings, and reads fixtures.
#pragma once

#include <fstream>
#include <memory>
#include <sstream>

#include "adapters/aliyun_sms/adapter.hpp"
#include "tests/catch.hpp"

namespace touchgate::test {

inline std::string fixture_text(const std::string& name) {
    std::ifstream file{TOUCHGATE_SOURCE_DIR "/adapters/aliyun_sms/fixtures/" + name};
    REQUIRE(file);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline Json fixture(const std::string& name) { return parse_json(fixture_text(name)).value(); }

inline Json basic_settings() {
    return {{"access_key_id", "LTAI-EXAMPLE-ONLY-0001"}, {"access_key_secret", "made-up-secret-do-not-use-0001"}, {"sign_name", "示例科技"}};
}

struct Made {
    std::unique_ptr<channel::ExchangeAdapter> adapter;
    std::vector<Problem> problems;
};

inline Made make(const Json& settings) {
    Made made;
    JsonReader reader{settings, "/accounts/a", made.problems};
    auto any = adapters::aliyun_sms_adapter().make(reader, {.name = "a", .default_region = "CN"});
    reader.finish();
    made.adapter = std::move(std::get<std::unique_ptr<channel::ExchangeAdapter>>(any));
    return made;
}

inline channel::Submission submission(std::string to = "+8613900000001", std::string attempt = "msg-0001") {
    return {.attempt_id = std::move(attempt), .to = std::move(to), .content = {.template_code = "SMS_000000001", .params = {{"code", "123456"}}}};
}

inline channel::RequestContext context_at(std::string_view time, std::string nonce) {
    return {.now = parse_instant(time).value(), .nonce = std::move(nonce)};
}

inline channel::Outcome classify_one(const channel::ExchangeAdapter& adapter, const channel::HttpResponse& response) {
    const std::vector<channel::Submission> one = {submission()};
    const auto outcomes = adapter.classify(one, response);
    REQUIRE(outcomes.size() == 1);
    return outcomes.front();
}

}  // namespace touchgate::test
