// Messages to members, cards' updates, and taking a message back. Source: WeCom developer centre, "发送应用消息" (90236).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "adapters/wecom_app/settings.hpp"

namespace touchgate::adapters::wecom_app {

inline constexpr std::size_t text_bytes_max = 2'048;

// The code of a card that was pressed ("response_code" in the content's own form): then the content updates that card.
[[nodiscard]] std::string response_code(const channel::Content& content);
[[nodiscard]] std::vector<Problem> content_problems(const channel::Content& content);

[[nodiscard]] channel::HttpRequest send_request(const Settings& settings, std::span<const channel::Submission> submissions, const channel::Resources& resources);
// One outcome per submission. WeCom sends on when some receivers are wrong, and names these with errcode 0, their ids in lower case.
[[nodiscard]] std::vector<channel::Outcome> read_sent(std::span<const channel::Submission> submissions, const channel::HttpResponse& response);

// Takes back a message of the last 24 hours.
[[nodiscard]] channel::HttpRequest recall_request(const Settings& settings, const std::string& message_id, const channel::Resources& resources);

}  // namespace touchgate::adapters::wecom_app
