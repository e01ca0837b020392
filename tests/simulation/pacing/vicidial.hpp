// VICIdial's published pacing law, restated for comparison with ours: no campaign can choose it. Pure; not thread-safe.
//
// Source: the description of the adaptive methods in VICIdial's documentation (PREDICTIVE.txt) and its program AST_VDadapt.pl; what is dialed for
// a level, AST_VDauto_dial.pl: level · (free + talking agents) lines in all, those of talking agents included.
#pragma once

#include <deque>

#include "gateway/dialing/pacing.hpp"

namespace touchgate::pacing_simulation {

using namespace dialing;

enum class VicidialMethod : std::uint8_t { hard_limit, average, tapered };

struct VicidialTuning {
    VicidialMethod method = VicidialMethod::average;
    double level_max = 3;          // lines per agent
    double intensity = 0;          // −40 … 40
    double target = 0;             // wanted difference: −1 one agent waits, +1 one customer waits
    Duration shift{std::chrono::hours{8}};  // of the day that tapered eases off over
};

class Vicidial final : public Pacer {
public:
    explicit Vicidial(const Plan& plan, const VicidialTuning& tuning = {});
    [[nodiscard]] Pace decide(Instant now, const PacingView& view, const DialStatistics& statistics) override;
    // Its own counts: of today and of the last minute. Told of each call that was dialed, and of each that was answered when its end is known.
    void dialed(Instant at);
    void answered(Instant at, bool dropped);
    // A new day.
    void begin_day(Instant at);

private:
    void adapt(Instant now);
    Plan plan_;
    VicidialTuning tuning_;
    double level_ = 1;
    struct Sample { double idle_minus_waiting = 0, agents = 0; };
    std::deque<Sample> samples_;   // one a second, of the last minute
    std::deque<Instant> minute_calls_, minute_drops_;
    std::int64_t calls_today_ = 0, answers_today_ = 0, drops_today_ = 0;
    double drop_percent_today_ = 0;
    Instant day_began_{}, next_sample_{}, next_adapt_{}, next_counts_{}, next_dial_{};
};

}  // namespace touchgate::pacing_simulation
