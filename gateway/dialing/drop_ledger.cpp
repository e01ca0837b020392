#include "gateway/dialing/drop_ledger.hpp"

#include <algorithm>
#include <cmath>

#include "gateway/measure/distributions.hpp"
#include "gateway/policy/binomial_bound.hpp"

namespace touchgate::dialing {

namespace {

constexpr std::int64_t buckets_in_window = 720;

measure::DialCounts counts_of(std::int64_t live, std::int64_t machines, std::int64_t dropped, std::int64_t reached_queue) {
    measure::DialCounts counts;
    counts.live = live;
    counts.machines = machines;
    counts.dropped = dropped;
    counts.reached_queue = reached_queue;
    counts.connected = std::max<std::int64_t>(0, live - dropped);
    return counts;
}

}  // namespace

DropLedger::DropLedger(Duration window) : window_{std::max(window, Duration{buckets_in_window})} {}

std::int64_t DropLedger::bucket_number(Instant at) const { return unix_ms(at) / (window_.count() / buckets_in_window); }

void DropLedger::expire(std::int64_t now) {
    auto first = buckets_.begin();
    for (; first != buckets_.end() && first->number < now - buckets_in_window; ++first) {
        sum_.live -= first->live;
        sum_.machines -= first->machines;
        sum_.dropped -= first->dropped;
        sum_.reached_queue -= first->reached_queue;
    }
    buckets_.erase(buckets_.begin(), first);
}

void DropLedger::answered(Instant at, const Answer& answer) {
    // A clock that was set back counts into the newest bucket.
    const auto number = buckets_.empty() ? bucket_number(at) : std::max(bucket_number(at), buckets_.back().number);
    expire(number);
    if (buckets_.empty() || buckets_.back().number != number) buckets_.push_back({.number = number});
    if (began_ == instant_never) began_ = at;
    const auto period = std::max(period_number_, (at - began_) / window_);
    if (period != period_number_) period_ = {};
    period_number_ = period;
    for (auto* bucket : {&buckets_.back(), &sum_, &period_}) {
        // What is dropped was answered by somebody: a machine that was recognised is hung up, not dropped.
        (answer.machine && !answer.dropped ? bucket->machines : bucket->live) += 1;
        bucket->dropped += answer.dropped ? 1 : 0;
        bucket->reached_queue += answer.reached_queue ? 1 : 0;
    }
}

measure::DialCounts DropLedger::last_window(Instant now) const {
    auto left = sum_;
    for (auto bucket = buckets_.begin(); bucket != buckets_.end() && bucket->number < bucket_number(now) - buckets_in_window; ++bucket) {
        left.live -= bucket->live;
        left.machines -= bucket->machines;
        left.dropped -= bucket->dropped;
        left.reached_queue -= bucket->reached_queue;
    }
    return counts_of(left.live, left.machines, left.dropped, left.reached_queue);
}

measure::DialCounts DropLedger::last_window_inner(Instant now) const { return last_window(now + window_ / buckets_in_window); }

measure::DialCounts DropLedger::current_period(Instant now) const {
    if (began_ == instant_never || (now - began_) / window_ > period_number_) return {};
    return counts_of(period_.live, period_.machines, period_.dropped, period_.reached_queue);
}

DropCount drop_count(measure::DropRate kind, const measure::DialCounts& counts, double machine_share) {
    const auto whole = [](std::int64_t count) { return static_cast<std::uint64_t>(std::max<std::int64_t>(0, count)); };
    switch (kind) {
        case measure::DropRate::gc_all: return {whole(counts.dropped), whole(counts.live + counts.machines)};
        case measure::DropRate::gc_queue: return {whole(counts.dropped), whole(counts.reached_queue)};
        case measure::DropRate::ofcom: {
            const auto people = static_cast<std::uint64_t>(std::ceil(static_cast<double>(counts.dropped) * (1 - std::clamp(machine_share, 0.0, 1.0))));
            return {people, people + whole(counts.connected)};
        }
        case measure::DropRate::tsr:
        case measure::DropRate::vici: break;
    }
    return {whole(counts.dropped), whole(counts.live)};
}

std::int64_t drops_allowed(std::uint64_t counted, double bound, double confidence) {
    if (bound >= 1) return static_cast<std::int64_t>(counted);
    if (!(bound > 0) || counted == 0) return -1;
    const auto n = static_cast<double>(counted);
    if (counted > policy::exact_trials_max) {
        // Wilson's limit is at or below the bound exactly when the share lies this many standard errors, taken at the bound, under it.
        const auto z = measure::normal_quantile(confidence);
        return std::max<std::int64_t>(-1, static_cast<std::int64_t>(std::floor(n * bound - z * std::sqrt(n * bound * (1 - bound)))));
    }
    std::int64_t low = -1;
    auto high = static_cast<std::int64_t>(std::ceil(n * bound)) + 1;  // a limit never lies below the share itself
    while (high - low > 1) {
        const auto middle = low + (high - low) / 2;
        (policy::clopper_pearson_upper(static_cast<std::uint64_t>(middle), counted, confidence) <= bound ? low : high) = middle;
    }
    return low;
}

}  // namespace touchgate::dialing
