// The members `steps` and `first` of a touch and of a campaign: the cascade as a caller writes it. Pure.
#pragma once

#include <string>
#include <vector>

#include "gateway/dispatch/cascade.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::campaign {

inline constexpr std::size_t steps_max = 16;

// {"steps": [{"channel": "wecom", "until": "read", "within": "PT30M"}, {"channel": "sms"}]}: each step's channel or account goes to
// `channels`, its terms to `steps` at the same place. Stands in the place of `channels` and `fallback_after`. Without it nothing changes.
void read_steps(JsonReader& body, std::vector<std::string>& channels, std::vector<dispatch::StepTerms>& steps);

// {"first": "cheapest"}: true; absent or "given": false.
[[nodiscard]] bool read_cheapest_first(JsonReader& body);

}  // namespace touchgate::campaign
