// The rules of every policy, before all others: they follow from law, from the customer's word or from the platform, not from the document.
// Each reads one fact. An exemption waives one of them only by its name.
#include <algorithm>

#include "gateway/policy/rule.hpp"

namespace touchgate::policy {

namespace {

bool is_opted_out(const Evaluation& evaluation) {
    const auto& names = evaluation.request.names;
    for (const auto& record : evaluation.contact.consents) {
        if (record.granted || record.ended) continue;
        if (record.channel.value != 0 && record.channel != names.channel) continue;
        if (record.purpose.value != 0 && record.purpose != names.purpose) continue;
        if (record.unit.value != 0 && !is_unit_within(evaluation.symbols.name(names.unit), evaluation.symbols.name(record.unit))) continue;
        return true;
    }
    return false;
}

constexpr std::string_view platform_lists = "platform:";

// What the platform refuses ends when its list entry expires.
Judgement platform_refusal(const Evaluation& evaluation, Instant at) {
    const auto& names = evaluation.request.names;
    auto free_at = at;
    for (const auto& entry : evaluation.address.lists) {
        if (entry.expires_at <= at || !evaluation.symbols.name(entry.list).starts_with(platform_lists)) continue;
        const auto covers = [](const std::vector<Symbol>& symbols, Symbol symbol) {
            return symbols.empty() || std::find(symbols.begin(), symbols.end(), symbol) != symbols.end();
        };
        if (covers(entry.channels, names.channel) && covers(entry.purposes, names.purpose)) free_at = std::max(free_at, entry.expires_at);
    }
    return free_at == at ? Judgement::allow(at) : Judgement::deny(Why::platform_refuses, free_at);
}

Judgement deny_if(bool fact, Why why, Instant at) { return fact ? Judgement::deny(why) : Judgement::allow(at); }

class BuiltIn final : public Rule {
public:
    using Judge = Judgement (*)(const Evaluation&, Instant);
    BuiltIn(std::string_view rule_name, Judge answer) : judge_{answer} {
        name = rule_name;
        kind = rule_name;
        built_in = true;
    }
    Judgement judge(const Evaluation& evaluation, Instant at) const override { return judge_(evaluation, at); }
    bool reads_list(std::string_view list) const override { return name == "platform-refusal" && list.starts_with(platform_lists); }

private:
    Judge judge_;
};

}  // namespace

std::vector<std::unique_ptr<Rule>> built_in_rules() {
    static constexpr std::pair<std::string_view, BuiltIn::Judge> rules[] = {
        {"address-gone", [](const Evaluation& e, Instant at) { return deny_if(e.address.gone, Why::address_gone, at); }},
        {"restricted", [](const Evaluation& e, Instant at) { return deny_if(e.contact.restricted, Why::contact_restricted, at); }},
        {"erased", [](const Evaluation& e, Instant at) { return deny_if(e.address.erased_denies, Why::address_erased, at); }},
        {"opt-out", [](const Evaluation& e, Instant at) { return deny_if(is_opted_out(e), Why::opted_out, at); }},
        {"opt-out-review",  // not for an instant: a person decides
         [](const Evaluation& e, Instant at) { return e.address.review_pending ? Judgement::wait(Why::opt_out_review) : Judgement::allow(at); }},
        {"platform-refusal", platform_refusal},
        {"holdout", [](const Evaluation& e, Instant at) { return deny_if(e.request.held_out, Why::held_out, at); }},
        {"template-not-filed", [](const Evaluation& e, Instant at) { return deny_if(e.request.template_not_filed, Why::template_not_filed, at); }},
    };
    std::vector<std::unique_ptr<Rule>> made;
    for (const auto& [name, judge] : rules) made.push_back(std::make_unique<BuiltIn>(name, judge));
    return made;
}

}  // namespace touchgate::policy
