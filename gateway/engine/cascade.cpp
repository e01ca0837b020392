// The cascade of a touch with its events: when the next step begins, when none follows any more, and what it costs to go one way or the
// other. The order itself is gateway/dispatch/cascade.hpp.
//
// A touch without steps ends with its first delivery. One with steps ends with touch.settled, written in the turn in which an attempt got
// what its step waits for, or in which nothing can follow any more.

#include <algorithm>
#include <tuple>

#include "gateway/content/signature.hpp"
#include "gateway/engine/internals.hpp"

namespace touchgate {

using dispatch::Progress;

dispatch::Cascade Engine::Internals::cascade_of(const Touch& owner) const { return {state.cascades[owner.cascade], candidates(owner).size(), owner.fallback_after_ms}; }

bool Engine::Internals::cascade_is_over(const Touch& owner) const {
    if ((owner.flags & Touch::cascade_over) != 0) return true;
    if (!owner.has_steps()) return false;
    return std::any_of(owner.attempts.begin(), owner.attempts.end(),
                       [&](const Attempt& attempt) { return is_enough(owner, attempt.chosen, attempt.state == AttemptState::accepted, attempt.progress); });
}

bool Engine::Internals::is_enough(const Touch& owner, std::uint8_t candidate, bool accepted, Progress progress) const {
    const bool voice = state.symbols.name(state.profiles.at(profile_of(owner, candidate)).channel) == "voice";
    return dispatch::reaches(cascade_of(owner).terms(candidate).until, voice, accepted, progress);
}

Instant Engine::Internals::fallback_due(const Touch& owner) const {
    if (owner.final || owner.attempts.empty()) return instant_never;
    const bool may_follow = owner.is_resting() || owner.state == TouchState::dispatching || (owner.state == TouchState::unknown && owner.fallback_on_unknown());
    if (!may_follow) return instant_never;
    const auto cascade = cascade_of(owner);
    const auto within_ms = cascade.terms(owner.chosen).within_ms;
    if (!cascade.next(owner.chosen) || cascade_is_over(owner)) return instant_never;
    if (within_ms < 0) return owner.progress >= Progress::delivered ? owner.expires_at : instant_never;  // then no step can begin any more
    constexpr std::int64_t longest_ms = std::int64_t{366} * 86'400'000;
    return std::min(owner.attempts.back().permitted_at + Duration{std::min(within_ms, longest_ms)}, owner.expires_at);
}

// Nothing was heard in time (or the outcome is unknown and the caller allows it): the next step gets its chance, sharing the slot.
void Engine::Internals::start_fallback(std::uint32_t row) {
    auto& slow = touch(row);
    if (slow.final || slow.attempts.empty() || !cascade_of(slow).next(slow.chosen) || cascade_is_over(slow)) return;
    // An answer that is still to come decides, and so does what resolves an unknown outcome.
    if (!slow.is_resting() && !(slow.state == TouchState::unknown && slow.fallback_on_unknown())) return;
    if (now >= slow.expires_at) {
        if (slow.progress >= Progress::delivered) (void)keep_what_left(row, "fallback_expired");
        return;
    }
    emit(slow.contact, TouchAttemptEnded{.touch = slow.id, .attempt = slow.attempts.back().number, .outcome = channel::OutcomeKind::accepted, .code = "fallback", .detail = {},
                                         .slot = SlotChange::keep, .next = 1, .retry_at = 0});
    go_on(row);
}

bool Engine::Internals::keep_what_left(std::uint32_t row, std::string_view why) {
    const auto& owner = touch(row);
    const auto left = std::find_if(owner.attempts.begin(), owner.attempts.end(), [](const Attempt& attempt) { return attempt.may_have_arrived(); });
    if (left == owner.attempts.end()) return false;
    emit(owner.contact, TouchAttemptEnded{.touch = owner.id, .attempt = left->number, .outcome = channel::OutcomeKind::accepted, .code = std::string{why}, .detail = {},
                                          .slot = SlotChange::keep, .next = 2, .retry_at = 0});
    return true;
}

void Engine::Internals::note_moved(std::uint32_t row) {
    if (touch(row).has_steps()) moved_cascades.push_back(row);
}

void Engine::Internals::run_cascades() {
    while (!moved_cascades.empty()) {
        if (parts.log.room() < (std::size_t{1} << 20U)) return;  // then nothing is permitted either
        const auto row = moved_cascades.back();
        moved_cascades.pop_back();
        auto& moved = touch(row);
        if (moved.id.is_nil() || !moved.has_steps()) continue;
        const bool over = cascade_is_over(moved);
        if (!moved.final) {
            const bool nothing_follows = over || (moved.is_resting() && !cascade_of(moved).next(moved.chosen));
            if (nothing_follows && moved.progress >= Progress::delivered)
                emit(moved.contact, TouchSettled{.touch = moved.id, .reason = over ? "cascade_over" : "last_step"});
            else if (over && moved.is_waiting() && keep_what_left(row, "fallback_not_needed"))
                continue;
        }
        if (!over) continue;
        for (const auto& attempt : moved.attempts)
            if (attempt.state == AttemptState::open && attempt.ref != 0 && in_flight.contains(attempt.ref)) revocations.push_back(attempt.ref);
    }
}

// ---- the cheapest first

namespace {

struct Price {
    content::Money cost;
    std::string_view currency;
    int segments = 1;
    bool known = false;  // it can be sent this way at all
};

Price price_of(const Engine::Internals& in, ProfileId candidate, const CachedContent& content, const TemplateRecord* used, ContactIndex owner) {
    const auto account = in.account_of(candidate);
    if (!account) return {};
    const auto& contact = in.state.contacts[owner.value];
    const auto rendered = in.render(content, used, in.state.profiles.at(candidate), contact.extras ? std::string_view{contact.extras->locale} : std::string_view{});
    if (!rendered) return {};
    const auto& settings = in.accounts[*account].settings;
    const auto text = content::with_signature(rendered->text, settings.sign_name);
    const int segments = text.empty() ? 1 : content::billed_segments(text, settings.billing.counting);
    return {.cost = settings.billing.message_cost(segments), .currency = settings.billing.currency, .segments = segments, .known = true};
}

}  // namespace

void Engine::Internals::put_cheapest_first(Prepared& prepared) const {
    std::vector<std::pair<ProfileId, Price>> priced;
    for (const auto candidate : prepared.plan) priced.emplace_back(candidate, price_of(*this, candidate, prepared.content, prepared.used, prepared.contact));
    // Prices in different currencies cannot be compared: those of the currency that was named first go first. What costs nothing goes before all.
    const auto rank = [&](const Price& price) {
        const auto same = [&](const auto& other) { return other.second.currency == price.currency; };
        const auto currency = price.cost.micros == 0 ? priced.begin() : std::find_if(priced.begin(), priced.end(), same);
        return std::tuple{!price.known, price.cost.micros != 0, currency - priced.begin(), price.cost.micros};
    };
    auto sorted = priced;
    const auto sort = [&](std::size_t from, std::size_t to) {
        std::stable_sort(sorted.begin() + static_cast<std::ptrdiff_t>(from), sorted.begin() + static_cast<std::ptrdiff_t>(to),
                         [&](const auto& a, const auto& b) { return rank(a.second) < rank(b.second); });
    };
    if (prepared.steps.empty()) sort(0, sorted.size());
    for (std::size_t i = 0; i < prepared.steps.size(); ++i) sort(prepared.steps[i].first, i + 1 < prepared.steps.size() ? prepared.steps[i + 1].first : sorted.size());
    for (std::size_t i = 0; i < sorted.size(); ++i) prepared.plan[i] = sorted[i].first;
}

std::string Engine::Internals::price_reason(const Touch& owner, std::uint8_t chosen, const CachedContent& content) const {
    if (!owner.cheapest_first()) return {};
    const auto& plan = candidates(owner);
    std::size_t from = 0;
    std::size_t to = plan.size();
    for (const auto& step : state.cascades[owner.cascade]) {
        if (step.first <= chosen) from = step.first;
        else to = std::min<std::size_t>(to, step.first);
    }
    constexpr std::size_t named_max = 4;
    std::string reason = "cheapest first:";
    for (auto i = from; i < std::min(to, from + named_max); ++i) {
        const auto price = price_of(*this, plan[i], content, template_of(owner), owner.contact);
        reason.append(i == from ? " " : ", ").append(state.symbols.name(state.profiles.at(plan[i]).account));
        if (price.known) reason.append(" ").append(content::format_money(price.cost)).append(" ").append(price.currency).append(" for ").append(std::to_string(price.segments)).append(price.segments == 1 ? " segment" : " segments");
    }
    return reason;
}

}  // namespace touchgate
