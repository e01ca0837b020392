#include "adapters/sandbox/wechat/callback_cipher.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::sandbox {

namespace {

constexpr std::size_t block = 32;

int base64_value(char c) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto at = alphabet.find(c);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

struct FreeContext {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

// AES-256-CBC without the library's padding; `text` is a multiple of 16 bytes. "" when OpenSSL refuses.
std::string cbc(const std::array<std::uint8_t, 32>& key, std::string_view text, bool encrypting) {
    const std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context{EVP_CIPHER_CTX_new()};
    std::string out(text.size() + 16, '\0');
    int size = 0, last = 0;
    auto* const to = reinterpret_cast<unsigned char*>(out.data());
    const auto* const from = reinterpret_cast<const unsigned char*>(text.data());
    if (!context || EVP_CipherInit_ex(context.get(), EVP_aes_256_cbc(), nullptr, key.data(), key.data(), encrypting ? 1 : 0) != 1) return {};
    EVP_CIPHER_CTX_set_padding(context.get(), 0);
    if (EVP_CipherUpdate(context.get(), to, &size, from, static_cast<int>(text.size())) != 1) return {};
    if (EVP_CipherFinal_ex(context.get(), to + size, &last) != 1) return {};
    out.resize(static_cast<std::size_t>(size + last));
    return out;
}

}  // namespace

std::optional<CallbackCipher> CallbackCipher::make(std::string_view encoding_aes_key, std::string receive_id) {
    if (encoding_aes_key.size() != 43) return std::nullopt;
    CallbackCipher cipher;
    unsigned bits = 0, count = 0;
    std::size_t byte = 0;
    for (const char c : encoding_aes_key) {
        const int value = base64_value(c);
        if (value < 0) return std::nullopt;
        bits = (bits << 6U) | static_cast<unsigned>(value);
        count += 6;
        if (count < 8 || byte == cipher.key_.size()) continue;
        count -= 8;
        cipher.key_[byte++] = static_cast<std::uint8_t>(bits >> count);
    }
    cipher.receive_id_ = std::move(receive_id);
    return cipher;
}

std::string CallbackCipher::encrypt(std::string_view message, const std::array<std::uint8_t, 16>& random) const {
    std::string clear{reinterpret_cast<const char*>(random.data()), random.size()};
    for (const unsigned shift : {24U, 16U, 8U, 0U}) clear.push_back(static_cast<char>((message.size() >> shift) & 0xFFU));
    clear.append(message).append(receive_id_);
    const auto padding = block - clear.size() % block;
    clear.append(padding, static_cast<char>(padding));
    return crypto::base64(cbc(key_, clear, true));
}

std::optional<std::string> CallbackCipher::decrypt(std::string_view base64) const {
    const auto bytes = crypto::from_base64(base64);
    if (!bytes || bytes->empty() || bytes->size() % 16 != 0) return std::nullopt;
    const auto clear = cbc(key_, *bytes, false);
    if (clear.size() < 20) return std::nullopt;
    const auto padding = static_cast<std::uint8_t>(clear.back());
    if (padding < 1 || padding > block || padding > clear.size() - 20) return std::nullopt;
    const std::string_view body{clear.data(), clear.size() - padding};
    std::uint64_t size = 0;
    for (std::size_t i = 16; i < 20; ++i) size = (size << 8U) | static_cast<std::uint8_t>(body[i]);
    if (20 + size > body.size() || body.substr(20 + size) != receive_id_) return std::nullopt;
    return std::string{body.substr(20, size)};
}

std::string callback_signature(std::string_view token, std::string_view timestamp, std::string_view nonce, std::string_view encrypted) {
    std::vector<std::string_view> pieces{token, timestamp, nonce};
    if (!encrypted.empty()) pieces.push_back(encrypted);
    std::sort(pieces.begin(), pieces.end());
    std::string joined;
    for (const auto piece : pieces) joined.append(piece);
    return to_hex(crypto::sha1(joined));
}

}  // namespace touchgate::sandbox
