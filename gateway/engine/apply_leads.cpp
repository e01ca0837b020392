// The fold of leads: what their events make of the rows, and what agents are told of them.

#include <algorithm>

#include "gateway/engine/internals.hpp"
#include "gateway/policy/zones.hpp"

namespace touchgate {

std::string_view to_string(OverdueStep step) {
    switch (step) {
        case OverdueStep::none: return "";
        case OverdueStep::reminder: return "reminder";
        case OverdueStep::supervisor: return "supervisor";
        case OverdueStep::reassign: return "reassign";
    }
    return "";
}

std::int64_t Engine::Internals::lead_day(Instant at) const {
    const auto* zone = policy::Zone::find(settings.time_zone);
    return std::chrono::floor<std::chrono::days>(zone == nullptr ? policy::LocalTime{at.time_since_epoch()} : zone->local(at)).time_since_epoch().count();
}

LeadOwnerRow& Engine::Internals::lead_owner(const std::string& id, Instant at) {
    auto& owner = state.leads.owners[id];
    owner.id = id;
    const auto day = lead_day(at);
    if (owner.day != day) {
        owner.day = day;
        owner.today = 0;
    }
    return owner;
}

namespace {

// Of a lead that leaves its owner.
void leave_owner(Engine::Internals& in, const LeadRow& lead, Instant at) {
    if (lead.owner.empty() || lead.is_closed()) return;
    auto& owner = in.lead_owner(lead.owner, at);
    if (owner.open > 0) --owner.open;
}

void add_attributes(LeadRow& lead, std::vector<LoggedAttribute>& given) {
    for (auto& attribute : given) {
        const auto known = std::find_if(lead.attributes.begin(), lead.attributes.end(), [&](const LoggedAttribute& each) { return each.name == attribute.name; });
        if (known == lead.attributes.end()) lead.attributes.push_back(std::move(attribute));
        else *known = std::move(attribute);
    }
}

template <class E> void add_touchpoint(Engine::Internals& in, LeadRow& lead, ContactIndex contact, const E& event) {
    lead.touchpoints.push_back({.source = event.source, .evidence = event.evidence, .at = event.at});
    if (event.has_key) lead.keys.push_back({.key = event.key_hash, .body = event.body_hash});
    lead.score = event.score;
    lead.grade = event.grade;
    if (LeadSecret values; in.unseal_of(contact, event.sealed, values)) add_attributes(lead, values.attributes);
}

}  // namespace

void Engine::Internals::apply(const RecordMeta& meta, const LeadCreated& event) {
    auto& lead = state.leads.rows[event.id];
    lead.id = event.id;
    lead.contact = meta.contact;
    lead.callback = event.callback;
    lead.product = event.product;
    lead.unit = event.unit;
    lead.touch = event.touch;
    lead.created_at = lead.stage_at = lead.last_activity_at = meta.time;
    lead.first_due_at = lead.due_at = event.due_at;
    lead.supervisor_at = event.supervisor_at;
    add_touchpoint(*this, lead, meta.contact, event);
    state.leads.index(lead);
    add_act(meta.contact, "lead.created", event.source, {}, event.at);
    if (meta.replay) return;
    schedule_lead(lead);
    released_contacts.push_back(meta.contact);  // a policy may ask where his leads stand
}

void Engine::Internals::apply(const RecordMeta& meta, const LeadTouched& event) {
    auto* lead = state.leads.find(event.id);
    if (lead == nullptr) return;
    add_touchpoint(*this, *lead, meta.contact, event);
    if (event.has_key) state.leads.keys[event.key_hash] = {.lead = event.id, .body = event.body_hash};
    if (!meta.replay) schedule_lead(*lead);
}

void Engine::Internals::apply(const RecordMeta& meta, const LeadAssigned& event) {
    auto* lead = state.leads.find(event.id);
    if (lead == nullptr) return;
    if (lead->owner != event.owner) {
        leave_owner(*this, *lead, meta.time);
        if (!lead->owner.empty()) {
            lead->had.push_back(lead->owner);
            push_to(lead->owner, {.at = meta.time, .kind = PushKind::notice, .text = "lead_reassigned", .more = to_string(event.id)}, meta);
            ++lead->reassigns;
        }
        ++lead_owner(event.owner, meta.time).open;
    }
    auto& owner = lead_owner(event.owner, meta.time);
    ++owner.today;
    owner.turn = event.turn;
    owner.share = event.share;
    lead->owner = event.owner;
    lead->stage = event.stage;
    lead->cause = event.cause;
    lead->trace = event.trace;
    lead->overdue = OverdueStep::none;
    lead->stage_at = lead->assigned_at = lead->last_activity_at = meta.time;
    lead->accepted_at = event.stage == leads::Stage::accepted ? meta.time : Instant::min();
    lead->contacted_at = lead->qualified_at = Instant::min();
    lead->due_at = event.due_at;
    lead->remind_at = event.remind_at;
    lead->supervisor_at = event.supervisor_at;
    lead->reassign_at = event.reassign_at;
    lead->protected_until = event.protected_until;
    ++lead->assignments;
    push_to(event.owner, {.at = meta.time, .kind = PushKind::lead, .text = to_string(event.id), .more = state.contact_ids[meta.contact.value], .until = unix_ms(event.due_at)}, meta);
    if (meta.replay) return;
    schedule_lead(*lead);
    released_contacts.push_back(meta.contact);
}

template <class Moved> void Engine::Internals::apply_moved(const RecordMeta& meta, const Moved& event) {
    auto* lead = state.leads.find(event.id);
    if (lead == nullptr) return;
    if (leads::is_closed(event.stage) || event.stage == leads::Stage::recycled) leave_owner(*this, *lead, meta.time);
    lead->stage = event.stage;
    lead->stage_at = lead->last_activity_at = meta.time;
    lead->reason = event.reason;
    if (!event.result.empty()) lead->result = event.result;
    if (event.response_ms >= 0 && lead->response_ms < 0) lead->response_ms = event.response_ms;
    switch (event.stage) {
        case leads::Stage::accepted: lead->accepted_at = event.at; break;
        case leads::Stage::contacted: lead->contacted_at = event.at; break;
        case leads::Stage::qualified: lead->qualified_at = event.at; break;
        case leads::Stage::won:
            lead->value_units = event.value_units;
            lead->currency = event.currency;
            [[fallthrough]];
        case leads::Stage::lost:
        case leads::Stage::disqualified: lead->closed_at = event.at; break;
        case leads::Stage::recycled:
            lead->had = lead->owner.empty() ? std::vector<std::string>{} : std::vector{lead->owner};
            lead->owner.clear();
            ++lead->recycles;
            lead->reassigns = 0;
            lead->remind_at = lead->supervisor_at = lead->reassign_at = instant_never;
            lead->protected_until = Instant::min();
            lead->overdue = OverdueStep::none;
            break;
        case leads::Stage::fresh:
        case leads::Stage::assigned: break;
    }
    if (event.protected_until != Instant::min()) lead->protected_until = event.protected_until;
    if (meta.replay) return;
    schedule_lead(*lead);
    released_contacts.push_back(meta.contact);
}
template void Engine::Internals::apply_moved(const RecordMeta&, const LeadAccepted&);
template void Engine::Internals::apply_moved(const RecordMeta&, const LeadContacted&);
template void Engine::Internals::apply_moved(const RecordMeta&, const LeadQualified&);
template void Engine::Internals::apply_moved(const RecordMeta&, const LeadWon&);
template void Engine::Internals::apply_moved(const RecordMeta&, const LeadLost&);
template void Engine::Internals::apply_moved(const RecordMeta&, const LeadRecycled&);

void Engine::Internals::apply(const RecordMeta& meta, const LeadOverdue& event) {
    auto* lead = state.leads.find(event.id);
    if (lead == nullptr) return;
    lead->overdue = event.step;
    const auto kind = event.step == OverdueStep::reminder ? "lead_due" : "lead_overdue";
    for (const auto& agent : event.told) push_to(agent, {.at = meta.time, .kind = PushKind::notice, .text = kind, .more = to_string(event.id)}, meta);
    if (!meta.replay) schedule_lead(*lead);
}

void Engine::Internals::forget_leads_of(ContactIndex contact) {
    const auto known = state.leads.by_contact.find(contact.value);
    if (known == state.leads.by_contact.end()) return;
    for (const auto& id : known->second)
        if (auto* lead = state.leads.find(id)) lead->attributes.clear();
}

}  // namespace touchgate
