// The cascade of a touch: which ways are tried in which order, and when one is given up for the next. Pure.
//
// The candidates of a touch (an account each) stand in order; a step is a run of them that share a condition and a time. A candidate that
// fails for certain gives way to the next candidate; a step whose time is over gives way to the next step.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "gateway/dispatch/lattice.hpp"

namespace touchgate::dispatch {

// What a step waits for: it ends the cascade. Numbers are written to the log.
enum class Until : std::uint8_t {
    accepted = 1,  // the provider took it
    delivered,
    read,
    replied,
    answered,      // a call was taken; where messages go: the customer replied
};
[[nodiscard]] std::string_view to_string(Until until);

// What a caller says of a step, beside its channel.
struct StepTerms {
    Until until = Until::delivered;
    std::int64_t within_ms = -1;  // counted from the permit of the step's newest attempt; negative: only a definite failure ends the step
    bool operator==(const StepTerms&) const = default;
};

// A step as it is logged: its candidates reach from `first` to the first of the next step.
struct CascadeStep {
    std::uint8_t first = 0;
    Until until = Until::delivered;
    std::int64_t within_ms = -1;
    template <class A> void fields(A&& a) { a(first, until, within_ms); }
    auto operator<=>(const CascadeStep&) const = default;
};

class Cascade {
public:
    // `steps` empty: every candidate is a step of its own that waits for delivery, for `fallback_after_ms` (negative: for ever).
    // Does not own the steps.
    Cascade(std::span<const CascadeStep> steps, std::size_t candidates, std::int64_t fallback_after_ms)
        : steps_{steps}, candidates_{candidates}, fallback_after_ms_{fallback_after_ms} {}

    // The first candidate of the step after that of `candidate`. Nothing: it is of the last step.
    [[nodiscard]] std::optional<std::uint8_t> next(std::uint8_t candidate) const;
    [[nodiscard]] StepTerms terms(std::uint8_t candidate) const;

private:
    [[nodiscard]] std::size_t step_of(std::uint8_t candidate) const;
    std::span<const CascadeStep> steps_;
    std::size_t candidates_;
    std::int64_t fallback_after_ms_;
};

// Has an attempt that came so far what its step waits for? `voice`: it is a call.
[[nodiscard]] constexpr bool reaches(Until until, bool voice, bool accepted, Progress progress) {
    switch (until) {
        case Until::accepted: return accepted || progress >= Progress::delivered;
        case Until::delivered: return progress >= Progress::delivered;
        case Until::read: return progress >= Progress::read;
        case Until::replied: return progress >= Progress::replied;
        case Until::answered: return progress >= (voice ? Progress::delivered : Progress::replied);  // nothing is played before somebody answers
    }
    return false;
}

}  // namespace touchgate::dispatch
