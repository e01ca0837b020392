#include "gateway/base/clock.hpp"

namespace touchgate {

Instant SystemClock::wall_now() const { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }

std::chrono::nanoseconds SystemClock::monotonic_now() const { return std::chrono::steady_clock::now().time_since_epoch(); }

}  // namespace touchgate
