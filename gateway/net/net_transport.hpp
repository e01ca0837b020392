// The engine's Transport over the real network: one thread that owns the sockets and curl handles of all accounts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/clock.hpp"
#include "gateway/base/result.hpp"
#include "gateway/channel/adapter.hpp"
#include "gateway/engine/transport.hpp"
#include "gateway/net/curl_client.hpp"

namespace touchgate::net {

// One configured account. Its AccountNumber is its place in the list.
struct NetAccount {
    std::string name;
    const channel::AnyAdapter* adapter = nullptr;  // must outlive the transport; only its const functions are called
    std::uint64_t seed = 0;                        // for jitter, nonces and message references
    HttpSettings http = {};                        // of an HTTP account
    Duration batch_window{};                       // of an HTTP account that batches: so long an order waits for others
};

class NetTransport final : public Transport {
public:
    // `listener` and `clock` must outlive the transport. `clock` must be the one that permit deadlines are measured with.
    NetTransport(const std::vector<NetAccount>& accounts, TransportListener& listener, const Clock& clock);
    ~NetTransport() override;  // stops
    NetTransport(const NetTransport&) = delete;
    NetTransport& operator=(const NetTransport&) = delete;

    // Starts the thread: sessions connect, HTTP accounts report themselves up.
    void start();
    // Leaves politely: orders not yet written are answered AttemptUnwritten, written ones are waited for, sessions unbind. Returns when all
    // that is done, at most after `grace`, with the thread ended; orders still open then were answered `unknown`. The listener is called
    // until it returns; not from the transport's own thread.
    void shut_down(Duration grace);
    // shut_down without waiting for anybody.
    void stop() { shut_down(Duration{0}); }

    // Transport. Any thread; the order of calls of one thread is kept. After shut_down() has returned they do nothing.
    void hand_over(std::vector<AttemptOrder> orders) override;
    void revoke(std::vector<channel::AttemptRef> refs) override;
    void acknowledge(AckTicket ticket, bool durable) override;
    void reconcile(std::vector<ReconcileOrder> orders) override;
    void ask_tasks(std::vector<TaskOrder> orders) override;
    void run_operations(std::vector<OperationOrder> orders) override;
    void start_pulls(std::vector<PullStart> known) override;
    void hint_pull(AccountNumber account, channel::PullHint hint) override;
    void page_kept(AccountNumber account, std::string name, bool durable) override;
    void call(std::vector<CallOrder> orders) override;

private:
    class Loop;
    std::unique_ptr<Loop> loop_;
};

}  // namespace touchgate::net
