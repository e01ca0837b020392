// The newest record of a contact itself (contact.created, contact.updated) at or before a given record of it: its unit, and the addresses
// that touches name by number.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "gateway/engine/events.hpp"
#include "gateway/projection/event_names.hpp"
#include "gateway/touch_log/log.hpp"

namespace touchgate::projection {

// Unseals `sealed` with the key of `contact` and decodes it. Nothing: no key (erased), or the bytes do not fit.
template <class Secret> [[nodiscard]] std::optional<Secret> open_sealed(const NameSource& names, ContactIndex contact, std::string_view sealed);

// Bounded memory of contacts asked for lately. Any thread.
class ContactContexts {
public:
    ContactContexts(const LogReader& reader, const NameSource& names) : reader_{reader}, names_{names} {}
    // Unit of the record's contact as it was then; empty when it has none or was not found.
    [[nodiscard]] std::string unit_at(const Record& record);
    // The address with this number; nothing when it is not among the contact's, or its key is gone.
    [[nodiscard]] std::optional<LoggedAddress> address_at(const Record& record, std::uint32_t number);

private:
    struct Known {
        LogPosition known_to{}, details{};
        std::string unit;
    };
    [[nodiscard]] Known find(const Record& record);
    const LogReader& reader_;
    const NameSource& names_;
    std::mutex mutex_;
    std::unordered_map<std::uint32_t, Known> known_;
    static constexpr std::size_t contacts_max = 100'000;
    static constexpr int steps_max = 10'000;
};

}  // namespace touchgate::projection

#include "gateway/engine/event_codec.hpp"

namespace touchgate::projection {

template <class Secret> std::optional<Secret> open_sealed(const NameSource& names, ContactIndex contact, std::string_view sealed) {
    if (sealed.empty()) return std::nullopt;
    const auto key = names.contact_key(contact);
    if (!key) return std::nullopt;
    const auto plain = crypto::unseal(*key, sealed);
    Secret secret;
    if (!plain || !decode(*plain, secret)) return std::nullopt;
    return secret;
}

}  // namespace touchgate::projection
