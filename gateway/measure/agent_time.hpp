// Where an agent's time went: every millisecond in exactly one state, whatever interval is asked for. Pure; not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gateway/base/time.hpp"

namespace touchgate::measure {

// The displayed states of an agent, in the order of their words.
enum class AgentState : std::uint8_t { offline, not_ready, ready, reserved, ringing, talking, held, consulting, conference, wrapup, rona_blocked, fault };
inline constexpr std::array<std::string_view, 12> agent_state_words = {"offline", "not_ready",  "ready",      "reserved", "ringing",      "talking",
                                                                       "held",    "consulting", "conference", "wrapup",   "rona_blocked", "fault"};

// Time in each state. A sum over intervals or agents is the sum of the members.
struct StateTimes {
    std::array<Duration, agent_state_words.size()> in{};
    [[nodiscard]] Duration& operator[](AgentState state) { return in[static_cast<std::size_t>(state)]; }
    [[nodiscard]] Duration operator[](AgentState state) const { return in[static_cast<std::size_t>(state)]; }
    StateTimes& operator+=(const StateTimes& other);
    [[nodiscard]] Duration total() const;
    [[nodiscard]] Duration signed_in() const { return total() - (*this)[AgentState::offline]; }
    // Reserved, ringing, talking, held, consulting, conference, wrap-up: each moment once, however many conversations ran beside each other.
    [[nodiscard]] Duration handling() const;
    // Ready and without work.
    [[nodiscard]] Duration idle() const { return (*this)[AgentState::ready]; }
    template <class A> void fields(A&& a) { for (auto& time : in) a(time); }
};

// handling / (handling + idle): never above 1, for it is wall-clock time.
[[nodiscard]] std::optional<double> occupancy(const StateTimes& times);
// (handling + idle) / signed in.
[[nodiscard]] std::optional<double> utilisation(const StateTimes& times);

// The states of one agent in the order of time; before the first change the agent was offline.
class AgentTimeline {
public:
    // A change that is reported for an instant before the last one (a clock was set back) takes effect at that last one.
    void change(Instant at, AgentState to);
    [[nodiscard]] AgentState state() const { return changes_.empty() ? AgentState::offline : changes_.back().to; }
    // Adds up to `to` − `from` exactly; nothing where `to` is not after `from`. The last state lasts on. Right only for what was not forgotten.
    [[nodiscard]] StateTimes between(Instant from, Instant to) const;
    // What lies before `at` is no longer needed, but for the state then.
    void forget_before(Instant at);
    [[nodiscard]] std::size_t size() const { return changes_.size(); }
    template <class A> void fields(A&& a) { a(changes_); }

private:
    struct Change {
        Instant at;
        AgentState to = AgentState::offline;
        template <class A> void fields(A&& a) { a(at, to); }
    };
    std::vector<Change> changes_;
};

// From `from` to before `to`.
struct TimeSpan {
    Instant from, to;
};
// How long spans (an agent's slots at work) covered the window: each moment once, and each span by itself.
struct Coverage {
    Duration at_least_one{0}, sum{0};
};
[[nodiscard]] Coverage coverage(std::span<const TimeSpan> spans, TimeSpan window);
// sum / at least one: how many conversations an agent had at a time while there was one.
[[nodiscard]] std::optional<double> concurrency(const Coverage& coverage);

}  // namespace touchgate::measure
