#include "tests/bench/http_sink.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace touchgate::bench {

namespace {

namespace http = boost::beast::http;
using boost::asio::ip::tcp;

std::uint64_t events_in(std::string_view body) {
    constexpr std::string_view mark = "\"specversion\"";
    std::uint64_t count = 0;
    for (auto at = body.find(mark); at != std::string_view::npos; at = body.find(mark, at + mark.size())) ++count;
    return count == 0 ? 1 : count;
}

struct Session : std::enable_shared_from_this<Session> {
    Session(tcp::socket taken, std::shared_ptr<HttpSink::Counts> counting) : socket{std::move(taken)}, counts{std::move(counting)} {}
    void read() {
        request = {};
        http::async_read(socket, buffer, request, [self = shared_from_this()](boost::system::error_code error, std::size_t) {
            if (!error) self->answer();
        });
    }
    void answer() {
        const std::string_view path{request.target().data(), request.target().size()};
        response = {http::status::accepted, request.version()};
        response.body() = R"({"ok":true})";
        if (path.starts_with("/callback")) {
            counts->callbacks += events_in(request.body());
            response.result(http::status::ok);
        } else if (path.starts_with("/send")) {
            response.body() = R"({"code":0,"id":")" + std::to_string(++counts->sent) + "\"}";
            response.result(http::status::ok);
        }
        response.keep_alive(request.keep_alive());
        response.prepare_payload();
        http::async_write(socket, response, [self = shared_from_this()](boost::system::error_code failed, std::size_t) {
            if (failed) return;
            if (self->response.keep_alive()) self->read();
            else self->socket.close(failed);
        });
    }

    tcp::socket socket;
    std::shared_ptr<HttpSink::Counts> counts;
    boost::beast::flat_buffer buffer;
    http::request<http::string_body> request;
    http::response<http::string_body> response;
};

}  // namespace

HttpSink::HttpSink() {
    auto io = std::make_shared<boost::asio::io_context>(1);
    auto acceptor = std::make_shared<tcp::acceptor>(*io, tcp::endpoint{boost::asio::ip::address_v4::loopback(), 0});
    port_ = acceptor->local_endpoint().port();
    auto accept = std::make_shared<std::function<void()>>();
    *accept = [acceptor, accept, counts = counts_] {
        acceptor->async_accept([accept, counts](boost::system::error_code error, tcp::socket socket) {
            if (error) return;
            socket.set_option(tcp::no_delay{true});
            std::make_shared<Session>(std::move(socket), counts)->read();
            (*accept)();
        });
    };
    (*accept)();
    std::thread{[io] { io->run(); }}.detach();
}

}  // namespace touchgate::bench
