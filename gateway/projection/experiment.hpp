// What the log says of a campaign's experiment: the names of its groups and the shares that were promised.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/engine/events.hpp"

namespace touchgate::projection {

inline constexpr std::string_view control_arm = "holdout";
// How those are called who are touched by a campaign without arms.
inline constexpr std::string_view only_arm = "treatment";

// Each group with its share of all contacts, the control group's first (if there is one), the arms' in the order of the document.
[[nodiscard]] std::vector<std::pair<std::string, double>> promised_shares(const CampaignCreated& campaign);

}  // namespace touchgate::projection
