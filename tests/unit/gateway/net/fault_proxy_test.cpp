// A proxy cuts the connection after the n-th byte of the request or of the answer, for every n, while the server counts what it received.
// The short form takes every byte of what is plain and every few bytes of what TLS makes of it; TOUCHGATE_FAULT_STEP=1 takes every byte.
#include <cstdlib>

#include "gateway/net/net_transport.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/net/peers.hpp"

namespace touchgate::net::test {

namespace {

using Direction = FaultProxy::Direction;

long step_of(long short_form) {
    const char* const wanted = std::getenv("TOUCHGATE_FAULT_STEP");
    return wanted != nullptr ? std::max(1L, std::atol(wanted)) : short_form;
}

// What may be said of an order, given how often the server received it whole.
void check_outcomes(const std::map<AttemptRef, std::string>& outcomes, const Tally& tally, const std::string& prefix) {
    for (const auto& [ref, outcome] : outcomes) {
        const auto received = tally.of(prefix + std::to_string(ref));
        INFO("order " << ref << ": " << outcome << ", received " << received << " times");
        REQUIRE(received <= 1);
        if (outcome == "accepted") REQUIRE(received == 1);
        if (outcome == "not_sent" || outcome == "unwritten") REQUIRE(received == 0);
        REQUIRE((outcome == "accepted" || outcome == "not_sent" || outcome == "unwritten" || outcome == "unknown"));
    }
}

std::size_t count(const std::map<AttemptRef, std::string>& outcomes, const std::string& outcome) {
    return static_cast<std::size_t>(std::ranges::count(outcomes, outcome, [](const auto& item) { return item.second; }));
}

}  // namespace

TEST_CASE("fault proxy: an HTTP submit cut after any byte is never made twice and never called not_sent when it arrived", "[net][fault]") {
    const auto [label, tls, reused, short_step] = GENERATE(table<std::string, bool, bool, long>({
        {"plain, on a reused connection", false, true, 1},
        {"plain, on a fresh connection", false, false, 1},
        {"TLS, on a reused connection", true, true, 3},
        {"TLS, on a fresh connection", true, false, 11},
    }));
    INFO(label);
    Tally tally;
    std::map<AttemptRef, std::string> outcomes;
    {
        Server server{http_server(
            [&, keep = reused](const HttpHeard& heard) {
                tally.add(heard.body);
                return http_answer(200, "ok", keep ? "" : "Connection: close\r\n");
            },
            tls ? certificate().context() : nullptr)};
        FaultProxy proxy{server.port()};
        auto adapter = any(PlainHttpAdapter{(tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(proxy.port())});
        WaitingListener listener;
        NetTransport transport{{{.name = "one", .adapter = &adapter, .seed = 1, .http = loopback_http()}}, listener, real_clock()};
        transport.start();

        AttemptRef last = 1000;
        const auto send = [&] {
            transport.hand_over({real_order(0, ++last)});
            const auto answer = listener.answer(last);
            listener.forget();
            return outcomes[last] = answer;
        };
        // Uncut: how long are request and answer? (With TLS the sizes vary by a few bytes.)
        REQUIRE(send() == "accepted");
        const auto before = std::pair{proxy.passed(Direction::request), proxy.passed(Direction::answer)};
        REQUIRE(send() == "accepted");
        const auto sizes = std::map<Direction, long>{{Direction::request, proxy.passed(Direction::request) - before.first},
                                                     {Direction::answer, proxy.passed(Direction::answer) - before.second}};
        for (const auto& [direction, size] : sizes) {
            REQUIRE(size > 0);
            for (long n = 0; n <= size; n += step_of(short_step)) {
                REQUIRE(send() == "accepted");  // a good one between, so that a connection stands and the account stays up
                proxy.arm(direction, n);
                send();
                proxy.disarm();
            }
        }
        transport.shut_down(1s);
    }
    check_outcomes(outcomes, tally, "");
    CHECK(count(outcomes, "unknown") > 10);
    if (tls && !reused) CHECK(count(outcomes, "not_sent") > 10);  // all that was cut in the handshake
}

TEST_CASE("fault proxy: session submits cut after any byte are never made twice and never called unwritten when they arrived", "[net][fault]") {
    const auto [label, tls, short_step] = GENERATE(table<std::string, bool, long>({{"plain", false, 1}, {"TLS", true, 3}}));
    INFO(label);
    Tally tally;
    std::map<AttemptRef, std::string> outcomes;
    {
        Server server{line_server(
            [&](const std::string& line) {
                tally.add(line);
                return true;
            },
            tls ? certificate().context() : nullptr)};
        FaultProxy proxy{server.port()};
        auto adapter = any(LineAdapter{{.host = "127.0.0.1", .port = proxy.port(), .tls = tls, .tls_ca_file = tls ? certificate().file() : ""}});
        WaitingListener listener;
        NetTransport transport{{{.name = "one", .adapter = &adapter, .seed = 1}}, listener, real_clock()};
        transport.start();

        AttemptRef last = 1000;
        const auto send_three = [&] {
            transport.hand_over({real_order(0, last + 1), real_order(0, last + 2), real_order(0, last + 3)});
            for (int i = 0; i < 3; ++i) {
                ++last;
                outcomes[last] = listener.answer(last);
            }
        };
        REQUIRE(listener.wait_for("up"));
        send_three();
        const auto before = std::pair{proxy.passed(Direction::request), proxy.passed(Direction::answer)};
        send_three();
        const auto sizes = std::map<Direction, long>{{Direction::request, proxy.passed(Direction::request) - before.first},
                                                     {Direction::answer, proxy.passed(Direction::answer) - before.second}};
        REQUIRE(count(outcomes, "accepted") == 6);
        for (const auto& [direction, size] : sizes) {
            for (long n = 0; n <= size; n += step_of(short_step)) {
                listener.forget();
                proxy.arm(direction, n);
                send_three();
                if (proxy.disarm()) REQUIRE(listener.wait_for("up"));  // the session comes back by itself
            }
        }
        transport.shut_down(1s);
    }
    check_outcomes(outcomes, tally, "SUBMIT ");
    CHECK(count(outcomes, "unknown") > 10);
}

}  // namespace touchgate::net::test
