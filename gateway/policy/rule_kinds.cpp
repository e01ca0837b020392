#include "gateway/policy/rule.hpp"

namespace touchgate::policy {

const std::vector<RuleKind>& rule_kinds() {
    static const std::vector<RuleKind> kinds = {
        {"suppression", make_suppression},
        {"consent", make_consent},
        {"hours", make_hours},
        {"cap", make_cap},
        {"gap", make_gap},
        {"content", make_content},
        {"exemption", make_exemption},
        {"attempts", make_attempts},
        {"session_window", make_session_window},
        {"quota", make_quota},
        {"blackout", make_blackout},
        {"holdout", make_holdout},
        {"budget", make_budget},
        {"abandonment", make_abandonment},
        {"fatigue", make_fatigue},
    };
    return kinds;
}

const std::vector<std::string>& Rule::waives() const {
    static const std::vector<std::string> none;
    return none;
}

std::string RuleReader::zone(std::string_view key, std::string fallback) const {
    auto found = json.text(key, fallback);
    if (found.empty() || found == "contact" || Zone::find(found) != nullptr) return found;
    json.problem(key, "\"" + found + "\" is not an IANA time zone, such as \"Asia/Shanghai\"");
    return fallback;
}

std::vector<std::string> RuleReader::unknown_zones() const {
    const auto found = json.texts("unknown_zones");
    for (std::size_t i = 0; i < found.size(); ++i)
        if (Zone::find(found[i]) == nullptr)
            json.problems().push_back({pointer_to(pointer_to(json.pointer(), "unknown_zones"), i),
                                       "\"" + found[i] + "\" is not an IANA time zone, such as \"Asia/Shanghai\""});
    return found;
}

}  // namespace touchgate::policy
