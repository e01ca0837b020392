#include "gateway/projection/experiment.hpp"

#include "gateway/json/json.hpp"

namespace touchgate::projection {

std::vector<std::pair<std::string, double>> promised_shares(const CampaignCreated& campaign) {
    std::vector<std::pair<std::string, double>> shares;
    if (campaign.holdout > 0) shares.emplace_back(control_arm, campaign.holdout);
    const auto touched = 1 - campaign.holdout;
    const auto document = Json::parse(campaign.definition, nullptr, false);
    const auto arms = document.is_object() ? document.find("arms") : document.end();
    double left = 1;
    if (document.is_object() && arms != document.end() && arms->is_array())
        for (const auto& arm : *arms) {
            if (!arm.is_object() || !arm.contains("name") || !arm["name"].is_string()) continue;
            const auto given = arm.find("share");
            // What the shares leave open belongs to the last arm, as in the assignment by hash.
            const bool last = &arm == &arms->back();
            const auto share = last ? left : given != arm.end() && given->is_number() ? given->get<double>() : 0;
            left -= share;
            shares.emplace_back(arm["name"].get<std::string>(), share * touched);
        }
    if (shares.empty() || shares.back().first == control_arm) shares.emplace_back(only_arm, touched);
    return shares;
}

}  // namespace touchgate::projection
