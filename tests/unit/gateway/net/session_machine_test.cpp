#include "gateway/net/session_machine.hpp"

#include "tests/catch.hpp"
#include "tests/unit/gateway/net/fakes.hpp"

namespace touchgate::net::test {

namespace {

// A machine over a fake session, and a driver whose socket takes everything at once unless told otherwise.
struct Bench {
    FakeSessionState session;
    SessionMachine machine{3, std::make_unique<FakeSession>(session)};
    Monotonic now{0};
    std::string wire;
    std::vector<TransportEvent> events;
    bool socket_takes = true;
    bool connect_wanted = false;
    bool close_wanted = false;

    void pump() {
        while (true) {
            auto actions = machine.take_actions(now);
            std::ranges::move(actions.events, std::back_inserter(events));
            connect_wanted = connect_wanted || actions.connect;
            close_wanted = close_wanted || actions.close;
            if (actions.write.empty()) return;
            wire += actions.write;
            if (!socket_takes) return;
            machine.on_writable(now);
        }
    }
    void bring_up() {
        pump();
        REQUIRE(connect_wanted);
        machine.on_connected(at(now));
        session.bind();
        pump();
        events.clear();
        wire.clear();
    }
    Lines take() {
        pump();
        return told(std::exchange(events, {}));
    }
};

}  // namespace

TEST_CASE("session machine: connects when the session wants to and reports up once", "[net]") {
    Bench bench;
    bench.session.connect_at = Monotonic{2s};
    CHECK(bench.take().empty());
    CHECK_FALSE(bench.connect_wanted);
    CHECK(bench.machine.wake_at() == Monotonic{2s});
    bench.now = 2s;
    CHECK(bench.take().empty());
    REQUIRE(bench.connect_wanted);
    CHECK_FALSE(bench.machine.wake_at());
    bench.machine.on_connected(at(bench.now));
    CHECK(bench.take().empty());
    CHECK(bench.wire == "<bind>");
    bench.session.bind();
    bench.session.say(channel::SessionUp{});
    CHECK(bench.take() == Lines{"up"});
}

TEST_CASE("session machine: the session learns the wall time before it connects; its warning travels with up", "[net]") {
    Bench bench;
    bench.pump();
    bench.now = 3s;
    bench.machine.on_connected(at(bench.now));
    CHECK(bench.session.wall_time == at(3s).wall);
    bench.session.say(channel::SessionUp{.warning = "the peer's digest differs"});
    bench.pump();
    const auto up = only<AccountUp>(bench.events);
    REQUIRE(up.size() == 1);
    CHECK(up[0].account == 3);
    CHECK(up[0].warning == "the peer's digest differs");
}

TEST_CASE("session machine: an order is written at once and answered by the session", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.machine.hand_over(bench.now, order(1));
    CHECK(bench.take().empty());
    CHECK(bench.wire == "<1>");
    bench.session.answer(1);
    CHECK(bench.take() == Lines{"answered 1 accepted"});
    bench.session.answer(1);  // a session that repeats itself
    CHECK(bench.take().empty());
}

TEST_CASE("session machine: while the account is not up an order comes back unwritten", "[net]") {
    Bench bench;
    bench.machine.hand_over(bench.now, order(1));
    CHECK(bench.take() == Lines{"unwritten 1"});
    bench.machine.on_connected(at(bench.now));  // connected, but not bound
    bench.machine.hand_over(bench.now, order(2));
    CHECK(bench.take() == Lines{"unwritten 2"});
    CHECK(bench.session.submitted.empty());
}

TEST_CASE("session machine: an order waits while a write is in flight or the window is full, until its deadline", "[net]") {
    Bench bench;
    bench.bring_up();
    const bool by_window = GENERATE(true, false);
    if (by_window) {
        bench.session.window = 1;
    } else {
        bench.socket_takes = false;
    }
    bench.machine.hand_over(bench.now, order(1));
    bench.pump();
    bench.machine.hand_over(bench.now, order(2, 5s));
    CHECK(bench.take().empty());
    CHECK(bench.wire == "<1>");
    CHECK(bench.machine.wake_at() == Monotonic{5s} + Monotonic{1});

    SECTION("room in time") {
        bench.now = 5s;  // the last instant that is in time
        if (by_window) bench.session.answer(1);
        else bench.machine.on_writable(bench.now);
        bench.pump();
        CHECK(bench.wire == "<1><2>");
    }
    SECTION("room too late") {
        bench.now = Monotonic{5s} + Monotonic{1};
        if (by_window) bench.session.answer(1);
        else bench.machine.on_writable(bench.now);
        const auto lines = bench.take();
        CHECK(std::ranges::count(lines, "unwritten 2") == 1);
        CHECK(bench.wire == "<1>");
    }
    SECTION("revoked meanwhile") {
        CHECK(bench.machine.revoke(bench.now, 2));
        CHECK(bench.take() == Lines{"revoked 2"});
        bench.session.answer(1);
        bench.machine.on_writable(bench.now);
        bench.pump();
        CHECK(bench.wire == "<1>");
        CHECK_FALSE(bench.machine.revoke(bench.now, 2));
    }
    SECTION("connection lost meanwhile") {
        bench.machine.on_closed(bench.now, "reset");
        CHECK(bench.take() == Lines{"answered 1 unknown", "down", "unwritten 2"});
        CHECK_FALSE(bench.machine.revoke(bench.now, 2));
    }
    SECTION("unbound meanwhile") {
        bench.session.bound = false;
        bench.session.say(channel::SessionDown{.reason = "unbound"});
        CHECK(bench.take() == Lines{"down", "unwritten 2"});
    }
}

TEST_CASE("session machine: a deadline in the past is never written, whatever stands before it", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.now = 10s;
    bench.machine.hand_over(bench.now, order(1, 20s));
    bench.machine.hand_over(bench.now, order(2, 9s));
    bench.machine.hand_over(bench.now, order(3, 20s));
    CHECK(bench.take() == Lines{"unwritten 2"});
    CHECK(bench.wire == "<1><3>");
}

TEST_CASE("session machine: a revocation after the write is answered written, and the answer still comes", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.machine.hand_over(bench.now, order(1));
    bench.pump();
    CHECK(bench.machine.revoke(bench.now, 1));
    CHECK(bench.take() == Lines{"written 1"});
    bench.session.answer(1);
    CHECK(bench.take() == Lines{"answered 1 accepted"});
    CHECK_FALSE(bench.machine.revoke(bench.now, 1));
}

TEST_CASE("session machine: hand over and revoke in one turn never writes", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.machine.hand_over(bench.now, order(1));
    CHECK(bench.machine.revoke(bench.now, 1));
    CHECK(bench.take() == Lines{"revoked 1"});
    CHECK(bench.wire.empty());
}

TEST_CASE("session machine: a session that forgets its open submits leaves none without an answer", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.session.forgets_on_close = true;
    bench.machine.hand_over(bench.now, order(1));
    bench.machine.hand_over(bench.now, order(2));
    bench.pump();
    bench.machine.on_closed(bench.now, "reset");
    CHECK(bench.take() == Lines{"down", "answered 1 unknown", "answered 2 unknown"});
}

TEST_CASE("session machine: down is reported once a change, and a refused password is news", "[net]") {
    Bench bench;
    bench.pump();
    bench.machine.on_closed(bench.now, "connection refused");
    CHECK(bench.take() == Lines{"down"});
    bench.machine.on_closed(bench.now, "connection refused");
    CHECK(bench.take().empty());
    bench.machine.on_connected(at(bench.now));
    bench.session.say(channel::SessionDown{.reason = "invalid password", .credentials = true});
    CHECK(bench.take() == Lines{"down for credentials"});
    bench.machine.on_closed(bench.now, "closed");
    bench.machine.on_closed(bench.now, "connection refused");
    CHECK(bench.take().empty());
    bench.machine.on_connected(at(bench.now));
    bench.session.bind();
    CHECK(bench.take() == Lines{"up"});
}

TEST_CASE("session machine: an acknowledgement is valid for its own connection only", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.session.say(channel::ReceiptArrived{.receipt = {}, .token = 7});
    bench.session.say(channel::MessageArrived{.message = {}, .token = 8});
    bench.pump();
    const auto receipts = only<ReceiptReported>(bench.events);
    const auto messages = only<MessageReported>(bench.events);
    REQUIRE(receipts.size() == 1);
    REQUIRE(messages.size() == 1);
    CHECK(receipts[0].account == 3);
    CHECK(SessionMachine::account_of(receipts[0].ack) == AccountNumber{3});
    CHECK_FALSE(SessionMachine::account_of(AckTicket{}));

    bench.machine.acknowledge(bench.now, receipts[0].ack, true);
    CHECK(bench.session.acknowledged == std::vector<std::pair<channel::AckToken, bool>>{{7, true}});
    bench.machine.on_closed(bench.now, "reset");
    bench.machine.acknowledge(bench.now, messages[0].ack, true);  // no connection
    bench.machine.on_connected(at(bench.now));
    bench.machine.acknowledge(bench.now, messages[0].ack, false);  // another connection
    CHECK(bench.session.acknowledged.size() == 1);
}

TEST_CASE("session machine: acknowledgements and submits of one turn share one write", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.session.say(channel::ReceiptArrived{.receipt = {}, .token = 7});
    bench.pump();
    bench.machine.acknowledge(bench.now, only<ReceiptReported>(bench.events).at(0).ack, true);
    bench.machine.hand_over(bench.now, order(1));
    bench.machine.hand_over(bench.now, order(2));
    CHECK(bench.machine.take_actions(bench.now).write == "<ack><1><2>");
}

TEST_CASE("session machine: one write is bounded, so that no order waits encoded behind a slow socket", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.session.window = 100;
    bench.session.on_submit = [&](Monotonic, const Submission&) { bench.session.output.bytes += std::string(4096, 'x'); };
    for (AttemptRef ref = 1; ref <= 50; ++ref) bench.machine.hand_over(bench.now, order(ref));
    const auto write = bench.machine.take_actions(bench.now).write;
    CHECK(write.size() < SessionMachine::write_bytes_target + 4200);
    CHECK(bench.machine.in_flight() == 4);
    CHECK(bench.machine.revoke(bench.now, 5));
    bench.machine.on_writable(bench.now);
    CHECK(bench.take() == Lines{"revoked 5"});
    CHECK(bench.machine.in_flight() == 49);
}

TEST_CASE("session machine: bytes go out in the session's order and a close waits for them", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.socket_takes = false;
    bench.machine.hand_over(bench.now, order(1));
    bench.pump();
    bench.session.output.bytes += "<unbind_resp>";
    bench.session.output.close = true;
    bench.pump();
    CHECK_FALSE(bench.close_wanted);
    bench.machine.on_writable(bench.now);
    bench.pump();
    CHECK(bench.wire == "<1><unbind_resp>");
    CHECK(bench.close_wanted);
    bench.machine.hand_over(bench.now, order(2));
    bench.pump();
    CHECK(bench.session.submitted == std::vector<AttemptRef>{1});  // nothing more is submitted into a closing connection
    bench.machine.on_closed(bench.now, "closed");
    CHECK(bench.take() == Lines{"answered 1 unknown", "down", "unwritten 2"});
}

TEST_CASE("session machine: wakes the session when it asks for it", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.session.wake_at = Monotonic{30s};
    CHECK(bench.machine.wake_at() == Monotonic{30s});
    bench.now = 29s;
    bench.pump();
    CHECK(bench.session.wakes == 0);
    bench.now = 30s;
    bench.pump();
    CHECK(bench.session.wakes == 1);
}

TEST_CASE("session machine: shutting down returns what is unwritten and waits for what is written", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.session.window = 1;
    bench.machine.hand_over(bench.now, order(1));
    bench.machine.hand_over(bench.now, order(2));
    bench.pump();
    bench.machine.shut_down(bench.now);
    bench.machine.hand_over(bench.now, order(3));
    CHECK(bench.take() == Lines{"unwritten 2", "unwritten 3"});
    CHECK(bench.session.shut_down);
    CHECK_FALSE(bench.machine.is_finished());
    bench.session.answer(1);
    CHECK(bench.take() == Lines{"answered 1 accepted"});
    bench.connect_wanted = false;
    bench.machine.on_closed(bench.now, "unbound");
    CHECK(bench.take() == Lines{"down"});
    CHECK(bench.machine.is_finished());
    CHECK_FALSE(bench.connect_wanted);
}

TEST_CASE("session machine: asked to leave while connecting, it closes without a word", "[net]") {
    Bench bench;
    bench.pump();
    bench.machine.shut_down(bench.now);
    CHECK_FALSE(bench.machine.is_finished());
    bench.machine.on_connected(at(bench.now));
    bench.pump();
    CHECK(bench.wire.empty());
    CHECK(bench.close_wanted);
    bench.machine.on_closed(bench.now, "closed");
    bench.pump();
    CHECK(bench.machine.is_finished());
}

// Random interleavings of everything that can happen, against the promises of transport_machine.hpp.
TEST_CASE("session machine: whatever happens, each order is answered once and nothing ended is written", "[net]") {
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        INFO("seed " << seed);
        Random random{seed};
        Bench bench;
        bench.session.forgets_on_close = random.chance(0.2);
        bench.session.window = 1 + random.below(6);
        std::map<AttemptRef, Monotonic> deadlines;
        std::set<AttemptRef> asked_to_revoke, seen_submitted;
        std::map<AttemptRef, int> answers, unwritten, revoke_answers;
        bool connecting = false, connected = false, writing = false, broken_rule = false;
        AttemptRef last = 0;

        bench.session.on_submit = [&](Monotonic now, const Submission& submission) {
            broken_rule = broken_rule || now > deadlines.at(submission.ref) || unwritten[submission.ref] > 0 || writing || !connected ||
                          !seen_submitted.insert(submission.ref).second;
        };
        const auto take = [&] {
            auto actions = bench.machine.take_actions(bench.now);
            for (const auto& event : actions.events) {
                if (const auto* answered = std::get_if<AttemptAnswered>(&event)) ++answers[answered->ref];
                if (const auto* ended = std::get_if<AttemptUnwritten>(&event)) {
                    ++unwritten[ended->ref];
                    if (ended->revoked) ++revoke_answers[ended->ref];
                }
                if (const auto* late = std::get_if<AttemptWritten>(&event)) ++revoke_answers[late->ref];
            }
            if (actions.connect) connecting = true;
            if (!actions.write.empty()) writing = true;
            if (actions.close) {
                bench.machine.on_closed(bench.now, "closed");
                connected = writing = false;
            }
        };
        for (int step = 0; step < 200; ++step) {
            switch (random.below(11)) {
                case 0:
                case 1:
                case 2: {
                    const auto ref = ++last;
                    deadlines[ref] = bench.now + Monotonic{random.below(4'000) * 1'000'000};
                    bench.machine.hand_over(bench.now, order(ref, deadlines[ref]));
                    break;
                }
                case 3:
                    if (last > 0) {
                        const auto ref = 1 + random.below(last);
                        if (asked_to_revoke.contains(ref)) break;
                        if (bench.machine.revoke(bench.now, ref)) {
                            asked_to_revoke.insert(ref);
                        } else {
                            take();
                            CHECK(answers[ref] + unwritten[ref] == 1);
                        }
                    }
                    break;
                case 4:
                    if (connecting) {
                        connecting = false;
                        connected = random.chance(0.8);
                        if (connected) bench.machine.on_connected(at(bench.now));
                        else bench.machine.on_closed(bench.now, "refused");
                    }
                    break;
                case 5:
                    if (connected && !bench.session.bound) bench.session.bind();
                    break;
                case 6:
                    if (writing) {
                        writing = false;
                        bench.machine.on_writable(bench.now);
                    }
                    break;
                case 7:
                    if (!bench.session.open.empty()) bench.session.answer(bench.session.open[random.below(bench.session.open.size())]);
                    break;
                case 8:
                    if (connected && random.chance(0.3)) {
                        bench.machine.on_closed(bench.now, "reset");
                        connected = writing = false;
                    }
                    break;
                case 9:
                    if (connected && random.chance(0.1)) bench.session.output.close = true;
                    break;
                default: bench.now += Monotonic{random.below(1'500) * 1'000'000}; break;
            }
            if (random.chance(0.7)) take();
            REQUIRE_FALSE(broken_rule);
        }
        bench.machine.shut_down(bench.now);
        bench.machine.on_closed(bench.now, "over");
        take();
        for (AttemptRef ref = 1; ref <= last; ++ref) {
            INFO("order " << ref);
            REQUIRE(answers[ref] + unwritten[ref] == 1);
            REQUIRE(revoke_answers[ref] == (asked_to_revoke.contains(ref) ? 1 : 0));
            REQUIRE((unwritten[ref] == 0 || !seen_submitted.contains(ref)));
        }
        CHECK(bench.machine.waiting() == 0);
        CHECK(bench.machine.in_flight() == 0);
    }
}

}  // namespace touchgate::net::test
