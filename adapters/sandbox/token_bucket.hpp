// The channel's own idea of "too fast": so many submits a second, with a tenth of a second's worth of slack.
#pragma once

#include <algorithm>
#include <chrono>

namespace touchgate::sandbox {

class TokenBucket {
public:
    // False: over the rate. A rate of 0 allows everything.
    [[nodiscard]] bool take(double per_second, std::chrono::nanoseconds now) {
        if (per_second <= 0) return true;
        const double burst = std::max(1.0, per_second / 10);
        tokens_ = started_ ? std::min(burst, tokens_ + per_second * std::chrono::duration<double>(now - at_).count()) : burst;
        started_ = true;
        at_ = now;
        if (tokens_ < 1) return false;
        tokens_ -= 1;
        return true;
    }

private:
    double tokens_ = 0;
    std::chrono::nanoseconds at_{0};
    bool started_ = false;
};

}  // namespace touchgate::sandbox
