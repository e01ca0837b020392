// The numbers under a report: sums by profile and class for a span of time. Whole quarters of an hour come from the counting tables; where
// the span begins or ends inside one, the touches of that edge are counted one by one.
#pragma once

#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "gateway/projection/event_names.hpp"
#include "gateway/projection/sqlite.hpp"
#include "gateway/projection/touch_row.hpp"
#include "gateway/projection/visibility.hpp"

namespace touchgate::projection {

struct ReportSpan {
    std::optional<Instant> from, to;  // from inclusive, to exclusive
    bool by_time = false;             // sums are wanted for each bucket, else over all (bucket 0)
};

struct ProfileFilter {
    std::string campaign = {}, channel = {}, account = {}, purpose = {}, unit = {};
    Visibility visibility = {};
};

struct AttemptSum {
    AttemptClass status = AttemptClass::open;
    std::uint32_t arm = 0;  // see name_of
    std::int64_t count = 0, parts = 0, segments = 0, cost_micro = 0;
};

class ReportSource {
public:
    // Reads the profiles that pass the filter. The database must stand in a transaction, so that all numbers are of one moment.
    ReportSource(Database& database, const ProfileFilter& filter);

    using EachTouch = std::function<void(std::int64_t bucket, const ProfileNames& profile, TouchClass as, std::int64_t count)>;
    void touches(const ReportSpan& span, const EachTouch& each);
    using EachAttempt = std::function<void(std::int64_t bucket, const ProfileNames& profile, const AttemptSum& sum)>;
    void attempts(const ReportSpan& span, const EachAttempt& each);
    // `rule` is empty for touches that only waited for their own not_before.
    using EachRule = std::function<void(std::int64_t bucket, const ProfileNames& profile, const std::string& rule, std::int64_t deferred, std::int64_t blocked)>;
    void rules(const ReportSpan& span, const EachRule& each);

    // The profile with this number if it passes the filter, else null.
    [[nodiscard]] const ProfileNames* profile(std::uint32_t number) const;
    // Of a rule, arm or campaign; empty for 0.
    [[nodiscard]] const std::string& name_of(std::int64_t number) const;

private:
    // Whole buckets [first, last), and the edges around them.
    struct Parts {
        std::int64_t first = 0, last = 0;
        std::vector<std::pair<Instant, Instant>> edges;
    };
    static Parts parts_of(const ReportSpan& span);
    // Rows of touches created in [from, to), or (with `attempts`) with an attempt that may lie there.
    void edge_touches(Instant from, Instant to, bool attempts, const std::function<void(const TouchRow&)>& each);

    Database& database_;
    std::unordered_map<std::uint32_t, ProfileNames> profiles_;
    std::unordered_map<std::int64_t, std::string> names_;
};

}  // namespace touchgate::projection
