// Employees who send for us: who takes the place of one who is away or has left, and how far each is with what he was asked to send.
//
// Only an employee whom the customer has can send to him. So the place of one who is away is taken by his delegate if the customer has him as well,
// else by another whom the customer has; if nobody of these is there the task waits for the one who is away.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

bool Engine::Internals::is_away(const AccountRuntime& account, const std::string& employee, Instant at) const {
    const auto known = account.settings.employees.find(employee);
    if (known != account.settings.employees.end() && known->second.is_away(at)) return true;
    const auto counted = state.employees.find({account.symbol.value, employee});
    return counted != state.employees.end() && counted->second.resigned;
}

std::string Engine::Internals::sender_for(std::uint32_t address, const AccountRuntime& account) const {
    const auto* reach = state.addresses[address].reach.get();
    std::vector<const std::string*> followers;  // the newest first
    if (reach != nullptr)
        for (auto follower = reach->followers.rbegin(); follower != reach->followers.rend(); ++follower)
            if (follower->account == account.symbol) followers.push_back(&follower->employee);
    if (followers.empty()) return {};
    const auto& newest = *followers.front();
    if (!is_away(account, newest, now)) return newest;
    const auto of = account.settings.employees.find(newest);
    const std::string delegate = of == account.settings.employees.end() ? std::string{} : of->second.delegate;
    const std::string* other = nullptr;
    for (const auto* follower : followers) {
        if (is_away(account, *follower, now)) continue;
        if (*follower == delegate) return delegate;
        if (other == nullptr) other = follower;
    }
    return other != nullptr ? *other : newest;
}

bool Engine::Internals::is_stranded(const OpenTask& task) const {
    const auto& account = accounts[task.account];
    if (task.task.employee.empty() || !is_away(account, task.task.employee, now)) return false;
    return std::any_of(task.touches.begin(), task.touches.end(), [&](const TouchId& id) {
        const auto row = row_of(id);
        if (row == 0) return false;
        for (const auto& attempt : state.touches[row].attempts)
            if (attempt.state == AttemptState::handed_over && attempt.task) {
                const auto sender = sender_for(attempt.address, account);
                return !sender.empty() && sender != task.task.employee;
            }
        return false;
    });
}

Result<std::vector<EmployeeDetails>> Engine::employees(const std::string& name) {
    auto& in = *internals_;
    const auto number = in.account_numbers.find(name);
    if (number == in.account_numbers.end()) return Error{.kind = ErrorKind::not_found, .detail = "there is no account \"" + name + "\""};
    const auto& account = in.accounts[number->second];
    std::map<std::string, EmployeeDetails> all;
    const auto of = [&](const std::string& employee) -> EmployeeDetails& {
        auto& made = all[employee];
        made.id = employee;
        return made;
    };
    for (const auto& [id, employee] : account.settings.employees) {
        auto& made = of(id);
        made.delegate = employee.delegate;
        made.resigned = employee.resigned;
        made.absent = !employee.resigned && employee.is_away(in.now);
    }
    for (auto at = in.state.employees.lower_bound({account.symbol.value, {}}); at != in.state.employees.end() && at->first.first == account.symbol.value; ++at) {
        auto& made = of(at->first.second);
        const auto& counts = at->second;
        made.sent = counts.sent;
        made.failed = counts.failed;
        made.expired = counts.expired;
        made.cancelled = counts.cancelled;
        made.resigned = made.resigned || counts.resigned;
        if (counts.last_sent_at != Instant::min()) made.last_sent_at = counts.last_sent_at;
    }
    for (const auto& [key, task] : in.tasks) {
        if (task.account != number->second || task.touches.empty()) continue;
        auto& made = of(task.task.employee);
        ++made.tasks_waiting;
        made.touches_waiting += task.touches.size();
        if (!made.oldest_at || task.created_at < *made.oldest_at) made.oldest_at = task.created_at;
    }
    std::vector<EmployeeDetails> list;
    for (auto& [id, made] : all) list.push_back(std::move(made));
    return list;
}

}  // namespace touchgate
