// What the configuration says of an application.
#pragma once

#include <cstdint>
#include <optional>

#include "adapters/wechat/callback_settings.hpp"
#include "adapters/wecom_common/corp.hpp"

namespace touchgate::adapters::wecom_app {

struct Settings {
    wecom_common::Corp corp;
    std::int64_t agent_id = 0;
    std::size_t batch = 1;                                  // members of one request with equal content
    std::optional<wechat::CallbackSettings> callback = {};  // its own; else its events come through the corporation's account
};

[[nodiscard]] Settings read_settings(JsonReader& reader, const channel::AccountContext& context);

}  // namespace touchgate::adapters::wecom_app
