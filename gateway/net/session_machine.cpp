#include "gateway/net/session_machine.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace touchgate::net {

namespace {

std::uint64_t connection_number(AccountNumber account, std::uint32_t generation) {
    return (std::uint64_t{account} + 1) << 32U | generation;  // never 0, which means "needs no acknowledgement"
}

channel::Outcome lost_answer() {
    return {.kind = channel::OutcomeKind::unknown, .code = "CONNECTION_LOST", .detail = "the connection ended before the answer came"};
}

}  // namespace

SessionMachine::SessionMachine(AccountNumber account, std::unique_ptr<channel::Session> session) : account_{account}, session_{std::move(session)} {}

void SessionMachine::hand_over(Monotonic, channel::Submission order) {
    if (!bound_ || shutting_down_) {
        events_.push_back(AttemptUnwritten{.ref = order.ref});
        return;
    }
    if (!earliest_deadline_ || order.permit_deadline < *earliest_deadline_) earliest_deadline_ = order.permit_deadline;
    waiting_.push_back(std::move(order));
}

bool SessionMachine::revoke(Monotonic, AttemptRef ref) {
    if (written_.contains(ref)) {
        events_.push_back(AttemptWritten{.ref = ref});
        return true;
    }
    const auto found = std::ranges::find(waiting_, ref, &channel::Submission::ref);
    if (found == waiting_.end()) return false;
    waiting_.erase(found);
    events_.push_back(AttemptUnwritten{.ref = ref, .revoked = true});
    return true;
}

void SessionMachine::acknowledge(Monotonic, AckTicket ticket, bool durable) {
    if (!connected_ || ticket.connection != connection_number(account_, generation_)) return;
    session_->acknowledge(ticket.token, durable);
}

std::optional<AccountNumber> SessionMachine::account_of(AckTicket ticket) {
    if (ticket.connection == 0) return std::nullopt;
    return static_cast<AccountNumber>((ticket.connection >> 32U) - 1);
}

void SessionMachine::shut_down(Monotonic now) {
    if (shutting_down_) return;
    shutting_down_ = true;
    release_waiting();
    session_->shut_down(now);
}

void SessionMachine::on_connected(MachineTime now) {
    ++generation_;
    connecting_ = false;
    connected_ = true;
    writable_ = true;
    closing_ = false;
    close_told_ = false;
    outgoing_.clear();
    if (shutting_down_) {  // asked to leave while connecting: not a word
        closing_ = true;
        return;
    }
    session_->on_wall_time(now.wall);
    session_->on_connected(now.monotonic);
    collect();
}

void SessionMachine::on_closed(Monotonic now, std::string_view reason) {
    connecting_ = false;
    connected_ = false;
    writable_ = false;
    closing_ = false;
    session_->on_closed(now, reason);
    collect();
    outgoing_.clear();
    report_down(std::string{reason}, false);
    release_waiting();
    // A session answers what it had written; should one forget, nobody may wait for ever.
    std::vector<AttemptRef> forgotten{written_.begin(), written_.end()};
    std::ranges::sort(forgotten);
    written_.clear();
    for (const auto ref : forgotten) events_.push_back(AttemptAnswered{.ref = ref, .outcome = lost_answer()});
}

void SessionMachine::on_bytes(Monotonic now, std::string_view bytes) {
    if (!connected_) return;
    session_->on_bytes(now, bytes);
    collect();
}

void SessionMachine::on_writable(Monotonic) {
    if (connected_) writable_ = true;
}

SessionMachine::Actions SessionMachine::take_actions(Monotonic now) {
    if (const auto wake = session_->wake_at(); wake && *wake <= now) session_->on_wake(now);
    collect();
    lapse(now);
    submit_waiting(now);

    Actions actions;
    if (!connected_ && !connecting_ && !shutting_down_) {
        if (const auto at = session_->connect_at(); at && *at <= now) {
            connecting_ = true;
            actions.connect = true;
        }
    }
    if (connected_ && writable_ && !outgoing_.empty()) {
        writable_ = false;
        actions.write = std::exchange(outgoing_, {});
    }
    if (connected_ && closing_ && outgoing_.empty() && !close_told_) {
        close_told_ = true;
        actions.close = true;
    }
    actions.events = std::exchange(events_, {});
    return actions;
}

std::optional<Monotonic> SessionMachine::wake_at() const {
    auto wake = session_->wake_at();
    const auto consider = [&](std::optional<Monotonic> at) {
        if (at && (!wake || *at < *wake)) wake = at;
    };
    if (!connected_ && !connecting_ && !shutting_down_) consider(session_->connect_at());
    if (earliest_deadline_) consider(*earliest_deadline_ + Monotonic{1});  // the deadline itself is still in time
    return wake;
}

void SessionMachine::report_up(std::string warning) {
    bound_ = true;
    if (state_ == AccountState::up) return;
    state_ = AccountState::up;
    events_.push_back(AccountUp{.account = account_, .warning = std::move(warning)});
}

void SessionMachine::report_down(std::string reason, bool credentials) {
    bound_ = false;
    // A refused password is news also while down; it stays the reason until the account is up again.
    if (state_ == AccountState::down_credentials || (state_ == AccountState::down && !credentials)) return;
    state_ = credentials ? AccountState::down_credentials : AccountState::down;
    events_.push_back(AccountDown{.account = account_, .reason = std::move(reason), .credentials = credentials});
}

void SessionMachine::release_waiting() {
    for (const auto& order : waiting_) events_.push_back(AttemptUnwritten{.ref = order.ref});
    waiting_.clear();
    earliest_deadline_.reset();
}

void SessionMachine::lapse(Monotonic now) {
    if (!earliest_deadline_ || now <= *earliest_deadline_) return;
    earliest_deadline_.reset();
    std::erase_if(waiting_, [&](const channel::Submission& order) {
        if (order.permit_deadline < now) {
            events_.push_back(AttemptUnwritten{.ref = order.ref});
            return true;
        }
        if (!earliest_deadline_ || order.permit_deadline < *earliest_deadline_) earliest_deadline_ = order.permit_deadline;
        return false;
    });
}

void SessionMachine::collect() {
    auto output = session_->take_output();
    outgoing_.append(output.bytes);
    closing_ = closing_ || output.close;
    for (auto& event : output.events) translate(event);
}

void SessionMachine::submit_waiting(Monotonic now) {
    // Only while the bytes go to the socket in this very turn: an encoded order can no longer be revoked.
    while (connected_ && writable_ && bound_ && !closing_ && !shutting_down_ && !waiting_.empty() && outgoing_.size() < write_bytes_target &&
           session_->can_submit()) {
        const auto order = std::move(waiting_.front());
        waiting_.pop_front();
        written_.insert(order.ref);
        session_->submit(now, order);
        collect();
    }
    if (waiting_.empty()) earliest_deadline_.reset();
}

void SessionMachine::translate(channel::SessionEvent& event) {
    const auto ticket = [&](channel::AckToken token) { return AckTicket{.connection = connection_number(account_, generation_), .token = token}; };
    if (auto* up = std::get_if<channel::SessionUp>(&event)) {
        report_up(std::move(up->warning));
    } else if (auto* down = std::get_if<channel::SessionDown>(&event)) {
        report_down(std::move(down->reason), down->credentials);
        release_waiting();
    } else if (auto* answered = std::get_if<channel::AttemptOutcome>(&event)) {
        if (written_.erase(answered->ref) == 1) events_.push_back(AttemptAnswered{.ref = answered->ref, .outcome = std::move(answered->outcome)});
    } else if (auto* receipt = std::get_if<channel::ReceiptArrived>(&event)) {
        events_.push_back(ReceiptReported{.account = account_, .receipt = std::move(receipt->receipt), .ack = ticket(receipt->token)});
    } else if (auto* message = std::get_if<channel::MessageArrived>(&event)) {
        events_.push_back(MessageReported{.account = account_, .message = std::move(message->message), .ack = ticket(message->token)});
    }
}

}  // namespace touchgate::net
