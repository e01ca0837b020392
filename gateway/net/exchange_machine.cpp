#include "gateway/net/exchange_machine.hpp"

#include <algorithm>
#include <utility>

namespace touchgate::net {

ExchangeMachine::ExchangeMachine(AccountNumber account, const channel::ExchangeAdapter& adapter, std::uint64_t seed, const Settings& settings)
    : account_{account},
      adapter_{adapter},
      settings_{settings},
      random_{seed},
      resources_{settings.resources},
      batch_max_{std::max<std::size_t>(1, adapter.capabilities().batch_max)},
      window_{std::max(1, adapter.window())} {}

void ExchangeMachine::start(std::function<void()> wake) {
    wake_ = std::move(wake);
    if (settings_.shared != nullptr)
        settings_.shared->listeners.push_back([this](const std::string& key) {
            changed_keys_.push_back(key);
            if (wake_) wake_();
        });
    start();
}

void ExchangeMachine::start() {
    if (state_ != AccountState::untold) return;
    state_ = AccountState::up;
    actions_.events.push_back(AccountUp{.account = account_});
}

// ---- From the engine.

void ExchangeMachine::hand_over(MachineTime now, channel::Submission order) {
    const auto ref = order.ref;
    if (state_ != AccountState::up || shutting_down_) {
        actions_.events.push_back(AttemptUnwritten{.ref = ref});
        return;
    }
    const auto [added, is_new] = orders_.try_emplace(ref);
    if (!is_new) return;  // the same order twice gets one answer
    note_deadline(order.permit_deadline);
    added->second.needs = adapter_.prepare({&order, 1});
    note_needs(added->second.needs);
    added->second.submission = std::move(order);
    advance(now, added);
}

bool ExchangeMachine::revoke(MachineTime, AttemptRef ref) {
    const auto found = orders_.find(ref);
    if (found == orders_.end()) return false;
    auto& order = found->second;
    if (order.stage == Order::Stage::written) {
        order.told_written = true;
        actions_.events.push_back(AttemptWritten{.ref = ref});
        return true;
    }
    const auto exchange = order.stage == Order::Stage::connecting ? order.exchange : 0;
    leave_unwritten(ref, true);
    if (exchange != 0) {
        cut_again(exchange);
        cancel_exchange(exchange);
    }
    return true;
}

void ExchangeMachine::reconcile(MachineTime, ReconcileOrder order) {
    if (shutting_down_) actions_.events.push_back(Reconciled{.ref = order.submission.ref, .answer = {}});
    else questions_.push_back(std::move(order));
}

void ExchangeMachine::shut_down(MachineTime) {
    shutting_down_ = true;
    trial_at_.reset();
    std::vector<ExchangeId> connecting;
    for (const auto& [id, exchange] : exchanges_)
        if (exchange.kind == Exchange::Kind::submit && !exchange.first_byte) connecting.push_back(id);
    for (const auto id : connecting) {
        cut_again(id);
        cancel_exchange(id);
    }
    release_unwritten();
    for (const auto& question : questions_) actions_.events.push_back(Reconciled{.ref = question.submission.ref, .answer = {}});
    questions_.clear();
    drop_errands();
}

void ExchangeMachine::stop(MachineTime now) {
    shut_down(now);
    for (auto& [id, exchange] : exchanges_) {
        cancel_exchange(id);
        if (exchange.kind == Exchange::Kind::fetch) cache_of(exchange.need.key).abandoned(exchange.need.key, exchange.generation);  // others may want it
        if (exchange.kind == Exchange::Kind::reconcile) actions_.events.push_back(Reconciled{.ref = exchange.question.submission.ref, .answer = {}});
    }
    exchanges_.clear();
    for (const auto& [ref, order] : orders_)
        actions_.events.push_back(AttemptAnswered{
            .ref = ref, .outcome = {.kind = channel::OutcomeKind::unknown, .code = "STOPPED", .detail = "the gateway stopped before the answer came"}});
    orders_.clear();
    submits_in_flight_ = 0;
    questions_in_flight_ = 0;
}

// ---- From the driver.

bool ExchangeMachine::on_first_byte(MachineTime now, ExchangeId id) {
    const auto found = exchanges_.find(id);
    if (found == exchanges_.end() || found->second.first_byte) return false;  // over, or a silent repeat
    connect_worked();
    auto& exchange = found->second;
    if (exchange.kind == Exchange::Kind::submit) {
        std::vector<AttemptRef> lapsed;
        for (const auto ref : exchange.refs)
            if (orders_.at(ref).submission.permit_deadline < now.monotonic) lapsed.push_back(ref);
        for (const auto ref : lapsed) leave_unwritten(ref, false);
        if (!lapsed.empty()) {
            cut_again(id);
            return false;
        }
        for (const auto ref : exchange.refs) orders_.at(ref).stage = Order::Stage::written;
    }
    exchange.first_byte = true;
    return true;
}

void ExchangeMachine::on_response(MachineTime now, ExchangeId id, const channel::HttpResponse& response) {
    auto exchange = end_exchange(id);
    if (!exchange) return;
    connect_worked();
    switch (exchange->kind) {
        case Exchange::Kind::submit: finish_submit(now, *exchange, response); break;
        case Exchange::Kind::fetch: finish_fetch(now, *exchange, response); break;
        case Exchange::Kind::reconcile: {
            const auto& submission = exchange->question.submission;
            actions_.events.push_back(Reconciled{.ref = submission.ref, .answer = adapter_.read_reconcile(submission, response)});
            break;
        }
        case Exchange::Kind::errand: finish_errand(now, *exchange, response); break;
        case Exchange::Kind::trial: break;
    }
}

void ExchangeMachine::on_failure(MachineTime now, ExchangeId id, bool bytes_left, std::string_view reason) {
    auto exchange = end_exchange(id);
    if (!exchange) return;
    fail_exchange(now, *exchange, bytes_left, bytes_left ? "NO_ANSWER" : "NOT_CONNECTED", reason);
    if (!bytes_left && !exchange->first_byte) connect_failed(now, exchange->url, reason);
}

ExchangeMachine::Actions ExchangeMachine::take_actions(MachineTime now) {
    for (const auto& key : std::exchange(changed_keys_, {})) advance_waiters(now, key);
    time_out(now);
    lapse(now);
    if (trial_at_ && *trial_at_ <= now.monotonic) start_trial(now);
    launch(now);
    ask_questions(now);
    start_due_pulls(now);
    launch_errands(now);
    return std::exchange(actions_, {});
}

std::optional<Monotonic> ExchangeMachine::wake_at() const {
    std::optional<Monotonic> wake;
    const auto consider = [&](std::optional<Monotonic> at) {
        if (at && (!wake || *at < *wake)) wake = at;
    };
    if (earliest_deadline_) consider(*earliest_deadline_ + Monotonic{1});  // the deadline itself is still in time
    for (const auto& [deadline, id] : timeouts_)
        if (exchanges_.contains(id)) {
            consider(deadline);
            break;
        }
    consider(trial_at_);
    consider(batch_at_);
    if (state_ == AccountState::up && !shutting_down_)
        for (const auto& [name, pull] : pulls_)
            if (!pull.under_way) consider(pull.due);
    return wake;
}

// ---- Reachability.

void ExchangeMachine::connect_worked() {
    connect_failures_ = 0;
    if (state_ != AccountState::down) return;
    state_ = AccountState::up;
    trial_at_.reset();
    if (!shutting_down_) actions_.events.push_back(AccountUp{.account = account_});
}

void ExchangeMachine::connect_failed(MachineTime now, const std::string& url, std::string_view reason) {
    ++connect_failures_;
    if (shutting_down_) return;
    if (state_ == AccountState::down) {
        if (trial_ == 0 && !trial_at_) schedule_trial(now.monotonic);
        return;
    }
    if (connect_failures_ < settings_.connect_failures_max) return;
    state_ = AccountState::down;
    trial_url_ = url;
    trial_after_ = settings_.trial_after_min;
    schedule_trial(now.monotonic);
    actions_.events.push_back(AccountDown{.account = account_, .reason = std::string{reason}});
    release_unwritten();
}

void ExchangeMachine::schedule_trial(Monotonic now) {
    const auto rest = static_cast<double>(Monotonic{trial_after_}.count()) * (0.8 + 0.4 * random_.unit());
    trial_at_ = now + Monotonic{static_cast<Monotonic::rep>(rest)};
    trial_after_ = std::min(trial_after_ * 2, settings_.trial_after_max);
}

void ExchangeMachine::start_trial(MachineTime now) {
    trial_at_.reset();
    trial_ = start_exchange(now, Exchange{.kind = Exchange::Kind::trial}, {.method = "GET", .url = trial_url_, .headers = {}, .body = {}}, true);
}

}  // namespace touchgate::net
