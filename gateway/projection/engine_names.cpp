#include "gateway/projection/engine_names.hpp"

namespace touchgate::projection {

ProfileNames EngineNames::profile(ProfileId id) const {
    const auto profile = engine_.profile(id);
    const auto name = [&](Symbol symbol) { return std::string{engine_.name(symbol)}; };
    return {name(profile.purpose), name(profile.channel), name(profile.account), name(profile.campaign), name(profile.unit), name(profile.template_name)};
}

void EngineNames::learn_policy(std::uint32_t number) const {
    // A damaged log is found and reported by whoever reads the records themselves; here it only leaves a name empty.
    if (number != 0 && !log_names_.knows_policy(number)) (void)log_names_.catch_up(reader_);
}

std::string EngineNames::policy_label(std::uint32_t number) const {
    learn_policy(number);
    return log_names_.policy_label(number);
}

std::string EngineNames::rule_name(std::uint32_t policy_number, std::uint16_t rule) const {
    learn_policy(policy_number);
    return log_names_.rule_name(policy_number, rule);
}

std::optional<crypto::Key> EngineNames::contact_key(ContactIndex contact) const {
    return engine_.contact_key(contact);
}

}  // namespace touchgate::projection
