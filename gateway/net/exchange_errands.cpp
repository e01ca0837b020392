// Errands of an HTTP provider's machine: questions about employees' tasks, an operator's operations, and the pages of lists that must be pulled. They
// need no permit, take no window place of submits, and share the resources of submits.

#include <algorithm>
#include <utility>

#include "gateway/net/exchange_machine.hpp"

namespace touchgate::net {

namespace {

constexpr int steps_max = 1'000;                       // requests that one act on a task may take
constexpr Duration pull_rest_min{5'000};               // after a failed page, doubling …
constexpr Duration pull_rest_max{std::chrono::minutes{5}};
constexpr std::size_t hints_kept = 10'000;             // of one pull; what is beyond is found by its next whole reading

}  // namespace

void ExchangeMachine::ask_task(MachineTime now, TaskOrder order) {
    if (shutting_down_) {
        actions_.events.push_back(TaskAnswered{.ref = order.ref, .act = order.act, .answer = {}});
        return;
    }
    start_errand(now, {.needs = adapter_.task_needs(), .task = std::move(order)});
}

void ExchangeMachine::run_operation(MachineTime now, OperationOrder order) {
    if (state_ != AccountState::up || shutting_down_) {
        actions_.events.push_back(OperationAnswered{
            .ref = order.ref, .answer = {.outcome = {.kind = channel::OutcomeKind::not_sent, .code = "DOWN", .detail = "the account cannot be reached now"}}});
        return;
    }
    start_errand(now, {.needs = adapter_.operation_needs(), .operation = std::move(order)});
}

void ExchangeMachine::start_pulls(MachineTime now, const std::map<std::string, std::string>& cursors) {
    for (auto& plan : adapter_.pulls()) {
        auto& pull = pulls_[plan.name];
        if (const auto known = cursors.find(plan.name); known != cursors.end()) pull.cursor = known->second;
        pull.plan = std::move(plan);
        pull.whole_at = now.monotonic;
        if (!pull.plan.hinted_only) pull.due = now.monotonic;
    }
}

void ExchangeMachine::hint_pull(MachineTime now, channel::PullHint hint) {
    const auto found = pulls_.find(hint.name);
    if (found == pulls_.end()) return;
    auto& pull = found->second;
    if (pull.plan.each_hint) {
        if (std::ranges::find(pull.hints, hint.hint) == pull.hints.end() && pull.hints.size() < hints_kept) pull.hints.push_back(std::move(hint.hint));
    } else {
        pull.hint = std::move(hint.hint);
    }
    if (pull.under_way) pull.again = true;
    else pull.due = now.monotonic;
}

void ExchangeMachine::page_kept(MachineTime now, const std::string& name, bool durable) {
    const auto found = pulls_.find(name);
    if (found == pulls_.end() || !found->second.under_way) return;
    auto& pull = found->second;
    pull.under_way = false;
    if (!durable) {
        pull.due = now.monotonic + Monotonic{pull_rest_min};
        return;
    }
    pull.cursor = std::move(pull.page.cursor);
    pull.failures = 0;
    const bool was_one_thing = pull.plan.each_hint && !pull.hint.empty();
    if (!pull.page.more && !was_one_thing) pull.whole_at = now.monotonic + Monotonic{pull.plan.every};
    if (!pull.page.more && (!pull.again || pull.plan.each_hint)) pull.hint.clear();
    const bool again = std::exchange(pull.again, false) || !pull.hints.empty();
    if (pull.page.more || again) pull.due = now.monotonic;
    else if (pull.plan.hinted_only) pull.due.reset();
    else pull.due = pull.whole_at;
}

void ExchangeMachine::start_due_pulls(MachineTime now) {
    if (state_ != AccountState::up || shutting_down_) return;
    for (auto& [name, pull] : pulls_) {
        if (pull.under_way || !pull.due || *pull.due > now.monotonic) continue;
        pull.under_way = true;
        pull.due.reset();
        // A list that is being read is read to its end before the next thing that was hinted at.
        if (pull.hint.empty() && pull.cursor.empty() && !pull.hints.empty()) {
            pull.hint = std::move(pull.hints.front());
            pull.hints.pop_front();
        }
        start_errand(now, {.needs = adapter_.pull_needs(name), .pull = name});
    }
}

void ExchangeMachine::start_errand(MachineTime now, Errand errand) {
    const auto id = ++last_errand_;
    note_needs(errand.needs);
    errands_.emplace(id, std::move(errand));
    advance_errand(now, id);
}

void ExchangeMachine::advance_errand(MachineTime now, ErrandId id) {
    const auto found = errands_.find(id);
    if (found == errands_.end()) return;
    const std::span<const channel::Need> needs{found->second.needs};
    using State = ResourceCache::View::State;
    for (std::size_t i = 0; i < needs.size(); ++i) {
        const auto& key = needs[i].key;
        const auto view = cache_of(key).view(key, now.monotonic);
        if (view.state == State::failed) return errand_failed(now, id, channel::Outcome{*view.failure});
        if (view.state == State::missing || view.refresh_wanted) start_fetch(now, needs[i], needs.first(i));
        if (view.state != State::ready) {
            errand_waiters_[key].push_back(id);
            return;
        }
    }
    ready_errands_.push_back(id);
}

void ExchangeMachine::launch_errands(MachineTime now) {
    while (!ready_errands_.empty() && errands_in_flight_ < std::max(2, window_ / 4)) {
        const auto id = ready_errands_.front();
        ready_errands_.pop_front();
        const auto found = errands_.find(id);
        if (found == errands_.end()) continue;
        auto& errand = found->second;
        if (!resources_ready(errand.needs, now.monotonic)) {
            advance_errand(now, id);
            continue;
        }
        Exchange exchange{.kind = Exchange::Kind::errand, .errand = id};
        const auto resources = gather(errand.needs, now.monotonic, exchange);
        auto request = request_of(now, errand, resources);
        ++errands_in_flight_;
        start_exchange(now, std::move(exchange), std::move(request));
    }
}

channel::HttpRequest ExchangeMachine::request_of(MachineTime now, const Errand& errand, const channel::Resources& resources) {
    if (!errand.pull.empty()) return adapter_.pull(errand.pull, pulls_.at(errand.pull).cursor, pulls_.at(errand.pull).hint, resources, context(now));
    if (!errand.operation.name.empty()) return adapter_.operation(errand.operation.name, errand.operation.body_json, resources, context(now));
    return adapter_.ask_task(errand.task.act, errand.task.task, errand.step, resources, context(now));
}

void ExchangeMachine::finish_errand(MachineTime now, const Exchange& exchange, const channel::HttpResponse& response) {
    const auto found = errands_.find(exchange.errand);
    if (found == errands_.end()) return;
    auto& errand = found->second;
    if (!errand.refreshed && drop_stale(exchange, response)) {
        errand.refreshed = true;
        return advance_errand(now, exchange.errand);
    }
    if (!errand.pull.empty()) {
        auto& pull = pulls_.at(errand.pull);
        auto page = adapter_.read_pull(errand.pull, pull.cursor, response);
        if (page.failed) {
            if (page.retry_after) pull.due = now.monotonic + Monotonic{*page.retry_after};
            return errand_failed(now, exchange.errand, {.code = std::move(page.code), .detail = std::move(page.detail)});
        }
        pull.page = {.cursor = page.cursor, .more = page.more};
        actions_.events.push_back(PageArrived{.account = account_, .name = errand.pull, .page = std::move(page)});
        errands_.erase(found);
        return;
    }
    if (!errand.operation.name.empty()) {
        actions_.events.push_back(
            OperationAnswered{.ref = errand.operation.ref, .answer = adapter_.read_operation(errand.operation.name, errand.operation.body_json, response)});
        errands_.erase(found);
        return;
    }
    auto answer = adapter_.read_task(errand.task.act, errand.task.task, errand.step, response);
    auto& gathered = errand.gathered;
    std::ranges::move(answer.results, std::back_inserter(gathered.results));
    gathered.verdict = answer.verdict;
    gathered.code = std::move(answer.code);
    gathered.retry_after = answer.retry_after;
    if (answer.verdict == channel::TaskAnswer::Verdict::more && ++errand.steps < steps_max) {
        errand.step = std::move(answer.next_step);
        return advance_errand(now, exchange.errand);
    }
    if (gathered.verdict == channel::TaskAnswer::Verdict::more) gathered.verdict = channel::TaskAnswer::Verdict::ask_again;
    answer_task(errand);
    errands_.erase(found);
}

void ExchangeMachine::answer_task(const Errand& errand) {
    actions_.events.push_back(TaskAnswered{.ref = errand.task.ref, .act = errand.task.act, .answer = errand.gathered});
}

void ExchangeMachine::errand_failed(MachineTime now, ErrandId id, const channel::Outcome& why) {
    auto node = errands_.extract(id);
    if (node.empty()) return;
    auto& errand = node.mapped();
    if (!errand.operation.name.empty()) {
        actions_.events.push_back(OperationAnswered{.ref = errand.operation.ref, .answer = {.outcome = why}});
        return;
    }
    if (errand.pull.empty()) {
        errand.gathered.verdict = channel::TaskAnswer::Verdict::ask_again;
        errand.gathered.code = why.code;
        return answer_task(errand);
    }
    auto& pull = pulls_.at(errand.pull);
    pull.under_way = false;
    if (!pull.again || pull.plan.each_hint) pull.hint.clear();  // it may be what the provider did not like
    const auto rest = std::min(pull_rest_max, pull_rest_min * (1 << std::min(pull.failures++, 6)));
    if (!pull.due && (!pull.plan.hinted_only || !pull.hints.empty())) pull.due = now.monotonic + Monotonic{rest};
    if (!shutting_down_)
        actions_.events.push_back(PageArrived{.account = account_, .name = errand.pull, .page = {.failed = true, .code = why.code, .detail = why.detail}});
}

void ExchangeMachine::drop_errands() {
    for (const auto& [id, errand] : errands_) {
        if (!errand.pull.empty()) continue;
        if (errand.operation.name.empty()) answer_task(Errand{.needs = {}, .task = errand.task});
        else
            actions_.events.push_back(OperationAnswered{
                .ref = errand.operation.ref, .answer = {.outcome = {.kind = channel::OutcomeKind::unknown, .code = "STOPPED", .detail = "the gateway stopped before the answer came"}}});
    }
    errands_.clear();
    ready_errands_.clear();
    errand_waiters_.clear();
    for (auto& [name, pull] : pulls_) pull.due.reset();
}

}  // namespace touchgate::net
