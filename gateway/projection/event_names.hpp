// What records say by number and readers want by name: profiles, contacts, policies, rules; and the keys that open sealed parts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gateway/base/ids.hpp"
#include "gateway/crypto/crypto.hpp"
#include "gateway/policy/decide.hpp"

namespace touchgate::projection {

struct ProfileNames {
    std::string purpose, channel, account, campaign, unit, template_name;
};

// All functions may be called on any thread. An unknown number yields empty names.
class NameSource {
public:
    virtual ~NameSource() = default;
    [[nodiscard]] virtual ProfileNames profile(ProfileId id) const = 0;
    // The contact's external id.
    [[nodiscard]] virtual std::string contact_id(ContactIndex contact) const = 0;
    // "china-marketing@3" of the version with this number.
    [[nodiscard]] virtual std::string policy_label(std::uint32_t number) const = 0;
    [[nodiscard]] virtual std::string rule_name(std::uint32_t policy_number, std::uint16_t rule) const = 0;
    // The compiled version, for the kind of a rule and the sentence of a trace step; null where it is not at hand (both are left out then).
    [[nodiscard]] virtual std::shared_ptr<const policy::CompiledPolicy> compiled_policy(std::uint32_t) const { return nullptr; }
    // Nothing: erased, or the caller has no keys. Contact 0 is the gateway's own.
    [[nodiscard]] virtual std::optional<crypto::Key> contact_key(ContactIndex contact) const = 0;
};

}  // namespace touchgate::projection
