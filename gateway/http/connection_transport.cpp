// The two kinds of sockets under a connection: plain and TLS.
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include "gateway/http/agent_socket.hpp"
#include "gateway/http/connection.hpp"

namespace touchgate::http {

namespace {

namespace asio = boost::asio;
using boost::beast::error_code;

constexpr std::size_t write_bytes = 256 * 1024;

// Over a socket or over TLS on one: what a connection asks of its stream, which is the same for both.
template <class Stream>
class StreamConnection : public Connection {
public:
    template <class... Arguments>
    StreamConnection(std::shared_ptr<IoThread> thread, Arguments&&... arguments)
        : Connection{std::move(thread)}, stream_{std::forward<Arguments>(arguments)...} {}

protected:
    auto self() { return std::static_pointer_cast<StreamConnection>(shared_from_this()); }
    Stream stream_;

private:
    // Asked before each part that is written; the handler keeps the connection alive.
    auto progress() {
        return [this](const error_code& error, std::size_t) -> std::size_t {
            if (error) return 0;
            on_write_progress();
            return write_bytes;
        };
    }
    auto& socket() {
        if constexpr (std::is_same_v<Stream, Socket>) return stream_;
        else return stream_.next_layer();
    }
    void read_some(asio::mutable_buffer to) override {
        stream_.async_read_some(to, [self = self()](error_code error, std::size_t bytes) { self->on_read(error, bytes); });
    }
    void write_all(asio::const_buffer from) override {
        asio::async_write(stream_, from, progress(), [self = self()](error_code error, std::size_t) { self->on_written(error); });
    }
    void shut_down_sending() override {
        error_code ignored;
        socket().shutdown(asio::socket_base::shutdown_send, ignored);
    }
    void become_agent_socket(const AgentSocketStart& start) override { start_agent_socket(thread(), std::move(stream_), start); }
    void close_socket() override {
        error_code ignored;
        socket().shutdown(asio::socket_base::shutdown_both, ignored);
        socket().close(ignored);
    }
};

using PlainConnection = StreamConnection<Socket>;

class TlsConnection final : public StreamConnection<asio::ssl::stream<Socket>> {
public:
    using StreamConnection::StreamConnection;

    void start() override {
        stream_.async_handshake(asio::ssl::stream_base::server, [self = std::static_pointer_cast<TlsConnection>(shared_from_this())](error_code error) {
            if (error) self->close();
            else self->begin();
        });
    }
};

}  // namespace

std::shared_ptr<Connection> make_connection(std::shared_ptr<IoThread> thread, Socket socket, asio::ssl::context* tls) {
    if (tls != nullptr) return std::make_shared<TlsConnection>(std::move(thread), std::move(socket), *tls);
    return std::make_shared<PlainConnection>(std::move(thread), std::move(socket));
}

}  // namespace touchgate::http
