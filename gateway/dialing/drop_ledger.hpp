// Answers and dropped calls of a campaign within the window of its bound, and how many more may be dropped. Pure; not thread-safe.
//
// The bound must hold for two windows at every moment: the last `window` that ended now, and the part of the successive windows since the
// campaign began that is running now (the form of 16 CFR 310.4(b)(4)(i)). A governor keeps the tighter of both.
#pragma once

#include <cstdint>
#include <vector>

#include "gateway/base/time.hpp"
#include "gateway/dialing/plan.hpp"

namespace touchgate::dialing {

// The binomial form of a rate: dropped calls among those that count.
struct DropCount {
    std::uint64_t dropped = 0, counted = 0;
};

class DropLedger {
public:
    explicit DropLedger(Duration window = std::chrono::hours{24 * 30});

    // A call was answered; of a dropped one told when it is dropped, once.
    struct Answer {
        bool machine = false;        // taken for one
        bool dropped = false;
        bool reached_queue = true;   // was offered to agents
    };
    void answered(Instant at, const Answer& answer);

    // Of the window that ended at `now`; whole buckets of a 720th of it, the oldest as a whole.
    [[nodiscard]] measure::DialCounts last_window(Instant now) const;
    // … and without the oldest.
    [[nodiscard]] measure::DialCounts last_window_inner(Instant now) const;
    // Of the current one of the successive windows since the first answer.
    [[nodiscard]] measure::DialCounts current_period(Instant now) const;
    template <class A> void fields(A&& a) { a(window_, buckets_, began_, period_, period_number_, sum_); }

private:
    struct Bucket {
        std::int64_t number = 0;  // of the buckets since 1970
        std::int64_t live = 0, machines = 0, dropped = 0, reached_queue = 0;
        template <class A> void fields(A&& a) { a(number, live, machines, dropped, reached_queue); }
    };
    [[nodiscard]] std::int64_t bucket_number(Instant at) const;
    void expire(std::int64_t now);
    Duration window_;
    std::vector<Bucket> buckets_;  // by time; at most 721
    Bucket sum_;                   // of all of them
    Instant began_ = instant_never;
    Bucket period_;
    std::int64_t period_number_ = 0;
};

// The rate of `kind` as a count: Ofcom's estimate of machines is taken off the dropped calls, rounded up.
[[nodiscard]] DropCount drop_count(measure::DropRate kind, const measure::DialCounts& counts, double machine_share);

// The most dropped calls among `counted` with which the one-sided upper confidence limit of the drop rate stays at or below `bound`; none
// (−1) where not even 0 would do. Exact (Clopper and Pearson) up to policy::exact_trials_max, Wilson's above.
[[nodiscard]] std::int64_t drops_allowed(std::uint64_t counted, double bound, double confidence);

}  // namespace touchgate::dialing
