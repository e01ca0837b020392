// Time: one heap of deadlines. An entry that no longer says when its subject is due is dropped when it comes up; when most are such, the heap is built anew.

#include <algorithm>

#include "gateway/routing/internals.hpp"

namespace touchgate::routing {

namespace {

constexpr std::greater<> later{};

}  // namespace

void Router::Internals::arm(TimerKind kind, std::uint32_t number, std::int64_t at) {
    if (at == never) return;
    const auto live = offer_numbers.size() + item_numbers.size() + agents.size() + queues.size();
    if (timers.size() > 4 * live + 1'024) {
        std::erase_if(timers, [&](const Timer& timer) { return !up_to_date(timer); });
        std::make_heap(timers.begin(), timers.end(), later);
    }
    timers.push_back({.at = at, .kind = kind, .number = number});
    std::push_heap(timers.begin(), timers.end(), later);
}

bool Router::Internals::up_to_date(const Timer& timer) const {
    switch (timer.kind) {
        case TimerKind::offer: return offers[timer.number].item != nobody && unix_ms(offers[timer.number].deadline) == timer.at;
        case TimerKind::item: return items[timer.number].serial != 0 && items[timer.number].due == timer.at;
        case TimerKind::agent: return agents[timer.number]->due == timer.at;
        case TimerKind::queue: return queues[timer.number]->due == timer.at;
    }
    return false;
}

void Router::Internals::arm_item(ItemNumber number) {
    auto& item = items[number];
    auto due = never;
    const auto* queue = item.queue == nobody ? nullptr : queues[item.queue].get();
    switch (item.state) {
        case ItemState::queued:
        case ItemState::reserved: {
            if (item.parked) break;
            const auto& definition = queue->definition;
            due = item.wants_more ? never : item.step_at;
            if (const auto ring = ring_of(item, clock); item.only == nobody && ring < definition.relax.size()) due = std::min(due, unix_ms(item.entered_at + definition.relax[ring].after));
            if (item.state == ItemState::queued) {
                if (item.told_at != 0) due = std::min(due, item.told_at + (item.told_now ? 1 : tell_again_after.count()));
                else if (definition.max_wait) due = std::min(due, std::max(unix_ms(item.entered_at + *definition.max_wait), unix_ms(clock) + 1));  // if it is now, it is being told
                for (const auto& backoff : item.backoffs)
                    if (backoff.until > unix_ms(clock)) due = std::min(due, backoff.until);
            }
            break;
        }
        case ItemState::wrapping: due = unix_ms(item.wrap_deadline); break;
        case ItemState::assigned:
            if (queue != nullptr && item.channel != voice && item.agent != nobody && agents[item.agent]->session == Session::offline && queue->definition.requeue_on_offline)
                due = unix_ms(agents[item.agent]->session_since + queue->definition.hold_for);
            break;
        default: break;
    }
    if (due != never) due = std::max(due, unix_ms(clock) + 1);  // what is due now is being done
    if (due == item.due) return;
    item.due = due;
    arm(TimerKind::item, number, due);
}

void Router::Internals::fire_item(ItemNumber number, Instant now) {
    auto& item = items[number];
    item.due = never;
    switch (item.state) {
        case ItemState::queued:
            item.told_now = false;
            place(number, now);  // perhaps in the next ring
            touch_item(number);
            arm_item(number);
            break;
        case ItemState::reserved: {
            const bool step = unix_ms(now) >= item.step_at;
            place(number, now);
            if (step) items[number].wants_more = !match_item(number, false, now);
            arm_item(number);
            break;
        }
        case ItemState::wrapping: finish_wrap_up(number); break;
        case ItemState::assigned:
            go_offline_with_work(item.agent, now);
            break;
        default: break;
    }
}

void Router::Internals::fire(const Timer& timer, Instant now) {
    switch (timer.kind) {
        case TimerKind::offer: time_out(timer.number, "timeout", now); break;
        case TimerKind::item: fire_item(timer.number, now); break;
        case TimerKind::agent: {
            auto& agent = *agents[timer.number];
            look_at_shift(agent, timer.number, now);
            refresh(timer.number, now);
            if (!agent.on_shift) withdraw_offers_of(timer.number, "not_routable");
            touch(timer.number);
            break;
        }
        case TimerKind::queue: look_at_hours(*queues[timer.number], timer.number, now); break;
    }
}

void Router::run(Instant now, std::size_t budget) {
    auto& in = *internals_;
    in.clock = std::max(in.clock, now);
    if (in.unsettled) { const Decision decision{in, now}; }
    const auto is_due = [&] { return !in.timers.empty() && in.timers.front().at <= unix_ms(now); };
    for (std::size_t done = 0; done < budget && is_due();) {
        // What is due at one instant happens at once; only then is looked who gets what.
        const Decision decision{in, now};
        for (const auto instant = in.timers.front().at; done < budget && is_due() && in.timers.front().at == instant;) {
            const auto timer = in.timers.front();
            std::pop_heap(in.timers.begin(), in.timers.end(), later);
            in.timers.pop_back();
            if (!in.up_to_date(timer)) continue;
            in.fire(timer, now);
            ++done;
        }
    }
}

std::optional<Instant> Router::next_due() const {
    auto& in = *internals_;
    if (in.unsettled) return in.clock;
    while (!in.timers.empty() && !in.up_to_date(in.timers.front())) {
        std::pop_heap(in.timers.begin(), in.timers.end(), later);
        in.timers.pop_back();
    }
    if (in.timers.empty()) return std::nullopt;
    return from_unix_ms(in.timers.front().at);
}

std::vector<FlowOut> Router::take_flow_outs() { return std::exchange(internals_->flow_outs, {}); }

// After a log was read: what time alone has changed meanwhile, what a log that was cut left undone, and who now waits for whom.
void Router::Internals::look_at_everything(Instant now) {
    unsettled = false;
    clock = std::max(clock, now);
    for (QueueNumber number = 0; number < queues.size(); ++number) look_at_hours(*queues[number], number, now);
    for (AgentNumber number = 0; number < agents.size(); ++number) {
        if (!agents[number]->defined) continue;
        look_at_shift(*agents[number], number, now);
        refresh(number, now);
        withdraw_unroutable(number);
        touch(number);
    }
    for (ItemNumber number = 0; number < items.size(); ++number) {
        if (items[number].serial == 0) continue;
        if (items[number].state == ItemState::reserved && items[number].offers.empty()) back_to_queue(number, "recovered");
        if (items[number].state == ItemState::assigned || items[number].state == ItemState::wrapping)
            while (!items[number].offers.empty()) end_offer(items[number].offers.front(), OfferResult::rescinded, "accepted_elsewhere", {}, false);
        else {
            place(number, now);
            touch_item(number);
        }
        arm_item(number);
    }
}

}  // namespace touchgate::routing
