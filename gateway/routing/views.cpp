// Reading, and the words of states.

#include <algorithm>
#include <cmath>

#include "gateway/routing/internals.hpp"

namespace touchgate::routing {

std::string_view to_string(Session session) {
    switch (session) {
        case Session::offline: return "offline";
        case Session::signed_in: return "signed_in";
        case Session::fault: return "fault";
    }
    return "offline";
}

std::string_view to_string(Intent intent) {
    switch (intent) {
        case Intent::not_ready: return "not_ready";
        case Intent::ready: return "ready";
        case Intent::after_current: return "after_current";
    }
    return "not_ready";
}

std::string_view to_string(OfferResult result) {
    switch (result) {
        case OfferResult::pending: return "pending";
        case OfferResult::accepted: return "accepted";
        case OfferResult::rejected: return "rejected";
        case OfferResult::timed_out: return "timed_out";
        case OfferResult::rescinded: return "rescinded";
        case OfferResult::cancelled: return "cancelled";
    }
    return "pending";
}

std::string_view to_string(ItemState state) {
    switch (state) {
        case ItemState::queued: return "queued";
        case ItemState::reserved: return "reserved";
        case ItemState::assigned: return "assigned";
        case ItemState::wrapping: return "wrapping";
        case ItemState::completed: return "completed";
        case ItemState::abandoned: return "abandoned";
        case ItemState::flowed_out: return "flowed_out";
        case ItemState::cancelled: return "cancelled";
        case ItemState::expired: return "expired";
        case ItemState::recovering: return "recovering";
    }
    return "queued";
}

std::string_view to_string(AgentState state) {
    static constexpr std::array<std::string_view, 12> words = {"offline", "fault", "rona_blocked", "conference", "consulting", "held",
                                                               "talking", "ringing", "reserved", "wrapup", "not_ready", "ready"};
    return words[static_cast<std::size_t>(state)];
}

double QueueView::service_level() const {
    const auto counted = offered - std::min(short_abandoned, offered);
    return counted == 0 ? 1 : static_cast<double>(answered_within) / static_cast<double>(counted);
}

std::optional<AgentView> Router::agent(std::string_view id) const {
    const auto& in = *internals_;
    const auto number = in.find_agent(id);
    if (number == nobody) return std::nullopt;
    const auto& agent = *in.agents[number];
    AgentView view{.definition = &agent.definition, .session = agent.session, .intent = agent.intent, .reason = agent.reason, .state = agent.state, .healthy = agent.healthy,
                   .blocked = agent.blocked, .state_since = agent.state_since, .slots = {}, .items = {}, .offers = {}};
    if (agent.state == AgentState::fault && !agent.healthy) view.reason = agent.health_reason;
    if (agent.state == AgentState::ready && !agent.on_shift) {
        view.state = AgentState::not_ready;
        view.reason = "shift";
    }
    for (const auto& [channel, capacity] : agent.definition.capacity) {
        const auto known = in.find_channel(channel);
        view.slots.push_back({.channel = channel, .used = known ? agent.used[*known] : 0, .capacity = capacity});
    }
    for (const auto item : agent.items) view.items.push_back(in.items[item].id);
    for (const auto offer : agent.offers)
        if (!in.offers[offer].silent) view.offers.push_back(in.offers[offer].id);
    return view;
}

std::optional<QueueView> Router::queue(std::string_view id) const {
    auto& in = *internals_;
    const auto number = in.find_queue(id);
    if (number == nobody) return std::nullopt;
    const auto& queue = *in.queues[number];
    const auto counts = queue.day == in.day_of(in.clock) ? queue.counts : QueueCounts{};
    QueueView view{.definition = &queue.definition, .waiting = queue.waiting, .oldest = {}, .signed_in = queue.signed_in, .routable = queue.routable, .offered = counts.offered,
                   .answered = counts.answered, .answered_within = counts.answered_within, .abandoned = counts.abandoned, .short_abandoned = counts.short_abandoned,
                   .flowed_out = counts.flowed_out, .rona = counts.rona};
    // The first of each class (priority, front) is its oldest.
    const auto look = [&](const SortedBlocks<WaitingKey>& waiting) {
        if (waiting.empty()) return;
        constexpr std::uint64_t time_mask = (std::uint64_t{1} << 55U) - 1;
        const auto* key = &waiting.front();
        while (key != nullptr) {
            const auto& item = in.items[key->item];
            if (item.is_counted() && (!view.oldest || item.first_queued_at < *view.oldest)) view.oldest = item.first_queued_at;
            key = !item.is_counted() ? waiting.after(*key) : waiting.after(WaitingKey{key->rank | time_mask, ~std::uint32_t{0}, nobody});
        }
    };
    for (const auto lane : queue.lanes) {
        look(in.lanes[lane]->items);
        look(in.lanes[lane]->reserved);
    }
    look(queue.held);
    for (std::size_t agent = 0; in.waiting_for_one > 0 && agent < in.agents.size(); ++agent)
        in.agents[agent]->own.each([&](const WaitingKey& key) {
            const auto& item = in.items[key.item];
            if (item.queue == number && (!view.oldest || item.first_queued_at < *view.oldest)) view.oldest = item.first_queued_at;
            return true;
        });
    return view;
}

std::optional<ItemView> Router::item(const Uuid& id) const {
    const auto& in = *internals_;
    const auto number = in.find_item(id);
    if (number == nobody) return std::nullopt;
    const auto& item = in.items[number];
    const auto name = [&](AgentNumber agent) { return agent == nobody ? std::string_view{} : std::string_view{in.agents[agent]->id}; };
    ItemView view{.id = item.id, .state = item.recovering ? ItemState::recovering : item.state, .phase = item.phase, .parked = item.parked,
                  .queue = item.queue == nobody ? std::string_view{} : std::string_view{in.queues[item.queue]->id}, .channel = in.channels[item.channel], .agent = name(item.agent),
                  .only = name(item.only), .priority = item.priority, .first_queued_at = item.first_queued_at, .queued_at = item.queued_at, .assigned_at = {}, .wrap_deadline = {},
                  .offers = {}};
    if (item.state == ItemState::assigned || item.state == ItemState::wrapping) view.assigned_at = item.assigned_at;
    if (item.state == ItemState::wrapping) view.wrap_deadline = item.wrap_deadline;
    for (const auto offer : item.offers) view.offers.push_back(in.offers[offer].id);
    return view;
}

std::optional<OfferView> Router::offer(const Uuid& id) const {
    const auto& in = *internals_;
    const auto found = in.offer_numbers.find(id);
    if (found == in.offer_numbers.end()) return std::nullopt;
    const auto& offer = in.offers[found->second];
    return OfferView{.id = offer.id, .item = in.items[offer.item].id, .agent = in.agents[offer.agent]->id, .fence = offer.fence, .made_at = offer.made_at, .deadline = offer.deadline,
                     .silent = offer.silent, .auto_answer = offer.auto_answer, .preview = offer.preview};
}

std::string Router::agent_document(std::string_view id) const {
    const auto number = internals_->find_agent(id);
    return number == nobody ? std::string{} : internals_->agents[number]->document;
}

std::string Router::queue_document(std::string_view id) const {
    const auto number = internals_->find_queue(id);
    return number == nobody ? std::string{} : internals_->queues[number]->document;
}

std::vector<std::string_view> Router::agents() const {
    std::vector<std::string_view> ids;
    for (const auto& agent : internals_->agents)
        if (agent->defined) ids.push_back(agent->id);
    std::sort(ids.begin(), ids.end());
    return ids;
}

std::vector<std::string_view> Router::queues() const {
    std::vector<std::string_view> ids;
    for (const auto& queue : internals_->queues) ids.push_back(queue->id);
    std::sort(ids.begin(), ids.end());
    return ids;
}

std::vector<std::pair<AgentState, std::uint32_t>> Router::agents_by_state() const {
    std::vector<std::pair<AgentState, std::uint32_t>> counts;
    for (std::size_t i = 0; i < internals_->state_counts.size(); ++i) counts.emplace_back(static_cast<AgentState>(i), internals_->state_counts[i]);
    return counts;
}

std::optional<Router::Place> Router::place(const Uuid& id) const {
    const auto& in = *internals_;
    const auto number = in.find_item(id);
    if (number == nobody || (in.items[number].state != ItemState::queued && in.items[number].state != ItemState::reserved)) return std::nullopt;
    const auto& item = in.items[number];
    const auto& queue = *in.queues[item.queue];
    Place place{.position = 1, .at_least = {}, .at_most = {}};
    if (item.state == ItemState::queued) {
        const auto key = in.key_of(number);
        std::size_t before = 0;
        for (const auto lane : queue.lanes) before += in.lanes[lane]->items.rank(key);
        if (item.place == ItemRecord::Place::held && !item.parked) before += queue.held.rank(key);
        if (item.place == ItemRecord::Place::own) before = in.agents[item.only]->own.rank(key);
        place.position += static_cast<std::uint32_t>(before);
    }
    if (queue.departure_mean_ms > 0) {
        // n departures take n means; their spread grows with the root of n. 1.2533 makes a standard deviation of a mean absolute one, 1.2816 is the 90 % quantile.
        const double n = place.position;
        const double middle = n * queue.departure_mean_ms, spread = 1.2816 * 1.2533 * queue.departure_deviation_ms * std::sqrt(n);
        place.at_least = Duration{static_cast<std::int64_t>(std::max(0.0, middle - spread))};
        place.at_most = Duration{static_cast<std::int64_t>(middle + spread)};
    }
    return place;
}

std::uint32_t Router::free_agents(std::string_view queue, std::string_view channel) const {
    const auto number = internals_->find_queue(queue);
    const auto known = internals_->find_channel(channel);
    return number == nobody || !known ? 0 : internals_->queues[number]->available_by_channel[*known];
}

}  // namespace touchgate::routing
