#include "gateway/net/curl_lane.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace touchgate::net {

namespace asio = boost::asio;

using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

// A socket of libcurl's that the loop watches; the descriptor never closes it.
struct CurlLane::Watch : std::enable_shared_from_this<Watch> {
    explicit Watch(asio::io_context& io) : descriptor{io.get_executor()} {}
    Descriptor descriptor;
    CurlLane* lane = nullptr;  // null once released
    int wanted = 0;            // CURL_POLL_*
    bool connection = false;   // opened and closed by the lane
    bool waiting_to_read = false;
    bool waiting_to_write = false;

    void arm() {
        if (lane == nullptr) return;
        if ((wanted & CURL_POLL_IN) != 0) wait(Descriptor::wait_read, waiting_to_read, CURL_CSELECT_IN);
        if (lane != nullptr && (wanted & CURL_POLL_OUT) != 0) wait(Descriptor::wait_write, waiting_to_write, CURL_CSELECT_OUT);
    }
    void release() {
        if (std::exchange(lane, nullptr) != nullptr) descriptor.release();
    }
    template <class Wait>
    void wait(Wait for_what, bool& waiting, int event) {
        if (waiting) return;
        waiting = true;
        descriptor.async_wait(for_what, [self = shared_from_this(), &waiting, event](boost::system::error_code error) {
            waiting = false;  // a member of *self
            if (error || self->lane == nullptr || self->wanted == 0) return;
            self->lane->drive_(*self->lane, self->descriptor.native_handle(), event);
            self->arm();
        });
    }
};

CurlLane::CurlLane(asio::io_context& io, std::size_t connections_max, Drive drive)
    : io_{io}, drive_{std::move(drive)}, multi_{curl_multi_init()}, timer_{io.get_executor()} {
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(connections_max));
}

CurlLane::~CurlLane() {
    curl_multi_cleanup(multi_);  // closes its connections
    for (auto& [socket, watch] : watches_) watch->release();
}

CurlLane::Watch* CurlLane::watch_of(curl_socket_t socket) {
    auto& watch = watches_[socket];
    if (watch) return watch.get();
    boost::system::error_code error;
    auto made = std::make_shared<Watch>(io_);
    made->descriptor.assign(socket, error);
    if (error) {
        watches_.erase(socket);
        return nullptr;
    }
    made->lane = this;
    watch = std::move(made);
    return watch.get();
}

void CurlLane::forget(curl_socket_t socket) {
    const auto found = watches_.find(socket);
    if (found == watches_.end()) return;
    found->second->release();
    watches_.erase(found);
}

void CurlLane::arm_timer() {
    if (!due_ || (armed_ && *armed_ <= *due_)) return;
    armed_ = due_;
    timer_.expires_at(*due_);  // ends an earlier wait
    timer_.async_wait([this](boost::system::error_code error) {
        if (error) return;
        armed_.reset();
        if (!due_) return;
        if (*due_ > std::chrono::steady_clock::now()) return arm_timer();
        due_.reset();
        drive_(*this, CURL_SOCKET_TIMEOUT, 0);
    });
}

curl_socket_t CurlLane::open_socket(const curl_sockaddr& address) {
    const int socket = ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
    if (socket < 0) return CURL_SOCKET_BAD;
    if (auto* const watch = watch_of(socket)) watch->connection = true;
    return socket;
}

int CurlLane::close_socket(void* lane, curl_socket_t socket) {
    static_cast<CurlLane*>(lane)->forget(socket);
    return ::close(socket);
}

int CurlLane::on_socket(CURL*, curl_socket_t socket, int what, void* lane_pointer, void*) {
    auto& lane = *static_cast<CurlLane*>(lane_pointer);
    if (what == CURL_POLL_REMOVE) {
        const auto found = lane.watches_.find(socket);
        if (found == lane.watches_.end()) return 0;
        found->second->wanted = 0;
        if (!found->second->connection) lane.forget(socket);  // of the resolver's: closed without a word
        return 0;
    }
    auto* const watch = lane.watch_of(socket);
    if (watch == nullptr) return -1;  // libcurl fails the transfers
    watch->wanted = what;
    watch->arm();
    return 0;
}

int CurlLane::on_timer(CURLM*, long timeout_ms, void* lane_pointer) {
    auto& lane = *static_cast<CurlLane*>(lane_pointer);
    const auto round = ++lane.timer_round_;
    lane.due_.reset();
    if (timeout_ms < 0) return 0;
    if (timeout_ms == 0) {  // the usual case, at every start: no timer of the kernel's for that
        asio::post(lane.io_, [&lane, round] {
            if (lane.timer_round_ == round) lane.drive_(lane, CURL_SOCKET_TIMEOUT, 0);
        });
        return 0;
    }
    lane.due_ = std::chrono::steady_clock::now() + std::chrono::milliseconds{timeout_ms};
    lane.arm_timer();
    return 0;
}

}  // namespace touchgate::net
