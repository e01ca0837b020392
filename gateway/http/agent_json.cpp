#include "gateway/http/agent_json.hpp"

#include <charconv>
#include <type_traits>

#include "gateway/http/interaction_json.hpp"
#include "gateway/http/reasons.hpp"
#include "gateway/http/touch_json.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::http {

namespace {

void append_slots(std::string& out, const std::vector<SlotUse>& slots) {
    out += '{';
    bool first = true;
    for (const auto& slot : slots) {
        if (!first) out += ',';
        first = false;
        append_json_string(out, slot.channel);
        out += ':';
        JsonObject{out}.signed_number("used", slot.used).signed_number("capacity", slot.capacity).close();
    }
    out += '}';
}

void append_presence(std::string& out, const PresencePush& presence) {
    JsonObject json{out};
    append_presence_members(json, out, presence);
    json.close();
}

void write_offer(JsonObject& json, std::string& out, const OfferPush& offer) {
    json.id("offer", offer.offer).number("fence", offer.fence).id("interaction", offer.interaction);
    json.text_or_null("queue", offer.queue).text("channel", offer.channel);
    json.name("contact");
    append_card(out, offer.contact);
    json.name("context");
    {
        JsonObject context{out};
        context.text_or_null("account", offer.account).text("direction", offer.direction.empty() ? std::string_view{"inbound"} : std::string_view{offer.direction});
        context.text_or_null("campaign", offer.campaign).text_or_null("last_text", offer.last_text);
        context.text_or_null("from", offer.from).text_or_null("to", offer.to).name("variables");
        append_attributes(out, offer.variables);
        context.close();
    }
    json.instant("expires_at", offer.expires_at).boolean("auto_answer", offer.auto_answer).boolean("preview", offer.preview);
}

// Writes the type and the members of each kind of push.
class PushWriter {
public:
    PushWriter(JsonObject& json, std::string& out) : json_{json}, out_{out} {}

    void operator()(const PresencePush& push) { append_presence_members(json_.text("type", "presence"), out_, push); }
    void operator()(const OfferPush& push) { write_offer(json_.text("type", "offer"), out_, push); }
    void operator()(const OfferRevokedPush& push) {
        json_.text("type", "offer.revoked").id("offer", push.offer).id("interaction", push.interaction).text("reason", push.reason);
    }
    void operator()(const ConnectedPush& push) {
        json_.text("type", "interaction.connected").id("interaction", push.interaction).text("channel", push.channel).text_or_null("contact_id", push.contact_id);
        json_.text_or_null("queue", push.queue);
    }
    void operator()(const MessagePush& push) {
        const auto& message = push.message;
        json_.text("type", "message").id("interaction", push.interaction).text("direction", message.inbound ? "in" : "out").text("kind", message.kind);
        json_.name("content");
        append_content(out_, message);
        json_.instant("at", message.at).text_or_null("provider_id", message.provider_id);
        json_.text_or_null("touch", message.touch.is_nil() ? std::string{} : to_string(message.touch));
        if (!message.state.empty()) json_.text("state", message.state);
    }
    void operator()(const CallStatePush& push) {
        json_.text("type", "call.state").id("interaction", push.interaction).text("state", push.state).text_or_null("cause", push.cause);
    }
    void operator()(const WrapUpPush& push) {
        json_.text("type", "wrap_up").id("interaction", push.interaction).instant("deadline", push.deadline).texts("codes", push.codes);
    }
    void operator()(const ClosedPush& push) { json_.text("type", "interaction.closed").id("interaction", push.interaction).text("reason", push.reason); }
    void operator()(const LeadPush& push) {
        json_.text("type", "lead.assigned").text("lead", push.lead).text_or_null("contact", push.contact).instant("due_at", push.due_at);
    }
    void operator()(const PromisePush& push) {
        json_.text("type", "promise.due").text("promise", push.promise).text_or_null("contact", push.contact).text("channel", push.channel);
        json_.text_or_null("note", push.note).instant("at", push.at);
    }
    void operator()(const NoticePush& push) {
        json_.text("type", "notice").text("kind", push.kind);
        json_.text_or_null("interaction", push.interaction.is_nil() ? std::string{} : to_string(push.interaction)).text_or_null("text", push.text);
    }
    void operator()(const SnapshotPush& push) {
        json_.text("type", "snapshot").name("presence");
        append_presence(out_, push.presence);
        json_.name("offers");
        append_array(out_, push.offers, [](std::string& out, const OfferPush& offer) {
            JsonObject json{out};
            write_offer(json, out, offer);
            json.close();
        });
        json_.name("interactions");
        append_array(out_, push.interactions, [](std::string& out, const InteractionDetails& each) { append_interaction(out, each, true); });
    }

private:
    JsonObject& json_;
    std::string& out_;
};

// "name": {"document": …} → the members of the document, but `id`, which is written first.
void append_document_members(std::string& out, JsonObject& json, const std::string& id, const std::string& document) {
    json.text("id", id);
    const auto parsed = Json::parse(document, nullptr, false, true);
    if (!parsed.is_object()) return;
    for (const auto& [name, value] : parsed.items()) {
        if (name == "id") continue;
        out += ',';
        append_json_string(out, name);
        out.append(":").append(value.dump(-1, ' ', false, Json::error_handler_t::replace));
    }
}

std::string decimal(double value) {
    char text[32];
    const auto [end, error] = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 4);
    return error == std::errc{} ? std::string{text, end} : "0";
}

void append_queue_counts(JsonObject& json, const QueueDetails& queue) {
    json.number("waiting", queue.waiting).signed_number("longest_wait_ms", queue.longest_wait_ms);
    json.number("offered", queue.offered).number("answered", queue.answered).number("abandoned", queue.abandoned).number("rona", queue.rona);
    json.raw("service_level", decimal(queue.service_level)).number("signed_in", queue.signed_in).number("routable", queue.routable);
}

}  // namespace

void append_presence_members(JsonObject& json, std::string& out, const PresencePush& presence) {
    json.text("agent", presence.agent).text("state", presence.state).text("intent", presence.intent).text_or_null("reason", presence.reason);
    json.name("slots");
    append_slots(out, presence.slots);
}

void append_card(std::string& out, const ContactCard& card) {
    JsonObject json{out};
    json.text("id", card.id).text_or_null("name", card.name).text_or_null("owner", card.owner).text_or_null("unit", card.unit);
    json.text_or_null("locale", card.locale).text_or_null("time_zone", card.time_zone).texts("addresses", card.addresses).texts("tags", card.tags);
    json.name("attributes");
    append_attributes(out, card.attributes);
    json.name("consents");
    append_array(out, card.consents, [](std::string& to, const ContactCard::Consent& consent) {
        JsonObject{to}.text("channel", consent.channel).text("purpose", consent.purpose).boolean("granted", consent.granted).instant("at", consent.at).close();
    });
    json.name("touches");
    append_array(out, card.touches, [](std::string& to, const ContactCard::LastTouch& touch) {
        JsonObject{to}.text("id", touch.id).instant("at", touch.at).text_or_null("channel", touch.channel).text("purpose", touch.purpose)
            .text_or_null("campaign", touch.campaign).text("state", touch.state).close();
    });
    json.name("interactions");
    append_array(out, card.interactions, [](std::string& to, const ContactCard::LastInteraction& last) {
        JsonObject{to}.id("id", last.id).instant("at", last.at).text("channel", last.channel).text("state", last.state)
            .text_or_null("disposition", last.disposition).text_or_null("agent", last.agent).close();
    });
    json.name("leads");
    append_array(out, card.leads, [](std::string& to, const ContactCard::Lead& lead) {
        JsonObject{to}.text("id", lead.id).text_or_null("product", lead.product).text("stage", lead.stage).text_or_null("grade", lead.grade)
            .signed_number("score", lead.score).instant("due_at", lead.due_at == Instant{} ? std::nullopt : std::optional{lead.due_at}).close();
    });
    json.name("promises");
    append_array(out, card.promises, [](std::string& to, const ContactCard::Promise& promise) {
        JsonObject{to}.text("id", promise.id).text("channel", promise.channel).text_or_null("note", promise.note).instant("at", promise.at).close();
    });
    if (card.suggestion.empty()) {
        json.raw("suggestion", "null");
    } else {
        const auto words = reason_words("suggestion", card.suggestion);
        json.name("suggestion");
        JsonObject{out}.text("key", card.suggestion).text("en", words.english).text("zh-CN", words.chinese).close();
    }
    json.close();
}

void append_promise(std::string& out, const PromiseDetails& promise) {
    JsonObject{out}.text("id", promise.id).text("contact_id", promise.contact_id).text("channel", promise.channel).text_or_null("note", promise.note)
        .text_or_null("agent", promise.agent).text("state", promise.state).instant("at", promise.at).close();
}

std::string render_push(const AgentPush& push) {
    std::string out;
    JsonObject json{out};
    json.number("seq", push.seq);
    std::visit(PushWriter{json, out}, push.body);
    // A message has a time of its own, the one that counts for it; a promise likewise.
    const bool timed = std::holds_alternative<MessagePush>(push.body) || std::holds_alternative<PromisePush>(push.body);
    if (!timed) json.instant("at", push.at);
    json.close();
    return out;
}

std::string render_hello(const Hello& hello, Instant token_expires_at) {
    std::string out;
    JsonObject{out}.text("type", "hello").text("agent", hello.agent).text_or_null("name", hello.name).text("role", hello.role).id("session", hello.session)
        .texts("rights", hello.rights).texts("dial_purposes", hello.dial_purposes).texts("supervises", hello.supervises).number("last_seq", hello.last_seq).text("lease", format_duration(hello.lease)).instant("token_expires_at", token_expires_at).close();
    return out;
}

std::string render_token_notice(Instant expires_at) {
    std::string out;
    JsonObject{out}.text("type", "token.expiring").instant("expires_at", expires_at).close();
    return out;
}

std::string render_wallboard_push(std::string_view wallboard_json) {
    std::string out;
    JsonObject{out}.text("type", "wallboard").raw("wallboard", wallboard_json).close();
    return out;
}

void append_agent(std::string& out, const AgentDetails& agent) {
    JsonObject json{out};
    append_document_members(out, json, agent.id, agent.document);
    json.text("state", agent.state).text_or_null("intent", agent.intent).text_or_null("reason", agent.reason).instant("state_since", agent.state_since);
    json.boolean("healthy", agent.healthy).name("slots");
    append_slots(out, agent.slots);
    json.name("interactions");
    append_array(out, agent.interactions, [](std::string& to, const Uuid& id) { append_json_string(to, to_string(id)); });
    json.number("connections", agent.connections).close();
}

void append_colleague(std::string& out, const AgentDetails& agent) {
    JsonObject json{out};
    json.text("id", agent.id).text_or_null("name", agent.name).text_or_null("unit", agent.unit).text("state", agent.state).instant("state_since", agent.state_since);
    json.name("interactions");
    append_array(out, agent.interactions, [](std::string& to, const Uuid& id) { append_json_string(to, to_string(id)); });
    json.close();
}

void append_parked(std::string& out, const ParkedCall& parked) {
    JsonObject json{out};
    json.id("interaction", parked.interaction).text_or_null("queue", parked.queue).text_or_null("parked_by", parked.by).instant("since", parked.since).instant("until", parked.until);
    json.name("contact");
    append_card(out, parked.contact);
    json.close();
}

void append_queue(std::string& out, const QueueDetails& queue) {
    JsonObject json{out};
    append_document_members(out, json, queue.id, queue.document);
    json.name("now");
    JsonObject now{out};
    append_queue_counts(now, queue);
    now.close();
    json.close();
}

std::string render_wallboard(const Wallboard& wallboard) {
    std::string out;
    JsonObject json{out};
    json.name("queues");
    append_array(out, wallboard.queues, [](std::string& to, const QueueDetails& queue) {
        JsonObject each{to};
        each.text("id", queue.id);
        append_queue_counts(each, queue);
        each.close();
    });
    json.name("agents");
    out += '{';
    bool first = true;
    for (const auto& [state, count] : wallboard.agents) {
        if (!first) out += ',';
        first = false;
        append_json_string(out, state);
        out.append(":").append(std::to_string(count));
    }
    out += '}';
    json.number("seq", wallboard.seq).close();
    return out;
}

}  // namespace touchgate::http
