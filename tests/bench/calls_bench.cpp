#include "tests/bench/calls_bench.hpp"

#include <ctime>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "gateway/net/curl_client.hpp"

namespace touchgate::bench {

namespace {

namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using Clock = std::chrono::steady_clock;

double seconds_of_this_thread() {
    timespec spent{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

struct Session : std::enable_shared_from_this<Session> {
    Session(tcp::socket taken, std::chrono::milliseconds wait) : socket{std::move(taken)}, timer{socket.get_executor()}, latency{wait} {}
    void read() {
        request = {};
        http::async_read(socket, buffer, request, [self = shared_from_this()](boost::system::error_code error, std::size_t) {
            if (!error) self->think();
        });
    }
    void think() {
        timer.expires_after(latency);
        timer.async_wait([self = shared_from_this()](boost::system::error_code error) {
            if (!error) self->answer();
        });
    }
    void answer() {
        response = {http::status::ok, request.version()};
        response.set(http::field::content_type, "application/json; charset=UTF-8");
        response.body() = R"({"errcode":0,"errmsg":"ok","msgid":"0123456789abcdef"})";
        response.keep_alive(true);
        response.prepare_payload();
        http::async_write(socket, response, [self = shared_from_this()](boost::system::error_code error, std::size_t) {
            if (!error) self->read();
        });
    }
    tcp::socket socket;
    boost::asio::steady_timer timer;
    std::chrono::milliseconds latency;
    boost::beast::flat_buffer buffer;
    http::request<http::string_body> request;
    http::response<http::string_body> response;
};

// On a thread of its own, until the process ends.
std::uint16_t start_provider(std::chrono::milliseconds latency) {
    auto* const io = new boost::asio::io_context{1};
    auto* const acceptor = new tcp::acceptor{*io, {boost::asio::ip::make_address("127.0.0.1"), 0}};
    acceptor->listen(4'096);
    struct Accept {
        static void next(tcp::acceptor& from, std::chrono::milliseconds wait) {
            from.async_accept([&from, wait](boost::system::error_code error, tcp::socket socket) {
                if (!error) std::make_shared<Session>(std::move(socket), wait)->read();
                next(from, wait);
            });
        }
    };
    Accept::next(*acceptor, latency);
    std::thread{[io] { io->run(); }}.detach();
    return acceptor->local_endpoint().port();
}

class Caller final : public net::HttpListener {
public:
    Caller(boost::asio::io_context& io, std::string url) : io_{io}, url_{std::move(url)}, client_{io, {}, *this} {}
    void fill(int in_flight) {
        wanted_ = in_flight;
        on_turn_end();
    }
    bool on_first_byte(net::ExchangeId) override { return true; }
    void on_response(net::ExchangeId, channel::HttpResponse response) override {
        if (response.status == 200) ++answered;
        else ++failed;
        --open_;
    }
    void on_failure(net::ExchangeId, bool, std::string) override {
        ++failed;
        --open_;
    }
    void on_turn_end() override {
        for (; open_ < wanted_ && !stopped; ++open_) {
            net::HttpExchange exchange;
            exchange.id = ++last_;
            exchange.timeout = Duration{10'000};
            exchange.request = {.method = "POST",
                                .url = url_,
                                .headers = {{"host", "127.0.0.1"}, {"content-type", "application/json"}, {"accept", "application/json"}},
                                .body = R"({"touser":"oSYNTH00000000000000000000001","msgtype":"text","text":{"content":"您的订单已发货，请注意查收。"}})"};
            client_.start(std::move(exchange));
        }
        if (stopped) io_.stop();
    }
    std::uint64_t answered = 0, failed = 0;
    bool stopped = false;
    [[nodiscard]] std::size_t lanes() const { return client_.lanes(); }

private:
    boost::asio::io_context& io_;
    std::string url_;
    net::CurlClient client_;
    net::ExchangeId last_ = 0;
    int wanted_ = 0, open_ = 0;
};

}  // namespace

void run_calls_bench(int in_flight, int latency_ms, double seconds) {
    boost::asio::io_context io{1};
    Caller caller{io, "http://127.0.0.1:" + std::to_string(start_provider(std::chrono::milliseconds{latency_ms})) + "/cgi-bin/message/custom/send?access_token=TOKEN"};
    caller.fill(in_flight);
    const auto run_until = [&](Clock::time_point end) {
        while (Clock::now() < end) io.run_one_for(std::chrono::milliseconds{10});
    };
    run_until(Clock::now() + std::chrono::seconds{2});  // connections are made once
    const auto before = caller.answered;
    const auto cpu = seconds_of_this_thread();
    const auto began = Clock::now();
    run_until(began + std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1'000)});
    const auto took = std::chrono::duration<double>(Clock::now() - began).count();
    const auto spent = seconds_of_this_thread() - cpu;
    const auto calls = static_cast<double>(caller.answered - before);
    std::printf("{\"bench\":\"calls\",\"in_flight\":%d,\"latency_ms\":%d,\"calls_per_second\":%.0f,\"cpu_us_per_call\":%.1f,\"handles\":%zu,\"failed\":%llu}\n", in_flight, latency_ms,
                calls / took, calls > 0 ? spent / calls * 1e6 : 0.0, caller.lanes(), static_cast<unsigned long long>(caller.failed));
    caller.stopped = true;
}

}  // namespace touchgate::bench
