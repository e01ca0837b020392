#include "gateway/net/socket_driver.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "gateway/net/socket_connection.hpp"

namespace touchgate::net {

SocketDriver::SocketDriver(boost::asio::io_context& io, const Clock& clock, channel::SessionAdapter::Endpoint endpoint, SessionMachine machine,
                           EventSink& sink)
    : io_{io}, clock_{clock}, endpoint_{std::move(endpoint)}, machine_{std::move(machine)}, sink_{sink}, timer_{io.get_executor()} {}

SocketDriver::~SocketDriver() {
    if (connection_) connection_->close();
}

void SocketDriver::hand_over(channel::Submission order) { machine_.hand_over(clock_.monotonic_now(), std::move(order)); }

bool SocketDriver::revoke(AttemptRef ref) { return machine_.revoke(clock_.monotonic_now(), ref); }

void SocketDriver::acknowledge(AckTicket ticket, bool durable) { machine_.acknowledge(clock_.monotonic_now(), ticket, durable); }

void SocketDriver::reconcile(ReconcileOrder order) {
    // Session protocols have no question to ask; the answer says so.
    sink_.push_back(Reconciled{.ref = order.submission.ref, .answer = {}});
}

void SocketDriver::shut_down() { machine_.shut_down(clock_.monotonic_now()); }

void SocketDriver::stop() {
    machine_.shut_down(clock_.monotonic_now());
    if (connection_) {
        std::exchange(connection_, nullptr)->close();
        machine_.on_closed(clock_.monotonic_now(), "the gateway stops");
    }
    pump();
    timer_.cancel();
}

void SocketDriver::pump() {
    auto actions = machine_.take_actions(clock_.monotonic_now());
    std::ranges::move(actions.events, std::back_inserter(sink_));
    if (actions.connect) {
        connection_ = std::make_shared<SocketConnection>(io_, *this, endpoint_);
        connection_->open();
    }
    if (connection_ && !actions.write.empty()) connection_->write(std::move(actions.write));
    if (connection_ && actions.close) connection_->close_when_written();
    arm_timer();
}

void SocketDriver::connected() {
    machine_.on_connected({.monotonic = clock_.monotonic_now(), .wall = clock_.wall_now()});
    pump();
}

void SocketDriver::closed(std::string reason) {
    connection_.reset();
    machine_.on_closed(clock_.monotonic_now(), reason);
    pump();
}

void SocketDriver::received(std::string_view bytes) {
    machine_.on_bytes(clock_.monotonic_now(), bytes);
    pump();
}

void SocketDriver::writable() {
    machine_.on_writable(clock_.monotonic_now());
    pump();
}

void SocketDriver::arm_timer() {
    const auto wake = machine_.wake_at();
    // Waking too early is harmless, so a later instant waits for the timer that is set already.
    if (!wake || (armed_for_ && *armed_for_ <= *wake)) return;
    armed_for_ = wake;
    timer_.expires_after(std::max(Monotonic{0}, *wake - clock_.monotonic_now()));
    timer_.async_wait([this](boost::system::error_code error) {
        if (error) return;
        armed_for_.reset();
        pump();
    });
}

}  // namespace touchgate::net
