// Agents of the simulation: they sit down, get ready, take or refuse what is offered, answer, hand over, go for lunch, and lose their connection.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gateway/base/clock.hpp"
#include "gateway/engine/engine.hpp"
#include "tests/simulation/desk_oracle.hpp"

namespace touchgate::simulation {

class CallCenter {
public:
    CallCenter(Random& random, DeskOracle& oracle) : random_{random}, oracle_{oracle} {}
    // Queues and agents, as an operator puts them after each start.
    void define(Engine& engine);
    // One thing that one agent does.
    void act(Engine& engine);
    // Everybody is there, ready and quick.
    void work_on(Engine& engine);
    // All connections are gone with the process.
    void gateway_died();

private:
    struct Screen final : AgentConnection {
        Screen(CallCenter& centre, std::string of) : centre_{centre}, agent{std::move(of)} {}
        bool push(std::vector<std::shared_ptr<const AgentPush>> pushes) override;
        void end(std::string) override {}
        CallCenter& centre_;
        std::string agent;
        std::uint64_t seen = 0;
        bool slow = false;             // takes nothing after the next pushes until it asks
    };
    struct Person {
        std::vector<std::shared_ptr<Screen>> screens;
        std::uint64_t seen = 0;        // by any screen that went away
        std::map<Uuid, std::uint64_t> offers;  // id → fence
        std::set<Uuid> work, wrapping;
    };
    void take(const std::string& agent, const AgentPush& push);
    void sit_down(Engine& engine, const std::string& agent);
    void accept(Engine& engine, const std::string& agent, const Uuid& offer, std::uint64_t fence);
    void finish(Engine& engine, const std::string& agent, const Uuid& interaction);

    Random& random_;
    DeskOracle& oracle_;
    std::map<std::string, Person> people_ = {{"anna", {}}, {"ben", {}}, {"chen", {}}, {"boss", {}}};
};

}  // namespace touchgate::simulation
