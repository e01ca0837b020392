// The log of an engine over a simulated disk, run against other policies.

#include "gateway/engine/policy_replay.hpp"

#include <algorithm>
#include <map>

#include "gateway/engine/internals.hpp"
#include "gateway/touch_log/key_store_reading.hpp"
#include "tests/catch.hpp"
#include "tests/simulation/faulty_disk.hpp"

using namespace touchgate;
using policy::Verdict;

namespace {

class ListedTransport final : public Transport {
public:
    std::vector<AttemptOrder> orders;
    std::vector<channel::AttemptRef> revoked;
    void hand_over(std::vector<AttemptOrder> more) override { std::move(more.begin(), more.end(), std::back_inserter(orders)); }
    void revoke(std::vector<channel::AttemptRef> refs) override { revoked.insert(revoked.end(), refs.begin(), refs.end()); }
    void acknowledge(AckTicket, bool) override {}
    void reconcile(std::vector<ReconcileOrder>) override {}
};

struct Row {
    TouchId touch;
    Instant at;
    Verdict was, would;
    std::string was_rule, would_rule;
    Instant until;
    bool erased;
};

const char* const open_policy = R"({"name":"open","rules":[]})";

struct Gateway {
    simulation::FaultyDisk disk{11};
    ManualClock clock{*parse_instant("2026-11-02T02:00:00Z")};  // a Monday, ten o'clock in Shanghai
    Random random{11};
    ListedTransport transport;
    std::unique_ptr<KeyStore> keys;
    std::unique_ptr<FileLog> log;
    std::unique_ptr<Engine> engine;
    std::string policy;

    explicit Gateway(std::string in_force = open_policy) : policy{std::move(in_force)} { start(); }

    EngineSettings settings() const {
        EngineSettings made;
        made.data_dir = "data";
        made.policy_document = policy;
        made.templates = std::make_shared<content::TemplateStore>();
        AccountSettings account;
        account.name = "sms-main";
        account.adapter = "smpp";
        account.capabilities.channel = "sms";
        made.accounts = {account};
        return made;
    }
    void start() {
        (void)disk.make_folder("data");
        LogRecovery recovery;
        std::vector<std::string> skipped;
        keys = std::move(KeyStore::open(disk, "data", crypto::Key{})).value();
        auto checkpoint = std::move(read_newest_checkpoint(disk, "data", skipped)).value();
        log = std::move(FileLog::open(disk, {.data_dir = "data"}, checkpoint ? checkpoint->head : LogHead{}, 0, recovery)).value();
        engine = std::move(Engine::start({.disk = disk, .log = *log, .reader = *log, .keys = *keys, .clock = clock, .random = random, .transport = transport}, settings(),
                                         std::move(checkpoint)))
                     .value();
        engine->on_transport_events({AccountUp{0}});
        turn();
    }
    void turn() { REQUIRE(engine->turn()); }
    void restart() {
        engine.reset();
        log.reset();
        keys.reset();
        disk.crash();
        transport = {};
        start();
    }
    template <class Act> auto in_turn(Act act) {
        std::optional<decltype(act(*engine))> result;
        REQUIRE(engine->post([&](Engine& inside) { result = act(inside); }));
        turn();
        REQUIRE(result);
        return std::move(*result);
    }
    static TouchRequest touch(int contact, const std::string& purpose = "marketing") {
        TouchRequest request;
        request.contact.address = Address{.kind = AddressKind::phone, .value = phone(contact), .account = {}};
        request.purpose = purpose;
        request.channels = {"sms"};
        request.content.text = "hello";
        return request;
    }
    static std::string phone(int contact) { return "+861380000" + std::to_string(1000 + contact); }
    TouchView submit(TouchRequest request) {
        return std::move(in_turn([&](Engine& inside) { return inside.submit_touch(request); })).value();
    }
    // All that went out is answered.
    void answer(const std::function<channel::Outcome(const AttemptOrder&)>& outcome_of) {
        for (auto& order : std::exchange(transport.orders, {})) engine->on_transport_events({AttemptAnswered{order.submission.ref, outcome_of(order)}});
        for (const auto ref : std::exchange(transport.revoked, {})) engine->on_transport_events({AttemptWritten{ref}});
        turn();
    }
    void accept() {
        answer([&](const AttemptOrder&) { return channel::Outcome{.kind = channel::OutcomeKind::accepted, .ids = {std::to_string(random.next())}}; });
    }

    Result<ReplayReport> replay(ReplayRequest request, std::vector<Row>& rows) const {
        const auto reader = std::move(FileLog::open_for_reading(const_cast<simulation::FaultyDisk&>(disk), {.data_dir = "data"})).value();
        const auto head = reader->durable_head();
        const auto keys_read = std::move(open_key_store_for_reading(const_cast<simulation::FaultyDisk&>(disk), "data", crypto::Key{})).value();
        const auto changes = disk.counters().changes;
        auto report = replay_policy({.disk = const_cast<simulation::FaultyDisk&>(disk), .reader = *reader, .keys = *keys_read, .head = head}, settings(), request,
                                    [&](const ReplayedTouch& row) {
                                        rows.push_back({row.touch, row.at, row.was, row.would, std::string{row.was_rule}, std::string{row.would_rule}, row.until, row.erased});
                                    });
        CHECK(disk.counters().changes == changes);
        return report;
    }
    std::vector<Row> replay(const std::string& document, ReplayHistory history = ReplayHistory::simulated) const {
        std::vector<Row> rows;
        const auto report = replay({.policy_document = document, .from = {}, .to = {}, .history = history}, rows);
        REQUIRE(report);
        CHECK(report->touches == rows.size());
        return rows;
    }
    Result<Json> explain(std::uint64_t sequence) const {
        const auto reader = std::move(FileLog::open_for_reading(const_cast<simulation::FaultyDisk&>(disk), {.data_dir = "data"})).value();
        const auto keys_read = std::move(open_key_store_for_reading(const_cast<simulation::FaultyDisk&>(disk), "data", crypto::Key{})).value();
        return explain_logged_decision({.disk = const_cast<simulation::FaultyDisk&>(disk), .reader = *reader, .keys = *keys_read, .head = reader->durable_head()}, settings(), sequence);
    }
    // What the log says of each touch's first decision.
    std::map<TouchId, LoggedDecision> logged_decisions() const {
        std::map<TouchId, LoggedDecision> found;
        REQUIRE(log->scan(1, [&](const Record& record) {
            TouchCreated created;
            if (record.type == static_cast<std::uint16_t>(EventType::touch_created) && decode(record.payload, created)) found[created.id] = created.decision;
            return true;
        }));
        return found;
    }
};

std::string cap(int max, const std::string& per) {
    return R"({"name":"tried","rules":[{"name":"cap","kind":"cap","when":{"purposes":["marketing"]},"max":)" + std::to_string(max) + R"(,"per":")" + per + R"(","by":["contact"]}]})";
}

}  // namespace

TEST_CASE("policy replay: a stricter cap defers what was allowed, and a deferred touch counts when it would go", "[replay]") {
    Gateway gateway;
    const auto start = gateway.clock.wall_now();
    for (int i = 0; i < 4; ++i) {
        gateway.submit(Gateway::touch(1));
        gateway.accept();
        gateway.clock.advance(std::chrono::hours{1});
    }
    const auto rows = gateway.replay(cap(1, "P1D"));
    REQUIRE(rows.size() == 4);
    CHECK(rows[0].would == Verdict::allow);
    for (std::size_t i = 1; i < 4; ++i) {
        CHECK(rows[i].was == Verdict::allow);
        CHECK(rows[i].would == Verdict::defer);
        CHECK(rows[i].would_rule == "cap");
    }
    CHECK(rows[1].until - start == one_day);
    CHECK(rows[2].until - start == 2 * one_day);
    CHECK(rows[3].would == Verdict::defer);  // in three days, right before it expires
    CHECK(rows[3].until - start == 3 * one_day);
}

TEST_CASE("policy replay: sums tell was and would, by rule and by campaign", "[replay]") {
    Gateway gateway{cap(2, "P1D")};
    (void)gateway.in_turn([](Engine& inside) { return inside.create_campaign({.id = "autumn", .purpose = "marketing", .unit = {}, .definition_json = "{}", .body_hash = {1, 1}}); });
    for (int i = 0; i < 6; ++i) {
        auto request = Gateway::touch(i % 2);
        if (i % 2 == 0) request.campaign = "autumn";
        gateway.submit(request);
        gateway.accept();
        gateway.clock.advance(std::chrono::minutes{1});
    }
    gateway.submit(Gateway::touch(1, "transactional"));
    std::vector<Row> rows;
    const auto report = gateway.replay({.policy_document = cap(0, "P1D"), .from = {}, .to = {}}, rows);
    REQUIRE(report);
    CHECK(report->touches == 7);
    CHECK(report->was.allow == 5);
    CHECK(report->was.defer == 2);
    CHECK(report->would.allow == 1);
    CHECK(report->would.deny == 6);
    CHECK(report->changed == 6);
    CHECK(report->from_allow.deny == 4);
    CHECK(report->from_defer.deny == 2);
    REQUIRE(report->by_rule.size() == 1);
    CHECK(report->by_rule[0].rule == "cap");
    CHECK(report->by_rule[0].deny == 6);
    CHECK(report->by_rule[0].was_defer == 2);
    REQUIRE(report->by_campaign.size() == 2);
    CHECK(report->by_campaign[0].campaign.empty());
    CHECK(report->by_campaign[0].touches == 4);
    CHECK(report->by_campaign[1].campaign == "autumn");
    CHECK(report->by_campaign[1].would.deny == 3);
    CHECK(report->sequence == gateway.log->durable_head().sequence);
}

TEST_CASE("policy replay: every problem of the new policy is told", "[replay]") {
    Gateway gateway;
    std::vector<Row> rows;
    const auto report = gateway.replay({.policy_document = R"({"name":"x","rules":[{"name":"a","kind":"cap"},{"name":"b","kind":"nonsense"}],"surprise":1})", .from = {}, .to = {}}, rows);
    REQUIRE_FALSE(report);
    CHECK(report.error().kind == ErrorKind::invalid_input);
    CHECK(report.error().problems.size() >= 4);
    CHECK_FALSE(gateway.replay({.policy_document = "{", .from = {}, .to = {}}, rows));
}

TEST_CASE("policy replay: consent, lists and contact data are those of the instant", "[replay]") {
    Gateway gateway;
    const auto consent = [&](bool granted) {
        (void)gateway.in_turn([&](Engine& inside) {
            return inside.record_consent({.id = {}, .address = Address{.kind = AddressKind::phone, .value = Gateway::phone(1), .account = {}}},
                                         {.channel = "*", .purpose = "marketing", .granted = granted, .source = "form", .evidence = "e"});
        });
    };
    const auto step = [&] {
        gateway.submit(Gateway::touch(1));
        gateway.accept();
        gateway.clock.advance(std::chrono::minutes{1});
    };
    step();
    consent(true);
    step();
    SuppressionInput listed;
    listed.list = "dnc";
    listed.address = Address{.kind = AddressKind::phone, .value = Gateway::phone(1), .account = {}};
    (void)gateway.in_turn([&](Engine& inside) { return inside.add_suppression(listed); });
    step();
    (void)gateway.in_turn([&](Engine& inside) { return inside.remove_suppression("dnc", *listed.address); });
    step();
    consent(false);
    step();
    const auto rows = gateway.replay(R"({"name":"tried","rules":[{"name":"consent","kind":"consent","basis":"opt_in"},{"name":"dnc","kind":"suppression","lists":["dnc"]}]})");
    REQUIRE(rows.size() == 5);
    CHECK(rows[0].would_rule == "consent");
    CHECK(rows[1].would == Verdict::allow);
    CHECK(rows[2].would_rule == "dnc");
    CHECK(rows[3].would == Verdict::allow);
    CHECK(rows[4].would_rule == "opt-out");
    CHECK(rows[4].was_rule == "opt-out");
}

TEST_CASE("policy replay: a content rule reads the sealed text; of an erased contact nothing is decided again", "[replay]") {
    Gateway gateway;
    auto bad = Gateway::touch(1);
    bad.content.text = "win money";
    gateway.submit(bad);
    gateway.submit(Gateway::touch(2));
    auto lost = Gateway::touch(3);
    lost.content.text = "win money";
    const auto erased = gateway.submit(lost);
    gateway.accept();
    REQUIRE(gateway.in_turn([&](Engine& inside) { return inside.erase_contact(erased.contact_id); }));
    std::vector<Row> rows;
    const auto report = gateway.replay({.policy_document = R"({"name":"tried","rules":[{"name":"words","kind":"content","forbidden":["money"]}]})", .from = {}, .to = {}}, rows);
    REQUIRE(report);
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].would_rule == "words");
    CHECK(rows[1].would == Verdict::allow);
    CHECK(rows[2].would == rows[2].was);
    CHECK(rows[2].erased);
    CHECK(report->erased == 1);
    CHECK(report->changed == 1);
    // Its numbers stay its own: a restart from the log gives them to nobody else.
    gateway.restart();
    const auto next = gateway.submit(Gateway::touch(4));
    CHECK(next.state == TouchState::queued);
    const auto again = gateway.replay(open_policy, ReplayHistory::logged);
    REQUIRE(again.size() == 4);
    CHECK(again[2].erased);
    CHECK(again[3].would == Verdict::allow);
}

TEST_CASE("policy replay: a number that turned out invalid is known from then on, not before", "[replay]") {
    Gateway gateway;
    ContactInput contact;
    contact.address_kinds = {AddressKind::phone};
    contact.addresses = {Address{.kind = AddressKind::phone, .value = Gateway::phone(1), .account = {}}, Address{.kind = AddressKind::phone, .value = Gateway::phone(2), .account = {}}};
    REQUIRE(gateway.in_turn([&](Engine& inside) { return inside.put_contact("c", contact, true, OnConflict::share, std::nullopt); }));
    SuppressionInput listed;
    listed.list = "dnc";
    listed.address = Address{.kind = AddressKind::phone, .value = Gateway::phone(2), .account = {}};
    (void)gateway.in_turn([&](Engine& inside) { return inside.add_suppression(listed); });
    auto request = Gateway::touch(1);
    request.contact = {.id = "c", .address = {}};
    gateway.submit(request);
    gateway.answer([](const AttemptOrder&) { return channel::Outcome{.kind = channel::OutcomeKind::recipient_invalid, .code = "0x0B"}; });
    gateway.submit(request);
    const std::string document = R"({"name":"tried","rules":[{"name":"dnc","kind":"suppression","lists":["dnc"]}]})";
    for (const auto history : {ReplayHistory::simulated, ReplayHistory::logged}) {
        const auto rows = gateway.replay(document, history);
        REQUIRE(rows.size() == 2);
        CHECK(rows[0].would == Verdict::allow);
        CHECK(rows[1].would_rule == "dnc");  // the second number is tried, which is listed
    }
}

// ---- simulated histories, beside an oracle that knows nothing of the policy code

namespace {

struct CapOracle {
    std::size_t max;
    Duration per;
    std::map<int, std::vector<Instant>> sent = {};

    bool room(int contact, Instant at) {
        const auto& all = sent[contact];
        return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](Instant s) { return s <= at && at < s + per; })) < max;
    }
    // Verdict and until; what goes is added.
    std::pair<Verdict, Instant> decide(int contact, Instant at, Instant expires_at, std::optional<Instant> to) {
        std::vector<Instant> candidates{at};
        for (const auto s : sent[contact])
            if (s + per > at) candidates.push_back(s + per);
        std::sort(candidates.begin(), candidates.end());
        for (const auto candidate : candidates) {
            if (!room(contact, candidate)) continue;
            if (candidate >= expires_at) return {Verdict::deny, instant_never};
            if (!to || candidate < *to) sent[contact].push_back(candidate);
            return candidate == at ? std::pair{Verdict::allow, instant_never} : std::pair{Verdict::defer, candidate};
        }
        return {Verdict::deny, instant_never};
    }
};

}  // namespace

TEST_CASE("policy replay: simulated histories equal those of an oracle, over whole logs and ranges", "[replay]") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        Gateway gateway;  // everything is allowed and sent at once
        Random random{seed};
        struct Made { int contact; Instant at, expires_at; };
        std::vector<Made> made;
        for (int i = 0; i < 150; ++i) {
            const auto contact = static_cast<int>(random.below(5));
            auto request = Gateway::touch(contact);
            request.expires_at = gateway.clock.wall_now() + Duration{static_cast<std::int64_t>(random.below(4 * 86'400'000)) + 1'000};
            const auto view = gateway.submit(request);
            made.push_back({contact, view.created_at, view.expires_at});
            gateway.accept();
            if (i == 60) REQUIRE(gateway.engine->write_checkpoint_now());
            gateway.clock.advance(Duration{static_cast<std::int64_t>(random.below(3 * 3'600'000))});
        }
        const auto first = made.front().at;
        const auto span = made.back().at - first;
        struct Range { std::optional<Instant> from, to; };
        for (const auto& range : {Range{}, Range{{}, first + span / 2}, Range{first + span / 2, {}}, Range{first + span / 3, first + span * 2 / 3}}) {
            CAPTURE(seed, range.from.has_value(), range.to.has_value());
            const auto max = 1 + random.below(3);
            const auto hours = 6 + random.below(60);
            std::vector<Row> rows;
            const auto report = gateway.replay({.policy_document = cap(static_cast<int>(max), "PT" + std::to_string(hours) + "H"), .from = range.from, .to = range.to}, rows);
            REQUIRE(report);
            CapOracle oracle{static_cast<std::size_t>(max), std::chrono::hours{hours}};
            std::size_t next = 0;
            for (const auto& touch : made) {
                if (range.to && touch.at >= *range.to) break;
                if (range.from && touch.at < *range.from) {
                    oracle.sent[touch.contact].push_back(touch.at);
                    continue;
                }
                REQUIRE(next < rows.size());
                const auto& row = rows[next++];
                REQUIRE(row.at == touch.at);
                const auto [verdict, until] = oracle.decide(touch.contact, touch.at, touch.expires_at, range.to);
                REQUIRE(row.would == verdict);
                REQUIRE(row.until == until);
            }
            CHECK(next == rows.size());
        }
    }
}

TEST_CASE("policy replay: a checkpoint before the range gives the same rows as the whole log", "[replay]") {
    const auto run = [](bool with_checkpoint) {
        Gateway gateway{cap(3, "P7D")};
        for (int i = 0; i < 60; ++i) {
            gateway.submit(Gateway::touch(i % 4));
            gateway.accept();
            if (with_checkpoint && i == 30) REQUIRE(gateway.engine->write_checkpoint_now());
            gateway.clock.advance(std::chrono::hours{2});
        }
        std::vector<std::string> rows;
        std::vector<Row> found;
        const auto from = *parse_instant("2026-11-04T20:00:00Z");
        for (const auto* per : {"P5D", "P20D"})  // the second looks back further than the engine's memory: the checkpoint does not serve
            for (const auto history : {ReplayHistory::simulated, ReplayHistory::logged}) {
                found.clear();
                REQUIRE(gateway.replay({.policy_document = cap(2, per), .from = from, .to = {}, .history = history}, found));
                REQUIRE_FALSE(found.empty());
                for (const auto& row : found)
                    rows.push_back(format_instant(row.at) + " " + std::to_string(static_cast<int>(row.would)) + " " + (row.until == instant_never ? "-" : format_instant(row.until)));
            }
        return rows;
    };
    CHECK(run(true) == run(false));
}

// ---- the policy that was in force, on the history as it was

TEST_CASE("policy replay: the policy that was in force changes nothing on the logged history", "[replay]") {
    const std::string in_force = R"({"name":"in-force","rules":[
        {"name":"dnc","kind":"suppression","lists":["*"]},
        {"name":"hours","kind":"hours","when":{"purposes":["marketing"]},"zone":"contact","unknown_zones":["Asia/Shanghai"],
         "open":[{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"08:00","to":"21:00"}]},
        {"name":"day","kind":"cap","when":{"purposes":["marketing","care"]},"max":2,"per":"P1D","by":["contact"]},
        {"name":"week","kind":"cap","when":{"purposes":["marketing"]},"max":4,"per":"week","by":["contact","channel"]},
        {"name":"number","kind":"cap","when":{},"max":5,"per":"P2D","by":["address"],"release_on_failed_receipt":false},
        {"name":"gap","kind":"gap","when":{"purposes":["marketing"]},"after":"touch","at_least":"PT1H","by":["contact"]},
        {"name":"words","kind":"content","when":{"purposes":["care"]},"forbidden":["money"]}]})";
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        Gateway gateway{in_force};
        Random random{seed};
        std::vector<std::string> accepted;  // providers' ids
        std::string hold;
        for (int i = 0; i < 220; ++i) {
            const auto contact = static_cast<int>(random.below(6));
            const Address address{.kind = AddressKind::phone, .value = Gateway::phone(contact), .account = {}};
            switch (random.below(14)) {
                case 0: {
                    SuppressionInput listed;
                    listed.list = "dnc";
                    listed.address = address;
                    (void)gateway.in_turn([&](Engine& inside) { return inside.add_suppression(listed); });
                    break;
                }
                case 1: (void)gateway.in_turn([&](Engine& inside) { return inside.remove_suppression("dnc", address); }); break;
                case 2:
                case 3:
                    (void)gateway.in_turn([&, granted = random.below(3) != 0](Engine& inside) {
                        return inside.record_consent({.id = {}, .address = address}, {.channel = "sms", .purpose = "marketing", .granted = granted, .source = "customer", .evidence = "e"});
                    });
                    break;
                case 4:
                    gateway.engine->on_transport_events({MessageReported{0, {.from = Gateway::phone(contact), .to = "1069", .text = random.below(4) == 0 ? "TD" : "ok", .provider_id = std::to_string(i)}, {}}});
                    gateway.turn();
                    break;
                case 5:
                    if (!accepted.empty()) {
                        const auto& id = accepted[random.below(accepted.size())];
                        gateway.engine->on_transport_events({ReceiptReported{0, {.provider_ids = {id}, .status = random.below(2) == 0 ? channel::ReceiptStatus::delivered : channel::ReceiptStatus::failed, .raw = "X"}, {}}});
                        gateway.turn();
                    }
                    break;
                case 6:
                    if (hold.empty()) {
                        hold = std::move(gateway.in_turn([&](Engine& inside) { return inside.set_hold({.purposes = {"care"}, .reason = "stop"}); })).value().id;
                    } else {
                        REQUIRE(gateway.in_turn([&](Engine& inside) { return inside.lift_hold(hold); }));
                        hold.clear();
                    }
                    break;
                case 7:
                    if (random.below(4) == 0) gateway.restart();
                    break;
                default: {
                    auto request = Gateway::touch(contact, random.below(3) == 0 ? "care" : random.below(5) == 0 ? "transactional" : "marketing");
                    if (random.below(5) == 0) request.not_before = gateway.clock.wall_now() + Duration{static_cast<std::int64_t>(random.below(20 * 3'600'000))};
                    if (random.below(6) == 0) request.content.text = "money";
                    gateway.submit(request);
                }
            }
            gateway.answer([&](const AttemptOrder&) {
                channel::Outcome outcome;
                switch (random.below(8)) {
                    case 0: outcome.kind = channel::OutcomeKind::recipient_invalid; break;
                    case 1: outcome.kind = channel::OutcomeKind::not_sent; break;
                    case 2: outcome.kind = channel::OutcomeKind::unknown; break;
                    default:
                        outcome.kind = channel::OutcomeKind::accepted;
                        outcome.ids = {"id" + std::to_string(random.next())};
                        accepted.push_back(outcome.ids.front());
                }
                return outcome;
            });
            gateway.clock.advance(Duration{static_cast<std::int64_t>(random.below(2 * 3'600'000))});
            gateway.turn();
        }
        const auto logged = gateway.logged_decisions();
        const auto rows = gateway.replay(in_force, ReplayHistory::logged);
        REQUIRE(rows.size() == logged.size());
        std::size_t not_allowed = 0;
        for (const auto& row : rows) {
            const auto& decision = logged.at(row.touch);
            CAPTURE(to_string(row.touch), format_instant(row.at), row.was_rule, row.would_rule);
            REQUIRE(row.would == row.was);
            REQUIRE(row.would_rule == row.was_rule);
            const auto until = decision.verdict == Verdict::defer && decision.until != 0 ? from_unix_ms(decision.until) : instant_never;
            REQUIRE(row.until == until);
            if (row.was != Verdict::allow) ++not_allowed;
        }
        CHECK(not_allowed > 20);
    }
}

TEST_CASE("policy explain: a logged decision is told with the touches that were counted", "[replay]") {
    for (const auto* by : {R"(["contact"])", R"(["channel"])"}) {
        Gateway gateway{R"({"name":"p","rules":[{"name":"cap","kind":"cap","max":2,"per":"P1D","by":)" + std::string{by} + "}]}"};
        const auto first = gateway.submit(Gateway::touch(1));
        gateway.accept();
        const auto second = gateway.submit(Gateway::touch(1));
        gateway.accept();
        gateway.clock.advance(std::chrono::hours{1});
        const auto asked = std::move(gateway.in_turn([](Engine& inside) { return inside.decide_only(Gateway::touch(1), std::nullopt); })).value();
        const auto third = gateway.submit(Gateway::touch(1));
        CHECK(third.state == TouchState::deferred);
        const auto told = gateway.explain(third.created_sequence);
        REQUIRE(told);
        CHECK((*told)["verdict"] == "defer");
        CHECK((*told)["policy"] == "p@1");
        CHECK((*told)["rule"] == "cap");
        CHECK((*told)["until"] == format_instant(asked.decision.until));
        const auto& step = (*told)["trace"][0];
        CHECK(step["rule"] == "cap");
        CHECK(step["counted"] == 2);
        CHECK(step["touches"] == Json::array({to_string(first.id), to_string(second.id)}));
        CHECK(gateway.explain(1).error().kind == ErrorKind::not_found);
    }
}
