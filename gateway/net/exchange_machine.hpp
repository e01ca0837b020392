// The transport machine of an HTTP provider: fetches what submits need, cuts batches, keeps the window, checks permits right before the
// first byte, and turns responses into the engine's events. See transport_machine.hpp for what it promises.
//
//   order → prepare → [fetch missing resources] → ready → batch in an exchange → first byte allowed → response → classify → answered
//
// The driver gets HttpExchange values and says of each what it can really know: on_first_byte (connected; may the request go now?), then
// on_response or on_failure with whether bytes of the request may have left. Time-outs are the machine's: it names the exchange to cancel.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/random.hpp"
#include "gateway/channel/exchange_adapter.hpp"
#include "gateway/net/resource_cache.hpp"
#include "gateway/net/transport_machine.hpp"

namespace touchgate::net {

using ExchangeId = std::uint64_t;  // within one machine; never used twice

// One request for the driver to make, once: never repeated, never redirected.
struct HttpExchange {
    ExchangeId id = 0;
    channel::HttpRequest request = {};
    Duration timeout{};         // the machine cancels by itself; the driver may use it as a bound for connecting
    bool connect_only = false;  // only connect to the request's host (TLS included); answered by on_response with status 0
};

class ExchangeMachine {
public:
    struct Settings {
        int connect_failures_max = 3;     // in a row: then the account is down
        Duration trial_after_min{1'000};  // while down, connecting is tried after this, doubling (± 20 %) …
        Duration trial_after_max{30'000};
        ResourceCache::Settings resources = {};
        SharedResources* shared = nullptr;  // null: no resource is shared with other accounts
        Duration batch_window{};          // so long an order waits for others that may share its request
    };

    // `adapter` must outlive the machine. `seed` feeds jitter and nonces.
    ExchangeMachine(AccountNumber account, const channel::ExchangeAdapter& adapter, std::uint64_t seed, const Settings& settings);
    ExchangeMachine(AccountNumber account, const channel::ExchangeAdapter& adapter, std::uint64_t seed)
        : ExchangeMachine{account, adapter, seed, Settings{}} {}

    // ---- From the engine.

    // `wake` is called when another account's fetch brought what this one waits for: take_actions() should be called soon. The machine must not be
    // moved after this.
    void start(std::function<void()> wake);
    // Reports AccountUp: an HTTP provider is taken to be reachable until connecting fails.
    void start();
    // While the account is down the order is answered AttemptUnwritten at once.
    void hand_over(MachineTime now, channel::Submission order);
    // False when this machine does not hold `ref`. Otherwise the answer is among the events: unwritten and revoked (a batch is cut again
    // without it), or written. An order counts as written once on_first_byte allowed its exchange.
    bool revoke(MachineTime now, AttemptRef ref);
    // Answered by exactly one Reconciled; `ask_again` when the question could not be asked or answered.
    void reconcile(MachineTime now, ReconcileOrder order);
    // ---- Beside submits: what needs no permit (exchange_errands.cpp).

    // Answered by exactly one TaskAnswered.
    void ask_task(MachineTime now, TaskOrder order);
    // Answered by exactly one OperationAnswered.
    void run_operation(MachineTime now, OperationOrder order);
    // Begins the adapter's pulls, each at its cursor if it has one.
    void start_pulls(MachineTime now, const std::map<std::string, std::string>& cursors);
    void hint_pull(MachineTime now, channel::PullHint hint);
    // Only after a PageArrived.
    void page_kept(MachineTime now, const std::string& name, bool durable);

    // Orders not yet written are answered AttemptUnwritten; written ones are waited for.
    void shut_down(MachineTime now);
    // Ends at once: written orders become `unknown`, all exchanges are cancelled.
    void stop(MachineTime now);

    // ---- From the driver.

    // The connection stands (TLS included) and the next thing would be the request's first byte. False: nothing may be written, the
    // exchange is over and must not be reported any more. Asked exactly once for each exchange but connect_only ones.
    [[nodiscard]] bool on_first_byte(MachineTime now, ExchangeId id);
    // The whole response. Ids that are over are ignored, here and below.
    void on_response(MachineTime now, ExchangeId id, const channel::HttpResponse& response);
    // No (whole) response. `bytes_left`: part of the request may have reached the peer. `reason` is for people, without secrets.
    void on_failure(MachineTime now, ExchangeId id, bool bytes_left, std::string_view reason);

    struct Actions {
        std::vector<ExchangeId> cancel = {};  // abandon, without a report (may be over already)
        std::vector<HttpExchange> start = {};
        std::vector<TransportEvent> events = {};
    };
    [[nodiscard]] Actions take_actions(MachineTime now);
    // When take_actions() must be called although nothing else happened.
    [[nodiscard]] std::optional<Monotonic> wake_at() const;

    // ---- For owners.

    [[nodiscard]] bool is_up() const { return state_ == AccountState::up; }
    // After shut_down() or stop(): no order is left.
    [[nodiscard]] bool is_finished() const { return shutting_down_ && orders_.empty(); }
    [[nodiscard]] std::size_t held() const { return orders_.size(); }
    [[nodiscard]] int in_flight() const { return submits_in_flight_; }

private:
    struct Order {
        enum class Stage : std::uint8_t { waiting, ready, connecting, written };
        channel::Submission submission;
        std::vector<channel::Need> needs;
        Stage stage = Stage::waiting;
        ExchangeId exchange = 0;    // connecting, written
        bool refreshed = false;     // the one repeat after a stale resource is used up
        bool told_written = false;  // a revocation was answered AttemptWritten: it must not be written again
        Monotonic ready_since{};
    };
    // A request beside submits: about a task, an operation, or for a page of a pull.
    struct Errand {
        std::vector<channel::Need> needs;
        bool refreshed = false;            // the one repeat after a stale resource is used up
        TaskOrder task = {};
        std::string step = {};
        channel::TaskAnswer gathered = {};
        int steps = 0;
        std::string pull = {};             // its name; empty: about a task or an operation
        OperationOrder operation = {};     // its name is empty: about a task
    };
    struct PullState {
        channel::Pull plan;
        std::string cursor;
        std::string hint;
        std::deque<std::string> hints;     // that wait, where each names another thing
        std::optional<Monotonic> due;
        Monotonic whole_at{};              // when all of the list is due; what hints name comes in between
        bool under_way = false;            // asked for, or its page is not yet kept
        bool again = false;                // a hint came meanwhile
        channel::PulledPage page;          // what waits to be kept: cursor and whether there is more
        int failures = 0;
    };
    using ErrandId = std::uint64_t;
    struct Exchange {
        enum class Kind : std::uint8_t { submit, fetch, reconcile, errand, trial };
        Kind kind = Kind::submit;
        bool first_byte = false;
        Monotonic deadline{};
        std::vector<AttemptRef> refs = {};                           // submit
        std::map<std::string, ResourceCache::Generation> used = {};  // submit, fetch
        channel::Need need = {};                                     // fetch
        ResourceCache::Generation generation = 0;                    // fetch: of what it will bring
        ReconcileOrder question = {};                                // reconcile
        ErrandId errand = 0;                                         // errand
        std::string url = {};                                        // scheme, host and port
    };
    using Orders = std::map<AttemptRef, Order>;
    using Exchanges = std::map<ExchangeId, Exchange>;

    // The way of an order.
    void advance(MachineTime now, Orders::iterator order);
    void advance_waiters(MachineTime now, const std::string& key);
    void launch(MachineTime now);
    void start_batch(MachineTime now, std::vector<AttemptRef> refs);
    [[nodiscard]] bool resources_ready(const std::vector<channel::Need>& needs, Monotonic now) const;
    void answer(AttemptRef ref, channel::Outcome outcome);
    void leave_unwritten(AttemptRef ref, bool revoked);
    // The exchange is over before its first byte; what is left of its batch is ready again. Returns how many are left.
    std::size_t cut_again(ExchangeId id);
    void lapse(MachineTime now);
    void note_deadline(Monotonic deadline);
    void release_unwritten();

    // Exchanges.
    ExchangeId start_exchange(MachineTime now, Exchange exchange, channel::HttpRequest request, bool connect_only = false);
    // Takes it out of the table; nothing when it is over already.
    std::optional<Exchange> end_exchange(ExchangeId id);
    void cancel_exchange(ExchangeId id);
    void time_out(MachineTime now);
    [[nodiscard]] channel::RequestContext context(MachineTime now);
    void with_submissions(const std::vector<AttemptRef>& refs, const std::function<void(std::span<const channel::Submission>)>& use) const;

    [[nodiscard]] ResourceCache& cache_of(const std::string& key) { return is_shared(key) ? settings_.shared->cache : resources_; }
    [[nodiscard]] const ResourceCache& cache_of(const std::string& key) const { return is_shared(key) ? settings_.shared->cache : resources_; }
    [[nodiscard]] bool is_shared(const std::string& key) const { return shared_keys_.contains(key); }
    void note_needs(const std::vector<channel::Need>& needs);
    void resource_changed(MachineTime now, const std::string& key);
    [[nodiscard]] channel::Resources gather(std::span<const channel::Need> needs, Monotonic now, Exchange& used_by) const;
    void start_fetch(MachineTime now, const channel::Need& need, std::span<const channel::Need> before);
    void fetch_failed(MachineTime now, const Exchange& exchange, channel::Outcome outcome);
    void finish_submit(MachineTime now, const Exchange& exchange, const channel::HttpResponse& response);
    void finish_fetch(MachineTime now, const Exchange& exchange, const channel::HttpResponse& response);
    void submit_again(MachineTime now, AttemptRef ref);
    bool drop_stale(const Exchange& exchange, const channel::HttpResponse& response);  // true: something used was stale
    void fail_exchange(MachineTime now, const Exchange& exchange, bool bytes_left, std::string_view code, std::string_view reason);
    void ask_questions(MachineTime now);

    // Errands.
    void start_errand(MachineTime now, Errand errand);
    void advance_errand(MachineTime now, ErrandId id);
    void launch_errands(MachineTime now);
    void finish_errand(MachineTime now, const Exchange& exchange, const channel::HttpResponse& response);
    void errand_failed(MachineTime now, ErrandId id, const channel::Outcome& why);
    [[nodiscard]] channel::HttpRequest request_of(MachineTime now, const Errand& errand, const channel::Resources& resources);
    void start_due_pulls(MachineTime now);
    void answer_task(const Errand& errand);
    void drop_errands();

    // Reachability.
    void connect_worked();
    void connect_failed(MachineTime now, const std::string& url, std::string_view reason);
    void start_trial(MachineTime now);
    void schedule_trial(Monotonic now);

    AccountNumber account_;
    const channel::ExchangeAdapter& adapter_;
    Settings settings_;
    Random random_;
    ResourceCache resources_;
    std::set<std::string> shared_keys_;      // those that needs called shared
    std::vector<std::string> changed_keys_;  // by other accounts, since the last take_actions()
    std::function<void()> wake_;
    std::size_t batch_max_;
    int window_;

    AccountState state_ = AccountState::untold;
    bool shutting_down_ = false;
    int connect_failures_ = 0;
    std::string trial_url_;
    ExchangeId trial_ = 0;  // the one under way
    std::optional<Monotonic> trial_at_;
    Duration trial_after_{};

    Orders orders_;
    std::deque<AttemptRef> ready_;                            // may name orders that are gone or ready no more
    std::map<std::string, std::vector<AttemptRef>> waiters_;  // resource key → orders that wait for its fetch
    std::set<std::string> refetching_;                        // keys whose fetch met a stale resource and is made once more
    std::deque<ReconcileOrder> questions_;                    // not yet asked
    std::optional<Monotonic> earliest_deadline_;              // of unwritten orders; may be too early, never too late
    std::optional<Monotonic> batch_at_;     // when the order that waits longest for others has waited enough
    std::map<ErrandId, Errand> errands_;
    std::map<std::string, std::vector<ErrandId>> errand_waiters_;  // resource key → errands that wait for its fetch
    std::deque<ErrandId> ready_errands_;
    ErrandId last_errand_ = 0;
    int errands_in_flight_ = 0;
    std::map<std::string, PullState> pulls_;
    Exchanges exchanges_;
    std::deque<std::pair<Monotonic, ExchangeId>> timeouts_;  // in order; may name exchanges that are over
    ExchangeId last_id_ = 0;
    int submits_in_flight_ = 0;
    int questions_in_flight_ = 0;
    Actions actions_;
};

}  // namespace touchgate::net
