#include "gateway/engine/call_host.hpp"

#include "gateway/engine/working_hours.hpp"

namespace touchgate {

Interaction* EngineCallHost::row() const {
    const auto found = in_.state.interactions.find(id_);
    return found == in_.state.interactions.end() ? nullptr : &found->second;
}

channel::CommandId EngineCallHost::command(channel::CallCommand command) {
    const auto account = in_.account_numbers.find(call_.account);
    const auto id = in_.next_command++;
    if (account == in_.account_numbers.end()) return id;  // it is gone from the configuration, and its telephone system with it
    const auto remember = [&](const std::string& name) {
        if (!name.empty()) in_.call_names[call_key(call_.account, name)] = id_;
    };
    if (const auto* made = std::get_if<channel::MakeLeg>(&command)) remember(made->leg);
    else if (const auto* snoop = std::get_if<channel::SnoopLeg>(&command)) remember(snoop->leg);
    else if (const auto* play = std::get_if<channel::Play>(&command)) remember(play->play);
    else if (const auto* recording = std::get_if<channel::StartRecording>(&command)) remember(recording->recording);
    in_.call_orders.push_back({.account = account->second, .id = id, .command = std::move(command)});
    return id;
}

std::string EngineCallHost::new_name() { return to_string(in_.ids.next(in_.now)); }

std::string EngineCallHost::queue_name() const {
    const auto* interaction = row();
    return interaction == nullptr ? call_.queue : std::string{in_.state.symbols.name(interaction->queue)};
}

bool EngineCallHost::is_recorded() const {
    const auto& rules = in_.rules_of(call_).recording;
    return rules.always || std::find(rules.queues.begin(), rules.queues.end(), queue_name()) != rules.queues.end();
}

voice::CallHost::Wait EngineCallHost::wait() const {
    const auto place = in_.router.place(id_);
    if (!place) return {};
    return {.position = place->position, .at_least = place->at_least, .at_most = place->at_most};
}

bool EngineCallHost::holds(const voice::MenuCondition& condition) const {
    const auto* interaction = row();
    if (interaction == nullptr) return false;
    if (!condition.hours.is_null() && !hours_at(condition.hours, in_.now, in_.settings.time_zone, in_.calendars).open) return false;
    const auto& contact = in_.state.contacts[interaction->contact.value];
    const auto* extras = contact.extras.get();
    if (!condition.tag.empty()) {
        Symbol tag;
        if (extras == nullptr || !in_.state.symbols.find(condition.tag, tag) || std::find(extras->tags.begin(), extras->tags.end(), tag) == extras->tags.end()) return false;
    }
    if (!condition.attribute.empty()) {
        const auto found = extras == nullptr ? AttributeMap::const_iterator{} : extras->attributes.find(condition.attribute);
        if (extras == nullptr || found == extras->attributes.end()) return false;
        const auto* text = std::get_if<std::string>(&found->second);
        if (!condition.equals.empty() && (text == nullptr || *text != condition.equals)) return false;
    }
    if (condition.known) {
        // Known: somebody has told who he is, or has talked with him before.
        const auto known = in_.state.interactions_of.find(interaction->contact.value);
        const bool is_known = (extras != nullptr && !extras->name.empty()) || (known != in_.state.interactions_of.end() && known->second.size() > 1);
        if (is_known != *condition.known) return false;
    }
    if (condition.lead) {
        const bool open = !in_.card_of(interaction->contact).leads.empty();
        if (open != *condition.lead) return false;
    }
    return true;
}

bool EngineCallHost::enqueue(const std::string& queue, int priority, const std::vector<std::string>& needs) {
    const auto* interaction = row();
    if (interaction == nullptr || interaction->is_closed()) return false;
    const auto wanted = queue.empty() ? in_.queue_for(call_.account, "voice") : queue;
    if (!in_.router.queue(wanted)) {
        in_.end_interaction(id_, "flowed_out", {}, {}, "no_queue", {});
        return false;
    }
    const auto first = interaction->queued_at;
    auto prefers = in_.last_agent_of(interaction->contact, wanted);
    return in_.router
        .enqueue({.item = id_, .queue = wanted, .channel = "voice", .priority = priority < 0 ? std::nullopt : std::optional{priority}, .needs = needs, .prefers = std::move(prefers),
                  .only = {}, .first_queued_at = first, .front = false, .cause = "arrived"},
                 in_.now)
        .has_value();
}

void EngineCallHost::agent_unanswered(const std::string& reason, bool his_fault) {
    const auto item = in_.router.item(id_);
    if (!item || item->state == routing::ItemState::queued || item->state == routing::ItemState::reserved) return;
    if (his_fault && in_.router.unanswered(id_, reason, in_.now)) return;
    (void)in_.router.requeue(id_, {}, {}, false, reason.empty() ? "no_answer" : reason, in_.now);
}

bool EngineCallHost::agent_dropped(const std::string& reason) {
    const auto item = in_.router.item(id_);
    if (!item) return false;
    const auto queue = std::string{item->queue};
    if (queue.empty() || !in_.router.queue(queue)) return false;
    (void)in_.router.set_recovering(id_, true, reason, in_.now);
    return in_.router.requeue(id_, queue, {}, true, "recovered", in_.now).has_value();
}

void EngineCallHost::nobody_in_time() {
    const auto* interaction = row();
    if (interaction != nullptr && !interaction->is_closed()) in_.end_interaction(id_, "abandoned", "dropped", {}, "timeout", {});
}

void EngineCallHost::phase(voice::AgentPhase phase) {
    // Whoever was asked is in a conference as well.
    if (const auto asked = in_.consulted.find(id_); phase == voice::AgentPhase::conference && asked != in_.consulted.end())
        (void)in_.router.set_phase(asked->second, routing::Phase::conference, in_.now);
    const auto item = in_.router.item(id_);
    if (!item || item->state != routing::ItemState::assigned) return;
    const auto wanted = phase == voice::AgentPhase::dialing      ? routing::Phase::dialing
                        : phase == voice::AgentPhase::active     ? routing::Phase::active
                        : phase == voice::AgentPhase::held       ? routing::Phase::held
                        : phase == voice::AgentPhase::consulting ? routing::Phase::consulting
                                                                 : routing::Phase::conference;
    if (item->phase != wanted) (void)in_.router.set_phase(id_, wanted, in_.now);
}

std::string EngineCallHost::customer_answered(channel::AnsweredBy by) {
    in_.call_answered(id_);
    if (call_.live.plan.kind != voice::Plan::Kind::reserved) return {};
    const bool is_machine = by == channel::AnsweredBy::machine && call_.live.plan.detect_machine;
    const auto purpose = in_.call_purposes.find(id_);
    const auto kept = purpose == in_.call_purposes.end() ? Uuid{} : std::exchange(purpose->second.offer, Uuid{});
    if (const auto offer = kept.is_nil() ? std::nullopt : in_.router.offer(kept)) {
        const auto agent = std::string{offer->agent};
        if (is_machine) (void)in_.router.end_offer(kept, routing::OfferResult::cancelled, "machine", in_.now);
        else if (in_.router.accept(agent, kept, std::nullopt, in_.now, routing::Phase::dialing)) {
            in_.line_is_taken(call_.touch);
            return agent;
        }
    }
    // Nobody was kept for him, or the one who was is gone.
    return is_machine ? std::string{} : in_.agent_for_answer(call_.touch, id_);
}

void EngineCallHost::content_played() {
    if (const auto row_number = in_.row_of(call_.touch); row_number != 0)
        in_.emit(in_.touch(row_number).contact, TouchDelivered{.touch = call_.touch, .attempt = call_.attempt, .provider_id = {}, .raw = "answered", .provider_time = 0});
}

void EngineCallHost::handed_on(const std::string& to_agent) {
    const auto item = in_.router.item(id_);
    if (!to_agent.empty()) (void)in_.router.assign(id_, to_agent, "voice", queue_name(), "transfer", true, in_.now, true);
    else if (item && item->state == routing::ItemState::assigned) (void)in_.router.finish(id_, "transferred", "transfer", in_.now);
    consult_over();  // afterwards: he is not free in between
}

void EngineCallHost::wants_promise() {
    const auto* interaction = row();
    if (interaction == nullptr) return;
    (void)in_.make_promise(interaction->contact, {.contact = {}, .channel = "voice", .note = {}, .agent = {}, .at = in_.now}, queue_name(), id_);
    if (!interaction->is_closed()) in_.end_interaction(id_, "flowed_out", {}, {}, "promise", {});
}

void EngineCallHost::cut_off() {
    const auto* interaction = row();
    // Who withheld his number cannot be called back.
    if (interaction == nullptr || interaction->is_closed() || interaction->address == 0) return;
    for (const auto& [id, promise] : in_.state.promises)
        if (promise.interaction == id_ && promise.is_open()) return;
    (void)in_.make_promise(interaction->contact, {.contact = {}, .channel = "voice", .note = {}, .agent = interaction->agent, .at = in_.now}, queue_name(), id_);
    // He who talked with him says in his wrap-up how far they came.
    const auto item = in_.router.item(id_);
    const bool is_assigned = item && (item->state == routing::ItemState::assigned || item->state == routing::ItemState::recovering);
    if (is_assigned && call_.bridged_at != Instant::min()) return;
    in_.end_interaction(id_, "flowed_out", {}, {}, "cut_off", {});
}

void EngineCallHost::transfer_asked(const std::string& to) {
    const auto* interaction = row();
    if (interaction == nullptr) return;
    const auto& rules = in_.rules_of(call_);
    std::string target;
    for (const auto id : in_.router.agents())
        if (const auto view = in_.router.agent(id); !view->definition->disabled && view->definition->extension == to && !to.empty()) target = "agent:" + std::string{id};
    if (target.empty() && rules.phone_routes.contains(to)) target = "phone:" + to;
    if (target.empty() && in_.router.queue(to)) target = "queue:" + to;
    if (target.empty()) target = "phone:" + to;  // a number, if his rights allow it
    // After this event: the machine is at work on it.
    in_.asked_transfers.emplace_back(id_, target);
}

void EngineCallHost::consult_over() {
    const auto found = in_.consulted.find(id_);
    if (found == in_.consulted.end()) return;
    const auto item = found->second;
    in_.consulted.erase(found);
    (void)in_.router.end({.id = item, .state = "completed", .outcome = {}, .disposition = {}, .reason = "consult", .sealed = {}}, in_.now);
}

}  // namespace touchgate
