// What caps and gaps count: which attempts of which counter, with which weight. A counter is shared by the attempts that are equal in all
// dimensions of `by`. A counter with the contact among them is found in the contact's own history, any other in a SharedHistory.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "gateway/policy/condition.hpp"
#include "gateway/policy/inputs.hpp"
#include "gateway/policy/profile_tables.hpp"
#include "gateway/policy/rule.hpp"

namespace touchgate::policy {

enum Dimension : std::uint16_t {
    by_contact = 1,
    by_address = 2,
    by_channel = 4,
    by_account = 8,
    by_unit = 16,
    by_campaign = 32,
    by_template = 64,
    by_purpose = 128,
    by_label = 256,  // the labels that the dimensions name
    by_member = 512,
};

// The dimensions of `by`: a counter is shared by the attempts that are equal in all of them.
struct Dimensions {
    std::uint16_t names = by_contact;   // bits of Dimension
    std::vector<Symbol> labels = {};    // sorted
    bool operator==(const Dimensions&) const = default;
    [[nodiscard]] bool has(std::uint16_t bits) const { return (names & bits) != 0; }
};

enum class Measure : std::uint8_t {
    weight,  // thousandths of an attempt
    cost,    // millionths of a currency unit
};

// Equal in the dimensions of `by` that a profile has.
[[nodiscard]] inline bool same_names(std::uint16_t by, const Profile& a, const Profile& b) {
    return (!(by & by_channel) || a.channel == b.channel) && (!(by & by_account) || a.account == b.account) &&
           (!(by & by_unit) || a.unit == b.unit) && (!(by & by_campaign) || a.campaign == b.campaign) &&
           (!(by & by_template) || a.template_name == b.template_name) && (!(by & by_purpose) || a.purpose == b.purpose);
}

struct Counted {
    Instant at;           // for unpermitted slots: the instant at which they are taken to be permitted
    std::int64_t weight;  // in the unit of the counting's measure
    const HistoryEntry* entry;
};

// Is there a second attempt of one message among them?
[[nodiscard]] inline bool has_fallback(std::span<const HistoryEntry> entries) {
    bool found = false;
    for (const auto& entry : entries) found = found || (entry.attempt > 1 && entry.outcome == 0);
    return found;
}

struct Counting {
    std::uint16_t column = 0;
    Dimensions by;
    int by_set = -1;  // index among the shared counters; -1: the contact's own history
    ConditionPtr counts = Condition::always();
    bool release_on_failed_receipt = true;
    std::uint32_t outcomes = 0;                            // bit per call outcome; 0: all attempts
    std::uint32_t resets = 0;                              // bit per call outcome that starts the count again
    bool one_slot_per_touch = true;                        // a fallback in the same counter shares the slot of its touch
    bool own_calls_count = true;                           // each dial has a slot of its own, earlier ones of the same touch too
    std::vector<std::pair<Symbol, std::int32_t>> weights;  // by channel, thousandths
    std::int32_t heaviest = 1000;
    bool reads_metadata = false;           // a label of `by` comes from the touch's metadata, which lie with its content
    Measure measure = Measure::weight;
    Symbol currency = {};  // Measure::cost: attempts billed in another one do not count

    [[nodiscard]] std::int32_t weight_of(Symbol channel) const {
        for (const auto& [known, weight] : weights)
            if (known == channel) return weight;
        return 1000;
    }
    [[nodiscard]] bool timed() const;
    // What the touch in hand would add.
    [[nodiscard]] std::int64_t own(const Evaluation& evaluation) const;
    [[nodiscard]] std::int64_t cost_of(const AttemptFacts& facts) const { return facts.currency == currency ? facts.cost_micros : 0; }

    // Calls `each(const Counted&)` for every slot of the touch's counter at an instant that is `in`. False when the counter cannot be
    // read: no shared history was given.
    template <class In, class Each>
    [[nodiscard]] bool each_counted(const Evaluation& evaluation, Instant at, In&& in, Each&& each) const;
    // The same over entries that are given, the counter's or more. `fallbacks`: a message among them may have several attempts.
    template <class In, class Each>
    void each_counted_of(std::span<const HistoryEntry> entries, bool fallbacks, const Evaluation& evaluation, Instant at, In&& in, Each&& each) const;
    // Never less than the counter's weight, without looking at its entries.
    [[nodiscard]] std::int64_t at_most(const Evaluation& evaluation) const {
        if (by_set >= 0 || (measure == Measure::cost && !evaluation.contact.history.empty())) return std::numeric_limits<std::int64_t>::max() / 2;
        return static_cast<std::int64_t>(evaluation.contact.history.size()) * heaviest;
    }

private:
    [[nodiscard]] bool matches(const Evaluation& evaluation, const HistoryEntry& entry, Instant at, std::int32_t& weight) const;
    [[nodiscard]] bool same_labels(const Evaluation& evaluation, const HistoryEntry& entry) const;
    [[nodiscard]] bool matches_slowly(const Evaluation& evaluation, const HistoryEntry& entry, Instant at, std::int32_t& weight) const;
    // Slots of a touch that a later attempt of the same touch has taken over.
    [[nodiscard]] bool is_superseded(const Evaluation& evaluation, std::span<const HistoryEntry> entries, const HistoryEntry& entry,
                                     Instant at) const;
    [[nodiscard]] Instant last_reset(const Evaluation& evaluation, std::span<const HistoryEntry> entries, Instant at) const;
};

// Reads `by`, `counts`, `weight`, `release_on_failed_receipt` and takes a column. `by_default` when the rule has no `by`.
[[nodiscard]] Counting parse_counting(RuleReader& reader, std::uint16_t by_default);

// The key under which attempts of a shared counter lie. Two counters may have the same key: readers compare names again.
[[nodiscard]] std::uint64_t shared_key(const Dimensions& by, const Profile& names, std::uint32_t address, const AttemptFacts& facts);
// The facts of the touch in hand.
[[nodiscard]] const AttemptFacts& own_facts(const Evaluation& evaluation);

// ----

inline bool Counting::matches(const Evaluation& evaluation, const HistoryEntry& entry, Instant at, std::int32_t& weight) const {
    if (entry.slot == Slot::released || (entry.slot == Slot::failed && release_on_failed_receipt)) return false;
    if (entry.slot == Slot::reserved && evaluation.ignore_reserved) return false;
    if (entry.touch == evaluation.request.touch && entry.touch != 0 && (entry.outcome == 0 || !own_calls_count)) return false;
    weight = evaluation.profiles.quick_weight(entry.profile, column);
    if (weight == -1) return false;
    if (weight == ProfileTables::ask && !matches_slowly(evaluation, entry, at, weight)) return false;
    constexpr std::uint16_t of_profile = by_channel | by_account | by_unit | by_campaign | by_template | by_purpose;
    if (by.has(by_address) && entry.address != evaluation.address.number) return false;
    if (by.has(of_profile) && !same_names(by.names, evaluation.profiles.names(entry.profile), evaluation.request.names)) return false;
    return !by.has(by_label) || same_labels(evaluation, entry);
}

template <class In, class Each>
bool Counting::each_counted(const Evaluation& evaluation, Instant at, In&& in, Each&& each) const {
    auto entries = evaluation.contact.history;
    bool fallbacks = false;
    if (by_set >= 0) {
        if (evaluation.shared == nullptr) return false;
        entries = evaluation.shared->entries(static_cast<std::size_t>(by_set),
                                             shared_key(by, evaluation.request.names, evaluation.address.number, own_facts(evaluation)));
        fallbacks = one_slot_per_touch && has_fallback(entries);
    } else if (one_slot_per_touch) {
        if (evaluation.fallbacks < 0) evaluation.fallbacks = has_fallback(entries) ? 1 : 0;
        fallbacks = evaluation.fallbacks == 1;
    }
    each_counted_of(entries, fallbacks, evaluation, at, in, each);
    return true;
}

template <class In, class Each>
void Counting::each_counted_of(std::span<const HistoryEntry> entries, bool fallbacks, const Evaluation& evaluation, Instant at, In&& in, Each&& each) const {
    const auto since = resets == 0 ? Instant::min() : last_reset(evaluation, entries, at);
    for (const auto& entry : entries) {
        const auto slot_at = entry.slot == Slot::reserved ? evaluation.reserved_at : entry.at;
        if (!in(slot_at)) continue;
        std::int32_t weight = 0;
        if (!matches(evaluation, entry, at, weight)) continue;
        if (outcomes != 0 && (outcomes >> entry.outcome & 1U) == 0) continue;
        if (resets != 0 && entry.slot != Slot::reserved && entry.at <= since) continue;
        if (fallbacks && entry.outcome == 0 && is_superseded(evaluation, entries, entry, at)) continue;
        each(Counted{slot_at, measure == Measure::weight ? weight : cost_of(evaluation.profiles.facts(entry.facts)), &entry});
    }
}

}  // namespace touchgate::policy
