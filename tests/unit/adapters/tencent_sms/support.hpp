// Makes an adapter from settings, and reads fixtures.
#pragma once

#include <fstream>
#include <memory>
#include <sstream>

#include "adapters/tencent_sms/adapter.hpp"
#include "tests/catch.hpp"

namespace touchgate::test {

inline std::string fixture_text(const std::string& name) {
    std::ifstream file{TOUCHGATE_SOURCE_DIR "/adapters/tencent_sms/fixtures/" + name};
    REQUIRE(file);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline Json fixture(const std::string& name) { return parse_json(fixture_text(name)).value(); }

inline Json basic_settings() {
    return {{"secret_id", "AKID-EXAMPLE-ONLY-0001"},
            {"secret_key", "made-up-tencent-secret-0001"},
            {"sdk_app_id", "1400000001"},
            {"sign_name", "示例科技"}};
}

struct Made {
    std::unique_ptr<channel::ExchangeAdapter> adapter;
    std::vector<Problem> problems;
};

inline Made make(const Json& settings) {
    Made made;
    JsonReader reader{settings, "/accounts/a", made.problems};
    auto any = adapters::tencent_sms_adapter().make(reader, {.name = "a", .default_region = "CN"});
    reader.finish();
    made.adapter = std::move(std::get<std::unique_ptr<channel::ExchangeAdapter>>(any));
    return made;
}

inline channel::Submission submission(std::string to = "+8613900000001", std::string attempt = "msg-0001") {
    return {.attempt_id = std::move(attempt),
            .to = std::move(to),
            .content = {.template_code = "1000001", .params = {{"code", "123456"}, {"minutes", "5"}}}};
}

inline channel::RequestContext context_at(std::string_view time) { return {.now = parse_instant(time).value(), .nonce = "n"}; }

}  // namespace touchgate::test
