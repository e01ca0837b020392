#include "gateway/channel/long_attempts.hpp"

#include <algorithm>

namespace touchgate::channel {

namespace {

constexpr int tries_max = 5;
constexpr std::chrono::seconds first_pause{1};

bool may_try_again(const Outcome& refusal) { return refusal.kind == OutcomeKind::throttled || refusal.kind == OutcomeKind::not_sent; }

}  // namespace

void LongAttempts::add(AttemptRef ref, std::vector<std::string> packets) {
    auto& attempt = attempts_[ref];
    attempt = {};
    attempt.parts.reserve(packets.size());
    for (auto& packet : packets) {
        waiting_.push_back({.ref = ref, .part = attempt.parts.size()});
        attempt.parts.push_back({.packet = std::move(packet)});
    }
}

std::optional<LongAttempts::NextPart> LongAttempts::take_next() {
    if (waiting_.empty()) return std::nullopt;
    const auto id = waiting_.front();
    waiting_.pop_front();
    auto* part = find(id);
    if (part == nullptr) return std::nullopt;
    part->state = State::written;
    return NextPart{.id = id, .packet = &part->packet};
}

std::optional<LongAttempts::Finished> LongAttempts::accepted(Monotonic now, PartId id, std::string message_id) {
    auto* part = find(id);
    if (part == nullptr) return std::nullopt;
    part->state = State::accepted;
    part->id = std::move(message_id);
    return decide(now, id.ref);
}

std::optional<LongAttempts::Finished> LongAttempts::refused(Monotonic now, PartId id, Outcome refusal) {
    auto* part = find(id);
    if (part == nullptr) return std::nullopt;
    part->state = may_try_again(refusal) ? State::held_back : State::refused;
    auto& attempt = attempts_.at(id.ref);
    // A refusal for good says more than one that asks for patience.
    if (!attempt.refusal || (may_try_again(*attempt.refusal) && part->state == State::refused)) attempt.refusal = std::move(refusal);
    stop_waiting(id.ref);
    return decide(now, id.ref);
}

std::optional<LongAttempts::Finished> LongAttempts::lost(Monotonic now, PartId id, std::string_view why) {
    auto* part = find(id);
    if (part == nullptr) return std::nullopt;
    part->state = State::lost;
    attempts_.at(id.ref).lost_why = why;
    stop_waiting(id.ref);
    return decide(now, id.ref);
}

void LongAttempts::unwritten(PartId id) {
    if (auto* part = find(id); part != nullptr) part->state = State::unwritten;
}

std::vector<LongAttempts::Finished> LongAttempts::connection_lost(std::string_view why) {
    waiting_.clear();
    pauses_.clear();
    std::vector<Finished> finished;
    while (!attempts_.empty()) {
        const auto at = attempts_.begin();
        const bool nothing_left = std::all_of(at->second.parts.begin(), at->second.parts.end(), [](const Part& part) {
            return part.state == State::unwritten || part.state == State::held_back || part.state == State::refused;
        });
        finished.push_back(finish(at, nothing_left ? at->second.refusal.value_or(Outcome{
                                                         .kind = OutcomeKind::not_sent, .code = "connection_lost", .detail = std::string{why}})
                                                   : mixed(at->second, why)));
    }
    return finished;
}

void LongAttempts::on_wake(Monotonic now) {
    while (!pauses_.empty() && pauses_.begin()->first <= now) {
        const auto ref = pauses_.begin()->second;
        pauses_.erase(pauses_.begin());
        const auto at = attempts_.find(ref);
        if (at == attempts_.end()) continue;
        for (std::size_t i = 0; i < at->second.parts.size(); ++i) {
            auto& state = at->second.parts[i].state;
            if (state != State::held_back && state != State::unwritten) continue;
            state = State::unwritten;
            waiting_.push_back({.ref = ref, .part = i});
        }
        at->second.refusal.reset();
    }
}

std::optional<Monotonic> LongAttempts::wake_at() const {
    return pauses_.empty() ? std::nullopt : std::optional{pauses_.begin()->first};
}

LongAttempts::Part* LongAttempts::find(PartId id) {
    const auto at = attempts_.find(id.ref);
    return at == attempts_.end() || id.part >= at->second.parts.size() ? nullptr : &at->second.parts[id.part];
}

void LongAttempts::stop_waiting(AttemptRef ref) {
    std::erase_if(waiting_, [&](const PartId& id) { return id.ref == ref; });
}

std::optional<LongAttempts::Finished> LongAttempts::decide(Monotonic now, AttemptRef ref) {
    const auto at = attempts_.find(ref);
    auto& attempt = at->second;
    const auto count = [&](State state) {
        return static_cast<std::size_t>(
            std::count_if(attempt.parts.begin(), attempt.parts.end(), [&](const Part& part) { return part.state == state; }));
    };
    if (count(State::written) > 0) return std::nullopt;  // wait for what is on its way
    const auto taken = count(State::accepted);
    if (taken == attempt.parts.size()) {
        Outcome outcome{.kind = OutcomeKind::accepted, .parts = static_cast<int>(attempt.parts.size())};
        for (auto& part : attempt.parts)
            if (!part.id.empty()) outcome.ids.push_back(std::move(part.id));
        return finish(at, std::move(outcome));
    }
    if (count(State::lost) > 0) return finish(at, mixed(attempt, attempt.lost_why));
    if (!attempt.refusal) return std::nullopt;  // parts still wait for a place
    if (taken == 0) return finish(at, *attempt.refusal);
    if (count(State::refused) > 0 || attempt.tries == tries_max) return finish(at, mixed(attempt, attempt.refusal->detail));
    pauses_.emplace(now + first_pause * (1 << attempt.tries), ref);
    ++attempt.tries;
    return std::nullopt;
}

LongAttempts::Finished LongAttempts::finish(Attempts::iterator at, Outcome outcome) {
    const auto ref = at->first;
    outcome.parts = static_cast<int>(at->second.parts.size());
    attempts_.erase(at);
    return {.ref = ref, .outcome = std::move(outcome)};
}

Outcome LongAttempts::mixed(const Attempt& attempt, std::string_view why) {
    Outcome outcome{.kind = OutcomeKind::unknown, .code = attempt.refusal ? attempt.refusal->code : std::string{"no_answer"}};
    for (const auto& part : attempt.parts)
        if (part.state == State::accepted && !part.id.empty()) outcome.ids.push_back(part.id);
    const auto taken = std::count_if(attempt.parts.begin(), attempt.parts.end(), [](const Part& part) { return part.state == State::accepted; });
    outcome.detail = std::to_string(taken) + " of " + std::to_string(attempt.parts.size()) + " parts accepted; " + std::string{why};
    return outcome;
}

}  // namespace touchgate::channel
