// GET /v1/agent: an agent's connection becomes a WebSocket, once his token is known to be good and the engine knows him.
#include <algorithm>

#include "gateway/http/agent_session.hpp"
#include "gateway/http/endpoints/endpoints.hpp"

namespace touchgate::http {

namespace {

constexpr std::string_view token_prefix = "bearer.";

Error plain_error(ErrorKind kind, std::string detail) { return {.kind = kind, .detail = std::move(detail)}; }

// The words of a header that is a list, in lower case if asked for.
std::vector<std::string> words_of(std::string_view header) {
    std::vector<std::string> words;
    for (const auto word : split(header, ','))
        if (!trim(word).empty()) words.emplace_back(trim(word));
    return words;
}

bool has_word(std::string_view header, std::string_view word) {
    const auto words = words_of(header);
    return std::any_of(words.begin(), words.end(), [&](const std::string& each) { return to_lower_ascii(each) == word; });
}

struct Handshake {
    std::optional<Response> refusal = {};
    AgentToken token = {};
    bool names_protocol = false;
};

// Who may come in is asked first: whoever may not learns nothing else.
Handshake read_handshake(Exchange& exchange) {
    const auto refused = [&](ErrorKind kind, const char* detail, int status = 0) { return Handshake{.refusal = exchange.problem_of(plain_error(kind, detail), {}, status)}; };
    Handshake handshake;
    std::string token;
    for (const auto& protocol : words_of(exchange.header("Sec-WebSocket-Protocol"))) {
        if (protocol == agent_protocol) handshake.names_protocol = true;
        else if (protocol.starts_with(token_prefix)) token = protocol.substr(token_prefix.size());
    }
    constexpr std::string_view scheme = "bearer ";
    if (const auto authorization = exchange.header("Authorization"); to_lower_ascii(authorization.substr(0, scheme.size())) == scheme)
        token = trim(authorization.substr(scheme.size()));
    const auto& hub = *exchange.services().agents;
    const auto verified = hub.tokens().verify(token, hub.clock().wall_now());
    if (!verified) return refused(ErrorKind::unauthorized, "send a valid agent token as \"Authorization: Bearer …\" or as the sub-protocol bearer.<token>");
    handshake.token = *verified;

    if (!has_word(exchange.header("Upgrade"), "websocket") || !has_word(exchange.header("Connection"), "upgrade") || trim(exchange.header("Sec-WebSocket-Version")) != "13") {
        auto no_upgrade = refused(ErrorKind::malformed, "this is a WebSocket (RFC 6455, version 13): ask for an upgrade", 426);
        no_upgrade.refusal->headers.emplace_back("Upgrade", "websocket");
        no_upgrade.refusal->headers.emplace_back("Sec-WebSocket-Version", "13");
        return no_upgrade;
    }
    if (exchange.header("Sec-WebSocket-Key").empty()) return refused(ErrorKind::malformed, "the header Sec-WebSocket-Key is missing");
    const auto origin = exchange.header("Origin");
    const auto& origins = hub.options().origins;
    if (!origin.empty() && !origins.empty() && std::find(origins.begin(), origins.end(), origin) == origins.end())
        return refused(ErrorKind::forbidden, "pages of this origin may not connect (see agents.origins)");
    if (!handshake.names_protocol) return refused(ErrorKind::malformed, "offer the sub-protocol touchgate.v1");
    return handshake;
}

// Back on the connection's own thread: the engine has taken the agent in.
void go_on(const Call& call, AgentUpgrade upgrade) {
    const auto session = upgrade.session;
    if (call->sink().upgrade(std::move(upgrade))) {
        call->take_over();
        return;
    }
    session->on_closed();
    call->fail(plain_error(ErrorKind::malformed, "nothing may be sent before the upgrade is answered"));
}

void open_agent_socket(const Call& call) {
    auto handshake = read_handshake(*call);
    if (handshake.refusal) return call->answer(std::move(*handshake.refusal));
    auto& services = call->services();
    auto& hub = *services.agents;
    if (services.counters.agent_sockets_now.load() >= hub.options().connections_max)
        return call->fail({.kind = ErrorKind::unavailable, .detail = "too many agents are connected", .retry_after_s = 5});
    const auto session = std::make_shared<AgentSession>(hub, call->worker(), handshake.token);
    const bool taken = hub.desk().in_turn([call, session, names = handshake.names_protocol, most = hub.options().connections_per_agent](AgentDesk& desk) {
        const auto agent = desk.agent(session->agent());
        if (agent && agent->connections >= most)
            return call->fail({.kind = ErrorKind::rate_limited, .detail = "the agent has as many connections as allowed", .retry_after_s = 5});
        auto hello = desk.attach(session->agent(), session);
        if (!hello) {
            auto error = hello.error();
            // Whoever has no place here has no valid token either.
            if (error.kind != ErrorKind::unavailable) error.kind = ErrorKind::unauthorized;
            return call->fail(error);
        }
        desk.after_sync([call, session, names, hello = std::move(*hello)]() mutable {
            call->worker().run([call, upgrade = AgentUpgrade{.session = session, .hello = std::move(hello), .names_protocol = names}]() mutable { go_on(call, std::move(upgrade)); });
        });
    });
    if (!taken) call->fail(queue_full());
}

}  // namespace

void add_agent_socket_endpoint(Router& router) { router.add({.method = Method::get, .pattern = "/v1/agent", .handler = open_agent_socket}); }

}  // namespace touchgate::http
