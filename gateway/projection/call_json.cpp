#include "gateway/projection/call_json.hpp"

namespace touchgate::projection {

namespace {

// By the feed's common member, and by the shorter one that the socket and the resources use; so are touch and agent.
void call(JsonText& json, const Uuid& id) {
    json.uuid("interaction_id", id);
    json.uuid("interaction", id);
}

}  // namespace

void append_members(JsonText& json, const voice::CallStarted& event) {
    call(json, event.call);
    json.uuid_if("touch_id", event.touch);
    json.uuid_if("touch", event.touch);
    json.text("direction", event.outbound ? "outbound" : "inbound");
    json.text("account", event.account);
    json.text("channel", "voice");
    json.text_if("did", event.did);
    json.text_if("queue", event.queue);
    json.text_if("agent_id", event.agent);
    json.text_if("agent", event.agent);
}
void append_members(JsonText& json, const voice::CallPermitted& event) {
    call(json, event.call);
    json.uuid("touch_id", event.touch);
    json.uuid("touch", event.touch);
    json.number("attempt", event.attempt);
}
void append_members(JsonText& json, const voice::StageChanged& event) {
    call(json, event.call);
    json.text("stage", voice::to_string(event.stage));
    json.text_if("reason", event.reason);
}
void append_members(JsonText& json, const voice::LegAdded& event) {
    call(json, event.call);
    json.text("leg", event.leg);
    json.text("use", voice::to_string(event.use));
    if (event.use != voice::Use::outside) json.text_if("who", event.who);
}
void append_members(JsonText& json, const voice::LegRang& event) {
    call(json, event.call);
    json.text("leg", event.leg);
    json.text("use", voice::to_string(event.use));
}
void append_members(JsonText& json, const voice::LegUp& event) {
    call(json, event.call);
    json.text("leg", event.leg);
    json.text("use", voice::to_string(event.use));
    if (event.by != channel::AnsweredBy::unasked)
        json.text("answered_by", event.by == channel::AnsweredBy::human ? "human" : event.by == channel::AnsweredBy::machine ? "machine" : "unsure");
}
void append_members(JsonText& json, const voice::LegGone& event) {
    call(json, event.call);
    json.text("leg", event.leg);
    json.text("use", voice::to_string(event.use));
    json.number("cause", event.cause);
    if (event.tech_cause != 0) json.number("tech_cause", event.tech_cause);
    json.text_if("outcome", event.outcome);
    if (event.by_far_end) json.boolean("by_far_end", true);
    if (event.estimated) json.boolean("estimated", true);
}
void append_members(JsonText& json, const voice::LegSwapped& event) {
    call(json, event.call);
    json.text("leg", event.leg);
    json.text("by", event.by);
}
void append_members(JsonText& json, const voice::Bridged& event) {
    call(json, event.call);
    json.text_if("agent_id", event.agent);
    json.text_if("agent", event.agent);
    if (event.again) json.boolean("again", true);
}
void append_members(JsonText& json, const voice::HeldChanged& event) {
    call(json, event.call);
    json.boolean("held", event.held);
}
void append_members(JsonText& json, const voice::ConsultChanged& event) {
    call(json, event.call);
    json.text("state", voice::to_string(event.state));
    if (!event.with.starts_with("phone:")) json.text_if("with", event.with);
    json.text_if("reason", event.reason);
}
void append_members(JsonText& json, const voice::RecordingChanged& event) {
    call(json, event.call);
    json.text("recording", event.recording);
    json.text("state", voice::to_string(event.state));
    if (event.voicemail) json.boolean("voicemail", true);
    if (event.lasted_ms != 0) json.number("lasted_ms", event.lasted_ms);
    if (event.bytes != 0) json.number("bytes", event.bytes);
    json.text_if("failure", event.failure);
}
void append_members(JsonText& json, const voice::SupervisionChanged& event) {
    call(json, event.call);
    json.text("supervisor", event.supervisor);
    json.text("how", voice::to_string(event.how));
}
void append_members(JsonText& json, const voice::CallEnded& event) {
    call(json, event.call);
    json.uuid_if("touch_id", event.touch);
    json.text_if("agent_id", event.agent);
    json.text("account", event.account);
    if (event.touch.is_nil()) json.null("touch");
    else json.uuid("touch", event.touch);
    json.text("direction", event.outbound ? "outbound" : "inbound");
    json.text_or_null("did", event.did);
    json.text_or_null("agent", event.agent);
    json.text_or_null("queue", event.queue);
    json.text("outcome", event.outcome);
    json.number("cause", event.cause);
    if (event.tech_cause == 0) json.null("tech_cause");
    else json.number("tech_cause", event.tech_cause);
    json.instant_or_null("answered_at", event.answered_at);
    json.instant_or_null("ended_at", event.ended_at);
    json.number("wait_ms", event.wait_ms);
    json.number("ring_ms", event.ring_ms);
    json.number("talk_ms", event.talk_ms);
    json.number("hold_ms", event.hold_ms);
    json.text_or_null("hung_up_by", event.hung_up_by);
    if (event.estimated) json.boolean("estimated", true);
}
void append_members(JsonText& json, const RecordingAccessed& event) {
    call(json, event.interaction);
    json.text("recording", event.recording);
    json.text_if("by", event.by);
    json.text_if("reason", event.reason);
    json.number("from", event.from);
    json.number("size", event.size);
}
void append_members(JsonText& json, const RecordingDeleted& event) {
    json.uuid("interaction", event.interaction);
    json.text("recording", event.recording);
    json.text("reason", event.reason);
}
void append_members(JsonText& json, const CallLineTaken& event) {
    json.uuid("interaction", event.call);
    json.text("trunk", event.trunk);
    json.text_if("caller_id", event.caller_id);
}
void append_members(JsonText& json, const CallerIdRested& event) {
    json.text("account", event.account);
    json.text("number", event.number);
    json.text("why", event.why);
    json.decimal("share", event.share);
    json.decimal("bound", event.bound);
    json.instant("until", event.until);
}

}  // namespace touchgate::projection
