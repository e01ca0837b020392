// Names from a running engine. Policies and rules come from the log (LogNames without contacts), which is read on when a decision names a
// version that was not met yet.
#pragma once

#include <functional>
#include <utility>

#include "gateway/engine/engine.hpp"
#include "gateway/projection/log_names.hpp"

namespace touchgate::projection {

class EngineNames final : public NameSource {
public:
    using PolicyLookup = std::function<std::shared_ptr<const policy::CompiledPolicy>(std::uint32_t number)>;
    // All three must outlive this. `log_names` may be shared with the projection, which folds every record into it anyway.
    // `policies` (any thread) may be empty: traces then come without sentences.
    EngineNames(const Engine& engine, const LogReader& reader, LogNames& log_names, PolicyLookup policies = {})
        : engine_{engine}, reader_{reader}, log_names_{log_names}, policies_{std::move(policies)} {}

    [[nodiscard]] ProfileNames profile(ProfileId id) const override;
    [[nodiscard]] std::string contact_id(ContactIndex contact) const override { return engine_.contact_name(contact); }
    [[nodiscard]] std::string policy_label(std::uint32_t number) const override;
    [[nodiscard]] std::string rule_name(std::uint32_t policy_number, std::uint16_t rule) const override;
    [[nodiscard]] std::shared_ptr<const policy::CompiledPolicy> compiled_policy(std::uint32_t number) const override {
        return policies_ ? policies_(number) : nullptr;
    }
    [[nodiscard]] std::optional<crypto::Key> contact_key(ContactIndex contact) const override;

private:
    void learn_policy(std::uint32_t number) const;
    const Engine& engine_;
    const LogReader& reader_;
    LogNames& log_names_;
    PolicyLookup policies_;
};

}  // namespace touchgate::projection
