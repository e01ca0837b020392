// The fold of everything that happens to a touch. These functions change the state and nothing else: no event, no effect, no clock.
// While the engine runs (not during a replay) they also arm the timers that the new state needs.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

using dispatch::Progress;
using policy::Slot;
using policy::Verdict;

namespace {

Attempt* attempt_of(Touch& touch, std::uint16_t number) {
    for (auto& attempt : touch.attempts)
        if (attempt.number == number) return &attempt;
    return nullptr;
}

void take_decision(Touch& touch, const LoggedDecision& decision) {
    touch.policy = decision.policy;
    touch.facts = decision.facts;
    touch.rule = decision.rule;
    touch.verdict = decision.verdict;
    touch.decision_reason = decision.reason;
    touch.until = decision.until == 0 ? instant_never : from_unix_ms(decision.until);
    touch.rule_override = decision.rule_override.empty() ? nullptr : std::make_unique<std::string>(decision.rule_override);
}

}  // namespace

void Engine::Internals::apply(const RecordMeta& meta, const TouchCreated& event) {
    const auto row = new_row();
    auto& made = touch(row);
    made.id = event.id;
    made.created_sequence = meta.sequence;
    made.created_position = meta.position;
    made.decision_position = meta.position;
    made.contact = meta.contact;
    made.plan = intern_plan(event.candidates);
    made.cascade = intern_cascade(event.steps);
    made.chosen = event.chosen;
    made.address = event.address;
    made.fixed_address = event.fixed_address;
    made.priority = event.priority;
    made.flags = event.flags;
    made.origin = event.origin;
    made.has_key = event.has_key;
    made.key_hash = event.key_hash;
    made.not_before = event.not_before == 0 ? Instant::min() : from_unix_ms(event.not_before);
    made.expires_at = event.expires_at;
    made.fallback_after_ms = event.fallback_after_ms;
    if (event.template_hash != crypto::Hash128{}) {
        const auto known = state.template_by_hash.find(event.template_hash);
        if (known != state.template_by_hash.end()) made.template_number = known->second;
    }
    made.callback = state.symbols.intern(event.callback);
    made.key_name = state.symbols.intern(event.key_name);
    made.segments = event.segments;
    made.created_at = made.updated_at = meta.time;
    made.state = event.state;
    take_decision(made, event.decision);

    state.touch_rows.emplace(event.id, row);
    state.touch_by_sequence.emplace(meta.sequence, event.id);
    ++state.counts[static_cast<std::size_t>(event.state)];
    if (auto* campaign = campaign_of(made)) take_recipient(*campaign, made, event.recipient);
    if (event.has_key) state.keys[event.key_hash] = {.touch = event.id, .body = event.body_hash, .expires_at = instant_never};
    state.contacts[meta.contact.value].live.push_back(row);
    note_message(event.interaction, false, meta, event.id);
    if (event.address != 0) address_row(event.address).last_used = meta.contact;
    if (event.decision.verdict == Verdict::allow && event.state == TouchState::queued)
        put_slot(made, Slot::reserved, meta.time, chosen_profile(made), made.address, 0);
    if (event.state == TouchState::blocked) {
        make_final(row, meta.time);
        return;
    }
    note_held(row);
    if (!meta.replay) arm_waiting(row);
}

void Engine::Internals::apply(const RecordMeta& meta, const TouchDecided& event) {
    const auto row = row_of(event.touch);
    if (row == 0) return;
    auto& decided = touch(row);
    if (event.chosen < candidates(decided).size() && account_of(profile_of(decided, event.chosen)) != account_of(chosen_profile(decided))) {
        decided.is_queued = false;  // another account's queue
        ++decided.queue_ticket;
    }
    const bool had_slot = decided.verdict == Verdict::allow && decided.is_waiting();
    if (had_slot) change_slot(decided, 0, SlotChange::release, meta.time);
    decided.chosen = event.chosen;
    decided.address = event.address;
    decided.decision_position = meta.position;
    take_decision(decided, event.decision);
    if (event.decision.verdict == Verdict::allow) {
        put_slot(decided, Slot::reserved, meta.time, chosen_profile(decided), decided.address, 0);
        if (decided.state == TouchState::deferred) set_state(decided, TouchState::queued, meta.time);
    } else if (event.decision.verdict == Verdict::defer) {
        if (decided.state == TouchState::queued) set_state(decided, TouchState::deferred, meta.time);
    }
    count_rule(decided);
    note_held(row);
    if (!meta.replay && event.decision.verdict != Verdict::deny) arm_waiting(row);
}

// The decision before it has moved the touch. A reason names the touch that it had to yield to.
void Engine::Internals::apply(const RecordMeta&, const TouchDeferred& event) {
    if (auto* deferred = find(event.touch); deferred != nullptr && !event.reason.empty() && deferred->yields < 255) ++deferred->yields;
}

void Engine::Internals::apply(const RecordMeta& meta, const TouchBlocked& event) {
    const auto row = row_of(event.touch);
    if (row == 0 || touch(row).final) return;
    change_slot(touch(row), 0, SlotChange::release, meta.time);
    set_state(touch(row), TouchState::blocked, meta.time);
    make_final(row, meta.time);
}

void Engine::Internals::apply(const RecordMeta&, const TouchHeldOut&) {}  // created as blocked; this record tells the campaign and arm

void Engine::Internals::apply(const RecordMeta& meta, const TouchCancelled& event) {
    const auto row = row_of(event.touch);
    if (row == 0 || touch(row).final) return;
    change_slot(touch(row), 0, SlotChange::release, meta.time);
    set_state(touch(row), TouchState::cancelled, meta.time);
    if (!event.reason.empty()) touch(row).reason = std::make_unique<std::string>(event.reason);
    make_final(row, meta.time);
}

void Engine::Internals::apply(const RecordMeta& meta, const TouchExpired& event) {
    const auto row = row_of(event.touch);
    if (row == 0 || touch(row).final) return;
    if (touch(row).is_waiting()) change_slot(touch(row), 0, SlotChange::release, meta.time);
    set_state(touch(row), TouchState::expired, meta.time);
    if (!event.reason.empty()) touch(row).reason = std::make_unique<std::string>(event.reason);
    make_final(row, meta.time);
}

void Engine::Internals::apply(const RecordMeta& meta, const TouchSettled& event) {
    const auto row = row_of(event.touch);
    if (row == 0) return;
    if (const auto best = touch(row).best(touch(row).state); best != touch(row).state) set_state(touch(row), best, meta.time);
    make_final(row, meta.time);
}

void Engine::Internals::apply(const RecordMeta& meta, const TouchDispatching& event) {
    const auto row = row_of(event.touch);
    if (row == 0) return;
    auto& sent = touch(row);
    sent.chosen = event.chosen;
    sent.address = event.address;
    sent.segments = event.segments;
    sent.decision_position = meta.position;
    take_decision(sent, event.decision);
    if (auto* campaign = campaign_of(sent)) {
        ++campaign->permits;
        campaign->cost_micro += event.cost_micro;
    }
    sent.next_attempt = static_cast<std::uint16_t>(event.attempt + 1);
    sent.attempts.push_back({.number = event.attempt, .chosen = event.chosen, .state = AttemptState::open, .parts = 1, .address = event.address,
                             .permitted_at = meta.time, .receipts = {}, .ref = 0, .may_be_written = true});
    // The reservation becomes the permit's slot: one slot a touch in each counter, at its latest permit's time.
    change_slot(sent, 0, SlotChange::release, meta.time);
    expose(sent);
    put_slot(sent, Slot::counted, meta.time, chosen_profile(sent), event.address, event.attempt);
    set_state(sent, TouchState::dispatching, meta.time);
    sent.is_queued = false;
    ++sent.queue_ticket;
    if (event.address != 0) address_row(event.address).last_used = meta.contact;
    if (meta.replay) return;
    sent.wake_at = instant_never;
}

void Engine::Internals::apply(const RecordMeta& meta, const TouchPermitLapsed& event) {
    const auto row = row_of(event.touch);
    if (row == 0) return;
    auto& back = touch(row);
    if (auto* attempt = attempt_of(back, event.attempt)) back.attempts.erase(attempt);
    if (back.final) return change_slot(back, event.attempt, SlotChange::release, meta.time);
    change_slot(back, event.attempt, SlotChange::reserve, meta.time);
    set_state(back, TouchState::queued, meta.time);
    if (!meta.replay) note_moved(row);
}

void Engine::Internals::apply(const RecordMeta& meta, const TouchPermitRevoked& event) {
    apply(meta, TouchPermitLapsed{.touch = event.touch, .attempt = event.attempt});
}

void Engine::Internals::apply(const RecordMeta& meta, const TouchAccepted& event) {
    const auto row = row_of(event.touch);
    if (row == 0) return;
    auto& accepted = touch(row);
    auto* attempt = attempt_of(accepted, event.attempt);
    if (attempt == nullptr) return;
    attempt->parts = std::max<std::uint8_t>(event.parts, 1);
    if (attempt->state == AttemptState::open || attempt->state == AttemptState::unknown) attempt->state = AttemptState::accepted;
    if (const auto account = account_of(profile_of(accepted, attempt->chosen)))
        for (const auto& id : event.ids) state.provider_ids[id_hash(*account, id)] = {.touch = event.touch, .attempt = event.attempt};
    if (accepted.state == TouchState::dispatching || accepted.state == TouchState::unknown) {
        set_state(accepted, accepted.best(TouchState::accepted), meta.time);
        recount_slot(accepted, event.attempt);
    }
    accepted.settle_at = instant_never;
    if (!meta.replay) note_moved(row);
}

void Engine::Internals::apply(const RecordMeta& meta, const TouchHandedOver& event) {
    const auto row = row_of(event.touch);
    if (row == 0) return;
    auto& handed = touch(row);
    auto* attempt = attempt_of(handed, event.attempt);
    if (attempt == nullptr) return;
    attempt->state = AttemptState::handed_over;
    attempt->task = std::make_unique<HumanTask>(
        HumanTask{.id = event.task, .employee = event.employee, .created_at = meta.time, .ends_at = event.ends_at, .status = TaskStatus::waiting});
    change_slot(handed, event.attempt, SlotChange::reserve, meta.time);  // it counts at every instant until the employee has decided
    handed.updated_at = meta.time;
}

void Engine::Internals::apply(const RecordMeta& meta, const TouchTaskChanged& event) {
    const auto row = row_of(event.touch);
    if (row == 0) return;
    auto& changed = touch(row);
    auto* attempt = attempt_of(changed, event.attempt);
    if (attempt == nullptr || !attempt->task) return;
    changed.updated_at = meta.time;
    if (event.status == TaskStatus::reminded) return;  // it waits as before
    attempt->task->status = event.status;
    if (event.status != TaskStatus::cancelling && event.status != TaskStatus::waiting) {
        auto& counts = counts_of(state.profiles.at(profile_of(changed, attempt->chosen)).account, attempt->task->employee);
        switch (event.status) {
            case TaskStatus::sent:
                ++counts.sent;
                counts.last_sent_at = std::max(counts.last_sent_at, meta.time);
                break;
            case TaskStatus::expired: ++counts.expired; break;
            case TaskStatus::cancelled: ++counts.cancelled; break;
            default: ++counts.failed; break;
        }
    }
    if (event.status == TaskStatus::sent) {
        const auto at = event.provider_time == 0 ? meta.time : std::clamp(from_unix_ms(event.provider_time), std::min(attempt->permitted_at, meta.time), meta.time);
        stamp_slot(changed, event.attempt, at);
    } else if (event.status == TaskStatus::cancelled || event.status == TaskStatus::expired) {
        attempt->state = AttemptState::ended;
    }
}

namespace {

void count_part(Attempt& attempt, std::uint64_t id, Progress progress) {
    for (auto& part : attempt.receipts)
        if (part.id == id) {
            part.progress = std::max(part.progress, static_cast<std::uint8_t>(progress));
            return;
        }
    attempt.receipts.push_back({.id = id, .progress = static_cast<std::uint8_t>(progress)});
}

}  // namespace

// Up the lattice. A touch with steps may have ways to go yet: it ends with touch.settled.
bool Engine::Internals::climb(const RecordMeta& meta, std::uint32_t row, std::uint16_t attempt_number, Progress to) {
    auto& climbing = touch(row);
    if (auto* attempt = attempt_of(climbing, attempt_number)) {
        if (advances(attempt->progress, to)) attempt->progress = to;
    } else if (climbing.has_steps()) {
        // It was taken for failed, and its step is forgotten: what would have been enough for one of the steps so far is enough.
        for (std::uint8_t candidate = 0; candidate <= climbing.chosen; ++candidate)
            if (is_enough(climbing, candidate, true, to)) climbing.flags |= Touch::cascade_over;
    }
    const bool higher = advances(climbing.progress, to);
    if (higher) climbing.progress = to;
    if (climbing.has_steps() && !climbing.final) {
        if (higher && climbing.is_resting()) set_state(climbing, climbing.best(climbing.state), meta.time);
        if (meta.replay) return higher;
        note_moved(row);
        arm_waiting(row);
        return higher;
    }
    if (!higher) return false;
    set_state(climbing, climbing.best(climbing.state), meta.time);
    make_final(row, meta.time);
    return true;
}

// Delivered or better: moves up the lattice, counts a released slot again, ends the wait for a fallback.
void Engine::Internals::apply(const RecordMeta& meta, const TouchDelivered& event) {
    const auto row = row_of(event.touch);
    if (row == 0) return;
    auto& delivered = touch(row);
    if (auto* attempt = attempt_of(delivered, event.attempt)) {
        attempt->state = AttemptState::delivered;
        if (!event.provider_id.empty())
            if (const auto account = account_of(profile_of(delivered, attempt->chosen)))
                count_part(*attempt, id_hash(*account, event.provider_id).low, Progress::delivered);
        recount_slot(delivered, event.attempt);
    }
    if (climb(meta, row, event.attempt, Progress::delivered)) delivered.reason.reset();
}

void Engine::Internals::apply(const RecordMeta& meta, const TouchRead& event) {
    const auto row = row_of(event.touch);
    if (row != 0 && climb(meta, row, event.attempt, Progress::read)) recount_slot(touch(row), event.attempt);
}

void Engine::Internals::apply(const RecordMeta& meta, const TouchReplied& event) {
    const auto row = row_of(event.touch);
    if (row == 0 || !climb(meta, row, event.attempt, Progress::replied)) return;
    touch(row).reason.reset();
    recount_slot(touch(row), event.attempt);
}

void Engine::Internals::apply(const RecordMeta& meta, const TouchCompleted& event) {
    const auto row = row_of(event.touch);
    if (row != 0) (void)climb(meta, row, event.attempt, Progress::completed);
}

void Engine::Internals::apply(const RecordMeta& meta, const TouchAttemptEnded& event) {
    const auto row = row_of(event.touch);
    if (row == 0) return;
    auto& ended = touch(row);
    // A final touch needs no reservation for another attempt.
    change_slot(ended, event.attempt, ended.final && event.slot == SlotChange::reserve ? SlotChange::release : event.slot, meta.time);
    if (auto* attempt = attempt_of(ended, event.attempt)) {
        if (event.outcome == channel::OutcomeKind::recipient_invalid && attempt->address != 0) address_row(attempt->address).invalid = true;
        const bool remembered = event.outcome == channel::OutcomeKind::accepted;  // a fallback starts beside it; receipts may still come
        if (!remembered) ended.attempts.erase(attempt);
    }
    ended.retry_at = event.retry_at == 0 ? Instant::min() : from_unix_ms(event.retry_at);
    if (event.next == 1) {
        // A definite failure leads to the next candidate, a time that is over to the next step.
        const auto next = event.outcome == channel::OutcomeKind::accepted ? cascade_of(ended).next(ended.chosen).value_or(ended.chosen) : ended.chosen + 1U;
        ended.chosen = static_cast<std::uint8_t>(std::min<std::size_t>(next, candidates(ended).size() - 1));
        ended.retries = 0;
    } else if (event.outcome != channel::OutcomeKind::throttled) {
        ++ended.retries;
    }
    if (event.next == 3) return;  // only this attempt ended
    if (event.outcome == channel::OutcomeKind::accepted && event.next == 2) {  // the fallback may not go: the first attempt stands
        change_slot(ended, 0, SlotChange::release, meta.time);
        ended.flags |= Touch::cascade_over;
        if (!ended.final) {
            bool accepted = false;
            for (const auto& attempt : ended.attempts) accepted = accepted || attempt.state == AttemptState::accepted;
            set_state(ended, ended.best(accepted ? TouchState::accepted : TouchState::unknown), meta.time);
            if (!meta.replay) {
                note_moved(row);
                arm_waiting(row);
            }
        }
        return;
    }
    // What is reserved stays an allow; a released slot means that the next candidate must be decided from the start.
    if (event.slot == SlotChange::release || event.next == 1) ended.verdict = Verdict::defer;
    if (!ended.final && event.next != 2) set_state(ended, event.slot == SlotChange::reserve ? TouchState::queued : TouchState::deferred, meta.time);
    if (!ended.final && event.next != 2) ended.until = ended.retry_at == Instant::min() ? meta.time : ended.retry_at;
}

void Engine::Internals::apply(const RecordMeta& meta, const TouchFailed& event) {
    const auto row = row_of(event.touch);
    if (row == 0) return;
    auto& failed = touch(row);
    change_slot(failed, event.attempt, event.slot, meta.time);
    if (auto* attempt = attempt_of(failed, event.attempt)) {
        attempt->state = AttemptState::failed;
        if (!event.provider_id.empty())
            if (const auto account = account_of(profile_of(failed, attempt->chosen)))
                count_part(*attempt, id_hash(*account, event.provider_id).low, Progress::failed);
    }
    if (!advances(failed.progress, Progress::failed)) return;
    failed.progress = Progress::failed;
    failed.reason = std::make_unique<std::string>(event.reason);
    set_state(failed, TouchState::failed, meta.time);
    make_final(row, meta.time);
}

void Engine::Internals::apply(const RecordMeta& meta, const TouchUnknown& event) {
    const auto row = row_of(event.touch);
    if (row == 0) return;
    auto& unknown = touch(row);
    if (auto* attempt = attempt_of(unknown, event.attempt)) attempt->state = AttemptState::unknown;
    if (!unknown.final) set_state(unknown, TouchState::unknown, meta.time);
}

}  // namespace touchgate
