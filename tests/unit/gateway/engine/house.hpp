// An engine over a simulated disk, a manual clock and a transport that only takes notes.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/engine/engine.hpp"
#include "gateway/engine/internals.hpp"
#include "tests/catch.hpp"
#include "tests/simulation/faulty_disk.hpp"

namespace touchgate::engine_test {

class NotedTransport final : public Transport {
public:
    std::vector<AttemptOrder> orders;
    std::vector<channel::AttemptRef> revoked;
    std::vector<std::pair<AckTicket, bool>> acknowledged;
    void hand_over(std::vector<AttemptOrder> more) override { std::move(more.begin(), more.end(), std::back_inserter(orders)); }
    void revoke(std::vector<channel::AttemptRef> refs) override { revoked.insert(revoked.end(), refs.begin(), refs.end()); }
    void acknowledge(AckTicket ticket, bool durable) override { acknowledged.emplace_back(ticket, durable); }
    void reconcile(std::vector<ReconcileOrder>) override {}
    std::vector<TaskOrder> tasks;
    std::vector<OperationOrder> operations;
    std::vector<PullStart> pulls;
    std::vector<std::string> kept;
    std::vector<CallOrder> calls;
    void call(std::vector<CallOrder> more) override { std::move(more.begin(), more.end(), std::back_inserter(calls)); }
    void ask_tasks(std::vector<TaskOrder> more) override { std::move(more.begin(), more.end(), std::back_inserter(tasks)); }
    void run_operations(std::vector<OperationOrder> more) override { std::move(more.begin(), more.end(), std::back_inserter(operations)); }
    void start_pulls(std::vector<PullStart> known) override { pulls = std::move(known); }
    void page_kept(AccountNumber, std::string name, bool durable) override {
        if (durable) kept.push_back(std::move(name));
    }
};

struct House {
    simulation::FaultyDisk disk{7};
    ManualClock clock{*parse_instant("2026-11-23T02:00:00Z")};
    Random random{7};
    NotedTransport transport;
    std::unique_ptr<KeyStore> keys;
    std::unique_ptr<FileLog> log;
    std::unique_ptr<Engine> engine;
    std::string policy = R"({"name":"p","rules":[{"name":"cap-day","kind":"cap","max":1,"per":"P1D","by":["contact"],"when":{"purposes":["marketing"]}}]})";

    int window = 32;                 // submits in flight
    std::optional<double> rate_per_second;
    int spare_window = 0;            // above 0: a second account, "sms-spare", with so many submits in flight
    content::Money spare_price{50'000};
    std::vector<AccountSettings> more_accounts;
    Json lead_routing = Json::object();

    House() { start(); }
    House(std::string given_policy, int given_window, std::vector<AccountSettings> more = {})
        : policy{std::move(given_policy)}, window{given_window}, more_accounts{std::move(more)} {
        start();
    }

    EngineSettings settings() const {
        EngineSettings made;
        made.data_dir = "data";
        made.policy_document = policy;
        made.templates = std::make_shared<content::TemplateStore>();
        made.lead_routing = lead_routing;
        AccountSettings account;
        account.name = "sms-main";
        account.adapter = "smpp";
        account.capabilities.channel = "sms";
        account.match_by_address = true;
        account.window = window;
        account.rate_per_second = rate_per_second;
        account.billing.price = content::Money{50'000};  // 0.05 a segment
        made.accounts = {account};
        if (spare_window > 0) {
            account.name = "sms-spare";
            account.window = spare_window;
            account.billing.price = spare_price;
            made.accounts.push_back(account);
        }
        made.accounts.insert(made.accounts.end(), more_accounts.begin(), more_accounts.end());
        return made;
    }

    void start() {
        (void)disk.make_folder("data");
        LogRecovery recovery;
        std::vector<std::string> skipped;
        keys = std::move(*KeyStore::open(disk, "data", crypto::Key{}));
        auto checkpoint = read_newest_checkpoint(disk, "data", skipped);
        REQUIRE(checkpoint);
        auto opened = FileLog::open(disk, {.data_dir = "data"}, *checkpoint ? (*checkpoint)->head : LogHead{}, 0, recovery);
        REQUIRE(opened);
        log = std::move(*opened);
        auto made = Engine::start({.disk = disk, .log = *log, .reader = *log, .keys = *keys, .clock = clock, .random = random, .transport = transport}, settings(),
                                  std::move(*checkpoint));
        REQUIRE(made);
        engine = std::move(*made);
        engine->on_transport_events({AccountUp{0}});
        if (spare_window > 0) engine->on_transport_events({AccountUp{1}});
        turn();
    }

    void turn() { REQUIRE(engine->turn()); }

    void crash() {
        engine.reset();
        log.reset();
        keys.reset();
        disk.crash();
        transport = {};
        start();
    }

    // A restart with another policy file.
    void use(std::string rules) {
        policy = R"({"name":"p","rules":[)" + std::move(rules) + "]}";
        crash();
    }

    template <class Act> auto in_turn(Act act) {
        std::optional<decltype(act(*engine))> result;
        REQUIRE(engine->post([&](Engine& inside) { result = act(inside); }));
        turn();
        REQUIRE(result);
        return std::move(*result);
    }

    static TouchRequest touch(const std::string& phone, const std::string& key = {}, const std::string& purpose = "marketing") {
        TouchRequest request;
        request.key = key;
        request.contact.address = Address{.kind = AddressKind::phone, .value = phone, .account = {}};
        request.purpose = purpose;
        request.channels = {"sms"};
        request.content.text = "hello " + key;
        return request;
    }
    Result<TouchView> submit(TouchRequest request) {
        return in_turn([&](Engine& inside) { return inside.submit_touch(request); });
    }
    TouchState state(const TouchId& id) {
        return in_turn([&](Engine& inside) { return inside.find_touch(id); })->state;
    }
    void answer(std::size_t order, channel::Outcome outcome) {
        engine->on_transport_events({AttemptAnswered{transport.orders[order].submission.ref, std::move(outcome)}});
        turn();
    }
    std::string dump() {
        std::string all;
        engine->internals().dump([&](std::string_view piece) { all += piece; });
        return all;
    }
};

}  // namespace touchgate::engine_test
