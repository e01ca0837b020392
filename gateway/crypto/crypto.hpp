// Hashes, message authentication, sealing and random bytes, as plain functions over bytes. OpenSSL does the work and stays in
// the .cpp file, so that pure modules and adapters can use these without seeing it. All functions may be called on any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace touchgate::crypto {

using Digest = std::array<std::uint8_t, 32>;
using Key = std::array<std::uint8_t, 32>;  // AES-256 or HMAC key

[[nodiscard]] Digest sha256(std::string_view bytes);
// SHA-256 of the concatenation.
[[nodiscard]] Digest sha256(std::string_view first, std::string_view second);
// SHA-256 over pieces that come one after the other. `digest` may be asked at any time; more may follow. A copy goes its own way.
class Sha256 {
public:
    Sha256();
    void update(std::string_view bytes);
    [[nodiscard]] Digest digest() const;

private:
    alignas(8) std::array<std::uint8_t, 112> state_;  // opaque
};
[[nodiscard]] std::string sha1(std::string_view bytes);  // 20 raw bytes; for protocols that ask for it
[[nodiscard]] std::string md5(std::string_view bytes);   // 16 raw bytes; for protocols that ask for it
[[nodiscard]] std::string sm3(std::string_view bytes);   // 32 raw bytes; for phone hashes of third-party lists

[[nodiscard]] Digest hmac_sha256(std::string_view key, std::string_view bytes);
[[nodiscard]] std::string hmac_sha1(std::string_view key, std::string_view bytes);  // 20 raw bytes

// The first 8 bytes of a digest as a big-endian number (holdout and arm shares).
[[nodiscard]] std::uint64_t leading_u64be(const Digest& digest);

[[nodiscard]] inline std::string_view view(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// AES-256-GCM. `seal` appends 12 bytes of nonce, the ciphertext and 16 bytes of tag to `out`. The nonce must never repeat under one key:
// callers pass the sequence number and part of what is sealed, which is unique by construction.
inline constexpr std::size_t seal_overhead_bytes = 12 + 16;
void seal(std::string& out, const Key& key, std::uint64_t nonce_high, std::uint32_t nonce_low, std::string_view plaintext);
// Nothing when the tag does not fit (wrong key or changed bytes).
[[nodiscard]] std::optional<std::string> unseal(const Key& key, std::string_view sealed);

void random_bytes(void* to, std::size_t size);
[[nodiscard]] Key random_key();

[[nodiscard]] std::string base64(std::string_view bytes);
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);  // standard alphabet, padding required

// Equal contents, in time that depends on the lengths only.
[[nodiscard]] bool constant_time_equal(std::string_view a, std::string_view b);

// A 128-bit keyed hash for tables in memory (idempotency keys, blind indexes): the first half of HMAC-SHA256 with precomputed pads.
struct Hash128 {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    auto operator<=>(const Hash128&) const = default;
    template <class H> friend H AbslHashValue(H h, const Hash128& hash) { return H::combine(std::move(h), hash.low); }
};
// The first 128 bits of SHA-256: names a document by its bytes.
[[nodiscard]] Hash128 document_hash(std::string_view document);

class KeyedHash {
public:
    explicit KeyedHash(const Key& key);
    [[nodiscard]] Hash128 operator()(std::string_view bytes) const;

private:
    std::array<std::uint8_t, 128> pads_state_;  // two SHA-256 chaining states, opaque
};

}  // namespace touchgate::crypto
