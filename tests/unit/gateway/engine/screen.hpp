// An agent's connection, with what was pushed to it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gateway/engine/desk.hpp"
#include "tests/unit/gateway/engine/house.hpp"

namespace touchgate::engine_test {

struct Screen final : AgentConnection {
    std::vector<std::shared_ptr<const AgentPush>> pushes;
    bool ended = false, full = false;
    bool push(std::vector<std::shared_ptr<const AgentPush>> more) override {
        pushes.insert(pushes.end(), more.begin(), more.end());
        return !full;
    }
    void end(std::string) override { ended = true; }
    template <class Body> std::vector<Body> all() const {
        std::vector<Body> found;
        for (const auto& push : pushes)
            if (const auto* body = std::get_if<Body>(&push->body)) found.push_back(*body);
        return found;
    }
    template <class Body> Body last() const {
        const auto found = all<Body>();
        REQUIRE(!found.empty());
        return found.back();
    }
    // Numbers rise by exactly one from the first on.
    void check_numbers() const {
        for (std::size_t i = 1; i < pushes.size(); ++i) CHECK(pushes[i]->seq == pushes[i - 1]->seq + 1);
    }
    // In their order, each once in a row: pushes of his slots alone are left out.
    std::string presence_states() const {
        std::string words, last;
        for (const auto& shown : all<PresencePush>())
            if (shown.state != std::exchange(last, shown.state)) words += (words.empty() ? "" : " ") + shown.state;
        return words;
    }
    std::string call_states() const {
        std::string words;
        for (const auto& state : all<CallStatePush>()) words += (words.empty() ? "" : " ") + state.state;
        return words;
    }
};

}  // namespace touchgate::engine_test
