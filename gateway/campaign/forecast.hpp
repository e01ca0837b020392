// When will a campaign be through? What may go at which time, sent no faster than the campaign's rate and its accounts allow. Pure.
#pragma once

#include <cstdint>
#include <map>

#include "gateway/base/time.hpp"

namespace touchgate::campaign {

// How many become free to go at which instant, in buckets; a bucket is named by its beginning.
class Histogram {
public:
    explicit Histogram(Duration width) : width_{width} {}
    void add(Instant at);
    [[nodiscard]] Duration width() const { return width_; }
    [[nodiscard]] const std::map<Instant, std::uint64_t>& buckets() const { return buckets_; }

private:
    Duration width_;
    std::map<Instant, std::uint64_t> buckets_;
};

// The earliest instant at which the last of them has gone: `at_once` may go from `now` on, the others from their bucket's beginning,
// `per_second` at most in all (0: no limit). `now` when there is nothing to send.
[[nodiscard]] Instant earliest_finish(Instant now, std::uint64_t at_once, const Histogram& later, double per_second);

}  // namespace touchgate::campaign
