// Makes the adapter of an official account or a mini program from settings, and plays the platform.
#pragma once

#include <memory>
#include <variant>

#include "gateway/channel/adapter.hpp"
#include "gateway/channel/http_text.hpp"
#include "tests/unit/adapters/wechat/support.hpp"

namespace touchgate::test {

inline const std::string openid = "oSYNTH00000000000000000000001";

inline Json basic_settings() {
    return {{"app_id", "wx0a1b2c3d4e5f6071"},
            {"app_secret", "made-up-secret"},
            {"token", "TestToken2026"},
            {"encoding_aes_key", "Nadx4MUBviQpkF16Kl6krQlSlt9Z4wRJ3eu1BzETSlE"}};
}

struct Made {
    std::unique_ptr<channel::ExchangeAdapter> adapter;
    std::vector<Problem> problems;
};

inline Made make(const Json& settings, const channel::AdapterInfo& info) {
    Made made;
    JsonReader reader{settings, "/accounts/a", made.problems};
    auto any = info.make(reader, {.name = "a", .default_region = "CN"});
    reader.finish();
    made.adapter = std::move(std::get<std::unique_ptr<channel::ExchangeAdapter>>(any));
    return made;
}

inline adapters::wechat::CallbackSettings platform_settings() {
    const auto settings = basic_settings();
    return {.platform = adapters::wechat::Platform::official,
            .token = settings.at("token").get<std::string>(),
            .aes_key = adapters::wechat::read_aes_key(settings.at("encoding_aes_key").get<std::string>()),
            .receive_id = settings.at("app_id").get<std::string>()};
}

// What the account makes of a message that the platform encrypted and signed.
inline channel::WebhookAnswer push(const channel::ExchangeAdapter& adapter, const std::string& message) {
    return adapter.receive(sealed(platform_settings(), message, from_unix_ms(1893456200'000), "&encrypt_type=aes"));
}

inline channel::Submission submission(channel::Content content) {
    return {.touch = parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057").value(),
            .attempt_id = "01890a5d-ac96-774b-bcce-b302099a8057-1",
            .to = openid,
            .content = std::move(content)};
}
inline channel::Submission submission(const Json& body) { return submission(channel::Content{.body_json = body.dump()}); }

}  // namespace touchgate::test
