// Calls `visit(event)` with the decoded event of a touch.* record, whichever it is. False when the record is none, or is unreadable.
#pragma once

#include "gateway/engine/event_codec.hpp"
#include "gateway/engine/events.hpp"

namespace touchgate::projection {

template <class E, class Visit> bool visit_as(const Record& record, Visit&& visit) {
    E event;
    if (!decode(record.payload, event)) return false;
    visit(event);
    return true;
}

template <class Visit> bool visit_touch_event(const Record& record, Visit&& visit) {
    switch (static_cast<EventType>(record.type)) {
        case EventType::touch_created: return visit_as<TouchCreated>(record, visit);
        case EventType::touch_decided: return visit_as<TouchDecided>(record, visit);
        case EventType::touch_deferred: return visit_as<TouchDeferred>(record, visit);
        case EventType::touch_blocked: return visit_as<TouchBlocked>(record, visit);
        case EventType::touch_held_out: return visit_as<TouchHeldOut>(record, visit);
        case EventType::touch_dispatching: return visit_as<TouchDispatching>(record, visit);
        case EventType::touch_permit_lapsed: return visit_as<TouchPermitLapsed>(record, visit);
        case EventType::touch_permit_revoked: return visit_as<TouchPermitRevoked>(record, visit);
        case EventType::touch_accepted: return visit_as<TouchAccepted>(record, visit);
        case EventType::touch_delivered: return visit_as<TouchDelivered>(record, visit);
        case EventType::touch_read: return visit_as<TouchRead>(record, visit);
        case EventType::touch_replied: return visit_as<TouchReplied>(record, visit);
        case EventType::touch_completed: return visit_as<TouchCompleted>(record, visit);
        case EventType::touch_failed: return visit_as<TouchFailed>(record, visit);
        case EventType::touch_unknown: return visit_as<TouchUnknown>(record, visit);
        case EventType::touch_cancelled: return visit_as<TouchCancelled>(record, visit);
        case EventType::touch_expired: return visit_as<TouchExpired>(record, visit);
        case EventType::touch_attempt_ended: return visit_as<TouchAttemptEnded>(record, visit);
        case EventType::touch_settled: return visit_as<TouchSettled>(record, visit);
        case EventType::touch_handed_over: return visit_as<TouchHandedOver>(record, visit);
        case EventType::touch_task_changed: return visit_as<TouchTaskChanged>(record, visit);
        default: return false;
    }
}

}  // namespace touchgate::projection
