#include "tests/bench/replay_bench.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "gateway/base/clock.hpp"
#include "gateway/engine/engine.hpp"
#include "gateway/engine/policy_replay.hpp"
#include "gateway/touch_log/key_store_reading.hpp"

namespace touchgate::bench {

namespace {

constexpr std::string_view first_policy = R"({"name":"first","rules":[
  {"name":"dnc","kind":"suppression","lists":["*"]},
  {"name":"cap-day","kind":"cap","when":{"purposes":["marketing"]},"max":3,"per":"P1D","by":["contact"]}]})";

constexpr std::string_view tried_policy = R"({"name":"tried","rules":[
  {"name":"dnc","kind":"suppression","lists":["*"]},
  {"name":"quiet-hours","kind":"hours","when":{"purposes":["marketing","care"]},"zone":"contact","unknown_zones":["Asia/Shanghai"],
   "open":[{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"09:00","to":"20:00"}]},
  {"name":"cap-day","kind":"cap","when":{"purposes":["marketing"]},"max":1,"per":"P1D","by":["contact"]},
  {"name":"cap-week","kind":"cap","when":{"not":{"purposes":["transactional"]}},"max":3,"per":"P7D","by":["contact","channel"]},
  {"name":"cap-month","kind":"cap","when":{"purposes":["marketing"]},"max":6,"per":"P30D","by":["contact"]},
  {"name":"gap","kind":"gap","when":{"purposes":["marketing"]},"after":"touch","at_least":"PT4H","by":["contact"]}]})";

// Every attempt is accepted and delivered at once.
class InstantTransport final : public Transport {
public:
    void hand_over(std::vector<AttemptOrder> orders) override {
        for (auto& order : orders) {
            const auto id = std::to_string(++count_);
            events.push_back(AttemptAnswered{order.submission.ref, {.kind = channel::OutcomeKind::accepted, .ids = {id}}});
            events.push_back(ReceiptReported{0, {.provider_ids = {id}, .status = channel::ReceiptStatus::delivered, .raw = "DELIVRD"}, {}});
        }
    }
    void revoke(std::vector<channel::AttemptRef>) override {}
    void acknowledge(AckTicket, bool) override {}
    void reconcile(std::vector<ReconcileOrder>) override {}
    std::vector<TransportEvent> events;

private:
    std::uint64_t count_ = 0;
};

EngineSettings settings_of(const std::string& folder) {
    EngineSettings settings;
    settings.data_dir = folder;
    settings.policy_document = first_policy;
    settings.templates = std::make_shared<content::TemplateStore>();
    settings.limits.intake_queue = 1'000'000;
    AccountSettings account;
    account.name = "sms-main";
    account.adapter = "smpp";
    account.capabilities.channel = "sms";
    account.window = 100'000;
    settings.accounts = {account};
    return settings;
}

[[noreturn]] void stop(const Error& error) {
    std::fprintf(stderr, "%s\n", error.detail.c_str());
    for (const auto& problem : error.problems) std::fprintf(stderr, "  %s: %s\n", problem.pointer.c_str(), problem.detail.c_str());
    std::exit(1);
}

void make_log(Disk& disk, const std::string& folder, std::uint64_t touches, std::uint64_t contacts) {
    constexpr std::uint64_t batch = 2'000;
    ManualClock clock{*parse_instant("2026-11-01T00:00:00Z")};
    Random random{7};
    InstantTransport transport;
    auto keys = KeyStore::open(disk, folder, crypto::Key{});
    if (!keys) stop(keys.error());
    LogRecovery recovery;
    auto log = FileLog::open(disk, {.data_dir = folder}, {}, 0, recovery);
    if (!log) stop(log.error());
    auto engine = Engine::start({.disk = disk, .log = **log, .reader = **log, .keys = **keys, .clock = clock, .random = random, .transport = transport}, settings_of(folder), std::nullopt);
    if (!engine) stop(engine.error());
    (*engine)->on_transport_events({AccountUp{0}});
    const auto step = Duration{20 * one_day.count() / static_cast<std::int64_t>(std::max<std::uint64_t>(1, touches / batch))};
    const auto turn = [&] {
        if (!transport.events.empty()) (*engine)->on_transport_events(std::exchange(transport.events, {}));
        if (auto done = (*engine)->turn(); !done) stop(done.error());
    };
    for (std::uint64_t n = 0; n < touches;) {
        const auto until = std::min(touches, n + batch);
        (void)(*engine)->post([&, first = n, until](Engine& inside) {
            for (auto i = first; i < until; ++i) {
                TouchRequest request;
                request.contact.address = Address{.kind = AddressKind::phone, .value = "+86138" + std::to_string(10'000'000 + (i * 7919) % contacts), .account = {}};
                request.purpose = i % 10 == 0 ? "transactional" : "marketing";
                request.channels = {"sms"};
                request.key = "k" + std::to_string(i);
                request.content.text = "【品牌】您的专属优惠已到账，点击查看。拒收请回复R";
                request.expires_at = inside.now() + one_day;
                if (auto made = inside.submit_touch_line(std::move(request)); !made) stop(made.error());
            }
        });
        n = until;
        turn();
        turn();
        clock.advance(step);
    }
    for (int i = 0; i < 10; ++i) turn();
}

}  // namespace

void run_replay_bench(const std::string& folder, std::uint64_t touches, std::uint64_t contacts) {
    const auto disk = make_real_disk();
    if (!disk->exists(folder + "/log")) make_log(*disk, folder, touches, contacts);
    for (const auto history : {ReplayHistory::simulated, ReplayHistory::logged}) {
        const auto begin = std::chrono::steady_clock::now();
        const auto processor_begin = std::clock();
        auto log = FileLog::open_for_reading(*disk, {.data_dir = folder});
        if (!log) stop(log.error());
        const auto head = (*log)->durable_head();
        auto keys = open_key_store_for_reading(*disk, folder, crypto::Key{});
        if (!keys) stop(keys.error());
        const auto opened = std::chrono::steady_clock::now();
        const auto report = replay_policy({.disk = *disk, .reader = **log, .keys = **keys, .head = head}, settings_of(folder),
                                          {.policy_document = std::string{tried_policy}, .from = {}, .to = {}, .history = history});
        if (!report) stop(report.error());
        const auto end = std::chrono::steady_clock::now();
        const auto seconds = std::chrono::duration<double>(end - begin).count();
        const auto processor_seconds = static_cast<double>(std::clock() - processor_begin) / CLOCKS_PER_SEC;
        std::printf(R"({"bench":"replay","history":"%s","touches":%llu,"records":%llu,"changed":%llu,"open_seconds":%.3f,"seconds":%.3f,"processor_seconds":%.3f,"touches_per_second":%.0f})"
                    "\n",
                    history == ReplayHistory::logged ? "logged" : "simulated", static_cast<unsigned long long>(report->touches), static_cast<unsigned long long>(head.sequence),
                    static_cast<unsigned long long>(report->changed), std::chrono::duration<double>(opened - begin).count(), seconds, processor_seconds, static_cast<double>(report->touches) / seconds);
        std::fflush(stdout);
    }
}

}  // namespace touchgate::bench
