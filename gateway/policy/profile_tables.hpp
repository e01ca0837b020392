// What is known about each profile under one compiled policy: its names, its weight in every counter, the rules that may bind it with
// what is left of their conditions. Filled by `prepare`, read by every decision.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "gateway/policy/condition.hpp"
#include "gateway/policy/inputs.hpp"

namespace touchgate::policy {

class Rule;

// A rule that may bind a profile. `when` is null if it binds always.
struct Binding {
    std::uint16_t rule;
    bool timed;  // the answer, the counting or an exemption of it changes with time
    const Rule* judge;
    const Condition* when;
};

struct ProfileRow {
    Profile names;
    std::vector<Binding> bindings;   // in document order, exemptions left out
    std::vector<ConditionPtr> when;  // by rule, all rules: what is left of each condition
    bool needs_content = false;
    std::vector<std::int32_t> weights;  // by counting column, thousandths; -1: never counted
    std::vector<ConditionPtr> counts;   // by counting column: what is left of each condition
};

// The weight of an attempt in one counting column.
struct Weighing {
    std::int32_t weight;         // thousandths; -1: not counted
    const Condition* condition;  // null: no further condition
};

class ProfileTables {
public:
    ProfileTables(const std::vector<std::unique_ptr<Rule>>& rules, std::size_t columns, const ProfileTable& profiles, const SymbolTable& symbols)
        : rules_{rules}, columns_{columns}, profiles_{profiles}, symbols_{symbols} {}

    void prepare(ProfileId profile);
    [[nodiscard]] ProfileRow make_row(const Profile& names) const;

    // The prepared row for these names, or null.
    [[nodiscard]] const ProfileRow* row(ProfileId profile, const Profile& names) const {
        if (profile.value >= rows_.size() || rows_[profile.value] == nullptr || rows_[profile.value]->names != names) return nullptr;
        return rows_[profile.value].get();
    }
    [[nodiscard]] const ProfileRow* row(ProfileId profile) const { return profile.value < rows_.size() ? rows_[profile.value].get() : nullptr; }

    // -1, weight or -2: unprepared or with a condition, ask `weigh`.
    static constexpr std::int32_t ask = -2;
    [[nodiscard]] std::int32_t quick_weight(ProfileId profile, std::size_t column) const {
        const auto at = profile.value * columns_ + column;
        return at < weights_.size() ? weights_[at] : ask;
    }
    [[nodiscard]] const Profile& names(ProfileId profile) const;
    [[nodiscard]] const AttemptFacts& facts(FactsId id) const { return profiles_.facts().at(id); }

private:
    const std::vector<std::unique_ptr<Rule>>& rules_;
    std::size_t columns_;
    const ProfileTable& profiles_;
    const SymbolTable& symbols_;
    std::vector<std::unique_ptr<ProfileRow>> rows_;
    std::vector<std::int32_t> weights_;  // [profile][column], for one cache line per entry
    std::vector<Profile> names_;
};

}  // namespace touchgate::policy
