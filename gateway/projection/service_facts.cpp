#include "gateway/projection/service_facts.hpp"

#include "gateway/projection/touch_events.hpp"
#include "gateway/routing/definitions.hpp"

namespace touchgate::projection {

namespace {

// As in the table.
enum : std::int64_t { still_there = 0, was_answered = 1, was_abandoned = 2, flowed_out = 3, ended_otherwise = 4, only_shown = 5 };  // shown: to an agent who may let him be dialled

}  // namespace

bool ServiceFacts::is_meant(EventType type) {
    switch (type) {
        case EventType::agent_updated:
        case EventType::queue_updated:
        case EventType::agent_state:
        case EventType::interaction_queued:
        case EventType::offer_made:
        case EventType::offer_ended:
        case EventType::interaction_assigned:
        case EventType::interaction_wrapping:
        case EventType::interaction_closed: return true;
        default: return false;
    }
}

void ServiceFacts::apply(const Record& record) {
    const auto at = unix_ms(record.time);
    switch (static_cast<EventType>(record.type)) {
        case EventType::agent_updated:
            visit_as<AgentUpdated>(record, [&](const AgentUpdated& e) {
                std::vector<Problem> problems;
                const auto agent = routing::parse_agent(e.id, Json::parse(e.document, nullptr, false), problems);
                statement_("INSERT INTO agents VALUES (?, ?, ?, 'offline', ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, unit = excluded.unit").bind_text(1, e.id)
                    .bind_text(2, agent.name).bind_text(3, agent.unit).bind(4, at).run();
            });
            return;
        case EventType::queue_updated:
            visit_as<QueueUpdated>(record, [&](const QueueUpdated& e) {
                std::vector<Problem> problems;
                const auto queue = routing::parse_queue(e.id, Json::parse(e.document, nullptr, false), problems);
                statement_("INSERT OR REPLACE INTO queues VALUES (?, ?, ?)").bind_text(1, e.id).bind(2, queue.service_level_within.count()).bind(3, queue.short_abandon.count()).run();
            });
            return;
        case EventType::agent_state: visit_as<AgentStateChanged>(record, [&](const AgentStateChanged& e) { state(e, at); }); return;
        case EventType::interaction_queued: visit_as<InteractionQueued>(record, [&](const InteractionQueued& e) { queued(e, at); }); return;
        case EventType::offer_made:
            visit_as<OfferMade>(record, [&](const OfferMade& e) {
                statement_("UPDATE queue_items SET offers = offers + 1 WHERE interaction = ? AND how = 0").bind_blob(1, e.item.view()).run();
                if (e.preview) statement_("UPDATE queue_items SET how = ? WHERE interaction = ? AND how = 0").bind(1, only_shown).bind_blob(2, e.item.view()).run();
            });
            return;
        case EventType::offer_ended:
            visit_as<OfferEnded>(record, [&](const OfferEnded& e) {
                if (e.result == routing::OfferResult::accepted) answered(e.item, e.agent, at);
                if (e.result == routing::OfferResult::timed_out)
                    statement_("UPDATE queue_items SET rona = rona + 1 WHERE interaction = ? AND how = 0").bind_blob(1, e.item.view()).run();
                if (e.result == routing::OfferResult::rejected)
                    statement_("UPDATE queue_items SET rejected = rejected + 1 WHERE interaction = ? AND how = 0").bind_blob(1, e.item.view()).run();
            });
            return;
        case EventType::interaction_assigned: visit_as<InteractionAssigned>(record, [&](const InteractionAssigned& e) { answered(e.item, e.agent, at); }); return;
        case EventType::interaction_wrapping:
            visit_as<InteractionWrapping>(record, [&](const InteractionWrapping& e) {
                statement_("UPDATE queue_items SET ended_at = ? WHERE interaction = ? AND how = 1 AND ended_at IS NULL").bind(1, at).bind_blob(2, e.item.view()).run();
            });
            return;
        case EventType::interaction_closed: visit_as<InteractionClosed>(record, [&](const InteractionClosed& e) { ended(e, at); }); return;
        default: return;
    }
}

// A stay goes on when an offer came to nothing; another queue, or a conversation that an agent hands on, begins a new one.
void ServiceFacts::queued(const routing::ItemQueued& event, std::int64_t at) {
    auto& known = statement_("SELECT part, queue, how FROM queue_items WHERE interaction = ? ORDER BY part DESC LIMIT 1").bind_blob(1, event.item.view());
    std::int64_t part = 0;
    bool goes_on = false;
    if (known.step()) {
        part = known.integer(0) + 1;
        goes_on = known.integer(2) == still_there && known.text(1) == event.queue;
    }
    known.reset();
    if (goes_on) return;
    statement_("UPDATE queue_items SET how = 3, left_at = ?, closed_at = ? WHERE interaction = ? AND how = 0").bind(1, at).bind(2, at).bind_blob(3, event.item.view()).run();
    statement_("UPDATE queue_items SET ended_at = coalesce(ended_at, ?), closed_at = ? WHERE interaction = ? AND closed_at IS NULL").bind(1, at).bind(2, at)
        .bind_blob(3, event.item.view()).run();
    statement_("INSERT INTO queue_items VALUES (?, ?, ?, ?, ?, NULL, 0, 0, 0, '', NULL, NULL, 0, 0, 0)").bind_blob(1, event.item.view()).bind(2, part).bind_text(3, event.queue)
        .bind_text(4, event.channel).bind(5, at).run();
}

void ServiceFacts::answered(const Uuid& item, const std::string& agent, std::int64_t at) {
    statement_(
        "UPDATE queue_items SET how = 1, left_at = ?1, agent = ?2, within = (?1 - offered_at <= coalesce((SELECT within_ms FROM queues WHERE id = queue), 20000)) "
        "WHERE interaction = ?3 AND how IN (0, ?4)").bind(1, at).bind_text(2, agent).bind_blob(3, item.view()).bind(4, only_shown).run();
}

void ServiceFacts::ended(const routing::ItemEnded& event, std::int64_t at) {
    statement_("DELETE FROM queue_items WHERE interaction = ? AND how = ?").bind_blob(1, event.id.view()).bind(2, only_shown).run();
    const auto how = event.state == "abandoned" ? was_abandoned : event.state == "flowed_out" ? flowed_out : ended_otherwise;
    statement_(
        "UPDATE queue_items SET how = ?1, left_at = ?2, closed_at = ?2, within = (?2 - offered_at <= coalesce((SELECT within_ms FROM queues WHERE id = queue), 20000)), "
        "short = (?2 - offered_at < coalesce((SELECT short_ms FROM queues WHERE id = queue), 5000)) WHERE interaction = ?3 AND how = 0")
        .bind(1, how).bind(2, at).bind_blob(3, event.id.view()).run();
    statement_("UPDATE queue_items SET ended_at = coalesce(ended_at, ?1), closed_at = ?1 WHERE interaction = ?2 AND closed_at IS NULL").bind(1, at).bind_blob(2, event.id.view()).run();
}

void ServiceFacts::state(const AgentStateChanged& event, std::int64_t at) {
    statement_("INSERT INTO agent_times SELECT id, state, since, ?1 FROM agents WHERE id = ?2 AND since < ?1").bind(1, at).bind_text(2, event.agent).run();
    statement_("UPDATE agents SET state = ?, since = ? WHERE id = ?").bind_text(1, event.to).bind(2, at).bind_text(3, event.agent).run();
}

}  // namespace touchgate::projection
