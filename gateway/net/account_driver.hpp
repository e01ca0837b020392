// One account on the real network: its machine together with what moves the bytes. NetTransport owns one for each account and calls it on
// the transport's thread only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gateway/base/clock.hpp"
#include "gateway/net/transport_machine.hpp"

namespace touchgate::net {

class AccountDriver {
public:
    virtual ~AccountDriver() = default;

    // These only tell the machine; pump() then carries out what follows from all of them at once.
    virtual void start() = 0;
    virtual void hand_over(channel::Submission order) = 0;
    [[nodiscard]] virtual bool revoke(AttemptRef ref) = 0;  // false: not held here
    virtual void acknowledge(AckTicket ticket, bool durable) = 0;
    virtual void reconcile(ReconcileOrder order) = 0;
    virtual void shut_down() = 0;
    // Session protocols have no tasks and nothing to pull.
    virtual void ask_task(TaskOrder /*order*/) {}
    virtual void run_operation(OperationOrder /*order*/) {}
    virtual void start_pulls(const std::map<std::string, std::string>& /*cursors*/) {}
    virtual void hint_pull(channel::PullHint /*hint*/) {}
    virtual void page_kept(const std::string& /*name*/, bool /*durable*/) {}
    // Of telephone systems only.
    virtual void call(CallOrder /*order*/) {}

    virtual void pump() = 0;
    // After shut_down(): nothing is open any more.
    [[nodiscard]] virtual bool is_finished() const = 0;
    // Ends at once; every open order gets its answer.
    virtual void stop() = 0;
};

// Where drivers put events; NetTransport delivers them once per turn of its loop.
using EventSink = std::vector<TransportEvent>;

}  // namespace touchgate::net
