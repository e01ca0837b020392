// Numbered pushes to agents: which there are is a fold of the log; each is made when it is sent, and sent when it is durable.

#include <algorithm>

#include "gateway/base/text.hpp"
#include "gateway/engine/internals.hpp"
#include "gateway/routing/parts.hpp"

namespace touchgate {

namespace {

constexpr std::size_t pushes_at_once = 256;

std::vector<std::string> codes_of(const routing::Router& router, const std::string& queue) {
    std::vector<std::string> codes;
    if (const auto view = router.queue(queue))
        for (const auto& disposition : view->definition->dispositions) codes.push_back(disposition.code);
    return codes;
}

// Presence as it is kept: lines of state, intent, reason, and one line a channel with what is used and what there is.
std::string to_lines(const PresencePush& presence) {
    auto text = presence.state + '\n' + presence.intent + '\n' + presence.reason;
    std::replace(text.begin() + static_cast<std::ptrdiff_t>(presence.state.size() + presence.intent.size() + 2), text.end(), '\n', ' ');
    for (const auto& slot : presence.slots) text += '\n' + slot.channel + ' ' + std::to_string(slot.used) + ' ' + std::to_string(slot.capacity);
    return text;
}

PresencePush from_lines(const std::string& agent, std::string_view text) {
    PresencePush presence{.agent = agent, .state = {}, .intent = {}, .reason = {}, .slots = {}};
    for (int line = 0; !text.empty() || line < 3; ++line) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto part = std::string{text.substr(0, end)};
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line == 0) presence.state = part;
        else if (line == 1) presence.intent = part;
        else if (line == 2) presence.reason = part;
        else {
            const auto first = part.find(' '), second = part.rfind(' ');
            presence.slots.push_back({.channel = part.substr(0, first), .used = std::atoi(part.c_str() + first + 1), .capacity = std::atoi(part.c_str() + second + 1)});
        }
    }
    return presence;
}

}  // namespace

PresencePush Engine::Internals::presence_of(const std::string& agent) const {
    const auto view = router.agent(agent);
    PresencePush presence{.agent = agent, .state = "offline", .intent = "not_ready", .reason = {}, .slots = {}};
    if (!view) return presence;
    presence.state = routing::to_string(view->state);
    presence.intent = routing::to_string(view->intent);
    presence.reason = view->reason;
    for (const auto& slot : view->slots) presence.slots.push_back({.channel = slot.channel, .used = slot.used, .capacity = slot.capacity});
    return presence;
}

// ---- the fold

void Engine::Internals::push_to(const std::string& agent, KeptPush push, const RecordMeta& meta) {
    const auto found = state.agents.find(agent);
    if (found == state.agents.end()) return;
    auto& row = found->second;
    push.seq = ++row.last_seq;
    row.kept.push_back(std::move(push));
    while (row.kept.size() > AgentRow::kept_max || row.kept.front().at + AgentRow::kept_for < meta.time) row.kept.pop_front();
    if (!meta.replay) to_push.insert(agent);
}

void Engine::Internals::show_presence(const std::string& agent, const RecordMeta& meta) {
    const auto found = state.agents.find(agent);
    if (found == state.agents.end()) return;
    auto lines = to_lines(presence_of(agent));
    if (lines == found->second.shown) return;
    found->second.shown = lines;
    if (!meta.replay) restless.push_back(agent);
    push_to(agent, {.at = meta.time, .kind = PushKind::presence, .text = std::move(lines), .more = {}}, meta);
}

void Engine::Internals::apply(const RecordMeta&, const AgentStateChanged& event) {
    if (const auto found = state.agents.find(event.agent); found != state.agents.end()) found->second.state = event.to;
}

void Engine::Internals::apply(const RecordMeta& meta, const AgentNoticed& event) {
    if (const auto found = state.interactions.find(event.interaction); found != state.interactions.end()) {
        if (event.kind == "reply_due" && found->second.reminders < 250) ++found->second.reminders;
        if (event.kind == "idle") found->second.idle_told_at = meta.time;
    }
    if (event.agent.empty()) return;
    push_to(event.agent, {.at = meta.time, .kind = PushKind::notice, .interaction = event.interaction, .text = event.kind, .more = {}}, meta);
}

// ---- sending

OfferPush Engine::Internals::offer_push(const Uuid& offer, const Uuid& interaction) {
    OfferPush made{.offer = offer, .interaction = interaction, .queue = {}, .channel = {}, .account = {}, .direction = "inbound", .campaign = {}, .contact = {}, .last_text = {},
                   .from = {}, .to = {}};
    if (const auto view = router.offer(offer)) {
        made.fence = view->fence;
        made.expires_at = view->deadline;
        made.auto_answer = view->auto_answer;
        made.preview = view->preview;
    }
    const auto found = state.interactions.find(interaction);
    if (found == state.interactions.end()) return made;
    const auto& row = found->second;
    made.queue = state.symbols.name(row.queue);
    made.channel = state.symbols.name(row.channel);
    made.account = state.symbols.name(row.account);
    made.campaign = state.symbols.name(row.campaign);
    if (row.outbound) made.direction = "outbound";
    if (const auto call = state.calls.find(interaction); call != state.calls.end()) {
        CallSecret numbers;
        if (!call->second.sealed.empty() && unseal_of(row.contact, call->second.sealed, numbers)) {
            made.from = mask_phone(numbers.from);
            made.to = mask_phone(numbers.to);
        }
    } else if (row.outbound && row.address != 0) {
        made.to = mask_phone(state.addresses[row.address].value);
    }
    if (const auto number = row_of(row.touch); number != 0 && row.outbound)
        if (const auto* content = content_of(touch(number)))
            for (const auto& [name, value] : content->variables) made.variables[name] = value;
    made.contact = card_of(row.contact);
    for (auto i = row.messages.size(); i-- > 0;)
        if (row.messages[i].inbound) {
            auto last = row;
            last.messages = {row.messages[i]};
            const auto shown = details(last, true);
            if (!shown.messages.empty()) made.last_text = shown.messages.front().text;
            break;
        }
    return made;
}

std::shared_ptr<const AgentPush> Engine::Internals::make_push(const std::string& agent, KeptPush& kept) {
    if (kept.made) return kept.made;
    auto made = std::make_shared<AgentPush>();
    made->seq = kept.seq;
    made->at = kept.at;
    switch (kept.kind) {
        case PushKind::presence: made->body = from_lines(agent, kept.text); break;
        case PushKind::offer: {
            auto offer = offer_push(kept.offer, kept.interaction);
            // Also of an offer that is over by now: it is what was pushed then.
            offer.fence = kept.number;
            offer.expires_at = from_unix_ms(kept.until);
            offer.auto_answer = (kept.flags & 1U) != 0;
            offer.preview = (kept.flags & 2U) != 0;
            made->body = std::move(offer);
            break;
        }
        case PushKind::offer_revoked: made->body = OfferRevokedPush{.offer = kept.offer, .interaction = kept.interaction, .reason = kept.text}; break;
        case PushKind::connected: {
            ConnectedPush connected{.interaction = kept.interaction, .channel = {}, .contact_id = {}, .queue = {}};
            if (const auto found = state.interactions.find(kept.interaction); found != state.interactions.end()) {
                connected.channel = state.symbols.name(found->second.channel);
                connected.contact_id = state.contact_ids[found->second.contact.value];
                connected.queue = state.symbols.name(found->second.queue);
            }
            made->body = std::move(connected);
            break;
        }
        case PushKind::message: {
            MessagePush message{.interaction = kept.interaction, .message = {}};
            if (const auto found = state.interactions.find(kept.interaction); found != state.interactions.end()) {
                auto only = found->second;
                only.messages = {{.at = kept.at, .position = LogPosition{kept.position}, .touch = kept.touch, .inbound = (kept.flags & 1U) != 0}};
                auto shown = details(only, true);
                if (!shown.messages.empty()) message.message = std::move(shown.messages.front());
            }
            made->body = std::move(message);
            break;
        }
        case PushKind::call_state: made->body = CallStatePush{.interaction = kept.interaction, .state = kept.text, .cause = kept.more}; break;
        case PushKind::wrap_up:
            made->body = WrapUpPush{.interaction = kept.interaction, .deadline = kept.until == 0 ? std::nullopt : std::optional{from_unix_ms(kept.until)},
                                    .codes = codes_of(router, kept.text)};
            break;
        case PushKind::closed: made->body = ClosedPush{.interaction = kept.interaction, .reason = kept.text}; break;
        case PushKind::lead: made->body = LeadPush{.lead = kept.text, .contact = kept.more, .due_at = from_unix_ms(kept.until)}; break;
        case PushKind::promise: {
            PromisePush promise{.promise = to_string(kept.offer), .contact = {}, .channel = {}, .note = {}};
            if (const auto found = state.promises.find(kept.offer); found != state.promises.end()) {
                const auto shown = details(found->second);
                promise.contact = shown.contact_id;
                promise.channel = shown.channel;
                promise.note = shown.note;
                promise.at = shown.at;
            }
            made->body = std::move(promise);
            break;
        }
        case PushKind::notice: made->body = NoticePush{.kind = kept.text, .interaction = kept.interaction, .text = kept.more}; break;
        case PushKind::snapshot: made->body = NoticePush{.kind = "snapshot", .interaction = {}, .text = {}}; break;
    }
    kept.made = made;
    return made;
}

std::shared_ptr<const AgentPush> Engine::Internals::snapshot_of(const std::string& agent) {
    auto snapshot = std::make_shared<AgentPush>();
    SnapshotPush body{.presence = presence_of(agent), .offers = {}, .interactions = {}};
    if (const auto view = router.agent(agent)) {
        const auto offers = view->offers, items = view->items;
        for (const auto& offer : offers)
            if (const auto made = router.offer(offer)) body.offers.push_back(offer_push(offer, made->item));
        for (const auto& item : items)
            if (const auto row = state.interactions.find(routing::whole_of(item).value_or(item)); row != state.interactions.end()) body.interactions.push_back(details(row->second, true));
    }
    snapshot->seq = state.agents[agent].last_seq;
    snapshot->at = now;
    snapshot->body = std::move(body);
    return snapshot;
}

void Engine::Internals::deliver(const std::string& agent, AgentRuntime::Connected& to) {
    const auto found = state.agents.find(agent);
    if (found == state.agents.end()) return;
    auto& kept = found->second.kept;
    while (to.started && to.takes && to.sent < found->second.last_seq && !kept.empty()) {
        std::vector<std::shared_ptr<const AgentPush>> pushes;
        // It was slow for so long that some are not kept any more: what holds now stands for all of them.
        if (to.sent + 1 < kept.front().seq) pushes.push_back(snapshot_of(agent));
        else
            for (auto seq = to.sent + 1; seq <= found->second.last_seq && pushes.size() < pushes_at_once; ++seq)
                pushes.push_back(make_push(agent, kept[static_cast<std::size_t>(seq - kept.front().seq)]));
        to.sent = pushes.back()->seq;
        to.takes = to.connection->push(std::move(pushes));
    }
}

void Engine::Internals::deliver_pushes() {
    for (const auto& agent : std::exchange(to_push, {}))
        if (const auto desk = desks.find(agent); desk != desks.end())
            for (auto& connected : desk->second.connected) deliver(agent, connected);
    // Made once for all connections of now; made again if one comes back for them.
}

}  // namespace touchgate
