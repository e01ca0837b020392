// WeChat customer service (微信客服): a conversation with any WeChat user, without being friends. See README.md for what WeCom promises.
#pragma once

#include "gateway/channel/adapter.hpp"

namespace touchgate::adapters {

[[nodiscard]] channel::AdapterInfo wecom_kf_adapter();

}  // namespace touchgate::adapters
