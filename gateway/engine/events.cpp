#include "gateway/engine/events.hpp"

#include <array>

namespace touchgate {

std::string_view event_name(EventType type) {
    switch (type) {
        case EventType::profile_defined: return "profile.defined";
        case EventType::policy_activated: return "policy.activated";
        case EventType::policy_stored: return "policy.stored";
        case EventType::template_registered: return "template.registered";
        case EventType::attempt_facts_defined: return "attempt_facts.defined";
        case EventType::contact_created: return "contact.created";
        case EventType::contact_updated: return "contact.updated";
        case EventType::contact_erased: return "contact.erased";
        case EventType::contact_restricted: return "contact.restricted";
        case EventType::contact_merged: return "contact.merged";
        case EventType::contact_unmerged: return "contact.unmerged";
        case EventType::contact_followed: return "contact.followed";
        case EventType::contact_unfollowed: return "contact.unfollowed";
        case EventType::contact_synced: return "contact.synced";
        case EventType::consent_granted: return "consent.granted";
        case EventType::consent_withdrawn: return "consent.withdrawn";
        case EventType::suppression_added: return "suppression.added";
        case EventType::suppression_removed: return "suppression.removed";
        case EventType::review_opened: return "review.opened";
        case EventType::review_decided: return "review.decided";
        case EventType::touch_created: return "touch.created";
        case EventType::touch_decided: return "touch.decided";
        case EventType::touch_deferred: return "touch.deferred";
        case EventType::touch_blocked: return "touch.blocked";
        case EventType::touch_held_out: return "touch.held_out";
        case EventType::touch_dispatching: return "touch.dispatching";
        case EventType::touch_permit_lapsed: return "touch.permit_lapsed";
        case EventType::touch_permit_revoked: return "touch.permit_revoked";
        case EventType::touch_accepted: return "touch.accepted";
        case EventType::touch_delivered: return "touch.delivered";
        case EventType::touch_read: return "touch.read";
        case EventType::touch_replied: return "touch.replied";
        case EventType::touch_completed: return "touch.completed";
        case EventType::touch_failed: return "touch.failed";
        case EventType::touch_unknown: return "touch.unknown";
        case EventType::touch_cancelled: return "touch.cancelled";
        case EventType::touch_expired: return "touch.expired";
        case EventType::touch_attempt_ended: return "touch.attempt_ended";
        case EventType::touch_settled: return "touch.settled";
        case EventType::touch_handed_over: return "touch.handed_over";
        case EventType::touch_task_changed: return "touch.task_changed";
        case EventType::message_received: return "message.received";
        case EventType::receipt_received: return "receipt.received";
        case EventType::receipt_matched: return "receipt.matched";
        case EventType::event_received: return "event.received";
        case EventType::event_unknown: return "event.unknown";
        case EventType::platform_event: return "event.received";
        case EventType::campaign_created: return "campaign.created";
        case EventType::campaign_started: return "campaign.started";
        case EventType::campaign_paused: return "campaign.paused";
        case EventType::campaign_resumed: return "campaign.resumed";
        case EventType::campaign_finished: return "campaign.finished";
        case EventType::campaign_cancelled: return "campaign.cancelled";
        case EventType::calendar_updated: return "calendar.updated";
        case EventType::campaign_audience_added: return "campaign.audience_added";
        case EventType::campaign_audience_removed: return "campaign.audience_removed";
        case EventType::hold_set: return "hold.set";
        case EventType::hold_lifted: return "hold.lifted";
        case EventType::conversion_recorded: return "conversion.recorded";
        case EventType::pull_advanced: return "account.pulled";
        case EventType::account_operation: return "account.operation";
        case EventType::account_quota_exhausted: return "account.quota_exhausted";
        case EventType::interaction_opened: return "interaction.opened";
        case EventType::interaction_closed: return "interaction.closed";
        case EventType::interaction_queued: return "interaction.queued";
        case EventType::interaction_assigned: return "interaction.assigned";
        case EventType::interaction_phase: return "interaction.phase";
        case EventType::interaction_recovering: return "interaction.recovering";
        case EventType::interaction_wrapping: return "interaction.wrapping";
        case EventType::interaction_noted: return "interaction.noted";
        case EventType::offer_made: return "offer.made";
        case EventType::offer_ended: return "offer.ended";
        case EventType::agent_updated: return "agent.updated";
        case EventType::queue_updated: return "queue.updated";
        case EventType::agent_session: return "agent.session";
        case EventType::agent_intent: return "agent.intent";
        case EventType::agent_health: return "agent.health";
        case EventType::agent_state: return "agent.state";
        case EventType::interaction_state: return "interaction.state";
        case EventType::interaction_disposed: return "interaction.disposed";
        case EventType::agent_noticed: return "agent.noticed";
        case EventType::promise_made: return "promise.made";
        case EventType::promise_changed: return "promise.changed";
        case EventType::call_started: return "call.started";
        case EventType::call_permitted: return "call.permitted";
        case EventType::call_stage: return "call.stage";
        case EventType::call_leg_added: return "call.leg_added";
        case EventType::call_ringing: return "call.ringing";
        case EventType::call_answered: return "call.answered";
        case EventType::call_leg_ended: return "call.leg_ended";
        case EventType::call_leg_replaced: return "call.leg_replaced";
        case EventType::call_bridged: return "call.bridged";
        case EventType::call_held: return "call.held";
        case EventType::call_consult: return "call.consult";
        case EventType::call_recording: return "call.recording";
        case EventType::call_supervised: return "call.supervised";
        case EventType::call_ended: return "call.ended";
        case EventType::caller_id_rested: return "caller_id.rested";
        case EventType::call_line: return "call.line";
        case EventType::recording_deleted: return "recording.deleted";
        case EventType::recording_accessed: return "recording.accessed";
        case EventType::lead_created: return "lead.created";
        case EventType::lead_touchpoint: return "lead.touchpoint";
        case EventType::lead_assigned: return "lead.assigned";
        case EventType::lead_accepted: return "lead.accepted";
        case EventType::lead_contacted: return "lead.contacted";
        case EventType::lead_qualified: return "lead.qualified";
        case EventType::lead_won: return "lead.won";
        case EventType::lead_lost: return "lead.lost";
        case EventType::lead_recycled: return "lead.recycled";
        case EventType::lead_overdue: return "lead.overdue";
        case EventType::account_up: return "account.up";
        case EventType::account_down: return "account.down";
        case EventType::clock_accepted: return "clock.accepted";
    }
    return {};
}

namespace {

constexpr std::array<std::string_view, touch_state_count> state_words = {
    "", "queued", "deferred", "blocked", "dispatching", "accepted", "delivered", "read", "replied", "completed", "failed", "unknown", "cancelled", "expired"};

}  // namespace

std::string_view to_string(TouchState state) { return state_words[static_cast<std::size_t>(state) % touch_state_count]; }

std::optional<TouchState> parse_touch_state(std::string_view word) {
    for (std::size_t i = 1; i < state_words.size(); ++i)
        if (state_words[i] == word) return static_cast<TouchState>(i);
    return std::nullopt;
}

std::string_view to_string(TaskStatus status) {
    switch (status) {
        case TaskStatus::waiting: return "waiting";
        case TaskStatus::sent: return "sent";
        case TaskStatus::not_friend: return "not_friend";
        case TaskStatus::over_limit: return "over_limit";
        case TaskStatus::cancelled: return "cancelled";
        case TaskStatus::expired: return "expired";
        case TaskStatus::cancelling: return "cancelling";
        case TaskStatus::reminded: return "reminded";
    }
    return "waiting";
}

std::string DecisionView::rule() const {
    if (!rule_override.empty()) return rule_override;
    if (decision.rule == policy::no_rule || !policy) return {};
    return policy->compiled->rule_name(decision.rule);
}

LoggedDecision to_logged(const policy::Decision& decision, std::uint32_t policy, std::string rule_override) {
    LoggedDecision logged{.policy = policy, .verdict = decision.verdict, .reason = decision.reason, .rule = decision.rule,
                          .rule_override = std::move(rule_override), .until = 0, .steps = {}, .facts = decision.facts};
    if (decision.until != instant_never) logged.until = unix_ms(decision.until);
    logged.steps.reserve(decision.trace.size());
    for (const auto& step : decision.trace) {
        const bool has_until = step.until != instant_never && step.verdict == policy::Verdict::defer;
        logged.steps.push_back({.rule = step.rule,
                                .bits = static_cast<std::uint8_t>(static_cast<unsigned>(step.verdict) | (step.waived ? 4U : 0U) |
                                                                  (step.counts ? 8U : 0U) | (has_until ? 16U : 0U) | (step.score_milli >= 0 ? 32U : 0U)),
                                .waived_by = step.waived_by,
                                .why = step.why,
                                .until = has_until ? unix_ms(step.until) : 0,
                                .counted_milli = step.counted_milli,
                                .max_milli = step.max_milli,
                                .score_milli = step.score_milli});
    }
    return logged;
}

policy::Decision from_logged(const LoggedDecision& logged) {
    policy::Decision decision{.verdict = logged.verdict, .rule = logged.rule, .until = logged.until == 0 ? instant_never : from_unix_ms(logged.until),
                              .reason = logged.reason, .trace = {}, .facts = logged.facts};
    decision.trace.reserve(logged.steps.size());
    for (const auto& step : logged.steps) {
        policy::TraceStep traced;
        traced.rule = step.rule;
        traced.verdict = static_cast<policy::Verdict>(step.bits & 3U);
        traced.waived = (step.bits & 4U) != 0;
        traced.counts = (step.bits & 8U) != 0;
        traced.waived_by = step.waived_by;
        traced.why = step.why;
        traced.until = step.until == 0 ? instant_never : from_unix_ms(step.until);
        traced.counted_milli = step.counted_milli;
        traced.max_milli = step.max_milli;
        traced.score_milli = step.score_milli;
        decision.trace.push_back(std::move(traced));
    }
    return decision;
}

}  // namespace touchgate
