// What a lead is worth: points by declared rules, faded by time, and a grade by thresholds. Every score says what it is made of.
//
//   score = clamp(base + Σ points · 2^(−age / half_life), 0, 100), rounded to the nearest whole number
#pragma once

#include <string>
#include <vector>

#include "gateway/leads/condition.hpp"

namespace touchgate::leads {

enum class Grade : std::uint8_t { a = 1, b, c, d };
[[nodiscard]] std::string_view to_string(Grade grade);  // "A" …
[[nodiscard]] std::optional<Grade> parse_grade(std::string_view word);

struct ScoreRule {
    std::string name;
    LeadCondition when;
    double points = 0;                       // −100 … 100
    std::optional<Duration> half_life;       // none: they do not fade
    std::optional<ActFilter> each;           // given: so many points for each such act of the contact, faded from that act on
    std::int64_t times = 10;                 // at most, of `each`: the newest
};

struct Scoring {
    double base = 0;
    std::vector<ScoreRule> rules = {};
    int a_from = 80, b_from = 60, c_from = 40;
    [[nodiscard]] Grade grade_of(int score) const { return score >= a_from ? Grade::a : score >= b_from ? Grade::b : score >= c_from ? Grade::c : Grade::d; }
};

struct ScorePart {
    std::string rule;                        // "base" for the base
    double points = 0;                       // what they are worth now
    double full = 0;                         // before they faded
    std::int64_t times = 1;
    Instant since{};                         // of the newest
};
struct Score {
    int value = 0;                           // 0 … 100
    Grade grade = Grade::d;
    std::vector<ScorePart> parts;            // of the rules that hold, in their order
};

[[nodiscard]] Score score(const Scoring& scoring, const Facts& facts, Instant now);

// The members "base_score", "score" and "grades".
[[nodiscard]] Scoring read_scoring(JsonReader& reader, SymbolTable& symbols);

}  // namespace touchgate::leads
