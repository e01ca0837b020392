// Pulls, tasks, orders that wait for others, and tokens that several accounts share.
#include "gateway/net/exchange_machine.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/net/fakes.hpp"

namespace touchgate::net::test {

namespace {

// Pages are read from the body: "next more" or "failed"; tasks answer "done", "more STEP" or anything else.
class ListAdapter final : public FakeAdapter {
public:
    std::vector<channel::Need> errand_needs;
    bool each_hint = false, hinted_only = false;
    std::vector<channel::Pull> pulls() const override { return {{.name = "messages", .every = 60s, .hinted_only = hinted_only, .each_hint = each_hint}}; }
    channel::HttpRequest operation(std::string_view name, const std::string& body, const channel::Resources&, const channel::RequestContext&) const override {
        return {.url = "https://provider.test/operation", .headers = {}, .body = std::string{name} + "|" + body};
    }
    channel::OperationAnswer read_operation(std::string_view, const std::string&, const channel::HttpResponse& response) const override {
        return {.outcome = {.kind = response.status == 200 ? channel::OutcomeKind::accepted : channel::OutcomeKind::refused}, .result_json = response.body};
    }
    std::vector<channel::Need> pull_needs(const std::string&) const override { return errand_needs; }
    channel::HttpRequest pull(const std::string& name, const std::string& cursor, const std::string& hint, const channel::Resources&,
                              const channel::RequestContext&) const override {
        return {.url = "https://provider.test/pull", .headers = {}, .body = name + "|" + cursor + "|" + hint};
    }
    channel::PulledPage read_pull(const std::string&, const std::string&, const channel::HttpResponse& response) const override {
        if (response.status != 200) return {.failed = true, .code = "busy"};
        return {.cursor = response.body.substr(0, response.body.find(' ')), .more = response.body.find("more") != std::string::npos};
    }
    std::vector<channel::Need> task_needs() const override { return errand_needs; }
    channel::HttpRequest ask_task(channel::TaskAct, const channel::Task& task, const std::string& step, const channel::Resources&,
                                  const channel::RequestContext&) const override {
        return {.url = "https://provider.test/task", .headers = {}, .body = task.id + "|" + step};
    }
    channel::TaskAnswer read_task(channel::TaskAct, const channel::Task&, const std::string&, const channel::HttpResponse& response) const override {
        using Verdict = channel::TaskAnswer::Verdict;
        channel::TaskAnswer answer{.verdict = response.status == 404 ? Verdict::gone : response.status == 200 ? Verdict::done : Verdict::ask_again};
        if (response.body.starts_with("more ")) {
            answer.verdict = Verdict::more;
            answer.next_step = response.body.substr(5);
        }
        answer.results.push_back({.recipient = "r" + response.body, .status = channel::TaskResult::Status::sent});
        return answer;
    }
};

struct Desk {
    ListAdapter adapter;
    std::optional<ExchangeMachine> held;
    Monotonic now{0};
    std::vector<TransportEvent> events;
    std::map<ExchangeId, HttpExchange> open;
    int woken = 0;

    explicit Desk(ExchangeMachine::Settings settings = {}, std::uint64_t seed = 42) {
        held.emplace(7, adapter, seed, settings);
        held->start([this] { ++woken; });
        pump();
        events.clear();
    }
    void pump() {
        auto actions = held->take_actions(at(now));
        for (const auto id : actions.cancel) open.erase(id);
        for (auto& exchange : actions.start) open.emplace(exchange.id, exchange);
        std::ranges::move(actions.events, std::back_inserter(events));
    }
    // The body of the only open request.
    std::string asked() {
        pump();
        REQUIRE(open.size() == 1);
        return open.begin()->second.request.body;
    }
    void respond(int status, std::string body = "") {
        pump();
        REQUIRE(open.size() == 1);
        const auto id = open.begin()->first;
        REQUIRE(held->on_first_byte(at(now), id));
        open.erase(id);
        held->on_response(at(now), id, response(status, std::move(body)));
        pump();
    }
    template <class E> E only() {
        REQUIRE(events.size() == 1);
        auto event = std::get<E>(events.front());
        events.clear();
        return event;
    }
};

}  // namespace

TEST_CASE("pulls: pages follow one another from the known cursor, each after the one before was kept", "[net]") {
    Desk desk;
    desk.held->start_pulls(at(desk.now), {{"messages", "c0"}});
    CHECK(desk.asked() == "messages|c0|");
    desk.respond(200, "c1 more");
    CHECK(desk.only<PageArrived>().page.cursor == "c1");
    CHECK(desk.open.empty());  // the page is not kept yet
    desk.held->page_kept(at(desk.now), "messages", true);
    CHECK(desk.asked() == "messages|c1|");
    desk.respond(200, "c2");
    desk.held->page_kept(at(desk.now), "messages", true);
    desk.pump();
    CHECK(desk.open.empty());
    CHECK(desk.held->wake_at() == Monotonic{60s});
    desk.now = 60s;
    CHECK(desk.asked() == "messages|c2|");
}

TEST_CASE("pulls: a page that could not be kept is asked for again", "[net]") {
    Desk desk;
    desk.held->start_pulls(at(desk.now), {});
    desk.respond(200, "c1 more");
    desk.held->page_kept(at(desk.now), "messages", false);
    desk.pump();
    CHECK(desk.open.empty());
    desk.now = 5s;
    CHECK(desk.asked() == "messages||");
}

TEST_CASE("pulls: hints are taken together, and one that failed is not used again", "[net]") {
    Desk desk;
    desk.held->start_pulls(at(desk.now), {});
    desk.respond(200, "c1");
    desk.held->page_kept(at(desk.now), "messages", true);
    desk.held->hint_pull(at(desk.now), {.name = "messages", .hint = "t1"});
    CHECK(desk.asked() == "messages|c1|t1");
    desk.held->hint_pull(at(desk.now), {.name = "messages", .hint = "t2"});
    desk.held->hint_pull(at(desk.now), {.name = "messages", .hint = "t3"});
    desk.respond(200, "c2");
    desk.held->page_kept(at(desk.now), "messages", true);
    CHECK(desk.asked() == "messages|c2|t3");
    desk.respond(500);
    CHECK(desk.open.empty());
    desk.now = 5s;
    CHECK(desk.asked() == "messages|c2|");
    desk.held->hint_pull(at(desk.now), {.name = "nothing", .hint = "x"});
    CHECK(desk.open.size() == 1);
}

TEST_CASE("pulls: failures are asked again ever later, time-outs too", "[net]") {
    Desk desk;
    desk.held->start_pulls(at(desk.now), {});
    std::vector<Monotonic> waits;
    for (int i = 0; i < 4; ++i) {
        desk.respond(500);
        waits.push_back(*desk.held->wake_at() - desk.now);
        desk.now = *desk.held->wake_at();
    }
    CHECK(waits == std::vector<Monotonic>{5s, 10s, 20s, 40s});
}

TEST_CASE("pulls: hints that name different things are each read, and do not put off the whole list", "[net]") {
    Desk desk;
    desk.adapter.each_hint = true;
    desk.held->start_pulls(at(desk.now), {});
    desk.respond(200, "");
    desk.held->page_kept(at(desk.now), "messages", true);
    desk.now = 50s;
    for (const char* thing : {"a", "b", "a"}) desk.held->hint_pull(at(desk.now), {.name = "messages", .hint = thing});
    CHECK(desk.asked() == "messages||a");
    desk.respond(200, "");
    desk.held->page_kept(at(desk.now), "messages", true);
    CHECK(desk.asked() == "messages||b");
    desk.respond(200, "");
    desk.held->page_kept(at(desk.now), "messages", true);
    desk.pump();
    CHECK(desk.open.empty());
    CHECK(desk.held->wake_at() == Monotonic{60s});
    desk.now = 60s;
    CHECK(desk.asked() == "messages||");
}

TEST_CASE("pulls: a list of hints alone is never read by itself", "[net]") {
    Desk desk;
    desk.adapter.each_hint = desk.adapter.hinted_only = true;
    desk.held->start_pulls(at(desk.now), {});
    desk.pump();
    CHECK(desk.open.empty());
    desk.held->hint_pull(at(desk.now), {.name = "messages", .hint = "a"});
    CHECK(desk.asked() == "messages||a");
    desk.respond(500);
    CHECK(desk.only<PageArrived>().page.failed);
    desk.now = 3600s;
    desk.pump();
    CHECK(desk.open.empty());
}

TEST_CASE("operations: answered once, whatever happens: by the provider, by a time-out, by the end, by a provider that is down", "[net]") {
    Desk desk;
    const auto run = [&](std::uint64_t ref) { desk.held->run_operation(at(desk.now), {.account = 7, .ref = ref, .name = "tag", .body_json = "{}"}); };
    run(1);
    CHECK(desk.asked() == "tag|{}");
    desk.respond(200, "{\"a\":1}");
    const auto answered = desk.only<OperationAnswered>();
    CHECK(answered.ref == 1);
    CHECK(answered.answer.outcome.kind == channel::OutcomeKind::accepted);
    CHECK(answered.answer.result_json == "{\"a\":1}");
    run(2);
    desk.pump();
    desk.now = 10s;
    desk.pump();
    const auto late = desk.only<OperationAnswered>();
    CHECK(late.answer.outcome.kind == channel::OutcomeKind::not_sent);  // it never connected
    run(3);
    desk.held->shut_down(at(desk.now));
    desk.pump();
    CHECK(desk.only<OperationAnswered>().ref == 3);
    run(4);
    desk.pump();
    CHECK(desk.only<OperationAnswered>().answer.outcome.kind == channel::OutcomeKind::not_sent);
}

TEST_CASE("tasks: the steps of a question are one answer; what cannot be asked is answered all the same", "[net]") {
    Desk desk;
    desk.held->ask_task(at(desk.now), {.account = 7, .ref = 3, .act = channel::TaskAct::poll, .task = {.id = "m1", .employee = "a"}});
    CHECK(desk.asked() == "m1|");
    desk.respond(200, "more p2");
    CHECK(desk.asked() == "m1|p2");
    desk.respond(200, "end");
    const auto answer = desk.only<TaskAnswered>();
    CHECK(answer.ref == 3);
    CHECK(answer.answer.verdict == channel::TaskAnswer::Verdict::done);
    CHECK(answer.answer.results.size() == 2);

    desk.held->ask_task(at(desk.now), {.account = 7, .ref = 4, .act = channel::TaskAct::cancel, .task = {.id = "m1", .employee = "a"}});
    desk.pump();
    desk.now = 10s;
    desk.pump();
    CHECK(desk.only<TaskAnswered>().answer.verdict == channel::TaskAnswer::Verdict::ask_again);

    desk.held->ask_task(at(desk.now), {.account = 7, .ref = 5, .act = channel::TaskAct::poll, .task = {.id = "m2", .employee = "a"}});
    desk.held->shut_down(at(desk.now));
    desk.pump();
    CHECK(desk.only<TaskAnswered>().ref == 5);
}

TEST_CASE("batches: an order waits for others so long as it may, and no longer when the batch is full", "[net]") {
    ExchangeMachine::Settings settings;
    settings.batch_window = Duration{300};
    Desk desk{settings};
    desk.adapter.batch_max = 3;
    desk.held.emplace(7, desk.adapter, 42, settings);
    desk.held->start();
    desk.pump();
    desk.events.clear();
    desk.held->hand_over(at(desk.now), order(1, 60s));
    desk.pump();
    CHECK(desk.open.empty());
    CHECK(desk.held->wake_at() == Monotonic{300ms});
    desk.now = 100ms;
    desk.held->hand_over(at(desk.now), order(2, 60s));
    desk.pump();
    CHECK(desk.open.empty());
    desk.now = 300ms;
    CHECK(desk.asked().starts_with("refs=1,2,"));
    desk.respond(200);
    desk.events.clear();
    for (const AttemptRef ref : {3, 4, 5}) desk.held->hand_over(at(desk.now), order(ref, 60s));
    CHECK(desk.asked().starts_with("refs=3,4,5,"));
}

TEST_CASE("tokens: accounts that share one fetch it once, and hear of it at once", "[net]") {
    SharedResources shared;
    ExchangeMachine::Settings settings;
    settings.shared = &shared;
    Desk first{settings, 1}, second{settings, 2};
    const std::vector<channel::Need> needs{{.key = "token:app:1", .shared = true}};
    first.adapter.needs = second.adapter.needs = first.adapter.errand_needs = second.adapter.errand_needs = needs;
    first.held->hand_over(at(first.now), order(1, 60s));
    second.held->hand_over(at(second.now), order(2, 60s));
    CHECK(first.asked() == "fetch token:app:1");
    second.pump();
    CHECK(second.open.empty());
    first.respond(200, "T");
    CHECK(second.woken > 0);
    CHECK(first.asked().ends_with("token:app:1=T"));
    CHECK(second.asked().ends_with("token:app:1=T"));

    SECTION("a refused token is fetched again once, by whoever hears of it first") {
        first.respond(401);
        second.respond(401);
        CHECK(first.asked() == "fetch token:app:1");
        CHECK(second.open.empty());
        first.respond(200, "U");
        CHECK(second.asked().ends_with("=U"));
    }
    SECTION("an account that stops while it fetches leaves the token to others") {
        first.respond(401);
        second.respond(401);
        first.held->stop(at(first.now));
        second.held->hand_over(at(second.now), order(3, 60s));
        second.pump();
        bool fetches = false;
        for (const auto& [id, exchange] : second.open) fetches = fetches || exchange.request.body == "fetch token:app:1";
        CHECK(fetches);
    }
}

}  // namespace touchgate::net::test
