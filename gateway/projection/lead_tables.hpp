// Folds what becomes of leads into the table that the reports `leads` and `funnel` read.
#pragma once

#include <functional>

#include "gateway/engine/events.hpp"
#include "gateway/projection/sqlite.hpp"
#include "gateway/touch_log/log.hpp"

namespace touchgate::projection {

class LeadTables {
public:
    using Prepared = std::function<Statement&(const char* sql)>;
    explicit LeadTables(Prepared statement) : statement_{std::move(statement)} {}

    [[nodiscard]] static bool is_meant(EventType type) { return type >= EventType::lead_created && type <= EventType::lead_overdue; }
    void apply(const Record& record);

private:
    Prepared statement_;
};

}  // namespace touchgate::projection
