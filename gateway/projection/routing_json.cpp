#include "gateway/projection/routing_json.hpp"

#include "gateway/routing/parts.hpp"

#include <array>

namespace touchgate::projection {

namespace {

// By the feed's common member, and by the shorter one that the socket and the resources use.
void agent(JsonText& json, const std::string& id) {
    json.text("agent_id", id);
    json.text("agent", id);
}

// What an agent wraps up of a call that he handed on is told as a part of it.
void item(JsonText& json, const Uuid& id) {
    const auto whole = routing::whole_of(id);
    json.uuid("interaction_id", whole.value_or(id));
    if (whole) json.uuid("part_id", id);
}

}  // namespace

void append_members(JsonText& json, const routing::AgentDefined& event) {
    agent(json, event.id);
    json.raw("document", event.document);
}
void append_members(JsonText& json, const routing::QueueDefined& event) {
    json.text("queue", event.id);
    json.raw("document", event.document);
}
void append_members(JsonText& json, const routing::AgentSessionChanged& event) {
    agent(json, event.agent);
    json.text("session", routing::to_string(event.session));
    json.text_if("cause", event.cause);
    json.text_if("actor", event.actor);
}
void append_members(JsonText& json, const routing::AgentIntentChanged& event) {
    agent(json, event.agent);
    json.text("intent", routing::to_string(event.intent));
    json.text_if("reason", event.reason);
    json.text_if("cause", event.cause);
    json.text_if("actor", event.actor);
}
void append_members(JsonText& json, const routing::AgentHealthChanged& event) {
    agent(json, event.agent);
    json.boolean("healthy", event.healthy);
    json.text_if("reason", event.reason);
}
void append_members(JsonText& json, const routing::ItemQueued& event) {
    item(json, event.item);
    json.text("queue", event.queue);
    json.text("channel", event.channel);
    json.number("priority", event.priority);
    json.instant_if("first_queued_at", event.first_queued_at);
    json.text_if("cause", event.cause);
    json.texts_if("needs", event.needs);
    json.text_if("prefers", event.prefers);
    json.text_if("only", event.only);
    if (event.front) json.boolean("front", true);
}
void append_members(JsonText& json, const routing::OfferMade& event) {
    json.uuid("offer_id", event.offer);
    item(json, event.item);
    agent(json, event.agent);
    json.number("fence", static_cast<std::int64_t>(event.fence));
    json.instant_if("deadline", event.deadline);
    if (event.silent) json.boolean("reserved", true);
    if (event.auto_answer) json.boolean("auto_answer", true);
    if (event.preview) json.boolean("preview", true);
    json.open_object("choice");
    const auto& choice = event.trace;
    json.text("strategy", choice.strategy);
    json.text_if("tie_break", choice.tie_break);
    json.number("ring", choice.ring);
    json.number("members", choice.members);
    json.number("routable", choice.routable);
    json.number("skilled", choice.skilled);
    json.number("not_in_backoff", choice.not_in_backoff);
    json.number("with_capacity", choice.with_capacity);
    json.texts_if("considered", choice.considered);
    json.close_object();
}
void append_members(JsonText& json, const routing::OfferEnded& event) {
    json.uuid("offer_id", event.offer);
    item(json, event.item);
    agent(json, event.agent);
    json.text("result", routing::to_string(event.result));
    json.text_if("reason", event.reason);
    if (event.blocks) json.boolean("blocks", true);
    json.instant_if("backoff_until", event.backoff_until);
}
void append_members(JsonText& json, const routing::ItemAssigned& event) {
    item(json, event.item);
    agent(json, event.agent);
    json.text_if("channel", event.channel);
    json.text_if("queue", event.queue);
    json.text_if("cause", event.cause);
}
void append_members(JsonText& json, const routing::ItemPhaseChanged& event) {
    static constexpr std::array<std::string_view, 6> words = {"", "active", "dialing", "held", "consulting", "conference"};
    item(json, event.item);
    json.text("phase", words[static_cast<std::size_t>(event.phase) % words.size()]);
}
void append_members(JsonText& json, const routing::ItemRecovering& event) {
    item(json, event.item);
    json.boolean("recovering", event.recovering);
    json.text_if("reason", event.reason);
}
void append_members(JsonText& json, const routing::ItemWrapping& event) {
    item(json, event.item);
    json.instant_if("deadline", event.deadline);
    json.text_if("outcome", event.outcome);
    json.text_if("reason", event.reason);
}
void append_members(JsonText& json, const routing::ItemEnded& event) {
    item(json, event.id);
    json.text("state", event.state);
    json.text_if("outcome", event.outcome);
    json.text_if("disposition", event.disposition);
    json.text_if("reason", event.reason);
}
void append_members(JsonText& json, const InteractionNoted& event) {
    json.uuid("interaction_id", event.id);
    json.text_if("by", event.by);
}
void append_members(JsonText& json, const PromiseMade& event) {
    json.uuid("promise_id", event.id);
    json.instant("at", event.at);
    json.text("channel", event.channel);
    if (!event.agent.empty()) agent(json, event.agent);
    json.text_if("queue", event.queue);
    json.uuid_if("interaction_id", event.interaction);
}
void append_members(JsonText& json, const PromiseChanged& event) {
    json.uuid("promise_id", event.id);
    json.text("state", event.state);
    if (!event.agent.empty()) agent(json, event.agent);
}
void append_members(JsonText& json, const AgentStateChanged& event) {
    agent(json, event.agent);
    json.text("from", event.from);
    json.text("to", event.to);
    json.text_if("reason", event.reason);
}
void append_members(JsonText& json, const InteractionStateChanged& event) {
    json.uuid("interaction_id", event.interaction);
    json.text("state", event.state);
    if (!event.agent.empty()) agent(json, event.agent);
    json.text_if("queue", event.queue);
    json.uuid_if("offer_id", event.offer);
}
void append_members(JsonText& json, const InteractionDisposed& event) {
    json.uuid("interaction_id", event.id);
    json.text("disposition", event.disposition);
    json.text_if("by", event.by);
}
void append_members(JsonText& json, const AgentNoticed& event) {
    if (!event.agent.empty()) agent(json, event.agent);
    json.text("notice", event.kind);
    json.uuid_if("interaction_id", event.interaction);
}

}  // namespace touchgate::projection
