#include "tests/bench/load_client.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <memory>
#include <thread>

namespace touchgate::bench {

namespace {

using Clock = std::chrono::steady_clock;

struct Connection {
    int socket = -1;
    std::string out, in;
    std::size_t sent = 0;
    Clock::time_point started;
};

// Bytes of the first whole answer in `in`, 0 when it is not whole yet.
std::size_t whole_answer(const std::string& in) {
    const auto head = in.find("\r\n\r\n");
    if (head == std::string::npos) return 0;
    std::size_t length = 0;
    std::string lower{in, 0, head};
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (const auto at = lower.find("content-length:"); at != std::string::npos) {
        length = std::strtoul(lower.c_str() + at + 15, nullptr, 10);
    } else if (lower.find("transfer-encoding: chunked") != std::string::npos) {
        const auto end = in.find("0\r\n\r\n", head + 4);
        return end == std::string::npos ? 0 : end + 5;
    }
    return in.size() >= head + 4 + length ? head + 4 + length : 0;
}

}  // namespace

LoadResult run_load(const std::string& host, std::uint16_t port, const std::string& path, const std::string& key, const std::string& content_type, int connections,
                    double seconds, const std::string& expected_status, const std::function<std::string(std::uint64_t n)>& next_body) {
    const int poll = ::epoll_create1(0);
    std::vector<Connection> all(static_cast<std::size_t>(connections));
    std::uint64_t made = 0;
    const auto prepare = [&](Connection& connection) {
        const auto body = next_body(made++);
        connection.out = "POST " + path + " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + key + "\r\nContent-Type: " + content_type +
                         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        connection.sent = 0;
        connection.started = Clock::now();
    };
    const auto push = [](Connection& connection) {
        while (connection.sent < connection.out.size()) {
            const auto count = ::send(connection.socket, connection.out.data() + connection.sent, connection.out.size() - connection.sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (count <= 0) return;
            connection.sent += static_cast<std::size_t>(count);
        }
    };
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].socket = ::socket(AF_INET, SOCK_STREAM, 0);
        if (::connect(all[i].socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return {};
        const int one = 1;
        ::setsockopt(all[i].socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLET;
        event.data.u64 = i;
        ::epoll_ctl(poll, EPOLL_CTL_ADD, all[i].socket, &event);
    }
    LoadResult result;
    std::vector<double> latencies;
    const auto begun = Clock::now();
    const auto end = begun + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    for (auto& connection : all) {
        prepare(connection);
        push(connection);
    }
    std::vector<char> buffer(1 << 16);
    for (bool running = true; running;) {
        epoll_event events[256];
        const int count = ::epoll_wait(poll, events, 256, 20);
        for (int i = 0; i < count; ++i) {
            auto& connection = all[events[i].data.u64];
            if (connection.sent < connection.out.size()) push(connection);
            for (;;) {
            const auto got = ::recv(connection.socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (got <= 0) break;
            connection.in.append(buffer.data(), static_cast<std::size_t>(got));
            const auto size = whole_answer(connection.in);
            if (size == 0) continue;
            latencies.push_back(std::chrono::duration<double, std::milli>(Clock::now() - connection.started).count());
            ++result.answers;
            if (connection.in.compare(9, 3, expected_status) != 0) ++result.wrong;
            connection.in.erase(0, size);
            prepare(connection);
            push(connection);
            }
        }
        running = Clock::now() < end;
    }
    result.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
    for (auto& connection : all) ::close(connection.socket);
    ::close(poll);
    std::sort(latencies.begin(), latencies.end());
    if (!latencies.empty()) {
        result.p50_ms = latencies[latencies.size() / 2];
        result.p99_ms = latencies[latencies.size() * 99 / 100];
        result.max_ms = latencies.back();
    }
    return result;
}

std::uint16_t start_echo_server() {
    namespace http = boost::beast::http;
    using boost::asio::ip::tcp;
    struct Session : std::enable_shared_from_this<Session> {
        tcp::socket socket;
        boost::beast::flat_buffer buffer;
        http::request<http::string_body> request;
        http::response<http::string_body> response;
        explicit Session(tcp::socket taken) : socket{std::move(taken)} {}
        void read() {
            request = {};
            http::async_read(socket, buffer, request, [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                if (error) return;
                self->response = {http::status::accepted, self->request.version()};
                self->response.keep_alive(true);
                self->response.body() = R"({"ok":true})";
                self->response.prepare_payload();
                http::async_write(self->socket, self->response, [self](boost::system::error_code failed, std::size_t) {
                    if (!failed) self->read();
                });
            });
        }
    };
    auto io = std::make_shared<boost::asio::io_context>(1);
    auto acceptor = std::make_shared<tcp::acceptor>(*io, tcp::endpoint{boost::asio::ip::address_v4::loopback(), 0});
    const auto port = acceptor->local_endpoint().port();
    auto accept = std::make_shared<std::function<void()>>();
    *accept = [acceptor, accept] {
        acceptor->async_accept([accept](boost::system::error_code error, tcp::socket socket) {
            if (error) return;
            socket.set_option(tcp::no_delay{true});
            std::make_shared<Session>(std::move(socket))->read();
            (*accept)();
        });
    };
    (*accept)();
    std::thread{[io] { io->run(); }}.detach();
    return port;
}

}  // namespace touchgate::bench
