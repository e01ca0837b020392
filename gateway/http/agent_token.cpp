#include "gateway/http/agent_token.hpp"

#include "gateway/base/text.hpp"

namespace touchgate::http {

namespace {

constexpr std::size_t times_bytes = 16;
constexpr std::size_t token_bytes_max = 2'000;

void append_time(std::string& out, Instant instant) {
    const auto ms = static_cast<std::uint64_t>(unix_ms(instant));
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(ms >> static_cast<unsigned>(shift) & 0xFFU);
}

Instant read_time(std::string_view bytes) {
    std::uint64_t ms = 0;
    for (const char byte : bytes.substr(0, 8)) ms = ms << 8U | static_cast<std::uint8_t>(byte);
    return from_unix_ms(static_cast<std::int64_t>(ms));
}

}  // namespace

std::string AgentTokens::signature(std::string_view payload) const {
    const std::string_view key{reinterpret_cast<const char*>(key_.data()), key_.size()};
    return to_hex(crypto::view(crypto::hmac_sha256(key, payload)));
}

std::string AgentTokens::make(const AgentToken& token) const {
    std::string payload;
    append_time(payload, token.expires_at);
    append_time(payload, token.issued_at);
    payload += token.agent;
    return to_hex(payload) + "." + signature(payload);
}

std::optional<AgentToken> AgentTokens::verify(std::string_view text, Instant now) const {
    if (text.size() > token_bytes_max) return std::nullopt;
    const auto dot = text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto payload = from_hex(text.substr(0, dot));
    if (!payload || payload->size() <= times_bytes) return std::nullopt;
    if (!crypto::constant_time_equal(signature(*payload), text.substr(dot + 1))) return std::nullopt;
    AgentToken token{.agent = payload->substr(times_bytes), .expires_at = read_time(*payload), .issued_at = read_time(std::string_view{*payload}.substr(8))};
    if (token.expires_at <= now) return std::nullopt;
    return token;
}

}  // namespace touchgate::http
