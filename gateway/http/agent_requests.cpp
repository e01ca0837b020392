#include "gateway/http/agent_requests.hpp"

#include <algorithm>

#include "gateway/http/agent_json.hpp"
#include "gateway/http/input_readers.hpp"
#include "gateway/http/interaction_json.hpp"
#include "gateway/http/lead_json.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

namespace {

constexpr std::size_t list_max = 1'000;

// The fields of one request. Unknown ones are passed over: a newer desktop may talk to an older gateway.
class Fields {
public:
    Fields(const AgentRequest& request, TouchIntake& touches, const PhoneNumbers& numbers)
        : body{request.body}, type{request.type}, intake{touches}, phones{numbers}, json{request.body, "", problems} {}

    Uuid id(std::string_view name) {
        const auto text = json.required_text(name, {1, 100});
        const auto parsed = parse_uuid(text);
        if (!parsed && !text.empty()) json.problem(name, "must be an id that was pushed or answered");
        return parsed.value_or(Uuid{});
    }
    // A contact, by its id or as {"id": …}.
    std::string contact(std::string_view name) {
        if (const auto found = body.find(std::string{name}); found != body.end() && found->is_object()) {
            JsonReader reader{*found, pointer_to("", name), problems};
            return reader.required_text("id", {1, 200});
        }
        return json.required_text(name, {1, 200});
    }

    std::vector<Problem> problems;
    const Json& body;
    const std::string& type;
    TouchIntake& intake;
    const PhoneNumbers& phones;
    JsonReader json;
};

AgentReply failed(Error error) { return {.error = std::move(error), .members = {}}; }
AgentReply done(const Result<void>& result) { return result ? AgentReply{} : failed(result.error()); }

template <class Value, class Append> AgentReply with(std::string_view name, Result<Value> result, Append append) {
    if (!result) return failed(result.error());
    return {.error = {}, .members = [name, value = std::move(*result), append](std::string& out, JsonObject& json) {
                json.name(name);
                append(out, value);
            }};
}
AgentReply with_interaction(Result<InteractionDetails> result) {
    return with("interaction", std::move(result), [](std::string& out, const InteractionDetails& each) { append_interaction(out, each, true); });
}
template <class Value, class Append> AgentReply with_items(std::vector<Value> items, Append append) {
    return with("items", Result<std::vector<Value>>{std::move(items)}, [append](std::string& out, const std::vector<Value>& all) { append_array(out, all, append); });
}

// ---- presence and health

AgentWork presence_set(Fields& fields) {
    auto state = fields.json.choice("state", {"ready", "not_ready", "after_current", "offline"}, "");
    if (!fields.json.has("state")) fields.json.problem("state", "is required");
    return DeskWork{[state, reason = fields.json.text("reason", {}, {0, 200})](AgentDesk& desk, const std::string& agent) {
        return with("presence", desk.set_presence(agent, state, reason), [](std::string& out, const PresencePush& presence) {
            JsonObject json{out};
            append_presence_members(json, out, presence);
            json.close();
        });
    }};
}

AgentWork health_report(Fields& fields) {
    constexpr std::int64_t rtt_ms_max = 2'000;  // beyond it nobody understands the other
    std::string reason;
    if (const auto* microphone = fields.json.raw("microphone"); microphone != nullptr) {
        const bool bad = *microphone == Json(false) || *microphone == Json("denied");
        if (!microphone->is_boolean() && !microphone->is_string()) fields.json.problem("microphone", "must be true, false or the browser's word for the permission");
        if (bad) reason = "microphone";
    }
    if (!fields.json.boolean("registered", true)) reason = "not_registered";
    if (fields.json.integer("rtt_ms", 0, 0, 3'600'000) > rtt_ms_max) reason = "slow_connection";
    return DeskWork{[reason](AgentDesk& desk, const std::string& agent) { return done(desk.report_health(agent, reason.empty(), reason)); }};
}

// ---- offers and conversations

AgentWork offer_accept(Fields& fields) {
    const auto offer = fields.id("offer");
    std::optional<std::uint64_t> fence;
    if (fields.json.has("fence")) fence = static_cast<std::uint64_t>(fields.json.integer("fence", 0, 0));
    return DeskWork{[offer, fence](AgentDesk& desk, const std::string& agent) { return with_interaction(desk.accept(agent, offer, fence)); }};
}

AgentWork offer_reject(Fields& fields) {
    return DeskWork{[offer = fields.id("offer"), reason = fields.json.text("reason", {}, {0, 200})](AgentDesk& desk, const std::string& agent) {
        return done(desk.reject(agent, offer, reason));
    }};
}

AgentReply sent(const Result<TouchView>& touch) {
    if (!touch) return failed(touch.error());
    if (touch->state != TouchState::blocked) return with("touch", Result<TouchView>{*touch}, [](std::string& out, const TouchView& each) { append_touch(out, each); });
    auto rule = touch->decision.rule();
    return {.error = agent_error("policy_denied", rule.empty() ? "the policy forbids it" : "forbidden by " + rule),
            .members = [view = *touch](std::string& out, JsonObject& json) {
                json.name("decision");
                append_decision(out, view.decision);
                json.id("touch", view.id);
            }};
}

AgentWork message_send(Fields& fields) {
    const auto interaction = fields.id("interaction");
    auto touch = read_answer(fields.body, fields.intake);
    if (touch.error) return *touch.error;
    return DeskWork{[interaction, request = std::move(touch.request)](AgentDesk& desk, const std::string& agent) mutable {
        return sent(desk.send(agent, interaction, std::move(request)));
    }};
}

AgentWork interaction_wrap_up(Fields& fields) {
    return DeskWork{[id = fields.id("interaction"), disposition = fields.json.text("disposition", {}, {0, 100}), note = fields.json.text("note", {}, {0, 10'000})](
                        AgentDesk& desk, const std::string& agent) { return with_interaction(desk.wrap_up(agent, id, disposition, note)); }};
}

DeskWork transfer(Fields& fields, bool consult) {
    return [id = fields.id("interaction"), to = fields.json.required_text("to", {1, 200}), note = fields.json.text("note", {}, {0, 10'000}), consult](
               AgentDesk& desk, const std::string& agent) { return done(desk.transfer(agent, id, to, note, consult)); };
}
AgentWork interaction_transfer(Fields& fields) { return transfer(fields, false); }
AgentWork call_transfer(Fields& fields) { return transfer(fields, fields.json.choice("mode", {"blind", "consult"}, "blind") == "consult"); }

AgentWork interaction_get(Fields& fields) {
    return DeskWork{[id = fields.id("interaction")](AgentDesk& desk, const std::string& agent) { return with_interaction(desk.interaction(agent, id)); }};
}

// Also as {"external_userid": …}: whom WeCom's sidebar is opened beside.
AgentWork contact_get(Fields& fields) {
    std::string contact, external;
    if (const auto given = fields.body.find("contact"); given != fields.body.end() && given->is_object() && given->contains("external_userid"))
        external = JsonReader{*given, "/contact", fields.problems}.required_text("external_userid", {1, 200});
    else contact = fields.contact("contact");
    return DeskWork{[contact = std::move(contact), external = std::move(external)](AgentDesk& desk, const std::string& agent) {
        return with("contact", desk.card(agent, external.empty() ? contact : desk.contact_called(external)), [](std::string& out, const ContactCard& card) { append_card(out, card); });
    }};
}

AgentWork timeline_get(Fields& fields) {
    return TimelineWork{.contact = fields.contact("contact"), .limit = static_cast<std::size_t>(fields.json.integer("limit", 50, 1, 200)),
                        .before = fields.json.text("before", {}, {0, 200})};
}

AgentWork do_not_contact(Fields& fields) {
    return DeskWork{[contact = fields.contact("contact"), channels = fields.json.texts("channels", {"*"})](AgentDesk& desk, const std::string& agent) {
        return done(desk.do_not_contact(agent, contact, channels));
    }};
}

AgentWork promise_create(Fields& fields) {
    PromiseInput input{.contact = fields.contact("contact"), .channel = fields.json.text("channel", "voice", {1, 100}), .note = fields.json.text("note", {}, {0, 10'000}),
                       .agent = fields.json.text("agent", {}, {0, 200}), .at = {}};
    if (const auto at = fields.json.instant("at")) input.at = *at;
    else if (!fields.json.has("at")) fields.json.problem("at", "is required");
    return DeskWork{[input = std::move(input)](AgentDesk& desk, const std::string& agent) { return with("promise", desk.create_promise(agent, input), append_promise); }};
}

AgentWork promise_done(Fields& fields) {
    return DeskWork{[promise = fields.json.required_text("promise", {1, 100})](AgentDesk& desk, const std::string& agent) { return done(desk.promise_done(agent, promise)); }};
}

AgentWork promises_list(Fields&) {
    return DeskWork{[](AgentDesk& desk, const std::string& agent) { return with_items(desk.promises(agent), append_promise); }};
}

// ---- what there is to choose from

AgentWork queues_list(Fields&) {
    return DeskWork{[](AgentDesk& desk, const std::string&) { return with_items(desk.queues(list_max, {}), append_queue); }};
}
AgentWork agents_list(Fields&) {
    return DeskWork{[](AgentDesk& desk, const std::string& agent) { return with_items(desk.colleagues(agent, list_max), append_colleague); }};
}
AgentWork wallboard_get(Fields&) {
    return DeskWork{[](AgentDesk& desk, const std::string&) {
        return with("wallboard", Result<Wallboard>{desk.wallboard()}, [](std::string& out, const Wallboard& board) { out += render_wallboard(board); });
    }};
}

// Templates with wordings for the channel: name, purposes, and the wordings by locale as they are written.
AgentWork templates_list(Fields& fields) {
    return DeskWork{[channel = fields.json.text("channel", {}, {0, 100})](AgentDesk& desk, const std::string&) {
        return AgentReply{.error = {}, .members = [channel, all = desk.templates()](std::string& out, JsonObject& json) {
            auto items = Json::array();
            for (const auto& each : all) {
                const auto document = Json::parse(each->bytes(), nullptr, false, true);
                if (!document.is_object()) continue;
                auto channels = document.value("channels", Json::object());
                if (!channel.empty()) {
                    if (!channels.contains(channel)) continue;
                    channels = Json{{channel, channels[channel]}};
                }
                items.push_back({{"name", each->name()}, {"description", document.value("description", Json{})}, {"purposes", each->purposes()}, {"channels", std::move(channels)}});
            }
            json.raw("items", items.dump(-1, ' ', false, Json::error_handler_t::replace));
            (void)out;
        }};
    }};
}

AgentWork sip_settings(Fields&) {
    return DeskWork{[](AgentDesk& desk, const std::string& agent) {
        return with("sip", desk.softphone(agent), [](std::string& out, const Desk::Softphone& phone) {
            JsonObject{out}.text("uri", phone.uri).text("websocket", phone.websocket).text("password", phone.password).texts("ice", phone.ice).close();
        });
    }};
}

// ---- leads

AgentReply with_lead(Result<LeadDetails> lead) {
    return with("lead", std::move(lead), [](std::string& out, const LeadDetails& each) { append_lead(out, each, true); });
}

AgentWork leads_list(Fields& fields) {
    auto stage = fields.json.text("stage", {}, {0, 100});
    if (!stage.empty() && !leads::parse_stage(stage)) fields.json.problem("stage", "is no stage of leads");
    return DeskWork{[stage = std::move(stage)](AgentDesk& desk, const std::string& agent) {
        return with_items(desk.leads(agent, stage), [](std::string& out, const LeadDetails& each) { append_lead(out, each, false); });
    }};
}

AgentWork lead_get(Fields& fields) {
    return DeskWork{[id = fields.id("lead")](AgentDesk& desk, const std::string& agent) { return with_lead(desk.lead(agent, id)); }};
}

template <leads::Stage to> AgentWork lead_step(Fields& fields) {
    const auto id = fields.id("lead");
    auto terms = Json::object();
    for (const auto& [name, value] : fields.body.items())
        if (name != "id" && name != "type" && name != "lead" && name != "agent") terms[name] = value;
    JsonReader reader{terms, "", fields.problems};
    auto act = read_lead_step(reader, to);
    return DeskWork{[id, act = std::move(act)](AgentDesk& desk, const std::string& agent) { return with_lead(desk.act_on_lead(agent, id, act)); }};
}

// ---- calls

AgentWork call_dial(Fields& fields) {
    Desk::Dial dial;
    dial.purpose = fields.json.required_text("purpose", {1, 100});
    dial.campaign = fields.json.text("campaign", {}, {0, 200});
    dial.lead = fields.json.text("lead", {}, {0, 200});
    if (fields.json.has("contact") == fields.json.has("number")) {
        fields.json.problem("contact", "give either contact or number");
    } else if (fields.json.has("contact")) {
        dial.contact = fields.contact("contact");
    } else {
        std::string number;
        if (fields.phones.normalise(fields.json.required_text("number", {1, 100}), number)) dial.number = std::move(number);
        else fields.json.problem("number", PhoneNumbers::complaint());
    }
    return DeskWork{[dial = std::move(dial)](AgentDesk& desk, const std::string& agent) { return with_interaction(desk.dial(agent, dial)); }};
}

template <CallControl what> AgentWork call_control(Fields& fields) {
    return DeskWork{[id = fields.id("interaction")](AgentDesk& desk, const std::string& agent) { return done(desk.control(agent, id, what)); }};
}

AgentWork call_digits(Fields& fields) {
    auto digits = fields.json.required_text("digits", {1, 64});
    if (digits.find_first_not_of("0123456789*#ABCDabcd,") != std::string::npos) fields.json.problem("digits", "may have 0-9, *, #, A-D and a comma for a pause");
    return DeskWork{[id = fields.id("interaction"), digits = std::move(digits)](AgentDesk& desk, const std::string& agent) { return done(desk.send_digits(agent, id, digits)); }};
}

AgentWork call_pickup(Fields& fields) {
    return DeskWork{[id = fields.id("interaction")](AgentDesk& desk, const std::string& agent) { return with_interaction(desk.pick_up(agent, id)); }};
}
AgentWork calls_parked(Fields&) {
    return DeskWork{[](AgentDesk& desk, const std::string& agent) { return with_items(desk.parked(agent), append_parked); }};
}

// ---- supervisors

template <Supervision how> AgentWork supervise(Fields& fields) {
    return DeskWork{[id = fields.id("interaction")](AgentDesk& desk, const std::string& agent) { return done(desk.supervise(agent, id, how)); }};
}
AgentWork force_presence(Fields& fields) {
    return DeskWork{[other = fields.json.required_text("agent", {1, 200}), state = fields.json.choice("state", {"ready", "not_ready", "after_current", "offline"}, "not_ready")](
                        AgentDesk& desk, const std::string& agent) { return done(desk.force_presence(agent, other, state)); }};
}
AgentWork reassign(Fields& fields) {
    return DeskWork{[id = fields.id("interaction"), to = fields.json.required_text("to", {1, 200})](AgentDesk& desk, const std::string& agent) { return done(desk.reassign(agent, id, to)); }};
}
AgentWork take_over(Fields& fields) {
    return DeskWork{[id = fields.id("interaction")](AgentDesk& desk, const std::string& agent) { return done(desk.pull_interaction(agent, id)); }};
}

struct RequestType {
    std::string_view name;
    AgentWork (*read)(Fields& fields);
};

constexpr RequestType request_types[] = {
    {"presence.set", presence_set},
    {"health.report", health_report},
    {"offer.accept", offer_accept},
    {"offer.reject", offer_reject},
    {"message.send", message_send},
    {"interaction.get", interaction_get},
    {"interaction.wrap_up", interaction_wrap_up},
    {"interaction.transfer", interaction_transfer},
    {"contact.get", contact_get},
    {"contact.do_not_contact", do_not_contact},
    {"timeline.get", timeline_get},
    {"promise.create", promise_create},
    {"promise.done", promise_done},
    {"promises.list", promises_list},
    {"templates.list", templates_list},
    {"queues.list", queues_list},
    {"agents.list", agents_list},
    {"wallboard.get", wallboard_get},
    {"sip.settings", sip_settings},
    {"leads.list", leads_list},
    {"lead.get", lead_get},
    {"lead.accept", lead_step<leads::Stage::accepted>},
    {"lead.contacted", lead_step<leads::Stage::contacted>},
    {"lead.qualify", lead_step<leads::Stage::qualified>},
    {"lead.disqualify", lead_step<leads::Stage::disqualified>},
    {"lead.won", lead_step<leads::Stage::won>},
    {"lead.lost", lead_step<leads::Stage::lost>},
    {"call.dial", call_dial},
    {"call.hold", call_control<CallControl::hold>},
    {"call.resume", call_control<CallControl::resume>},
    {"call.mute", call_control<CallControl::mute>},
    {"call.unmute", call_control<CallControl::unmute>},
    {"call.hangup", call_control<CallControl::hang_up>},
    {"call.record_pause", call_control<CallControl::record_pause>},
    {"call.record_resume", call_control<CallControl::record_resume>},
    {"call.dtmf", call_digits},
    {"call.transfer", call_transfer},
    {"call.consult.complete", call_control<CallControl::consult_complete>},
    {"call.consult.cancel", call_control<CallControl::consult_cancel>},
    {"call.consult.toggle", call_control<CallControl::consult_toggle>},
    {"call.conference", call_control<CallControl::conference>},
    {"call.park", call_control<CallControl::park>},
    {"call.pickup", call_pickup},
    {"calls.parked", calls_parked},
    {"supervisor.monitor", supervise<Supervision::monitor>},
    {"supervisor.whisper", supervise<Supervision::whisper>},
    {"supervisor.barge", supervise<Supervision::barge>},
    {"supervisor.coach_off", supervise<Supervision::coach_off>},
    {"supervisor.set_presence", force_presence},
    {"supervisor.reassign", reassign},
    {"supervisor.pull", take_over},
};

}  // namespace

AgentWork read_agent_work(const AgentRequest& request, TouchIntake& intake, const PhoneNumbers& phones) {
    const auto known = std::find_if(std::begin(request_types), std::end(request_types), [&](const RequestType& each) { return each.name == request.type; });
    if (known == std::end(request_types)) return agent_error("bad_request", "there is no request \"" + request.type.substr(0, 100) + "\"");
    Fields fields{request, intake, phones};
    auto work = known->read(fields);
    if (fields.problems.empty()) {
        if (auto* error = std::get_if<Error>(&work)) error->reference = "bad_request";
        return work;
    }
    auto error = fields_error(std::move(fields.problems));
    error.reference = "bad_request";
    return error;
}

AgentReply timeline_reply(const Result<ItemPage>& page) {
    if (!page) return failed(page.error());
    return {.error = {}, .members = [items = page->items, next = page->next_cursor](std::string&, JsonObject& json) { json.raw("items", items).text_or_null("next", next); }};
}

std::vector<std::string_view> agent_request_types() {
    std::vector<std::string_view> names;
    for (const auto& each : request_types) names.push_back(each.name);
    return names;
}

}  // namespace touchgate::http
