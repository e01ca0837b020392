// AES-256-CBC without padding and without authentication, only for protocols that ask for it and bring their own signature. Plain functions
// over bytes; may be called on any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/crypto/crypto.hpp"

namespace touchgate::crypto {

inline constexpr std::size_t aes_block_bytes = 16;
using InitialVector = std::array<std::uint8_t, aes_block_bytes>;

// Nothing unless `bytes` is a positive multiple of 16 long and below 2 GiB.
[[nodiscard]] std::optional<std::string> aes_256_cbc_encrypt(const Key& key, const InitialVector& initial, std::string_view bytes);
[[nodiscard]] std::optional<std::string> aes_256_cbc_decrypt(const Key& key, const InitialVector& initial, std::string_view bytes);

}  // namespace touchgate::crypto
