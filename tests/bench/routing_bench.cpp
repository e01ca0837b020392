#include "tests/bench/routing_bench.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "gateway/routing/router.hpp"

namespace touchgate::bench {

namespace {

using namespace touchgate::routing;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Of this thread: what others do on the machine is not in it.
double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double percentile(std::vector<float>& values, double share) {
    if (values.empty()) return 0;
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

// Applies and remembers what was offered; a log would store it.
class Floor final : public Journal {
public:
    explicit Floor(const RoutingBench& size) : size_{size} {
        for (std::size_t i = 0; i < size.queues; ++i) {
            queue_names_.push_back(queue_name(i));
            (void)router.put_queue(queue_names_.back(), Json::object(), now).value();
        }
        for (std::size_t i = 0; i < size.agents; ++i) {
            auto queues = Json::array();
            const auto first = random_.below(size.queues);
            for (std::size_t j = 0; j < size.queues_of_agent; ++j) queues.push_back(queue_name((first + j * 23) % size.queues));
            agent_names.push_back("agent" + std::to_string(i));
            (void)router.put_agent(agent_names.back(), {{"capacity", {{"voice", 1}}}, {"queues", queues}}, now).value();
        }
    }
    void append(const Event& event) override {
        if (const auto* made = std::get_if<OfferMade>(&event)) offered.push_back({made->offer, made->item, made->agent, made->fence});
        router.apply(event, now);
    }
    Uuid new_offer_id() override { return ids_.next(now); }

    Uuid arrive() {
        now += Duration{random_.below(10) == 0 ? 1 : 0};
        request_.item = ids_.next(now);
        request_.queue = queue_names_[random_.below(size_.queues)];
        router.enqueue(request_, now).value();
        return request_.item;
    }
    void sign_everybody_in() {
        for (const auto& name : agent_names) {
            router.sign_in(name, "sign_in", now).value();
            router.set_intent(name, Intent::ready, "", "", now).value();
        }
    }
    void accept_all(std::vector<Uuid>& assigned) {
        for (const auto& made : offered) {
            router.accept(made.agent, made.offer, made.fence, now).value();
            assigned.push_back(made.item);
        }
        offered.clear();
    }
    static std::string queue_name(std::size_t number) { return "queue" + std::to_string(number); }

    Instant now = from_unix_ms(1'795'400'000'000);
    struct Offered { Uuid offer{}, item{}; std::string agent; std::uint64_t fence = 0; };
    std::vector<Offered> offered;
    std::vector<std::string> agent_names;

private:
    RoutingBench size_;
    std::vector<std::string> queue_names_;
    ItemRequest request_{.channel = "voice"};
    Random random_{7};
    UuidSource ids_{random_};

public:
    Router router{RouterSettings{}, *this, random_};
};

void print(const RoutingBench& size, const char* what, std::size_t decisions, double cpu, double deciding, std::vector<float>& times_us) {
    std::printf("{\"bench\":\"routing\",\"what\":\"%s\",\"agents\":%zu,\"waiting\":%zu,\"queues\":%zu,\"decisions\":%zu,\"decisions_per_s\":%.0f,\"cycles_per_cpu_s\":%.0f,"
                "\"p50_us\":%.2f,\"p99_us\":%.2f,\"p999_us\":%.2f}\n",
                what, size.agents, size.waiting, size.queues, decisions, static_cast<double>(decisions) / deciding, static_cast<double>(decisions) / cpu, percentile(times_us, 0.5),
                percentile(times_us, 0.99), percentile(times_us, 0.999));
    std::fflush(stdout);
}

// A backlog: every call that ends frees an agent, who gets the highest item of his eight queues.
void run_backlog(const RoutingBench& size) {
    Floor floor{size};
    std::vector<Uuid> assigned;
    for (std::size_t i = 0; i < size.waiting + size.agents; ++i) floor.arrive();
    floor.sign_everybody_in();
    floor.accept_all(assigned);
    Random pick{3};
    std::vector<float> times;
    std::size_t decisions = 0;
    double deciding = 0;
    const auto start = Clock::now();
    const auto cpu = cpu_seconds();
    while (seconds_since(start) < size.seconds) {
        for (int i = 0; i < 1'000 && !assigned.empty(); ++i) {
            const auto at = pick.below(assigned.size());
            const auto item = assigned[at];
            assigned[at] = assigned.back();
            assigned.pop_back();
            const auto before = Clock::now();
            floor.router.end({.id = item, .state = "completed"}, floor.now).value();
            const auto took = seconds_since(before);
            deciding += took;
            times.push_back(static_cast<float>(took * 1e6));
            decisions += floor.offered.size();
            floor.accept_all(assigned);
            floor.arrive();
        }
        floor.router.run(floor.now);
    }
    print(size, "freed agent, backlog", decisions, cpu_seconds() - cpu, deciding, times);
}

// No backlog: every arrival finds the longest idle of its queue's agents.
void run_idle(const RoutingBench& size) {
    Floor floor{size};
    floor.sign_everybody_in();
    std::vector<Uuid> assigned;
    Random pick{5};
    std::vector<float> times;
    std::size_t decisions = 0;
    double deciding = 0;
    const auto busy = size.agents / 2;
    const auto start = Clock::now();
    const auto cpu = cpu_seconds();
    while (seconds_since(start) < size.seconds) {
        for (int i = 0; i < 1'000; ++i) {
            const auto before = Clock::now();
            floor.arrive();
            const auto took = seconds_since(before);
            deciding += took;
            times.push_back(static_cast<float>(took * 1e6));
            decisions += floor.offered.size();
            floor.accept_all(assigned);
            if (assigned.size() < busy) continue;
            const auto at = pick.below(assigned.size());
            floor.router.end({.id = assigned[at], .state = "completed"}, floor.now).value();
            assigned[at] = assigned.back();
            assigned.pop_back();
        }
        floor.router.run(floor.now);
    }
    print(size, "arrival, idle agents", decisions, cpu_seconds() - cpu, deciding, times);
}

void execute(sqlite3* database, const char* text) {
    char* message = nullptr;
    if (sqlite3_exec(database, text, nullptr, nullptr, &message) == SQLITE_OK) return;
    std::fprintf(stderr, "%s\n", message);
    std::exit(1);
}

// Every 100 ms: all waiting members by score, and for each the agents of its queue's tiers that are free, longest idle first. 1 % of the agents become free between
// two scans. What is counted is the time at work; a scan that takes longer than 100 ms is late by as much.
void run_sqlite(const RoutingBench& size) {
    sqlite3* database = nullptr;
    if (sqlite3_open(":memory:", &database) != SQLITE_OK) std::exit(1);
    execute(database, "CREATE TABLE agents(name TEXT PRIMARY KEY, status TEXT, state TEXT, last_bridge_end INTEGER);"
                      "CREATE TABLE tiers(queue TEXT, agent TEXT, level INTEGER, position INTEGER);"
                      "CREATE TABLE members(uuid INTEGER PRIMARY KEY, queue TEXT, joined INTEGER, base_score INTEGER, state TEXT);"
                      "CREATE INDEX tiers_by_queue ON tiers(queue); CREATE INDEX members_by_state ON members(state); BEGIN;");
    Random random{7};
    const auto prepare = [&](const char* text) {
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v2(database, text, -1, &statement, nullptr) != SQLITE_OK) std::exit(1);
        return statement;
    };
    const auto bind = [](sqlite3_stmt* statement, int at, const std::string& text) { sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT); };
    const auto step = [](sqlite3_stmt* statement) {
        (void)sqlite3_step(statement);
        sqlite3_reset(statement);
    };
    auto* add_agent = prepare("INSERT INTO agents VALUES(?, 'Available', 'In a queue call', ?)");
    auto* add_tier = prepare("INSERT INTO tiers VALUES(?, ?, 1, ?)");
    auto* add_member = prepare("INSERT INTO members(queue, joined, base_score, state) VALUES(?, ?, 0, 'Waiting')");
    for (std::size_t i = 0; i < size.agents; ++i) {
        bind(add_agent, 1, "agent" + std::to_string(i));
        sqlite3_bind_int64(add_agent, 2, static_cast<sqlite3_int64>(i));
        step(add_agent);
        const auto first = random.below(size.queues);
        for (std::size_t j = 0; j < size.queues_of_agent; ++j) {
            bind(add_tier, 1, Floor::queue_name((first + j * 23) % size.queues));
            bind(add_tier, 2, "agent" + std::to_string(i));
            sqlite3_bind_int64(add_tier, 3, static_cast<sqlite3_int64>(j));
            step(add_tier);
        }
    }
    for (std::size_t i = 0; i < size.waiting; ++i) {
        bind(add_member, 1, Floor::queue_name(random.below(size.queues)));
        sqlite3_bind_int64(add_member, 2, static_cast<sqlite3_int64>(i));
        step(add_member);
    }
    execute(database, "COMMIT");
    auto* free_one = prepare("UPDATE agents SET state='Waiting', last_bridge_end=? WHERE name=?");
    auto* members = prepare("SELECT uuid, queue, (?-joined)+base_score AS score FROM members WHERE state='Waiting' ORDER BY score DESC");
    auto* agents = prepare("SELECT agents.name FROM tiers CROSS JOIN agents ON tiers.agent=agents.name WHERE tiers.queue=? AND agents.status='Available' AND agents.state='Waiting' "
                           "ORDER BY tiers.level, agents.last_bridge_end, tiers.position LIMIT 1");
    auto* take_agent = prepare("UPDATE agents SET state='Receiving' WHERE name=?");
    auto* take_member = prepare("UPDATE members SET state='Trying' WHERE uuid=?");
    std::size_t decisions = 0, scans = 0;
    sqlite3_int64 now = static_cast<sqlite3_int64>(size.waiting);
    std::vector<float> times;
    const auto start = Clock::now();
    while (seconds_since(start) < size.seconds) {
        for (std::size_t i = 0; i < size.agents / 100; ++i) {
            sqlite3_bind_int64(free_one, 1, ++now);
            bind(free_one, 2, "agent" + std::to_string(random.below(size.agents)));
            step(free_one);
        }
        const auto before = Clock::now();
        sqlite3_bind_int64(members, 1, now);
        while (sqlite3_step(members) == SQLITE_ROW && seconds_since(start) < 2 * size.seconds) {
            sqlite3_bind_text(agents, 1, reinterpret_cast<const char*>(sqlite3_column_text(members, 1)), -1, SQLITE_TRANSIENT);
            if (sqlite3_step(agents) == SQLITE_ROW) {
                const std::string name{reinterpret_cast<const char*>(sqlite3_column_text(agents, 0))};
                bind(take_agent, 1, name);
                step(take_agent);
                sqlite3_bind_int64(take_member, 1, sqlite3_column_int64(members, 0));
                step(take_member);
                ++decisions;
            }
            sqlite3_reset(agents);
        }
        sqlite3_reset(members);
        times.push_back(static_cast<float>(seconds_since(before) * 1e6));
        ++scans;
    }
    const auto elapsed = seconds_since(start);
    std::printf("{\"bench\":\"routing\",\"what\":\"SQLite scan\",\"agents\":%zu,\"waiting\":%zu,\"queues\":%zu,\"scans\":%zu,\"decisions\":%zu,\"decisions_per_s\":%.0f,\"scan_ms\":%.0f}\n", size.agents,
                size.waiting, size.queues, scans, decisions, static_cast<double>(decisions) / elapsed, percentile(times, 0.5) / 1e3);
    for (auto* statement : {add_agent, add_tier, add_member, free_one, members, agents, take_agent, take_member}) sqlite3_finalize(statement);
    sqlite3_close(database);
}

}  // namespace

void run_routing_bench(const RoutingBench& size) {
    run_backlog(size);
    run_idle(size);
    run_sqlite(size);
}

}  // namespace touchgate::bench
