#include "adapters/aliyun_sms/signature.hpp"

#include <algorithm>

#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::aliyun_sms {

namespace {

std::string canonical_query(channel::Fields parameters) {
    std::sort(parameters.begin(), parameters.end());
    return channel::encode_form(parameters);
}

channel::Headers signed_headers(const Acs3Request& request) {
    channel::Headers chosen;
    for (const auto& [name, value] : request.headers) {
        const auto lower = to_lower_ascii(name);
        if (lower.starts_with("x-acs-") || lower == "host" || lower == "content-type") chosen.emplace_back(lower, trim(value));
    }
    std::sort(chosen.begin(), chosen.end());
    return chosen;
}

std::string hex_sha256(std::string_view bytes) { return to_hex(crypto::view(crypto::sha256(bytes))); }

}  // namespace

std::string acs3_signed_headers(const Acs3Request& request) {
    std::string names;
    for (const auto& [name, value] : signed_headers(request)) names += (names.empty() ? "" : ";") + name;
    return names;
}

std::string acs3_canonical_request(const Acs3Request& request) {
    std::string text = request.method + "\n" + request.path + "\n" + canonical_query(request.query) + "\n";
    for (const auto& [name, value] : signed_headers(request)) text += name + ":" + value + "\n";
    // Each header line has its own line feed, so an empty line stands before the names.
    return text + "\n" + acs3_signed_headers(request) + "\n" + hex_sha256(request.body);
}

std::string acs3_string_to_sign(std::string_view canonical_request) { return "ACS3-HMAC-SHA256\n" + hex_sha256(canonical_request); }

std::string acs3_signature(std::string_view access_key_secret, std::string_view string_to_sign) {
    return to_hex(crypto::view(crypto::hmac_sha256(access_key_secret, string_to_sign)));
}

std::string acs3_authorization(std::string_view access_key_id, std::string_view access_key_secret, const Acs3Request& request) {
    return "ACS3-HMAC-SHA256 Credential=" + std::string{access_key_id} + ",SignedHeaders=" + acs3_signed_headers(request) +
           ",Signature=" + acs3_signature(access_key_secret, acs3_string_to_sign(acs3_canonical_request(request)));
}

std::string rpc_string_to_sign(std::string_view method, channel::Fields parameters) {
    return std::string{method} + "&%2F&" + channel::percent_encode(canonical_query(std::move(parameters)));
}

std::string rpc_signature(std::string_view access_key_secret, std::string_view string_to_sign) {
    return crypto::base64(crypto::hmac_sha1(std::string{access_key_secret} + "&", string_to_sign));
}

}  // namespace touchgate::adapters::aliyun_sms
