#include "gateway/net/net_transport.hpp"

#include "gateway/net/probe.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/net/peers.hpp"

namespace touchgate::net::test {

namespace {

std::string url(std::uint16_t port, bool tls = false) { return (tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port); }

channel::SessionAdapter::Endpoint endpoint(std::uint16_t port, bool tls = false) {
    return {.host = "127.0.0.1", .port = port, .tls = tls, .tls_ca_file = tls ? certificate().file() : ""};
}

// A port on which nothing listens.
std::uint16_t closed_port() {
    std::uint16_t port = 0;
    ::close(listen_on_loopback(port));
    return port;
}

struct OneAccount {
    channel::AnyAdapter adapter;
    WaitingListener listener;
    NetTransport transport;
    explicit OneAccount(channel::AnyAdapter made, HttpSettings http = loopback_http())
        : adapter{std::move(made)}, transport{{{.name = "one", .adapter = &adapter, .seed = 1, .http = std::move(http)}}, listener, real_clock()} {
        transport.start();
    }
    std::string send(AttemptRef ref) {
        transport.hand_over({real_order(0, ref)});
        return listener.answer(ref);
    }
};

}  // namespace

TEST_CASE("net transport: a session account binds, submits, reports receipts and acknowledges them, plain and with TLS", "[net]") {
    const bool tls = GENERATE(false, true);
    Tally tally;
    Server server{line_server(
        [&](const std::string& line) {
            tally.add(line);
            return true;
        },
        tls ? certificate().context() : nullptr, "RECEIPT 77\n")};
    OneAccount one{any(LineAdapter{endpoint(server.port(), tls)})};
    REQUIRE(one.listener.wait_for("up"));
    REQUIRE(one.listener.wait_for("receipt"));
    one.transport.acknowledge(only<ReceiptReported>(one.listener.events()).at(0).ack, true);
    std::vector<AttemptOrder> orders;
    for (AttemptRef ref = 1; ref <= 500; ++ref) orders.push_back(real_order(0, ref));
    one.transport.hand_over(std::move(orders));
    for (AttemptRef ref = 1; ref <= 500; ++ref) REQUIRE(one.listener.answer(ref) == "accepted");
    one.transport.shut_down(5s);
    CHECK(tally.of("DONE 77") == 1);
    for (AttemptRef ref = 1; ref <= 500; ++ref) REQUIRE(tally.of("SUBMIT " + std::to_string(ref)) == 1);
    CHECK(one.listener.calls() < 500);  // events come in batches
}

TEST_CASE("net transport: revoking what was answered before says written", "[net]") {
    Server server{line_server([](const std::string&) { return true; })};
    OneAccount one{any(LineAdapter{endpoint(server.port())})};
    REQUIRE(one.listener.wait_for("up"));
    REQUIRE(one.send(1) == "accepted");
    one.transport.revoke({1, 2});
    CHECK(one.listener.wait_for("written 1"));
    CHECK(one.listener.wait_for("written 2"));
}

TEST_CASE("net transport: hand-over and revocation right after it never write", "[net]") {
    Tally tally;
    Server server{http_server([&](const HttpHeard& heard) {
        tally.add(heard.body);
        return http_answer(200, "ok");
    })};
    OneAccount one{any(PlainHttpAdapter{url(server.port())})};
    REQUIRE(one.listener.wait_for("up"));
    int revoked = 0;
    for (AttemptRef ref = 1; ref <= 300; ++ref) {
        one.transport.hand_over({real_order(0, ref)});
        one.transport.revoke({ref});
        const auto answer = one.listener.answer(ref);
        if (answer == "revoked") {
            ++revoked;
            CHECK(tally.of(std::to_string(ref)) == 0);
        } else {
            CHECK(answer == "accepted");
            CHECK(one.listener.wait_for("written " + std::to_string(ref)));
        }
    }
    one.transport.shut_down(1s);
    CHECK(revoked > 0);
    CHECK(tally.all() == 300 - revoked);
}

TEST_CASE("net transport: an account nobody has configured leaves the order unwritten", "[net]") {
    Server server{line_server([](const std::string&) { return true; })};
    OneAccount one{any(LineAdapter{endpoint(server.port())})};
    one.transport.hand_over({real_order(9, 1)});
    CHECK(one.listener.answer(1) == "unwritten");
    one.transport.reconcile({{.account = 9, .submission = order(5)}, {.account = 0, .submission = order(6)}});
    CHECK(one.listener.wait_for("reconciled 5"));
    CHECK(one.listener.wait_for("reconciled 6"));
}

TEST_CASE("net transport: a session that loses its peer reports down, comes up again, and its open submits are unknown", "[net]") {
    std::atomic<bool> die_on_submit = true;
    Tally tally;
    Server server{line_server([&](const std::string& line) {
        tally.add(line);
        return !die_on_submit.exchange(false);
    })};
    OneAccount one{any(LineAdapter{endpoint(server.port())})};
    REQUIRE(one.listener.wait_for("up"));
    CHECK(one.send(1) == "unknown");
    REQUIRE(one.listener.wait_for("up", 2));
    CHECK(one.send(2) == "accepted");
    CHECK(tally.of("SUBMIT 1") == 1);
    const auto lines = told(one.listener.events());
    CHECK(std::ranges::count(lines, "down") == 1);
}

TEST_CASE("net transport: shutting down waits for the open submit; what is not answered in time is unknown", "[net]") {
    std::atomic<bool> hold = true;
    std::atomic<int> asked = 0;
    Server server{http_server([&](const HttpHeard&) {
        ++asked;
        while (hold) std::this_thread::yield();
        return http_answer(200, "ok");
    })};
    OneAccount one{any(PlainHttpAdapter{url(server.port())})};
    one.transport.hand_over({real_order(0, 1)});
    while (asked == 0) std::this_thread::yield();
    SECTION("in time") {
        std::thread lets_go{[&] { hold = false; }};
        one.transport.shut_down(5s);
        CHECK(one.listener.answer(1) == "accepted");
        lets_go.join();
    }
    SECTION("too late") {
        one.transport.shut_down(50ms);
        CHECK(one.listener.answer(1) == "unknown");
        hold = false;
    }
    one.transport.hand_over({real_order(0, 2)});  // nothing happens any more
    CHECK(told(one.listener.events()).size() == 2);
}

TEST_CASE("net transport: connecting that fails is not_sent, then down; up again by itself when the host is back", "[net]") {
    OneAccount one{any(PlainHttpAdapter{url(closed_port())})};
    for (AttemptRef ref = 1; ref <= 3; ++ref) CHECK(one.send(ref) == "not_sent");
    CHECK(one.listener.wait_for("down"));
    CHECK(one.send(4) == "unwritten");
}

TEST_CASE("net transport: TLS that is not trusted sends nothing", "[net]") {
    Tally tally;
    Server server{http_server(
        [&](const HttpHeard& heard) {
            tally.add(heard.body);
            return http_answer(200, "ok");
        },
        certificate().context())};
    OneAccount stranger{any(PlainHttpAdapter{url(server.port(), true)}), HttpSettings{.proxy = ""}};
    CHECK(stranger.send(1) == "not_sent");
    OneAccount trusted{any(PlainHttpAdapter{url(server.port(), true)})};
    CHECK(trusted.send(2) == "accepted");
    CHECK(tally.of("1") == 0);
    CHECK(tally.of("2") == 1);
}

TEST_CASE("http: one request each, whatever the server answers", "[net]") {
    const auto [label, answer, expected] = GENERATE(table<std::string, std::string, std::string>({
        {"redirect", http_answer(302, "", "Location: /elsewhere\r\n"), "refused"},
        {"redirect that keeps the method", http_answer(307, "", "Location: /elsewhere\r\n"), "refused"},
        {"authentication asked for", http_answer(401, "", "WWW-Authenticate: Basic realm=\"x\"\r\n"), "refused"},
        {"digest asked for", http_answer(401, "", "WWW-Authenticate: Digest realm=\"x\", nonce=\"1\"\r\n"), "refused"},
        {"expectation failed", http_answer(417, ""), "refused"},
        {"busy", http_answer(503, "", "Retry-After: 0\r\n"), "unknown"},
        {"interim responses first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + http_answer(200, "ok"), "accepted"},
        {"headers that break off", "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Le", "unknown"},
        {"a status line that breaks off", "HTTP/1.1 404 Connection: close", "unknown"},
        {"a body that breaks off", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nok", "unknown"},
        {"a chunked body that breaks off", "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok", "unknown"},
        {"no HTTP at all", "hello, Connection: close\r\n\r\n", "unknown"},
        {"an endless answer", http_answer(200, std::string(5 * 1024 * 1024, 'x')), "unknown"},
    }));
    INFO(label);
    Tally tally;
    Server server{http_server([&, response = answer](const HttpHeard& heard) {
        tally.add(heard.target);
        return response;
    })};
    OneAccount one{any(PlainHttpAdapter{url(server.port())})};
    CHECK(one.send(1) == expected);
    one.transport.shut_down(1s);
    CHECK(tally.of("/send") == 1);
    CHECK(tally.all() == 1);
}

TEST_CASE("http: what is sent is what the adapter made", "[net]") {
    std::mutex mutex;
    HttpHeard last;
    Server server{http_server([&](const HttpHeard& heard) {
        const std::lock_guard lock{mutex};
        last = heard;
        return http_answer(200, "ok");
    })};
    PlainHttpAdapter adapter{url(server.port())};
    adapter.method = GENERATE(as<std::string>{}, "POST", "GET", "PUT", "DELETE");
    OneAccount one{any(adapter)};
    REQUIRE(one.send(12) == "accepted");
    CHECK(last.method == adapter.method);
    CHECK(last.headers.find("Expect:") == std::string::npos);
    if (adapter.method == "GET") {
        CHECK(last.target == "/send?ref=12");
        CHECK(last.body.empty());
    } else {
        CHECK(last.target == "/send");
        CHECK(last.body == "12");
        CHECK(last.headers.find("Content-Type: text/plain\r\n") != std::string::npos);
        CHECK(last.headers.find("X-Ref: 12") != std::string::npos);
    }
}

TEST_CASE("http: a submit on a reused connection that dies without an answer was sent once and is unknown", "[net]") {
    Tally tally;
    Server server{http_server([&](const HttpHeard& heard) {
        tally.add(heard.method == "GET" ? heard.target : heard.body);
        return heard.number == 2 ? std::string{} : http_answer(200, "ok");
    })};
    PlainHttpAdapter adapter{url(server.port())};
    adapter.method = GENERATE(as<std::string>{}, "POST", "GET", "PUT");
    INFO(adapter.method);
    OneAccount one{any(adapter)};
    for (AttemptRef ref = 1; ref <= 40; ref += 2) {
        CHECK(one.send(ref) == "accepted");
        CHECK(one.send(ref + 1) == "unknown");  // the second on its connection
    }
    one.transport.shut_down(1s);
    CHECK(server.accepted() == 20);  // so the connections were reused
    for (AttemptRef ref = 1; ref <= 40; ++ref) CHECK(tally.of((adapter.method == "GET" ? "/send?ref=" : "") + std::to_string(ref)) == 1);
}

TEST_CASE("http/2: a submit on a reused connection that ends without an answer was sent once and is unknown", "[net]") {
    const auto [label, end] = GENERATE(table<std::string, Http2End>({
        {"the connection closes", Http2End::close},
        {"the stream is refused", Http2End::refuse_stream},
        {"the server goes away", Http2End::go_away},
    }));
    INFO(label);
    Tally tally;
    Server server{http2_server(
        [&, how = end](const std::string& body) {
            tally.add(body);
            return std::stoi(body) % 2 == 0 ? how : Http2End::answer;
        },
        certificate().http2_context())};
    PlainHttpAdapter adapter{url(server.port(), true)};
    adapter.method = "HTTP2";  // any method; the answer has no body
    auto http = loopback_http();
    http.version = HttpSettings::Version::http_2;
    OneAccount one{any(adapter), http};
    for (AttemptRef ref = 1; ref <= 20; ref += 2) {
        CHECK(one.send(ref) == "accepted");
        CHECK(one.send(ref + 1) == "unknown");
    }
    one.transport.shut_down(1s);
    CHECK(server.accepted() <= 11);  // so the connections were reused
    for (AttemptRef ref = 1; ref <= 20; ++ref) CHECK(tally.of(std::to_string(ref)) == 1);
}

TEST_CASE("http: more transfers than one lane takes are all answered", "[net]") {
    std::mutex mutex;
    std::condition_variable all_there;
    int open = 0;
    Server server{http_server([&](const HttpHeard&) {
        std::unique_lock lock{mutex};  // nobody is answered before all 300 are there
        ++open;
        all_there.notify_all();
        all_there.wait_for(lock, std::chrono::seconds{60}, [&] { return open == 300; });
        return http_answer(200, "ok");
    })};
    PlainHttpAdapter adapter{url(server.port())};
    adapter.window_size = 300;
    adapter.time_limit = 60s;
    OneAccount one{any(adapter)};
    std::vector<AttemptOrder> orders;
    for (AttemptRef ref = 1; ref <= 300; ++ref) orders.push_back(real_order(0, ref, 60s));
    one.transport.hand_over(std::move(orders));
    for (AttemptRef ref = 1; ref <= 300; ++ref) REQUIRE(one.listener.answer(ref) == "accepted");
}

TEST_CASE("probe: says in plain words what is wrong", "[net]") {
    const auto probe = [](channel::AnyAdapter adapter, HttpSettings http = loopback_http(), Duration patience = 30s) {
        return probe_account({.name = "one", .adapter = &adapter, .seed = 1, .http = std::move(http)}, real_clock(), patience);
    };
    const auto says = [](const Result<std::string>& result, const std::string& words) {
        INFO((result ? *result : result.error().detail));
        return (result ? *result : result.error().detail).find(words) != std::string::npos;
    };
    SECTION("sessions") {
        Server server{line_server([](const std::string&) { return true; })};
        Server secure{line_server([](const std::string&) { return true; }, certificate().context())};
        Server silent{[](int socket) {
            Stream stream{socket, nullptr};
            while (!stream.read_some().empty()) {}
        }};
        const auto good = probe(any(LineAdapter{endpoint(server.port())}));
        CHECK(good.has_value());
        CHECK(says(good, "logged in"));
        const auto wrong = probe(any(LineAdapter{endpoint(server.port()), "guess"}));
        REQUIRE_FALSE(wrong.has_value());
        CHECK(wrong.error().kind == ErrorKind::unauthorized);
        CHECK(says(wrong, "refuses the user name or password"));
        CHECK(says(probe(any(LineAdapter{endpoint(closed_port())})), "refused the connection"));
        CHECK(says(probe(any(LineAdapter{{.host = "no-such-host.invalid", .port = 1, .tls_ca_file = ""}})),
                   "cannot find the host no-such-host.invalid"));
        CHECK(says(probe(any(LineAdapter{{.host = "127.0.0.1", .port = secure.port(), .tls = true, .tls_ca_file = ""}})), "TLS: the certificate"));
        CHECK(probe(any(LineAdapter{{.host = "127.0.0.1", .port = secure.port(), .tls = true, .tls_verify = false, .tls_ca_file = ""}})).has_value());
        CHECK(probe(any(LineAdapter{{.host = "localhost", .port = secure.port(), .tls = true, .tls_ca_file = certificate().file()}})).has_value());
        const auto not_tls = any(LineAdapter{{.host = "127.0.0.1", .port = silent.port(), .tls = true, .tls_ca_file = "", .connect_timeout = 100ms}});
        CHECK(says(probe_account({.name = "one", .adapter = &not_tls}, real_clock(), 30s), "is this port TLS at all?"));
        CHECK(says(probe(any(LineAdapter{endpoint(silent.port())}), {}, 100ms), "does not answer the login"));
    }
    SECTION("http providers") {
        Server server{http_server([](const HttpHeard& heard) {
            if (heard.target == "/good") return http_answer(200, "ok");
            if (heard.target == "/key") return http_answer(200, "bad key");
            if (heard.target == "/forbidden") return http_answer(403, "");
            return http_answer(404, "");
        })};
        const auto adapter = [&](std::string path, std::uint16_t port) {
            PlainHttpAdapter made{url(port)};
            made.probe_path = std::move(path);
            return any(made);
        };
        CHECK(probe(adapter("/good", server.port())).has_value());
        CHECK(says(probe(adapter("/key", server.port())), "refuses the credentials"));
        CHECK(says(probe(adapter("/forbidden", server.port())), "refuses the credentials"));
        CHECK(says(probe(adapter("/other", server.port())), "is base_url right?"));
        CHECK(says(probe(adapter("/good", closed_port())), "cannot connect"));
        const auto connected = probe(any(PlainHttpAdapter{url(server.port())}));
        CHECK(connected.has_value());
        CHECK(says(connected, "connected to"));
        Server secure{http_server([](const HttpHeard&) { return http_answer(200, "ok"); }, certificate().context())};
        CHECK(says(probe(any(PlainHttpAdapter{url(secure.port(), true)}), HttpSettings{.proxy = ""}), "TLS: the certificate"));
    }
}

}  // namespace touchgate::net::test
