// Judging a touch: over which candidate may it go, now or when? The policy decides; this file gathers what the policy needs to see.

#include <algorithm>

#include "gateway/content/signature.hpp"
#include "gateway/engine/internals.hpp"
#include "gateway/policy/labels.hpp"

namespace touchgate {

using policy::Verdict;

namespace {

bool names(const std::vector<std::string>& list, std::string_view name) { return std::find(list.begin(), list.end(), name) != list.end(); }

}  // namespace

policy::AttemptFacts Engine::Internals::priced(policy::AttemptFacts facts, const content::Billing& billing, int segments) {
    facts.cost_micros = billing.message_cost(segments).micros;
    facts.currency = facts.cost_micros == 0 ? Symbol{} : state.symbols.intern(billing.currency);
    return facts;
}

TouchFacts Engine::Internals::facts(Touch& owner) {
    TouchFacts made;
    made.contact = owner.contact;
    made.candidates = &candidates(owner);
    made.fixed_address = owner.fixed_address;
    made.origin = owner.origin;
    made.sequence = owner.created_sequence;
    made.not_before = std::max(owner.not_before, owner.retry_at);
    made.expires_at = owner.expires_at;
    made.content = nullptr;
    made.used_template = template_of(owner);
    if (owner.recipient != 0) made.campaign = campaign_of(owner);
    made.contact_key = state.contact_ids[owner.contact.value];
    if (needs_content(*made.candidates)) made.content = content_of(owner);
    return made;
}

TouchFacts Engine::Internals::facts(Prepared& asked, policy::Origin origin) const {
    TouchFacts made;
    made.contact = asked.contact;
    made.candidates = &asked.plan;
    made.fixed_address = asked.fixed_address;
    made.origin = origin;
    made.not_before = asked.not_before;
    made.expires_at = asked.expires_at;
    made.content = &asked.content;
    made.used_template = asked.used;
    made.contact_key = state.contact_ids[asked.contact.value];
    return made;
}

bool Engine::Internals::needs_content(const std::vector<ProfileId>& plan) const {
    const auto& compiled = *policy().compiled;
    return std::any_of(plan.begin(), plan.end(), [&](ProfileId candidate) {
        if (compiled.needs_content(candidate)) return true;
        if (!has_reply_windows) return false;
        const auto account = account_of(candidate);
        return account && !accounts[*account].settings.capabilities.reply_windows.empty();
    });
}

std::uint32_t Engine::Internals::resolve_address(const TouchFacts& of, const policy::Profile& profile, bool& gone) const {
    gone = false;
    const auto kind = address_kind_of(state.symbols.name(profile.channel));
    const auto& contact = state.contacts[of.contact.value];
    if (of.fixed_address != 0) {
        const auto& row = state.addresses[of.fixed_address];
        if (row.kind != kind) return 0;
        gone = std::find(row.owners.begin(), row.owners.end(), of.contact) == row.owners.end();
        return of.fixed_address;
    }
    std::string_view scope;
    if (kind == AddressKind::openid) {
        scope = state.symbols.name(profile.account);
        if (const auto account = account_numbers.find(scope); account != account_numbers.end() && !accounts[account->second].settings.capabilities.address_scope.empty())
            scope = accounts[account->second].settings.capabilities.address_scope;
    }
    std::uint32_t flagged = 0;
    for (const auto number : contact.addresses) {
        const auto& row = state.addresses[number];
        if (row.kind != kind) continue;
        if (kind == AddressKind::openid && row.account != scope) continue;
        if (!row.invalid) return number;
        if (flagged == 0) flagged = number;
    }
    return flagged;
}

Choice Engine::Internals::judge(const TouchFacts& of, std::uint8_t candidate, Instant at, policy::Detail detail) {
    const auto profile_id = (*of.candidates)[candidate];
    const auto profile = state.profiles.at(profile_id);  // a copy: interning below may move the table
    auto& record = state.policies[state.active_policy];
    record.compiled->prepare_profile(profile_id);
    const auto& compiled = *record.compiled;

    Choice choice{.chosen = candidate, .address = 0, .decision = {}, .rule_override = {}, .segments = 1};
    bool gone = false;
    choice.address = resolve_address(of, profile, gone);
    if (choice.address == 0) {
        choice.decision.verdict = Verdict::deny;
        choice.rule_override = "no-address";
        return choice;
    }

    const auto& contact = state.contacts[of.contact.value];
    const auto& address = state.addresses[choice.address];
    policy::ContactView contact_view;
    contact_view.time_zone = state.symbols.name(contact.time_zone);
    contact_view.consents = contact.consents;
    contact_view.history = contact.history;
    std::vector<policy::HistoryEntry> without;
    if (of.yielding != nullptr) {  // as if these reservations were given up
        for (const auto& entry : contact.history)
            if (entry.slot != policy::Slot::reserved || std::find(of.yielding->begin(), of.yielding->end(), entry.touch) == of.yielding->end())
                without.push_back(entry);
        contact_view.history = without;
    }

    // Withdrawals bind the address: those of others who share it hold here as well.
    std::vector<policy::Consent> shared_here;
    for (const auto& shared_consent : address.shared_consents)
        if (shared_consent.contact != of.contact) {
            if (shared_here.empty()) shared_here.assign(contact.consents.begin(), contact.consents.end());
            shared_here.push_back(shared_consent.consent);
        }
    if (!shared_here.empty()) contact_view.consents = shared_here;

    contact_view.lead_stages = lead_stages_of(of.contact);
    policy::AddressView address_view;
    if (contact.extras) {
        const auto& extra = *contact.extras;
        contact_view.tags = extra.tags;
        contact_view.attributes = &extra.attributes;
        contact_view.acts = extra.acts;
        contact_view.restricted = extra.restricted;
        contact_view.last_complaint = extra.last_complaint;
        contact_view.last_reply = extra.last_reply;
        contact_view.last_conversation_end = extra.last_conversation_end;
        contact_view.open_ticket = !extra.open_tickets.empty();
        for (const auto& [channel, last] : extra.last_inbound)
            if (channel == profile.channel) contact_view.last_inbound = last;
        for (const auto& review : extra.reviews)
            if (review.channel == profile.channel && std::find(review.purposes.begin(), review.purposes.end(), profile.purpose) != review.purposes.end())
                address_view.review_pending = true;
    }

    Person person;
    if (contact.extras && !contact.extras->merged.empty()) see_person(of.contact, person, contact_view);

    address_view.number = choice.address;
    address_view.gone = gone;
    address_view.lists = address.lists;
    std::vector<policy::HistoryEntry> with_erased;
    if (address.erased >= 0) {
        const auto& erased = parts.keys.erased()[static_cast<std::size_t>(address.erased)];
        // What an erased contact was sent on this address still counts against whoever has it now.
        if (!erased.counted.empty()) {
            with_erased.assign(contact_view.history.begin(), contact_view.history.end());
            for (std::size_t i = 0; i < erased.counted.size(); ++i) {
                const auto& [at_permit, names_of] = erased.counted[i];
                if (at_permit > at) continue;  // a replay stands before it
                const auto split_at = names_of.find('\n');
                policy::Profile old_profile = profile;
                old_profile.purpose = state.symbols.intern(names_of.substr(0, split_at));
                old_profile.channel = state.symbols.intern(names_of.substr(split_at + 1));
                bool made = false;
                const std::unique_lock lock{state.names_mutex};
                const auto old_id = state.profiles.intern(old_profile, made);
                if (made) unlogged_profiles.insert(old_id);
                record.compiled->prepare_profile(old_id);
                with_erased.push_back({.at = at_permit, .touch = 0, .profile = old_id, .address = choice.address, .slot = policy::Slot::counted, .outcome = 0, .attempt = 1});
            }
            std::sort(with_erased.begin(), with_erased.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
            contact_view.history = with_erased;
        }
        for (const auto& [channel, purpose] : erased.denies)
            if ((channel == "*" || channel == state.symbols.name(profile.channel)) && (purpose == "*" || purpose == state.symbols.name(profile.purpose)))
                address_view.erased_denies = true;
    }
    static const PhoneFact no_fact;
    const PhoneFact* fact = &no_fact;
    std::vector<policy::ListEntry> hashed;
    if (address.kind == AddressKind::phone) {
        if (settings.phones) fact = &settings.phones->of(address.value);
        address_view.region = fact->region;
        address_view.carrier = fact->carrier;
        address_view.zones = fact->zones;
        if (!state.hashed_suppressions.empty()) {
            // Third parties hash numbers with +, without it, or in the national form.
            std::vector<std::string> forms = {address.value, address.value.substr(1)};
            if (address.value.starts_with("+86") && address.value.size() == 14) forms.push_back(address.value.substr(3));
            const auto& entries = state.hashed_suppressions;
            for (const std::string_view algorithm : {"md5", "sha256", "sm3"}) {
                const auto first = entries.lower_bound(std::string{algorithm}.append("\n"));
                if (first == entries.end() || first->second.algorithm != algorithm) continue;
                for (const auto& form : forms) {
                    const auto digest = algorithm == "md5" ? crypto::md5(form) : algorithm == "sm3" ? crypto::sm3(form) : std::string{crypto::view(crypto::sha256(form))};
                    for (auto next = entries.lower_bound(State::HashedSuppression::key(algorithm, digest, {})); next != entries.end(); ++next) {
                        const auto& entry = next->second;
                        if (entry.algorithm != algorithm || entry.digest != digest) break;
                        hashed.push_back({.list = state.symbols.intern(entry.list), .expires_at = entry.expires_at, .channels = entry.channels, .purposes = entry.purposes});
                    }
                }
            }
            if (!hashed.empty()) {
                hashed.insert(hashed.end(), address.lists.begin(), address.lists.end());
                address_view.lists = hashed;
            }
        }
    }

    policy::Request request;
    request.profile = profile_id;
    request.names = profile;
    request.origin = of.origin;
    request.touch = of.sequence;
    request.not_before = of.not_before;
    request.expires_at = of.expires_at;
    request.contact_key = of.contact_key;
    request.held_out = of.held_out;
    request.metadata = of.content != nullptr ? &of.content->metadata : nullptr;

    channel::Content rendered;
    std::string judged_text;
    if (of.content != nullptr && compiled.needs_content(profile_id)) {
        const std::string_view locale = contact.extras ? std::string_view{contact.extras->locale} : std::string_view{};
        auto result = render(*of.content, of.used_template, profile, locale);
        if (!result) {  // a variable is missing for this channel: it cannot go this way
            choice.decision.verdict = Verdict::deny;
            choice.rule_override = "content-not-renderable";
            return choice;
        }
        rendered = std::move(*result);
        const auto account = account_of(profile_id);
        const std::string_view sign_name = account ? std::string_view{accounts[*account].settings.sign_name} : std::string_view{};
        judged_text = content::with_signature(rendered.text, sign_name);
        request.content = {.text = judged_text, .has_text = !rendered.text.empty(), .sign_name = sign_name, .segments = 1};
        if (account) request.content.segments = content::billed_segments(judged_text, accounts[*account].settings.billing.counting);
    }
    policy::AttemptFacts own;
    if (of.content != nullptr && compiled.needs_content(profile_id))
        if (const auto account = account_of(profile_id)) own = priced({}, accounts[*account].settings.billing, request.content.segments);
    if (!compiled.labels_read().empty())
        own.labels = policy::make_labels(compiled, state.symbols, {.metadata = request.metadata, .attributes = contact_view.attributes, .region = fact->region},
                                         [&](std::string_view text) { return index_hash(text).low; });
    if (has_reply_windows && goes_beside_window(of, profile, account_of(profile_id))) mark_beside_window(own);
    request.facts = &own;
    request.facts_id = intern_facts(own);

    if (of.used_template != nullptr && of.used_template->parsed && !of.used_template->parsed->filings().empty())
        request.template_not_filed = !of.used_template->parsed->filed_for(state.symbols.name(profile.account), fact->carrier, at);

    std::vector<std::span<const policy::HistoryEntry>> exposed;
    if (address.kind == AddressKind::chat_id && !state.groups.empty()) {
        for (const auto member : members_of(choice.address))
            if (member != of.contact) exposed.emplace_back(state.contacts[member.value].history);
        request.members = exposed;
    }
    choice.decision = compiled.decide(request, contact_view, address_view, &shared, at, detail, of.foresight);
    if (of.campaign != nullptr) keep_window(of, choice, request, contact_view, address_view, at, detail);
    if (has_reply_windows) keep_reply_window(choice, of, profile, profile_id, at);
    keep_quota(choice, of, profile, profile_id, at);
    apply_holds(choice, profile, at);
    return choice;
}

// The emergency stop, and a paused campaign: what would be allowed waits.
void Engine::Internals::apply_holds(Choice& choice, const policy::Profile& profile, Instant at) const {
    if (choice.decision.verdict == Verdict::deny) return;
    const auto defer = [&](std::string rule, std::optional<Instant> until) {
        if (choice.decision.verdict == Verdict::defer && until && choice.decision.until > *until) return;
        choice.decision.verdict = Verdict::defer;
        choice.decision.until = until.value_or(instant_never);
        choice.rule_override = std::move(rule);
    };
    const auto name = [&](Symbol symbol) { return state.symbols.name(symbol); };
    for (const auto& [id, hold] : state.holds) {
        const auto& in = hold.input;
        if (in.until && *in.until <= at) continue;
        if (!in.purposes.empty() && !names(in.purposes, name(profile.purpose))) continue;
        if (!in.channels.empty() && !names(in.channels, name(profile.channel))) continue;
        if (!in.accounts.empty() && !names(in.accounts, name(profile.account))) continue;
        if (!in.units.empty() &&
            std::none_of(in.units.begin(), in.units.end(), [&](const std::string& unit) { return policy::is_unit_within(name(profile.unit), unit); }))
            continue;
        defer("hold:" + id, in.until);
    }
    if (profile.campaign.value != 0) {
        const auto campaign = state.campaign_by_symbol.find(profile.campaign);
        if (campaign != state.campaign_by_symbol.end() && campaign->second->state == "paused") {
            defer({}, std::nullopt);
            choice.decision.rule = policy::no_rule;
            choice.decision.reason = policy::Reason::paused;
        }
    }
    // While the wall clock is in doubt only security codes and the like go out.
    if (!time.healthy() && name(profile.purpose) != "transactional") defer("clock", at + std::chrono::minutes{1});
}

Choice Engine::Internals::choose(const TouchFacts& of, Instant at, policy::Detail detail, std::uint8_t from, std::uint8_t to) {
    std::optional<Choice> best;
    for (auto candidate = from; candidate < to; ++candidate) {
        auto choice = judge(of, candidate, at, detail);
        if (choice.decision.verdict == Verdict::allow) {
            // An account that cannot send now gives way to a later one of the same channel that can.
            const auto account = account_of((*of.candidates)[candidate]);
            const auto usable = [&](std::optional<AccountNumber> number) { return number && can_send_now(*number); };
            if (!usable(account))
                for (auto other = static_cast<std::uint8_t>(candidate + 1); other < to; ++other) {
                    if (state.profiles.at((*of.candidates)[other]).channel != state.profiles.at((*of.candidates)[candidate]).channel) break;
                    if (!usable(account_of((*of.candidates)[other]))) continue;
                    auto substitute = judge(of, other, at, detail);
                    if (substitute.decision.verdict == Verdict::allow) return substitute;
                }
            return choice;
        }
        const auto rank = [](const Choice& c) { return c.decision.verdict == Verdict::defer ? 1 : 2; };
        const bool better = !best || rank(choice) < rank(*best) ||
                            (rank(choice) == 1 && rank(*best) == 1 && choice.decision.until < best->decision.until);
        if (better) best = std::move(choice);
    }
    return std::move(*best);
}

int Engine::Internals::rank_of(const Touch& owner) const { return policy().compiled->class_of(state.profiles.at(chosen_profile(owner)).purpose); }

void Engine::Internals::block(std::uint32_t row, const Choice& choice) {
    auto& blocked = touch(row);
    if (keep_what_left(row, "fallback_denied")) return;
    emit(blocked.contact, TouchDecided{.touch = blocked.id, .chosen = choice.chosen, .address = choice.address,
                                       .decision = to_logged(choice.decision, state.active_policy, choice.rule_override)});
    emit(touch(row).contact, TouchBlocked{.touch = touch(row).id, .reason = winner == nullptr ? std::string{} : "yielded to " + to_string(*winner)});
}

bool Engine::Internals::decide_again(std::uint32_t row, bool then_queue) {
    auto& waiting = touch(row);
    if (waiting.final || !waiting.is_waiting()) return false;
    if (now >= waiting.expires_at) {
        expire(row);
        return false;
    }
    if (const auto* campaign = campaign_of(waiting); campaign != nullptr && campaign->state == "cancelled") {
        cancel(row, "campaign_cancelled");
        return false;
    }
    auto of = facts(waiting);
    const auto first = std::min<std::uint8_t>(waiting.next_attempt > 1 ? waiting.chosen : 0, static_cast<std::uint8_t>(of.candidates->size() - 1));
    std::vector<std::uint32_t> losers;
    const auto choice = choose_over(of, rank_of(waiting), waiting.priority, policy::Detail::steps, first, losers);
    if (choice.decision.verdict == Verdict::deny) {
        block(row, choice);
        return false;
    }
    const bool same = waiting.verdict == choice.decision.verdict && waiting.chosen == choice.chosen && waiting.address == choice.address &&
                      waiting.override_view() == choice.rule_override &&
                      (choice.decision.verdict == Verdict::allow ||
                       (waiting.until == choice.decision.until && waiting.rule == choice.decision.rule && waiting.policy == state.active_policy));
    if (!same) {
        const bool was_deferred = waiting.state == TouchState::deferred;
        emit(waiting.contact, TouchDecided{.touch = waiting.id, .chosen = choice.chosen, .address = choice.address,
                                           .decision = to_logged(choice.decision, state.active_policy, choice.rule_override)});
        if (choice.decision.verdict == Verdict::defer && !was_deferred)
            emit(touch(row).contact, TouchDeferred{.touch = touch(row).id, .reason = winner == nullptr ? std::string{} : "yielded to " + to_string(*winner)});
    } else if (choice.decision.verdict == Verdict::defer) {
        arm_waiting(row);
    }
    if (auto& judged = touch(row); judged.state == TouchState::deferred && judged.content) {
        judged.content.reset();
        --cached_contents;
    }
    if (choice.decision.verdict != Verdict::allow) return false;
    yield_to(touch(row).id, losers);
    if (then_queue) enqueue(row);
    return true;
}

std::vector<ContactIndex> Engine::Internals::sharing(ContactIndex contact) const {
    std::vector<ContactIndex> all{contact};
    for (const auto number : state.contacts[contact.value].addresses)
        for (const auto owner : state.addresses[number].owners)
            if (std::find(all.begin(), all.end(), owner) == all.end()) all.push_back(owner);
    for (const auto other : merged_with(contact))
        if (std::find(all.begin(), all.end(), other) == all.end()) all.push_back(other);
    return all;
}

// Consent, a list, a ticket or the contact itself changed: what waits is judged anew at once, in order of class, priority, age.
void Engine::Internals::contact_changed(ContactIndex contact) {
    for (const auto each : sharing(contact)) {
        std::vector<std::uint32_t> rows{state.contacts[each.value].live.begin(), state.contacts[each.value].live.end()};
        std::sort(rows.begin(), rows.end(), [&](std::uint32_t a, std::uint32_t b) {
            const auto key = [&](std::uint32_t row) { return std::tuple{rank_of(touch(row)), -static_cast<int>(touch(row).priority), touch(row).created_sequence}; };
            return key(a) < key(b);
        });
        for (const auto row : rows) {
            // What does not fit into this batch is judged in the next turns, before anything of it can be sent.
            if (parts.log.room() < (std::size_t{2} << 20U)) sweep.push_front(row);
            else if (!touch(row).is_waiting()) recheck_task(row);
            else decide_again(row, true);
        }
    }
}

}  // namespace touchgate
