// What a corporation's callback says, as events, messages and hints, each with the topic of the account that it is meant for.
// Source: WeCom developer centre, 96361 (customers), 92277 (groups, tags), 96466 (applications), 94670 (customer service).
#pragma once

#include <string_view>

#include "adapters/wechat/callback.hpp"

namespace touchgate::adapters::wecom_common {

inline constexpr Duration welcome_within{15'000};  // WeCom allows 20 s

inline constexpr std::string_view topic_groups = "groups";
inline constexpr std::string_view topic_app = "app";
inline constexpr std::string_view topic_kf_prefix = "kf:";  // then the open_kfid

inline constexpr std::string_view pull_groups = "groups";
inline constexpr std::string_view pull_messages = "messages";

// Every authentic callback becomes exactly one event or message; what is not understood becomes an event of kind "unknown". An event's id is the
// SHA-256 of the plain text. `body_json` has the callback's members without welcome codes and tokens; of a group also "members" (the changed ones), of
// a card "selected" (question → options).
[[nodiscard]] channel::WebhookEvents read_corp_callback(const wechat::Callback& callback);

}  // namespace touchgate::adapters::wecom_common
