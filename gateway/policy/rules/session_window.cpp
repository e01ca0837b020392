// {"kind": "session_window", "since": "P2D", "messages": 5, "opens": ["text"], "also": [{"opens": ["click"], "since": "PT1M", "messages": 3}]}:
// only within `since` after the customer's newest act on this channel, and at most `messages` attempts since that act (0 or absent: any
// number). `opens` names the kinds of acts that open the window; absent: whatever he writes or calls. Platforms give each kind of act its
// own window: those of `also` stand beside the first, and one that is open is enough. Outside: deny, for only the customer can open it again.
#include "gateway/policy/rules/cap.hpp"

namespace touchgate::policy {

namespace {

struct Window {
    std::vector<Symbol> opens = {};
    Duration since{};
    std::int64_t max_milli = 0;  // 0: any number
};

Window parse_window(JsonReader& json, SymbolTable& symbols) {
    Window window;
    if (json.raw("since") == nullptr) json.problem("since", "is required: a duration such as \"P2D\"");
    window.since = json.duration("since", Duration{1}, Duration{1});
    window.max_milli = json.integer("messages", 0, 0, 1'000'000) * 1000;
    for (const auto& kind : json.texts("opens")) window.opens.push_back(symbols.intern(kind));
    if (json.has("opens") && window.opens.empty()) json.problem("opens", "must name at least one kind of act, such as \"text\"");
    return window;
}

class SessionWindow final : public Rule {
public:
    explicit SessionWindow(RuleReader& reader) : counting_{parse_counting(reader, by_contact | by_account)} {
        parse_counts(reader, counting_);
        if (counting_.by_set >= 0 || counting_.by.has(by_member)) reader.json.problem("by", "must contain \"contact\"");
        windows_.push_back(parse_window(reader.json, reader.names.symbols));
        reader.json.objects("also", [&](JsonReader& entry, std::size_t) {
            windows_.push_back(parse_window(entry, reader.names.symbols));
            entry.finish();
        });
    }

    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        auto refusal = Judgement::deny(Why::window_closed);
        for (const auto& window : windows_) {
            const auto judgement = judge_window(evaluation, window, at);
            if (judgement.verdict == Verdict::allow) return judgement;
            // One that is used up says more than one that is closed.
            if (judgement.why == Why::window_used_up) refusal.why = judgement.why;
            refusal.next = std::min(refusal.next, judgement.next);
        }
        return refusal;
    }

    void describe(const Evaluation& evaluation, Instant at, bool touches, TraceStep& step) const override {
        for (const auto& window : windows_) {
            const auto act = newest_act(evaluation, window, at);
            if (window.max_milli == 0 || act == Instant::min() || at - act >= window.since) continue;
            step.counts = true;
            step.max_milli = window.max_milli;
            step.counted_milli = used(evaluation, act, at, touches ? &step : nullptr);
            return;
        }
    }

    const Counting* counting() const override { return &counting_; }
    Duration horizon() const override {
        Duration longest{0};
        for (const auto& window : windows_) longest = std::max(longest, window.since);
        return longest;
    }

private:
    [[nodiscard]] Judgement judge_window(const Evaluation& evaluation, const Window& window, Instant at) const {
        const auto act = newest_act(evaluation, window, at);
        // An act that lies ahead (a provider's clock that runs before ours) opens the window when it comes.
        if (act == Instant::min() || at - act >= window.since) return Judgement::deny(Why::window_closed, next_act(evaluation, window, at));
        if (window.max_milli == 0) return Judgement::allow(at);
        if (used(evaluation, act, at) + counting_.own(evaluation) > window.max_milli)
            return Judgement::deny(Why::window_used_up, next_act(evaluation, window, at));
        return Judgement::allow(at, Why::room_left);
    }

    // Calls `each` with every act that opens the window.
    template <class Each>
    void each_act(const Evaluation& evaluation, const Window& window, Each&& each) const {
        if (window.opens.empty()) {
            if (evaluation.contact.last_inbound != Instant::min()) each(evaluation.contact.last_inbound);
            return;
        }
        for (const auto& act : evaluation.contact.acts)
            if (act.channel == evaluation.request.names.channel && std::find(window.opens.begin(), window.opens.end(), act.kind) != window.opens.end())
                each(act.at);
    }
    [[nodiscard]] Instant newest_act(const Evaluation& evaluation, const Window& window, Instant at) const {
        auto newest = Instant::min();
        each_act(evaluation, window, [&](Instant act) {
            if (act <= at) newest = std::max(newest, act);
        });
        return newest;
    }
    [[nodiscard]] Instant next_act(const Evaluation& evaluation, const Window& window, Instant at) const {
        auto next = instant_never;
        each_act(evaluation, window, [&](Instant act) {
            if (act > at) next = std::min(next, act);
        });
        return next;
    }

    [[nodiscard]] std::int64_t used(const Evaluation& evaluation, Instant act, Instant at, TraceStep* step = nullptr) const {
        std::int64_t weight = 0;
        const auto since_act = [&](Instant slot) { return slot >= act; };
        (void)counting_.each_counted(evaluation, at, since_act, [&](const Counted& slot) {
            weight += slot.weight;
            if (step != nullptr) step->touches.push_back(slot.entry->touch);
        });
        return weight;
    }

    Counting counting_;
    std::vector<Window> windows_;
};

}  // namespace

std::unique_ptr<Rule> make_session_window(RuleReader& reader) { return std::make_unique<SessionWindow>(reader); }

}  // namespace touchgate::policy
