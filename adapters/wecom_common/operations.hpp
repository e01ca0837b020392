// What can be asked of a corporation beside sending. Source: WeCom developer centre, "客户联系" (contact ways 92577, tags 92117, remarks 92115,
// transfers 92125 and 94096, group join ways 92229, group welcome templates 92366).
#pragma once

#include <span>

#include "adapters/wechat/operations.hpp"

namespace touchgate::adapters::wecom_common {

inline constexpr std::string_view pull_customer = "customer";  // one customer, whom a hint names

[[nodiscard]] std::span<const wechat::PlatformOperation> customer_operations();
[[nodiscard]] std::span<const wechat::PlatformOperation> group_operations();

}  // namespace touchgate::adapters::wecom_common
