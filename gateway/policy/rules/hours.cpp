// {"kind": "hours", "zone": "contact" | IANA, "unknown_zones": […], "calendar": "cn", "open": [{"days": […], "from": "09:00", "to": "20:00"}]}
// Open iff the wall clock in the zone reads a time in [from, to) of an entry for that date's day kind. Several plausible zones: open only
// while open in all of them. Wall times that a clock change skips never occur, repeated ones occur twice; nothing here is special about them.
#include "gateway/policy/open_hours.hpp"
#include "gateway/policy/rule.hpp"

namespace touchgate::policy {

namespace {

class Hours final : public Rule {
public:
    explicit Hours(RuleReader& reader) {
        zone_name_ = reader.zone("zone", "contact");
        if (zone_name_ != "contact") zone_ = Zone::find(zone_name_);
        unknown_zones_ = reader.unknown_zones();
        std::shared_ptr<const Calendar> calendar;
        const bool calendar_named = reader.json.has("calendar");
        if (const auto wanted = reader.json.text("calendar"); !wanted.empty()) {
            const auto found = reader.context.calendars.find(wanted);
            if (found == reader.context.calendars.end()) reader.json.problem("calendar", "there is no calendar \"" + wanted + "\"");
            else calendar = found->second;
        }
        open_ = OpenHours{reader.json, calendar, calendar_named};
        if (calendar != nullptr && calendar->has_workdays && !open_.names_makeup())
            reader.warn("open", "the calendar has make-up workdays and no entry names \"makeup\": these days are closed");
        if (calendar != nullptr && reader.context.now) {
            const auto left = calendar->days_left(*reader.context.now);
            if (left < calendar_warning_days)
                reader.warn("calendar", "the calendar \"" + calendar->name + "\" " + (left < 0 ? "has ended" : "ends in " + std::to_string(left) + " days") +
                                            ": after that the stricter of weekday and holiday hours holds (calendar_ends)");
        }
    }

    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        bool ends = false;  // some date looked at lies beyond the calendar
        bool open = true;
        const bool known = each_zone(evaluation, [&](const Zone& zone) { open = open && open_.is_open(zone, at, ends); });
        if (!known) return Judgement::deny(Why::cannot_evaluate);
        if (open) return Judgement::allow(at, ends ? Why::within_hours_calendar_ends : Why::within_hours);
        const auto limit = at + OpenHours::look_ahead;
        // Each zone's next open instant is a lower bound for all; repeat until no zone objects.
        auto next = at;
        for (bool moved = true; moved && next != instant_never;) {
            moved = false;
            (void)each_zone(evaluation, [&](const Zone& zone) {
                if (next == instant_never) return;
                const auto opens = open_.next_open(zone, next, limit, ends);
                moved = moved || opens != next;
                next = opens;
            });
        }
        if (next == instant_never) return Judgement::until(instant_never, Why::never_open);
        return Judgement::until(next, ends ? Why::outside_hours_calendar_ends : Why::outside_hours);
    }

    const Calendar* calendar() const override { return open_.calendar(); }
    bool has_closing() const override { return true; }
    Instant closes(const Evaluation& evaluation, Instant at) const override {
        auto earliest = instant_never;
        const bool known = each_zone(evaluation, [&](const Zone& zone) { earliest = std::min(earliest, open_.next_closed(zone, at)); });
        return known ? earliest : at;
    }

private:
    template <class Each>
    bool each_zone(const Evaluation& evaluation, Each&& each) const {
        if (zone_ != nullptr) {
            each(*zone_);
            return true;
        }
        return for_each_zone(evaluation.around, unknown_zones_, each);
    }

    std::string zone_name_;
    const Zone* zone_ = nullptr;
    std::vector<std::string> unknown_zones_;
    OpenHours open_;
};

}  // namespace

std::unique_ptr<Rule> make_hours(RuleReader& reader) { return std::make_unique<Hours>(reader); }

}  // namespace touchgate::policy
