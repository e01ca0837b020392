#include "gateway/http/io_thread.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <sys/socket.h>

#include <ctime>

#include "gateway/base/thread_name.hpp"
#include "gateway/http/connection.hpp"

namespace touchgate::http {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto sweep_every = std::chrono::milliseconds{500};
constexpr auto waiters_every = std::chrono::milliseconds{5};

std::string http_date(Instant now) {
    const auto seconds = static_cast<std::time_t>(unix_ms(now) / 1000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[40];
    const auto size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text, size};
}

std::string too_many_connections() {
    const auto response = problem({.kind = ErrorKind::unavailable, .detail = "too many connections", .retry_after_s = 1}, Language::english);
    return "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: " +
           std::to_string(response.body.size()) + "\r\n\r\n" + response.body;
}

}  // namespace

IoThread::IoThread(std::shared_ptr<Services> services, std::shared_ptr<asio::ssl::context> tls)
    : services_{std::move(services)},
      tls_{std::move(tls)},
      work_{context_.get_executor()},
      acceptor_{context_.get_executor()},
      sweep_timer_{context_.get_executor()},
      waiters_timer_{context_.get_executor()},
      coarse_now_{now()},
      date_{http_date(services_->clock.wall_now())},
      intake_{services_->phones, services_->options.body_hash_key},
      touches_{*services_, *this, [this](absl::AnyInvocable<void()> task) { later(std::move(task)); }} {}

IoThread::~IoThread() = default;

Result<std::uint16_t> IoThread::listen(const asio::ip::tcp::endpoint& endpoint, bool shares_with_first) {
    error_code error;
    const auto failed = [&](const char* step) {
        return Error{.kind = ErrorKind::unavailable, .detail = std::string{"cannot "} + step + " the HTTP listener: " + error.message()};
    };
    // Listeners of one process share a port; another process must not join them unnoticed. Binding once without sharing tells.
    if (endpoint.port() != 0 && !shares_with_first) {
        asio::ip::tcp::acceptor probe{context_};
        if (probe.open(endpoint.protocol(), error)) return failed("open");
        probe.set_option(asio::socket_base::reuse_address{true}, error);
        if (probe.bind(endpoint, error)) return failed("bind (is the port in use?)");
    }
    if (acceptor_.open(endpoint.protocol(), error)) return failed("open");
    acceptor_.set_option(asio::socket_base::reuse_address{true}, error);
    using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
    if (acceptor_.set_option(reuse_port{true}, error)) return failed("share the port of");
    if (acceptor_.bind(endpoint, error)) return failed("bind");
    if (acceptor_.listen(asio::socket_base::max_listen_connections, error)) return failed("start");
    return acceptor_.local_endpoint().port();
}

void IoThread::start() {
    thread_ = std::thread{[self = shared_from_this()] {
        name_this_thread("http");
        self->id_ = std::this_thread::get_id();
        self->accept();
        self->sweep();
        self->context_.run();
        std::vector<absl::AnyInvocable<void()>> rest;
        {
            const std::scoped_lock lock{self->box_mutex_};
            self->stopped_ = true;
            rest.swap(self->box_);
        }
        rest.clear();
        self->id_ = std::thread::id{};  // the number may become another thread's
    }};
}

void IoThread::stop(std::chrono::steady_clock::time_point deadline) {
    run([self = shared_from_this(), deadline] {
        self->stopping_ = true;
        self->stop_deadline_ = deadline;
        error_code ignored;
        self->acceptor_.close(ignored);
        self->close_when_quiet();
    });
}

void IoThread::join() {
    if (thread_.joinable()) thread_.join();
}

// ---- connections --------------------------------------------------------------------------------------------------------------

void IoThread::accept() {
    acceptor_.async_accept(context_.get_executor(), [self = shared_from_this()](error_code error, Socket socket) {
        if (error == asio::error::operation_aborted || !self->acceptor_.is_open()) return;
        if (error) {
            // Usually out of file descriptors: wait for the next sweep instead of spinning.
            self->wait_until([] { return false; }, Duration{100}, [self](bool) { self->accept(); });
            return;
        }
        self->take(std::move(socket));
        self->accept();
    });
}

void IoThread::take(Socket socket) {
    error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
    auto& counters = services_->counters;
    if (counters.connections_now.load() >= services_->options.connections_max) {
        counters.connections_refused.fetch_add(1);
        if (!tls_) {
            // One try without waiting: the answer fits into any socket's buffer.
            static const std::string answer = too_many_connections();
            socket.non_blocking(true, ignored);
            socket.write_some(asio::buffer(answer), ignored);
            socket.shutdown(asio::socket_base::shutdown_send, ignored);
        }
        return;
    }
    auto connection = make_connection(shared_from_this(), std::move(socket), tls_.get());
    tend(*connection);
    connection->start();
}

void IoThread::forget(Tended& tended) {
    // What the engine and the query threads still held when this thread ended comes back from both.
    const std::scoped_lock lock{forget_mutex_};
    tended_.erase(&tended);
}

void IoThread::sweep() {
    coarse_now_ = now();
    date_ = http_date(services_->clock.wall_now());
    std::vector<std::shared_ptr<Tended>> due;
    for (auto* tended : tended_)
        if (tended->deadline() <= coarse_now_)
            if (auto alive = tended->alive()) due.push_back(std::move(alive));
    for (const auto& tended : due) tended->time_out();
    if (stopping_) {
        close_when_quiet();
        if (tended_.empty()) return;
    }
    sweep_timer_.expires_after(sweep_every);
    sweep_timer_.async_wait([self = shared_from_this()](error_code error) {
        if (!error) self->sweep();
    });
}

void IoThread::close_when_quiet() {
    const bool over = now() >= stop_deadline_;
    std::vector<std::shared_ptr<Tended>> all;
    for (auto* tended : tended_)
        if (auto alive = tended->alive()) all.push_back(std::move(alive));
    for (const auto& tended : all) tended->close_if_idle(over);
    all.clear();
    if (!tended_.empty() && !over) {
        wait_until([] { return false; }, Duration{20}, [self = shared_from_this()](bool) { self->close_when_quiet(); });
        return;
    }
    sweep_timer_.cancel();
    work_.reset();
}

// ---- tasks and waiting --------------------------------------------------------------------------------------------------------

void IoThread::run(absl::AnyInvocable<void()> task) {
    const std::scoped_lock lock{box_mutex_};
    if (stopped_) return;
    box_.push_back(std::move(task));
    if (box_scheduled_) return;
    box_scheduled_ = true;
    asio::post(context_, [self = shared_from_this()] { self->empty_box(); });
}

void IoThread::empty_box() {
    {
        const std::scoped_lock lock{box_mutex_};
        taken_.swap(box_);
        box_scheduled_ = false;
    }
    for (auto& task : taken_) {
        task();
        task = nullptr;
    }
    taken_.clear();
}

void IoThread::later(absl::AnyInvocable<void()> task) {
    asio::post(context_, [self = shared_from_this(), task = std::move(task)]() mutable { task(); });
}

void IoThread::wait_until(absl::AnyInvocable<bool()> ready, Duration within, absl::AnyInvocable<void(bool)> then) {
    if (ready()) {
        then(true);
        return;
    }
    waiters_.push_back({.ready = std::move(ready), .deadline = now() + within, .then = std::move(then)});
    if (!waiters_timer_runs_) look_at_waiters();
}

void IoThread::look_at_waiters() {
    const auto at = now();
    // Whoever is called may wait again: take out those that are due before calling any.
    std::vector<std::pair<Waiter, bool>> due;
    std::erase_if(waiters_, [&](Waiter& waiter) {
        const bool ready = waiter.ready();
        const bool over = stopping_ && at >= stop_deadline_;  // nobody is waited for beyond the end
        if (!ready && at < waiter.deadline && !over) return false;
        due.emplace_back(std::move(waiter), ready);
        return true;
    });
    waiters_timer_runs_ = true;
    for (auto& [waiter, ready] : due) waiter.then(ready);
    waiters_timer_runs_ = !waiters_.empty();
    if (!waiters_timer_runs_) return;
    waiters_timer_.expires_after(waiters_every);
    waiters_timer_.async_wait([self = shared_from_this()](error_code error) {
        self->waiters_timer_runs_ = false;
        if (!error) self->look_at_waiters();
    });
}

}  // namespace touchgate::http
