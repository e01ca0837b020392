#include "gateway/http/agent_protocol.hpp"

#include <algorithm>
#include <array>

#include "gateway/http/input_readers.hpp"

namespace touchgate::http {

namespace {

constexpr std::size_t id_bytes_max = 200;
constexpr std::array<std::string_view, 12> codes = {"stale_offer",  "not_yours",     "unknown_offer", "unknown_interaction", "wrong_state",    "bad_request",
                                                    "not_allowed", "policy_denied", "no_capacity",   "resume_too_old",      "not_configured", "rate_limited"};

// The id as JSON; nothing when it is none that a reply can name.
std::optional<std::string> id_of(const Json& frame) {
    const auto id = frame.find("id");
    if (id == frame.end()) return std::nullopt;
    const bool usable = id->is_number() || (id->is_string() && id->get_ref<const std::string&>().size() <= id_bytes_max);
    return usable ? std::optional{id->dump()} : std::nullopt;
}

}  // namespace

std::variant<AgentRequest, MalformedFrame> read_agent_request(std::string_view text) {
    auto parsed = read_json(text);
    if (!parsed) return MalformedFrame{"null", parsed.error().detail};
    if (!parsed->is_object()) return MalformedFrame{"null", "a frame must be a JSON object"};
    auto id = id_of(*parsed);
    if (!id) return MalformedFrame{"null", "\"id\" must be a number or a string of at most 200 bytes"};
    const auto type = parsed->find("type");
    if (type == parsed->end() || !type->is_string()) return MalformedFrame{std::move(*id), "\"type\" must be the name of a request"};
    auto name = type->get<std::string>();
    return AgentRequest{.id_json = std::move(*id), .type = std::move(name), .body = std::move(*parsed)};
}

std::string_view agent_error_code(const Error& error) {
    if (const auto known = std::find(codes.begin(), codes.end(), error.reference); known != codes.end()) return *known;
    switch (error.kind) {
        case ErrorKind::conflict: return "wrong_state";
        case ErrorKind::forbidden:
        case ErrorKind::unauthorized: return "not_allowed";
        case ErrorKind::rate_limited:
        case ErrorKind::unavailable: return "rate_limited";
        default: return "bad_request";
    }
}

std::string render_reply(std::string_view id_json, AgentReply reply) {
    std::string out;
    JsonObject json{out};
    json.raw("reply_to", id_json).boolean("ok", !reply.error.has_value());
    if (reply.error) {
        json.name("error");
        JsonObject error{out};
        error.text("code", agent_error_code(*reply.error)).text("detail", reply.error->detail);
        if (!reply.error->problems.empty()) {
            error.name("errors");
            out += '[';
            for (const auto& problem : reply.error->problems) {
                if (out.back() != '[') out += ',';
                JsonObject{out}.text("pointer", problem.pointer).text("detail", problem.detail).close();
            }
            out += ']';
        }
        error.close();
    }
    if (reply.members) reply.members(out, json);
    json.close();
    return out;
}

}  // namespace touchgate::http
