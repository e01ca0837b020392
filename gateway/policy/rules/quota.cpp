// {"kind": "quota", "max": 100000, "per": "day", "zone": "Asia/Shanghai", "by": ["account"]}: what a platform grants an account. A cap by
// account whose calendar period is the platform's, so its zone is never the contact's: the gateway's own unless the rule names one.
#include "gateway/policy/rules/cap.hpp"

namespace touchgate::policy {

std::unique_ptr<Rule> make_quota(RuleReader& reader) {
    auto cap = parse_cap(reader, by_account, reader.context.default_zone);
    if (cap.zone_name == "contact") reader.json.problem("zone", "must be the platform's zone, not the contact's");
    if (cap.counting.by.has(by_member)) reader.json.problem("by", "\"member\" is for caps only");
    parse_counts(reader, cap.counting);
    return make_cap_rule(std::move(cap));
}

}  // namespace touchgate::policy
