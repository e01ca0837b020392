// Reply windows of messaging platforms: what a customer's last act allows an account to send, how many messages and for how long.
//
// Built in for every account whose adapter declares windows, as the rule "window:<account>"; a rule of kind `session_window` that binds the touch
// takes its place. What is over is denied: nothing but a new act of the customer opens a window, so there is no instant to wait for.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

void Engine::Internals::note_act(std::uint32_t address, std::string_view account, std::string_view kind, Instant at, Instant heard) {
    const auto of = state.symbols.intern(account);
    const auto act = state.symbols.intern(kind);
    auto& acts = address_row(address).reached().acts;
    const auto known = std::find_if(acts.begin(), acts.end(), [&](const Reach::Act& each) { return each.account == of && each.kind == act; });
    // Platforms tell whole seconds: what left before the act within its second is no answer to it.
    const auto since = std::clamp(heard, at, at + Duration{999});
    if (known == acts.end()) acts.push_back({.account = of, .kind = act, .at = at, .since = since});
    else if (at >= known->at) *known = {.account = of, .kind = act, .at = at, .since = since};
}

namespace {

constexpr std::string_view beside_window = "reply_window.beside";  // of attempt facts: not a name that a policy can read

}  // namespace

bool Engine::Internals::goes_beside_window(const TouchFacts& of, const policy::Profile& profile, std::optional<AccountNumber> number) const {
    if (!number || of.content == nullptr || accounts[*number].settings.capabilities.reply_windows.empty()) return false;
    const auto& contact = state.contacts[of.contact.value];
    const std::string_view locale = contact.extras ? std::string_view{contact.extras->locale} : std::string_view{};
    const auto rendered = render(*of.content, of.used_template, profile, locale);
    return rendered && !accounts[*number].settings.needs_reply_window(*rendered);
}

void Engine::Internals::mark_beside_window(policy::AttemptFacts& facts) {
    const auto key = state.symbols.intern(beside_window);
    if (facts.label(key) != 0) return;
    const auto place = std::find_if(facts.labels.begin(), facts.labels.end(), [&](const policy::Label& label) { return key < label.key; });
    facts.labels.insert(place, policy::Label{.key = key, .value = 1});
}

void Engine::Internals::keep_reply_window(Choice& choice, const TouchFacts& of, const policy::Profile& profile, ProfileId profile_id, Instant at) {
    const auto number = account_of(profile_id);
    if (!number || choice.decision.verdict == policy::Verdict::deny) return;
    const auto& settings_of = accounts[*number].settings;
    if (settings_of.capabilities.reply_windows.empty() || of.content == nullptr || policy().compiled->binds_kind(profile_id, "session_window")) return;
    const auto& contact = state.contacts[of.contact.value];
    const std::string_view locale = contact.extras ? std::string_view{contact.extras->locale} : std::string_view{};
    const auto rendered = render(*of.content, of.used_template, profile, locale);
    if (!rendered || !settings_of.needs_reply_window(*rendered)) return;

    Symbol beside{};
    const bool any_beside = state.symbols.find(beside_window, beside);
    const auto* reach = state.addresses[choice.address].reach.get();
    const auto open = [&](const channel::ReplyWindow& window) {
        if (reach == nullptr) return false;
        const auto act = std::find_if(reach->acts.begin(), reach->acts.end(), [&](const Reach::Act& each) {
            return each.account == profile.account && state.symbols.name(each.kind) == window.act;
        });
        if (act == reach->acts.end() || at >= act->at + window.lasts) return false;
        const auto sent = std::count_if(contact.history.begin(), contact.history.end(), [&](const policy::HistoryEntry& entry) {
            return entry.at >= act->since && entry.at <= at && entry.touch != of.sequence && entry.address == choice.address &&
                   (entry.slot == policy::Slot::counted || entry.slot == policy::Slot::reserved) &&
                   (!any_beside || state.profiles.facts().at(entry.facts).label(beside) == 0) && state.profiles.at(entry.profile).account == profile.account;
        });
        return sent < window.messages;
    };
    const auto& windows = settings_of.capabilities.reply_windows;
    if (std::any_of(windows.begin(), windows.end(), open)) return;
    choice.decision.verdict = policy::Verdict::deny;
    choice.decision.until = instant_never;
    choice.decision.rule = policy::no_rule;
    choice.rule_override = "window:" + settings_of.name;
}

}  // namespace touchgate
