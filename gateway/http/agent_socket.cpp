#include "gateway/http/agent_socket.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace touchgate::http {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using beast::error_code;

constexpr std::size_t read_bytes = 16 * 1024;
constexpr std::size_t kept_bytes = 4 * 1024;  // of the buffer, between two frames
constexpr Duration handshake_within{10'000};

// permessage-deflate is compiled out: its windows would be most of what a connection takes.
template <class Stream>
class BeastSocket final : public AgentWire, public Tended, public std::enable_shared_from_this<BeastSocket<Stream>> {
public:
    BeastSocket(std::shared_ptr<IoThread> thread, Stream stream, AgentUpgrade upgrade)
        : thread_{std::move(thread)}, stream_{std::move(stream)}, session_{std::move(upgrade.session)}, hello_{std::make_unique<Hello>(std::move(upgrade.hello))},
          accept_by_{thread_->coarse_now() + handshake_within} {
        counters().agent_sockets_now.fetch_add(1, std::memory_order_relaxed);
        thread_->tend(*this);
    }
    ~BeastSocket() override {
        counters().agent_sockets_now.fetch_sub(1, std::memory_order_relaxed);
        thread_->forget(*this);
    }
    BeastSocket(const BeastSocket&) = delete;
    BeastSocket& operator=(const BeastSocket&) = delete;

    void accept(const AgentSocketStart& start) {
        stream_.set_option(websocket::stream_base::decorator([named = start.upgrade.names_protocol](websocket::response_type& answer) {
            answer.erase(beast::http::field::server);
            if (named) answer.set(beast::http::field::sec_websocket_protocol, beast::string_view{agent_protocol.data(), agent_protocol.size()});
        }));
        stream_.control_callback([this](websocket::frame_type, beast::string_view) { session_->on_heard(); });
        stream_.auto_fragment(false);
        stream_.read_message_max(0);  // looked at here, for a close that says why
        stream_.text(true);
        const beast::http::request<beast::http::empty_body> request{start.head};
        stream_.async_accept(request, [self = this->shared_from_this()](error_code error) {
            if (error) return self->ended();
            self->session_->open(*self, *std::exchange(self->hello_, nullptr));
            self->read_on();
        });
    }

    // ---- AgentWire
    void write(std::string_view text) override {
        counters().agent_frames_out.fetch_add(1, std::memory_order_relaxed);
        stream_.async_write(asio::buffer(text.data(), text.size()), [self = this->shared_from_this()](error_code error, std::size_t) {
            if (error) self->ended();
            else self->session_->on_written();
        });
    }
    void ping() override {
        if (std::exchange(pinging_, true)) return;
        stream_.async_ping({}, [self = this->shared_from_this()](error_code error) {
            self->pinging_ = false;
            if (error) self->ended();
        });
    }
    void read_on() override {
        auto self = this->shared_from_this();
        not_reading_.reset();
        stream_.async_read_some(buffer_, read_bytes, [self = std::move(self)](error_code error, std::size_t) { self->on_read(error); });
    }
    void close(AgentClose code, std::string_view reason) override {
        closing_ = true;
        websocket::close_reason why{static_cast<websocket::close_code>(code)};
        const auto text = reason.substr(0, 120);  // what a control frame can hold
        why.reason.assign(text.data(), text.size());
        stream_.async_close(why, [self = this->shared_from_this()](error_code) { self->drop(); });
    }
    void drop() override {
        error_code ignored;
        beast::get_lowest_layer(stream_).close(ignored);
        ended();
    }

    // ---- Tended
    [[nodiscard]] std::chrono::steady_clock::time_point deadline() const override { return hello_ ? accept_by_ : session_->deadline(); }
    void time_out() override {
        if (hello_) drop();
        else session_->tick();
    }
    void close_if_idle(bool forced) override {
        if (forced || hello_) drop();
        else session_->refuse(AgentClose::restart, "the gateway stops; connect again");
    }
    [[nodiscard]] std::shared_ptr<Tended> alive() override { return this->weak_from_this().lock(); }

private:
    [[nodiscard]] Counters& counters() { return thread_->services().counters; }

    void on_read(error_code error) {
        if (error) return ended();
        if (closing_) return;  // the closing handshake reads by itself
        if (buffer_.size() > agent_frame_bytes_max) return session_->refuse(AgentClose::too_big, "a frame may have 64 KiB");
        if (!stream_.is_message_done()) return read_on();
        if (!stream_.got_text()) return session_->refuse(AgentClose::unsupported, "only text frames are understood");
        counters().agent_frames_in.fetch_add(1, std::memory_order_relaxed);
        const auto bytes = buffer_.data();
        session_->on_text({static_cast<const char*>(bytes.data()), bytes.size()});
        buffer_.consume(buffer_.size());
        if (buffer_.capacity() > kept_bytes) buffer_ = {};
        if (closing_ || ended_) return;
        if (session_->reads_on()) read_on();
        else not_reading_ = this->shared_from_this();
    }

    void ended() {
        if (std::exchange(ended_, true)) return;
        const auto kept = std::exchange(not_reading_, nullptr);
        session_->on_closed();
    }

    std::shared_ptr<IoThread> thread_;
    websocket::stream<Stream, false> stream_;
    beast::flat_buffer buffer_;
    std::shared_ptr<AgentSession> session_;
    std::unique_ptr<Hello> hello_;  // until the handshake is done
    std::shared_ptr<BeastSocket> not_reading_;  // itself, while it reads nothing more for now: no operation may be out that holds it
    std::chrono::steady_clock::time_point accept_by_;
    bool pinging_ = false, closing_ = false, ended_ = false;
};

template <class Stream> void start(std::shared_ptr<IoThread> thread, Stream stream, const AgentSocketStart& start) {
    std::make_shared<BeastSocket<Stream>>(std::move(thread), std::move(stream), start.upgrade)->accept(start);
}

}  // namespace

void start_agent_socket(std::shared_ptr<IoThread> thread, Socket socket, const AgentSocketStart& upgrade) { start(std::move(thread), std::move(socket), upgrade); }
void start_agent_socket(std::shared_ptr<IoThread> thread, asio::ssl::stream<Socket> stream, const AgentSocketStart& upgrade) {
    start(std::move(thread), std::move(stream), upgrade);
}

}  // namespace touchgate::http
