// What the configuration says of a corporation's groups.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/wechat/callback_settings.hpp"
#include "adapters/wecom_common/corp.hpp"

namespace touchgate::adapters::wecom_group {

struct Settings {
    wecom_common::Corp corp;
    std::string sender;                                    // who sends where neither we nor WeCom know the group's owner; by default the corporation's
    std::size_t task_max = 200;                            // groups of one task
    std::vector<std::string> owners;                       // whose groups are read; empty: all in the application's scope
    std::map<std::string, std::string, std::less<>> robots;  // of internal groups: name → webhook key
    std::optional<wechat::CallbackSettings> callback = {};
    bool sync = true;
    Duration sync_interval = one_day;
};

[[nodiscard]] Settings read_settings(JsonReader& reader, const channel::AccountContext& context);

}  // namespace touchgate::adapters::wecom_group
