// Engine time: the time of the last record plus monotonic time elapsed, slewed by at most 1 % toward the wall clock. It never goes back.
// A difference over two minutes (forward over seven days at start) is not followed but reported: the health state `clock`.
#pragma once

#include <algorithm>

#include "gateway/base/time.hpp"

namespace touchgate {

class EngineTime {
public:
    // `last_record`: time of the newest record, Instant::min() for an empty log.
    EngineTime(Instant last_record, Instant wall, std::chrono::nanoseconds monotonic) : monotonic_{monotonic} {
        if (last_record == Instant::min()) {
            now_ = wall;
            return;
        }
        const auto ahead = wall - last_record;
        // The time that passed while the program was down is real, unless it is absurd.
        if (ahead >= Duration{0} && ahead <= std::chrono::hours{24 * 7}) now_ = wall;
        else now_ = last_record;
        healthy_ = ahead >= -tolerance && ahead <= std::chrono::hours{24 * 7};
    }

    // To be called once a turn.
    Instant advance(Instant wall, std::chrono::nanoseconds monotonic) {
        const auto elapsed = std::max(std::chrono::nanoseconds{0}, monotonic - monotonic_);
        fraction_ += elapsed;
        const auto whole = std::chrono::duration_cast<Duration>(fraction_);
        fraction_ -= whole;
        monotonic_ = std::max(monotonic_, monotonic);
        auto next = now_ + whole;
        const auto difference = wall - next;
        if (accepted_ || (difference <= tolerance && difference >= -tolerance)) {
            slew_budget_ += std::chrono::duration<double, std::milli>(elapsed).count() / 100.0;
            const auto allowed = Duration{static_cast<std::int64_t>(slew_budget_)};
            const auto step = std::clamp(std::chrono::duration_cast<Duration>(difference), -std::min(allowed, whole), allowed);
            next += step;
            slew_budget_ -= static_cast<double>(std::chrono::abs(step).count());
            slew_budget_ = std::min(slew_budget_, 1000.0);
            if (!accepted_) healthy_ = true;
        } else {
            healthy_ = false;
        }
        now_ = std::max(now_, next);
        if (accepted_ && std::chrono::abs(wall - now_) <= tolerance) accepted_ = false;
        return now_;
    }

    // An operator says that the wall clock is right: forward differences are taken at once, backward ones are waited out.
    void accept(Instant wall) {
        now_ = std::max(now_, wall);
        accepted_ = true;
        healthy_ = true;
    }

    [[nodiscard]] Instant now() const { return now_; }
    [[nodiscard]] bool healthy() const { return healthy_; }
    static constexpr Duration tolerance{120'000};

private:
    Instant now_{};
    std::chrono::nanoseconds monotonic_{0};
    std::chrono::nanoseconds fraction_{0};
    double slew_budget_ = 0;
    bool healthy_ = true;
    bool accepted_ = false;
};

}  // namespace touchgate
