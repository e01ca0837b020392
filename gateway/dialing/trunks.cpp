#include "gateway/dialing/trunks.hpp"

#include <set>

namespace touchgate::dialing {

namespace {

constexpr std::int64_t most_calls = 1'000'000;

bool is_e164(std::string_view number) {
    if (number.size() < 4 || number.size() > 16 || number.front() != '+') return false;
    for (const char c : number.substr(1))
        if (c < '0' || c > '9') return false;
    return true;
}

std::optional<std::uint32_t> read_limit(JsonReader& entry, std::string_view key) {
    if (!entry.has(key)) {
        (void)entry.raw(key);
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(entry.integer(key, 1, 1, most_calls));
}

CallerIdTerms read_caller_id(JsonReader& entry, std::set<std::string>& seen) {
    CallerIdTerms terms;
    terms.number = entry.required_text("number", {1, 50});
    if (!terms.number.empty() && !is_e164(terms.number)) entry.problem("number", "must be a number in E.164 form, such as \"+862112345678\"");
    else if (!terms.number.empty() && !seen.insert(terms.number).second) entry.problem("number", "stands in the account twice");
    terms.region = entry.text("region", {}, {0, 100});
    terms.per_hour = read_limit(entry, "per_hour");
    terms.per_day = read_limit(entry, "per_day");
    terms.max_calls = read_limit(entry, "max_calls");
    const auto state = entry.choice("state", {"active", "rested", "off"}, "active");
    terms.state = state == "off" ? CallerIdState::off : state == "rested" ? CallerIdState::rested : CallerIdState::active;
    entry.finish();
    return terms;
}

RestTerms read_rest(JsonReader& trunk) {
    RestTerms terms;
    auto entry = trunk.object("rest");
    if (!entry) return terms;
    terms.answer_rate_below = entry->number("answer_rate_below", terms.answer_rate_below, 0, 1);
    terms.short_calls_above = entry->number("short_calls_above", terms.short_calls_above, 0, 1);
    terms.calls = static_cast<std::uint32_t>(entry->integer("calls", terms.calls, 5, 1'000));
    terms.short_call = entry->duration("short_call", terms.short_call, Duration{1'000}, std::chrono::minutes{1});
    terms.rest = entry->duration("for", terms.rest, std::chrono::minutes{1}, one_day * 366);
    entry->finish();
    return terms;
}

}  // namespace

std::vector<TrunkTerms> read_trunks(JsonReader& account) {
    std::vector<TrunkTerms> trunks;
    std::set<std::string> names, numbers;
    account.objects("trunks", [&](JsonReader& entry, std::size_t) {
        TrunkTerms terms;
        terms.name = entry.required_text("name", {1, 100});
        if (!terms.name.empty() && !names.insert(terms.name).second) entry.problem("name", "\"" + terms.name + "\" stands in the list twice");
        terms.endpoint = entry.text("endpoint", {}, {0, 500});
        terms.max_calls = static_cast<std::uint32_t>(entry.integer("max_calls", 0, 0, most_calls));
        terms.inbound_reserve = static_cast<std::uint32_t>(entry.integer("inbound_reserve", 0, 0, most_calls));
        if (terms.inbound_reserve > 0 && terms.inbound_reserve >= terms.max_calls)
            entry.problem("inbound_reserve", terms.max_calls == 0 ? "needs max_calls" : "must leave a line for outbound calls: be below max_calls");
        terms.calls_per_second = entry.number("cps", 0, 0, 10'000);
        if (terms.calls_per_second > 0 && terms.calls_per_second < 0.01) entry.problem("cps", "must be 0 (no limit) or at least 0.01");
        entry.objects("caller_ids", [&](JsonReader& number, std::size_t) { terms.caller_ids.push_back(read_caller_id(number, numbers)); });
        terms.rest = read_rest(entry);
        entry.finish();
        trunks.push_back(std::move(terms));
    });
    return trunks;
}

}  // namespace touchgate::dialing
