#include "adapters/sandbox/sandbox.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <deque>
#include <optional>

#include "adapters/sandbox/http_server.hpp"
#include "adapters/sandbox/pbx/pbx_server.hpp"
#include "adapters/sandbox/playground.hpp"
#include "adapters/sandbox/smsc_server.hpp"
#include "gateway/base/clock.hpp"

namespace touchgate::sandbox {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

namespace {

// One simulated provider behind its listener, with its timer and its callbacks.
class PeerServer {
public:
    PeerServer(asio::io_context& io, const ListenAddress& listen, HttpPeer& peer, const Clock& clock)
        : peer_{peer}, clock_{clock}, timer_{io},
          client_{io, [this](std::uint64_t id, int status, std::string_view body) {
                      peer_.on_callback_answer(id, status, body, now());
                      pump();
                  }},
          server_{io, listen, [this](const HttpRequest& request) {
                      auto reply = peer_.handle(request, now());
                      pump();
                      return reply;
                  }} {}

    [[nodiscard]] asio::ip::tcp::endpoint endpoint() const { return server_.endpoint(); }

    void pump() {
        const auto wake = peer_.wake_at();
        if (!wake || (timer_at_ && *timer_at_ <= *wake)) return;
        // A few milliseconds later, so that receipts due together share a request.
        timer_at_ = std::max(*wake, clock_.monotonic_now()) + 2ms;
        timer_.expires_after(*timer_at_ - clock_.monotonic_now());
        timer_.async_wait([this](error_code fault) {
            if (fault) return;
            timer_at_.reset();
            for (auto& request : peer_.take_requests(now())) client_.post(std::move(request));
            pump();
        });
    }

private:
    [[nodiscard]] Now now() const { return {.monotonic = clock_.monotonic_now(), .wall = clock_.wall_now()}; }

    HttpPeer& peer_;
    const Clock& clock_;
    asio::steady_timer timer_;
    std::optional<std::chrono::nanoseconds> timer_at_;
    CallbackClient client_;
    HttpServer server_;
};

std::string text_of(const asio::ip::tcp::endpoint& endpoint) {
    const auto address = endpoint.address().to_string();
    return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port());
}

void watch(asio::steady_timer& timer, std::atomic<bool>& stop, asio::io_context& io) {
    timer.expires_after(100ms);
    timer.async_wait([&](error_code) {
        if (stop) io.stop();
        else watch(timer, stop, io);
    });
}

int serve(const Settings& settings, const std::string& root, std::atomic<bool>& stop, std::ostream& out) {
    const SystemClock clock;
    Playground playground{settings};
    asio::io_context io{1};
    std::optional<SmscServer> smsc;
    std::deque<PeerServer> peers;
    Json bound = Json::object();
    if (settings.smsc) bound["smsc"] = text_of(smsc.emplace(io, *settings.smsc, root, *playground.smsc(), clock).endpoint());
    const auto serve_peer = [&](const char* name, const ListenAddress& listen, HttpPeer& peer) {
        bound[name] = text_of(peers.emplace_back(io, listen, peer, clock).endpoint());
    };
    if (settings.aliyun) serve_peer("aliyun", settings.aliyun->listen, *playground.aliyun());
    if (settings.tencent) serve_peer("tencent", settings.tencent->listen, *playground.tencent());
    if (settings.wecom) serve_peer("wecom", settings.wecom->listen, *playground.wecom());
    if (settings.official_account) serve_peer("official_account", settings.official_account->listen, *playground.official_account());
    std::optional<PbxServer> pbx;
    if (settings.pbx) bound["pbx"] = text_of(pbx.emplace(io, settings.pbx->listen, *playground.pbx(), clock).endpoint());
    const HttpServer control{io, settings.listen, [&](const HttpRequest& request) {
                                 auto reply = playground.control(request, {.monotonic = clock.monotonic_now(), .wall = clock.wall_now()});
                                 if (smsc) smsc->pump();
                                 if (pbx) pbx->pump();
                                 for (auto& peer : peers) peer.pump();
                                 return reply;
                             }};
    bound["listen"] = text_of(control.endpoint());
    out << bound.dump() << std::endl;  // flushed: whoever started this reads the ports from it

    asio::signal_set signals{io, SIGINT, SIGTERM};
    signals.async_wait([&](error_code fault, int) {
        if (!fault) io.stop();
    });
    asio::steady_timer timer{io};
    watch(timer, stop, io);
    io.run();
    return 0;
}

}  // namespace

int run(const Json& configuration, const std::string& root, std::atomic<bool>& stop, std::ostream& out, std::ostream& log) {
    const auto found = configuration.is_object() ? configuration.find("sandbox") : configuration.end();
    if (found == configuration.end()) {
        log << "the configuration has no key \"sandbox\"\n";
        return 2;
    }
    std::vector<Problem> problems;
    const auto settings = read_settings(*found, "/sandbox", problems);
    for (const auto& problem : problems) log << problem.pointer << ": " << problem.detail << '\n';
    if (!problems.empty()) return 2;
    try {
        return serve(settings, root, stop, out);
    } catch (const boost::system::system_error& error) {
        log << "the sandbox cannot start: " << error.what() << '\n';
        return 2;
    }
}

}  // namespace touchgate::sandbox
