// The routing core and the log: what it decides becomes a record, the record its state; and what its decisions mean for conversations and agents.

#include "gateway/engine/internals.hpp"
#include "gateway/engine/working_hours.hpp"
#include "gateway/routing/parts.hpp"

namespace touchgate {

namespace {

// The protocol's word for why an offer is over; what the agent or a supervisor said stands in the log.
std::string_view revoked_word(routing::OfferResult result, std::string_view reason) {
    switch (result) {
        case routing::OfferResult::rejected: return "rejected";
        case routing::OfferResult::timed_out: return "timeout";
        case routing::OfferResult::cancelled: return "cancelled";
        default: return reason == "accepted_elsewhere" || reason == "cancelled" ? reason : std::string_view{"not_routable"};
    }
}

// The protocol's words for why an interaction is no agent's any more; the log has the exact one.
std::string closed_word(std::string_view reason) {
    if (reason.empty()) return "agent";
    if (reason == "agent" || reason == "customer" || reason == "api" || reason == "timeout" || reason == "transfer") return std::string{reason};
    if (reason == "timed_out" || reason == "auto") return "timeout";
    if (reason == "gateway") return "api";
    if (reason == "network") return "customer";
    return "transfer";
}

// The agent who gets work from nobody's hands but by dialling is told by the call itself when both can hear each other.
bool is_talk(const Interaction& of, const SymbolTable& symbols) { return symbols.name(of.channel) == "voice"; }

// Of the record that each event becomes.
template <class Value> constexpr EventType record_type = EventType{};
template <> constexpr EventType record_type<routing::AgentDefined> = EventType::agent_updated;
template <> constexpr EventType record_type<routing::QueueDefined> = EventType::queue_updated;
template <> constexpr EventType record_type<routing::AgentSessionChanged> = EventType::agent_session;
template <> constexpr EventType record_type<routing::AgentIntentChanged> = EventType::agent_intent;
template <> constexpr EventType record_type<routing::AgentHealthChanged> = EventType::agent_health;
template <> constexpr EventType record_type<routing::ItemQueued> = EventType::interaction_queued;
template <> constexpr EventType record_type<routing::OfferMade> = EventType::offer_made;
template <> constexpr EventType record_type<routing::OfferEnded> = EventType::offer_ended;
template <> constexpr EventType record_type<routing::ItemAssigned> = EventType::interaction_assigned;
template <> constexpr EventType record_type<routing::ItemPhaseChanged> = EventType::interaction_phase;
template <> constexpr EventType record_type<routing::ItemRecovering> = EventType::interaction_recovering;
template <> constexpr EventType record_type<routing::ItemWrapping> = EventType::interaction_wrapping;
template <> constexpr EventType record_type<routing::ItemEnded> = EventType::interaction_closed;

// What an event means beyond the routing core. Part of the fold: it decides nothing.
struct Meaning {
    Engine::Internals& in;
    const RecordMeta& meta;

    Interaction* of(const Uuid& id) const {
        const auto found = in.state.interactions.find(id);
        return found == in.state.interactions.end() ? nullptr : &found->second;
    }
    void mirror(Interaction& row) const {
        const auto item = in.router.item(row.id);
        if (!item) return;
        row.state = routing::to_string(item->state);
        row.queue = in.state.symbols.intern(item->queue);
    }
    // Nobody's any more, and he who had it is told.
    void leave(Interaction& row, const std::string& why) const {
        if (row.agent.empty()) return;
        const auto agent = std::exchange(row.agent, {});
        if (!in.part_in_wrap_up(agent, row.id))  // else when that is over
            in.push_to(agent, {.at = meta.time, .kind = PushKind::closed, .interaction = row.id, .text = closed_word(why), .more = {}}, meta);
        in.show_presence(agent, meta);
    }
    void take(Interaction& row, const std::string& agent) const {
        if (row.agent != agent) leave(row, "transfer");
        row.agent = row.last_agent = agent;
        if (row.assigned_at == Instant::min()) row.assigned_at = meta.time;
        if (is_talk(row, in.state.symbols)) return;
        in.push_to(agent, {.at = meta.time, .kind = PushKind::connected, .interaction = row.id, .text = {}, .more = {}}, meta);
        if (!meta.replay) in.schedule_conversation(row);
    }

    // Everybody who may take it up.
    void tell_of_parked(const Interaction& row) const {
        for (const auto agent : in.router.agents()) {
            const auto view = in.router.agent(agent);
            const auto& queues = view->definition->queues;
            if (view->session == routing::Session::signed_in &&
                std::any_of(queues.begin(), queues.end(), [&](const routing::Membership& each) { return each.queue == in.state.symbols.name(row.queue); }))
                in.push_to(std::string{agent}, {.at = meta.time, .kind = PushKind::notice, .interaction = row.id, .text = "parked", .more = {}}, meta);
        }
    }

    void operator()(const routing::AgentDefined& e) const {
        (void)in.state.agents[e.id];
        in.show_presence(e.id, meta);
    }
    void operator()(const routing::QueueDefined&) const {}
    void operator()(const routing::AgentSessionChanged& e) const { in.show_presence(e.agent, meta); }
    void operator()(const routing::AgentIntentChanged& e) const { in.show_presence(e.agent, meta); }
    void operator()(const routing::AgentHealthChanged& e) const { in.show_presence(e.agent, meta); }
    void operator()(const routing::ItemQueued& e) const {
        auto* row = of(e.item);
        if (row == nullptr) return;
        leave(*row, e.cause);
        if (e.cause == "parked") tell_of_parked(*row);
        row->reason.clear();
        row->priority = e.priority;
        mirror(*row);
    }
    void operator()(const routing::OfferMade& e) const {
        if (auto* row = of(e.item)) mirror(*row);
        if (!e.silent)
            in.push_to(e.agent,
                       {.at = meta.time, .kind = PushKind::offer, .interaction = e.item, .offer = e.offer, .text = {}, .more = {}, .number = e.fence, .until = e.deadline,
                        .flags = static_cast<std::uint8_t>((e.auto_answer ? 1U : 0U) | (e.preview ? 2U : 0U))},
                       meta);
        in.show_presence(e.agent, meta);
    }
    void operator()(const routing::OfferEnded& e, const std::optional<routing::OfferView>& before) const {
        auto* row = of(e.item);
        const bool passed_over = e.result == routing::OfferResult::rejected || e.result == routing::OfferResult::timed_out;
        if (passed_over && !meta.replay) in.note_passed_over(e.item, e.agent, e.backoff_until);
        if (e.offer.is_nil()) {  // his telephone was not answered: the call itself tells him
            in.show_presence(e.agent, meta);
            return;
        }
        if (e.result == routing::OfferResult::accepted) {
            if (before && before->silent)
                in.push_to(e.agent,
                           {.at = meta.time, .kind = PushKind::offer, .interaction = e.item, .offer = e.offer, .text = {}, .more = {}, .number = before->fence,
                            .until = unix_ms(before->deadline), .flags = static_cast<std::uint8_t>(before->auto_answer ? 1U : 0U)},
                           meta);
            if (row != nullptr) take(*row, e.agent);
        } else if (!before || !before->silent) {
            in.push_to(e.agent, {.at = meta.time, .kind = PushKind::offer_revoked, .interaction = e.item, .offer = e.offer, .text = std::string{revoked_word(e.result, e.reason)}, .more = {}},
                       meta);
        }
        if (row != nullptr) mirror(*row);
        in.show_presence(e.agent, meta);
    }
    void operator()(const routing::ItemAssigned& e) const {
        if (auto* row = of(e.item)) {
            take(*row, e.agent);
            mirror(*row);
        }
        in.show_presence(e.agent, meta);
    }
    void operator()(const routing::ItemPhaseChanged& e) const {
        if (const auto item = in.router.item(e.item); item && !item->agent.empty()) in.show_presence(std::string{item->agent}, meta);
    }
    void operator()(const routing::ItemRecovering& e) const {
        auto* row = of(e.item);
        if (row == nullptr) return;
        mirror(*row);
        if (!row->agent.empty()) in.show_presence(row->agent, meta);
    }
    void operator()(const routing::ItemWrapping& e) const {
        if (routing::whole_of(e.item)) return wrap_part(e);
        auto* row = of(e.item);
        if (row == nullptr) return;
        row->ended_at = meta.time;
        row->outcome = e.outcome;
        row->reason = e.reason;
        row->unanswered_since = instant_never;
        mirror(*row);
        if (row->agent.empty()) return;
        in.push_to(row->agent, {.at = meta.time, .kind = PushKind::wrap_up, .interaction = e.item, .text = std::string{in.state.symbols.name(row->queue)}, .more = {}, .until = e.deadline},
                   meta);
        in.show_presence(row->agent, meta);
    }
    void wrap_part(const routing::ItemWrapping& e) const {
        const auto item = in.router.item(e.item);
        if (!item) return;
        const auto agent = std::string{item->agent};
        in.push_to(agent, {.at = meta.time, .kind = PushKind::wrap_up, .interaction = routing::whole_of(e.item).value_or(e.item), .text = std::string{item->queue}, .more = {},
                           .until = e.deadline},
                   meta);
        in.show_presence(agent, meta);
    }
    void operator()(const routing::ItemEnded& e, const std::string& agent) const {
        const auto whole = routing::whole_of(e.id);
        if (!whole) return in.interaction_ended(meta, e);
        if (agent.empty()) return;
        if (!e.disposition.empty()) in.add_act(meta.contact, "disposition", e.disposition, "voice", meta.time);
        in.push_to(agent, {.at = meta.time, .kind = PushKind::closed, .interaction = *whole, .text = "transfer", .more = {}}, meta);
        in.show_presence(agent, meta);
    }
};

}  // namespace

routing::RouterSettings Engine::Internals::router_settings() {
    return {.time_zone = settings.time_zone, .hours = [this](const Json& hours, Instant at) { return hours_at(hours, at, settings.time_zone, calendars); }};
}

void Engine::Internals::RoutingJournal::append(const routing::Event& event) {
    if (const auto* ended = std::get_if<routing::ItemEnded>(&event); ended != nullptr && ended->disposition.empty())
        if (const auto found = engine_.state.interactions.find(ended->id); found != engine_.state.interactions.end() && !found->second.disposition.empty()) {
            auto complete = *ended;
            complete.disposition = found->second.disposition;  // said when it was closed, before its wrap-up ran out
            return append(complete);
        }
    std::visit(
        [&](const auto& value) {
            using Value = std::decay_t<decltype(value)>;
            ContactIndex contact{};
            if constexpr (requires { value.item; }) {
                if (const auto found = engine_.state.interactions.find(routing::whole_of(value.item).value_or(value.item)); found != engine_.state.interactions.end()) contact = found->second.contact;
            } else if constexpr (std::is_same_v<Value, routing::ItemEnded>) {
                if (const auto found = engine_.state.interactions.find(routing::whole_of(value.id).value_or(value.id)); found != engine_.state.interactions.end()) contact = found->second.contact;
            }
            engine_.payload.clear();
            encode(engine_.payload, value);
            RecordMeta meta{.sequence = 0, .time = engine_.now, .contact = contact, .position = {}, .replay = false};
            engine_.append_record(record_type<Value>, contact, meta);
            if constexpr (std::is_same_v<Value, routing::OfferMade> || std::is_same_v<Value, routing::OfferEnded> || std::is_same_v<Value, routing::ItemRecovering>) {
                const auto found = engine_.state.interactions.find(value.item);
                const auto before = found == engine_.state.interactions.end() ? std::string{} : found->second.state;
                engine_.take_routed(meta, event);
                tell_state(value, before);
            } else {
                engine_.take_routed(meta, event);
            }
        },
        event);
    // What he does now is a record of its own, so that his time can be counted without knowing the rules that it follows from.
    for (const auto& agent : std::exchange(engine_.restless, {})) {
        const auto view = engine_.router.agent(agent);
        const auto found = engine_.state.agents.find(agent);
        if (!view || found == engine_.state.agents.end() || found->second.state == routing::to_string(view->state)) continue;
        engine_.emit(ContactIndex{}, AgentStateChanged{.agent = agent, .from = found->second.state, .to = std::string{routing::to_string(view->state)}, .reason = std::string{view->reason}});
    }
}

// Where the interaction stands after an offer or a recovery, if that has changed it to anything that has no record of its own.
template <class Value> void Engine::Internals::RoutingJournal::tell_state(const Value& event, const std::string& before) {
    const auto found = engine_.state.interactions.find(event.item);
    if (found == engine_.state.interactions.end() || found->second.state == before) return;
    const auto& row = found->second;
    if (row.state != "queued" && row.state != "reserved" && row.state != "assigned") return;
    InteractionStateChanged changed{.interaction = event.item, .state = row.state, .agent = row.agent, .queue = std::string{engine_.state.symbols.name(row.queue)}, .offer = {}};
    if constexpr (requires { event.offer; }) {
        changed.offer = event.offer;
        if (row.state == "reserved") changed.agent = event.agent;
    }
    engine_.emit(row.contact, changed);
}

Uuid Engine::Internals::RoutingJournal::new_offer_id() { return engine_.ids.next(engine_.now); }

void Engine::Internals::take_routed(const RecordMeta& meta, const routing::Event& event) {
    routing_stirred = true;
    const Meaning meaning{*this, meta};
    if (const auto* ended = std::get_if<routing::OfferEnded>(&event)) {
        const auto before = router.offer(ended->offer);
        router.apply(event, meta.time);
        meaning(*ended, before);
        return;
    }
    if (const auto* ended = std::get_if<routing::ItemEnded>(&event)) {
        const auto item = router.item(ended->id);
        const auto agent = item ? std::string{item->agent} : std::string{};
        router.apply(event, meta.time);
        meaning(*ended, agent);
        return;
    }
    router.apply(event, meta.time);
    std::visit(
        [&](const auto& value) {
            using Value = std::decay_t<decltype(value)>;
            if constexpr (!std::is_same_v<Value, routing::OfferEnded> && !std::is_same_v<Value, routing::ItemEnded>) meaning(value);
        },
        event);
}

void Engine::Internals::interaction_ended(const RecordMeta& meta, const routing::ItemEnded& event) {
    const auto found = state.interactions.find(event.id);
    if (found == state.interactions.end()) return;
    auto& closed = found->second;
    // Who ended it says more than that its wrap-up ran out; of a call it is known since its wrap-up began.
    const auto said = event.reason == "auto" && !closed.reason.empty() ? closed.reason : event.reason;
    const auto ender = closed.state == "wrapping" && is_talk(closed, state.symbols) && !closed.reason.empty() ? closed.reason : said;
    closed.state = event.state;
    closed.reason = said;
    if (!event.outcome.empty()) closed.outcome = event.outcome;
    if (!event.disposition.empty()) closed.disposition = event.disposition;
    closed.closed_at = meta.time;
    if (closed.ended_at == Instant::min()) closed.ended_at = meta.time;
    closed.unanswered_since = instant_never;
    if (closed.due_at != instant_never) conversation_agenda.erase({closed.due_at, closed.id});
    closed.due_at = instant_never;
    const auto open = state.open_interactions.find({closed.account.value, closed.address, closed.contact.value});
    if (open != state.open_interactions.end() && open->second == event.id) state.open_interactions.erase(open);
    if (!event.disposition.empty()) add_act(meta.contact, "disposition", event.disposition, state.symbols.name(closed.channel), meta.time);
    const auto call = state.calls.find(closed.id);
    const bool was_only_shown = closed.outbound && !closed.touch.is_nil() && (call == state.calls.end() || call->second.touch.is_nil());  // to an agent, and never dialled
    if (closed.contact.value != 0 && closed.contact.value < state.contacts.size() && !was_only_shown) {
        auto& extra = state.contacts[closed.contact.value].extra();
        extra.last_conversation_end = std::max(extra.last_conversation_end, meta.time);
    }
    if (closed.agent.empty()) return;
    push_to(closed.agent, {.at = meta.time, .kind = PushKind::closed, .interaction = event.id, .text = closed_word(ender), .more = {}}, meta);
    show_presence(closed.agent, meta);
}

void Engine::Internals::end_interaction(const Uuid& id, std::string state_word, std::string outcome, std::string disposition, std::string reason, const std::string& note) {
    const auto found = state.interactions.find(id);
    if (found == state.interactions.end()) return;
    routing::ItemEnded ended{.id = id, .state = std::move(state_word), .outcome = std::move(outcome), .disposition = std::move(disposition), .reason = std::move(reason),
                             .sealed = note.empty() ? std::string{} : seal_for(found->second.contact, ConsentSecret{.evidence = note})};
    if (router.item(id)) (void)router.end(ended, now);
    else journal.append(ended);
}

// The account's own queue, else the first one that takes the channel.
std::string Engine::Internals::queue_for(std::string_view account, std::string_view channel) const {
    if (const auto number = account_numbers.find(account); number != account_numbers.end() && !accounts[number->second].settings.queue.empty())
        return accounts[number->second].settings.queue;
    return std::string{router.first_queue_with(channel)};
}

std::string Engine::Internals::last_agent_of(ContactIndex contact, std::string_view queue) const {
    const auto known = state.interactions_of.find(contact.value);
    const auto view = router.queue(queue);
    if (known != state.interactions_of.end() && view)
        for (auto i = known->second.size(); i-- > 0;) {
            const auto found = state.interactions.find(known->second[i]);
            if (found == state.interactions.end() || found->second.last_agent.empty()) continue;
            if (found->second.last_at + view->definition->sticky_for >= now) return found->second.last_agent;
            break;
        }
    if (contact.value < state.contacts.size() && state.contacts[contact.value].extras) return state.contacts[contact.value].extras->owner;
    return {};
}

void Engine::Internals::enqueue_interaction(const Uuid& id, std::string cause) {
    const auto found = state.interactions.find(id);
    if (found == state.interactions.end() || found->second.is_closed()) return;
    const auto queue = std::string{state.symbols.name(found->second.queue)};
    const auto view = router.queue(queue);
    if (!view || router.item(id)) return;
    (void)router.enqueue({.item = id, .queue = queue, .channel = std::string{state.symbols.name(found->second.channel)},
                          .priority = found->second.priority == 50 ? std::nullopt : std::optional<int>{found->second.priority}, .needs = {},
                          .prefers = last_agent_of(found->second.contact, queue), .only = {}, .first_queued_at = found->second.queued_at, .front = false, .cause = std::move(cause)},
                         now);
}

void Engine::Internals::flow_out(const routing::FlowOut& item) {
    const auto found = state.interactions.find(item.item);
    if (found == state.interactions.end()) return;
    const bool talk = is_talk(found->second, state.symbols);
    if (talk && item.to.kind != routing::Overflow::Kind::queue) return call_flows_out(item.item, item);
    switch (item.to.kind) {
        case routing::Overflow::Kind::queue: {
            const auto view = router.item(item.item);
            if (view && router.queue(item.to.queue) && view->queue != item.to.queue && router.requeue(item.item, item.to.queue, {}, false, "overflow", now)) return;
            if (talk) return call_flows_out(item.item, {.item = item.item, .to = {}, .reason = item.reason});
            break;
        }
        case routing::Overflow::Kind::promise: {
            PromiseInput promise{.contact = {}, .channel = talk ? "voice" : std::string{state.symbols.name(found->second.channel)}, .note = {}, .agent = {}, .at = now};
            (void)make_promise(found->second.contact, promise, std::string{state.symbols.name(found->second.queue)}, item.item);
            break;
        }
        case routing::Overflow::Kind::hang_up:
        case routing::Overflow::Kind::voicemail:
        case routing::Overflow::Kind::none: break;
    }
    end_interaction(item.item, item.to.kind == routing::Overflow::Kind::none ? "expired" : "flowed_out", {}, {}, item.reason, {});
}

void Engine::Internals::run_routing() {
    if (parts.log.room() < (std::size_t{4} << 20U)) return;
    if (const auto due = router.next_due(); due && *due <= now) router.run(now);
    for (const auto& item : router.take_flow_outs()) flow_out(item);
}

void Engine::Internals::begin_routing() {
    for (const auto& [id, document] : settings.queues)
        if (auto put = router.put_queue(id, document, now); !put) continue;  // checked when the configuration was read
    std::vector<std::string> signed_in;
    for (const auto id : router.agents())
        if (router.agent(id)->session != routing::Session::offline) signed_in.emplace_back(id);
    // His intent is kept; he gets offers again when one of his connections is back, within the lease from here on.
    for (const auto& id : signed_in) {
        (void)router.lapse(id, now);
        watch_lease(id, monotonic + settings.agents.lease + settings.agents.grace);
        desks[id].lapsed = true;
    }
    for (auto& [id, row] : state.interactions)
        if (!row.is_closed()) schedule_conversation(row);
}

}  // namespace touchgate
