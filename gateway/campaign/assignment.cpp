#include "gateway/campaign/assignment.hpp"

#include <cmath>

namespace touchgate::campaign {

bool lies_below(std::uint64_t hash, double share) {
    if (share <= 0) return false;
    // A double times 2⁶⁴ is exact, and its ceiling is what a whole number must lie below.
    return share >= 1 || hash < static_cast<std::uint64_t>(std::ceil(std::ldexp(share, 64)));
}

Assigner::Assigner(const Definition& definition)
    : holdout_prefix_{"holdout\n" + definition.id + "\n"}, arm_prefix_{"arm\n" + definition.id + "\n"}, holdout_{definition.holdout} {
    double sum = 0;
    for (const auto& arm : definition.arms) bounds_.push_back(sum += arm.share);
}

Assignment Assigner::operator()(std::string_view contact_id) const {
    if (holdout_ > 0 && lies_below(crypto::leading_u64be(crypto::sha256(holdout_prefix_, contact_id)), holdout_)) return held_out;
    if (bounds_.empty()) return no_arm;
    const auto hash = crypto::leading_u64be(crypto::sha256(arm_prefix_, contact_id));
    for (std::size_t i = 0; i + 1 < bounds_.size(); ++i)
        if (lies_below(hash, bounds_[i])) return static_cast<Assignment>(i);
    return static_cast<Assignment>(bounds_.size() - 1);  // shares may add up to a little less than 1
}

std::optional<Assignment> given_place(const Definition& definition, std::string_view arm) {
    if (arm == holdout_arm) return static_cast<Assignment>(held_out | given);
    for (std::size_t i = 0; i < definition.arms.size(); ++i)
        if (definition.arms[i].name == arm) return static_cast<Assignment>(i | given);
    return std::nullopt;
}

std::string_view arm_name(const Definition& definition, Assignment assignment) {
    const auto where = place(assignment);
    if (where == held_out) return holdout_arm;
    return where < definition.arms.size() ? std::string_view{definition.arms[where].name} : std::string_view{};
}

void AudienceHash::add(std::string_view contact_id, std::string_view given_arm) {
    waiting_.append(contact_id).append(1, '\t').append(given_arm).append(1, '\n');
    constexpr std::size_t enough = 4'096;
    if (waiting_.size() < enough) return;
    hash_.update(waiting_);
    waiting_.clear();
}

std::string AudienceHash::digest() const {
    auto all = hash_;
    all.update(waiting_);
    const auto digest = all.digest();
    return std::string{crypto::view(digest)};
}

}  // namespace touchgate::campaign
