// Campaigns of mode preview: an agent who is free is shown a recipient and says whether he is to be dialled. Shown is an offer of an interaction of its own,
// which ends with the offer unless it is accepted; then the agent's telephone rings first, and the customer is dialled under a permit when it is up.
// Until that permit the touch only waits: who is shown to whom is volatile, and after a restart everybody is in the list again.

#include <algorithm>

#include "gateway/engine/call_host.hpp"
#include "gateway/engine/refusals.hpp"

namespace touchgate {

// ---- showing

void Engine::Internals::show_recipients(CampaignRow& row, DialingRuntime& dialing) {
    const auto found = account_numbers.find(dialing.plan.account);
    if (found == account_numbers.end() || !accounts[found->second].up) return;
    auto* trunks = trunks_of(found->second);
    std::size_t room = trunks == nullptr ? ~std::size_t{0} : trunks->room(now);
    for (const auto& [id, shown] : dialing.shown) room -= std::min<std::size_t>(room, shown.accepted ? 0 : 1);  // who is dialled has his line already
    std::erase_if(dialing.skips, [&](const auto& each) {
        return std::all_of(each.second.begin(), each.second.end(), [&](const DialingRuntime::Skip& skip) { return skip.until <= now; });
    });
    for (auto left = dialing.ready.size(); left > 0 && room > 0 && dialing.shown.size() < dialing.plan.max_lines; --left) {
        if (router.free_agents(dialing.plan.queue, "voice") == 0 || parts.log.room() < (std::size_t{1} << 20U)) return;
        const auto entry = dialing.ready.front();
        const auto& waiting = touch(entry.row);
        const auto id = waiting.id;
        const bool stale = !waiting.is_queued || waiting.queue_ticket != entry.ticket || !waiting.is_waiting();
        if (!stale && !show_next(row, dialing, entry)) {
            if (!dialing.skips.contains(id)) return;  // nobody for anybody
            dialing.ready.push_back(entry);           // for later: the others first
        }
        dialing.ready.pop_front();
        if (dialing.shown.contains(id)) --room;
    }
}

bool Engine::Internals::show_next(CampaignRow& row, DialingRuntime& dialing, QueueEntry entry) {
    auto& waiting = touch(entry.row);
    const auto id = waiting.id;
    const auto contact = waiting.contact;
    routing::Router::Reserve wanted{.item = {.item = ids.next(now), .queue = dialing.plan.queue, .channel = "voice", .priority = {}}, .preview = true};
    if (const auto skips = dialing.skips.find(id); skips != dialing.skips.end())
        for (const auto& skip : skips->second)
            if (skip.until > now) wanted.not_to.push_back(skip.agent);
    if (!router.can_reserve(wanted, now)) return false;
    waiting.is_queued = false;
    if (!decide_again(entry.row, false)) return true;  // whatever it waits for brings it back
    emit(contact, InteractionOpened{.id = wanted.item.item, .channel = "voice", .account = dialing.plan.account, .queue = dialing.plan.queue,
                                    .campaign = row.id, .state = "queued", .reason = {}, .touch = id, .address = touch(entry.row).address, .priority = 50});
    dialing.shown[id] = {.interaction = wanted.item.item, .accepted = false};
    if (std::find(showing.begin(), showing.end(), &row) == showing.end()) showing.push_back(&row);
    if (router.reserve(wanted, now)) return true;
    end_interaction(wanted.item.item, "cancelled", {}, {}, "no_agent", {});
    list_again(dialing, id, true);
    return true;
}

void Engine::Internals::look_at_shown() {
    for (auto* row : std::vector<CampaignRow*>{showing}) {
        auto* dialing = dialing_of(*row);
        if (dialing == nullptr || (!routing_stirred && now < dialing->look_at && row->state == "running")) continue;
        for (const auto& [id, shown] : std::map<TouchId, DialingRuntime::Shown>{dialing->shown}) {
            if (shown.accepted) continue;
            const auto number = row_of(id);
            const bool stands = row->state == "running" && number != 0 && touch(number).is_waiting() && touch(number).verdict == policy::Verdict::allow;
            const bool offered = router.item(shown.interaction).has_value();
            if (stands && offered) continue;
            if (offered) end_interaction(shown.interaction, "cancelled", {}, {}, "withdrawn", {});
            list_again(*dialing, id, true);
        }
    }
    std::erase_if(showing, [&](CampaignRow* row) { return dialing_of(*row) == nullptr || dialing_of(*row)->shown.empty(); });
}

void Engine::Internals::list_again(DialingRuntime& dialing, const TouchId& id, bool in_front) {
    dialing.shown.erase(id);
    dialing.look_at = Instant::min();
    const auto row = row_of(id);
    if (row == 0) return;
    auto& waiting = touch(row);
    // What is not allowed now is brought back by whatever it waits for.
    if (!waiting.is_waiting() || waiting.verdict != policy::Verdict::allow || waiting.retry_at > now || waiting.is_queued) return;
    waiting.is_queued = true;
    const QueueEntry entry{.row = row, .ticket = ++waiting.queue_ticket};
    if (in_front) dialing.ready.push_front(entry);
    else dialing.ready.push_back(entry);
}

void Engine::Internals::note_passed_over(const Uuid& interaction, const std::string& agent, std::int64_t until) {
    const auto found = state.interactions.find(interaction);
    if (found == state.interactions.end() || until == 0) return;
    if (const auto place = shown_as(found->second); place.shown != nullptr) place.dialing->skips[found->second.touch].push_back({.agent = agent, .until = from_unix_ms(until)});
}

// ---- dialling

Engine::Internals::ShownPlace Engine::Internals::shown_as(const Interaction& interaction) {
    auto* dialing = interaction.touch.is_nil() ? nullptr : dialing_of(interaction.touch);
    if (dialing == nullptr) return {};
    const auto found = dialing->shown.find(interaction.touch);
    if (found == dialing->shown.end() || found->second.interaction != interaction.id) return {};
    return {.dialing = dialing, .shown = &found->second};
}

Result<void> Engine::Internals::may_dial_shown(const std::string& agent, const Uuid& interaction) {
    const auto found = state.interactions.find(interaction);
    const auto place = found == state.interactions.end() ? ShownPlace{} : shown_as(found->second);
    if (place.shown == nullptr) return refused("stale_offer", "the recipient is not shown any more");
    if (extension_of(agent).empty()) return refused("not_configured", "no telephone is configured for you");
    const auto account = account_numbers.find(place.dialing->plan.account);
    if (account == account_numbers.end() || !accounts[account->second].up) return refused("wrong_state", "the telephone system cannot be reached");
    const auto id = found->second.touch;
    const auto row = row_of(id);
    if (row != 0 && touch(row).is_waiting() && decide_again(row, false)) return {};
    // Something has come in between since he was shown.
    const bool decided = row != 0 && (touch(row).is_waiting() || touch(row).state == TouchState::blocked);
    const auto rule = decided ? std::string{view(row, nullptr).decision.rule()} : std::string{};
    end_interaction(interaction, "cancelled", {}, {}, "withdrawn", {});
    list_again(*place.dialing, id, true);
    if (!decided) return refused("stale_offer", "the touch was called off");
    return refused("policy_denied", rule.empty() ? "the policy does not allow it now" : "not allowed now by rule " + rule);
}

void Engine::Internals::dial_shown(Interaction& interaction) {
    const auto place = shown_as(interaction);
    const auto row = row_of(interaction.touch);
    if (place.shown == nullptr || place.shown->accepted || row == 0) return;
    place.shown->accepted = true;
    const auto id = interaction.id;
    const auto agent = interaction.agent;
    const auto& plan = place.dialing->plan;
    const auto& names = state.profiles.at(chosen_profile(touch(row)));
    const auto address = touch(row).address;
    // Without its touch, until that has its permit: a call whose customer was never dialled is no attempt.
    note_call_fact(voice::CallStarted{.call = id, .account = plan.account, .did = {}, .queue = plan.queue, .agent = agent, .outbound = true, .touch = {}, .attempt = 0,
                                      .sealed = seal_for(interaction.contact, CallSecret{.from = extension_of(agent), .to = state.addresses[address].value})});
    call_purposes[id] = {.purpose = std::string{state.symbols.name(names.purpose)}, .campaign = std::string{state.symbols.name(names.campaign)}, .queue = plan.queue, .address = address,
                         .offer = {}, .ref = 0, .shown = true, .agent_came = false};
    with_call(id, [&](voice::Machine& machine) { machine.begin_by_agent(agent); });
}

void Engine::Internals::permit_shown(const Uuid& call) {
    const auto found = state.interactions.find(call);
    const auto place = found == state.interactions.end() ? ShownPlace{} : shown_as(found->second);
    const auto row = place.shown == nullptr ? 0 : row_of(found->second.touch);
    if (row != 0 && touch(row).is_waiting() && decide_again(row, false)) {
        calls_to_permit[found->second.touch] = call;
        enqueue(row);
        return;
    }
    with_call(call, [](voice::Machine& machine) { machine.refused(); });
}

void Engine::Internals::refuse_call(const TouchId& id) {
    const auto waiting = calls_to_permit.find(id);
    if (waiting == calls_to_permit.end()) return;
    const auto call = waiting->second;
    calls_to_permit.erase(waiting);
    // An agent who dialled himself does not wait for another time; who is in a campaign's list does.
    if (const auto row = row_of(id); row != 0 && touch(row).is_waiting() && touch(row).origin == policy::Origin::agent) cancel(row, "agent_waits");
    with_call(call, [](voice::Machine& machine) { machine.refused(); });
}

bool Engine::Internals::end_undialled(const voice::CallEnded& ended, Interaction& interaction) {
    if (!ended.outbound || !ended.touch.is_nil() || interaction.touch.is_nil()) return false;
    const auto id = interaction.id;
    const auto purpose = call_purposes.find(id);
    const auto account = account_numbers.find(state.symbols.name(interaction.account));
    const bool his_fault = purpose != call_purposes.end() && !purpose->second.agent_came && account != account_numbers.end() && accounts[account->second].up;
    if (const auto item = router.item(id); item && item->state == routing::ItemState::recovering) (void)router.set_recovering(id, false, {}, now);
    // There was no customer and so nothing to wrap up.
    if (!his_fault || !router.unanswered(id, "no_answer", now)) end_interaction(id, "cancelled", ended.outcome, {}, ended.hung_up_by == "agent" ? "agent" : "api", {});
    if (const auto place = shown_as(interaction); place.shown != nullptr) list_again(*place.dialing, interaction.touch, true);
    return true;
}

}  // namespace touchgate
