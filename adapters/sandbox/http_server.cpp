#include "adapters/sandbox/http_server.hpp"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <optional>

#include "gateway/base/text.hpp"

namespace touchgate::sandbox {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t body_max = 64 * 1024 * 1024;
constexpr auto callback_timeout = 5s;
constexpr std::size_t callbacks_at_once = 64;

class HttpSession : public std::enable_shared_from_this<HttpSession> {
public:
    HttpSession(tcp::socket socket, std::shared_ptr<HttpServer::Handler> handler, std::shared_ptr<std::optional<UpgradeHandler>> upgrade)
        : stream_{std::move(socket)}, delay_{stream_.get_executor()}, handler_{std::move(handler)}, upgrade_{std::move(upgrade)} {
        error_code ignored;
        stream_.socket().set_option(tcp::no_delay{true}, ignored);
    }

    void read() {
        parser_.emplace();
        parser_->body_limit(body_max);
        http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code fault, std::size_t) {
            if (!fault) self->answer();
        });
    }

private:
    void answer() {
        const auto& message = parser_->get();
        HttpRequest request{.method = std::string{message.method_string()}, .target = std::string{message.target()}, .headers = {}, .body = message.body()};
        for (const auto& field : message) {
            const auto name = field.name_string();
            const auto value = field.value();
            request.headers.emplace_back(to_lower_ascii({name.data(), name.size()}), std::string{value.data(), value.size()});
        }
        std::optional<HttpReply> refusal;
        if (const auto& upgrade = *upgrade_; upgrade && beast::websocket::is_upgrade(message)) {
            refusal = upgrade->refuse(request);
            if (!refusal) return upgrade->take(stream_.release_socket(), parser_->release());
        }
        auto reply = refusal ? std::move(*refusal) : (*handler_)(request);
        if (reply.delay <= 0ns) return send(std::move(reply));
        delay_.expires_after(reply.delay);
        delay_.async_wait([self = shared_from_this(), held = std::make_shared<HttpReply>(std::move(reply))](error_code) { self->send(std::move(*held)); });
    }

    void send(HttpReply reply) {
        if (reply.hang_up) return stream_.close();
        response_ = {};
        response_.result(static_cast<unsigned>(reply.status));
        response_.version(parser_->get().version());
        response_.keep_alive(parser_->get().keep_alive());
        if (reply.status != 204) response_.set(http::field::content_type, reply.content_type);
        response_.body() = std::move(reply.body);
        response_.prepare_payload();
        http::async_write(stream_, response_, [self = shared_from_this()](error_code fault, std::size_t) {
            if (fault) return;
            if (self->response_.keep_alive()) return self->read();
            error_code ignored;
            self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
        });
    }

    beast::tcp_stream stream_;
    asio::steady_timer delay_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    http::response<http::string_body> response_;
    std::shared_ptr<HttpServer::Handler> handler_;
    std::shared_ptr<std::optional<UpgradeHandler>> upgrade_;
};

struct Url {
    std::string host, port, target, authority;
};

// http://host[:port][/path]; the settings let nothing else through.
Url split_url(std::string_view url) {
    constexpr std::string_view scheme = "http://";
    if (url.starts_with(scheme)) url.remove_prefix(scheme.size());
    const auto slash = std::min(url.find('/'), url.size());
    const auto authority = url.substr(0, slash);
    const auto colon = authority.rfind(':');
    return {.host = std::string{authority.substr(0, colon)},
            .port = colon == std::string_view::npos ? "80" : std::string{authority.substr(colon + 1)},
            .target = slash == url.size() ? "/" : std::string{url.substr(slash)},
            .authority = std::string{authority}};
}

class CallbackCall : public std::enable_shared_from_this<CallbackCall> {
public:
    CallbackCall(asio::io_context& io, OutgoingRequest request, std::function<void(std::uint64_t, int, std::string_view)> done)
        : resolver_{io}, stream_{io}, id_{request.id}, url_{split_url(request.url)}, done_{std::move(done)} {
        message_.method(http::string_to_verb(request.method));
        message_.target(url_.target);
        message_.set(http::field::host, url_.authority);
        if (!request.body.empty()) message_.set(http::field::content_type, request.content_type);
        message_.keep_alive(false);
        message_.body() = std::move(request.body);
        message_.prepare_payload();
    }

    void start() {
        stream_.expires_after(callback_timeout);
        resolver_.async_resolve(url_.host, url_.port, [self = shared_from_this()](error_code fault, const tcp::resolver::results_type& found) {
            if (fault) return self->finish(0);
            self->stream_.async_connect(found, [self](error_code refused, const tcp::endpoint&) {
                if (refused) return self->finish(0);
                http::async_write(self->stream_, self->message_, [self](error_code broken, std::size_t) {
                    if (broken) return self->finish(0);
                    http::async_read(self->stream_, self->buffer_, self->answer_, [self](error_code lost, std::size_t) {
                        self->finish(lost ? 0 : static_cast<int>(self->answer_.result_int()));
                    });
                });
            });
        });
    }

private:
    void finish(int status) {
        stream_.close();
        done_(id_, status, answer_.body());
    }

    tcp::resolver resolver_;
    beast::tcp_stream stream_;
    beast::flat_buffer buffer_;
    std::uint64_t id_;
    Url url_;
    http::request<http::string_body> message_;
    http::response<http::string_body> answer_;
    std::function<void(std::uint64_t, int, std::string_view)> done_;
};

}  // namespace

HttpServer::HttpServer(asio::io_context& io, const ListenAddress& listen, Handler handler, std::optional<UpgradeHandler> upgrade)
    : acceptor_{io, {asio::ip::make_address(listen.host), listen.port}}, accept_again_{io}, handler_{std::make_shared<Handler>(std::move(handler))},
      upgrade_{std::make_shared<std::optional<UpgradeHandler>>(std::move(upgrade))} {
    accept();
}

void HttpServer::accept() {
    acceptor_.async_accept([this](error_code fault, tcp::socket socket) {
        if (fault == asio::error::operation_aborted) return;
        if (!fault) {
            std::make_shared<HttpSession>(std::move(socket), handler_, upgrade_)->read();
            return accept();
        }
        // Out of descriptors, most likely: trying again at once would only burn time.
        accept_again_.expires_after(100ms);
        accept_again_.async_wait([this](error_code stopped) {
            if (!stopped) accept();
        });
    });
}

void CallbackClient::post(OutgoingRequest request) {
    waiting_.push_back(std::move(request));
    start_next();
}

void CallbackClient::start_next() {
    while (running_ < callbacks_at_once && !waiting_.empty()) {
        ++running_;
        auto call = std::make_shared<CallbackCall>(io_, std::move(waiting_.front()),
                                                   [this, done = done_](std::uint64_t id, int status, std::string_view body) {
                                                       --running_;
                                                       (*done)(id, status, body);
                                                       start_next();
                                                   });
        waiting_.pop_front();
        call->start();
    }
}

}  // namespace touchgate::sandbox
