// WeCom's application messages: to our own employees, and what they press and write there. See README.md for what WeCom promises.
#pragma once

#include "gateway/channel/adapter.hpp"

namespace touchgate::adapters {

[[nodiscard]] channel::AdapterInfo wecom_app_adapter();

}  // namespace touchgate::adapters
