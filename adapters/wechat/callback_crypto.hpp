// The cryptography of WeCom's and WeChat's callbacks: a signature over sorted strings, and AES-256-CBC over
//   random (16 bytes) | length of the message (4 bytes, big-endian) | message | receive id
// padded by PKCS#7 to blocks of 32 bytes; the first half of the key is the initial vector.
// Source: Tencent's own package @wecom/crypto, whose results are in fixtures/callback_vectors.json. Pure; total over bytes from outside.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::wechat {

// Why a callback was not taken; the names are those of the metric.
enum class Refusal : std::uint8_t {
    signature_mismatch,
    base64,
    ciphertext_length,  // empty, or no multiple of 16
    bad_padding,
    bad_length,           // too short, or the length inside exceeds what is there
    receive_id_mismatch,  // meant for another corporation or app
    stale,                // the time stamp is too far from now
    not_encrypted,        // plain, though the account takes encrypted callbacks only
    xml,                  // not the envelope that is expected
    too_large,
    method,
    path,
};
// "SIGNATURE_MISMATCH", "BASE64" …
[[nodiscard]] std::string_view to_string(Refusal refusal);

inline constexpr std::size_t aes_key_characters = 43;
// An EncodingAESKey: 43 characters of base64 for 32 bytes. The last one may carry unused bits that are not zero. Nothing when it is none.
[[nodiscard]] std::optional<crypto::Key> read_aes_key(std::string_view text);

// Lower-case hex of SHA-1 over the parts, sorted by bytes and joined: {token, timestamp, nonce}, and the ciphertext where there is one.
[[nodiscard]] std::string callback_signature(std::span<const std::string_view> parts);
// In constant time.
[[nodiscard]] bool signature_fits(std::string_view given, std::span<const std::string_view> parts);

// The message inside; `encrypted` is base64. Check the signature before.
[[nodiscard]] std::variant<std::string, Refusal> decrypt_callback(const crypto::Key& key, std::string_view receive_id, std::string_view encrypted);
// The base64 that decrypt_callback reads. `random` must be fresh for each message.
[[nodiscard]] std::string encrypt_callback(const crypto::Key& key, std::string_view receive_id, std::string_view message,
                                           const std::array<std::uint8_t, 16>& random);

}  // namespace touchgate::adapters::wechat
