// The instant at which a simulated peer is called. Peers have no clock: the driver, a test or the simulation hands one in.
#pragma once

#include <chrono>

#include "gateway/base/time.hpp"

namespace touchgate::sandbox {

struct Now {
    std::chrono::nanoseconds monotonic{0};  // since an arbitrary start; never goes back; delays are counted on it
    Instant wall{};                         // what is written into receipts, callbacks and the message list
};

}  // namespace touchgate::sandbox
