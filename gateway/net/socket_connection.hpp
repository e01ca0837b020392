// One TCP connection of a SocketDriver, from its resolving to its end; plain or TLS. After close() it calls nobody any more.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <memory>
#include <string>

#include "gateway/channel/session_adapter.hpp"

namespace touchgate::net {

class SocketDriver;

class SocketConnection : public std::enable_shared_from_this<SocketConnection> {
public:
    SocketConnection(boost::asio::io_context& io, SocketDriver& driver, const channel::SessionAdapter::Endpoint& endpoint);

    void open();
    // Whole buffers, one at a time: the next one only after the driver heard `writable`.
    void write(std::string bytes);
    // Closes when the write in flight is done.
    void close_when_written();
    // Closes at once, without a word to the driver.
    void close();

private:
    using Executor = boost::asio::io_context::executor_type;
    using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
    using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
    using Resolver = boost::asio::ip::basic_resolver<boost::asio::ip::tcp, Executor>;
    using ErrorCode = boost::system::error_code;

    void connect(const Resolver::results_type& addresses);
    void shake_hands();
    void established();
    void fail(std::string reason);
    void read();
    void after_write(const ErrorCode& error);
    void report_when_writable();
    template <class Then>
    void write_all(Then then);

    SocketDriver* driver_;  // null once closed
    channel::SessionAdapter::Endpoint endpoint_;
    Resolver resolver_;
    boost::asio::ssl::context tls_;
    boost::asio::ssl::stream<Socket> stream_;
    Timer patience_;  // for connecting, and for the last write before a close
    enum class Phase : unsigned char { resolving, connecting, shaking_hands, open } phase_ = Phase::resolving;
    std::string writing_;
    bool close_wanted_ = false;
    std::array<char, 64 * 1024> incoming_;
};

}  // namespace touchgate::net
