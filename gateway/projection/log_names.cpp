#include "gateway/projection/log_names.hpp"

#include <mutex>

#include "gateway/engine/event_codec.hpp"
#include "gateway/engine/events.hpp"

namespace touchgate::projection {

LogNames::LogNames(KeyLookup keys, bool with_contacts) : keys_{std::move(keys)}, with_contacts_{with_contacts} {}

void LogNames::fold(const Record& record) {
    const std::unique_lock lock{mutex_};
    fold_locked(record);
}

void LogNames::fold_locked(const Record& record) {
    if (record.sequence <= folded_) return;
    folded_ = record.sequence;
    const auto type = static_cast<EventType>(record.type);
    if (type == EventType::profile_defined) {
        ProfileDefined event;
        if (decode(record.payload, event))
            profiles_[event.id.value] = {event.purpose, event.channel, event.account, event.campaign, event.unit, event.template_name};
    } else if (type == EventType::policy_activated) {
        PolicyActivated event;
        if (decode(record.payload, event)) policies_[event.number] = {event.name + "@" + std::to_string(event.version), event.rule_names};
    } else if (type == EventType::policy_stored) {
        PolicyStored event;
        if (decode(record.payload, event)) policies_[event.number] = {event.name + "@" + std::to_string(event.version), event.rule_names};
    } else if (type == EventType::contact_created && with_contacts_) {
        ContactCreated event;
        if (decode(record.payload, event)) keep_contact(event.index, std::move(event.id));
    }
}

void LogNames::keep_contact(ContactIndex contact, std::string id) {
    if (contact.value > (std::uint32_t{1} << 30U)) return;  // contacts are numbered without gaps; no log holds so many
    if (contacts_.size() <= contact.value) contacts_.resize(std::size_t{contact.value} + 1);
    contact_numbers_[id] = contact.value;
    contacts_[contact.value] = std::move(id);
}

void LogNames::restore_contact(ContactIndex contact, std::string id) {
    const std::unique_lock lock{mutex_};
    keep_contact(contact, std::move(id));
}

Result<void> LogNames::catch_up(const LogReader& reader) {
    const std::unique_lock lock{mutex_};
    const auto scanned = reader.scan(folded_ + 1, [&](const Record& record) {
        fold_locked(record);
        return true;
    });
    if (!scanned) return scanned.error();
    return {};
}

std::uint64_t LogNames::folded() const {
    const std::shared_lock lock{mutex_};
    return folded_;
}

void LogNames::restore_profile(ProfileId id, ProfileNames names) {
    const std::unique_lock lock{mutex_};
    profiles_[id.value] = std::move(names);
}

void LogNames::restore_policy(std::uint32_t number, std::string label, std::vector<std::string> rule_names) {
    const std::unique_lock lock{mutex_};
    policies_[number] = {std::move(label), std::move(rule_names)};
}

void LogNames::restore_sequence(std::uint64_t sequence) {
    const std::unique_lock lock{mutex_};
    folded_ = sequence;
}

ProfileNames LogNames::profile(ProfileId id) const {
    const std::shared_lock lock{mutex_};
    const auto found = profiles_.find(id.value);
    return found == profiles_.end() ? ProfileNames{} : found->second;
}

std::string LogNames::contact_id(ContactIndex contact) const {
    const std::shared_lock lock{mutex_};
    return contact.value < contacts_.size() ? contacts_[contact.value] : std::string{};
}

std::string LogNames::policy_label(std::uint32_t number) const {
    const std::shared_lock lock{mutex_};
    const auto found = policies_.find(number);
    return found == policies_.end() ? std::string{} : found->second.label;
}

std::string LogNames::rule_name(std::uint32_t policy_number, std::uint16_t rule) const {
    const std::shared_lock lock{mutex_};
    const auto found = policies_.find(policy_number);
    return found == policies_.end() || rule >= found->second.rule_names.size() ? std::string{} : found->second.rule_names[rule];
}

std::optional<crypto::Key> LogNames::contact_key(ContactIndex contact) const {
    if (!keys_) return std::nullopt;
    const auto* key = keys_(contact);
    return key == nullptr ? std::nullopt : std::optional{*key};
}

bool LogNames::knows_policy(std::uint32_t number) const {
    const std::shared_lock lock{mutex_};
    return policies_.contains(number);
}

bool LogNames::knows_profile(ProfileId id) const {
    const std::shared_lock lock{mutex_};
    return profiles_.contains(id.value);
}

ContactIndex LogNames::contact_named(const std::string& id) const {
    const std::shared_lock lock{mutex_};
    const auto found = contact_numbers_.find(id);
    return {found == contact_numbers_.end() ? 0 : found->second};
}

}  // namespace touchgate::projection
