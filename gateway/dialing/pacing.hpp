// How many calls a campaign dials now. A law of pacing sees its agents, the calls in flight and what was learned so far; it decides a number and
// says why. Pure: time is an argument. Not thread-safe; everything of one campaign is used by one thread.
//
// The laws, their formulas and their sources: docs/dialing.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "gateway/dialing/answer_rates.hpp"
#include "gateway/dialing/drop_ledger.hpp"
#include "gateway/dialing/plan.hpp"
#include "gateway/dialing/ring_curve.hpp"
#include "gateway/dialing/survival.hpp"

namespace touchgate::dialing {

// Agents that take this campaign's calls now, or will when they are done with what they do. One who goes on a break after the current call, or who
// is wanted by other queues first, is not among them.
enum class AgentPhase : std::uint8_t { free, talking, wrapping };  // reserved or ringing with a customer: talking
struct AgentView {
    AgentPhase phase = AgentPhase::free;
    Instant since{};
};
// A dial that is not answered yet.
struct LineView {
    Instant dialed_at{};
    double answer_rate = 0.3;  // AnswerRates::rate when it was dialed
};
struct PacingView {
    std::span<const AgentView> agents = {};
    std::span<const LineView> lines = {};
    std::uint32_t waiting = 0;        // answered, and without an agent so far
    std::uint32_t room = 0xFFFF'FFFF; // how many more lines trunks and rates allow now
    std::uint32_t recipients = 0xFFFF'FFFF;  // that may be dialed now
    double next_answer_rate = 0.3;    // of those that would be dialed next
};

// What a campaign learns. Part of its state: dumped and read again.
struct DialStatistics {
    DialStatistics() = default;
    explicit DialStatistics(const Plan& plan) : drops{plan.drop_window} {}
    AnswerRates answer_rates;
    RingCurve ring;
    SurvivalCurve talk{Duration{120'000}, 3}, wrap_up{Duration{15'000}, 3};
    DropLedger drops;
    // A dial ended or was answered, after ringing this long. Not for dials that the gateway or the trunk is to blame for.
    void dial_ended(const DialKind& kind, Duration rang, bool answered) {
        answer_rates.ended(kind, answered);
        ring.ended(rang, answered);
    }
    template <class A> void fields(A&& a) { a(answer_rates, ring, talk, wrap_up, drops); }
};

struct Pace {
    std::uint32_t dial = 0;          // new calls to make now
    std::string_view limit = "agents";  // what held it back: "mode" (preview), "agents", "zero_drop", "drop_bound", "lines", "trunks", "recipients"
    double risk_accepted = 0;        // the share of answers on the last line that may find nobody; predictive only
    double lines_per_agent = 0;      // of the law, where it has such a number
};

class Pacer {
public:
    virtual ~Pacer() = default;
    // To be asked whenever an agent becomes free or a call ends, and at least once a second.
    [[nodiscard]] virtual Pace decide(Instant now, const PacingView& view, const DialStatistics& statistics) = 0;
};

// By the plan's mode.
[[nodiscard]] std::unique_ptr<Pacer> make_pacer(const Plan& plan);

// For the laws: `dial` cut to what lines, trunks and recipients allow.
[[nodiscard]] Pace limited(Pace pace, const Plan& plan, const PacingView& view);
[[nodiscard]] std::uint32_t free_agents(const PacingView& view);

}  // namespace touchgate::dialing
