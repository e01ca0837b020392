#include "gateway/dialing/trunk_pool.hpp"

#include <algorithm>
#include <cmath>

namespace touchgate::dialing {

namespace {

// A fraction of a call per second is a whole number in some seconds: 2.5 a second are 5 in two.
dispatch::Rate rate_of(double per_second) {
    constexpr double near = 1e-6;
    for (int seconds = 1; seconds <= 100; ++seconds) {
        const auto count = per_second * seconds;
        if (count >= 1 - near && (std::abs(count - std::round(count)) < near || seconds == 100))
            return {.count = static_cast<std::uint32_t>(std::max(1.0, std::floor(count + near))), .unit = std::chrono::seconds{seconds}};
    }
    return {.count = 1, .unit = std::chrono::seconds{100}};
}

}  // namespace

TrunkPool::TrunkPool(std::vector<TrunkTerms> terms) {
    if (terms.empty()) terms.emplace_back();
    for (auto& each : terms) {
        CallerIds caller_ids{each.caller_ids, each.rest};
        std::optional<dispatch::ExactRate> rate;
        if (each.calls_per_second > 0) rate.emplace(rate_of(each.calls_per_second));
        trunks_.push_back({std::move(each), std::move(caller_ids), std::move(rate)});
    }
}

std::uint32_t TrunkPool::lines_free(const Trunk& trunk) {
    if (trunk.terms.max_calls == 0) return 0xFFFF'FFFF;
    // What is in use by calls that came in is no longer in reserve for them.
    const auto reserved = trunk.terms.inbound_reserve > trunk.inbound ? trunk.terms.inbound_reserve - trunk.inbound : 0;
    const auto used = trunk.outbound + trunk.inbound + reserved;
    return trunk.terms.max_calls > used ? trunk.terms.max_calls - used : 0;
}

std::uint32_t TrunkPool::room(Instant now) const {
    std::uint64_t sum = 0;
    for (const auto& trunk : trunks_) {
        std::uint64_t here = lines_free(trunk);
        if (trunk.rate) here = std::min<std::uint64_t>(here, trunk.rate->room(now));
        sum += here;
    }
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(sum, 0xFFFF'FFFF));
}

std::variant<TrunkPool::Choice, TrunkPool::Refusal> TrunkPool::choose(Instant now, const Wanted& wanted) const {
    Refusal refusal{.why = "lines", .until = std::nullopt};
    const auto refuse = [&](std::string_view why, std::optional<Instant> until) {
        // What time alone opens says more than what waits for another's call to end; the soonest of these.
        if (refusal.until && (!until || *until >= *refusal.until)) return;
        refusal = {.why = why, .until = until};
    };
    std::optional<Choice> chosen;
    for (std::size_t i = 0; i < trunks_.size(); ++i) {
        const auto& trunk = trunks_[i];
        if (lines_free(trunk) == 0) {
            refuse("lines", std::nullopt);
            continue;
        }
        if (trunk.rate && trunk.rate->free_at(now) > now) {
            refuse("rate", trunk.rate->free_at(now));
            continue;
        }
        Choice choice{.trunk = i, .name = trunk.terms.name, .endpoint = trunk.terms.endpoint, .caller_id = std::string{wanted.caller_id}};
        if (!trunk.terms.caller_ids.empty()) {
            const auto number = trunk.caller_ids.choose(now, wanted.contact, wanted.region, wanted.caller_id);
            if (number.number.empty()) {
                refuse("caller_ids", number.free_at);
                continue;
            }
            choice.caller_id = number.number;
        }
        const auto& numbers = trunk.terms.caller_ids;
        const bool local = !wanted.region.empty() && std::any_of(numbers.begin(), numbers.end(), [&](const CallerIdTerms& each) {
            return each.number == choice.caller_id && each.region == wanted.region;
        });
        if (local) return choice;
        if (!chosen) chosen = std::move(choice);
    }
    if (chosen) return *std::move(chosen);
    return refusal;
}

std::optional<std::size_t> TrunkPool::find(std::string_view name, std::string_view caller_id) const {
    for (std::size_t i = 0; i < trunks_.size(); ++i)
        if (trunks_[i].terms.name == name) return i;
    for (std::size_t i = 0; i < trunks_.size(); ++i)
        if (!caller_id.empty() && trunks_[i].caller_ids.has(caller_id)) return i;
    return std::nullopt;
}

void TrunkPool::dialed(Instant now, const std::string& call, std::string_view name, const std::string& caller_id, std::uint64_t contact) {
    const auto index = find(name, caller_id);
    if (!index || !calls_.emplace(call, Call{*index, false, caller_id}).second) return;
    auto& trunk = trunks_[*index];
    ++trunk.outbound;
    if (trunk.rate) trunk.rate->permit(now);
    trunk.caller_ids.dialed(now, caller_id, contact);
}

void TrunkPool::goes_on(const std::string& call, std::string_view name, const std::string& caller_id) {
    const auto index = find(name, caller_id);
    if (!index || !calls_.emplace(call, Call{*index, false, caller_id}).second) return;
    ++trunks_[*index].outbound;
    trunks_[*index].caller_ids.goes_on(caller_id);
}

std::string_view TrunkPool::trunk_over(std::string_view endpoint) const {
    const auto names = [&](const Trunk& trunk) {
        for (std::string_view rest = trunk.terms.endpoint; !endpoint.empty() && !rest.empty();) {
            const auto end = std::min(rest.find_first_of("/@"), rest.size());
            if (rest.substr(0, end) == endpoint) return true;
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        return false;
    };
    const auto found = std::find_if(trunks_.begin(), trunks_.end(), names);
    return found != trunks_.end() ? found->terms.name : trunks_.empty() ? std::string_view{} : trunks_.front().terms.name;
}

void TrunkPool::arrived(const std::string& call, std::string_view name) {
    const auto found = std::find_if(trunks_.begin(), trunks_.end(), [&](const Trunk& trunk) { return trunk.terms.name == name; });
    const auto index = found == trunks_.end() ? 0 : static_cast<std::size_t>(found - trunks_.begin());
    if (calls_.emplace(call, Call{index, true, {}}).second) ++trunks_[index].inbound;
}

std::optional<CallerIdRested> TrunkPool::ended(Instant now, const std::string& call, const CallerIds::Ended& how) {
    const auto found = calls_.find(call);
    if (found == calls_.end()) return std::nullopt;
    const auto was = std::move(found->second);
    calls_.erase(found);
    auto& trunk = trunks_[was.trunk];
    --(was.inbound ? trunk.inbound : trunk.outbound);
    if (was.inbound) return std::nullopt;
    return trunk.caller_ids.ended(now, was.caller_id, how);
}

void TrunkPool::rest(std::string_view number, Instant until) {
    for (auto& trunk : trunks_) trunk.caller_ids.rest(number, until);
}

TrunkPool::Kept TrunkPool::dumped() const {
    Kept kept;
    for (const auto& trunk : trunks_) {
        trunk.caller_ids.dump(kept.numbers, kept.contacts);
        if (trunk.rate) kept.permits.emplace_back(trunk.terms.name, std::vector<Instant>{trunk.rate->permits().begin(), trunk.rate->permits().end()});
    }
    return kept;
}

void TrunkPool::load(const Kept& kept) {
    for (auto& trunk : trunks_) {
        trunk.caller_ids.load(kept.numbers, kept.contacts);
        if (!trunk.rate) continue;
        trunk.rate.emplace(rate_of(trunk.terms.calls_per_second));
        for (const auto& [name, permits] : kept.permits)
            if (name == trunk.terms.name)
                for (const auto at : permits) trunk.rate->permit(at);
    }
}

void TrunkPool::forget_calls() {
    calls_.clear();
    for (auto& trunk : trunks_) {
        trunk.outbound = trunk.inbound = 0;
        trunk.caller_ids.forget_calls();
    }
}

}  // namespace touchgate::dialing
