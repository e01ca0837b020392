// The way of one order: it waits for what its request needs and for a place, is written under its permit, and lapses with its deadline.

#include <algorithm>
#include <utility>

#include "gateway/net/exchange_machine.hpp"

namespace touchgate::net {

using channel::Outcome;

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

}  // namespace touchgate::net
