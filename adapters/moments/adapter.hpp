// WeChat moments of customers (客户朋友圈): posts that an employee publishes. See README.md for what WeCom promises.
#pragma once

#include "gateway/channel/adapter.hpp"

namespace touchgate::adapters {

[[nodiscard]] channel::AdapterInfo moments_adapter();

}  // namespace touchgate::adapters
