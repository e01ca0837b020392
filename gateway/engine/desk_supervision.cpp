// Handing interactions on, and what supervisors may do with agents and with the conversations of others.

#include "gateway/engine/internals.hpp"
#include "gateway/engine/refusals.hpp"

namespace touchgate {

bool Engine::Internals::supervises(std::string_view supervisor, std::string_view queue, std::string_view agent) const {
    const auto view = router.agent(supervisor);
    if (!view || view->definition->role != routing::Role::supervisor) return false;
    const auto& supervised = view->definition->supervises;
    const auto covers = [&](std::string_view name) { return !name.empty() && std::find(supervised.begin(), supervised.end(), name) != supervised.end(); };
    if (covers(queue)) return true;
    const auto other = agent.empty() ? std::nullopt : router.agent(agent);
    if (!other) return false;
    if (covers(other->definition->unit)) return true;
    const auto& queues = other->definition->queues;
    return queue.empty() && std::any_of(queues.begin(), queues.end(), [&](const routing::Membership& each) { return covers(each.queue); });
}

namespace {

// "agent:ID" or "queue:ID" of what is assigned, or waits.
Result<void> hand_on(Engine::Internals& in, Interaction& row, const std::string& to, const std::string& note, const std::string& by, std::string_view cause) {
    const auto colon = to.find(':');
    const auto kind = to.substr(0, colon), name = colon == std::string::npos ? std::string{} : to.substr(colon + 1);
    if (row.is_closed()) return refused("wrong_state", "the interaction is closed");
    if (kind != "agent" && kind != "queue") return refused("bad_request", "hand it to \"agent:<id>\" or \"queue:<id>\"", ErrorKind::invalid_input);
    if (kind == "agent" && !in.router.agent(name)) return refused("bad_request", "there is no agent " + name, ErrorKind::invalid_input);
    if (kind == "queue" && !in.router.queue(name)) return refused("bad_request", "there is no queue " + name, ErrorKind::invalid_input);
    const auto id = row.id;
    if (!note.empty()) in.emit(row.contact, InteractionNoted{.id = id, .by = by, .sealed = in.seal_for(row.contact, ConsentSecret{.evidence = note})});
    const auto item = in.router.item(id);
    if (item && item->state != routing::ItemState::wrapping)
        return in.router.requeue(id, kind == "queue" ? name : std::string{}, kind == "agent" ? name : std::string{}, kind == "agent", cause, in.now);
    if (item) return refused("wrong_state", "the interaction is over");
    const auto channel = std::string{in.state.symbols.name(row.channel)};
    const auto queue = kind == "queue" ? name : std::string{in.state.symbols.name(row.queue)};
    return in.router.enqueue({.item = id, .queue = in.router.queue(queue) ? queue : in.queue_for(in.state.symbols.name(row.account), channel), .channel = channel, .priority = {},
                              .needs = {}, .prefers = {}, .only = kind == "agent" ? name : std::string{}, .first_queued_at = row.queued_at, .front = kind == "agent",
                              .cause = std::string{cause}},
                             in.now);
}

}  // namespace

void Engine::Internals::apply(const RecordMeta&, const InteractionNoted&) {}  // it is read from the log

Result<void> Desk::transfer(const std::string& agent, const Uuid& interaction, const std::string& to, const std::string& note, bool consult) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto found = in.state.interactions.find(interaction);
    if (found == in.state.interactions.end()) return refused("unknown_interaction", "there is no interaction " + to_string(interaction));
    if (found->second.agent != agent) return refused("not_yours", "the interaction is not yours");
    if (in.state.symbols.name(found->second.channel) == "voice") return in.transfer_call(found->second, to, note, agent, consult);
    if (consult) return refused("wrong_state", "only a call can be handed over after a consultation");
    if (found->second.state != "assigned") return refused("wrong_state", "the interaction is " + found->second.state);
    return hand_on(in, found->second, to, note, agent, "transfer");
}

Result<InteractionDetails> Desk::transfer_by_api(const Uuid& interaction, const std::string& to, const std::string& note) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto found = in.state.interactions.find(interaction);
    if (found == in.state.interactions.end()) return Error{.kind = ErrorKind::not_found, .detail = "there is no interaction " + to_string(interaction)};
    const bool talks = in.state.symbols.name(found->second.channel) == "voice";
    if (auto handed = talks ? in.transfer_call(found->second, to, note, "api", false) : hand_on(in, found->second, to, note, "api", "transfer"); !handed) {
        auto error = handed.error();
        if (error.kind == ErrorKind::invalid_input) error.problems.push_back({"/to", error.detail});
        return error;
    }
    return in.details(found->second, true);
}

Result<InteractionDetails> Desk::hand_over(const Uuid& interaction, const std::string& to, const std::string& reason, const std::string& summary) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto found = in.state.interactions.find(interaction);
    if (found == in.state.interactions.end()) return Error{.kind = ErrorKind::not_found, .detail = "there is no interaction " + to_string(interaction)};
    auto& row = found->second;
    if (row.reason != "bot" && row.reason != "none" && row.reason != "no_queue") return refused("wrong_state", "the interaction is with agents already");
    auto target = to == "agent" ? std::string{} : to;
    if (target.empty()) {
        const auto channel = std::string{in.state.symbols.name(row.channel)};
        const auto own = std::string{in.state.symbols.name(row.queue)};
        target = "queue:" + (own.empty() ? in.queue_for(in.state.symbols.name(row.account), channel) : own);
    }
    if (auto handed = hand_on(in, row, target, summary, "bot", reason.empty() ? "handover" : reason); !handed) {
        auto error = handed.error();
        if (error.kind == ErrorKind::invalid_input) error.problems.push_back({"/to", error.detail});
        return error;
    }
    return in.details(row, true);
}

Result<void> Desk::force_presence(const std::string& supervisor, const std::string& agent, const std::string& state) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    if (!in.supervises(supervisor, {}, agent)) return refused("not_allowed", "you do not supervise " + agent);
    const auto view = in.router.agent(agent);
    if (state == "offline") {
        in.agent_gone(agent, "supervisor", supervisor);
        return {};
    }
    if (view->session == routing::Session::offline) return refused("wrong_state", agent + " is not signed in");
    if (state != "ready" && state != "not_ready" && state != "after_current") return refused("bad_request", "state is one of ready, not_ready, after_current, offline", ErrorKind::invalid_input);
    const auto intent = state == "ready" ? routing::Intent::ready : state == "not_ready" ? routing::Intent::not_ready : routing::Intent::after_current;
    return in.router.set_intent(agent, intent, "supervisor", supervisor, in.now);
}

Result<void> Desk::reassign(const std::string& supervisor, const Uuid& interaction, const std::string& to) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto found = in.state.interactions.find(interaction);
    if (found == in.state.interactions.end()) return refused("unknown_interaction", "there is no interaction " + to_string(interaction));
    if (!in.supervises(supervisor, in.state.symbols.name(found->second.queue), found->second.agent)) return refused("not_allowed", "you do not supervise this interaction");
    if (in.state.symbols.name(found->second.channel) == "voice") {
        const auto* call = in.live_call(interaction);
        if (call != nullptr && (!found->second.agent.empty() || call->is_parked())) return in.transfer_call(found->second, to, {}, supervisor, false);
        if (call == nullptr || call->stage != voice::Stage::waiting) return refused("wrong_state", "nobody waits in this call");
    }
    return hand_on(in, found->second, to, {}, supervisor, "reassigned");
}

Result<void> Desk::pull_interaction(const std::string& supervisor, const Uuid& interaction) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto found = in.state.interactions.find(interaction);
    if (found == in.state.interactions.end()) return refused("unknown_interaction", "there is no interaction " + to_string(interaction));
    auto& row = found->second;
    if (!in.supervises(supervisor, in.state.symbols.name(row.queue), row.agent)) return refused("not_allowed", "you do not supervise this interaction");
    if (row.is_closed() || row.state == "wrapping") return refused("wrong_state", "the interaction is over");
    if (in.state.symbols.name(row.channel) == "voice") return in.transfer_call(row, "agent:" + supervisor, {}, supervisor, false);
    return in.router.assign(interaction, supervisor, in.state.symbols.name(row.channel), in.state.symbols.name(row.queue), "supervisor", true, in.now);
}

}  // namespace touchgate
