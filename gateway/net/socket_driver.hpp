// A session account on a real socket: resolve, connect, optional TLS, one write in flight, large reads. All decisions are SessionMachine's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/channel/session_adapter.hpp"
#include "gateway/net/account_driver.hpp"
#include "gateway/net/session_machine.hpp"

namespace touchgate::net {

class SocketConnection;

class SocketDriver final : public AccountDriver {
public:
    // All references must outlive the driver. Destroy it only when `io` runs no more.
    SocketDriver(boost::asio::io_context& io, const Clock& clock, channel::SessionAdapter::Endpoint endpoint, SessionMachine machine,
                 EventSink& sink);
    ~SocketDriver() override;

    void start() override { pump(); }
    void hand_over(channel::Submission order) override;
    bool revoke(AttemptRef ref) override;
    void acknowledge(AckTicket ticket, bool durable) override;
    void reconcile(ReconcileOrder order) override;
    void shut_down() override;
    void pump() override;
    [[nodiscard]] bool is_finished() const override { return machine_.is_finished(); }
    void stop() override;

private:
    friend class SocketConnection;
    // From the connection that is current; it has stopped by itself before it says closed.
    void connected();
    void closed(std::string reason);
    void received(std::string_view bytes);
    void writable();

    void arm_timer();

    boost::asio::io_context& io_;
    const Clock& clock_;
    channel::SessionAdapter::Endpoint endpoint_;
    SessionMachine machine_;
    EventSink& sink_;
    std::shared_ptr<SocketConnection> connection_;
    using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                                    boost::asio::io_context::executor_type>;
    Timer timer_;
    std::optional<Monotonic> armed_for_;
};

}  // namespace touchgate::net
