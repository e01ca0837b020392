// The gateway's network without sockets: the real session machines and the real SMPP sessions, joined in memory to the sandbox's message
// centre. It replaces net_transport.cpp and socket_driver.cpp; every step of it is taken by the simulation, one at a time.
//
// What the engine asks waits until `work` is called, as it waits for the network's thread in the real program; bytes wait in two queues
// until they are moved, in pieces of any size.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "adapters/sandbox/smsc_peer.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/net/session_machine.hpp"

namespace touchgate::simulation {

// Told what crosses the border between engine, network and message centre; the oracle.
class NetworkObserver {
public:
    virtual ~NetworkObserver() = default;
    // A name for "now" that orders everything that happens: rises with each call.
    virtual std::uint64_t tick() = 0;
    virtual void on_message_reported(const AckTicket& ticket, const channel::InboundMessage& message) = 0;
    virtual void on_acknowledged(const AckTicket& ticket, bool durable) = 0;
    // The engine let an attempt go.
    virtual void on_handed_over(const AttemptOrder& order, channel::Monotonic now) = 0;
    // The gateway gave these bytes away: from now on nobody can hold them back. Whole packets.
    virtual void on_written(sandbox::ConnectionId connection, std::string_view packets, channel::Monotonic now) = 0;
    // The message centre has taken bytes.
    virtual void on_bytes_arrived() = 0;
};

// The connection of one account.
class SimLine {
public:
    SimLine(AccountNumber account, std::unique_ptr<channel::Session> session, const ManualClock& clock, sandbox::SmscPeer& peer, std::uint64_t& next_connection,
            NetworkObserver& observer)
        : machine_{account, std::move(session)}, clock_{clock}, peer_{peer}, next_connection_{next_connection}, observer_{observer} {}

    struct Acknowledgement { AckTicket ticket; bool durable = false; };
    using Asked = std::variant<std::vector<AttemptOrder>, std::vector<channel::AttemptRef>, Acknowledgement, std::vector<ReconcileOrder>>;
    void listen(TransportListener* listener) { listener_ = listener; }
    void ask(Asked asked) { commands_.push_back(std::move(asked)); }

    // One thing that the engine asked, if any, and whatever is due in the machine.
    void work();
    // Up to `bytes` bytes of the oldest piece in flight. False: nothing is in flight.
    bool move_to_peer(std::size_t bytes);
    bool move_to_gateway(std::size_t bytes);
    // What the peer has to say on this line goes in flight.
    void take_from_peer(sandbox::SmscOutput output);
    // The connection breaks; `arriving` bytes in flight still reach the peer.
    void tear(std::size_t arriving);
    // As `tear`, and the gateway is gone as well: it is told nothing.
    void vanish(std::size_t arriving);
    [[nodiscard]] sandbox::ConnectionId connection() const { return connection_; }

private:
    void pump();
    void report(std::vector<TransportEvent> events);
    [[nodiscard]] sandbox::Now peer_now() const { return {.monotonic = clock_.monotonic_now(), .wall = clock_.wall_now()}; }

    net::SessionMachine machine_;
    const ManualClock& clock_;
    sandbox::SmscPeer& peer_;
    std::uint64_t& next_connection_;
    NetworkObserver& observer_;
    TransportListener* listener_ = nullptr;
    std::deque<Asked> commands_;
    std::deque<std::string> to_peer_;
    std::deque<std::string> to_gateway_;
    sandbox::ConnectionId connection_ = 0;  // 0: none
    bool connect_asked_ = false;
    bool close_asked_ = false;
    bool peer_ended_ = false;
    bool write_open_ = false;               // a write was handed over and `on_writable` is due
};

// The lines of all accounts behind the engine's one transport.
class SimTransport final : public Transport {
public:
    SimTransport(const ManualClock& clock, sandbox::SmscPeer& peer, NetworkObserver& observer) : clock_{clock}, peer_{peer}, observer_{observer} {}

    // In the order of the accounts' numbers.
    void add(std::unique_ptr<SimLine> line) { lines_.push_back(std::move(line)); }
    void listen(TransportListener* listener);
    void hand_over(std::vector<AttemptOrder> orders) override;
    void revoke(std::vector<channel::AttemptRef> refs) override;
    void acknowledge(AckTicket ticket, bool durable) override;
    void reconcile(std::vector<ReconcileOrder> orders) override;

    [[nodiscard]] std::size_t size() const { return lines_.size(); }
    [[nodiscard]] SimLine& line(std::size_t account) { return *lines_[account]; }
    // What the peer has to say goes in flight, on each line.
    void collect_from_peer();

private:
    const ManualClock& clock_;
    sandbox::SmscPeer& peer_;
    NetworkObserver& observer_;
    std::vector<std::unique_ptr<SimLine>> lines_;
    std::map<channel::AttemptRef, AccountNumber> account_of_;
};

}  // namespace touchgate::simulation
