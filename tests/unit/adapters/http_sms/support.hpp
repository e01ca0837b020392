// Makes an adapter from settings; the worked examples of the README are the settings that most tests use.
#pragma once

#include <fstream>
#include <memory>
#include <sstream>

#include "adapters/http_sms/adapter.hpp"
#include "tests/catch.hpp"

namespace touchgate::test {

struct Made {
    std::unique_ptr<channel::ExchangeAdapter> adapter;
    std::vector<Problem> problems;
};

inline Made make(const Json& settings, const std::string& region = "CN") {
    Made made;
    JsonReader reader{settings, "/accounts/a", made.problems};
    (void)reader.raw("adapter");  // read by the caller, as every account's
    auto any = adapters::http_sms_adapter().make(reader, {.name = "a", .default_region = region});
    reader.finish();
    made.adapter = std::move(std::get<std::unique_ptr<channel::ExchangeAdapter>>(any));
    return made;
}

// The ```json blocks of the README, in order: json with HMAC, form with MD5, templates by GET.
inline std::vector<Json> examples() {
    std::ifstream file{TOUCHGATE_SOURCE_DIR "/adapters/http_sms/README.md"};
    REQUIRE(file);
    std::ostringstream text;
    text << file.rdbuf();
    std::vector<Json> blocks;
    const auto readme = text.str();
    constexpr std::string_view open = "```json\n";
    for (auto at = readme.find(open); at != std::string::npos; at = readme.find(open, at)) {
        at += open.size();
        const auto end = readme.find("```", at);
        blocks.push_back(parse_json(readme.substr(at, end - at)).value());
        at = end;
    }
    REQUIRE(blocks.size() == 3);
    return blocks;
}

inline std::unique_ptr<channel::ExchangeAdapter> example(std::size_t index) {
    auto made = make(examples().at(index));
    for (const auto& problem : made.problems) UNSCOPED_INFO(problem.pointer << " " << problem.detail);
    REQUIRE(made.problems.empty());
    return std::move(made.adapter);
}

inline channel::Submission text_submission(std::string text) {
    return {.attempt_id = "msg-0001", .to = "+8613900000001", .content = {.text = std::move(text)}};
}

inline channel::RequestContext context() {
    return {.now = parse_instant("2026-01-02T03:04:05.678Z").value(), .nonce = "00112233445566778899aabbccddeeff"};
}

inline channel::HttpRequest submit(const channel::ExchangeAdapter& adapter, const channel::Submission& one) {
    const std::vector<channel::Submission> all = {one};
    return adapter.submit(all, {}, context());
}

inline channel::Outcome classify(const channel::ExchangeAdapter& adapter, int status, const std::string& body, channel::Headers headers = {}) {
    const std::vector<channel::Submission> all = {text_submission("x")};
    const auto outcomes = adapter.classify(all, {.status = status, .headers = std::move(headers), .body = body});
    REQUIRE(outcomes.size() == 1);
    return outcomes.front();
}

inline std::string header(const channel::HttpRequest& request, std::string_view name) {
    for (const auto& [key, value] : request.headers)
        if (key == name) return value;
    return {};
}

}  // namespace touchgate::test
