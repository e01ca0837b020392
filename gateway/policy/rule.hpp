// What a rule kind is. A kind is one file under rules/ with a function `make_<kind>` that reads its keys and returns a Rule, and one line
// in rule_kinds.cpp. A rule answers one question, `judge`: is the touch allowed at t, and if not, from when on? Everything else
// (`when`, exemptions, the earliest instant over all rules, expiry) is done once for all kinds in decide.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/policy/condition.hpp"
#include "gateway/policy/decide.hpp"
#include "gateway/policy/explain.hpp"

namespace touchgate::policy {

class ProfileTables;
struct Dimensions;
struct NormalizedContent;

// One decision in the making: the views of the caller and what rules share.
struct Evaluation {
    const Request& request;
    const ContactView& contact;
    const AddressView& address;
    const SharedHistory* shared;
    const ProfileTables& profiles;
    const SymbolTable& symbols;
    Surroundings around;
    Instant reserved_at;                 // when unpermitted slots are taken to be permitted: now, the earliest
    bool ignore_reserved = false;        // as if all unpermitted slots were released
    Foresight* foresight = nullptr;      // of a preview: what the recipients before this one will have taken
    mutable std::int8_t fallbacks = -1;  // does the contact's history have second attempts of one message? -1: nobody has looked
    mutable std::shared_ptr<const NormalizedContent> content = {};  // made by the first content rule that looks
};

struct Judgement {
    Verdict verdict = Verdict::allow;
    Why why = Why::allowed;
    // The least instant ≥ t at which the rule allows, as long as no condition that changes with time changes; instant_never if none.
    Instant next{};
    bool waits = false;  // not for an instant but for an event (an open ticket closes); next is then instant_never

    static Judgement allow(Instant at, Why why = Why::allowed) { return {Verdict::allow, why, at}; }
    // Not now, but by time alone. instant_never: never (which comes to a deny, unless the rule stops to bind before).
    static Judgement until(Instant next, Why why) { return {Verdict::defer, why, next}; }
    static Judgement wait(Why why) { return {Verdict::defer, why, instant_never, true}; }
    // Refused here and now, even if `next` tells when this rule would not refuse any more.
    static Judgement deny(Why why, Instant next = instant_never) { return {Verdict::deny, why, next}; }
};

struct Counting;

class Rule {
public:
    Rule() = default;
    Rule(const Rule&) = delete;
    Rule& operator=(const Rule&) = delete;
    virtual ~Rule() = default;

    [[nodiscard]] virtual Judgement judge(const Evaluation& evaluation, Instant at) const = 0;
    // Fills the numbers of a trace: counted, max and, when `touches` is asked for, the touches counted at `at`.
    virtual void describe(const Evaluation& /*evaluation*/, Instant /*at*/, bool /*touches*/, TraceStep& /*step*/) const {}
    // For rules about the time of day only: the least instant ≥ `at` that the rule does not allow.
    [[nodiscard]] virtual bool has_closing() const { return false; }
    [[nodiscard]] virtual Instant closes(const Evaluation& /*evaluation*/, Instant /*at*/) const { return instant_never; }

    [[nodiscard]] virtual const Counting* counting() const { return nullptr; }
    [[nodiscard]] virtual bool reads_content() const { return false; }
    [[nodiscard]] virtual bool reads_list(std::string_view /*list*/) const { return false; }
    // The last date that the rule's calendar knows, if it has one.
    [[nodiscard]] virtual const Calendar* calendar() const { return nullptr; }
    // How long an entry of the history can matter to it.
    [[nodiscard]] virtual Duration horizon() const { return Duration{0}; }
    // Rules of an exemption, by name; resolved when all are known.
    [[nodiscard]] virtual const std::vector<std::string>& waives() const;

    std::string name;
    std::string kind;
    ConditionPtr when = Condition::always();
    bool built_in = false;
    std::vector<std::uint16_t> waivers;  // indices of the exemptions that name it
};

// What a kind reads its rule from. `json` stands at the rule; name, kind and when are read already.
struct RuleReader {
    JsonReader& json;
    const CompileContext& context;
    ConditionNames& names;
    const ConditionPtr& when;
    const std::string& name;
    std::uint16_t& counting_columns;             // next free column of the weight table
    std::vector<Dimensions>& shared_counters;  // of each counter that is not the contact's own
    std::vector<std::string>& labels;          // that some counter is divided by
    std::vector<Problem>* warnings;

    void warn(std::string_view key, std::string detail) const {
        if (warnings != nullptr) warnings->push_back({pointer_to(json.pointer(), key), std::move(detail)});
    }
    // An IANA zone name; a problem when the system has none of that name.
    std::string zone(std::string_view key, std::string fallback) const;
    std::vector<std::string> unknown_zones() const;
};

struct RuleKind {
    std::string_view name;
    std::unique_ptr<Rule> (*make)(RuleReader& reader);
};

[[nodiscard]] const std::vector<RuleKind>& rule_kinds();
// The built-in rules in their order.
[[nodiscard]] std::vector<std::unique_ptr<Rule>> built_in_rules();

std::unique_ptr<Rule> make_abandonment(RuleReader& reader);
std::unique_ptr<Rule> make_attempts(RuleReader& reader);
std::unique_ptr<Rule> make_blackout(RuleReader& reader);
std::unique_ptr<Rule> make_budget(RuleReader& reader);
std::unique_ptr<Rule> make_cap(RuleReader& reader);
std::unique_ptr<Rule> make_consent(RuleReader& reader);
std::unique_ptr<Rule> make_content(RuleReader& reader);
std::unique_ptr<Rule> make_exemption(RuleReader& reader);
std::unique_ptr<Rule> make_fatigue(RuleReader& reader);
std::unique_ptr<Rule> make_gap(RuleReader& reader);
std::unique_ptr<Rule> make_holdout(RuleReader& reader);
std::unique_ptr<Rule> make_hours(RuleReader& reader);
std::unique_ptr<Rule> make_quota(RuleReader& reader);
std::unique_ptr<Rule> make_session_window(RuleReader& reader);
std::unique_ptr<Rule> make_suppression(RuleReader& reader);

}  // namespace touchgate::policy
