// Aliyun's two request signatures: ACS3-HMAC-SHA256 and the older RPC signature with HMAC-SHA1.
// Source: provider help "V3 request structure and signature" and the official Node.js SDKs, whose recorded requests are in fixtures/.
#pragma once

#include <string>
#include <string_view>

#include "gateway/channel/exchange_adapter.hpp"
#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::aliyun_sms {

struct Acs3Request {
    std::string method;
    std::string path;  // at least "/"
    channel::Fields query;
    channel::Headers headers;  // lower-case names; those starting with x-acs-, host and content-type are signed
    std::string body;          // hashed exactly as sent
};

// "host;x-acs-action;…", sorted.
[[nodiscard]] std::string acs3_signed_headers(const Acs3Request& request);
[[nodiscard]] std::string acs3_canonical_request(const Acs3Request& request);
[[nodiscard]] std::string acs3_string_to_sign(std::string_view canonical_request);
// Lower-case hex.
[[nodiscard]] std::string acs3_signature(std::string_view access_key_secret, std::string_view string_to_sign);
// The value of the Authorization header.
[[nodiscard]] std::string acs3_authorization(std::string_view access_key_id, std::string_view access_key_secret, const Acs3Request& request);

// Every parameter of the query and the form alike, but `Signature`. The method is part of what is signed.
[[nodiscard]] std::string rpc_string_to_sign(std::string_view method, channel::Fields parameters);
// Base64.
[[nodiscard]] std::string rpc_signature(std::string_view access_key_secret, std::string_view string_to_sign);

}  // namespace touchgate::adapters::aliyun_sms
