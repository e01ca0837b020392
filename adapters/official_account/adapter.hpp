// WeChat official accounts (服务号, 公众号): customer-service, template, subscribe and mass messages, and callbacks. See README.md for what the
// platform promises.
#pragma once

#include "gateway/channel/adapter.hpp"

namespace touchgate::adapters {

[[nodiscard]] channel::AdapterInfo official_account_adapter();

}  // namespace touchgate::adapters
