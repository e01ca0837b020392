#include "adapters/smpp/adapter.hpp"

namespace touchgate::adapters {

channel::AdapterInfo smpp_adapter() {
    return {.name = "smpp", .channel = "sms", .make = [](JsonReader& reader, const channel::AccountContext&) -> channel::AnyAdapter {
                return std::make_unique<smpp::Adapter>(smpp::read_settings(reader));
            }};
}

namespace smpp {

Adapter::Adapter(Settings settings) : settings_{std::make_shared<const Settings>(std::move(settings))} {}

channel::Capabilities Adapter::capabilities() const {
    channel::Capabilities capabilities;
    capabilities.channel = "sms";
    capabilities.receipts = settings_->bind_command != command::bind_transmitter;
    capabilities.inbound = settings_->bind_command != command::bind_transmitter;
    capabilities.has_validity = settings_->uses_validity;
    // A centre sends receipts over any bind of the system id, not only the one that submitted.
    const auto& at = settings_->endpoint;
    capabilities.receipt_scope = "smpp " + at.host + ":" + std::to_string(at.port) + " " + settings_->bind.system_id;
    return capabilities;
}

int Adapter::segments(std::string_view text) const {
    // With message_payload the centre cuts the text itself, into as many parts as we would.
    return content::measure_sms(text, settings_->default_alphabet, settings_->part_header()).segments;
}

std::unique_ptr<channel::Session> Adapter::make_session(std::uint64_t seed) const {
    if (!account_) account_ = std::make_shared<AccountState>(seed);
    return std::make_unique<Session>(settings_, account_, seed);
}

}  // namespace smpp
}  // namespace touchgate::adapters
