#include "gateway/dialing/caller_ids.hpp"

#include <algorithm>
#include <tuple>

namespace touchgate::dialing {

namespace {

constexpr Duration one_hour = std::chrono::hours{1};

// The dials after this instant.
std::size_t dials_since(const std::vector<Instant>& dials, Instant since) {
    return static_cast<std::size_t>(dials.end() - std::upper_bound(dials.begin(), dials.end(), since));
}

}  // namespace

CallerIds::CallerIds(std::vector<CallerIdTerms> terms, RestTerms rest) : terms_{std::move(terms)}, rest_{rest} {
    for (const auto& each : terms_) numbers_.push_back({.number = each.number});
}

const CallerIds::Number* CallerIds::find(std::string_view number) const {
    const auto found = std::find_if(numbers_.begin(), numbers_.end(), [&](const Number& each) { return each.number == number; });
    return found == numbers_.end() ? nullptr : &*found;
}

CallerIds::Number* CallerIds::find(std::string_view number) {
    const auto found = std::find_if(numbers_.begin(), numbers_.end(), [&](const Number& each) { return each.number == number; });
    return found == numbers_.end() ? nullptr : &*found;
}

Instant CallerIds::usable_at(std::size_t index, Instant now) const {
    const auto& terms = terms_[index];
    const auto& number = numbers_[index];
    if (terms.state != CallerIdState::active) return instant_never;
    if (terms.max_calls && number.calls >= *terms.max_calls) return instant_never;
    auto at = std::max(now, number.rests_until);
    // The k-th dial waits until one hour (day) after the k-less-the-limit-th.
    const auto wait = [&](const std::optional<std::uint32_t>& limit, Duration window) {
        if (limit && number.dials.size() >= *limit) at = std::max(at, number.dials[number.dials.size() - *limit] + window);
    };
    wait(terms.per_hour, one_hour);
    wait(terms.per_day, one_day);
    return at;
}

CallerIds::Choice CallerIds::choose(Instant now, std::uint64_t contact, std::string_view region, std::string_view only) const {
    if (!only.empty() && !has(only)) return {.number = only, .free_at = std::nullopt};
    const auto known = contacts_.find(contact);
    const bool is_known = contact != 0 && known != contacts_.end() && known->second.at + sticky_for > now;
    std::optional<std::size_t> best;
    auto soonest = instant_never;
    const auto rank = [&](std::size_t index) {
        const auto& number = numbers_[index];
        const bool same_contact = is_known && known->second.number == number.number;
        const bool same_region = !region.empty() && terms_[index].region == region;
        return std::tuple{!same_contact, !same_region, dials_since(number.dials, now - one_day), number.calls, index};
    };
    for (std::size_t index = 0; index < numbers_.size(); ++index) {
        if (!only.empty() && numbers_[index].number != only) continue;
        const auto at = usable_at(index, now);
        soonest = std::min(soonest, at);
        if (at <= now && (!best || rank(index) < rank(*best))) best = index;
    }
    if (best) return {.number = numbers_[*best].number, .free_at = std::nullopt};
    return {.number = {}, .free_at = soonest == instant_never ? std::nullopt : std::optional{soonest}};
}

void CallerIds::dialed(Instant now, std::string_view number, std::uint64_t contact) {
    auto* found = find(number);
    if (found == nullptr) return;
    // A clock that was set back must not disorder the list.
    found->dials.push_back(found->dials.empty() ? now : std::max(now, found->dials.back()));
    found->dials.erase(found->dials.begin(), std::upper_bound(found->dials.begin(), found->dials.end(), now - one_day));
    ++found->calls;
    if (contact == 0) return;
    contacts_[contact] = {.contact = contact, .number = found->number, .at = now};
    if (contacts_.size() >= forget_at_) forget_contacts(now);
}

std::optional<CallerIdRested> CallerIds::ended(Instant now, std::string_view number, const Ended& call) {
    auto* found = find(number);
    if (found == nullptr) return std::nullopt;
    if (found->calls > 0) --found->calls;
    if (call.ours) return std::nullopt;
    auto& ends = found->ends;
    ends.push_back(static_cast<std::uint8_t>(!call.answered ? 0 : call.talked < rest_.short_call ? 2 : 1));
    if (ends.size() > rest_.calls) ends.erase(ends.begin());
    if (ends.size() < rest_.calls || found->rests_until > now) return std::nullopt;
    const auto all = static_cast<double>(ends.size());
    const auto unanswered = static_cast<double>(std::count(ends.begin(), ends.end(), 0));
    const auto shorts = static_cast<double>(std::count(ends.begin(), ends.end(), 2));
    const auto answer_rate = (all - unanswered) / all;
    const auto short_share = all > unanswered ? shorts / (all - unanswered) : 0;
    // A few answers that happened to be short prove nothing.
    constexpr double answers_least = 5;
    CallerIdRested rested{.number = found->number, .why = {}, .calls = rest_.calls, .until = now + rest_.rest};
    if (answer_rate < rest_.answer_rate_below) {
        rested.why = "answer_rate";
        rested.share = answer_rate;
        rested.bound = rest_.answer_rate_below;
    } else if (short_share > rest_.short_calls_above && all - unanswered >= answers_least) {
        rested.why = "short_calls";
        rested.share = short_share;
        rested.bound = rest_.short_calls_above;
    } else {
        return std::nullopt;
    }
    return rested;
}

void CallerIds::rest(std::string_view number, Instant until) {
    auto* found = find(number);
    if (found == nullptr) return;
    found->rests_until = until;
    found->ends.clear();  // judged anew after the rest
}

void CallerIds::goes_on(std::string_view number) {
    if (auto* found = find(number)) ++found->calls;
}

void CallerIds::forget_calls() {
    for (auto& number : numbers_) number.calls = 0;
}

void CallerIds::forget_contacts(Instant now) {
    std::erase_if(contacts_, [&](const auto& entry) { return entry.second.at + sticky_for <= now; });
    forget_at_ = std::max<std::size_t>(1'000, contacts_.size() * 2);
}

void CallerIds::dump(std::vector<Number>& numbers, std::vector<Sticky>& contacts) const {
    numbers.insert(numbers.end(), numbers_.begin(), numbers_.end());
    const auto first = static_cast<std::ptrdiff_t>(contacts.size());
    for (const auto& [contact, sticky] : contacts_) contacts.push_back(sticky);
    std::sort(contacts.begin() + first, contacts.end(), [](const Sticky& a, const Sticky& b) { return a.contact < b.contact; });
}

void CallerIds::load(const std::vector<Number>& numbers, const std::vector<Sticky>& contacts) {
    for (auto& own : numbers_)
        for (const auto& each : numbers)
            if (each.number == own.number) own = each;
    contacts_.clear();
    for (const auto& each : contacts)
        if (has(each.number)) contacts_[each.contact] = each;
}

}  // namespace touchgate::dialing
