// The message centre's sockets: accepts connections, feeds their bytes to the peer, writes what it gives back. No protocol here.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <optional>

#include "adapters/sandbox/settings.hpp"
#include "adapters/sandbox/smsc_peer.hpp"
#include "gateway/base/clock.hpp"

namespace touchgate::sandbox {

class SmscConnection;

class SmscServer {
public:
    // Throws boost::system::system_error when it cannot listen or load the certificate.
    SmscServer(boost::asio::io_context& io, const Settings::Smsc& settings, const std::string& root, SmscPeer& peer, const Clock& clock);
    ~SmscServer();

    [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }
    // Writes what the peer has ready and sets the timer: after every call to the peer, whoever made it.
    void pump();
    [[nodiscard]] Now now() const { return {.monotonic = clock_.monotonic_now(), .wall = clock_.wall_now()}; }
    [[nodiscard]] SmscPeer& peer() { return peer_; }
    void forget(ConnectionId id);

private:
    void accept();
    void wait_and_accept();

    boost::asio::io_context& io_;
    SmscPeer& peer_;
    const Clock& clock_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::optional<boost::asio::ssl::context> tls_;
    boost::asio::steady_timer timer_;
    boost::asio::steady_timer accept_again_;
    std::optional<std::chrono::nanoseconds> timer_at_;
    std::map<ConnectionId, std::shared_ptr<SmscConnection>> connections_;
    ConnectionId next_id_ = 1;
};

}  // namespace touchgate::sandbox
