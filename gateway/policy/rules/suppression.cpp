// {"kind": "suppression", "lists": ["dnc"], "mode": "deny" | "only"}: deny if the address is on one of the lists; `only`: if it is on none
// (a staging system that may reach testers alone). "*" stands for all lists.
#include <algorithm>

#include "gateway/policy/rule.hpp"

namespace touchgate::policy {

namespace {

bool applies(const ListEntry& entry, const Profile& names) {
    const auto names_it = [](const std::vector<Symbol>& symbols, Symbol symbol) {
        return symbols.empty() || std::find(symbols.begin(), symbols.end(), symbol) != symbols.end();
    };
    return names_it(entry.channels, names.channel) && names_it(entry.purposes, names.purpose);
}

class Suppression final : public Rule {
public:
    explicit Suppression(RuleReader& reader) {
        only_ = reader.json.choice("mode", {"deny", "only"}, "deny") == "only";
        names_ = reader.json.texts("lists");
        if (names_.empty()) reader.json.problem("lists", "must name at least one list, or \"*\" for all");
        for (const auto& list : names_) {
            all_ = all_ || list == "*";
            lists_.push_back(reader.names.symbols.intern(list));
        }
    }

    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        bool listed = false;
        auto free_at = at;  // when the last entry has expired
        for (const auto& entry : evaluation.address.lists) {
            if (entry.expires_at <= at || !(all_ || std::find(lists_.begin(), lists_.end(), entry.list) != lists_.end())) continue;
            if (!applies(entry, evaluation.request.names)) continue;
            listed = true;
            free_at = std::max(free_at, entry.expires_at);
        }
        if (listed == only_) return Judgement::allow(at);
        return listed ? Judgement::deny(Why::on_list, free_at) : Judgement::deny(Why::not_on_list);
    }

    bool reads_list(std::string_view list) const override { return all_ || std::find(names_.begin(), names_.end(), list) != names_.end(); }

private:
    std::vector<std::string> names_;
    std::vector<Symbol> lists_;
    bool all_ = false;
    bool only_ = false;
};

}  // namespace

std::unique_ptr<Rule> make_suppression(RuleReader& reader) { return std::make_unique<Suppression>(reader); }

}  // namespace touchgate::policy
