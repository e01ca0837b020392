#include "adapters/cmpp/adapter.hpp"

namespace touchgate::adapters {

channel::AdapterInfo cmpp_adapter() {
    return {.name = "cmpp", .channel = "sms", .make = [](JsonReader& reader, const channel::AccountContext&) -> channel::AnyAdapter {
                return std::make_unique<cmpp::Adapter>(cmpp::read_settings(reader));
            }};
}

namespace cmpp {

channel::Capabilities Adapter::capabilities() const {
    channel::Capabilities capabilities;
    capabilities.channel = "sms";
    capabilities.receipts = true;
    capabilities.inbound = true;
    capabilities.has_validity = settings_->uses_validity;
    const auto& at = settings_->endpoint;
    capabilities.receipt_scope = "cmpp " + at.host + ":" + std::to_string(at.port) + " " + settings_->sp_id;
    return capabilities;
}

std::unique_ptr<channel::Session> Adapter::make_session(std::uint64_t seed) const {
    if (!account_) account_ = std::make_shared<AccountState>(seed);
    return std::make_unique<Session>(settings_, account_, seed);
}

}  // namespace cmpp
}  // namespace touchgate::adapters
