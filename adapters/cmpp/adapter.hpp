// CMPP 2.0 and 3.0 client: short messages through China Mobile's gateways and the many resellers that speak it. See README.md.
#pragma once

#include <memory>

#include "adapters/cmpp/session.hpp"
#include "adapters/cmpp/settings.hpp"
#include "gateway/channel/adapter.hpp"

namespace touchgate::adapters {

[[nodiscard]] channel::AdapterInfo cmpp_adapter();

namespace cmpp {

class Adapter final : public channel::SessionAdapter {
public:
    explicit Adapter(Settings settings) : settings_{std::make_shared<const Settings>(std::move(settings))} {}
    [[nodiscard]] channel::Capabilities capabilities() const override;
    [[nodiscard]] int segments(std::string_view text) const override { return segments_of(text, *settings_); }
    // Sessions of one adapter share its message references and half-received long messages; they must be driven by one thread.
    [[nodiscard]] std::unique_ptr<channel::Session> make_session(std::uint64_t seed) const override;
    [[nodiscard]] Endpoint endpoint() const override { return settings_->endpoint; }
    [[nodiscard]] int window() const override { return settings_->window; }

private:
    std::shared_ptr<const Settings> settings_;
    mutable std::shared_ptr<AccountState> account_;  // made with the first session, from its seed
};

}  // namespace cmpp
}  // namespace touchgate::adapters
