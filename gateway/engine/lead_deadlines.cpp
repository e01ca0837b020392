// The clocks of leads: an answer that is due, one that is overdue, silence. All of it follows from the rows, so that it survives every restart.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

namespace {

constexpr Duration try_again{1'000};                            // leads that nobody could be found for
constexpr std::size_t tried_at_once = 64, due_at_once = 256;
constexpr Duration closed_kept{std::chrono::hours{24 * 400}};   // in memory; the log keeps them
constexpr std::size_t room_for_lead = std::size_t{4} << 20U;

struct Due { Instant at = instant_never; OverdueStep step = OverdueStep::none; };

// The next step for want of an answer.
Due overdue_of(const LeadRow& lead) {
    if (lead.owner.empty()) {
        if (lead.stage == leads::Stage::fresh && lead.overdue < OverdueStep::supervisor) return {.at = lead.supervisor_at, .step = OverdueStep::supervisor};
        return {};
    }
    if (!lead.waits_for_answer()) return {};
    for (const auto& [step, at] : {std::pair{OverdueStep::reminder, lead.remind_at}, std::pair{OverdueStep::supervisor, lead.supervisor_at}, std::pair{OverdueStep::reassign, lead.reassign_at}})
        if (lead.overdue < step && at != instant_never) return {.at = at, .step = step};
    return {};
}

// When it has been silent for too long: neither its owner nor the customer did anything.
Instant silent_at(const Engine::Internals& in, const LeadRow& lead) {
    const auto& after = in.lead_routing.definition.recycle_after;
    if (!after || lead.owner.empty() || lead.is_closed()) return instant_never;
    auto last = lead.last_activity_at;
    if (const auto& extras = in.state.contacts[lead.contact.value].extras)
        for (const auto& [channel, at] : extras->last_inbound) last = std::max(last, at);
    return last + *after;
}

}  // namespace

void Engine::Internals::schedule_lead(LeadRow& lead) {
    auto& leads_of = state.leads;
    const auto at = std::min(overdue_of(lead).at, silent_at(*this, lead));
    if (lead.agenda_at != at) {
        if (lead.agenda_at != instant_never) leads_of.agenda.erase({lead.agenda_at, lead.id});
        lead.agenda_at = at;
        if (at != instant_never) leads_of.agenda.emplace(at, lead.id);
    }
    const bool wanted = lead.owner.empty() && (lead.stage == leads::Stage::fresh || (lead.stage == leads::Stage::recycled && lead_routing.definition.assign_recycled));
    if (wanted) leads_of.fresh.insert(lead.id);
    else leads_of.fresh.erase(lead.id);
}

void Engine::Internals::rebuild_leads() {
    state.leads.agenda.clear();
    state.leads.fresh.clear();
    for (auto& [id, lead] : state.leads.rows) {
        lead.agenda_at = instant_never;
        schedule_lead(lead);
    }
}

std::optional<Instant> Engine::Internals::leads_due_at() const {
    auto at = state.leads.agenda.empty() ? instant_never : state.leads.agenda.begin()->first;
    if (!state.leads.fresh.empty()) at = std::min(at, lead_routing.try_again_at);
    return at == instant_never ? std::nullopt : std::optional{at};
}

void Engine::Internals::run_leads() {
    auto& leads_of = state.leads;
    for (std::size_t i = 0; i < due_at_once && !leads_of.agenda.empty() && leads_of.agenda.begin()->first <= now && parts.log.room() >= room_for_lead; ++i) {
        const auto id = leads_of.agenda.begin()->second;
        auto& lead = leads_of.rows.at(id);
        const auto due = overdue_of(lead);
        if (due.at <= now) {
            std::vector<std::string> told;
            if (due.step == OverdueStep::reminder) told.push_back(lead.owner);
            else told = supervisors_of(lead.owner, lead.unit);
            emit(lead.contact, LeadOverdue{.id = id, .callback = lead.callback, .step = due.step, .owner = lead.owner, .told = told});
            for (const auto& agent : told)
                message_employee(agent, lead, due.step == OverdueStep::reminder ? "message.reminder" : lead.owner.empty() ? "message.unowned" : "message.supervisor");
            if (due.step != OverdueStep::reassign) continue;
            // To somebody else; if there is nobody, its owner keeps it until silence takes it from him.
            if (static_cast<int>(lead.reassigns) >= lead_routing.definition.max_reassigns) recycle_lead(id, {.to = leads::Stage::recycled, .reason = "unanswered", .via = "gateway"});
            else (void)assign_lead(id, "overdue");
            continue;
        }
        if (silent_at(*this, lead) <= now) {
            recycle_lead(id, {.to = leads::Stage::recycled, .reason = "silent", .via = "gateway"});
            continue;
        }
        schedule_lead(lead);  // the customer has written since
    }
    if (!leads_of.fresh.empty() && lead_routing.try_again_at <= now) {
        lead_routing.try_again_at = now + try_again;
        std::vector<Uuid> some;
        for (auto at = leads_of.fresh.upper_bound(lead_routing.tried_up_to); at != leads_of.fresh.end() && some.size() < tried_at_once; ++at) some.push_back(*at);
        lead_routing.tried_up_to = some.size() < tried_at_once ? Uuid{} : some.back();
        for (const auto& id : some)
            if (parts.log.room() >= room_for_lead) (void)assign_lead(id, "retry");
    }
    // What ended long ago leaves the memory, the oldest first.
    if ((counters.turns & 1023U) != 0) return;
    const auto kept = std::max(closed_kept, lead_routing.definition.dedupe_window);
    for (std::size_t i = 0; i < due_at_once && !leads_of.rows.empty(); ++i) {
        const auto& oldest = leads_of.rows.begin()->second;
        if (!oldest.is_closed() || oldest.stage_at + kept > now) break;
        for (const auto& key : oldest.keys) leads_of.keys.erase(key.key);
        if (const auto known = leads_of.by_contact.find(oldest.contact.value); known != leads_of.by_contact.end()) {
            std::erase(known->second, oldest.id);
            if (known->second.empty()) leads_of.by_contact.erase(known);
        }
        leads_of.rows.erase(leads_of.rows.begin());
    }
}

}  // namespace touchgate
