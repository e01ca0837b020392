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

}  // namespace touchgate::policy
