// A campaign's experiment as the projection keeps it: the names of its groups and the shares that were promised.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/campaign/assignment.hpp"
#include "gateway/projection/sqlite.hpp"

namespace touchgate::projection {

// How those are called who are touched by a campaign without arms.
inline constexpr std::string_view only_arm = "treatment";

// What assigning needs of the campaign's definition, from the tables.
[[nodiscard]] campaign::Definition experiment_of(Database& database, const std::string& campaign);

// "a", "holdout", or "treatment".
[[nodiscard]] std::string_view group_name(const campaign::Definition& definition, campaign::Assignment assignment);

// Each group with its share of all contacts. What the arms' shares leave open belongs to the last one, as in the assignment by hash.
[[nodiscard]] std::vector<std::pair<std::string, double>> promised_shares(const campaign::Definition& definition);

}  // namespace touchgate::projection
