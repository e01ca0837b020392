// What an audience will itself use up of the counters that contacts share (by account, campaign, unit, address …), recipient after recipient
// in the order of their release. A preview hands it to its decisions: caps, quotas and budgets then count what earlier recipients of the
// same preview take, each at the instant at which it would go.
//
// A forecast, not a decision: what was logged before counts by the minute, a calendar period by its instants, and conditions of `counts`
// that look at the contact are those of the first recipient. Nothing but shared counters is foreseen. One preview, one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "gateway/base/ids.hpp"
#include "gateway/base/time.hpp"

namespace touchgate::policy {

// What one counter of one rule holds, by instants, and what is foreseen beside it.
class Ledger {
public:
    // Weights of the attempts, and of those of each purpose that has a part of the cap kept for it (see CapSettings::reserve).
    struct Sum {
        std::int64_t used = 0;
        std::array<std::int64_t, 8> used_by{};
    };
    struct Window {
        Instant begin, end;  // begin ≤ slot < end
        auto operator<=>(const Window&) const = default;
    };

    void add(Instant at, const Sum& weights);
    // Everything in the window. The last few windows that were asked for are kept up as weights are added.
    [[nodiscard]] const Sum& sum(const Window& window);
    // The instants at which something lies, from `from` on; end() behind the last.
    [[nodiscard]] std::map<Instant, Sum>::const_iterator from(Instant from) const { return slots_.lower_bound(from); }
    [[nodiscard]] std::map<Instant, Sum>::const_iterator end() const { return slots_.end(); }

    // Weights are only ever added: where there was no room there will be none. From `at` on there is no room for `own` or more before the
    // answer. `zone` tells apart calendar periods of different zones; null for other periods.
    [[nodiscard]] Instant full_until(const void* zone, Instant at, std::int64_t own) const;
    void note_full(const void* zone, Instant from, Instant to, std::int64_t own);

private:
    struct Full { Instant from, to; std::int64_t own; };
    std::map<Instant, Sum> slots_;
    std::map<Window, Sum> windows_;
    std::map<const void*, Full> full_;  // by zone: one stretch
};

class Foresight {
public:
    // A recipient is judged next: forgets which counters the one before would take from.
    void begin() { asked_.clear(); }
    // The recipient goes at `at` as an attempt of this profile.
    void take(ProfileId profile, Instant at);

    // For rules: the ledger of a counter. `rule` tells rules apart, `key` the counters of a rule; `is_new` if it is still empty.
    [[nodiscard]] Ledger& ledger(const void* rule, std::uint64_t key, bool& is_new);
    // For rules: that the attempt in hand, of this profile, would take so much from the ledger.
    void note(Ledger& ledger, ProfileId profile, const Ledger::Sum& own);

private:
    struct Asked { Ledger* ledger; ProfileId profile; Ledger::Sum own; };
    std::map<std::pair<const void*, std::uint64_t>, Ledger> ledgers_;  // pointers to them stay valid
    std::vector<Asked> asked_;
};

}  // namespace touchgate::policy
