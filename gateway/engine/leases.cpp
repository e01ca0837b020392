// Who is still there: an agent's lease runs from the last sign of life of any of his connections. Volatile; only its consequences are logged.

#include "gateway/engine/internals.hpp"

namespace touchgate {

void Engine::Internals::watch_lease(const std::string& agent, channel::Monotonic at) {
    auto& desk = desks[agent];
    if (desk.watched) return;
    desk.watched = true;
    leases.emplace(at, agent);
}

std::optional<channel::Monotonic> Engine::Internals::leases_due_at() const { return leases.empty() ? std::nullopt : std::optional{leases.begin()->first}; }

void Engine::Internals::run_leases() {
    while (!leases.empty() && leases.begin()->first <= monotonic) {
        if (parts.log.room() < (std::size_t{4} << 20U)) return;
        const auto agent = leases.begin()->second;
        const auto due = leases.begin()->first;
        leases.erase(leases.begin());
        auto& desk = desks[agent];
        desk.watched = false;
        const auto view = router.agent(agent);
        if (!view || view->session == routing::Session::offline) continue;
        const auto lease_ends = desk.heard + settings.agents.lease;
        if (!desk.lapsed && lease_ends > monotonic) {
            watch_lease(agent, lease_ends);
        } else if (!desk.lapsed) {
            desk.lapsed = true;
            (void)router.lapse(agent, now);
            watch_lease(agent, monotonic + settings.agents.grace);
        } else if (view->session == routing::Session::fault) {
            // After a start the grace runs from there, whatever was heard before.
            (void)due;
            agent_gone(agent, "lease", {});
        }
    }
}

void Engine::Internals::agent_gone(const std::string& agent, std::string_view cause, std::string_view actor) {
    (void)router.sign_out(agent, cause, actor, now);
    const auto view = router.agent(agent);
    if (!view) return;
    // Calls go on without his screen; conversations wait for somebody else.
    for (const auto& item : std::vector<Uuid>{view->items}) {
        const auto found = state.interactions.find(item);
        if (found == state.interactions.end() || state.symbols.name(found->second.channel) == "voice") continue;
        const auto queue = router.queue(state.symbols.name(found->second.queue));
        if (found->second.state == "wrapping") {
            end_interaction(item, "completed", "handled", queue ? queue->definition->default_disposition : std::string{}, "agent_gone", {});
        } else if (queue && queue->definition->requeue_on_offline && queue->definition->hold_for == Duration{0}) {
            (void)router.requeue(item, {}, {}, true, "agent_gone", now);
        } else {
            schedule_conversation(found->second);
        }
    }
}

}  // namespace touchgate
