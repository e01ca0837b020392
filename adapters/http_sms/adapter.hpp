// An SMS provider that is described by configuration alone: the request, its signature, how the answer is read, receipts and replies.
// See README.md for the settings, with worked examples.
#pragma once

#include "gateway/channel/adapter.hpp"

namespace touchgate::adapters {

[[nodiscard]] channel::AdapterInfo http_sms_adapter();

}  // namespace touchgate::adapters
