// The fold: what each event does to the records. Decides nothing; an event that fits nothing is ignored.

#include <algorithm>

#include "gateway/routing/internals.hpp"
#include "gateway/routing/parts.hpp"

namespace touchgate::routing {

namespace {

constexpr std::string_view dialled_cause = "dialing";

bool waits(const ItemRecord& item) { return item.state == ItemState::queued || item.state == ItemState::reserved; }

template <class Container> void remove_one(Container& from, std::uint32_t value) {
    const auto found = std::find(from.begin(), from.end(), value);
    if (found != from.end()) from.erase(found);
}

}  // namespace

ItemNumber Router::Internals::new_item(const Uuid& id) {
    ItemNumber number = 0;
    if (free_items.empty()) {
        number = static_cast<ItemNumber>(items.size());
        items.emplace_back();
    } else {
        number = free_items.back();
        free_items.pop_back();
        items[number] = ItemRecord{};
    }
    items[number].id = id;
    items[number].serial = ++last_serial;
    item_numbers.emplace(id, number);
    return number;
}

void Router::Internals::free_item(ItemNumber number) {
    unplace(number);
    item_numbers.erase(items[number].id);
    items[number].serial = 0;
    items[number].due = never;
    items[number].outcome.clear();
    free_items.push_back(number);
}

void Router::Internals::take(AgentNumber agent_number, ItemNumber number, Instant at) {
    auto& agent = *agents[agent_number];
    auto& item = items[number];
    item.state = ItemState::assigned;
    item.recovering = false;
    item.agent = agent_number;
    item.assigned_at = at;
    item.backoffs.clear();
    agent.items.push_back(number);
    count_call(agent, agent_number, at);
    for (auto& membership : agent.memberships)
        if (membership.queue == item.queue) {
            auto& queue = *queues[item.queue];
            queue.virtual_time = std::max(queue.virtual_time, membership.virtual_time);
            membership.virtual_time += 1.0 / agent.definition.share;
        }
}

// Slots: an offer and an assigned item hold one, a call holds it until its wrap-up is over, a message no longer than its conversation.
void Router::Internals::release(ItemNumber number, Instant at) {
    auto& item = items[number];
    if (item.agent == nobody) return;
    auto& agent = *agents[item.agent];
    if (item.state == ItemState::assigned) count_talk(agent, item, at);
    const auto part = std::find_if(agent.items.begin(), agent.items.end(), [&](ItemNumber each) { return items[each].takes_slot && whole_of(items[each].id) == item.id; });
    if (part != agent.items.end()) {
        items[*part].takes_slot = false;
    } else if (item.state == ItemState::assigned || item.channel == voice) {
        --agent.used[item.channel];
        --agent.used_total;
    }
    remove_one(agent.items, number);
    agent.idle_since = at;
    const auto whose = std::exchange(item.agent, nobody);
    item.recovering = false;
    refresh(whose, at);
    touch(whose);
}

void Router::Internals::forget_offer(OfferNumber number) {
    auto& offer = offers[number];
    auto& agent = *agents[offer.agent];
    remove_one(items[offer.item].offers, number);
    remove_one(agent.offers, number);
    offer_numbers.erase(offer.id);
    ended_offers.emplace(offer.id, offer.agent);
    ended_order.emplace_back(offer.id, offer.agent);
    if (ended_order.size() > ended_offers_kept) {
        ended_offers.erase(ended_order.front().first);
        ended_order.pop_front();
    }
    offer.item = nobody;
    free_offers.push_back(number);
}

void Router::Internals::on(const AgentDefined& event, Instant at) {
    auto document = Json::parse(event.document, nullptr, false);
    std::vector<Problem> problems;
    auto definition = parse_agent(event.id, document, problems);
    if (document.is_discarded() || !problems.empty()) return;
    const auto number = intern_agent(event.id);
    auto& agent = *agents[number];
    if (agent.defined && !agent.definition.disabled) --state_counts[static_cast<std::size_t>(agent.state)];
    if (!definition.disabled) ++state_counts[static_cast<std::size_t>(agent.state)];
    agent.defined = true;
    agent.definition = std::move(definition);
    agent.document = event.document;
    adopt(number, at);
}

void Router::Internals::on(const QueueDefined& event, Instant at) {
    auto document = Json::parse(event.document, nullptr, false);
    std::vector<Problem> problems;
    auto definition = parse_queue(event.id, document, problems);
    if (document.is_discarded() || !problems.empty()) return;
    const auto [found, added] = queue_numbers.try_emplace(event.id, static_cast<QueueNumber>(queues.size()));
    if (added) {
        queues.push_back(std::make_unique<QueueRecord>());
        queues.back()->id = event.id;
    }
    auto& queue = *queues[found->second];
    queue.defined = true;
    queue.definition = std::move(definition);
    queue.document = event.document;
    adopt_queue(found->second, at);
}

void Router::Internals::on(const AgentSessionChanged& event, Instant at) {
    const auto number = find_agent(event.agent);
    if (number == nobody) return;
    auto& agent = *agents[number];
    const auto before = std::exchange(agent.session, event.session);
    agent.session_since = at;
    const auto step = static_cast<std::uint32_t>(event.session != Session::offline) - static_cast<std::uint32_t>(before != Session::offline);
    if (step != 0)
        for (const auto& membership : agent.memberships) {
            auto& queue = *queues[membership.queue];
            queue.signed_in += step;
            for (std::size_t channel = 0; channel < channels.size(); ++channel)
                if (agent.capacity[channel] > 0) queue.signed_in_by_channel[channel] += step;
        }
    if (event.session == Session::offline || before == Session::offline) {
        agent.intent = Intent::not_ready;
        agent.reason = event.session == Session::offline ? std::string{} : "login";
        agent.blocked = false;
    }
    if (before == Session::offline) agent.idle_since = at;
    refresh(number, at);
    touch(number);
    for (const auto item : agent.items) arm_item(item);
}

void Router::Internals::on(const AgentIntentChanged& event, Instant at) {
    const auto number = find_agent(event.agent);
    if (number == nobody) return;
    auto& agent = *agents[number];
    const auto before = std::exchange(agent.intent, event.intent);
    agent.reason = event.reason;
    if (event.intent == Intent::ready) {
        agent.blocked = false;
        // A newcomer's share begins where the others are: he does not get all he missed at once.
        if (before != Intent::ready)
            for (auto& membership : agent.memberships) membership.virtual_time = std::max(membership.virtual_time, queues[membership.queue]->virtual_time);
    }
    refresh(number, at);
    touch(number);
}

void Router::Internals::on(const AgentHealthChanged& event, Instant at) {
    const auto number = find_agent(event.agent);
    if (number == nobody) return;
    agents[number]->healthy = event.healthy;
    agents[number]->health_reason = event.reason;
    refresh(number, at);
    touch(number);
}

void Router::Internals::on(const ItemQueued& event, Instant at) {
    const auto queue = find_queue(event.queue);
    const auto channel = intern_channel(event.channel);
    if (queue == nobody || !channel) return;
    auto number = find_item(event.item);
    const bool known = number != nobody;
    if (!known) {
        number = new_item(event.item);
        items[number].dialled = event.cause == dialled_cause;
    }
    const bool waited = known && waits(items[number]);
    const bool parked = event.cause == parked_cause;
    const bool moves = !waited || items[number].queue != queue || items[number].parked != parked;
    if (known) {
        unplace(number);
        if (waited && moves) {
            auto& old = *queues[items[number].queue];
            leave_wait(number);
            if (items[number].is_counted() && counts_of(old, at).offered > 0 && items[number].entered_day == old.day) ++old.counts.flowed_out;
        }
        release(number, at);
    }
    auto& item = items[number];
    // Who was called and has been talked with is a caller like any other; not while his agent's telephone has only not been answered.
    if (known && !waited && event.cause != to_string(OfferResult::timed_out)) item.dialled = item.auto_answer = false;
    item.parked = parked;
    item.state = ItemState::queued;
    item.phase = Phase::active;
    item.queue = queue;
    item.channel = *channel;
    item.priority = event.priority;
    item.first_queued_at = from_unix_ms(event.first_queued_at);
    item.queued_at = at;
    item.front = event.front;
    item.needs = intern_needs(event.needs);
    item.prefers = intern_agent(event.prefers);
    item.only = intern_agent(event.only);
    item.wants_more = false;
    item.step_at = never;
    if (moves) enter_wait(number, at);
    place(number, at);
    arm_item(number);
    touch_item(number);
}

void Router::Internals::on(const OfferMade& event, Instant at) {
    const auto item_number = find_item(event.item);
    const auto agent_number = find_agent(event.agent);
    if (item_number == nobody || agent_number == nobody || !waits(items[item_number]) || offer_numbers.contains(event.offer)) return;
    OfferNumber number = 0;
    if (free_offers.empty()) {
        number = static_cast<OfferNumber>(offers.size());
        offers.emplace_back();
    } else {
        number = free_offers.back();
        free_offers.pop_back();
    }
    offers[number] = {.id = event.offer, .item = item_number, .agent = agent_number, .fence = event.fence, .made_at = at, .deadline = from_unix_ms(event.deadline),
                      .silent = event.silent, .auto_answer = event.auto_answer, .preview = event.preview};
    offer_numbers.emplace(event.offer, number);
    last_fence = std::max(last_fence, event.fence);
    auto& item = items[item_number];
    if (item.state == ItemState::queued) {
        unplace(item_number);
        items[item_number].state = ItemState::reserved;
        place(item_number, at);
    }
    if (queues[item.queue]->definition.strategy == Strategy::ring_progressively && !item.dialled) item.step_at = unix_ms(at + queues[item.queue]->definition.progressive_step);
    item.wants_more = false;
    arm_item(item_number);
    item.offers.push_back(number);
    if (event.silent) {
        item.reserve_for = from_unix_ms(event.deadline) - at;
        item.auto_answer = event.auto_answer;
    }
    auto& agent = *agents[agent_number];
    agent.offers.push_back(number);
    ++agent.used[item.channel];
    ++agent.used_total;
    auto& queue = *queues[item.queue];
    queue.served_agent = agent_number;
    for (const auto& membership : agent.memberships)
        if (membership.queue == item.queue) queue.served_position = membership.position;
    arm(TimerKind::offer, number, event.deadline);
    refresh(agent_number, at);
}

void Router::Internals::on_unanswered(const OfferEnded& event, Instant at) {
    const auto item_number = find_item(event.item);
    const auto agent_number = find_agent(event.agent);
    if (item_number == nobody || agent_number == nobody) return;
    auto& item = items[item_number];
    auto& agent = *agents[agent_number];
    auto& unanswered = agent.unanswered[item.channel == voice ? 1 : 0];
    unanswered = std::max(unanswered, item.unanswered_before) + 1;
    item.unanswered_before = 0;
    if (item.queue != nobody) ++counts_of(*queues[item.queue], at).rona;
    if (event.blocks) agent.blocked = true;
    if (event.backoff_until != 0) item.backoffs.push_back({.agent = agent_number, .until = event.backoff_until});
    refresh(agent_number, at);
    touch(agent_number);
}

void Router::Internals::on(const OfferEnded& event, Instant at) {
    const auto found = offer_numbers.find(event.offer);
    if (event.offer.is_nil()) return on_unanswered(event, at);
    if (found == offer_numbers.end()) return;
    const auto number = found->second;
    const auto item_number = offers[number].item;
    const auto agent_number = offers[number].agent;
    const bool silent = offers[number].silent;
    auto& item = items[item_number];
    auto& agent = *agents[agent_number];
    auto& unanswered = agent.unanswered[item.channel == voice ? 1 : 0];
    forget_offer(number);
    if (event.result == OfferResult::accepted) {
        item.unanswered_before = std::exchange(unanswered, 0);
        if (waits(item)) {
            leave_wait(item_number);
            count_answer(item, at);
        }
        unplace(item_number);
        take(agent_number, item_number, at);
        arm_item(item_number);
        refresh(agent_number, at);
        return;
    }
    --agent.used[item.channel];
    --agent.used_total;
    if (event.result == OfferResult::timed_out && !silent) {
        ++unanswered;
        ++counts_of(*queues[item.queue], at).rona;
    }
    if (event.blocks) agent.blocked = true;
    if (event.backoff_until != 0) {
        const auto gone = std::remove_if(item.backoffs.begin(), item.backoffs.end(), [&](const Backoff& backoff) { return backoff.agent == agent_number || backoff.until <= unix_ms(at); });
        item.backoffs.erase(gone, item.backoffs.end());
        item.backoffs.push_back({.agent = agent_number, .until = event.backoff_until});
    }
    refresh(agent_number, at);
    touch(agent_number);
}

void Router::Internals::on(const ItemAssigned& event, Instant at) {
    const auto agent = find_agent(event.agent);
    const auto channel = intern_channel(event.channel);
    if (agent == nobody || !channel) return;
    if (event.cause == part_cause) return on_part(event, agent, at);
    auto number = find_item(event.item);
    if (number == nobody) {
        number = new_item(event.item);
        items[number].first_queued_at = items[number].queued_at = at;
        items[number].queue = find_queue(event.queue);
    } else {
        if (waits(items[number])) {
            leave_wait(number);
            count_answer(items[number], at);
        }
        unplace(number);
        release(number, at);
        if (const auto queue = find_queue(event.queue); queue != nobody) items[number].queue = queue;
        items[number].parked = false;
    }
    items[number].channel = *channel;
    items[number].phase = event.cause == "dial" ? Phase::dialing : event.cause == "consult" ? Phase::consulting : Phase::active;
    items[number].unanswered_before = 0;
    ++agents[agent]->used[*channel];
    ++agents[agent]->used_total;
    take(agent, number, at);
    arm_item(number);
    refresh(agent, at);
}

// Until its whole goes on without him it shares the slot; then the slot is the part's.
void Router::Internals::on_part(const ItemAssigned& event, AgentNumber agent, Instant at) {
    const auto whole_id = whole_of(event.item);
    const auto whole = whole_id ? find_item(*whole_id) : nobody;
    if (whole == nobody || items[whole].agent != agent || items[whole].state != ItemState::assigned || find_item(event.item) != nobody) return;
    const auto number = new_item(event.item);
    auto& part = items[number];
    part.state = ItemState::assigned;
    part.phase = items[whole].phase;
    part.queue = find_queue(event.queue);
    part.channel = items[whole].channel;
    part.agent = agent;
    part.first_queued_at = part.queued_at = part.assigned_at = at;
    part.takes_slot = true;
    agents[agent]->items.push_back(number);
    refresh(agent, at);
}

void Router::Internals::on(const ItemPhaseChanged& event, Instant at) {
    const auto number = find_item(event.item);
    if (number == nobody) return;
    items[number].phase = event.phase;
    if (event.phase == Phase::active) items[number].unanswered_before = 0;  // he has answered
    if (items[number].agent != nobody) refresh(items[number].agent, at);
}

void Router::Internals::on(const ItemRecovering& event, Instant at) {
    const auto number = find_item(event.item);
    if (number == nobody || items[number].state != ItemState::assigned) return;
    items[number].recovering = event.recovering;
    refresh(items[number].agent, at);
}

void Router::Internals::on(const ItemWrapping& event, Instant at) {
    const auto number = find_item(event.item);
    if (number == nobody || items[number].state != ItemState::assigned) return;
    auto& item = items[number];
    auto& agent = *agents[item.agent];
    count_talk(agent, item, at);
    item.state = ItemState::wrapping;
    item.recovering = false;
    item.wrap_deadline = from_unix_ms(event.deadline);
    item.outcome = event.outcome;
    if (item.channel != voice) {
        --agent.used[item.channel];
        --agent.used_total;
        agent.idle_since = at;
        touch(item.agent);
    }
    arm_item(number);
    refresh(item.agent, at);
}

void Router::Internals::on(const ItemEnded& event, Instant at) {
    const auto number = find_item(event.id);
    if (number == nobody) return;
    auto& item = items[number];
    if (waits(item)) {
        leave_wait(number);
        auto& queue = *queues[item.queue];
        auto& counts = counts_of(queue, at);
        if (item.is_counted() && item.entered_day == queue.day) {
            if (event.state == "abandoned") {
                ++counts.abandoned;
                if (at - item.entered_at < queue.definition.short_abandon) ++counts.short_abandoned;
            } else if (event.state == "flowed_out") ++counts.flowed_out;
        }
    }
    while (!item.offers.empty()) {  // a log that was cut: the slot is free in any case
        const auto offer = item.offers.back();
        const auto agent = offers[offer].agent;
        forget_offer(offer);
        --agents[agent]->used[item.channel];
        --agents[agent]->used_total;
        refresh(agent, at);
        touch(agent);
    }
    unplace(number);
    release(number, at);
    free_item(number);
}

}  // namespace touchgate::routing
