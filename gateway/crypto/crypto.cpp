#define OPENSSL_SUPPRESS_DEPRECATED  // the low-level SHA-256 calls save a third of a microsecond on every log record
#include "gateway/crypto/crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace touchgate::crypto {

namespace {

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string evp_digest(const EVP_MD* algorithm, std::string_view bytes) {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), out, &size, algorithm, nullptr) != 1) throw std::runtime_error("digest failed");
    return {reinterpret_cast<const char*>(out), size};
}

struct CipherDelete {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

// One context per thread, set up once for the algorithm: re-keying it is much cheaper than making one.
EVP_CIPHER_CTX* gcm_context(bool encrypt) {
    static const EVP_CIPHER* const algorithm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    thread_local std::unique_ptr<EVP_CIPHER_CTX, CipherDelete> contexts[2];
    auto& context = contexts[encrypt ? 1 : 0];
    if (!context) {
        context.reset(EVP_CIPHER_CTX_new());
        if (EVP_CipherInit_ex(context.get(), algorithm, nullptr, nullptr, nullptr, encrypt ? 1 : 0) != 1)
            throw std::runtime_error("AES-256-GCM is not available");
    }
    return context.get();
}

void absorb_pad(SHA256_CTX& state, const Key& key, unsigned char pad) {
    unsigned char block[64];
    std::memset(block, pad, sizeof block);
    for (std::size_t i = 0; i < key.size(); ++i) block[i] = static_cast<unsigned char>(block[i] ^ key[i]);
    SHA256_Init(&state);
    SHA256_Update(&state, block, sizeof block);
}

}  // namespace

Digest sha256(std::string_view bytes) {
    Digest digest;
    SHA256(bytes_of(bytes), bytes.size(), digest.data());
    return digest;
}

Digest sha256(std::string_view first, std::string_view second) {
    Digest digest;
    SHA256_CTX state;
    SHA256_Init(&state);
    SHA256_Update(&state, first.data(), first.size());
    SHA256_Update(&state, second.data(), second.size());
    SHA256_Final(digest.data(), &state);
    return digest;
}

Sha256::Sha256() : state_{} {
    static_assert(sizeof(SHA256_CTX) == sizeof(state_) && alignof(SHA256_CTX) <= 8);
    SHA256_Init(reinterpret_cast<SHA256_CTX*>(state_.data()));
}

void Sha256::update(std::string_view bytes) { SHA256_Update(reinterpret_cast<SHA256_CTX*>(state_.data()), bytes.data(), bytes.size()); }

Digest Sha256::digest() const {
    auto copy = state_;
    Digest digest;
    SHA256_Final(digest.data(), reinterpret_cast<SHA256_CTX*>(copy.data()));
    return digest;
}

std::string sha1(std::string_view bytes) { return evp_digest(EVP_sha1(), bytes); }
std::string md5(std::string_view bytes) { return evp_digest(EVP_md5(), bytes); }
std::string sm3(std::string_view bytes) { return evp_digest(EVP_sm3(), bytes); }

Digest hmac_sha256(std::string_view key, std::string_view bytes) {
    Digest digest;
    unsigned int size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(bytes), bytes.size(), digest.data(), &size);
    return digest;
}

std::string hmac_sha1(std::string_view key, std::string_view bytes) {
    unsigned char out[20];
    unsigned int size = 0;
    HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), bytes_of(bytes), bytes.size(), out, &size);
    return {reinterpret_cast<const char*>(out), size};
}

std::uint64_t leading_u64be(const Digest& digest) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) value = (value << 8U) | digest[i];
    return value;
}

void seal(std::string& out, const Key& key, std::uint64_t nonce_high, std::uint32_t nonce_low, std::string_view plaintext) {
    unsigned char nonce[12];
    std::memcpy(nonce, &nonce_high, 8);
    std::memcpy(nonce + 8, &nonce_low, 4);
    const auto start = out.size();
    out.resize(start + seal_overhead_bytes + plaintext.size());
    auto* to = reinterpret_cast<unsigned char*>(out.data() + start);
    std::memcpy(to, nonce, sizeof nonce);
    to += sizeof nonce;
    auto* context = gcm_context(true);
    int size = 0;
    if (EVP_EncryptInit_ex(context, nullptr, nullptr, key.data(), nonce) != 1 ||
        EVP_EncryptUpdate(context, to, &size, bytes_of(plaintext), static_cast<int>(plaintext.size())) != 1)
        throw std::runtime_error("sealing failed");
    to += plaintext.size();
    int rest = 0;
    if (EVP_EncryptFinal_ex(context, to, &rest) != 1 || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, to) != 1)
        throw std::runtime_error("sealing failed");
}

std::optional<std::string> unseal(const Key& key, std::string_view sealed) {
    if (sealed.size() < seal_overhead_bytes) return std::nullopt;
    const auto body = sealed.substr(12, sealed.size() - seal_overhead_bytes);
    std::string plain(body.size(), '\0');
    auto* context = gcm_context(false);
    int size = 0;
    unsigned char tag[16];
    std::memcpy(tag, sealed.data() + sealed.size() - 16, 16);
    unsigned char nothing[1];
    auto* to = plain.empty() ? nothing : reinterpret_cast<unsigned char*>(plain.data());
    if (EVP_DecryptInit_ex(context, nullptr, nullptr, key.data(), bytes_of(sealed)) != 1 ||
        EVP_DecryptUpdate(context, to, &size, bytes_of(body), static_cast<int>(body.size())) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16, tag) != 1 || EVP_DecryptFinal_ex(context, to + size, &size) != 1)
        return std::nullopt;
    return plain;
}

void random_bytes(void* to, std::size_t size) {
    // A call of the generator costs a microsecond whatever it gives, so it is asked for many keys' worth at once. What is handed out is
    // wiped here. No copy of the process draws any (app/process_copy.hpp), so no two share what is left.
    struct Pool {
        std::array<unsigned char, 4096> bytes;
        std::size_t used = sizeof(bytes);
        ~Pool() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
    };
    thread_local Pool pool;
    if (size > pool.bytes.size() / 4) {
        if (RAND_bytes(static_cast<unsigned char*>(to), static_cast<int>(size)) != 1) throw std::runtime_error("no randomness");
        return;
    }
    if (pool.used + size > pool.bytes.size()) {
        if (RAND_bytes(pool.bytes.data(), static_cast<int>(pool.bytes.size())) != 1) throw std::runtime_error("no randomness");
        pool.used = 0;
    }
    std::memcpy(to, pool.bytes.data() + pool.used, size);
    OPENSSL_cleanse(pool.bytes.data() + pool.used, size);
    pool.used += size;
}

Key random_key() {
    Key key;
    random_bytes(key.data(), key.size());
    return key;
}

std::string base64(std::string_view bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
        if (c == '=' && i + 2 >= text.size()) ++padding;
        else if (!plain || padding > 0) return std::nullopt;
    }
    std::string bytes(text.size() / 4 * 3, '\0');
    if (!text.empty() &&
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), bytes_of(text), static_cast<int>(text.size())) < 0)
        return std::nullopt;
    bytes.resize(bytes.size() - padding);
    return bytes;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Hash128 document_hash(std::string_view document) {
    const auto digest = sha256(document);
    Hash128 hash;
    std::memcpy(&hash.high, digest.data(), 8);
    std::memcpy(&hash.low, digest.data() + 8, 8);
    return hash;
}

KeyedHash::KeyedHash(const Key& key) : pads_state_{} {
    SHA256_CTX inner;
    SHA256_CTX outer;
    absorb_pad(inner, key, 0x36);
    absorb_pad(outer, key, 0x5C);
    static_assert(sizeof inner.h == 32);
    std::memcpy(pads_state_.data(), inner.h, 32);
    std::memcpy(pads_state_.data() + 32, outer.h, 32);
}

Hash128 KeyedHash::operator()(std::string_view bytes) const {
    const auto resume = [&](std::size_t offset) {
        SHA256_CTX state;
        SHA256_Init(&state);
        std::memcpy(state.h, pads_state_.data() + offset, 32);
        state.Nl = 512;  // one block of 64 bytes, the pad, was absorbed
        return state;
    };
    unsigned char digest[32];
    auto state = resume(0);
    SHA256_Update(&state, bytes.data(), bytes.size());
    SHA256_Final(digest, &state);
    state = resume(32);
    SHA256_Update(&state, digest, sizeof digest);
    SHA256_Final(digest, &state);
    Hash128 hash;
    std::memcpy(&hash.high, digest, 8);
    std::memcpy(&hash.low, digest + 8, 8);
    return hash;
}

}  // namespace touchgate::crypto
