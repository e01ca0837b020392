#include "tests/simulation/world.hpp"

#include <array>
#include <utility>

#include "gateway/engine/internals.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::simulation {

namespace {

constexpr auto data_dir = "data";
constexpr std::size_t segment_bytes = std::size_t{68} << 20U;  // a start's reservation fills one, so that segments change
constexpr crypto::Key master_key{7};
constexpr std::array account_names = {"main", "spare"};  // both reach the same phones

class OnePhoneFact final : public PhoneFacts {
public:
    [[nodiscard]] const PhoneFact& of(std::string_view) const override { return fact_; }

private:
    PhoneFact fact_{.region = "CN", .carrier = "cmcc", .zones = {"Asia/Shanghai"}};
};

// Sees nothing: for starts that are only compared.
class NoObserver final : public NetworkObserver {
public:
    std::uint64_t tick() override { return 0; }
    void on_message_reported(const AckTicket&, const channel::InboundMessage&) override {}
    void on_acknowledged(const AckTicket&, bool) override {}
    void on_handed_over(const AttemptOrder&, channel::Monotonic) override {}
    void on_written(sandbox::ConnectionId, std::string_view, channel::Monotonic) override {}
    void on_bytes_arrived() override {}
};

sandbox::DelayRange between(int from_ms, int to_ms) { return {Duration{from_ms}, Duration{to_ms}}; }

}  // namespace

World::World(std::uint64_t seed)
    : random_{seed},
      clock_{*parse_instant("2026-11-23T02:00:00Z")},
      disk_{seed + 1},
      peer_random_{seed + 2},
      peer_{{.users = {{"main", "secret"}, {"spare", "secret"}}}, behaviour_, store_, peer_random_},
      limits_{.rate_per_second = random_.chance(0.5) ? 2.0 : 0.0, .permit_time = Duration{5'000}},
      oracle_{store_, limits_},
      centre_{random_, oracle_.desk} {
    auto& b = behaviour_;
    b.throttle = 0.02;
    b.queue_full = 0.02;
    b.system_error = 0.02;
    b.response_delay = between(0, 300);
    b.no_response = random_.chance(0.5) ? 0.03 : 0;
    b.receipts = {{"DELIVRD", 0.8}, {"UNDELIV", 0.1}};
    b.receipt_delay = between(10, 3'000);
    b.early_receipt = 0.1;
    b.duplicate_receipt = 0.1;
    b.out_of_order = 0.1;
    b.intermediate = 0.1;
    b.mo_repeat = 0.2;
    b.refuse_connection = 0.02;
    b.customers.opt_out = 0.02;
    b.customers.reply = 0.05;
    b.customers.reply_delay = between(10, 3'000);
    b.customers.opt_out_words = {"T", "TD"};
    static constexpr const char* id_forms[] = {"same", "hex_to_dec", "dec_to_hex", "upper"};
    b.receipt_id = id_forms[random_.below(4)];
    b.deliver_timeout = Duration{5'000};

    for (const auto max : {1, 2, 3})
        for (const auto minutes : {1, 5, 30}) caps_.push_back({.max = max, .per = std::chrono::minutes{minutes}});
    for (const auto& cap : caps_) oracle_.add_policy(cap);
    first_cap_ = caps_[random_.below(caps_.size())];
    for (int i = 0; i < 8; ++i) oracle_.customers.push_back({.phone = "+861380000000" + std::to_string(i)});
    disk_.while_syncing([this] { network_goes_on(); });
    start();
}

World::~World() = default;

EngineSettings World::settings(const Gateway& gateway) const {
    EngineSettings made;
    made.data_dir = data_dir;
    made.policy_document = policy_document(first_cap_);
    made.policy_source = "sim.json";
    made.include = [](std::string_view) -> Result<Json> { return Error{.kind = ErrorKind::not_found, .detail = "no other policies"}; };
    made.expires_after = {{"*", std::chrono::hours{2}}};
    made.phones = std::make_shared<OnePhoneFact>();
    made.index_key = master_key;
    for (std::size_t i = 0; i < gateway.adapters.size(); ++i) {
        const auto* adapter = gateway.adapters[i].get();
        AccountSettings account;
        account.name = account_names[i];
        account.adapter = "smpp";
        account.capabilities = adapter->capabilities();
        account.window = adapter->window();
        if (i == 0 && limits_.rate_per_second > 0) account.rate_per_second = limits_.rate_per_second;
        account.permit_ttl = limits_.permit_time;
        account.match_by_address = true;
        account.unknown_final_after = std::chrono::hours{12};
        account.segments = [adapter](std::string_view text) { return adapter->segments(text); };
        made.accounts.push_back(std::move(account));
    }
    return made;
}

Result<std::unique_ptr<World::Gateway>> World::open(Disk& disk, Random& random, bool with_checkpoint, NetworkObserver& observer, sandbox::SmscPeer& peer) {
    auto made = std::make_unique<Gateway>();
    std::vector<Problem> problems;
    for (const std::string name : account_names) {
        const auto json = parse_json_with_comments(R"({"host":"smsc","system_id":")" + name + R"(","password":"secret","window":8,"response_timeout":"PT10S"})").value();
        JsonReader reader{json, "", problems};
        made->adapters.push_back(std::make_unique<adapters::smpp::Adapter>(adapters::smpp::read_settings(reader)));
    }
    if (!problems.empty()) return Error{.kind = ErrorKind::invalid_input, .detail = problems.front().detail, .problems = std::move(problems)};
    auto keys = KeyStore::open(disk, data_dir, master_key);
    if (!keys) return keys.error();
    made->keys = std::move(*keys);
    std::optional<Checkpoint> checkpoint;
    if (with_checkpoint) {
        std::vector<std::string> skipped;
        auto found = read_newest_checkpoint(disk, data_dir, skipped);
        if (!found) return found.error();
        checkpoint = std::move(*found);
        if (!skipped.empty()) return Error{.kind = ErrorKind::corrupt, .detail = "checkpoint " + skipped.front() + " is damaged"};
    }
    LogRecovery recovery;
    const auto known = std::max(made->keys->known_sequence(), checkpoint ? checkpoint->head.sequence : 0);
    auto log = FileLog::open(disk, {.data_dir = data_dir, .segment_bytes = segment_bytes, .archive_dir = {}, .new_log_id = std::array<std::uint8_t, 16>{1}},
                             checkpoint ? checkpoint->head : LogHead{}, known, recovery);
    if (!log) return log.error();
    made->log = std::move(*log);
    made->transport = std::make_unique<SimTransport>(clock_, peer, observer);
    for (AccountNumber i = 0; i < made->adapters.size(); ++i)
        made->transport->add(std::make_unique<SimLine>(i, made->adapters[i]->make_session(random.next()), clock_, peer, next_connection_, observer));
    auto engine = Engine::start({.disk = disk, .log = *made->log, .reader = *made->log, .keys = *made->keys, .clock = clock_, .random = random, .transport = *made->transport},
                                settings(*made), std::move(checkpoint));
    if (!engine) return engine.error();
    made->engine = std::move(*engine);
    made->transport->listen(made->engine.get());
    return made;
}

void World::start() {
    check_disk();
    compare_starts();
    if (!oracle_.broken().empty()) return;
    auto opened = open(disk_, random_, true, oracle_, peer_);
    if (!opened) {
        oracle_.fail("8 start", opened.error().detail);
        return;
    }
    gateway_ = std::move(*opened);
    oracle_.watch(gateway_->log.get());
    oracle_.check_after_start();
    centre_.define(*gateway_->engine);
}

// The chain is whole, and no phone number and no text stands in the log's files.
void World::check_disk() {
    bool any = false;
    for (const auto& path : disk_.paths()) {
        if (path.find("/log/") == std::string::npos) continue;
        any = true;
        const auto bytes = disk_.bytes(path);
        for (const auto* secret : {"1380000000", "private words"})
            if (bytes.find(secret) != std::string::npos) oracle_.fail("9 secrets", path + " contains \"" + secret + "\"");
    }
    if (!any) return;
    const auto verified = verify_log(disk_, {.data_dir = data_dir, .segment_bytes = segment_bytes}, std::nullopt);
    if (!verified) {
        oracle_.fail("8 log", verified.error().detail);
        return;
    }
    for (const auto& damage : verified->damages)
        if (!damage.last_batch_only) oracle_.fail("8 log", damage.file + ": " + damage.reason + " at sequence " + std::to_string(damage.sequence));
}

// The state from checkpoint and tail is as large as the state from the whole log. Both on copies of the disk: a start writes.
namespace {

// The state in words, in an order of its own: names and hash maps are numbered differently in every start.
std::vector<std::string> told(Engine& engine) {
    const auto& state = engine.internals().state;
    const auto name = [&](Symbol symbol) { return std::string{state.symbols.name(symbol)}; };
    const auto profile = [&](ProfileId id) {
        const auto& p = state.profiles.at(id);
        return name(p.purpose) + "/" + name(p.channel) + "/" + name(p.account) + "/" + name(p.campaign) + "/" + name(p.unit);
    };
    const auto instant = [](Instant at) { return std::to_string(at.time_since_epoch().count()); };
    std::vector<std::string> lines;
    for (const auto& touch : state.touches) {
        if (touch.id.is_nil()) continue;
        std::string line = "touch " + to_string(touch.id) + " " + std::string{to_string(touch.state)} + (touch.final ? " final " : " ") + std::to_string(touch.created_sequence) + " " +
                           std::to_string(touch.chosen) + " " + std::to_string(touch.retries) + " " + std::to_string(touch.next_attempt) + " " + instant(touch.until) + " " +
                           instant(touch.expires_at) + " " + instant(touch.retry_at) + " " + std::to_string(static_cast<int>(touch.verdict)) + " " + std::string{touch.override_view()};
        line += " " + std::to_string(touch.flags);
        for (const auto& step : state.cascades[touch.cascade]) line += " step " + std::to_string(step.first) + " " + std::string{dispatch::to_string(step.until)} + " " + std::to_string(step.within_ms);
        for (const auto& attempt : touch.attempts)
            line += " [" + std::to_string(attempt.number) + " " + std::to_string(static_cast<int>(attempt.state)) + " " + std::to_string(static_cast<int>(attempt.progress)) + " " + std::to_string(attempt.receipts.size()) + "]";
        lines.push_back(line);
    }
    for (std::size_t i = 1; i < state.contacts.size(); ++i) {
        const auto& contact = state.contacts[i];
        std::string line = "contact " + state.contact_ids[i] + (contact.erased ? " erased " : " ") + std::to_string(contact.live.size()) + " " + std::to_string(contact.version);
        for (const auto& entry : contact.history)
            line += " {" + instant(entry.at) + " " + std::to_string(entry.touch) + " " + profile(entry.profile) + " " + std::to_string(static_cast<int>(entry.slot)) + " " +
                    std::to_string(entry.attempt) + "}";
        for (const auto& consent : contact.consents)
            line += " <" + name(consent.channel) + " " + name(consent.purpose) + " " + (consent.granted ? "yes" : "no") + (consent.ended ? " ended " : " ") + instant(consent.at) + ">";
        lines.push_back(line);
    }
    for (const auto& address : state.addresses)
        for (const auto& list : address.lists) lines.push_back("list " + name(list.list) + " " + address.value);
    for (const auto& [id, hold] : state.holds) lines.push_back("hold " + id);
    for (const auto& [id, row] : state.campaigns) {
        std::string line = "campaign " + id + " " + row.state + " " + std::to_string(row.size) + " " + std::to_string(row.pending) + " " + std::to_string(row.held_out) + " " +
                           std::to_string(row.permits) + " " + std::to_string(row.cost_micro) + " " + instant(row.started_at);
        for (const auto count : row.counts) line += " " + std::to_string(count);
        for (const auto& [rule, count] : row.by_rule) line += " " + rule + "=" + std::to_string(count);
        for (const auto& recipient : row.recipients)
            line += " (" + std::to_string(recipient.contact.value) + " " + std::to_string(static_cast<int>(recipient.state)) + " " + std::to_string(row.started() ? recipient.arm : 0) + ")";
        lines.push_back(line);
    }
    lines.push_back("keys " + std::to_string(state.keys.size()) + " ids " + std::to_string(state.provider_ids.size()) + " parked " + std::to_string(state.parked.size()) + " policy " +
                    std::to_string(state.active_policy) + " sequence " + std::to_string(state.sequence));
    for (const auto& [id, row] : state.agents) lines.push_back("agent " + id + " " + std::to_string(row.last_seq) + " " + row.state + " " + row.shown);
    for (const auto& [id, row] : state.interactions) lines.push_back("interaction " + to_string(id) + " " + row.state + " " + row.agent + " " + row.last_agent + " " + row.reason + " " + name(row.queue));
    std::sort(lines.begin(), lines.end());
    return lines;
}

}  // namespace

void World::compare_starts() {
    FaultyDisk from_checkpoint{1};
    FaultyDisk from_log{1};
    bool has_checkpoint = false;
    for (const auto& path : disk_.paths()) {
        const auto bytes = disk_.bytes(path);
        has_checkpoint = has_checkpoint || path.find(".ckpt") != std::string::npos;
        from_checkpoint.set_bytes(path, bytes);
        from_log.set_bytes(path, bytes);
    }
    if (!has_checkpoint) return;
    ++from_checkpoint_;
    NoObserver nobody;
    sandbox::MessageStore store;
    Random peer_random{1};
    sandbox::SmscPeer peer{{.users = {}}, behaviour_, store, peer_random};
    Random same{5};
    Random again{5};
    auto first = open(from_checkpoint, same, true, nobody, peer);
    auto second = open(from_log, again, false, nobody, peer);
    if (!first || !second) {
        oracle_.fail("8 start", (first ? second : first).error().detail);
        return;
    }
    const auto one = told(*(*first)->engine);
    const auto other = told(*(*second)->engine);
    for (std::size_t i = 0; i < std::max(one.size(), other.size()); ++i) {
        const auto left = i < one.size() ? one[i] : std::string{"nothing"};
        const auto right = i < other.size() ? other[i] : std::string{"nothing"};
        if (left == right) continue;
        oracle_.fail("8 state", "checkpoint and tail: " + left + "; the whole log: " + right);
        return;
    }
}

void World::die(bool power_cut) {
    ++crashes_;
    oracle_.watch(nullptr);
    centre_.gateway_died();
    gateway_->engine.reset();
    for (std::size_t i = 0; i < gateway_->transport->size(); ++i) gateway_->transport->line(i).vanish(random_.below(2) == 0 ? 0 : random_.below(400));
    gateway_.reset();
    if (clock_stepped_) oracle_.time_was_lost();
    if (power_cut) disk_.crash();
    else disk_.kill();
    disk_.set_capacity(FaultyDisk::unlimited);
    disk_is_full_ = false;
    for (auto& customer : oracle_.customers) {
        if (customer.grants_open > 0) customer.last_grant = oracle_.tick();
        if (customer.removals_open > 0) customer.last_removal = oracle_.tick();
        customer.grants_open = customer.removals_open = 0;
    }
    clock_.advance(Duration{static_cast<std::int64_t>(random_.below(random_.chance(0.5) ? 300 : 60'000))});
    start();
}

// What the network's thread does while the engine's waits for the disk.
void World::network_goes_on() {
    if (!gateway_ || disk_.failed() || !random_.chance(0.3)) return;
    for (int i = 0; i < 3; ++i) {
        any_line().work();
        move(false);
    }
}

void World::turn() {
    const auto done = gateway_->engine->turn();
    if (!done && !disk_.failed()) oracle_.fail("simulation", "the turn failed: " + done.error().detail);
    if (!done || disk_.failed()) die(true);
}

void World::move(bool whole) {
    auto& line = any_line();
    const auto size = whole || random_.chance(0.7) ? std::size_t{1} << 20U : 1 + random_.below(60);
    if (random_.chance(0.5)) line.move_to_peer(size);
    else line.move_to_gateway(size);
    if (peer_.wake_at() && *peer_.wake_at() <= clock_.monotonic_now()) peer_.on_wake({.monotonic = clock_.monotonic_now(), .wall = clock_.wall_now()});
    gateway_->transport->collect_from_peer();
}

void World::advance() {
    const auto kind = random_.below(1'000);
    const auto most = kind < 850 ? 50U : kind < 993 ? 3'000U : 600'000U;
    clock_.advance(Duration{1 + static_cast<std::int64_t>(random_.below(most))});
}

void World::fault() {
    switch (random_.below(12)) {
        case 0: die(true); break;
        case 1: die(false); break;
        case 2: disk_.fail_from(random_.below(8)); break;  // a crash in the middle of a write or sync
        case 3:
            disk_is_full_ = !disk_is_full_;
            disk_.set_capacity(disk_is_full_ ? 1'000'000 : FaultyDisk::unlimited);
            break;
        case 4:
            clock_stepped_ = true;
            clock_.step_wall(-wall_error_);
            wall_error_ = random_.chance(0.5) ? Duration{0} : Duration{static_cast<std::int64_t>(random_.below(400'000)) - 200'000};
            clock_.step_wall(wall_error_);
            break;
        case 5:
        case 6:
        case 7:
            if (gateway_->engine->write_checkpoint_now()) ++checkpoints_;
            else if (disk_.failed()) die(true);
            break;
        default:
            ++tears_;
            any_line().tear(random_.below(2) == 0 ? 0 : random_.below(400));
            break;
    }
}

bool World::step() {
    if (!oracle_.broken().empty()) return false;
    if (!gateway_) return false;
    const auto kind = random_.below(1'000);
    if (kind < 5) fault();
    else if (kind < 130) act();
    else if (kind < 330) turn();
    else if (kind < 530) any_line().work();
    else if (kind < 850) move(false);
    else advance();
    return oracle_.broken().empty();
}

void World::settle() {
    if (!oracle_.broken().empty() || !gateway_) return;
    disk_.set_capacity(FaultyDisk::unlimited);
    clock_.step_wall(-wall_error_);
    wall_error_ = Duration{0};
    for (int i = 0; i < 3'000 && oracle_.broken().empty(); ++i) {
        turn();
        for (int j = 0; j < 8 && gateway_; ++j) {
            any_line().work();
            move(true);
        }
        clock_.advance(i < 1'000 ? Duration{100} : Duration{60'000});
        if (!gateway_) return;
    }
    // And everybody who waits for a person gets one.
    for (int i = 0; i < 3'000 && oracle_.broken().empty(); ++i) {
        if (i % 5 == 0) centre_.work_on(*gateway_->engine);
        clock_.advance(Duration{200});
        turn();
        if (!gateway_) return;
    }
    oracle_.read_log();
    oracle_.desk.check_end();
    if (!oracle_.desk.broken().empty()) oracle_.fail(oracle_.desk.broken(), "");
    std::vector<CampaignDetails> campaigns;
    gateway_->engine->post([&](Engine& engine) { campaigns = engine.campaigns({}, campaigns_, {}); });
    turn();
    if (!gateway_) return;
    for (const auto& campaign : campaigns) oracle_.check_campaign(campaign);
    for (const auto& each : oracle_.asked) {
        if (!each.answered || !oracle_.broken().empty()) continue;
        std::optional<TouchView> view;
        gateway_->engine->post([&](Engine& engine) { view = engine.find_touch(*each.answered); });
        turn();
        if (!gateway_) return;
        if (view && view->state >= TouchState::delivered && view->state <= TouchState::completed && !view->final)
            oracle_.fail("4 stuck", each.token + " is " + std::string{to_string(view->state)} + " and has not come to its end after a day without faults");
        if (view && (view->state == TouchState::queued || view->state == TouchState::deferred || view->state == TouchState::dispatching || view->state == TouchState::unknown) &&
            !view->final)
            oracle_.fail("4 stuck", each.token + " is still " + std::string{to_string(view->state)} + " after a day without faults");
    }
    die(true);
}

std::string World::summary() const {
    const auto& c = oracle_.counts();
    const auto n = [](std::uint64_t value) { return std::to_string(value); };
    return "records=" + n(c.records) + " touches=" + n(c.created) + " accepted=" + n(accepted_) + " refused=" + n(refused_) + " permits=" + n(c.permits) + " received=" + n(c.received) +
           " delivered=" + n(c.delivered) + " failed=" + n(c.failed) + " unknown=" + n(c.unknown) + " full-caps=" + n(c.full_caps) + " opt-outs=" + n(c.opt_outs) + " recipients=" + n(c.recipients) + " yielded=" + n(c.yielded) +
           " offers=" + n(oracle_.desk.counts().offers) + " taken=" + n(oracle_.desk.counts().accepted) + " pushes=" + n(oracle_.desk.counts().pushes) +
           " further-steps=" + n(c.further_steps) + " settled=" + n(c.settled) +
           " crashes=" + n(crashes_) + " tears=" + n(tears_) + " checkpoints=" + n(checkpoints_) + " compared=" + n(from_checkpoint_);
}

}  // namespace touchgate::simulation
