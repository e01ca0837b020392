// {"kind": "session_window", "since": "P2D", "messages": 5}: only within `since` after the customer's newest act on this channel, and at most
// `messages` attempts since that act (0 or absent: any number). Outside: deny, for only the customer can open the window again.
#include "gateway/policy/rules/cap.hpp"

namespace touchgate::policy {

namespace {

class SessionWindow final : public Rule {
public:
    explicit SessionWindow(RuleReader& reader) : counting_{parse_counting(reader, by_contact | by_account)} {
        parse_counts(reader, counting_);
        if (reader.json.raw("since") == nullptr) reader.json.problem("since", "is required: a duration such as \"P2D\"");
        since_ = reader.json.duration("since", Duration{1}, Duration{1});
        max_milli_ = reader.json.integer("messages", 0, 0, 1'000'000) * 1000;
        if (reader.json.raw("opens") != nullptr) reader.json.problem("opens", "telling the customer's acts apart is not supported in this version");
        if (counting_.by_set >= 0) reader.json.problem("by", "must contain \"contact\"");
    }

    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        const auto act = evaluation.contact.last_inbound;
        if (act == Instant::min() || at < act || at - act >= since_) return Judgement::deny(Why::window_closed, at < act ? act : instant_never);
        if (max_milli_ == 0) return Judgement::allow(at);
        if (used(evaluation, at) + counting_.weight_of(evaluation.request.names.channel) > max_milli_) return Judgement::deny(Why::window_used_up);
        return Judgement::allow(at, Why::room_left);
    }

    void describe(const Evaluation& evaluation, Instant at, bool touches, TraceStep& step) const override {
        if (max_milli_ == 0) return;
        step.counts = true;
        step.max_milli = max_milli_;
        step.counted_milli = used(evaluation, at, touches ? &step : nullptr);
    }

    const Counting* counting() const override { return &counting_; }
    Duration horizon() const override { return since_; }

private:
    [[nodiscard]] std::int64_t used(const Evaluation& evaluation, Instant at, TraceStep* step = nullptr) const {
        std::int64_t weight = 0;
        const auto since_act = [&](Instant slot) { return slot >= evaluation.contact.last_inbound; };
        (void)counting_.each_counted(evaluation, at, since_act, [&](const Counted& slot) {
            weight += slot.weight;
            if (step != nullptr) step->touches.push_back(slot.entry->touch);
        });
        return weight;
    }

    Counting counting_;
    Duration since_{};
    std::int64_t max_milli_ = 0;
};

}  // namespace

std::unique_ptr<Rule> make_session_window(RuleReader& reader) { return std::make_unique<SessionWindow>(reader); }

}  // namespace touchgate::policy
