// How a touch's state follows from its records, and nothing else of it: the same rules as the engine's fold, kept small because every
// projected record goes through them.
#pragma once

#include <algorithm>
#include <string>

#include "gateway/dispatch/lattice.hpp"
#include "gateway/engine/events.hpp"

namespace touchgate::projection {

struct TouchStates {
    TouchState state = TouchState::queued;
    dispatch::Progress progress = dispatch::Progress::open;
    bool final = false;
    bool has_steps = false;       // then it ends with touch.settled, not with its first delivery
    std::uint8_t chosen = 0;      // candidate in use
    std::uint8_t candidates = 1;
    std::string reason;
    Instant updated_at{};

    [[nodiscard]] bool is_waiting() const { return state == TouchState::queued || state == TouchState::deferred; }

    void apply(const TouchCreated& e, Instant at) {
        state = e.state;
        chosen = e.chosen;
        candidates = static_cast<std::uint8_t>(std::clamp<std::size_t>(e.candidates.size(), 1, 255));
        final = e.state == TouchState::blocked;
        has_steps = !e.steps.empty();
        updated_at = at;
    }
    void apply(const TouchDecided& e, Instant at) {
        chosen = e.chosen;
        if (e.decision.verdict == policy::Verdict::allow && state == TouchState::deferred) move(TouchState::queued, at);
        if (e.decision.verdict == policy::Verdict::defer && state == TouchState::queued) move(TouchState::deferred, at);
    }
    void apply(const TouchDeferred&, Instant) {}  // the decision before it has moved the touch
    void apply(const TouchHeldOut&, Instant) {}   // created as blocked
    void apply(const TouchBlocked&, Instant at) {
        if (!final) end(TouchState::blocked, at);
    }
    void apply(const TouchCancelled& e, Instant at) { end_because(TouchState::cancelled, e.reason, at); }
    void apply(const TouchExpired& e, Instant at) { end_because(TouchState::expired, e.reason, at); }
    void apply(const TouchSettled&, Instant at) {
        if (best(state) != state) move(best(state), at);
        final = true;
    }
    void apply(const TouchDispatching& e, Instant at) {
        chosen = e.chosen;
        move(TouchState::dispatching, at);
    }
    template <EventType Type> void apply(const PermitEnded<Type>&, Instant at) {
        if (!final) move(TouchState::queued, at);
    }
    void apply(const TouchAccepted&, Instant at) {
        if (state == TouchState::dispatching || state == TouchState::unknown) move(best(TouchState::accepted), at);
    }
    void apply(const TouchDelivered&, Instant at) {
        if (climb(dispatch::Progress::delivered, TouchState::delivered, at)) reason.clear();
    }
    void apply(const TouchRead&, Instant at) { climb(dispatch::Progress::read, TouchState::read, at); }
    void apply(const TouchReplied&, Instant at) {
        if (climb(dispatch::Progress::replied, TouchState::replied, at)) reason.clear();
    }
    void apply(const TouchCompleted&, Instant at) { climb(dispatch::Progress::completed, TouchState::completed, at); }
    void apply(const TouchAttemptEnded& e, Instant at) {
        if (e.next == 1) chosen = static_cast<std::uint8_t>(std::min(chosen + 1, candidates - 1));
        if (final) return;
        // A fallback that may not go leaves the first attempt as it stands.
        if (e.outcome == channel::OutcomeKind::accepted && e.next == 2) move(best(TouchState::accepted), at);
        else if (e.next != 2) move(e.slot == SlotChange::reserve ? TouchState::queued : TouchState::deferred, at);
    }
    void apply(const TouchFailed& e, Instant at) {
        if (climb(dispatch::Progress::failed, TouchState::failed, at)) reason = e.reason;
    }
    void apply(const TouchHandedOver&, Instant at) { updated_at = at; }   // it stays "dispatching"
    void apply(const TouchTaskChanged&, Instant at) { updated_at = at; }
    void apply(const TouchUnknown&, Instant at) {
        if (!final) move(TouchState::unknown, at);
    }

private:
    void move(TouchState to, Instant at) {
        state = to;
        updated_at = at;
    }
    void end(TouchState to, Instant at) {
        move(to, at);
        final = true;
    }
    void end_because(TouchState to, const std::string& why, Instant at) {
        if (final) return;
        end(to, at);
        if (!why.empty()) reason = why;
    }
    bool climb(dispatch::Progress to, TouchState becomes, Instant at) {
        if (!dispatch::advances(progress, to)) return false;
        progress = to;
        if (!has_steps || final || becomes == TouchState::failed) end(becomes, at);
        else if (state >= TouchState::accepted && state <= TouchState::completed) move(becomes, at);
        return true;
    }
    [[nodiscard]] TouchState best(TouchState otherwise) const {
        switch (progress) {
            case dispatch::Progress::delivered: return TouchState::delivered;
            case dispatch::Progress::read: return TouchState::read;
            case dispatch::Progress::replied: return TouchState::replied;
            case dispatch::Progress::completed: return TouchState::completed;
            default: return otherwise;
        }
    }
};

}  // namespace touchgate::projection
