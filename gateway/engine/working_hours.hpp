// Whether hours are open: what a queue, a shift or a rule says in JSON.
#pragma once

#include "gateway/policy/calendar.hpp"
#include "gateway/policy/decide.hpp"
#include "gateway/routing/router.hpp"

namespace touchgate {

// `hours`: null (always), or as in policies and for leads {"zone"?, "calendar"?, "open": [{"days", "from", "to"}]} (leads/working_time.hpp); in short also
// {"calendar": id} (its working days), {"days": ["mon", …] or "mon-fri", "from": "09:00", "to": "18:00", "time_zone"?, "calendar"?}, or an array of all
// these (open when one is). What cannot be read is closed.
// `until`: the next instant, to the minute, at which that may change; of the short forms at most a day ahead.
[[nodiscard]] routing::RouterSettings::Open hours_at(const Json& hours, Instant at, const std::string& time_zone, const policy::Calendars& calendars);
// What is wrong with them, by pointer below `pointer`.
void check_hours(const Json& hours, const std::string& pointer, const policy::Calendars& calendars, std::vector<Problem>& problems);

}  // namespace touchgate
