#include "adapters/sandbox/smsc_server.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <vector>

namespace touchgate::sandbox {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t read_bytes = 128 * 1024;
constexpr std::size_t backlog_max = 8 * 1024 * 1024;  // unwritten bytes above which a connection is not read from
constexpr auto linger = 2s;                           // after a graceful end: for the other side to read all and close
constexpr std::chrono::nanoseconds wake_spacing = 500us;  // receipts that are due close together are written together

}  // namespace

class SmscConnection {
public:
    virtual ~SmscConnection() = default;
    virtual void start() = 0;
    virtual void send(SmscOutput output) = 0;
    virtual void abandon() = 0;
};

namespace {

tcp::socket& socket_of(tcp::socket& socket) { return socket; }
tcp::socket& socket_of(asio::ssl::stream<tcp::socket>& stream) { return stream.next_layer(); }

template <class Stream> class StreamConnection final : public SmscConnection, public std::enable_shared_from_this<StreamConnection<Stream>> {
public:
    StreamConnection(Stream stream, ConnectionId id, SmscServer& server, asio::io_context& io)
        : stream_{std::move(stream)}, id_{id}, server_{server}, deadline_{io}, buffer_(read_bytes) {}

    void start() override {
        error_code ignored;
        socket_of(stream_).set_option(tcp::no_delay{true}, ignored);
        if constexpr (std::is_same_v<Stream, tcp::socket>) {
            established();
        } else {
            stream_.async_handshake(asio::ssl::stream_base::server, [self = this->shared_from_this()](error_code fault) {
                if (fault) self->close_socket();
                else self->established();
            });
        }
    }

    void send(SmscOutput output) override {
        if (ending_ != Ending::none) return;
        waiting_.append(output.bytes);
        ending_ = output.ending;
        if (ending_ == Ending::reset) {
            error_code ignored;
            socket_of(stream_).set_option(asio::socket_base::linger{true, 0}, ignored);
            return close_socket();
        }
        if (!writing_) write();
    }

    void abandon() override {
        error_code ignored;
        socket_of(stream_).close(ignored);
    }

private:
    void established() {
        known_ = true;
        server_.peer().on_connect(id_, server_.now());
        server_.pump();
        read();
    }

    void read() {
        reading_ = true;
        stream_.async_read_some(asio::buffer(buffer_), [self = this->shared_from_this()](error_code fault, std::size_t size) {
            self->reading_ = false;
            if (fault) return self->close_socket();
            if (self->ending_ == Ending::none) {
                self->server_.peer().on_bytes(self->id_, {self->buffer_.data(), size}, self->server_.now());
                self->server_.pump();
            }
            self->read_on();
        });
    }

    void read_on() {
        if (reading_ || !socket_of(stream_).is_open()) return;
        if (waiting_.size() + in_write_.size() < backlog_max) read();
    }

    void write() {
        if (waiting_.empty()) {
            if (ending_ == Ending::close) end_gracefully();
            return;
        }
        writing_ = true;
        in_write_.swap(waiting_);
        waiting_.clear();
        asio::async_write(stream_, asio::buffer(in_write_), [self = this->shared_from_this()](error_code fault, std::size_t) {
            self->writing_ = false;
            self->in_write_.clear();
            if (fault) return self->close_socket();
            self->write();
            self->read_on();
        });
    }

    // Closing a socket with unread bytes would reset it and destroy what was just written, so reading goes on until the other side ends.
    void end_gracefully() {
        error_code ignored;
        socket_of(stream_).shutdown(tcp::socket::shutdown_send, ignored);
        deadline_.expires_after(linger);
        deadline_.async_wait([self = this->shared_from_this()](error_code fault) {
            if (!fault) self->close_socket();
        });
    }

    void close_socket() {
        deadline_.cancel();
        error_code ignored;
        socket_of(stream_).close(ignored);
        if (forgotten_) return;
        forgotten_ = true;
        if (ending_ == Ending::none) ending_ = Ending::close;
        const auto keep = this->shared_from_this();
        if (known_) server_.peer().on_close(id_, server_.now());
        server_.forget(id_);
        server_.pump();
    }

    Stream stream_;
    ConnectionId id_;
    SmscServer& server_;
    asio::steady_timer deadline_;
    std::vector<char> buffer_;
    std::string waiting_;
    std::string in_write_;
    Ending ending_ = Ending::none;
    bool reading_ = false, writing_ = false, known_ = false, forgotten_ = false;
};

}  // namespace

SmscServer::SmscServer(asio::io_context& io, const Settings::Smsc& settings, const std::string& root, SmscPeer& peer, const Clock& clock)
    : io_{io}, peer_{peer}, clock_{clock}, acceptor_{io, {asio::ip::make_address(settings.listen.host), settings.listen.port}}, timer_{io},
      accept_again_{io} {
    if (!settings.certificate_file.empty()) {
        const auto in_root = [&](const std::string& file) { return file.front() == '/' || root.empty() ? file : root + '/' + file; };
        tls_.emplace(asio::ssl::context::tls_server);
        tls_->use_certificate_chain_file(in_root(settings.certificate_file));
        tls_->use_private_key_file(in_root(settings.key_file), asio::ssl::context::pem);
    }
    accept();
}

SmscServer::~SmscServer() {
    for (const auto& [id, connection] : connections_) connection->abandon();
}

void SmscServer::accept() {
    acceptor_.async_accept([this](error_code fault, tcp::socket socket) {
        if (fault == asio::error::operation_aborted) return;
        if (fault) return wait_and_accept();
        const auto id = next_id_++;
        std::shared_ptr<SmscConnection> connection;
        if (tls_) {
            using TlsStream = asio::ssl::stream<tcp::socket>;
            connection = std::make_shared<StreamConnection<TlsStream>>(TlsStream{std::move(socket), *tls_}, id, *this, io_);
        } else {
            connection = std::make_shared<StreamConnection<tcp::socket>>(std::move(socket), id, *this, io_);
        }
        connections_.emplace(id, connection);
        connection->start();
        accept();
    });
}

// Out of descriptors, most likely: trying again at once would only burn time.
void SmscServer::wait_and_accept() {
    accept_again_.expires_after(100ms);
    accept_again_.async_wait([this](error_code fault) {
        if (!fault) accept();
    });
}

void SmscServer::forget(ConnectionId id) { connections_.erase(id); }

void SmscServer::pump() {
    for (const auto id : peer_.take_ready()) {
        const auto found = connections_.find(id);
        if (found == connections_.end()) continue;
        const auto connection = found->second;  // sending may end and forget it
        connection->send(peer_.take_output(id));
    }
    const auto wake = peer_.wake_at();
    if (!wake || (timer_at_ && *timer_at_ <= *wake)) return;
    const auto at = std::max(*wake, clock_.monotonic_now() + wake_spacing);
    if (timer_at_ && *timer_at_ <= at) return;
    timer_at_ = at;
    timer_.expires_after(at - clock_.monotonic_now());
    timer_.async_wait([this](error_code fault) {
        if (fault) return;
        timer_at_.reset();
        peer_.on_wake(now());
        pump();
    });
}

}  // namespace touchgate::sandbox
