// Time zones for the hot path: a zone's UTC offsets as a sorted table that is read from the system's zone files once, so that wall-clock
// time is a binary search and an addition. The only place that knows the tz library.
//
// Local times are sys_time values that hold the wall clock's reading ("local milliseconds"): plain numbers, no zone attached.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/time.hpp"

namespace touchgate::policy {

// Wall-clock time: same type as an instant, but it counts from 1970-01-01 00:00 of the zone's own clock.
using LocalTime = std::chrono::local_time<Duration>;
using LocalDay = std::chrono::local_days;

class Zone {
public:
    // A stretch of time with one offset: local = instant + offset for begin ≤ instant < end.
    struct Range {
        Instant begin;
        Instant end;
        Duration offset;
        [[nodiscard]] LocalTime local(Instant instant) const { return LocalTime{(instant + offset).time_since_epoch()}; }
        [[nodiscard]] Instant instant(LocalTime at) const { return Instant{at.time_since_epoch()} - offset; }
    };

    // The zone of that IANA name, or null when the system has none. Lives as long as the program. Any thread.
    [[nodiscard]] static const Zone* find(std::string_view name);

    // The range that holds `instant`. Ranges cover all time without gaps; before 1970 the first offset is continued.
    [[nodiscard]] const Range& range_at(Instant instant) const {
        const auto* recent = recent_.load(std::memory_order_acquire);
        return recent != nullptr && recent->begin <= instant && instant < recent->end ? *recent : search(instant);
    }
    [[nodiscard]] LocalTime local(Instant instant) const { return range_at(instant).local(instant); }
    // The least instant ≥ `from` at which the zone's clock reads `at` or later; instant_never when there is none before the year 2200.
    // A wall time that the clock skips is reached at the jump.
    [[nodiscard]] Instant first_at_or_after(Instant from, LocalTime at) const;

    [[nodiscard]] const std::string& name() const { return name_; }

    explicit Zone(std::string name);
    Zone(const Zone&) = delete;
    Zone& operator=(const Zone&) = delete;
    ~Zone();

private:
    const std::vector<Range>& ranges() const;
    const Range& search(Instant instant) const;
    std::string name_;
    struct Table;
    std::unique_ptr<Table> table_;
    mutable std::atomic<const Range*> recent_{nullptr};  // the range asked for last: nearly always the next one asked for
};

}  // namespace touchgate::policy
