// The cryptography of callbacks, as WeCom and the official accounts describe it (加解密方案说明), from the platform's side.
//
// The clear text is random(16) | length(4, big endian) | message | receive id, padded after PKCS#7 to blocks of 32, encrypted with
// AES-256-CBC; the key is the EncodingAESKey base64-decoded, the initial vector its first 16 bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace touchgate::sandbox {

class CallbackCipher {
public:
    // Nothing when `encoding_aes_key` is not 43 characters of base64. The last character may carry bits that no byte needs.
    [[nodiscard]] static std::optional<CallbackCipher> make(std::string_view encoding_aes_key, std::string receive_id);

    // Base64 of the encrypted message. `random` is what stands before it.
    [[nodiscard]] std::string encrypt(std::string_view message, const std::array<std::uint8_t, 16>& random) const;
    // The message; nothing when the text is not of this key, or is for another receive id.
    [[nodiscard]] std::optional<std::string> decrypt(std::string_view base64) const;

private:
    std::array<std::uint8_t, 32> key_{};
    std::string receive_id_;
};

// Lower-case hexadecimal SHA-1 over the sorted pieces: three for `signature` (token, timestamp, nonce), four for `msg_signature` (also the
// encrypted text, which "" leaves out).
[[nodiscard]] std::string callback_signature(std::string_view token, std::string_view timestamp, std::string_view nonce,
                                             std::string_view encrypted = {});

}  // namespace touchgate::sandbox
