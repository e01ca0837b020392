#include "adapters/wechat/callback_crypto.hpp"

#include <algorithm>

#include "gateway/base/text.hpp"
#include "tests/unit/adapters/wechat/support.hpp"

using namespace touchgate;
using namespace touchgate::adapters::wechat;

namespace {

std::array<std::uint8_t, 16> random_of(const std::string& hex) {
    const auto bytes = from_hex(hex).value();
    std::array<std::uint8_t, 16> random{};
    std::copy_n(bytes.begin(), random.size(), random.begin());
    return random;
}

std::string text(const Json& vector, const char* name) { return vector.at(name).get<std::string>(); }

std::string signature_of(const Json& vector) {
    const auto token = text(vector, "token");
    const auto timestamp = text(vector, "timestamp");
    const auto nonce = text(vector, "nonce");
    const auto encrypted = text(vector, "encrypt");
    const std::array<std::string_view, 4> parts = {token, timestamp, nonce, encrypted};
    return callback_signature(parts);
}

// The whole order of checks, as a name; empty: taken.
std::string refusal_of(const Json& vector) {
    const auto key = read_aes_key(text(vector, "encoding_aes_key"));
    if (!key) return "AES_KEY";
    if (signature_of(vector) != text(vector, "msg_signature")) return std::string{to_string(Refusal::signature_mismatch)};
    const auto opened = decrypt_callback(*key, text(vector, "receive_id"), text(vector, "encrypt"));
    return std::holds_alternative<Refusal>(opened) ? std::string{to_string(std::get<Refusal>(opened))} : std::string{};
}

}  // namespace

TEST_CASE("callback crypto: every recorded message opens to its text, and encrypts to the same bytes", "[wechat]") {
    const auto vectors = test::callback_vectors();
    REQUIRE(vectors.at("positive").size() == 60);
    for (const auto& vector : vectors.at("positive")) {
        INFO(text(vector, "id"));
        CHECK(signature_of(vector) == text(vector, "msg_signature"));
        const auto key = read_aes_key(text(vector, "encoding_aes_key"));
        REQUIRE(key);
        const auto opened = decrypt_callback(*key, text(vector, "receive_id"), text(vector, "encrypt"));
        REQUIRE(std::holds_alternative<std::string>(opened));
        CHECK(std::get<std::string>(opened) == text(vector, "plaintext"));
        CHECK(encrypt_callback(*key, text(vector, "receive_id"), text(vector, "plaintext"), random_of(text(vector, "random_hex"))) ==
              text(vector, "encrypt"));
    }
}

TEST_CASE("callback crypto: every forged or broken message is refused by its name", "[wechat]") {
    const auto vectors = test::callback_vectors();
    REQUIRE(vectors.at("negative").size() == 21);
    for (const auto& vector : vectors.at("negative")) {
        INFO(text(vector, "id"));
        CHECK(refusal_of(vector) == text(vector, "expected_error"));
    }
}

TEST_CASE("callback crypto: no cut and no changed byte of a message opens", "[wechat]") {
    const auto vectors = test::callback_vectors();
    const auto& vector = vectors.at("positive").at(10);  // 96 bytes
    const auto key = read_aes_key(text(vector, "encoding_aes_key")).value();
    const auto bytes = crypto::from_base64(text(vector, "encrypt")).value();
    for (std::size_t size = 0; size < bytes.size(); ++size)
        CHECK(std::holds_alternative<Refusal>(decrypt_callback(key, text(vector, "receive_id"), crypto::base64(bytes.substr(0, size)))));
    // A changed bit garbles its own block and flips one of the next: the text may change under a valid frame, but then only the signature tells.
    for (std::size_t at = bytes.size() - 16; at < bytes.size(); ++at) {
        auto changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        CHECK(std::holds_alternative<Refusal>(decrypt_callback(key, text(vector, "receive_id"), crypto::base64(changed))));
    }
}

TEST_CASE("callback crypto: a key has 43 characters of base64", "[wechat]") {
    CHECK(read_aes_key(std::string(43, 'A')));
    CHECK(read_aes_key(std::string(42, 'A') + "/"));  // unused bits set
    for (const auto& bad : {std::string(42, 'A'), std::string(44, 'A'), std::string(42, 'A') + "=", std::string(42, 'A') + "-",
                            std::string(42, 'A') + " ", std::string{}}) {
        INFO(bad);
        CHECK_FALSE(read_aes_key(bad));
    }
}
