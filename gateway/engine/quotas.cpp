// What a platform gives no more of: its daily and hourly quotas. Once a platform has said so and when that ends, nothing that draws on the quota is
// tried before; what has another way goes that way, and what has none waits, visible, under the rule "quota:<account>".

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

namespace {

constexpr std::string_view whole_account = "account";
constexpr std::string_view one_call = "api:";  // see ExchangeAdapter::quota_scope

}  // namespace

void Engine::Internals::note_quota(AccountNumber number, const channel::Outcome& outcome) {
    if (outcome.kind != channel::OutcomeKind::quota_exhausted || !outcome.retry_after || *outcome.retry_after <= Duration{0}) return;
    if (outcome.scope != whole_account && !outcome.scope.starts_with(one_call)) return;  // of one recipient or template: that touch's own matter
    const auto until = now + *outcome.retry_after;
    const auto& held = accounts[number].quota_until;
    if (const auto known = held.find(outcome.scope); known != held.end() && known->second >= until) return;
    emit(ContactIndex{}, AccountQuotaExhausted{.account = accounts[number].settings.name, .scope = outcome.scope, .code = outcome.code, .until = until});
}

void Engine::Internals::apply(const RecordMeta& meta, const AccountQuotaExhausted& event) {
    std::erase_if(state.quotas, [&](const auto& quota) { return quota.second <= meta.time; });
    auto& until = state.quotas[{event.account, event.scope}];
    until = std::max(until, event.until);
    if (const auto number = account_numbers.find(event.account); number != account_numbers.end()) accounts[number->second].quota_until[event.scope] = until;
}

void Engine::Internals::hold_quotas() {
    for (const auto& [of, until] : state.quotas)
        if (const auto number = account_numbers.find(of.first); number != account_numbers.end()) accounts[number->second].quota_until[of.second] = until;
}

void Engine::Internals::keep_quota(Choice& choice, const TouchFacts& of, const policy::Profile& profile, ProfileId profile_id, Instant at) {
    const auto number = account_of(profile_id);
    if (!number || choice.decision.verdict == policy::Verdict::deny) return;
    auto& account = accounts[*number];
    std::erase_if(account.quota_until, [&](const auto& quota) { return quota.second <= now; });
    if (account.quota_until.empty()) return;
    auto until = at;
    if (const auto found = account.quota_until.find(whole_account); found != account.quota_until.end()) until = std::max(until, found->second);
    if (of.content != nullptr && (account.quota_until.size() > 1 || until == at)) {
        const auto& contact = state.contacts[of.contact.value];
        const std::string_view locale = contact.extras ? std::string_view{contact.extras->locale} : std::string_view{};
        if (const auto rendered = render(*of.content, of.used_template, profile, locale))
            if (const auto found = account.quota_until.find(account.settings.quota_scope(*rendered)); found != account.quota_until.end()) until = std::max(until, found->second);
    }
    if (until <= at || (choice.decision.verdict == policy::Verdict::defer && choice.decision.until >= until)) return;
    choice.decision.verdict = policy::Verdict::defer;
    choice.decision.until = until;
    choice.decision.rule = policy::no_rule;
    choice.rule_override = "quota:" + account.settings.name;
}

}  // namespace touchgate
