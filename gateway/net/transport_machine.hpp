// The transport machine: what decides between the engine's orders and the bytes on the wire. Pure: no socket, no thread, no clock.
//
// There is one machine per account, in one of two forms:
//
//   SessionMachine   (session_machine.hpp)    a session protocol over one connection: bytes in, bytes out, wake me at
//   ExchangeMachine  (exchange_machine.hpp)   an HTTP provider: requests and responses as values
//
// A driver (sockets, curl, or the simulation's peers) feeds a machine and, after whatever it fed, calls take_actions() and carries the
// actions out in this order: cancel or close what is named, then write or start, then pass the events on. It also calls take_actions() when
// the instant of wake_at() is reached. Nothing else drives a machine: the same calls with the same arguments give the same actions.
//
// What both promise, whatever the adapter or the driver does:
//  - every order that is handed over is answered by exactly one AttemptAnswered or AttemptUnwritten;
//  - the permit's deadline and revocations are checked immediately before the first byte; an order that was answered AttemptUnwritten
//    never writes afterwards, and neither does one whose revocation was answered AttemptWritten write again;
//  - an order whose bytes may have left and whose answer is missing is answered `unknown`, and it is never sent again.
#pragma once

#include <cstdint>

#include "gateway/channel/submission.hpp"
#include "gateway/engine/transport.hpp"

namespace touchgate::net {

using channel::AttemptRef;
using channel::Monotonic;

// Both clocks at one moment: deadlines and intervals run on `monotonic`; `wall` is only what requests are dated with.
struct MachineTime {
    Monotonic monotonic{};
    Instant wall{};
};

// What the engine has been told of an account, so that it is told each change once.
enum class AccountState : std::uint8_t { untold, up, down, down_credentials };

}  // namespace touchgate::net
