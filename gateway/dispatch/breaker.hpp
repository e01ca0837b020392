// The circuit breaker of one account. Pure; volatile (never logged, safe to lose).
#pragma once

#include <algorithm>

#include "gateway/dispatch/rate.hpp"

namespace touchgate::dispatch {

// closed → open after `failures_max` failures in a row → half open after `pause` (doubling to 5 minutes) → one trial → closed or open.
class Breaker {
public:
    enum class State { closed, open, half_open };

    [[nodiscard]] State state(Monotonic now) const {
        if (!open_) return State::closed;
        return now >= open_until_ ? State::half_open : State::open;
    }
    [[nodiscard]] bool lets_through(Monotonic now) const {
        const auto s = state(now);
        return s == State::closed || (s == State::half_open && !trial_);
    }
    [[nodiscard]] Monotonic opens_at() const { return open_until_; }

    void on_permit(Monotonic now) {
        if (state(now) == State::half_open) trial_ = true;
    }
    void on_success() {
        failures_ = 0;
        open_ = trial_ = false;
        pause_ = pause_first;
    }
    void on_failure(Monotonic now) {
        if (open_ || ++failures_ >= failures_max) open(now);
    }
    // At once: wrong credentials or configuration.
    void trip(Monotonic now) { open(now); }
    void on_trial_ended() { trial_ = false; }

    static constexpr int failures_max = 5;
    static constexpr Monotonic pause_first = std::chrono::seconds{5};
    static constexpr Monotonic pause_max = std::chrono::minutes{5};

private:
    void open(Monotonic now) {
        if (open_) pause_ = std::min(pause_ * 2, pause_max);
        open_ = true;
        trial_ = false;
        open_until_ = now + pause_;
    }
    int failures_ = 0;
    bool open_ = false;
    bool trial_ = false;
    Monotonic open_until_{0};
    Monotonic pause_ = pause_first;
};

// Stops a scope for a while after a throttle: 1 s doubling to 30 s, reset by a success.
class CoolDown {
public:
    void throttled(Monotonic now, std::optional<Monotonic> asked) {
        until_ = std::max(until_, now + asked.value_or(next_));
        next_ = std::min(next_ * 2, Monotonic{std::chrono::seconds{30}});
    }
    void on_success() { next_ = std::chrono::seconds{1}; }
    [[nodiscard]] bool is_cool(Monotonic now) const { return now >= until_; }
    [[nodiscard]] Monotonic until() const { return until_; }

private:
    Monotonic until_{0};
    Monotonic next_ = std::chrono::seconds{1};
};

}  // namespace touchgate::dispatch
