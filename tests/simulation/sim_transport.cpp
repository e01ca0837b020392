#include "tests/simulation/sim_transport.hpp"

#include <algorithm>
#include <utility>

namespace touchgate::simulation {

// ---- one line

void SimLine::report(std::vector<TransportEvent> events) {
    if (events.empty()) return;
    for (const auto& event : events)
        if (const auto* message = std::get_if<MessageReported>(&event)) observer_.on_message_reported(message->ack, message->message);
    listener_->on_transport_events(std::move(events));
}

void SimLine::work() {
    const auto now = clock_.monotonic_now();
    std::vector<TransportEvent> events;
    if (!commands_.empty()) {
        auto asked = std::move(commands_.front());
        commands_.pop_front();
        if (auto* orders = std::get_if<std::vector<AttemptOrder>>(&asked)) {
            for (auto& order : *orders) machine_.hand_over(now, std::move(order.submission));
        } else if (auto* refs = std::get_if<std::vector<channel::AttemptRef>>(&asked)) {
            for (const auto ref : *refs)
                if (!machine_.revoke(now, ref)) events.emplace_back(AttemptWritten{.ref = ref});
        } else if (auto* given = std::get_if<Acknowledgement>(&asked)) {
            machine_.acknowledge(now, given->ticket, given->durable);
        } else {
            for (auto& order : std::get<std::vector<ReconcileOrder>>(asked)) events.emplace_back(Reconciled{.ref = order.submission.ref, .answer = {}});
        }
    }
    report(std::move(events));
    if (std::exchange(connect_asked_, false) && connection_ == 0) {
        connection_ = ++next_connection_;
        peer_ended_ = false;
        peer_.on_connect(connection_, peer_now());
        machine_.on_connected({.monotonic = now, .wall = clock_.wall_now()});
    }
    if (write_open_ && to_peer_.empty()) {
        write_open_ = false;
        machine_.on_writable(now);
    }
    pump();
}

void SimLine::pump() {
    auto actions = machine_.take_actions(clock_.monotonic_now());
    if (actions.connect) connect_asked_ = true;
    if (!actions.write.empty()) {
        if (connection_ != 0) {
            observer_.on_written(connection_, actions.write, clock_.monotonic_now());
            to_peer_.push_back(std::move(actions.write));
        }
        write_open_ = true;
    }
    if (actions.close) close_asked_ = true;
    report(std::move(actions.events));
    if (close_asked_ && to_peer_.empty() && connection_ != 0) tear(0);
}

bool SimLine::move_to_peer(std::size_t bytes) {
    if (connection_ == 0 || to_peer_.empty()) return false;
    auto& piece = to_peer_.front();
    const auto taken = piece.substr(0, bytes);
    piece.erase(0, taken.size());
    if (piece.empty()) to_peer_.pop_front();
    if (!peer_ended_) peer_.on_bytes(connection_, taken, peer_now());
    observer_.on_bytes_arrived();
    return true;
}

void SimLine::take_from_peer(sandbox::SmscOutput output) {
    if (output.ending == sandbox::Ending::reset) {
        tear(0);
        return;
    }
    if (!output.bytes.empty()) to_gateway_.push_back(std::move(output.bytes));
    if (output.ending == sandbox::Ending::close) peer_ended_ = true;
    if (peer_ended_ && to_gateway_.empty() && connection_ != 0) tear(0);
}

bool SimLine::move_to_gateway(std::size_t bytes) {
    if (connection_ == 0 || to_gateway_.empty()) return false;
    auto& front = to_gateway_.front();
    const auto taken = front.substr(0, bytes);
    front.erase(0, taken.size());
    if (front.empty()) to_gateway_.pop_front();
    machine_.on_bytes(clock_.monotonic_now(), taken);
    pump();
    if (peer_ended_ && to_gateway_.empty() && connection_ != 0) tear(0);
    return true;
}

void SimLine::vanish(std::size_t arriving) {
    while (arriving > 0 && !to_peer_.empty()) {
        const auto size = std::min(arriving, to_peer_.front().size());
        if (!move_to_peer(size)) break;
        arriving -= size;
    }
    if (connection_ != 0) peer_.on_close(std::exchange(connection_, 0), peer_now());
    to_peer_.clear();
    to_gateway_.clear();
    close_asked_ = write_open_ = false;
}

void SimLine::tear(std::size_t arriving) {
    if (connection_ == 0) return;
    vanish(arriving);
    machine_.on_closed(clock_.monotonic_now(), "connection lost");
    pump();
}

// ---- all lines

void SimTransport::listen(TransportListener* listener) {
    for (auto& line : lines_) line->listen(listener);
}

void SimTransport::hand_over(std::vector<AttemptOrder> orders) {
    std::map<AccountNumber, std::vector<AttemptOrder>> by_account;
    for (auto& order : orders) {
        observer_.on_handed_over(order, clock_.monotonic_now());
        account_of_[order.submission.ref] = order.account;
        by_account[order.account].push_back(std::move(order));
    }
    for (auto& [account, own] : by_account) lines_[account]->ask(std::move(own));
}

void SimTransport::revoke(std::vector<channel::AttemptRef> refs) {
    for (const auto ref : refs) lines_[account_of_[ref]]->ask(std::vector{ref});
}

void SimTransport::acknowledge(AckTicket ticket, bool durable) {
    // From here on the sender may hear of it at any moment.
    observer_.on_acknowledged(ticket, durable);
    if (const auto account = net::SessionMachine::account_of(ticket)) lines_[*account]->ask(SimLine::Acknowledgement{.ticket = ticket, .durable = durable});
}

void SimTransport::reconcile(std::vector<ReconcileOrder> orders) {
    for (auto& order : orders) {
        auto& line = *lines_[order.account];
        line.ask(std::vector{std::move(order)});
    }
}

void SimTransport::collect_from_peer() {
    for (const auto id : peer_.take_ready()) {
        auto output = peer_.take_output(id);
        for (auto& line : lines_)
            if (line->connection() == id) line->take_from_peer(std::move(output));
    }
}

}  // namespace touchgate::simulation
