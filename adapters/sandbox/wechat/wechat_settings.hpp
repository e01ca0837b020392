// The configuration keys `sandbox.wecom` and `sandbox.official_account` but for their `listen`.
#pragma once

#include "adapters/sandbox/wechat/official_account_peer.hpp"
#include "adapters/sandbox/wechat/wecom_peer.hpp"

namespace touchgate::sandbox {

// The caller reads `listen` from the same reader and finishes it.
[[nodiscard]] WecomSettings read_wecom(JsonReader& reader);
[[nodiscard]] OfficialAccountSettings read_official_account(JsonReader& reader);

}  // namespace touchgate::sandbox
