// The form of opening hours and shifts: which documents are hours at all. What they mean on a given day, with holidays, is told by whoever
// knows calendars (RouterSettings::hours).
//
//   {"calendar": "cn", "zone": "Asia/Shanghai", "weekly": [{"days": ["mon", …], "from": "09:00", "to": "18:00"}, …]}   // each of the three may be missing
//   [{"days": ["mon", …], "from": "09:00", "to": "18:00"}, …]                                                           // short for {"weekly": …}
//
// Without `weekly`: the whole of every day that the calendar calls a working day. A span that ends at or before its beginning goes on into the next day.
#pragma once

#include <string>
#include <vector>

#include "gateway/json/json.hpp"

namespace touchgate::routing {

// Adds what is wrong with `hours` to `problems`.
void check_opening_hours(const Json& hours, const std::string& pointer, std::vector<Problem>& problems);

}  // namespace touchgate::routing
