// Employees who send for us: who takes the place of one who is away or has left, and how far each is with what he was asked to send.
//
// Only an employee whom the customer has can send to him. So the place of one who is away is taken by his delegate if the customer has him as well,
// else by another whom the customer has; if nobody of these is there the task waits for the one who is away.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

Engine::Internals::Presence Engine::Internals::presence_of(const AccountRuntime& account, const std::string& employee) const {
    Presence found;
    if (const auto known = account.settings.employees.find(employee); known != account.settings.employees.end()) {
        found.away = known->second.is_away(now);
        found.delegate = known->second.delegate;
    }
    const auto counted = state.employees.find({account.symbol.value, employee});
    if (counted != state.employees.end() && counted->second.resigned) found.away = true;
    if (const auto* agent = agent_of_employee(employee); agent != nullptr && agent->absent && now >= agent->absent->from && now < agent->absent->to) {
        found.away = true;
        const auto other = router.agent(agent->absent->delegate);
        found.delegate = other ? other->definition->wecom_userid : agent->absent->delegate;
    }
    return found;
}

// Read once a turn: hundreds of touches may ask in one.
const routing::AgentDefinition* Engine::Internals::agent_of_employee(const std::string& employee) const {
    if (agents_read_in != counters.turns) {
        agents_by_employee.clear();
        for (const auto id : router.agents())
            if (const auto agent = router.agent(id); agent && !agent->definition->wecom_userid.empty()) agents_by_employee.emplace(agent->definition->wecom_userid, id);
        agents_read_in = counters.turns;
    }
    const auto found = agents_by_employee.find(employee);
    const auto agent = found == agents_by_employee.end() ? std::nullopt : router.agent(found->second);
    return agent && agent->definition->wecom_userid == employee ? agent->definition : nullptr;
}

std::string Engine::Internals::sender_for(std::uint32_t address, const AccountRuntime& account) const {
    const auto* reach = state.addresses[address].reach.get();
    std::vector<const std::string*> followers;  // the newest first
    if (reach != nullptr)
        for (auto follower = reach->followers.rbegin(); follower != reach->followers.rend(); ++follower)
            if (follower->account == account.symbol) followers.push_back(&follower->employee);
    if (followers.empty()) return {};
    const auto* first = followers.front();
    const auto& owners = state.addresses[address].owners;
    if (const auto* extras = owners.empty() ? nullptr : state.contacts[owners.front().value].extras.get(); extras != nullptr && !extras->owner.empty())
        if (const auto agent = router.agent(extras->owner); agent && !agent->definition->wecom_userid.empty())
            for (const auto* follower : followers)
                if (*follower == agent->definition->wecom_userid) first = follower;
    const auto presence = presence_of(account, *first);
    if (!presence.away) return *first;
    const std::string* other = nullptr;
    for (const auto* follower : followers) {
        if (presence_of(account, *follower).away) continue;
        if (*follower == presence.delegate) return presence.delegate;
        if (other == nullptr) other = follower;
    }
    return other != nullptr ? *other : *first;
}

bool Engine::Internals::is_stranded(const OpenTask& task) const {
    const auto& account = accounts[task.account];
    if (task.task.employee.empty() || !presence_of(account, task.task.employee).away) return false;
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
    for (const auto id : in.router.agents()) {
        const auto agent = in.router.agent(id);
        const auto& userid = agent->definition->wecom_userid;
        if (userid.empty() || (!agent->definition->absent && !all.contains(userid))) continue;
        auto& made = of(userid);
        const auto presence = in.presence_of(account, userid);
        made.absent = presence.away && !made.resigned;
        if (!presence.delegate.empty()) made.delegate = presence.delegate;
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
