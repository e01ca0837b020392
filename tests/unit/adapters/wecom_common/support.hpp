// What the tests of all WeCom adapters share: accounts, submissions, WeCom's answers, and callbacks as WeCom encrypts them.
#pragma once

#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "adapters/wechat/callback_crypto.hpp"
#include "gateway/channel/adapter.hpp"
#include "gateway/channel/http_text.hpp"
#include "gateway/json/json.hpp"
#include "tests/catch.hpp"

namespace touchgate::test {

// A decrypted callback body, recorded by its name.
inline std::string callback_text(const std::string& name) {
    std::ifstream file{TOUCHGATE_SOURCE_DIR "/adapters/wecom_common/fixtures/" + name};
    REQUIRE(file);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline const std::string corp_id = "ww0123456789abcdef";
inline const std::string aes_key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
inline const std::string callback_token = "TestToken2026";

inline Json corp_settings() {
    return {{"adapter", "wecom"},      {"base_url", "http://127.0.0.1:9"}, {"corp_id", corp_id}, {"secret", "made-up-secret-0001"}, {"agent_id", 1000002},
            {"token", callback_token}, {"encoding_aes_key", aes_key},      {"sender", "agent.lin"}};
}

struct Made {
    std::unique_ptr<channel::ExchangeAdapter> adapter;
    std::vector<Problem> problems;
};

// As the configuration does: the adapter's settings beside an account "wecom-main".
inline Made make(const channel::AdapterInfo& info, const Json& settings, std::shared_ptr<const channel::MediaLibrary> media = {}) {
    static const Json corp = corp_settings();
    Made made;
    JsonReader reader{settings, "/accounts/a", made.problems};
    (void)reader.raw("adapter");
    auto any = info.make(reader, {.name = "a", .default_region = "CN", .settings_of = [](std::string_view name) { return name == "wecom-main" ? &corp : nullptr; }, .media = std::move(media)});
    reader.finish();
    made.adapter = std::move(std::get<std::unique_ptr<channel::ExchangeAdapter>>(any));
    return made;
}

// Files by name and, as uploads, by digest.
class Shelf final : public channel::MediaLibrary {
public:
    std::map<std::string, channel::MediaFacts, std::less<>> files;
    void put(const std::string& name, std::size_t bytes) { files[name] = {.name = name, .type = "image/png", .bytes = bytes, .digest = "digest-of-" + name}; }
    std::optional<channel::MediaFacts> find(std::string_view reference) const override {
        for (const auto& [name, facts] : files)
            if (reference == name || reference == "sha256:" + facts.digest) return facts;
        return std::nullopt;
    }
    std::optional<std::string> bytes_of(std::string_view digest) const override { return "bytes of " + std::string{digest}; }
};

inline std::string pointers(const Made& made) {
    std::string all;
    for (const auto& problem : made.problems) all += (all.empty() ? "" : " ") + problem.pointer;
    return all;
}

// With the token that every call needs.
inline channel::Resources with_token(const channel::ExchangeAdapter& adapter) {
    channel::Resources resources;
    for (const auto& need : adapter.prepare({})) resources[need.key] = "TOKEN";
    return resources;
}

inline channel::RequestContext now_context() { return {.now = parse_instant("2030-01-01T00:00:00Z").value(), .nonce = "n"}; }

inline channel::HttpResponse answered(const Json& body, int status = 200) { return {.status = status, .headers = {}, .body = body.dump()}; }
inline channel::HttpResponse refused(int code, const std::string& message = "refused") { return answered({{"errcode", code}, {"errmsg", message}}); }

inline channel::Submission to_customer(std::string to, std::string text = "您好", std::string attempt = "attempt-1") {
    return {.attempt_id = std::move(attempt), .to = std::move(to), .content = {.text = std::move(text)}};
}

inline Json body_of(const channel::HttpRequest& request) { return parse_json(request.body).value(); }

// "/cgi-bin/…" of a request, without host and query.
inline std::string path_of(const channel::HttpRequest& request) {
    const auto begin = request.url.find("/cgi-bin");
    return begin == std::string::npos ? request.url : request.url.substr(begin, request.url.find('?') - begin);
}

// A callback as it arrives at the account's hook.
inline channel::WebhookRequest callback_of(const std::string& plain, const std::string& receive_id = corp_id) {
    const auto encrypted = adapters::wechat::encrypt_callback(*adapters::wechat::read_aes_key(aes_key), receive_id, plain, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
    const std::string time = "1893456000";
    const std::string nonce = "nonce";
    const std::array<std::string_view, 4> parts = {callback_token, time, nonce, encrypted};
    return {.method = "POST",
            .path_tail = "",
            .query = "msg_signature=" + adapters::wechat::callback_signature(parts) + "&timestamp=" + time + "&nonce=" + nonce,
            .headers = {},
            .body = "<xml><ToUserName><![CDATA[" + corp_id + "]]></ToUserName><Encrypt><![CDATA[" + encrypted + "]]></Encrypt></xml>",
            .now = from_unix_ms(1'893'456'000'000)};
}

}  // namespace touchgate::test
