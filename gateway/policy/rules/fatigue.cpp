// {"kind": "fatigue", "signals": {"complaint": 1, "unfollow": 1, "hang_up_early": 0.5}, "half_life": "P30D",
//  "ceilings": [{"score": 0.5, "max": 2, "per": "P7D"}, {"score": 1, "max": 0, "per": "P7D"}]}: who shows that it is too much gets less.
//
//   score(t) = Σ weight(signal) · 2^(−(t − at) / half_life)   over the acts of the contact at or before t whose kind is a signal
//
// While the score is at least a ceiling's `score`, at most `max` counted attempts per `per` go to the contact. All acts fade at the same
// pace, so between two acts the score is one falling exponential, and the instant at which a ceiling ends has a closed form: the first
// millisecond at which the score has fallen below it. No search and no rounding stand between a decision and its `until`.
#include <cmath>

#include "gateway/policy/rules/cap.hpp"

namespace touchgate::policy {

namespace {

struct Ceiling {
    double score;
    std::unique_ptr<Rule> cap;
};

class Fatigue final : public Rule {
public:
    Fatigue(std::vector<std::pair<Symbol, double>> signals, Duration half_life, std::vector<Ceiling> ceilings)
        : signals_{std::move(signals)}, half_life_{half_life}, ceilings_{std::move(ceilings)} {}

    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        if (evaluation.contact.acts.empty()) return Judgement::allow(at);
        auto next = at;
        auto why = Why::allowed;
        for (bool moved = true; moved && next != instant_never;) {
            moved = false;
            const auto score = score_at(evaluation, next);
            if (score.amount <= 0) break;
            for (const auto& ceiling : ceilings_) {
                const auto ends = score.falls_below(ceiling.score, half_life_);
                if (ends <= next) continue;
                if (why == Why::allowed) why = Why::fatigue_below_ceiling;
                const auto judgement = ceiling.cap->judge(evaluation, next);
                if (judgement.verdict == Verdict::allow) continue;
                if (judgement.why == Why::cannot_evaluate) return Judgement::deny(Why::cannot_evaluate);
                // Room comes when a slot is free or the ceiling ends, whichever is first. (More acts would only keep it longer.)
                next = std::min(judgement.next, ends);
                why = Why::fatigued;
                moved = true;
                break;
            }
        }
        return next == at ? Judgement::allow(at, why) : Judgement::until(next, Why::fatigued);
    }

    void describe(const Evaluation& evaluation, Instant at, bool touches, TraceStep& step) const override {
        const auto score = score_at(evaluation, at);
        step.score_milli = std::llround(score.now(at, half_life_) * 1000);
        // The numbers of the ceiling that leaves least.
        for (const auto& ceiling : ceilings_) {
            if (score.falls_below(ceiling.score, half_life_) <= at) continue;
            TraceStep told;
            ceiling.cap->describe(evaluation, at, touches, told);
            if (step.counts && step.max_milli - step.counted_milli <= told.max_milli - told.counted_milli) continue;
            step.counts = true;
            step.counted_milli = told.counted_milli;
            step.max_milli = told.max_milli;
            step.touches = std::move(told.touches);
        }
    }

    const Counting* counting() const override { return ceilings_.front().cap->counting(); }
    Duration horizon() const override {
        Duration longest{0};
        for (const auto& ceiling : ceilings_) longest = std::max(longest, ceiling.cap->horizon());
        return longest;
    }

private:
    // The score as it was at `since`, the newest act that is counted in it.
    struct Score {
        double amount = 0;
        Instant since{};
        [[nodiscard]] double now(Instant at, Duration half_life) const {
            return amount <= 0 ? 0 : amount * std::exp2(-static_cast<double>((at - since).count()) / static_cast<double>(half_life.count()));
        }
        // The first millisecond at which it is below `bound`.
        [[nodiscard]] Instant falls_below(double bound, Duration half_life) const {
            if (amount < bound) return since;
            return since + Duration{static_cast<std::int64_t>(std::floor(std::log2(amount / bound) * static_cast<double>(half_life.count()))) + 1};
        }
    };

    [[nodiscard]] double weight_of(const Act& act) const {
        for (const auto& [signal, weight] : signals_)
            if (act.kind == signal) return weight;
        return 0;
    }

    [[nodiscard]] Score score_at(const Evaluation& evaluation, Instant at) const {
        Score score{0, Instant::min()};
        for (const auto& act : evaluation.contact.acts)
            if (act.at <= at && weight_of(act) > 0) score.since = std::max(score.since, act.at);
        if (score.since == Instant::min()) return score;
        for (const auto& act : evaluation.contact.acts)
            if (act.at <= at)
                if (const auto weight = weight_of(act); weight > 0)
                    score.amount += weight * std::exp2(-static_cast<double>((score.since - act.at).count()) / static_cast<double>(half_life_.count()));
        return score;
    }

    std::vector<std::pair<Symbol, double>> signals_;
    Duration half_life_;
    std::vector<Ceiling> ceilings_;
};

}  // namespace

std::unique_ptr<Rule> make_fatigue(RuleReader& reader) {
    auto& json = reader.json;
    std::vector<std::pair<Symbol, double>> signals;
    json.members("signals", [&](const std::string& name, const Json& value, const std::string& pointer) {
        const auto weight = value.is_number() ? value.get<double>() : -1;
        if (!(weight > 0 && weight <= 1000)) return json.problems().push_back({pointer, "must be a number above 0, at most 1000"});
        signals.emplace_back(reader.names.symbols.intern(name), weight);
    });
    if (signals.empty()) json.problem("signals", "is required: kinds of acts and their weights, such as {\"complaint\": 1, \"unfollow\": 1}");
    if (json.raw("half_life") == nullptr) json.problem("half_life", "is required: a duration such as \"P30D\"");
    const auto half_life = json.duration("half_life", Duration{1}, Duration{1'000}, std::chrono::days{3660});

    auto counting = parse_counting(reader, by_contact);
    if (!counting.by.has(by_contact)) json.problem("by", "must contain \"contact\": it is the contact's ceiling");
    if (counting.by.has(by_member)) json.problem("by", "\"member\" is for caps only");
    parse_counts(reader, counting);
    const auto zone = reader.zone("zone", "contact");
    const auto unknown_zones = reader.unknown_zones();
    std::vector<Ceiling> ceilings;
    json.objects("ceilings", [&](JsonReader& entry, std::size_t) {
        CapSettings cap;
        cap.counting = counting;
        cap.zone_name = zone;
        cap.unknown_zones = unknown_zones;
        if (entry.raw("score") == nullptr) entry.problem("score", "is required: the ceiling holds while the score is at least this");
        const auto score = entry.number("score", 1, 1e-6, 1e9);
        if (entry.raw("max") == nullptr) entry.problem("max", "is required: a whole number, 0 for none");
        cap.max = entry.integer("max", 0, 0, 1'000'000'000) * 1000;
        parse_period(entry, cap);
        entry.finish();
        ceilings.push_back({score, make_cap_rule(std::move(cap))});
    });
    if (ceilings.empty()) {
        json.problem("ceilings", "is required: at least one {\"score\", \"max\", \"per\"}");
        ceilings.push_back({1, make_cap_rule({.counting = counting})});
    }
    return std::make_unique<Fatigue>(std::move(signals), half_life, std::move(ceilings));
}

}  // namespace touchgate::policy
