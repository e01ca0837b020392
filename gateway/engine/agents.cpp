// Agents and queues for everybody: what was put, how they stand, the wallboard.

#include "gateway/engine/internals.hpp"
#include "gateway/engine/working_hours.hpp"

namespace touchgate {

namespace {

Error not_found(const char* what, const std::string& id) { return {.kind = ErrorKind::not_found, .detail = std::string{"there is no "}.append(what).append(" ").append(id)}; }

}  // namespace

Result<AgentDetails> Desk::put_agent(const std::string& id, const Json& document) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    std::vector<Problem> problems;
    if (document.is_object() && document.contains("shift")) check_hours(document["shift"], "/shift", in.calendars, problems);
    const bool known = in.router.agent(id).has_value();
    if (!problems.empty()) {
        (void)routing::parse_agent(id, document, problems);  // the others too
        return Error{.kind = ErrorKind::invalid_input, .detail = "the agent has fields that are wrong", .problems = std::move(problems)};
    }
    if (auto put = in.router.put_agent(id, document, in.now); !put) return put.error();
    if (const auto view = in.router.agent(id); view->definition->disabled) {
        if (view->session != routing::Session::offline) in.agent_gone(id, "disabled", {});
        for (auto& connected : in.desks[id].connected) in.engine.after_sync([connection = connected.connection] { connection->end("disabled"); });
    }
    auto shown = agent(id);
    shown->created = !known;
    return shown;
}

Result<QueueDetails> Desk::put_queue(const std::string& id, const Json& document) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    std::vector<Problem> problems;
    if (document.is_object() && document.contains("hours")) check_hours(document["hours"], "/hours", in.calendars, problems);
    if (!problems.empty()) return Error{.kind = ErrorKind::invalid_input, .detail = "the queue has fields that are wrong", .problems = std::move(problems)};
    const bool known = in.router.queue(id).has_value();
    if (auto put = in.router.put_queue(id, document, in.now); !put) return put.error();
    if (!known) {
        // Conversations that named it before it was there wait in it from now on.
        std::vector<Uuid> waiting;
        for (const auto& [key, interaction] : in.state.open_interactions)
            if (const auto found = in.state.interactions.find(interaction); found != in.state.interactions.end() && in.state.symbols.name(found->second.queue) == id &&
                found->second.reason.empty())
                waiting.push_back(interaction);
        std::sort(waiting.begin(), waiting.end());
        for (const auto& interaction : waiting) in.enqueue_interaction(interaction, "arrived");
    }
    auto shown = queue(id);
    shown->created = !known;
    return shown;
}

Result<AgentDetails> Desk::agent(const std::string& id) {
    auto& in = engine_.internals();
    const auto view = in.router.agent(id);
    if (!view) return not_found("agent", id);
    AgentDetails shown{.id = id, .document = {}, .name = view->definition->name, .unit = view->definition->unit, .state = std::string{routing::to_string(view->state)},
                       .intent = std::string{routing::to_string(view->intent)}, .reason = std::string{view->reason}, .healthy = view->healthy, .state_since = view->state_since,
                       .slots = {}, .interactions = view->items};
    shown.document = in.router.agent_document(id);
    for (const auto& slot : view->slots) shown.slots.push_back({.channel = slot.channel, .used = slot.used, .capacity = slot.capacity});
    if (const auto desk = in.desks.find(id); desk != in.desks.end()) shown.connections = desk->second.connected.size();
    return shown;
}

Result<QueueDetails> Desk::queue(const std::string& id) {
    auto& in = engine_.internals();
    const auto view = in.router.queue(id);
    if (!view) return not_found("queue", id);
    return QueueDetails{.id = id, .document = in.router.queue_document(id), .waiting = view->waiting, .offered = view->offered, .answered = view->answered,
                        .abandoned = view->abandoned, .rona = view->rona, .signed_in = view->signed_in, .routable = view->routable,
                        .longest_wait_ms = view->oldest ? std::max<std::int64_t>(0, (in.now - *view->oldest).count()) : 0, .service_level = view->service_level()};
}

std::vector<AgentDetails> Desk::agents(std::size_t limit, const std::string& after) {
    std::vector<AgentDetails> list;
    for (const auto id : engine_.internals().router.agents())
        if (list.size() < limit && id > after) list.push_back(*agent(std::string{id}));
    return list;
}

std::vector<AgentDetails> Desk::colleagues(const std::string& who, std::size_t limit) {
    auto& in = engine_.internals();
    auto list = agents(limit, {});
    for (auto& each : list)
        std::erase_if(each.interactions, [&](const Uuid& id) {
            const auto found = in.state.interactions.find(id);
            return found == in.state.interactions.end() || !in.supervises(who, in.state.symbols.name(found->second.queue), each.id);
        });
    return list;
}

std::vector<QueueDetails> Desk::queues(std::size_t limit, const std::string& after) {
    std::vector<QueueDetails> list;
    for (const auto id : engine_.internals().router.queues())
        if (list.size() < limit && id > after) list.push_back(*queue(std::string{id}));
    return list;
}

Wallboard Desk::wallboard() {
    auto& in = engine_.internals();
    Wallboard board{.queues = queues(std::size_t{100'000}, {}), .agents = {}, .seq = in.state.sequence};
    for (const auto& [state, count] : in.router.agents_by_state()) board.agents.emplace_back(routing::to_string(state), count);
    return board;
}

}  // namespace touchgate
