#include "adapters/wechat/callback_settings.hpp"

#include <chrono>

#include "adapters/wechat/callback_crypto.hpp"

namespace touchgate::adapters::wechat {

namespace {

using namespace std::chrono_literals;

CallbackMode mode_of(const std::string& word) {
    if (word == "plain") return CallbackMode::plain;
    return word == "compatible" ? CallbackMode::compatible : CallbackMode::secure;
}

// Only a null that is written switches it off.
std::optional<Duration> read_skew(JsonReader& reader) {
    const auto skew = reader.duration("callback_max_skew", 10min, 1s, 24h);
    const auto& object = reader.value();
    if (object.is_object() && object.contains("callback_max_skew") && object["callback_max_skew"].is_null()) return std::nullopt;
    return skew;
}

}  // namespace

std::optional<CallbackSettings> read_callback_settings(JsonReader& reader, const CallbackDefaults& defaults) {
    CallbackSettings settings{.platform = defaults.platform, .json = defaults.json};
    settings.token = reader.text("token", {}, {1, 100});
    const auto key = reader.text("encoding_aes_key", {}, {0, 1'000});
    settings.receive_id = reader.text("receive_id", defaults.receive_id, {0, 200});
    settings.max_skew = read_skew(reader);
    if (defaults.platform == Platform::official) settings.mode = mode_of(reader.choice("mode", {"plain", "compatible", "secure"}, "secure"));
    const bool has_key = reader.has("encoding_aes_key");
    if (has_key) {
        settings.aes_key = read_aes_key(key);
        if (!settings.aes_key)
            reader.problem("encoding_aes_key", "AES_KEY: must be the EncodingAESKey of the platform's page, 43 letters, digits, '+' or '/'");
    }
    if (!defaults.required && !reader.has("token") && !has_key) return std::nullopt;
    if (!reader.has("token")) reader.problem("token", "is required: the token of the platform's callback page");
    if (!has_key && settings.mode != CallbackMode::plain)
        reader.problem("encoding_aes_key", "AES_KEY: is required, 43 characters (an official account with \"mode\": \"plain\" needs none)");
    return settings;
}

}  // namespace touchgate::adapters::wechat
