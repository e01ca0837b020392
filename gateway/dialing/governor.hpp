// The predictive law: as many lines as keep the upper confidence limit of the drop rate under the campaign's bound. Pure; not thread-safe.
//
// Two parts. The forecast: one more line is dialed while the probability that its answer finds no agent is at most the accepted risk; agents come
// free by their survival curves, calls in flight are answered by theirs, and the count of both is the exact convolution. The feedback: the
// accepted risk follows from how many more calls may be dropped so that the limit still holds; with none to spare there are never more lines
// than free agents, and then none can be dropped. Whatever the forecast gets wrong, the feedback takes back. Formulas: docs/dialing.md.
#pragma once

#include "gateway/dialing/pacing.hpp"

namespace touchgate::dialing {

struct GovernorTuning {
    double confidence = 0.95;      // of the limit, one-sided
    double risk_base = 0.005;      // accepted when hardly anything may be dropped any more
    double risk_max = 0.5;         // accepted at most, however much may be dropped
    double ease = 1;               // the risk grows e-fold with every `ease` · √allowed + `ease_least` drops that are left
    double ease_least = 5;
    double horizon_share = 0.8;    // looked ahead to the time within which this share of answers come
};

class Governor final : public Pacer {
public:
    explicit Governor(const Plan& plan, const GovernorTuning& tuning = {});
    [[nodiscard]] Pace decide(Instant now, const PacingView& view, const DialStatistics& statistics) override;
    // The risk that the next line may have; 0: zero-drop.
    [[nodiscard]] double accepted_risk(Instant now, const DropLedger& drops) const;

private:
    Plan plan_;
    GovernorTuning tuning_;
};

// Probability that an agent who has been in this phase for so long is free within `horizon`.
[[nodiscard]] double free_within(const AgentView& agent, Instant now, Duration horizon, const DialStatistics& statistics);

}  // namespace touchgate::dialing
