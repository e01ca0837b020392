#include "gateway/net/net_transport.hpp"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <variant>

#include "gateway/base/thread_name.hpp"
#include "gateway/net/call_driver.hpp"
#include "gateway/net/curl_driver.hpp"
#include "gateway/net/sigpipe.hpp"
#include "gateway/net/socket_driver.hpp"

namespace touchgate::net {

namespace asio = boost::asio;

namespace {

struct Acknowledgement {
    AckTicket ticket;
    bool durable = false;
};
struct Hinted {
    AccountNumber account = 0;
    channel::PullHint hint;
};
struct Kept {
    AccountNumber account = 0;
    std::string name;
    bool durable = false;
};
using Command = std::variant<std::vector<AttemptOrder>, std::vector<AttemptRef>, Acknowledgement, std::vector<ReconcileOrder>, std::vector<TaskOrder>, std::vector<OperationOrder>, std::vector<PullStart>, Hinted,
                             Kept, std::vector<CallOrder>>;

// Handlers run between two deliveries of events at most, so that a busy loop delays no event for long.
constexpr int handlers_per_turn_max = 128;

std::unique_ptr<AccountDriver> make_driver(asio::io_context& io, const Clock& clock, AccountNumber number, const NetAccount& account,
                                           SharedResources& shared, EventSink& sink) {
    if (const auto* session = std::get_if<std::unique_ptr<channel::SessionAdapter>>(account.adapter))
        return std::make_unique<SocketDriver>(io, clock, (*session)->endpoint(), SessionMachine{number, (*session)->make_session(account.seed)},
                                              sink);
    if (const auto* call = std::get_if<std::unique_ptr<channel::CallAdapter>>(account.adapter))
        return std::make_unique<CallDriver>(io, clock, (*call)->stream(), account.http,
                                            CallMachine{number, (*call)->make_session(account.seed), (*call)->requests_at_once()}, sink);
    const auto& exchange = *std::get<std::unique_ptr<channel::ExchangeAdapter>>(*account.adapter);
    ExchangeMachine::Settings settings;
    settings.batch_window = account.batch_window;
    settings.shared = &shared;
    return std::make_unique<CurlDriver>(io, clock, account.http, ExchangeMachine{number, exchange, account.seed, settings}, sink);
}

}  // namespace

class NetTransport::Loop {
public:
    Loop(const std::vector<NetAccount>& accounts, TransportListener& listener, const Clock& clock) : listener_{listener} {
        AccountNumber number = 0;
        for (const auto& account : accounts) drivers_.push_back(make_driver(io_, clock, number++, account, shared_, events_));
    }

    ~Loop() { end(Duration{0}); }

    void start() {
        if (!thread_.joinable() && !ended_) thread_ = std::thread{[this] { run(); }};
    }

    void submit(Command command) {
        {
            const std::lock_guard lock{mutex_};
            commands_.push_back(std::move(command));
            if (std::exchange(posted_, true)) return;
        }
        asio::post(io_, [this] { take_commands(); });
    }

    void end(Duration grace) {
        ended_ = true;
        if (!thread_.joinable()) return;
        asio::post(io_, [this, grace] { leave(grace); });
        thread_.join();
    }

private:
    void run() {
        name_this_thread("transport");
        const SigpipeBlocked no_signal;
        const auto work = asio::make_work_guard(io_);
        for (auto& driver : drivers_) driver->start();
        deliver();
        while (!done_) {
            io_.run_one();
            for (int handled = 1; handled < handlers_per_turn_max && io_.poll_one() != 0; ++handled) {}
            if (leaving_ && std::ranges::all_of(drivers_, [](const auto& driver) { return driver->is_finished(); })) done_ = true;
            deliver();
        }
        for (auto& driver : drivers_) driver->stop();
        take_commands();  // what came last is answered as well
        deliver();
    }

    void deliver() {
        if (!events_.empty()) listener_.on_transport_events(std::exchange(events_, {}));
    }

    void leave(Duration grace) {
        leaving_ = true;
        for (auto& driver : drivers_) {
            driver->shut_down();
            driver->pump();
        }
        patience_.expires_after(grace);
        patience_.async_wait([this](boost::system::error_code error) {
            if (!error) done_ = true;
        });
    }

    void take_commands() {
        std::vector<Command> commands;
        {
            const std::lock_guard lock{mutex_};
            commands.swap(commands_);
            posted_ = false;
        }
        touched_.assign(drivers_.size(), false);
        for (auto& command : commands) std::visit([this](auto& held) { carry_out(held); }, command);
        for (std::size_t i = 0; i < drivers_.size(); ++i)
            if (touched_[i]) drivers_[i]->pump();
    }

    void carry_out(std::vector<AttemptOrder>& orders) {
        for (auto& order : orders)
            if (touch(order.account)) drivers_[order.account]->hand_over(std::move(order.submission));
            else events_.push_back(AttemptUnwritten{.ref = order.submission.ref});
    }

    void carry_out(std::vector<AttemptRef>& refs) {
        for (const auto ref : refs) {
            bool held = false;
            for (AccountNumber i = 0; i < drivers_.size() && !held; ++i)
                if (drivers_[i]->revoke(ref)) held = touch(i);
            if (!held) events_.push_back(AttemptWritten{.ref = ref});  // answered before
        }
    }

    void carry_out(const Acknowledgement& given) {
        const auto account = SessionMachine::account_of(given.ticket);
        if (account && touch(*account)) drivers_[*account]->acknowledge(given.ticket, given.durable);
    }

    void carry_out(std::vector<ReconcileOrder>& orders) {
        for (auto& order : orders)
            if (touch(order.account)) drivers_[order.account]->reconcile(std::move(order));
            else events_.push_back(Reconciled{.ref = order.submission.ref, .answer = {}});
    }

    void carry_out(std::vector<TaskOrder>& orders) {
        for (auto& order : orders)
            if (touch(order.account)) drivers_[order.account]->ask_task(std::move(order));
            else events_.push_back(TaskAnswered{.ref = order.ref, .act = order.act, .answer = {}});
    }

    void carry_out(std::vector<OperationOrder>& orders) {
        for (auto& order : orders)
            if (touch(order.account)) drivers_[order.account]->run_operation(std::move(order));
            else events_.push_back(OperationAnswered{.ref = order.ref, .answer = {}});
    }

    void carry_out(const std::vector<PullStart>& known) {
        std::vector<std::map<std::string, std::string>> cursors(drivers_.size());
        for (const auto& start : known)
            if (start.account < cursors.size()) cursors[start.account][start.name] = start.cursor;
        for (AccountNumber i = 0; i < drivers_.size(); ++i)
            if (touch(i)) drivers_[i]->start_pulls(cursors[i]);
    }

    void carry_out(Hinted& hinted) {
        if (touch(hinted.account)) drivers_[hinted.account]->hint_pull(std::move(hinted.hint));
    }

    void carry_out(const Kept& kept) {
        if (touch(kept.account)) drivers_[kept.account]->page_kept(kept.name, kept.durable);
    }

    void carry_out(std::vector<CallOrder>& orders) {
        for (auto& order : orders)
            if (touch(order.account)) drivers_[order.account]->call(std::move(order));
            else events_.push_back(CallReported{.account = order.account, .event = channel::CommandFailed{.command = order.id, .unwritten = true, .unknown = false, .code = {}, .detail = {}}});
    }

    // Notes that the account's driver must be pumped; false when there is no such account.
    bool touch(AccountNumber account) {
        if (account >= drivers_.size()) return false;
        touched_[account] = true;
        return true;
    }

    TransportListener& listener_;

    std::mutex mutex_;
    std::vector<Command> commands_;  // guarded by mutex_
    bool posted_ = false;            // guarded by mutex_: take_commands() is on its way

    bool ended_ = false;  // the owner's thread

    // The loop's thread, all below. The drivers end before the context that their handlers lie in.
    asio::io_context io_{1};
    asio::steady_timer patience_{io_};
    EventSink events_;
    SharedResources shared_;
    std::vector<std::unique_ptr<AccountDriver>> drivers_;
    std::vector<bool> touched_;
    bool leaving_ = false;
    bool done_ = false;

    std::thread thread_;
};

NetTransport::NetTransport(const std::vector<NetAccount>& accounts, TransportListener& listener, const Clock& clock)
    : loop_{std::make_unique<Loop>(accounts, listener, clock)} {}

NetTransport::~NetTransport() = default;

void NetTransport::start() { loop_->start(); }
void NetTransport::shut_down(Duration grace) { loop_->end(grace); }

void NetTransport::hand_over(std::vector<AttemptOrder> orders) { loop_->submit(std::move(orders)); }
void NetTransport::revoke(std::vector<channel::AttemptRef> refs) { loop_->submit(std::move(refs)); }
void NetTransport::acknowledge(AckTicket ticket, bool durable) { loop_->submit(Acknowledgement{.ticket = ticket, .durable = durable}); }
void NetTransport::reconcile(std::vector<ReconcileOrder> orders) { loop_->submit(std::move(orders)); }
void NetTransport::ask_tasks(std::vector<TaskOrder> orders) { loop_->submit(std::move(orders)); }
void NetTransport::run_operations(std::vector<OperationOrder> orders) { loop_->submit(std::move(orders)); }
void NetTransport::start_pulls(std::vector<PullStart> known) { loop_->submit(std::move(known)); }
void NetTransport::hint_pull(AccountNumber account, channel::PullHint hint) { loop_->submit(Hinted{.account = account, .hint = std::move(hint)}); }
void NetTransport::page_kept(AccountNumber account, std::string name, bool durable) {
    loop_->submit(Kept{.account = account, .name = std::move(name), .durable = durable});
}
void NetTransport::call(std::vector<CallOrder> orders) { loop_->submit(std::move(orders)); }

}  // namespace touchgate::net
