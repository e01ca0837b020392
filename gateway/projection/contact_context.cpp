#include "gateway/projection/contact_context.hpp"

namespace touchgate::projection {

namespace {

bool describes_contact(const Record& record) {
    const auto type = static_cast<EventType>(record.type);
    return type == EventType::contact_created || type == EventType::contact_updated;
}

// Unit and sealed part of a contact's own record.
struct Details {
    std::string unit, sealed;
};
Details details_of(const Record& record) {
    if (static_cast<EventType>(record.type) == EventType::contact_created) {
        ContactCreated event;
        if (decode(record.payload, event)) return {event.unit, event.sealed};
    } else {
        ContactUpdated event;
        if (decode(record.payload, event)) return {event.unit, event.sealed};
    }
    return {};
}

}  // namespace

ContactContexts::Known ContactContexts::find(const Record& record) {
    Known known;
    {
        const std::lock_guard lock{mutex_};
        const auto found = known_.find(record.contact.value);
        // A later description does not speak for an earlier record.
        if (found != known_.end() && found->second.details <= record.position) known = found->second;
    }
    if (record.position <= known.known_to) return known;
    std::string buffer;
    auto current = Result<Record>{record};
    for (int steps = 0; current && steps < steps_max; ++steps) {
        if (describes_contact(*current)) {
            known.details = current->position;
            known.unit = details_of(*current).unit;
            break;
        }
        const auto previous = current->previous_of_contact;
        if (previous.value == 0 || previous <= known.known_to) break;
        current = reader_.at(previous, buffer);
    }
    known.known_to = record.position;
    const std::lock_guard lock{mutex_};
    if (known_.size() >= contacts_max) known_.clear();
    auto& kept = known_[record.contact.value];
    if (kept.known_to < known.known_to) kept = known;
    return known;
}

std::string ContactContexts::unit_at(const Record& record) { return record.contact.value == 0 ? std::string{} : find(record).unit; }

std::optional<LoggedAddress> ContactContexts::address_at(const Record& record, std::uint32_t number) {
    if (record.contact.value == 0 || number == 0) return std::nullopt;
    const auto known = find(record);
    if (known.details.value == 0) return std::nullopt;
    std::string buffer;
    const auto described = reader_.at(known.details, buffer);
    if (!described) return std::nullopt;
    const auto secret = open_sealed<ContactSecret>(names_, record.contact, details_of(*described).sealed);
    if (!secret) return std::nullopt;
    for (const auto& address : secret->addresses)
        if (address.number == number) return address;
    return std::nullopt;
}

}  // namespace touchgate::projection
