// A touch as the projection keeps it: what lists filter by, what reports count, and what the next record needs. No content, no address.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/event_codec.hpp"
#include "gateway/projection/touch_states.hpp"
#include "gateway/touch_log/log.hpp"

namespace touchgate::projection {

// Reports count by quarters of an hour.
inline constexpr std::int64_t bucket_ms = 15 * 60'000;
[[nodiscard]] constexpr std::int64_t bucket_of(Instant at) { return unix_ms(at) / bucket_ms; }

// How an attempt counts. Numbers are in the database.
enum class AttemptClass : std::uint8_t {
    open = 1,   // permitted, no answer yet
    accepted,   // the provider took it; no final receipt
    delivered, read,
    failed,     // accepted, and a receipt said definite failure
    unknown,
    not_sent,   // certainly not sent: connection, throttle, quota, credentials …
    refused,    // definite refusal by the provider or the recipient's address
    lapsed,     // permit given back unused
    revoked,
};
[[nodiscard]] std::string_view to_string(AttemptClass value);
// The message may have reached the customer, or was paid for.
[[nodiscard]] constexpr bool has_left(AttemptClass value) { return value >= AttemptClass::accepted && value <= AttemptClass::unknown; }

struct AttemptRow {
    std::uint16_t number = 0;
    ProfileId profile{};
    Instant permitted_at{};
    AttemptClass status = AttemptClass::open;
    std::uint8_t parts = 0;
    std::uint8_t segments = 0;
    std::int64_t cost_micro = 0;
    template <class A> void fields(A&& a) { a(number, profile, permitted_at, status, parts, segments, cost_micro); }
    bool operator==(const AttemptRow&) const = default;
};

// How a touch counts: its state, how far it ever came and the arm of its campaign, in one number.
struct TouchClass {
    TouchState state = TouchState::queued;
    bool allowed = false;   // some decision allowed it
    bool sent = false;      // some attempt left
    bool held_out = false;
    std::uint32_t arm = 0;  // id in `names`, 0 none
    [[nodiscard]] std::int64_t number() const {
        return static_cast<std::int64_t>(state) | (allowed ? 16 : 0) | (sent ? 32 : 0) | (held_out ? 64 : 0) | (std::int64_t{arm} << 8);
    }
    [[nodiscard]] static TouchClass of(std::int64_t number) {
        return {static_cast<TouchState>(number & 15), (number & 16) != 0, (number & 32) != 0, (number & 64) != 0, static_cast<std::uint32_t>(number >> 8)};
    }
};
// An attempt counts by its class and the arm of its touch.
[[nodiscard]] constexpr std::int64_t attempt_number(AttemptClass status, std::uint32_t arm) { return static_cast<std::int64_t>(status) | (std::int64_t{arm} << 8); }

struct TouchRow {
    TouchId id{};
    ContactIndex contact{};
    std::uint32_t campaign = 0, key_name = 0;  // ids in `names`, 0 none
    bool has_key = false;
    std::uint64_t key_hash = 0;                // low half
    Instant created_at{};
    LogPosition created{}, newest{};
    TouchStates states;
    std::vector<ProfileId> candidates;
    bool allowed = false, held_out = false;
    std::uint32_t arm = 0;                     // of its campaign's experiment, id in `names`, 0 none
    std::uint32_t rule = 0;                    // of the latest decision, id in `names`
    std::vector<std::uint32_t> deferred_by;    // rules that deferred it, each counted once
    std::vector<AttemptRow> attempts;

    [[nodiscard]] ProfileId profile() const {
        return candidates.empty() ? ProfileId{} : candidates[std::min<std::size_t>(states.chosen, candidates.size() - 1)];
    }
    [[nodiscard]] TouchClass counted_as() const;
    AttemptRow* attempt(std::uint16_t number);

    // Members that have no column.
    template <class A> void fields(A&& a) {
        auto bits = static_cast<std::uint8_t>(static_cast<unsigned>(states.progress) | (states.has_steps ? 16U : 0U));
        a(bits, states.final, states.chosen, states.candidates, candidates, allowed, held_out, arm, rule, deferred_by, attempts);
        states.progress = static_cast<dispatch::Progress>(bits & 15U);
        states.has_steps = (bits & 16U) != 0;
    }
};

// The row after one more event of it. What needs names (rules, campaign, key) is done by the projector.
void apply_attempts(TouchRow& row, const TouchDispatching& event, Instant at);
void apply_attempts(TouchRow& row, const TouchPermitLapsed& event, Instant at);
void apply_attempts(TouchRow& row, const TouchPermitRevoked& event, Instant at);
void apply_attempts(TouchRow& row, const TouchAccepted& event, Instant at);
void apply_attempts(TouchRow& row, const TouchAttemptEnded& event, Instant at);
void apply_attempts(TouchRow& row, const TouchFailed& event, Instant at);
void apply_attempts(TouchRow& row, const TouchUnknown& event, Instant at);
template <EventType Type> void apply_attempts(TouchRow& row, const TouchAdvanced<Type>& event, Instant) {
    const auto to = Type == EventType::touch_delivered ? AttemptClass::delivered : AttemptClass::read;
    auto* attempt = row.attempt(event.attempt);
    if (attempt != nullptr && (attempt->status != AttemptClass::read || to == AttemptClass::read)) attempt->status = to;
}
template <class E> void apply_attempts(TouchRow&, const E&, Instant) {}

}  // namespace touchgate::projection
