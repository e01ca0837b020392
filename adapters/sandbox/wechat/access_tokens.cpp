#include "adapters/sandbox/wechat/access_tokens.hpp"

#include <algorithm>

namespace touchgate::sandbox {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t token_size = 120;
constexpr std::size_t tokens_max = 10'000;  // kept, so that a stale token is told from an unknown one

std::string slot(std::string_view application, std::string_view call) {
    std::string name{application};
    return name.append("\n").append(call);
}

std::int64_t seconds_up(AccessTokens::Time time) { return std::max<std::int64_t>((time.count() + 999'999'999) / 1'000'000'000, 0); }

}  // namespace

AccessTokens::Issued AccessTokens::issue(std::string_view application, std::string_view call, Time validity, Time now) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string token;
    for (std::size_t i = 0; i < token_size; ++i) token.push_back(letters[static_cast<std::size_t>(random_.below(letters.size()))]);
    if (tokens_.size() >= tokens_max) std::erase_if(tokens_, [&](const auto& entry) { return entry.second.expires + 1h < now; });
    tokens_.emplace(token, Token{.application = std::string{application}, .call = std::string{call}, .expires = now + validity});
    newest_[slot(application, call)] = token;
    return {.token = std::move(token), .expires_in = seconds_up(validity)};
}

AccessTokens::Issued AccessTokens::current(std::string_view application, std::string_view call, Time validity, Time spare, Time now) {
    if (const auto newest = newest_.find(slot(application, call)); newest != newest_.end()) {
        const auto found = tokens_.find(newest->second);
        if (found != tokens_.end() && found->second.revoked_code == 0 && found->second.expires > now + spare)
            return {.token = found->first, .expires_in = seconds_up(found->second.expires - now)};
    }
    return issue(application, call, validity, now);
}

AccessTokens::Issued AccessTokens::renew(std::string_view application, std::string_view call, Time validity, Time overlap, int code, Time now) {
    for (auto& [text, token] : tokens_) {
        if (token.application != application || token.call != call || token.revoked_code != 0) continue;
        token.revoked_at = now + overlap;
        token.revoked_code = code;
    }
    return issue(application, call, validity, now);
}

AccessTokens::Checked AccessTokens::check(std::string_view text, Time now) const {
    const auto found = tokens_.find(text);
    if (found == tokens_.end()) return {.application = {}, .code = 40014};
    const auto& token = found->second;
    if (token.revoked_code != 0 && token.revoked_at <= now) return {.application = {}, .code = token.revoked_code};
    if (token.expires <= now) return {.application = {}, .code = 42001};
    return {.application = token.application, .code = 0};
}

std::size_t AccessTokens::revoke(std::string_view application, int code, Time now) {
    std::size_t count = 0;
    for (auto& [text, token] : tokens_) {
        if ((!application.empty() && token.application != application) || token.expires <= now) continue;
        if (token.revoked_code != 0 && token.revoked_at <= now) continue;
        token.revoked_at = now;
        token.revoked_code = code;
        ++count;
    }
    return count;
}

}  // namespace touchgate::sandbox
