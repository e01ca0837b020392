// The preview: every recipient that waits for its release is judged as if it were released now, in the order of the release. Nothing is
// written and nothing reserved; what the recipients before would take from counters that contacts share is foreseen.

#include <algorithm>

#include "gateway/content/signature.hpp"
#include "gateway/engine/internals.hpp"
#include "gateway/policy/foresight.hpp"

namespace touchgate {

using policy::Verdict;

void Engine::preview_campaign(const std::string& id, absl::AnyInvocable<void(Result<CampaignPreview>)> done) {
    auto& in = *internals_;
    const auto answer = [&](Error error) {
        after_sync([done = std::move(done), error = std::move(error)]() mutable { done(std::move(error)); });
    };
    const auto found = in.state.campaigns.find(id);
    if (found == in.state.campaigns.end()) return answer({.kind = ErrorKind::not_found, .detail = "there is no campaign \"" + id + "\""});
    auto& row = found->second;
    if (row.state == "finished" || row.state == "cancelled")
        return answer({.kind = ErrorKind::conflict, .detail = "campaign \"" + id + "\" is " + row.state, .problems = {}, .retry_after_s = 0, .reference = id});
    constexpr std::size_t at_once_max = 8;
    if (in.previews.size() >= at_once_max)
        return answer({.kind = ErrorKind::unavailable, .detail = "other previews are being made; try again in a moment", .problems = {}, .retry_after_s = 2});
    if (!row.started()) {
        std::vector<crypto::Hash128> templates;
        if (auto problems = in.start_problems(row, templates); !problems.empty()) {
            auto detail = problems.front().detail;
            return answer({.kind = ErrorKind::invalid_input, .detail = std::move(detail), .problems = std::move(problems)});
        }
    }
    PreviewJob job;
    job.id = id;
    job.preview.id = id;
    job.preview.at = in.now;
    job.preview.recipients = row.size;
    for (const auto& arm : row.parsed->arms) job.preview.by_arm[arm.name];
    for (const auto& [other_id, other] : in.state.campaigns)
        if (&other != &row && (other.state == "running" || other.state == "paused") && other.pending > 0) job.others.push_back(other_id);
    job.contacts.resize(in.state.contacts.size());
    job.done = std::move(done);
    in.previews.push_back(std::move(job));
}

void Engine::Internals::run_previews(channel::Monotonic until) {
    if (previews.empty()) return;
    // At least a millisecond of its own: a campaign that always has something to release must not keep it waiting.
    until = std::max(until, parts.clock.monotonic_now() + std::chrono::milliseconds{1});
    if (!preview_some(previews.front(), until)) return;
    auto job = std::move(previews.front());
    previews.pop_front();
    engine.after_sync([done = std::move(job.done), preview = std::move(job.preview)]() mutable { done(std::move(preview)); });
}

bool Engine::Internals::preview_some(PreviewJob& job, channel::Monotonic until) {
    const auto found = state.campaigns.find(job.id);
    auto& row = found->second;
    int looked = 0;
    const auto out_of_time = [&](int every) { return ++looked % every == 0 && parts.clock.monotonic_now() > until; };
    for (; job.next < row.recipients.size(); ++job.next) {
        if (out_of_time(16)) return false;
        const auto& recipient = row.recipients[job.next];
        if (recipient.state == RecipientState::removed) continue;
        if (recipient.contact.value < job.contacts.size()) job.contacts[recipient.contact.value] = true;
        if (recipient.state == RecipientState::released) {
            ++job.preview.released;
            continue;
        }
        if (recipient.batch >= durable.next) return false;  // added in this very turn
        preview_recipient(job, row, recipient);
    }
    while (!job.others.empty()) {
        const auto other = state.campaigns.find(job.others.back());
        if (job.next_of_other == 0) job.counted.assign(job.contacts.size(), false);
        for (auto& at = job.next_of_other; other != state.campaigns.end() && at < other->second.recipients.size(); ++at) {
            if (out_of_time(1'024)) return false;
            const auto& theirs = other->second.recipients[at];
            const auto contact = theirs.contact.value;
            if (theirs.state != RecipientState::pending || contact >= job.contacts.size() || !job.contacts[contact] || job.counted[contact]) continue;
            job.counted[contact] = true;
            ++job.preview.overlaps[job.others.back()];
        }
        job.next_of_other = 0;
        job.others.pop_back();
    }
    forecast(job, row);
    return true;
}

void Engine::Internals::preview_recipient(PreviewJob& job, CampaignRow& row, const Recipient& given) {
    auto& preview = job.preview;
    auto recipient = given;
    if (recipient.arm == campaign::unassigned) recipient.arm = campaign::Assigner{*row.parsed}(state.contact_ids[recipient.contact.value]);
    const auto arm = campaign::place(recipient.arm);
    if (arm == campaign::held_out) {
        ++preview.held_out;
        return;
    }
    if (arm < row.parsed->arms.size()) ++preview.by_arm[row.parsed->arms[arm].name];
    const auto refuse = [&](std::string_view rule) {
        ++preview.deny;
        ++preview.by_rule[std::string{rule}].deny;
    };
    if (state.contacts[recipient.contact.value].erased) return refuse("erased");
    if (const auto rule = barred(row, recipient); !rule.empty()) return refuse(rule);
    const auto request = request_for(row, recipient);
    if (!request) return refuse("content-not-renderable");
    auto prepared = prepare_recipient(row, recipient, *request, false);
    if (!prepared) return refuse("content-not-renderable");

    auto of = facts(*prepared, request->origin);
    of.not_before = std::max(prepared->not_before, row.parsed->from.value_or(Instant::min()));
    of.expires_at = row.parsed->to ? prepared->expires_at : prepared->expires_at + (std::max(now, of.not_before) - now);
    of.campaign = &row;
    if (job.foreseen_by != policy().compiled) {  // a policy that came meanwhile counts by itself
        job.foresight = std::make_shared<policy::Foresight>();
        job.foreseen_by = policy().compiled;
    }
    job.foresight->begin();
    of.foresight = job.foresight.get();
    const auto choice = choose(of, now, policy::Detail::none, 0, static_cast<std::uint8_t>(prepared->plan.size()));
    const auto& profile = state.profiles.at(prepared->plan[choice.chosen]);
    const auto& contact = state.contacts[recipient.contact.value];
    const std::string_view locale = contact.extras ? std::string_view{contact.extras->locale} : std::string_view{};
    const auto rendered = render(prepared->content, prepared->used, profile, locale);
    if (!rendered) {
        ++preview.missing_variable;
        return;
    }
    const auto rule = !choice.rule_override.empty() ? choice.rule_override : choice.decision.rule == policy::no_rule ? std::string{} : policy().compiled->rule_name(choice.decision.rule);
    const auto until = choice.decision.verdict == Verdict::allow ? std::max(now, of.not_before) : choice.decision.until;
    if (choice.rule_override.empty() && policy().compiled->counts_shared(choice.decision.rule)) {
        auto& foreseen = preview.foreseen[rule];
        ++(choice.decision.verdict == Verdict::deny ? foreseen.denied : foreseen.deferred);
        if (choice.decision.verdict == Verdict::defer && until != instant_never) {
            foreseen.first = std::min(foreseen.first.value_or(until), until);
            foreseen.last = std::max(foreseen.last.value_or(until), until);
        }
    }
    if (choice.decision.verdict == Verdict::deny) return refuse(rule);
    if (until != instant_never) job.foresight->take(prepared->plan[choice.chosen], until);
    auto& channel = preview.by_channel[std::string{state.symbols.name(profile.channel)}];
    if (choice.decision.verdict == Verdict::defer) {
        ++preview.defer;
        ++channel.defer;
        if (!rule.empty()) ++preview.by_rule[rule].defer;
        if (choice.decision.until == instant_never) ++preview.deferred_open;
        else job.deferred.add(choice.decision.until);
    } else {
        ++preview.allow;
        ++channel.allow;
    }
    // What it takes if it goes, now or later.
    const auto account = account_of(prepared->plan[choice.chosen]);
    if (!account) return;
    const auto& settings_of = accounts[*account].settings;
    const auto text = content::with_signature(rendered->text, settings_of.sign_name);
    const auto segments = text.empty() ? 1 : content::billed_segments(text, settings_of.billing.counting);
    const auto cost = settings_of.billing.message_cost(segments).micros;
    preview.segments += static_cast<std::uint64_t>(segments);
    channel.segments += static_cast<std::uint64_t>(segments);
    if (cost != 0) {
        preview.cost_micro[settings_of.billing.currency] += cost;
        channel.cost_micro[settings_of.billing.currency] += cost;
    }
}

// No faster than the campaign's rate and than the accounts of its channels together.
void Engine::Internals::forecast(PreviewJob& job, CampaignRow& row) {
    auto& preview = job.preview;
    preview.deferred_until = job.deferred.buckets();
    double per_second = row.parsed->rate ? row.parsed->rate->count / std::chrono::duration<double>(row.parsed->rate->unit).count() : 0;
    double accounts_rate = 0;
    bool unlimited = false;
    const auto& channels = row.parsed->channels.empty() ? policy().compiled->default_channels(row.purpose) : row.parsed->channels;
    for (const auto& account : accounts) {
        const auto& name = account.settings.name;
        const auto serves = [&](const std::string& wanted) { return wanted == name || wanted == account.settings.capabilities.channel; };
        if (std::none_of(channels.begin(), channels.end(), serves)) continue;
        if (account.settings.rate_per_second) accounts_rate += *account.settings.rate_per_second;
        else unlimited = true;
    }
    // A token is one segment's submit.
    const auto messages = preview.allow + preview.defer;
    if (!unlimited && accounts_rate > 0) {
        const double by_accounts = preview.segments > 0 ? accounts_rate * static_cast<double>(messages) / static_cast<double>(preview.segments) : accounts_rate;
        per_second = per_second > 0 ? std::min(per_second, by_accounts) : by_accounts;
    }
    preview.per_second = per_second;
    if (messages == 0 || preview.deferred_open == messages) return;
    preview.earliest_finish = campaign::earliest_finish(std::max(preview.at, row.parsed->from.value_or(preview.at)), preview.allow, job.deferred, per_second);
}

}  // namespace touchgate
