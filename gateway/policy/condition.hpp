// `when` and `counts`: which touches a rule binds, which attempts it counts. A condition is a small immutable tree. What depends on the
// profile alone is folded once per profile (`simplify`), so that the hot path only looks at contact, address, origin and time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/json/json.hpp"
#include "gateway/policy/inputs.hpp"
#include "gateway/policy/zones.hpp"

namespace touchgate::policy {

class Condition;
using ConditionPtr = std::shared_ptr<const Condition>;

// All that a condition looks at beside the profile. Views only.
struct Surroundings {
    const ContactView& contact;
    const AddressView& address;
    Origin origin;
    std::string_view default_zone;
    mutable const Zone* contact_zone = nullptr;  // the contact's own, once somebody has looked it up
};

class Condition {
public:
    enum class Kind : std::uint8_t {
        always,
        never,
        all,
        any,
        none_of,  // none_of has one child
        purpose,
        channel,
        account,
        campaign,
        template_name,
        unit,  // of the profile
        tag,
        attribute,
        origin,
        region,
        carrier,
        lead_stage,  // fixed for one decision
        between,
        inbound_within,
        age,
        anniversary,  // change with time
    };
    enum class Operator : std::uint8_t { eq, ne, in, lt, lte, gt, gte, exists };
    struct Test {
        Operator op;
        std::vector<AttributeValue> values;
    };

    Kind kind = Kind::always;
    bool timed = false;  // this or a child changes with time
    std::vector<ConditionPtr> children = {};
    std::vector<Symbol> symbols = {};     // names, tags
    std::vector<std::string> texts = {};  // units, regions, carriers; an attribute's name
    std::vector<Test> tests = {};
    std::uint32_t origins = 0;   // bit per Origin
    std::uint32_t stages = 0;    // bit per word of lead_stage_words
    Instant from{}, to{};        // between
    Duration length{};           // inbound_within; age
    Operator op = Operator::lt;  // age

    // Does it hold at `at`? `attempt_at` is the instant that `between` is tested with: `at` for a touch, its own for a counted attempt.
    // Only for simplified conditions: profile kinds do not hold.
    [[nodiscard]] bool holds(const Surroundings& around, Instant at, Instant attempt_at) const;
    // The least instant > `at` at which the answer may differ; instant_never if none. `between` is left out for counted attempts.
    [[nodiscard]] Instant next_change(const Surroundings& around, Instant at, bool of_attempt) const;

    // The same condition for one profile: no profile kinds are left in it. `always` and `never` come out as the shared constants.
    [[nodiscard]] static ConditionPtr simplify(const ConditionPtr& condition, const Profile& profile, const SymbolTable& symbols);
    [[nodiscard]] static const ConditionPtr& always();
    [[nodiscard]] static const ConditionPtr& never();
};

// Unit `unit` is `above` or lies below it: "hq/east/a" within "hq/east".
[[nodiscard]] bool is_unit_within(std::string_view unit, std::string_view above);

// Attributes and purposes that conditions name, gathered while they are parsed.
struct ConditionNames {
    SymbolTable& symbols;
    const std::vector<std::string>& purposes;  // the closed set
    std::vector<std::string>& attributes;
    std::vector<std::string>& channels;
};

// Reads the grammar of `when` from `reader`, which stands at the object. The caller calls reader.finish(), so that `counts` can have
// keys of its own. Problems go into the reader's list; the result is then of no use.
[[nodiscard]] ConditionPtr parse_condition(JsonReader& reader, ConditionNames& names);

// Calls `each(const Zone&)` for every plausible zone of the contact: its own, else `unknown`, else the address's, else `default_zone`.
// False when a name among them is no zone: the rule cannot be evaluated.
template <class Each>
[[nodiscard]] bool for_each_zone(const Surroundings& around, const std::vector<std::string>& unknown, Each&& each) {
    const auto one = [&](std::string_view name) {
        const auto* zone = Zone::find(name);
        if (zone != nullptr) each(*zone);
        return zone != nullptr;
    };
    if (!around.contact.time_zone.empty()) {
        if (around.contact_zone == nullptr) around.contact_zone = Zone::find(around.contact.time_zone);
        if (around.contact_zone != nullptr) each(*around.contact_zone);
        return around.contact_zone != nullptr;
    }
    bool ok = true;
    if (!unknown.empty()) {
        for (const auto& name : unknown) ok = one(name) && ok;
    } else if (!around.address.zones.empty()) {
        for (const auto& name : around.address.zones) ok = one(name) && ok;
    } else {
        return one(around.default_zone);
    }
    return ok;
}

}  // namespace touchgate::policy
