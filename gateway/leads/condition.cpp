#include "gateway/leads/condition.hpp"

#include <algorithm>

namespace touchgate::leads {

bool matches_pattern(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

namespace {

bool any_matches(const std::vector<std::string>& patterns, std::string_view text) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) { return matches_pattern(pattern, text); });
}

bool names(const std::vector<Symbol>& symbols, Symbol symbol) { return symbols.empty() || std::find(symbols.begin(), symbols.end(), symbol) != symbols.end(); }

}  // namespace

bool ActFilter::takes(const policy::Act& act, Instant now) const {
    return names(events, act.event) && names(kinds, act.kind) && names(channels, act.channel) && act.at <= now && (!within || now - act.at < *within);
}

ActFilter read_act_filter(JsonReader& reader, SymbolTable& symbols) {
    ActFilter made;
    const auto interned = [&](const char* key) {
        std::vector<Symbol> list;
        for (const auto& word : reader.texts(key)) list.push_back(symbols.intern(word));
        return list;
    };
    made.events = interned("events");
    made.kinds = interned("kinds");
    made.channels = interned("channels");
    if (reader.has("within")) made.within = reader.duration("within", Duration{0}, Duration{1});
    made.at_least = reader.integer("at_least", 1, 1, 1'000);
    return made;
}

LeadCondition::LeadCondition(const Json& document, const std::string& pointer, SymbolTable& symbols, std::vector<Problem>& problems) {
    if (!document.is_object()) {
        problems.push_back({pointer, std::string{"must be an object, is "} + document.type_name()});
        return;
    }
    JsonReader reader{document, pointer, problems};
    const auto words = [&](const char* key) {
        const bool given = reader.has(key);
        const auto before = problems.size();
        auto list = reader.texts(key);
        if (given && list.empty() && problems.size() == before) reader.problem(key, "must name at least one");
        return list;
    };
    sources_ = words("sources");
    products_ = words("products");
    units_ = words("units");
    if (auto acts = reader.object("acts")) {
        acts_.push_back(read_act_filter(*acts, symbols));
        acts->finish();
    }
    const auto nested = [&](const char* key, std::vector<LeadCondition>& into) {
        const auto found = document.find(key);
        if (found == document.end() || found->is_null()) return false;
        const auto at = pointer_to(pointer, key);
        if (!found->is_array()) {
            problems.push_back({at, "must be an array of conditions"});
            return true;
        }
        for (std::size_t i = 0; i < found->size(); ++i) into.emplace_back((*found)[i], pointer_to(at, i), symbols, problems);
        return true;
    };
    (void)nested("all", all_);
    has_any_ = nested("any", any_);
    if (const auto found = document.find("not"); found != document.end() && !found->is_null()) not_.emplace_back(*found, pointer_to(pointer, "not"), symbols, problems);

    // The rest is the policy's.
    auto rest = document;
    for (const auto* own : {"sources", "products", "units", "acts", "all", "any", "not"}) rest.erase(own);
    for (const auto* never : {"purposes", "channels", "accounts", "campaigns", "templates", "origins"})
        if (rest.contains(never)) {
            problems.push_back({pointer_to(pointer, never), "is of touches; a lead has none"});
            rest.erase(never);
        }
    if (rest.empty()) return;
    const std::vector<std::string> purposes;
    std::vector<std::string> attributes, channels;
    policy::ConditionNames known{symbols, purposes, attributes, channels};
    JsonReader theirs{rest, pointer, problems};
    policy_ = policy::parse_condition(theirs, known);
    theirs.finish();
}

bool LeadCondition::holds(const Facts& facts, Instant now) const {
    if (!sources_.empty() && std::none_of(facts.touchpoints.begin(), facts.touchpoints.end(), [&](const Touchpoint& each) { return any_matches(sources_, each.source); })) return false;
    if (!products_.empty() && !any_matches(products_, facts.product)) return false;
    if (!units_.empty() && std::none_of(units_.begin(), units_.end(), [&](const std::string& above) { return policy::is_unit_within(facts.unit, above); })) return false;
    for (const auto& filter : acts_)
        if (std::count_if(facts.contact.acts.begin(), facts.contact.acts.end(), [&](const policy::Act& act) { return filter.takes(act, now); }) < filter.at_least) return false;
    if (policy_ != nullptr) {
        const policy::Surroundings around{.contact = facts.contact, .address = facts.address, .origin = policy::Origin::api, .default_zone = facts.default_zone};
        if (!policy_->holds(around, now, now)) return false;
    }
    const auto holding = [&](const LeadCondition& each) { return each.holds(facts, now); };
    return std::all_of(all_.begin(), all_.end(), holding) && (!has_any_ || std::any_of(any_.begin(), any_.end(), holding)) && std::none_of(not_.begin(), not_.end(), holding);
}

Instant LeadCondition::since(const Facts& facts) const {
    auto newest = Instant::min();
    for (const auto& each : facts.touchpoints)
        if (sources_.empty() || any_matches(sources_, each.source)) newest = std::max(newest, each.at);
    return newest == Instant::min() && !facts.touchpoints.empty() ? facts.touchpoints.back().at : newest;
}

}  // namespace touchgate::leads
