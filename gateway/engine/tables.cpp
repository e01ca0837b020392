// Small acts on the state's tables that several folds share: rows, names, addresses, and the slots that caps are counted from.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

using policy::HistoryEntry;
using policy::Slot;

State::State() = default;

std::uint32_t Engine::Internals::row_of(const TouchId& id) const {
    const auto found = state.touch_rows.find(id);
    return found == state.touch_rows.end() ? 0 : found->second;
}

Touch* Engine::Internals::find(const TouchId& id) {
    const auto row = row_of(id);
    return row == 0 ? nullptr : &state.touches[row];
}

std::uint32_t Engine::Internals::new_row() {
    std::uint32_t row = 0;
    if (state.free_rows.empty()) {
        row = static_cast<std::uint32_t>(state.touches.size());
        state.touches.emplace_back();
    } else {
        row = state.free_rows.back();
        state.free_rows.pop_back();
        state.touches[row] = Touch{};
    }
    state.touches[row].generation = next_generation++;
    return row;
}

CampaignRow* Engine::Internals::campaign_of(const Touch& touch) {
    const auto campaign = state.profiles.at(candidates(touch).front()).campaign;
    if (campaign.value == 0) return nullptr;
    const auto found = state.campaign_by_symbol.find(campaign);
    return found == state.campaign_by_symbol.end() ? nullptr : found->second;
}

void Engine::Internals::set_state(Touch& touch, TouchState to, Instant at) {
    const auto from = touch.state;
    auto* campaign = campaign_of(touch);
    --state.counts[static_cast<std::size_t>(from)];
    ++state.counts[static_cast<std::size_t>(to)];
    touch.state = to;
    touch.updated_at = at;
    if (campaign == nullptr) return;
    const auto move = [&](StateCounts& counts) {
        --counts[static_cast<std::size_t>(from)];
        ++counts[static_cast<std::size_t>(to)];
    };
    if (campaign->runtime) {
        const auto row = row_of(touch.id);
        if (from == TouchState::queued) campaign->runtime->queued.erase(row);
        if (to == TouchState::queued) campaign->runtime->queued.insert(row);
    }
    if (touch.recipient == 0) return move(campaign->direct);
    if (campaign::place(touch.arm) == campaign::held_out) return;
    move(campaign->counts);
    if (const auto arm = campaign::place(touch.arm); arm < campaign->arm_counts.size()) move(campaign->arm_counts[arm]);
    count_rule(touch);
}

void Engine::Internals::count_rule(Touch& touch) {
    if (touch.recipient == 0 || campaign::place(touch.arm) == campaign::held_out) return;
    Symbol rule;
    if (touch.state == TouchState::deferred || touch.state == TouchState::blocked) {
        if (touch.rule_override) rule = state.symbols.intern(*touch.rule_override);
        else if (touch.policy < state.policies.size() && touch.rule < state.policies[touch.policy].rule_names.size())
            rule = state.symbols.intern(state.policies[touch.policy].rule_names[touch.rule]);
    }
    if (rule == touch.counted_rule) return;
    auto* campaign = campaign_of(touch);
    if (campaign == nullptr) return;
    if (touch.counted_rule.value != 0)
        if (const auto held = campaign->by_rule.find(state.symbols.name(touch.counted_rule)); held != campaign->by_rule.end() && --held->second == 0)
            campaign->by_rule.erase(held);
    if (rule.value != 0) ++campaign->by_rule[std::string{state.symbols.name(rule)}];
    touch.counted_rule = rule;
}

void Engine::Internals::make_final(std::uint32_t row, Instant at) {
    auto& final_touch = touch(row);
    if (final_touch.final) return;
    final_touch.final = true;
    change_slot(final_touch, 0, SlotChange::release, at);  // a fallback that waited needs its reservation no more
    final_touch.is_queued = false;
    ++final_touch.queue_ticket;
    auto& live = state.contacts[final_touch.contact.value].live;
    if (const auto found = std::find(live.begin(), live.end(), row); found != live.end()) live.erase(found);
    held_rows.erase(row);
    if (final_touch.content) {
        final_touch.content.reset();
        --cached_contents;
    }
    if (final_touch.has_key) state.keys[final_touch.key_hash].expires_at = at + std::chrono::hours{24 * 90};
    state.finals.emplace_back(at, row);
}

// A final touch stays in memory as long as a late receipt can still change it.
void Engine::Internals::purge_finals() {
    constexpr auto keep = std::chrono::hours{72};
    for (int i = 0; i < 1'000 && !state.finals.empty() && state.finals.front().first + keep <= now; ++i) {
        const auto row = state.finals.front().second;
        state.finals.pop_front();
        auto& old = touch(row);
        if (!old.final || old.state == TouchState::unknown) continue;
        --state.counts[static_cast<std::size_t>(old.state)];
        state.touch_rows.erase(old.id);
        state.touch_by_sequence.erase(old.created_sequence);
        old = Touch{};
        state.free_rows.push_back(row);
    }
}

std::optional<AccountNumber> Engine::Internals::account_of(ProfileId profile) const {
    // Neither a profile's names nor the accounts change while the program runs; every touch asks this several times.
    constexpr std::uint32_t unasked = 0, none = 1, first = 2;
    if (profile.value >= accounts_of_profiles.size()) accounts_of_profiles.resize(profile.value + 64, unasked);
    auto& known = accounts_of_profiles[profile.value];
    if (known == unasked) {
        const auto found = account_numbers.find(state.symbols.name(state.profiles.at(profile).account));
        known = found == account_numbers.end() ? none : found->second + first;
    }
    return known == none ? std::nullopt : std::optional{known - first};
}

std::uint32_t Engine::Internals::intern_plan(const std::vector<ProfileId>& plan) {
    const auto [position, made] = state.plan_numbers.try_emplace(plan, static_cast<std::uint32_t>(state.plans.size()));
    if (made) state.plans.push_back(plan);
    return position->second;
}

// Few are ever in use: what callers write is one of some configured cascades.
std::uint32_t Engine::Internals::intern_cascade(const std::vector<dispatch::CascadeStep>& steps) {
    if (steps.empty()) return 0;
    auto& known = state.cascades;
    const auto place = std::find(known.begin() + 1, known.end(), steps) - known.begin();
    if (static_cast<std::size_t>(place) == known.size()) known.push_back(steps);
    return static_cast<std::uint32_t>(place);
}

ProfileId Engine::Internals::intern_profile(const policy::Profile& profile) {
    bool made = false;
    ProfileId id;
    {
        const std::unique_lock lock{state.names_mutex};
        id = state.profiles.intern(profile, made);
    }
    if (made) unlogged_profiles.insert(id);
    // In the order of their numbers, which a replay must give again: also those that a question made before.
    while (!unlogged_profiles.empty() && *unlogged_profiles.begin() <= id) {
        const auto each = *unlogged_profiles.begin();
        unlogged_profiles.erase(unlogged_profiles.begin());
        const auto& values = state.profiles.at(each);
        const auto text = [&](Symbol symbol) { return std::string{state.symbols.name(symbol)}; };
        emit(ContactIndex{}, ProfileDefined{.id = each, .purpose = text(values.purpose), .channel = text(values.channel), .account = text(values.account),
                                            .campaign = text(values.campaign), .unit = text(values.unit), .template_name = text(values.template_name)});
    }
    return id;
}

policy::FactsId Engine::Internals::intern_facts(const policy::AttemptFacts& facts) {
    bool made = false;
    return state.profiles.facts().intern(facts, made);
}

void Engine::Internals::log_facts(policy::FactsId newest) {
    while (state.logged_facts <= newest.value) {
        const auto& facts = state.profiles.facts().at({state.logged_facts});
        AttemptFactsDefined event{.id = state.logged_facts, .cost_micros = facts.cost_micros, .currency = std::string{state.symbols.name(facts.currency)}, .labels = {}};
        for (const auto& label : facts.labels) event.labels.emplace_back(state.symbols.name(label.key), label.value);
        emit(ContactIndex{}, event);  // applying it counts on
    }
}

// ---- addresses

crypto::Hash128 Engine::Internals::address_hash(AddressKind kind, std::string_view value, std::string_view account) const {
    return last_address_hash.of(index_hash, [&](std::string& text) {
        text.push_back('a');
        text.push_back(static_cast<char>(kind));
        text.append(account);
        text.push_back('\n');
        text.append(value);
    });
}

std::uint32_t Engine::Internals::intern_address(AddressKind kind, std::string_view value, std::string_view account, std::uint32_t number) {
    const auto hash = address_hash(kind, value, account);
    if (const auto found = state.address_by_hash.find(hash); found != state.address_by_hash.end()) return found->second;
    if (number == 0) number = static_cast<std::uint32_t>(state.addresses.size());
    auto& row = address_row(number);
    row.kind = kind;
    row.value = value;
    row.account = account;
    row.hash = hash;
    state.address_by_hash.emplace(hash, number);
    const auto& erased = parts.keys.erased();
    for (std::size_t i = 0; i < erased.size(); ++i)
        if (erased[i].address == hash) row.erased = static_cast<std::int32_t>(i);
    return number;
}

AddressRow& Engine::Internals::address_row(std::uint32_t number) {
    while (state.addresses.size() <= number) state.addresses.emplace_back();
    return state.addresses[number];
}

std::uint32_t Engine::Internals::find_address(const Address& address) const {
    const auto found = state.address_by_hash.find(address_hash(address.kind, address.value, address.account));
    return found == state.address_by_hash.end() ? 0 : found->second;
}

std::string_view Engine::Internals::receipt_scope(AccountNumber account) const {
    const auto& of = accounts[account].settings;
    return of.capabilities.receipt_scope.empty() ? of.name : of.capabilities.receipt_scope;
}

crypto::Hash128 Engine::Internals::id_hash(AccountNumber account, std::string_view id) const {
    return last_id_hash.of(index_hash, [&](std::string& text) {
        text.push_back('p');
        text.append(receipt_scope(account));
        text.push_back('\n');
        text.append(id);
    });
}

crypto::Hash128 Engine::Internals::key_hash(std::string_view unit, std::string_view key) const {
    std::string text = "k";
    text.append(unit.substr(0, unit.find('/')));  // keys belong to the top-level unit
    text.push_back('\n');
    text.append(key);
    return index_hash(text);
}

// ---- slots

std::span<const HistoryEntry> Engine::Internals::SharedCounters::entries(std::size_t by_set, std::uint64_t key) const {
    if (by_set >= sets.size()) return {};
    const auto found = sets[by_set].find(key);
    return found == sets[by_set].end() ? std::span<const HistoryEntry>{} : std::span<const HistoryEntry>{found->second};
}

namespace {

// Replaces the entry of the same touch and profile, or adds it, keeping the list in the order of `at`. No entry of the touch is older than
// `since`: what lies before need not be searched, which matters in a counter that all contacts share.
void put_in_order(std::vector<HistoryEntry>& entries, const HistoryEntry& entry, Instant since) {
    for (auto i = entries.size(); i-- > 0 && entries[i].at >= since;)
        if (entries[i].touch == entry.touch && entries[i].profile == entry.profile && entries[i].address == entry.address) {
            entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(i));
            break;
        }
    auto place = entries.end();
    while (place != entries.begin() && std::prev(place)->at > entry.at) --place;
    entries.insert(place, entry);
}

}  // namespace

void Engine::Internals::share_entry(ContactIndex, const HistoryEntry& entry, Instant since) {
    if (shared.sets.empty()) return;
    const auto& compiled = *policy().compiled;
    for (std::size_t set = 0; set < shared.sets.size(); ++set) {
        std::uint64_t key = 0;
        if (compiled.counter_key(set, state.profiles.at(entry.profile), entry, key)) put_in_order(shared.sets[set][key], entry, since);
    }
}

void Engine::Internals::put_entry(ContactIndex contact, const HistoryEntry& entry, Instant since) {
    auto& owner = state.contacts[contact.value];
    put_in_order(owner.history, entry, since);
    if (owner.history.size() > 64) trim_history(owner);
    share_entry(contact, entry, since);
}

void Engine::Internals::put_slot(Touch& owner, Slot slot, Instant at, ProfileId profile, std::uint32_t address, std::uint16_t attempt) {
    // A reservation beside an earlier attempt stands for the next one: of the two the later counts.
    if (slot == Slot::reserved && attempt == 0 && owner.next_attempt > 1) attempt = owner.next_attempt;
    put_entry(owner.contact,
              {.at = at, .touch = owner.created_sequence, .profile = profile, .address = address, .slot = slot, .outcome = 0, .attempt = attempt, .facts = owner.facts},
              owner.created_at);
    // A post is an exposure of the group's members from its permit on; it counts once in what all share.
    if (slot != Slot::counted || !owner.exposed) return;
    for (const auto member : *owner.exposed)
        put_in_order(state.contacts[member.value].history,
                     {.at = at, .touch = owner.created_sequence, .profile = profile, .address = address, .slot = slot, .outcome = 0, .attempt = attempt, .facts = owner.facts},
                     owner.created_at);
}

// The same change in the histories of all whom the post exposed.
void Engine::Internals::change_exposures(const Touch& post, std::uint16_t attempt, Slot slot, std::optional<Instant> at) {
    if (!post.exposed) return;
    for (const auto member : *post.exposed) {
        auto& history = state.contacts[member.value].history;
        for (auto i = history.size(); i-- > 0 && history[i].at >= post.created_at;) {
            if (history[i].touch != post.created_sequence || (attempt != 0 ? history[i].attempt != attempt : history[i].slot != Slot::reserved)) continue;
            auto entry = history[i];
            entry.slot = slot;
            if (at) entry.at = *at;
            put_in_order(history, entry, post.created_at);
            if (in_turn && slot != Slot::reserved) released_contacts.push_back(member);
            break;
        }
    }
}

void Engine::Internals::change_slot(Touch& owner, std::uint16_t attempt, SlotChange change, Instant at) {
    if (change == SlotChange::keep) return;
    auto& history = state.contacts[owner.contact.value].history;
    // No entry of the touch is older than the touch.
    for (auto i = history.size(); i-- > 0 && history[i].at >= owner.created_at;) {
        if (history[i].touch != owner.created_sequence) continue;
        if (attempt != 0 ? history[i].attempt != attempt : history[i].slot != Slot::reserved) continue;  // 0: what is only reserved
        auto entry = history[i];
        switch (change) {
            case SlotChange::release: entry.slot = Slot::released; break;
            case SlotChange::fail: entry.slot = Slot::failed; break;
            case SlotChange::reserve:
                entry.slot = Slot::reserved;
                entry.at = at;
                break;
            case SlotChange::keep: break;
        }
        put_in_order(history, entry, owner.created_at);
        share_entry(owner.contact, entry, owner.created_at);
        if (in_turn && change != SlotChange::reserve) released_contacts.push_back(owner.contact);
        change_exposures(owner, attempt, entry.slot, entry.at);
        return;
    }
}

// A released slot whose message later proves delivered counts again at its original instant.
void Engine::Internals::recount_slot(Touch& owner, std::uint16_t attempt) {
    auto& history = state.contacts[owner.contact.value].history;
    for (auto i = history.size(); i-- > 0 && history[i].at >= owner.created_at;)
        if (history[i].touch == owner.created_sequence && history[i].attempt == attempt) {
            history[i].slot = Slot::counted;
            share_entry(owner.contact, history[i], owner.created_at);
            change_exposures(owner, attempt, Slot::counted, std::nullopt);
            return;
        }
}

void Engine::Internals::stamp_slot(Touch& owner, std::uint16_t attempt, Instant at) {
    for (const auto& known : state.contacts[owner.contact.value].history) {
        if (known.touch != owner.created_sequence || known.attempt != attempt) continue;
        auto entry = known;
        entry.slot = Slot::counted;
        entry.at = at;
        put_entry(owner.contact, entry, std::min(owner.created_at, at));
        change_exposures(owner, attempt, Slot::counted, at);
        return;
    }
}

void Engine::Internals::trim_history(Contact& contact) {
    if (state.active_policy == 0 || !policy().compiled) return;  // during a replay
    // A week is kept in any case: complaints are counted against the campaigns of a week.
    const auto horizon = state.last_time - std::max<Duration>(policy().compiled->history_horizon(), one_day * 7) - one_day;
    std::erase_if(contact.history, [&](const HistoryEntry& entry) { return entry.at < horizon && entry.slot != Slot::reserved; });
}

void Engine::Internals::rebuild_shared_counters() {
    shared.sets.clear();
    if (!policy().compiled) return;
    shared.sets.resize(policy().compiled->shared_counter_count());
    if (shared.sets.empty()) return;
    for (std::uint32_t i = 1; i < state.contacts.size(); ++i)
        for (const auto& entry : state.contacts[i].history) {
            // What a member was exposed to counts where it was posted.
            const auto& row = state.addresses[entry.address];
            const bool exposure = entry.address != 0 && row.kind == AddressKind::chat_id && std::find(row.owners.begin(), row.owners.end(), ContactIndex{i}) == row.owners.end();
            if (!exposure) share_entry(ContactIndex{i}, entry);
        }
}

}  // namespace touchgate
