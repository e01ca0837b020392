// The figures that strategies, wallboards and announcements read: today's counts of a queue, how fast it moves, an agent's rolling window. Part of the fold.

#include <date/tz.h>

#include <algorithm>
#include <cmath>

#include "gateway/routing/internals.hpp"

namespace touchgate::routing {

std::int64_t Router::Internals::day_of(Instant at) {
    const auto now = unix_ms(at);
    if (now >= day_begin && now < day_end) return day_number;
    const auto utc_day = std::chrono::floor<std::chrono::days>(at);
    day_number = utc_day.time_since_epoch().count();
    day_begin = unix_ms(utc_day);
    day_end = day_begin + one_day.count();
    try {
        const auto* zone = date::locate_zone(settings.time_zone);
        const auto local = date::floor<date::days>(zone->to_local(at));
        day_number = local.time_since_epoch().count();
        day_begin = unix_ms(date::floor<Duration>(zone->to_sys(local, date::choose::earliest)));
        day_end = unix_ms(date::floor<Duration>(zone->to_sys(local + date::days{1}, date::choose::earliest)));
    } catch (const std::exception&) {}  // no such zone here: days of UTC
    return day_number;
}

QueueCounts& Router::Internals::counts_of(QueueRecord& queue, Instant at) {
    if (const auto day = day_of(at); day != queue.day) {
        queue.day = day;
        queue.counts = {};
    }
    return queue.counts;
}

void Router::Internals::enter_wait(ItemNumber number, Instant at) {
    auto& item = items[number];
    auto& queue = *queues[item.queue];
    item.entered_at = at;
    item.entered_day = day_of(at);
    item.step_at = never;
    item.told_at = 0;
    item.told_now = false;
    if (unix_ms(at) >= queue.due) look_at_hours(queue, item.queue, at);
    items[number].after_hours = !queue.open;
    if (!item.is_counted()) return;
    ++counts_of(queue, at).offered;
    if (queue.waiting++ == 0) queue.busy_since = at;
}

void Router::Internals::leave_wait(ItemNumber number) {
    if (items[number].is_counted()) --queues[items[number].queue]->waiting;
}

void Router::Internals::count_answer(ItemRecord& item, Instant at) {
    if (!item.is_counted()) return;
    auto& queue = *queues[item.queue];
    auto& counts = counts_of(queue, at);
    if (item.entered_day == queue.day) {
        ++counts.answered;
        if (at - item.entered_at <= queue.definition.service_level_within) ++counts.answered_within;
    }
    // Weight 1/4 for what is new, as Asterisk does for its hold time.
    const auto gap = static_cast<double>((at - std::max(queue.last_departure, queue.busy_since)).count());
    if (queue.departure_mean_ms <= 0) {
        queue.departure_mean_ms = std::max(gap, 1.0);
        queue.departure_deviation_ms = gap / 2;
    } else {
        queue.departure_deviation_ms += (std::abs(gap - queue.departure_mean_ms) - queue.departure_deviation_ms) / 4;
        queue.departure_mean_ms = std::max(queue.departure_mean_ms + (gap - queue.departure_mean_ms) / 4, 1.0);
    }
    queue.last_departure = at;
}

void Router::Internals::count_call(AgentRecord& agent, AgentNumber number, Instant at) {
    const auto bucket = unix_ms(at) / window_bucket.count();
    if (agent.window.empty() || agent.window.back().number < bucket) agent.window.push_back({.number = bucket});
    ++agent.window.back().calls;
    ++agent.window_calls;
    if (agent.window.front().leaves_at() >= agent.due) return;
    agent.due = agent.window.front().leaves_at();
    arm(TimerKind::agent, number, agent.due);
}

// Counted where its call is: both leave the window together.
void Router::Internals::count_talk(AgentRecord& agent, const ItemRecord& item, Instant at) {
    const auto bucket = unix_ms(item.assigned_at) / window_bucket.count();
    for (auto& entry : agent.window) {
        if (entry.number != bucket) continue;
        entry.talk_ms += (at - item.assigned_at).count();
        agent.window_talk_ms += (at - item.assigned_at).count();
    }
}

}  // namespace touchgate::routing
