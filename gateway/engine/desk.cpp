// What an agent's connection asks for: to be connected, to say how he is, to take offers, to talk with customers.

#include "gateway/engine/internals.hpp"
#include "gateway/engine/refusals.hpp"

namespace touchgate {

namespace {

// His own, or of what he supervises.
bool is_his(Engine::Internals& in, const std::string& agent, const Interaction& of, bool or_supervised) {
    return of.agent == agent || (or_supervised && in.supervises(agent, in.state.symbols.name(of.queue), of.agent));
}

}  // namespace

// ---- connections

Result<Hello> Desk::attach(const std::string& agent, std::shared_ptr<AgentConnection> connection) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto view = in.router.agent(agent);
    if (!view || view->definition->disabled) return refused("not_allowed", "there is no agent " + agent, ErrorKind::not_found);
    auto& desk = in.desks[agent];
    desk.connected.push_back({.connection = std::move(connection)});
    desk.heard = in.monotonic;
    Hello hello{.agent = agent, .name = view->definition->name, .role = view->definition->role == routing::Role::supervisor ? "supervisor" : "agent", .session = in.ids.next(in.now),
                .last_seq = 0, .lease = in.settings.agents.lease, .rights = view->definition->rights, .dial_purposes = view->definition->dial_purposes,
                .supervises = view->definition->supervises};
    if (view->session != routing::Session::signed_in) {
        desk.lapsed = false;
        if (auto signed_in = in.router.sign_in(agent, "sign_in", in.now); !signed_in) return signed_in.error();
        if (in.settings.agents.require_health && desk.connected.size() == 1) (void)in.router.set_health(agent, false, "not_reported", in.now);
    }
    in.watch_lease(agent, in.monotonic + in.settings.agents.lease);
    hello.last_seq = in.state.agents[agent].last_seq;
    return hello;
}

void Desk::detach(const std::string& agent, const std::shared_ptr<AgentConnection>& connection) {
    auto& connected = engine_.internals().desks[agent].connected;
    std::erase_if(connected, [&](const AgentRuntime::Connected& each) { return each.connection == connection; });
}

void Desk::heard(const std::string& agent) {
    auto& in = engine_.internals();
    const auto desk = in.desks.find(agent);
    if (desk == in.desks.end() || desk->second.connected.empty()) return;
    desk->second.heard = in.monotonic;
    // He was only slow: his connection has lived all the time.
    if (!desk->second.lapsed) return;
    desk->second.lapsed = false;
    (void)in.router.sign_in(agent, "heartbeat", in.now);
    in.watch_lease(agent, in.monotonic + in.settings.agents.lease);
}

namespace {

AgentRuntime::Connected* find_connection(Engine::Internals& in, const std::string& agent, const std::shared_ptr<AgentConnection>& connection) {
    for (auto& each : in.desks[agent].connected)
        if (each.connection == connection) return &each;
    return nullptr;
}

}  // namespace

Result<void> Desk::resume(const std::string& agent, const std::shared_ptr<AgentConnection>& connection, std::uint64_t after) {
    auto& in = engine_.internals();
    auto* found = find_connection(in, agent, connection);
    if (found == nullptr) return refused("wrong_state", "the connection is not signed in");
    const auto& row = in.state.agents[agent];
    const auto oldest = row.kept.empty() ? row.last_seq + 1 : row.kept.front().seq;
    if (after > row.last_seq || after + 1 < oldest) return refused("resume_too_old", "pushes after " + std::to_string(after) + " are not kept any more; a snapshot follows");
    found->started = true;
    found->sent = after;
    in.engine.after_sync([&in, agent, connection] {
        if (auto* still = find_connection(in, agent, connection)) in.deliver(agent, *still);
    });
    return {};
}

Result<void> Desk::snapshot(const std::string& agent, const std::shared_ptr<AgentConnection>& connection) {
    auto& in = engine_.internals();
    auto* found = find_connection(in, agent, connection);
    if (found == nullptr) return refused("wrong_state", "the connection is not signed in");
    const auto snapshot = in.snapshot_of(agent);
    found->started = true;
    found->sent = snapshot->seq;
    in.engine.after_sync([&in, agent, connection, snapshot] {
        auto* still = find_connection(in, agent, connection);
        if (still == nullptr) return;
        still->takes = still->connection->push({snapshot});
        in.deliver(agent, *still);
    });
    return {};
}

void Desk::pull(const std::string& agent, const std::shared_ptr<AgentConnection>& connection) {
    auto& in = engine_.internals();
    auto* found = find_connection(in, agent, connection);
    if (found == nullptr) return;
    found->takes = true;
    in.engine.after_sync([&in, agent, connection] {
        if (auto* still = find_connection(in, agent, connection)) in.deliver(agent, *still);
    });
}

// ---- presence

Result<PresencePush> Desk::set_presence(const std::string& agent, std::string_view state, const std::string& reason) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    if (state == "offline") {
        in.agent_gone(agent, "sign_out", {});
        return in.presence_of(agent);
    }
    const auto view = in.router.agent(agent);
    if (!view) return refused("not_allowed", "there is no agent " + agent);
    if (view->session == routing::Session::offline)
        if (auto signed_in = in.router.sign_in(agent, "sign_in", in.now); !signed_in) return signed_in.error();
    const auto intent = state == "ready"           ? std::optional{routing::Intent::ready}
                        : state == "not_ready"     ? std::optional{routing::Intent::not_ready}
                        : state == "after_current" ? std::optional{routing::Intent::after_current}
                                                   : std::nullopt;
    if (!intent) return refused("bad_request", "state is one of ready, not_ready, after_current, offline", ErrorKind::invalid_input);
    if (auto set = in.router.set_intent(agent, *intent, reason, {}, in.now); !set) return set.error();
    return in.presence_of(agent);
}

Result<void> Desk::report_health(const std::string& agent, bool healthy, const std::string& reason) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto view = in.router.agent(agent);
    if (!view) return refused("not_allowed", "there is no agent " + agent);
    if (view->healthy == healthy) return {};
    return in.router.set_health(agent, healthy, reason, in.now);
}

// ---- offers and conversations

Result<InteractionDetails> Desk::accept(const std::string& agent, const Uuid& offer, std::optional<std::uint64_t> fence) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto view = in.router.offer(offer);
    const auto interaction = view ? view->item : Uuid{};
    if (view && view->preview && view->agent == agent && (!fence || *fence == view->fence) && in.now < view->deadline)
        if (auto may = in.may_dial_shown(agent, interaction); !may) return may.error();
    const auto phase = in.live_call(interaction) != nullptr || (view && view->preview) ? routing::Phase::dialing : routing::Phase::active;  // a call has yet to reach his telephone
    if (auto accepted = in.router.accept(agent, offer, fence, in.now, phase); !accepted) return accepted.error();
    const auto found = in.state.interactions.find(interaction);
    if (found == in.state.interactions.end()) return refused("unknown_interaction", "the interaction is gone");
    in.offer_accepted(found->second);
    return in.details(found->second, true);
}

Result<void> Desk::reject(const std::string& agent, const Uuid& offer, const std::string& reason) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    return in.router.reject(agent, offer, reason.empty() ? "rejected" : reason, in.now);
}

Result<TouchView> Desk::send(const std::string& agent, const Uuid& interaction, TouchRequest request) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto found = in.state.interactions.find(interaction);
    if (found == in.state.interactions.end()) return refused("unknown_interaction", "there is no interaction " + to_string(interaction));
    if (!is_his(in, agent, found->second, true)) return refused("not_yours", "the interaction is not yours");
    if (found->second.is_closed() || found->second.state == "wrapping") return refused("wrong_state", "the interaction is closed");
    request.origin = policy::Origin::reply;
    auto sent = in.reply(interaction, request);
    if (sent && sent->decision.decision.verdict != policy::Verdict::deny) in.lead_answered(found->second.contact, agent);
    if (!sent && sent.error().reference.empty()) {
        auto error = sent.error();
        error.reference = error.kind == ErrorKind::invalid_input ? "bad_request" : "wrong_state";
        return error;
    }
    return sent;
}

Result<InteractionDetails> Desk::wrap_up(const std::string& agent, const Uuid& interaction, const std::string& disposition, const std::string& note) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto found = in.state.interactions.find(interaction);
    if (found == in.state.interactions.end()) return refused("unknown_interaction", "there is no interaction " + to_string(interaction));
    auto& row = found->second;
    const auto part = in.part_in_wrap_up(agent, interaction);
    if (!part && !is_his(in, agent, row, false)) return refused("not_yours", "the interaction is not yours");
    const bool talks = in.state.symbols.name(row.channel) == "voice";
    if (!part && row.state != "wrapping" && (talks || row.state != "assigned")) return refused("wrong_state", talks ? "the call is not over" : "the interaction is " + row.state);
    const auto item = part ? in.router.item(*part) : std::nullopt;
    const auto meant = in.disposition_of(item ? item->queue : in.state.symbols.name(row.queue), disposition);
    if (!meant) return meant.error();
    const auto contact = row.contact;
    in.carry_out(row, *meant, "agent");
    if (part) {
        const auto sealed = note.empty() ? std::string{} : in.seal_for(contact, ConsentSecret{.evidence = note});
        (void)in.router.end({.id = *part, .state = "completed", .outcome = "transferred", .disposition = disposition, .reason = "transfer", .sealed = sealed}, in.now);
    } else {
        in.end_interaction(interaction, "completed", row.outcome.empty() ? "handled" : row.outcome, disposition, "agent", note);
    }
    if (*meant != nullptr && !(*meant)->dnc_channels.empty()) in.settle(contact, [] {});
    else in.contact_changed(contact);
    return in.details(in.state.interactions.at(interaction), true);
}

Result<InteractionDetails> Desk::interaction(const std::string& agent, const Uuid& interaction) {
    auto& in = engine_.internals();
    const auto found = in.state.interactions.find(interaction);
    if (found == in.state.interactions.end()) return refused("unknown_interaction", "there is no interaction " + to_string(interaction));
    if (!is_his(in, agent, found->second, true) && found->second.last_agent != agent) return refused("not_yours", "the interaction is not yours");
    return in.details(found->second, true);
}

Result<ContactCard> Desk::card(const std::string& agent, const std::string& contact) {
    auto& in = engine_.internals();
    const auto row = in.contact_row(contact);
    const auto view = in.router.agent(agent);
    // He sees whom he talks with, whom he owns, who belongs to his unit, and who has him as a contact in WeCom.
    const auto may_see = [&] {
        if (!view) return false;
        const auto* extras = in.state.contacts[row].extras.get();
        if (extras != nullptr && (extras->owner == agent || (!view->definition->unit.empty() && extras->unit == view->definition->unit))) return true;
        const auto& userid = view->definition->wecom_userid;
        for (const auto address : in.state.contacts[row].addresses)
            if (const auto* reach = in.state.addresses[address].reach.get(); reach != nullptr && !userid.empty())
                if (std::any_of(reach->followers.begin(), reach->followers.end(), [&](const Reach::Follower& each) { return each.employee == userid; })) return true;
        const auto known = in.state.interactions_of.find(row);
        if (known == in.state.interactions_of.end()) return false;
        return std::any_of(known->second.begin(), known->second.end(), [&](const Uuid& id) {
            const auto found = in.state.interactions.find(id);
            if (found == in.state.interactions.end()) return false;
            if (found->second.last_agent == agent || is_his(in, agent, found->second, true)) return true;
            return std::any_of(view->offers.begin(), view->offers.end(), [&](const Uuid& offer) {
                const auto made = in.router.offer(offer);
                return made && made->item == id;
            });
        });
    };
    if (row == 0 || !may_see()) return refused("not_yours", "there is no contact " + contact + " of yours", ErrorKind::not_found);
    return in.card_of(ContactIndex{row});
}

std::string Desk::contact_called(const std::string& external_userid) {
    auto& in = engine_.internals();
    const auto address = in.find_address({.kind = AddressKind::external_userid, .value = external_userid, .account = {}});
    return address == 0 || in.state.addresses[address].owners.empty() ? std::string{} : in.state.contact_ids[in.state.addresses[address].owners.front().value];
}

Result<void> Desk::do_not_contact(const std::string& agent, const std::string& contact, const std::vector<std::string>& channels) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    if (auto seen = card(agent, contact); !seen) return seen.error();
    const auto index = ContactIndex{in.contact_row(contact)};
    for (const auto& channel : channels)
        if (channel != "*" && !in.is_channel(channel)) return refused("bad_request", "\"" + channel + "\" is no channel", ErrorKind::invalid_input);
    for (const auto& channel : channels.empty() ? std::vector<std::string>{"*"} : channels)
        for (const auto& purpose : in.settings.opt_out_purposes) in.withdraw(index, channel, purpose, {}, "agent", "agent " + agent, in.now);
    in.settle(index, [] {});
    return {};
}

}  // namespace touchgate
