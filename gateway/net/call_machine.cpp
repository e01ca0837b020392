#include "gateway/net/call_machine.hpp"

#include <algorithm>
#include <utility>

namespace touchgate::net {

CallMachine::CallMachine(AccountNumber account, std::unique_ptr<channel::CallSession> session, std::size_t requests_at_once)
    : account_{account}, session_{std::move(session)}, requests_at_once_{std::max<std::size_t>(1, requests_at_once)} {}

void CallMachine::call(Monotonic now, const CallOrder& order) {
    if (shutting_down_) {
        events_.push_back(CallReported{.account = account_, .event = channel::CommandFailed{.command = order.id, .unwritten = true, .unknown = false, .code = "DOWN", .detail = "the gateway stops"}});
        return;
    }
    session_->execute(now, order.id, order.command);
    collect();
}

void CallMachine::shut_down(Monotonic now) {
    if (std::exchange(shutting_down_, true)) return;
    session_->shut_down(now);
    collect();
}

void CallMachine::on_connected(MachineTime now) {
    connecting_ = false;
    connected_ = true;
    close_wanted_ = shutting_down_;
    writes_.clear();
    if (shutting_down_) return;
    session_->on_connected(now.monotonic, now.wall);
    collect();
}

void CallMachine::on_closed(Monotonic now, std::string_view reason, bool credentials) {
    connecting_ = false;
    connected_ = false;
    close_wanted_ = false;
    session_->on_closed(now, reason, credentials);
    collect();
    writes_.clear();
}

void CallMachine::on_bytes(MachineTime now, std::string_view bytes) {
    if (!connected_) return;
    session_->on_bytes(now.monotonic, now.wall, bytes);
    collect();
}

bool CallMachine::on_first_byte(Monotonic now, ExchangeId id) {
    const auto found = under_way_.find(id);
    if (found == under_way_.end()) return false;
    if (found->second.not_after < now) {
        // Called from inside the HTTP client: the session is told later.
        under_way_.erase(found);
        lapsed_.push_back(id);
        return false;
    }
    found->second.written = true;
    return true;
}

void CallMachine::on_response(MachineTime now, ExchangeId id, const channel::HttpResponse& response) {
    if (under_way_.erase(id) == 0) return;
    session_->on_answer(now.monotonic, now.wall, id, response);
    collect();
}

void CallMachine::on_failure(Monotonic now, ExchangeId id, bool bytes_left, std::string_view reason) {
    if (under_way_.erase(id) == 0) return;
    session_->on_no_answer(now, id, bytes_left, reason);
    collect();
}

void CallMachine::stop(Monotonic now) {
    shut_down(now);
    if (connected_ || connecting_) on_closed(now, "the gateway stops", false);
    // Each answer that does not come may lead to a question, which does not come to anything either.
    for (int turns = 0; turns < 100 && (!under_way_.empty() || !waiting_.empty()); ++turns) {
        for (const auto& request : std::exchange(waiting_, {})) session_->on_no_answer(now, request.id, false, "the gateway stops");
        for (const auto& [id, request] : std::exchange(under_way_, {})) session_->on_no_answer(now, id, request.written, "the gateway stops");
        collect();
    }
}

CallMachine::Actions CallMachine::take_actions(MachineTime now) {
    Actions actions;
    if (const auto wake = session_->wake_at(); wake && *wake <= now.monotonic) session_->on_wake(now.monotonic, now.wall);
    for (const auto id : std::exchange(lapsed_, {})) session_->on_no_answer(now.monotonic, id, false, "the permit ended before the first byte");
    for (auto each = under_way_.begin(); each != under_way_.end();) {
        if (each->second.deadline > now.monotonic) {
            ++each;
            continue;
        }
        const auto [id, request] = *each;
        each = under_way_.erase(each);
        actions.cancel.push_back(id);
        session_->on_no_answer(now.monotonic, id, request.written, "no answer in time");
    }
    collect();
    while (!waiting_.empty() && under_way_.size() < requests_at_once_) {
        auto request = std::move(waiting_.front());
        waiting_.pop_front();
        if (request.not_after < now.monotonic) {
            session_->on_no_answer(now.monotonic, request.id, false, "the permit ended before the first byte");
            collect();
            continue;
        }
        under_way_[request.id] = {.deadline = now.monotonic + request.timeout, .not_after = request.not_after};
        actions.start.push_back({.id = request.id, .request = std::move(request.request), .timeout = request.timeout});
    }
    if (!connected_ && !connecting_ && !shutting_down_) {
        if (const auto at = session_->connect_at(); at && *at <= now.monotonic) {
            connecting_ = true;
            actions.connect = true;
        }
    }
    if (connected_) actions.writes = std::exchange(writes_, {});
    if (connected_ && std::exchange(close_wanted_, false)) actions.close = true;
    actions.events = std::exchange(events_, {});
    return actions;
}

std::optional<Monotonic> CallMachine::wake_at() const {
    auto wake = session_->wake_at();
    const auto consider = [&](std::optional<Monotonic> at) {
        if (at && (!wake || *at < *wake)) wake = at;
    };
    if (!connected_ && !connecting_ && !shutting_down_) consider(session_->connect_at());
    for (const auto& [id, request] : under_way_) consider(request.deadline);
    return wake;
}

void CallMachine::collect() {
    auto output = session_->take_output();
    if (!output.bytes.empty()) writes_.push_back(std::move(output.bytes));
    for (auto& frame : output.frames) writes_.push_back(std::move(frame));
    for (auto& request : output.requests) waiting_.push_back(std::move(request));
    for (auto& event : output.events) translate(event);
    close_wanted_ = close_wanted_ || output.close;
}

void CallMachine::translate(channel::CallEvent& event) {
    if (std::holds_alternative<channel::PbxUp>(event)) {
        state_ = AccountState::up;
    } else if (const auto* down = std::get_if<channel::PbxDown>(&event)) {
        // A refused password is news also while down; it stays the reason until the account is up again.
        if (state_ == AccountState::down_credentials || (state_ == AccountState::down && !down->credentials)) return;
        state_ = down->credentials ? AccountState::down_credentials : AccountState::down;
    }
    events_.push_back(CallReported{.account = account_, .event = std::move(event)});
}

}  // namespace touchgate::net
