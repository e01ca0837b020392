// {"kind": "gap", "after": "touch" | "complaint" | "conversation" | "reply" | "open_ticket" | "event" | "disposition", "at_least": "PT4H",
//  "by": ["contact"]}: a pause after something happened. `event` takes "events" and "kinds", `disposition` takes "codes". An open ticket
// holds until it closes, whenever that is.
#include "gateway/policy/rules/cap.hpp"

namespace touchgate::policy {

namespace {

class Gap final : public Rule {
public:
    Gap(Duration at_least, Counting counting) : at_least_{at_least}, counting_{std::move(counting)} {
        counting_.one_slot_per_touch = false;  // of several attempts the latest matters, whichever slot they share
        counting_.own_calls_count = false;
    }

    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        auto next = at;
        for (bool moved = true; moved;) {
            moved = false;
            const auto holds = [&](Instant slot) { return slot <= next && next - slot < at_least_; };
            const bool readable = counting_.each_counted(evaluation, at, holds, [&](const Counted& slot) {
                next = slot.at + at_least_;
                moved = true;
            });
            if (!readable) return Judgement::deny(Why::cannot_evaluate);
        }
        return next == at ? Judgement::allow(at) : Judgement::until(next, Why::too_soon_after_touch);
    }

    void describe(const Evaluation& evaluation, Instant at, bool touches, TraceStep& step) const override {
        if (!touches) return;
        const auto holds = [&](Instant slot) { return slot <= at && at - slot < at_least_; };
        (void)counting_.each_counted(evaluation, at, holds, [&](const Counted& slot) { step.touches.push_back(slot.entry->touch); });
    }

    const Counting* counting() const override { return &counting_; }
    Duration horizon() const override { return at_least_; }

private:
    Duration at_least_;
    Counting counting_;
};

class GapAfterAct final : public Rule {
public:
    GapAfterAct(Duration at_least, Instant ContactView::*act, Why why) : at_least_{at_least}, act_{act}, why_{why} {}

    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        const auto act = evaluation.contact.*act_;
        if (act == Instant::min() || at >= act + at_least_) return Judgement::allow(at);
        return Judgement::until(act + at_least_, why_);
    }

private:
    Duration at_least_;
    Instant ContactView::*act_;
    Why why_;
};

// After acts of given events and kinds; empty: any.
class GapAfterEvent final : public Rule {
public:
    GapAfterEvent(Duration at_least, std::vector<Symbol> events, std::vector<Symbol> kinds, Why why)
        : at_least_{at_least}, events_{std::move(events)}, kinds_{std::move(kinds)}, why_{why} {}

    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        auto next = at;
        for (bool moved = true; moved;) {
            moved = false;
            for (const auto& act : evaluation.contact.acts) {
                if (act.at > next || next - act.at >= at_least_ || !is_one_of(events_, act.event) || !is_one_of(kinds_, act.kind)) continue;
                next = act.at + at_least_;
                moved = true;
            }
        }
        return next == at ? Judgement::allow(at) : Judgement::until(next, why_);
    }

private:
    static bool is_one_of(const std::vector<Symbol>& symbols, Symbol symbol) {
        return symbols.empty() || std::find(symbols.begin(), symbols.end(), symbol) != symbols.end();
    }

    Duration at_least_;
    std::vector<Symbol> events_;
    std::vector<Symbol> kinds_;
    Why why_;
};

class GapWhileTicketOpen final : public Rule {
public:
    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        return evaluation.contact.open_ticket ? Judgement::wait(Why::ticket_open) : Judgement::allow(at);
    }
};

}  // namespace

std::unique_ptr<Rule> make_gap(RuleReader& reader) {
    const auto after = reader.json.choice("after", {"touch", "complaint", "conversation", "open_ticket", "reply", "event", "disposition"}, "touch");
    if (after == "open_ticket") return std::make_unique<GapWhileTicketOpen>();
    if (reader.json.raw("at_least") == nullptr) reader.json.problem("at_least", "is required: a duration such as \"PT4H\"");
    const auto at_least = reader.json.duration("at_least", Duration{1}, Duration{1});
    const auto symbols = [&](std::string_view key) {
        std::vector<Symbol> made;
        for (const auto& name : reader.json.texts(key)) made.push_back(reader.names.symbols.intern(name));
        return made;
    };
    if (after == "event") {
        auto events = symbols("events");
        if (events.empty()) reader.json.problem("events", "is required: event types such as [\"conversion.recorded\"]");
        return std::make_unique<GapAfterEvent>(at_least, std::move(events), symbols("kinds"), Why::too_soon_after_event);
    }
    if (after == "disposition")
        return std::make_unique<GapAfterEvent>(at_least, std::vector{reader.names.symbols.intern("disposition")}, symbols("codes"),
                                               Why::too_soon_after_disposition);
    if (after == "complaint") return std::make_unique<GapAfterAct>(at_least, &ContactView::last_complaint, Why::too_soon_after_complaint);
    if (after == "conversation")
        return std::make_unique<GapAfterAct>(at_least, &ContactView::last_conversation_end, Why::too_soon_after_conversation);
    if (after == "reply") return std::make_unique<GapAfterAct>(at_least, &ContactView::last_reply, Why::too_soon_after_reply);
    auto counting = parse_counting(reader, by_contact);
    if (counting.by.has(by_member)) reader.json.problem("by", "\"member\" is for caps only");
    if (!counting.weights.empty()) reader.json.problem("weight", "has no meaning for a gap");
    parse_counts(reader, counting);
    return std::make_unique<Gap>(at_least, std::move(counting));
}

}  // namespace touchgate::policy
