#include "gateway/net/call_stream.hpp"

#include <openssl/ssl.h>

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <charconv>
#include <deque>
#include <optional>
#include <utility>

#include "gateway/net/connect_errors.hpp"

namespace touchgate::net {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

struct Place {
    std::string scheme, host, target;
    std::uint16_t port = 0;
};

// "wss://host:8089/ari/events?app=x"
std::optional<Place> parse_place(std::string_view url) {
    const auto scheme_end = url.find("://");
    if (scheme_end == std::string_view::npos) return std::nullopt;
    Place place{.scheme = std::string{url.substr(0, scheme_end)}, .host = {}, .target = {}};
    auto rest = url.substr(scheme_end + 3);
    const auto path = std::min(rest.find_first_of("/?"), rest.size());
    place.target = std::string{rest.substr(path)};
    if (place.target.empty() || place.target.front() != '/') place.target.insert(0, "/");
    rest = rest.substr(0, path);
    const auto bracket = rest.find(']');
    const auto colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
    place.host = std::string{rest.substr(0, colon)};
    if (place.host.size() > 2 && place.host.front() == '[') place.host = place.host.substr(1, place.host.size() - 2);
    if (colon == std::string_view::npos) {
        place.port = place.scheme == "wss" ? 443 : place.scheme == "ws" ? 80 : 8'021;
    } else {
        const auto digits = rest.substr(colon + 1);
        const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), place.port);
        if (failure != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    }
    if (place.host.empty()) return std::nullopt;
    return place;
}

using TlsLayer = beast::ssl_stream<beast::tcp_stream>;

template <class Layer> class Connection final : public CallStream, public std::enable_shared_from_this<Connection<Layer>> {
    static constexpr bool is_tls = std::is_same_v<Layer, TlsLayer>;

public:
    Connection(asio::io_context& io, CallStreamListener& listener, channel::CallAdapter::Stream stream, Place place, std::string ca_file)
        : listener_{&listener}, settings_{std::move(stream)}, place_{std::move(place)}, ca_file_{std::move(ca_file)}, resolver_{io}, tls_{asio::ssl::context::tls_client},
          stream_{make(io)}, patience_{io} {}

    void open() override {
        wait(settings_.connect_timeout, [this] { fail(explain_connect_error(asio::error::timed_out, place_.host, place_.port)); });
        resolver_.async_resolve(place_.host, std::to_string(place_.port), asio::ip::resolver_base::numeric_service,
                                [self = this->shared_from_this()](error_code error, const tcp::resolver::results_type& found) {
                                    if (self->listener_ == nullptr) return;
                                    if (error) return self->fail(explain_connect_error(error, self->place_.host, self->place_.port));
                                    self->connect(found);
                                });
    }

    void write(std::string bytes) override {
        waiting_.push_back(std::move(bytes));
        write_next();
    }

    void close_when_written() override {
        close_wanted_ = true;
        wait(std::chrono::seconds{2}, [this] { fail("closed by the gateway"); });
        if (!writing_) say_goodbye();
    }

    void close() override {
        listener_ = nullptr;
        resolver_.cancel();
        patience_.cancel();
        error_code ignored;
        socket().close(ignored);
    }

private:
    websocket::stream<Layer> make(asio::io_context& io) {
        if constexpr (is_tls) return websocket::stream<Layer>{Layer{beast::tcp_stream{io}, tls_}};
        else return websocket::stream<Layer>{beast::tcp_stream{io}};
    }
    tcp::socket& socket() { return beast::get_lowest_layer(stream_).socket(); }

    template <class Then> void wait(Duration time, Then then) {
        patience_.expires_after(time);
        patience_.async_wait([self = this->shared_from_this(), then](error_code error) {
            if (!error && self->listener_ != nullptr) then();
        });
    }

    void connect(const tcp::resolver::results_type& addresses) {
        beast::get_lowest_layer(stream_).async_connect(addresses, [self = this->shared_from_this()](error_code error, const auto&) {
            if (self->listener_ == nullptr) return;
            if (error) return self->fail(explain_connect_error(error, self->place_.host, self->place_.port));
            self->socket().set_option(tcp::no_delay{true}, error);
            self->socket().set_option(asio::socket_base::keep_alive{true}, error);
            if constexpr (is_tls) self->shake_hands();
            else self->established();
        });
    }

    void shake_hands() {
        auto& layer = stream_.next_layer();
        auto* const ssl = layer.native_handle();
        SSL_set_min_proto_version(ssl, TLS1_2_VERSION);
        error_code error;
        const auto& file = settings_.tls_ca_file.empty() ? ca_file_ : settings_.tls_ca_file;
        if (!settings_.tls_verify) {
            layer.set_verify_mode(asio::ssl::verify_none, error);
        } else {
            if (file.empty()) tls_.set_default_verify_paths(error);
            else tls_.load_verify_file(file, error);
            if (error) return fail("TLS: cannot read the authorities' file " + file + ": " + error.message());
            layer.set_verify_mode(asio::ssl::verify_peer, error);
            layer.set_verify_callback(asio::ssl::host_name_verification{place_.host}, error);
        }
        asio::ip::make_address(place_.host, error);
        if (error) SSL_set_tlsext_host_name(ssl, place_.host.c_str());  // a name, not an address
        layer.async_handshake(asio::ssl::stream_base::client, [self = this->shared_from_this()](error_code failed) {
            if (self->listener_ == nullptr) return;
            if (failed) return self->fail(explain_tls_error(failed, self->place_.host, self->place_.port, SSL_get_verify_result(self->stream_.next_layer().native_handle())));
            self->established();
        });
    }

    void established() {
        if (!settings_.websocket) {
            opened();
            return;
        }
        // Pings after half of this silence, and ends after all of it.
        stream_.set_option(websocket::stream_base::timeout{.handshake_timeout = settings_.connect_timeout, .idle_timeout = settings_.ping_interval * 3 / 2, .keep_alive_pings = true});
        stream_.read_message_max(message_bytes_max);
        stream_.set_option(websocket::stream_base::decorator([headers = settings_.headers](websocket::request_type& request) {
            for (const auto& [name, value] : headers) request.set(name, value);
            request.set(http::field::user_agent, "touchgate");
        }));
        const auto host = place_.host.find(':') == std::string::npos ? place_.host : '[' + place_.host + ']';
        stream_.async_handshake(answer_, host + ':' + std::to_string(place_.port), place_.target, [self = this->shared_from_this()](error_code error) {
            if (self->listener_ == nullptr) return;
            if (!error) return self->opened();
            const auto status = self->answer_.result_int();
            const auto place = self->place_.host + ':' + std::to_string(self->place_.port);
            if (error != websocket::error::upgrade_declined) return self->fail(explain_connect_error(error, self->place_.host, self->place_.port));
            if (status == 401 || status == 403) return self->fail(place + " answers, but refuses the user name or password (HTTP " + std::to_string(status) + ')', true);
            self->fail(place + " answers, but opens no event stream there (HTTP " + std::to_string(status) + (status == 404 ? "; is base_url right?)" : ")"));
        });
    }

    void opened() {
        patience_.cancel();
        beast::get_lowest_layer(stream_).expires_never();
        open_ = true;
        listener_->on_stream_open();
        if (listener_ != nullptr) read();
        write_next();
    }

    void read() {
        auto heard = [self = this->shared_from_this()](error_code error, std::size_t size) {
            if (self->listener_ == nullptr) return;
            if (error) return self->fail(self->explain_end(error));
            if (self->settings_.websocket) {
                const auto data = self->message_.cdata();
                self->listener_->on_stream_bytes({static_cast<const char*>(data.data()), data.size()});
                self->message_.consume(self->message_.size());
            } else {
                self->listener_->on_stream_bytes({self->bytes_.data(), size});
            }
            if (self->listener_ != nullptr) self->read();
        };
        if (settings_.websocket) stream_.async_read(message_, std::move(heard));
        else stream_.next_layer().async_read_some(asio::buffer(bytes_), std::move(heard));
    }

    std::string explain_end(const error_code& error) const {
        const auto place = place_.host + ':' + std::to_string(place_.port);
        if (error == websocket::error::closed) return place + " closed the event stream";
        if (error == beast::error::timeout) return place + " has gone silent";
        if (error == websocket::error::message_too_big) return place + " sent a message that is too long";
        return explain_connect_error(error, place_.host, place_.port);
    }

    void write_next() {
        if (writing_ || !open_ || listener_ == nullptr) return;
        if (waiting_.empty()) {
            if (close_wanted_) say_goodbye();
            return;
        }
        writing_ = true;
        auto written = [self = this->shared_from_this()](error_code error, std::size_t) {
            self->writing_ = false;
            if (self->listener_ == nullptr) return;
            self->waiting_.pop_front();
            if (error) return self->fail(self->explain_end(error));
            self->write_next();
        };
        stream_.text(true);
        if (settings_.websocket) stream_.async_write(asio::buffer(waiting_.front()), std::move(written));
        else asio::async_write(stream_.next_layer(), asio::buffer(waiting_.front()), std::move(written));
    }

    void say_goodbye() {
        if (!settings_.websocket || !open_) {
            asio::post(stream_.get_executor(), [self = this->shared_from_this()] { self->fail("closed by the gateway"); });
            return;
        }
        stream_.async_close(websocket::close_code::normal, [self = this->shared_from_this()](error_code) { self->fail("closed by the gateway"); });
    }

    void fail(std::string reason, bool credentials = false) {
        auto* const listener = listener_;
        const auto self = this->shared_from_this();
        close();
        if (listener != nullptr) listener->on_stream_closed(std::move(reason), credentials);
    }

    CallStreamListener* listener_;  // null once closed
    channel::CallAdapter::Stream settings_;
    Place place_;
    std::string ca_file_;
    tcp::resolver resolver_;
    asio::ssl::context tls_;
    websocket::stream<Layer> stream_;  // a plain stream uses the layer below only
    asio::steady_timer patience_;
    websocket::response_type answer_;
    beast::flat_buffer message_;
    std::array<char, 16 * 1024> bytes_;
    std::deque<std::string> waiting_;
    bool open_ = false;
    bool writing_ = false;
    bool close_wanted_ = false;
};

}  // namespace

std::shared_ptr<CallStream> make_call_stream(asio::io_context& io, CallStreamListener& listener, const channel::CallAdapter::Stream& stream, const std::string& ca_file) {
    auto place = parse_place(stream.url);
    if (!place) return nullptr;
    const auto scheme = place->scheme;
    if (scheme == "ws" || scheme == "tcp") return std::make_shared<Connection<beast::tcp_stream>>(io, listener, stream, std::move(*place), ca_file);
    if (scheme == "wss" || scheme == "tls") return std::make_shared<Connection<TlsLayer>>(io, listener, stream, std::move(*place), ca_file);
    return nullptr;
}

}  // namespace touchgate::net
