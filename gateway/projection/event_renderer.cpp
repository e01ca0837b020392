// The envelope of an event, and who may see it.

#include "gateway/engine/event_codec.hpp"
#include "gateway/projection/event_json.hpp"
#include "gateway/projection/feed_names.hpp"

namespace touchgate::projection {

namespace {

// All events of leads begin with the lead's id and the callback that is told of it.
std::pair<Uuid, std::string> lead_of(const Record& record) {
    ByteReader in{record.payload};
    Uuid id{};
    std::string callback;
    FieldReader{in}(id, callback);
    return {id, std::move(callback)};
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
    if (!filter.campaign.empty() && !(is_campaign_event(type) && leading_name(record) == filter.campaign)) return false;
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
    json.text("type", feed_name(record));
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
    json.text("type", feed_name(record));
    json.text_if("subject", feed_subject(record, names_));
    json.instant("time", record.time);
    json.text("datacontenttype", "application/json");
    json.number("sequence", static_cast<std::int64_t>(record.sequence));
    json.member("data");
    append_data(out, record, visibility);
    json.close_object();
}

}  // namespace touchgate::projection
