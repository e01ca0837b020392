// The WebSocket under an agent's session, over a plain or TLS socket that a connection of the API gives away. Beast's types stay in the .cpp.
#pragma once

#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/http/message.hpp>
#include <memory>

#include "gateway/http/agent_session.hpp"
#include "gateway/http/io_thread.hpp"

namespace touchgate::http {

struct AgentSocketStart {
    boost::beast::http::request_header<> head;  // asks for the upgrade
    AgentUpgrade upgrade;
};

// Takes the socket, answers the handshake, and serves the session until the connection ends. Own I/O thread.
void start_agent_socket(std::shared_ptr<IoThread> thread, Socket socket, const AgentSocketStart& start);
void start_agent_socket(std::shared_ptr<IoThread> thread, boost::asio::ssl::stream<Socket> stream, const AgentSocketStart& start);

}  // namespace touchgate::http
