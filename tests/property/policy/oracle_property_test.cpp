// An oracle that shares no code with the policy: every rule as a plain predicate, the earliest instant by trying all instants at which any
// answer can turn. Over all kinds, zones with and without clock changes, holidays and make-up workdays.
#include "tests/property/policy/plain_rules.hpp"

using namespace touchgate;
using namespace touchgate::policy;

namespace {

std::vector<PlainRule> random_rules(PlainRules& plain, std::uint64_t count) {
    std::vector<PlainRule> rules;
    for (std::uint64_t i = 0; i < count; ++i) rules.push_back(plain.make("r" + std::to_string(i)));
    return rules;
}

std::shared_ptr<CompiledPolicy> compiled(World& world, const std::vector<PlainRule>& rules) {
    std::vector<std::string> texts;
    for (const auto& rule : rules) texts.push_back(rule.json);
    return world.compile(texts);
}

}  // namespace

TEST_CASE("property: an oracle that tries every instant finds the same one, over all kinds of rules", "[policy][property]") {
    int deferred = 0;
    int denied = 0;
    CHECK(rc::check("oracle over all kinds", [&](std::uint64_t seed) {
        World world{seed};
        world.time_zone = some_zones()[world.random.below(some_zones().size())];
        world.number_zones.clear();
        world.add_history(world.random.below(12), false);
        world.add_acts(world.random.below(6));
        PlainRules plain{world};
        const auto rules = random_rules(plain, 1 + world.random.below(4));
        const auto policy = compiled(world, rules);
        const auto decision = world.decide(*policy, world.now);

        constexpr auto quarter = std::chrono::minutes{15};
        const auto horizon = world.now + std::chrono::hours{24 * 45};
        std::vector<Instant> instants = {world.now};
        for (const auto& rule : rules)
            for (const auto change : rule.changes)
                if (change > world.now && change < horizon) instants.push_back(change);
        const Instant grid = std::chrono::floor<std::chrono::hours>(world.now);
        for (auto at = grid; at < horizon; at += quarter)
            if (at > world.now) instants.push_back(at);
        std::sort(instants.begin(), instants.end());
        const auto allowed = [&](Instant at) { return std::all_of(rules.begin(), rules.end(), [&](const PlainRule& rule) { return rule.allows(at); }); };
        const auto first = std::find_if(instants.begin(), instants.end(), allowed);

        world.show(decision);
        RC_LOG() << "oracle " << (first == instants.end() ? "none" : format_instant(*first)) << "\n";
        const bool denies = std::any_of(rules.begin(), rules.end(), [&](const PlainRule& rule) { return rule.denies(world.now); });
        if (denies) {
            RC_ASSERT(decision.verdict == Verdict::deny);
            ++denied;
        } else if (first == instants.end()) {
            RC_ASSERT(decision.verdict == Verdict::deny || decision.until >= horizon);
        } else if (*first == world.now) {
            RC_ASSERT(decision.verdict == Verdict::allow);
        } else {
            RC_ASSERT(decision.verdict == Verdict::defer);
            RC_ASSERT(decision.until == *first);
            ++deferred;
        }
    }));
    CHECK(deferred > 50);
    CHECK(denied > 10);
}

TEST_CASE("property: over a long run that obeys the decisions no rule of any kind is ever broken", "[policy][property]") {
    CHECK(rc::check("nothing is broken", [&](std::uint64_t seed) {
        World world{seed};
        world.time_zone = some_zones()[world.random.below(some_zones().size())];
        world.number_zones.clear();
        world.add_acts(world.random.below(6));
        PlainRules plain{world};
        const auto rules = random_rules(plain, 1 + world.random.below(3));
        const auto policy = compiled(world, rules);
        std::uint64_t touches = 1000;
        auto now = world.start;
        for (int turn = 0; turn < 120; ++turn) {
            now += Duration{static_cast<std::int64_t>(world.random.below(world.random.chance(0.3) ? 30'000'000 : 3'000'000))};
            const auto waiting = std::find_if(world.history.begin(), world.history.end(), [](const auto& entry) { return entry.slot == Slot::reserved; });
            const bool permits = waiting != world.history.end() && world.random.chance(0.6);
            bool made = false;
            if (permits) {
                world.touch = waiting->touch;
                world.own = waiting->profile;
                world.own_facts = world.profiles.facts().at(waiting->facts);
            } else {
                world.touch = ++touches;
                world.own = world.ids[world.random.below(world.ids.size())];
                world.own_facts = world.random_facts();
            }
            world.own_facts_id = world.profiles.facts().intern(world.own_facts, made);
            const auto decision = world.decide(*policy, now);
            HistoryEntry entry{.at = now, .touch = world.touch, .profile = world.own, .address = 1, .slot = Slot::reserved, .facts = decision.facts};
            RC_ASSERT(decision.facts == world.own_facts_id);
            if (permits) {
                world.history.erase(waiting);
                if (decision.verdict != Verdict::allow) continue;  // its slot is given up
                // Right before the attempt is counted every predicate must hold, whatever was decided, waited and permitted in between.
                for (const auto& rule : rules) {
                    RC_LOG() << rule.json << "\n";
                    RC_ASSERT(rule.allows(now));
                }
                entry.slot = Slot::counted;
                if (world.random.chance(0.3)) entry.outcome = world.random.chance(0.4) ? World::answered : World::no_answer;
                world.history.push_back(entry);
            } else if (decision.verdict == Verdict::allow) {
                world.history.push_back(entry);
            }
        }
    }));
}
