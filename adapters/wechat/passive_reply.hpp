// A reply that goes in the answer to a callback instead of by a call of its own. Source: WeChat developer docs, "被动回复用户消息": within 5 s, once.
#pragma once

#include <string>
#include <string_view>

#include "adapters/wechat/callback_settings.hpp"
#include "gateway/channel/exchange_adapter.hpp"

namespace touchgate::adapters::wechat {

// The body of the answer: a text message from `account` to `customer` (the two names of the message that it answers, exchanged), encrypted unless the
// account's mode is plain. `context.nonce` must be fresh.
[[nodiscard]] std::string passive_text(const CallbackSettings& settings, std::string_view customer, std::string_view account, std::string_view text,
                                       const channel::RequestContext& context);

}  // namespace touchgate::adapters::wechat
