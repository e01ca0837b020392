// Leads: captured from what customers do and what callers report, told apart from those that are there already, and scored.

#include <algorithm>

#include "gateway/base/text.hpp"
#include "gateway/engine/internals.hpp"
#include "gateway/engine/lead_facts.hpp"

namespace touchgate {

namespace {

constexpr Duration touch_before{std::chrono::hours{24 * 30}};  // within which a touch is taken to have led to the lead

std::vector<LoggedAttribute> logged(const AttributeMap& attributes) {
    std::vector<LoggedAttribute> list;
    for (const auto& [name, value] : attributes) {
        LoggedAttribute made{.name = name, .kind = static_cast<std::uint8_t>(value.index()), .number = 0, .text = {}};
        if (const auto* flag = std::get_if<bool>(&value)) made.number = *flag ? 1 : 0;
        else if (const auto* number = std::get_if<double>(&value)) made.number = *number;
        else made.text = std::get<std::string>(value);
        list.push_back(std::move(made));
    }
    return list;
}

policy::AttributeValue value_of(const LoggedAttribute& attribute) {
    if (attribute.kind == 0) return attribute.number != 0;
    if (attribute.kind == 1) return attribute.number;
    return attribute.text;
}

// The newest touch that reached somebody before the lead came: what brought it, as far as anybody can tell.
ProfileId touch_before_lead(const Engine::Internals& in, ContactIndex contact) {
    const auto& history = in.state.contacts[contact.value].history;
    for (auto i = history.size(); i-- > 0 && in.now - history[i].at <= touch_before;)
        if (history[i].slot == policy::Slot::counted) return history[i].profile;
    return {};
}

Error not_found(const Uuid& id) { return {.kind = ErrorKind::not_found, .detail = "there is no lead " + to_string(id)}; }

// The first lead of the same person and product that is young enough; null: there is none.
LeadRow* duplicate_in(Engine::Internals& in, ContactIndex contact, const std::string& product) {
    const auto& terms = in.lead_routing.definition;
    LeadRow* first = nullptr;
    const auto look = [&](ContactIndex of) {
        const auto known = in.state.leads.by_contact.find(of.value);
        if (known == in.state.leads.by_contact.end()) return;
        for (const auto& id : known->second) {
            auto* lead = in.state.leads.find(id);
            if (lead == nullptr || lead->product != product || lead->created_at + terms.dedupe_window <= in.now) continue;
            if (lead->is_closed() && !terms.dedupe_closed) continue;
            if (first == nullptr || lead->id < first->id) first = lead;
        }
    };
    look(contact);
    for (const auto other : in.merged_with(contact)) look(other);
    return first;
}

}  // namespace

void Engine::Internals::compile_leads() {
    std::vector<Problem> problems;
    auto made = leads::parse_definition(settings.lead_routing.is_object() ? settings.lead_routing : Json::object(), "/lead_routing",
                                        {.symbols = state.symbols, .calendars = calendars, .default_zone = settings.time_zone}, problems);
    // The configuration's check names what is wrong; a calendar may have gone since: then what was in force stays.
    if (problems.empty() || lead_routing.definition.promptness.empty()) lead_routing.definition = std::move(made);
    lead_routing.agents_of = 0;
    rebuild_leads();
}

std::uint32_t Engine::Internals::lead_stages_of(ContactIndex contact) const {
    if (state.leads.rows.empty()) return 0;
    std::uint32_t stages = 0;
    const auto add = [&](ContactIndex of) {
        const auto known = state.leads.by_contact.find(of.value);
        if (known == state.leads.by_contact.end()) return;
        for (const auto& id : known->second)
            if (const auto lead = state.leads.rows.find(id); lead != state.leads.rows.end()) stages |= 1U << (static_cast<unsigned>(lead->second.stage) - 1);
    };
    add(contact);
    for (const auto other : merged_with(contact)) add(other);
    return stages;
}

LeadFacts::LeadFacts(const Engine::Internals& in, const LeadRow& lead) {
    const auto& contact = in.state.contacts[lead.contact.value];
    auto& view = facts.contact;
    view.time_zone = in.state.symbols.name(contact.time_zone);
    if (contact.extras) {
        attributes = contact.extras->attributes;
        view.tags = contact.extras->tags;
        view.acts = contact.extras->acts;
        for (const auto& [channel, at] : contact.extras->last_inbound) view.last_inbound = std::max(view.last_inbound, at);
    }
    for (const auto& attribute : lead.attributes) attributes[attribute.name] = value_of(attribute);
    view.attributes = &attributes;
    view.lead_stages = in.lead_stages_of(lead.contact);
    if (in.settings.phones)
        for (const auto number : contact.addresses)
            if (in.state.addresses[number].kind == AddressKind::phone) {
                const auto& fact = in.settings.phones->of(in.state.addresses[number].value);
                facts.address.region = fact.region;
                facts.address.carrier = fact.carrier;
                facts.address.zones = fact.zones;
                break;
            }
    for (const auto& each : lead.touchpoints) touchpoints.push_back({.source = each.source, .at = each.at});
    facts.touchpoints = touchpoints;
    facts.product = lead.product;
    facts.unit = lead.unit;
    facts.default_zone = in.settings.time_zone;
}

leads::Score Engine::Internals::score_of(const LeadRow& lead) const { return leads::score(lead_routing.definition.scoring, LeadFacts{*this, lead}.facts, now); }

Result<LeadDetails> Engine::Internals::take_lead(const LeadInput& input, ContactIndex known) {
    const auto key = input.key.empty() ? crypto::Hash128{} : key_hash(input.unit, "lead\n" + input.key);
    if (!input.key.empty())
        if (const auto found = state.leads.keys.find(key); found != state.leads.keys.end()) {
            auto* lead = state.leads.find(found->second.lead);
            if (lead != nullptr && found->second.body != input.body_hash)
                return Error{.kind = ErrorKind::conflict, .detail = "the key was used with another body", .problems = {}, .retry_after_s = 0, .reference = to_string(lead->id)};
            if (lead != nullptr) {
                auto shown = details(*lead);
                shown.duplicate = true;
                shown.is_duplicate_of = lead->keys.empty() || lead->keys.front().key != key;
                return shown;
            }
        }
    const auto at = input.at.value_or(now);
    if (at > now + std::chrono::minutes{5}) return invalid("/at", "lies in the future");
    if (!input.callback.empty() && std::find(settings.callbacks.begin(), settings.callbacks.end(), input.callback) == settings.callbacks.end())
        return invalid("/callback", "the configuration has no callback \"" + input.callback + "\"");
    auto contact = known;
    if (contact.value == 0) {
        std::uint32_t address = 0;
        const auto resolved = resolve(input.contact, true, address);
        if (!resolved) return resolved.error();
        contact = *resolved;
    }
    if (!input.name.empty())
        if (auto values = secret_of(contact); values.name.empty()) {
            values.name = input.name;
            const auto* extras = state.contacts[contact.value].extras.get();
            const auto sealed = seal_for(contact, values);
            emit(contact, ContactUpdated{.owner = extras ? extras->owner : std::string{}, .unit = extras ? extras->unit : std::string{},
                                         .legal_hold = extras != nullptr && extras->legal_hold, .sealed = sealed});
        }

    const auto sealed_of = [&] { return seal_for(contact, LeadSecret{.key = input.key, .attributes = logged(input.attributes)}); };
    const auto with = [&](LeadRow lead) {  // as it will be, for its score
        lead.contact = contact;
        lead.touchpoints.push_back({.source = input.source, .evidence = {}, .at = std::min(at, now)});
        for (auto& attribute : logged(input.attributes)) {
            std::erase_if(lead.attributes, [&](const LoggedAttribute& each) { return each.name == attribute.name; });
            lead.attributes.push_back(std::move(attribute));
        }
        return score_of(lead);
    };
    if (auto* first = duplicate_in(*this, contact, input.product)) {
        const auto id = first->id;
        const auto score = with(*first);
        const auto sealed = first->contact == contact ? sealed_of() : seal_for(first->contact, LeadSecret{.key = input.key, .attributes = logged(input.attributes)});
        emit(first->contact, LeadTouched{.id = id, .callback = first->callback, .source = input.source, .key_name = input.key_name, .evidence = input.evidence, .has_key = !input.key.empty(),
                                         .key_hash = key, .body_hash = input.body_hash, .at = std::min(at, now), .score = static_cast<std::uint8_t>(score.value),
                                         .grade = score.grade, .sealed = sealed});
        // He asks again: what waits in the pool is worth another look.
        if (leads::is_in_pool(state.leads.find(id)->stage)) (void)assign_lead(id, "capture");
        auto shown = details(*state.leads.find(id));
        shown.is_duplicate_of = true;
        return shown;
    }

    LeadRow blank;
    blank.product = input.product;
    blank.unit = input.unit;
    const auto score = with(blank);
    const auto& terms = lead_routing.definition.promptness_of(score.grade);
    const auto after = [&](Duration amount) {
        const auto instant = lead_routing.definition.hours.after(now, amount);
        return instant == instant_never ? now + amount : instant;
    };
    const auto id = ids.next(now);
    const auto sealed = sealed_of();
    emit(contact, LeadCreated{.id = id, .callback = input.callback, .source = input.source, .product = input.product, .unit = input.unit, .key_name = input.key_name,
                              .evidence = input.evidence, .has_key = !input.key.empty(), .key_hash = key, .body_hash = input.body_hash, .at = std::min(at, now),
                              .score = static_cast<std::uint8_t>(score.value), .grade = score.grade, .due_at = after(terms.first_response),
                              .supervisor_at = terms.supervisor_after ? after(*terms.supervisor_after) : instant_never, .touch = touch_before_lead(*this, contact), .sealed = sealed});
    (void)assign_lead(id, "capture");
    return details(*state.leads.find(id));
}

void Engine::Internals::capture_lead(ContactIndex contact, const std::string& source, const std::string& unit, const std::string& evidence) {
    const auto* rule = lead_routing.definition.source(source);
    if (rule == nullptr || contact.value == 0 || refusal()) return;
    LeadInput input{.contact = {}, .source = source, .product = rule->product, .unit = rule->unit.empty() ? unit : rule->unit, .evidence = evidence};
    if (input.unit.empty() && state.contacts[contact.value].extras) input.unit = state.contacts[contact.value].extras->unit;
    (void)take_lead(input, contact);
}

void Engine::Internals::capture_by_keyword(ContactIndex contact, std::string_view channel, std::string_view account, std::string_view text, const std::string& evidence) {
    if (lead_routing.definition.keywords.empty() || contact.value == 0 || refusal()) return;
    const auto said = to_lower_ascii(trim(text));
    for (const auto& rule : lead_routing.definition.keywords) {
        if (!rule.matches(channel, account, said)) continue;
        LeadInput input{.contact = {}, .source = rule.source, .product = rule.product, .unit = rule.unit, .evidence = evidence};
        if (input.unit.empty() && state.contacts[contact.value].extras) input.unit = state.contacts[contact.value].extras->unit;
        (void)take_lead(input, contact);
        return;
    }
}

void note_lead_answer(Engine::Internals& in, ContactIndex contact, const std::string& agent, Instant at) {
    const auto known = in.state.leads.by_contact.find(contact.value);
    if (known == in.state.leads.by_contact.end() || agent.empty()) return;
    const auto ids = known->second;
    for (const auto& id : ids)
        if (const auto* lead = in.state.leads.find(id); lead != nullptr && lead->owner == agent && lead->waits_for_answer())
            in.move_lead(id, leads::Stage::contacted, {.to = leads::Stage::contacted, .agent = agent, .via = "desk", .at = std::max(at, lead->created_at)});
}

void Engine::Internals::lead_answered(ContactIndex contact, const std::string& agent) { note_lead_answer(*this, contact, agent, now); }

LeadDetails Engine::Internals::details(const LeadRow& lead) const {
    LeadDetails made;
    made.id = lead.id;
    made.contact_id = state.contact_ids[lead.contact.value];
    const auto& contact = state.contacts[lead.contact.value];
    if (contact.extras) made.contact_name = contact.extras->name;
    for (const auto number : contact.addresses)
        if (state.addresses[number].kind == AddressKind::phone && made.contact_phone.empty()) made.contact_phone = mask_phone(state.addresses[number].value);
    made.product = lead.product;
    made.unit = lead.unit;
    made.owner = lead.owner;
    made.reason = lead.reason;
    made.result = lead.result;
    made.currency = lead.currency;
    made.cause = lead.cause;
    made.stage = lead.stage;
    made.score = score_of(lead);
    made.value_units = lead.value_units;
    made.response_ms = lead.response_ms;
    for (const auto& each : lead.touchpoints) made.touchpoints.push_back({.source = each.source, .evidence = each.evidence, .at = each.at});
    for (const auto& attribute : lead.attributes) made.attributes[attribute.name] = value_of(attribute);
    made.trace = lead.trace;
    made.created_at = lead.created_at;
    made.stage_at = lead.stage_at;
    const auto set = [](std::optional<Instant>& into, Instant at) {
        if (at != Instant::min() && at != instant_never) into = at;
    };
    if (!lead.is_closed() && lead.stage != leads::Stage::recycled) made.due_at = lead.due_at;
    if (!lead.owner.empty()) set(made.protected_until, lead.protected_until);
    set(made.assigned_at, lead.assigned_at);
    set(made.accepted_at, lead.accepted_at);
    set(made.contacted_at, lead.contacted_at);
    set(made.qualified_at, lead.qualified_at);
    set(made.closed_at, lead.closed_at);
    made.recycles = lead.recycles;
    made.reassigns = lead.reassigns;
    made.overdue = lead.overdue;
    return made;
}

// ---- for callers

Result<LeadDetails> LeadBook::capture(const LeadInput& input) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    return in.take_lead(input, {});
}

Result<LeadDetails> LeadBook::find(const Uuid& id) {
    const auto* lead = engine_.internals().state.leads.find(id);
    if (lead == nullptr) return not_found(id);
    return engine_.internals().details(*lead);
}

Result<LeadDetails> LeadBook::find_by_key(const std::string& unit, const std::string& key) {
    auto& in = engine_.internals();
    const auto found = in.state.leads.keys.find(in.key_hash(unit, "lead\n" + key));
    const auto* lead = found == in.state.leads.keys.end() ? nullptr : in.state.leads.find(found->second.lead);
    if (lead == nullptr) return Error{.kind = ErrorKind::not_found, .detail = "there is no lead with the key \"" + key + "\""};
    return in.details(*lead);
}

std::vector<LeadDetails> LeadBook::list(const LeadQuery& query) {
    auto& in = engine_.internals();
    std::vector<LeadDetails> list;
    const auto fits = [&](const LeadRow& lead) {
        if (!query.stage.empty() && leads::to_string(lead.stage) != query.stage) return false;
        if (!query.owner.empty() && lead.owner != query.owner) return false;
        if (!query.product.empty() && lead.product != query.product) return false;
        if (!query.unit.empty() && !policy::is_unit_within(lead.unit, query.unit)) return false;
        if (query.pool && (!lead.owner.empty() || lead.is_closed())) return false;
        return query.source.empty() || std::any_of(lead.touchpoints.begin(), lead.touchpoints.end(), [&](const LeadRow::Touchpoint& each) { return leads::matches_pattern(query.source, each.source); });
    };
    if (!query.contact.empty()) {
        const auto known = in.state.leads.by_contact.find(in.contact_row(query.contact));
        if (known == in.state.leads.by_contact.end()) return list;
        for (const auto& id : known->second)
            if (const auto* lead = in.state.leads.find(id); lead != nullptr && id > query.after && fits(*lead) && list.size() < query.limit) list.push_back(in.details(*lead));
        return list;
    }
    auto& rows = in.state.leads.rows;
    for (auto at = query.after.is_nil() ? rows.begin() : rows.upper_bound(query.after); at != rows.end() && list.size() < query.limit; ++at)
        if (fits(at->second)) list.push_back(in.details(at->second));
    return list;
}

}  // namespace touchgate
