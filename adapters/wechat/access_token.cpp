#include "adapters/wechat/access_token.hpp"

#include <algorithm>

#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::wechat {

namespace {

using channel::HttpRequest;
using channel::Outcome;
using channel::OutcomeKind;
using namespace std::chrono_literals;

constexpr std::int64_t valid_for_max_s = 7 * 86'400;

std::string address(const TokenSource& source, std::string_view path) { return (source.base.origin + source.base.path).append(path); }

HttpRequest json_post(const TokenSource& source, std::string url, std::string body) {
    return {
        "POST", std::move(url), {{"host", source.base.host}, {"content-type", "application/json"}, {"accept", "application/json"}}, std::move(body)};
}

HttpRequest get(const TokenSource& source, std::string url) {
    return {"GET", std::move(url), {{"host", source.base.host}, {"accept", "application/json"}}, {}};
}

// What a call for a token can end in: nothing was sent, whatever it was.
bool means_not_sent(OutcomeKind kind) {
    return kind == OutcomeKind::not_sent || kind == OutcomeKind::throttled || kind == OutcomeKind::quota_exhausted ||
           kind == OutcomeKind::credentials || kind == OutcomeKind::config || kind == OutcomeKind::provider_down;
}

}  // namespace

channel::Need token_need(const TokenSource& source) {
    const auto digest = crypto::sha256(source.secret);
    return {.key = "token:" + source.app + ":" + to_hex(crypto::view(digest).substr(0, 8))};
}

HttpRequest token_request(const TokenSource& source) {
    switch (source.call) {
        case TokenCall::stable: {
            std::string body = R"({"grant_type":"client_credential","appid":)";
            append_json_string(body, source.app);
            body += R"(,"secret":)";
            append_json_string(body, source.secret);
            return json_post(source, address(source, "/cgi-bin/stable_token"), body + R"(,"force_refresh":false})");
        }
        case TokenCall::classic:
            return get(source, address(source, "/cgi-bin/token?") +
                                   channel::encode_form({{"grant_type", "client_credential"}, {"appid", source.app}, {"secret", source.secret}}));
        case TokenCall::wecom:
            return get(source, address(source, "/cgi-bin/gettoken?") + channel::encode_form({{"corpid", source.app}, {"corpsecret", source.secret}}));
    }
    return {};
}

std::variant<channel::Resource, Outcome> read_token(const channel::HttpResponse& response, std::span<const CodeMeaning> meanings) {
    const auto answer = read_answer(response);
    if (!answer.readable) {
        auto outcome = outcome_of(answer, {});
        if (outcome.kind != OutcomeKind::throttled)
            outcome = {.kind = OutcomeKind::not_sent, .code = outcome.code, .detail = "no access token: the answer cannot be read"};
        return outcome;
    }
    if (answer.errcode == 0) {
        auto token = channel::text_member(answer.body, "access_token");
        if (token.empty()) return Outcome{.kind = OutcomeKind::not_sent, .code = "NO_TOKEN", .detail = "the answer has no access token"};
        const auto& expires = channel::member(answer.body, "expires_in");
        // The documents say 7,200 s, and never below 300.
        const auto seconds = expires.is_number_integer() ? std::clamp<std::int64_t>(expires.get<std::int64_t>(), 1, valid_for_max_s) : 7'200;
        return channel::Resource{.value = std::move(token), .valid_for = std::chrono::seconds{seconds}};
    }
    if (token_is_stale(answer))
        return Outcome{.kind = OutcomeKind::credentials, .code = std::to_string(answer.errcode), .detail = "the app id or its secret is wrong"};
    auto outcome = outcome_of(answer, meanings);
    // An unknown refusal concerns whoever asks, that is the account.
    if (!means_not_sent(outcome.kind)) outcome.kind = OutcomeKind::config;
    return outcome;
}

std::string authorized_url(const TokenSource& source, std::string_view path, const channel::Resources& resources) {
    auto url = address(source, path);
    const auto token = resources.find(token_need(source).key);
    if (token == resources.end()) return url;
    return url.append(path.find('?') == std::string_view::npos ? "?" : "&").append("access_token=").append(channel::percent_encode(token->second));
}

HttpRequest authorized_post(const TokenSource& source, std::string_view path, const channel::Resources& resources, std::string body) {
    return json_post(source, authorized_url(source, path, resources), std::move(body));
}

}  // namespace touchgate::adapters::wechat
