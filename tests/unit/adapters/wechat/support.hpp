// Reads fixtures, makes callback settings out of a recorded vector, and plays the platform that sends a callback.
#pragma once

#include <array>
#include <fstream>
#include <sstream>
#include <string>

#include "adapters/wechat/callback_crypto.hpp"
#include "adapters/wechat/callback_settings.hpp"
#include "gateway/channel/exchange_adapter.hpp"
#include "gateway/json/json.hpp"
#include "tests/catch.hpp"

namespace touchgate::test {

inline Json callback_vectors() {
    std::ifstream file{TOUCHGATE_SOURCE_DIR "/adapters/wechat/fixtures/callback_vectors.json"};
    REQUIRE(file);
    std::ostringstream text;
    text << file.rdbuf();
    return parse_json(text.str()).value();
}

// The positive vector of that id.
inline Json callback_vector(const std::string& id) {
    const auto vectors = callback_vectors();
    for (const auto& vector : vectors.at("positive"))
        if (vector.at("id") == id) return vector;
    FAIL("no vector " << id);
    return {};
}

inline adapters::wechat::CallbackSettings settings_for(const Json& vector, adapters::wechat::Platform platform = adapters::wechat::Platform::wecom) {
    return {.platform = platform,
            .token = vector.at("token").get<std::string>(),
            .aes_key = adapters::wechat::read_aes_key(vector.at("encoding_aes_key").get<std::string>()),
            .receive_id = vector.at("receive_id").get<std::string>(),
            .max_skew = Duration{600'000}};
}

// The instant that a vector's time stamp names.
inline Instant time_of(const Json& vector) { return from_unix_ms(std::stoll(vector.at("timestamp").get<std::string>()) * 1000); }

// A POST that the platform would send with this text inside.
inline channel::WebhookRequest sealed(const adapters::wechat::CallbackSettings& settings, const std::string& text, Instant now,
                                      const std::string& more = "") {
    const auto encrypted = adapters::wechat::encrypt_callback(*settings.aes_key, settings.receive_id, text, {1, 2, 3});
    const auto time = std::to_string(unix_ms(now) / 1000);
    const std::array<std::string_view, 4> parts = {settings.token, time, "nonce", encrypted};
    return {.method = "POST",
            .path_tail = "",
            .query = "msg_signature=" + adapters::wechat::callback_signature(parts) + "&timestamp=" + time + "&nonce=nonce" + more,
            .headers = {},
            .body = "<xml><ToUserName><![CDATA[x]]></ToUserName><Encrypt><![CDATA[" + encrypted + "]]></Encrypt></xml>",
            .now = now};
}

// The same in plain mode.
inline channel::WebhookRequest plain(const adapters::wechat::CallbackSettings& settings, const std::string& text, Instant now,
                                     const std::string& more = "") {
    const auto time = std::to_string(unix_ms(now) / 1000);
    const std::array<std::string_view, 3> parts = {settings.token, time, "nonce"};
    return {.method = "POST",
            .path_tail = "",
            .query = "signature=" + adapters::wechat::callback_signature(parts) + "&timestamp=" + time + "&nonce=nonce" + more,
            .headers = {},
            .body = text,
            .now = now};
}

}  // namespace touchgate::test
