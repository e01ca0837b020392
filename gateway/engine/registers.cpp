// What is kept by name: holds (the emergency stop), conversions, accounts.

#include "gateway/engine/internals.hpp"
#include "gateway/policy/calendar.hpp"

namespace touchgate {

Result<HoldDetails> Engine::set_hold(const HoldInput& input) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    HoldSet event{.id = in.ids.next(in.now), .purposes = input.purposes, .channels = input.channels, .units = input.units, .accounts = input.accounts,
                  .reason = input.reason, .until = input.until ? unix_ms(*input.until) : 0};
    in.stopped_at_sequence = in.emit(ContactIndex{}, event);
    // What is permitted and not yet written comes back; what waits is judged anew.
    for (const auto& [ref, flight] : in.in_flight) {
        auto& out = in.touch(flight.row);
        if (out.generation != flight.generation || out.final) continue;
        for (const auto& attempt : out.attempts) {
            if (attempt.ref != ref || attempt.state != AttemptState::open) continue;
            Choice choice;
            in.apply_holds(choice, in.state.profiles.at(in.profile_of(out, attempt.chosen)), in.now);
            if (choice.decision.verdict != policy::Verdict::allow) in.revocations.push_back(ref);
        }
    }
    for (std::uint32_t row = 1; row < in.state.touches.size(); ++row)
        if (auto& touch = in.touch(row); !touch.id.is_nil() && (touch.is_waiting() || Internals::handed_over(touch) != nullptr)) in.sweep.push_back(row);
    return HoldDetails{.id = to_string(event.id), .hold = input, .set_at = in.now};
}

Result<void> Engine::lift_hold(const std::string& id) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    const auto found = in.state.holds.find(id);
    if (found == in.state.holds.end()) return Error{.kind = ErrorKind::not_found, .detail = "there is no hold \"" + id + "\""};
    in.emit(ContactIndex{}, HoldLifted{found->second.id});
    for (const auto row : in.held_rows) in.sweep.push_back(row);
    return {};
}

std::vector<HoldDetails> Engine::holds() const {
    std::vector<HoldDetails> all;
    for (const auto& [id, hold] : internals_->state.holds) all.push_back({.id = id, .hold = hold.input, .set_at = hold.set_at});
    return all;
}

Result<bool> Engine::record_conversion(const ConversionInput& input, std::string& contact_id) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    const auto at = input.at.value_or(in.now);
    if (at > in.now + std::chrono::minutes{5}) return invalid("/at", "lies in the future");
    const auto hash = in.index_hash("c" + input.key);
    const bool known = in.state.conversions.contains(hash);
    std::uint32_t address = 0;
    auto contact = in.resolve(input.contact, !known, address);
    // A shop's order may come before its customer does: the id is all that is needed.
    if (!contact && !known && !input.contact.id.empty()) contact = in.make_contact(input.contact.id, {}, {}, {}, false);
    if (!contact && !known) return contact.error();
    contact_id = contact && contact->value != 0 ? in.state.contact_ids[contact->value] : std::string{};
    if (known) return false;
    const auto sealed = in.seal_for(*contact, ConsentSecret{input.key});
    in.emit(*contact, ConversionRecorded{.key_hash = hash, .kind = input.kind, .currency = input.currency, .value_cents = input.value_cents, .at = at, .sealed = sealed});
    in.stop_recipients(*contact, &campaign::StopOn::conversion);
    return true;
}

void Engine::accept_clock() {
    auto& in = *internals_;
    if (in.refusal()) return;
    const auto wall = in.parts.clock.wall_now();
    in.emit(ContactIndex{}, ClockAccepted{(wall - in.now).count()});
    in.time.accept(wall);
}

std::vector<AccountDetails> Engine::accounts() {
    auto& in = *internals_;
    std::vector<AccountDetails> all;
    for (const auto& account : in.accounts) {
        AccountDetails made;
        made.name = account.settings.name;
        made.adapter = account.settings.adapter;
        made.channel = account.settings.capabilities.channel;
        const auto breaker = account.breaker.state(in.monotonic);
        made.breaker = breaker == dispatch::Breaker::State::closed ? "closed" : breaker == dispatch::Breaker::State::open ? "open" : "half_open";
        made.health = !account.up ? "down" : breaker == dispatch::Breaker::State::closed && account.cool_down.is_cool(in.monotonic) ? "up" : "degraded";
        made.last_error = account.last_error;
        made.backlog = account.queue.size();
        made.in_flight = account.in_flight;
        made.rate = account.settings.rate_per_second;
        made.hook_accepted = account.hook_accepted;
        made.events_unknown = account.events_unknown;
        for (const auto& [key, task] : in.tasks)
            if (in.accounts[task.account].settings.name == made.name) ++made.tasks_open;
        made.hook_refused = account.hook_refused;
        for (const auto& [scope, until] : account.quota_until)
            if (until > in.now) made.quota_until[scope] = until;
        for (const auto& [name, progress] : account.pulls) {
            PullDetails shown{.name = name, .last_error = progress.last_error, .running = progress.running, .pages = progress.pages, .items = progress.items,
                              .share = progress.running ? progress.share : std::nullopt, .started_at = {}, .page_at = {}, .completed_at = {}};
            const auto instant = [](Instant at) { return at == Instant::min() ? std::nullopt : std::optional{at}; };
            shown.started_at = instant(progress.started_at);
            shown.page_at = instant(progress.page_at);
            shown.completed_at = instant(progress.completed_at);
            made.pulls.push_back(std::move(shown));
        }
        all.push_back(std::move(made));
    }
    return all;
}

Engine::Metrics Engine::metrics() {
    auto& in = *internals_;
    auto made = in.counters;
    made.sequence = in.state.sequence;
    made.touches_in_memory = in.state.touch_rows.size();
    made.waiting = in.state.counts[static_cast<std::size_t>(TouchState::queued)];
    made.deferred = in.state.counts[static_cast<std::size_t>(TouchState::deferred)];
    made.contacts = in.state.contacts.size() - 1;
    made.profiles = in.state.profiles.size() - 1;
    made.keys_in_memory = in.state.keys.size();
    made.by_state = in.state.counts;
    made.clock_healthy = in.time.healthy();
    made.draining = in.draining;
    made.projection_lag_s = in.projection_lag_s;
    for (const auto* calendar : in.policy().compiled->calendars()) made.calendar_days_left.emplace_back(calendar->name, calendar->days_left(in.now));
    return made;
}

}  // namespace touchgate
