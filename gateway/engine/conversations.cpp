// The clocks of conversations: an answer that is due, a silence that ends one, an agent who does not come back.

#include "gateway/engine/internals.hpp"

namespace touchgate {

namespace {

constexpr Duration silence{std::chrono::hours{48}};  // where the queue says nothing: no platform's window is open longer

Duration idle_close_of(const std::optional<routing::QueueView>& queue) { return queue && queue->definition->idle_close ? *queue->definition->idle_close : silence; }

// When it is to be said that it will be closed, unless it was.
std::optional<Instant> notice_due(const Interaction& row, const std::optional<routing::QueueView>& queue) {
    if (!queue || !queue->definition->idle_close || queue->definition->idle_notice == Duration{0} || row.idle_told_at > row.last_at) return std::nullopt;
    return row.last_at + *queue->definition->idle_close - queue->definition->idle_notice;
}

}  // namespace

void Engine::Internals::schedule_conversation(Interaction& row) {
    if (row.is_closed() || state.symbols.name(row.channel) == "voice") return;
    const auto queue = router.queue(state.symbols.name(row.queue));
    auto due = row.last_at + idle_close_of(queue);
    if (const auto notice = notice_due(row, queue)) due = std::min(due, *notice);
    if (queue && queue->definition->reply_within && !row.agent.empty() && row.unanswered_since != instant_never)
        due = std::min(due, row.unanswered_since + *queue->definition->reply_within * (row.reminders + 1));
    if (queue && !row.agent.empty() && queue->definition->hold_for > Duration{0})
        if (const auto agent = router.agent(row.agent); agent && agent->session == routing::Session::offline) due = std::min(due, agent->state_since + queue->definition->hold_for);
    if (due == row.due_at) return;
    if (row.due_at != instant_never) conversation_agenda.erase({row.due_at, row.id});
    row.due_at = due;
    conversation_agenda.insert({due, row.id});
}

void Engine::Internals::tell_of_idle_close(const Interaction& row, const std::string& text) {
    const auto id = row.id;
    emit(row.contact, AgentNoticed{.agent = row.agent, .kind = "idle", .interaction = id});
    if (text.empty()) return;
    TouchRequest request;
    request.content.text = text;
    request.purpose = "service";
    request.origin = policy::Origin::bot;
    (void)reply(id, request);  // one that cannot be said is not
}

void Engine::Internals::run_conversations() {
    for (int done = 0; done < 256 && !conversation_agenda.empty() && conversation_agenda.begin()->at <= now; ++done) {
        if (parts.log.room() < (std::size_t{4} << 20U)) return;
        const auto id = conversation_agenda.begin()->interaction;
        conversation_agenda.erase(conversation_agenda.begin());
        const auto found = state.interactions.find(id);
        if (found == state.interactions.end() || found->second.is_closed()) continue;
        auto& row = found->second;
        row.due_at = instant_never;
        const auto queue = router.queue(state.symbols.name(row.queue));
        if (row.last_at + idle_close_of(queue) <= now) {
            end_interaction(id, "completed", "timeout", {}, "timeout", {});
            continue;
        }
        const auto agent = row.agent.empty() ? std::nullopt : router.agent(row.agent);
        const bool held_long_enough = agent && queue && agent->session == routing::Session::offline && queue->definition->hold_for > Duration{0} &&
                                      agent->state_since + queue->definition->hold_for <= now;
        if (const auto notice = notice_due(row, queue); notice && *notice <= now) {
            tell_of_idle_close(row, queue->definition->idle_text);
        } else if (held_long_enough) {
            (void)router.requeue(id, {}, {}, true, "agent_gone", now);
        } else if (agent && queue && queue->definition->reply_within && row.unanswered_since != instant_never) {
            // He is reminded first, then those who supervise him, then somebody else gets it.
            if (row.reminders == 0) {
                emit(row.contact, AgentNoticed{.agent = row.agent, .kind = "reply_due", .interaction = id});
            } else if (row.reminders == 1) {
                emit(row.contact, AgentNoticed{.agent = row.agent, .kind = "reply_due", .interaction = id});
                for (const auto supervisor : router.agents()) {
                    const auto view = router.agent(supervisor);
                    if (view->session == routing::Session::signed_in && supervises(supervisor, state.symbols.name(row.queue), row.agent))
                        emit(row.contact, AgentNoticed{.agent = std::string{supervisor}, .kind = "reply_late", .interaction = id});
                }
            } else {
                (void)router.requeue(id, {}, {}, true, "no_reply", now);
            }
        }
        if (const auto still = state.interactions.find(id); still != state.interactions.end()) schedule_conversation(still->second);
    }
}

}  // namespace touchgate
