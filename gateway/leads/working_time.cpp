#include "gateway/leads/working_time.hpp"

#include <algorithm>

namespace touchgate::leads {

WorkingTime::WorkingTime(JsonReader& reader, const policy::Calendars& calendars, const std::string& default_zone) {
    const auto name = reader.text("zone", default_zone);
    zone_ = policy::Zone::find(name);
    if (zone_ == nullptr) reader.problem("zone", "\"" + name + "\" is no IANA time zone");
    std::shared_ptr<const policy::Calendar> calendar;
    const bool named = reader.has("calendar");
    if (const auto wanted = reader.text("calendar"); !wanted.empty()) {
        const auto found = calendars.find(wanted);
        if (found == calendars.end()) reader.problem("calendar", "there is no calendar \"" + wanted + "\"");
        else calendar = found->second;
    }
    hours_ = policy::OpenHours{reader, std::move(calendar), named};
}

bool WorkingTime::is_open(Instant at) const {
    bool ends = false;
    return zone_ == nullptr || hours_.is_open(*zone_, at, ends);
}

Instant WorkingTime::after(Instant from, Duration amount) const {
    if (zone_ == nullptr) return from + amount;
    const auto limit = from + policy::OpenHours::look_ahead;
    bool ends = false;
    for (auto at = from;;) {
        at = hours_.next_open(*zone_, at, limit, ends);
        if (at == instant_never) return instant_never;
        const auto closes = hours_.next_closed(*zone_, at);
        if (closes == instant_never || at + amount <= closes) return at + amount;
        amount -= closes - at;
        at = closes;
    }
}

Duration WorkingTime::between(Instant from, Instant to) const {
    if (to <= from) return Duration{0};
    if (zone_ == nullptr) return to - from;
    Duration sum{0};
    bool ends = false;
    for (auto at = from;;) {
        at = hours_.next_open(*zone_, at, to, ends);
        if (at == instant_never || at >= to) return sum;
        const auto closes = std::min(to, hours_.next_closed(*zone_, at));
        sum += closes - at;
        at = closes;
        if (at >= to) return sum;
    }
}

Instant WorkingTime::next_change(Instant at) const {
    if (zone_ == nullptr) return instant_never;
    bool ends = false;
    if (hours_.is_open(*zone_, at, ends)) return hours_.next_closed(*zone_, at);
    return hours_.next_open(*zone_, at, at + policy::OpenHours::look_ahead, ends);
}

}  // namespace touchgate::leads
