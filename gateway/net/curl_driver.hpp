// An HTTP account on the real network: carries an ExchangeMachine's requests through libcurl. All decisions are the machine's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <optional>

#include "gateway/net/account_driver.hpp"
#include "gateway/net/curl_client.hpp"
#include "gateway/net/exchange_machine.hpp"

namespace touchgate::net {

class CurlDriver final : public AccountDriver, private HttpListener {
public:
    // All references must outlive the driver. Destroy it only when `io` runs no more.
    CurlDriver(boost::asio::io_context& io, const Clock& clock, HttpSettings settings, ExchangeMachine machine, EventSink& sink);

    void start() override;
    void hand_over(channel::Submission order) override { machine_.hand_over(now(), std::move(order)); }
    bool revoke(AttemptRef ref) override { return machine_.revoke(now(), ref); }
    void acknowledge(AckTicket, bool) override {}  // callbacks are answered by gateway/http
    void reconcile(ReconcileOrder order) override { machine_.reconcile(now(), std::move(order)); }
    void shut_down() override { machine_.shut_down(now()); }
    void ask_task(TaskOrder order) override { machine_.ask_task(now(), std::move(order)); }
    void run_operation(OperationOrder order) override { machine_.run_operation(now(), std::move(order)); }
    void start_pulls(const std::map<std::string, std::string>& cursors) override { machine_.start_pulls(now(), cursors); }
    void hint_pull(channel::PullHint hint) override { machine_.hint_pull(now(), std::move(hint)); }
    void page_kept(const std::string& name, bool durable) override { machine_.page_kept(now(), name, durable); }
    void pump() override;
    [[nodiscard]] bool is_finished() const override { return machine_.is_finished(); }
    void stop() override;

private:
    bool on_first_byte(ExchangeId id) override { return machine_.on_first_byte(now(), id); }
    void on_response(ExchangeId id, channel::HttpResponse response) override { machine_.on_response(now(), id, response); }
    void on_failure(ExchangeId id, bool bytes_left, std::string reason) override { machine_.on_failure(now(), id, bytes_left, reason); }
    void on_turn_end() override { pump(); }

    [[nodiscard]] MachineTime now() const { return {.monotonic = clock_.monotonic_now(), .wall = clock_.wall_now()}; }
    void arm_timer();

    const Clock& clock_;
    ExchangeMachine machine_;
    EventSink& sink_;
    CurlClient client_;
    using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                                    boost::asio::io_context::executor_type>;
    Timer timer_;
    std::optional<Monotonic> armed_for_;
};

}  // namespace touchgate::net
