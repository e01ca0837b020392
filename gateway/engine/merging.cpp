// Several records of one person: found out by a shared unionid, by a caller, or because a caller says that an address is his. Merging moves nothing,
// so that it can be undone: each record keeps its addresses, touches and consents, and a decision for one of them sees what was done to all. Nothing
// is counted twice, for every attempt stands in one record's history only.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

std::span<const ContactIndex> Engine::Internals::merged_with(ContactIndex contact) const {
    const auto* extras = state.contacts[contact.value].extras.get();
    return extras == nullptr ? std::span<const ContactIndex>{} : std::span<const ContactIndex>{extras->merged};
}

void Engine::Internals::apply(const RecordMeta& meta, const ContactMerged& event) {
    std::vector<ContactIndex> person{meta.contact, event.other};
    for (const auto of : {meta.contact, event.other})
        for (const auto each : merged_with(of)) person.push_back(each);
    std::sort(person.begin(), person.end());
    person.erase(std::unique(person.begin(), person.end()), person.end());
    for (const auto each : person) {
        auto& merged = state.contacts[each.value].extra().merged;
        merged = person;
        std::erase(merged, each);
    }
}

void Engine::Internals::apply(const RecordMeta& meta, const ContactUnmerged&) {
    auto& contact = state.contacts[meta.contact.value];
    if (!contact.extras) return;
    for (const auto other : contact.extras->merged)
        if (state.contacts[other.value].extras) std::erase(state.contacts[other.value].extras->merged, meta.contact);
    contact.extras->merged.clear();
}

void Engine::Internals::see_person(ContactIndex contact, Person& person, policy::ContactView& view) const {
    person.history.assign(view.history.begin(), view.history.end());
    person.consents.assign(view.consents.begin(), view.consents.end());
    person.acts.assign(view.acts.begin(), view.acts.end());
    for (const auto each : merged_with(contact)) {
        const auto& other = state.contacts[each.value];
        person.history.insert(person.history.end(), other.history.begin(), other.history.end());
        person.consents.insert(person.consents.end(), other.consents.begin(), other.consents.end());
        if (!other.extras) continue;
        const auto& extra = *other.extras;
        person.acts.insert(person.acts.end(), extra.acts.begin(), extra.acts.end());
        view.last_complaint = std::max(view.last_complaint, extra.last_complaint);
        view.last_reply = std::max(view.last_reply, extra.last_reply);
        view.last_conversation_end = std::max(view.last_conversation_end, extra.last_conversation_end);
        view.open_ticket = view.open_ticket || !extra.open_tickets.empty();
        view.restricted = view.restricted || extra.restricted;
    }
    std::stable_sort(person.history.begin(), person.history.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    std::stable_sort(person.acts.begin(), person.acts.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    view.history = person.history;
    view.consents = person.consents;
    view.acts = person.acts;
}

bool Engine::Internals::merge(ContactIndex contact, ContactIndex other, std::string provenance, std::string evidence) {
    const auto known = merged_with(contact);
    if (contact == other || std::find(known.begin(), known.end(), other) != known.end()) return false;
    emit(contact, ContactMerged{.other = other, .provenance = std::move(provenance), .evidence = std::move(evidence)});
    contact_changed(contact);
    return true;
}

Result<ContactDetails> Engine::merge_contacts(const std::string& id, const std::string& other, const std::string& evidence) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    const auto row = in.contact_row(id);
    if (row == 0) return Error{.kind = ErrorKind::not_found, .detail = "there is no contact \"" + id + "\""};
    const auto with = in.contact_row(other);
    if (with == 0) return invalid("/with", "there is no contact \"" + other + "\"");
    if (with == row) return invalid("/with", "is the contact itself");
    (void)in.merge(ContactIndex{row}, ContactIndex{with}, "api", evidence);
    return in.details(ContactIndex{row});
}

Result<ContactDetails> Engine::unmerge_contact(const std::string& id, const std::string& reason) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    const auto row = in.contact_row(id);
    if (row == 0) return Error{.kind = ErrorKind::not_found, .detail = "there is no contact \"" + id + "\""};
    const auto others = in.merged_with(ContactIndex{row});
    const std::vector<ContactIndex> former{others.begin(), others.end()};
    if (former.empty()) return in.details(ContactIndex{row});
    in.emit(ContactIndex{row}, ContactUnmerged{.reason = reason});
    in.contact_changed(ContactIndex{row});
    for (const auto each : former) in.contact_changed(each);
    return in.details(ContactIndex{row});
}

}  // namespace touchgate
