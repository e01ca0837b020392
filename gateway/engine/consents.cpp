// Consent and suppression: what a contact withdrew or granted, which addresses must not be used, and how a withdrawal takes effect at once
// on everything that waits or is on its way out.

#include <algorithm>

#include "gateway/base/text.hpp"
#include "gateway/channel/channels.hpp"
#include "gateway/engine/internals.hpp"

namespace touchgate {

void Engine::Internals::withdraw(ContactIndex contact, std::string_view channel, std::string_view purpose, std::string_view unit, std::string_view source,
                                 std::string evidence, Instant at, std::string_view notice) {
    emit(contact, ConsentWithdrawn{.channel = std::string{channel}, .purpose = std::string{purpose}, .unit = std::string{unit}, .source = std::string{source},
                                   .notice_version = std::string{notice}, .at = at, .sealed = seal_for(contact, ConsentSecret{std::move(evidence)})});
}

// True: a withdrawal stays in force beside this grant.
bool Engine::Internals::grant(ContactIndex contact, const ConsentInput& input, Instant at, std::string evidence) {
    const bool may_end = !input.from_bulk && !evidence.empty() &&
                         std::find(settings.regrant_sources.begin(), settings.regrant_sources.end(), input.source) != settings.regrant_sources.end();
    const auto sealed = seal_for(contact, ConsentSecret{std::move(evidence)});
    emit(contact, ConsentGranted{.channel = input.channel, .purpose = input.purpose, .unit = input.unit, .source = input.source,
                                 .notice_version = input.notice_version, .at = at, .ends_withdrawals = may_end, .sealed = sealed});
    const auto star_or = [&](const std::string& name) { return name == "*" ? Symbol{} : state.symbols.intern(name); };
    const auto channel = star_or(input.channel);
    const auto purpose = star_or(input.purpose);
    const auto& consents = state.contacts[contact.value].consents;
    return std::any_of(consents.begin(), consents.end(), [&](const policy::Consent& old) {
        return !old.granted && !old.ended && (old.channel == channel || old.channel.value == 0 || channel.value == 0) &&
               (old.purpose == purpose || old.purpose.value == 0 || purpose.value == 0);
    });
}

bool Engine::Internals::is_purpose(std::string_view name) const {
    Symbol purpose;
    return state.symbols.find(name, purpose) && policy().compiled->has_purpose(purpose);
}

bool Engine::Internals::is_channel(std::string_view name) const { return channel::is_channel(name) || serves(name); }

Result<ConsentResult> Engine::record_consent(const ContactRef& ref, const ConsentInput& input) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    std::vector<Problem> problems;
    const auto at = input.at.value_or(in.now);
    if (at > in.now + std::chrono::minutes{5}) problems.push_back({"/at", "lies in the future"});
    if (input.channel != "*" && !in.is_channel(input.channel)) problems.push_back({"/channel", "unknown channel \"" + input.channel + "\""});
    if (input.purpose != "*" && !in.is_purpose(input.purpose)) problems.push_back({"/purpose", "unknown purpose \"" + input.purpose + "\""});
    std::uint32_t address = 0;
    auto contact = in.resolve(ref, problems.empty(), address);
    if (!contact) {
        if (!ref.id.empty() && contact.error().problems.size() == 1)
            return Error{.kind = ErrorKind::not_found, .detail = contact.error().detail, .problems = contact.error().problems};
        return contact.error();
    }
    if (!problems.empty()) return Error{.kind = ErrorKind::invalid_input, .detail = problems.front().detail, .problems = std::move(problems)};
    ConsentResult result;
    if (input.granted) {
        result.kept_withdrawn = in.grant(*contact, input, at, input.evidence);
        in.contact_changed(*contact);
    } else {
        in.withdraw(*contact, input.channel, input.purpose, input.unit, input.source, input.evidence, at, input.notice_version);
    }
    result.id = std::to_string(in.state.sequence);
    return result;
}

void Engine::when_settled(const ContactRef& ref, Effect done) {
    std::uint32_t address = 0;
    const auto contact = internals_->resolve(ref, false, address);
    if (!contact || contact->value == 0) return after_sync(std::move(done));
    internals_->settle(*contact, std::move(done));
}

void Engine::Internals::settle(ContactIndex contact, Effect done) {
    contact_changed(contact);
    Settling settling_now{.waiting = {}, .done = std::move(done)};
    // All that is on its way, not only of live touches: a reply ends a touch whose next attempt may already have its permit.
    const auto owners = sharing(contact);
    std::map<channel::AttemptRef, std::uint32_t> on_their_way;
    for (const auto& [ref, flight] : in_flight) {
        const auto& out = touch(flight.row);
        if (out.generation == flight.generation && std::find(owners.begin(), owners.end(), out.contact) != owners.end()) on_their_way.emplace(ref, flight.row);
    }
    for (const auto& [ref, row] : on_their_way) {
        auto& out = touch(row);
        for (const auto& attempt : out.attempts) {
            if (attempt.state != AttemptState::open || attempt.ref != ref) continue;
            // Forbidden by what is in force now? The touch's own slot never counts against it.
            const auto of = facts(out);
            const auto choice = judge(of, attempt.chosen, now, policy::Detail::none);
            if (choice.decision.verdict != policy::Verdict::deny) continue;
            settling_now.waiting.insert(attempt.ref);
            revocations.push_back(attempt.ref);
        }
    }
    if (settling_now.waiting.empty()) return engine.after_sync(std::move(settling_now.done));
    settling.push_back(std::move(settling_now));
}

// A repeat of a message is acknowledged no earlier than what it repeats.
void Engine::Internals::after_settling(Effect done) {
    Settling waiting{.waiting = {}, .done = std::move(done)};
    for (const auto& each : settling) waiting.waiting.insert(each.waiting.begin(), each.waiting.end());
    if (waiting.waiting.empty()) return engine.after_sync(std::move(waiting.done));
    settling.push_back(std::move(waiting));
}

void Engine::Internals::settled_ref(channel::AttemptRef ref) {
    if (settling.empty()) return;
    for (auto& each : settling)
        if (each.waiting.erase(ref) > 0 && each.waiting.empty()) engine.after_sync(std::move(each.done));
    std::erase_if(settling, [](const Settling& each) { return each.waiting.empty(); });
}

// ---- suppression lists

// What an entry names must exist: a list that never bites because of a typing error is worse than none.
std::vector<Problem> Engine::Internals::suppression_problems(const SuppressionInput& input, const std::string& pointer) const {
    std::vector<Problem> problems;
    if (input.list == "erased") problems.push_back({pointer + "/list", "\"erased\" is built in: erasing a contact writes it"});
    for (std::size_t i = 0; i < input.purposes.size(); ++i)
        if (!is_purpose(input.purposes[i])) problems.push_back({pointer + "/purposes/" + std::to_string(i), "unknown purpose \"" + input.purposes[i] + "\""});
    for (std::size_t i = 0; i < input.channels.size(); ++i)
        if (!is_channel(input.channels[i])) problems.push_back({pointer + "/channels/" + std::to_string(i), "unknown channel \"" + input.channels[i] + "\""});
    return problems;
}

Result<bool> Engine::add_suppression(const SuppressionInput& input) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    if (auto problems = in.suppression_problems(input, {}); !problems.empty())
        return Error{.kind = ErrorKind::invalid_input, .detail = problems.front().detail, .problems = std::move(problems)};
    SuppressionAdded event{.list = input.list, .source = input.source, .address = 0, .kind = AddressKind::phone, .hash_algorithm = input.hash_algorithm,
                           .phone_hash = input.phone_hash, .at = input.at.value_or(in.now), .expires_at = input.expires_at.value_or(instant_never),
                           .channels = input.channels, .purposes = input.purposes, .sealed = {}};
    SuppressionSecret values{.value = {}, .account = {}, .reason = input.reason, .evidence = input.evidence, .by = input.by};
    bool known = false;
    if (input.address) {
        event.address = in.find_address(*input.address);
        event.kind = input.address->kind;
        values.value = input.address->value;
        values.account = input.address->account;
        if (event.address == 0) {
            event.address = static_cast<std::uint32_t>(in.state.addresses.size());
        } else {
            Symbol list;
            if (in.state.symbols.find(input.list, list))
                for (const auto& entry : in.state.addresses[event.address].lists) known = known || (entry.list == list && entry.expires_at > in.now);
        }
    } else {
        known = in.state.hashed_suppressions.contains(State::HashedSuppression::key(input.hash_algorithm, input.phone_hash, input.list));
    }
    event.sealed = in.seal_for(ContactIndex{}, values);
    const auto owners = event.address < in.state.addresses.size()
                            ? std::vector<ContactIndex>{in.state.addresses[event.address].owners.begin(), in.state.addresses[event.address].owners.end()}
                            : std::vector<ContactIndex>{};
    in.emit(owners.empty() ? ContactIndex{} : owners.front(), event);
    for (const auto owner : owners) in.contact_changed(owner);
    return !known;
}

Result<bool> Engine::remove_suppression(const std::string& list, const Address& address) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    const auto number = in.find_address(address);
    Symbol symbol;
    if (number == 0 || !in.state.symbols.find(list, symbol)) return false;
    const auto& row = in.state.addresses[number];
    if (std::none_of(row.lists.begin(), row.lists.end(), [&](const policy::ListEntry& entry) { return entry.list == symbol; })) return false;
    const std::vector<ContactIndex> owners{row.owners.begin(), row.owners.end()};
    in.emit(owners.empty() ? ContactIndex{} : owners.front(), SuppressionRemoved{.list = list, .address = number, .hash_algorithm = {}, .phone_hash = {}});
    for (const auto owner : owners) in.contact_changed(owner);
    return true;
}

Result<std::size_t> Engine::replace_suppressions(const std::string& list, const std::vector<SuppressionInput>& entries, bool force) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    const auto before = in.state.list_sizes.contains(list) ? in.state.list_sizes.at(list) : 0;
    if (!force && before > 0 && entries.size() * 5 < before * 4)
        return Error{.kind = ErrorKind::conflict, .detail = "this would shrink the list from " + std::to_string(before) + " to " + std::to_string(entries.size()) +
                                                            " entries, by more than 20 %; say ?force=true if that is meant", .problems = {}, .retry_after_s = 0, .reference = list};
    // All of it lies in one batch, or nothing is changed.
    if ((entries.size() + before) * 400 > in.parts.log.room())
        return Error{.kind = ErrorKind::too_large, .detail = "a list of this size cannot be replaced in one step; add and remove entries in parts", .problems = {}};
    std::vector<Problem> problems;
    for (std::size_t i = 0; i < entries.size() && problems.size() < 1'000; ++i)
        for (auto& problem : in.suppression_problems(entries[i], "/" + std::to_string(i + 1))) problems.push_back(std::move(problem));
    if (!problems.empty()) return Error{.kind = ErrorKind::invalid_input, .detail = problems.front().detail, .problems = std::move(problems)};
    std::set<std::uint32_t> wanted;
    std::set<std::string> wanted_hashes;
    for (const auto& entry : entries) {
        if (const auto result = add_suppression(entry); !result) return result.error();
        if (entry.address) wanted.insert(in.find_address(*entry.address));
        else wanted_hashes.insert(State::HashedSuppression::key(entry.hash_algorithm, entry.phone_hash, list));
    }
    const auto symbol = in.state.symbols.intern(list);
    for (std::uint32_t number = 1; number < in.state.addresses.size(); ++number) {
        const auto& row = in.state.addresses[number];
        if (wanted.contains(number) || row.lists.empty()) continue;
        if (std::any_of(row.lists.begin(), row.lists.end(), [&](const policy::ListEntry& entry) { return entry.list == symbol; }))
            (void)remove_suppression(list, {row.kind, row.value, row.account});
    }
    std::vector<std::pair<std::string, std::string>> gone;
    for (const auto& [key, entry] : in.state.hashed_suppressions)
        if (entry.list == list && !wanted_hashes.contains(key)) gone.emplace_back(entry.algorithm, entry.digest);
    for (const auto& [algorithm, digest] : gone)
        in.emit(ContactIndex{}, SuppressionRemoved{.list = list, .address = 0, .hash_algorithm = algorithm, .phone_hash = digest});
    return in.state.list_sizes.contains(list) ? in.state.list_sizes.at(list) : 0;
}

std::vector<SuppressionDetails> Engine::suppressions(const std::string& list, std::size_t limit, const std::string& after) {
    auto& in = *internals_;
    std::vector<SuppressionDetails> found;
    Symbol symbol;
    const bool every = list.empty();
    const bool has_addresses = every || in.state.symbols.find(list, symbol);
    // Pages go over the addresses by number and then over the hashed entries by key ("h" and the key in hex).
    const bool among_hashed = after.starts_with("h");
    std::uint32_t from = 1;
    if (!after.empty() && !among_hashed) from = static_cast<std::uint32_t>(std::strtoul(after.c_str(), nullptr, 10)) + 1;
    if (!has_addresses || among_hashed) from = static_cast<std::uint32_t>(in.state.addresses.size());
    const auto take_details = [&](SuppressionDetails& made, const SuppressionEntry& details, Instant expires_at) {
        SuppressionSecret values;
        if (in.unseal_of(ContactIndex{}, details.sealed, values)) {
            made.reason = values.reason;
            made.evidence = values.evidence;
            made.by = values.by;
        }
        made.source = details.source;
        made.at = details.at;
        if (expires_at != instant_never) made.expires_at = expires_at;
    };
    const auto text = [&](const std::vector<Symbol>& symbols) {
        std::vector<std::string> out;
        for (const auto each : symbols) out.emplace_back(in.state.symbols.name(each));
        return out;
    };
    for (auto number = from; number < in.state.addresses.size() && found.size() < limit; ++number) {
        const auto& row = in.state.addresses[number];
        for (std::size_t i = 0; i < row.lists.size(); ++i) {
            if (!every && row.lists[i].list != symbol) continue;
            SuppressionDetails made;
            made.list = in.state.symbols.name(row.lists[i].list);
            made.address = Address{row.kind, row.value, row.account};
            take_details(made, row.list_details[i], row.lists[i].expires_at);
            made.channels = text(row.lists[i].channels);
            made.purposes = text(row.lists[i].purposes);
            made.cursor = std::to_string(number);
            found.push_back(std::move(made));
        }
    }
    const auto& hashed = in.state.hashed_suppressions;
    auto at = among_hashed ? hashed.upper_bound(from_hex(std::string_view{after}.substr(1)).value_or(std::string{})) : hashed.begin();
    for (; at != hashed.end() && found.size() < limit; ++at) {
        const auto& [key, entry] = *at;
        if (!every && entry.list != list) continue;
        SuppressionDetails made;
        made.list = entry.list;
        made.hash_algorithm = entry.algorithm;
        made.phone_hash_hex = to_hex(entry.digest);
        take_details(made, entry.details, entry.expires_at);
        made.channels = text(entry.channels);
        made.purposes = text(entry.purposes);
        made.cursor = "h" + to_hex(key);
        found.push_back(std::move(made));
    }
    return found;
}

// The platform said that this recipient refuses: the built-in list of the account, with evidence.
void Engine::Internals::suppress_platform(std::uint32_t row, std::uint32_t address, AccountNumber account, const std::string& evidence) {
    if (address == 0) return;
    const auto& target = state.addresses[address];
    const SuppressionSecret values{.value = target.value, .account = target.account, .reason = "the provider reported a refusal", .evidence = evidence, .by = "gateway"};
    emit(touch(row).contact, SuppressionAdded{.list = "platform:" + accounts[account].settings.name, .source = "outcome", .address = address, .kind = target.kind,
                                              .hash_algorithm = {}, .phone_hash = {}, .at = now, .expires_at = instant_never, .channels = {}, .purposes = {},
                                              .sealed = seal_for(ContactIndex{}, values)});
}

}  // namespace touchgate
