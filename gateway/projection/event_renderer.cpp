// The envelope of an event, and who may see it.

#include "gateway/engine/event_codec.hpp"
#include "gateway/projection/event_json.hpp"

namespace touchgate::projection {

namespace {

// Id of the campaign that a campaign.* record is about; it is the first member of all of them.
std::string campaign_of(const Record& record) {
    ByteReader in{record.payload};
    return std::string{in.text()};
}

bool is_lead_event(EventType type) { return type >= EventType::lead_created && type <= EventType::lead_overdue; }

// All events of leads begin with the lead's id and the callback that is told of it.
std::pair<Uuid, std::string> lead_of(const Record& record) {
    ByteReader in{record.payload};
    Uuid id{};
    std::string callback;
    FieldReader{in}(id, callback);
    return {id, std::move(callback)};
}

bool is_campaign_event(EventType type) { return type >= EventType::campaign_created && type <= EventType::campaign_audience_removed; }

template <class E> std::string first_member_id(const Record& record) {
    E event;
    return decode(record.payload, event) ? to_string(event.id) : std::string{};
}

// The id of the thing that the event is about.
std::string subject_of(const Record& record, const NameSource& names) {
    const auto type = static_cast<EventType>(record.type);
    if (is_touch_event(type)) {
        const auto touch = touch_of(record);
        return touch ? to_string(*touch) : std::string{};
    }
    if (is_receipt_event(type))
        if (const auto touch = touch_of(record)) return to_string(*touch);
    if (is_lead_event(type)) return to_string(lead_of(record).first);
    if (is_campaign_event(type) || type == EventType::account_up || type == EventType::account_down || type == EventType::calendar_updated || type == EventType::suppression_added ||
        type == EventType::suppression_removed || type == EventType::template_registered)
        return campaign_of(record);  // all of these begin with their name
    if (type == EventType::hold_set) return first_member_id<HoldSet>(record);
    if (type == EventType::hold_lifted) return first_member_id<HoldLifted>(record);
    if (type == EventType::policy_activated) {
        PolicyActivated event;
        return decode(record.payload, event) ? event.name + "@" + std::to_string(event.version) : std::string{};
    }
    if (type == EventType::policy_stored) {
        PolicyStored event;
        return decode(record.payload, event) ? event.name + "@" + std::to_string(event.version) : std::string{};
    }
    if (type == EventType::contact_created) {
        ContactCreated event;
        return decode(record.payload, event) ? event.id : std::string{};
    }
    return record.contact.value == 0 ? std::string{} : names.contact_id(record.contact);
}

}  // namespace

bool EventRenderer::matches(const Record& record, const EventFilter& filter, const Visibility& visibility) {
    if (!filter.any() && visibility.units.empty()) return true;
    const auto type = static_cast<EventType>(record.type);
    if (const auto touch = touch_of(record)) {
        const auto found = touches_.of(record, *touch);
        if (!found) return false;
        const auto profile = names_.profile(found->first_profile);
        return (filter.campaign.empty() || profile.campaign == filter.campaign) && (filter.key_name.empty() || found->key_name == filter.key_name) &&
               (filter.callback.empty() || found->callback == filter.callback) && visibility.covers(profile.unit);
    }
    if (!filter.key_name.empty()) return false;
    if (!filter.callback.empty() && !(is_lead_event(type) && lead_of(record).second == filter.callback)) return false;
    if (!filter.campaign.empty() && !(is_campaign_event(type) && campaign_of(record) == filter.campaign)) return false;
    if (visibility.units.empty()) return true;
    if (type == EventType::campaign_created) {
        CampaignCreated event;
        return decode(record.payload, event) && visibility.covers(event.unit);
    }
    // What belongs to no contact belongs to the whole house, and is not for a reader of one unit.
    return record.contact.value != 0 && visibility.covers(contacts_.unit_at(record));
}

void EventRenderer::append_brief(std::string& out, const Record& record, const Visibility& visibility) {
    JsonText json{out};
    json.open_object();
    json.number("sequence", static_cast<std::int64_t>(record.sequence));
    json.text("type", event_name(static_cast<EventType>(record.type)));
    json.instant("time", record.time);
    json.member("data");
    append_data(out, record, visibility);
    json.close_object();
}

void EventRenderer::append(std::string& out, const Record& record, const Visibility& visibility) {
    JsonText json{out};
    json.open_object();
    json.text("specversion", "1.0");
    json.text("id", std::to_string(record.sequence));
    json.text("source", "touchgate");
    json.text("type", event_name(static_cast<EventType>(record.type)));
    json.text_if("subject", subject_of(record, names_));
    json.instant("time", record.time);
    json.text("datacontenttype", "application/json");
    json.number("sequence", static_cast<std::int64_t>(record.sequence));
    json.member("data");
    append_data(out, record, visibility);
    json.close_object();
}

}  // namespace touchgate::projection
