// What is done with a lead: accepted, contacted, qualified, closed, recycled, claimed, given to somebody. Each step is one that its stage allows.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

namespace {

Error conflict(const LeadRow& lead, std::string detail) {
    return {.kind = ErrorKind::conflict, .detail = std::move(detail), .problems = {}, .retry_after_s = 0, .reference = to_string(lead.id)};
}

Error no_lead(const Uuid& id) { return {.kind = ErrorKind::not_found, .detail = "there is no lead " + to_string(id)}; }

std::string protection(const LeadRow& lead) { return "the lead is " + lead.owner + "'s and protected until " + format_instant(lead.protected_until); }

}  // namespace

std::optional<leads::Stage> stage_of_result(std::string_view word) {
    using enum leads::Stage;
    if (word == "accepted") return accepted;
    if (word == "reached" || word == "contacted") return contacted;
    if (word == "visited" || word == "qualified") return qualified;
    if (word == "disqualified") return disqualified;
    if (word == "won") return won;
    if (word == "lost") return lost;
    return std::nullopt;
}

void Engine::Internals::move_lead(const Uuid& id, leads::Stage to, const LeadAct& act) {
    const auto& lead = *state.leads.find(id);
    const auto fill = [&](auto event) {
        event.id = id;
        event.callback = lead.callback;
        event.from = lead.stage;
        event.stage = to;
        event.owner = lead.owner;
        event.by = act.agent;
        event.via = act.via;
        event.at = std::min(act.at.value_or(now), now);
        if (to == act.to) {
            event.reason = act.reason;
            event.result = act.result;
            if (!act.note.empty()) event.sealed = seal_for(lead.contact, LeadNote{act.note});
        }
        if (to == leads::Stage::contacted && lead.response_ms < 0) {
            event.response_ms = lead_routing.definition.hours.between(lead.created_at, event.at).count();
            event.in_time = event.at <= lead.first_due_at;
        }
        if (!leads::is_closed(to) && to != leads::Stage::recycled) event.protected_until = now + lead_routing.definition.protection;
        if (to == leads::Stage::won) {
            event.value_units = act.value_units;
            event.currency = act.currency;
        }
        emit(lead.contact, event);
    };
    switch (to) {
        case leads::Stage::accepted: fill(LeadAccepted{}); break;
        case leads::Stage::contacted: fill(LeadContacted{}); break;
        case leads::Stage::qualified: fill(LeadQualified{}); break;
        case leads::Stage::won: fill(LeadWon{}); break;
        case leads::Stage::lost:
        case leads::Stage::disqualified: fill(LeadLost{}); break;
        case leads::Stage::recycled: fill(LeadRecycled{}); break;
        case leads::Stage::fresh:
        case leads::Stage::assigned: return;
    }
    if (to != act.to) return;
    // The sale, the visit: also a conversion, where the configuration says so.
    const auto& kinds = lead_routing.definition.conversions;
    auto kind = kinds.find(act.result);
    if (kind == kinds.end()) kind = kinds.find(leads::to_string(to));
    if (kind == kinds.end()) return;
    std::string contact_id;
    (void)engine.record_conversion({.key = "lead:" + to_string(id) + ":" + kind->first, .contact = {.id = state.contact_ids[lead.contact.value], .address = {}}, .kind = kind->second,
                                    .value_cents = act.value_units, .currency = act.currency.empty() ? "CNY" : act.currency, .at = std::min(act.at.value_or(now), now)},
                                   contact_id);
}

// Back to the pool, or to somebody else; a lead that came back too often is given up.
void Engine::Internals::recycle_lead(const Uuid& id, const LeadAct& act) {
    const auto& lead = *state.leads.find(id);
    if (static_cast<int>(lead.recycles) >= lead_routing.definition.max_recycles && act.via == "gateway") {
        move_lead(id, leads::Stage::lost, {.to = leads::Stage::lost, .reason = "recycled_too_often", .via = "gateway"});
        return;
    }
    move_lead(id, leads::Stage::recycled, act);
    if (lead_routing.definition.assign_recycled) (void)assign_lead(id, "recycled");
}

void Engine::Internals::close_leads_of(ContactIndex contact, const std::string& reason) {
    const auto known = state.leads.by_contact.find(contact.value);
    if (known == state.leads.by_contact.end()) return;
    const auto ids_of = known->second;
    for (const auto& id : ids_of)
        if (const auto* lead = state.leads.find(id); lead != nullptr && !lead->is_closed())
            move_lead(id, leads::Stage::disqualified, {.to = leads::Stage::disqualified, .reason = reason, .via = "gateway"});
}

// ---- for callers

Result<LeadDetails> LeadBook::act(const Uuid& id, const LeadAct& act) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto* lead = in.state.leads.find(id);
    if (lead == nullptr) return no_lead(id);
    if (!act.agent.empty() && act.agent != lead->owner)
        return conflict(*lead, lead->owner.empty() ? "nobody owns the lead: claim it first" : "the lead is " + lead->owner + "'s, not " + act.agent + "'s");
    if (act.at && *act.at > in.now + std::chrono::minutes{5}) return invalid("/at", "lies in the future");
    if (act.at && *act.at < lead->created_at - std::chrono::seconds{1}) return invalid("/at", "lies before the lead was captured");
    // A report that comes twice says nothing new.
    if (act.walk && lead->stage == act.to) return in.details(*lead);
    const auto way = act.walk ? leads::way_to(lead->stage, act.to) : leads::may_go(lead->stage, act.to) ? std::vector{act.to} : std::vector<leads::Stage>{};
    if (way.empty()) return conflict(*lead, leads::refusal(lead->stage));
    if (act.to == leads::Stage::recycled) in.recycle_lead(id, act);
    else
        for (const auto step : way) in.move_lead(id, step, act);
    return in.details(*in.state.leads.find(id));
}

Result<LeadDetails> LeadBook::claim(const Uuid& id, const std::string& agent) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto* lead = in.state.leads.find(id);
    if (lead == nullptr) return no_lead(id);
    if (lead->is_closed()) return conflict(*lead, leads::refusal(lead->stage));
    if (lead->owner == agent) return conflict(*lead, "the lead is " + agent + "'s already");
    if (!lead->owner.empty() && in.now < lead->protected_until) return conflict(*lead, protection(*lead));
    const auto& agents = in.lead_agents();
    const auto place = in.lead_routing.agent_places.find(agent);
    if (place == in.lead_routing.agent_places.end() || agents[place->second].disabled) return invalid("/agent", "there is no agent \"" + agent + "\"");
    const auto& who = agents[place->second];
    if (!who.has_room()) return conflict(*lead, agent + " has as many leads as he may have");
    leads::Choice choice{.agent = agent, .turn = who.turn, .share = who.share};
    choice.trace.cause = "claim";
    choice.trace.unit = lead->unit;
    in.give_lead(id, choice, "claim", agent, leads::Stage::accepted);
    return in.details(*in.state.leads.find(id));
}

Result<LeadDetails> LeadBook::assign(const Uuid& id, const std::string& agent, const std::string& reason, bool force) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto* lead = in.state.leads.find(id);
    if (lead == nullptr) return no_lead(id);
    if (lead->is_closed()) return conflict(*lead, leads::refusal(lead->stage));
    if (!agent.empty() && lead->owner == agent) return in.details(*lead);
    if (!lead->owner.empty() && in.now < lead->protected_until && !force) return conflict(*lead, protection(*lead) + "; \"force\": true overrides it");
    if (agent.empty()) {
        if (!in.assign_lead(id, "api")) return conflict(*lead, "nobody could be found for the lead");
        return in.details(*in.state.leads.find(id));
    }
    const auto& agents = in.lead_agents();
    const auto place = in.lead_routing.agent_places.find(agent);
    if (place == in.lead_routing.agent_places.end() || agents[place->second].disabled) return invalid("/agent", "there is no agent \"" + agent + "\"");
    leads::Choice choice{.agent = agent, .turn = agents[place->second].turn, .share = agents[place->second].share};
    choice.trace.cause = "api";
    choice.trace.rule = reason;
    choice.trace.unit = lead->unit;
    in.give_lead(id, choice, "api", "api", leads::Stage::assigned);
    return in.details(*in.state.leads.find(id));
}

}  // namespace touchgate
