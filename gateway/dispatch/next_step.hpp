// The one place that says what follows from an outcome. Adapters only name what happened.
#pragma once

#include <cstdint>
#include <optional>

#include "gateway/base/random.hpp"
#include "gateway/base/time.hpp"
#include "gateway/channel/outcome.hpp"

namespace touchgate::dispatch {

// What the touch does next.
enum class Step : std::uint8_t {
    await_receipt,     // accepted
    await_human,       // handed to a person
    await_resolution,  // unknown: no retry, no fallback until resolved (unless the caller allowed it)
    retry_same,        // same account, after `delay`
    wait_scope,        // throttled: same account when the scope has cooled down; not an attempt
    next_candidate,    // another account or channel, else failed
};
enum class SlotFate : std::uint8_t { keep, release };
enum class AccountEffect : std::uint8_t { success, failure, cool_down, trip, none };
enum class AddressEffect : std::uint8_t { none, suppress, flag };

struct NextStep {
    Step step = Step::next_candidate;
    SlotFate slot = SlotFate::release;
    AccountEffect account = AccountEffect::none;
    AddressEffect address = AddressEffect::none;
    Duration delay{0};
    bool counts_as_attempt = true;
};

struct RetryPlan {
    int retries_max = 5;                       // of not_sent on one account
    Duration delay_first{1'000};
    Duration delay_max{5 * 60'000};
    // Exponential with full jitter: uniform in (0, min(max, first · 2^(n−1))], at least 100 ms; n from 1.
    [[nodiscard]] Duration delay(int n, Random& random) const;
};

// `retries` is how often this account was already tried again. Total: every kind has its row.
[[nodiscard]] NextStep next_step(channel::OutcomeKind kind, int retries, std::optional<Duration> retry_after, const RetryPlan& plan, Random& random);

}  // namespace touchgate::dispatch
