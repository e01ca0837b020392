// The provider's pushes: receipts (SmsReport) and replies (SmsUp). Source: provider help, HTTP batch push.
#pragma once

#include <string_view>

#include "gateway/channel/exchange_adapter.hpp"

namespace touchgate::adapters::aliyun_sms {

// The pushes are not signed; the one protection is `callback_token` as the last step of the path (empty: none). An array may hold both
// kinds; the whole push is refused when one entry cannot be read, so that the provider sends it again.
[[nodiscard]] channel::WebhookAnswer receive_push(std::string_view callback_token, const channel::WebhookRequest& request);

// "2026-01-02 11:04:05", which the provider writes in UTC+8 without saying so.
[[nodiscard]] std::optional<Instant> provider_time(std::string_view text);

// What an error code of a receipt becomes as the touch's reason.
[[nodiscard]] std::string receipt_reason(std::string_view error_code);

}  // namespace touchgate::adapters::aliyun_sms
