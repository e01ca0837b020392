#include "gateway/projection/experiment.hpp"

namespace touchgate::projection {

campaign::Definition experiment_of(Database& database, const std::string& campaign) {
    campaign::Definition made;
    made.id = campaign;
    Statement select{database, "SELECT position, arm, share FROM campaign_arms WHERE campaign = ? ORDER BY position"};
    select.bind_text(1, campaign);
    while (select.step()) {
        if (select.integer(0) == 0) made.holdout = select.real(2);
        else made.arms.push_back({.name = std::string{select.text(1)}, .share = select.real(2), .template_name = {}, .content = {}});
    }
    return made;
}

std::string_view group_name(const campaign::Definition& definition, campaign::Assignment assignment) {
    const auto name = campaign::arm_name(definition, assignment);
    return name.empty() ? only_arm : name;
}

std::vector<std::pair<std::string, double>> promised_shares(const campaign::Definition& definition) {
    std::vector<std::pair<std::string, double>> shares;
    if (definition.holdout > 0) shares.emplace_back(campaign::holdout_arm, definition.holdout);
    const auto touched = 1 - definition.holdout;
    double left = 1;
    for (const auto& arm : definition.arms) {
        const auto share = &arm == &definition.arms.back() ? left : arm.share;
        left -= share;
        shares.emplace_back(arm.name, share * touched);
    }
    if (definition.arms.empty()) shares.emplace_back(only_arm, touched);
    return shares;
}

}  // namespace touchgate::projection
