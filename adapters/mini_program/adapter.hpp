// WeChat mini programs: subscribe messages, customer-service messages, and callbacks. See README.md for what the platform promises.
#pragma once

#include "gateway/channel/adapter.hpp"

namespace touchgate::adapters {

[[nodiscard]] channel::AdapterInfo mini_program_adapter();

}  // namespace touchgate::adapters
