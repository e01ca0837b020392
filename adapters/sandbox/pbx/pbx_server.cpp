#include "adapters/sandbox/pbx/pbx_server.hpp"

#include <algorithm>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket.hpp>
#include <deque>
#include <utility>

namespace touchgate::sandbox {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using namespace std::chrono_literals;

class EventSocket : public std::enable_shared_from_this<EventSocket> {
public:
    EventSocket(asio::ip::tcp::socket socket, SocketId id, PbxServer& server) : stream_{std::move(socket)}, id_{id}, server_{&server} {}

    void accept(UpgradeRequest request, HttpRequest plain) {
        request_ = std::move(request);
        stream_.async_accept(request_, [self = shared_from_this(), plain = std::move(plain)](error_code fault) {
            if (self->server_ == nullptr) return;
            if (fault) return self->gone();
            self->open_ = true;
            self->server_->peer_.on_socket_open(self->id_, plain, self->server_->now());
            self->read();
            self->server_->pump();
        });
    }

    void write(std::string text) {
        waiting_.push_back(std::move(text));
        write_next();
    }

    void end(bool reset) {
        server_ = nullptr;
        if (reset) {
            error_code ignored;
            auto& socket = beast::get_lowest_layer(stream_).socket();
            socket.set_option(asio::socket_base::linger{true, 0}, ignored);
            socket.close(ignored);
        } else {
            stream_.async_close(websocket::close_code::going_away, [self = shared_from_this()](error_code) {});
        }
    }

private:
    void read() {
        stream_.async_read(heard_, [self = shared_from_this()](error_code fault, std::size_t) {
            if (self->server_ == nullptr) return;
            if (fault) return self->gone();
            self->heard_.consume(self->heard_.size());  // clients have nothing to say here
            self->read();
        });
    }

    void write_next() {
        if (writing_ || !open_ || waiting_.empty()) return;
        writing_ = true;
        stream_.text(true);
        stream_.async_write(asio::buffer(waiting_.front()), [self = shared_from_this()](error_code fault, std::size_t) {
            self->writing_ = false;
            self->waiting_.pop_front();
            if (!fault && self->server_ != nullptr) self->write_next();
        });
    }

    void gone() {
        if (auto* const server = std::exchange(server_, nullptr)) server->closed(id_);
    }

    websocket::stream<beast::tcp_stream> stream_;
    SocketId id_;
    PbxServer* server_;  // null once ended
    UpgradeRequest request_;
    beast::flat_buffer heard_;
    std::deque<std::string> waiting_;
    bool open_ = false;
    bool writing_ = false;
};

PbxServer::PbxServer(asio::io_context& io, const ListenAddress& listen, PbxPeer& peer, const Clock& clock)
    : peer_{peer}, clock_{clock}, timer_{io},
      server_{io, listen,
              [this](const HttpRequest& request) {
                  if (peer_.is_away(now())) return HttpReply{.hang_up = true};
                  auto reply = peer_.handle(request, now());
                  pump();
                  return reply;
              },
              UpgradeHandler{.refuse = [this](const HttpRequest& request) -> std::optional<HttpReply> {
                                 if (peer_.is_away(now())) return HttpReply{.hang_up = true};
                                 return peer_.refuse_socket(request, now());
                             },
                             .take = [this](asio::ip::tcp::socket socket, UpgradeRequest request) { take_over(std::move(socket), std::move(request)); }}} {}

PbxServer::~PbxServer() {
    for (const auto& [id, socket] : sockets_) socket->end(true);
}

void PbxServer::take_over(asio::ip::tcp::socket socket, UpgradeRequest request) {
    const auto id = next_id_++;
    HttpRequest plain{.method = "GET", .target = std::string{request.target()}, .headers = {}, .body = {}};
    auto made = std::make_shared<EventSocket>(std::move(socket), id, *this);
    sockets_.emplace(id, made);
    made->accept(std::move(request), std::move(plain));
}

void PbxServer::closed(SocketId id) {
    sockets_.erase(id);
    peer_.on_socket_closed(id);
    pump();
}

void PbxServer::pump() {
    auto output = peer_.take_output();
    for (auto& frame : output.frames)
        if (const auto found = sockets_.find(frame.socket); found != sockets_.end()) found->second->write(std::move(frame.text));
    for (const auto& ended : output.ended)
        if (const auto found = sockets_.find(ended.socket); found != sockets_.end()) {
            found->second->end(ended.reset);
            sockets_.erase(found);
        }
    const auto wake = peer_.wake_at();
    if (!wake || (timer_at_ && *timer_at_ <= *wake)) return;
    timer_at_ = wake;
    timer_.expires_after(std::max<std::chrono::nanoseconds>(0ns, *wake - clock_.monotonic_now()));
    timer_.async_wait([this](error_code fault) {
        if (fault) return;
        timer_at_.reset();
        peer_.on_wake(now());
        pump();
    });
}

}  // namespace touchgate::sandbox
