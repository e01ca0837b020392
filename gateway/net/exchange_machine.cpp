#include "gateway/net/exchange_machine.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace touchgate::net {

namespace {

using channel::Outcome;
using channel::OutcomeKind;

// While preparing nothing was submitted, whatever the adapter's reading of the answer says.
Outcome certainly_not_sent(Outcome outcome) {
    switch (outcome.kind) {
        case OutcomeKind::accepted:
        case OutcomeKind::handed_to_human:
        case OutcomeKind::unknown: outcome.kind = OutcomeKind::not_sent; break;
        default: break;
    }
    return outcome;
}

// "https://host:443/path?secret=…" → "https://host:443/".
std::string origin_of(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return std::string{url};
    const auto end = url.find_first_of("/?#", scheme + 3);
    return std::string{url.substr(0, end)} + '/';
}

}  // namespace

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
            .ref = ref, .outcome = {.kind = OutcomeKind::unknown, .code = "STOPPED", .detail = "the gateway stopped before the answer came"}});
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

// ---- The way of an order.

void ExchangeMachine::advance(MachineTime now, Orders::iterator found) {
    const auto ref = found->first;
    auto& order = found->second;
    order.stage = Order::Stage::waiting;
    const std::span<const channel::Need> needs{order.needs};
    using State = ResourceCache::View::State;
    for (std::size_t i = 0; i < needs.size(); ++i) {
        const auto& key = needs[i].key;
        const auto view = cache_of(key).view(key, now.monotonic);
        if (view.state == State::failed) {
            answer(ref, *view.failure);
            return;
        }
        if (view.state == State::missing || view.refresh_wanted) start_fetch(now, needs[i], needs.first(i));
        if (view.state != State::ready) {
            waiters_[key].push_back(ref);
            return;
        }
    }
    order.stage = Order::Stage::ready;
    order.ready_since = now.monotonic;
    ready_.push_back(ref);
}

void ExchangeMachine::advance_waiters(MachineTime now, const std::string& key) {
    if (auto node = errand_waiters_.extract(key); !node.empty())
        for (const auto id : node.mapped()) advance_errand(now, id);
    auto node = waiters_.extract(key);
    if (node.empty()) return;
    for (const auto ref : node.mapped())
        if (const auto order = orders_.find(ref); order != orders_.end() && order->second.stage == Order::Stage::waiting) advance(now, order);
}

bool ExchangeMachine::resources_ready(const std::vector<channel::Need>& needs, Monotonic now) const {
    return std::ranges::all_of(needs, [&](const auto& need) { return cache_of(need.key).view(need.key, now).state == ResourceCache::View::State::ready; });
}

void ExchangeMachine::launch(MachineTime now) {
    const auto find_ready = [&](AttemptRef ref) {
        const auto order = orders_.find(ref);
        return order != orders_.end() && order->second.stage == Order::Stage::ready ? order : orders_.end();
    };
    batch_at_.reset();
    while (!ready_.empty() && submits_in_flight_ < window_) {
        const auto first = find_ready(ready_.front());
        if (first != orders_.end() && settings_.batch_window > Duration{0} && batch_max_ > 1 && ready_.size() < batch_max_) {
            const auto patience = first->second.ready_since + Monotonic{settings_.batch_window};
            if (now.monotonic < patience) {
                batch_at_ = patience;
                return;
            }
        }
        ready_.pop_front();
        if (first == orders_.end()) continue;
        if (!resources_ready(first->second.needs, now.monotonic)) {  // expired while it waited for a place
            advance(now, first);
            continue;
        }
        std::vector<AttemptRef> refs{first->first};
        if (batch_max_ > 1) {
            // Only near neighbours are looked at, so that a long queue costs no more than its head.
            auto candidate = ready_.begin();
            for (std::size_t looked = 0; candidate != ready_.end() && refs.size() < batch_max_ && looked < 4 * batch_max_; ++looked) {
                const auto order = find_ready(*candidate);
                if (order != orders_.end() && order != first && resources_ready(order->second.needs, now.monotonic) &&
                    adapter_.same_batch(first->second.submission, order->second.submission)) {
                    if (std::ranges::find(refs, *candidate) == refs.end()) refs.push_back(*candidate);
                    candidate = ready_.erase(candidate);
                } else {
                    ++candidate;
                }
            }
        }
        start_batch(now, std::move(refs));
    }
}

void ExchangeMachine::start_batch(MachineTime now, std::vector<AttemptRef> refs) {
    Exchange exchange{.kind = Exchange::Kind::submit};
    std::vector<channel::Need> needs;
    for (const auto ref : refs)
        for (const auto& need : orders_.at(ref).needs)
            if (std::ranges::find(needs, need) == needs.end()) needs.push_back(need);
    const auto resources = gather(needs, now.monotonic, exchange);
    channel::HttpRequest request;
    with_submissions(refs, [&](auto submissions) { request = adapter_.submit(submissions, resources, context(now)); });
    exchange.refs = refs;
    ++submits_in_flight_;
    const auto id = start_exchange(now, std::move(exchange), std::move(request));
    for (const auto ref : refs) {
        auto& order = orders_.at(ref);
        order.stage = Order::Stage::connecting;
        order.exchange = id;
    }
}

void ExchangeMachine::answer(AttemptRef ref, Outcome outcome) {
    if (orders_.erase(ref) == 1) actions_.events.push_back(AttemptAnswered{.ref = ref, .outcome = std::move(outcome)});
}

void ExchangeMachine::leave_unwritten(AttemptRef ref, bool revoked) {
    if (orders_.erase(ref) == 1) actions_.events.push_back(AttemptUnwritten{.ref = ref, .revoked = revoked});
}

std::size_t ExchangeMachine::cut_again(ExchangeId id) {
    const auto exchange = end_exchange(id);
    if (!exchange) return 0;
    std::size_t left = 0;
    for (auto ref = exchange->refs.rbegin(); ref != exchange->refs.rend(); ++ref) {
        const auto order = orders_.find(*ref);
        if (order == orders_.end()) continue;
        order->second.stage = Order::Stage::ready;
        order->second.exchange = 0;
        ready_.push_front(*ref);
        ++left;
    }
    return left;
}

void ExchangeMachine::note_deadline(Monotonic deadline) {
    if (!earliest_deadline_ || deadline < *earliest_deadline_) earliest_deadline_ = deadline;
}

void ExchangeMachine::lapse(MachineTime now) {
    if (!earliest_deadline_ || now.monotonic <= *earliest_deadline_) return;
    earliest_deadline_.reset();
    std::vector<AttemptRef> lapsed;
    std::set<ExchangeId> touched;
    for (const auto& [ref, order] : orders_) {
        if (order.stage == Order::Stage::written) continue;
        if (order.submission.permit_deadline < now.monotonic) {
            lapsed.push_back(ref);
            if (order.stage == Order::Stage::connecting) touched.insert(order.exchange);
        } else {
            note_deadline(order.submission.permit_deadline);
        }
    }
    for (const auto ref : lapsed) leave_unwritten(ref, false);
    for (const auto id : touched) {
        const auto url = exchanges_.at(id).url;
        const auto left = cut_again(id);
        cancel_exchange(id);
        if (left == 0) connect_failed(now, url, "no connection within the permit's time");
    }
}

void ExchangeMachine::release_unwritten() {
    std::vector<AttemptRef> refs;
    for (const auto& [ref, order] : orders_)
        if (order.stage == Order::Stage::waiting || order.stage == Order::Stage::ready) refs.push_back(ref);
    for (const auto ref : refs) leave_unwritten(ref, false);
    ready_.clear();
    waiters_.clear();
}

// ---- Exchanges.

ExchangeId ExchangeMachine::start_exchange(MachineTime now, Exchange exchange, channel::HttpRequest request, bool connect_only) {
    const auto id = ++last_id_;
    const auto timeout = std::max(adapter_.timeout(), Duration{1});
    exchange.deadline = now.monotonic + timeout;
    exchange.url = origin_of(request.url);
    timeouts_.emplace_back(exchange.deadline, id);
    exchanges_.emplace(id, std::move(exchange));
    actions_.start.push_back({.id = id, .request = std::move(request), .timeout = timeout, .connect_only = connect_only});
    return id;
}

std::optional<ExchangeMachine::Exchange> ExchangeMachine::end_exchange(ExchangeId id) {
    auto node = exchanges_.extract(id);
    if (node.empty()) return std::nullopt;
    switch (node.mapped().kind) {
        case Exchange::Kind::submit: --submits_in_flight_; break;
        case Exchange::Kind::reconcile: --questions_in_flight_; break;
        case Exchange::Kind::errand: --errands_in_flight_; break;
        case Exchange::Kind::trial: trial_ = 0; break;
        case Exchange::Kind::fetch: break;
    }
    while (!timeouts_.empty() && !exchanges_.contains(timeouts_.front().second)) timeouts_.pop_front();
    return std::move(node.mapped());
}

void ExchangeMachine::cancel_exchange(ExchangeId id) {
    if (std::erase_if(actions_.start, [&](const HttpExchange& exchange) { return exchange.id == id; }) == 0) actions_.cancel.push_back(id);
}

void ExchangeMachine::time_out(MachineTime now) {
    while (!timeouts_.empty() && timeouts_.front().first <= now.monotonic) {
        const auto id = timeouts_.front().second;
        timeouts_.pop_front();
        const auto exchange = end_exchange(id);
        if (!exchange) continue;
        cancel_exchange(id);
        const auto reason = "no answer within " + std::to_string(adapter_.timeout().count()) + " ms";
        fail_exchange(now, *exchange, exchange->first_byte, exchange->first_byte ? "TIMEOUT" : "NOT_CONNECTED", reason);
        if (!exchange->first_byte) connect_failed(now, exchange->url, "no connection within " + std::to_string(adapter_.timeout().count()) + " ms");
    }
}

channel::RequestContext ExchangeMachine::context(MachineTime now) {
    static constexpr std::string_view digits = "0123456789abcdef";
    channel::RequestContext made{.now = now.wall, .nonce = {}};
    made.nonce.reserve(32);
    for (auto word : std::array{random_.next(), random_.next()})
        for (int i = 0; i < 16; ++i, word >>= 4U) made.nonce.push_back(digits[word & 15U]);
    return made;
}

void ExchangeMachine::with_submissions(const std::vector<AttemptRef>& refs,
                                       const std::function<void(std::span<const channel::Submission>)>& use) const {
    if (refs.size() == 1) {
        use({&orders_.at(refs.front()).submission, 1});
        return;
    }
    std::vector<channel::Submission> submissions;
    submissions.reserve(refs.size());
    for (const auto ref : refs) submissions.push_back(orders_.at(ref).submission);
    use(submissions);
}

void ExchangeMachine::note_needs(const std::vector<channel::Need>& needs) {
    if (settings_.shared == nullptr) return;
    for (const auto& need : needs)
        if (need.shared) shared_keys_.insert(need.key);
}

void ExchangeMachine::resource_changed(MachineTime now, const std::string& key) {
    if (!is_shared(key)) return advance_waiters(now, key);
    settings_.shared->changed(key);  // this machine hears of it too
    for (const auto& own : std::exchange(changed_keys_, {})) advance_waiters(now, own);
}

channel::Resources ExchangeMachine::gather(std::span<const channel::Need> needs, Monotonic now, Exchange& used_by) const {
    channel::Resources gathered;
    for (const auto& need : needs) {
        const auto view = cache_of(need.key).view(need.key, now);
        if (view.value == nullptr) continue;
        gathered[need.key] = *view.value;
        used_by.used[need.key] = view.generation;
    }
    return gathered;
}

void ExchangeMachine::start_fetch(MachineTime now, const channel::Need& need, std::span<const channel::Need> before) {
    Exchange exchange{.kind = Exchange::Kind::fetch};
    const auto resources = gather(before, now.monotonic, exchange);
    exchange.need = need;
    exchange.generation = cache_of(need.key).begin_fetch(need.key);
    start_exchange(now, std::move(exchange), adapter_.fetch(need, resources, context(now)));
}

void ExchangeMachine::finish_fetch(MachineTime now, const Exchange& exchange, const channel::HttpResponse& response) {
    const auto& key = exchange.need.key;
    if (!refetching_.contains(key) && drop_stale(exchange, response)) {
        // What this fetch itself needed is stale: waiters start it again, from a fresh one, once.
        refetching_.insert(key);
        cache_of(key).abandoned(key, exchange.generation);
        resource_changed(now, key);
        return;
    }
    refetching_.erase(key);
    auto read = adapter_.read_fetched(exchange.need, response);
    if (auto* failure = std::get_if<Outcome>(&read)) {
        fetch_failed(now, exchange, std::move(*failure));
        return;
    }
    cache_of(key).arrived(key, exchange.generation, std::move(*std::get_if<channel::Resource>(&read)), now.monotonic, random_);
    resource_changed(now, key);
}

void ExchangeMachine::fetch_failed(MachineTime now, const Exchange& exchange, Outcome outcome) {
    refetching_.erase(exchange.need.key);
    cache_of(exchange.need.key).failed(exchange.need.key, exchange.generation, certainly_not_sent(std::move(outcome)), now.monotonic, random_);
    resource_changed(now, exchange.need.key);
}

bool ExchangeMachine::drop_stale(const Exchange& exchange, const channel::HttpResponse& response) {
    if (exchange.used.empty() || !adapter_.resources_stale(response)) return false;
    bool any = false;
    for (const auto& [key, generation] : exchange.used) {
        if (!adapter_.resource_stale(key, response)) continue;
        cache_of(key).invalidate(key, generation);
        any = true;
    }
    return any;
}

void ExchangeMachine::finish_submit(MachineTime now, const Exchange& exchange, const channel::HttpResponse& response) {
    const bool stale = drop_stale(exchange, response);
    std::vector<Outcome> outcomes;
    with_submissions(exchange.refs, [&](auto submissions) { outcomes = adapter_.classify(submissions, response); });
    for (std::size_t i = 0; i < exchange.refs.size(); ++i) {
        const auto ref = exchange.refs[i];
        if (stale && !orders_.at(ref).refreshed) submit_again(now, ref);
        else if (i < outcomes.size()) answer(ref, std::move(outcomes[i]));
        else answer(ref, {.kind = OutcomeKind::unknown, .code = "NO_VERDICT", .detail = "the answer says nothing about this attempt"});
    }
}

void ExchangeMachine::submit_again(MachineTime now, AttemptRef ref) {
    const auto found = orders_.find(ref);
    auto& order = found->second;
    // The provider refused the token, so nothing was sent; but the permit may have ended meanwhile, and what was revoked never writes again.
    if (order.told_written || order.submission.permit_deadline < now.monotonic || state_ != AccountState::up || shutting_down_) {
        answer(ref,
               {.kind = OutcomeKind::not_sent, .code = "STALE_RESOURCE", .detail = "the provider asked for a fresh token; the permit has ended"});
        return;
    }
    order.refreshed = true;
    order.exchange = 0;
    note_deadline(order.submission.permit_deadline);
    advance(now, found);
}

void ExchangeMachine::fail_exchange(MachineTime now, const Exchange& exchange, bool bytes_left, std::string_view code, std::string_view reason) {
    switch (exchange.kind) {
        case Exchange::Kind::submit: {
            const auto kind = bytes_left ? OutcomeKind::unknown : OutcomeKind::not_sent;
            const Outcome outcome{.kind = kind, .code = std::string{code}, .detail = std::string{reason}};
            for (const auto ref : exchange.refs) answer(ref, outcome);
            break;
        }
        case Exchange::Kind::fetch:
            fetch_failed(now, exchange, {.kind = OutcomeKind::not_sent, .code = std::string{code}, .detail = std::string{reason}});
            break;
        case Exchange::Kind::reconcile: actions_.events.push_back(Reconciled{.ref = exchange.question.submission.ref, .answer = {}}); break;
        case Exchange::Kind::errand:
            errand_failed(now, exchange.errand,
                          {.kind = bytes_left ? OutcomeKind::unknown : OutcomeKind::not_sent, .code = std::string{code}, .detail = std::string{reason}});
            break;
        case Exchange::Kind::trial: break;
    }
}

void ExchangeMachine::ask_questions(MachineTime now) {
    while (!questions_.empty() && questions_in_flight_ < std::max(1, window_ / 4)) {
        auto question = std::move(questions_.front());
        questions_.pop_front();
        auto request = adapter_.reconcile(question.submission, question.permitted_at, context(now));
        if (!request) {
            actions_.events.push_back(Reconciled{.ref = question.submission.ref, .answer = {}});
            continue;
        }
        ++questions_in_flight_;
        Exchange exchange{.kind = Exchange::Kind::reconcile};
        exchange.question = std::move(question);
        start_exchange(now, std::move(exchange), std::move(*request));
    }
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
