// Working time: deadlines and durations that only run while business hours are open. Immutable; any thread.
#pragma once

#include <optional>

#include "gateway/policy/decide.hpp"
#include "gateway/policy/open_hours.hpp"

namespace touchgate::leads {

class WorkingTime {
public:
    WorkingTime() = default;  // always open
    // {"zone": IANA (default: `default_zone`), "calendar": id, "open": […]}; problems go into the reader's list, the caller finishes it.
    WorkingTime(JsonReader& reader, const policy::Calendars& calendars, const std::string& default_zone);

    [[nodiscard]] bool is_open(Instant at) const;
    // The instant at which `amount` of open time has passed since `from`; where it ends exactly at a closing, that closing.
    // instant_never: it does not pass within 366 days.
    [[nodiscard]] Instant after(Instant from, Duration amount) const;
    // Open time in [from, to); zero if to ≤ from.
    [[nodiscard]] Duration between(Instant from, Instant to) const;
    // The least instant > `at` at which `is_open` may answer otherwise; instant_never: none.
    [[nodiscard]] Instant next_change(Instant at) const;

private:
    const policy::Zone* zone_ = nullptr;  // null: always open
    policy::OpenHours hours_;
};

}  // namespace touchgate::leads
