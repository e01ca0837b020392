// Who gets a lead, and what he is told.

#include <algorithm>

#include "gateway/engine/lead_facts.hpp"
#include "gateway/engine/working_hours.hpp"
#include "gateway/leads/texts.hpp"
#include "gateway/policy/zones.hpp"

namespace touchgate {

// Agents with a desk, as the routing core knows them, and those whom only `lead_routing.agents` names. Made once a turn.
const std::vector<leads::Agent>& Engine::Internals::lead_agents() {
    auto& cache = lead_routing;
    if (cache.agents_of == counters.turns && cache.agents_of != 0) return cache.agents;
    cache.agents_of = counters.turns;
    cache.agents.clear();
    cache.agent_places.clear();
    const auto& terms = cache.definition;
    const auto add = [&](leads::Agent agent, const leads::AgentTerms* own) {
        agent.max_open = own != nullptr && own->max_open ? own->max_open : terms.max_open;
        agent.max_per_day = own != nullptr && own->max_per_day ? own->max_per_day : terms.max_per_day;
        if (own != nullptr && own->weight) agent.weight = *own->weight;
        if (const auto known = state.leads.owners.find(agent.id); known != state.leads.owners.end()) {
            agent.open = known->second.open;
            agent.today = known->second.day == lead_day(now) ? known->second.today : 0;
            agent.turn = known->second.turn;
            agent.share = known->second.share;
        }
        cache.agent_places[agent.id] = cache.agents.size();
        cache.agents.push_back(std::move(agent));
    };
    for (const auto id : router.agents()) {
        const auto view = router.agent(id);
        if (!view) continue;
        const auto& defined = *view->definition;
        leads::Agent agent{.id = std::string{id}, .unit = defined.unit, .skills = defined.skills, .weight = std::max(defined.share, 0.001)};
        // Who supervises only does not sell.
        agent.disabled = defined.disabled || (defined.role == routing::Role::supervisor && defined.queues.empty());
        agent.on_shift = hours_at(defined.shift, now, settings.time_zone, calendars).open;
        agent.ready = view->session == routing::Session::signed_in && view->intent == routing::Intent::ready;
        if (defined.absent && defined.absent->from <= now && now < defined.absent->to) {
            agent.absent = true;
            agent.delegate = defined.absent->delegate;
        }
        const auto own = terms.agents.find(id);
        add(std::move(agent), own == terms.agents.end() ? nullptr : &own->second);
    }
    for (const auto& [id, own] : terms.agents) {
        if (!own.external || cache.agent_places.contains(id)) continue;
        add({.id = id, .unit = own.unit, .skills = own.skills, .on_shift = own.shift.is_open(now)}, &own);
    }
    return cache.agents;
}

bool Engine::Internals::assign_lead(const Uuid& id, std::string_view cause) {
    const auto* lead = state.leads.find(id);
    if (lead == nullptr || lead->is_closed()) return false;
    const auto& terms = lead_routing.definition;
    const bool answer_missing = cause == "overdue";
    leads::Need need{.unit = lead->unit, .widen = terms.widen, .skills = {}, .only = {}, .except = lead->had, .owner = {}, .owner_first = terms.owner_first,
                     .require_ready = terms.require_ready, .strategy = terms.strategy};
    if (!lead->owner.empty()) need.except.push_back(lead->owner);
    if (const auto& extras = state.contacts[lead->contact.value].extras; extras && !answer_missing) need.owner = extras->owner;
    std::string rule_name;
    {
        const LeadFacts facts{*this, *lead};
        const auto rule = std::find_if(terms.rules.begin(), terms.rules.end(), [&](const leads::RoutingRule& each) { return each.when.holds(facts.facts, now); });
        if (rule != terms.rules.end()) {
            rule_name = rule->name;
            if (rule->pool) return false;
            if (rule->unit) need.unit = *rule->unit;
            need.skills = rule->skills;
            need.only = rule->agents;
            need.strategy = rule->strategy.value_or(need.strategy);
        }
    }
    need.work = terms.work.at(lead->grade);
    need.work_max = terms.work_max();
    auto choice = leads::choose(need, lead_agents());
    if (choice.agent.empty()) return false;
    choice.trace.rule = rule_name;
    give_lead(id, choice, cause, {}, leads::Stage::assigned);
    return true;
}

void Engine::Internals::give_lead(const Uuid& id, const leads::Choice& choice, std::string_view cause, std::string_view by, leads::Stage stage) {
    const auto& lead = *state.leads.find(id);
    const auto& terms = lead_routing.definition.promptness_of(lead.grade);
    const auto after = [&](const std::optional<Duration>& amount) {
        if (!amount) return instant_never;
        const auto instant = lead_routing.definition.hours.after(now, *amount);
        return instant == instant_never ? now + *amount : instant;
    };
    const auto owner = choice.agent;
    const auto before = lead.owner;
    emit(lead.contact, LeadAssigned{.id = id, .callback = lead.callback, .owner = owner, .cause = std::string{cause}, .by = std::string{by}, .stage = stage,
                                    .due_at = after(terms.first_response), .remind_at = after(terms.remind_after), .supervisor_at = after(terms.supervisor_after),
                                    .reassign_at = after(terms.reassign_after), .protected_until = now + lead_routing.definition.protection, .turn = choice.turn,
                                    .share = choice.share, .trace = choice.trace});
    // What was looked up for this turn goes on being true.
    for (const auto& agent : {owner, before}) {
        const auto place = lead_routing.agent_places.find(agent);
        const auto row = state.leads.owners.find(agent);
        if (agent.empty() || lead_routing.agents_of != counters.turns || place == lead_routing.agent_places.end() || row == state.leads.owners.end()) continue;
        auto& kept = lead_routing.agents[place->second];
        kept.open = row->second.open;
        kept.today = row->second.day == lead_day(now) ? row->second.today : 0;
        kept.turn = row->second.turn;
        kept.share = row->second.share;
    }
    message_employee(owner, lead, "message.assigned");
}

std::vector<std::string> Engine::Internals::supervisors_of(const std::string& agent, std::string_view unit) const {
    std::vector<std::string> found;
    const auto own = lead_routing.definition.agents.find(agent);
    if (own != lead_routing.definition.agents.end() && !own->second.supervisor.empty()) found.push_back(own->second.supervisor);
    const auto view = router.agent(agent);
    for (const auto id : router.agents()) {
        const auto other = router.agent(id);
        if (!other || other->definition->role != routing::Role::supervisor || other->definition->disabled || id == agent) continue;
        const auto& supervises = other->definition->supervises;
        const bool fits = std::any_of(supervises.begin(), supervises.end(), [&](const std::string& what) {
            if (!unit.empty() && policy::is_unit_within(unit, what)) return true;
            if (!view) return false;
            const auto& queues = view->definition->queues;
            return policy::is_unit_within(view->definition->unit, what) || std::any_of(queues.begin(), queues.end(), [&](const routing::Membership& each) { return each.queue == what; });
        });
        if (fits && std::find(found.begin(), found.end(), id) == found.end()) found.emplace_back(id);
    }
    return found;
}

// A message in the employee's WeCom: a touch like any other, which the policy may hold back.
void Engine::Internals::message_employee(const std::string& agent, const LeadRow& lead, std::string_view text_key) {
    const auto& account = lead_routing.definition.notify_account;
    if (account.empty() || !account_numbers.contains(account) || refusal()) return;
    std::string member;
    if (const auto view = router.agent(agent)) member = view->definition->wecom_userid;
    if (const auto own = lead_routing.definition.agents.find(agent); member.empty() && own != lead_routing.definition.agents.end()) member = own->second.wecom_userid;
    if (member.empty()) return;
    const auto language = [&] {
        const auto view = router.agent(agent);
        return view && !view->definition->language.empty() ? view->definition->language : settings.default_locale;
    }();
    const auto shown = details(lead);
    std::string due;
    if (const auto* zone = policy::Zone::find(settings.time_zone)) due = format_instant(Instant{zone->local(lead.due_at).time_since_epoch()}).substr(5, 11);
    std::replace(due.begin(), due.end(), 'T', ' ');
    TouchRequest request;
    request.key = "lead:" + to_string(lead.id) + ":" + std::to_string(lead.assignments) + ":" + std::string{text_key} + ":" + agent;
    request.body_hash = index_hash(request.key);
    request.contact.address = Address{.kind = AddressKind::external_userid, .value = member};
    request.purpose = "service";
    request.channels = {account};
    request.unit = lead.unit;
    request.priority = 80;
    request.content.text = leads::text(text_key, language, {{"grade", std::string{leads::to_string(lead.grade)}}, {"product", lead.product.empty() ? "-" : lead.product},
                                                            {"source", lead.touchpoints.back().source}, {"name", shown.contact_name.empty() ? shown.contact_phone : shown.contact_name},
                                                            {"owner", lead.owner.empty() ? leads::text("nobody", language) : lead.owner}, {"due", due}, {"link", link_of(lead).url}});
    (void)submit(request, policy::Detail::none, nullptr);
}

}  // namespace touchgate
