#include "gateway/projection/lead_tables.hpp"

#include "gateway/engine/event_codec.hpp"
#include "gateway/projection/touch_events.hpp"

namespace touchgate::projection {

void LeadTables::apply(const Record& record) {
    const auto created = [&](const LeadCreated& e) {
        statement_("INSERT OR REPLACE INTO leads VALUES (?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, 1, NULL, NULL, 0, 0, '', 0, 0)").bind_blob(1, e.id.view()).bind(2, record.contact.value)
            .bind(3, unix_ms(record.time)).bind_text(4, e.source).bind_text(5, e.product).bind_text(6, e.unit).bind(7, e.touch.value)
            .bind(8, static_cast<std::int64_t>(leads::Stage::fresh)).bind(9, static_cast<std::int64_t>(e.grade)).bind(10, unix_ms(e.due_at)).run();
    };
    const auto touched = [&](const LeadTouched& e) {
        statement_("UPDATE leads SET touchpoints = touchpoints + 1, grade = ? WHERE id = ?").bind(1, static_cast<std::int64_t>(e.grade)).bind_blob(2, e.id.view()).run();
    };
    const auto assigned = [&](const LeadAssigned& e) {
        statement_("UPDATE leads SET reassigns = reassigns + (owner <> '' AND owner <> ?1), owner = ?1, stage = ?2 WHERE id = ?3").bind_text(1, e.owner)
            .bind(2, static_cast<std::int64_t>(e.stage)).bind_blob(3, e.id.view()).run();
    };
    const auto moved = [&](const auto& e) {
        statement_("UPDATE leads SET stage = ?, qualified = max(qualified, ?) WHERE id = ?").bind(1, static_cast<std::int64_t>(e.stage))
            .bind(2, e.stage == leads::Stage::qualified || e.stage == leads::Stage::won ? 1 : 0).bind_blob(3, e.id.view()).run();
        if (e.response_ms >= 0)
            statement_("UPDATE leads SET response_ms = ?, in_time = ? WHERE id = ? AND response_ms IS NULL").bind(1, e.response_ms).bind(2, e.in_time ? 1 : 0)
                .bind_blob(3, e.id.view()).run();
        if (e.stage == leads::Stage::won)
            statement_("UPDATE leads SET value = ?, currency = ? WHERE id = ?").bind(1, e.value_units).bind_text(2, e.currency).bind_blob(3, e.id.view()).run();
        // Who had it last is who is measured by it, also when it went back.
        if (e.stage == leads::Stage::recycled)
            statement_("UPDATE leads SET recycles = recycles + 1, owner = '' WHERE id = ?").bind_blob(1, e.id.view()).run();
    };
    switch (static_cast<EventType>(record.type)) {
        case EventType::lead_created: visit_as<LeadCreated>(record, created); return;
        case EventType::lead_touchpoint: visit_as<LeadTouched>(record, touched); return;
        case EventType::lead_assigned: visit_as<LeadAssigned>(record, assigned); return;
        case EventType::lead_accepted: visit_as<LeadAccepted>(record, moved); return;
        case EventType::lead_contacted: visit_as<LeadContacted>(record, moved); return;
        case EventType::lead_qualified: visit_as<LeadQualified>(record, moved); return;
        case EventType::lead_won: visit_as<LeadWon>(record, moved); return;
        case EventType::lead_lost: visit_as<LeadLost>(record, moved); return;
        case EventType::lead_recycled: visit_as<LeadRecycled>(record, moved); return;
        default: return;
    }
}

}  // namespace touchgate::projection
