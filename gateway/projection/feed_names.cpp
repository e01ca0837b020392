#include "gateway/projection/feed_names.hpp"

#include <algorithm>
#include <array>

#include "gateway/engine/event_codec.hpp"
#include "gateway/projection/event_json.hpp"
#include "gateway/routing/parts.hpp"

namespace touchgate::projection {

namespace {

constexpr std::array offer_results = {routing::OfferResult::accepted, routing::OfferResult::rejected, routing::OfferResult::timed_out, routing::OfferResult::rescinded,
                                      routing::OfferResult::cancelled};
constexpr std::array<std::string_view, 5> interaction_ends = {"completed", "abandoned", "flowed_out", "cancelled", "expired"};
constexpr std::array<std::string_view, 3> interaction_states = {"queued", "reserved", "assigned"};
constexpr std::array<std::string_view, 7> task_changes = {"waiting", "sent", "failed", "cancelled", "expired", "cancelling", "reminded"};

std::string_view task_change(TaskStatus status) {
    switch (status) {
        case TaskStatus::waiting: return "waiting";
        case TaskStatus::sent: return "sent";
        case TaskStatus::not_friend:
        case TaskStatus::over_limit: return "failed";
        case TaskStatus::cancelled: return "cancelled";
        case TaskStatus::expired: return "expired";
        case TaskStatus::cancelling: return "cancelling";
        case TaskStatus::reminded: return "reminded";
    }
    return {};
}

std::string joined(std::string_view first, std::string_view second) {
    std::string out{first};
    out.append(second);
    return out;
}

template <class Names> std::vector<std::string> all_of(std::string_view prefix, const Names& names) {
    std::vector<std::string> out;
    for (const auto& name : names) {
        if constexpr (std::is_same_v<std::decay_t<decltype(name)>, routing::OfferResult>) out.push_back(joined(prefix, routing::to_string(name)));
        else out.push_back(joined(prefix, name));
    }
    return out;
}

template <class E, class Take> std::string from(const Record& record, Take&& take) {
    E event;
    return decode(record.payload, event) ? std::string{take(event)} : std::string{};
}

// Of a record that begins with the uuid of what it is about.
Uuid leading_uuid(const Record& record) {
    ByteReader in{record.payload};
    Uuid id{};
    FieldReader{in}(id);
    return id;
}
std::string leading_id(const Record& record) {
    const auto id = leading_uuid(record);
    return to_string(routing::whole_of(id).value_or(id));
}

// Who hands a call on wraps up his part of it: "interaction.part_wrapping" is not the interaction's end.
constexpr std::array part_types = {EventType::interaction_assigned, EventType::interaction_phase, EventType::interaction_wrapping, EventType::interaction_closed};
bool is_part(const Record& record) {
    return std::find(part_types.begin(), part_types.end(), static_cast<EventType>(record.type)) != part_types.end() && routing::whole_of(leading_uuid(record));
}
std::string part_name(std::string name) { return name.insert(name.find('.') + 1, "part_"); }

std::string name_of(const Record& record) {
    switch (const auto type = static_cast<EventType>(record.type)) {
        case EventType::offer_made: return "offer.created";
        case EventType::offer_ended: return from<OfferEnded>(record, [](const OfferEnded& e) { return joined("offer.", routing::to_string(e.result)); });
        // Where no queue takes it, that is all that becomes of it.
        case EventType::interaction_opened: return from<InteractionOpened>(record, [](const InteractionOpened& e) { return e.state == "flowed_out" ? "interaction.flowed_out" : "interaction.opened"; });
        case EventType::interaction_closed: return from<InteractionClosed>(record, [](const InteractionClosed& e) { return joined("interaction.", e.state); });
        case EventType::interaction_state: return from<InteractionStateChanged>(record, [](const InteractionStateChanged& e) { return joined("interaction.", e.state); });
        case EventType::touch_handed_over: return "task.created";
        case EventType::touch_task_changed: return from<TouchTaskChanged>(record, [](const TouchTaskChanged& e) { return joined("task.", task_change(e.status)); });
        default: return std::string{event_name(type)};
    }
}

std::vector<std::string> names_of(EventType type) {
    switch (type) {
        case EventType::offer_made: return {"offer.created"};
        case EventType::offer_ended: return all_of("offer.", offer_results);
        case EventType::interaction_opened: return {"interaction.opened", "interaction.flowed_out"};
        case EventType::interaction_closed: return all_of("interaction.", interaction_ends);
        case EventType::interaction_state: return all_of("interaction.", interaction_states);
        case EventType::touch_handed_over: return {"task.created"};
        case EventType::touch_task_changed: return all_of("task.", task_changes);
        default: break;
    }
    const auto name = event_name(type);
    return name.empty() ? std::vector<std::string>{} : std::vector<std::string>{std::string{name}};
}

bool is_call_event(EventType type) { return (type >= EventType::call_started && type <= EventType::recording_accessed) || type == EventType::call_line || type == EventType::recording_deleted; }

}  // namespace

bool is_lead_event(EventType type) { return type >= EventType::lead_created && type <= EventType::lead_overdue; }
bool is_campaign_event(EventType type) { return type >= EventType::campaign_created && type <= EventType::campaign_audience_removed; }

std::string leading_name(const Record& record) {
    ByteReader in{record.payload};
    return std::string{in.text()};
}

std::string feed_name(const Record& record) { return is_part(record) ? part_name(name_of(record)) : name_of(record); }

std::vector<std::string> feed_names(EventType type) {
    auto names = names_of(type);
    if (std::find(part_types.begin(), part_types.end(), type) == part_types.end()) return names;
    const auto count = names.size();
    for (std::size_t i = 0; i < count; ++i) names.push_back(part_name(names[i]));
    return names;
}

std::string feed_subject(const Record& record, const NameSource& names) {
    const auto type = static_cast<EventType>(record.type);
    if (is_touch_event(type) || is_receipt_event(type))
        if (const auto touch = touch_of(record)) return to_string(*touch);
    if (is_lead_event(type) || is_call_event(type)) return leading_id(record);
    if (is_campaign_event(type)) return leading_name(record);
    switch (type) {
        case EventType::account_up:
        case EventType::account_down:
        case EventType::calendar_updated:
        case EventType::suppression_added:
        case EventType::suppression_removed:
        case EventType::template_registered:
        case EventType::agent_updated:
        case EventType::queue_updated:
        case EventType::agent_session:
        case EventType::agent_intent:
        case EventType::agent_health:
        case EventType::agent_state:
        case EventType::agent_noticed: return leading_name(record);
        case EventType::hold_set:
        case EventType::hold_lifted:
        case EventType::interaction_opened:
        case EventType::interaction_closed:
        case EventType::interaction_queued:
        case EventType::interaction_assigned:
        case EventType::interaction_phase:
        case EventType::interaction_recovering:
        case EventType::interaction_wrapping:
        case EventType::interaction_noted:
        case EventType::interaction_state:
        case EventType::interaction_disposed:
        case EventType::offer_made:
        case EventType::promise_made:
        case EventType::promise_changed: return leading_id(record);
        case EventType::offer_ended: return from<OfferEnded>(record, [](const OfferEnded& e) { return to_string(e.offer.is_nil() ? e.item : e.offer); });
        case EventType::policy_activated: return from<PolicyActivated>(record, [](const PolicyActivated& e) { return e.name + "@" + std::to_string(e.version); });
        case EventType::policy_stored: return from<PolicyStored>(record, [](const PolicyStored& e) { return e.name + "@" + std::to_string(e.version); });
        case EventType::contact_created: return from<ContactCreated>(record, [](const ContactCreated& e) { return e.id; });
        default: return record.contact.value == 0 ? std::string{} : names.contact_id(record.contact);
    }
}

}  // namespace touchgate::projection
