// The two clocks. Wall time is for people and the log; monotonic time is for intervals and deadlines.
// Only `main`, `net` and the real driver of the engine use SystemClock; everything else is handed a Clock or an instant.
#pragma once

#include "gateway/base/time.hpp"

namespace touchgate {

class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Instant wall_now() const = 0;
    // Since an arbitrary start; never goes back.
    [[nodiscard]] virtual std::chrono::nanoseconds monotonic_now() const = 0;
};

class SystemClock final : public Clock {
public:
    [[nodiscard]] Instant wall_now() const override;
    [[nodiscard]] std::chrono::nanoseconds monotonic_now() const override;
};

// Stands still until it is moved. `step_wall` moves the wall clock alone, as an operator or a bad time server would.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Instant start) : wall_{start} {}
    [[nodiscard]] Instant wall_now() const override { return wall_; }
    [[nodiscard]] std::chrono::nanoseconds monotonic_now() const override { return monotonic_; }
    void advance(Duration by) {
        wall_ += by;
        monotonic_ += by;
    }
    void step_wall(Duration by) { wall_ += by; }

private:
    Instant wall_;
    std::chrono::nanoseconds monotonic_{0};
};

}  // namespace touchgate
