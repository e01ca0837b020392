// Asterisk over its REST interface (ARI): the call center's PBX. See README.md.
#pragma once

#include <memory>

#include "adapters/asterisk_ari/settings.hpp"
#include "gateway/channel/adapter.hpp"

namespace touchgate::adapters {

[[nodiscard]] channel::AdapterInfo asterisk_ari_adapter();

namespace asterisk_ari {

class Adapter final : public channel::CallAdapter {
public:
    explicit Adapter(Settings settings);
    [[nodiscard]] channel::Capabilities capabilities() const override;
    [[nodiscard]] Stream stream() const override;
    [[nodiscard]] std::optional<channel::HttpRequest> probe() const override;
    [[nodiscard]] Result<std::string> read_probe(const channel::HttpResponse& response) const override;
    [[nodiscard]] bool can_play(const std::string& medium) const override;
    [[nodiscard]] std::size_t requests_at_once() const override { return settings_->requests_at_once; }
    [[nodiscard]] int window() const override { return settings_->window; }
    [[nodiscard]] std::unique_ptr<channel::CallSession> make_session(std::uint64_t seed) const override;

private:
    std::shared_ptr<const Settings> settings_;
};

}  // namespace asterisk_ari
}  // namespace touchgate::adapters
