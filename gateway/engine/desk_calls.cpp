// What agents do with calls: take them, dial, hold, hand on, and what supervisors do with the calls of others.

#include <algorithm>

#include "gateway/engine/call_host.hpp"
#include "gateway/engine/refusals.hpp"
#include "gateway/routing/parts.hpp"

namespace touchgate {

namespace {

Error no_call(const Uuid& interaction) { return refused("wrong_state", "interaction " + to_string(interaction) + " is no call that goes on"); }

// The agent's own call.
Result<voice::Call*> call_of(Engine::Internals& in, const std::string& agent, const Uuid& interaction) {
    const auto found = in.state.interactions.find(interaction);
    if (found == in.state.interactions.end()) return refused("unknown_interaction", "there is no interaction " + to_string(interaction));
    if (found->second.agent != agent) return refused("not_yours", "the interaction is not yours");
    auto* call = in.live_call(interaction);
    if (call == nullptr) return no_call(interaction);
    return call;
}

bool has_right(const routing::AgentDefinition& agent, std::string_view right) { return std::find(agent.rights.begin(), agent.rights.end(), right) != agent.rights.end(); }

}  // namespace

std::string Engine::Internals::extension_of(std::string_view agent) const {
    const auto view = router.agent(agent);
    return view ? view->definition->extension : std::string{};
}

void Engine::Internals::offer_accepted(Interaction& interaction) {
    if (interaction.agent.empty()) return;
    if (live_call(interaction.id) == nullptr) return dial_shown(interaction);
    with_call(interaction.id, [agent = interaction.agent](voice::Machine& machine) { machine.accepted(agent); });
}

std::optional<Uuid> Engine::Internals::part_in_wrap_up(std::string_view agent, const Uuid& interaction) const {
    for (int n = 0; n < routing::parts_max; ++n) {
        const auto part = routing::part_of(interaction, n);
        if (const auto item = router.item(part); item && item->agent == agent) return part;
    }
    return std::nullopt;
}

void Engine::Internals::hang_up_call(const Uuid& id, std::string_view by) {
    if (live_call(id) == nullptr) return;
    with_call(id, [&](voice::Machine& machine) { machine.hang_up(by); });
}

// "agent:ID", "queue:ID" or "phone:NAME" (of the account's phone_routes, or a number if the agent may dial any).
Result<void> Engine::Internals::transfer_call(Interaction& interaction, const std::string& to, const std::string& note, const std::string& by, bool consult) {
    const auto id = interaction.id;
    auto* call = live_call(id);
    if (call == nullptr) return no_call(id);
    const auto colon = to.find(':');
    const auto kind = to.substr(0, colon), name = colon == std::string::npos ? std::string{} : to.substr(colon + 1);
    const auto& rules = rules_of(*call);
    std::string number;
    if (kind == "agent") {
        const auto view = router.agent(name);
        if (!view || view->definition->disabled) return refused("bad_request", "there is no agent " + name, ErrorKind::invalid_input);
        if (name == interaction.agent) return refused("bad_request", "it is " + name + "'s already", ErrorKind::invalid_input);
    } else if (kind == "queue") {
        if (!router.queue(name)) return refused("bad_request", "there is no queue " + name, ErrorKind::invalid_input);
    } else if (kind == "phone") {
        const auto route = rules.phone_routes.find(name);
        number = route != rules.phone_routes.end() ? route->second : rules.normalise(name);
        if (number.empty()) return refused("bad_request", "there is no route " + name, ErrorKind::invalid_input);
        const auto view = router.agent(by);
        if (route == rules.phone_routes.end() && !(view && has_right(*view->definition, "dial_any"))) return refused("not_allowed", "you may hand on to the account's routes only");
    } else {
        return refused("bad_request", "hand it to \"agent:<id>\", \"queue:<id>\" or \"phone:<route>\"", ErrorKind::invalid_input);
    }
    if (!note.empty()) emit(interaction.contact, InteractionNoted{.id = id, .by = by, .sealed = seal_for(interaction.contact, ConsentSecret{.evidence = note})});

    bool done = false;
    if (consult) {
        auto agent = kind == "agent" ? name : std::string{};
        if (kind == "queue") {
            // The best one who is free in it.
            const auto place = ids.next(now);
            const auto reserved = router.reserve({.item = {.item = place, .queue = name, .channel = "voice", .priority = {}}, .longest = Duration{1'000}, .auto_answer = true}, now);
            if (!reserved) return refused("no_capacity", "nobody in queue " + name + " is free");
            if (const auto offer = router.offer(*reserved)) agent = offer->agent;
            (void)router.end({.id = place, .state = "cancelled", .outcome = {}, .disposition = {}, .reason = "consult", .sealed = {}}, now);
        }
        if (!agent.empty()) {
            const auto view = router.agent(agent);
            const auto slot = std::find_if(view->slots.begin(), view->slots.end(), [](const auto& each) { return each.channel == "voice"; });
            if (view->session != routing::Session::signed_in || slot == view->slots.end() || slot->used >= slot->capacity) return refused("no_capacity", agent + " is not free");
            number = view->definition->extension;
            if (number.empty()) return refused("not_configured", agent + " has no telephone");
        }
        const auto with = agent.empty() ? "phone:" + name : "agent:" + agent;
        with_call(id, [&](voice::Machine& machine) { done = machine.consult(with, number); });
        if (done && !agent.empty()) {
            const auto busy = ids.next(now);
            consulted[id] = busy;
            (void)router.assign(busy, agent, "voice", {}, "consult", true, now);
        }
    } else if (kind == "phone") {
        with_call(id, [&](voice::Machine& machine) { done = machine.transfer_outside("phone:" + name, number); });
    } else {
        const auto item = router.item(id);
        auto wanted = kind == "queue" ? name : item ? std::string{item->queue} : std::string{};
        if (wanted.empty()) wanted = queue_for(call->account, "voice");
        if (!router.queue(wanted)) return refused("wrong_state", "no queue takes calls: name one");
        if (item && item->state == routing::ItemState::wrapping) return no_call(id);
        const bool talked = call->bridged_at != Instant::min() && call->agent == interaction.agent;
        with_call(id, [&](voice::Machine& machine) { done = machine.release("transfer"); });
        if (done) {
            const auto only = kind == "agent" ? name : std::string{};
            if (item) return router.requeue(id, wanted, only, kind == "agent", "transfer", now, talked);
            return router.enqueue({.item = id, .queue = wanted, .channel = "voice", .priority = {}, .needs = {}, .prefers = {}, .only = only, .first_queued_at = interaction.queued_at,
                                   .front = kind == "agent", .cause = "transfer"},
                                  now);
        }
    }
    if (!done) return refused("wrong_state", "the call cannot be handed on now");
    return {};
}

Result<InteractionDetails> Desk::dial(const std::string& agent, const Dial& dial) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto account = in.call_account();
    if (!account) return refused("not_configured", "no account of the configuration is a telephone system");
    const auto view = in.router.agent(agent);
    if (!view) return refused("not_allowed", "there is no agent " + agent);
    Engine::Internals::CallPurpose purpose{.purpose = dial.purpose.empty() ? "service" : dial.purpose, .campaign = dial.campaign, .queue = {}, .address = 0, .offer = {}};
    for (const auto& membership : view->definition->queues) {
        const auto queue = in.router.queue(membership.queue);
        if (!queue || !purpose.queue.empty()) continue;
        const auto& channels = queue->definition->channels;
        if (channels.empty() || std::find(channels.begin(), channels.end(), "voice") != channels.end()) purpose.queue = membership.queue;
    }
    if (purpose.purpose == "marketing" && dial.campaign.empty() && dial.lead.empty()) return refused("not_allowed", "a call for marketing needs a campaign or a lead");
    ContactIndex contact{};
    if (dial.number) {
        if (!has_right(*view->definition, "dial_any")) return refused("not_allowed", "you may dial contacts only, not any number");
        const auto number = in.accounts[*account].settings.calls->normalise(*dial.number);
        if (number.empty()) return refused("bad_request", "that is no telephone number", ErrorKind::invalid_input);
        const auto known = in.resolve({.id = {}, .address = Address{.kind = AddressKind::phone, .value = number, .account = {}}}, true, purpose.address);
        if (!known) return refused("bad_request", known.error().detail, ErrorKind::invalid_input);
        contact = *known;
        if (purpose.address == 0) purpose.address = in.find_address({.kind = AddressKind::phone, .value = number, .account = {}});
    } else {
        contact = ContactIndex{in.contact_row(dial.contact.value_or(""))};
        if (contact.value == 0) return refused("bad_request", "there is no contact " + dial.contact.value_or(""), ErrorKind::not_found);
        for (const auto address : in.state.contacts[contact.value].addresses)
            if (purpose.address == 0 && in.state.addresses[address].kind == AddressKind::phone) purpose.address = address;
        if (purpose.address == 0) return refused("bad_request", "the contact has no telephone number", ErrorKind::invalid_input);
    }
    if (auto may = in.may_dial(agent, purpose, contact, *account); !may) return may.error();
    const auto id = in.open_dial(agent, purpose, contact, *account);
    in.with_call(id, [&](voice::Machine& machine) { machine.begin_by_agent(agent); });
    return in.details(in.state.interactions.at(id), true);
}

Result<void> Desk::control(const std::string& agent, const Uuid& interaction, CallControl control) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto call = call_of(in, agent, interaction);
    if (!call) return call.error();
    const auto item = in.router.item(interaction);
    const bool can_wait = item && item->state == routing::ItemState::assigned && !item->queue.empty();
    bool done = false;
    in.with_call(interaction, [&](voice::Machine& machine) {
        switch (control) {
            case CallControl::hold: done = machine.hold(true); break;
            case CallControl::resume: done = machine.hold(false); break;
            case CallControl::mute: done = machine.mute(true); break;
            case CallControl::unmute: done = machine.mute(false); break;
            case CallControl::hang_up:
                if (const auto purpose = in.call_purposes.find(interaction); purpose != in.call_purposes.end()) purpose->second.agent_came = true;
                machine.hang_up("agent");
                done = true;
                break;
            case CallControl::park: done = can_wait && machine.park(); break;
            case CallControl::record_pause: done = machine.pause_recording(true); break;
            case CallControl::record_resume: done = machine.pause_recording(false); break;
            case CallControl::consult_complete: done = machine.consult_complete(); break;
            case CallControl::consult_cancel: done = machine.consult_cancel(); break;
            case CallControl::consult_toggle: done = machine.consult_toggle(); break;
            case CallControl::conference: done = machine.conference(); break;
        }
    });
    if (!done) return refused("wrong_state", "the call is " + std::string{voice::to_string((*call)->stage)});
    if (control == CallControl::park) return in.router.park(interaction, in.now);
    return {};
}

Result<void> Desk::send_digits(const std::string& agent, const Uuid& interaction, const std::string& digits) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto call = call_of(in, agent, interaction);
    if (!call) return call.error();
    if (digits.empty() || digits.size() > 64 || digits.find_first_not_of("0123456789*#ABCDabcd") != std::string::npos)
        return refused("bad_request", "digits are 0 to 9, *, # and A to D", ErrorKind::invalid_input);
    bool done = false;
    in.with_call(interaction, [&](voice::Machine& machine) { done = machine.send_digits(digits); });
    if (!done) return refused("wrong_state", "nobody hears digits now");
    return {};
}

// ---- parked calls

void Engine::Internals::park_over(const Uuid& id) { (void)router.requeue(id, {}, {}, true, "park_over", now); }

namespace {

bool may_pick_up(Engine::Internals& in, const std::string& agent, const Interaction& parked) {
    const auto view = in.router.agent(agent);
    if (!view) return false;
    const auto queue = in.state.symbols.name(parked.queue);
    return std::any_of(view->definition->queues.begin(), view->definition->queues.end(), [&](const routing::Membership& each) { return each.queue == queue; }) ||
           in.supervises(agent, queue, parked.agent);
}

}  // namespace

Result<InteractionDetails> Desk::pick_up(const std::string& agent, const Uuid& interaction) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto found = in.state.interactions.find(interaction);
    if (found == in.state.interactions.end()) return refused("unknown_interaction", "there is no interaction " + to_string(interaction));
    if (!may_pick_up(in, agent, found->second)) return refused("not_allowed", "you do not serve its queue");
    const auto* call = in.live_call(interaction);
    if (call == nullptr || !call->is_parked()) return refused("wrong_state", "the call is not parked");
    if (in.extension_of(agent).empty()) return refused("not_configured", "no telephone is configured for you");
    if (auto assigned = in.router.assign(interaction, agent, "voice", in.state.symbols.name(found->second.queue), "pickup", false, in.now); !assigned) return assigned.error();
    in.with_call(interaction, [&](voice::Machine& machine) { machine.accepted(agent); });
    return in.details(found->second, true);
}

std::vector<ParkedCall> Desk::parked(const std::string& agent) {
    auto& in = engine_.internals();
    std::vector<ParkedCall> list;
    for (const auto& [id, due] : in.call_due) {
        const auto* call = in.live_call(id);
        const auto found = in.state.interactions.find(id);
        if (call == nullptr || !call->is_parked() || found == in.state.interactions.end() || !may_pick_up(in, agent, found->second)) continue;
        list.push_back({.interaction = id, .queue = std::string{in.state.symbols.name(found->second.queue)}, .by = found->second.last_agent, .contact = in.card_of(found->second.contact),
                        .since = call->stage_at, .until = due});
    }
    return list;
}

Result<void> Desk::supervise(const std::string& supervisor, const Uuid& interaction, Supervision how) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto found = in.state.interactions.find(interaction);
    if (found == in.state.interactions.end()) return refused("unknown_interaction", "there is no interaction " + to_string(interaction));
    if (!in.supervises(supervisor, in.state.symbols.name(found->second.queue), found->second.agent)) return refused("not_allowed", "you do not supervise this interaction");
    if (in.live_call(interaction) == nullptr) return no_call(interaction);
    const auto extension = in.extension_of(supervisor);
    if (extension.empty()) return refused("not_configured", "no telephone is configured for you");
    const auto way = how == Supervision::monitor   ? voice::Supervising::monitor
                     : how == Supervision::whisper ? voice::Supervising::whisper
                     : how == Supervision::barge   ? voice::Supervising::barge
                                                   : voice::Supervising::none;
    bool done = false;
    in.with_call(interaction, [&](voice::Machine& machine) { done = machine.supervise(supervisor, extension, way); });
    if (!done) return refused("wrong_state", "there is nothing to hear now");
    return {};
}

// What a template of the configuration becomes for one agent.
Result<Desk::Softphone> Desk::softphone(const std::string& agent) {
    auto& in = engine_.internals();
    const auto extension = in.extension_of(agent);
    const auto& given = in.settings.agents.softphone;
    if (extension.empty() || !given.is_object()) return refused("not_configured", "no softphone is configured for " + agent, ErrorKind::not_found);
    const auto text = [&](const char* name) {
        const auto found = given.find(name);
        auto value = found != given.end() && found->is_string() ? found->get<std::string>() : std::string{};
        for (const auto& [placeholder, put] : {std::pair<std::string, std::string>{"{extension}", extension}, {"{agent}", agent}})
            for (auto at = value.find(placeholder); at != std::string::npos; at = value.find(placeholder, at + put.size())) value.replace(at, placeholder.size(), put);
        return value;
    };
    Softphone made{.uri = text("uri"), .websocket = text("websocket"), .password = text("password"), .ice = {}};
    if (const auto passwords = given.find("passwords"); passwords != given.end() && passwords->is_object())
        if (const auto own = passwords->find(agent); own != passwords->end() && own->is_string()) made.password = own->get<std::string>();
    if (const auto ice = given.find("ice"); ice != given.end() && ice->is_array())
        for (const auto& server : *ice)
            if (server.is_string()) made.ice.push_back(server.get<std::string>());
    return made;
}

}  // namespace touchgate
