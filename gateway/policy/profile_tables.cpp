#include "gateway/policy/profile_tables.hpp"

#include "gateway/policy/counting.hpp"
#include "gateway/policy/rule.hpp"

namespace touchgate::policy {

ProfileRow ProfileTables::make_row(const Profile& names) const {
    ProfileRow row;
    row.names = names;
    row.weights.assign(columns_, -1);
    row.counts.assign(columns_, Condition::never());
    row.when.reserve(rules_.size());
    for (const auto& rule : rules_) {
        row.when.push_back(Condition::simplify(rule->when, names, symbols_));
        if (const auto* counting = rule->counting()) {
            auto condition = Condition::simplify(counting->counts, names, symbols_);
            if (condition->kind == Condition::Kind::never) continue;
            row.weights[counting->column] = counting->weight_of(names.channel);
            row.counts[counting->column] = std::move(condition);
        }
    }
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        const auto& rule = *rules_[i];
        const auto& when = row.when[i];
        if (when->kind == Condition::Kind::never || rule.kind == "exemption") continue;
        // What an entry's own profile leaves of `counts` differs by entry, so the whole condition is asked for time.
        bool timed = when->timed || (rule.counting() != nullptr && rule.counting()->timed());
        for (const auto waiver : rule.waivers) timed = timed || row.when[waiver]->timed;
        row.bindings.push_back({static_cast<std::uint16_t>(i), timed, &rule, when->kind == Condition::Kind::always ? nullptr : when.get()});
        row.needs_content = row.needs_content || rule.reads_content() || (rule.counting() != nullptr && rule.counting()->reads_metadata);
    }
    return row;
}

void ProfileTables::prepare(ProfileId profile) {
    if (profile.value >= profiles_.size()) return;
    if (profile.value < rows_.size() && rows_[profile.value] != nullptr) return;
    if (profile.value >= rows_.size()) {
        const auto size = std::size_t{profile.value} + 1;
        rows_.resize(size);
        names_.resize(size);
        weights_.resize(size * columns_, ask);
    }
    const auto& names = profiles_.at(profile);
    names_[profile.value] = names;
    rows_[profile.value] = std::make_unique<ProfileRow>(make_row(names));
    const auto& row = *rows_[profile.value];
    for (std::size_t column = 0; column < columns_; ++column) {
        const auto kind = row.counts[column]->kind;
        weights_[profile.value * columns_ + column] = kind == Condition::Kind::never    ? -1
                                                      : kind == Condition::Kind::always ? row.weights[column]
                                                                                        : ask;
    }
}

const Profile& ProfileTables::names(ProfileId profile) const {
    if (profile.value < rows_.size() && rows_[profile.value] != nullptr) return names_[profile.value];
    return profile.value < profiles_.size() ? profiles_.at(profile) : profiles_.at({});
}

}  // namespace touchgate::policy
