#include "adapters/tencent_sms/signature.hpp"

#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::tencent_sms {

namespace {

constexpr std::string_view algorithm = "TC3-HMAC-SHA256";
constexpr std::string_view signed_names = "content-type;host";

std::string hex_sha256(std::string_view bytes) { return to_hex(crypto::view(crypto::sha256(bytes))); }
std::string utc_date(Instant now) { return format_instant(now).substr(0, 10); }

}  // namespace

std::string tc3_canonical_request(const Tc3Request& request) {
    return request.method + "\n" + request.path + "\n" + request.query + "\ncontent-type:" + request.content_type + "\nhost:" + request.host +
           std::string{"\n\n"}.append(signed_names).append("\n").append(hex_sha256(request.body));
}

std::string tc3_scope(Instant now, std::string_view service) { return utc_date(now).append("/").append(service).append("/tc3_request"); }

std::string tc3_string_to_sign(Instant now, std::string_view scope, std::string_view canonical_request) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    std::string text{algorithm};
    return text.append("\n").append(std::to_string(seconds)).append("\n").append(scope).append("\n").append(hex_sha256(canonical_request));
}

std::string tc3_signature(std::string_view secret_key, Instant now, std::string_view service, std::string_view string_to_sign) {
    const auto date_key = crypto::hmac_sha256(std::string{"TC3"}.append(secret_key), utc_date(now));
    const auto service_key = crypto::hmac_sha256(crypto::view(date_key), service);
    const auto signing_key = crypto::hmac_sha256(crypto::view(service_key), "tc3_request");
    return to_hex(crypto::view(crypto::hmac_sha256(crypto::view(signing_key), string_to_sign)));
}

std::string tc3_authorization(std::string_view secret_id, std::string_view secret_key, Instant now, std::string_view service,
                              const Tc3Request& request) {
    const auto scope = tc3_scope(now, service);
    const auto signature = tc3_signature(secret_key, now, service, tc3_string_to_sign(now, scope, tc3_canonical_request(request)));
    std::string header{algorithm};
    return header.append(" Credential=").append(secret_id).append("/").append(scope).append(", SignedHeaders=").append(signed_names).append(", Signature=").append(signature);
}

}  // namespace touchgate::adapters::tencent_sms
