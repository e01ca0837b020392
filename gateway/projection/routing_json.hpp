// The `data` of the events of agents, queues, offers and promises. What an event says of the contact, the renderer adds.
#pragma once

#include "gateway/engine/events.hpp"
#include "gateway/projection/json_text.hpp"

namespace touchgate::projection {

void append_members(JsonText& json, const routing::AgentDefined& event);
void append_members(JsonText& json, const routing::QueueDefined& event);
void append_members(JsonText& json, const routing::AgentSessionChanged& event);
void append_members(JsonText& json, const routing::AgentIntentChanged& event);
void append_members(JsonText& json, const routing::AgentHealthChanged& event);
void append_members(JsonText& json, const routing::ItemQueued& event);
void append_members(JsonText& json, const routing::OfferMade& event);
void append_members(JsonText& json, const routing::OfferEnded& event);
void append_members(JsonText& json, const routing::ItemAssigned& event);
void append_members(JsonText& json, const routing::ItemPhaseChanged& event);
void append_members(JsonText& json, const routing::ItemRecovering& event);
void append_members(JsonText& json, const routing::ItemWrapping& event);
void append_members(JsonText& json, const routing::ItemEnded& event);
void append_members(JsonText& json, const InteractionNoted& event);
void append_members(JsonText& json, const PromiseMade& event);
void append_members(JsonText& json, const PromiseChanged& event);
void append_members(JsonText& json, const AgentNoticed& event);
void append_members(JsonText& json, const AgentStateChanged& event);
void append_members(JsonText& json, const InteractionStateChanged& event);

}  // namespace touchgate::projection
