#include "gateway/projection/touch_row.hpp"

namespace touchgate::projection {

std::string_view to_string(AttemptClass value) {
    switch (value) {
        case AttemptClass::open: return "open";
        case AttemptClass::accepted: return "accepted";
        case AttemptClass::delivered: return "delivered";
        case AttemptClass::read: return "read";
        case AttemptClass::failed: return "failed";
        case AttemptClass::unknown: return "unknown";
        case AttemptClass::not_sent: return "not_sent";
        case AttemptClass::refused: return "refused";
        case AttemptClass::lapsed: return "lapsed";
        case AttemptClass::revoked: return "revoked";
    }
    return "open";
}

TouchClass TouchRow::counted_as() const {
    const bool arrived = states.progress >= dispatch::Progress::delivered;
    const bool sent = arrived || std::any_of(attempts.begin(), attempts.end(), [](const AttemptRow& a) { return has_left(a.status); });
    return {states.state, allowed || sent, sent, held_out, arm};
}

AttemptRow* TouchRow::attempt(std::uint16_t number) {
    for (auto& one : attempts)
        if (one.number == number) return &one;
    return nullptr;
}

void apply_attempts(TouchRow& row, const TouchDispatching& event, Instant at) {
    row.attempts.push_back({.number = event.attempt, .profile = row.profile(), .permitted_at = at, .status = AttemptClass::open, .parts = 0,
                            .segments = event.segments, .cost_micro = event.cost_micro});
}

void apply_attempts(TouchRow& row, const TouchPermitLapsed& event, Instant) {
    if (auto* attempt = row.attempt(event.attempt)) attempt->status = AttemptClass::lapsed;
}

void apply_attempts(TouchRow& row, const TouchPermitRevoked& event, Instant) {
    if (auto* attempt = row.attempt(event.attempt)) attempt->status = AttemptClass::revoked;
}

void apply_attempts(TouchRow& row, const TouchAccepted& event, Instant) {
    auto* attempt = row.attempt(event.attempt);
    if (attempt == nullptr) return;
    attempt->parts = event.parts;
    if (attempt->status == AttemptClass::open || attempt->status == AttemptClass::unknown) attempt->status = AttemptClass::accepted;
}

void apply_attempts(TouchRow& row, const TouchAttemptEnded& event, Instant) {
    using channel::OutcomeKind;
    auto* attempt = row.attempt(event.attempt);
    // An accepted attempt that "ended" goes on beside its fallback.
    if (attempt == nullptr || event.outcome == OutcomeKind::accepted) return;
    switch (event.outcome) {
        case OutcomeKind::recipient_refuses: case OutcomeKind::recipient_invalid: case OutcomeKind::refused: case OutcomeKind::content_rejected:
            attempt->status = AttemptClass::refused;
            return;
        case OutcomeKind::unknown: attempt->status = AttemptClass::unknown; return;
        default: attempt->status = AttemptClass::not_sent; return;
    }
}

void apply_attempts(TouchRow& row, const TouchFailed& event, Instant) {
    auto* attempt = row.attempt(event.attempt);
    if (attempt != nullptr && (attempt->status == AttemptClass::accepted || attempt->status == AttemptClass::unknown || attempt->status == AttemptClass::open))
        attempt->status = AttemptClass::failed;
}

void apply_attempts(TouchRow& row, const TouchUnknown& event, Instant) {
    auto* attempt = row.attempt(event.attempt);
    if (attempt != nullptr && attempt->status == AttemptClass::open) attempt->status = AttemptClass::unknown;
}

}  // namespace touchgate::projection
