// What an account's configuration says about its callbacks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/time.hpp"
#include "gateway/crypto/crypto.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::adapters::wechat {

enum class Platform : std::uint8_t { wecom, official };

// How far an official account's callbacks are encrypted; WeCom's always are.
enum class CallbackMode : std::uint8_t {
    plain,       // the message itself; its signature does not cover the body
    compatible,  // both; only what was encrypted counts, where there is any
    secure,      // encrypted; anything else is refused
};

struct CallbackSettings {
    Platform platform = Platform::wecom;
    CallbackMode mode = CallbackMode::secure;
    std::string token = {};
    std::optional<crypto::Key> aes_key = {};  // present unless the mode is plain
    std::string receive_id = {};              // always compared; empty equals only empty
    std::optional<Duration> max_skew = {};    // between the query's time stamp and now, both ways; nothing: any time stamp will do
    bool json = false;                        // the body may be JSON as well
};

struct CallbackDefaults {
    Platform platform = Platform::wecom;
    std::string receive_id = {};  // where the account does not say
    bool required = true;         // false: an account without `token` and `encoding_aes_key` receives no callbacks
    bool json = false;
};

// Reads `token`, `encoding_aes_key`, `receive_id`, `callback_max_skew` (PT10M; null: none) and, for an official account, `mode`. What is wrong
// becomes a problem there; a bad key's text names AES_KEY. Nothing where the account has no callbacks.
[[nodiscard]] std::optional<CallbackSettings> read_callback_settings(JsonReader& reader, const CallbackDefaults& defaults);

}  // namespace touchgate::adapters::wechat
