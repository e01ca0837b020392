// {"kind": "cap", "max": 2, "per": "P1D" | "day" | "week" | "month", "by": ["contact"], "counts": {…}, "weight": {…}, "reserve": {…}}
//
// Sliding: an attempt at s counts at t iff s ≤ t < s + per. Calendar: iff s and t lie in the same period of the zone (week from Monday);
// several plausible zones: each must have room. The touch itself needs room for its own weight.
#include "gateway/policy/rules/cap.hpp"

#include <array>
#include <unordered_map>

#include "gateway/policy/call_outcomes.hpp"
#include "gateway/policy/foresight.hpp"

namespace touchgate::policy {

namespace {

using std::chrono::days;

constexpr std::size_t reserves_max = 8;

// What is used of a cap at one instant. Weights leave it one by one while an earliest instant is looked for.
class Tally {
public:
    explicit Tally(const CapSettings& cap, const Evaluation& evaluation)
        : cap_{cap},
          purpose_{evaluation.request.names.purpose},
          profiles_{evaluation.profiles},
          own_{cap.counting.own(evaluation)} {}

    void add(const Counted& slot, std::int64_t times = 1) {
        used_ += slot.weight * times;
        if (cap_.reserve.empty()) return;
        const auto purpose = profiles_.names(slot.entry->profile).purpose;
        for (std::size_t i = 0; i < cap_.reserve.size(); ++i)
            if (cap_.reserve[i].first == purpose) used_by_[i] += slot.weight * times;
    }
    void remove(const Counted& slot) { add(slot, -1); }

    // Room for the touch beside what is used and what is kept for other purposes.
    [[nodiscard]] bool fits() const { return fits_beside(0); }
    [[nodiscard]] bool fits_beside(std::int64_t more) const {
        auto taken = used_ + own_ + more;
        for (std::size_t i = 0; i < cap_.reserve.size(); ++i)
            if (cap_.reserve[i].first != purpose_) taken += std::max<std::int64_t>(0, cap_.reserve[i].second - used_by_[i]);
        return taken <= cap_.max;
    }
    [[nodiscard]] std::int64_t used() const { return used_; }

private:
    const CapSettings& cap_;
    Symbol purpose_;
    const ProfileTables& profiles_;
    std::int64_t own_;
    std::int64_t used_ = 0;
    std::array<std::int64_t, reserves_max> used_by_{};
};

class Cap final : public Rule {
public:
    explicit Cap(CapSettings settings) : cap_{std::move(settings)} {
        if (cap_.zone_name != "contact") zone_ = Zone::find(cap_.zone_name);
    }

    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        if (cap_.max == 0) return Judgement::deny(is_budget() ? Why::budget_spent : Why::cap_is_zero);
        const Tally alone{cap_, evaluation};
        if (!alone.fits()) return Judgement::deny(over());
        if (evaluation.foresight != nullptr && cap_.counting.by_set >= 0) return judge_foreseen(evaluation, at);
        // Most contacts have so few attempts that there is room whatever these are: their history need not be looked at.
        if (zone_is_sure(evaluation) && alone.fits_beside(cap_.counting.at_most(evaluation))) return Judgement::allow(at, room());
        if (cap_.period == Period::sliding) return judge_sliding(evaluation, at);
        if (cap_.period == Period::ever) return judge_ever(evaluation, at);
        return judge_calendar(evaluation, at);
    }

    void describe(const Evaluation& evaluation, Instant at, bool touches, TraceStep& step) const override {
        step.counts = true;
        step.max_milli = to_milli(cap_.max);
        if (cap_.period == Period::ever) return tell(evaluation, at, touches, step, [&](Instant slot) { return slot <= at; });
        if (cap_.period == Period::sliding) return tell(evaluation, at, touches, step, [&](Instant slot) { return counts_at(slot, at); });
        // Several plausible zones: the numbers of the one with the most used.
        TraceStep fullest = step;
        fullest.counted_milli = -1;
        (void)each_zone(evaluation, [&](const Zone& zone) {
            TraceStep here = step;
            const auto period = period_of(cap_.period, zone.local(at));
            tell(evaluation, at, touches, here, [&](Instant slot) { return period.holds(zone.local(slot)); });
            if (here.counted_milli > fullest.counted_milli) fullest = std::move(here);
        });
        if (fullest.counted_milli >= 0) step = std::move(fullest);
    }

    const Counting* counting() const override { return &cap_.counting; }
    Duration horizon() const override {
        switch (cap_.period) {
            case Period::sliding: return cap_.per;
            case Period::ever: return Duration{std::chrono::years{100}};
            case Period::day: return days{2};
            case Period::week: return days{8};
            default: return days{32};
        }
    }

private:
    [[nodiscard]] bool is_budget() const { return cap_.counting.measure == Measure::cost; }
    [[nodiscard]] Why over() const { return is_budget() ? Why::budget_spent : Why::cap_reached; }
    [[nodiscard]] Why room() const { return is_budget() ? Why::budget_left : Why::room_left; }
    // What a trace shows: thousandths of an attempt or of a currency unit.
    [[nodiscard]] std::int64_t to_milli(std::int64_t amount) const { return is_budget() ? amount / 1000 : amount; }
    [[nodiscard]] bool has_zone() const { return cap_.period != Period::sliding && cap_.period != Period::ever; }

    // A calendar cap needs a zone, even if nothing was sent yet: one that does not exist denies.
    [[nodiscard]] bool zone_is_sure(const Evaluation& evaluation) const {
        return !has_zone() || each_zone(evaluation, [](const Zone&) {});
    }

    [[nodiscard]] bool counts_at(Instant slot, Instant at) const { return slot <= at && at - slot < cap_.per; }

    template <class In>
    [[nodiscard]] bool tally(const Evaluation& evaluation, Instant at, Tally& tally, In&& in) const {
        return cap_.counting.each_counted(evaluation, at, in, [&](const Counted& slot) { tally.add(slot); });
    }

    template <class In>
    void tell(const Evaluation& evaluation, Instant at, bool touches, TraceStep& step, In&& in) const {
        std::vector<Counted> found;
        std::int64_t used = 0;
        (void)cap_.counting.each_counted(evaluation, at, in, [&](const Counted& slot) {
            used += slot.weight;
            if (touches) found.push_back(slot);
        });
        step.counted_milli += to_milli(used);
        std::stable_sort(found.begin(), found.end(), [](const Counted& a, const Counted& b) { return a.at < b.at; });
        for (const auto& slot : found) step.touches.push_back(slot.entry->touch);
    }

    Judgement judge_sliding(const Evaluation& evaluation, Instant at) const {
        Tally now{cap_, evaluation};
        if (!tally(evaluation, at, now, [&](Instant slot) { return counts_at(slot, at); })) return Judgement::deny(Why::cannot_evaluate);
        if (now.fits()) return Judgement::allow(at, room());
        // Room comes only when a slot leaves the window: walk these instants in order, with what enters in between counted anew.
        auto next = at;
        for (;;) {
            std::vector<Counted> inside;
            Tally used{cap_, evaluation};
            (void)cap_.counting.each_counted(
                evaluation, at, [&](Instant slot) { return counts_at(slot, next); },
                [&](const Counted& slot) {
                    used.add(slot);
                    inside.push_back(slot);
                });
            if (used.fits()) return Judgement::until(next, over());
            std::sort(inside.begin(), inside.end(), [](const Counted& a, const Counted& b) { return a.at < b.at; });
            for (std::size_t i = 0; i < inside.size() && !used.fits(); ++i) {
                used.remove(inside[i]);
                next = inside[i].at + cap_.per;
            }
        }
    }

    // What is spent once is spent for good: only a slot that is released gives room.
    Judgement judge_ever(const Evaluation& evaluation, Instant at) const {
        Tally used{cap_, evaluation};
        if (!tally(evaluation, at, used, [&](Instant slot) { return slot <= at; })) return Judgement::deny(Why::cannot_evaluate);
        return used.fits() ? Judgement::allow(at, room()) : Judgement::until(instant_never, over());
    }

    template <class Each>
    bool each_zone(const Evaluation& evaluation, Each&& each) const {
        if (zone_ != nullptr) {
            each(*zone_);
            return true;
        }
        return for_each_zone(evaluation.around, cap_.unknown_zones, each);
    }

    [[nodiscard]] bool has_room(const Evaluation& evaluation, const Zone& zone, Instant at, Instant frozen, bool& readable) const {
        const auto& range = zone.range_at(at);
        const auto period = period_of(cap_.period, range.local(at));
        Tally used{cap_, evaluation};
        readable = tally(evaluation, frozen, used, [&](Instant slot) {
            const bool same_offset = range.begin <= slot && slot < range.end;
            return period.holds(same_offset ? range.local(slot) : zone.local(slot));
        });
        return used.fits();
    }

    Judgement judge_calendar(const Evaluation& evaluation, Instant at) const {
        bool readable = true;
        bool has_room_everywhere = true;
        bool known = each_zone(evaluation, [&](const Zone& zone) { has_room_everywhere = has_room_everywhere && has_room(evaluation, zone, at, at, readable); });
        if (!known || !readable) return Judgement::deny(Why::cannot_evaluate);
        if (has_room_everywhere) return Judgement::allow(at, room());
        auto next = at;
        for (bool moved = true; moved && next != instant_never;) {
            moved = false;
            (void)each_zone(evaluation, [&](const Zone& zone) {
                while (next != instant_never && !has_room(evaluation, zone, next, at, readable)) {
                    next = next_stretch(cap_.period, zone, next);
                    moved = true;
                }
            });
        }
        return Judgement::until(next, over());
    }

    // ---- with foresight: sums by instants, instead of one slot after the other

    // Weights as a ledger keeps them.
    [[nodiscard]] Ledger::Sum weights(std::int64_t weight, Symbol purpose) const {
        Ledger::Sum sum;
        sum.used = weight;
        for (std::size_t i = 0; i < cap_.reserve.size(); ++i)
            if (cap_.reserve[i].first == purpose) sum.used_by[i] = weight;
        return sum;
    }

    // What the log knows of the counter, by the minute.
    void fill(Ledger& ledger, const Evaluation& evaluation, std::span<const HistoryEntry> entries, Instant at) const {
        const auto add = [&](const Counted& slot) {
            const auto minute = slot.at - slot.at.time_since_epoch() % std::chrono::minutes{1};
            ledger.add(slot.entry->slot == Slot::reserved ? slot.at : minute, weights(slot.weight, evaluation.profiles.names(slot.entry->profile).purpose));
        };
        // Of the attempts of one message the latest counts.
        std::unordered_map<std::uint64_t, Counted> newest;
        cap_.counting.each_counted_of(entries, false, evaluation, at, [](Instant) { return true; }, [&](const Counted& slot) {
            if (!cap_.counting.one_slot_per_touch || slot.entry->touch == 0 || slot.entry->outcome != 0) return add(slot);
            const auto [place, made] = newest.try_emplace(slot.entry->touch, slot);
            if (!made && place->second.entry->attempt < slot.entry->attempt) place->second = slot;
        });
        for (const auto& [touch, slot] : newest) add(slot);
    }

    [[nodiscard]] bool fits(const Ledger::Sum& sum, std::int64_t own, Symbol purpose) const {
        auto taken = sum.used + own;
        for (std::size_t i = 0; i < cap_.reserve.size(); ++i)
            if (cap_.reserve[i].first != purpose) taken += std::max<std::int64_t>(0, cap_.reserve[i].second - sum.used_by[i]);
        return taken <= cap_.max;
    }

    Judgement judge_foreseen(const Evaluation& evaluation, Instant at) const {
        if (evaluation.shared == nullptr) return Judgement::deny(Why::cannot_evaluate);
        const auto key = shared_key(cap_.counting.by, evaluation.request.names, evaluation.address.number, own_facts(evaluation));
        bool is_new = false;
        auto& ledger = evaluation.foresight->ledger(this, key, is_new);
        if (is_new) fill(ledger, evaluation, evaluation.shared->entries(static_cast<std::size_t>(cap_.counting.by_set), key), at);
        const auto purpose = evaluation.request.names.purpose;
        const auto own = cap_.counting.own(evaluation);
        const bool counted = evaluation.profiles.quick_weight(evaluation.request.profile, cap_.counting.column) != -1;
        evaluation.foresight->note(ledger, evaluation.request.profile, counted ? weights(own, purpose) : Ledger::Sum{});

        if (cap_.period == Period::ever)
            return fits(ledger.sum({Instant::min(), at + Duration{1}}), own, purpose) ? Judgement::allow(at, room()) : Judgement::until(instant_never, over());
        auto next = at;
        if (cap_.period == Period::sliding) {
            next = first_room(ledger, at, own, purpose);
        } else {
            bool moved = true;
            while (moved && next != instant_never) {
                moved = false;
                if (!each_zone(evaluation, [&](const Zone& zone) {
                        const auto here = first_room(ledger, zone, next, own, purpose);
                        moved = moved || here != next;
                        next = std::max(next, here);
                    }))
                    return Judgement::deny(Why::cannot_evaluate);
            }
        }
        return next == at ? Judgement::allow(at, room()) : Judgement::until(next, over());
    }

    // The least instant ≥ at whose window has room; each slot leaves it `per` after its own.
    [[nodiscard]] Instant first_room(Ledger& ledger, Instant at, std::int64_t own, Symbol purpose) const {
        const auto window = [&](Instant end) { return Ledger::Window{end - cap_.per + Duration{1}, end + Duration{1}}; };
        auto next = ledger.full_until(nullptr, at, own);
        for (;;) {
            const auto inside = window(next);
            auto rest = ledger.sum(inside);
            if (fits(rest, own, purpose)) break;
            for (auto slot = ledger.from(inside.begin); slot != ledger.end() && slot->first < inside.end && !fits(rest, own, purpose); ++slot) {
                rest.used -= slot->second.used;
                for (std::size_t i = 0; i < cap_.reserve.size(); ++i) rest.used_by[i] -= slot->second.used_by[i];
                next = slot->first + cap_.per;
            }
        }
        ledger.note_full(nullptr, at, next, own);
        return next;
    }

    [[nodiscard]] Instant first_room(Ledger& ledger, const Zone& zone, Instant at, std::int64_t own, Symbol purpose) const {
        auto next = ledger.full_until(&zone, at, own);
        while (next != instant_never) {
            const auto& range = zone.range_at(next);
            const auto period = period_of(cap_.period, range.local(next));
            if (fits(ledger.sum({range.instant(period.begin), range.instant(period.end)}), own, purpose)) break;
            next = next_stretch(cap_.period, zone, next);
        }
        ledger.note_full(&zone, at, next, own);
        return next;
    }

    CapSettings cap_;
    const Zone* zone_ = nullptr;
};

}  // namespace

LocalPeriod period_of(Period period, LocalTime at) {
    const auto day = std::chrono::floor<days>(at);
    if (period == Period::day) return {day, day + days{1}};
    if (period == Period::week) {
        const auto monday = day - days{std::chrono::weekday{day}.iso_encoding() - 1};
        return {monday, monday + days{7}};
    }
    const std::chrono::year_month_day date{day};
    const auto month = date.year() / date.month();
    return {LocalDay{month / 1}, LocalDay{(month + std::chrono::months{1}) / 1}};
}

Instant next_stretch(Period period, const Zone& zone, Instant at) {
    const auto& range = zone.range_at(at);
    return std::min(range.end, range.instant(period_of(period, range.local(at)).end));
}

std::unique_ptr<Rule> make_cap_rule(CapSettings settings) { return std::make_unique<Cap>(std::move(settings)); }

std::uint32_t parse_outcomes(JsonReader& json, std::string_view key) {
    std::uint32_t bits = 0;
    if (json.raw(key) == nullptr) return bits;
    const auto words = json.texts(key);
    if (words.empty()) json.problem(key, "must name at least one call outcome");
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto number = call_outcome_number(words[i]);
        if (number == 0) json.problems().push_back({pointer_to(pointer_to(json.pointer(), key), i), "\"" + words[i] + "\" is no call outcome"});
        bits |= 1U << number;
    }
    return bits & ~1U;
}

void parse_counts(RuleReader& reader, Counting& counting) {
    counting.counts = reader.when;
    auto counts = reader.json.object("counts");
    if (!counts) return;
    counting.counts = parse_condition(*counts, reader.names);
    counting.outcomes = parse_outcomes(*counts, "outcomes");
    if (counts->boolean("consecutive", false)) {
        if (counting.outcomes == 0) counts->problem("consecutive", "needs `outcomes`: which ones in a row");
        else counting.resets = ~counting.outcomes & ~1U;  // any other outcome ends the row
    }
    counts->finish();
}

void parse_period(JsonReader& json, CapSettings& cap) {
    const auto per = json.required_text("per");
    if (per == "day") cap.period = Period::day;
    else if (per == "week") cap.period = Period::week;
    else if (per == "month") cap.period = Period::month;
    else if (const auto length = parse_duration(per); length && *length > Duration{0}) cap.per = *length;
    else if (!per.empty())
        json.problem("per", "must be \"day\", \"week\", \"month\" or an ISO 8601 duration such as \"P7D\" (no years or months)");
}

CapSettings parse_cap(RuleReader& reader, std::uint16_t by_default, std::string zone_default) {
    CapSettings cap;
    cap.counting = parse_counting(reader, by_default);
    if (reader.json.raw("max") == nullptr) reader.json.problem("max", "is required: a whole number, 0 for never");
    cap.max = reader.json.integer("max", 1, 0, 1'000'000'000) * 1000;
    parse_period(reader.json, cap);
    cap.zone_name = reader.zone("zone", std::move(zone_default));
    cap.unknown_zones = reader.unknown_zones();
    if (cap.period == Period::sliding && reader.json.has("zone")) reader.warn("zone", "has no effect: a sliding window has no zone");
    std::int64_t reserved = 0;
    reader.json.members("reserve", [&](const std::string& purpose, const Json& value, const std::string& pointer) {
        if (std::find(reader.names.purposes.begin(), reader.names.purposes.end(), purpose) == reader.names.purposes.end())
            return reader.json.problems().push_back({pointer, "\"" + purpose + "\" is not one of the policy's purposes"});
        if (!value.is_number_integer() || value.get<double>() < 0 || value.get<double>() > 1e9)
            return reader.json.problems().push_back({pointer, "must be a whole number"});
        cap.reserve.emplace_back(reader.names.symbols.intern(purpose), value.get<std::int64_t>() * 1000);
        reserved += cap.reserve.back().second;
    });
    if (cap.reserve.size() > reserves_max) reader.json.problem("reserve", "must name at most " + std::to_string(reserves_max) + " purposes");
    if (reserved > cap.max) reader.json.problem("reserve", "keeps more than `max`");
    return cap;
}

std::unique_ptr<Rule> make_cap(RuleReader& reader) {
    auto cap = parse_cap(reader, by_contact, "contact");
    parse_counts(reader, cap.counting);
    if (!cap.counting.by.has(by_member)) {
        if (reader.json.raw("max_share_over") != nullptr) reader.json.problem("max_share_over", "needs \"by\": [\"member\"]");
        return make_cap_rule(std::move(cap));
    }
    if (cap.counting.by.names != by_member) reader.json.problem("by", "\"member\" stands alone: the members' own attempts are counted");
    if (!cap.reserve.empty()) reader.json.problem("reserve", "has no meaning for members of a group");
    return make_member_cap(std::move(cap), reader.json.number("max_share_over", 0, 0, 1));
}

}  // namespace touchgate::policy
