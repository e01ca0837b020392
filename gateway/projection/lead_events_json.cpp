#include "gateway/projection/lead_events_json.hpp"

#include "gateway/base/currency.hpp"

namespace touchgate::projection {

namespace {

template <class E> void append_capture(JsonText& json, const E& event) {
    json.uuid("lead_id", event.id);
    json.text("source", event.source);
    json.text_if("evidence", event.evidence);
    json.text_if("key_name", event.key_name);
    json.instant("at", event.at);
    json.number("score", event.score);
    json.text("grade", leads::to_string(event.grade));
}

void instant_unless_never(JsonText& json, std::string_view name, Instant at) {
    if (at != instant_never && at != Instant::min()) json.instant(name, at);
}

template <EventType Type> void append_moved(JsonText& json, const LeadMoved<Type>& event) {
    json.uuid("lead_id", event.id);
    json.text("from", leads::to_string(event.from));
    json.text("stage", leads::to_string(event.stage));
    json.text_if("agent_id", event.owner);
    json.text_if("by", event.by);
    json.text_if("via", event.via);
    json.text_if("result", event.result);
    json.text_if("reason", event.reason);
    json.instant("at", event.at);
    if (event.response_ms >= 0) {
        json.number("response_ms", event.response_ms);
        json.boolean("in_time", event.in_time);
    }
    if (event.stage == leads::Stage::won) {
        json.raw("value", decimal_text(event.value_units, currency_digits(event.currency)));
        json.text_if("currency", event.currency);
    }
}

}  // namespace

void append_members(JsonText& json, const LeadCreated& event) {
    append_capture(json, event);
    json.text_if("product", event.product);
    json.text_if("unit", event.unit);
    json.text("stage", "new");
    json.instant("due_at", event.due_at);
}
void append_members(JsonText& json, const LeadTouched& event) { append_capture(json, event); }
void append_members(JsonText& json, const LeadAssigned& event) {
    json.uuid("lead_id", event.id);
    json.text("stage", leads::to_string(event.stage));
    json.text("agent_id", event.owner);
    json.text("cause", event.cause);
    json.text_if("by", event.by);
    json.instant("due_at", event.due_at);
    instant_unless_never(json, "remind_at", event.remind_at);
    instant_unless_never(json, "supervisor_at", event.supervisor_at);
    instant_unless_never(json, "reassign_at", event.reassign_at);
    instant_unless_never(json, "protected_until", event.protected_until);
    const auto& trace = event.trace;
    json.open_object("trace");
    json.text_if("by", trace.cause);
    json.text_if("rule", trace.rule);
    json.text_if("unit", trace.unit);
    json.text("strategy", leads::to_string(trace.strategy));
    json.number("agents", trace.agents);
    json.number("in_unit", trace.in_unit);
    json.number("skilled", trace.skilled);
    json.number("on_shift", trace.on_shift);
    json.number("with_room", trace.with_room);
    json.text_if("tie_break", trace.tie_break);
    json.texts("considered", trace.considered);
    json.close_object();
}
void append_members(JsonText& json, const LeadAccepted& event) { append_moved(json, event); }
void append_members(JsonText& json, const LeadContacted& event) { append_moved(json, event); }
void append_members(JsonText& json, const LeadQualified& event) { append_moved(json, event); }
void append_members(JsonText& json, const LeadWon& event) { append_moved(json, event); }
void append_members(JsonText& json, const LeadLost& event) { append_moved(json, event); }
void append_members(JsonText& json, const LeadRecycled& event) { append_moved(json, event); }
void append_members(JsonText& json, const LeadOverdue& event) {
    json.uuid("lead_id", event.id);
    json.text("step", to_string(event.step));
    json.text_if("agent_id", event.owner);
    json.texts("told", event.told);
}

}  // namespace touchgate::projection
