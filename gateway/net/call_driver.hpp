// A telephone system on the real network: its event stream, and its requests through libcurl. All decisions are CallMachine's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>

#include "gateway/net/account_driver.hpp"
#include "gateway/net/call_machine.hpp"
#include "gateway/net/call_stream.hpp"
#include "gateway/net/curl_client.hpp"

namespace touchgate::net {

class CallDriver final : public AccountDriver, private HttpListener, private CallStreamListener {
public:
    // All references must outlive the driver. Destroy it only when `io` runs no more.
    CallDriver(boost::asio::io_context& io, const Clock& clock, channel::CallAdapter::Stream stream, HttpSettings settings, CallMachine machine, EventSink& sink);
    ~CallDriver() override;

    void start() override { pump(); }
    // Nothing is sent through a telephone system: an attempt is a call, which comes as orders of its own.
    void hand_over(channel::Submission order) override { sink_.push_back(AttemptUnwritten{.ref = order.ref}); }
    bool revoke(AttemptRef) override { return false; }
    void acknowledge(AckTicket, bool) override {}
    void reconcile(ReconcileOrder order) override { sink_.push_back(Reconciled{.ref = order.submission.ref, .answer = {}}); }
    void call(CallOrder order) override { machine_.call(now().monotonic, order); }
    void shut_down() override { machine_.shut_down(now().monotonic); }
    void pump() override;
    [[nodiscard]] bool is_finished() const override { return machine_.is_finished(); }
    void stop() override;

private:
    bool on_first_byte(ExchangeId id) override { return machine_.on_first_byte(now().monotonic, id); }
    void on_response(ExchangeId id, channel::HttpResponse response) override { machine_.on_response(now(), id, response); }
    void on_failure(ExchangeId id, bool bytes_left, std::string reason) override { machine_.on_failure(now().monotonic, id, bytes_left, reason); }
    void on_turn_end() override { pump(); }

    void on_stream_open() override;
    void on_stream_bytes(std::string_view bytes) override;
    void on_stream_closed(std::string reason, bool credentials) override;

    [[nodiscard]] MachineTime now() const { return {.monotonic = clock_.monotonic_now(), .wall = clock_.wall_now()}; }
    void arm_timer();

    boost::asio::io_context& io_;
    const Clock& clock_;
    channel::CallAdapter::Stream stream_settings_;
    std::string ca_file_;
    CallMachine machine_;
    EventSink& sink_;
    CurlClient client_;
    std::shared_ptr<CallStream> stream_;
    using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                                    boost::asio::io_context::executor_type>;
    Timer timer_;
    std::optional<Monotonic> armed_for_;
};

}  // namespace touchgate::net
