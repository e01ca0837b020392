// Calls that we make. Each is an attempt of a touch: decided and permitted like any other, then dialled; what became of it is the touch's outcome.

#include <algorithm>

#include "gateway/engine/call_host.hpp"
#include "gateway/voice/media.hpp"

namespace touchgate {

namespace {

// Of contract: a dial counts, whatever became of it, unless the customer's telephone was never reached.
bool counts(std::string_view outcome) {
    for (const auto* word : {"answered", "busy", "no_answer", "rejected", "machine", "dropped", "abandoned", "unknown"})
        if (outcome == word) return true;
    return false;
}

Json voice_of(const std::string& body_json) {
    const auto body = Json::parse(body_json.empty() ? std::string{"{}"} : body_json, nullptr, false);
    if (!body.is_object()) return Json::object();
    const auto found = body.find("voice");
    return found != body.end() && found->is_object() ? *found : body;
}

std::string text_member(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

// What becomes of the customer whom a touch outside a dialling campaign calls.
voice::Plan plan_of(const Json& voice, const channel::Content& content) {
    voice::Plan plan;
    if (const auto queue = text_member(voice, "queue"); !queue.empty()) {
        plan.kind = voice::Plan::Kind::queue;
        plan.name = queue;
    } else if (const auto menu = text_member(voice, "ivr"); !menu.empty()) {
        plan.kind = voice::Plan::Kind::menu;
        plan.name = menu;
    } else {
        plan.kind = voice::Plan::Kind::play;
        const auto text = text_member(voice, "play");
        plan.media = {voice::medium_of(text.empty() ? content.text : text)};
    }
    return plan;
}

}  // namespace

bool Engine::Internals::dials(const TouchId& touch) const {
    for (const auto& [id, call] : state.calls)
        if (!call.is_over() && call.touch == touch) return true;
    return false;
}

// ---- by an agent

TouchRequest Engine::Internals::dial_request(const CallPurpose& purpose, ContactIndex contact, const Uuid& interaction, const std::string& account) const {
    TouchRequest request;
    request.contact.id = state.contact_ids[contact.value];
    if (purpose.address != 0) {
        const auto& row = state.addresses[purpose.address];
        request.contact = {.id = {}, .address = Address{.kind = row.kind, .value = row.value, .account = row.account}};
    }
    request.purpose = purpose.purpose;
    request.campaign = purpose.campaign;
    request.channels = {account};
    request.origin = policy::Origin::agent;
    request.interaction = interaction;
    request.content.body_json = Json{{"voice", {{"queue", purpose.queue}}}}.dump();
    return request;
}

Result<void> Engine::Internals::may_dial(const std::string& agent, const CallPurpose& purpose, ContactIndex contact, AccountNumber account) {
    const auto view = router.agent(agent);
    const auto refuse = [](const char* code, std::string detail) {
        return Error{.kind = ErrorKind::conflict, .detail = std::move(detail), .problems = {}, .retry_after_s = 0, .reference = code};
    };
    if (!view || view->session != routing::Session::signed_in) return refuse("wrong_state", "you are not signed in");
    if (view->definition->extension.empty()) return refuse("not_configured", "no telephone is configured for you");
    const auto& purposes = view->definition->dial_purposes;
    if (std::find(purposes.begin(), purposes.end(), purpose.purpose) == purposes.end())
        return refuse("not_allowed", "you may not dial for purpose \"" + purpose.purpose + "\"");
    const auto voice = std::find_if(view->slots.begin(), view->slots.end(), [](const auto& slot) { return slot.channel == "voice"; });
    if (voice == view->slots.end() || voice->used >= voice->capacity) return refuse("no_capacity", "you have a call already");
    if (!accounts[account].up) return refuse("wrong_state", "the telephone system cannot be reached");
    auto request = dial_request(purpose, contact, {}, accounts[account].settings.name);
    const auto decided = engine.decide_only(request, std::nullopt);
    if (!decided) {
        auto error = decided.error();
        error.reference = "bad_request";
        return error;
    }
    if (decided->decision.verdict == policy::Verdict::allow) return {};
    if (decided->decision.verdict == policy::Verdict::deny) (void)submit(request, policy::Detail::steps, nullptr);  // that he was held back is on record
    const auto rule = decided->rule();
    std::string detail = decided->decision.verdict == policy::Verdict::deny ? "denied" : "not before " + format_instant(decided->decision.until);
    if (!rule.empty()) detail += " by rule " + rule;
    return refuse("policy_denied", std::move(detail));
}

Uuid Engine::Internals::open_dial(const std::string& agent, const CallPurpose& purpose, ContactIndex contact, AccountNumber account) {
    const auto id = ids.next(now);
    const auto& name = accounts[account].settings.name;
    const auto address = purpose.address;
    emit(contact, InteractionOpened{.id = id, .channel = "voice", .account = name, .queue = purpose.queue, .campaign = purpose.campaign, .state = "queued", .reason = {}, .touch = {},
                                    .address = address, .priority = 50});
    const auto view = router.agent(agent);
    const auto number = address == 0 ? std::string{} : state.addresses[address].value;
    note_call_fact(voice::CallStarted{.call = id, .account = name, .did = {}, .queue = purpose.queue, .agent = agent, .outbound = true, .touch = {}, .attempt = 0,
                                      .sealed = seal_for(contact, CallSecret{.from = view ? view->definition->extension : std::string{}, .to = number})});
    call_purposes[id] = purpose;
    (void)router.assign(id, agent, "voice", purpose.queue, "dial", false, now);
    return id;
}

bool Engine::Internals::dial_at_telephone(AccountNumber account, const std::string& agent, const channel::LegArrived& event) {
    const auto number = accounts[account].settings.calls->normalise(event.to);
    const auto view = router.agent(agent);
    const auto& rights = view->definition->rights;
    if (number.empty() || std::find(rights.begin(), rights.end(), "dial_any") == rights.end() || view->definition->dial_purposes.empty()) return false;
    CallPurpose purpose{.purpose = view->definition->dial_purposes.front(), .campaign = {}, .queue = {}, .address = 0, .offer = {}};
    if (!view->definition->queues.empty()) purpose.queue = view->definition->queues.front().queue;
    const auto contact = resolve({.id = {}, .address = Address{.kind = AddressKind::phone, .value = number, .account = {}}}, true, purpose.address);
    if (!contact || !may_dial(agent, purpose, *contact, account)) return false;
    const auto id = open_dial(agent, purpose, *contact, account);
    with_call(id, [&](voice::Machine& machine) { machine.begin_at_telephone(event.leg, agent); });
    return true;
}

void Engine::Internals::ask_permit(const Uuid& id) {
    auto* call = live_call(id);
    const auto purpose = call_purposes.find(id);
    const auto interaction = state.interactions.find(id);
    if (call == nullptr || purpose == call_purposes.end() || interaction == state.interactions.end()) {
        // It was begun before this program was: nobody knows any more what for.
        with_call(id, [](voice::Machine& machine) { machine.refused(); });
        return;
    }
    purpose->second.agent_came = true;
    if (purpose->second.shown) return permit_shown(id);
    auto request = dial_request(purpose->second, interaction->second.contact, id, call->account);
    const auto made = submit(request, policy::Detail::steps, nullptr);
    if (made && made->state == TouchState::queued) {
        calls_to_permit[made->id] = id;
        return;
    }
    if (made && !made->final)
        if (const auto row = row_of(made->id); row != 0) cancel(row, "agent_waits");  // deferred: nobody will be there then
    with_call(id, [](voice::Machine& machine) { machine.refused(); });
}

// ---- the dial

void Engine::Internals::dial_touch(std::uint32_t row, std::uint16_t attempt, channel::AttemptRef ref, AccountNumber account, const channel::Content& content) {
    const auto waiting = calls_to_permit.find(touch(row).id);
    DialTerms terms;
    if (waiting != calls_to_permit.end()) {
        terms.interaction = waiting->second;
        terms.plan.kind = voice::Plan::Kind::agent_waits;
        calls_to_permit.erase(waiting);
        if (const auto* dialing = dialing_of(touch(row).id)) {
            terms.plan.detect_machine = dialing->plan.detect_machines;
            terms.ring_timeout = dialing->plan.ring_timeout;
            terms.caller_id = dialing->plan.caller_id;
        }
    } else if (auto campaign = campaign_terms(row)) {
        terms = std::move(*campaign);
    } else {
        const auto voice = voice_of(content.body_json);
        terms.plan = plan_of(voice, content);
        if (terms.plan.kind == voice::Plan::Kind::queue) terms.queue = terms.plan.name;
        terms.caller_id = text_member(voice, "caller_id");
    }
    (void)begin_dial(row, attempt, ref, account, terms);
}

voice::Plan Engine::Internals::plan_again(const voice::Call& call) {
    const auto row = row_of(call.touch);
    if (!call.outbound || !call.dialed_by.empty() || row == 0 || call.bridged_at != Instant::min()) return {};
    auto& sent = touch(row);
    if (auto* dialing = dialing_of(call.touch)) {
        if (dialing->plan.mode == dialing::Mode::preview) return {};  // his agent is on the line
        dialing->lines.try_emplace(call.touch, DialingRuntime::Line{.dialed_at = call.started_at, .answer_rate = 0.3, .offer = {}, .row = row, .answered = call.customer_up_at != Instant::min()});
        voice::Plan plan;
        plan.kind = voice::Plan::Kind::reserved;
        plan.name = dialing->plan.queue;
        plan.agent_within = dialing->plan.no_agent_within;
        plan.detect_machine = dialing->plan.detect_machines;
        return plan;
    }
    const auto* cached = content_of(sent);
    const auto content = cached == nullptr ? Result<channel::Content>{Error{.kind = ErrorKind::not_found, .detail = {}}} : render(*cached, template_of(sent), state.profiles.at(chosen_profile(sent)), {});
    return content ? plan_of(voice_of(content->body_json), *content) : voice::Plan{};
}

Uuid Engine::Internals::begin_dial(std::uint32_t row, std::uint16_t attempt, channel::AttemptRef ref, AccountNumber account, const DialTerms& terms) {
    const auto& sent = touch(row);
    const auto id_of_touch = sent.id;
    const auto contact = sent.contact;
    const auto address = sent.address;
    const auto& names = state.profiles.at(chosen_profile(sent));
    const auto& settings_of = accounts[account].settings;
    const auto number = state.addresses[address].value;
    auto line = terms;
    const auto trunk = choose_trunk(account, contact, number, line);
    auto id = terms.interaction;
    if (id.is_nil() || live_call(id) == nullptr) {
        const CallPurpose purpose{.purpose = std::string{state.symbols.name(names.purpose)}, .campaign = std::string{state.symbols.name(names.campaign)}, .queue = terms.queue,
                                  .address = address, .offer = terms.offer};
        if (id.is_nil()) {
            id = ids.next(now);
            emit(contact, InteractionOpened{.id = id, .channel = "voice", .account = settings_of.name, .queue = terms.queue, .campaign = purpose.campaign, .state = "queued", .reason = {},
                                            .touch = id_of_touch, .address = address, .priority = 50});
        }
        note_call_fact(voice::CallStarted{.call = id, .account = settings_of.name, .did = {}, .queue = terms.queue, .agent = {}, .outbound = true, .touch = id_of_touch,
                                          .attempt = attempt, .sealed = seal_for(contact, CallSecret{.from = line.caller_id, .to = number})});
        call_purposes[id] = purpose;
    } else {
        note_call_fact(voice::CallPermitted{.call = id, .touch = id_of_touch, .attempt = attempt});
    }
    call_purposes[id].ref = ref;
    if (!trunk.empty()) emit(contact, CallLineTaken{.call = id, .trunk = trunk, .caller_id = line.caller_id});
    const voice::Machine::Target target{.number = number, .endpoint = line.endpoint, .caller_id = line.caller_id, .ring_timeout = terms.ring_timeout,
                                        .permit_deadline = monotonic + settings_of.permit_ttl};
    with_call(id, [&](voice::Machine& machine) { machine.dial_customer(target, terms.plan); });
    return id;
}

// ---- what becomes of the touch

void Engine::Internals::call_answered(const Uuid& id) {
    const auto* call = live_call(id);
    const auto purpose = call_purposes.find(id);
    if (call == nullptr || purpose == call_purposes.end() || purpose->second.ref == 0) return;
    const auto ref = std::exchange(purpose->second.ref, 0);
    const auto found = in_flight.find(ref);
    if (found == in_flight.end()) return;
    const auto flight = found->second;
    in_flight.erase(found);
    auto& account = accounts[flight.account];
    --account.in_flight;
    account.breaker.on_trial_ended();
    account.breaker.on_success();
    if (touch(flight.row).generation == flight.generation)
        emit(touch(flight.row).contact, TouchAccepted{.touch = call->touch, .attempt = call->attempt, .ids = {}, .parts = 1});
    settled_ref(ref);
}

void Engine::Internals::call_unwritten(const Uuid& id) {
    const auto purpose = call_purposes.find(id);
    if (purpose == call_purposes.end() || purpose->second.ref == 0) return;
    AttemptUnwritten event{.ref = std::exchange(purpose->second.ref, 0), .revoked = false};
    const auto flight = in_flight.find(event.ref);
    const auto row = flight == in_flight.end() ? 0 : flight->second.row;
    on_event(event);
    // An agent who waits at his telephone does not wait for another time.
    if (row != 0 && !touch(row).final && touch(row).origin == policy::Origin::agent) cancel(row, "agent_waits");
}

void Engine::Internals::settle_call_touch(const voice::Call& call, const voice::CallEnded& ended) {
    for (auto waiting = calls_to_permit.begin(); waiting != calls_to_permit.end();) {
        if (waiting->second != call.id) {
            ++waiting;
            continue;
        }
        const auto row = row_of(waiting->first);
        waiting = calls_to_permit.erase(waiting);
        if (row != 0 && touch(row).is_waiting() && touch(row).origin == policy::Origin::agent) cancel(row, "agent_left");
    }
    channel::AttemptRef ref = 0;
    if (const auto purpose = call_purposes.find(call.id); purpose != call_purposes.end()) ref = std::exchange(purpose->second.ref, 0);
    if (const auto found = in_flight.find(ref); ref != 0 && found != in_flight.end()) {
        auto& account = accounts[found->second.account];
        --account.in_flight;
        account.breaker.on_trial_ended();
        if (ended.outcome == "congestion") account.breaker.on_failure(monotonic);
        else account.breaker.on_success();
        in_flight.erase(found);
        settled_ref(ref);
    }
    forget_line(call);
    const auto row = row_of(call.touch);
    if (call.touch.is_nil() || row == 0 || touch(row).final) return;
    auto& sent = touch(row);
    const auto attempt = std::find_if(sent.attempts.begin(), sent.attempts.end(), [&](const Attempt& each) { return each.number == call.attempt; });
    if (attempt == sent.attempts.end() || attempt->state == AttemptState::delivered) return;
    if (call.bridged_at != Instant::min() && !ended.agent.empty()) {
        emit(sent.contact, TouchCompleted{.touch = sent.id, .attempt = call.attempt, .provider_id = {}, .raw = ended.outcome, .provider_time = 0});
        return;
    }
    const auto slot = counts(ended.outcome) || call.customer_up_at != Instant::min() ? SlotChange::keep : SlotChange::release;
    if (ended.outcome == "unknown") {
        ++counters.unknown_outcomes;
        emit(sent.contact, TouchUnknown{.touch = sent.id, .attempt = call.attempt, .code = "unknown", .detail = "what became of the call is not known"});
        if (!touch(row).final) arm_waiting(row);
        return;
    }
    if (const auto again = redial_at(sent)) {
        emit(sent.contact, TouchAttemptEnded{.touch = sent.id, .attempt = call.attempt, .outcome = channel::OutcomeKind::refused, .code = ended.outcome, .detail = {}, .slot = slot,
                                             .next = 0, .retry_at = unix_ms(*again)});
        go_on(row);
        return;
    }
    const bool more = sent.attempts.back().number == call.attempt && !cascade_is_over(sent) && sent.chosen + 1U < candidates(sent).size() && now < sent.expires_at;
    if (more) {
        emit(sent.contact, TouchAttemptEnded{.touch = sent.id, .attempt = call.attempt, .outcome = channel::OutcomeKind::refused, .code = ended.outcome, .detail = {}, .slot = slot,
                                             .next = 1, .retry_at = 0});
        go_on(row);
        return;
    }
    fail(row, call.attempt, ended.outcome, slot, {}, call.live.failure.empty() ? ended.outcome : call.live.failure);
}

}  // namespace touchgate
