// Names folded from the log itself: for reading a data folder beside a running gateway or without one, and the policies and profiles
// of a running one (whose contacts the engine knows; see engine_names.hpp).
#pragma once

#include <deque>
#include <functional>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/projection/event_names.hpp"
#include "gateway/touch_log/log.hpp"

namespace touchgate::projection {

using KeyLookup = std::function<const crypto::Key*(ContactIndex contact)>;

class LogNames final : public NameSource {
public:
    // `with_contacts`: also keeps every contact's external id (some 50 bytes each). `keys` may be empty: nothing is unsealed then.
    explicit LogNames(KeyLookup keys = {}, bool with_contacts = true);

    // Records in order; one writer. Records that were folded before are passed over.
    void fold(const Record& record);
    // Folds everything that is durable and was not folded yet; any thread.
    Result<void> catch_up(const LogReader& reader);
    [[nodiscard]] std::uint64_t folded() const;  // sequence of the newest record folded
    // Restores what an earlier fold knew (from the projection's tables) and goes on after `sequence`.
    void restore_profile(ProfileId id, ProfileNames names);
    void restore_policy(std::uint32_t number, std::string label, std::vector<std::string> rule_names);
    void restore_contact(ContactIndex contact, std::string id);
    void restore_sequence(std::uint64_t sequence);
    [[nodiscard]] bool keeps_contacts() const { return with_contacts_; }

    [[nodiscard]] ProfileNames profile(ProfileId id) const override;
    [[nodiscard]] std::string contact_id(ContactIndex contact) const override;
    [[nodiscard]] std::string policy_label(std::uint32_t number) const override;
    [[nodiscard]] std::string rule_name(std::uint32_t policy_number, std::uint16_t rule) const override;
    [[nodiscard]] std::optional<crypto::Key> contact_key(ContactIndex contact) const override;
    [[nodiscard]] bool knows_policy(std::uint32_t number) const;
    [[nodiscard]] bool knows_profile(ProfileId id) const;
    // Number of the contact with this external id, 0 without one; only with contacts.
    [[nodiscard]] ContactIndex contact_named(const std::string& id) const;

private:
    void fold_locked(const Record& record);
    void keep_contact(ContactIndex contact, std::string id);
    struct Policy {
        std::string label;
        std::vector<std::string> rule_names;
    };
    KeyLookup keys_;
    bool with_contacts_;
    mutable std::shared_mutex mutex_;
    std::uint64_t folded_ = 0;
    std::unordered_map<std::uint32_t, ProfileNames> profiles_;
    std::unordered_map<std::uint32_t, Policy> policies_;
    std::deque<std::string> contacts_;
    std::unordered_map<std::string, std::uint32_t> contact_numbers_;
};

}  // namespace touchgate::projection
