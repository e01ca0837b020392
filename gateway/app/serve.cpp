#include "gateway/app/serve.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "gateway/app/callback_sender.hpp"
#include "gateway/app/config.hpp"
#include "gateway/app/media_folder.hpp"
#include "gateway/app/process_copy.hpp"
#include "gateway/app/query_port.hpp"
#include "gateway/base/thread_name.hpp"
#include "gateway/engine/engine.hpp"
#include "gateway/http/server.hpp"
#include "gateway/net/net_transport.hpp"
#include "gateway/projection/engine_names.hpp"
#include "gateway/projection/projection.hpp"

namespace touchgate::app {

namespace {

std::atomic<int> last_signal{0};
int signal_pipe[2] = {-1, -1};

void on_signal(int signal) {
    last_signal = signal;
    const char byte = static_cast<char>(signal);
    [[maybe_unused]] const auto written = ::write(signal_pipe[1], &byte, 1);
}

void catch_signals() {
    if (::pipe(signal_pipe) != 0) return;
    struct sigaction action {};
    action.sa_handler = on_signal;
    for (const int each : {SIGTERM, SIGINT, SIGHUP}) ::sigaction(each, &action, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

// One gateway per data folder: the second one says who holds it.
class DataLock {
public:
    static Result<DataLock> take(const std::string& data_dir) {
        const auto path = data_dir + "/lock";
        const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0) return Error{.kind = ErrorKind::unavailable, .detail = "the data folder " + data_dir + " cannot be written"};
        if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
            ::close(file);
            return Error{.kind = ErrorKind::unavailable, .detail = "another gateway runs on this data folder; it holds the lock " + path};
        }
        return DataLock{file};
    }
    DataLock(DataLock&& other) noexcept : file_{std::exchange(other.file_, -1)} {}
    DataLock& operator=(DataLock&&) = delete;
    ~DataLock() {
        if (file_ >= 0) ::close(file_);
    }

private:
    explicit DataLock(int file) : file_{file} {}
    int file_;
};

// The engine is made after the transport that reports to it.
class LateListener final : public TransportListener {
public:
    void on_transport_events(std::vector<TransportEvent> events) override {
        if (auto* engine = engine_.load()) engine->on_transport_events(std::move(events));
    }
    void set(Engine* engine) { engine_ = engine; }

private:
    std::atomic<Engine*> engine_{nullptr};
};

class Hooks final : public http::HookPort {
public:
    explicit Hooks(const Config& config) : accounts_{config.accounts}, media_{*config.media} {}
    [[nodiscard]] std::optional<http::HookAccount> find(std::string_view name) const override {
        for (std::size_t i = 0; i < accounts_.size(); ++i)
            if (accounts_[i].name == name && accounts_[i].exchange() != nullptr)
                return http::HookAccount{.number = static_cast<AccountNumber>(i), .adapter = accounts_[i].exchange()};
        return std::nullopt;
    }
    [[nodiscard]] Result<channel::MediaFacts> keep_media(std::string_view name, std::string_view type, std::string_view bytes) const override {
        return media_.keep(name, type, bytes);
    }

private:
    const std::vector<Account>& accounts_;
    MediaFolder& media_;
};

int cannot_start(const Error& error) {
    spdlog::critical("cannot start: {}", error.detail);
    for (const auto& problem : error.problems) spdlog::critical("  {}: {}", problem.pointer, problem.detail);
    return 2;
}

// What is wrong although the gateway runs.
class Faults {
public:
    explicit Faults(const Clock& clock) : clock_{clock} {}
    // `for_how_long`: then it counts as over, unless it is told again.
    void raise(const std::string& what, Duration for_how_long) {
        const std::lock_guard lock{mutex_};
        until_[what] = clock_.monotonic_now() + for_how_long;
    }
    [[nodiscard]] std::vector<std::string> now() const {
        const std::lock_guard lock{mutex_};
        std::vector<std::string> active;
        for (const auto& [what, until] : until_)
            if (until > clock_.monotonic_now()) active.push_back(what);
        return active;
    }

private:
    const Clock& clock_;
    mutable std::mutex mutex_;
    std::map<std::string, std::chrono::nanoseconds> until_;
};

// Looks through the whole log soon after the start and every hour; damage raises an alarm, for what lies before the checkpoint is not
// read at start. It gives way to all other threads.
void scrub(Disk& disk, const FileLogOptions& options, Faults& faults, std::atomic<bool>& stop) {
    constexpr int first_after_s = 2;
    constexpr int again_after_s = 3600;
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 19);
    for (int pause = first_after_s;; pause = again_after_s) {
        for (int i = 0; i < pause * 10 && !stop; ++i) std::this_thread::sleep_for(std::chrono::milliseconds{100});
        if (stop) return;
        const auto result = verify_log(disk, options, std::nullopt);
        if (!result) continue;
        for (const auto& damage : result->damages) {
            if (damage.last_batch_only) continue;
            spdlog::critical("damaged: file={} offset={} sequence={} reason={}", damage.file, damage.offset, damage.sequence, damage.reason);
            faults.raise("log", std::chrono::hours{24 * 366});
        }
    }
}

// Agents of the configuration: those that are new, and those whose document differs from what holds.
void declare_agents(Engine& gateway, const std::map<std::string, Json>& agents) {
    if (agents.empty()) return;
    gateway.post([agents](Engine& inside) {
        auto desk = inside.desk();
        for (const auto& [id, document] : agents) {
            const auto known = desk.agent(id);
            if (known && Json::parse(known->document, nullptr, false, true) == document) continue;
            if (const auto put = desk.put_agent(id, document); !put) {
                spdlog::error("the agent {} of the configuration is not taken: {}", id, put.error().detail);
                for (const auto& problem : put.error().problems) spdlog::error("  {}: {}", problem.pointer, problem.detail);
            }
        }
    });
}

// Every agent's socket is a file; the soft limit is often far below what the system allows.
void raise_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int serve(const std::string& config_path) {
    spdlog::set_default_logger(spdlog::stderr_logger_mt("touchgate"));
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    catch_signals();
    raise_file_limit();

    std::vector<FileProblem> problems;
    auto config = load_config(config_path, problems);
    for (const auto& problem : problems) problem.warning ? spdlog::warn("{}", to_string(problem)) : spdlog::critical("{}", to_string(problem));
    if (!config || has_errors(problems)) return 2;
    spdlog::set_level(spdlog::level::from_str(config->log_level));
    curl_global_init(CURL_GLOBAL_ALL);

    std::error_code error;
    std::filesystem::create_directories(config->data_dir, error);
    auto lock = DataLock::take(config->data_dir);
    if (!lock) return cannot_start(lock.error());

    SystemClock clock;
    std::uint64_t seed = 0;
    crypto::random_bytes(&seed, sizeof seed);
    Random random{seed};
    std::chrono::nanoseconds sync_delay{0};
    if (const char* added = std::getenv("TOUCHGATE_SYNC_DELAY_US")) sync_delay = std::chrono::microseconds{std::strtol(added, nullptr, 10)};  // to measure slower disks
    const auto disk = make_real_disk(sync_delay);

    const auto master = load_master_key(*disk, config->data_dir, config->master_key);
    if (!master) return cannot_start(master.error());
    config->engine.index_key = *master;
    auto keys = KeyStore::open(*disk, config->data_dir, *master);
    if (!keys) return cannot_start(keys.error());

    std::vector<std::string> skipped;
    auto checkpoint = read_newest_checkpoint(*disk, config->data_dir, skipped);
    if (!checkpoint) return cannot_start(checkpoint.error());
    for (const auto& file : skipped) spdlog::warn("the checkpoint {} is damaged and was passed over", file);
    const FileLogOptions log_options{.data_dir = config->data_dir, .archive_dir = config->archive_dir};
    LogRecovery recovery;
    const auto known = std::max((*keys)->known_sequence(), *checkpoint ? (*checkpoint)->head.sequence : 0);
    auto log = FileLog::open(*disk, log_options, *checkpoint ? (*checkpoint)->head : LogHead{}, known, recovery);
    if (!log) return cannot_start(log.error());
    if (recovery.cut) spdlog::warn("a torn last batch was cut: file={} offset={} sequence={} reason={}", recovery.cut->file, recovery.cut->offset, recovery.cut->sequence, recovery.cut->reason);

    LateListener listener;
    std::vector<net::NetAccount> net_accounts;
    for (const auto& account : config->accounts) {
        net::NetAccount made{.name = account.name, .adapter = &account.adapter, .seed = random.next(), .http = {}};
        made.http.ca_file = account.ca_file;
        if (account.settings.capabilities.human_executed) made.batch_window = account.settings.tasks.batch_window;
        net_accounts.push_back(std::move(made));
    }
    net::NetTransport transport{net_accounts, listener, clock};
    ProcessCopy background;
    auto engine = Engine::start({.disk = *disk, .log = **log, .reader = **log, .keys = **keys, .clock = clock, .random = random, .transport = transport, .background = &background},
                                config->engine, std::move(*checkpoint));
    if (!engine) return cannot_start(engine.error());
    auto& gateway = **engine;

    projection::LogNames log_names{{}, false};
    projection::EngineNames names{gateway, **log, log_names, [&](std::uint32_t number) { return gateway.compiled_policy(number); }};
    auto projection = projection::Projection::open(config->data_dir + "/projection.sqlite", **log, log_names);
    if (!projection) return cannot_start(projection.error());
    projection::Queries queries{**projection, **log, names, [&](std::string_view unit, std::string_view key) { return gateway.touch_key_hash(unit, key); }};
    projection::BillingOf billing = [&](const std::string& name) {
        for (const auto& account : config->accounts)
            if (account.name == name)
                return projection::AccountBilling{.currency = account.settings.billing.currency, .on_delivered = account.settings.billing.on == content::BillingMoment::delivered};
        return projection::AccountBilling{};
    };

    Faults faults{clock};
    auto projector = std::make_unique<projection::ProjectionThread>(**projection, [&faults](const Error& fault) {
        spdlog::error("projection: {}", fault.detail);
        faults.raise("projection", std::chrono::seconds{5});
    });
    auto callbacks = std::make_unique<CallbackSender>(config->callbacks, config->data_dir, queries, **log, clock);
    gateway.on_durable([&, counter = 0U](std::uint64_t) mutable {
        projector->notify();
        if (!config->callbacks.empty()) callbacks->notify();
        // A projection that lags far presses back on bulk and campaigns, never on single touches.
        if ((++counter & 255U) == 0) gateway.set_projection_lag((*projection)->lag_seconds(clock.wall_now()));
    });

    ProjectionQueries query_port{queries, billing, config->engine.time_zone, callbacks.get()};
    config->http.faults = [&faults, &gateway] {
        auto active = faults.now();
        if (gateway.disk_is_full()) active.emplace_back("disk");
        if (!gateway.clock_is_healthy()) active.emplace_back("clock");
        return active;
    };
    const Hooks hooks{*config};
    const std::string_view master_bytes{reinterpret_cast<const char*>(master->data()), master->size()};
    config->http.body_hash_key = crypto::hmac_sha256(master_bytes, "touchgate request bodies");
    config->http.agents.token_key = crypto::hmac_sha256(master_bytes, "touchgate agent tokens");
    if (config->http.console_dir.empty()) {
        std::error_code unknown;
        const auto program = std::filesystem::read_symlink("/proc/self/exe", unknown);
        if (!unknown) config->http.console_dir = (program.parent_path() / "console").string();
    }
    auto server = http::HttpServer::start(config->http, gateway, query_port, hooks, clock);
    if (!server) return cannot_start(server.error());

    const auto policy_label = gateway.active_policy()->label();  // the state is the engine's thread's from here on
    std::atomic<bool> fatal{false};
    std::thread engine_thread{[&] {
        name_this_thread("engine");
        for (;;) {
            if (auto done = gateway.turn(); !done) {
                spdlog::critical("the engine stops: {}", done.error().detail);
                fatal = true;
                std::_Exit(3);  // nothing unsynced was shown; the next start goes on from the log
            }
            if (gateway.stop_was_asked()) return;
            gateway.wait_for_work();
        }
    }};
    declare_agents(gateway, config->agents);
    listener.set(&gateway);
    transport.start();
    std::atomic<bool> stop_scrub{false};
    std::thread scrubber{[&] {
        name_this_thread("scrub");
        scrub(*disk, log_options, faults, stop_scrub);
    }};

    (*server)->set_ready(true);
    std::printf("listening on %s\n", (*server)->url().c_str());
    std::fflush(stdout);
    spdlog::info("ready: {} accounts, policy {}, {} records in the log", config->accounts.size(), policy_label, gateway.durable_head().sequence);

    for (;;) {
        char byte = 0;
        if (::read(signal_pipe[0], &byte, 1) != 1) continue;
        if (byte != SIGHUP) break;
        std::vector<FileProblem> reload_problems;
        auto fresh = load_config(config_path, reload_problems);
        for (const auto& problem : reload_problems) spdlog::warn("reload: {}", to_string(problem));
        if (!fresh || has_errors(reload_problems)) {
            spdlog::error("reload: nothing was changed");
            continue;
        }
        spdlog::set_level(spdlog::level::from_str(fresh->log_level));
        gateway.post([fresh_engine = std::move(fresh->engine)](Engine& inside) mutable {
            const auto reloaded = inside.reload(std::move(fresh_engine));
            inside.after_sync([reloaded] {
                if (reloaded) spdlog::info("reload: policy and templates are in force");
                else spdlog::error("reload: {}", reloaded.error().detail);
            });
        });
    }

    spdlog::info("draining");
    (*server)->begin_drain();
    gateway.begin_drain();
    // A turn that began before may still hand orders over: the transport must see them before it leaves.
    for (const auto begun = gateway.turns_begun(); gateway.turns_begun() < begun + 2;) {
        gateway.post([](Engine&) {});
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    transport.shut_down(config->engine.drain_timeout);
    (*server)->stop(Duration{5'000});
    gateway.ask_stop();
    engine_thread.join();
    // What the transport reported last is folded before the end.
    bool folded = true;
    for (;;) {
        const auto last = gateway.turn();
        folded = last.has_value();
        if (!last) spdlog::error("{}", last.error().detail);
        if (!last || !*last) break;
    }
    if (folded)
        if (auto written = gateway.write_checkpoint_now(); !written) spdlog::warn("no checkpoint was written: {}", written.error().detail);
    stop_scrub = true;
    scrubber.join();
    callbacks.reset();
    projector.reset();
    server->reset();
    spdlog::info("stopped at sequence {}", gateway.durable_head().sequence);
    return 0;
}

}  // namespace touchgate::app
