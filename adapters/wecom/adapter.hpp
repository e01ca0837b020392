// WeCom, one to one: mass messages that an employee confirms, welcome messages, and what customers do. See README.md for what WeCom promises.
#pragma once

#include "gateway/channel/adapter.hpp"

namespace touchgate::adapters {

[[nodiscard]] channel::AdapterInfo wecom_adapter();

}  // namespace touchgate::adapters
