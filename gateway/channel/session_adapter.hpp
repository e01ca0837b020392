// The shape of a session protocol's adapter (SMPP, CMPP …): bytes in, bytes out, wake me at. No socket, no thread, no clock.
//
// One Session is one connection slot of one account and lives as long as the account: the transport connects, tells the session, feeds it
// bytes and wakes it, and after each call takes what it wants to write and report. All calls come from one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/channel/capabilities.hpp"
#include "gateway/channel/outcome.hpp"
#include "gateway/channel/submission.hpp"

namespace touchgate::channel {

// Names a receipt or message that waits for its acknowledgement until it is durable. Valid for one connection only.
using AckToken = std::uint64_t;

struct SessionUp { std::string warning = {}; };                   // traffic may flow (bound); a warning is for the operator's log
struct SessionDown { std::string reason; bool credentials = false; };  // not bound any more, or the bind was refused
struct AttemptOutcome { AttemptRef ref = 0; Outcome outcome; };
struct ReceiptArrived { Receipt receipt; AckToken token = 0; };
struct MessageArrived { InboundMessage message; AckToken token = 0; };
using SessionEvent = std::variant<SessionUp, SessionDown, AttemptOutcome, ReceiptArrived, MessageArrived>;

struct SessionOutput {
    std::string bytes;                  // to be written in one go
    std::vector<SessionEvent> events;
    bool close = false;                 // close the connection after the bytes are written
};

class Session {
public:
    virtual ~Session() = default;

    // When the transport should open the connection; nothing while connected or not wanted. Covers the reconnect back-off.
    [[nodiscard]] virtual std::optional<Monotonic> connect_at() const = 0;
    virtual void on_connected(Monotonic now) = 0;
    // The wall time, told right before on_connected, for protocols whose log-in or validity carries it.
    virtual void on_wall_time(Instant /*now*/) {}
    // The connection could not be made, broke or was closed. Every written and unanswered attempt is reported `unknown`; parts never
    // written and attempts of which nothing was written are reported `not_sent`.
    virtual void on_closed(Monotonic now, std::string_view reason) = 0;
    virtual void on_bytes(Monotonic now, std::string_view bytes) = 0;
    virtual void on_wake(Monotonic now) = 0;
    [[nodiscard]] virtual std::optional<Monotonic> wake_at() const = 0;

    // True while bound and a window place is free.
    [[nodiscard]] virtual bool can_submit() const = 0;
    // Encodes into the next output. The transport calls it only when it will write that output at once, and only while can_submit().
    virtual void submit(Monotonic now, const Submission& submission) = 0;
    // What the provider reported is durable (or, with false, could not be stored: the provider should repeat it later).
    virtual void acknowledge(AckToken token, bool durable) = 0;
    // Leave politely: no new submits, answer what comes, unbind, close.
    virtual void shut_down(Monotonic now) = 0;

    [[nodiscard]] virtual SessionOutput take_output() = 0;
};

class SessionAdapter {
public:
    virtual ~SessionAdapter() = default;
    [[nodiscard]] virtual Capabilities capabilities() const = 0;
    // Segments (PDUs, rate tokens, billed parts) that this text takes.
    [[nodiscard]] virtual int segments(std::string_view text) const = 0;
    // `seed` feeds back-off jitter and message references.
    [[nodiscard]] virtual std::unique_ptr<Session> make_session(std::uint64_t seed) const = 0;
    struct Endpoint { std::string host; std::uint16_t port = 0; bool tls = false; bool tls_verify = true; std::string tls_ca_file; Duration connect_timeout{10'000}; };
    [[nodiscard]] virtual Endpoint endpoint() const = 0;
    [[nodiscard]] virtual int window() const = 0;      // submits in flight
};

}  // namespace touchgate::channel
