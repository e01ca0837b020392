#include "gateway/policy/foresight.hpp"

#include <algorithm>

namespace touchgate::policy {

namespace {

constexpr std::size_t windows_max = 64;

void add_to(Ledger::Sum& sum, const Ledger::Sum& weights) {
    sum.used += weights.used;
    for (std::size_t i = 0; i < sum.used_by.size(); ++i) sum.used_by[i] += weights.used_by[i];
}

}  // namespace

void Ledger::add(Instant at, const Sum& weights) {
    add_to(slots_[at], weights);
    for (auto& [window, sum] : windows_)
        if (window.begin <= at && at < window.end) add_to(sum, weights);
}

const Ledger::Sum& Ledger::sum(const Window& window) {
    if (const auto known = windows_.find(window); known != windows_.end()) return known->second;
    if (windows_.size() >= windows_max) windows_.clear();
    Sum made;
    for (auto slot = slots_.lower_bound(window.begin); slot != slots_.end() && slot->first < window.end; ++slot) add_to(made, slot->second);
    return windows_.emplace(window, made).first->second;
}

Instant Ledger::full_until(const void* zone, Instant at, std::int64_t own) const {
    const auto known = full_.find(zone);
    if (known == full_.end()) return at;
    const auto& full = known->second;
    return own >= full.own && full.from <= at && at < full.to ? full.to : at;
}

void Ledger::note_full(const void* zone, Instant from, Instant to, std::int64_t own) {
    if (to <= from) return;
    const auto [place, made] = full_.try_emplace(zone, Full{from, to, own});
    auto& full = place->second;
    if (made) return;
    if (own == full.own && full.from <= from && from <= full.to) full.to = std::max(full.to, to);
    else if (to > full.to || own < full.own) full = {from, to, own};  // the stretch that reaches further saves more
}

void Foresight::take(ProfileId profile, Instant at) {
    // A rule may be asked several times about one attempt.
    std::vector<const Ledger*> done;
    for (const auto& asked : asked_) {
        if (asked.profile != profile || std::find(done.begin(), done.end(), asked.ledger) != done.end()) continue;
        done.push_back(asked.ledger);
        asked.ledger->add(at, asked.own);
    }
}

Ledger& Foresight::ledger(const void* rule, std::uint64_t key, bool& is_new) {
    const auto [place, made] = ledgers_.try_emplace({rule, key});
    is_new = made;
    return place->second;
}

void Foresight::note(Ledger& ledger, ProfileId profile, const Ledger::Sum& own) {
    const bool known = std::any_of(asked_.begin(), asked_.end(), [&](const Asked& asked) { return asked.ledger == &ledger && asked.profile == profile; });
    if (!known) asked_.push_back({&ledger, profile, own});
}

}  // namespace touchgate::policy
