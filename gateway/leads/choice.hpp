// Who gets a lead: the contact's owner first, then the best of those in the territory who have the skills, are on shift and have room.
// Pure; the same values always give the same choice, and every choice says how it came about.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace touchgate::leads {

using Skills = std::map<std::string, int, std::less<>>;  // at least so much

// Numbers are written to the log.
enum class Strategy : std::uint8_t { weighted_round_robin = 1, fair_share, least_loaded, best_skill };
[[nodiscard]] std::string_view to_string(Strategy strategy);
[[nodiscard]] std::optional<Strategy> parse_strategy(std::string_view word);

// When the contact's owner gets his lead: always (also off shift and without room), if he is like all others, or never for that alone.
enum class OwnerFirst : std::uint8_t { always, available, never };

struct Agent {
    std::string id = {}, unit = {};
    Skills skills = {};
    double weight = 1;                        // his part of the work
    bool disabled = false, on_shift = true, ready = true;
    bool absent = false;
    std::string delegate = {};                     // who takes his work while he is absent; empty: nobody in particular
    std::uint32_t open = 0, today = 0;        // leads that he owns, leads that he was given today
    std::optional<std::uint32_t> max_open = {}, max_per_day = {};
    double turn = 0;                          // virtual time of weighted_round_robin
    double share = 0;                         // virtual time of fair_share
    [[nodiscard]] bool has_room() const { return (!max_open || open < *max_open) && (!max_per_day || today < *max_per_day); }
};

struct Need {
    std::string unit = {};                    // of the lead: agents of this unit or below it; empty: everybody
    bool widen = false;                       // if nobody there can, those of the unit above, and so on
    Skills skills = {};
    std::vector<std::string> only = {};       // agents; empty: anybody
    std::vector<std::string> except = {};     // had it already
    std::string owner = {};                   // of the contact; empty: none
    OwnerFirst owner_first = OwnerFirst::always;
    bool require_ready = false;
    Strategy strategy = Strategy::weighted_round_robin;
    double work = 1, work_max = 1;            // what this lead weighs in fair_share, and the heaviest does
};

// How it came about. What is counted is how many were left after each sieve.
struct Trace {
    std::string cause;                        // "owner", "delegate", "choice", "nobody", "pool"
    std::string rule;                         // of the routing that decided unit, skills and strategy
    std::string unit;                         // where the choice was made
    Strategy strategy = Strategy::weighted_round_robin;
    std::uint32_t agents = 0, in_unit = 0, skilled = 0, on_shift = 0, with_room = 0;
    std::string tie_break;                    // what decided between the first two
    std::vector<std::string> considered;      // the best, best first, at most 8
    template <class A> void fields(A&& a) { a(cause, rule, unit, strategy, agents, in_unit, skilled, on_shift, with_room, tie_break, considered); }
};

struct Choice {
    std::string agent;                        // empty: nobody
    double turn = 0, share = 0;               // the chosen agent's virtual times from now on
    Trace trace = {};
};

// Fairness: with a constant set of agents the numbers of leads differ from the proportion of weights by less than one lead an agent; who comes
// new or back starts where the others are and is not flooded.
[[nodiscard]] Choice choose(const Need& need, std::span<const Agent> agents);

}  // namespace touchgate::leads
