#include "tests/bench/load_client.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <vector>

#include "tests/bench/http_answers.hpp"

namespace touchgate::bench {

namespace {

using Clock = std::chrono::steady_clock;

struct Connection {
    int socket = -1;
    std::string out;
    std::size_t sent = 0;
    HttpAnswers answers;
    Clock::time_point started;
    bool waits = false;  // for an answer
};

int connect_to(const std::string& host, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error{"no connection to port " + std::to_string(port)};
    const int one = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return socket;
}

}  // namespace

std::string post_request(const std::string& path, const std::string& key, const std::string& content_type, const std::string& body) {
    return "POST " + path + " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + key + "\r\nContent-Type: " + content_type +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

LoadResult run_load(const Load& load) {
    const int poll = ::epoll_create1(0);
    std::vector<Connection> all(static_cast<std::size_t>(load.connections));
    std::uint64_t made = 0;
    const auto push = [](Connection& connection) {
        while (connection.sent < connection.out.size()) {
            const auto count = ::send(connection.socket, connection.out.data() + connection.sent, connection.out.size() - connection.sent,
                                      MSG_DONTWAIT | MSG_NOSIGNAL);
            if (count <= 0) return;
            connection.sent += static_cast<std::size_t>(count);
        }
    };
    const auto start_next = [&](Connection& connection) {
        connection.waits = load.count == 0 || made < load.count;
        if (!connection.waits) return;
        connection.out = load.request(made++);
        connection.sent = 0;
        connection.started = Clock::now();
        push(connection);
    };
    const auto open = [&](std::size_t index) {
        all[index].socket = connect_to(load.host, load.port);
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLET;
        event.data.u64 = index;
        ::epoll_ctl(poll, EPOLL_CTL_ADD, all[index].socket, &event);
    };
    for (std::size_t i = 0; i < all.size(); ++i) open(i);

    LoadResult result;
    std::vector<double> latencies;
    const auto begun = Clock::now();
    for (auto& connection : all) start_next(connection);
    std::vector<char> buffer(1 << 16);
    const auto running = [&] {
        if (load.seconds > 0 && std::chrono::duration<double>(Clock::now() - begun).count() >= load.seconds) return false;
        return load.count == 0 || std::any_of(all.begin(), all.end(), [](const Connection& connection) { return connection.waits; });
    };
    while (running()) {
        epoll_event events[256];
        const int count = ::epoll_wait(poll, events, 256, 20);
        for (int i = 0; i < count; ++i) {
            const auto index = events[i].data.u64;
            auto& connection = all[index];
            if (connection.sent < connection.out.size()) push(connection);
            for (;;) {
                const auto got = ::recv(connection.socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
                if (got == 0) {  // the server ended it: what was asked is asked again, over another connection
                    ++result.broken;
                    ::close(connection.socket);
                    connection.answers = {};
                    connection.sent = 0;
                    open(index);
                    if (connection.waits) push(connection);
                    break;
                }
                if (got < 0) break;
                connection.answers.feed({buffer.data(), static_cast<std::size_t>(got)});
                while (connection.answers.next()) {
                    latencies.push_back(std::chrono::duration<double, std::milli>(Clock::now() - connection.started).count());
                    ++result.answers;
                    if (connection.answers.status() != load.expected_status) ++result.wrong;
                    start_next(connection);
                }
            }
        }
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

}  // namespace touchgate::bench
