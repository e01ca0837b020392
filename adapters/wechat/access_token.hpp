// The access token of an app: one resource for each (app, secret), fetched and kept by the transport. It never leaves the process and is in no log.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include "adapters/wechat/answer.hpp"
#include "gateway/channel/exchange_adapter.hpp"
#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::wechat {

enum class TokenCall : std::uint8_t {
    stable,   // POST /cgi-bin/stable_token, force_refresh false: the same token for everyone who asks while it is valid
    classic,  // GET /cgi-bin/token: a new one ends the one before, so nobody else may ask
    wecom,    // GET /cgi-bin/gettoken
};

struct TokenSource {
    TokenCall call = TokenCall::stable;
    channel::BaseUrl base = {};
    std::string app = {};  // AppID or CorpID
    std::string secret = {};
};

// "token:<app>:<hash of the secret>": accounts that share both share the token.
[[nodiscard]] channel::Need token_need(const TokenSource& source);
[[nodiscard]] channel::HttpRequest token_request(const TokenSource& source);
// The token, or the outcome of everyone who waits for it; always a kind that means that nothing was sent. `meanings` are those of the platform's
// other calls; a stale token has none here, so 40001 means the wrong secret.
[[nodiscard]] std::variant<channel::Resource, channel::Outcome> read_token(const channel::HttpResponse& response,
                                                                           std::span<const CodeMeaning> meanings);

// base + path + "?access_token=…"; without the parameter where the resources have no token. `path` starts with "/".
[[nodiscard]] std::string authorized_url(const TokenSource& source, std::string_view path, const channel::Resources& resources);
// A POST of raw UTF-8 JSON to that URL.
[[nodiscard]] channel::HttpRequest authorized_post(const TokenSource& source, std::string_view path, const channel::Resources& resources,
                                                   std::string body);

}  // namespace touchgate::adapters::wechat
