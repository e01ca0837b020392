#include "gateway/net/curl_driver.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <utility>

namespace touchgate::net {

CurlDriver::CurlDriver(boost::asio::io_context& io, const Clock& clock, HttpSettings settings, ExchangeMachine machine, EventSink& sink)
    : clock_{clock}, machine_{std::move(machine)}, sink_{sink}, client_{io, std::move(settings), *this}, timer_{io.get_executor()} {}

void CurlDriver::start() {
    machine_.start([this] { boost::asio::post(timer_.get_executor(), [this] { pump(); }); });
    pump();
}

void CurlDriver::stop() {
    machine_.stop(now());
    pump();
    timer_.cancel();
}

void CurlDriver::pump() {
    auto actions = machine_.take_actions(now());
    for (const auto id : actions.cancel) client_.cancel(id);
    for (auto& exchange : actions.start) client_.start(std::move(exchange));
    std::ranges::move(actions.events, std::back_inserter(sink_));
    arm_timer();
}

void CurlDriver::arm_timer() {
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
