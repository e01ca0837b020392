// What can be asked of an official account or mini program beside sending. Source: WeChat developer docs, 账号管理 (QR codes with a scene) and 用户管理.
#pragma once

#include <span>

#include "adapters/wechat/operations.hpp"

namespace touchgate::adapters::wechat {

[[nodiscard]] std::span<const PlatformOperation> official_operations();

}  // namespace touchgate::adapters::wechat
