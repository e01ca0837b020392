// What holds for every policy: `until` is exact, more rules never allow more, order does not matter, caps hold over a long run, and an
// oracle that walks minute by minute comes to the same instants.
#include <date/tz.h>

#include <algorithm>
#include <cstdlib>

#include "tests/property/policy/random_policy.hpp"

using namespace touchgate;
using namespace touchgate::policy;

namespace {

// Tests per property, unless the environment says otherwise. RapidCheck reads it at the first check, and prints the seed.
const int tests_per_property = setenv("RC_PARAMS", "max_success=1500 max_size=1000", 0);

std::vector<std::string> random_rules(World& world, std::size_t most) {
    std::vector<std::string> rules;
    for (std::size_t i = 0; i < 1 + world.random.below(most); ++i) rules.push_back(world.random_rule("r" + std::to_string(i)));
    return rules;
}

}  // namespace

TEST_CASE("property: at `until` the touch is allowed, at every instant before it is not", "[policy][property]") {
    REQUIRE(tests_per_property == 0);
    int deferred = 0;
    CHECK(rc::check("until is exact", [&](std::uint64_t seed) {
        World world{seed};
        world.add_history(world.random.below(12), false);
        world.add_acts(world.random.below(5));
        auto rules = random_rules(world, 5);
        if (world.random.chance(0.3)) rules.push_back(R"({"name": "waiver", "kind": "exemption", "waives": ["r0"])" + world.random_when() + "}");
        const auto policy = world.compile(rules);
        const auto decision = world.decide(*policy, world.now);
        const auto detailed = world.decide(*policy, world.now, Detail::explained);
        RC_ASSERT(detailed.verdict == decision.verdict && detailed.rule == decision.rule && detailed.until == decision.until &&
                  detailed.reason == decision.reason);
        if (decision.verdict != Verdict::defer) return;
        ++deferred;
        world.show(decision);
        RC_ASSERT(decision.until > world.now);
        RC_ASSERT(decision.rule != no_rule);
        RC_ASSERT(world.decide(*policy, decision.until).verdict == Verdict::allow);
        std::vector<Instant> probes = {decision.until - Duration{1}, world.now + Duration{1}};
        for (const auto& entry : world.history)
            for (std::int64_t hours = 0; hours < 96; ++hours) probes.push_back(entry.at + std::chrono::hours{hours});
        for (auto at = std::chrono::floor<std::chrono::minutes>(world.now); at < decision.until && probes.size() < 4000;
             at += std::chrono::minutes{30}) {
            probes.push_back(at);
            probes.push_back(at - Duration{1});
        }
        const auto span = static_cast<std::uint64_t>((decision.until - world.now).count());
        for (int i = 0; i < 200; ++i) probes.push_back(world.now + Duration{static_cast<std::int64_t>(world.random.below(span))});
        for (const auto probe : probes)
            if (probe >= world.now && probe < decision.until && world.decide(*policy, probe).verdict == Verdict::allow) {
                RC_LOG() << "allowed already at " << format_instant(probe) << "\n";
                RC_FAIL("allowed before until");
            }
        // The rule that is named does not allow one millisecond before.
        const auto before = world.decide(*policy, decision.until - Duration{1}, Detail::steps);
        RC_ASSERT(std::any_of(before.trace.begin(), before.trace.end(),
                              [&](const TraceStep& step) { return step.rule == decision.rule && step.verdict != Verdict::allow; }));
    }));
    CHECK(deferred > 20);
}

TEST_CASE("property: one more rule never allows more", "[policy][property]") {
    CHECK(rc::check("monotone", [](std::uint64_t seed) {
        World world{seed};
        world.add_history(world.random.below(12), true);
        world.add_acts(world.random.below(5));
        auto rules = random_rules(world, 4);
        const auto policy = world.compile(rules);
        const auto less = world.decide(*policy, world.now);
        rules.insert(rules.begin() + static_cast<std::ptrdiff_t>(world.random.below(rules.size() + 1)), world.random_rule("more"));
        const auto stricter = world.compile(rules);
        const auto more = world.decide(*stricter, world.now);
        world.show(more);
        RC_ASSERT(static_cast<int>(more.verdict) >= static_cast<int>(less.verdict));
        if (more.verdict == Verdict::defer && less.verdict == Verdict::defer) RC_ASSERT(more.until >= less.until);
    }));
}

TEST_CASE("property: the order of rules changes neither verdict nor until", "[policy][property]") {
    CHECK(rc::check("order", [](std::uint64_t seed) {
        World world{seed};
        world.add_history(world.random.below(12), true);
        world.add_acts(world.random.below(5));
        if (world.random.chance(0.5)) world.expires_at = world.now + world.minutes(world.random.below(4000));
        auto rules = random_rules(world, 6);
        const auto first = world.decide(*world.compile(rules), world.now);
        for (std::size_t i = rules.size(); i > 1; --i) std::swap(rules[i - 1], rules[world.random.below(i)]);
        const auto second = world.decide(*world.compile(rules), world.now);
        world.show(second);
        RC_ASSERT(first.verdict == second.verdict);
        RC_ASSERT(first.until == second.until);
        RC_ASSERT(first.reason == second.reason);
    }));
}

namespace {

// A cap as plain numbers, for the checks that do not use the policy's code.
struct PlainCap {
    int max;
    int minutes;  // sliding; 0: calendar
    char period;  // 'd', 'w', 'm'
    bool by_channel;
    std::string rule(const std::string& name) const {
        const auto per = minutes > 0 ? "PT" + std::to_string(minutes) + "M" : std::string{period == 'd' ? "day" : period == 'w' ? "week" : "month"};
        return R"({"name": ")" + name + R"(", "kind": "cap", "max": )" + std::to_string(max) + R"(, "per": ")" + per + R"(", "by": ["contact")" +
               (by_channel ? R"(, "channel")" : "") + "]}";
    }
};

PlainCap random_cap(Random& random) {
    PlainCap cap{1 + static_cast<int>(random.below(4)), random.chance(0.6) ? 1 + static_cast<int>(random.below(3000)) : 0, 'd', random.chance(0.4)};
    cap.period = "dwm"[random.below(3)];
    return cap;
}

date::local_time<std::chrono::milliseconds> local(const date::time_zone* zone, Instant at) {
    return zone->to_local(date::sys_time<std::chrono::milliseconds>{at.time_since_epoch()});
}

// The first day of the period in which the local time lies.
date::local_days period_start(char period, date::local_time<std::chrono::milliseconds> at) {
    const auto day = date::floor<date::days>(at);
    if (period == 'd') return day;
    if (period == 'w') return day - (date::weekday{day} - date::Monday);
    const date::year_month_day date_of{day};
    return date::local_days{date_of.year() / date_of.month() / 1};
}

bool same_counter(const World& world, const PlainCap& cap, ProfileId a, ProfileId b) {
    return !cap.by_channel || world.profiles.at(a).channel == world.profiles.at(b).channel;
}

int counted(const World& world, const PlainCap& cap, const date::time_zone* zone, ProfileId profile, Instant at) {
    int count = 0;
    for (const auto& entry : world.history) {
        if (entry.slot == Slot::reserved || !same_counter(world, cap, entry.profile, profile)) continue;
        if (cap.minutes > 0) count += entry.at <= at && at < entry.at + std::chrono::minutes{cap.minutes} ? 1 : 0;
        else count += period_start(cap.period, local(zone, entry.at)) == period_start(cap.period, local(zone, at)) ? 1 : 0;
    }
    return count;
}

}  // namespace

TEST_CASE("property: over a long run that obeys the decisions no cap is ever exceeded", "[policy][property]") {
    CHECK(rc::check("caps hold", [](std::uint64_t seed) {
        World world{seed};
        world.time_zone = some_zones()[world.random.below(some_zones().size())];
        const auto* zone = date::locate_zone(world.time_zone);
        std::vector<PlainCap> caps;
        std::vector<std::string> rules;
        for (std::size_t i = 0; i < 1 + world.random.below(3); ++i) {
            caps.push_back(random_cap(world.random));
            rules.push_back(caps.back().rule("cap-" + std::to_string(i)));
        }
        const auto policy = world.compile(rules);
        // Touches are reserved at their decision, wait, and are decided again at the permit, as the engine does.
        std::uint64_t touches = 10;
        auto now = world.start;
        for (int turn = 0; turn < 300; ++turn) {
            now += Duration{static_cast<std::int64_t>(world.random.below(world.random.chance(0.3) ? 20'000'000 : 2'000'000))};
            const auto waiting =
                std::find_if(world.history.begin(), world.history.end(), [](const auto& entry) { return entry.slot == Slot::reserved; });
            if (waiting != world.history.end() && world.random.chance(0.6)) {
                world.touch = waiting->touch;
                world.own = waiting->profile;
                const auto decision = world.decide(*policy, now);
                auto entry = *waiting;
                world.history.erase(waiting);
                if (decision.verdict != Verdict::allow) continue;  // its slot is given up
                entry.slot = Slot::counted;
                entry.at = now;
                world.history.push_back(entry);
                for (const auto& cap : caps) RC_ASSERT(counted(world, cap, zone, entry.profile, now) <= cap.max);
            } else {
                world.touch = ++touches;
                world.own = world.ids[world.random.below(world.ids.size())];
                const auto decision = world.decide(*policy, now);
                if (decision.verdict == Verdict::allow)
                    world.history.push_back({.at = now, .touch = world.touch, .profile = world.own, .address = 1, .slot = Slot::reserved});
            }
        }
    }));
}

TEST_CASE("property: an oracle that walks minute by minute finds the same instant", "[policy][property]") {
    CHECK(rc::check("oracle", [](std::uint64_t seed) {
        World world{seed};
        world.now = std::chrono::floor<std::chrono::minutes>(world.now);
        world.time_zone = some_zones()[world.random.below(some_zones().size())];
        const auto* zone = date::locate_zone(world.time_zone);
        for (std::size_t i = 0; i < world.random.below(10); ++i)
            world.history.push_back({.at = world.now - world.minutes(world.random.below(4 * 1440)),
                                     .touch = 50 + i,
                                     .profile = world.ids[world.random.below(world.ids.size())],
                                     .address = 1,
                                     .slot = Slot::counted});
        std::vector<PlainCap> caps;
        std::vector<std::string> rules;
        for (std::size_t i = 0; i < 1 + world.random.below(3); ++i) {
            caps.push_back(random_cap(world.random));
            if (caps.back().minutes == 0 && caps.back().period == 'm') caps.back().period = 'd';
            rules.push_back(caps.back().rule("cap-" + std::to_string(i)));
        }
        // Open on some weekdays between two minutes.
        const auto from = world.random.below(1300);
        const auto to = from + 30 + world.random.below(1440 - from - 29);
        std::vector<bool> open_on(7);
        std::string days;
        const char* words[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
        for (std::size_t day = 0; day < 7; ++day)
            if (world.random.chance(0.7) || (day == 6 && days.empty())) {
                open_on[day] = true;
                days += (days.empty() ? "\"" : ", \"") + std::string{words[day]} + "\"";
            }
        rules.push_back(R"({"name": "hours", "kind": "hours", "open": [{"days": [)" + days + R"(], "from": ")" + world.clock(from) + R"(", "to": ")" +
                        world.clock(to) + R"("}]})");
        const auto policy = world.compile(rules);
        const auto decision = world.decide(*policy, world.now);

        const auto allowed = [&](Instant at) {
            const auto wall = local(zone, at);
            const auto day = date::floor<date::days>(wall);
            const auto minute = static_cast<std::uint64_t>(std::chrono::floor<std::chrono::minutes>(wall - day).count());
            if (!open_on[date::weekday{day}.c_encoding()] || minute < from || minute >= to) return false;
            return std::all_of(caps.begin(), caps.end(), [&](const PlainCap& cap) { return counted(world, cap, zone, world.own, at) < cap.max; });
        };
        auto at = world.now;
        const auto horizon = world.now + world.minutes(30 * 1440);
        while (at < horizon && !allowed(at)) at += std::chrono::minutes{1};
        world.show(decision);
        RC_LOG() << "oracle " << format_instant(at) << "\n";
        if (at == world.now) RC_ASSERT(decision.verdict == Verdict::allow);
        else if (at < horizon) RC_ASSERT((decision.verdict == Verdict::defer && decision.until == at));
        else RC_ASSERT(decision.verdict != Verdict::allow);
    }));
}

TEST_CASE("property: with reservations a touch either waits for their release or cannot be helped by it", "[policy][property]") {
    CHECK(rc::check("waits_for_release", [](std::uint64_t seed) {
        World world{seed};
        world.add_history(world.random.below(8), true);
        world.add_acts(world.random.below(4));
        world.expires_at = world.now + world.minutes(1 + world.random.below(4000));
        const auto policy = world.compile(random_rules(world, 4));
        const auto decision = world.decide(*policy, world.now);
        std::erase_if(world.history, [](const auto& entry) { return entry.slot == Slot::reserved; });
        const auto without = world.decide(*policy, world.now);
        world.show(decision);
        if (decision.verdict == Verdict::defer) RC_ASSERT(decision.until <= world.expires_at);
        if (decision.reason == Reason::waits_for_release) {
            RC_ASSERT(decision.until == world.expires_at);
            RC_ASSERT(without.verdict != Verdict::deny);
        } else if (decision.reason == Reason::expires_first) {
            RC_ASSERT(without.verdict == Verdict::deny);
        } else if (decision.verdict == Verdict::defer) {
            RC_ASSERT(decision.until < world.expires_at);
        }
    }));
}
