// From the queue to the wire and back: permits, outcomes, retries, the cascade to the next candidate.
//
// A permit is appended only when the attempt could go now: account up, breaker closed, scope cool, window place and rate token taken.
// It is decided again right then, so a touch that waited is never sent under an old decision.

#include <algorithm>

#include "gateway/content/signature.hpp"
#include "gateway/content/sms_text.hpp"
#include "gateway/engine/internals.hpp"

namespace touchgate {

using channel::OutcomeKind;
using dispatch::AccountEffect;
using dispatch::Step;
using policy::Verdict;

void Engine::Internals::enqueue(std::uint32_t row) {
    auto& waiting = touch(row);
    if (waiting.is_queued || waiting.final) return;
    const auto account = account_of(chosen_profile(waiting));
    if (!account) return;  // the account is gone from the configuration: the touch waits, visible, until it expires
    waiting.is_queued = true;
    ++waiting.queue_ticket;
    accounts[*account].queue.push(rank_of(waiting), waiting.priority, state.profiles.at(chosen_profile(waiting)).campaign.value, {row, waiting.queue_ticket});
}

void Engine::Internals::pump() {
    if (disk_full || draining) return;
    const auto started = parts.clock.monotonic_now();
    int decided = 0;
    if (!accounts.empty()) next_account = (next_account + 1) % accounts.size();  // nobody is always first
    for (std::size_t offset = 0; offset < accounts.size(); ++offset) {
        const auto number = static_cast<AccountNumber>((next_account + offset) % accounts.size());
        auto& account = accounts[number];
        // What comes back into the queue meanwhile waits for the next turn.
        for (auto left = account.queue.size(); left > 0 && !account.queue.empty(); --left) {
            if (!account.up || account.in_flight >= static_cast<std::uint64_t>(account.settings.window) || !account.breaker.lets_through(monotonic) ||
                !account.cool_down.is_cool(monotonic))
                break;
            if (account.bucket && account.bucket->free_at(monotonic) > monotonic) break;
            if (parts.log.room() < (std::size_t{1} << 20U)) return;
            // Re-decisions are bounded: new intake comes first. What is left stays queued for the next turn.
            if ((++decided & 63) == 0 && parts.clock.monotonic_now() - started > std::chrono::milliseconds{4}) return;
            const auto entry = account.queue.pop();
            auto& waiting = touch(entry->row);
            if (!waiting.is_queued || waiting.queue_ticket != entry->ticket || !waiting.is_waiting()) continue;
            const bool call_waits = !calls_to_permit.empty() && calls_to_permit.contains(waiting.id);  // an agent is at his telephone for it
            if (!call_waits && (held_by_rate(*entry) || held_by_pacing(*entry))) continue;
            waiting.is_queued = false;
            const auto id = waiting.id;
            if (!permit(entry->row, account, number) && call_waits && !touch(entry->row).is_queued) refuse_call(id);
        }
    }
}

bool Engine::Internals::permit(std::uint32_t row, AccountRuntime& account, AccountNumber number) {
    auto& waiting = touch(row);
    if (now >= waiting.expires_at) {
        expire(row);
        return false;
    }
    if (const auto* campaign = campaign_of(waiting); campaign != nullptr && campaign->state == "cancelled") {
        cancel(row, "campaign_cancelled");
        return false;
    }
    // Decided in this very turn under this policy: once is enough.
    const bool fresh = waiting.verdict == Verdict::allow && waiting.created_at == now && waiting.next_attempt == 1 && waiting.decision_position == waiting.created_position &&
                       waiting.policy == state.active_policy && waiting.address != 0 && waiting.created_sequence > stopped_at_sequence;
    Choice choice;
    if (fresh) {
        choice.chosen = waiting.chosen;
        choice.address = waiting.address;
        choice.decision = {.verdict = Verdict::allow, .rule = policy::no_rule, .until = instant_never, .reason = policy::Reason::none, .trace = {}};
    } else {
        const auto of = facts(waiting);
        const auto first = waiting.next_attempt > 1 ? waiting.chosen : std::uint8_t{0};
        choice = choose(of, now, policy::Detail::steps, first, static_cast<std::uint8_t>(of.candidates->size()));
        if (choice.decision.verdict != Verdict::allow) {
            decide_again(row, true);  // says what changed, and waits or blocks
            return false;
        }
        if (const auto other = account_of(profile_of(waiting, choice.chosen)); other != number) {
            // Another account serves it better now: into that queue, with the reservation there.
            emit(waiting.contact, TouchDecided{.touch = waiting.id, .chosen = choice.chosen, .address = choice.address,
                                               .decision = to_logged(choice.decision, state.active_policy, choice.rule_override)});
            enqueue(row);
            return false;
        }
    }

    const auto profile_id = profile_of(waiting, choice.chosen);
    auto* content = content_of(waiting);
    if (content == nullptr) {
        if (!keep_what_left(row, "fallback_failed")) fail(row, 0, "content_unreadable", SlotChange::release);
        return false;
    }
    const auto& contact = state.contacts[waiting.contact.value];
    const std::string_view locale = contact.extras ? std::string_view{contact.extras->locale} : std::string_view{};
    auto rendered = render(*content, template_of(waiting), state.profiles.at(profile_id), locale);
    if (!rendered) {
        if (!keep_what_left(row, "fallback_failed")) fail(row, 0, "missing_variable", SlotChange::release);
        return false;
    }
    const auto price = price_reason(waiting, choice.chosen, *content);
    const auto& settings_of = account.settings;
    const auto judged = content::with_signature(rendered->text, settings_of.sign_name);
    rendered->text = content::text_to_send(judged, settings_of.sign_name,
                                           settings_of.signature_by_provider ? content::SignatureMode::by_provider : content::SignatureMode::in_text);
    const int tokens = std::max(1, settings_of.segments(rendered->text));
    const int segments = judged.empty() ? 1 : content::billed_segments(judged, settings_of.billing.counting);

    if (account.bucket) (void)account.bucket->take(monotonic, tokens);
    account.breaker.on_permit(monotonic);
    ++account.in_flight;
    const auto attempt_number = waiting.next_attempt;
    ++counters.permits;
    // What the attempt costs is known only now for every policy; its labels are those of its decision.
    auto own_facts = priced(state.profiles.facts().at(fresh ? waiting.facts : choice.decision.facts), settings_of.billing, segments);
    const auto passive = passive_touches.find(waiting.id);
    const bool is_passive = passive != passive_touches.end() && passive->second != nullptr;
    if (is_passive) mark_beside_window(own_facts);  // the answer to a callback is no message of the window
    choice.decision.facts = intern_facts(own_facts);
    auto route_reason = take_route(waiting, choice.chosen);
    if (!price.empty()) route_reason.append(route_reason.empty() ? "" : "; ").append(price);
    emit(waiting.contact, TouchDispatching{.touch = waiting.id, .attempt = attempt_number, .chosen = choice.chosen, .address = choice.address,
                                           .segments = static_cast<std::uint8_t>(std::min(segments, 255)),
                                           .cost_micro = settings_of.billing.message_cost(segments).micros, .route_reason = std::move(route_reason),
                                           .decision = to_logged(choice.decision, state.active_policy, choice.rule_override)});
    auto& sent = touch(row);
    note_permit(sent);
    auto& attempt = sent.attempts.back();
    attempt.ref = next_ref++;
    in_flight.emplace(attempt.ref, InFlight{.row = row, .generation = sent.generation, .attempt = attempt_number, .account = number});
    if (is_passive) {
        passive->second->content = std::move(*rendered);
        passive_touches.erase(passive);
        engine.after_sync([this, ref = attempt.ref] {
            engine.on_transport_events({AttemptAnswered{.ref = ref, .outcome = {.kind = OutcomeKind::accepted, .code = "passive_reply"}}});
        });
        return true;
    }

    if (settings_of.calls) {
        dial_touch(row, attempt_number, attempt.ref, number, *rendered);
        return true;
    }

    AttemptOrder order;
    order.account = number;
    order.submission.ref = attempt.ref;
    order.submission.touch = sent.id;
    order.submission.attempt_id = to_string(sent.id) + "-" + std::to_string(attempt_number);
    order.submission.to = state.addresses[choice.address].value;
    order.submission.campaign = state.symbols.name(state.profiles.at(profile_id).campaign);
    if (settings_of.capabilities.human_executed) order.submission.sender = sender_for(choice.address, account);
    order.submission.content = std::move(*rendered);
    auto valid_until = sent.expires_at;
    if (settings_of.validity_from_policy && settings_of.capabilities.has_validity) {
        // The phone must not ring after closing time either: the provider drops it at the end of the open span.
        const auto of = facts(sent);
        policy::Request request;
        request.profile = profile_id;
        request.names = state.profiles.at(profile_id);
        request.origin = of.origin;
        policy::ContactView contact_view;
        contact_view.time_zone = state.symbols.name(contact.time_zone);
        policy::AddressView address_view;
        address_view.number = choice.address;
        if (settings.phones && state.addresses[choice.address].kind == AddressKind::phone) address_view.zones = settings.phones->of(state.addresses[choice.address].value).zones;
        valid_until = std::min(valid_until, policy().compiled->open_until(request, contact_view, address_view, now));
    }
    if (valid_until != instant_never) order.submission.valid_for = std::max(valid_until - now, Duration{1'000});
    order.submission.permit_deadline = monotonic + settings_of.permit_ttl;
    orders.push_back(std::move(order));
    if (sent.content) {
        sent.content.reset();
        --cached_contents;
    }
    return true;
}

// ---- what the transport reports

void Engine::Internals::on_event(AccountUp& event) {
    auto& account = accounts[event.account];
    if (account.up) return;
    account.up = true;
    account.credentials_bad = false;
    account.last_error.clear();
    emit(ContactIndex{}, AccountWentUp{.account = account.settings.name});
}

void Engine::Internals::on_event(AccountDown& event) {
    auto& account = accounts[event.account];
    account.last_error = event.reason;
    account.credentials_bad = event.credentials;
    if (!account.up && account.down_logged) return;
    account.up = false;
    account.down_logged = true;
    // What waits here may go by another account of its channel.
    for (std::size_t left = account.queue.size(); left > 0; --left) {
        const auto entry = *account.queue.pop();
        if (auto& waiting = touch(entry.row); waiting.is_queued && waiting.queue_ticket == entry.ticket) {
            waiting.is_queued = false;
            sweep.push_back(entry.row);
        }
    }
    emit(ContactIndex{}, AccountWentDown{.account = account.settings.name, .reason = event.reason, .credentials = event.credentials});
}

void Engine::Internals::on_event(AttemptUnwritten& event) {
    const auto found = in_flight.find(event.ref);
    if (found == in_flight.end()) return settled_ref(event.ref);
    const auto flight = found->second;
    in_flight.erase(found);
    --accounts[flight.account].in_flight;
    accounts[flight.account].breaker.on_trial_ended();
    auto& back = touch(flight.row);
    if (back.generation == flight.generation) {
        if (event.revoked) {
            ++counters.permits_revoked;
            emit(back.contact, TouchPermitRevoked{.touch = back.id, .attempt = flight.attempt});
        } else {
            ++counters.permits_lapsed;
            emit(back.contact, TouchPermitLapsed{.touch = back.id, .attempt = flight.attempt});
        }
        if (!touch(flight.row).final) {
            arm_waiting(flight.row);
            decide_again(flight.row, true);
        }
    }
    settled_ref(event.ref);
}

void Engine::Internals::on_event(AttemptWritten& event) { settled_ref(event.ref); }

void Engine::Internals::on_event(AttemptAnswered& event) {
    const auto found = in_flight.find(event.ref);
    if (found == in_flight.end()) return settled_ref(event.ref);
    const auto flight = found->second;
    in_flight.erase(found);
    auto& account = accounts[flight.account];
    --account.in_flight;
    account.breaker.on_trial_ended();
    if (touch(flight.row).generation == flight.generation) on_outcome(flight.row, flight.attempt, flight.account, event.outcome);
    settled_ref(event.ref);
}

void Engine::Internals::on_outcome(std::uint32_t row, std::uint16_t attempt_number, AccountNumber number, const channel::Outcome& outcome) {
    auto& account = accounts[number];
    auto& sent = touch(row);
    const dispatch::RetryPlan plan{.retries_max = account.settings.max_retries};
    auto step = dispatch::next_step(outcome.kind, sent.retries, outcome.retry_after, plan, parts.random);
    if (outcome.once_more && outcome.kind == OutcomeKind::refused && sent.retries == 0) {
        step.step = Step::retry_same;
        step.slot = dispatch::SlotFate::keep;
        step.delay = plan.delay(1, parts.random);
    }
    switch (step.account) {
        case AccountEffect::success:
            account.breaker.on_success();
            account.cool_down.on_success();
            break;
        case AccountEffect::failure: account.breaker.on_failure(monotonic); break;
        case AccountEffect::trip:
            account.breaker.trip(monotonic);
            account.last_error = outcome.code + " " + outcome.detail;
            break;
        case AccountEffect::cool_down:
            if (outcome.scope.empty() || outcome.scope == "account")
                account.cool_down.throttled(monotonic, outcome.retry_after ? std::optional<dispatch::Monotonic>{*outcome.retry_after} : std::nullopt);
            break;
        case AccountEffect::none: break;
    }
    if (outcome.kind == OutcomeKind::throttled && !outcome.scope.empty() && outcome.scope != "account" && !outcome.retry_after) {
        auto slower = step;  // a narrower scope: this touch waits, the account goes on
        slower.delay = Duration{1'000} * (1 << std::min<int>(sent.retries, 5));
        return end_attempt(row, attempt_number, outcome, slower);
    }
    if (outcome.kind == OutcomeKind::quota_exhausted && outcome.retry_after) {
        note_quota(number, outcome);
        // Another way if there is one; else it waits for the end that the platform named, if it lives so long.
        if (sent.chosen + 1U >= candidates(sent).size() && now + *outcome.retry_after < sent.expires_at) {
            auto later = step;
            later.step = Step::wait_scope;
            later.delay = *outcome.retry_after;
            return end_attempt(row, attempt_number, outcome, later);
        }
    }
    if (outcome.kind == OutcomeKind::handed_to_human) return hand_over(row, attempt_number, number, outcome);
    if (outcome.kind == OutcomeKind::accepted) {
        emit(sent.contact, TouchAccepted{.touch = sent.id, .attempt = attempt_number, .ids = outcome.ids, .parts = static_cast<std::uint8_t>(std::clamp(outcome.parts, 1, 255))});
        claim_parked(row, attempt_number, number, outcome.ids);
        if (!touch(row).final) arm_waiting(row);
        return;
    }
    if (outcome.kind == OutcomeKind::unknown) {
        ++counters.unknown_outcomes;
        emit(sent.contact, TouchUnknown{.touch = sent.id, .attempt = attempt_number, .code = outcome.code, .detail = outcome.detail});
        if (const auto address = touch(row).address; address != 0) match_parked(address, number);  // its receipt may have come before
        auto& unknown = touch(row);
        if (unknown.final || unknown.state != TouchState::unknown) return;
        if (account.settings.capabilities.can_reconcile) {
            unknown.reconciled = 0;
            arm(now + std::chrono::seconds{5}, row, TimerKind::reconcile);
        }
        arm_waiting(row);
        if (repeat_unknown(row, attempt_number, account, plan)) return;
        if (unknown.at_least_once() && account.settings.capabilities.idempotent_submit == false && unknown.next_attempt <= 2) {
            // The caller asked for at least once: one repeat, knowing that it may be a second message.
            end_attempt(row, attempt_number, {.kind = OutcomeKind::not_sent, .code = outcome.code, .detail = "repeated: delivery is at_least_once"},
                        {.step = Step::retry_same, .slot = dispatch::SlotFate::keep, .account = AccountEffect::none, .address = dispatch::AddressEffect::none,
                         .delay = plan.delay(1, parts.random), .counts_as_attempt = true});
        } else if (unknown.fallback_on_unknown() && !(unknown.has_steps() && cascade_of(unknown).terms(unknown.chosen).within_ms >= 0)) {
            start_fallback(row);  // a step with a time waits for it: a receipt may still tell
        }
        return;
    }
    end_attempt(row, attempt_number, outcome, step);
}

// What the provider recognises by our id is made again, a few times: it stays one message, and its slot is the one that it has.
bool Engine::Internals::repeat_unknown(std::uint32_t row, std::uint16_t attempt_number, const AccountRuntime& account, const dispatch::RetryPlan& plan) {
    constexpr std::uint8_t repeats_max = 3;
    auto& unknown = touch(row);
    // Another way would be a fallback, which waits until the unknown is resolved.
    if (unknown.retries >= repeats_max || now >= unknown.expires_at || unknown.chosen + 1U < candidates(unknown).size()) return false;
    auto* content = content_of(unknown);
    if (content == nullptr) return false;
    const auto rendered = render(*content, template_of(unknown), state.profiles.at(chosen_profile(unknown)), {});
    if (!rendered || !account.settings.repeat_is_safe(*rendered)) return false;
    emit(unknown.contact, TouchAttemptEnded{.touch = unknown.id, .attempt = attempt_number, .outcome = OutcomeKind::accepted, .code = "repeated", .detail = {},
                                            .slot = SlotChange::keep, .next = 0, .retry_at = unix_ms(now + plan.delay(unknown.retries + 1, parts.random))});
    go_on(row);
    return true;
}

void Engine::Internals::end_attempt(std::uint32_t row, std::uint16_t attempt_number, const channel::Outcome& outcome, const dispatch::NextStep& step) {
    auto& sent = touch(row);
    std::uint32_t address = sent.address;
    AccountNumber number = 0;
    for (const auto& attempt : sent.attempts)
        if (attempt.number == attempt_number) {
            address = attempt.address;
            number = account_of(profile_of(sent, attempt.chosen)).value_or(0);
        }
    if (step.address == dispatch::AddressEffect::suppress) suppress_platform(row, address, number, outcome.code);

    // An earlier attempt, while a later one is on its way: it ended, and nothing follows from it for the touch.
    if (!sent.attempts.empty() && sent.attempts.back().number != attempt_number) {
        emit(sent.contact, TouchAttemptEnded{.touch = sent.id, .attempt = attempt_number, .outcome = outcome.kind, .code = outcome.code, .detail = outcome.detail,
                                             .slot = SlotChange::release, .next = 3, .retry_at = 0});
        return;
    }
    const bool over = cascade_is_over(sent);
    const bool again = !over && (step.step == Step::retry_same || step.step == Step::wait_scope);
    const bool more = !over && step.step == Step::next_candidate && sent.chosen + 1U < candidates(sent).size();
    const bool other_sent = std::any_of(sent.attempts.begin(), sent.attempts.end(), [&](const Attempt& attempt) {
        return attempt.number != attempt_number && (attempt.may_have_arrived() || attempt.state == AttemptState::open);
    });
    // A repeat shares the slot of what it repeats, and that may have arrived.
    const bool repeats = std::any_of(sent.attempts.begin(), sent.attempts.end(), [&](const Attempt& attempt) {
        return attempt.number < attempt_number && attempt.state == AttemptState::unknown && attempt.chosen == sent.chosen && attempt.address == address;
    });
    const auto slot = again ? SlotChange::reserve : repeats ? SlotChange::keep : SlotChange::release;
    if (again || more) {
        const auto retry_at = step.delay > Duration{0} ? unix_ms(now + step.delay) : 0;
        emit(sent.contact, TouchAttemptEnded{.touch = sent.id, .attempt = attempt_number, .outcome = outcome.kind, .code = outcome.code, .detail = outcome.detail,
                                             .slot = slot, .next = static_cast<std::uint8_t>(more ? 1 : 0), .retry_at = retry_at});
        go_on(row);
        return;
    }
    emit(sent.contact, TouchAttemptEnded{.touch = sent.id, .attempt = attempt_number, .outcome = outcome.kind, .code = outcome.code, .detail = outcome.detail,
                                         .slot = repeats ? SlotChange::keep : SlotChange::release, .next = 2, .retry_at = 0});
    if (other_sent) {
        emit(touch(row).contact, TouchAttemptEnded{.touch = touch(row).id, .attempt = 0, .outcome = OutcomeKind::accepted, .code = "fallback_failed", .detail = {},
                                                   .slot = SlotChange::keep, .next = 2, .retry_at = 0});
        return;
    }
    std::string reason{to_string(outcome.kind)};
    if (outcome.kind == OutcomeKind::refused && !outcome.code.empty()) reason = "refused:" + outcome.code;
    fail(row, attempt_number, std::move(reason), SlotChange::release);
}

void Engine::Internals::go_on(std::uint32_t row) {
    auto& next = touch(row);
    if (next.final) return;
    arm_waiting(row);
    if (next.retry_at > now) return;  // the timer brings it back
    if (next.verdict == Verdict::allow && next.state == TouchState::queued) enqueue(row);
    else decide_again(row, true);
}

void Engine::Internals::fail(std::uint32_t row, std::uint16_t attempt, std::string reason, SlotChange slot, std::string provider_id, std::string raw) {
    emit(touch(row).contact, TouchFailed{.touch = touch(row).id, .attempt = attempt, .reason = std::move(reason), .provider_id = std::move(provider_id),
                                         .raw = std::move(raw), .slot = slot});
}

void Engine::Internals::expire(std::uint32_t row) {
    if (keep_what_left(row, "fallback_expired")) return;
    emit(touch(row).contact, TouchExpired{.touch = touch(row).id, .reason = {}});
}

void Engine::Internals::on_event(Reconciled& event) {
    const auto found = in_flight.find(event.ref);
    if (found == in_flight.end()) return;
    const auto flight = found->second;
    in_flight.erase(found);
    auto& asked = touch(flight.row);
    if (asked.generation != flight.generation) return;
    const auto attempt = std::find_if(asked.attempts.begin(), asked.attempts.end(), [&](const Attempt& each) { return each.number == flight.attempt; });
    if (attempt == asked.attempts.end() || attempt->state != AttemptState::unknown) return;
    const auto attempt_number = attempt->number;
    const auto permitted_at = attempt->permitted_at;
    switch (event.answer.verdict) {
        case channel::ReconcileAnswer::Verdict::settled: {
            const auto& outcome = event.answer.outcome;
            if (outcome.kind == OutcomeKind::accepted) {
                emit(asked.contact, TouchAccepted{.touch = asked.id, .attempt = attempt_number, .ids = outcome.ids, .parts = static_cast<std::uint8_t>(std::clamp(outcome.parts, 1, 255))});
                claim_parked(flight.row, attempt_number, flight.account, outcome.ids);
                if (!touch(flight.row).final) arm_waiting(flight.row);
                if (event.answer.receipt) {
                    auto receipt = *event.answer.receipt;
                    if (receipt.provider_ids.empty()) receipt.provider_ids = outcome.ids;
                    take_receipt(flight.account, receipt);
                }
            } else if (outcome.kind != OutcomeKind::unknown) {
                on_outcome(flight.row, attempt_number, flight.account, outcome);
            }
            return;
        }
        case channel::ReconcileAnswer::Verdict::not_found:
            if (now - permitted_at >= std::chrono::minutes{10}) {
                fail(flight.row, attempt_number, "not_found", SlotChange::release);
                return;
            }
            break;
        case channel::ReconcileAnswer::Verdict::ask_again: break;
    }
    // 5 s, 30 s, 2 min, then every 4 minutes; ten minutes after the last the touch is settled as it is.
    static constexpr std::array<std::int64_t, 4> pauses_s = {5, 30, 120, 240};
    const auto pause = std::chrono::seconds{pauses_s[std::min<std::size_t>(asked.reconciled, pauses_s.size() - 1)]};
    if (asked.reconciled < 20) arm(now + pause, flight.row, TimerKind::reconcile);
}

}  // namespace touchgate
