// The lines of an account, shared by all its campaigns and agents: which trunk and which number the next call takes, or when there will be one.
// Pure: the instant is an argument. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "gateway/dialing/caller_ids.hpp"
#include "gateway/dispatch/rate.hpp"

namespace touchgate::dialing {

class TrunkPool {
public:
    explicit TrunkPool(std::vector<TrunkTerms> terms);

    struct Wanted {
        std::uint64_t contact = 0;       // for the number that this contact has seen before; 0: nobody known
        std::string_view region = {};    // of the callee
        std::string_view caller_id = {}; // the campaign's own; empty: of the pool
    };
    struct Choice {
        std::size_t trunk = 0;
        std::string_view name = {}, endpoint = {};  // of the trunk
        std::string caller_id = {};       // empty: the account's
    };
    struct Refusal {
        std::string_view why = {};       // "lines", "rate", "caller_ids"
        std::optional<Instant> until = {};  // when time alone lets one go; none: when a call ends
    };
    // Trunks are tried in the order of the configuration, those that have a number of the callee's region first. An account without trunks has
    // no limits: one nameless trunk.
    [[nodiscard]] std::variant<Choice, Refusal> choose(Instant now, const Wanted& wanted) const;
    // How many calls could start now, by lines and rates alone; for pacing.
    [[nodiscard]] std::uint32_t room(Instant now) const;

    // A call was permitted; `call` names it until it ends. A trunk that is gone from the configuration is the one that has the number now, or nothing.
    void dialed(Instant now, const std::string& call, std::string_view trunk, const std::string& caller_id, std::uint64_t contact);
    // The same of a call that was dialled before the pool was read back, and goes on.
    void goes_on(const std::string& call, std::string_view trunk, const std::string& caller_id);
    // The trunk whose template names this endpoint ("PJSIP/{number}@carrier": carrier); of one that no trunk names, the first.
    [[nodiscard]] std::string_view trunk_over(std::string_view endpoint) const;
    // A call came in over a trunk (by name; an unknown one is taken for the first).
    void arrived(const std::string& call, std::string_view trunk);
    // The value when its number should rest; it does from `rest` on.
    std::optional<CallerIdRested> ended(Instant now, const std::string& call, const CallerIds::Ended& how);
    void rest(std::string_view number, Instant until);

    // What must outlive the program: use and rest of the numbers, and what rates count. Calls in flight are told again by `goes_on` and `arrived`.
    template <class A> void fields(A&& a) {
        auto kept = dumped();
        a(kept.numbers, kept.contacts, kept.permits);
        load(kept);
    }
    void forget_calls();

private:
    struct Kept {
        std::vector<CallerIds::Number> numbers = {};
        std::vector<CallerIds::Sticky> contacts = {};
        std::vector<std::pair<std::string, std::vector<Instant>>> permits = {};  // by trunk
    };
    [[nodiscard]] Kept dumped() const;
    void load(const Kept& kept);
    [[nodiscard]] std::optional<std::size_t> find(std::string_view trunk, std::string_view caller_id) const;
    struct Trunk {
        TrunkTerms terms;
        CallerIds caller_ids;
        std::optional<dispatch::ExactRate> rate;
        std::uint32_t outbound = 0, inbound = 0;
    };
    struct Call { std::size_t trunk = 0; bool inbound = false; std::string caller_id; };
    [[nodiscard]] static std::uint32_t lines_free(const Trunk& trunk);
    std::vector<Trunk> trunks_;
    std::unordered_map<std::string, Call> calls_;
};

}  // namespace touchgate::dialing
