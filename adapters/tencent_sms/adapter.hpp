// Tencent Cloud SMS: template messages over the cloud API, receipts and replies by HTTP push. See README.md for what the provider promises.
#pragma once

#include "gateway/channel/adapter.hpp"

namespace touchgate::adapters {

[[nodiscard]] channel::AdapterInfo tencent_sms_adapter();

}  // namespace touchgate::adapters
