// `when` of lead rules: the grammar of a policy's `when` with the keys of leads beside it.
//
//   sources, products   patterns, "*" stands for anything; any of the list. A lead has the sources of all its touchpoints.
//   units               the lead's unit or one above it
//   acts                {"events", "kinds", "channels", "within", "at_least"}: what the contact did, as the event feed names it
//   all, any, not       of such conditions
//   tags, attributes (the lead's before the contact's), ages, regions, carriers, between, inbound_within: as in a policy
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/policy/condition.hpp"

namespace touchgate::leads {

// "*" stands for any number of characters; all others for themselves.
[[nodiscard]] bool matches_pattern(std::string_view pattern, std::string_view text);

struct Touchpoint {
    std::string_view source;
    Instant at{};
};

// What conditions look at. Views only.
struct Facts {
    std::span<const Touchpoint> touchpoints;  // oldest first, at least one
    std::string_view product, unit;
    policy::ContactView contact;              // attributes: the lead's over the contact's
    policy::AddressView address;
    std::string_view default_zone;
};

// Which acts of the contact count.
struct ActFilter {
    std::vector<Symbol> events, kinds, channels;  // empty: any
    std::optional<Duration> within;
    std::int64_t at_least = 1;
    [[nodiscard]] bool takes(const policy::Act& act, Instant now) const;
};


class LeadCondition {
public:
    // Holds always.
    LeadCondition() = default;
    // Reads the object `document`, all of its keys; problems by pointer.
    LeadCondition(const Json& document, const std::string& pointer, SymbolTable& symbols, std::vector<Problem>& problems);

    [[nodiscard]] bool holds(const Facts& facts, Instant now) const;
    // The newest touchpoint that the condition's own `sources` name; the newest of all where it names none.
    [[nodiscard]] Instant since(const Facts& facts) const;

private:
    std::vector<std::string> sources_, products_, units_;
    std::vector<ActFilter> acts_;                       // at most one
    policy::ConditionPtr policy_;                       // null: always
    std::vector<LeadCondition> all_, any_, not_;
    bool has_any_ = false;
};

// Reads "events", "kinds", "channels", "within" and "at_least"; the caller finishes the reader.
[[nodiscard]] ActFilter read_act_filter(JsonReader& reader, SymbolTable& symbols);

}  // namespace touchgate::leads
