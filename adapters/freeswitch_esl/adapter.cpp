#include "adapters/freeswitch_esl/adapter.hpp"

#include "adapters/freeswitch_esl/session.hpp"

namespace touchgate::adapters {

channel::AdapterInfo freeswitch_esl_adapter() {
    return {.name = "freeswitch_esl", .channel = "voice", .make = [](JsonReader& reader, const channel::AccountContext& context) -> channel::AnyAdapter {
                return std::make_unique<freeswitch_esl::Adapter>(freeswitch_esl::read_settings(reader, context.default_region));
            }};
}

namespace freeswitch_esl {

Adapter::Adapter(Settings settings) : settings_{std::make_shared<const Settings>(std::move(settings))} {}

channel::Capabilities Adapter::capabilities() const {
    channel::Capabilities capabilities;
    capabilities.channel = "voice";
    capabilities.takes_text = false;
    capabilities.inbound = true;
    return capabilities;
}

channel::CallAdapter::Stream Adapter::stream() const {
    Stream stream;
    stream.websocket = false;
    stream.url = "tcp://" + settings_->host + ":" + std::to_string(settings_->port);
    return stream;
}

std::unique_ptr<channel::CallSession> Adapter::make_session(std::uint64_t seed) const { return std::make_unique<Session>(settings_, seed); }

}  // namespace freeswitch_esl
}  // namespace touchgate::adapters
