#include "gateway/net/call_driver.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <utility>

namespace touchgate::net {

namespace {

HttpSettings for_calls(HttpSettings settings, const channel::CallAdapter::Stream& stream) {
    if (settings.ca_file.empty()) settings.ca_file = stream.tls_ca_file;
    settings.tls_verify = stream.tls_verify;
    settings.connect_timeout = stream.connect_timeout;
    settings.proxy = "";  // the telephone system stands beside the gateway
    settings.idle_connection_max = std::chrono::seconds{8};  // Asterisk ends idle connections after 15 s
    settings.response_bytes_max = 256 * 1024 * 1024;         // recordings
    return settings;
}

}  // namespace

CallDriver::CallDriver(boost::asio::io_context& io, const Clock& clock, channel::CallAdapter::Stream stream, HttpSettings settings, CallMachine machine, EventSink& sink)
    : io_{io},
      clock_{clock},
      stream_settings_{std::move(stream)},
      ca_file_{settings.ca_file},
      machine_{std::move(machine)},
      sink_{sink},
      client_{io, for_calls(std::move(settings), stream_settings_), *this},
      timer_{io.get_executor()} {}

CallDriver::~CallDriver() {
    if (stream_) stream_->close();
}

void CallDriver::stop() {
    if (stream_) std::exchange(stream_, nullptr)->close();
    machine_.stop(now().monotonic);
    auto actions = machine_.take_actions(now());
    for (const auto id : actions.cancel) client_.cancel(id);
    std::ranges::move(actions.events, std::back_inserter(sink_));
    timer_.cancel();
}

void CallDriver::pump() {
    auto actions = machine_.take_actions(now());
    for (const auto id : actions.cancel) client_.cancel(id);
    std::ranges::move(actions.events, std::back_inserter(sink_));
    if (actions.connect) {
        stream_ = make_call_stream(io_, *this, stream_settings_, ca_file_);
        if (stream_) stream_->open();
        else boost::asio::post(io_, [this] { on_stream_closed("the address of the event stream is not valid", false); });
    }
    if (stream_) {
        for (auto& bytes : actions.writes) stream_->write(std::move(bytes));
        if (actions.close) stream_->close_when_written();
    }
    for (auto& exchange : actions.start) client_.start(std::move(exchange));
    arm_timer();
}

void CallDriver::on_stream_open() {
    machine_.on_connected(now());
    pump();
}

void CallDriver::on_stream_bytes(std::string_view bytes) {
    machine_.on_bytes(now(), bytes);
    pump();
}

void CallDriver::on_stream_closed(std::string reason, bool credentials) {
    stream_.reset();
    machine_.on_closed(now().monotonic, reason, credentials);
    pump();
}

void CallDriver::arm_timer() {
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
