#include "gateway/net/resource_cache.hpp"

#include <algorithm>
#include <utility>

namespace touchgate::net {

namespace {

Monotonic scaled(Duration duration, double share) {
    return Monotonic{static_cast<Monotonic::rep>(static_cast<double>(Monotonic{duration}.count()) * share)};
}

// A resource that were never valid would be fetched for ever.
constexpr Duration validity_min{1'000};
constexpr Duration validity_max = one_day * 366;

}  // namespace

ResourceCache::View ResourceCache::view(const std::string& key, Monotonic now) const {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return {};
    const auto& entry = found->second;
    const bool resting = entry.failures > 0 && now < entry.failed_until;
    if (entry.generation != 0 && now < entry.expires_at)
        return {.state = View::State::ready,
                .refresh_wanted = now >= entry.refresh_at && entry.fetching == 0 && !resting,
                .generation = entry.generation,
                .value = &entry.value};
    if (entry.fetching != 0) return {.state = View::State::fetching};
    if (resting) return {.state = View::State::failed, .failure = &entry.failure};
    return {};
}

ResourceCache::Generation ResourceCache::begin_fetch(const std::string& key) { return entries_[key].fetching = ++last_generation_; }

void ResourceCache::arrived(const std::string& key, Generation generation, channel::Resource resource, Monotonic now, Random& random) {
    auto& entry = entries_[key];
    if (entry.fetching == generation) entry.fetching = 0;
    if (generation <= entry.generation) return;
    const auto validity = std::clamp(resource.valid_for, validity_min, validity_max);
    entry.value = std::move(resource.value);
    entry.generation = generation;
    entry.expires_at = now + validity;
    entry.refresh_at = now + scaled(validity, settings_.refresh_at_share - settings_.refresh_jitter * random.unit());
    entry.failures = 0;
    if (entries_.size() > settings_.entries_kept) drop_expired(now);
}

void ResourceCache::failed(const std::string& key, Generation generation, channel::Outcome failure, Monotonic now, Random& random) {
    auto& entry = entries_[key];
    if (entry.fetching != generation) return;
    entry.fetching = 0;
    const auto doublings = std::min(entry.failures, 16);
    ++entry.failures;
    auto rest = std::min(settings_.failure_rest_min * (std::int64_t{1} << doublings), settings_.failure_rest_max);
    if (failure.retry_after) rest = std::max(rest, std::min(*failure.retry_after, Duration{one_day}));
    entry.failed_until = now + scaled(rest, 1.0 + 0.2 * random.unit());
    entry.failure = std::move(failure);
}

void ResourceCache::abandoned(const std::string& key, Generation generation) {
    auto& entry = entries_[key];
    if (entry.fetching == generation) entry.fetching = 0;
}

bool ResourceCache::invalidate(const std::string& key, Generation generation) {
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.generation != generation) return false;
    found->second.expires_at = Monotonic::min();  // the generation stays: an older answer must not come back
    return true;
}

void ResourceCache::drop_expired(Monotonic now) {
    std::erase_if(entries_, [&](const auto& item) {
        const auto& entry = item.second;
        return entry.fetching == 0 && entry.expires_at <= now && entry.failed_until <= now;
    });
}

}  // namespace touchgate::net
