// The fold of contacts, their consents, and suppression lists.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

namespace {

AttributeMap to_attributes(const std::vector<LoggedAttribute>& logged) {
    AttributeMap attributes;
    for (const auto& attribute : logged) {
        if (attribute.kind == 0) attributes[attribute.name] = attribute.number != 0;
        else if (attribute.kind == 1) attributes[attribute.name] = attribute.number;
        else attributes[attribute.name] = attribute.text;
    }
    return attributes;
}

}  // namespace

namespace {

void fill_contact(Engine::Internals& engine, ContactIndex index, const ContactSecret& values, const std::string& owner, const std::string& unit, bool legal_hold) {
    auto& state = engine.state;
    auto& contact = state.contacts[index.value];
    absl::InlinedVector<std::uint32_t, 2> addresses;
    for (const auto& address : values.addresses) {
        const auto number = engine.intern_address(address.kind, address.value, address.account, address.number);
        if (std::find(addresses.begin(), addresses.end(), number) != addresses.end()) continue;
        addresses.push_back(number);
        auto& owners = state.addresses[number].owners;
        if (std::find(owners.begin(), owners.end(), index) == owners.end()) owners.push_back(index);
    }
    for (const auto number : contact.addresses) {
        if (std::find(addresses.begin(), addresses.end(), number) != addresses.end()) continue;
        auto& row = state.addresses[number];
        row.owners.erase(std::remove(row.owners.begin(), row.owners.end(), index), row.owners.end());
        std::erase_if(row.shared_consents, [&](const SharedConsent& shared) { return shared.contact == index; });
        if (row.last_used == index) row.last_used = {};
    }
    contact.addresses = std::move(addresses);
    contact.time_zone = state.symbols.intern(values.time_zone);
    const bool plain = values.name.empty() && values.locale.empty() && owner.empty() && unit.empty() && values.unionids.empty() && values.tags.empty() &&
                       values.attributes.empty() && !legal_hold;
    if (plain && !contact.extras) return;
    auto& extra = contact.extra();
    extra.name = values.name;
    extra.locale = values.locale;
    extra.owner = owner;
    extra.unit = unit;
    for (const auto& old : extra.unionids)
        if (const auto known = state.contact_by_unionid.find(engine.index_hash("u" + old)); known != state.contact_by_unionid.end() && known->second == index.value)
            state.contact_by_unionid.erase(known);
    extra.unionids = values.unionids;
    for (const auto& unionid : extra.unionids) state.contact_by_unionid[engine.index_hash("u" + unionid)] = index.value;
    extra.tags.clear();
    for (const auto& tag : values.tags) extra.tags.push_back(state.symbols.intern(tag));
    extra.attributes = to_attributes(values.attributes);
    extra.legal_hold = legal_hold;
}

}  // namespace

void Engine::Internals::apply(const RecordMeta& meta, const ContactCreated& event) {
    const std::unique_lock lock{state.names_mutex};
    while (state.contacts.size() <= event.index.value) {
        state.contacts.emplace_back();
        state.contact_ids.emplace_back();
    }
    state.contact_ids[event.index.value] = event.id;
    state.contact_by_id[event.id] = event.index.value;
    auto& contact = state.contacts[event.index.value];
    contact.newest = meta.position;
    contact.version = meta.sequence;
    if (event.opened != nullptr) return fill_contact(*this, event.index, *event.opened, event.owner, event.unit, event.legal_hold);
    ContactSecret values;
    // Without a key the contact was erased later: contact.erased follows in the log (the end of the start checks that it did).
    if (unseal_of(event.index, event.sealed, values)) fill_contact(*this, event.index, values, event.owner, event.unit, event.legal_hold);
}

void Engine::Internals::apply(const RecordMeta& meta, const ContactUpdated& event) {
    auto& contact = state.contacts[meta.contact.value];
    contact.version = meta.sequence;
    ContactSecret values;
    if (unseal_of(meta.contact, event.sealed, values)) fill_contact(*this, meta.contact, values, event.owner, event.unit, event.legal_hold);
}

void Engine::Internals::apply(const RecordMeta& meta, const ContactErased&) {
    auto& contact = state.contacts[meta.contact.value];
    apply(meta, ContactUnmerged{});
    fill_contact(*this, meta.contact, ContactSecret{}, {}, {}, false);
    contact.extras.reset();
    contact.consents.clear();
    contact.consents.shrink_to_fit();
    contact.erased = true;
    forget_leads_of(meta.contact);
    contact.version = meta.sequence;
    const auto id = state.contact_ids[meta.contact.value];
    if (const auto found = state.contact_by_id.find(id); found != state.contact_by_id.end() && found->second == meta.contact.value)
        state.contact_by_id.erase(found);
}

// What gaps after events, fatigue and session windows look at. Of one kind the newest 32 are kept, for 400 days: more of them change no
// window, and what they add to a fatigue score that has not faded is far above every ceiling.
void Engine::Internals::add_act(ContactIndex index, std::string_view event, std::string_view kind, std::string_view channel, Instant at) {
    constexpr std::ptrdiff_t kept_of_a_kind = 32;
    constexpr auto kept_for = std::chrono::hours{24 * 400};
    if (index.value == 0) return;
    auto& acts = state.contacts[index.value].extra().acts;
    const policy::Act act{.at = at, .event = state.symbols.intern(event), .kind = state.symbols.intern(kind), .channel = state.symbols.intern(channel)};
    const auto same_kind = [&](const policy::Act& other) { return other.event == act.event && other.kind == act.kind && other.channel == act.channel; };
    if (std::any_of(acts.begin(), acts.end(), [&](const policy::Act& other) { return other.at == at && same_kind(other); })) return;
    acts.insert(std::upper_bound(acts.begin(), acts.end(), at, [](Instant value, const policy::Act& other) { return value < other.at; }), act);
    std::erase_if(acts, [&](const policy::Act& other) { return acts.back().at - other.at > kept_for; });
    if (std::count_if(acts.begin(), acts.end(), same_kind) > kept_of_a_kind) acts.erase(std::find_if(acts.begin(), acts.end(), same_kind));
}

void Engine::Internals::apply(const RecordMeta& meta, const ContactRestricted& event) {
    state.contacts[meta.contact.value].extra().restricted = event.restricted;
    state.contacts[meta.contact.value].version = meta.sequence;
}

namespace {

// Does a grant for (channel, purpose, unit) cover a withdrawal for the others? It must be at least as wide as the withdrawal is.
bool covers(const policy::Consent& grant, const policy::Consent& withdrawal) {
    const auto same_or_any = [](Symbol wide, Symbol narrow, Symbol any) { return wide == narrow || wide == any; };
    return same_or_any(grant.channel, withdrawal.channel, Symbol{}) && same_or_any(grant.purpose, withdrawal.purpose, Symbol{}) &&
           same_or_any(grant.unit, withdrawal.unit, Symbol{});
}

Symbol star_or(SymbolTable& symbols, const std::string& name) { return name == "*" ? Symbol{} : symbols.intern(name); }

}  // namespace

void Engine::Internals::apply(const RecordMeta& meta, const ConsentGranted& event) {
    auto& contact = state.contacts[meta.contact.value];
    policy::Consent record{.channel = star_or(state.symbols, event.channel), .purpose = star_or(state.symbols, event.purpose),
                           .unit = state.symbols.intern(event.unit), .granted = true, .ended = false, .at = event.at};
    if (event.ends_withdrawals) {
        const auto end = [&](policy::Consent& old) {
            if (!old.granted && old.at < record.at && covers(record, old)) old.ended = true;
        };
        for (auto& old : contact.consents) end(old);
        for (const auto number : contact.addresses)
            for (auto& entry : state.addresses[number].shared_consents)
                if (entry.contact == meta.contact) end(entry.consent);
    }
    // One record per scope is enough of each kind: the newest by `at`.
    for (auto& old : contact.consents)
        if (old.granted && old.channel == record.channel && old.purpose == record.purpose && old.unit == record.unit) {
            if (record.at >= old.at) old = record;
            return;
        }
    contact.consents.push_back(record);
}

void Engine::Internals::apply(const RecordMeta& meta, const ConsentWithdrawn& event) {
    auto& contact = state.contacts[meta.contact.value];
    const policy::Consent record{.channel = star_or(state.symbols, event.channel), .purpose = star_or(state.symbols, event.purpose),
                                 .unit = state.symbols.intern(event.unit), .granted = false, .ended = false, .at = event.at};
    bool known = false;
    for (auto& old : contact.consents)
        if (!old.granted && old.channel == record.channel && old.purpose == record.purpose && old.unit == record.unit) {
            old.at = std::max(old.at, record.at);
            old.ended = false;
            known = true;
        }
    if (!known) contact.consents.push_back(record);
    for (const auto number : contact.addresses) {
        auto& entries = state.addresses[number].shared_consents;
        const bool there = std::any_of(entries.begin(), entries.end(), [&](SharedConsent& entry) {
            if (entry.contact != meta.contact || entry.consent.channel != record.channel || entry.consent.purpose != record.purpose || entry.consent.unit != record.unit) return false;
            entry.consent.at = std::max(entry.consent.at, record.at);
            entry.consent.ended = false;
            return true;
        });
        if (!there) entries.push_back({meta.contact, record});
    }
    // The customer's own word is a signal; a list that was imported is not. One word is logged for each purpose and channel: one act, of none.
    if (!event.source.empty() && event.source != "import") add_act(meta.contact, "consent.withdrawn", "opt_out", {}, event.at);
}

void Engine::Internals::apply(const RecordMeta& meta, const SuppressionAdded& event) {
    std::vector<Symbol> channels;
    std::vector<Symbol> purposes;
    for (const auto& name : event.channels) channels.push_back(state.symbols.intern(name));
    for (const auto& name : event.purposes) purposes.push_back(state.symbols.intern(name));
    const SuppressionEntry details{.source = event.source, .at = event.at, .sealed = event.sealed, .kind = event.kind};
    if (event.address == 0) {
        const auto key = State::HashedSuppression::key(event.hash_algorithm, event.phone_hash, event.list);
        if (!state.hashed_suppressions.contains(key)) ++state.list_sizes[event.list];
        state.hashed_suppressions[key] = {event.list, event.hash_algorithm, event.phone_hash, channels, purposes, event.expires_at, details};
        return;
    }
    if (event.address >= state.addresses.size() || state.addresses[event.address].hash == crypto::Hash128{}) {
        SuppressionSecret secret_values;
        if (!unseal_of(ContactIndex{}, event.sealed, secret_values)) return;
        intern_address(event.kind, secret_values.value, secret_values.account, event.address);
    }
    auto& row = state.addresses[event.address];
    const auto list = state.symbols.intern(event.list);
    policy::ListEntry entry{.list = list, .expires_at = event.expires_at, .channels = std::move(channels), .purposes = std::move(purposes)};
    for (std::size_t i = 0; i < row.lists.size(); ++i)
        if (row.lists[i].list == list) {
            row.lists[i] = std::move(entry);
            row.list_details[i] = details;
            return;
        }
    row.lists.push_back(std::move(entry));
    row.list_details.push_back(details);
    ++state.list_sizes[event.list];
    (void)meta;
}

void Engine::Internals::apply(const RecordMeta&, const SuppressionRemoved& event) {
    if (event.address == 0) {
        if (state.hashed_suppressions.erase(State::HashedSuppression::key(event.hash_algorithm, event.phone_hash, event.list)) > 0) --state.list_sizes[event.list];
        return;
    }
    if (event.address >= state.addresses.size()) return;
    auto& row = state.addresses[event.address];
    for (std::size_t i = 0; i < row.lists.size(); ++i)
        if (state.symbols.name(row.lists[i].list) == event.list) {
            row.lists.erase(row.lists.begin() + static_cast<std::ptrdiff_t>(i));
            row.list_details.erase(row.list_details.begin() + static_cast<std::ptrdiff_t>(i));
            --state.list_sizes[event.list];
            return;
        }
}

void Engine::Internals::apply(const RecordMeta& meta, const ReviewOpened& event) {
    Review review{.id = event.id, .channel = state.symbols.intern(event.channel), .purposes = {}, .due_at = event.due_at};
    for (const auto& purpose : event.purposes) review.purposes.push_back(state.symbols.intern(purpose));
    state.contacts[meta.contact.value].extra().reviews.push_back(std::move(review));
    if (!meta.replay) timers.push({.at = event.due_at, .row = meta.contact.value, .generation = 0, .kind = TimerKind::review});
}

void Engine::Internals::apply(const RecordMeta& meta, const ReviewDecided& event) {
    std::erase_if(state.contacts[meta.contact.value].extra().reviews, [&](const Review& review) { return review.id == event.id; });
}

// ---- inbound

void Engine::Internals::apply(const RecordMeta& meta, const MessageReceived& event) {
    if (event.dedupe != crypto::Hash128{}) {
        state.inbound_seen[event.dedupe] = meta.time;
        state.inbound_order.emplace_back(meta.time, event.dedupe);
    }
    if (meta.contact.value == 0) return;
    note_message(event.interaction, true, meta, event.reply_to);
    auto& extra = state.contacts[meta.contact.value].extra();
    const auto channel = state.symbols.intern(event.channel);
    const auto at = std::min(event.provider_time, meta.time);
    bool known = false;
    for (auto& [of, last] : extra.last_inbound)
        if (of == channel) {
            last = std::max(last, at);
            known = true;
        }
    if (!known) extra.last_inbound.emplace_back(channel, at);
    extra.last_reply = std::max(extra.last_reply, at);
    add_act(meta.contact, "message.received", event.kind, event.channel, at);
    if (event.address == 0) return;
    address_row(event.address).last_used = meta.contact;
    if (address_row(event.address).kind != AddressKind::phone) note_act(event.address, event.account, "message", at, meta.time);
}

template <EventType Type> void Engine::Internals::apply(const RecordMeta& meta, const ReceiptOf<Type>& event) {
    const auto account = account_numbers.find(event.account);
    if (event.touch.is_nil()) {
        if (event.duplicate || account == account_numbers.end()) return;
        ParkedReceipt parked{.receipt = {.provider_ids = event.aliases, .destination = {}, .status = event.status, .raw = event.raw, .reason = event.reason,
                                         .at = event.provider_time == 0 ? std::nullopt : std::optional{from_unix_ms(event.provider_time)},
                                         .attempt_id = event.attempt_id, .redelivery_may_follow = false, .kind = event.kind, .body_json = {}},
                             .account = account->second, .received_at = meta.time, .destination = event.destination, .sequence = meta.sequence};
        for (const auto& alias : event.aliases) state.parked_by_id[id_hash(account->second, alias)].push_back(meta.sequence);
        state.parked.emplace(meta.sequence, std::move(parked));
        return;
    }
    if (account != account_numbers.end()) {
        // A parked receipt that found its touch is parked no more.
        if (const auto known = state.parked_by_id.find(id_hash(account->second, event.provider_id)); known != state.parked_by_id.end())
            for (const auto sequence : known->second)
                if (const auto parked = state.parked.find(sequence); parked->second.receipt.status == event.status && parked->second.receipt.raw == event.raw) {
                    unpark(parked);
                    break;
                }
    }
    const auto row = row_of(event.touch);
    if (row == 0 || account == account_numbers.end() || event.provider_id.empty()) return;
    for (auto& attempt : touch(row).attempts) {
        if (attempt.number != event.attempt) continue;
        using channel::ReceiptStatus;
        dispatch::Progress progress = dispatch::Progress::open;
        if (event.status == ReceiptStatus::delivered) progress = dispatch::Progress::delivered;
        if (event.status == ReceiptStatus::read) progress = dispatch::Progress::read;
        if (event.status == ReceiptStatus::failed || event.status == ReceiptStatus::recipient_refuses) progress = dispatch::Progress::failed;
        const auto id = id_hash(account->second, event.provider_id).low;
        const auto known = std::find_if(attempt.receipts.begin(), attempt.receipts.end(), [&](const PartReceipt& part) { return part.id == id; });
        if (known == attempt.receipts.end()) attempt.receipts.push_back({id, static_cast<std::uint8_t>(progress)});
        else known->progress = std::max(known->progress, static_cast<std::uint8_t>(progress));
        if (event.by_address) state.provider_ids[id_hash(account->second, event.provider_id)] = {.touch = event.touch, .attempt = event.attempt};
    }
}
template void Engine::Internals::apply(const RecordMeta&, const ReceiptReceived&);
template void Engine::Internals::apply(const RecordMeta&, const ReceiptMatched&);

void Engine::Internals::apply(const RecordMeta& meta, const EventReceived& event) {
    if (event.dedupe != crypto::Hash128{} && state.inbound_seen.emplace(event.dedupe, meta.time).second) state.inbound_order.emplace_back(meta.time, event.dedupe);
    if (meta.contact.value == 0) return;
    auto& extra = state.contacts[meta.contact.value].extra();
    if (event.kind != "opt_out") add_act(meta.contact, "event.received", event.kind, event.channel, event.provider_time);  // the withdrawal itself is the act
    if (event.kind == "complaint") {
        extra.last_complaint = std::max(extra.last_complaint, event.provider_time);
        count_complaint(meta.contact, event.provider_time);
    }
    if (event.kind == "ticket_opened") extra.open_tickets.push_back(event.ref);
    if (event.kind == "ticket_closed") std::erase(extra.open_tickets, event.ref);
}

}  // namespace touchgate
