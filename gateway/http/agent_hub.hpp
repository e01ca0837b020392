// What all connections of agents share: tokens, the way into the engine, frames rendered once, heartbeats told in batches, the wallboard's feed.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/base/clock.hpp"
#include "gateway/http/agent_desk.hpp"
#include "gateway/http/agent_options.hpp"
#include "gateway/http/agent_token.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/wallboard_feed.hpp"

namespace touchgate::http {

class AgentHub {
public:
    struct Parts {
        AgentOptions options;
        std::unique_ptr<DeskRunner> desk;
        const Clock& clock;
        const PhoneNumbers& phones;
        // On a query thread; false: too many wait already.
        std::function<bool(absl::AnyInvocable<void(QueryPort&)>)> run_query;
        std::function<std::uint64_t()> durable_sequence;
    };
    explicit AgentHub(Parts parts)
        : parts_{std::move(parts)}, tokens_{parts_.options.token_key}, wallboard_{*parts_.desk, parts_.clock, parts_.durable_sequence} {}

    [[nodiscard]] const AgentOptions& options() const { return parts_.options; }
    [[nodiscard]] const AgentTokens& tokens() const { return tokens_; }
    [[nodiscard]] const Clock& clock() const { return parts_.clock; }
    [[nodiscard]] const PhoneNumbers& phones() const { return parts_.phones; }
    [[nodiscard]] DeskRunner& desk() { return *parts_.desk; }
    [[nodiscard]] WallboardFeed& wallboard() { return wallboard_; }
    bool run_query(absl::AnyInvocable<void(QueryPort&)> work) { return parts_.run_query(std::move(work)); }

    // Runs in a turn; tries for some seconds when the engine is full. On the worker's thread.
    void insist(Worker& worker, std::function<void(AgentDesk&)> work, int tries = 100);
    // The engine's thread. The same pushes again, for another connection of the agent, are the same frames.
    [[nodiscard]] std::vector<std::shared_ptr<const AgentFrame>> frames_of(const std::vector<std::shared_ptr<const AgentPush>>& pushes);
    // The agent's lease begins anew; told to the engine with others a little later. On the worker's thread.
    void heard(const std::string& agent, Worker& worker);

private:
    Parts parts_;
    AgentTokens tokens_;
    WallboardFeed wallboard_;
    std::vector<std::pair<std::shared_ptr<const AgentPush>, std::shared_ptr<const AgentFrame>>> latest_;  // engine's thread
    std::mutex mutex_;
    std::vector<std::string> heard_;  // guarded by mutex_
};

}  // namespace touchgate::http
