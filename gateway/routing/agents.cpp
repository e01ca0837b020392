// Commands about definitions and agents.

#include <algorithm>

#include "gateway/routing/internals.hpp"

namespace touchgate::routing {

namespace {

Error no_such_agent(std::string_view id) { return not_found("unknown_agent", "there is no agent \"" + std::string{id} + "\""); }

// He did not ask for it himself, or cannot be asked any more.
bool is_forced(std::string_view cause, std::string_view actor) {
    return !actor.empty() || cause == "lease" || cause == "grace" || cause == "supervisor" || cause == "disabled" || cause == "forced";
}

}  // namespace

Router::Internals::Internals(RouterSettings given, Journal& journal_of, Random& random_of) : settings{std::move(given)}, journal{journal_of}, random{random_of} {}

Router::Router(RouterSettings settings, Journal& journal, Random& random) : internals_{std::make_unique<Internals>(std::move(settings), journal, random)} {}
Router::~Router() = default;

void Router::apply(const Event& event, Instant at) {
    internals_->last_at = std::max(internals_->last_at, at);
    internals_->clock = std::max(internals_->clock, at);
    if (internals_->deciding == 0) internals_->unsettled = true;
    std::visit([&](const auto& one) { internals_->on(one, at); }, event);
}

Result<bool> Router::put_agent(const std::string& id, const Json& document, Instant now) {
    auto& in = *internals_;
    std::vector<Problem> problems;
    const auto definition = parse_agent(id, document, problems);
    for (std::size_t i = 0; i < definition.queues.size(); ++i)
        if (in.find_queue(definition.queues[i].queue) == nobody)
            problems.push_back({pointer_to("/queues", i), "there is no queue \"" + definition.queues[i].queue + "\""});
    if (!problems.empty()) {
        auto detail = problems.front().detail;
        return Error{.kind = ErrorKind::invalid_input, .detail = std::move(detail), .problems = std::move(problems)};
    }
    auto text = document.dump();
    if (const auto known = in.find_agent(id); known != nobody && in.agents[known]->document == text) return false;
    const Decision decision{in, now};
    in.append(AgentDefined{.id = id, .document = std::move(text)});
    in.withdraw_unroutable(in.find_agent(id));
    return true;
}

Result<bool> Router::put_queue(const std::string& id, const Json& document, Instant now) {
    auto& in = *internals_;
    std::vector<Problem> problems;
    (void)parse_queue(id, document, problems);
    if (!problems.empty()) {
        auto detail = problems.front().detail;
        return Error{.kind = ErrorKind::invalid_input, .detail = std::move(detail), .problems = std::move(problems)};
    }
    auto text = document.dump();
    if (const auto known = in.find_queue(id); known != nobody && in.queues[known]->document == text) return false;
    const Decision decision{in, now};
    in.append(QueueDefined{.id = id, .document = std::move(text)});
    return true;
}

Result<void> Router::sign_in(std::string_view agent_id, std::string_view cause, Instant now) {
    auto& in = *internals_;
    const auto number = in.find_agent(agent_id);
    if (number == nobody) return no_such_agent(agent_id);
    auto& agent = *in.agents[number];
    if (agent.definition.disabled) return Error{.kind = ErrorKind::forbidden, .detail = "the agent is disabled", .reference = "not_allowed"};
    if (agent.session == Session::signed_in) return {};
    const Decision decision{in, now};
    in.look_at_shift(agent, number, now);
    in.append(AgentSessionChanged{.agent = agent.id, .session = Session::signed_in, .cause = std::string{cause}, .actor = {}});
    return {};
}

Result<void> Router::sign_out(std::string_view agent_id, std::string_view cause, std::string_view actor, Instant now) {
    auto& in = *internals_;
    const auto number = in.find_agent(agent_id);
    if (number == nobody) return no_such_agent(agent_id);
    auto& agent = *in.agents[number];
    if (agent.session == Session::offline) return {};
    const bool in_call = std::any_of(agent.items.begin(), agent.items.end(), [&](auto item) { return in.items[item].channel == voice && in.items[item].state == ItemState::assigned; });
    if (in_call && !is_forced(cause, actor)) return conflict("wrong_state", "a call is still his");
    const Decision decision{in, now};
    in.append(AgentSessionChanged{.agent = agent.id, .session = Session::offline, .cause = std::string{cause}, .actor = std::string{actor}});
    in.withdraw_offers_of(number, "not_routable");
    in.go_offline_with_work(number, now);
    return {};
}

Result<void> Router::lapse(std::string_view agent_id, Instant now) {
    auto& in = *internals_;
    const auto number = in.find_agent(agent_id);
    if (number == nobody) return no_such_agent(agent_id);
    auto& agent = *in.agents[number];
    if (agent.session == Session::offline) return conflict("wrong_state", "he is not signed in");
    const Decision decision{in, now};
    if (agent.session != Session::fault) in.append(AgentSessionChanged{.agent = agent.id, .session = Session::fault, .cause = "lease", .actor = {}});
    in.withdraw_offers_of(number, "not_routable");
    return {};
}

Result<void> Router::set_intent(std::string_view agent_id, Intent intent, std::string_view reason, std::string_view actor, Instant now) {
    auto& in = *internals_;
    const auto number = in.find_agent(agent_id);
    if (number == nobody) return no_such_agent(agent_id);
    auto& agent = *in.agents[number];
    if (agent.session == Session::offline) return conflict("wrong_state", "he is not signed in");
    const bool busy = !agent.items.empty();
    const auto wanted = intent == Intent::ready ? Intent::ready : busy ? Intent::after_current : Intent::not_ready;
    if (agent.intent == wanted && agent.reason == reason && !(wanted == Intent::ready && agent.blocked)) return {};
    const Decision decision{in, now};
    in.append(AgentIntentChanged{.agent = agent.id, .intent = wanted, .reason = std::string{reason}, .cause = actor.empty() ? "agent" : "supervisor", .actor = std::string{actor}});
    if (wanted != Intent::ready) in.withdraw_offers_of(number, "not_routable");
    return {};
}

Result<void> Router::set_health(std::string_view agent_id, bool healthy, std::string_view reason, Instant now) {
    auto& in = *internals_;
    const auto number = in.find_agent(agent_id);
    if (number == nobody) return no_such_agent(agent_id);
    auto& agent = *in.agents[number];
    if (agent.healthy == healthy && agent.health_reason == reason) return {};
    const Decision decision{in, now};
    in.append(AgentHealthChanged{.agent = agent.id, .healthy = healthy, .reason = std::string{reason}});
    if (!healthy) in.withdraw_offers_of(number, "not_routable");
    return {};
}

void Router::Internals::withdraw_offers_of(AgentNumber number, std::string_view reason) {
    while (!agents[number]->offers.empty()) {
        const auto offer = agents[number]->offers.back();
        const auto item = offers[offer].item;
        end_offer(offer, OfferResult::rescinded, reason, {}, false);
        back_to_queue(item, to_string(OfferResult::rescinded));
    }
}

void Router::Internals::withdraw_unroutable(AgentNumber number) {
    if (!agents[number]->routable) withdraw_offers_of(number, "not_routable");
}

void Router::Internals::go_offline_with_work(AgentNumber number, Instant now) {
    std::vector<ItemNumber> conversations;
    for (const auto item : agents[number]->items)
        if (items[item].channel != voice && items[item].state == ItemState::assigned) conversations.push_back(item);
    for (const auto item : conversations) {
        if (items[item].queue == nobody) continue;
        const auto& definition = queues[items[item].queue]->definition;
        if (definition.requeue_on_offline && agents[number]->session_since + definition.hold_for <= now) requeue(item, items[item].queue, {}, false, "agent_offline");
    }
    // Perhaps he was the last one.
    const auto look = [&](const SortedBlocks<WaitingKey>& waiting) { waiting.each([&](const WaitingKey& key) { touch_item(key.item); return true; }); };
    look(agents[number]->own);
    for (const auto& membership : agents[number]->memberships) {
        const auto& queue = *queues[membership.queue];
        if (!queue.definition.when_empty) continue;
        for (const auto lane : queue.lanes)
            if (queue.signed_in_by_channel[lanes[lane]->channel] == 0) look(lanes[lane]->items);
    }
}

}  // namespace touchgate::routing
