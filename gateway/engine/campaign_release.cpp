// What a running campaign does by itself, a little each turn: ghosts for those held out, then touches for recipients in the audience's order,
// never more than a small portion of them allowed and waiting; the rate; the daily window; pausing itself; the end.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

using policy::Verdict;

namespace {

constexpr auto slice = std::chrono::milliseconds{1};
constexpr std::size_t room_for_release = std::size_t{2} << 20U;
constexpr double projection_lag_max_s = 60;

}  // namespace

void Engine::Internals::activate(CampaignRow& row) {
    if (std::find(active_campaigns.begin(), active_campaigns.end(), &row) == active_campaigns.end()) active_campaigns.push_back(&row);
}

void Engine::Internals::run_campaigns() {
    campaigns_busy = false;
    if (draining) return;
    open_gates();
    if (active_campaigns.empty() && previews.empty()) return;
    const auto until = parts.clock.monotonic_now() + slice;
    std::erase_if(active_campaigns, [](const CampaignRow* row) { return row->state != "running" && !(row->runtime && row->runtime->freezing); });
    const auto rows = active_campaigns;
    if (!rows.empty()) next_campaign = (next_campaign + 1) % rows.size();  // nobody is always first
    for (std::size_t i = 0; i < rows.size(); ++i) {
        auto& row = *rows[(next_campaign + i) % rows.size()];
        auto& runtime = runtime_of(row);
        if (runtime.freezing) {
            freeze_some(row);
            campaigns_busy = true;
            continue;
        }
        if (row.parsed->from && now < *row.parsed->from) continue;
        if (release_some(row, until)) campaigns_busy = true;
        pause_if_bad(row);
        finish_if_done(row);
    }
    run_previews(until);
    campaigns_busy = campaigns_busy || !previews.empty();
}

std::optional<channel::Monotonic> Engine::Internals::campaigns_wake_at() const {
    std::optional<channel::Monotonic> at;
    const auto sooner = [&](Instant instant) {
        const auto wake = monotonic + std::max(Duration{0}, instant - now);
        if (!at || wake < *at) at = wake;
    };
    for (const auto* row : gated_campaigns) sooner(row->runtime->rate->free_at(now));
    for (const auto* row : active_campaigns)
        if (row->runtime && row->runtime->dialing && !row->runtime->dialing->ready.empty()) sooner(row->runtime->dialing->look_at);
    for (const auto* row : active_campaigns) {
        if (row->parsed->from && *row->parsed->from > now) sooner(*row->parsed->from);
        else if (row->parsed->to && *row->parsed->to > now) sooner(*row->parsed->to);
    }
    return at;
}

// After a start: what is volatile follows from the touches in memory.
void Engine::Internals::rebuild_campaigns() {
    std::map<CampaignRow*, std::vector<Instant>> permits;
    for (auto& [id, row] : state.campaigns) {
        auto& runtime = runtime_of(row);
        if (row.state == "running") activate(row);
        if (runtime.rate) permits[&row];
    }
    for (std::uint32_t number = 1; number < state.touches.size(); ++number) {
        auto& each = touch(number);
        if (each.id.is_nil()) continue;
        auto* row = campaign_of(each);
        if (row == nullptr) continue;
        if (const auto of = permits.find(row); of != permits.end())
            for (const auto& attempt : each.attempts)
                if (attempt.permitted_at + row->parsed->rate->unit > now) of->second.push_back(attempt.permitted_at);
        if (each.final || !each.is_waiting()) continue;
        if (each.state == TouchState::queued) row->runtime->queued.insert(number);
        if (row->state == "cancelled") cancel_later.push_back(number);
        else if (row->state == "paused" && each.state == TouchState::queued) sweep.push_back(number);
    }
    for (auto& [row, at] : permits) {
        std::sort(at.begin(), at.end());
        for (const auto instant : at) row->runtime->rate->permit(instant);
    }
}

// ---- release

bool Engine::Internals::release_some(CampaignRow& row, channel::Monotonic until) {
    auto& runtime = *row.runtime;
    if (row.pending == 0 || projection_lag_s > projection_lag_max_s) return false;
    const auto& definition = *row.parsed;
    if (definition.to && now >= *definition.to) return false;
    const auto share = [](std::size_t limit) { return limit / 10 * 8; };  // single touches may use all of it
    const auto full = [&] {
        return state.counts[static_cast<std::size_t>(TouchState::queued)] >= share(settings.limits.waiting_touches) ||
               state.counts[static_cast<std::size_t>(TouchState::deferred)] >= share(settings.limits.deferred_touches);
    };
    int looked = 0;
    const auto out_of_time = [&] { return (++looked & 31) == 0 && parts.clock.monotonic_now() > until; };
    for (; runtime.ghosts < row.recipients.size(); ++runtime.ghosts) {
        if (out_of_time() || parts.log.room() < room_for_release) return true;
        const auto& recipient = row.recipients[runtime.ghosts];
        if (recipient.state != RecipientState::pending || campaign::place(recipient.arm) != campaign::held_out) continue;
        if (!release(row, static_cast<std::uint32_t>(runtime.ghosts))) return true;
    }
    const auto most = definition.reservations_max();
    for (; runtime.next < row.recipients.size(); ++runtime.next) {
        if (out_of_time() || parts.log.room() < room_for_release) return true;
        if (row.recipients[runtime.next].state != RecipientState::pending) continue;
        if (row.counts[static_cast<std::size_t>(TouchState::queued)] >= most || full()) return false;  // a permit makes room, and wakes
        if (!release(row, static_cast<std::uint32_t>(runtime.next))) return row.state == "running";
    }
    return false;
}

const LoggedRecipient* Engine::Internals::line_of(CampaignRow& row, const Recipient& recipient) {
    auto& batch = runtime_of(row).batch;
    if (batch.position != recipient.batch) {
        std::string buffer;
        const auto record = parts.reader.at(recipient.batch, buffer);
        CampaignAudienceAdded event;
        if (!record || !decode(record->payload, event)) return nullptr;
        batch.position = recipient.batch;
        batch.lines = std::move(event.lines);
    }
    return recipient.line < batch.lines.size() ? &batch.lines[recipient.line] : nullptr;
}

Result<TouchRequest> Engine::Internals::request_for(CampaignRow& row, const Recipient& recipient) {
    const auto& definition = *row.parsed;
    if (recipient.batch >= durable.next) return Error{.kind = ErrorKind::unavailable, .detail = "the line is not durable yet"};
    const auto arm = campaign::place(recipient.arm);
    TouchRequest request;
    RecipientSecret own;
    if (const auto* line = line_of(row, recipient); line != nullptr && !line->sealed.empty()) (void)unseal_of(recipient.contact, line->sealed, own);
    request.key = "campaign:" + row.id + ":" + state.contact_ids[recipient.contact.value];
    if (!own.item.empty()) request.key += ":" + own.item;
    request.purpose = definition.purpose;
    request.campaign = row.id;
    request.channels = definition.channels;
    request.steps = definition.steps;
    request.cheapest_first = definition.cheapest_first;
    request.template_name = definition.template_of(arm);
    request.variables = std::move(own.variables);
    for (const auto& fallback : definition.variables)
        if (std::none_of(request.variables.begin(), request.variables.end(), [&](const auto& given) { return given.first == fallback.first; })) request.variables.push_back(fallback);
    std::sort(request.variables.begin(), request.variables.end());
    const auto& content = definition.content_of(arm);
    request.content = {.text = content.text, .text_is_template = !content.text.empty(), .template_code = content.template_code, .params = content.params, .body_json = content.body_json};
    if (const auto* dialing = dialing_of(row)) {
        request.channels = {dialing->plan.account};
        request.steps = {};
        if (!definition.has_content()) request.content.body_json = Json{{"voice", {{"queue", dialing->plan.queue}}}}.dump();
    }
    request.priority = definition.priority;
    request.fallback_after = definition.fallback_after;
    request.at_least_once = definition.at_least_once;
    request.fallback_on_unknown = definition.fallback_on_unknown;
    request.unit = row.unit;
    request.callback = definition.callback;
    request.origin = policy::Origin::campaign;
    return request;
}

Result<Engine::Internals::Prepared> Engine::Internals::prepare_recipient(CampaignRow& row, const Recipient& recipient, const TouchRequest& request, bool make) {
    const auto& definition = *row.parsed;
    Prepared prepared;
    prepared.contact = recipient.contact;
    prepared.fixed_address = recipient.address;
    auto plan = make_plan(request, make);
    if (!plan) return plan.error();
    prepared.plan = std::move(plan->candidates);
    prepared.steps = std::move(plan->steps);
    prepared.content = {.key = request.key, .variables = request.variables, .content = request.content, .metadata = request.metadata};
    if (!request.template_name.empty()) {
        // Frozen at the start; before it as it is now.
        const auto arm = campaign::place(recipient.arm);
        const bool own = arm < definition.arms.size() && !definition.arms[arm].template_name.empty();
        const auto number = own ? arm + 1U : 0U;
        crypto::Hash128 hash{};
        if (number < row.templates.size()) hash = row.templates[number];
        else if (const auto found = settings.templates ? settings.templates->find(request.template_name) : nullptr) hash = found->document_hash();
        if (const auto known = state.template_by_hash.find(hash); known != state.template_by_hash.end()) prepared.used = &state.templates[known->second];
        if (prepared.used == nullptr) return invalid("/template", "there is no template \"" + request.template_name + "\"");
    }
    prepared.not_before = Instant::min();
    if (definition.to) {
        prepared.expires_at = *definition.to;
    } else {
        auto after = settings.expires_after.find(request.purpose);
        if (after == settings.expires_after.end()) after = settings.expires_after.find("*");
        prepared.expires_at = now + (after == settings.expires_after.end() ? Duration{std::chrono::hours{72}} : after->second);
    }
    return prepared;
}

Choice Engine::Internals::deny(std::string_view rule, const Prepared& prepared) const {
    Choice choice;
    choice.decision.verdict = Verdict::deny;
    choice.decision.rule = policy().compiled->rule_index(rule);
    if (choice.decision.rule == policy::no_rule) choice.rule_override = rule;
    TouchFacts of;
    of.contact = prepared.contact;
    of.fixed_address = prepared.fixed_address;
    bool gone = false;
    choice.address = resolve_address(of, state.profiles.at(prepared.plan.front()), gone);
    return choice;
}

std::string_view Engine::Internals::barred(CampaignRow& row, const Recipient& recipient) {
    const auto& definition = *row.parsed;
    const auto& contact = state.contacts[recipient.contact.value];
    if (const auto* extra = contact.extras.get()) {
        const auto since = row.started() ? row.started_at : now;
        if ((definition.stop_on.reply && extra->last_reply >= since) || (definition.stop_on.complaint && extra->last_complaint >= since) ||
            (definition.stop_on.conversion && extra->last_conversion >= since))
            return "stop-on";
        for (const auto tag : extra->tags)
            if (std::find(definition.exclude_tags.begin(), definition.exclude_tags.end(), state.symbols.name(tag)) != definition.exclude_tags.end()) return "exclude";
    }
    if (!definition.exclude_lists.empty()) {
        const auto listed = [&](std::uint32_t address) {
            const auto& lists = state.addresses[address].lists;
            return std::any_of(lists.begin(), lists.end(), [&](const policy::ListEntry& entry) {
                return entry.expires_at > now && std::find(definition.exclude_lists.begin(), definition.exclude_lists.end(), state.symbols.name(entry.list)) != definition.exclude_lists.end();
            });
        };
        if (recipient.address != 0 ? listed(recipient.address) : std::any_of(contact.addresses.begin(), contact.addresses.end(), listed)) return "exclude";
    }
    if (definition.exclude_campaigns.empty()) return {};
    auto& runtime = runtime_of(row);
    if (!runtime.excluded_is_built) {
        for (const auto& id : definition.exclude_campaigns)
            if (const auto other = state.campaigns.find(id); other != state.campaigns.end() && &other->second != &row)
                for (const auto& each : other->second.recipients)
                    if (each.state != RecipientState::removed) runtime.excluded.insert(each.contact.value);
        runtime.excluded_is_built = true;
    }
    if (runtime.excluded.contains(recipient.contact.value)) return "exclude";
    for (const auto& entry : contact.history)  // touches that only name such a campaign
        if (entry.slot != policy::Slot::released)
            if (const auto name = state.symbols.name(state.profiles.at(entry.profile).campaign);
                std::find(definition.exclude_campaigns.begin(), definition.exclude_campaigns.end(), name) != definition.exclude_campaigns.end())
                return "exclude";
    return {};
}

bool Engine::Internals::release(CampaignRow& row, std::uint32_t number) {
    const auto recipient = row.recipients[number];
    auto request = request_for(row, recipient);
    if (!request) return false;
    auto prepared = prepare_recipient(row, recipient, *request, true);
    if (!prepared) {
        // No account serves its channels any more: nothing can be sent until somebody looks.
        pause(row, "configuration");
        return false;
    }
    auto of = facts(*prepared, request->origin);
    of.campaign = &row;

    const auto unrenderable = [&] {
        if (prepared->used == nullptr && !request->content.text_is_template) return false;
        const auto& contact = state.contacts[recipient.contact.value];
        const std::string_view locale = contact.extras ? std::string_view{contact.extras->locale} : std::string_view{};
        return std::any_of(prepared->plan.begin(), prepared->plan.end(),
                           [&](ProfileId profile) { return !render(prepared->content, prepared->used, state.profiles.at(profile), locale); });
    };
    std::vector<std::uint32_t> losers;
    Choice choice;
    if (campaign::place(recipient.arm) == campaign::held_out) choice = deny("holdout", *prepared);
    else if (state.contacts[recipient.contact.value].erased) choice = deny("erased", *prepared);
    else if (const auto rule = barred(row, recipient); !rule.empty()) choice = deny(rule, *prepared);
    else if (unrenderable()) choice = deny("content-not-renderable", *prepared);
    else choice = choose_over(of, policy().compiled->class_of(state.symbols.intern(request->purpose)), request->priority, policy::Detail::steps, 0, losers);

    const auto key = key_hash(request->unit, request->key);
    const auto made = create(*request, *prepared, choice, key, number + 1, recipient.arm);
    yield_to(touch(made).id, losers);
    return true;
}

// ---- the campaign as a whole

void Engine::Internals::pause_if_bad(CampaignRow& row) {
    if (row.state != "running") return;
    const auto& stop = row.parsed->stop_when;
    const auto permits = row.permits - row.permits_before;
    const auto over = [&](const std::optional<double>& limit, std::uint64_t count) {
        return limit && permits >= stop.after && static_cast<double>(count) > *limit * static_cast<double>(permits);
    };
    const auto failed = row.counts[static_cast<std::size_t>(TouchState::failed)];
    if (over(stop.error_rate, failed - std::min(failed, row.failed_before))) pause(row, "error_rate");
    else if (over(stop.complaint_rate, row.complaints - row.complaints_before)) pause(row, "complaint_rate");
    else if (stop.budget_micro && row.cost_micro >= *stop.budget_micro && (row.pending > 0 || row.counts[static_cast<std::size_t>(TouchState::queued)] > 0)) pause(row, "budget");
}

void Engine::Internals::finish_if_done(CampaignRow& row) {
    if (row.state != "running" || refusal()) return;
    const bool over = row.parsed->to && now >= *row.parsed->to;
    if (!over && (row.pending > 0 || row.parsed->open_audience)) return;
    for (const auto waiting : {TouchState::queued, TouchState::deferred, TouchState::dispatching})
        if (row.counts[static_cast<std::size_t>(waiting)] > 0) return;
    // Whom it has on the line may still be dropped, and dialled again.
    if (dialing_of(row) != nullptr && row.counts[static_cast<std::size_t>(TouchState::accepted)] > 0) return;
    emit(ContactIndex{}, CampaignFinished{.id = row.id, .expired = row.pending});
}

// ---- the rate

bool Engine::Internals::held_by_rate(const QueueEntry& entry) {
    auto* row = campaign_of(touch(entry.row));
    if (row == nullptr || !row->parsed->rate) return false;
    auto& runtime = runtime_of(*row);
    if (runtime.rate->free_at(now) <= now) return false;
    if (runtime.gate.empty()) gated_campaigns.push_back(row);
    runtime.gate.push_back(entry);
    return true;
}

// Back into their accounts' queues go as many as may be permitted now.
void Engine::Internals::open_gates() {
    for (auto* row : gated_campaigns) {
        auto& runtime = *row->runtime;
        for (auto left = runtime.rate->room(now); left > 0 && !runtime.gate.empty();) {
            const auto entry = runtime.gate.front();
            runtime.gate.pop_front();
            auto& waiting = touch(entry.row);
            if (!waiting.is_queued || waiting.queue_ticket != entry.ticket || !waiting.is_waiting()) continue;
            waiting.is_queued = false;
            const auto account = account_of(chosen_profile(waiting));
            if (account && accounts[*account].up) enqueue(entry.row);
            else sweep.push_back(entry.row);  // another account of its channel may take it
            --left;
        }
    }
    std::erase_if(gated_campaigns, [](const CampaignRow* row) { return row->runtime->gate.empty(); });
}

void Engine::Internals::note_permit(const Touch& permitted) {
    auto* row = campaign_of(permitted);
    if (row != nullptr && row->parsed->rate) runtime_of(*row).rate->permit(now);
}

// ---- what a recipient does

void Engine::Internals::stop_recipients(ContactIndex contact, bool campaign::StopOn::*what) {
    if (contact.value == 0 || state.campaigns.empty()) return;
    const auto live = state.contacts[contact.value].live;
    for (const auto row : live) {
        auto& waiting = touch(row);
        const auto* campaign = waiting.recipient == 0 ? nullptr : campaign_of(waiting);
        if (campaign == nullptr || !(campaign->parsed->stop_on.*what) || !waiting.is_waiting()) continue;
        Choice choice{.chosen = waiting.chosen, .address = waiting.address, .decision = {}, .rule_override = "stop-on", .segments = 1};
        choice.decision.verdict = Verdict::deny;
        block(row, choice);
    }
}

// ---- the daily window

policy::CompiledPolicy* Engine::Internals::window_of(CampaignRow& row) {
    if (row.parsed->daily_json.empty()) return nullptr;
    auto& runtime = runtime_of(row);
    if (!runtime.window) {
        std::string name;
        auto compiled = compile(R"({"name":"window","rules":[{"name":"campaign-window","kind":"hours","zone":"contact","open":)" + row.parsed->daily_json + "}]}", name);
        if (!compiled) return nullptr;
        runtime.window = std::move(*compiled);
    }
    return runtime.window.get();
}

// The policy's answer and the campaign's own hours together: the earliest instant at which both allow.
void Engine::Internals::keep_window(const TouchFacts& of, Choice& choice, policy::Request& request, const policy::ContactView& contact, const policy::AddressView& address,
                                    Instant at, policy::Detail detail) {
    auto* window = window_of(*of.campaign);
    if (window == nullptr) return;
    window->prepare_profile(request.profile);
    policy::Request ask;
    ask.profile = request.profile;
    ask.names = request.names;
    const policy::ContactView zone{.time_zone = contact.time_zone};
    const policy::AddressView where{.number = address.number, .region = address.region, .zones = address.zones};
    constexpr int turns_max = 366;
    for (int turn = 0; turn < turns_max && choice.decision.verdict != Verdict::deny; ++turn) {
        const auto start = choice.decision.verdict == Verdict::allow ? std::max(at, request.not_before) : choice.decision.until;
        if (start == instant_never) return;
        const auto open = window->decide(ask, zone, where, nullptr, start, policy::Detail::none);
        if (open.verdict == Verdict::allow) {
            if (choice.decision.verdict == Verdict::defer && choice.decision.rule == policy::no_rule && turn > 0) choice.rule_override = "campaign-window";
            return;
        }
        if (open.verdict == Verdict::deny || open.until >= of.expires_at) {
            choice.decision.verdict = Verdict::deny;
            choice.decision.rule = policy::no_rule;
            choice.decision.reason = policy::Reason::expires_first;
            choice.rule_override = "campaign-window";
            return;
        }
        request.not_before = open.until;
        choice.decision = policy().compiled->decide(request, contact, address, &shared, at, detail, of.foresight);
    }
}

}  // namespace touchgate
