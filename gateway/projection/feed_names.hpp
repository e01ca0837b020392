// What a record is called in the feed, and which thing it is about.
//
// Most records have one name (event_name). Those that end something are called by how it ended: `offer.accepted`, `interaction.completed`, `task.sent`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/events.hpp"
#include "gateway/projection/event_names.hpp"
#include "gateway/touch_log/log.hpp"

namespace touchgate::projection {

// "touch.delivered"; empty for a type that this program does not know.
[[nodiscard]] std::string feed_name(const Record& record);
// All names that records of this type can have; none for a number that is no type.
[[nodiscard]] std::vector<std::string> feed_names(EventType type);
// The id of the touch, interaction, offer, agent, …; else of the contact; empty without one.
[[nodiscard]] std::string feed_subject(const Record& record, const NameSource& names);

// What several of its readers need to know of a record.
[[nodiscard]] bool is_lead_event(EventType type);
[[nodiscard]] bool is_campaign_event(EventType type);
// The id of the campaign, account, … that a record begins with.
[[nodiscard]] std::string leading_name(const Record& record);

}  // namespace touchgate::projection
