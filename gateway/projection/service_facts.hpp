// Folds what agents and queues did into the tables that the reports `queues` and `agents` read.
#pragma once

#include <functional>

#include "gateway/engine/events.hpp"
#include "gateway/projection/sqlite.hpp"
#include "gateway/touch_log/log.hpp"

namespace touchgate::projection {

class ServiceFacts {
public:
    using Prepared = std::function<Statement&(const char* sql)>;
    explicit ServiceFacts(Prepared statement) : statement_{std::move(statement)} {}

    [[nodiscard]] static bool is_meant(EventType type);
    void apply(const Record& record);

private:
    void queued(const routing::ItemQueued& event, std::int64_t at);
    void answered(const Uuid& item, const std::string& agent, std::int64_t at);
    void ended(const routing::ItemEnded& event, std::int64_t at);
    void state(const AgentStateChanged& event, std::int64_t at);
    Prepared statement_;
};

}  // namespace touchgate::projection
