// Conversations by message: what customers write is collected, with what it answers and where it came from, until somebody closes it. A reply is a
// touch like any other and passes the same policy.

#include <algorithm>

#include "gateway/base/text.hpp"
#include "gateway/engine/internals.hpp"
#include "gateway/engine/refusals.hpp"
#include "gateway/policy/zones.hpp"

namespace touchgate {

namespace {

constexpr Duration closed_kept{std::chrono::hours{72}};  // in memory
constexpr std::size_t messages_kept = 500;               // in memory, of one interaction; older ones are in the contact's timeline
constexpr std::uint8_t auto_replies_max = 20;            // two machines that answer each other end

bool outside(const AutoReply::Hours& hours, const std::string& time_zone, Instant at) {
    const auto* zone = policy::Zone::find(time_zone);
    if (zone == nullptr) return false;
    const auto local = zone->local(at).time_since_epoch();
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const auto minute = std::chrono::duration_cast<std::chrono::minutes>(local - day).count();
    const auto weekday = std::chrono::weekday{std::chrono::sys_days{day}}.iso_encoding();  // 1 Monday
    return (hours.days >> weekday & 1U) == 0 || minute < hours.from_minute || minute >= hours.to_minute;
}

}  // namespace

// ---- the fold

void Engine::Internals::apply(const RecordMeta& meta, const InteractionOpened& event) {
    auto& made = state.interactions[event.id];
    made.id = event.id;
    made.contact = meta.contact;
    made.address = event.address;
    made.channel = state.symbols.intern(event.channel);
    made.account = state.symbols.intern(event.account);
    made.queue = state.symbols.intern(event.queue);
    made.campaign = state.symbols.intern(event.campaign);
    made.touch = event.touch;
    made.outbound = event.channel == "voice" && !event.touch.is_nil();  // a message's is the one that it answers
    made.state = event.state;
    made.reason = event.reason;
    made.priority = event.priority;
    made.queued_at = made.last_at = meta.time;
    state.open_interactions[{made.account.value, event.address, meta.contact.value}] = event.id;
    state.interactions_of[meta.contact.value].push_back(event.id);
}

void Engine::Internals::note_message(const Uuid& interaction, bool inbound, const RecordMeta& meta, const TouchId& of) {
    if (interaction.is_nil()) return;
    const auto found = state.interactions.find(interaction);
    if (found == state.interactions.end()) return;
    if (state.symbols.name(found->second.channel) == "voice") return;  // a dial is no message
    auto& messages = found->second.messages;
    if (messages.size() >= messages_kept) messages.erase(messages.begin());
    messages.push_back({.at = meta.time, .position = meta.position, .touch = of, .inbound = inbound});
    auto& row = found->second;
    // What is written in the turn in which its end is announced announces it: nobody has gone on with it.
    const bool goes_on = inbound || meta.time != row.idle_told_at;
    if (goes_on) row.last_at = meta.time;
    if (!inbound && goes_on) {
        row.unanswered_since = instant_never;
        row.reminders = 0;
    } else if (inbound && row.unanswered_since == instant_never) {
        row.unanswered_since = meta.time;
    }
    if (!row.agent.empty())
        push_to(row.agent, {.at = meta.time, .kind = PushKind::message, .interaction = interaction, .text = {}, .more = {}, .flags = static_cast<std::uint8_t>(inbound ? 1U : 0U),
                            .position = meta.position.value, .touch = of}, meta);
    if (!meta.replay) schedule_conversation(row);
}

// ---- acts

Uuid Engine::Internals::interaction_for(ContactIndex contact, std::uint32_t address, std::string_view account, std::string_view channel, const TouchId& reply_to,
                                        const std::string& wanted_queue, std::optional<int> priority) {
    const auto symbol = state.symbols.intern(account);
    if (const auto open = state.open_interactions.find({symbol.value, address, contact.value}); open != state.open_interactions.end()) return open->second;
    const auto queue = wanted_queue.empty() ? queue_for(account, channel) : wanted_queue;
    std::string campaign;
    if (const auto row = row_of(reply_to); row != 0) campaign = state.symbols.name(state.profiles.at(chosen_profile(touch(row))).campaign);
    const auto id = ids.next(now);
    // A bot's, or nobody's but the API's, until it is handed over.
    const auto view = router.queue(queue);
    const bool for_agents = !view || view->definition->handler == "agent" || channel == "voice";
    emit(contact, InteractionOpened{.id = id, .channel = std::string{channel}, .account = std::string{account}, .queue = queue, .campaign = std::move(campaign),
                                    .state = queue.empty() ? "flowed_out" : "queued", .reason = queue.empty() ? "no_queue" : for_agents ? std::string{} : view->definition->handler,
                                    .touch = reply_to, .address = address, .priority = static_cast<std::uint8_t>(priority.value_or(50))});
    if (for_agents) enqueue_interaction(id, "arrived");
    return id;
}

void Engine::Internals::forget_interactions() {
    if ((counters.turns & 255U) != 0) return;
    // In the order of their ids, which is that of their beginning.
    for (auto at = state.interactions.begin(); at != state.interactions.end() && at->second.queued_at + closed_kept <= now;) {
        if (at->second.is_closed() && at->second.closed_at + closed_kept <= now) {
            if (const auto known = state.interactions_of.find(at->second.contact.value); known != state.interactions_of.end()) {
                std::erase(known->second, at->first);
                if (known->second.empty()) state.interactions_of.erase(known);
            }
            state.calls.erase(at->first);
            at = state.interactions.erase(at);
        } else if (at->second.is_closed()) ++at;
        else break;
    }
}

// The queue of a conversation that no agent has.
std::optional<routing::QueueView> Engine::Internals::bots_queue(const Uuid& interaction) {
    const auto found = state.interactions.find(interaction);
    if (found == state.interactions.end() || (found->second.reason != "bot" && found->second.reason != "none")) return std::nullopt;
    return router.queue(state.symbols.name(found->second.queue));
}

// A customer who asks for a person gets one.
void Engine::Internals::hand_over_by_word(const Uuid& interaction, const std::string& text) {
    const auto queue = bots_queue(interaction);
    if (!queue) return;
    const auto& words = queue->definition->handover_words;
    if (std::find(words.begin(), words.end(), trim(text)) != words.end()) enqueue_interaction(interaction, "asked_for_agent");
}

// So does one to whom neither a rule nor a bot has an answer.
void Engine::Internals::hand_over_unanswered(const Uuid& interaction) {
    const auto queue = bots_queue(interaction);
    if (!queue || queue->definition->handover_after == 0) return;
    const auto& messages = state.interactions.at(interaction).messages;
    const auto answer = std::find_if(messages.rbegin(), messages.rend(), [](const Interaction::Message& message) { return !message.inbound; });
    if (answer - messages.rbegin() >= queue->definition->handover_after) enqueue_interaction(interaction, "unanswered");
}

void Engine::Internals::reply_by_rule(const Uuid& interaction, AccountNumber number, const channel::InboundMessage& message, bool first) {
    const auto& rules = accounts[number].settings.auto_replies;
    const auto found = state.interactions.find(interaction);
    if (rules.empty() || found == state.interactions.end() || found->second.auto_replies >= auto_replies_max || refusal()) return;
    const auto said = to_lower_ascii(trim(message.text));
    for (const auto& rule : rules) {
        if (!rule.keywords.empty() && std::none_of(rule.keywords.begin(), rule.keywords.end(), [&](const std::string& word) { return said.find(word) != std::string::npos; })) continue;
        if (rule.first_contact && !first) continue;
        if (rule.outside && !outside(*rule.outside, settings.time_zone, now)) continue;
        ++found->second.auto_replies;
        TouchRequest request;
        request.content.body_json = rule.content_json;
        request.content.text = rule.text;
        request.purpose = "service";
        request.origin = policy::Origin::bot;
        const auto answered = reply(interaction, request);
        // One text may go in the answer to the callback itself, if it may go at once.
        if (passive_now && answered && !rule.text.empty() && accounts[number].settings.passive_replies) {
            passive_now->message = message;
            passive_touches[answered->id] = std::exchange(passive_now, nullptr);
        }
        return;
    }
}

Result<TouchView> Engine::Internals::reply(const Uuid& interaction, TouchRequest& request) {
    const auto found = state.interactions.find(interaction);
    if (found == state.interactions.end()) return Error{.kind = ErrorKind::not_found, .detail = "there is no interaction " + to_string(interaction)};
    const auto& open = found->second;
    if (open.is_closed())
        return Error{.kind = ErrorKind::conflict, .detail = "the interaction is closed", .problems = {}, .retry_after_s = 0, .reference = to_string(interaction)};
    if (handled_natively(open))
        return Error{.kind = ErrorKind::conflict, .detail = "handled_natively: an employee has this conversation in WeCom's own client", .problems = {}, .retry_after_s = 0,
                     .reference = std::string{handled_natively_code}};
    // What another system reported has no account here: any of the channel answers.
    const auto account = account_numbers.contains(state.symbols.name(open.account)) ? std::string{state.symbols.name(open.account)} : std::string{state.symbols.name(open.channel)};
    if (!serves(account))
        return Error{.kind = ErrorKind::conflict, .detail = "no account of the configuration can answer on \"" + account + "\"", .problems = {}, .retry_after_s = 0,
                     .reference = to_string(interaction)};
    if (open.address != 0) {
        const auto& row = state.addresses[open.address];
        request.contact = {.id = {}, .address = Address{.kind = row.kind, .value = row.value, .account = row.account}};
    } else {
        request.contact = {.id = state.contact_ids[open.contact.value], .address = {}};
    }
    request.channels = {account};
    request.interaction = interaction;
    if (!request.key.empty()) request.key = "interaction:" + to_string(interaction) + ":" + request.key;
    return submit(request, policy::Detail::steps, nullptr);
}

// ---- for callers

Result<TouchView> Engine::reply_to_interaction(const Uuid& interaction, TouchRequest request) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    const auto found = in.state.interactions.find(interaction);
    request.origin = found != in.state.interactions.end() && found->second.reason == "bot" ? policy::Origin::bot : policy::Origin::reply;
    return in.reply(interaction, request);
}

InteractionDetails Engine::Internals::details(const Interaction& of, bool with_messages) {
    const auto name = [&](Symbol symbol) { return std::string{state.symbols.name(symbol)}; };
    InteractionDetails made{.id = of.id, .channel = name(of.channel), .account = name(of.account), .contact_id = state.contact_ids[of.contact.value], .state = of.state,
                            .reason = of.reason, .queue = name(of.queue), .campaign = name(of.campaign), .outcome = of.outcome, .disposition = of.disposition,
                            .agent = of.agent.empty() ? of.last_agent : of.agent, .touch = of.touch, .priority = of.priority, .outbound = of.outbound, .queued_at = of.queued_at,
                            .messages = {}};
    const auto given = [](Instant at) { return at == Instant::min() ? std::nullopt : std::optional{at}; };
    if (of.reason == "bot" || of.reason == "none") made.handler = of.reason;
    made.assigned_at = given(of.assigned_at);
    made.ended_at = given(of.ended_at);
    made.closed_at = given(of.closed_at);
    const auto end = made.closed_at.value_or(now);
    made.wait_ms = std::max<std::int64_t>(0, (made.assigned_at.value_or(end) - of.queued_at).count());
    if (made.ended_at && made.assigned_at) made.wrap_ms = std::max<std::int64_t>(0, (end - *made.ended_at).count());
    if (const auto known = state.calls.find(of.id); known != state.calls.end()) {
        const auto& call = known->second;
        auto& shown = made.call.emplace();
        CallSecret numbers;
        if (!call.sealed.empty() && unseal_of(of.contact, call.sealed, numbers)) {
            shown.from = numbers.from;
            shown.to = numbers.to;
        }
        shown.did = call.did;
        if (call.cause != 0) shown.cause = std::to_string(call.cause);
        shown.state = voice::to_string(call.stage);
        for (const auto& recording : call.recordings)
            if (recording.state == voice::RecordingState::stored) shown.recording = recording.name;
        shown.ring_ms = call.ring_ms;
        shown.talk_ms = call.talked(now);
        shown.hold_ms = call.was_held(now);
        made.wait_ms = call.waited(now);
    }
    if (!with_messages) return made;
    std::string buffer;
    for (const auto& message : of.messages) {
        InteractionMessage shown{.inbound = message.inbound, .at = message.at, .kind = "text", .text = {}, .body_json = {}, .provider_id = {}, .touch = message.touch, .state = {}};
        const auto record = parts.reader.at(message.position, buffer);
        if (!record) continue;
        if (message.inbound) {
            MessageReceived event;
            if (!decode(record->payload, event)) continue;
            shown.kind = event.kind;
            shown.provider_id = event.provider_id;
            if (event.kind == "text") {
                MessageSecret secret_values;
                if (unseal_of(record->contact, event.sealed, secret_values)) shown.text = secret_values.text;
            } else {
                PlatformMessageSecret secret_values;
                if (unseal_of(record->contact, event.sealed, secret_values)) {
                    shown.text = secret_values.text;
                    shown.body_json = secret_values.body_json;
                }
            }
        } else {
            TouchCreated event;
            TouchSecret secret_values;
            if (!decode(record->payload, event) || !unseal_of(record->contact, event.sealed, secret_values)) continue;
            shown.text = secret_values.text;
            shown.body_json = secret_values.body_json;
            if (!shown.body_json.empty() && shown.text.empty()) shown.kind = "content";
            if (const auto row = row_of(event.id); row != 0) shown.state = to_string(touch(row).state);
        }
        made.messages.push_back(std::move(shown));
    }
    return made;
}

Result<InteractionDetails> Engine::find_interaction(const Uuid& id) {
    auto& in = *internals_;
    const auto found = in.state.interactions.find(id);
    if (found == in.state.interactions.end()) return Error{.kind = ErrorKind::not_found, .detail = "there is no interaction " + to_string(id)};
    return in.details(found->second, true);
}

std::vector<InteractionDetails> Engine::interactions(const InteractionQuery& query) {
    auto& in = *internals_;
    std::vector<InteractionDetails> list;
    const auto fits = [&](Symbol symbol, const std::string& wanted) { return wanted.empty() || in.state.symbols.name(symbol) == wanted; };
    for (auto at = query.after.is_nil() ? in.state.interactions.begin() : in.state.interactions.upper_bound(query.after);
         at != in.state.interactions.end() && list.size() < query.limit; ++at) {
        const auto& each = at->second;
        if (!fits(each.queue, query.queue) || !fits(each.channel, query.channel) || !fits(each.account, query.account)) continue;
        if (!query.state.empty() && each.state != query.state) continue;
        if (!query.agent.empty() && each.agent != query.agent && each.last_agent != query.agent) continue;
        if (!query.contact.empty() && in.state.contact_ids[each.contact.value] != query.contact) continue;
        list.push_back(in.details(each, false));
    }
    return list;
}

Result<InteractionDetails> Engine::close_interaction(const Uuid& id, const std::string& disposition, const std::string& note) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    const auto found = in.state.interactions.find(id);
    if (found == in.state.interactions.end()) return Error{.kind = ErrorKind::not_found, .detail = "there is no interaction " + to_string(id)};
    auto& open = found->second;
    if (open.is_closed())
        return Error{.kind = ErrorKind::conflict, .detail = "the interaction is closed already", .problems = {}, .retry_after_s = 0, .reference = to_string(id)};
    if (in.live_call(id) != nullptr) {
        // It ends when its telephone system says so.
        in.hang_up_call(id, "api");
        return in.details(open, true);
    }
    const auto meant = disposition.empty() ? Result<const routing::Disposition*>{nullptr} : in.disposition_of(in.state.symbols.name(open.queue), disposition);
    if (!meant) return meant.error();
    const auto contact = open.contact;
    in.carry_out(open, *meant, "api");
    const auto item = in.router.item(id);
    if (item && item->state == routing::ItemState::assigned && in.state.symbols.name(open.channel) != "voice") {
        // He who had it may still say how it went, if his queue gives him the time.
        if (!disposition.empty()) in.emit(contact, InteractionDisposed{.id = id, .disposition = disposition, .by = "api"});
        if (!note.empty()) in.emit(contact, InteractionNoted{.id = id, .by = "api", .sealed = in.seal_for(contact, ConsentSecret{.evidence = note})});
        if (auto finished = in.router.finish(id, "handled", "api", in.now); !finished) return finished.error();
    } else {
        in.end_interaction(id, "completed", "handled", disposition, "api", note);
    }
    if (*meant != nullptr && !(*meant)->dnc_channels.empty()) in.settle(contact, [] {});
    else in.contact_changed(contact);
    return in.details(in.state.interactions.at(id), true);
}

Result<const routing::Disposition*> Engine::Internals::disposition_of(std::string_view queue_id, const std::string& code) const {
    const auto queue = router.queue(queue_id);
    if (!queue || queue->definition->dispositions.empty()) return nullptr;
    std::string codes;
    for (const auto& each : queue->definition->dispositions) {
        if (each.code == code) return &each;
        codes.append(codes.empty() ? "" : ", ").append(each.code);
    }
    auto detail = "\"" + code + "\" is none of the queue's dispositions: " + codes;
    return Error{.kind = ErrorKind::invalid_input, .detail = detail, .problems = {{"/disposition", detail}}, .retry_after_s = 0, .reference = "bad_request"};
}

void Engine::Internals::carry_out(const Interaction& interaction, const routing::Disposition* disposition, std::string_view by) {
    if (disposition == nullptr) return;
    const auto contact = interaction.contact;
    const auto evidence = "disposition " + disposition->code + " of interaction " + to_string(interaction.id);
    for (const auto& channel : disposition->dnc_channels)
        for (const auto& purpose : disposition->dnc_purposes.empty() ? settings.opt_out_purposes : disposition->dnc_purposes)
            withdraw(contact, channel, purpose, {}, std::string{by}, evidence, now);
}

void Engine::Internals::apply(const RecordMeta&, const InteractionDisposed& event) {
    if (const auto found = state.interactions.find(event.id); found != state.interactions.end()) found->second.disposition = event.disposition;
}

}  // namespace touchgate
