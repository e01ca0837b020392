// One I/O thread: an io_context of its own, its listener, its connections, its timers. Nothing of it is shared with other I/O threads, so
// that no lock is taken on the way of a request; other threads reach it through `run`, whose box is swapped whole.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include "gateway/http/exchange.hpp"
#include "gateway/http/touch_queue.hpp"

namespace touchgate::http {

// What lives on an I/O thread and is looked at twice a second: connections, and the sockets of agents.
class Tended {
public:
    virtual ~Tended() = default;
    // When it is to be timed out, unless something happens before.
    [[nodiscard]] virtual std::chrono::steady_clock::time_point deadline() const = 0;
    virtual void time_out() = 0;
    // For the end of the server: closes at once when no request is under way, or in any case when `forced`.
    virtual void close_if_idle(bool forced) = 0;
    // Itself, so that it stays while it is worked on; null when it is just being destroyed.
    [[nodiscard]] virtual std::shared_ptr<Tended> alive() = 0;
};

// The concrete executor: `any_io_executor` costs a tenth of the throughput.
using Executor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;
using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

class IoThread final : public Worker, public std::enable_shared_from_this<IoThread> {
public:
    IoThread(std::shared_ptr<Services> services, std::shared_ptr<boost::asio::ssl::context> tls);
    ~IoThread() override;

    // Before `start`. With SO_REUSEPORT, so that every thread has a listener on the same port. The port bound.
    // `shares_with_first`: a listener of this process has the port already. Kind unavailable: another process has it.
    Result<std::uint16_t> listen(const boost::asio::ip::tcp::endpoint& endpoint, bool shares_with_first);
    void start();
    // Any thread. Closes the listener and what is idle; connections with an answer under way close after it. Ends the thread at `deadline`
    // at the latest; `join` waits for that.
    void stop(std::chrono::steady_clock::time_point deadline);
    void join();

    // ---- Worker
    [[nodiscard]] bool is_current() const override { return std::this_thread::get_id() == id_; }
    void run(absl::AnyInvocable<void()> task) override;
    void wait_until(absl::AnyInvocable<bool()> ready, Duration within, absl::AnyInvocable<void(bool)> then) override;
    [[nodiscard]] TouchIntake& intake() override { return intake_; }
    [[nodiscard]] TouchQueue& touches() override { return touches_; }

    // ---- for connections; own thread
    [[nodiscard]] Services& services() { return *services_; }
    // Monotonic time, read once in a while (to about a second): good enough for time-outs of connections.
    [[nodiscard]] std::chrono::steady_clock::time_point coarse_now() const { return coarse_now_; }
    // The clock that was handed in, in the form that Asio's timers take.
    [[nodiscard]] std::chrono::steady_clock::time_point now() const { return std::chrono::steady_clock::time_point{services_->clock.monotonic_now()}; }
    // Value of the Date header, to the second.
    [[nodiscard]] const std::string& date() const { return date_; }
    void tend(Tended& tended) { tended_.insert(&tended); }
    void forget(Tended& tended);  // own thread; any thread once this one has ended
    // Runs after what the loop has ready now.
    void later(absl::AnyInvocable<void()> task);

private:
    struct Waiter {
        absl::AnyInvocable<bool()> ready;
        std::chrono::steady_clock::time_point deadline;
        absl::AnyInvocable<void(bool)> then;
    };
    void accept();
    void take(Socket socket);
    void empty_box();
    void look_at_waiters();
    void sweep();
    void close_when_quiet();

    std::shared_ptr<Services> services_;
    std::shared_ptr<boost::asio::ssl::context> tls_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<Executor> work_;
    Acceptor acceptor_;
    Timer sweep_timer_;
    Timer waiters_timer_;
    bool waiters_timer_runs_ = false;
    std::vector<Waiter> waiters_;
    std::unordered_set<Tended*> tended_;
    std::mutex forget_mutex_;
    std::chrono::steady_clock::time_point coarse_now_;
    std::chrono::steady_clock::time_point stop_deadline_{};
    bool stopping_ = false;
    std::string date_;
    TouchIntake intake_;
    TouchQueue touches_;

    std::mutex box_mutex_;
    std::vector<absl::AnyInvocable<void()>> box_;  // guarded by box_mutex_
    bool box_scheduled_ = false;                   // guarded by box_mutex_
    bool stopped_ = false;                         // guarded by box_mutex_: tasks are dropped
    std::vector<absl::AnyInvocable<void()>> taken_;

    std::thread thread_;
    std::atomic<std::thread::id> id_{};
};

}  // namespace touchgate::http
