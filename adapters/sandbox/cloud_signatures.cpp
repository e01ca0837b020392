#include "adapters/sandbox/cloud_signatures.hpp"

#include <algorithm>
#include <charconv>

#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::sandbox {

namespace {

using namespace std::chrono_literals;

SignatureVerdict refused(int status, std::string code, std::string message) {
    return {.error = std::move(code), .message = std::move(message), .status = status, .key_id = {}, .nonce = {}};
}

std::string hex_digest(std::string_view bytes) { return to_hex(crypto::view(crypto::sha256(bytes))); }

std::string sorted_and_encoded(Parameters parameters) {
    std::sort(parameters.begin(), parameters.end());
    std::string joined;
    for (const auto& [name, value] : parameters) {
        if (!joined.empty()) joined.push_back('&');
        joined.append(percent_encode(name)).append("=").append(percent_encode(value));
    }
    return joined;
}

// The value behind `name=` in an Authorization header, up to the next comma.
std::string_view field_of(std::string_view header, std::string_view name) {
    const auto at = header.find(std::string{name} + '=');
    if (at == std::string_view::npos) return {};
    const auto value = header.substr(at + name.size() + 1);
    return trim(value.substr(0, value.find(',')));
}

// "name:value\n" of each signed header; `host` stands in for the wire's Host.
std::string canonical_headers(const HttpRequest& request, std::string_view names, std::string_view host) {
    std::string canonical;
    for (const auto name : split(names, ';')) {
        const auto value = name == "host" ? host : request.header(name);
        canonical.append(name).append(":").append(trim(value)).append("\n");
    }
    return canonical;
}

bool names(std::string_view list, std::string_view name) {
    const auto all = split(list, ';');
    return std::find(all.begin(), all.end(), name) != all.end();
}

bool too_far(Instant stamp, Instant now, Duration allowed) { return stamp > now + allowed || stamp < now - allowed; }

SignatureVerdict verify_acs3(const HttpRequest& request, const Secrets& secrets, Instant now) {
    const auto authorization = request.header("authorization");
    const auto key_id = field_of(authorization, "Credential");
    const auto signed_names = field_of(authorization, "SignedHeaders");
    const auto signature = field_of(authorization, "Signature");
    for (const std::string_view name : {"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"})
        if (request.header(name).empty() || !names(signed_names, name))
            return refused(400, "MissingParameter", "The header " + std::string{name} + " must be present and signed.");
    for (const auto& [name, value] : request.headers)
        if (name.starts_with("x-acs-") && !names(signed_names, name) && name != "x-acs-retry-attempts")
            return refused(400, "SignatureDoesNotMatch", "The header " + name + " is not signed.");

    const auto secret = secrets.find(key_id);
    if (secret == secrets.end()) return refused(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.");
    const auto stamp = parse_instant(request.header("x-acs-date"));
    if (!stamp) return refused(400, "InvalidTimeStamp.Format", "Specified time stamp is not well formatted.");
    if (too_far(*stamp, now, 15min)) return refused(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.");
    const auto body_hash = hex_digest(request.body);
    if (request.header("x-acs-content-sha256") != body_hash)
        return refused(400, "SignatureDoesNotMatch", "x-acs-content-sha256 is not the hash of the body.");

    std::string canonical = request.method + '\n';
    canonical.append(request.path()).append("\n").append(sorted_and_encoded(parse_parameters(request.query()))).append("\n");
    canonical.append(canonical_headers(request, signed_names, request.header("host"))).append("\n").append(signed_names).append("\n").append(body_hash);
    const auto text = "ACS3-HMAC-SHA256\n" + hex_digest(canonical);
    const auto expected = to_hex(crypto::view(crypto::hmac_sha256(secret->second, text)));
    if (!crypto::constant_time_equal(expected, signature))
        return refused(400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation. server string to sign is:" + text);
    return {.error = {}, .message = {}, .status = 200, .key_id = std::string{key_id}, .nonce = std::string{request.header("x-acs-signature-nonce")}};
}

SignatureVerdict verify_rpc(const HttpRequest& request, const Secrets& secrets, Instant now) {
    auto parameters = parse_parameters(request.query());
    if (request.header("content-type").starts_with("application/x-www-form-urlencoded"))
        for (auto& parameter : parse_parameters(request.body)) parameters.push_back(std::move(parameter));
    for (const std::string_view name : {"AccessKeyId", "Action", "Version", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp", "Signature"})
        if (value_of(parameters, name).empty())
            return refused(400, "Missing" + std::string{name}, std::string{name} + " is mandatory for this action.");
    if (value_of(parameters, "SignatureMethod") != "HMAC-SHA1" || value_of(parameters, "SignatureVersion") != "1.0")
        return refused(400, "InvalidParameter.SignatureMethod", "Only HMAC-SHA1, version 1.0.");
    const std::string key_id{value_of(parameters, "AccessKeyId")};
    const auto secret = secrets.find(key_id);
    if (secret == secrets.end()) return refused(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.");
    const auto stamp = parse_instant(value_of(parameters, "Timestamp"));
    if (!stamp) return refused(400, "InvalidTimeStamp.Format", "Specified time stamp is not well formatted.");
    if (too_far(*stamp, now, 15min)) return refused(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.");
    const std::string nonce{value_of(parameters, "SignatureNonce")};
    const std::string signature{value_of(parameters, "Signature")};
    std::erase_if(parameters, [](const auto& parameter) { return parameter.first == "Signature"; });
    const auto text = request.method + "&%2F&" + percent_encode(sorted_and_encoded(std::move(parameters)));
    if (!crypto::constant_time_equal(crypto::base64(crypto::hmac_sha1(secret->second + '&', text)), signature))
        return refused(400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation. server string to sign is:" + text);
    return {.error = {}, .message = {}, .status = 200, .key_id = key_id, .nonce = nonce};
}

}  // namespace

SignatureVerdict verify_aliyun(const HttpRequest& request, const Secrets& secrets, Instant now) {
    return request.header("authorization").starts_with("ACS3-HMAC-SHA256 ") ? verify_acs3(request, secrets, now) : verify_rpc(request, secrets, now);
}

SignatureVerdict verify_tencent(const HttpRequest& request, const Secrets& secrets, Instant now) {
    const auto authorization = request.header("authorization");
    constexpr std::string_view algorithm = "TC3-HMAC-SHA256";
    if (!authorization.starts_with("TC3-HMAC-SHA256 "))
        return refused(200, "AuthFailure.InvalidAuthorization", "The Authorization header is not that of " + std::string{algorithm} + ".");
    const auto credential = split(field_of(authorization, "Credential"), '/');
    const auto signed_names = field_of(authorization, "SignedHeaders");
    const auto signature = field_of(authorization, "Signature");
    if (credential.size() != 4 || credential[2] != "sms" || credential[3] != "tc3_request")
        return refused(200, "AuthFailure.InvalidAuthorization", "Credential must be SecretId/date/sms/tc3_request.");
    if (!names(signed_names, "content-type") || !names(signed_names, "host"))
        return refused(200, "AuthFailure.InvalidAuthorization", "content-type and host must be signed.");
    const auto secret = secrets.find(credential[0]);
    if (secret == secrets.end()) return refused(200, "AuthFailure.SecretIdNotFound", "The SecretId is not found, please ensure that your SecretId is correct.");

    const auto stamp_text = request.header("x-tc-timestamp");
    std::int64_t seconds = 0;
    const auto [end, fault] = std::from_chars(stamp_text.data(), stamp_text.data() + stamp_text.size(), seconds);
    if (fault != std::errc{} || end != stamp_text.data() + stamp_text.size() || seconds < 0 || seconds > 253'402'300'799)
        return refused(200, "InvalidParameter", "X-TC-Timestamp must be Unix seconds.");
    const Instant stamp{std::chrono::seconds{seconds}};
    if (too_far(stamp, now, 5min)) return refused(200, "AuthFailure.SignatureExpire", "Signature expired, please check your clock.");
    const auto date = format_instant(stamp).substr(0, 10);
    if (credential[1] != date) return refused(200, "AuthFailure.SignatureFailure", "The date of the scope is not the UTC date of the time stamp.");

    const auto key = crypto::hmac_sha256("TC3" + secret->second, date);
    const auto service_key = crypto::hmac_sha256(crypto::view(key), "sms");
    const auto signing_key = crypto::hmac_sha256(crypto::view(service_key), "tc3_request");
    const auto host = request.header("host");
    for (const auto candidate : {host, host.substr(0, host.rfind(':'))}) {
        std::string canonical = request.method + '\n';
        canonical.append(request.path()).append("\n").append(request.query()).append("\n");
        canonical.append(canonical_headers(request, signed_names, candidate)).append("\n").append(signed_names).append("\n");
        canonical.append(hex_digest(request.body));
        std::string text{algorithm};
        text.append("\n").append(stamp_text).append("\n").append(date).append("/sms/tc3_request\n").append(hex_digest(canonical));
        if (crypto::constant_time_equal(to_hex(crypto::view(crypto::hmac_sha256(crypto::view(signing_key), text))), signature))
            return {.error = {}, .message = {}, .status = 200, .key_id = std::string{credential[0]}, .nonce = {}};
    }
    return refused(200, "AuthFailure.SignatureFailure", "The provided credentials could not be validated.");
}

}  // namespace touchgate::sandbox
