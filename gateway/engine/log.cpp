// Events into the log and back: the only two places where bytes become state.

#include "gateway/engine/internals.hpp"

namespace touchgate {

void Engine::Internals::append_record(EventType type, ContactIndex contact, RecordMeta& meta) {
    const auto previous = newest_of(contact);
    meta.position = parts.log.append(now, static_cast<std::uint16_t>(type), event_version, contact, previous, payload.bytes(), meta.sequence);
    state.sequence = meta.sequence;
    state.last_time = now;
    log_bytes_since_checkpoint += payload.size() + 80;
    if (contact.value != 0 && contact.value < state.contacts.size()) state.contacts[contact.value].newest = meta.position;
}

LogPosition Engine::Internals::newest_of(ContactIndex contact) const {
    return contact.value < state.contacts.size() ? state.contacts[contact.value].newest : LogPosition{};
}

std::optional<Error> Engine::Internals::refusal() const {
    if (disk_full) return Error{.kind = ErrorKind::unavailable, .detail = "the disk is full: nothing can be accepted until there is room", .retry_after_s = 30};
    if (draining) return Error{.kind = ErrorKind::unavailable, .detail = "the gateway is shutting down", .retry_after_s = 5};
    // A command's events lie in one batch, so what is left of the reservation must hold them.
    if (parts.log.room() < (std::size_t{256} << 10U))
        return Error{.kind = ErrorKind::unavailable, .detail = "too much in one batch; send the rest again", .retry_after_s = 1};
    return std::nullopt;
}

namespace {

template <class E> bool fold(Engine::Internals& engine, const RecordMeta& meta, std::string_view payload) {
    E event;
    if (!decode(payload, event)) return false;
    engine.apply(meta, event);
    return true;
}

}  // namespace

Result<void> Engine::Internals::replay(const Record& record) {
    const auto place = [&] { return " at sequence " + std::to_string(record.sequence); };
    if (record.version != event_version)
        return Error{.kind = ErrorKind::corrupt, .detail = "the log holds version " + std::to_string(record.version) + " of event type " +
                                                           std::to_string(record.type) + place() + "; this program knows version 1 only: use a newer program"};
    const RecordMeta meta{.sequence = record.sequence, .time = record.time, .contact = record.contact, .position = record.position, .replay = true};
    now = record.time;
    bool ok = false;
    switch (static_cast<EventType>(record.type)) {
        case EventType::profile_defined: ok = fold<ProfileDefined>(*this, meta, record.payload); break;
        case EventType::policy_activated: ok = fold<PolicyActivated>(*this, meta, record.payload); break;
        case EventType::policy_stored: ok = fold<PolicyStored>(*this, meta, record.payload); break;
        case EventType::template_registered: ok = fold<TemplateRegistered>(*this, meta, record.payload); break;
        case EventType::attempt_facts_defined: ok = fold<AttemptFactsDefined>(*this, meta, record.payload); break;
        case EventType::contact_created: ok = fold<ContactCreated>(*this, meta, record.payload); break;
        case EventType::contact_updated: ok = fold<ContactUpdated>(*this, meta, record.payload); break;
        case EventType::contact_erased: ok = fold<ContactErased>(*this, meta, record.payload); break;
        case EventType::contact_restricted: ok = fold<ContactRestricted>(*this, meta, record.payload); break;
        case EventType::contact_merged: ok = fold<ContactMerged>(*this, meta, record.payload); break;
        case EventType::contact_unmerged: ok = fold<ContactUnmerged>(*this, meta, record.payload); break;
        case EventType::contact_followed: ok = fold<ContactFollowed>(*this, meta, record.payload); break;
        case EventType::contact_unfollowed: ok = fold<ContactUnfollowed>(*this, meta, record.payload); break;
        case EventType::contact_synced: ok = fold<ContactSynced>(*this, meta, record.payload); break;
        case EventType::platform_event: ok = fold<PlatformEvent>(*this, meta, record.payload); break;
        case EventType::event_received: ok = fold<EventReceived>(*this, meta, record.payload); break;
        case EventType::consent_granted: ok = fold<ConsentGranted>(*this, meta, record.payload); break;
        case EventType::consent_withdrawn: ok = fold<ConsentWithdrawn>(*this, meta, record.payload); break;
        case EventType::suppression_added: ok = fold<SuppressionAdded>(*this, meta, record.payload); break;
        case EventType::suppression_removed: ok = fold<SuppressionRemoved>(*this, meta, record.payload); break;
        case EventType::review_opened: ok = fold<ReviewOpened>(*this, meta, record.payload); break;
        case EventType::review_decided: ok = fold<ReviewDecided>(*this, meta, record.payload); break;
        case EventType::touch_created: ok = fold<TouchCreated>(*this, meta, record.payload); break;
        case EventType::touch_decided: ok = fold<TouchDecided>(*this, meta, record.payload); break;
        case EventType::touch_deferred: ok = fold<TouchDeferred>(*this, meta, record.payload); break;
        case EventType::touch_blocked: ok = fold<TouchBlocked>(*this, meta, record.payload); break;
        case EventType::touch_held_out: ok = fold<TouchHeldOut>(*this, meta, record.payload); break;
        case EventType::touch_dispatching: ok = fold<TouchDispatching>(*this, meta, record.payload); break;
        case EventType::touch_permit_lapsed: ok = fold<TouchPermitLapsed>(*this, meta, record.payload); break;
        case EventType::touch_permit_revoked: ok = fold<TouchPermitRevoked>(*this, meta, record.payload); break;
        case EventType::touch_accepted: ok = fold<TouchAccepted>(*this, meta, record.payload); break;
        case EventType::touch_delivered: ok = fold<TouchDelivered>(*this, meta, record.payload); break;
        case EventType::touch_read: ok = fold<TouchRead>(*this, meta, record.payload); break;
        case EventType::touch_replied: ok = fold<TouchReplied>(*this, meta, record.payload); break;
        case EventType::touch_completed: ok = fold<TouchCompleted>(*this, meta, record.payload); break;
        case EventType::touch_failed: ok = fold<TouchFailed>(*this, meta, record.payload); break;
        case EventType::touch_unknown: ok = fold<TouchUnknown>(*this, meta, record.payload); break;
        case EventType::touch_cancelled: ok = fold<TouchCancelled>(*this, meta, record.payload); break;
        case EventType::touch_expired: ok = fold<TouchExpired>(*this, meta, record.payload); break;
        case EventType::touch_attempt_ended: ok = fold<TouchAttemptEnded>(*this, meta, record.payload); break;
        case EventType::touch_settled: ok = fold<TouchSettled>(*this, meta, record.payload); break;
        case EventType::message_received: ok = fold<MessageReceived>(*this, meta, record.payload); break;
        case EventType::receipt_received: ok = fold<ReceiptReceived>(*this, meta, record.payload); break;
        case EventType::receipt_matched: ok = fold<ReceiptMatched>(*this, meta, record.payload); break;
        case EventType::campaign_created: ok = fold<CampaignCreated>(*this, meta, record.payload); break;
        case EventType::campaign_paused: ok = fold<CampaignPaused>(*this, meta, record.payload); break;
        case EventType::campaign_resumed: ok = fold<CampaignResumed>(*this, meta, record.payload); break;
        case EventType::campaign_cancelled: ok = fold<CampaignCancelled>(*this, meta, record.payload); break;
        case EventType::hold_set: ok = fold<HoldSet>(*this, meta, record.payload); break;
        case EventType::hold_lifted: ok = fold<HoldLifted>(*this, meta, record.payload); break;
        case EventType::conversion_recorded: ok = fold<ConversionRecorded>(*this, meta, record.payload); break;
        case EventType::account_up: ok = fold<AccountWentUp>(*this, meta, record.payload); break;
        case EventType::account_down: ok = fold<AccountWentDown>(*this, meta, record.payload); break;
        case EventType::clock_accepted: ok = fold<ClockAccepted>(*this, meta, record.payload); break;
        case EventType::calendar_updated: ok = fold<CalendarUpdated>(*this, meta, record.payload); break;
        case EventType::campaign_audience_added: ok = fold<CampaignAudienceAdded>(*this, meta, record.payload); break;
        case EventType::campaign_audience_removed: ok = fold<CampaignAudienceRemoved>(*this, meta, record.payload); break;
        case EventType::campaign_started: ok = fold<CampaignStarted>(*this, meta, record.payload); break;
        case EventType::campaign_finished: ok = fold<CampaignFinished>(*this, meta, record.payload); break;
        case EventType::event_unknown: ok = fold<EventUnknown>(*this, meta, record.payload); break;
        case EventType::touch_handed_over: ok = fold<TouchHandedOver>(*this, meta, record.payload); break;
        case EventType::touch_task_changed: ok = fold<TouchTaskChanged>(*this, meta, record.payload); break;
        case EventType::interaction_opened: ok = fold<InteractionOpened>(*this, meta, record.payload); break;
        case EventType::interaction_closed: ok = fold<InteractionClosed>(*this, meta, record.payload); break;
        case EventType::account_operation: ok = fold<AccountOperation>(*this, meta, record.payload); break;
        case EventType::interaction_queued: ok = fold<InteractionQueued>(*this, meta, record.payload); break;
        case EventType::interaction_assigned: ok = fold<InteractionAssigned>(*this, meta, record.payload); break;
        case EventType::interaction_phase: ok = fold<InteractionPhase>(*this, meta, record.payload); break;
        case EventType::interaction_recovering: ok = fold<InteractionRecovering>(*this, meta, record.payload); break;
        case EventType::interaction_wrapping: ok = fold<InteractionWrapping>(*this, meta, record.payload); break;
        case EventType::interaction_noted: ok = fold<InteractionNoted>(*this, meta, record.payload); break;
        case EventType::offer_made: ok = fold<OfferMade>(*this, meta, record.payload); break;
        case EventType::offer_ended: ok = fold<OfferEnded>(*this, meta, record.payload); break;
        case EventType::agent_updated: ok = fold<AgentUpdated>(*this, meta, record.payload); break;
        case EventType::queue_updated: ok = fold<QueueUpdated>(*this, meta, record.payload); break;
        case EventType::agent_session: ok = fold<AgentSession>(*this, meta, record.payload); break;
        case EventType::agent_intent: ok = fold<AgentIntent>(*this, meta, record.payload); break;
        case EventType::agent_health: ok = fold<AgentHealth>(*this, meta, record.payload); break;
        case EventType::agent_state: ok = fold<AgentStateChanged>(*this, meta, record.payload); break;
        case EventType::interaction_disposed: ok = fold<InteractionDisposed>(*this, meta, record.payload); break;
        case EventType::interaction_state: ok = fold<InteractionStateChanged>(*this, meta, record.payload); break;
        case EventType::agent_noticed: ok = fold<AgentNoticed>(*this, meta, record.payload); break;
        case EventType::promise_made: ok = fold<PromiseMade>(*this, meta, record.payload); break;
        case EventType::promise_changed: ok = fold<PromiseChanged>(*this, meta, record.payload); break;
        case EventType::call_started: ok = fold<CallBegan>(*this, meta, record.payload); break;
        case EventType::call_permitted: ok = fold<CallWasPermitted>(*this, meta, record.payload); break;
        case EventType::call_stage: ok = fold<CallStageChanged>(*this, meta, record.payload); break;
        case EventType::call_leg_added: ok = fold<CallLegAdded>(*this, meta, record.payload); break;
        case EventType::call_ringing: ok = fold<CallRinging>(*this, meta, record.payload); break;
        case EventType::call_answered: ok = fold<CallAnswered>(*this, meta, record.payload); break;
        case EventType::call_leg_ended: ok = fold<CallLegEnded>(*this, meta, record.payload); break;
        case EventType::call_leg_replaced: ok = fold<CallLegReplaced>(*this, meta, record.payload); break;
        case EventType::call_bridged: ok = fold<CallBridged>(*this, meta, record.payload); break;
        case EventType::call_held: ok = fold<CallHeld>(*this, meta, record.payload); break;
        case EventType::call_consult: ok = fold<CallConsult>(*this, meta, record.payload); break;
        case EventType::call_recording: ok = fold<CallRecording>(*this, meta, record.payload); break;
        case EventType::call_supervised: ok = fold<CallSupervised>(*this, meta, record.payload); break;
        case EventType::call_ended: ok = fold<CallOver>(*this, meta, record.payload); break;
        case EventType::caller_id_rested: ok = fold<CallerIdRested>(*this, meta, record.payload); break;
        case EventType::call_line: ok = fold<CallLineTaken>(*this, meta, record.payload); break;
        case EventType::recording_deleted: ok = fold<RecordingDeleted>(*this, meta, record.payload); break;
        case EventType::recording_accessed: ok = fold<RecordingAccessed>(*this, meta, record.payload); break;
        case EventType::lead_created: ok = fold<LeadCreated>(*this, meta, record.payload); break;
        case EventType::lead_touchpoint: ok = fold<LeadTouched>(*this, meta, record.payload); break;
        case EventType::lead_assigned: ok = fold<LeadAssigned>(*this, meta, record.payload); break;
        case EventType::lead_accepted: ok = fold<LeadAccepted>(*this, meta, record.payload); break;
        case EventType::lead_contacted: ok = fold<LeadContacted>(*this, meta, record.payload); break;
        case EventType::lead_qualified: ok = fold<LeadQualified>(*this, meta, record.payload); break;
        case EventType::lead_won: ok = fold<LeadWon>(*this, meta, record.payload); break;
        case EventType::lead_lost: ok = fold<LeadLost>(*this, meta, record.payload); break;
        case EventType::lead_recycled: ok = fold<LeadRecycled>(*this, meta, record.payload); break;
        case EventType::lead_overdue: ok = fold<LeadOverdue>(*this, meta, record.payload); break;
        case EventType::account_quota_exhausted: ok = fold<AccountQuotaExhausted>(*this, meta, record.payload); break;
        case EventType::pull_advanced: ok = fold<PullAdvanced>(*this, meta, record.payload); break;
        default:
            return Error{.kind = ErrorKind::corrupt, .detail = "the log holds the unknown event type " + std::to_string(record.type) + " (version " +
                                                               std::to_string(record.version) + ")" + place() + ": use a newer program"};
    }
    if (!ok)
        return Error{.kind = ErrorKind::corrupt, .detail = "event " + std::string{event_name(static_cast<EventType>(record.type))} + place() + " cannot be read"};
    if (record.contact.value != 0 && record.contact.value < state.contacts.size()) state.contacts[record.contact.value].newest = record.position;
    state.sequence = record.sequence;
    state.last_time = record.time;
    return {};
}

}  // namespace touchgate
