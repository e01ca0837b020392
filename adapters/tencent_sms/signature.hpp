// Tencent Cloud's request signature TC3-HMAC-SHA256.
// Source: the official Node.js SDK, whose recorded requests are in fixtures/.
#pragma once

#include <string>
#include <string_view>

#include "gateway/base/time.hpp"

namespace touchgate::adapters::tencent_sms {

struct Tc3Request {
    std::string method = "POST";
    std::string path = "/";
    std::string query = {};         // as on the wire, without '?', not sorted
    std::string content_type = {};  // exactly as the header says it
    std::string host = {};          // without port, also where the Host header has one
    std::string body = {};
};

[[nodiscard]] std::string tc3_canonical_request(const Tc3Request& request);
// "2026-01-02/sms/tc3_request": the date is that of UTC, so it changes at 8 o'clock in China.
[[nodiscard]] std::string tc3_scope(Instant now, std::string_view service);
[[nodiscard]] std::string tc3_string_to_sign(Instant now, std::string_view scope, std::string_view canonical_request);
// Lower-case hex.
[[nodiscard]] std::string tc3_signature(std::string_view secret_key, Instant now, std::string_view service, std::string_view string_to_sign);
// The value of the Authorization header.
[[nodiscard]] std::string tc3_authorization(std::string_view secret_id, std::string_view secret_key, Instant now, std::string_view service,
                                            const Tc3Request& request);

}  // namespace touchgate::adapters::tencent_sms
