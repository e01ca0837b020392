// How fast an account may go. Pure: the instant is an argument, monotonic.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "gateway/base/time.hpp"

namespace touchgate::dispatch {

using Monotonic = std::chrono::nanoseconds;

// "N/second|minute|hour|day".
struct Rate {
    std::uint32_t count = 0;
    Duration unit{1'000};
};
// Nothing when the text is not a rate; N from 1 to 1,000,000.
[[nodiscard]] std::optional<Rate> parse_rate(std::string_view text);

// Tokens per second with a burst of one tenth of a second's worth (at least 1): an account's `rate`.
class TokenBucket {
public:
    explicit TokenBucket(double per_second);
    // Takes `tokens` if the bucket is not in debt. A message of several parts may take it into debt, so that the long-run rate is exact
    // and a long message is never stuck behind a small burst.
    bool take(Monotonic now, int tokens);
    // When the next take can succeed; `now` or earlier if it can at once.
    [[nodiscard]] Monotonic free_at(Monotonic now) const;
    void give_back(int tokens);

private:
    void refill(Monotonic now);
    double per_second_;
    double burst_;
    double tokens_;
    Monotonic filled_at_{0};
    bool started_ = false;
};

// Exact: the k-th permit waits until one unit after the (k−N)-th; within that, spaced by a bucket of max(1, N per second / 10).
// Rebuilt at start from the permits of the last unit.
class ExactRate {
public:
    explicit ExactRate(Rate rate);
    [[nodiscard]] Instant free_at(Instant now) const;
    // How many permits may be given at `now`.
    [[nodiscard]] std::size_t room(Instant now) const;
    void permit(Instant at);
    [[nodiscard]] const std::deque<Instant>& permits() const { return permits_; }  // those that count still or did lately, oldest first

private:
    [[nodiscard]] std::size_t burst() const;
    [[nodiscard]] Duration burst_span() const;
    Rate rate_;
    std::deque<Instant> permits_;  // the last N, oldest first
};

}  // namespace touchgate::dispatch
