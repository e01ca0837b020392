// Reads a provider's answer as configured.
#pragma once

#include "adapters/http_sms/settings.hpp"
#include "gateway/channel/exchange_adapter.hpp"

namespace touchgate::adapters::http_sms {

// Total. In this order: the status in `statuses`; another 5xx: unknown; `ok_when` holds: accepted; the code in `errors`; another code:
// `other_codes`; without a readable code 429 is throttled, 401 and 403 are credentials, anything else is unknown.
[[nodiscard]] channel::Outcome read_answer(const AcceptSettings& settings, const channel::HttpResponse& response);

}  // namespace touchgate::adapters::http_sms
