// Reads receipts and replies as configured.
#pragma once

#include "adapters/http_sms/settings.hpp"
#include "gateway/channel/exchange_adapter.hpp"

namespace touchgate::adapters::http_sms {

// The token in the path tells receipts from replies and is compared in constant time; a wrong one is a 404 with refusal "TOKEN". A push is
// refused as a whole (400) when one of its entries cannot be read.
[[nodiscard]] channel::WebhookAnswer receive_push(const Settings& settings, const channel::WebhookRequest& request);

[[nodiscard]] std::optional<Instant> read_time(const Json& value, TimeForm form, Duration utc_offset);

}  // namespace touchgate::adapters::http_sms
