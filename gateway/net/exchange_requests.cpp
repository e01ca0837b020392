// HTTP requests of an account, from the start to their answer: of submits and errands, and those that fetch a shared resource such as a token.

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/net/exchange_machine.hpp"

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

}  // namespace touchgate::net
