// The welcome message: one, within 20 s of the callback that brought its code, by whichever application calls first.
// Source: WeCom developer centre, "发送新客户欢迎语" (92599).
#pragma once

#include <string>

#include "adapters/wecom_common/corp.hpp"

namespace touchgate::adapters::wecom {

// Content whose own form has "welcome_code" or "reply_code" goes as a welcome message; empty: it has none.
[[nodiscard]] std::string welcome_code(const channel::Content& content);
[[nodiscard]] channel::HttpRequest welcome_request(const wecom_common::Corp& corp, const channel::Content& content, const channel::Resources& resources);
// `accepted` also when they are already chatting (41051): there is nothing left to say.
[[nodiscard]] channel::Outcome read_welcome(const channel::HttpResponse& response);

}  // namespace touchgate::adapters::wecom
