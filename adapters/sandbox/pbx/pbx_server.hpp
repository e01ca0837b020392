// The simulated PBX's sockets: REST and event streams on one port. No protocol here.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <optional>

#include "adapters/sandbox/http_server.hpp"
#include "adapters/sandbox/pbx/pbx_peer.hpp"
#include "gateway/base/clock.hpp"

namespace touchgate::sandbox {

class EventSocket;

class PbxServer {
public:
    // Throws boost::system::system_error when it cannot listen.
    PbxServer(boost::asio::io_context& io, const ListenAddress& listen, PbxPeer& peer, const Clock& clock);
    ~PbxServer();

    [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return server_.endpoint(); }
    // Writes what the peer has ready and sets the timer: after every call to the peer, whoever made it.
    void pump();

private:
    friend class EventSocket;
    [[nodiscard]] Now now() const { return {.monotonic = clock_.monotonic_now(), .wall = clock_.wall_now()}; }
    void take_over(boost::asio::ip::tcp::socket socket, UpgradeRequest request);
    void closed(SocketId id);

    PbxPeer& peer_;
    const Clock& clock_;
    boost::asio::steady_timer timer_;
    std::optional<std::chrono::nanoseconds> timer_at_;
    std::map<SocketId, std::shared_ptr<EventSocket>> sockets_;
    SocketId next_id_ = 1;
    HttpServer server_;
};

}  // namespace touchgate::sandbox
