#include "gateway/policy/inputs.hpp"

namespace touchgate::policy {

ProfileId ProfileTable::intern(const Profile& profile, bool& made) {
    made = false;
    if (profile == Profile{}) return {};
    const auto [place, inserted] = numbers_.emplace(profile, static_cast<std::uint32_t>(profiles_.size()));
    if (inserted) {
        profiles_.push_back(profile);
        made = true;
    }
    return {place->second};
}

FactsId FactsTable::intern(const AttemptFacts& facts, bool& made) {
    made = false;
    if (facts == AttemptFacts{}) return {};
    const auto [place, inserted] = numbers_.emplace(facts, static_cast<std::uint32_t>(rows_.size()));
    if (inserted) {
        rows_.push_back(facts);
        made = true;
    }
    return {place->second};
}

}  // namespace touchgate::policy
