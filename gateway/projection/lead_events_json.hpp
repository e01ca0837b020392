// The `data` of the events of leads. What an event says of the contact, the renderer adds.
#pragma once

#include "gateway/engine/events.hpp"
#include "gateway/projection/json_text.hpp"

namespace touchgate::projection {

void append_members(JsonText& json, const LeadCreated& event);
void append_members(JsonText& json, const LeadTouched& event);
void append_members(JsonText& json, const LeadAssigned& event);
void append_members(JsonText& json, const LeadAccepted& event);
void append_members(JsonText& json, const LeadContacted& event);
void append_members(JsonText& json, const LeadQualified& event);
void append_members(JsonText& json, const LeadWon& event);
void append_members(JsonText& json, const LeadLost& event);
void append_members(JsonText& json, const LeadRecycled& event);
void append_members(JsonText& json, const LeadOverdue& event);

}  // namespace touchgate::projection
