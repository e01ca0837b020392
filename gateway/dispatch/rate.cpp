#include "gateway/dispatch/rate.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace touchgate::dispatch {

std::optional<Rate> parse_rate(std::string_view text) {
    Rate rate;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate.count);
    if (error != std::errc{} || rate.count == 0 || rate.count > 1'000'000) return std::nullopt;
    const std::string_view unit{end, static_cast<std::size_t>(text.data() + text.size() - end)};
    if (unit == "/second") rate.unit = std::chrono::seconds{1};
    else if (unit == "/minute") rate.unit = std::chrono::minutes{1};
    else if (unit == "/hour") rate.unit = std::chrono::hours{1};
    else if (unit == "/day") rate.unit = one_day;
    else return std::nullopt;
    return rate;
}

TokenBucket::TokenBucket(double per_second) : per_second_{per_second}, burst_{std::max(1.0, per_second / 10)}, tokens_{burst_} {}

void TokenBucket::refill(Monotonic now) {
    if (!started_) {
        started_ = true;
        filled_at_ = now;
    }
    if (now <= filled_at_) return;
    tokens_ = std::min(burst_, tokens_ + per_second_ * std::chrono::duration<double>(now - filled_at_).count());
    filled_at_ = now;
}

bool TokenBucket::take(Monotonic now, int tokens) {
    refill(now);
    // Half a millionth forgives the rounding of the wake-up instant that free_at gave.
    if (tokens_ < 1.0 - 5e-7) return false;
    tokens_ -= tokens;
    return true;
}

Monotonic TokenBucket::free_at(Monotonic now) const {
    const double at_now = started_ ? std::min(burst_, tokens_ + per_second_ * std::max(0.0, std::chrono::duration<double>(now - filled_at_).count())) : tokens_;
    if (at_now >= 1.0 - 5e-7) return now;
    return now + Monotonic{static_cast<std::int64_t>(std::ceil((1.0 - at_now) / per_second_ * 1e9))};
}

void TokenBucket::give_back(int tokens) { tokens_ = std::min(burst_, tokens_ + tokens); }

ExactRate::ExactRate(Rate rate) : rate_{rate} {}

std::size_t ExactRate::burst() const {
    return static_cast<std::size_t>(std::max(1.0, rate_.count / std::chrono::duration<double>(rate_.unit).count() / 10));
}

// In which a burst may go; in all units together that is no more than N.
Duration ExactRate::burst_span() const {
    const double per_second = rate_.count / std::chrono::duration<double>(rate_.unit).count();
    return Duration{static_cast<std::int64_t>(std::ceil(1000.0 * static_cast<double>(burst()) / per_second))};
}

Instant ExactRate::free_at(Instant now) const {
    auto free = now;
    if (permits_.size() >= rate_.count) free = std::max(free, permits_[permits_.size() - rate_.count] + rate_.unit);
    if (permits_.size() >= burst()) free = std::max(free, permits_[permits_.size() - burst()] + burst_span());
    return free;
}

std::size_t ExactRate::room(Instant now) const {
    const auto left = [&](std::size_t most, Duration span) {
        const auto within = static_cast<std::size_t>(permits_.end() - std::upper_bound(permits_.begin(), permits_.end(), now - span));
        return most - std::min(most, within);
    };
    return std::min(left(rate_.count, rate_.unit), left(burst(), burst_span()));
}

void ExactRate::permit(Instant at) {
    permits_.push_back(at);
    while (permits_.size() > rate_.count) permits_.pop_front();
}

}  // namespace touchgate::dispatch
