// {"kind": "blackout", "between": ["2026-11-10T00:00:00", "2026-11-12T00:00:00"], "zone": "contact" | IANA}: nothing within; defer to its end.
// Times with an offset need no zone; without one they are wall-clock times of the zone.
#include <algorithm>

#include "gateway/policy/rule.hpp"

namespace touchgate::policy {

namespace {

class Blackout final : public Rule {
public:
    explicit Blackout(RuleReader& reader) {
        zone_name_ = reader.zone("zone", {});
        if (!zone_name_.empty() && zone_name_ != "contact") zone_ = Zone::find(zone_name_);
        unknown_zones_ = reader.unknown_zones();
        read_between(reader);
    }

    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        if (!local_) return from_ <= at && at < to_ ? Judgement::until(to_, Why::in_blackout) : Judgement::allow(at);
        auto next = at;
        bool known = true;
        for (bool moved = true; moved && known;) {
            moved = false;
            known = each_zone(evaluation, [&](const Zone& zone) {
                // A clock that is set back may enter the blackout a second time, so look again after each step.
                while (is_inside(zone, next)) {
                    next = zone.first_at_or_after(next, LocalTime{to_.time_since_epoch()});
                    moved = true;
                }
            });
        }
        if (!known) return Judgement::deny(Why::cannot_evaluate);
        return next == at ? Judgement::allow(at) : Judgement::until(next, Why::in_blackout);
    }

    bool has_closing() const override { return true; }
    Instant closes(const Evaluation& evaluation, Instant at) const override {
        if (!local_) return at >= to_ ? instant_never : std::max(at, from_);
        auto earliest = instant_never;
        const bool known = each_zone(evaluation, [&](const Zone& zone) {
            const auto enters = zone.first_at_or_after(at, LocalTime{from_.time_since_epoch()});
            if (enters != instant_never && is_inside(zone, enters)) earliest = std::min(earliest, enters);
        });
        return known ? earliest : at;
    }

private:
    void read_between(RuleReader& reader) {
        const auto ends = reader.json.texts("between");
        if (ends.size() != 2) return reader.json.problem("between", "must be two times, the first before the second");
        const auto from = parse_instant(ends[0]);
        const auto to = parse_instant(ends[1]);
        if (from && to) {
            from_ = *from;
            to_ = *to;
        } else {
            // A wall-clock time is read as if it were UTC, then stripped of the zone.
            const auto local_from = parse_local(ends[0]);
            const auto local_to = parse_local(ends[1]);
            if (!local_from || !local_to) return reader.json.problem("between", "must be two RFC 3339 times, both with an offset or both without");
            if (zone_name_.empty()) return reader.json.problem("zone", "is required: the times of `between` have no offset");
            local_ = true;
            from_ = *local_from;
            to_ = *local_to;
        }
        if (from_ >= to_) reader.json.problem("between", "the first time must be before the second");
    }

    static std::optional<Instant> parse_local(const std::string& text) {
        return parse_instant(text.size() == 10 ? text + "T00:00:00Z" : text.size() == 16 ? text + ":00Z" : text + "Z");
    }
    bool is_inside(const Zone& zone, Instant at) const {
        const auto local = Instant{zone.local(at).time_since_epoch()};
        return from_ <= local && local < to_;
    }
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
    bool local_ = false;
    Instant from_{};  // wall-clock readings when local_
    Instant to_{};
};

}  // namespace

std::unique_ptr<Rule> make_blackout(RuleReader& reader) { return std::make_unique<Blackout>(reader); }

}  // namespace touchgate::policy
