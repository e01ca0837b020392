// The configuration's `lead_routing`: checked, and handed to those who use its parts.
#pragma once

#include "gateway/app/config.hpp"

namespace touchgate::app {

// Problems by pointer into the configuration. Accounts must have been read.
void read_lead_routing(Config& config, const policy::Calendars& calendars, std::vector<Problem>& problems);

}  // namespace touchgate::app
