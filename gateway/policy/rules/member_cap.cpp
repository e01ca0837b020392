// {"kind": "cap", "by": ["member"], "max": 2, "per": "P7D", "max_share_over": 0.1}: a post to a group is an exposure of each known member. It
// waits while more than that share of the members would have more than `max`. Touches of one contact are not its matter.
#include "gateway/policy/rules/cap.hpp"

namespace touchgate::policy {

namespace {

class MemberCap final : public Rule {
public:
    MemberCap(CapSettings settings, double max_share_over) : cap_{std::move(settings)}, max_share_over_{max_share_over} {
        if (cap_.zone_name != "contact") zone_ = Zone::find(cap_.zone_name);
    }

    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        const auto members = evaluation.request.members;
        if (members.empty()) return Judgement::allow(at);
        if (cap_.period != Period::sliding && zone(evaluation) == nullptr) return Judgement::deny(Why::cannot_evaluate);
        if (fits(evaluation, at, at)) return Judgement::allow(at, Why::room_left);
        if (cap_.counting.own(evaluation) > cap_.max) return Judgement::deny(Why::cap_reached);
        if (cap_.period != Period::sliding) {
            // Every period frees all that earlier ones held; only slots that lie ahead can need more than one step.
            auto next = at;
            for (int step = 0; step < 64; ++step) {
                next = next_stretch(cap_.period, *zone(evaluation), next);
                if (next == instant_never || fits(evaluation, next, at)) return Judgement::until(next, Why::cap_reached);
            }
            return Judgement::until(instant_never, Why::cap_reached);
        }
        // The share changes only when some member's slot leaves the window (or, if it lies ahead, enters it).
        std::vector<Instant> leaves;
        for (const auto& member : members)
            cap_.counting.each_counted_of(member, true, evaluation, at, [](Instant) { return true; },
                                          [&](const Counted& slot) { leaves.push_back(slot.at + cap_.per); });
        std::sort(leaves.begin(), leaves.end());
        leaves.erase(std::unique(leaves.begin(), leaves.end()), leaves.end());
        for (const auto leave : leaves)
            if (leave > at && fits(evaluation, leave, at)) return Judgement::until(leave, Why::cap_reached);
        return Judgement::until(instant_never, Why::cap_reached);
    }

    void describe(const Evaluation& evaluation, Instant at, bool, TraceStep& step) const override {
        if (evaluation.request.members.empty()) return;
        step.counts = true;  // members over their cap, of those that may be
        step.counted_milli = static_cast<std::int64_t>(members_over(evaluation, at, at)) * 1000;
        step.max_milli = static_cast<std::int64_t>(allowed_over(evaluation)) * 1000;
    }

    const Counting* counting() const override { return &cap_.counting; }
    Duration horizon() const override { return cap_.period == Period::sliding ? cap_.per : std::chrono::days{32}; }

private:
    // A group has no zone of its own: the rule's, else the gateway's.
    [[nodiscard]] const Zone* zone(const Evaluation& evaluation) const { return zone_ != nullptr ? zone_ : Zone::find(evaluation.around.default_zone); }

    [[nodiscard]] std::size_t allowed_over(const Evaluation& evaluation) const {
        return static_cast<std::size_t>(max_share_over_ * static_cast<double>(evaluation.request.members.size()) + 1e-9);
    }
    [[nodiscard]] bool fits(const Evaluation& evaluation, Instant at, Instant frozen) const {
        return members_over(evaluation, at, frozen) <= allowed_over(evaluation);
    }

    // Members for whom the post at `at` would be more than the maximum. `counts` is asked as of `frozen`.
    [[nodiscard]] std::size_t members_over(const Evaluation& evaluation, Instant at, Instant frozen) const {
        const auto* in_zone = cap_.period == Period::sliding ? nullptr : zone(evaluation);
        if (cap_.period != Period::sliding && in_zone == nullptr) return evaluation.request.members.size();
        const auto period = in_zone == nullptr ? LocalPeriod{} : period_of(cap_.period, in_zone->local(at));
        const auto in = [&](Instant slot) { return in_zone == nullptr ? slot <= at && at - slot < cap_.per : period.holds(in_zone->local(slot)); };
        const auto own = cap_.counting.own(evaluation);
        std::size_t over = 0;
        for (const auto& member : evaluation.request.members) {
            std::int64_t used = 0;
            cap_.counting.each_counted_of(member, true, evaluation, frozen, in, [&](const Counted& slot) { used += slot.weight; });
            if (used + own > cap_.max) ++over;
        }
        return over;
    }

    CapSettings cap_;
    double max_share_over_;
    const Zone* zone_ = nullptr;
};

}  // namespace

std::unique_ptr<Rule> make_member_cap(CapSettings settings, double max_share_over) {
    return std::make_unique<MemberCap>(std::move(settings), max_share_over);
}

}  // namespace touchgate::policy
