// A callback of WeCom or an official account from the HTTP request to the message inside, with every check in its order. Pure: time is an argument.
//
//   size, method, path → envelope → signature → freshness → decryption, receive id → the message's XML
//
// The caller of the hook never learns why it was refused: 403 with an empty body for all that is cryptographic or stale, 400 for a body that is not
// the envelope, 413, 405, 404. Nothing of a refused callback is handed on.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "adapters/wechat/callback_settings.hpp"
#include "adapters/wechat/element.hpp"
#include "gateway/channel/exchange_adapter.hpp"

namespace touchgate::adapters::wechat {

// A message that is authentic.
struct Callback {
    std::string text;           // the plain text, byte for byte
    Element message;            // the same, read
    std::optional<Instant> at;  // its CreateTime

    // A member of the message, or empty.
    [[nodiscard]] std::string_view operator[](std::string_view name) const { return message.text_of(name); }
    // What a repeat shares although it is signed and encrypted anew: SHA-256 over FromUserName, CreateTime, Event, EventKey and the plain text, as
    // hex. FromUserName and CreateTime alone, the documented key, is too coarse: many events of one second come from "sys".
    [[nodiscard]] std::string id() const;
};

// Answers a callback. `take` gets an authentic message and says what is in it; it must not throw. It is not called for the echo of a GET nor for a
// message that cannot be read as XML: that one is answered as taken and becomes an event of kind "unknown", for the platform would send it again for
// nothing.
[[nodiscard]] channel::WebhookAnswer receive_callback(const CallbackSettings& settings, const channel::WebhookRequest& request,
                                                      const std::function<channel::WebhookEvents(const Callback&)>& take);

// An authentic event that nobody understands.
[[nodiscard]] channel::ProviderEvent unknown_event(const Callback& callback);

// The answer that carries an encrypted message, such as a passive reply: <xml><Encrypt/><MsgSignature/><TimeStamp/><Nonce/></xml>, with our own time
// and nonce. Needs settings.aes_key; `random` and `nonce` must be fresh. Empty without a key.
[[nodiscard]] std::string encrypted_answer(const CallbackSettings& settings, std::string_view message, Instant now, std::string_view nonce,
                                           const std::array<std::uint8_t, 16>& random);

}  // namespace touchgate::adapters::wechat
