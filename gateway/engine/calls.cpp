// Calls: their facts and the log, what telephone systems report, what is due.

#include <algorithm>

#include "gateway/engine/call_host.hpp"
#include "gateway/policy/call_outcomes.hpp"
#include "gateway/engine/lead_facts.hpp"

namespace touchgate {

namespace {

template <class Value> constexpr EventType record_type = EventType{};
template <> constexpr EventType record_type<voice::CallStarted> = EventType::call_started;
template <> constexpr EventType record_type<voice::CallPermitted> = EventType::call_permitted;
template <> constexpr EventType record_type<voice::StageChanged> = EventType::call_stage;
template <> constexpr EventType record_type<voice::LegAdded> = EventType::call_leg_added;
template <> constexpr EventType record_type<voice::LegRang> = EventType::call_ringing;
template <> constexpr EventType record_type<voice::LegUp> = EventType::call_answered;
template <> constexpr EventType record_type<voice::LegGone> = EventType::call_leg_ended;
template <> constexpr EventType record_type<voice::LegSwapped> = EventType::call_leg_replaced;
template <> constexpr EventType record_type<voice::Bridged> = EventType::call_bridged;
template <> constexpr EventType record_type<voice::HeldChanged> = EventType::call_held;
template <> constexpr EventType record_type<voice::ConsultChanged> = EventType::call_consult;
template <> constexpr EventType record_type<voice::RecordingChanged> = EventType::call_recording;
template <> constexpr EventType record_type<voice::SupervisionChanged> = EventType::call_supervised;
template <> constexpr EventType record_type<voice::CallEnded> = EventType::call_ended;

// What a fact means for the agents' screens, for the interaction and for the history of the contact. Part of the fold: it decides nothing.
struct Shown {
    Engine::Internals& in;
    const RecordMeta& meta;
    const voice::Call& call;

    void tell(const std::string& agent, std::string state, std::string cause = {}) const {
        if (agent.empty() || (state == "ended" && has_heard_the_end(agent))) return;
        in.push_to(agent, {.at = meta.time, .kind = PushKind::call_state, .interaction = call.id, .text = std::move(state), .more = std::move(cause)}, meta);
    }
    // With his leg: the end of the call is no news then.
    [[nodiscard]] bool has_heard_the_end(const std::string& agent) const {
        const auto row = in.state.agents.find(agent);
        if (row == in.state.agents.end()) return false;
        const auto& kept = row->second.kept;
        for (auto i = kept.size(); i-- > 0;)
            if (kept[i].kind == PushKind::call_state && kept[i].interaction == call.id) return kept[i].text == "ended";
        return false;
    }
    [[nodiscard]] std::string agent_in_call() const {
        const auto* agent = call.party(voice::Use::agent);
        return agent == nullptr ? std::string{} : agent->who;
    }

    void operator()(const voice::CallStarted& e) const {
        const auto found = in.state.interactions.find(e.call);
        if (found != in.state.interactions.end()) {
            found->second.outbound = e.outbound;
            if (!e.touch.is_nil()) found->second.touch = e.touch;
        }
        if (e.outbound || meta.contact.value == 0) return;
        // The customer has turned to us: what answers that may follow.
        auto& extra = in.state.contacts[meta.contact.value].extra();
        const auto channel = in.state.symbols.intern("voice");
        const auto last = std::find_if(extra.last_inbound.begin(), extra.last_inbound.end(), [&](const auto& each) { return each.first == channel; });
        if (last == extra.last_inbound.end()) extra.last_inbound.emplace_back(channel, meta.time);
        else last->second = std::max(last->second, meta.time);
        in.add_act(meta.contact, "call.started", "inbound", "voice", meta.time);
        if (found != in.state.interactions.end() && found->second.address != 0) in.address_row(found->second.address).last_used = meta.contact;
    }
    void operator()(const voice::CallPermitted& e) const {
        if (const auto found = in.state.interactions.find(e.call); found != in.state.interactions.end()) found->second.touch = e.touch;
    }
    void operator()(const voice::StageChanged&) const {}
    void operator()(const voice::LegAdded& e) const {
        if (e.use == voice::Use::agent && !e.arrived) tell(e.who, "dialing_agent");
    }
    void operator()(const voice::LegRang& e) const {
        if (e.use == voice::Use::agent || (e.use == voice::Use::customer && call.outbound)) tell(agent_in_call(), "ringing", e.use == voice::Use::customer ? "customer" : "agent");
    }
    void operator()(const voice::LegUp&) const {}
    void operator()(const voice::LegGone& e, const std::string& who) const {
        if (e.use == voice::Use::agent && call.stage != voice::Stage::ending) tell(who, "ended", e.outcome);  // else the end of the call tells him
    }
    void operator()(const voice::LegSwapped&) const {}
    void operator()(const voice::Bridged& e) const {
        if (!e.again && !e.agent.empty()) in.push_to(e.agent, {.at = meta.time, .kind = PushKind::connected, .interaction = call.id, .text = {}, .more = {}}, meta);
        tell(e.agent, "connected");
    }
    void operator()(const voice::HeldChanged& e) const { tell(agent_in_call(), e.held ? "held" : "connected"); }
    void operator()(const voice::ConsultChanged& e) const {
        const bool apart = e.state == voice::Consult::ringing || e.state == voice::Consult::private_talk;
        tell(agent_in_call(), apart ? "held" : "connected", e.state == voice::Consult::none ? "consult_over" : "consult_" + std::string{voice::to_string(e.state)});
    }
    void operator()(const voice::RecordingChanged& e) const { in.note_recording(meta, call, e); }
    void operator()(const voice::SupervisionChanged&) const {}
    void operator()(const voice::CallEnded& e, const std::string& agent) const {
        tell(agent, "ended", e.outcome == "answered" ? e.hung_up_by : e.outcome);
        in.learn_from_call(e);
        in.leave_trunk(meta, call, e);
        const auto row = in.row_of(e.touch);
        if (row == 0) return;
        const auto& touch = in.touch(row);
        // Of a dial that was made: one whose permit ended unwritten never was, and its slot is reserved again.
        if (std::none_of(touch.attempts.begin(), touch.attempts.end(), [&](const Attempt& attempt) { return attempt.number == e.attempt; })) return;
        auto& history = in.state.contacts[touch.contact.value].history;
        for (auto i = history.size(); i-- > 0 && history[i].at >= touch.created_at;)
            if (history[i].touch == touch.created_sequence && history[i].attempt == e.attempt) {
                history[i].outcome = policy::call_outcome_number(e.outcome);
                in.share_entry(touch.contact, history[i], touch.created_at);
                break;
            }
    }
};

Uuid call_of(const voice::Fact& fact) {
    return std::visit([](const auto& value) { return value.call; }, fact);
}

}  // namespace

// ---- the fold

void Engine::Internals::take_call_fact(const RecordMeta& meta, const voice::Fact& fact) {
    auto& call = state.calls[call_of(fact)];
    // Whose leg it was is gone with the leg.
    std::string who;
    if (const auto* gone = std::get_if<voice::LegGone>(&fact)) {
        if (const auto* party = call.leg(gone->leg)) who = party->who;
    } else if (std::holds_alternative<voice::CallEnded>(fact)) {
        if (const auto* agent = call.party(voice::Use::agent)) who = agent->who;
        else if (const auto found = state.interactions.find(call.id); found != state.interactions.end()) who = found->second.agent;
    }
    voice::apply(call, fact, meta.time);
    const Shown shown{*this, meta, call};
    if (const auto* gone = std::get_if<voice::LegGone>(&fact)) return shown(*gone, who);
    if (const auto* ended = std::get_if<voice::CallEnded>(&fact)) return shown(*ended, who);
    std::visit(
        [&](const auto& value) {
            using Value = std::decay_t<decltype(value)>;
            if constexpr (!std::is_same_v<Value, voice::LegGone> && !std::is_same_v<Value, voice::CallEnded>) shown(value);
        },
        fact);
}

void Engine::Internals::note_call_fact(const voice::Fact& fact) {
    std::visit(
        [&](const auto& value) {
            using Value = std::decay_t<decltype(value)>;
            ContactIndex contact{};
            if (const auto found = state.interactions.find(value.call); found != state.interactions.end()) contact = found->second.contact;
            const auto known = state.calls.find(value.call);
            const auto key = [&](const std::string& name) { return call_key(known == state.calls.end() ? std::string{} : known->second.account, name); };
            if constexpr (std::is_same_v<Value, voice::LegAdded>) call_names[key(value.leg)] = value.call;
            if constexpr (std::is_same_v<Value, voice::LegSwapped>) {
                call_names.erase(key(value.leg));
                call_names[key(value.by)] = value.call;
            }
            if constexpr (std::is_same_v<Value, voice::LegGone>) call_names.erase(key(value.leg));
            payload.clear();
            encode(payload, value);
            RecordMeta meta{.sequence = 0, .time = now, .contact = contact, .position = {}, .replay = false};
            append_record(record_type<Value>, contact, meta);
            take_call_fact(meta, fact);
        },
        fact);
}

// ---- the machine at work

const voice::CallRules& Engine::Internals::rules_of(const voice::Call& call) const {
    static const voice::CallRules none;
    const auto account = account_numbers.find(call.account);
    return account == account_numbers.end() || !accounts[account->second].settings.calls ? none : *accounts[account->second].settings.calls;
}

voice::Call* Engine::Internals::live_call(const Uuid& id) {
    const auto found = state.calls.find(id);
    return found == state.calls.end() || found->second.is_over() ? nullptr : &found->second;
}

void Engine::Internals::with_call(const Uuid& id, const std::function<void(voice::Machine&)>& act) {
    const auto found = state.calls.find(id);
    if (found == state.calls.end()) return;
    auto& call = found->second;
    EngineCallHost host{*this, call};
    voice::Machine machine{call, rules_of(call), host, now};
    act(machine);
    const auto due = call.due();
    const auto known = call_due.find(id);
    if (known != call_due.end()) {
        if (known->second == due) return;
        call_agenda.erase({known->second, id});
        call_due.erase(known);
    }
    if (due == instant_never) return;
    call_due[id] = due;
    call_agenda.insert({due, id});
}

void Engine::Internals::run_calls() {
    for (int done = 0; done < 256 && !call_agenda.empty() && call_agenda.begin()->first <= now; ++done) {
        if (parts.log.room() < (std::size_t{4} << 20U)) return;
        const auto id = call_agenda.begin()->second;
        call_agenda.erase(call_agenda.begin());
        call_due.erase(id);
        with_call(id, [](voice::Machine& machine) { machine.due(); });
    }
}

// ---- what telephone systems report

void Engine::Internals::on_event(CallReported& event) {
    if (auto* up = std::get_if<channel::PbxUp>(&event.event)) {
        AccountUp reported{.account = event.account, .warning = std::move(up->warning)};
        on_event(reported);
        recover_calls(event.account, up->snapshot);
    } else if (auto* down = std::get_if<channel::PbxDown>(&event.event)) {
        AccountDown gone{.account = event.account, .reason = down->reason, .credentials = down->credentials};
        on_event(gone);
        lose_calls(event.account, down->reason);
    } else if (const auto* snapshot = std::get_if<channel::Snapshot>(&event.event)) {
        recover_calls(event.account, *snapshot);
    } else if (const auto* arrival = std::get_if<channel::LegArrived>(&event.event)) {
        take_arrival(event.account, *arrival);
    } else {
        take_call_event(event.account, event.event);
    }
    for (const auto& [id, to] : std::exchange(asked_transfers, {}))
        if (const auto found = state.interactions.find(id); found != state.interactions.end()) (void)transfer_call(found->second, to, {}, found->second.agent, false);
}

void Engine::Internals::take_call_event(AccountNumber account, channel::CallEvent& event) {
    const auto find = [&](const std::string& name) -> std::optional<Uuid> {
        const auto found = call_names.find(call_key(accounts[account].settings.name, name));
        return found == call_names.end() ? std::nullopt : std::optional{found->second};
    };
    std::visit(
        [&](auto& each) {
            using Event = std::decay_t<decltype(each)>;
            if constexpr (std::is_same_v<Event, channel::CommandFailed>) {
                for (auto& [id, call] : state.calls) {
                    if (call.is_over()) continue;
                    if (each.command != 0 && call.live.play_command == each.command && !call.live.play.empty()) {
                        call_names.erase(call_key(call.account, call.live.play));
                        return with_call(id, [&](voice::Machine& machine) { machine.play_failed(each.detail); });
                    }
                    const auto made = std::find_if(call.parties.begin(), call.parties.end(), [&](const voice::Party& party) { return party.command == each.command && each.command != 0; });
                    if (made == call.parties.end() || made->up) continue;
                    const auto leg = made->leg;
                    return with_call(id, [&](voice::Machine& machine) { machine.make_failed(leg, each); });
                }
            } else if constexpr (std::is_same_v<Event, channel::RecordingFetched>) {
                keep_recording(account, each);
            } else if constexpr (std::is_same_v<Event, channel::RecordingEnded>) {
                if (const auto id = find(each.recording)) with_call(*id, [&](voice::Machine& machine) { machine.on(each); });
            } else if constexpr (std::is_same_v<Event, channel::PlayEnded>) {
                const auto id = find(each.play);
                call_names.erase(call_key(accounts[account].settings.name, each.play));
                if (id) with_call(*id, [&](voice::Machine& machine) { machine.on(each); });
            } else if constexpr (requires { each.leg; } && !std::is_same_v<Event, channel::LegArrived>) {
                if (const auto id = find(each.leg)) {
                    with_call(*id, [&](voice::Machine& machine) { machine.on(each); });
                } else if constexpr (std::is_same_v<Event, channel::LegRinging> || std::is_same_v<Event, channel::LegAnswered> || std::is_same_v<Event, channel::LegJoined>) {
                    // A leg that nobody knows any more: its end was lost on the way.
                    call_orders.push_back({.account = account, .id = 0, .command = channel::EndLeg{.leg = each.leg}});
                }
            }
        },
        event);
}

void Engine::Internals::take_arrival(AccountNumber number, const channel::LegArrived& event) {
    const auto& account = accounts[number];
    if (!account.settings.calls || call_names.contains(call_key(account.settings.name, event.leg))) return;
    const auto& rules = *account.settings.calls;
    const auto turn_away = [&] { call_orders.push_back({.account = number, .id = 0, .command = channel::EndLeg{.leg = event.leg, .reason = channel::EndReason::rejected}}); };
    if (event.role == channel::LegRole::agent) {
        std::string agent;
        for (const auto id : router.agents())
            if (const auto view = router.agent(id); !view->definition->disabled && !event.from.empty() && view->definition->extension == event.from) agent = id;
        if (agent.empty() || !dial_at_telephone(number, agent, event)) turn_away();
        return;
    }
    const auto phone = rules.normalise(event.from);
    std::uint32_t address = 0;
    ContactIndex contact{};
    if (phone.empty()) {
        // Withheld, or no number at all: a customer of whom nothing is known.
        contact = make_contact(to_string(ids.next(now)), {}, {}, {}, false);
    } else {
        const auto known = resolve({.id = {}, .address = Address{.kind = AddressKind::phone, .value = phone, .account = {}}}, true, address);
        if (!known) return turn_away();
        contact = *known;
        if (address == 0) address = find_address({.kind = AddressKind::phone, .value = phone, .account = {}});
    }
    const auto route = std::find_if(rules.inbound.routes.begin(), rules.inbound.routes.end(), [&](const auto& each) { return each.did == event.to; });
    auto queue = route != rules.inbound.routes.end() && !route->queue.empty() ? route->queue : rules.inbound.queue;
    if (queue.empty()) queue = queue_for(account.settings.name, "voice");
    const auto id = ids.next(now);
    emit(contact, InteractionOpened{.id = id, .channel = "voice", .account = account.settings.name, .queue = queue, .campaign = {}, .state = "queued", .reason = {}, .touch = {},
                                    .address = address, .priority = 50});
    note_call_fact(voice::CallStarted{.call = id, .account = account.settings.name, .did = event.to, .queue = queue, .agent = {}, .outbound = false, .touch = {}, .attempt = 0,
                                      .sealed = seal_for(contact, CallSecret{.from = phone.empty() ? event.from : phone, .to = event.to})});
    take_line_of_arrival(number, contact, id, event.endpoint);
    with_call(id, [&](voice::Machine& machine) { machine.arrive(event.leg); });
}

std::optional<AccountNumber> Engine::Internals::call_account() const {
    std::optional<AccountNumber> first;
    for (AccountNumber number = 0; number < accounts.size(); ++number) {
        if (!accounts[number].settings.calls) continue;
        if (accounts[number].up) return number;
        if (!first) first = number;
    }
    return first;
}

// The interaction follows its call to the end.
void Engine::Internals::call_over(const voice::CallEnded& ended) {
    const auto found = state.interactions.find(ended.call);
    const auto& call = state.calls.at(ended.call);
    if (const auto consult = consulted.find(ended.call); consult != consulted.end()) {
        (void)router.end({.id = consult->second, .state = "completed", .outcome = {}, .disposition = {}, .reason = "consult", .sealed = {}}, now);
        consulted.erase(consult);
    }
    if (const auto purpose = call_purposes.find(ended.call); purpose != call_purposes.end() && !purpose->second.offer.is_nil())
        (void)router.end_offer(purpose->second.offer, routing::OfferResult::cancelled, ended.outcome, now);
    settle_call_touch(call, ended);
    const bool undialled = found != state.interactions.end() && !found->second.is_closed() && end_undialled(ended, found->second);
    call_purposes.erase(ended.call);
    if (undialled || found == state.interactions.end() || (found->second.is_closed() && found->second.reason != "no_queue")) return;
    const bool talked = call.bridged_at != Instant::min();
    if (talked) note_lead_answer(*this, found->second.contact, found->second.last_agent, call.bridged_at);
    if (!ended.outbound) capture_lead(found->second.contact, talked ? "call:inbound" : "call:missed", {}, "interaction " + to_string(ended.call));
    if (found->second.is_closed()) return;
    const auto item = router.item(ended.call);
    // In the words of conversations.
    const bool by_time = ended.hung_up_by == "network" || (ended.hung_up_by == "gateway" && talked && !call.reason.ends_with(" api"));
    const std::string closed_by = ended.hung_up_by == "customer" || ended.hung_up_by == "agent" ? ended.hung_up_by : by_time ? "timeout" : "api";
    using routing::ItemState;
    if (item && item->state == ItemState::recovering) (void)router.set_recovering(ended.call, false, {}, now);
    const auto again = router.item(ended.call);
    if (again && again->state == ItemState::wrapping) return;
    if (again && again->state == ItemState::assigned && (talked || ended.outbound)) {
        (void)router.finish(ended.call, ended.outcome, closed_by, now);
        return;
    }
    const bool left = ended.outcome == "abandoned" || ended.outcome == "dropped";
    end_interaction(ended.call, left ? "abandoned" : talked || ended.outcome == "answered" || ended.outbound ? "completed" : "cancelled", ended.outcome, {},
                    closed_by, {});
}

void Engine::Internals::call_flows_out(const Uuid& id, const routing::FlowOut& item) {
    const auto found = state.interactions.find(id);
    const auto* call = live_call(id);
    if (found == state.interactions.end() || call == nullptr) {
        end_interaction(id, "flowed_out", {}, {}, item.reason, {});
        return;
    }
    const auto& rules = rules_of(*call);
    using Kind = routing::Overflow::Kind;
    if (item.to.kind == Kind::promise) (void)make_promise(found->second.contact, {.contact = {}, .channel = "voice", .note = {}, .agent = {}, .at = now},
                                                          std::string{state.symbols.name(found->second.queue)}, id);
    end_interaction(id, item.to.kind == Kind::none ? "expired" : "flowed_out", {}, {}, item.reason, {});
    with_call(id, [&](voice::Machine& machine) {
        if (item.to.kind == Kind::voicemail) machine.take_message();
        else machine.say_and_end(item.to.kind == Kind::promise ? rules.promised : item.reason == "closed" ? rules.closed : rules.goodbye, "cancelled");
    });
}

}  // namespace touchgate
