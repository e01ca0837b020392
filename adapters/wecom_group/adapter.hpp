// WeCom's customer groups: mass messages that the group's owner confirms, and who is in the groups. See README.md for what WeCom promises.
#pragma once

#include "gateway/channel/adapter.hpp"

namespace touchgate::adapters {

[[nodiscard]] channel::AdapterInfo wecom_group_adapter();

}  // namespace touchgate::adapters
