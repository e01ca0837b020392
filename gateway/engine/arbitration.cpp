// Who goes first when touches of one contact compete for the same slots. Until its permit a reservation yields to a touch of a higher class,
// or of a higher priority within its class; the weakest yields first, and only as many as must.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

namespace {

// So that nobody starves for ever: a touch that had to yield this often keeps its next reservation.
constexpr std::uint8_t yields_max = 3;

}  // namespace

Choice Engine::Internals::choose_over(TouchFacts& of, int rank, int priority, policy::Detail detail, std::uint8_t from, std::vector<std::uint32_t>& losers) {
    const auto to = static_cast<std::uint8_t>(of.candidates->size());
    auto choice = choose(of, now, detail, from, to);
    if (choice.decision.verdict == policy::Verdict::allow || of.not_before > now || of.contact.value == 0) return choice;

    const auto strength = [&](std::uint32_t row) { return std::tuple{-rank_of(touch(row)), int{touch(row).priority}}; };
    std::vector<std::uint32_t> weaker;
    for (const auto row : state.contacts[of.contact.value].live) {
        const auto& other = touch(row);
        if (other.created_sequence != of.sequence && other.state == TouchState::queued && other.verdict == policy::Verdict::allow && other.yields < yields_max &&
            strength(row) < std::tuple{-rank, priority})
            weaker.push_back(row);
    }
    if (weaker.empty()) return choice;
    // The weakest first, and of equals the youngest.
    std::sort(weaker.begin(), weaker.end(), [&](std::uint32_t a, std::uint32_t b) {
        return std::tuple{strength(a), touch(b).created_sequence} < std::tuple{strength(b), touch(a).created_sequence};
    });
    std::vector<std::uint64_t> yielding;
    const auto without = [&](const std::vector<std::uint64_t>& sequences) {
        of.yielding = &sequences;
        auto again = choose(of, now, detail, from, to);
        of.yielding = nullptr;
        return again;
    };
    for (const auto row : weaker) {
        yielding.push_back(touch(row).created_sequence);
        auto allowed = without(yielding);
        if (allowed.decision.verdict != policy::Verdict::allow) continue;
        // Some of them may not have been in the way: the strongest are spared first. The last one was needed.
        for (auto i = yielding.size() - 1; i-- > 0;) {
            auto fewer = yielding;
            fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
            auto still = without(fewer);
            if (still.decision.verdict != policy::Verdict::allow) continue;
            yielding = std::move(fewer);
            allowed = std::move(still);
        }
        for (const auto candidate : weaker)
            if (std::find(yielding.begin(), yielding.end(), touch(candidate).created_sequence) != yielding.end()) losers.push_back(candidate);
        return allowed;
    }
    return choice;
}

void Engine::Internals::yield_to(const TouchId& id, const std::vector<std::uint32_t>& losers) {
    if (losers.empty()) return;
    const auto won = id;
    const auto* before = std::exchange(winner, &won);
    for (const auto row : losers)
        if (!touch(row).final && touch(row).is_waiting()) decide_again(row, true);
    winner = before;
}

}  // namespace touchgate
