// The configuration's `lead_routing`: where leads come from, what they are worth, who gets them and by when somebody has to answer. All problems
// at once, by pointer. docs/leads.md is its reference.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/leads/choice.hpp"
#include "gateway/leads/forms.hpp"
#include "gateway/leads/scoring.hpp"
#include "gateway/leads/working_time.hpp"

namespace touchgate::leads {

// What is made into a lead: "wecom:spring-fair" of a scan, "call:missed", what the API names.
struct SourceRule {
    std::string pattern;
    std::string product, unit;                // of leads from there; empty: none
};

// A customer's message that makes a lead.
struct KeywordRule {
    std::string name;
    std::vector<std::string> words;           // lower case
    bool exact = false;                       // the whole message is the word; else it holds it
    std::vector<std::string> channels, accounts;  // empty: any
    std::string source, product, unit;
    // `text`: the message, trimmed and in lower case.
    [[nodiscard]] bool matches(std::string_view channel, std::string_view account, std::string_view text) const;
};

// Working time from the assignment on, in which the owner has to answer the customer.
struct Promptness {
    Duration first_response{std::chrono::minutes{30}};
    std::optional<Duration> remind_after;     // the owner
    std::optional<Duration> supervisor_after;
    std::optional<Duration> reassign_after;
};

struct RoutingRule {
    std::string name;
    LeadCondition when;
    std::optional<std::string> unit;          // in place of the lead's
    Skills skills;
    std::vector<std::string> agents;
    std::optional<Strategy> strategy;
    bool pool = false;                        // it waits there until somebody claims it
};

// What `lead_routing` says of an agent, beside what the agent himself says; or all of somebody who has no desk here.
struct AgentTerms {
    std::string unit;
    Skills skills;
    std::optional<double> weight;
    std::optional<std::uint32_t> max_open, max_per_day;
    std::string wecom_userid, supervisor;
    WorkingTime shift;
    bool has_shift = false;
    bool external = false;                    // he has no desk: {"external": true}
};

struct Definition {
    std::vector<SourceRule> sources;
    std::vector<KeywordRule> keywords;
    std::map<std::string, Form, std::less<>> forms;
    Duration dedupe_window{std::chrono::hours{24 * 30}};
    bool dedupe_closed = true;                // also with leads that are won, lost or disqualified
    Scoring scoring;
    WorkingTime hours;
    std::map<Grade, Promptness> promptness;   // of every grade
    int max_reassigns = 3;                    // then it goes to the pool
    std::map<std::string, AgentTerms, std::less<>> agents;
    std::vector<RoutingRule> rules;
    OwnerFirst owner_first = OwnerFirst::always;
    Strategy strategy = Strategy::weighted_round_robin;
    bool widen = false, require_ready = false;
    std::optional<std::uint32_t> max_open, max_per_day;
    std::map<Grade, double> work = {{Grade::a, 4}, {Grade::b, 2}, {Grade::c, 1}, {Grade::d, 1}};  // what a lead weighs in fair_share
    Duration protection{std::chrono::hours{24 * 7}};
    std::optional<Duration> recycle_after = std::chrono::hours{24 * 7};
    int max_recycles = 3;                     // then it is lost, reason "recycled_too_often"
    bool assign_recycled = false;             // at once to somebody else; else it waits in the pool
    std::map<std::string, std::string, std::less<>> conversions;  // by result ("won", "visited"): the kind of conversion that it records
    std::string notify_account;               // messages to employees go over it; empty: none
    std::string link_base;                    // "https://gateway.example.com"; empty: links are paths
    Duration link_valid_for{std::chrono::hours{24 * 14}};

    [[nodiscard]] const SourceRule* source(std::string_view source) const;  // the first that fits; null: such a source makes no lead by itself
    [[nodiscard]] const Promptness& promptness_of(Grade grade) const { return promptness.at(grade); }
    [[nodiscard]] double work_max() const;
};

struct DefinitionContext {
    SymbolTable& symbols;
    const policy::Calendars& calendars;
    std::string default_zone = "Asia/Shanghai";
};

// `document` is the object; pointers begin with `pointer`. Usable only if no problem was added.
[[nodiscard]] Definition parse_definition(const Json& document, const std::string& pointer, const DefinitionContext& context, std::vector<Problem>& problems);

}  // namespace touchgate::leads
