#include "gateway/http/interaction_json.hpp"

#include "gateway/http/json_text.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

void append_content(std::string& out, const InteractionMessage& message) {
    JsonObject content{out};
    if (!message.text.empty()) content.text("text", message.text);
    if (!message.body_json.empty()) content.raw("body", message.body_json);
    content.close();
}

void append_message(std::string& out, const InteractionMessage& message) {
    JsonObject json{out};
    json.text("direction", message.inbound ? "in" : "out").instant("at", message.at).text("kind", message.kind);
    json.name("content");
    append_content(out, message);
    json.text_or_null("provider_id", message.provider_id);
    json.text_or_null("touch", message.touch.is_nil() ? std::string{} : to_string(message.touch));
    if (!message.state.empty()) json.text("state", message.state);
    json.close();
}

namespace {

void append_call(std::string& out, const CallView& call, bool addresses) {
    const auto number = [&](const std::string& text) { return addresses || text.empty() ? text : mask_phone(text); };
    JsonObject{out}.text_or_null("from", number(call.from)).text_or_null("to", number(call.to)).text_or_null("did", call.did).text_or_null("state", call.state)
        .text_or_null("cause", call.cause).text_or_null("recording", call.recording).close();
}

}  // namespace

void append_interaction(std::string& out, const InteractionDetails& of, bool with_messages, bool addresses) {
    JsonObject json{out};
    json.text("id", to_string(of.id)).text("channel", of.channel).text("account", of.account).text("direction", of.outbound ? "outbound" : "inbound");
    json.text("contact_id", of.contact_id).text("state", of.state).text_or_null("reason", of.reason);
    json.text_or_null("queue", of.queue).text_or_null("agent", of.agent).text("handler", of.handler).signed_number("priority", of.priority);
    json.text_or_null("touch", of.touch.is_nil() ? std::string{} : to_string(of.touch)).text_or_null("campaign", of.campaign);
    json.instant("queued_at", of.queued_at).instant("assigned_at", of.assigned_at).instant("ended_at", of.ended_at).instant("closed_at", of.closed_at);
    json.text_or_null("outcome", of.outcome).text_or_null("disposition", of.disposition);
    json.name("durations");
    const auto call = of.call.value_or(CallView{});
    JsonObject{out}.signed_number("wait_ms", of.wait_ms).signed_number("ring_ms", call.ring_ms).signed_number("talk_ms", call.talk_ms).signed_number("hold_ms", call.hold_ms)
        .signed_number("wrap_ms", of.wrap_ms).close();
    json.name("call");
    if (of.call) append_call(out, *of.call, addresses);
    else out += "null";
    if (with_messages) {
        json.name("messages");
        append_array(out, of.messages, append_message);
    }
    json.close();
}

ParsedTouch read_answer(const Json& body, TouchIntake& intake) {
    Json touch = Json::object();
    for (const char* name : {"key", "content", "template", "variables", "purpose"})
        if (const auto found = body.find(name); found != body.end()) touch[name] = *found;
    touch["contact"] = {{"id", "interaction"}};
    if (!touch.contains("purpose")) touch["purpose"] = "service";
    const auto text = touch.dump(-1, ' ', false, Json::error_handler_t::replace);
    return intake.parse_strictly(text);
}

}  // namespace touchgate::http
