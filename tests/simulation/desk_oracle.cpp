#include "tests/simulation/desk_oracle.hpp"

#include "gateway/engine/event_codec.hpp"

namespace touchgate::simulation {

namespace {

constexpr Duration backoff{5'000};

// What a push says, in words that never change.
std::string told(const AgentPush& push) {
    struct Reader {
        std::string operator()(const PresencePush& p) const { return "presence " + p.state + " " + p.intent + " " + p.reason; }
        std::string operator()(const OfferPush& p) const { return "offer " + to_string(p.offer) + " " + std::to_string(p.fence); }
        std::string operator()(const OfferRevokedPush& p) const { return "revoked " + to_string(p.offer) + " " + p.reason; }
        std::string operator()(const ConnectedPush& p) const { return "connected " + to_string(p.interaction); }
        std::string operator()(const MessagePush& p) const { return "message " + to_string(p.interaction) + (p.message.inbound ? " in" : " out"); }
        std::string operator()(const CallStatePush& p) const { return "call " + to_string(p.interaction) + " " + p.state; }
        std::string operator()(const WrapUpPush& p) const { return "wrap up " + to_string(p.interaction); }
        std::string operator()(const ClosedPush& p) const { return "closed " + to_string(p.interaction) + " " + p.reason; }
        std::string operator()(const LeadPush& p) const { return "lead " + p.lead; }
        std::string operator()(const PromisePush& p) const { return "promise " + p.promise; }
        std::string operator()(const NoticePush& p) const { return "notice " + p.kind; }
        std::string operator()(const SnapshotPush&) const { return "snapshot"; }
    };
    return std::visit(Reader{}, push.body);
}

}  // namespace

void DeskOracle::pushed(const std::string& agent, std::uint64_t before, const AgentPush& push) {
    ++counts_.pushes;
    if (std::holds_alternative<SnapshotPush>(push.body)) return;
    if (push.seq != before + 1) fail("screen of " + agent + " gets push " + std::to_string(push.seq) + " after " + std::to_string(before));
    const auto says = told(push);
    const auto [known, is_new] = pushes_.try_emplace({agent, push.seq}, says);
    if (!is_new && known->second != says) fail("push " + std::to_string(push.seq) + " of " + agent + " was \"" + known->second + "\" and is \"" + says + "\" now");
}

void DeskOracle::leave(Item& item, const Uuid& id) {
    if (!item.agent.empty()) agents_[item.agent].items.erase(id);
    item.agent.clear();
    item.wraps = false;
}

void DeskOracle::made(const routing::OfferMade& event, Instant at) {
    ++counts_.offers;
    auto& item = items_[event.item];
    auto& agent = agents_[event.agent];
    const auto what = "offer of " + to_string(event.item) + " to " + event.agent;
    if (event.fence <= fence_) fail(what + " has the fence " + std::to_string(event.fence) + " after " + std::to_string(fence_));
    fence_ = std::max(fence_, event.fence);
    if (item.ended) fail(what + ", which has ended");
    if (!item.agent.empty()) fail(what + ", which is " + item.agent + "'s");
    if (!item.pending.empty()) fail(what + ", which is offered already");
    if (agent.session != routing::Session::signed_in) fail(what + ", who is not signed in");
    if (agent.intent != routing::Intent::ready) fail(what + ", who is not ready");
    if (agent.blocked) fail(what + ", who is blocked");
    if (!item.only.empty() && item.only != event.agent) fail(what + ", which is meant for " + item.only);
    if (static_cast<int>(agent.pending.size() + agent.items.size()) >= agent.capacity) fail(what + ", who has no capacity left");
    if (event.deadline <= unix_ms(at)) fail(what + " is over when it is made");
    // The oldest first, but for those that are held back from this very agent, or go before.
    const auto may_pass = [&](const Item& other) {
        const auto refused = other.refused.find(event.agent);
        return !other.waits || other.queue != item.queue || !other.pending.empty() || !other.only.empty() || other.front || item.front || !item.only.empty() ||
               (refused != other.refused.end() && refused->second + backoff > at);
    };
    for (const auto& [id, other] : items_)
        if (id != event.item && other.first_queued_at < item.first_queued_at && !may_pass(other)) fail(what + " in " + item.queue + " before " + to_string(id) + ", which is older: " + std::to_string(item.first_queued_at) + " " + std::to_string(other.first_queued_at) + " at " + std::to_string(unix_ms(at)) + " refused " + (other.refused.contains(event.agent) ? std::to_string(unix_ms(other.refused.at(event.agent))) : "never") + " strategy " + event.trace.strategy);
    ++counts_.in_order;
    item.pending.insert(event.offer);
    agent.pending.insert(event.offer);
    offers_[event.offer] = {.item = event.item, .agent = event.agent};
}

void DeskOracle::ended(const routing::OfferEnded& event, Instant at) {
    const auto found = offers_.find(event.offer);
    if (found == offers_.end()) {
        fail("offer " + to_string(event.offer) + (over_.contains(event.offer) ? " ends twice" : " ends and was never made"));
        return;
    }
    auto& item = items_[event.item];
    auto& agent = agents_[event.agent];
    item.pending.erase(event.offer);
    agent.pending.erase(event.offer);
    offers_.erase(found);
    over_.insert(event.offer);
    switch (event.result) {
        case routing::OfferResult::accepted:
            ++counts_.accepted;
            taken_.insert({event.agent, event.item});
            if (!item.agent.empty()) fail("interaction " + to_string(event.item) + " is accepted twice");
            item.agent = event.agent;
            item.waits = item.front = false;
            item.only.clear();
            agent.items.insert(event.item);
            break;
        case routing::OfferResult::rejected: ++counts_.rejected; break;
        case routing::OfferResult::timed_out: ++counts_.timed_out; break;
        case routing::OfferResult::rescinded: ++counts_.rescinded; break;
        case routing::OfferResult::cancelled: ++counts_.cancelled; break;
        case routing::OfferResult::pending: fail("an offer ends as pending"); break;
    }
    if (event.result == routing::OfferResult::rejected || event.result == routing::OfferResult::timed_out) item.refused[event.agent] = at;
    if (event.blocks) agent.blocked = true;
}

void DeskOracle::take(const Record& record) {
    if (record.type < static_cast<std::uint16_t>(EventType::interaction_opened)) return;
    const auto with = [&]<class E>(E event, auto act) {
        if (!decode(record.payload, event)) fail("record " + std::to_string(record.sequence) + " cannot be decoded");
        else act(event);
    };
    switch (static_cast<EventType>(record.type)) {
        case EventType::agent_updated:
            with(AgentUpdated{}, [&](const AgentUpdated& e) { agents_[e.id].capacity = Json::parse(e.document)["capacity"].value("sms", 0); });
            break;
        case EventType::agent_session:
            with(AgentSession{}, [&](const AgentSession& e) {
                agents_[e.agent].session = e.session;
                if (e.session == routing::Session::offline) agents_[e.agent].intent = routing::Intent::not_ready;
            });
            break;
        case EventType::agent_intent:
            with(AgentIntent{}, [&](const AgentIntent& e) {
                agents_[e.agent].intent = e.intent;
                if (e.intent == routing::Intent::ready) agents_[e.agent].blocked = false;
            });
            break;
        case EventType::interaction_queued:
            with(InteractionQueued{}, [&](const InteractionQueued& e) {
                auto& item = items_[e.item];
                if (item.ended) fail("interaction " + to_string(e.item) + " is queued after its end");
                if (!item.pending.empty()) fail("interaction " + to_string(e.item) + " is queued while it is offered");
                leave(item, e.item);
                if (item.first_queued_at != 0 && item.first_queued_at != e.first_queued_at) fail("the age of interaction " + to_string(e.item) + " is reset");
                item.queue = e.queue;
                item.only = e.only;
                item.front = e.front;
                item.first_queued_at = e.first_queued_at;
                item.waits = true;
            });
            break;
        case EventType::offer_made: with(OfferMade{}, [&](const OfferMade& e) { made(e, record.time); }); break;
        case EventType::offer_ended: with(OfferEnded{}, [&](const OfferEnded& e) { ended(e, record.time); }); break;
        case EventType::interaction_assigned:
            with(InteractionAssigned{}, [&](const InteractionAssigned& e) {
                auto& item = items_[e.item];
                if (!item.pending.empty()) fail("interaction " + to_string(e.item) + " is given to " + e.agent + " while it is offered");
                leave(item, e.item);
                item.agent = e.agent;
                item.waits = item.front = false;
                agents_[e.agent].items.insert(e.item);
            });
            break;
        case EventType::interaction_wrapping:
            with(InteractionWrapping{}, [&](const InteractionWrapping& e) {
                // The place of a conversation is free at once.
                auto& item = items_[e.item];
                item.wraps = true;
                agents_[item.agent].items.erase(e.item);
            });
            break;
        case EventType::interaction_closed:
            with(InteractionClosed{}, [&](const InteractionClosed& e) {
                auto& item = items_[e.id];
                if (item.ended) fail("interaction " + to_string(e.id) + " ends twice");
                if (!item.pending.empty()) fail("interaction " + to_string(e.id) + " ends while it is offered");
                leave(item, e.id);
                item.ended = true;
                item.waits = false;
                ++counts_.closed;
            });
            break;
        default: break;
    }
}

void DeskOracle::check_end() {
    for (const auto& [agent, interaction] : answered_)
        if (!taken_.contains({agent, interaction})) fail(agent + " was told that " + to_string(interaction) + " is his, and the log does not say so");
    for (const auto& [id, item] : items_) {
        if (item.waits && !item.ended) fail("interaction " + to_string(id) + " still waits in " + item.queue + (item.only.empty() ? "" : " for " + item.only));
        if (!item.pending.empty()) fail("interaction " + to_string(id) + " is still offered");
        if (item.wraps && !item.ended) fail("interaction " + to_string(id) + " is still wrapped up");
    }
    if (counts_.offers != counts_.accepted + counts_.rejected + counts_.timed_out + counts_.rescinded + counts_.cancelled + offers_.size()) fail("offers do not add up");
}

}  // namespace touchgate::simulation
