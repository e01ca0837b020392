#include "gateway/app/lead_settings.hpp"

#include <algorithm>

#include "gateway/leads/definition.hpp"

namespace touchgate::app {

void read_lead_routing(Config& config, const policy::Calendars& calendars, std::vector<Problem>& problems) {
    const auto found = config.document.find("lead_routing");
    if (found == config.document.end() || found->is_null()) return;
    const std::string pointer = "/lead_routing";
    if (!found->is_object()) {
        problems.push_back({pointer, std::string{"must be an object, is "} + found->type_name()});
        return;
    }
    SymbolTable symbols;
    auto definition = leads::parse_definition(*found, pointer, {.symbols = symbols, .calendars = calendars, .default_zone = config.engine.time_zone}, problems);
    const auto account = std::find_if(config.accounts.begin(), config.accounts.end(), [&](const Account& each) { return each.name == definition.notify_account; });
    if (!definition.notify_account.empty() && account == config.accounts.end())
        problems.push_back({pointer + "/notify/account", "there is no account \"" + definition.notify_account + "\""});
    else if (account != config.accounts.end() && account->settings.capabilities.channel != "wecom_app")
        problems.push_back({pointer + "/notify/account", "must be an account of adapter wecom_app: employees are written to by their corporation's application"});
    config.engine.lead_routing = *found;
    config.http.forms = std::move(definition.forms);
}

}  // namespace touchgate::app
