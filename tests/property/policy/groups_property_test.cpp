// Posts to groups against a plain count over the members, and confidence limits against the equations that define them.
#include <cmath>

#include "gateway/policy/binomial_bound.hpp"
#include "tests/property/policy/random_policy.hpp"

using namespace touchgate;
using namespace touchgate::policy;

TEST_CASE("property: a post to a group goes at the first instant at which it is too much for few enough members", "[policy][property]") {
    int deferred = 0;
    CHECK(rc::check("members", [&](std::uint64_t seed) {
        World world{seed};
        std::vector<std::vector<HistoryEntry>> histories(1 + world.random.below(8));
        for (auto& history : histories) {
            for (auto count = world.random.below(6); count > 0; --count)
                history.push_back({.at = world.now - Duration{static_cast<std::int64_t>(world.random.below(4 * 86'400'000))},
                                   .touch = 100 + count,
                                   .profile = world.ids[world.random.below(world.ids.size())],
                                   .address = 1,
                                   .slot = world.random.chance(0.15) ? Slot::released : Slot::counted});
            std::sort(history.begin(), history.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
        }
        const std::vector<std::span<const HistoryEntry>> members{histories.begin(), histories.end()};
        const auto max = 1 + world.random.below(3);
        const auto minutes = 1 + world.random.below(5000);
        const auto per = std::chrono::minutes{static_cast<std::int64_t>(minutes)};
        const auto tenths = world.random.below(10);
        const auto policy = world.compile({R"({"name": "group", "kind": "cap", "max": )" + std::to_string(max) + R"(, "per": "PT)" + std::to_string(minutes) +
                                           R"(M", "by": ["member"], "max_share_over": 0.)" + std::to_string(tenths) + "}"});
        const auto allowed = [&](Instant at) {
            std::size_t over = 0;
            for (const auto& history : histories) {
                std::size_t used = 0;
                for (const auto& entry : history) used += entry.slot == Slot::counted && entry.at <= at && at < entry.at + per ? 1 : 0;
                over += used + 1 > max ? 1 : 0;
            }
            return over * 10 <= tenths * histories.size();
        };
        const Request request{.profile = world.own, .names = world.profiles.at(world.own), .touch = 1, .members = members};
        const auto decision = policy->decide(request, {.time_zone = "UTC"}, {.number = 1}, nullptr, world.now, Detail::none);
        std::vector<Instant> instants = {world.now};
        for (const auto& history : histories)
            for (const auto& entry : history)
                if (entry.at + per > world.now) instants.push_back(entry.at + per);
        std::sort(instants.begin(), instants.end());
        const auto first = std::find_if(instants.begin(), instants.end(), allowed);
        RC_ASSERT(first != instants.end());
        world.show(decision);
        if (*first == world.now) {
            RC_ASSERT(decision.verdict == Verdict::allow);
        } else {
            RC_ASSERT((decision.verdict == Verdict::defer && decision.until == *first));
            ++deferred;
        }
    }));
    CHECK(deferred > 50);
}

TEST_CASE("property: confidence limits solve the equations that define them", "[policy][property]") {
    CHECK(rc::check("limits", [](std::uint64_t seed) {
        Random random{seed};
        const auto trials = 1 + random.below(1'000);
        const auto hits = random.below(trials);
        const auto confidence = 0.5 + 0.4999 * static_cast<double>(random.below(1'000)) / 1'000;
        RC_LOG() << hits << " of " << trials << " at " << confidence << "\n";

        // P(X ≤ hits) at the limit is what is left beside the confidence.
        const auto exact = static_cast<long double>(clopper_pearson_upper(hits, trials, confidence));
        RC_ASSERT((exact > static_cast<long double>(hits) / static_cast<long double>(trials) && exact <= 1));
        long double below = 0;
        for (std::uint64_t k = 0; k <= hits; ++k) {
            const auto n = static_cast<long double>(trials);
            const auto i = static_cast<long double>(k);
            below += std::exp(std::lgamma(n + 1) - std::lgamma(i + 1) - std::lgamma(n - i + 1) + i * std::log(exact) + (n - i) * std::log1p(-exact));
        }
        RC_ASSERT(std::abs(static_cast<double>(below) - (1 - confidence)) < 1e-6);

        // The share seen lies z standard errors, taken at the limit, below it.
        const auto limit = wilson_upper(hits, trials, confidence);
        const auto seen = static_cast<double>(hits) / static_cast<double>(trials);
        const auto z = (limit - seen) / std::sqrt(limit * (1 - limit) / static_cast<double>(trials));
        RC_ASSERT(std::abs(0.5 * std::erfc(-z / std::sqrt(2.0)) - confidence) < 1e-9);
        // More hits, or more doubt, never lower a limit.
        RC_ASSERT(share_upper_bound(hits + 1, trials, confidence) >= share_upper_bound(hits, trials, confidence));
    }));
}
