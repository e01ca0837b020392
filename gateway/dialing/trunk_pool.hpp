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

    // A call was permitted; `call` names it until it ends.
    void dialed(Instant now, const std::string& call, const Choice& choice, std::uint64_t contact);
    // A call came in over a trunk (by name; an unknown one is taken for the first).
    void arrived(const std::string& call, std::string_view trunk);
    std::optional<CallerIdRested> ended(Instant now, const std::string& call, const CallerIds::Ended& how);

    // What must outlive the program: use and rest of the numbers. Calls in flight are told again by `dialed` and `arrived`.
    template <class A> void fields(A&& a) {
        for (auto& trunk : trunks_) a(trunk.caller_ids);
    }
    void forget_calls();

private:
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
