#include "gateway/leads/scoring.hpp"

#include <algorithm>
#include <cmath>

namespace touchgate::leads {

std::string_view to_string(Grade grade) {
    switch (grade) {
        case Grade::a: return "A";
        case Grade::b: return "B";
        case Grade::c: return "C";
        case Grade::d: return "D";
    }
    return "D";
}

std::optional<Grade> parse_grade(std::string_view word) {
    for (const auto grade : {Grade::a, Grade::b, Grade::c, Grade::d})
        if (to_string(grade) == word) return grade;
    return std::nullopt;
}

namespace {

double faded(const ScoreRule& rule, Instant since, Instant now) {
    if (!rule.half_life || now <= since) return rule.points;
    return rule.points * std::exp2(-static_cast<double>((now - since).count()) / static_cast<double>(rule.half_life->count()));
}

}  // namespace

Score score(const Scoring& scoring, const Facts& facts, Instant now) {
    Score made;
    double sum = scoring.base;
    if (scoring.base != 0)
        made.parts.push_back({.rule = "base", .points = scoring.base, .full = scoring.base, .times = 1, .since = facts.touchpoints.empty() ? now : facts.touchpoints.front().at});
    for (const auto& rule : scoring.rules) {
        if (!rule.when.holds(facts, now)) continue;
        ScorePart part{.rule = rule.name};
        if (rule.each) {
            part.times = 0;
            const auto& acts = facts.contact.acts;
            for (auto i = acts.size(); i-- > 0 && part.times < rule.times;) {
                if (!rule.each->takes(acts[i], now)) continue;
                if (part.times++ == 0) part.since = acts[i].at;
                part.points += faded(rule, acts[i].at, now);
                part.full += rule.points;
            }
            if (part.times == 0) continue;
        } else {
            part.since = rule.when.since(facts);
            part.points = faded(rule, part.since, now);
            part.full = rule.points;
        }
        sum += part.points;
        made.parts.push_back(std::move(part));
    }
    made.value = static_cast<int>(std::lround(std::clamp(sum, 0.0, 100.0)));
    made.grade = scoring.grade_of(made.value);
    return made;
}

Scoring read_scoring(JsonReader& reader, SymbolTable& symbols) {
    Scoring made;
    // Without a rule every lead is worth the same, in the middle.
    made.base = reader.number("base_score", reader.has("score") ? 0 : 50, 0, 100);
    reader.objects("score", [&](JsonReader& entry, std::size_t index) {
        ScoreRule rule;
        rule.name = entry.text("name", "score-" + std::to_string(index + 1), {1, 64});
        if (const auto* when = entry.raw("when")) rule.when = LeadCondition{*when, pointer_to(entry.pointer(), "when"), symbols, entry.problems()};
        if (!entry.has("points")) entry.problem("points", "is required: from -100 to 100");
        rule.points = entry.number("points", 0, -100, 100);
        if (entry.has("half_life")) rule.half_life = entry.duration("half_life", Duration{0}, Duration{1'000});
        if (auto each = entry.object("each")) {
            rule.times = each->integer("times", rule.times, 1, 1'000);
            rule.each = read_act_filter(*each, symbols);
            each->finish();
        }
        entry.finish();
        const bool twice = std::any_of(made.rules.begin(), made.rules.end(), [&](const ScoreRule& other) { return other.name == rule.name; });
        if (twice || rule.name == "base") entry.problem("name", "\"" + rule.name + "\" is taken already");
        made.rules.push_back(std::move(rule));
    });
    if (auto grades = reader.object("grades")) {
        const auto threshold = [&](const char* key, int fallback) { return static_cast<int>(grades->integer(key, fallback, 0, 100)); };
        made.a_from = threshold("A", made.a_from);
        made.b_from = threshold("B", made.b_from);
        made.c_from = threshold("C", made.c_from);
        if (made.a_from < made.b_from || made.b_from < made.c_from) grades->problem_here("must fall: the score from which a lead is A, B, C; D is the rest");
        grades->finish();
    }
    return made;
}

}  // namespace touchgate::leads
