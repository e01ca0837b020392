// Deadlines of touches: when to decide again, when a fallback starts, when an unknown is settled, when a touch expires. A heap with
// stale entries: a timer counts only if the touch still asks for that instant.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

void Engine::Internals::arm(Instant at, std::uint32_t row, TimerKind kind) {
    if (at == instant_never) return;
    timers.push({.at = at, .row = row, .generation = touch(row).generation, .kind = kind});
}

void Engine::Internals::arm_waiting(std::uint32_t row) {
    auto& live = touch(row);
    if (live.final) return;
    if (live.is_waiting()) {
        auto at = live.state == TouchState::deferred ? live.until : instant_never;
        if (live.retry_at > now) at = std::max(live.retry_at, at == instant_never ? live.retry_at : at);
        if (live.wake_at != at) {
            live.wake_at = at;
            arm(at, row, TimerKind::wake);
        }
        if (!live.expiry_armed) {
            live.expiry_armed = true;
            arm(live.expires_at, row, TimerKind::expire);
        }
        return;
    }
    if (const auto at = fallback_due(live); live.fallback_at != at) {
        live.fallback_at = at;
        arm(at, row, TimerKind::fallback);
    }
    if (live.state == TouchState::unknown && !live.attempts.empty()) {
        const auto account = account_of(profile_of(live, live.attempts.back().chosen));
        const auto at = live.attempts.back().permitted_at + (account ? accounts[*account].settings.unknown_final_after : Duration{std::chrono::hours{72}});
        if (live.settle_at != at) {
            live.settle_at = at;
            arm(at, row, TimerKind::settle);
        }
    }
}

void Engine::Internals::run_timers() {
    const auto started = parts.clock.monotonic_now();
    for (int i = 0; !timers.empty() && timers.top().at <= now; ++i) {
        if (parts.log.room() < (std::size_t{4} << 20U)) return;
        if ((i & 63) == 63 && parts.clock.monotonic_now() - started > std::chrono::milliseconds{1}) return;
        const auto timer = timers.top();
        timers.pop();
        if (timer.kind == TimerKind::review) {
            // Nobody looked at the near miss in time: undecided means withdrawn.
            const auto* extras = state.contacts[timer.row].extras.get();
            if (extras == nullptr) continue;
            const auto reviews = extras->reviews;
            for (const auto& review : reviews)
                if (review.due_at <= now) {
                    const ContactIndex contact{timer.row};
                    for (const auto purpose : review.purposes)
                        withdraw(contact, state.symbols.name(review.channel), state.symbols.name(purpose), {}, "reply", "review " + to_string(review.id) + " was not decided in time", now);
                    emit(contact, ReviewDecided{.id = review.id, .withdrawn = true, .by = "deadline"});
                    contact_changed(contact);
                }
            continue;
        }
        auto& due = touch(timer.row);
        if (due.generation != timer.generation || due.final) continue;
        switch (timer.kind) {
            case TimerKind::wake:
                if (due.wake_at != timer.at || !due.is_waiting()) break;
                due.wake_at = instant_never;
                // Into the account's queue; it is decided when the account can take it.
                if (const auto account = account_of(chosen_profile(due)); due.state == TouchState::deferred && account && accounts[*account].up) enqueue(timer.row);
                else decide_again(timer.row, true);
                break;
            case TimerKind::expire:
                if (due.is_waiting()) expire(timer.row);
                else due.expiry_armed = false;
                break;
            case TimerKind::fallback:
                if (due.fallback_at != timer.at) break;
                due.fallback_at = instant_never;
                start_fallback(timer.row);
                break;
            case TimerKind::settle:
                if (due.settle_at == timer.at && due.state == TouchState::unknown) emit(due.contact, TouchSettled{.touch = due.id, .reason = {}});
                break;
            case TimerKind::reconcile: {
                if (due.state != TouchState::unknown || due.attempts.empty()) break;
                const auto& attempt = due.attempts.back();
                const auto account = account_of(profile_of(due, attempt.chosen));
                if (!account || !accounts[*account].settings.capabilities.can_reconcile) break;
                ++due.reconciled;
                ReconcileOrder order;
                order.account = *account;
                order.permitted_at = attempt.permitted_at;
                order.submission.ref = next_ref++;
                order.submission.touch = due.id;
                order.submission.attempt_id = to_string(due.id) + "-" + std::to_string(attempt.number);
                order.submission.to = state.addresses[attempt.address].value;
                in_flight.emplace(order.submission.ref, InFlight{.row = timer.row, .generation = due.generation, .attempt = attempt.number, .account = *account});
                reconciliations.push_back(std::move(order));
                break;
            }
            case TimerKind::review: break;
        }
    }
}

void Engine::Internals::note_held(std::uint32_t row) {
    const auto& live = touch(row);
    if (live.state == TouchState::deferred && (live.rule_override || live.decision_reason == policy::Reason::paused)) held_rows.insert(row);
    else held_rows.erase(row);
}

// After a policy change, a lifted hold or a resumed campaign: everything that waits is judged again, a few touches each turn.
void Engine::Internals::run_sweep() {
    const auto started = parts.clock.monotonic_now();
    for (int i = 0; !sweep.empty(); ++i) {
        if (parts.log.room() < (std::size_t{4} << 20U)) return;
        if ((i & 63) == 63 && parts.clock.monotonic_now() - started > std::chrono::milliseconds{1}) return;
        const auto row = sweep.front();
        sweep.pop_front();
        if (row >= state.touches.size() || touch(row).id.is_nil()) continue;
        if (touch(row).is_waiting()) decide_again(row, true);
        else recheck_task(row);
    }
}

namespace {

// A full bucket after each start would send faster than agreed: what left shortly before the stop is taken from it again.
void rebuild_rates(Engine::Internals& in) {
    if (std::none_of(in.accounts.begin(), in.accounts.end(), [](const AccountRuntime& account) { return account.bucket.has_value(); })) return;
    constexpr auto span = std::chrono::minutes{1};  // whatever was taken earlier has been refilled
    struct Permit { Instant at; AccountNumber account; int tokens; };
    std::vector<Permit> permits;
    for (const auto& contact : in.state.contacts)
        for (auto i = contact.history.size(); i-- > 0 && contact.history[i].at > in.now - span;) {
            const auto& entry = contact.history[i];
            // 0: only reserved so far. A fallback's reservation has the number of the attempt to come and is taken for a permit: rather too slow than too fast.
            const auto account = entry.attempt == 0 ? std::nullopt : in.account_of(entry.profile);
            if (!account || !in.accounts[*account].bucket) continue;
            const auto id = in.state.touch_by_sequence.find(entry.touch);
            const auto row = id == in.state.touch_by_sequence.end() ? 0 : in.row_of(id->second);
            permits.push_back({.at = entry.at, .account = *account, .tokens = row == 0 ? 1 : std::max<int>(1, in.touch(row).segments)});
        }
    std::sort(permits.begin(), permits.end(), [](const Permit& a, const Permit& b) { return a.at < b.at; });
    for (const auto& permit : permits) {
        auto& bucket = *in.accounts[permit.account].bucket;
        const auto at = in.monotonic - (in.now - permit.at);
        if (bucket.take(at, permit.tokens)) continue;
        bucket.give_back(1'000'000);  // there was a token, whatever the entries before it say: some tell of permits that were given back
        (void)bucket.take(at, permit.tokens);
    }
}

}  // namespace

// As after a time-out, an attempt that the provider recognises is made again, while it certainly still does: the shortest time that a platform is known
// to remember an id of ours is that of official accounts' template messages.
constexpr Duration repeat_known_for{std::chrono::minutes{10}};

void Engine::Internals::rebuild_volatile() {
    rebuild_rates(*this);
    for (std::uint32_t row = 1; row < state.touches.size(); ++row) {
        auto& live = touch(row);
        if (live.id.is_nil()) continue;
        live.generation = next_generation++;
        live.is_queued = false;
        live.wake_at = live.fallback_at = live.settle_at = instant_never;
        live.expiry_armed = false;
        if (live.final) continue;
        if (const auto* handed = handed_over(live)) {
            keep_task(live, *handed);
        } else if (live.state == TouchState::dispatching && dials(live.id)) {
            // Its call may go on: what the telephone system says decides.
        } else if (live.state == TouchState::dispatching) {
            // The permit was durable and the outcome is not known: never again under at_most_once.
            std::uint16_t open = 0;
            for (auto& attempt : live.attempts)
                if (attempt.state == AttemptState::open) open = attempt.number;
            const auto account = account_of(chosen_profile(live));
            emit(live.contact, TouchUnknown{.touch = live.id, .attempt = open, .code = "restart", .detail = "the gateway stopped before the answer came"});
            if (account && touch(row).address != 0) match_parked(touch(row).address, *account);
            if (touch(row).final) continue;
            if (account && accounts[*account].settings.capabilities.can_reconcile) arm(now + std::chrono::seconds{5}, row, TimerKind::reconcile);
            const auto permitted = std::find_if(touch(row).attempts.begin(), touch(row).attempts.end(), [&](const Attempt& attempt) { return attempt.number == open; });
            if (account && permitted != touch(row).attempts.end() && now - permitted->permitted_at < repeat_known_for)
                (void)repeat_unknown(row, open, accounts[*account], {.retries_max = accounts[*account].settings.max_retries});
        }
        else if (live.state == TouchState::unknown && !live.attempts.empty()) {
            const auto account = account_of(profile_of(live, live.attempts.back().chosen));
            if (account && accounts[*account].settings.capabilities.can_reconcile) arm(now + std::chrono::seconds{5}, row, TimerKind::reconcile);
        }
        if (live.has_steps()) note_moved(row);
        arm_waiting(row);
        if (live.state == TouchState::queued && live.retry_at <= now) enqueue(row);
        note_held(row);
    }
    rebuild_campaigns();
    for (std::uint32_t i = 1; i < state.contacts.size(); ++i)
        if (state.contacts[i].extras)
            for (const auto& review : state.contacts[i].extras->reviews) timers.push({.at = review.due_at, .row = i, .generation = 0, .kind = TimerKind::review});
}

}  // namespace touchgate
