// The simulated world of one run: a clock, a disk that forgets, a message centre with its customers, and the real gateway between them,
// which may die at any step and start again. One thread; everything follows from the seed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/sandbox/smsc_peer.hpp"
#include "adapters/smpp/adapter.hpp"
#include "gateway/engine/engine.hpp"
#include "tests/simulation/call_center.hpp"
#include "tests/simulation/faulty_disk.hpp"
#include "tests/simulation/oracle.hpp"
#include "tests/simulation/sim_transport.hpp"

namespace touchgate::simulation {

class World {
public:
    explicit World(std::uint64_t seed);
    ~World();

    // One step of the run; false when a rule is broken.
    bool step();
    // Ends the faults, lets everything settle for some days, and judges the end.
    void settle();
    [[nodiscard]] const Oracle& oracle() const { return oracle_; }
    [[nodiscard]] std::string summary() const;

private:
    struct Gateway {  // what dies with the process
        std::vector<std::unique_ptr<adapters::smpp::Adapter>> adapters;  // one for each account
        std::unique_ptr<KeyStore> keys;
        std::unique_ptr<FileLog> log;
        std::unique_ptr<SimTransport> transport;
        std::unique_ptr<Engine> engine;
    };
    // world.cpp
    [[nodiscard]] EngineSettings settings(const Gateway& gateway) const;
    Result<std::unique_ptr<Gateway>> open(Disk& disk, Random& random, bool with_checkpoint, NetworkObserver& observer, sandbox::SmscPeer& peer);
    void start();
    void die(bool power_cut);
    void check_disk();
    void compare_starts();
    void turn();
    void move(bool whole);
    void advance();

    // scenario.cpp: what callers and customers do
    void act();
    void submit(std::size_t asked, bool changed_body);
    void new_touch(std::size_t customer);
    void repeat_touch();
    void cancel();
    void withdraw();
    void grant();
    void suppress();
    void unsuppress();
    void change_policy();
    void hold();
    void customer_writes();
    void new_campaign();
    void change_campaign();

    [[nodiscard]] SimLine& any_line() { return gateway_->transport->line(random_.below(gateway_->transport->size())); }
    void network_goes_on();
    [[nodiscard]] std::size_t any_customer() { return random_.below(oracle_.customers.size()); }
    void fault();

    Random random_;
    ManualClock clock_;
    FaultyDisk disk_;
    sandbox::SmscBehaviour behaviour_;
    sandbox::MessageStore store_;
    Random peer_random_;
    sandbox::SmscPeer peer_;
    Oracle::Limits limits_;
    Oracle oracle_;
    CallCenter centre_;
    std::uint64_t next_connection_ = 0;
    std::unique_ptr<Gateway> gateway_;
    std::vector<Cap> caps_;
    Cap first_cap_;
    std::vector<std::string> holds_;
    std::uint64_t campaigns_ = 0;
    Duration wall_error_{0};
    bool disk_is_full_ = false;
    bool clock_stepped_ = false;
    std::uint64_t crashes_ = 0, tears_ = 0, checkpoints_ = 0, from_checkpoint_ = 0, refused_ = 0, accepted_ = 0;
};

}  // namespace touchgate::simulation
