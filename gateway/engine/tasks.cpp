// What waits for an employee: a provider's task carries one or more touches, and nothing reaches a customer before the employee has pressed send.
//
//   handed over → polled, slower and slower, and reminded → sent | not a friend | over the customer's limit
//                → its end comes, or something that it carries is forbidden: its state is asked for (some platforms tell nothing of a cancelled task) →
//                  cancelled at the provider → asked once more → what was not sent is expired, blocked, cancelled, or decided again for another task
//
// Only after the provider has confirmed that the task is stopped does anything follow for the touches that it carried: so none is ever in two live
// tasks, and nothing that the log calls expired or blocked can still be sent.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

using channel::TaskAct;
using channel::TaskAnswer;
using channel::TaskResult;

namespace {

constexpr Duration debounce{2'000};        // withdrawals come in groups
constexpr Duration ask_again_min{1'000};   // a stop that the provider did not confirm, doubling …
constexpr Duration ask_again_max{30'000};
constexpr int polls_at_first = 20;         // then twice as far apart, and so on
constexpr int slower_max = 5;              // 2^5 times the first interval at most

std::string key_of(const std::string& task, const std::string& employee) { return task + "\n" + employee; }

}  // namespace

// A platform refuses such a customer by itself: no reason to call back what others wait for.
bool Engine::Internals::is_called_back(const Choice& choice) const {
    if (choice.decision.verdict == policy::Verdict::deny)
        return choice.decision.rule == policy::no_rule || policy().compiled->rule_name(choice.decision.rule) != "platform-refusal";
    return choice.decision.verdict == policy::Verdict::defer && choice.rule_override.starts_with("hold:");
}

Attempt* Engine::Internals::handed_over(Touch& of) {
    if (of.final) return nullptr;
    for (auto& attempt : of.attempts)
        if (attempt.state == AttemptState::handed_over && attempt.task) return &attempt;
    return nullptr;
}

void Engine::Internals::hand_over(std::uint32_t row, std::uint16_t attempt_number, AccountNumber number, const channel::Outcome& outcome) {
    const auto& rules = accounts[number].settings.tasks;
    auto& handed = touch(row);
    const auto found = std::find_if(handed.attempts.begin(), handed.attempts.end(), [&](const Attempt& each) { return each.number == attempt_number; });
    if (handed.final || found == handed.attempts.end()) {
        // It ended while the task was being made (a reply, a cancellation): nobody waits for it any more, and it must not be sent.
        const TaskKey key{number, key_of(outcome.task, outcome.employee)};
        const auto [known, made] = tasks.try_emplace(key);
        if (!made) return;  // others of this task still wait for it
        auto& orphan = known->second;
        orphan.account = number;
        orphan.task = {.id = outcome.task, .employee = outcome.employee};
        orphan.created_at = orphan.ends_at = orphan.next_at = now;
        return end_task(orphan, key, now);
    }
    auto ends_at = std::min(handed.expires_at, now + rules.expires_after);
    if (rules.ends_with_hours) {
        policy::Request request;
        request.profile = profile_of(handed, found->chosen);
        request.names = state.profiles.at(request.profile);
        request.origin = handed.origin;
        policy::ContactView contact;
        contact.time_zone = state.symbols.name(state.contacts[handed.contact.value].time_zone);
        policy::AddressView address;
        address.number = found->address;
        ends_at = std::min(ends_at, policy().compiled->open_until(request, contact, address, now));
    }
    ends_at = std::max(ends_at, now);
    emit(handed.contact, TouchHandedOver{.touch = handed.id, .attempt = attempt_number, .task = outcome.task, .employee = outcome.employee, .ends_at = ends_at});
    auto& made = touch(row);
    keep_task(made, *handed_over(made));
    recheck_task(row);  // what was forbidden while the hand-over was on its way
}

void Engine::Internals::keep_task(const Touch& of, const Attempt& attempt) {
    const auto number = account_of(profile_of(of, attempt.chosen));
    if (!number) return;  // the account is gone from the configuration: nobody can be asked
    const TaskKey key{*number, key_of(attempt.task->id, attempt.task->employee)};
    const auto [found, made] = tasks.try_emplace(key);
    auto& task = found->second;
    if (made) {
        task.account = *number;
        task.task = {.id = attempt.task->id, .employee = attempt.task->employee};
        task.created_at = attempt.task->created_at;
        task.ends_at = attempt.task->ends_at;
        schedule(task, key, now + accounts[*number].settings.tasks.poll_interval);
    }
    task.touches.push_back(of.id);
    if (attempt.task->ends_at < task.ends_at) task.ends_at = attempt.task->ends_at;
    if (attempt.task->status == TaskStatus::cancelling) end_task(task, key, now);
    else if (task.phase == OpenTask::Phase::waiting && task.asked == 0 && task.ends_at < task.next_at) schedule(task, key, task.ends_at);
}

void Engine::Internals::schedule(OpenTask& task, const TaskKey& key, Instant at) {
    task_agenda.erase({task.next_at, key});
    task.next_at = at;
    task_agenda.emplace(at, key);
}

void Engine::Internals::end_task(OpenTask& task, const TaskKey& key, Instant at) {
    if (task.phase != OpenTask::Phase::waiting) return;
    task.phase = OpenTask::Phase::ending;
    task.tries = 0;
    if (task.asked == 0) schedule(task, key, at);
    else task.next_at = at;  // after the answer that is on its way
}

std::optional<Instant> Engine::Internals::tasks_due_at() const {
    if (task_agenda.empty()) return std::nullopt;
    return task_agenda.begin()->first;
}

// The last of the configured times goes on as an interval.
std::optional<Instant> Engine::Internals::reminder_at(const OpenTask& task) const {
    const auto& rules = accounts[task.account].settings.tasks;
    if (task.reminders >= rules.reminders || rules.remind_after.empty()) return std::nullopt;
    const auto next = static_cast<std::size_t>(task.reminders);
    const auto last = rules.remind_after.size() - 1;
    return task.created_at + (next <= last ? rules.remind_after[next] : rules.remind_after[last] * static_cast<int>(next - last + 1));
}

void Engine::Internals::run_tasks() {
    while (!task_agenda.empty() && task_agenda.begin()->first <= now) {
        const auto key = task_agenda.begin()->second;
        task_agenda.erase(task_agenda.begin());
        const auto found = tasks.find(key);
        if (found == tasks.end()) continue;
        auto& task = found->second;
        if (task.phase == OpenTask::Phase::waiting && now >= task.ends_at) task.phase = OpenTask::Phase::ending;
        auto act = TaskAct::poll;
        if (task.phase == OpenTask::Phase::cancelling) {
            act = TaskAct::cancel;
        } else if (const auto due = reminder_at(task); task.phase == OpenTask::Phase::waiting && due && now >= *due) {
            ++task.reminders;
            act = TaskAct::remind;
        }
        task.asked = next_ref++;
        task_questions[task.asked] = key;
        task_orders.push_back({.account = task.account, .ref = task.asked, .act = act, .task = task.task});
    }
}

void Engine::Internals::on_event(TaskAnswered& event) {
    const auto question = task_questions.find(event.ref);
    if (question == task_questions.end()) return;
    const auto key = question->second;
    task_questions.erase(question);
    const auto found = tasks.find(key);
    if (found == tasks.end() || found->second.asked != event.ref) return;
    auto& task = found->second;
    task.asked = 0;
    take_results(task, event.answer.results);
    const auto verdict = event.answer.verdict;
    if (event.act == TaskAct::remind && verdict == TaskAnswer::Verdict::done)
        for (const auto& id : task.touches)
            if (const auto row = row_of(id); row != 0)
                if (const auto* attempt = handed_over(touch(row)))
                    emit(touch(row).contact, TouchTaskChanged{.touch = id, .attempt = attempt->number, .status = TaskStatus::reminded, .provider_time = 0, .reason = {}});
    const bool answered = verdict == TaskAnswer::Verdict::done || verdict == TaskAnswer::Verdict::gone;
    const auto& rules = accounts[task.account].settings.tasks;
    const auto again = [&] {
        const auto pause = std::min(ask_again_max, ask_again_min * (1 << std::min(task.tries++, 5)));
        schedule(task, key, now + event.answer.retry_after.value_or(pause));
    };
    switch (task.phase) {
        case OpenTask::Phase::ending:
            // An answer to an earlier question may come in when the end was decided meanwhile.
            if (event.act != TaskAct::poll || now < task.next_at) return schedule(task, key, std::max(now, task.next_at));
            if (!answered && task.tries < 3) return again();
            task.phase = OpenTask::Phase::cancelling;
            task.tries = 0;
            return schedule(task, key, now);
        case OpenTask::Phase::cancelling:
            // A poll's answer may come in when the end was decided meanwhile: the stop is still to be asked for.
            if (event.act != TaskAct::cancel) return schedule(task, key, std::max(now, task.next_at));
            if (!answered) return again();
            task.phase = OpenTask::Phase::closing;
            task.tries = 0;
            return schedule(task, key, now);
        case OpenTask::Phase::closing:
            if (!answered) return again();
            return close_task(key);
        case OpenTask::Phase::waiting: break;
    }
    if (task.touches.empty()) {
        tasks.erase(found);
        return;
    }
    if (verdict == TaskAnswer::Verdict::gone) return close_task(key);  // somebody stopped it at the provider
    if (is_stranded(task)) return end_task(task, key, now);  // what was not sent goes to somebody who is there
    if (event.act == TaskAct::poll) ++task.polls;
    auto next = now + rules.poll_interval * (1 << std::min(task.polls / polls_at_first, slower_max));
    if (!answered && event.answer.retry_after) next = std::max(next, now + *event.answer.retry_after);
    if (const auto due = reminder_at(task)) next = std::min(next, std::max(now + rules.poll_interval, *due));
    schedule(task, key, std::min(next, std::max(task.ends_at, now)));
}

void Engine::Internals::take_results(OpenTask& task, const std::vector<TaskResult>& results) {
    if (results.empty()) return;
    absl::flat_hash_map<std::string_view, const TaskResult*> by_recipient;
    for (const auto& result : results)
        if (result.status != TaskResult::Status::waiting) by_recipient[result.recipient] = &result;
    std::erase_if(task.touches, [&](const TouchId& id) {
        const auto row = row_of(id);
        auto* attempt = row == 0 ? nullptr : handed_over(touch(row));
        if (attempt == nullptr) return true;
        const auto found = by_recipient.find(state.addresses[attempt->address].value);
        if (found == by_recipient.end()) return false;
        const auto& result = *found->second;
        const auto number = attempt->number;
        const auto address = attempt->address;
        const auto contact = touch(row).contact;
        if (result.status == TaskResult::Status::sent) {
            const auto sent_at = result.sent_at ? unix_ms(*result.sent_at) : 0;
            emit(contact, TouchTaskChanged{.touch = id, .attempt = number, .status = TaskStatus::sent, .provider_time = sent_at, .reason = {}});
            emit(contact, TouchDelivered{.touch = id, .attempt = number, .provider_id = {}, .raw = "sent", .provider_time = sent_at});
            return true;
        }
        const bool not_friend = result.status == TaskResult::Status::not_friend;
        emit(contact, TouchTaskChanged{.touch = id, .attempt = number, .status = not_friend ? TaskStatus::not_friend : TaskStatus::over_limit, .provider_time = 0, .reason = {}});
        const std::string reason = not_friend ? "not_friend" : "over_limit";
        if (not_friend) suppress_platform(row, address, task.account, "task " + task.task.id + ": " + reason);
        if (touch(row).chosen + 1U < candidates(touch(row)).size() && now < touch(row).expires_at) {
            emit(contact, TouchAttemptEnded{.touch = id, .attempt = number, .outcome = not_friend ? channel::OutcomeKind::recipient_refuses : channel::OutcomeKind::quota_exhausted,
                                            .code = reason, .detail = {}, .slot = SlotChange::release, .next = 1, .retry_at = 0});
            go_on(row);
        } else {
            fail(row, number, reason, SlotChange::release);
        }
        return true;
    });
}

// The provider has stopped it: what was not sent is let go.
void Engine::Internals::close_task(const TaskKey& key) {
    auto node = tasks.extract(key);
    if (node.empty()) return;
    task_agenda.erase({node.mapped().next_at, key});
    for (const auto& id : node.mapped().touches) {
        const auto row = row_of(id);
        if (const auto* attempt = row == 0 ? nullptr : handed_over(touch(row))) let_go(row, *attempt);
    }
}

void Engine::Internals::let_go(std::uint32_t row, const Attempt& attempt) {
    auto& freed = touch(row);
    const auto contact = freed.contact;
    const auto id = freed.id;
    const auto number = attempt.number;
    const auto called_back = attempt.task->status == TaskStatus::cancelling;
    const auto account = account_of(profile_of(freed, attempt.chosen));
    const bool too_old = now >= freed.expires_at || (account && now >= attempt.task->created_at + accounts[*account].settings.tasks.expires_after);
    const auto choice = judge(facts(freed), attempt.chosen, now, policy::Detail::steps);
    const auto ended = [&](TaskStatus status) { emit(contact, TouchTaskChanged{.touch = id, .attempt = number, .status = status, .provider_time = 0, .reason = {}}); };
    if (called_back) {
        ended(TaskStatus::cancelled);
        emit(contact, TouchAttemptEnded{.touch = id, .attempt = number, .outcome = channel::OutcomeKind::not_sent, .code = "task_cancelled", .detail = {},
                                        .slot = SlotChange::release, .next = 2, .retry_at = 0});
        emit(contact, TouchCancelled{.touch = id, .reason = "task_cancelled"});
        return;
    }
    if (too_old) {
        ended(TaskStatus::expired);
        emit(contact, TouchAttemptEnded{.touch = id, .attempt = number, .outcome = channel::OutcomeKind::not_sent, .code = "task_expired", .detail = {},
                                        .slot = SlotChange::release, .next = 2, .retry_at = 0});
        emit(contact, TouchExpired{.touch = id, .reason = "task_expired"});
        return;
    }
    if (choice.decision.verdict == policy::Verdict::deny) {
        ended(TaskStatus::cancelled);
        emit(contact, TouchAttemptEnded{.touch = id, .attempt = number, .outcome = channel::OutcomeKind::not_sent, .code = "task_cancelled", .detail = {},
                                        .slot = SlotChange::release, .next = 2, .retry_at = 0});
        block(row, choice);
        return;
    }
    ended(TaskStatus::cancelled);
    emit(contact, TouchAttemptEnded{.touch = id, .attempt = number, .outcome = channel::OutcomeKind::not_sent, .code = "task_ended", .detail = {},
                                    .slot = SlotChange::reserve, .next = 0, .retry_at = 0});
    go_on(row);
}

void Engine::Internals::recheck_task(std::uint32_t row) {
    auto& waiting = touch(row);
    const auto* attempt = handed_over(waiting);
    if (attempt == nullptr) return;
    if (!is_called_back(judge(facts(waiting), attempt->chosen, now, policy::Detail::none))) return;
    const auto number = account_of(profile_of(waiting, attempt->chosen));
    if (!number) return;
    const TaskKey key{*number, key_of(attempt->task->id, attempt->task->employee)};
    if (const auto found = tasks.find(key); found != tasks.end()) end_task(found->second, key, now + debounce);
}

bool Engine::Internals::call_back(std::uint32_t row, std::string reason) {
    auto& waiting = touch(row);
    const auto* attempt = handed_over(waiting);
    if (attempt == nullptr) return false;
    const auto number = account_of(profile_of(waiting, attempt->chosen));
    if (!number) return false;
    const TaskKey key{*number, key_of(attempt->task->id, attempt->task->employee)};
    if (attempt->task->status == TaskStatus::waiting)
        emit(waiting.contact, TouchTaskChanged{.touch = waiting.id, .attempt = attempt->number, .status = TaskStatus::cancelling, .provider_time = 0, .reason = std::move(reason)});
    if (const auto found = tasks.find(key); found != tasks.end()) end_task(found->second, key, now + debounce);
    return true;
}

}  // namespace touchgate
