// What an agent sees of a customer when the offer comes: enough to say hello by name and to know what went before.

#include "gateway/base/text.hpp"
#include "gateway/engine/internals.hpp"

namespace touchgate {

namespace {

constexpr std::size_t shown_max = 10;

std::string masked(const AddressRow& row) {
    if (row.kind == AddressKind::phone) return mask_phone(row.value);
    return row.value.size() <= 8 ? "****" : row.value.substr(0, 4) + "****" + row.value.substr(row.value.size() - 2);
}

}  // namespace

ContactCard Engine::Internals::card_of(ContactIndex contact) {
    ContactCard card;
    if (contact.value == 0 || contact.value >= state.contacts.size()) return card;
    auto& row = state.contacts[contact.value];
    card.id = state.contact_ids[contact.value];
    card.time_zone = state.symbols.name(row.time_zone);
    if (row.extras) {
        card.owner = row.extras->owner;
        card.unit = row.extras->unit;
        for (const auto tag : row.extras->tags) card.tags.emplace_back(state.symbols.name(tag));
    }
    // What only people read is in the log, under the contact's key.
    const auto written = secret_of(contact);
    card.name = written.name;
    card.locale = written.locale;
    if (card.tags.empty()) card.tags = written.tags;
    for (const auto& attribute : written.attributes) {
        if (attribute.kind == 0) card.attributes[attribute.name] = attribute.number != 0;
        else if (attribute.kind == 1) card.attributes[attribute.name] = attribute.number;
        else card.attributes[attribute.name] = attribute.text;
    }
    for (const auto address : row.addresses) card.addresses.push_back(masked(state.addresses[address]));
    const auto star_or = [&](Symbol symbol) { return symbol.value == 0 ? std::string{"*"} : std::string{state.symbols.name(symbol)}; };
    for (auto i = row.consents.size(); i-- > 0;) {
        const auto& consent = row.consents[i];
        if (consent.ended) continue;
        const auto channel = star_or(consent.channel), purpose = star_or(consent.purpose);
        const bool known = std::any_of(card.consents.begin(), card.consents.end(), [&](const ContactCard::Consent& each) { return each.channel == channel && each.purpose == purpose; });
        if (!known) card.consents.push_back({.channel = channel, .purpose = purpose, .granted = consent.granted, .at = consent.at});
    }
    for (auto i = row.history.size(); i-- > 0 && card.touches.size() < shown_max;) {
        const auto& entry = row.history[i];
        if (entry.slot == policy::Slot::released) continue;
        const auto profile = state.profiles.at(entry.profile);
        ContactCard::LastTouch shown{.at = entry.at, .id = {}, .channel = std::string{state.symbols.name(profile.channel)}, .purpose = std::string{state.symbols.name(profile.purpose)},
                                     .campaign = std::string{state.symbols.name(profile.campaign)}, .state = {}};
        if (const auto id = state.touch_by_sequence.find(entry.touch); id != state.touch_by_sequence.end()) {
            shown.id = to_string(id->second);
            shown.state = to_string(touch(row_of(id->second)).state);
        }
        card.touches.push_back(std::move(shown));
    }
    if (const auto known = state.interactions_of.find(contact.value); known != state.interactions_of.end())
        for (auto i = known->second.size(); i-- > 0 && card.interactions.size() < shown_max;) {
            const auto found = state.interactions.find(known->second[i]);
            if (found == state.interactions.end()) continue;
            if (found->second.outbound && found->second.is_closed() && !state.calls.contains(found->first)) continue;  // he was only shown to an agent
            card.interactions.push_back({.id = found->first, .at = found->second.queued_at, .channel = std::string{state.symbols.name(found->second.channel)},
                                         .state = found->second.state, .disposition = found->second.disposition, .agent = found->second.last_agent});
        }
    for (const auto& [id, promise] : state.promises)
        if (promise.contact == contact && promise.is_open()) {
            const auto shown = details(promise);
            card.promises.push_back({.id = shown.id, .channel = shown.channel, .note = shown.note, .at = shown.at});
        }
    if (const auto known = state.leads.by_contact.find(contact.value); known != state.leads.by_contact.end())
        for (const auto& id : known->second)
            if (const auto* lead = state.leads.find(id); lead != nullptr && !lead->is_closed())
                card.leads.push_back({.id = to_string(id), .product = lead->product, .stage = std::string{leads::to_string(lead->stage)},
                                      .grade = std::string{leads::to_string(lead->grade)}, .score = lead->score, .due_at = lead->due_at});
    if (std::any_of(card.promises.begin(), card.promises.end(), [&](const ContactCard::Promise& each) { return each.at <= now; })) card.suggestion = "keep_promise";
    else if (row.extras && !row.extras->open_tickets.empty()) card.suggestion = "mind_open_ticket";
    else if (row.extras && row.extras->last_complaint + std::chrono::hours{24 * 30} > now) card.suggestion = "mind_complaint";
    else if (!card.leads.empty()) card.suggestion = "contact_lead";
    else if (!card.touches.empty() && card.touches.front().at + std::chrono::hours{72} > now) card.suggestion = "follow_up_touch";
    else card.suggestion = card.interactions.size() <= 1 ? "greet" : "answer_question";
    return card;
}

}  // namespace touchgate
