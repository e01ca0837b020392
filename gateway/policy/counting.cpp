#include "gateway/policy/counting.hpp"

#include <cmath>

namespace touchgate::policy {

namespace {

bool is_timed(const Condition& condition) {
    // `between` is tested with the attempt's own instant, which does not move.
    if (condition.children.empty()) return condition.timed && condition.kind != Condition::Kind::between;
    return std::any_of(condition.children.begin(), condition.children.end(), [](const auto& child) { return is_timed(*child); });
}

}  // namespace

bool Counting::timed() const { return is_timed(*counts); }

bool Counting::matches_slowly(const Evaluation& evaluation, const HistoryEntry& entry, Instant at, std::int32_t& weight) const {
    const auto attempt_at = entry.slot == Slot::reserved ? evaluation.reserved_at : entry.at;
    if (const auto* row = evaluation.profiles.row(entry.profile)) {
        weight = row->weights[column];
        return row->counts[column]->holds(evaluation.around, at, attempt_at);
    }
    // A profile that nobody prepared: correct, but slow.
    const auto& names = evaluation.profiles.names(entry.profile);
    weight = weight_of(names.channel);
    return Condition::simplify(counts, names, evaluation.symbols)->holds(evaluation.around, at, attempt_at);
}

bool Counting::is_superseded(const Evaluation& evaluation, std::span<const HistoryEntry> entries, const HistoryEntry& entry, Instant at) const {
    if (entry.touch == 0) return false;
    return std::any_of(entries.begin(), entries.end(), [&](const HistoryEntry& other) {
        std::int32_t weight = 0;
        return other.attempt > entry.attempt && other.touch == entry.touch && other.outcome == 0 && matches(evaluation, other, at, weight);
    });
}

Instant Counting::last_reset(const Evaluation& evaluation, std::span<const HistoryEntry> entries, Instant at) const {
    auto last = Instant::min();
    for (const auto& entry : entries) {
        std::int32_t weight = 0;
        if ((resets >> entry.outcome & 1U) != 0 && entry.at <= at && matches(evaluation, entry, at, weight)) last = std::max(last, entry.at);
    }
    return last;
}

const AttemptFacts& own_facts(const Evaluation& evaluation) {
    static const AttemptFacts none;
    return evaluation.request.facts == nullptr ? none : *evaluation.request.facts;
}

std::int64_t Counting::own(const Evaluation& evaluation) const {
    return measure == Measure::weight ? weight_of(evaluation.request.names.channel) : cost_of(own_facts(evaluation));
}

bool Counting::same_labels(const Evaluation& evaluation, const HistoryEntry& entry) const {
    const auto& own = own_facts(evaluation);
    const auto& other = evaluation.profiles.facts(entry.facts);
    return std::all_of(by.labels.begin(), by.labels.end(), [&](Symbol key) { return own.label(key) == other.label(key); });
}

std::uint64_t shared_key(const Dimensions& by, const Profile& names, std::uint32_t address, const AttemptFacts& facts) {
    std::uint64_t key = by.names;
    const auto stir = [&](std::uint64_t value) {
        key = (key ^ value) * 0x9E3779B97F4A7C15ULL;
        key ^= key >> 29U;
    };
    const auto mix = [&](std::uint16_t dimension, std::uint32_t value) {
        if (by.has(dimension)) stir(value);
    };
    mix(by_address, address);
    mix(by_channel, names.channel.value);
    mix(by_account, names.account.value);
    mix(by_unit, names.unit.value);
    mix(by_campaign, names.campaign.value);
    mix(by_template, names.template_name.value);
    mix(by_purpose, names.purpose.value);
    for (const auto label : by.labels) stir(facts.label(label));
    return key;
}

namespace {

// Words that name a label as they are, and prefixes that make one with what follows.
constexpr std::string_view label_words[] = {"caller_id", "region", "list"};
constexpr std::string_view label_prefixes[] = {"metadata:", "attribute:"};

bool is_label(const std::string& word) {
    return std::find(std::begin(label_words), std::end(label_words), word) != std::end(label_words) ||
           std::any_of(std::begin(label_prefixes), std::end(label_prefixes),
                       [&](std::string_view prefix) { return word.starts_with(prefix) && word.size() > prefix.size(); });
}

}  // namespace

Counting parse_counting(RuleReader& reader, std::uint16_t by_default) {
    Counting counting;
    counting.column = reader.counting_columns++;
    counting.by.names = by_default;
    if (reader.json.raw("by") != nullptr) {
        static constexpr std::pair<std::string_view, Dimension> dimensions[] = {
            {"contact", by_contact}, {"address", by_address},   {"channel", by_channel},   {"account", by_account},
            {"unit", by_unit},       {"campaign", by_campaign}, {"template", by_template}, {"purpose", by_purpose},
            {"member", by_member}};
        counting.by.names = 0;
        const auto words = reader.json.texts("by");
        for (std::size_t i = 0; i < words.size(); ++i) {
            const auto* known =
                std::find_if(std::begin(dimensions), std::end(dimensions), [&](const auto& entry) { return entry.first == words[i]; });
            const auto pointer = pointer_to(pointer_to(reader.json.pointer(), "by"), i);
            if (known != std::end(dimensions)) {
                counting.by.names = static_cast<std::uint16_t>(counting.by.names | known->second);
            } else if (is_label(words[i])) {
                counting.by.names = static_cast<std::uint16_t>(counting.by.names | by_label);
                counting.by.labels.push_back(reader.names.symbols.intern(words[i]));
                counting.reads_metadata = counting.reads_metadata || words[i].starts_with(label_prefixes[0]);
                reader.labels.push_back(words[i]);
            } else {
                reader.json.problems().push_back({pointer, "must be one of contact, address, channel, account, unit, campaign, template, purpose, "
                                                           "caller_id, region, list, member, metadata:<key>, attribute:<key>"});
            }
        }
        auto& labels = counting.by.labels;
        std::sort(labels.begin(), labels.end());
        labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
    }
    if (!counting.by.has(by_contact | by_member)) {
        auto& known = reader.shared_counters;
        const auto found = std::find(known.begin(), known.end(), counting.by);
        counting.by_set = static_cast<int>(found - known.begin());
        if (found == known.end()) known.push_back(counting.by);
    }
    counting.release_on_failed_receipt = reader.json.boolean("release_on_failed_receipt", true);
    reader.json.members("weight", [&](const std::string& channel, const Json& value, const std::string& pointer) {
        const auto milli = value.is_number() ? value.get<double>() * 1000 : -1;
        if (milli < 0 || milli > 1e6 || std::abs(milli - std::round(milli)) > 1e-6) {
            reader.json.problems().push_back({pointer, "must be a number from 0 to 1000 with at most three decimals"});
            return;
        }
        counting.weights.emplace_back(reader.names.symbols.intern(channel), static_cast<std::int32_t>(std::lround(milli)));
        counting.heaviest = std::max(counting.heaviest, counting.weights.back().second);
    });
    return counting;
}

}  // namespace touchgate::policy
