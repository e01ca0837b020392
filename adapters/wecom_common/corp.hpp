// A corporation's side of the WeCom API: who calls, with which token, and what an answer looks like. Every WeCom adapter calls through this.
// Source: WeCom developer centre, "获取access_token" and "发送应用消息".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "adapters/wechat/access_token.hpp"
#include "adapters/wechat/answer.hpp"
#include "gateway/channel/adapter.hpp"
#include "gateway/channel/exchange_adapter.hpp"
#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::wecom_common {

using wechat::Answer;
using wechat::read_answer;
using wechat::token_is_stale;

struct Corp {
    wechat::TokenSource source{.call = wechat::TokenCall::wecom};  // one token for a corporation and a secret, whichever accounts use it
    std::string account = {};                                      // of the corporation itself, where another account names it by "corp"; else empty
    Duration timeout{10'000};
    int window = 32;
    std::string sender = {};                                       // the corporation's account's employee where nobody else is named
};

// base_url, corp_id, secret, timeout, window.
[[nodiscard]] Corp read_corp(JsonReader& settings);
// "corp" names an account of the adapter `wecom`; its base_url, corp_id and secret serve here too, the secret unless this account has its own.
[[nodiscard]] Corp read_shared_corp(JsonReader& settings, const channel::AccountContext& context);

[[nodiscard]] channel::Need token_need(const Corp& corp);
[[nodiscard]] channel::HttpRequest token_request(const Corp& corp);
[[nodiscard]] std::variant<channel::Resource, channel::Outcome> read_token(const channel::HttpResponse& response);

// `path` such as "/cgi-bin/message/send"; the body is UTF-8 as it is, for WeCom refuses \u escapes.
[[nodiscard]] channel::HttpRequest post(const Corp& corp, std::string_view path, const Json& body, const channel::Resources& resources);
// `query` without the token, which is added.
[[nodiscard]] channel::HttpRequest get(const Corp& corp, std::string_view path, const channel::Fields& query, const channel::Resources& resources);

// A call that changes something succeeded only if WeCom says so: an object without errcode came from somebody else.
[[nodiscard]] inline bool says_done(const Answer& answer) { return answer.ok() && answer.has_errcode; }

// The code of an event under which the content is the one answer: "reply_code" of the content's own form, or WeCom's own name of it; else empty.
[[nodiscard]] std::string reply_code_of(const channel::Content& content, std::string_view own_name);

// The texts among a list's entries; a text of entries joined by '|' is taken too.
[[nodiscard]] std::vector<std::string> names_in(const Json& list);
// Seconds since 1970, or nothing.
[[nodiscard]] std::optional<Instant> seconds_member(const Json& value, std::string_view key);
// JSON for bodies, cursors and logs: raw UTF-8, and what is no UTF-8 replaced.
[[nodiscard]] std::string to_text(const Json& value);

}  // namespace touchgate::adapters::wecom_common
