// Opening hours: which times of day are open on which kinds of days. Used by rules of kind `hours`, by working time and by shifts.
//
//   "open": [{"days": ["mon", …, "sun", "holiday", "makeup"], "from": "09:00", "to": "20:00"}, …]
//
// Open iff the wall clock reads a time in [from, to) of an entry for that date's day kind: `holiday` if the calendar says so, `makeup` if it is
// a weekend day that is worked instead, else the weekday; no entry is closed. Beyond what the calendar covers a day is open only where both the
// weekday's and the holiday's entries are. Immutable once read; any thread.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "gateway/json/json.hpp"
#include "gateway/policy/calendar.hpp"
#include "gateway/policy/zones.hpp"

namespace touchgate::policy {

class OpenHours {
public:
    static constexpr auto look_ahead = std::chrono::days{366};

    OpenHours() = default;  // never open
    // Reads the member `open` of the object; problems go into the reader's list. `calendar` may be null; `calendar_named`: the object names one,
    // known or not, so that entries for its kinds of days are no problem.
    OpenHours(JsonReader& reader, std::shared_ptr<const Calendar> calendar, bool calendar_named);

    // `ends` becomes true when a date was looked at that lies beyond the calendar.
    [[nodiscard]] bool is_open(const Zone& zone, Instant at, bool& ends) const;
    // The least instant ≥ `at` and ≤ `limit` that is open; instant_never: none.
    [[nodiscard]] Instant next_open(const Zone& zone, Instant at, Instant limit, bool& ends) const;
    // The least instant ≥ `at` that is closed; instant_never: none within 366 days.
    [[nodiscard]] Instant next_closed(const Zone& zone, Instant at) const;

    [[nodiscard]] const Calendar* calendar() const { return calendar_.get(); }
    [[nodiscard]] bool names_makeup() const { return makeup_named_; }

private:
    struct Span { Duration from, to; };  // since midnight
    using Spans = std::vector<Span>;
    static Spans merged(Spans spans);
    static Spans intersection(const Spans& a, const Spans& b);
    const Spans& spans_of(LocalDay day, bool& ends) const;

    std::shared_ptr<const Calendar> calendar_;
    std::array<Spans, 9> spans_;
    std::array<Spans, 7> beyond_;  // beyond what the calendar covers: open only where weekday and holiday both are
    bool makeup_named_ = false;
};

}  // namespace touchgate::policy
