// What a WeCom corporation's configuration says.
#pragma once

#include <optional>

#include "adapters/wechat/callback_settings.hpp"
#include "adapters/wecom_common/corp.hpp"

namespace touchgate::adapters::wecom {

struct Settings {
    wecom_common::Corp corp;
    std::string sender;                                    // the employee where the touch names none; empty: WeCom chooses
    std::size_t task_max = 200;                            // customers of one task
    std::optional<wechat::CallbackSettings> callback = {};
    bool sync = true;                                      // read all customers …
    Duration sync_interval = one_day;                      // … so often
};

[[nodiscard]] Settings read_settings(JsonReader& reader);

}  // namespace touchgate::adapters::wecom
