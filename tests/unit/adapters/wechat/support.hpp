// Reads fixtures, and makes callback settings out of a recorded vector.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include "adapters/wechat/callback_crypto.hpp"
#include "adapters/wechat/callback_settings.hpp"
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

}  // namespace touchgate::test
