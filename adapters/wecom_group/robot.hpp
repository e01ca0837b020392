// Robots of internal groups: a webhook each, whose key is the only secret. Source: WeCom developer centre, "消息推送" (91770).
#pragma once

#include <string>
#include <string_view>

#include "adapters/wecom_group/settings.hpp"

namespace touchgate::adapters::wecom_group {

// The robot that the address "robot:<name>" means; empty: it is a group's chat_id, or a name that is not configured.
[[nodiscard]] std::string robot_key(const Settings& settings, std::string_view address);
// Does the content's own form have a kind that robots carry?
[[nodiscard]] bool is_robot_content(const channel::Content& content);
[[nodiscard]] channel::HttpRequest robot_request(const Settings& settings, const std::string& key, const channel::Content& content);
// Sent at once, by nobody's hand: accepted.
[[nodiscard]] channel::Outcome read_robot(const channel::HttpResponse& response);

}  // namespace touchgate::adapters::wecom_group
