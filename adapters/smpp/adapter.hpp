// SMPP 3.4 client (ESME): short messages through a carrier's or aggregator's message centre. See README.md.
#pragma once

#include <memory>

#include "adapters/smpp/session.hpp"
#include "adapters/smpp/settings.hpp"
#include "gateway/channel/adapter.hpp"

namespace touchgate::adapters {

[[nodiscard]] channel::AdapterInfo smpp_adapter();

namespace smpp {

class Adapter final : public channel::SessionAdapter {
public:
    explicit Adapter(Settings settings);
    [[nodiscard]] channel::Capabilities capabilities() const override;
    [[nodiscard]] int segments(std::string_view text) const override;
    // Sessions of one adapter share its message references and half-received long messages; they must be driven by one thread.
    [[nodiscard]] std::unique_ptr<channel::Session> make_session(std::uint64_t seed) const override;
    [[nodiscard]] Endpoint endpoint() const override { return settings_->endpoint; }
    [[nodiscard]] int window() const override { return settings_->window; }

private:
    std::shared_ptr<const Settings> settings_;
    mutable std::shared_ptr<AccountState> account_;  // made with the first session, from its seed
};

}  // namespace smpp
}  // namespace touchgate::adapters
