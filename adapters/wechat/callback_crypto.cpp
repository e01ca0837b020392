#include "adapters/wechat/callback_crypto.hpp"

#include <algorithm>
#include <vector>

#include "gateway/base/text.hpp"
#include "gateway/crypto/aes_cbc.hpp"

namespace touchgate::adapters::wechat {

namespace {

constexpr std::size_t padding_block = 32;
constexpr std::size_t random_bytes = 16;
constexpr std::size_t head_bytes = random_bytes + 4;

crypto::InitialVector initial_vector(const crypto::Key& key) {
    crypto::InitialVector initial{};
    std::copy_n(key.begin(), initial.size(), initial.begin());
    return initial;
}

std::uint64_t big_endian(std::string_view four) {
    std::uint64_t value = 0;
    for (const char c : four) value = (value << 8U) | static_cast<unsigned char>(c);
    return value;
}

// Without its padding, of which every byte must say the same; nothing otherwise.
std::optional<std::string_view> unpadded(std::string_view plain) {
    const auto size = static_cast<std::size_t>(static_cast<unsigned char>(plain.back()));
    if (size < 1 || size > padding_block || size > plain.size()) return std::nullopt;
    const auto padding = plain.substr(plain.size() - size);
    if (std::any_of(padding.begin(), padding.end(), [&](char c) { return c != plain.back(); })) return std::nullopt;
    return plain.substr(0, plain.size() - size);
}

}  // namespace

std::string_view to_string(Refusal refusal) {
    switch (refusal) {
        case Refusal::signature_mismatch: return "SIGNATURE_MISMATCH";
        case Refusal::base64: return "BASE64";
        case Refusal::ciphertext_length: return "CIPHERTEXT_LENGTH";
        case Refusal::bad_padding: return "BAD_PADDING";
        case Refusal::bad_length: return "BAD_LENGTH";
        case Refusal::receive_id_mismatch: return "RECEIVE_ID_MISMATCH";
        case Refusal::stale: return "STALE";
        case Refusal::not_encrypted: return "NOT_ENCRYPTED";
        case Refusal::xml: return "XML";
        case Refusal::too_large: return "TOO_LARGE";
        case Refusal::method: return "METHOD";
        case Refusal::path: return "PATH";
    }
    return "XML";
}

std::optional<crypto::Key> read_aes_key(std::string_view text) {
    if (text.size() != aes_key_characters) return std::nullopt;
    const auto bytes = crypto::from_base64(std::string{text}.append("="));
    crypto::Key key{};
    if (!bytes || bytes->size() != key.size()) return std::nullopt;
    std::copy(bytes->begin(), bytes->end(), key.begin());
    return key;
}

std::string callback_signature(std::span<const std::string_view> parts) {
    std::vector<std::string_view> sorted{parts.begin(), parts.end()};
    std::sort(sorted.begin(), sorted.end());
    std::string joined;
    for (const auto part : sorted) joined += part;
    return to_hex(crypto::sha1(joined));
}

bool signature_fits(std::string_view given, std::span<const std::string_view> parts) {
    return crypto::constant_time_equal(given, callback_signature(parts));
}

std::variant<std::string, Refusal> decrypt_callback(const crypto::Key& key, std::string_view receive_id, std::string_view encrypted) {
    const auto bytes = crypto::from_base64(encrypted);
    if (!bytes) return Refusal::base64;
    const auto padded = crypto::aes_256_cbc_decrypt(key, initial_vector(key), *bytes);
    if (!padded) return Refusal::ciphertext_length;
    const auto plain = unpadded(*padded);
    if (!plain) return Refusal::bad_padding;
    if (plain->size() < head_bytes) return Refusal::bad_length;
    // 64 bits: 20 + 0xFFFFFFFF must not wrap.
    const auto length = big_endian(plain->substr(random_bytes, head_bytes - random_bytes));
    if (length > plain->size() - head_bytes) return Refusal::bad_length;
    const auto message = plain->substr(head_bytes, static_cast<std::size_t>(length));
    if (plain->substr(head_bytes + message.size()) != receive_id) return Refusal::receive_id_mismatch;
    return std::string{message};
}

std::string encrypt_callback(const crypto::Key& key, std::string_view receive_id, std::string_view message,
                             const std::array<std::uint8_t, 16>& random) {
    std::string plain{random.begin(), random.end()};
    for (unsigned shift = 32; shift > 0; shift -= 8) plain.push_back(static_cast<char>((message.size() >> (shift - 8)) & 0xFFU));
    plain.append(message).append(receive_id);
    const auto padding = padding_block - plain.size() % padding_block;
    plain.append(padding, static_cast<char>(padding));
    return crypto::base64(crypto::aes_256_cbc_encrypt(key, initial_vector(key), plain).value_or(std::string{}));
}

}  // namespace touchgate::adapters::wechat
