#include "gateway/crypto/aes_cbc.hpp"

#include <openssl/evp.h>

#include <limits>
#include <memory>

namespace touchgate::crypto {

namespace {

struct CipherDelete {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

std::optional<std::string> run(bool encrypt, const Key& key, const InitialVector& initial, std::string_view bytes) {
    if (bytes.empty() || bytes.size() % aes_block_bytes != 0 || bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) - 64)
        return std::nullopt;
    const std::unique_ptr<EVP_CIPHER_CTX, CipherDelete> context{EVP_CIPHER_CTX_new()};
    if (!context || EVP_CipherInit_ex(context.get(), EVP_aes_256_cbc(), nullptr, key.data(), initial.data(), encrypt ? 1 : 0) != 1)
        return std::nullopt;
    EVP_CIPHER_CTX_set_padding(context.get(), 0);
    std::string out(bytes.size() + aes_block_bytes, '\0');
    auto* to = reinterpret_cast<unsigned char*>(out.data());
    int size = 0;
    int rest = 0;
    if (EVP_CipherUpdate(context.get(), to, &size, reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1 ||
        EVP_CipherFinal_ex(context.get(), to + size, &rest) != 1)
        return std::nullopt;
    out.resize(static_cast<std::size_t>(size) + static_cast<std::size_t>(rest));
    return out;
}

}  // namespace

std::optional<std::string> aes_256_cbc_encrypt(const Key& key, const InitialVector& initial, std::string_view bytes) {
    return run(true, key, initial, bytes);
}

std::optional<std::string> aes_256_cbc_decrypt(const Key& key, const InitialVector& initial, std::string_view bytes) {
    return run(false, key, initial, bytes);
}

}  // namespace touchgate::crypto
