// Messages to a customer: within his window, or as the one answer to an event that brought a code.
// Source: WeCom developer centre, "发送消息" (96427) and "发送欢迎语等事件响应消息".
#pragma once

#include <string>
#include <vector>

#include "adapters/wecom_common/corp.hpp"

namespace touchgate::adapters::wecom_kf {

inline constexpr std::size_t text_bytes_max = 2'048;

// The message id that we give: 32 hex digits of the touch's id, the same for all its attempts. WeCom takes each id once, so that a repeat sends nothing.
[[nodiscard]] std::string message_id(const channel::Submission& submission);

// The code of an event ("code" or "reply_code" in the content's own form) under which the content is the one answer; empty: it needs the customer's window.
[[nodiscard]] std::string event_code(const channel::Content& content);
[[nodiscard]] std::vector<Problem> content_problems(const channel::Content& content);

[[nodiscard]] channel::HttpRequest send_request(const wecom_common::Corp& corp, const std::string& open_kfid, const channel::Submission& submission,
                                                const channel::Resources& resources);
// Accepted with our id. WeCom's refusal of an id that it has seen means that the first time was taken.
[[nodiscard]] channel::Outcome read_sent(const channel::Submission& submission, const channel::HttpResponse& response);

}  // namespace touchgate::adapters::wecom_kf
