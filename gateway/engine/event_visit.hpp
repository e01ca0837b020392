// From the number of a record's type to its event: the one list of them all.
#pragma once

#include <type_traits>

#include "gateway/engine/events.hpp"

namespace touchgate {

// Calls `use` with std::type_identity<E> of the event that has this number; false: of a newer program.
template <class Use> bool visit_event(EventType type, Use&& use) {
    switch (type) {
        case EventType::profile_defined: use(std::type_identity<ProfileDefined>{}); return true;
        case EventType::policy_activated: use(std::type_identity<PolicyActivated>{}); return true;
        case EventType::policy_stored: use(std::type_identity<PolicyStored>{}); return true;
        case EventType::template_registered: use(std::type_identity<TemplateRegistered>{}); return true;
        case EventType::attempt_facts_defined: use(std::type_identity<AttemptFactsDefined>{}); return true;
        case EventType::contact_created: use(std::type_identity<ContactCreated>{}); return true;
        case EventType::contact_updated: use(std::type_identity<ContactUpdated>{}); return true;
        case EventType::contact_erased: use(std::type_identity<ContactErased>{}); return true;
        case EventType::contact_restricted: use(std::type_identity<ContactRestricted>{}); return true;
        case EventType::contact_merged: use(std::type_identity<ContactMerged>{}); return true;
        case EventType::contact_unmerged: use(std::type_identity<ContactUnmerged>{}); return true;
        case EventType::contact_followed: use(std::type_identity<ContactFollowed>{}); return true;
        case EventType::contact_unfollowed: use(std::type_identity<ContactUnfollowed>{}); return true;
        case EventType::platform_event: use(std::type_identity<PlatformEvent>{}); return true;
        case EventType::contact_synced: use(std::type_identity<ContactSynced>{}); return true;
        case EventType::event_unknown: use(std::type_identity<EventUnknown>{}); return true;
        case EventType::interaction_opened: use(std::type_identity<InteractionOpened>{}); return true;
        case EventType::interaction_closed: use(std::type_identity<InteractionClosed>{}); return true;
        case EventType::account_operation: use(std::type_identity<AccountOperation>{}); return true;
        case EventType::account_quota_exhausted: use(std::type_identity<AccountQuotaExhausted>{}); return true;
        case EventType::interaction_queued: use(std::type_identity<InteractionQueued>{}); return true;
        case EventType::interaction_assigned: use(std::type_identity<InteractionAssigned>{}); return true;
        case EventType::interaction_phase: use(std::type_identity<InteractionPhase>{}); return true;
        case EventType::interaction_recovering: use(std::type_identity<InteractionRecovering>{}); return true;
        case EventType::interaction_wrapping: use(std::type_identity<InteractionWrapping>{}); return true;
        case EventType::interaction_noted: use(std::type_identity<InteractionNoted>{}); return true;
        case EventType::offer_made: use(std::type_identity<OfferMade>{}); return true;
        case EventType::offer_ended: use(std::type_identity<OfferEnded>{}); return true;
        case EventType::agent_updated: use(std::type_identity<AgentUpdated>{}); return true;
        case EventType::queue_updated: use(std::type_identity<QueueUpdated>{}); return true;
        case EventType::agent_session: use(std::type_identity<AgentSession>{}); return true;
        case EventType::agent_intent: use(std::type_identity<AgentIntent>{}); return true;
        case EventType::agent_health: use(std::type_identity<AgentHealth>{}); return true;
        case EventType::agent_state: use(std::type_identity<AgentStateChanged>{}); return true;
        case EventType::interaction_disposed: use(std::type_identity<InteractionDisposed>{}); return true;
        case EventType::interaction_state: use(std::type_identity<InteractionStateChanged>{}); return true;
        case EventType::agent_noticed: use(std::type_identity<AgentNoticed>{}); return true;
        case EventType::call_started: use(std::type_identity<CallBegan>{}); return true;
        case EventType::call_permitted: use(std::type_identity<CallWasPermitted>{}); return true;
        case EventType::call_stage: use(std::type_identity<CallStageChanged>{}); return true;
        case EventType::call_leg_added: use(std::type_identity<CallLegAdded>{}); return true;
        case EventType::call_ringing: use(std::type_identity<CallRinging>{}); return true;
        case EventType::call_answered: use(std::type_identity<CallAnswered>{}); return true;
        case EventType::call_leg_ended: use(std::type_identity<CallLegEnded>{}); return true;
        case EventType::call_leg_replaced: use(std::type_identity<CallLegReplaced>{}); return true;
        case EventType::call_bridged: use(std::type_identity<CallBridged>{}); return true;
        case EventType::call_held: use(std::type_identity<CallHeld>{}); return true;
        case EventType::call_consult: use(std::type_identity<CallConsult>{}); return true;
        case EventType::call_recording: use(std::type_identity<CallRecording>{}); return true;
        case EventType::call_supervised: use(std::type_identity<CallSupervised>{}); return true;
        case EventType::call_ended: use(std::type_identity<CallOver>{}); return true;
        case EventType::recording_accessed: use(std::type_identity<RecordingAccessed>{}); return true;
        case EventType::caller_id_rested: use(std::type_identity<CallerIdRested>{}); return true;
        case EventType::call_line: use(std::type_identity<CallLineTaken>{}); return true;
        case EventType::recording_deleted: use(std::type_identity<RecordingDeleted>{}); return true;
        case EventType::lead_created: use(std::type_identity<LeadCreated>{}); return true;
        case EventType::lead_touchpoint: use(std::type_identity<LeadTouched>{}); return true;
        case EventType::lead_assigned: use(std::type_identity<LeadAssigned>{}); return true;
        case EventType::lead_accepted: use(std::type_identity<LeadAccepted>{}); return true;
        case EventType::lead_contacted: use(std::type_identity<LeadContacted>{}); return true;
        case EventType::lead_qualified: use(std::type_identity<LeadQualified>{}); return true;
        case EventType::lead_won: use(std::type_identity<LeadWon>{}); return true;
        case EventType::lead_lost: use(std::type_identity<LeadLost>{}); return true;
        case EventType::lead_recycled: use(std::type_identity<LeadRecycled>{}); return true;
        case EventType::lead_overdue: use(std::type_identity<LeadOverdue>{}); return true;
        case EventType::promise_made: use(std::type_identity<PromiseMade>{}); return true;
        case EventType::promise_changed: use(std::type_identity<PromiseChanged>{}); return true;
        case EventType::pull_advanced: use(std::type_identity<PullAdvanced>{}); return true;
        case EventType::touch_handed_over: use(std::type_identity<TouchHandedOver>{}); return true;
        case EventType::touch_task_changed: use(std::type_identity<TouchTaskChanged>{}); return true;
        case EventType::consent_granted: use(std::type_identity<ConsentGranted>{}); return true;
        case EventType::consent_withdrawn: use(std::type_identity<ConsentWithdrawn>{}); return true;
        case EventType::suppression_added: use(std::type_identity<SuppressionAdded>{}); return true;
        case EventType::suppression_removed: use(std::type_identity<SuppressionRemoved>{}); return true;
        case EventType::review_opened: use(std::type_identity<ReviewOpened>{}); return true;
        case EventType::review_decided: use(std::type_identity<ReviewDecided>{}); return true;
        case EventType::touch_created: use(std::type_identity<TouchCreated>{}); return true;
        case EventType::touch_decided: use(std::type_identity<TouchDecided>{}); return true;
        case EventType::touch_deferred: use(std::type_identity<TouchDeferred>{}); return true;
        case EventType::touch_blocked: use(std::type_identity<TouchBlocked>{}); return true;
        case EventType::touch_held_out: use(std::type_identity<TouchHeldOut>{}); return true;
        case EventType::touch_dispatching: use(std::type_identity<TouchDispatching>{}); return true;
        case EventType::touch_permit_lapsed: use(std::type_identity<TouchPermitLapsed>{}); return true;
        case EventType::touch_permit_revoked: use(std::type_identity<TouchPermitRevoked>{}); return true;
        case EventType::touch_accepted: use(std::type_identity<TouchAccepted>{}); return true;
        case EventType::touch_delivered: use(std::type_identity<TouchDelivered>{}); return true;
        case EventType::touch_read: use(std::type_identity<TouchRead>{}); return true;
        case EventType::touch_replied: use(std::type_identity<TouchReplied>{}); return true;
        case EventType::touch_completed: use(std::type_identity<TouchCompleted>{}); return true;
        case EventType::touch_failed: use(std::type_identity<TouchFailed>{}); return true;
        case EventType::touch_unknown: use(std::type_identity<TouchUnknown>{}); return true;
        case EventType::touch_cancelled: use(std::type_identity<TouchCancelled>{}); return true;
        case EventType::touch_expired: use(std::type_identity<TouchExpired>{}); return true;
        case EventType::touch_attempt_ended: use(std::type_identity<TouchAttemptEnded>{}); return true;
        case EventType::touch_settled: use(std::type_identity<TouchSettled>{}); return true;
        case EventType::message_received: use(std::type_identity<MessageReceived>{}); return true;
        case EventType::receipt_received: use(std::type_identity<ReceiptReceived>{}); return true;
        case EventType::receipt_matched: use(std::type_identity<ReceiptMatched>{}); return true;
        case EventType::event_received: use(std::type_identity<EventReceived>{}); return true;
        case EventType::campaign_created: use(std::type_identity<CampaignCreated>{}); return true;
        case EventType::campaign_audience_added: use(std::type_identity<CampaignAudienceAdded>{}); return true;
        case EventType::campaign_audience_removed: use(std::type_identity<CampaignAudienceRemoved>{}); return true;
        case EventType::campaign_started: use(std::type_identity<CampaignStarted>{}); return true;
        case EventType::campaign_paused: use(std::type_identity<CampaignPaused>{}); return true;
        case EventType::campaign_resumed: use(std::type_identity<CampaignResumed>{}); return true;
        case EventType::campaign_finished: use(std::type_identity<CampaignFinished>{}); return true;
        case EventType::campaign_cancelled: use(std::type_identity<CampaignCancelled>{}); return true;
        case EventType::calendar_updated: use(std::type_identity<CalendarUpdated>{}); return true;
        case EventType::hold_set: use(std::type_identity<HoldSet>{}); return true;
        case EventType::hold_lifted: use(std::type_identity<HoldLifted>{}); return true;
        case EventType::conversion_recorded: use(std::type_identity<ConversionRecorded>{}); return true;
        case EventType::account_up: use(std::type_identity<AccountWentUp>{}); return true;
        case EventType::account_down: use(std::type_identity<AccountWentDown>{}); return true;
        case EventType::clock_accepted: use(std::type_identity<ClockAccepted>{}); return true;
    }
    return false;
}

}  // namespace touchgate
