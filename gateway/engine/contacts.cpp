// Contacts: made by a caller or by the first touch or message of an unknown address, changed, restricted, erased.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

std::uint32_t Engine::Internals::contact_row(std::string_view id) const {
    const auto found = state.contact_by_id.find(absl::string_view{id.data(), id.size()});
    return found == state.contact_by_id.end() ? 0 : found->second;
}

// The contact that a reference names. An address that several share belongs to the contact last touched or heard from on it, else the one
// created first. An unknown address makes a contact (if `make`) or gives contact 0.
Result<ContactIndex> Engine::Internals::resolve(const ContactRef& ref, bool make, std::uint32_t& address, const char* pointer) {
    address = 0;
    if (!ref.id.empty()) {
        const auto row = contact_row(ref.id);
        if (row == 0) return invalid(std::string{pointer} + "/id", "there is no contact \"" + ref.id + "\"");
        return ContactIndex{row};
    }
    if (!ref.address) return invalid(pointer, "names no contact: give id, phone, external_userid, openid with account, or chat_id");
    address = find_address(*ref.address);
    if (address != 0) {
        const auto& row = state.addresses[address];
        if (row.last_used.value != 0 && std::find(row.owners.begin(), row.owners.end(), row.last_used) != row.owners.end()) return row.last_used;
        if (!row.owners.empty()) return row.owners.front();
    }
    if (!make) return ContactIndex{};
    ContactSecret values;
    values.addresses.push_back({.number = 0, .kind = ref.address->kind, .value = ref.address->value, .account = ref.address->account});
    const auto made = make_contact(to_string(ids.next(now)), values, {}, {}, false);
    address = find_address(*ref.address);
    return made;
}

ContactIndex Engine::Internals::make_contact(const std::string& id, const ContactSecret& given, std::string owner, std::string unit, bool legal_hold) {
    const ContactIndex index{static_cast<std::uint32_t>(state.contacts.size())};
    {
        const std::unique_lock lock{keys_mutex};
        (void)parts.keys.make(index);
    }
    auto values = given;
    auto next = static_cast<std::uint32_t>(state.addresses.size());
    for (auto& address : values.addresses) {
        address.number = find_address({address.kind, address.value, address.account});
        if (address.number == 0) address.number = next++;
    }
    emit(index, ContactCreated{.index = index, .id = id, .owner = std::move(owner), .unit = std::move(unit), .legal_hold = legal_hold,
                               .sealed = seal_for(index, values), .opened = &values});
    return index;
}

ContactSecret Engine::Internals::secret_of(ContactIndex index) const {
    const auto& contact = state.contacts[index.value];
    ContactSecret values;
    for (const auto number : contact.addresses) {
        const auto& row = state.addresses[number];
        values.addresses.push_back({.number = number, .kind = row.kind, .value = row.value, .account = row.account});
    }
    values.time_zone = state.symbols.name(contact.time_zone);
    if (!contact.extras) return values;
    const auto& extra = *contact.extras;
    values.name = extra.name;
    values.locale = extra.locale;
    values.unionids = extra.unionids;
    for (const auto tag : extra.tags) values.tags.emplace_back(state.symbols.name(tag));
    for (const auto& [name, value] : extra.attributes) {
        LoggedAttribute logged{.name = name, .kind = static_cast<std::uint8_t>(value.index()), .number = 0, .text = {}};
        if (const auto* flag = std::get_if<bool>(&value)) logged.number = *flag ? 1 : 0;
        else if (const auto* number = std::get_if<double>(&value)) logged.number = *number;
        else logged.text = std::get<std::string>(value);
        values.attributes.push_back(std::move(logged));
    }
    return values;
}

ContactDetails Engine::Internals::details(ContactIndex index) const {
    const auto& contact = state.contacts[index.value];
    ContactDetails made;
    made.id = state.contact_ids[index.value];
    made.index = index;
    made.version = contact.version;
    made.newest = contact.newest;
    made.time_zone = state.symbols.name(contact.time_zone);
    for (const auto number : contact.addresses) {
        const auto& row = state.addresses[number];
        made.addresses.push_back({row.kind, row.value, row.account});
    }
    if (!contact.extras) return made;
    const auto& extra = *contact.extras;
    made.name = extra.name;
    made.locale = extra.locale;
    made.owner = extra.owner;
    made.unit = extra.unit;
    made.unionids = extra.unionids;
    for (const auto other : extra.merged) made.merged_with.push_back(state.contact_ids[other.value]);
    for (const auto tag : extra.tags) made.tags.emplace_back(state.symbols.name(tag));
    made.attributes = extra.attributes;
    made.restricted = extra.restricted;
    made.legal_hold = extra.legal_hold;
    return made;
}

Result<ContactDetails> Engine::put_contact(const std::string& id, const ContactInput& input, bool replace, OnConflict on_conflict,
                                           std::optional<std::uint64_t> if_match) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    const auto row = in.contact_row(id);
    if (if_match && (row == 0 || in.state.contacts[row].version != *if_match))
        return Error{.kind = ErrorKind::conflict, .detail = "the contact has changed since it was read (If-Match)", .problems = {}, .retry_after_s = 0, .reference = id};

    ContactSecret values = row == 0 || replace ? ContactSecret{} : in.secret_of(ContactIndex{row});
    std::string owner, unit;
    bool legal_hold = false;
    if (row != 0 && !replace && in.state.contacts[row].extras) {
        const auto& extra = *in.state.contacts[row].extras;
        owner = extra.owner;
        unit = extra.unit;
        legal_hold = extra.legal_hold;
    }
    if (input.addresses) {
        std::erase_if(values.addresses, [&](const LoggedAddress& old) {
            return std::find(input.address_kinds.begin(), input.address_kinds.end(), old.kind) != input.address_kinds.end();
        });
        std::vector<LoggedAddress> given;
        for (const auto& address : *input.addresses) {
            const bool twice = std::any_of(given.begin(), given.end(), [&](const LoggedAddress& other) {
                return other.kind == address.kind && other.value == address.value && other.account == address.account;
            });
            if (!twice) given.push_back({.number = 0, .kind = address.kind, .value = address.value, .account = address.account});
        }
        values.addresses.insert(values.addresses.begin(), given.begin(), given.end());
    }
    if (input.name) values.name = *input.name;
    if (input.unionids) values.unionids = *input.unionids;
    if (input.locale) values.locale = *input.locale;
    if (input.time_zone) values.time_zone = *input.time_zone;
    if (input.tags) values.tags = *input.tags;
    if (input.owner) owner = *input.owner;
    if (input.unit) unit = *input.unit;
    if (input.legal_hold) legal_hold = *input.legal_hold;
    if (input.attributes || !input.attributes_removed.empty()) {
        AttributeMap attributes;
        if (row != 0 && !replace && in.state.contacts[row].extras) attributes = in.state.contacts[row].extras->attributes;
        if (input.attributes)
            for (const auto& [name, value] : *input.attributes) attributes[name] = value;
        for (const auto& name : input.attributes_removed) attributes.erase(name);
        values.attributes.clear();
        for (const auto& [name, value] : attributes) {
            LoggedAttribute logged{.name = name, .kind = static_cast<std::uint8_t>(value.index()), .number = 0, .text = {}};
            if (const auto* flag = std::get_if<bool>(&value)) logged.number = *flag ? 1 : 0;
            else if (const auto* number = std::get_if<double>(&value)) logged.number = *number;
            else logged.text = std::get<std::string>(value);
            values.attributes.push_back(std::move(logged));
        }
    }

    // Whose address is it already?
    std::vector<std::pair<ContactIndex, std::uint32_t>> taken;
    for (const auto& address : values.addresses) {
        const auto number = in.find_address({address.kind, address.value, address.account});
        if (number == 0) continue;
        for (const auto other : in.state.addresses[number].owners)
            if (other.value != row) taken.emplace_back(other, number);
    }
    if (!taken.empty() && on_conflict == OnConflict::reject) {
        const auto& other = in.state.contact_ids[taken.front().first.value];
        return Error{.kind = ErrorKind::conflict, .detail = "an address of this contact belongs to contact \"" + other + "\" already; say ?on_conflict=share, move or merge",
                     .problems = {{"/phones", "belongs to contact \"" + other + "\""}}, .retry_after_s = 0, .reference = other};
    }
    if (!taken.empty() && on_conflict == OnConflict::move) {
        // The address leaves its former owner, and what he consented to on it ends with that.
        for (const auto& [other, number] : taken) {
            auto theirs = in.secret_of(other);
            std::erase_if(theirs.addresses, [&, moved = number](const LoggedAddress& address) { return address.number == moved; });
            const auto* extra = in.state.contacts[other.value].extras.get();
            const auto sealed = in.seal_for(other, theirs);
            in.emit(other, ContactUpdated{.owner = extra ? extra->owner : std::string{}, .unit = extra ? extra->unit : std::string{},
                                          .legal_hold = extra != nullptr && extra->legal_hold, .sealed = sealed});
            in.contact_changed(other);
        }
    }

    ContactIndex index{row};
    bool created = false;
    if (row == 0) {
        index = in.make_contact(id, values, owner, unit, legal_hold);
        created = true;
    } else {
        auto next = static_cast<std::uint32_t>(in.state.addresses.size());
        for (auto& address : values.addresses) {
            address.number = in.find_address({address.kind, address.value, address.account});
            if (address.number == 0) address.number = next++;
        }
        const auto sealed = in.seal_for(index, values);
        in.emit(index, ContactUpdated{.owner = owner, .unit = unit, .legal_hold = legal_hold, .sealed = sealed});
        in.contact_changed(index);
    }
    if (on_conflict == OnConflict::merge)
        for (const auto& [other, number] : taken) (void)in.merge(index, other, "address", {});
    auto made = in.details(index);
    made.created = created;
    return made;
}

Result<ContactDetails> Engine::find_contact(const std::string& id) {
    const auto row = internals_->contact_row(id);
    if (row == 0) return Error{.kind = ErrorKind::not_found, .detail = "there is no contact \"" + id + "\""};
    return internals_->details(ContactIndex{row});
}

Result<void> Engine::restrict_contact(const std::string& id) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    const auto row = in.contact_row(id);
    if (row == 0) return Error{.kind = ErrorKind::not_found, .detail = "there is no contact \"" + id + "\""};
    in.emit(ContactIndex{row}, ContactRestricted{.restricted = true});
    in.contact_changed(ContactIndex{row});
    return {};
}

// First what still denies and counts is kept by keyed hash, then the touches that wait are cancelled, then the key is destroyed.
Result<void> Engine::erase_contact(const std::string& id) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    const auto row = in.contact_row(id);
    if (row == 0) return Error{.kind = ErrorKind::not_found, .detail = "there is no contact \"" + id + "\""};
    const ContactIndex index{row};
    auto& contact = in.state.contacts[row];
    if (contact.extras && contact.extras->legal_hold)
        return Error{.kind = ErrorKind::conflict, .detail = "the contact is under legal hold and cannot be erased; ?mode=restrict is possible", .problems = {}, .retry_after_s = 0, .reference = id};
    const auto name = [&](Symbol symbol) { return symbol.value == 0 ? std::string{"*"} : std::string{in.state.symbols.name(symbol)}; };
    const auto horizon = in.now - in.policy().compiled->history_horizon();
    for (const auto number : contact.addresses) {
        const auto& address = in.state.addresses[number];
        KeyStore::Erased erased{.address = address.hash, .denies = {}, .counted = {}};
        if (address.erased >= 0) {  // what an earlier owner withdrew on this address goes on denying
            const auto old = in.parts.keys.erased()[static_cast<std::size_t>(address.erased)];
            erased.denies = old.denies;
            for (const auto& counted : old.counted)
                if (counted.first >= horizon) erased.counted.push_back(counted);
        }
        for (const auto& consent : contact.consents)
            if (!consent.granted && !consent.ended) erased.denies.emplace_back(name(consent.channel), name(consent.purpose));
        for (const auto& list : address.lists)
            if (list.expires_at > in.now && in.policy().compiled->reads_list(in.state.symbols.name(list.list))) erased.denies.emplace_back("*", "*");
        for (const auto& entry : contact.history) {
            if (entry.at < horizon || entry.slot == policy::Slot::released || (entry.address != 0 && entry.address != number)) continue;
            const auto& profile = in.state.profiles.at(entry.profile);
            erased.counted.emplace_back(entry.at, name(profile.purpose) + "\n" + name(profile.channel));
        }
        if (erased.denies.empty() && erased.counted.empty()) continue;
        if (auto kept = in.parts.keys.add_erased(erased); !kept) return kept.error();
        in.state.addresses[number].erased = static_cast<std::int32_t>(in.parts.keys.erased().size() - 1);
    }
    const auto live = contact.live;
    for (const auto touch_row : live)
        if (in.touch(touch_row).is_waiting()) in.cancel(touch_row, "contact_erased");
        else (void)in.call_back(touch_row, "contact_erased");
    in.close_leads_of(index, "contact_erased");
    in.delete_recordings_of(index);
    in.emit(index, ContactErased{.mode = "erase"});
    if (!in.checkpoint_due_for_erasure) in.checkpoint_due_for_erasure = in.now + std::chrono::minutes{1};
    // The key goes once the event is durable, and before the caller is answered.
    after_sync([&in, index] {
        const std::unique_lock lock{in.keys_mutex};
        if (auto destroyed = in.parts.keys.destroy(index); !destroyed) throw_unchecked_error(destroyed.error());
    });
    return {};
}

}  // namespace touchgate
