// The channels that contacts can be reached on, whether or not an account serves them here: a consent, a suppression or a hold may name a
// channel that is configured only later, but never a word that is no channel.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace touchgate::channel {

inline constexpr std::array<std::string_view, 9> all_channels = {"voice",    "sms",       "wecom",            "wecom_group", "moments",
                                                                 "wecom_kf", "wecom_app", "official_account", "mini_program"};

[[nodiscard]] constexpr bool is_channel(std::string_view name) { return std::find(all_channels.begin(), all_channels.end(), name) != all_channels.end(); }

}  // namespace touchgate::channel
