#include "gateway/net/socket_connection.hpp"

#include <openssl/ssl.h>
#include <poll.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "gateway/net/connect_errors.hpp"
#include "gateway/net/socket_driver.hpp"

namespace touchgate::net {

namespace asio = boost::asio;

SocketConnection::SocketConnection(asio::io_context& io, SocketDriver& driver, const channel::SessionAdapter::Endpoint& endpoint)
    : driver_{&driver},
      endpoint_{endpoint},
      resolver_{io.get_executor()},
      tls_{asio::ssl::context::tls_client},
      stream_{io.get_executor(), tls_},
      patience_{io.get_executor()} {}

void SocketConnection::open() {
    patience_.expires_after(endpoint_.connect_timeout);
    patience_.async_wait([self = shared_from_this()](ErrorCode error) {
        if (error || self->driver_ == nullptr || self->phase_ == Phase::open) return;
        const auto& endpoint = self->endpoint_;
        self->fail(self->phase_ == Phase::shaking_hands ? explain_tls_error(asio::error::timed_out, endpoint.host, endpoint.port, X509_V_OK)
                                                        : explain_connect_error(asio::error::timed_out, endpoint.host, endpoint.port));
    });
    resolver_.async_resolve(endpoint_.host, std::to_string(endpoint_.port), asio::ip::resolver_base::numeric_service,
                            [self = shared_from_this()](ErrorCode error, const Resolver::results_type& addresses) {
                                if (self->driver_ == nullptr) return;
                                if (error) self->fail(explain_connect_error(error, self->endpoint_.host, self->endpoint_.port));
                                else self->connect(addresses);
                            });
}

void SocketConnection::connect(const Resolver::results_type& addresses) {
    phase_ = Phase::connecting;
    asio::async_connect(stream_.next_layer(), addresses, [self = shared_from_this()](ErrorCode error, const auto&) {
        if (self->driver_ == nullptr) return;
        if (error) {
            self->fail(explain_connect_error(error, self->endpoint_.host, self->endpoint_.port));
            return;
        }
        // A window of small requests against a peer with delayed acknowledgements crawls under Nagle's algorithm.
        self->stream_.next_layer().set_option(asio::ip::tcp::no_delay{true}, error);
        self->stream_.next_layer().set_option(asio::socket_base::keep_alive{true}, error);
        self->stream_.next_layer().non_blocking(true, error);
        if (self->endpoint_.tls) self->shake_hands();
        else self->established();
    });
}

void SocketConnection::shake_hands() {
    phase_ = Phase::shaking_hands;
    auto* const ssl = stream_.native_handle();
    SSL_set_min_proto_version(ssl, TLS1_2_VERSION);
    ErrorCode error;
    if (endpoint_.tls_verify) {
        if (endpoint_.tls_ca_file.empty()) tls_.set_default_verify_paths(error);
        else tls_.load_verify_file(endpoint_.tls_ca_file, error);
        if (error) {
            fail("TLS: cannot read the authorities' file " + endpoint_.tls_ca_file + ": " + error.message());
            return;
        }
        stream_.set_verify_mode(asio::ssl::verify_peer, error);
        stream_.set_verify_callback(asio::ssl::host_name_verification{endpoint_.host}, error);
    } else {
        stream_.set_verify_mode(asio::ssl::verify_none, error);
    }
    asio::ip::make_address(endpoint_.host, error);
    if (error) SSL_set_tlsext_host_name(ssl, endpoint_.host.c_str());  // a name, not an address
    stream_.async_handshake(asio::ssl::stream_base::client, [self = shared_from_this()](ErrorCode failed) {
        if (self->driver_ == nullptr) return;
        if (failed)
            self->fail(explain_tls_error(failed, self->endpoint_.host, self->endpoint_.port, SSL_get_verify_result(self->stream_.native_handle())));
        else self->established();
    });
}

void SocketConnection::established() {
    phase_ = Phase::open;
    patience_.cancel();
    read();
    driver_->connected();
}

void SocketConnection::fail(std::string reason) {
    auto* const driver = driver_;
    close();
    if (driver != nullptr) driver->closed(std::move(reason));
}

void SocketConnection::close() {
    driver_ = nullptr;
    ErrorCode ignored;
    resolver_.cancel();
    patience_.cancel();
    stream_.next_layer().close(ignored);
}

void SocketConnection::read() {
    auto heard = [self = shared_from_this()](ErrorCode error, std::size_t size) {
        if (self->driver_ == nullptr) return;
        if (error) {
            self->fail(explain_connect_error(error, self->endpoint_.host, self->endpoint_.port));
            return;
        }
        self->driver_->received({self->incoming_.data(), size});
        if (self->driver_ != nullptr) self->read();
    };
    if (endpoint_.tls) stream_.async_read_some(asio::buffer(incoming_), std::move(heard));
    else stream_.next_layer().async_read_some(asio::buffer(incoming_), std::move(heard));
}

template <class Then>
void SocketConnection::write_all(Then then) {
    if (endpoint_.tls) {
        asio::async_write(stream_, asio::buffer(writing_), std::move(then));
        return;
    }
    // The first byte goes now, in this call: the machine has just checked the permits.
    ErrorCode error;
    auto& socket = stream_.next_layer();
    const auto written = socket.write_some(asio::buffer(writing_), error);
    if (error == asio::error::would_block) error = {};
    if (error || written == writing_.size())
        asio::post(socket.get_executor(), [then = std::move(then), error, written]() mutable { then(error, written); });
    else asio::async_write(socket, asio::buffer(writing_.data() + written, writing_.size() - written), std::move(then));
}

void SocketConnection::write(std::string bytes) {
    writing_ = std::move(bytes);
    write_all([self = shared_from_this()](ErrorCode error, std::size_t) { self->after_write(error); });
}

void SocketConnection::after_write(const ErrorCode& error) {
    if (driver_ == nullptr) return;
    writing_.clear();
    if (error) fail(explain_connect_error(error, endpoint_.host, endpoint_.port));
    else if (close_wanted_) fail("closed by the gateway");
    else report_when_writable();
}

void SocketConnection::report_when_writable() {
    pollfd now{.fd = stream_.next_layer().native_handle(), .events = POLLOUT, .revents = 0};
    if (::poll(&now, 1, 0) == 1) {
        driver_->writable();
        return;
    }
    stream_.next_layer().async_wait(asio::socket_base::wait_write, [self = shared_from_this()](ErrorCode error) {
        if (self->driver_ == nullptr) return;
        if (error) self->fail(explain_connect_error(error, self->endpoint_.host, self->endpoint_.port));
        else if (self->close_wanted_) self->fail("closed by the gateway");
        else self->driver_->writable();
    });
}

void SocketConnection::close_when_written() {
    close_wanted_ = true;
    if (writing_.empty()) {
        asio::post(stream_.get_executor(), [self = shared_from_this()] { self->fail("closed by the gateway"); });
        return;
    }
    // A peer that reads no more must not hold the connection.
    patience_.expires_after(std::chrono::seconds{2});
    patience_.async_wait([self = shared_from_this()](ErrorCode error) {
        if (!error) self->fail("closed by the gateway");
    });
}

}  // namespace touchgate::net
