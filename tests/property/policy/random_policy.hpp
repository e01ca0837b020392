// Random policies, contacts and histories for the properties, all from one seed. A rule is kept as its JSON and, for the oracles, as
// the few numbers it was made from.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "gateway/base/random.hpp"
#include "gateway/policy/calendar.hpp"
#include "gateway/policy/call_outcomes.hpp"
#include "gateway/policy/decide.hpp"
#include "tests/catch.hpp"

namespace touchgate::policy {

inline const std::vector<std::string>& some_zones() {
    static const std::vector<std::string> zones = {
        "Asia/Shanghai",    "Europe/Berlin",  "America/New_York", "America/Los_Angeles", "Australia/Lord_Howe",
        "America/Santiago", "Asia/Kathmandu", "Pacific/Chatham",  "Africa/Casablanca",   "UTC"};
    return zones;
}

inline constexpr const char* some_purposes[] = {"marketing", "care", "service"};
inline constexpr const char* some_channels[] = {"sms", "wecom"};

struct World {
    explicit World(std::uint64_t seed) : random{seed} {
        // The day before a clock change as often as not.
        const char* starts[] = {"2026-03-07T00:00:00Z", "2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z",
                                "2026-10-31T00:00:00Z", "2026-07-01T00:00:00Z", "2026-12-28T00:00:00Z",
                                "2026-02-12T00:00:00Z", "2026-09-29T00:00:00Z"};
        start = *parse_instant(starts[random.below(8)]);
        now = start + Duration{static_cast<std::int64_t>(random.below(86'400'000))};
        if (random.chance(0.8)) time_zone = some_zones()[random.below(some_zones().size())];
        else
            for (std::uint64_t i = 0; i < 1 + random.below(2); ++i) number_zones.push_back(some_zones()[random.below(some_zones().size())]);
        for (const auto* purpose : some_purposes)
            for (const auto* channel : some_channels) {
                bool made = false;
                ids.push_back(profiles.intern({symbols.intern(purpose), symbols.intern(channel), {}, {}, {}, {}}, made));
            }
        consents.push_back({.channel = {}, .purpose = {}, .unit = {}, .granted = true, .at = now - minutes(random.below(20 * 1440))});
        last_inbound = random.chance(0.5) ? now - minutes(random.below(600)) : Instant::min();
        own = ids[random.below(ids.size())];
        own_facts = random_facts();
        bool made = false;
        own_facts_id = profiles.facts().intern(own_facts, made);
        calendars["festive"] = *parse_calendar(festive(), "festive");
    }

    // A spring festival and a golden week with make-up workdays around the starts above; it ends in autumn.
    static constexpr const char* calendar_from = "2026-02-01";
    static constexpr const char* calendar_to = "2026-10-26";
    static const std::set<std::string>& holidays() {
        static const std::set<std::string> days = {"2026-02-16", "2026-02-17", "2026-02-18", "2026-10-01", "2026-10-02", "2026-10-05", "2026-03-29"};
        return days;
    }
    static const std::set<std::string>& workdays() {
        static const std::set<std::string> days = {"2026-02-14", "2026-02-28", "2026-10-10", "2026-03-08", "2026-10-25"};
        return days;
    }
    static Json festive() { return {{"covers", {calendar_from, calendar_to}}, {"holidays", holidays()}, {"workdays", workdays()}}; }

    static constexpr auto answered = call_outcome_number("answered");
    static constexpr auto no_answer = call_outcome_number("no_answer");

    // A cost in hundredths, now and then in another currency, and now and then a debt.
    AttemptFacts random_facts() {
        AttemptFacts facts{.cost_micros = static_cast<std::int64_t>(10'000 * (1 + random.below(50))), .currency = symbols.intern(random.chance(0.85) ? "CNY" : "USD")};
        if (random.chance(0.6)) facts.labels = {{symbols.intern("metadata:debt"), 1 + random.below(2)}};
        return facts;
    }

    void add_acts(std::size_t count) {
        const char* kinds[] = {"complaint", "unfollow", "text", "click", "praise"};
        for (std::size_t i = 0; i < count; ++i)
            acts.push_back({now - Duration{static_cast<std::int64_t>(random.below(5 * 86'400'000))},
                            symbols.intern(random.chance(0.7) ? "event.received" : "message.received"), symbols.intern(kinds[random.below(5)]),
                            symbols.intern(some_channels[random.below(2)])});
        std::sort(acts.begin(), acts.end(), [](const Act& a, const Act& b) { return a.at < b.at; });
    }

    Duration minutes(std::uint64_t count) { return std::chrono::minutes{static_cast<std::int64_t>(count)}; }

    void add_history(std::size_t count, bool reserved) {
        bool made = false;
        for (std::size_t i = 0; i < count; ++i)
            history.push_back({.at = now - Duration{static_cast<std::int64_t>(random.below(4 * 86'400'000))},
                               .touch = 100 + i,
                               .profile = ids[random.below(ids.size())],
                               .address = 1,
                               .slot = reserved && random.chance(0.3) ? Slot::reserved
                                       : random.chance(0.1)           ? Slot::failed
                                                                      : Slot::counted,
                               .outcome = random.chance(0.7)   ? std::uint8_t{0}
                                          : random.chance(0.4) ? answered
                                                               : no_answer,
                               .facts = profiles.facts().intern(random_facts(), made)});
        std::sort(history.begin(), history.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    }

    std::string clock(std::uint64_t minute) {
        const auto two = [](std::uint64_t value) {
            return std::string{static_cast<char>('0' + value / 10 % 10), static_cast<char>('0' + value % 10)};
        };
        return two(minute / 60) + ":" + two(minute % 60);
    }

    std::string random_when() {
        switch (random.below(6)) {
            case 0: return R"(, "when": {"purposes": ["marketing", "care"]})";
            case 1: {
                const auto from = now + minutes(random.below(2 * 1440)) - minutes(1440);
                return R"(, "when": {"between": [")" + format_instant(from) + R"(", ")" + format_instant(from + minutes(1 + random.below(2 * 1440))) +
                       R"("]})";
            }
            case 2: return R"(, "when": {"inbound_within": "PT)" + std::to_string(1 + random.below(900)) + R"(M"})";
            default: return "";
        }
    }

    std::string random_rule(const std::string& name, bool with_when = true) {
        const auto head = R"({"name": ")" + name + R"(", "kind": ")";
        const auto when = with_when ? random_when() : std::string{};
        switch (random.below(14)) {
            case 9:
                return head + R"(budget", "max": )" + std::to_string(random.below(3)) + R"(.25, "by": ["contact"])" +
                       (random.chance(0.2) ? "" : R"(, "per": "PT)" + std::to_string(1 + random.below(4000)) + R"(M")") + when + "}";
            case 10:
                return head + R"(fatigue", "signals": {"complaint": 1, "unfollow": 0.5}, "half_life": "PT)" + std::to_string(60 + random.below(4000)) +
                       R"(M", "ceilings": [{"score": 0.4, "max": 2, "per": "PT)" + std::to_string(1 + random.below(4000)) +
                       R"(M"}, {"score": 1, "max": )" + std::to_string(random.below(2)) + R"(, "per": "day"}])" + when + "}";
            case 11:
                return head + R"(gap", "after": "event", "events": ["event.received"], "kinds": ["complaint"], "at_least": "PT)" +
                       std::to_string(1 + random.below(5000)) + R"(M")" + when + "}";
            case 12:
                return head + R"(cap", "max": 1, "per": "PT)" + std::to_string(1 + random.below(4000)) + R"(M", "by": ["contact", "metadata:debt"])" + when + "}";
            case 13:
                return head + R"(attempts", "max": 1, "per": "P2D", "outcomes": ["no_answer"], "reset_by": ["answered"])" + when + "}";
            case 0: {
                const auto from = random.below(1200);
                return head + R"(hours", "open": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": ")" + clock(from) + R"(", "to": ")" +
                       clock(from + 60 + random.below(1440 - from - 59)) + R"("}, {"days": ["sat", "sun"], "from": "10:00", "to": "18:00"}])" + when +
                       "}";
            }
            case 1:
                return head +
                       R"(hours", "open": [{"days": ["mon", "wed", "fri", "sat", "sun"], "from": "00:00", "to": "06:00"}, {"days": ["mon", "tue", "sun"], "from": "21:30", "to": "24:00"}])" +
                       when + "}";
            case 2:
            case 3:
                return head + R"(cap", "max": )" + std::to_string(1 + random.below(3)) + R"(, "per": "PT)" + std::to_string(1 + random.below(4000)) +
                       R"(M", "by": [)" + random_by() + "]" + when + "}";
            case 4:
            case 5: {
                const char* periods[] = {"day", "week", "month"};
                return head + R"(cap", "max": )" + std::to_string(1 + random.below(4)) + R"(, "per": ")" + periods[random.below(3)] +
                       R"(", "by": [)" + random_by() + "]" + (random.chance(0.3) ? R"(, "release_on_failed_receipt": false)" : "") +
                       (random.chance(0.3) ? R"(, "weight": {"wecom": 0.5})" : "") + when + "}";
            }
            case 6: return head + R"(gap", "after": "touch", "at_least": "PT)" + std::to_string(1 + random.below(3000)) + R"(M")" + when + "}";
            case 7: {
                const auto from = now + minutes(random.below(2000)) - minutes(500);
                return head + R"(blackout", "between": [")" + format_instant(from) + R"(", ")" +
                       format_instant(from + minutes(1 + random.below(3000))) + R"("])" + when + "}";
            }
            default: return head + R"(consent", "valid_for": "P)" + std::to_string(5 + random.below(30)) + R"(D")" + when + "}";
        }
    }

    std::string random_by() { return random.chance(0.5) ? R"("contact")" : R"("contact", "channel")"; }

    std::shared_ptr<CompiledPolicy> compile(const std::vector<std::string>& rules) {
        std::string text = R"({"name": "random", "rules": [)";
        for (std::size_t i = 0; i < rules.size(); ++i) text += (i == 0 ? "" : ",\n") + rules[i];
        document = text + "]}";
        const auto parsed = parse_json(document);
        RC_ASSERT(parsed.has_value());
        const auto compiled = CompiledPolicy::compile(
            *parsed, {.symbols = symbols, .profiles = profiles, .calendars = calendars, .include = {}, .default_zone = "Asia/Shanghai"});
        if (!compiled)
            for (const auto& problem : compiled.error().problems) RC_LOG() << problem.pointer << ": " << problem.detail << "\n";
        RC_ASSERT(compiled.has_value());
        return *compiled;
    }

    Decision decide(const CompiledPolicy& policy, Instant at, Detail detail = Detail::none) const {
        const Request request{.profile = own, .names = profiles.at(own), .touch = touch, .expires_at = expires_at, .facts = &own_facts, .facts_id = own_facts_id};
        const ContactView contact{.time_zone = time_zone, .consents = consents, .last_inbound = last_inbound, .history = history, .acts = acts};
        const AddressView address{.number = 1, .zones = number_zones};
        return policy.decide(request, contact, address, nullptr, at, detail);
    }

    void show(const Decision& decision) const {
        RC_LOG() << document << "\nnow " << format_instant(now) << " zone " << time_zone;
        for (const auto& zone : number_zones) RC_LOG() << " " << zone;
        RC_LOG() << "\ninbound " << (last_inbound == Instant::min() ? "none" : format_instant(last_inbound)) << "\n";
        for (const auto& entry : history)
            RC_LOG() << format_instant(entry.at) << " profile " << entry.profile.value << " slot " << static_cast<int>(entry.slot) << " outcome "
                     << static_cast<int>(entry.outcome) << " cost " << profiles.facts().at(entry.facts).cost_micros << " debt "
                     << profiles.facts().at(entry.facts).label(debt_label()) << "\n";
        for (const auto& act : acts)
            RC_LOG() << format_instant(act.at) << " " << symbols.name(act.event) << " " << symbols.name(act.kind) << " on " << symbols.name(act.channel) << "\n";
        RC_LOG() << "own profile " << own.value << " cost " << own_facts.cost_micros << " debt " << own_facts.label(debt_label()) << "\n";
        RC_LOG() << "verdict " << static_cast<int>(decision.verdict) << " rule " << decision.rule << " until "
                 << (decision.until == instant_never ? "never" : format_instant(decision.until)) << "\n";
    }

    [[nodiscard]] Symbol debt_label() const {
        Symbol found;
        (void)symbols.find("metadata:debt", found);
        return found;
    }

    Random random;
    SymbolTable symbols;
    ProfileTable profiles;
    Calendars calendars;
    std::vector<ProfileId> ids;
    Instant start{};
    Instant now{};
    std::string time_zone;
    std::vector<std::string> number_zones;
    std::vector<Consent> consents;
    Instant last_inbound = Instant::min();
    std::vector<HistoryEntry> history;
    std::vector<Act> acts;
    AttemptFacts own_facts;
    FactsId own_facts_id{};
    ProfileId own{};
    std::uint64_t touch = 1;
    Instant expires_at = instant_never;
    std::string document;
};

}  // namespace touchgate::policy
