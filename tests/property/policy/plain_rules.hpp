// Random rules of all kinds that depend on time, each twice: as the JSON that the policy compiles, and as a plain predicate, "is the touch
// allowed at t?", written from the reference and sharing no code with the policy. Each tells at which instants its answer may turn, beside
// the quarter hours of the clock, so that an oracle can find the earliest instant by trying them all.
#pragma once

#include <date/tz.h>

#include <cmath>
#include <functional>
#include <set>

#include "tests/property/policy/random_policy.hpp"

namespace touchgate::policy {

struct PlainRule {
    std::string json;
    std::function<bool(Instant)> allows;
    std::function<bool(Instant)> denies = [](Instant) { return false; };  // refused outright, not until later
    std::vector<Instant> changes = {};
};

// Must outlive the rules that it makes, and `world` must outlive it.
class PlainRules {
public:
    explicit PlainRules(World& world) : world_{world}, zone_{date::locate_zone(world.time_zone)} {}

    PlainRule make(const std::string& name) {
        When when = random_when();
        auto rule = make_kind(name, when);
        rule.json += when.json + "}";
        rule.changes.insert(rule.changes.end(), when.changes.begin(), when.changes.end());
        rule.allows = [allows = rule.allows, binds = when.binds](Instant at) { return !binds(at) || allows(at); };
        rule.denies = [denies = rule.denies, binds = when.binds](Instant at) { return binds(at) && denies(at); };
        return rule;
    }

private:
    using Local = date::local_time<std::chrono::milliseconds>;

    struct When {
        std::string json;
        std::function<bool(Instant)> binds = [](Instant) { return true; };
        // Is an attempt counted by a rule that says nothing else? `at`: the instant that is judged.
        std::function<bool(const HistoryEntry&, Instant at)> counts = [](const HistoryEntry&, Instant) { return true; };
        std::vector<Instant> changes = {};
    };

    When random_when() {
        When when;
        switch (world_.random.below(7)) {
            case 0: {
                when.json = R"(, "when": {"purposes": ["marketing", "care"]})";
                const auto one_of = [this](ProfileId id) {
                    const auto purpose = world_.symbols.name(world_.profiles.at(id).purpose);
                    return purpose == "marketing" || purpose == "care";
                };
                when.binds = [this, one_of](Instant) { return one_of(world_.own); };
                when.counts = [one_of](const HistoryEntry& entry, Instant) { return one_of(entry.profile); };
                return when;
            }
            case 1: {
                const auto from = world_.now + world_.minutes(world_.random.below(4000)) - world_.minutes(2500);
                const auto to = from + world_.minutes(1 + world_.random.below(5000));
                when.json = R"(, "when": {"between": [")" + format_instant(from) + R"(", ")" + format_instant(to) + R"("]})";
                when.binds = [from, to](Instant at) { return from <= at && at < to; };
                when.counts = [from, to](const HistoryEntry& entry, Instant) { return from <= entry.at && entry.at < to; };
                when.changes = {from, to};
                return when;
            }
            case 2: {
                const auto length = world_.minutes(1 + world_.random.below(900));
                when.json = R"(, "when": {"not": {"inbound_within": "PT)" + std::to_string(length / std::chrono::minutes{1}) + R"(M"}})";
                const auto inbound = world_.last_inbound;
                when.binds = [inbound, length](Instant at) { return inbound == Instant::min() || inbound > at || at - inbound >= length; };
                when.counts = [binds = when.binds](const HistoryEntry&, Instant at) { return binds(at); };
                if (inbound != Instant::min()) when.changes = {inbound, inbound + length};
                return when;
            }
            default: return when;
        }
    }

    // What counts of an attempt: not released, not failed unless the rule keeps those, of the same channel or label where `by` says so.
    struct Counter {
        bool by_channel = false, by_debt = false, keeps_failed = false;
    };
    Counter random_counter() { return {world_.random.chance(0.3), world_.random.chance(0.3), world_.random.chance(0.3)}; }
    static std::string json_of(const Counter& counter) {
        return std::string{R"(, "by": ["contact")"} + (counter.by_channel ? R"(, "channel")" : "") + (counter.by_debt ? R"(, "metadata:debt")" : "") + "]" +
               (counter.keeps_failed ? R"(, "release_on_failed_receipt": false)" : "");
    }
    [[nodiscard]] bool is_counted(const Counter& counter, const HistoryEntry& entry) const {
        if (entry.slot != Slot::counted && !(entry.slot == Slot::failed && counter.keeps_failed)) return false;
        if (counter.by_channel && world_.profiles.at(entry.profile).channel != world_.profiles.at(world_.own).channel) return false;
        return !counter.by_debt || debt(world_.profiles.facts().at(entry.facts)) == debt(world_.own_facts);
    }
    static std::uint64_t debt(const AttemptFacts& facts) { return facts.labels.empty() ? 0 : facts.labels.front().value; }

    // Sliding or calendar; "" of a budget: ever.
    struct Window {
        Duration sliding{0};
        char period = 0;  // 'd', 'w', 'm'; 0 and no duration: ever
        std::string json;
    };
    Window random_window(bool may_be_ever) {
        Window window;
        if (may_be_ever && world_.random.chance(0.15)) return window;
        if (world_.random.chance(0.6)) {
            window.sliding = world_.minutes(1 + world_.random.below(4000));
            window.json = R"(, "per": "PT)" + std::to_string(window.sliding / std::chrono::minutes{1}) + R"(M")";
        } else {
            window.period = "dwm"[world_.random.below(3)];
            window.json = std::string{R"(, "per": ")"} + (window.period == 'd' ? "day" : window.period == 'w' ? "week" : "month") + '"';
        }
        return window;
    }
    [[nodiscard]] Local local(Instant at) const { return zone_->to_local(date::sys_time<std::chrono::milliseconds>{at.time_since_epoch()}); }
    [[nodiscard]] static date::local_days period_start(char period, Local at) {
        const auto day = date::floor<date::days>(at);
        if (period == 'd') return day;
        if (period == 'w') return day - (date::weekday{day} - date::Monday);
        const date::year_month_day date_of{day};
        return date::local_days{date_of.year() / date_of.month() / 1};
    }
    [[nodiscard]] bool in_window(const Window& window, Instant entry, Instant at) const {
        if (window.sliding > Duration{0}) return entry <= at && at < entry + window.sliding;
        if (window.period == 0) return entry <= at;
        return period_start(window.period, local(entry)) == period_start(window.period, local(at));
    }
    [[nodiscard]] std::vector<Instant> leaves(const Window& window) const {
        std::vector<Instant> instants;
        if (window.sliding > Duration{0})
            for (const auto& entry : world_.history) instants.push_back(entry.at + window.sliding);
        return instants;
    }

    PlainRule make_kind(const std::string& name, const When& when) {
        const auto head = R"({"name": ")" + name + R"(", "kind": ")";
        switch (world_.random.below(10)) {
            case 0:
            case 1: return cap(head, when);
            case 2: return budget(head, when);
            case 3: return fatigue(head, when);
            case 4: return gap_after_touch(head, when);
            case 5: return gap_after_event(head);
            case 6: return hours(head);
            case 7: return attempts(head, when);
            case 8: return session_window(head, when);
            default: return blackout(head);
        }
    }

    PlainRule cap(const std::string& head, const When& when) {
        const auto counter = random_counter();
        const auto window = random_window(false);
        const auto max = 1 + world_.random.below(3);
        return {.json = head + R"(cap", "max": )" + std::to_string(max) + window.json + json_of(counter),
                .allows =
                    [=, this, counts = when.counts](Instant at) {
                        std::size_t used = 0;
                        for (const auto& entry : world_.history)
                            used += is_counted(counter, entry) && counts(entry, at) && in_window(window, entry.at, at) ? 1 : 0;
                        return used + 1 <= max;
                    },
                .changes = leaves(window)};
    }

    PlainRule budget(const std::string& head, const When& when) {
        const auto counter = random_counter();
        const auto window = random_window(true);
        const auto max = static_cast<std::int64_t>(10'000 * (5 + world_.random.below(150)));  // millionths
        return {.json = head + R"(budget", "max": ")" + std::to_string(max / 1'000'000) + "." + std::to_string(1'000'000 + max % 1'000'000).substr(1) +
                        R"(", "zone": ")" + world_.time_zone + '"' + window.json + json_of(counter),
                .allows =
                    [=, this, counts = when.counts](Instant at) {
                        std::int64_t used = cost(world_.own_facts);
                        for (const auto& entry : world_.history)
                            if (is_counted(counter, entry) && counts(entry, at) && in_window(window, entry.at, at)) used += cost(world_.profiles.facts().at(entry.facts));
                        return used <= max;
                    },
                .denies = [=, this](Instant) { return cost(world_.own_facts) > max; },
                .changes = leaves(window)};
    }
    [[nodiscard]] std::int64_t cost(const AttemptFacts& facts) const { return world_.symbols.name(facts.currency) == "CNY" ? facts.cost_micros : 0; }

    PlainRule fatigue(const std::string& head, const When& when) {
        struct Ceiling {
            long double score;
            std::size_t max;
            Window window;
        };
        std::vector<Ceiling> ceilings;
        std::string list;
        for (std::uint64_t i = 0; i < 1 + world_.random.below(2); ++i) {
            const auto percent = 20 + world_.random.below(200);
            ceilings.push_back({static_cast<long double>(percent) / 100, world_.random.below(3), random_window(false)});
            list += std::string{i == 0 ? "" : ", "} + R"({"score": )" + std::to_string(percent / 100) + "." + std::to_string(100 + percent % 100).substr(1) + R"(, "max": )" +
                    std::to_string(ceilings.back().max) + ceilings.back().window.json + "}";
        }
        const auto half_life = world_.minutes(300 + world_.random.below(4000));
        const auto score = [this, half_life](Instant at) {
            long double sum = 0;
            for (const auto& act : world_.acts) {
                const auto kind = world_.symbols.name(act.kind);
                const long double weight = kind == "complaint" ? 1 : kind == "unfollow" ? 0.5L : 0;
                if (act.at <= at) sum += weight * std::pow(2.0L, -static_cast<long double>((at - act.at).count()) / static_cast<long double>(half_life.count()));
            }
            return sum;
        };
        PlainRule rule{.json = head + R"(fatigue", "signals": {"complaint": 1, "unfollow": 0.5}, "half_life": "PT)" + std::to_string(half_life / std::chrono::minutes{1}) +
                               R"(M", "ceilings": [)" + list + "]",
                       .allows =
                           [=, this, counts = when.counts](Instant at) {
                               for (const auto& ceiling : ceilings) {
                                   if (score(at) < ceiling.score) continue;
                                   std::size_t used = 0;
                                   for (const auto& entry : world_.history)
                                       used += is_counted({}, entry) && counts(entry, at) && in_window(ceiling.window, entry.at, at) ? 1 : 0;
                                   if (used + 1 > ceiling.max) return false;
                               }
                               return true;
                           }};
        for (const auto& ceiling : ceilings) {
            const auto more = leaves(ceiling.window);
            rule.changes.insert(rule.changes.end(), more.begin(), more.end());
            // The score falls from the last act on: the first millisecond below the ceiling, by halving.
            auto low = world_.now;
            for (const auto& act : world_.acts) low = std::max(low, act.at);
            auto high = low + std::chrono::hours{24 * 400};
            if (score(low) < ceiling.score) continue;
            while (high - low > Duration{1}) {
                const auto middle = low + (high - low) / 2;
                (score(middle) < ceiling.score ? high : low) = middle;
            }
            rule.changes.push_back(high);
        }
        return rule;
    }

    PlainRule gap_after_touch(const std::string& head, const When& when) {
        const auto counter = random_counter();
        const auto length = world_.minutes(1 + world_.random.below(3000));
        PlainRule rule{.json = head + R"(gap", "after": "touch", "at_least": "PT)" + std::to_string(length / std::chrono::minutes{1}) + R"(M")" + json_of(counter),
                       .allows = [=, this, counts = when.counts](Instant at) {
                           return std::none_of(world_.history.begin(), world_.history.end(), [&](const auto& entry) {
                               return is_counted(counter, entry) && counts(entry, at) && entry.at <= at && at < entry.at + length;
                           });
                       }};
        for (const auto& entry : world_.history) rule.changes.push_back(entry.at + length);
        return rule;
    }

    PlainRule gap_after_event(const std::string& head) {
        const auto length = world_.minutes(1 + world_.random.below(6000));
        PlainRule rule{.json = head + R"(gap", "after": "event", "events": ["event.received"], "kinds": ["complaint"], "at_least": "PT)" +
                               std::to_string(length / std::chrono::minutes{1}) + R"(M")",
                       .allows = [=, this](Instant at) {
                           return std::none_of(world_.acts.begin(), world_.acts.end(), [&](const Act& act) {
                               return world_.symbols.name(act.event) == "event.received" && world_.symbols.name(act.kind) == "complaint" && act.at <= at && at < act.at + length;
                           });
                       }};
        for (const auto& act : world_.acts) rule.changes.push_back(act.at + length);
        return rule;
    }

    PlainRule hours(const std::string& head) {
        // Quarter hours, so that every opening lies on the oracle's grid.
        struct Span {
            std::set<std::string> days;
            std::uint64_t from, to;
        };
        std::vector<Span> spans;
        std::string list;
        const bool with_calendar = world_.random.chance(0.6);
        for (std::uint64_t i = 0; i < 1 + world_.random.below(3); ++i) {
            Span span;
            span.from = 15 * world_.random.below(80);
            span.to = span.from + 15 * (1 + world_.random.below((1440 - span.from) / 15));
            std::string days;
            for (const auto* day : {"mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday", "makeup"}) {
                const std::string word = day;
                if ((word == "holiday" || word == "makeup") && !with_calendar) continue;
                if (!world_.random.chance(0.6)) continue;
                span.days.insert(word);
                days += (days.empty() ? "\"" : ", \"") + word + "\"";
            }
            if (days.empty()) {
                span.days.insert("mon");
                days = "\"mon\"";
            }
            list += std::string{i == 0 ? "" : ", "} + R"({"days": [)" + days + R"(], "from": ")" + world_.clock(span.from) + R"(", "to": ")" + world_.clock(span.to) + R"("})";
            spans.push_back(std::move(span));
        }
        return {.json = head + R"(hours")" + (with_calendar ? R"(, "calendar": "festive")" : "") + R"(, "open": [)" + list + "]", .allows = [=, this](Instant at) {
                    const auto wall = local(at);
                    const auto day = date::floor<date::days>(wall);
                    const auto minute = static_cast<std::uint64_t>(std::chrono::floor<std::chrono::minutes>(wall - day).count());
                    const auto open = [&](const std::string& kind) {
                        return std::any_of(spans.begin(), spans.end(), [&](const Span& span) { return span.days.contains(kind) && span.from <= minute && minute < span.to; });
                    };
                    static const char* const words[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
                    const std::string weekday = words[date::weekday{day}.c_encoding()];
                    if (!with_calendar) return open(weekday);
                    const auto text = date::format("%F", day);
                    if (text < World::calendar_from || text > World::calendar_to) return open(weekday) && open("holiday");
                    if (World::holidays().contains(text)) return open("holiday");
                    if (World::workdays().contains(text)) return open("makeup");
                    return open(weekday);
                }};
    }

    PlainRule attempts(const std::string& head, const When& when) {
        const auto counter = random_counter();
        const auto window = random_window(false);
        const auto max = 1 + world_.random.below(3);
        const bool consecutive = world_.random.chance(0.5);
        const auto no_answer = World::no_answer;
        return {.json = head + (consecutive ? R"(cap", "counts": {"outcomes": ["no_answer"], "consecutive": true}, "max": )"
                                            : R"(attempts", "outcomes": ["no_answer"], "reset_by": ["answered"], "max": )") +
                        std::to_string(max) + window.json + json_of(counter),
                .allows =
                    [=, this, counts = when.counts](Instant at) {
                        // `counts` with keys of its own stands in place of `when`.
                        const auto one = [&](const HistoryEntry& entry) { return is_counted(counter, entry) && (consecutive || counts(entry, at)); };
                        auto reset = Instant::min();
                        for (const auto& entry : world_.history)
                            if (one(entry) && entry.at <= at && entry.outcome == World::answered) reset = std::max(reset, entry.at);
                        std::size_t used = 0;
                        for (const auto& entry : world_.history)
                            used += one(entry) && entry.outcome == no_answer && entry.at > reset && in_window(window, entry.at, at) ? 1 : 0;
                        return used + 1 <= max;
                    },
                .changes = leaves(window)};
    }

    PlainRule session_window(const std::string& head, const When& when) {
        struct One {
            std::string kind;
            Duration since;
            std::size_t messages;
        };
        const std::vector<One> windows = {{"text", world_.minutes(60 + world_.random.below(4000)), 1 + world_.random.below(4)},
                                          {"click", world_.minutes(1 + world_.random.below(300)), 1 + world_.random.below(2)}};
        const auto json = [](const One& one) {
            return R"("opens": [")" + one.kind + R"("], "since": "PT)" + std::to_string(one.since / std::chrono::minutes{1}) + R"(M", "messages": )" + std::to_string(one.messages);
        };
        PlainRule rule{.json = head + R"(session_window", "by": ["contact"], )" + json(windows[0]) + R"(, "also": [{)" + json(windows[1]) + "}]",
                       .allows = [=, this, counts = when.counts](Instant at) {
                           return std::any_of(windows.begin(), windows.end(), [&](const One& one) {
                               auto newest = Instant::min();
                               for (const auto& act : world_.acts)
                                   if (act.at <= at && world_.symbols.name(act.kind) == one.kind && act.channel == world_.profiles.at(world_.own).channel)
                                       newest = std::max(newest, act.at);
                               if (newest == Instant::min() || at >= newest + one.since) return false;
                               std::size_t used = 0;
                               for (const auto& entry : world_.history) used += is_counted({}, entry) && counts(entry, at) && entry.at >= newest ? 1 : 0;
                               return used + 1 <= one.messages;
                           });
                       }};
        rule.denies = [allows = rule.allows](Instant at) { return !allows(at); };
        for (const auto& act : world_.acts)
            for (const auto& one : windows) rule.changes.push_back(act.at + one.since);
        return rule;
    }

    PlainRule blackout(const std::string& head) {
        const auto from = world_.now + world_.minutes(world_.random.below(2000)) - world_.minutes(500);
        const auto to = from + world_.minutes(1 + world_.random.below(3000));
        return {.json = head + R"(blackout", "between": [")" + format_instant(from) + R"(", ")" + format_instant(to) + R"("])",
                .allows = [from, to](Instant at) { return at < from || at >= to; },
                .changes = {to}};
    }

    World& world_;
    const date::time_zone* zone_;
};

}  // namespace touchgate::policy
