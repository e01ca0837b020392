// The token with which an agent's desktop connects: who he is and until when, signed with a key of this installation.
//
// Form: hex(payload) "." hex(HMAC-SHA256(key, payload)); payload = expiry and issue in milliseconds since 1970 (8 bytes each, big-endian), then
// the agent's id. Only characters that may stand in a WebSocket sub-protocol. Whether the agent (still) exists is the engine's to say.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/time.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::http {

struct AgentToken {
    std::string agent;
    Instant expires_at{}, issued_at{};
};

class AgentTokens {
public:
    explicit AgentTokens(const crypto::Key& key) : key_{key} {}

    [[nodiscard]] std::string make(const AgentToken& token) const;
    // Nothing: not made with this key, changed, or expired at `now`. Any thread.
    [[nodiscard]] std::optional<AgentToken> verify(std::string_view text, Instant now) const;

private:
    [[nodiscard]] std::string signature(std::string_view payload) const;
    crypto::Key key_;
};

}  // namespace touchgate::http
