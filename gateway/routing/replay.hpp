// What would have become of the same callers with other agents, or under another strategy? The router itself under a clock of its own, fed with what a log holds:
// when items came and for what, how long they were worked on, how long those who left had patience, when agents were there and ready, how fast they answered.
//
//   log's events ── ReplayHistory ──► arrivals, work, people ── simulate, several times ──► figures as they were logged, simulated as it was, and with the change
//
// What a log cannot tell is drawn: the handling time of who was never answered (one of those of his queue), and how much longer who was answered would have waited
// (exponential, its rate by maximum likelihood from waits that were cut short: abandoned ÷ all time waited). So every figure comes with an interval over the
// runs, and the change is also given as the difference of runs with the same draws. Pure; deterministic for a seed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/routing/router.hpp"

namespace touchgate::routing {

// Collects from events in the order of a log. Items that were dialled or given to an agent without waiting occupy him as they did; a transfer
// lengthens the work of whoever answered.
class ReplayHistory {
public:
    // Only items that came in [from, to) are counted and simulated.
    explicit ReplayHistory(std::optional<Instant> from = {}, std::optional<Instant> to = {}) : from_{from}, to_{to} {}
    void take(const Event& event, Instant at);

    struct Arrival {
        Instant at{}, first_queued_at{};
        std::string queue, channel, prefers;
        std::vector<std::string> needs;
        std::uint8_t priority = 50;
        std::optional<Instant> answered_at, left_at, ended_at;  // ended: its slot was free
        bool gave_up = false;                                   // left of his own
    };
    struct Occupied {
        Uuid item{};
        std::string agent, channel;
        Instant from{};
        std::optional<Instant> to;
    };
    struct Answering {
        std::uint32_t accepted = 0, rejected = 0, timed_out = 0;
        std::vector<Duration> delays;  // of accepted offers
    };

    [[nodiscard]] const std::vector<std::pair<Event, Instant>>& people() const { return people_; }
    [[nodiscard]] const std::vector<Arrival>& arrivals() const { return arrivals_; }
    [[nodiscard]] const std::vector<Occupied>& occupied() const { return occupied_; }
    [[nodiscard]] const std::map<std::string, Answering, std::less<>>& answering() const { return answering_; }
    [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& rona() const { return rona_; }  // by queue, in the range
    [[nodiscard]] Duration block_lasts() const;  // from a block until the agent was ready again, on average; a minute without any

private:
    [[nodiscard]] bool in_range(Instant at) const { return (!from_ || at >= *from_) && (!to_ || at < *to_); }
    struct Open { std::optional<std::size_t> arrival, occupied; std::string queue; };
    std::optional<Instant> from_, to_;
    std::vector<std::pair<Event, Instant>> people_;
    std::vector<Arrival> arrivals_;
    std::vector<Occupied> occupied_;
    std::map<Uuid, Open> open_;
    std::map<Uuid, std::pair<Instant, bool>> offers_;  // when made; silent
    std::map<std::string, Answering, std::less<>> answering_;
    std::map<std::string, std::uint64_t, std::less<>> rona_;
    std::map<std::string, Instant, std::less<>> blocked_;
    Duration blocked_for_{0};
    std::int64_t blocks_ = 0;
};

struct ReplayChange {
    struct Agents { int count = 0; std::string queue; };  // always there and ready, with all the skills that the queue asks for
    std::vector<Agents> agents;
    std::map<std::string, Strategy> strategies;
};

// Of one queue, or of all together.
struct ReplayFigures {
    double offered = 0, answered = 0, answered_within = 0, abandoned = 0, flowed_out = 0, wait_s = 0, rona = 0;
    double busy_s = 0, idle_s = 0;  // of the queue's agents (of all agents): with work, ready without
    [[nodiscard]] double service_level() const { return offered > 0 ? answered_within / offered : 1; }
    [[nodiscard]] double asa_s() const { return answered > 0 ? wait_s / answered : 0; }
    [[nodiscard]] double abandonment() const { return offered > 0 ? abandoned / offered : 0; }
    [[nodiscard]] double occupancy() const { return busy_s + idle_s > 0 ? busy_s / (busy_s + idle_s) : 0; }
};
using FiguresByQueue = std::map<std::string, ReplayFigures>;  // "": all together

// As it was, counted from the log alone; agents' time is not among it.
[[nodiscard]] FiguresByQueue logged_figures(const ReplayHistory& history);
// One run.
[[nodiscard]] FiguresByQueue simulate(const ReplayHistory& history, const RouterSettings& settings, const ReplayChange& change, std::uint64_t seed);

// Mean and the 95 % of the runs that lie in the middle.
struct ReplayInterval { double value = 0, low = 0, high = 0; };
struct ReplayRow {
    std::string queue;
    ReplayFigures logged;
    struct Measures { ReplayInterval service_level, asa_s, abandonment, occupancy, rona; } before, after, difference;
};
// Rows by queue, last that of all together (its queue is empty). Kind invalid_input: a queue of the change is not in the log.
[[nodiscard]] Result<std::vector<ReplayRow>> replay_routing(const ReplayHistory& history, const RouterSettings& settings, const ReplayChange& change, int runs, std::uint64_t seed);

[[nodiscard]] std::optional<Strategy> parse_strategy(std::string_view word);

}  // namespace touchgate::routing
