#include "gateway/measure/agent_time.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace touchgate::measure {

namespace {

std::optional<double> quotient(Duration part, Duration whole) {
    if (whole <= Duration{0}) return std::nullopt;
    return static_cast<double>(part.count()) / static_cast<double>(whole.count());
}

}  // namespace

StateTimes& StateTimes::operator+=(const StateTimes& other) {
    for (std::size_t i = 0; i < in.size(); ++i) in[i] += other.in[i];
    return *this;
}

Duration StateTimes::total() const { return std::accumulate(in.begin(), in.end(), Duration{0}); }

Duration StateTimes::handling() const {
    Duration sum{0};
    for (const auto state : {AgentState::reserved, AgentState::ringing, AgentState::talking, AgentState::held, AgentState::consulting, AgentState::conference,
                             AgentState::wrapup})
        sum += (*this)[state];
    return sum;
}

std::optional<double> occupancy(const StateTimes& times) { return quotient(times.handling(), times.handling() + times.idle()); }
std::optional<double> utilisation(const StateTimes& times) { return quotient(times.handling() + times.idle(), times.signed_in()); }

void AgentTimeline::change(Instant at, AgentState to) {
    if (!changes_.empty()) {
        at = std::max(at, changes_.back().at);
        if (changes_.back().to == to) return;
        if (changes_.back().at == at) {
            // No time passed in the last state. What remains may repeat the one before.
            changes_.pop_back();
            if (state() == to) return;
        }
    }
    if (changes_.empty() && to == AgentState::offline) return;
    changes_.push_back({at, to});
}

StateTimes AgentTimeline::between(Instant from, Instant to) const {
    StateTimes times;
    if (to <= from) return times;
    // The first change after `from`; what was before it holds until then.
    auto next = std::upper_bound(changes_.begin(), changes_.end(), from, [](Instant at, const Change& change) { return at < change.at; });
    auto now = next == changes_.begin() ? AgentState::offline : std::prev(next)->to;
    auto since = from;
    for (; next != changes_.end() && next->at < to; ++next) {
        times[now] += next->at - since;
        since = next->at;
        now = next->to;
    }
    times[now] += to - since;
    return times;
}

void AgentTimeline::forget_before(Instant at) {
    // The last change at or before `at` says the state then.
    const auto after = std::upper_bound(changes_.begin(), changes_.end(), at, [](Instant instant, const Change& change) { return instant < change.at; });
    if (after - changes_.begin() > 1) changes_.erase(changes_.begin(), after - 1);
}

Coverage coverage(std::span<const TimeSpan> spans, TimeSpan window) {
    std::vector<TimeSpan> inside;
    inside.reserve(spans.size());
    Coverage covered;
    for (const auto& span : spans) {
        const TimeSpan part{std::max(span.from, window.from), std::min(span.to, window.to)};
        if (part.from >= part.to) continue;
        covered.sum += part.to - part.from;
        inside.push_back(part);
    }
    std::sort(inside.begin(), inside.end(), [](const TimeSpan& a, const TimeSpan& b) { return a.from < b.from; });
    auto until = window.from;
    for (const auto& part : inside) {
        if (part.to <= until) continue;
        covered.at_least_one += part.to - std::max(part.from, until);
        until = part.to;
    }
    return covered;
}

std::optional<double> concurrency(const Coverage& covered) { return quotient(covered.sum, covered.at_least_one); }

}  // namespace touchgate::measure
