// One multi handle of libcurl's on an Asio loop: its sockets are watched, its timer is kept. Knows nothing of requests.
//
// libcurl forgets a connection's socket after each request and names it again with the next, and moves its one timer each time. Both would cost calls
// of the kernel's, so a connection that it opened here stays known to the loop until it is closed, and a timer that fires early is armed again.
#pragma once

#include <curl/curl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

namespace touchgate::net {

class CurlLane {
public:
    // To be passed to curl_multi_socket_action of this lane's handle, from the loop.
    using Drive = std::function<void(CurlLane&, curl_socket_t socket, int events)>;

    // One thread. Destroy it only when `io` runs no more.
    CurlLane(boost::asio::io_context& io, std::size_t connections_max, Drive drive);
    ~CurlLane();
    CurlLane(const CurlLane&) = delete;
    CurlLane& operator=(const CurlLane&) = delete;

    [[nodiscard]] CURLM* multi() const { return multi_; }
    // For CURLOPT_OPENSOCKETFUNCTION; CURL_SOCKET_BAD: the system has none.
    [[nodiscard]] curl_socket_t open_socket(const curl_sockaddr& address);
    // For CURLOPT_CLOSESOCKETFUNCTION, with the lane as its data: a connection outlives its first request.
    static int close_socket(void* lane, curl_socket_t socket);

    std::size_t active = 0;  // transfers, counted by the owner

private:
    struct Watch;
    using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, boost::asio::io_context::executor_type>;

    static int on_socket(CURL*, curl_socket_t socket, int what, void* lane, void*);
    static int on_timer(CURLM*, long timeout_ms, void* lane);
    Watch* watch_of(curl_socket_t socket);  // null: the loop cannot watch it
    void forget(curl_socket_t socket);
    void arm_timer();

    boost::asio::io_context& io_;
    Drive drive_;
    CURLM* multi_;
    Timer timer_;
    std::uint64_t timer_round_ = 0;  // libcurl has one timer: a later setting ends the earlier
    std::optional<std::chrono::steady_clock::time_point> due_;    // when libcurl wants to be driven
    std::optional<std::chrono::steady_clock::time_point> armed_;  // when `timer_` fires: never after `due_`
    std::unordered_map<curl_socket_t, std::shared_ptr<Watch>> watches_;
};

}  // namespace touchgate::net
