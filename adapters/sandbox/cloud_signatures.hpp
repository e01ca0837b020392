// Checks of the signatures that the SMS clouds ask for, from the wire bytes of a request: Aliyun's ACS3-HMAC-SHA256 and its older
// RPC signature (HMAC-SHA1), Tencent Cloud's TC3-HMAC-SHA256. Written for the sandbox alone; the recorded requests of the official
// SDKs in fixtures/cloud-signatures.json prove it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "adapters/sandbox/http_exchange.hpp"
#include "gateway/base/time.hpp"

namespace touchgate::sandbox {

using Secrets = std::map<std::string, std::string, std::less<>>;  // access key id → secret

struct SignatureVerdict {
    std::string error;    // the provider's code, "" when the signature fits
    std::string message;
    int status = 400;     // HTTP status of the refusal
    std::string key_id;   // whose
    std::string nonce;    // Aliyun: never to be used twice
    [[nodiscard]] bool accepted() const { return error.empty(); }
};

// Either of Aliyun's two ways, told apart by the Authorization header. Time stamps more than 15 minutes off are refused.
[[nodiscard]] SignatureVerdict verify_aliyun(const HttpRequest& request, const Secrets& secrets, Instant now);

// Of a request to the service "sms". Time stamps more than 5 minutes off are refused. The host may be signed with or without its port.
[[nodiscard]] SignatureVerdict verify_tencent(const HttpRequest& request, const Secrets& secrets, Instant now);

}  // namespace touchgate::sandbox
