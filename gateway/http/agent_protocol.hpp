// The frames of the agents' WebSocket (sub-protocol touchgate.v1, docs/asyncapi.yaml): what a text frame asks for, and how replies look. Pure.
//
//   request {"id": 7, "type": "presence.set", …}     id: number or string
//   reply   {"reply_to": 7, "ok": true, …}  or  {"reply_to": 7, "ok": false, "error": {"code", "detail"}, …}
//   push    {"seq": 12, "type": "offer", …}           without seq: what is about the connection itself (hello, token.expiring, wallboard)
#pragma once

#include <absl/functional/any_invocable.h>

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "gateway/base/result.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::http {

inline constexpr std::string_view agent_protocol = "touchgate.v1";
inline constexpr std::size_t agent_frame_bytes_max = 64 * 1024;

// Close codes: those of RFC 6455, and of the range that it leaves to applications.
enum class AgentClose : std::uint16_t {
    unsupported = 1003,     // a binary frame
    policy = 1008,          // too many requests
    too_big = 1009,
    restart = 1012,         // the gateway stops; connect again
    token_expired = 4401,
    ended = 4403,           // the agent was disabled
    silent = 4408,          // nothing was heard for too long
};

struct AgentRequest {
    std::string id_json;    // as it came: 7, "a"
    std::string type;
    Json body;              // the whole frame, an object
};

// Malformed: no JSON object, no usable id, no type. `id_json` of the failure is what the reply names, "null" when there is nothing to name.
struct MalformedFrame { std::string id_json, detail; };
[[nodiscard]] std::variant<AgentRequest, MalformedFrame> read_agent_request(std::string_view text);

// What is answered. `members` writes what stands beside "ok" (or beside "error"); it is called once, on any thread.
struct AgentReply {
    std::optional<Error> error = {};  // its `reference` is the protocol's code
    absl::AnyInvocable<void(std::string& out, JsonObject& json)> members = {};
};
[[nodiscard]] std::string render_reply(std::string_view id_json, AgentReply reply);

// The code of an error: its reference if that is one of the protocol's, else what its kind comes closest to.
[[nodiscard]] std::string_view agent_error_code(const Error& error);
[[nodiscard]] inline Error agent_error(std::string code, std::string detail, ErrorKind kind = ErrorKind::conflict) {
    return {.kind = kind, .detail = std::move(detail), .reference = std::move(code)};
}

}  // namespace touchgate::http
