// What the configuration says of one customer-service account.
#pragma once

#include <optional>

#include "adapters/wechat/callback_settings.hpp"
#include "adapters/wecom_common/corp.hpp"

namespace touchgate::adapters::wecom_kf {

struct Settings {
    wecom_common::Corp corp;
    std::string open_kfid;
    std::optional<wechat::CallbackSettings> callback = {};  // its own; else its events come through the corporation's account
    bool native_servicers = false;                          // may conversations be given to employees in WeCom's own client?
    Duration poll_interval{std::chrono::minutes{5}};        // messages are pulled so often also without a callback
};

[[nodiscard]] Settings read_settings(JsonReader& reader, const channel::AccountContext& context);

}  // namespace touchgate::adapters::wecom_kf
