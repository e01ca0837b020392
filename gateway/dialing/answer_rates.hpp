// How likely a dial is answered, by segment of the list, carrier and hour of the callee's day. Pure; not thread-safe.
//
// Few calls say little, so each level leans on the one above it: campaign, segment, carrier within it, hour within that. A level's rate is
// (answers + weight · rate above) / (dials + weight): the posterior mean of a beta prior, as in empirical Bayes shrinkage.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace touchgate::dialing {

struct DialKind {
    std::string segment = {}, carrier = {};
    std::uint8_t hour = 0;  // 0 … 23, callee's local time
};

class AnswerRates {
public:
    static constexpr double weight = 40;      // dials that the level above is worth
    static constexpr double memory = 4'000;   // dials after which a level has forgotten two thirds
    static constexpr double first_guess = 0.3;
    static constexpr std::size_t kinds_max = 10'000;  // further ones are judged by the level above

    void ended(const DialKind& kind, bool answered);
    [[nodiscard]] double rate(const DialKind& kind) const;
    template <class A> void fields(A&& a) { a(levels_); }

private:
    struct Level {
        double dials = 0, answers = 0;
        template <class A> void fields(A&& a) { a(dials, answers); }
    };
    // Keys of the levels from the campaign down.
    [[nodiscard]] static std::vector<std::string> keys(const DialKind& kind);
    [[nodiscard]] const Level* find(const std::string& key) const;
    std::vector<std::pair<std::string, Level>> levels_;  // sorted by key
};

}  // namespace touchgate::dialing
