// The transport machine of a session protocol (SMPP, CMPP …): holds permitted orders until the connection can take them at once, lets the
// session encode them, and turns what the session reports into the engine's events. See transport_machine.hpp for what it promises.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "gateway/channel/session_adapter.hpp"
#include "gateway/net/transport_machine.hpp"

namespace touchgate::net {

class SessionMachine {
public:
    // One write is cut after about this many bytes, so that a socket that reports room takes it whole and no order waits in a buffer
    // behind others.
    static constexpr std::size_t write_bytes_target = 16 * 1024;

    SessionMachine(AccountNumber account, std::unique_ptr<channel::Session> session);

    // ---- From the engine.

    // While the account is not up the order is answered AttemptUnwritten at once.
    void hand_over(Monotonic now, channel::Submission order);
    // False when this machine does not hold `ref` (never had it, or has answered it). Otherwise the answer is among the events: unwritten
    // and revoked, or written. An order counts as written from the moment the session has encoded it.
    bool revoke(Monotonic now, AttemptRef ref);
    // A ticket of an earlier connection is ignored: the provider repeats what it did not get acknowledged.
    void acknowledge(Monotonic now, AckTicket ticket, bool durable);
    // Whose ticket this is; nothing when it needs no acknowledgement.
    [[nodiscard]] static std::optional<AccountNumber> account_of(AckTicket ticket);
    // Leave politely: orders not yet written are answered AttemptUnwritten, written ones are waited for, then the session unbinds.
    void shut_down(Monotonic now);

    // ---- From the driver.

    // After an action `connect`. The new connection takes bytes at once.
    void on_connected(MachineTime now);
    // After an action `connect` that failed, and whenever the connection ended, also after an action `close`. `reason` is for people.
    void on_closed(Monotonic now, std::string_view reason);
    void on_bytes(Monotonic now, std::string_view bytes);
    // The last write is done and the socket takes bytes now.
    void on_writable(Monotonic now);

    struct Actions {
        bool connect = false;    // open the connection; answered by on_connected or on_closed
        std::string write = {};  // hand this to the socket whole; answered by on_writable (or on_closed)
        bool close = false;      // close once all writes are handed over; answered by on_closed
        std::vector<TransportEvent> events = {};
    };
    [[nodiscard]] Actions take_actions(Monotonic now);
    // When take_actions() must be called although nothing else happened.
    [[nodiscard]] std::optional<Monotonic> wake_at() const;

    // ---- For owners.

    [[nodiscard]] bool is_up() const { return state_ == AccountState::up; }
    // After shut_down(): no connection and no order is left.
    [[nodiscard]] bool is_finished() const { return shutting_down_ && !connected_ && !connecting_ && written_.empty(); }
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
    [[nodiscard]] std::size_t in_flight() const { return written_.size(); }

private:
    void report_up(std::string warning);
    void report_down(std::string reason, bool credentials);
    void release_waiting();
    void lapse(Monotonic now);
    void collect();
    void submit_waiting(Monotonic now);
    void translate(channel::SessionEvent& event);

    AccountNumber account_;
    std::unique_ptr<channel::Session> session_;

    AccountState state_ = AccountState::untold;
    bool bound_ = false;  // between the session's SessionUp and its SessionDown
    bool connecting_ = false;
    bool connected_ = false;
    bool writable_ = false;  // no write in flight and the socket takes bytes
    bool closing_ = false;   // the session wants the connection closed once its bytes are written
    bool close_told_ = false;
    bool shutting_down_ = false;
    std::uint32_t generation_ = 0;  // of the connection; part of every ticket

    std::deque<channel::Submission> waiting_;     // not written, in order of arrival
    std::optional<Monotonic> earliest_deadline_;  // of the waiting ones; may be too early, never too late
    std::unordered_set<AttemptRef> written_;      // encoded and not answered
    std::string outgoing_;                        // bytes that the session made and the socket has not been given
    std::vector<TransportEvent> events_;
};

}  // namespace touchgate::net
