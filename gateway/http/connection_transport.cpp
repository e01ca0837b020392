// The two kinds of sockets under a connection: plain and TLS.
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include "gateway/http/connection.hpp"

namespace touchgate::http {

namespace {

namespace asio = boost::asio;
using boost::beast::error_code;

constexpr std::size_t write_bytes = 256 * 1024;

class PlainConnection final : public Connection {
public:
    PlainConnection(std::shared_ptr<IoThread> thread, Socket socket) : Connection{std::move(thread)}, socket_{std::move(socket)} {}

private:
    // Asked before each part that is written; the handler keeps the connection alive.
    auto progress() {
        return [this](const error_code& error, std::size_t) -> std::size_t {
            if (error) return 0;
            on_write_progress();
            return write_bytes;
        };
    }
    std::shared_ptr<PlainConnection> self() { return std::static_pointer_cast<PlainConnection>(shared_from_this()); }
    void read_some(asio::mutable_buffer to) override {
        socket_.async_read_some(to, [self = self()](error_code error, std::size_t bytes) { self->on_read(error, bytes); });
    }
    void write_all(asio::const_buffer from) override {
        asio::async_write(socket_, from, progress(), [self = self()](error_code error, std::size_t) { self->on_written(error); });
    }
    void shut_down_sending() override {
        error_code ignored;
        socket_.shutdown(asio::socket_base::shutdown_send, ignored);
    }
    void close_socket() override {
        error_code ignored;
        socket_.shutdown(asio::socket_base::shutdown_both, ignored);
        socket_.close(ignored);
    }
    Socket socket_;
};

class TlsConnection final : public Connection {
public:
    TlsConnection(std::shared_ptr<IoThread> thread, Socket socket, asio::ssl::context& tls)
        : Connection{std::move(thread)}, stream_{std::move(socket), tls} {}

    void start() override {
        stream_.async_handshake(asio::ssl::stream_base::server, [self = self()](error_code error) {
            if (error) self->close();
            else self->begin();
        });
    }

private:
    auto progress() {
        return [this](const error_code& error, std::size_t) -> std::size_t {
            if (error) return 0;
            on_write_progress();
            return write_bytes;
        };
    }
    std::shared_ptr<TlsConnection> self() { return std::static_pointer_cast<TlsConnection>(shared_from_this()); }
    void read_some(asio::mutable_buffer to) override {
        stream_.async_read_some(to, [self = self()](error_code error, std::size_t bytes) { self->on_read(error, bytes); });
    }
    void write_all(asio::const_buffer from) override {
        asio::async_write(stream_, from, progress(), [self = self()](error_code error, std::size_t) { self->on_written(error); });
    }
    void shut_down_sending() override {
        error_code ignored;
        stream_.next_layer().shutdown(asio::socket_base::shutdown_send, ignored);
    }
    void close_socket() override {
        error_code ignored;
        stream_.next_layer().shutdown(asio::socket_base::shutdown_both, ignored);
        stream_.next_layer().close(ignored);
    }
    asio::ssl::stream<Socket> stream_;
};

}  // namespace

std::shared_ptr<Connection> make_connection(std::shared_ptr<IoThread> thread, Socket socket, asio::ssl::context* tls) {
    if (tls != nullptr) return std::make_shared<TlsConnection>(std::move(thread), std::move(socket), *tls);
    return std::make_shared<PlainConnection>(std::move(thread), std::move(socket));
}

}  // namespace touchgate::http
