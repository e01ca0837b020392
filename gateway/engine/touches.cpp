// Accepting a touch: what callers may ask for is checked against the state, judged, written, and answered; cancelling; the view of a touch.

#include <algorithm>

#include "gateway/content/sms_text.hpp"
#include "gateway/engine/internals.hpp"

namespace touchgate {

using policy::Verdict;

namespace {

constexpr auto expiry_max = std::chrono::hours{24 * 366};

std::string pointer_to_channel(const TouchRequest& request, std::size_t index) {
    return request.steps.empty() ? "/channels/" + std::to_string(index) : "/steps/" + std::to_string(index) + "/channel";
}

Problem no_such_channel(const TouchRequest& request, std::size_t index, const std::string& channel) {
    return {pointer_to_channel(request, index), "\"" + channel + "\" is neither an account nor a channel that an account serves"};
}

// {"voice": {"queue": …}} of a call; empty: it leads to none.
std::string queue_of_call(const std::string& body_json) {
    const auto body = Json::parse(body_json, nullptr, false);
    const Json none;
    const auto& voice = body.is_object() && body.contains("voice") ? body["voice"] : none;
    return voice.is_object() && voice.contains("queue") && voice["queue"].is_string() ? voice["queue"].get<std::string>() : std::string{};
}

}  // namespace

bool Engine::Internals::serves(std::string_view channel_or_account) const {
    return std::any_of(accounts.begin(), accounts.end(), [&](const auto& account) {
        return account.settings.name == channel_or_account || account.settings.capabilities.channel == channel_or_account;
    });
}

// The accounts that this touch may use, in order: each entry of `channels` is an account, or a channel whose accounts come in the order of
// the first matching route, else of the configuration.
CompiledRoute* Engine::Internals::route_for(const std::string& channel, const policy::Profile& profile, const TouchRequest& request) {
    std::uint32_t address = 0;
    const auto contact = resolve(request.contact, false, address);
    const auto index = contact ? *contact : ContactIndex{};
    std::string_view phone;
    if (request.contact.address && request.contact.address->kind == AddressKind::phone) phone = request.contact.address->value;
    else
        for (const auto number : state.contacts[index.value].addresses)
            if (phone.empty() && state.addresses[number].kind == AddressKind::phone) phone = state.addresses[number].value;
    return route_of(channel, profile, index, phone, request.origin);
}

Result<Engine::Internals::Plan> Engine::Internals::make_plan(const TouchRequest& request, bool make) {
    std::vector<std::string> channels = request.channels;
    if (channels.empty()) channels = policy().compiled->default_channels(request.purpose);
    // Where every account serves the same channel there is nothing to choose.
    if (channels.empty() && !accounts.empty()) {
        const auto& only = accounts.front().settings.capabilities.channel;
        if (std::all_of(accounts.begin(), accounts.end(), [&](const auto& account) { return account.settings.capabilities.channel == only; })) channels = {only};
    }
    if (channels.empty()) return invalid("/channels", "names no channel, and the policy has no default for purpose \"" + request.purpose + "\"");
    std::vector<AccountNumber> chosen;
    const auto add = [&](AccountNumber number) {
        if (std::find(chosen.begin(), chosen.end(), number) == chosen.end()) chosen.push_back(number);
    };
    std::vector<Problem> problems;
    Plan plan;
    const auto begin_step = [&](std::size_t i) {
        if (!request.steps.empty())
            plan.steps.push_back({.first = static_cast<std::uint8_t>(chosen.size()), .until = request.steps[i].until, .within_ms = request.steps[i].within_ms});
    };
    const auto is_step = [&](std::size_t i, std::size_t before) {
        if (!request.steps.empty() && chosen.size() == before) problems.push_back({pointer_to_channel(request, i), "all accounts of \"" + channels[i] + "\" belong to earlier steps"});
    };
    for (std::size_t i = 0; i < channels.size(); ++i) {
        const auto before = chosen.size();
        begin_step(i);
        if (const auto account = account_numbers.find(channels[i]); account != account_numbers.end()) {
            add(account->second);
            is_step(i, before);
            continue;
        }
        policy::Profile asked{.purpose = state.symbols.intern(request.purpose), .channel = state.symbols.intern(channels[i]), .account = {},
                              .campaign = state.symbols.intern(request.campaign), .unit = state.symbols.intern(request.unit),
                              .template_name = state.symbols.intern(request.template_name)};
        if (auto* route = routes.empty() ? nullptr : route_for(channels[i], asked, request); route != nullptr) {
            for (const auto number : order_of(*route)) add(number);
        } else {
            for (AccountNumber number = 0; number < accounts.size(); ++number)
                if (accounts[number].settings.capabilities.channel == channels[i]) add(number);
        }
        if (request.steps.empty() || !serves(channels[i])) {
            if (chosen.size() == before) problems.push_back(no_such_channel(request, i, channels[i]));
        } else {
            is_step(i, before);
        }
    }
    if (!problems.empty()) return Error{.kind = ErrorKind::invalid_input, .detail = problems.front().detail, .problems = std::move(problems)};
    constexpr std::size_t candidates_max = 32;
    if (chosen.size() > candidates_max) chosen.resize(candidates_max);
    std::erase_if(plan.steps, [&](const dispatch::CascadeStep& step) { return step.first >= chosen.size(); });
    policy::Profile profile{.purpose = state.symbols.intern(request.purpose), .channel = {}, .account = {}, .campaign = state.symbols.intern(request.campaign),
                            .unit = state.symbols.intern(request.unit), .template_name = state.symbols.intern(request.template_name)};
    for (const auto number : chosen) {
        profile.account = accounts[number].symbol;
        profile.channel = accounts[number].channel;
        if (make) {
            plan.candidates.push_back(intern_profile(profile));
        } else {  // a question writes nothing; an interned name without a record is forgotten with the process
            bool made = false;
            const std::unique_lock lock{state.names_mutex};
            plan.candidates.push_back(state.profiles.intern(profile, made));
            if (made) unlogged_profiles.insert(plan.candidates.back());
        }
    }
    return plan;
}

Result<Engine::Internals::Prepared> Engine::Internals::prepare(const TouchRequest& request, bool make) {
    std::vector<Problem> problems;
    const auto wrong = [&](std::string pointer, std::string detail) { problems.push_back({std::move(pointer), std::move(detail)}); };
    Prepared prepared;

    Symbol purpose;
    if (!state.symbols.find(request.purpose, purpose) || !policy().compiled->has_purpose(purpose)) {
        std::string list;
        for (const auto& name : policy().compiled->purposes()) list += (list.empty() ? "" : ", ") + name;
        wrong("/purpose", "unknown purpose; the policy has: " + list);
    }
    const CampaignRow* campaign = nullptr;
    if (!request.campaign.empty()) {
        const auto found = state.campaigns.find(request.campaign);
        if (found == state.campaigns.end()) wrong("/campaign", "there is no campaign \"" + request.campaign + "\"");
        else campaign = &found->second;
    }
    if (campaign != nullptr && campaign->state == "cancelled") wrong("/campaign", "campaign \"" + request.campaign + "\" is cancelled");
    if (!request.callback.empty() && std::find(settings.callbacks.begin(), settings.callbacks.end(), request.callback) == settings.callbacks.end())
        wrong("/callback", "there is no callback \"" + request.callback + "\" in the configuration");

    if (!request.template_name.empty()) {
        const auto found = settings.templates ? settings.templates->find(request.template_name) : nullptr;
        if (!found) {
            wrong("/template", "there is no template \"" + request.template_name + "\"");
        } else {
            const auto known = state.template_by_hash.find(found->document_hash());
            prepared.used = known == state.template_by_hash.end() ? nullptr : &state.templates[known->second];
            if (!found->serves(request.purpose)) wrong("/template", "template \"" + request.template_name + "\" does not serve purpose \"" + request.purpose + "\"");
        }
    }

    const auto start = std::max(now, request.not_before.value_or(now));
    if (request.expires_at) {
        if (*request.expires_at <= now) wrong("/expires_at", "lies in the past");
        else if (*request.expires_at <= start) wrong("/expires_at", "lies before not_before");
        else if (*request.expires_at > start + expiry_max) wrong("/expires_at", "lies more than 366 days ahead");
        prepared.expires_at = *request.expires_at;
    } else {
        auto found = settings.expires_after.find(request.purpose);
        if (found == settings.expires_after.end()) found = settings.expires_after.find("*");
        prepared.expires_at = start + (found == settings.expires_after.end() ? Duration{std::chrono::hours{72}} : found->second);
    }
    prepared.not_before = request.not_before.value_or(Instant::min());

    const bool names_known = std::none_of(problems.begin(), problems.end(), [](const Problem& problem) { return problem.pointer == "/purpose" || problem.pointer == "/campaign"; });
    if (names_known) {
        auto plan = make_plan(request, make && problems.empty());
        if (!plan) problems.insert(problems.end(), plan.error().problems.begin(), plan.error().problems.end());
        else {
            prepared.plan = std::move(plan->candidates);
            prepared.steps = std::move(plan->steps);
        }
    } else {  // a plan would intern names that do not exist
        for (std::size_t i = 0; i < request.channels.size(); ++i)
            if (!serves(request.channels[i])) problems.push_back(no_such_channel(request, i, request.channels[i]));
    }

    prepared.content.key = request.key;
    prepared.content.variables = request.variables;
    prepared.content.content = request.content;
    prepared.content.metadata = request.metadata;
    // A text that cannot be rendered, or content that no account of the plan can carry, is told now and not found out on a phone.
    if (!prepared.plan.empty() && (request.template_name.empty() || prepared.used != nullptr)) {
        const auto before = problems.size();
        const bool inline_text = !request.content.text.empty();
        bool any = false;
        std::optional<Problem> refusal_of_content;
        for (const auto profile_id : prepared.plan) {
            const auto& profile = state.profiles.at(profile_id);
            const auto account = account_of(profile_id);
            if (!account) continue;
            const auto& capabilities = accounts[*account].settings.capabilities;
            if (prepared.used == nullptr && !request.content.text_is_template) {
                const auto& given = request.content;
                auto found = accounts[*account].settings.content_problems({.text = given.text, .template_code = given.template_code, .params = given.params, .body_json = given.body_json});
                if (found.empty() && accounts[*account].settings.calls) {
                    const auto queue = queue_of_call(given.body_json);
                    if (!queue.empty() && !router.queue(queue)) found.push_back({"/voice/queue", "there is no queue \"" + queue + "\""});
                }
                if (!found.empty()) {
                    if (!refusal_of_content) refusal_of_content = Problem{"/content" + found.front().pointer, found.front().detail};
                    continue;
                }
            }
            if (prepared.used == nullptr && inline_text && request.content.template_code.empty() && !capabilities.takes_text) {
                refusal_of_content = Problem{"/content", "account \"" + accounts[*account].settings.name + "\" takes registered templates only: give template_code or a template"};
                continue;
            }
            if (prepared.used == nullptr && !inline_text && !request.content.template_code.empty() && !capabilities.takes_template_code) {
                refusal_of_content = Problem{"/content", "account \"" + accounts[*account].settings.name + "\" takes text, not a provider's template"};
                continue;
            }
            if (prepared.used == nullptr && !request.content.text_is_template) {
                any = true;
                continue;
            }
            auto rendered = render(prepared.content, prepared.used, profile, {});
            if (!rendered) {
                problems.insert(problems.end(), rendered.error().problems.begin(), rendered.error().problems.end());
                if (rendered.error().problems.empty()) wrong("/content", rendered.error().detail);
                break;
            }
            any = true;
        }
        if (problems.size() == before && !any && refusal_of_content) problems.push_back(std::move(*refusal_of_content));
    }

    // The contact last: a touch with other faults must not make one.
    auto contact = resolve(request.contact, make && problems.empty(), prepared.fixed_address);
    if (!contact) {
        if (contact.error().problems.empty()) return contact.error();
        problems.insert(problems.begin(), contact.error().problems.begin(), contact.error().problems.end());
    } else {
        prepared.contact = *contact;
    }
    if (!problems.empty()) return Error{.kind = ErrorKind::invalid_input, .detail = problems.front().detail, .problems = std::move(problems)};
    if (request.cheapest_first) put_cheapest_first(prepared);
    return prepared;
}

Result<TouchView> Engine::Internals::submit(TouchRequest& request, policy::Detail detail, TouchLine* line) {
    if (auto error = refusal()) return *error;
    crypto::Hash128 hash{};
    const bool has_key = !request.key.empty();
    if (has_key) {
        hash = key_hash(request.unit, request.key);
        if (const auto known = state.keys.find(hash); known != state.keys.end() && known->second.expires_at > now) {
            if (known->second.body != request.body_hash)
                return Error{.kind = ErrorKind::conflict, .detail = "this key was used with another body", .problems = {{"/key", "was used with another body"}},
                             .retry_after_s = 0, .reference = to_string(known->second.touch)};
            const auto row = row_of(known->second.touch);
            if (line != nullptr) {
                *line = {.id = known->second.touch, .state = row != 0 ? touch(row).state : TouchState::completed, .duplicate = true, .rule = {}};
                if (row != 0) line->rule = view(row, nullptr).decision.rule();
                return TouchView{};
            }
            TouchView first;
            if (row != 0) first = view(row, nullptr);
            first.id = known->second.touch;
            first.key = request.key;
            first.duplicate = true;
            return first;
        }
    }
    const auto waiting = state.counts[static_cast<std::size_t>(TouchState::queued)];
    const auto deferred = state.counts[static_cast<std::size_t>(TouchState::deferred)];
    const auto share = [&](std::size_t limit) { return line != nullptr ? limit * 8 / 10 : limit; };  // bulk leaves room for single posts
    if (waiting >= share(settings.limits.waiting_touches) || deferred >= share(settings.limits.deferred_touches))
        return Error{.kind = ErrorKind::unavailable, .detail = "too many touches wait; send this one later", .problems = {}, .retry_after_s = 5};

    if (line != nullptr && projection_lag_s > 60)
        return Error{.kind = ErrorKind::unavailable, .detail = "reports lag more than a minute behind; send this one later", .problems = {}, .retry_after_s = 10};

    auto made = prepare(request, true);
    if (!made) return made.error();
    auto& prepared = *made;

    auto of = facts(prepared, request.origin);
    std::vector<std::uint32_t> losers;
    const auto choice = choose_over(of, policy().compiled->class_of(state.symbols.intern(request.purpose)), request.priority, detail, 0, losers);
    const auto row = create(request, prepared, choice, hash, 0, campaign::no_arm);
    const auto made_state = touch(row).state;
    yield_to(touch(row).id, losers);
    if (line != nullptr) {
        *line = {.id = touch(row).id, .state = made_state, .duplicate = false, .rule = {}};
        if (made_state != TouchState::queued) line->rule = view(choice).rule();
        return TouchView{};
    }
    auto answer = view(row, &choice.decision);
    answer.key = request.key;
    return answer;
}

std::uint32_t Engine::Internals::create(TouchRequest& request, Prepared& prepared, const Choice& choice, const crypto::Hash128& key, std::uint32_t recipient,
                                        campaign::Assignment arm) {
    TouchCreated event;
    event.id = ids.next(now);
    event.candidates = std::move(prepared.plan);
    event.chosen = choice.chosen;
    event.state = choice.decision.verdict == Verdict::allow ? TouchState::queued
                  : choice.decision.verdict == Verdict::defer ? TouchState::deferred
                                                              : TouchState::blocked;
    event.address = choice.address;
    event.fixed_address = prepared.fixed_address;
    event.priority = static_cast<std::uint8_t>(request.priority);
    event.flags = static_cast<std::uint8_t>((request.at_least_once ? 1U : 0U) | (request.fallback_on_unknown ? 2U : 0U) |
                                            (prepared.steps.empty() ? 0U : 4U) | (request.cheapest_first ? 8U : 0U));
    event.steps = std::move(prepared.steps);
    event.origin = request.origin;
    event.interaction = request.interaction;
    event.has_key = !request.key.empty();
    event.key_hash = key;
    event.body_hash = request.body_hash;
    event.not_before = prepared.not_before == Instant::min() ? 0 : unix_ms(prepared.not_before);
    event.expires_at = prepared.expires_at;
    event.fallback_after_ms = request.fallback_after ? request.fallback_after->count() : -1;
    if (prepared.used != nullptr) event.template_hash = prepared.used->hash;
    event.callback = request.callback;
    event.key_name = request.key_name;
    event.decision = to_logged(choice.decision, state.active_policy, choice.rule_override);
    event.recipient = recipient;
    if (recipient != 0) {
        const auto* owner = state.campaigns.find(request.campaign)->second.parsed.get();
        event.arm = campaign::arm_name(*owner, arm);
        event.arm_given = (arm & campaign::given) != 0;
    }
    // What cannot be rendered is a failure of the recipient's line, not a rule that holds it back.
    const bool unrenderable = recipient != 0 && choice.rule_override == "content-not-renderable";
    if (unrenderable) event.state = TouchState::deferred;
    TouchSecret values{.key = request.key, .variables = std::move(request.variables), .text = std::move(request.content.text),
                       .template_code = std::move(request.content.template_code), .body_json = std::move(request.content.body_json),
                       .text_is_template = request.content.text_is_template, .params = std::move(request.content.params),
                       .metadata = {request.metadata.begin(), request.metadata.end()}};
    event.sealed = seal_for(prepared.contact, values);
    emit(prepared.contact, event);
    const auto row = row_of(event.id);
    if (unrenderable)
        fail(row, 0, "missing_variable", SlotChange::keep);
    else if (recipient != 0 && campaign::place(arm) == campaign::held_out)
        emit(prepared.contact, TouchHeldOut{.touch = event.id, .arm = event.arm});
    else if (event.state == TouchState::blocked && choice.decision.rule != policy::no_rule && choice.rule_override.empty() &&
        policy().compiled->rule_name(choice.decision.rule) == "holdout")
        emit(prepared.contact, TouchHeldOut{.touch = event.id, .arm = {}});
    else if (event.state == TouchState::blocked)
        emit(prepared.contact, TouchBlocked{.touch = event.id, .reason = {}});
    else if (event.state == TouchState::deferred)
        emit(prepared.contact, TouchDeferred{.touch = event.id, .reason = {}});

    if (event.state == TouchState::queued) {
        // What goes out soon keeps its content at hand; a long queue reads it back from the log.
        if (cached_contents < 200'000) {
            touch(row).content = std::make_unique<CachedContent>(
                CachedContent{.key = std::move(values.key), .variables = std::move(values.variables),
                              .content = {.text = std::move(values.text), .text_is_template = values.text_is_template, .template_code = std::move(values.template_code),
                                          .params = std::move(values.params), .body_json = std::move(values.body_json)},
                              .metadata = std::move(request.metadata)});
            ++cached_contents;
        }
        enqueue(row);
    }
    return row;
}

DecisionView Engine::Internals::view(const Choice& choice) const {
    DecisionView made{.decision = choice.decision, .policy = policy().version, .rule_override = choice.rule_override, .touches = {}, .explained = false};
    for (const auto& step : choice.decision.trace)
        for (const auto sequence : step.touches)
            if (const auto found = state.touch_by_sequence.find(sequence); found != state.touch_by_sequence.end())
                made.touches.emplace_back(sequence, found->second);
    return made;
}

TouchView Engine::Internals::view(std::uint32_t row, const policy::Decision* fresh) {
    auto& seen = touch(row);
    const auto& profile = state.profiles.at(chosen_profile(seen));
    const auto name = [&](Symbol symbol) { return std::string{state.symbols.name(symbol)}; };
    TouchView made;
    made.id = seen.id;
    made.contact_id = state.contact_ids[seen.contact.value];
    made.purpose = name(profile.purpose);
    made.campaign = name(profile.campaign);
    if (const auto* owner = seen.recipient == 0 ? nullptr : campaign_of(seen)) made.arm = campaign::arm_name(*owner->parsed, seen.arm);
    made.channel = name(profile.channel);
    made.account = name(profile.account);
    made.template_name = name(profile.template_name);
    made.unit = name(profile.unit);
    made.callback = name(seen.callback);
    made.key_name = name(seen.key_name);
    made.reason = seen.reason ? *seen.reason : std::string{};
    made.state = seen.state;
    made.final = seen.final;
    made.priority = seen.priority;
    made.created_at = seen.created_at;
    made.updated_at = seen.updated_at;
    made.expires_at = seen.expires_at;
    if (seen.not_before != Instant::min()) made.not_before = seen.not_before;
    made.segments = seen.segments;
    made.created_position = seen.created_position;
    made.newest_of_contact = newest_of(seen.contact);
    made.created_sequence = seen.created_sequence;
    if (seen.policy < state.policies.size()) made.decision.policy = state.policies[seen.policy].version;
    if (fresh != nullptr) made.decision.decision = *fresh;
    else made.decision.decision = {.verdict = seen.verdict, .rule = seen.rule, .until = seen.until, .reason = seen.decision_reason, .trace = {}};
    made.decision.rule_override = seen.override_view();
    if (seen.verdict != Verdict::defer) made.decision.decision.until = instant_never;
    if (seen.content) {
        made.key = seen.content->key;
        made.metadata = seen.content->metadata;
    }
    return made;
}

// ---- the engine's face

Result<TouchView> Engine::submit_touch(TouchRequest request) { return internals_->submit(request, policy::Detail::steps, nullptr); }

Result<TouchLine> Engine::submit_touch_line(TouchRequest request) {
    TouchLine line;
    auto result = internals_->submit(request, policy::Detail::steps, &line);
    if (!result) return result.error();
    return line;
}

Result<DecisionView> Engine::decide_only(const TouchRequest& request, std::optional<Instant> at) {
    auto& in = *internals_;
    const auto real_now = in.now;
    if (at) in.now = *at;
    auto made = in.prepare(request, false);
    if (!made) {
        in.now = real_now;
        return made.error();
    }
    auto of = in.facts(*made, request.origin);
    // An address of nobody is decided as an empty contact. One that stands on a list has a row and is lent an owner for the question;
    // any other is lent a row.
    std::uint32_t lent = 0;
    std::uint32_t owned = 0;
    if (made->contact.value == 0 && request.contact.address) {
        owned = in.find_address(*request.contact.address);
        lent = owned != 0 ? 0 : static_cast<std::uint32_t>(in.state.addresses.size());
        auto& row = owned != 0 ? in.state.addresses[owned] : in.state.addresses.emplace_back();
        row.owners.push_back(ContactIndex{});
        of.fixed_address = owned != 0 ? owned : lent;
        if (lent != 0) {
            row.kind = request.contact.address->kind;
            row.value = request.contact.address->value;
            row.account = request.contact.address->account;
            const auto hash = in.address_hash(row.kind, row.value, row.account);
            const auto& erased = in.parts.keys.erased();
            for (std::size_t i = 0; i < erased.size(); ++i)
                if (erased[i].address == hash) row.erased = static_cast<std::int32_t>(i);
        }
    }
    auto choice = in.choose(of, in.now, policy::Detail::explained, 0, static_cast<std::uint8_t>(made->plan.size()));
    if (lent != 0) in.state.addresses.pop_back();
    if (owned != 0) in.state.addresses[owned].owners.pop_back();
    in.now = real_now;
    auto asked_for = in.view(choice);
    asked_for.explained = true;
    return asked_for;
}

std::optional<TouchView> Engine::find_touch(const TouchId& id) {
    auto& in = *internals_;
    const auto row = in.row_of(id);
    if (row == 0) return std::nullopt;
    // The decision's trace and what is sealed are read back from the log.
    auto& found = in.touch(row);
    std::string buffer;
    policy::Decision decision;
    bool have_decision = false;
    if (const auto record = in.parts.reader.at(found.decision_position, buffer); record) {
        const auto take = [&](const LoggedDecision& logged) {
            decision = from_logged(logged);
            have_decision = true;
        };
        if (record->type == static_cast<std::uint16_t>(EventType::touch_created)) {
            TouchCreated created;
            if (decode(record->payload, created)) take(created.decision);
        } else if (record->type == static_cast<std::uint16_t>(EventType::touch_decided)) {
            TouchDecided decided;
            if (decode(record->payload, decided)) take(decided.decision);
        } else if (record->type == static_cast<std::uint16_t>(EventType::touch_dispatching)) {
            TouchDispatching dispatching;
            if (decode(record->payload, dispatching)) take(dispatching.decision);
        }
    }
    const bool had_content = found.content != nullptr;
    in.content_of(found);
    auto made = in.view(row, have_decision ? &decision : nullptr);
    if (!had_content && found.content) {
        found.content.reset();
        --in.cached_contents;
    }
    return made;
}

}  // namespace touchgate
