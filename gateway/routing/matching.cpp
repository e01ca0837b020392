// Who gets what, after each command: an item that has come to wait looks for an agent, an agent who has become free looks for the highest item of all his
// queues. Whoever is free and listed has no item that waits for him, and no waiting item has an agent: so only what has changed must be looked at.

#include <algorithm>

#include "gateway/routing/internals.hpp"

namespace touchgate::routing {

namespace {

bool is_voice(const ItemRecord& item) { return item.channel == voice; }

}  // namespace

Decision::Decision(Router::Internals& router, Instant now) : router_{router}, now_{now} {
    if (router_.unsettled && router_.deciding == 0) {
        ++router_.deciding;
        router_.look_at_everything(now_);
        router_.settle(now_);
        --router_.deciding;
    }
    ++router_.deciding;
}

Decision::~Decision() {
    if (router_.deciding == 1) router_.settle(now_);
    --router_.deciding;
}

bool Router::Internals::in_backoff(const ItemRecord& item, AgentNumber agent, Instant now) {
    for (const auto& backoff : item.backoffs)
        if (backoff.agent == agent && backoff.until > unix_ms(now)) return true;
    return false;
}

bool Router::Internals::has_offer(const ItemRecord& item, AgentNumber agent) const {
    return std::any_of(item.offers.begin(), item.offers.end(), [&](auto number) { return offers[number].agent == agent; });
}

ChoiceTrace Router::Internals::trace_of(const Lane& lane, const ItemRecord* item, Instant now) const {
    const auto& queue = *queues[lane.queue];
    ChoiceTrace trace{.strategy = std::string{to_string(queue.definition.strategy)}, .tie_break = {}, .members = static_cast<std::uint32_t>(queue.members.size()),
                      .routable = queue.routable, .skilled = lane.eligible, .not_in_backoff = lane.eligible, .with_capacity = lane.available, .ring = lane.ring, .considered = {}};
    if (item == nullptr) return trace;
    for (const auto& backoff : item->backoffs) {
        if (backoff.until <= unix_ms(now)) continue;
        const auto& agent = *agents[backoff.agent];
        const bool here = std::any_of(agent.lanes.begin(), agent.lanes.end(), [&](const LaneEntry& entry) { return lanes[entry.lane].get() == &lane; });
        if (!here || !agent.routable) continue;
        --trace.not_in_backoff;
        if ((agent.available & bit(lane.channel)) != 0) --trace.with_capacity;
    }
    return trace;
}

void Router::Internals::make_offer(ItemNumber number, AgentNumber agent, ChoiceTrace trace, Instant now) {
    const auto& item = items[number];
    const auto& definition = queues[item.queue]->definition;
    const auto lasts = item.dialled ? item.reserve_for : definition.offer_timeout_of(is_voice(item));
    const bool draws_again = won_draw(agent, item.lane);
    append(OfferMade{.offer = journal.new_offer_id(), .item = item.id, .agent = agents[agent]->id, .fence = last_fence + 1, .deadline = unix_ms(now + lasts),
                     .silent = item.dialled, .auto_answer = item.auto_answer, .preview = false, .trace = std::move(trace)});
    if (draws_again && agents[agent]->available != 0) list(agent);
}

bool Router::Internals::match_item(ItemNumber number, bool ignore_backoff, Instant now) {
    const auto& item = items[number];
    const bool more = item.state == ItemState::reserved;
    if (item.place == ItemRecord::Place::own) {
        const auto agent = item.only;
        if ((agents[agent]->available & bit(item.channel)) == 0 || (only_settled && agents[agent]->changed) || (!ignore_backoff && in_backoff(item, agent, now))) return false;
        const auto& queue = *queues[item.queue];
        make_offer(number, agent, {.strategy = "only", .tie_break = "only_candidate", .members = static_cast<std::uint32_t>(queue.members.size()), .routable = 1, .skilled = 1,
                                   .not_in_backoff = 1, .with_capacity = 1, .ring = 0, .considered = {agents[agent]->id}}, now);
        return true;
    }
    if (item.lane == nobody) return false;
    auto& lane = *lanes[item.lane];
    if (lane.available == 0) return false;
    const auto strategy = queues[lane.queue]->definition.strategy;
    auto trace = trace_of(lane, &item, now);
    if (strategy == Strategy::sticky && item.prefers != nobody && !more) {
        const auto& agent = *agents[item.prefers];
        const auto* entry = entry_of(item.prefers, item.lane);
        if (entry != nullptr && (agent.available & bit(item.channel)) != 0 && !(only_settled && agent.changed) && !in_backoff(item, item.prefers, now)) {
            trace.tie_break = "preferred";
            trace.considered.push_back(agent.id);
            make_offer(number, item.prefers, std::move(trace), now);
            return true;
        }
    }
    const bool all = strategy == Strategy::ring_all && !item.dialled;
    best_candidates(item.lane, &item, all ? agents.size() : considered_max, all, ignore_backoff, now);
    if (scratch.empty()) return false;
    trace.tie_break = std::string{tie_break(lane)};
    trace.considered.reserve(std::min(scratch.size(), considered_max));
    for (std::size_t i = 0; i < scratch.size() && i < considered_max; ++i) trace.considered.push_back(agents[scratch[i].agent]->id);
    if (!all) {
        make_offer(number, scratch.front().agent, std::move(trace), now);
        return true;
    }
    const auto group = scratch;
    for (const auto& candidate : group) make_offer(number, candidate.agent, trace, now);
    return true;
}

bool Router::Internals::outranks(ItemNumber one, ItemNumber other, Instant now) const {
    constexpr std::uint64_t class_mask = ~((std::uint64_t{1} << 55U) - 1);
    const auto key = key_of(one), other_key = key_of(other);
    if ((key.rank & class_mask) == (other_key.rank & class_mask)) {
        // Of one priority in queues that age at different rates: who has more points.
        const auto rate = queues[items[one].queue]->definition.age_weight, other_rate = queues[items[other].queue]->definition.age_weight;
        if (rate < other_rate || other_rate < rate) {
            const auto points = [&](const ItemRecord& item, double weight) { return static_cast<double>(unix_ms(now) - unix_ms(item.first_queued_at)) * weight; };
            const auto mine = points(items[one], rate), others = points(items[other], other_rate);
            if (mine < others || others < mine) return mine > others;
        }
    }
    return key < other_key;
}

ItemNumber Router::Internals::best_item(AgentNumber number, bool ignore_backoff, Instant now) {
    const auto& agent = *agents[number];
    auto best = nobody;
    const auto look = [&](const SortedBlocks<WaitingKey>& waiting) {
        waiting.each([&](const WaitingKey& key) {
            const auto& item = items[key.item];
            if ((agent.available & bit(item.channel)) == 0 || item.told_now || (!ignore_backoff && in_backoff(item, number, now))) return true;
            if (best == nobody || outranks(key.item, best, now)) best = key.item;
            return false;
        });
    };
    if (!agent.own.empty()) look(agent.own);
    for (const auto& entry : agent.lanes) {
        if ((agent.available & bit(entry.channel)) == 0) continue;
        const auto& lane = *lanes[entry.lane];
        if (!lane.items.empty()) look(lane.items);
    }
    return best;
}

ItemNumber Router::Internals::joinable_item(AgentNumber number, Instant now) {
    const auto& agent = *agents[number];
    auto best = nobody;
    WaitingKey best_key;
    for (const auto& entry : agent.lanes) {
        if ((agent.available & bit(entry.channel)) == 0) continue;
        const auto& lane = *lanes[entry.lane];
        const auto strategy = queues[lane.queue]->definition.strategy;
        if (lane.reserved.empty() || (strategy != Strategy::ring_all && strategy != Strategy::ring_progressively)) continue;
        const auto tier = agent.memberships[entry.membership].tier;
        lane.reserved.each([&](const WaitingKey& key) {
            if (best != nobody && best_key < key) return false;
            const auto& item = items[key.item];
            if (item.dialled || has_offer(item, number) || in_backoff(item, number, now)) return true;
            bool joins = strategy == Strategy::ring_progressively && item.wants_more;
            if (strategy == Strategy::ring_all)
                for (const auto offer : item.offers) {
                    const auto* of = entry_of(offers[offer].agent, entry.lane);
                    joins = joins || (of != nullptr && tier <= agents[offers[offer].agent]->memberships[of->membership].tier);
                }
            if (!joins) return true;
            best = key.item;
            best_key = key;
            return false;
        });
    }
    return best;
}

bool Router::Internals::match_step(AgentNumber number, bool by_strategy, Instant now) {
    const auto& agent = *agents[number];
    if (agent.available == 0) return false;
    auto item = best_item(number, false, now);
    if (item == nobody) item = best_item(number, true, now);  // nobody else could take it, for it still waits
    const bool joins = item == nobody;
    if (joins) item = joinable_item(number, now);
    if (item == nobody) return false;
    if (items[item].place == ItemRecord::Place::own) return match_item(item, true, now);
    // Of several who have become free at once, the strategy chooses.
    if (!joins && by_strategy && match_item(item, in_backoff(items[item], number, now), now)) return true;
    auto trace = trace_of(*lanes[items[item].lane], &items[item], now);
    trace.tie_break = joins ? "joined" : "only_candidate";
    trace.considered.push_back(agent.id);
    make_offer(item, number, std::move(trace), now);
    return true;
}

void Router::Internals::match_agent(AgentNumber number, Instant now) {
    while (match_step(number, false, now)) {}
    list(number);
}

// Several at once: always the highest item that any of them could have, and of them the one whom the strategy wants.
void Router::Internals::match_freed(const std::vector<AgentNumber>& freed, Instant now) {
    for (const auto number : freed) list(number);
    using Best = std::pair<ItemNumber, AgentNumber>;
    std::vector<Best> heap;
    const auto lower = [&](const Best& a, const Best& b) { return outranks(b.first, a.first, now); };
    for (const auto number : freed)
        if (const auto item = best_item(number, false, now); item != nobody) heap.emplace_back(item, number);
    std::make_heap(heap.begin(), heap.end(), lower);
    while (!heap.empty()) {
        std::pop_heap(heap.begin(), heap.end(), lower);
        const auto [item, number] = heap.back();
        heap.pop_back();
        auto next = best_item(number, false, now);
        if (next == item) {
            (void)match_step(number, true, now);
            next = best_item(number, false, now);
        }
        if (next == nobody) continue;
        heap.emplace_back(next, number);
        std::push_heap(heap.begin(), heap.end(), lower);
    }
    for (const auto number : freed) match_agent(number, now);
}

void Router::Internals::settle(Instant now) {
    // Of several that come to wait at once the highest looks first.
    const auto in_order = [&](std::vector<ItemNumber>& numbers) {
        std::erase_if(numbers, [&](auto number) { return items[number].serial == 0 || items[number].state != ItemState::queued; });
        if (numbers.size() > 1) std::sort(numbers.begin(), numbers.end(), [&](auto a, auto b) { return a != b && outranks(a, b, now); });
    };
    while (!changed_items.empty() || !changed_agents.empty() || !late_items.empty()) {
        auto arrived = std::exchange(changed_items, {});
        for (const auto number : arrived) items[number].changed = false;
        in_order(arrived);
        // Those who have become free meanwhile may have something higher: they choose below, and have what is left of these too.
        only_settled = true;
        for (const auto number : arrived) {
            if (items[number].state != ItemState::queued || tell_flow_out(number, now)) continue;
            if (!match_item(number, false, now) && !items[number].backoffs.empty()) late_items.push_back(number);
        }
        only_settled = false;
        if (changed_items.empty()) {
            changed_items = std::move(arrived);  // its memory
            changed_items.clear();
        }
        auto freed = std::exchange(changed_agents, {});
        for (const auto number : freed) {
            auto& agent = *agents[number];
            agent.changed = false;
            if (agent.intent == Intent::after_current && agent.items.empty())
                append(AgentIntentChanged{.agent = agent.id, .intent = Intent::not_ready, .reason = agent.reason, .cause = "after_current", .actor = {}});
        }
        if (freed.size() == 1) match_agent(freed.front(), now);
        else if (!freed.empty()) match_freed(freed, now);
        if (changed_agents.empty()) {
            freed.clear();
            changed_agents = std::move(freed);  // its memory
        }
        // Nobody but those who had it just now: rather them again than nobody.
        if (!changed_items.empty() || !changed_agents.empty()) continue;
        in_order(late_items);
        for (const auto number : std::exchange(late_items, {}))
            if (items[number].state == ItemState::queued && !items[number].told_now) (void)match_item(number, true, now);
    }
}

bool Router::Internals::tell_flow_out(ItemNumber number, Instant now) {
    auto& item = items[number];
    if (item.parked) return false;  // whoever parked it looks after it
    const auto& queue = *queues[item.queue];
    const auto& definition = queue.definition;
    FlowOut told{.item = item.id, .to = {}, .reason = {}};
    bool leaves = true;
    if (item.place == ItemRecord::Place::held && definition.closed.kind != Overflow::Kind::none) {
        told.to = definition.closed;
        told.reason = "closed";
    } else if (definition.when_empty && definition.when_empty->kind != Overflow::Kind::none &&
               (item.only == nobody ? queue.signed_in_by_channel[item.channel] == 0 : agents[item.only]->session == Session::offline)) {
        told.to = *definition.when_empty;
        told.reason = "no_agents";
    } else if (definition.max_wait && item.entered_at + *definition.max_wait <= now) {
        told.to = definition.overflow;
        told.reason = "max_wait";
        leaves = definition.overflow.kind != Overflow::Kind::none;
    } else return false;
    if (item.told_at == 0 || item.told_at + tell_again_after.count() <= unix_ms(now)) {
        item.told_at = unix_ms(now);
        item.told_now = leaves;
        flow_outs.push_back(std::move(told));
        arm_item(number);
        return leaves;
    }
    return false;  // it has been told and not taken: whoever is free serves it
}

}  // namespace touchgate::routing
