// For tests only: a made-up provider that uses every part of the exchange shape at once, so that the core can be proven against it before
// any real provider exists. See README.md for its wire.
#pragma once

#include "gateway/channel/adapter.hpp"

namespace touchgate::adapters {

[[nodiscard]] channel::AdapterInfo loopback_test_adapter();

}  // namespace touchgate::adapters
