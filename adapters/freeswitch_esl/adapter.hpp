// FreeSWITCH over its event socket: calls of customers and agents. See README.md.
#pragma once

#include <memory>

#include "adapters/freeswitch_esl/settings.hpp"
#include "gateway/channel/adapter.hpp"

namespace touchgate::adapters {

[[nodiscard]] channel::AdapterInfo freeswitch_esl_adapter();

namespace freeswitch_esl {

class Adapter final : public channel::CallAdapter {
public:
    explicit Adapter(Settings settings);
    [[nodiscard]] channel::Capabilities capabilities() const override;
    [[nodiscard]] Stream stream() const override;
    [[nodiscard]] bool can_play(const std::string& medium) const override { return !medium.starts_with("text:") || !settings_->speech.empty(); }
    [[nodiscard]] int window() const override { return settings_->window; }
    [[nodiscard]] std::unique_ptr<channel::CallSession> make_session(std::uint64_t seed) const override;

private:
    std::shared_ptr<const Settings> settings_;
};

}  // namespace freeswitch_esl
}  // namespace touchgate::adapters
