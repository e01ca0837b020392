// The numbered migrations, in order. Each file is one SQL script inside a raw string literal, so that the program carries it.
#pragma once

#include <array>

namespace touchgate::projection {

inline constexpr std::array migrations = {
#include "gateway/projection/migrations/0001_tables.sql"
    ,
#include "gateway/projection/migrations/0002_measuring.sql"
    ,
#include "gateway/projection/migrations/0003_inbound.sql"
    ,
#include "gateway/projection/migrations/0006_service.sql"
    ,
#include "gateway/projection/migrations/0007_leads.sql"
    ,
#include "gateway/projection/migrations/0008_interactions.sql"
};

}  // namespace touchgate::projection
