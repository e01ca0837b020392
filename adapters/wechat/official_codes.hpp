// What the codes of api.weixin.qq.com mean for a message: official accounts and mini programs share them.
#pragma once

#include <span>

#include "adapters/wechat/answer.hpp"

namespace touchgate::adapters::wechat {

// A mass task with the same clientmsgid exists already: done, the answer names it.
inline constexpr std::int64_t mass_exists_code = 45065;

// Without 45065. Sources of the codes: Tencent's developer pages and the enumerations of the open library WxJava; the outcomes are our judgement.
[[nodiscard]] std::span<const CodeMeaning> official_codes();

}  // namespace touchgate::adapters::wechat
