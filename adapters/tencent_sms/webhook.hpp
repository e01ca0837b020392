// The provider's pushes: receipts (an array) and replies (one object). Source: provider help, SMS status report and reply callbacks.
#pragma once

#include <string_view>

#include "gateway/channel/exchange_adapter.hpp"

namespace touchgate::adapters::tencent_sms {

// The pushes are not signed; the one protection is `callback_token` as the last step of the path (empty: none). The whole push is
// refused when one entry cannot be read, so that the provider may send it again.
[[nodiscard]] channel::WebhookAnswer receive_push(std::string_view callback_token, const channel::WebhookRequest& request);

}  // namespace touchgate::adapters::tencent_sms
