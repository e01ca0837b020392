// {"kind": "abandonment", "max_percent": 3, "per": "P30D", "confidence": 0.95, "by": ["campaign"]}: of the calls that a person answered, how
// many were dropped because no agent was free? While the upper confidence limit of that share is above the maximum, no call is dialled
// without an agent (Request::predictive). Dials with an agent held free go on: they are what brings the limit down. With no calls yet the
// limit is 100 %, so a campaign earns its right to dial ahead.
#include "gateway/policy/binomial_bound.hpp"
#include "gateway/policy/call_outcomes.hpp"
#include "gateway/policy/rules/cap.hpp"

namespace touchgate::policy {

namespace {

class Abandonment final : public Rule {
public:
    explicit Abandonment(RuleReader& reader) : counting_{parse_counting(reader, by_campaign)} {
        parse_counts(reader, counting_);
        if (counting_.by.has(by_member)) reader.json.problem("by", "\"member\" is for caps only");
        if (counting_.outcomes != 0) reader.json.problem("counts", "`outcomes` are given by the kind: dropped over answered and dropped");
        counting_.outcomes = 1U << answered | 1U << dropped;
        counting_.one_slot_per_touch = false;
        if (reader.json.raw("max_percent") == nullptr) reader.json.problem("max_percent", "is required: a number such as 3");
        max_share_ = reader.json.number("max_percent", 0, 0, 100) / 100;
        confidence_ = reader.json.number("confidence", 0.95, 0.5, 0.999999);
        per_ = reader.json.duration("per", Duration{std::chrono::years{100}}, Duration{1});
    }

    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        if (!evaluation.request.predictive) return Judgement::allow(at);
        const auto now = calls(evaluation, at, at);
        if (!now) return Judgement::deny(Why::cannot_evaluate);
        if (bound(*now) <= max_share_) return Judgement::allow(at, Why::few_enough_dropped);
        // Time alone changes the share only when a call leaves the window (or, if it lies ahead, enters it).
        std::vector<Instant> changes;
        (void)counting_.each_counted(evaluation, at, [](Instant) { return true; }, [&](const Counted& slot) {
            changes.push_back(slot.at);
            changes.push_back(slot.at + per_);
        });
        std::sort(changes.begin(), changes.end());
        changes.erase(std::unique(changes.begin(), changes.end()), changes.end());
        for (const auto change : changes)
            if (change > at && bound(*calls(evaluation, change, at)) <= max_share_) return Judgement::deny(Why::too_many_dropped, change);
        return Judgement::deny(Why::too_many_dropped);
    }

    void describe(const Evaluation& evaluation, Instant at, bool, TraceStep& step) const override {
        const auto now = evaluation.request.predictive ? calls(evaluation, at, at) : std::nullopt;
        if (!now) return;
        step.counts = true;  // percent
        step.counted_milli = static_cast<std::int64_t>(bound(*now) * 100'000 + 0.5);
        step.max_milli = static_cast<std::int64_t>(max_share_ * 100'000 + 0.5);
    }

    const Counting* counting() const override { return &counting_; }
    Duration horizon() const override { return per_; }

private:
    static constexpr auto answered = call_outcome_number("answered");
    static constexpr auto dropped = call_outcome_number("dropped");

    struct Calls {
        std::uint64_t live = 0;
        std::uint64_t dropped = 0;
    };

    [[nodiscard]] std::optional<Calls> calls(const Evaluation& evaluation, Instant at, Instant frozen) const {
        Calls found;
        const auto in = [&](Instant slot) { return slot <= at && at - slot < per_; };
        const bool readable = counting_.each_counted(evaluation, frozen, in, [&](const Counted& slot) {
            ++found.live;
            if (slot.entry->outcome == dropped) ++found.dropped;
        });
        return readable ? std::optional{found} : std::nullopt;
    }

    [[nodiscard]] double bound(const Calls& of) const { return share_upper_bound(of.dropped, of.live, confidence_); }

    Counting counting_;
    double max_share_ = 0;
    double confidence_ = 0.95;
    Duration per_{};
};

}  // namespace

std::unique_ptr<Rule> make_abandonment(RuleReader& reader) { return std::make_unique<Abandonment>(reader); }

}  // namespace touchgate::policy
