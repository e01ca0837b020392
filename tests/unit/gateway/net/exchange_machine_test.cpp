#include "gateway/net/exchange_machine.hpp"

#include "tests/catch.hpp"
#include "tests/unit/gateway/net/fakes.hpp"

namespace touchgate::net::test {

namespace {

const channel::Need token{.key = "token"};

struct Bench {
    FakeAdapter adapter;
    std::optional<ExchangeMachine> held;
    Monotonic now{0};
    std::vector<TransportEvent> events;
    std::map<ExchangeId, HttpExchange> open;  // started, not reported
    std::vector<ExchangeId> cancelled;

    ExchangeMachine& machine() {
        if (!held) {
            held.emplace(7, adapter, 42);
            held->start();
        }
        return *held;
    }
    void pump() {
        auto actions = machine().take_actions(at(now));
        for (const auto id : actions.cancel) {
            REQUIRE(open.erase(id) == 1);
            cancelled.push_back(id);
        }
        for (auto& exchange : actions.start) REQUIRE(open.emplace(exchange.id, exchange).second);
        std::ranges::move(actions.events, std::back_inserter(events));
    }
    Lines take() {
        pump();
        return told(std::exchange(events, {}));
    }
    void hand_over(AttemptRef ref, Monotonic deadline = 5s) { machine().hand_over(at(now), order(ref, deadline)); }
    // The n-th open exchange, oldest first.
    ExchangeId id(std::size_t n = 0) {
        pump();
        REQUIRE(n < open.size());
        return std::next(open.begin(), static_cast<std::ptrdiff_t>(n))->first;
    }
    bool first_byte(ExchangeId which) {
        const bool allowed = machine().on_first_byte(at(now), which);
        if (!allowed) open.erase(which);
        return allowed;
    }
    void respond(ExchangeId which, int status, std::string body = "") {
        if (!open.at(which).connect_only) REQUIRE(machine().on_first_byte(at(now), which));
        open.erase(which);
        machine().on_response(at(now), which, response(status, std::move(body)));
    }
    void fail(ExchangeId which, bool bytes_left) {
        if (bytes_left) REQUIRE(machine().on_first_byte(at(now), which));
        open.erase(which);
        machine().on_failure(at(now), which, bytes_left, "reset");
    }
    std::string body(ExchangeId which) { return open.at(which).request.body; }
    void bring_up() { REQUIRE(take() == Lines{"up"}); }
};

}  // namespace

TEST_CASE("exchange machine: up at start; an order becomes a request, its response an outcome", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.hand_over(1);
    const auto id = bench.id();
    CHECK(bench.body(id).starts_with("refs=1, nonce="));
    CHECK(bench.open.at(id).timeout == 10s);
    CHECK(bench.take().empty());
    bench.respond(id, 200);
    CHECK(bench.take() == Lines{"answered 1 accepted"});
    bench.machine().on_response(at(bench.now), id, response(200));
    bench.machine().on_failure(at(bench.now), id, true, "again");
    CHECK_FALSE(bench.machine().on_first_byte(at(bench.now), id));
    CHECK(bench.take().empty());
}

TEST_CASE("exchange machine: nonces differ and are 32 hex digits", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.hand_over(1);
    bench.hand_over(2);
    const auto nonce = [](const std::string& body) { return body.substr(body.find("nonce=") + 6, 32); };
    const auto first = nonce(bench.body(bench.id(0)));
    CHECK(first.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(first != nonce(bench.body(bench.id(1))));
}

TEST_CASE("exchange machine: an error before the first byte is not_sent, after it unknown", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.hand_over(1);
    bench.fail(bench.id(), false);
    CHECK(bench.take() == Lines{"answered 1 not_sent"});
    bench.hand_over(2);
    bench.fail(bench.id(), true);
    CHECK(bench.take() == Lines{"answered 2 unknown"});
}

TEST_CASE("exchange machine: a time-out cancels the exchange; unknown only if the first byte was allowed", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.hand_over(1, 60s);
    bench.hand_over(2, 60s);
    const auto first = bench.id(0);
    CHECK(bench.machine().on_first_byte(at(bench.now), first));
    CHECK(bench.machine().wake_at() == Monotonic{10s});
    bench.now = 10s;
    CHECK(bench.take() == Lines{"answered 1 unknown", "answered 2 not_sent"});
    CHECK(bench.cancelled.size() == 2);
    CHECK(bench.open.empty());
}

TEST_CASE("exchange machine: the first byte is refused after the permit's deadline", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.hand_over(1, 5s);
    const auto id = bench.id();
    SECTION("the deadline itself is in time") {
        bench.now = 5s;
        CHECK(bench.first_byte(id));
    }
    SECTION("one tick later is not") {
        bench.now = Monotonic{5s} + Monotonic{1};
        CHECK_FALSE(bench.first_byte(id));
        CHECK(bench.take() == Lines{"unwritten 1"});
        CHECK(bench.cancelled.empty());  // the driver has dropped it by itself
    }
    SECTION("the machine wakes and cancels while the connection is still being made") {
        CHECK(bench.machine().wake_at() == Monotonic{5s} + Monotonic{1});
        bench.now = *bench.machine().wake_at();
        CHECK(bench.take() == Lines{"unwritten 1"});
        CHECK(bench.cancelled == std::vector<ExchangeId>{id});
    }
}

TEST_CASE("exchange machine: revocation at every stage", "[net]") {
    Bench bench;
    bench.adapter.window_size = 1;
    SECTION("in the turn of the hand-over") {
        bench.bring_up();
        bench.hand_over(1);
        CHECK(bench.machine().revoke(at(bench.now), 1));
        CHECK(bench.take() == Lines{"revoked 1"});
        CHECK(bench.open.empty());
    }
    SECTION("while its resource is fetched") {
        bench.adapter.needs = {token};
        bench.bring_up();
        bench.hand_over(1);
        const auto fetch = bench.id();
        CHECK(bench.machine().revoke(at(bench.now), 1));
        CHECK(bench.take() == Lines{"revoked 1"});
        bench.respond(fetch, 200, "T");
        CHECK(bench.take().empty());
        CHECK(bench.open.empty());
    }
    SECTION("while it waits for a window place") {
        bench.bring_up();
        bench.hand_over(1);
        bench.hand_over(2);
        const auto first = bench.id();
        CHECK(bench.open.size() == 1);
        CHECK(bench.machine().revoke(at(bench.now), 2));
        CHECK(bench.take() == Lines{"revoked 2"});
        bench.respond(first, 200);
        CHECK(bench.take() == Lines{"answered 1 accepted"});
        CHECK(bench.open.empty());
    }
    SECTION("while its connection is made") {
        bench.bring_up();
        bench.hand_over(1);
        const auto id = bench.id();
        CHECK(bench.machine().revoke(at(bench.now), 1));
        CHECK_FALSE(bench.machine().on_first_byte(at(bench.now), id));  // the driver is asked before it hears of the cancelling
        CHECK(bench.take() == Lines{"revoked 1"});
        CHECK(bench.cancelled == std::vector<ExchangeId>{id});
    }
    SECTION("after the first byte") {
        bench.bring_up();
        bench.hand_over(1);
        const auto id = bench.id();
        CHECK(bench.first_byte(id));
        CHECK(bench.machine().revoke(at(bench.now), 1));
        CHECK(bench.take() == Lines{"written 1"});
        bench.open.erase(id);
        bench.machine().on_failure(at(bench.now), id, true, "reset");
        CHECK(bench.take() == Lines{"answered 1 unknown"});
        CHECK_FALSE(bench.machine().revoke(at(bench.now), 1));
    }
}

TEST_CASE("exchange machine: a batch takes what may share a request, without waiting for more", "[net]") {
    Bench bench;
    bench.adapter.batch_max = 3;
    bench.adapter.window_size = 2;
    bench.adapter.one_template_a_batch = true;
    bench.bring_up();
    const auto with_template = [&](AttemptRef ref, std::string code) {
        auto made = order(ref);
        made.content.template_code = std::move(code);
        bench.machine().hand_over(at(bench.now), made);
    };
    with_template(1, "A");
    with_template(2, "B");
    with_template(3, "A");
    with_template(4, "A");
    with_template(5, "A");
    CHECK(refs_in(bench.body(bench.id(0))) == std::vector<AttemptRef>{1, 3, 4});
    CHECK(refs_in(bench.body(bench.id(1))) == std::vector<AttemptRef>{2});
    bench.respond(bench.id(0), 200);
    CHECK(bench.take() == Lines{"answered 1 accepted", "answered 3 accepted", "answered 4 accepted"});
    CHECK(refs_in(bench.body(bench.id(1))) == std::vector<AttemptRef>{5});
}

TEST_CASE("exchange machine: a batch is cut again without the revoked and the lapsed", "[net]") {
    Bench bench;
    bench.adapter.batch_max = 4;
    bench.bring_up();
    bench.hand_over(1, 5s);
    bench.hand_over(2, 5s);
    bench.hand_over(3, 2s);
    bench.hand_over(4, 5s);
    const auto first = bench.id();
    CHECK(refs_in(bench.body(first)) == std::vector<AttemptRef>{1, 2, 3, 4});
    CHECK(bench.machine().revoke(at(bench.now), 2));
    CHECK(bench.take() == Lines{"revoked 2"});
    CHECK(bench.cancelled == std::vector<ExchangeId>{first});
    const auto second = bench.id();
    CHECK(refs_in(bench.body(second)) == std::vector<AttemptRef>{1, 3, 4});
    bench.now = 3s;
    CHECK_FALSE(bench.first_byte(second));
    CHECK(bench.take() == Lines{"unwritten 3"});
    const auto third = bench.id();
    CHECK(refs_in(bench.body(third)) == std::vector<AttemptRef>{1, 4});
    bench.respond(third, 200);
    CHECK(bench.take() == Lines{"answered 1 accepted", "answered 4 accepted"});
    CHECK(bench.machine().in_flight() == 0);
}

TEST_CASE("exchange machine: a verdict too few is unknown, one too many is nobody's", "[net]") {
    Bench bench;
    bench.adapter.batch_max = 3;
    bench.bring_up();
    SECTION("too few") {
        bench.adapter.classified = {OutcomeKind::accepted};
        for (AttemptRef ref = 1; ref <= 3; ++ref) bench.hand_over(ref);
        bench.respond(bench.id(), 200);
        CHECK(bench.take() == Lines{"answered 1 accepted", "answered 2 unknown", "answered 3 unknown"});
    }
    SECTION("too many") {
        bench.adapter.classified = {OutcomeKind::accepted, OutcomeKind::refused, OutcomeKind::accepted};
        for (AttemptRef ref = 1; ref <= 2; ++ref) bench.hand_over(ref);
        bench.respond(bench.id(), 200);
        CHECK(bench.take() == Lines{"answered 1 accepted", "answered 2 refused"});
    }
}

TEST_CASE("exchange machine: the window bounds submits in flight, fetches do not count", "[net]") {
    Bench bench;
    bench.adapter.window_size = 3;
    bench.adapter.needs = {token};
    bench.bring_up();
    for (AttemptRef ref = 1; ref <= 10; ++ref) bench.hand_over(ref);
    bench.respond(bench.id(), 200, "T");
    bench.pump();
    CHECK(bench.open.size() == 3);
    CHECK(bench.machine().in_flight() == 3);
    bench.respond(bench.id(), 200);
    bench.pump();
    CHECK(bench.open.size() == 3);
}

TEST_CASE("tokens: two hundred sends on an expired token make one token request", "[net]") {
    Bench bench;
    bench.adapter.window_size = 200;
    bench.adapter.needs = {token};
    bench.bring_up();
    bench.hand_over(1000);
    bench.respond(bench.id(), 200, "T1");
    bench.respond(bench.id(), 200);
    CHECK(bench.take() == Lines{"answered 1000 accepted"});
    bench.now = 200s;  // T1 was valid for 100 s
    for (AttemptRef ref = 1; ref <= 200; ++ref) bench.hand_over(ref, 210s);
    bench.pump();
    REQUIRE(bench.open.size() == 1);
    CHECK(bench.body(bench.id()) == "fetch token");
    bench.respond(bench.id(), 200, "T2");
    bench.pump();
    CHECK(bench.open.size() == 200);
    for (const auto& [id, exchange] : bench.open) CHECK(exchange.request.body.ends_with("token=T2"));
}

TEST_CASE("tokens: two hundred refusals of one token refresh it once and submit each once more", "[net]") {
    Bench bench;
    bench.adapter.window_size = 200;
    bench.adapter.needs = {token};
    bench.bring_up();
    for (AttemptRef ref = 1; ref <= 200; ++ref) bench.hand_over(ref, 60s);
    bench.respond(bench.id(), 200, "T1");
    bench.pump();
    std::vector<ExchangeId> first_round;
    for (const auto& [id, exchange] : bench.open) first_round.push_back(id);
    REQUIRE(first_round.size() == 200);
    const bool late_ones_after_the_refresh = GENERATE(false, true);
    for (std::size_t i = 0; i < (late_ones_after_the_refresh ? 100U : 200U); ++i) bench.respond(first_round[i], 401);
    CHECK(bench.take().empty());
    const auto fetches = [&] {
        return std::ranges::count_if(bench.open, [](const auto& item) { return item.second.request.body == "fetch token"; });
    };
    REQUIRE(fetches() == 1);
    bench.respond(bench.open.rbegin()->first, 200, "T2");
    if (late_ones_after_the_refresh)
        for (std::size_t i = 100; i < 200; ++i) bench.respond(first_round[i], 401);
    bench.pump();
    CHECK(fetches() == 0);
    REQUIRE(bench.open.size() == 200);
    SECTION("the fresh one is taken") {
        while (!bench.open.empty()) bench.respond(bench.open.begin()->first, 200);
        const auto lines = bench.take();
        CHECK(lines.size() == 200);
        CHECK(std::ranges::all_of(lines, [](const auto& line) { return line.ends_with("accepted"); }));
    }
    SECTION("the fresh one is refused too: the adapter's outcome, no third try") {
        while (!bench.open.empty()) bench.respond(bench.open.begin()->first, 401);
        const auto lines = bench.take();
        CHECK(lines.size() == 200);
        CHECK(std::ranges::all_of(lines, [](const auto& line) { return line.ends_with("credentials"); }));
        CHECK(bench.open.empty());
    }
}

TEST_CASE("tokens: after a refused token what was revoked or has lapsed is not submitted again", "[net]") {
    Bench bench;
    bench.adapter.needs = {token};
    bench.bring_up();
    bench.hand_over(1, 60s);
    bench.hand_over(2, 3s);
    bench.hand_over(3, 60s);
    bench.respond(bench.id(), 200, "T1");
    const auto first = bench.id(0), second = bench.id(1), third = bench.id(2);
    REQUIRE(bench.first_byte(first));
    REQUIRE(bench.first_byte(second));
    REQUIRE(bench.first_byte(third));
    CHECK(bench.machine().revoke(at(bench.now), 1));
    CHECK(bench.take() == Lines{"written 1"});
    bench.now = 4s;
    for (const auto id : {first, second, third}) {
        bench.open.erase(id);
        bench.machine().on_response(at(bench.now), id, response(401));
    }
    CHECK(bench.take() == Lines{"answered 1 not_sent", "answered 2 not_sent"});
    CHECK(bench.machine().revoke(at(bench.now), 3));  // waits for the fresh token: the provider refused it, so it is unwritten again
    CHECK(bench.take() == Lines{"revoked 3"});
    bench.respond(bench.id(), 200, "T2");
    CHECK(bench.take().empty());
    CHECK(bench.open.empty());
}

TEST_CASE("tokens: a failed fetch answers all that wait with something that means not sent", "[net]") {
    Bench bench;
    bench.adapter.needs = {token};
    bench.bring_up();
    for (AttemptRef ref = 1; ref <= 3; ++ref) bench.hand_over(ref);
    const auto [label, how, expected] = GENERATE(table<std::string, int, std::string>({
        {"credentials refused", 401, "credentials"},
        {"an answer that the adapter cannot place", 500, "not_sent"},
        {"the connection breaks after the request", -1, "not_sent"},
        {"no connection", -2, "not_sent"},
    }));
    INFO(label);
    if (how > 0) bench.respond(bench.id(), how);
    else bench.fail(bench.id(), how == -1);
    CHECK(bench.take() == Lines{"answered 1 " + expected, "answered 2 " + expected, "answered 3 " + expected});
    bench.hand_over(4);  // and the provider is not asked again at once
    CHECK(bench.take() == Lines{"answered 4 " + expected});
    CHECK(bench.open.empty());
    bench.now = 2s;
    bench.hand_over(5, 10s);
    CHECK(bench.take().empty());
    CHECK(bench.open.size() == 1);
}

TEST_CASE("tokens: a fetch that times out leaves nobody waiting, and its late answer is ignored", "[net]") {
    Bench bench;
    bench.adapter.needs = {token};
    bench.bring_up();
    bench.hand_over(1, 60s);
    const auto fetch = bench.id();
    REQUIRE(bench.first_byte(fetch));
    bench.now = 10s;
    CHECK(bench.take() == Lines{"answered 1 not_sent"});
    bench.machine().on_response(at(bench.now), fetch, response(200, "LATE"));
    bench.now = 12s;
    bench.hand_over(2, 60s);
    CHECK(bench.body(bench.id()) == "fetch token");
}

TEST_CASE("tokens: early refresh goes on beside the traffic", "[net]") {
    Bench bench;
    bench.adapter.needs = {token};
    bench.bring_up();
    bench.hand_over(1);
    bench.respond(bench.id(), 200, "T1");
    bench.respond(bench.id(), 200);
    CHECK(bench.take() == Lines{"answered 1 accepted"});
    bench.now = 85s;
    bench.hand_over(2, 200s);
    bench.hand_over(3, 200s);
    bench.pump();
    REQUIRE(bench.open.size() == 3);
    CHECK(bench.body(bench.id(0)) == "fetch token");
    CHECK(bench.body(bench.id(1)).ends_with("token=T1"));
    bench.respond(bench.id(0), 200, "T2");
    bench.hand_over(4, 200s);
    CHECK(bench.body(bench.id(2)).ends_with("token=T2"));
}

TEST_CASE("resources: one that needs another is fetched with it, and again once when that was stale", "[net]") {
    Bench bench;
    bench.adapter.needs = {token, {.key = "media"}};
    bench.bring_up();
    bench.hand_over(1, 60s);
    bench.hand_over(2, 60s);
    bench.respond(bench.id(), 200, "T1");
    CHECK(bench.body(bench.id()) == "fetch media token=T1");
    bench.respond(bench.id(), 401);
    CHECK(bench.take().empty());
    CHECK(bench.body(bench.id()) == "fetch token");
    bench.respond(bench.id(), 200, "T2");
    CHECK(bench.body(bench.id()) == "fetch media token=T2");
    SECTION("then it works") {
        bench.respond(bench.id(), 200, "M");
        CHECK(bench.body(bench.id()).ends_with("media=M token=T2"));
    }
    SECTION("then it fails") {
        bench.respond(bench.id(), 401);
        CHECK(bench.take() == Lines{"answered 1 credentials", "answered 2 credentials"});
    }
}

TEST_CASE("reconcile: each question is answered once", "[net]") {
    Bench bench;
    bench.bring_up();
    bench.machine().reconcile(at(bench.now), {.account = 7, .submission = order(9)});
    const auto [label, how, verdict] = GENERATE(table<std::string, int, channel::ReconcileAnswer::Verdict>({
        {"settled", 200, channel::ReconcileAnswer::Verdict::settled},
        {"the adapter cannot tell", 500, channel::ReconcileAnswer::Verdict::ask_again},
        {"broken", -1, channel::ReconcileAnswer::Verdict::ask_again},
        {"no connection", -2, channel::ReconcileAnswer::Verdict::ask_again},
    }));
    INFO(label);
    CHECK(bench.body(bench.id()) == "query 9");
    if (how > 0) bench.respond(bench.id(), how);
    else bench.fail(bench.id(), how == -1);
    bench.pump();
    const auto answers = only<Reconciled>(bench.events);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].answer.verdict == verdict);
}

TEST_CASE("reconcile: a provider that cannot be asked gives ask_again at once", "[net]") {
    Bench bench;
    bench.adapter.has_question = false;
    bench.bring_up();
    bench.machine().reconcile(at(bench.now), {.account = 7, .submission = order(9)});
    CHECK(bench.take() == Lines{"reconciled 9"});
}

TEST_CASE("reachability: three failed connections take the account down, a trial brings it up again", "[net]") {
    Bench bench;
    bench.adapter.window_size = 3;
    bench.bring_up();
    for (AttemptRef ref = 1; ref <= 4; ++ref) bench.hand_over(ref, 60s);
    bench.pump();
    bench.fail(bench.id(), false);
    CHECK(bench.take() == Lines{"answered 1 not_sent"});
    bench.fail(bench.id(), false);
    CHECK(bench.take() == Lines{"answered 2 not_sent"});
    bench.fail(bench.id(0), false);
    CHECK(bench.take() == Lines{"answered 3 not_sent", "down"});
    bench.hand_over(5, 60s);
    CHECK(bench.take() == Lines{"unwritten 5"});
    bench.fail(bench.id(), false);  // number 4 had begun
    CHECK(bench.take() == Lines{"answered 4 not_sent"});

    auto trial_at = bench.machine().wake_at();
    REQUIRE(trial_at);
    bench.now = *trial_at;
    const auto trial = bench.id();
    CHECK(bench.open.at(trial).connect_only);
    CHECK(bench.open.at(trial).request.url == "https://provider.test/");
    bench.fail(trial, false);
    CHECK(bench.take().empty());
    const auto first_rest = *trial_at;
    trial_at = bench.machine().wake_at();
    REQUIRE(trial_at);
    CHECK(*trial_at - bench.now > first_rest);
    bench.now = *trial_at;
    bench.respond(bench.id(), 0);
    CHECK(bench.take() == Lines{"up"});
    bench.hand_over(6, 60s);
    CHECK(bench.take().empty());
    CHECK(bench.open.size() == 1);
}

TEST_CASE("reachability: a host that swallows connections takes the account down although permits lapse first", "[net]") {
    Bench bench;
    bench.bring_up();
    for (AttemptRef ref = 1; ref <= 3; ++ref) {
        bench.hand_over(ref, bench.now + 5s);
        bench.pump();
        bench.now += 6s;
        bench.pump();
    }
    CHECK(bench.take() == Lines{"unwritten 1", "unwritten 2", "unwritten 3", "down"});
}

TEST_CASE("reachability: an answer between failures starts the count again", "[net]") {
    Bench bench;
    bench.bring_up();
    for (AttemptRef ref = 1; ref <= 9; ++ref) {
        bench.hand_over(ref);
        if (ref % 3 == 0) bench.respond(bench.id(), 500);
        else bench.fail(bench.id(), false);
    }
    CHECK(std::ranges::count(bench.take(), "down") == 0);
}

TEST_CASE("exchange machine: shutting down returns the unwritten, waits for the written; stop gives those up as unknown", "[net]") {
    Bench bench;
    bench.adapter.window_size = 2;
    bench.bring_up();
    for (AttemptRef ref = 1; ref <= 4; ++ref) bench.hand_over(ref);
    const auto written = bench.id(0);
    REQUIRE(bench.first_byte(written));
    bench.machine().shut_down(at(bench.now));
    CHECK(bench.take() == Lines{"unwritten 2", "unwritten 3", "unwritten 4"});
    CHECK(bench.open.size() == 1);
    CHECK_FALSE(bench.machine().is_finished());
    bench.hand_over(5);
    bench.machine().reconcile(at(bench.now), {.account = 7, .submission = order(9)});
    CHECK(bench.take() == Lines{"unwritten 5", "reconciled 9"});
    SECTION("answered in time") {
        bench.open.erase(written);
        bench.machine().on_response(at(bench.now), written, response(200));
        CHECK(bench.take() == Lines{"answered 1 accepted"});
    }
    SECTION("stopped") {
        bench.machine().stop(at(bench.now));
        CHECK(bench.take() == Lines{"answered 1 unknown"});
        CHECK(bench.open.empty());
    }
    CHECK(bench.machine().is_finished());
}

// Random interleavings against a provider that knows which token is good and counts what it takes.
TEST_CASE("exchange machine: whatever happens, each order is answered once and taken by the provider at most once", "[net]") {
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        INFO("seed " << seed);
        Random random{seed};
        FakeAdapter adapter;
        adapter.batch_max = 1 + random.below(4);
        adapter.window_size = static_cast<int>(1 + random.below(4));
        if (random.chance(0.7)) adapter.needs = {token};
        if (random.chance(0.3)) adapter.needs.push_back({.key = "media"});
        ExchangeMachine machine{0, adapter, seed};
        machine.start();

        Monotonic now{0};
        std::map<ExchangeId, HttpExchange> connecting, sent;
        std::map<AttemptRef, Monotonic> deadlines;
        std::map<AttemptRef, int> answers, unwritten, taken, first_bytes, revoke_answers;
        std::map<AttemptRef, OutcomeKind> outcomes;
        std::set<AttemptRef> asked_to_revoke, told_written;
        int good_token = 0;
        int questions = 0, question_answers = 0;
        AttemptRef last = 0;

        const auto take_actions = [&] {
            auto actions = machine.take_actions(at(now));
            for (const auto id : actions.cancel)
                REQUIRE(connecting.erase(id) + sent.erase(id) <= 1);  // refused its first byte in between: gone already
            for (auto& exchange : actions.start) connecting.emplace(exchange.id, std::move(exchange));
            for (const auto& event : actions.events) {
                if (const auto* answered = std::get_if<AttemptAnswered>(&event)) {
                    ++answers[answered->ref];
                    outcomes[answered->ref] = answered->outcome.kind;
                }
                if (const auto* ended = std::get_if<AttemptUnwritten>(&event)) {
                    ++unwritten[ended->ref];
                    if (ended->revoked) ++revoke_answers[ended->ref];
                }
                if (const auto* late = std::get_if<AttemptWritten>(&event)) {
                    ++revoke_answers[late->ref];
                    told_written.insert(late->ref);
                }
                if (std::holds_alternative<Reconciled>(event)) ++question_answers;
            }
            REQUIRE(machine.in_flight() <= adapter.window_size);
        };
        const auto any_of = [&](auto& map) { return std::next(map.begin(), static_cast<std::ptrdiff_t>(random.below(map.size()))); };
        const auto current = [&] { return "token=" + std::to_string(good_token); };
        // What the provider does with a request that reached it: the status.
        const auto provider = [&](const std::string& body) {
            if (body.starts_with("fetch token")) return 200;
            const bool needs_token = !adapter.needs.empty() && adapter.needs[0].key == "token";
            if (needs_token && !body.ends_with(current())) return 401;
            for (const auto ref : refs_in(body)) ++taken[ref];
            return random.chance(0.9) ? 200 : 500;
        };

        for (int step = 0; step < 300; ++step) {
            switch (random.below(12)) {
                case 0:
                case 1:
                case 2: {
                    const auto ref = ++last;
                    deadlines[ref] = now + Monotonic{random.below(6'000) * 1'000'000};
                    machine.hand_over(at(now), order(ref, deadlines[ref]));
                    break;
                }
                case 3:
                    if (last > 0) {
                        const auto ref = 1 + random.below(last);
                        if (asked_to_revoke.contains(ref)) break;
                        if (machine.revoke(at(now), ref)) asked_to_revoke.insert(ref);
                    }
                    break;
                case 4:
                case 5:
                case 6:
                    if (!connecting.empty()) {
                        const auto found = any_of(connecting);
                        auto exchange = std::move(found->second);
                        connecting.erase(found);
                        if (random.chance(0.1)) {
                            machine.on_failure(at(now), exchange.id, false, "refused");
                        } else if (exchange.connect_only) {
                            machine.on_response(at(now), exchange.id, {});
                        } else if (machine.on_first_byte(at(now), exchange.id)) {
                            for (const auto ref : refs_in(exchange.request.body)) {
                                REQUIRE(now <= deadlines.at(ref));
                                REQUIRE(unwritten[ref] + answers[ref] == 0);
                                REQUIRE_FALSE(told_written.contains(ref));
                                ++first_bytes[ref];
                            }
                            sent.emplace(exchange.id, std::move(exchange));
                        }
                    }
                    break;
                case 7:
                case 8:
                case 9:
                    if (!sent.empty()) {
                        const auto found = any_of(sent);
                        const auto exchange = std::move(found->second);
                        sent.erase(found);
                        const bool reaches = random.chance(0.9);
                        const int status = reaches ? provider(exchange.request.body) : 0;
                        if (reaches && random.chance(0.85)) {
                            std::string body = exchange.request.body.starts_with("fetch token") ? std::to_string(good_token) : "m";
                            machine.on_response(at(now), exchange.id, response(status, std::move(body)));
                        } else {
                            machine.on_failure(at(now), exchange.id, true, "reset");
                        }
                    }
                    break;
                case 10:
                    if (random.chance(0.3)) ++good_token;
                    if (random.chance(0.2)) {
                        machine.reconcile(at(now), {.account = 0, .submission = order(1'000'000)});
                        ++questions;
                    }
                    break;
                default: now += Monotonic{random.below(2'000) * 1'000'000}; break;
            }
            if (random.chance(0.7)) take_actions();
        }
        machine.stop(at(now));
        take_actions();
        for (AttemptRef ref = 1; ref <= last; ++ref) {
            INFO("order " << ref);
            REQUIRE(answers[ref] + unwritten[ref] == 1);
            REQUIRE(revoke_answers[ref] == (asked_to_revoke.contains(ref) ? 1 : 0));
            REQUIRE(taken[ref] <= 1);
            REQUIRE(first_bytes[ref] <= 2);
            if (unwritten[ref] == 1) REQUIRE(taken[ref] == 0);
            if (answers[ref] == 1) {
                if (outcomes[ref] == OutcomeKind::accepted || outcomes[ref] == OutcomeKind::refused) REQUIRE(taken[ref] == 1);
                if (outcomes[ref] == OutcomeKind::not_sent || outcomes[ref] == OutcomeKind::credentials) REQUIRE(taken[ref] == 0);
            }
        }
        REQUIRE(question_answers == questions);
        REQUIRE(machine.held() == 0);
        REQUIRE(connecting.empty());
        REQUIRE(sent.empty());
    }
}

}  // namespace touchgate::net::test
