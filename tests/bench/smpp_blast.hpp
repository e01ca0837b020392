// A bare SMPP client: nothing but the wire. What the gateway's submits are measured against.
#pragma once

#include <cstdint>

namespace touchgate::bench {

// Binds as transceiver on `port` of 127.0.0.1 and submits `count` messages with at most `window` unanswered, answering receipts; returns
// messages a second until the last answer, and with `receipts` until the last receipt was answered too.
[[nodiscard]] double blast_smpp(std::uint16_t port, std::uint64_t count, int window, bool receipts);

}  // namespace touchgate::bench
