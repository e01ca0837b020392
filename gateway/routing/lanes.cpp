// What follows from the records: who may serve which lane, who is free, where a waiting item stands. An agent's entries in the lanes of his queues are kept
// in one array; a lane counts its agents at once and lists those who are free lazily (strategies.cpp).

#include <algorithm>

#include "gateway/routing/internals.hpp"

namespace touchgate::routing {

namespace {

// Required levels of two lists; of a skill in both the higher one.
std::vector<SkillLevel> both(std::vector<SkillLevel> first, const std::vector<SkillLevel>& second) {
    for (const auto& wanted : second) {
        const auto found = std::find_if(first.begin(), first.end(), [&](const auto& have) { return have.skill == wanted.skill; });
        if (found == first.end()) first.push_back(wanted);
        else found->level = std::max(found->level, wanted.level);
    }
    std::sort(first.begin(), first.end());
    return first;
}

// When to ask again; never at once, whatever the answer was.
std::int64_t ask_again(const std::optional<Instant>& until, Instant at) {
    constexpr Duration soonest{1'000};
    return until ? std::max(unix_ms(*until), unix_ms(at + soonest)) : never;
}

}  // namespace

void Router::Internals::touch(AgentNumber number) {
    if (deciding == 0) {
        unsettled = true;
        return;
    }
    auto& agent = *agents[number];
    if (agent.changed) return;
    agent.changed = true;
    changed_agents.push_back(number);
}

void Router::Internals::touch_item(ItemNumber number) {
    if (deciding == 0) {
        unsettled = true;
        return;
    }
    if (items[number].changed) return;
    items[number].changed = true;
    changed_items.push_back(number);
}

AgentState Router::Internals::displayed(const AgentRecord& agent) const {
    if (agent.session == Session::offline) return AgentState::offline;
    if (agent.session == Session::fault || !agent.healthy) return AgentState::fault;
    if (agent.blocked) return AgentState::rona_blocked;
    bool conference = false, consulting = false, held = false, talking = false, ringing = false, reserved = false, wrapping = false, message = false;
    for (const auto number : agent.items) {
        const auto& item = items[number];
        if (item.state == ItemState::wrapping) wrapping = true;
        else if (item.channel != voice) message = true;
        else {
            conference |= item.phase == Phase::conference;
            consulting |= item.phase == Phase::consulting;
            held |= item.phase == Phase::held;
            ringing |= item.phase == Phase::dialing;
            talking |= item.phase == Phase::active;
        }
    }
    for (const auto number : agent.offers) (offers[number].silent ? reserved : ringing) = true;
    if (conference) return AgentState::conference;
    if (consulting) return AgentState::consulting;
    if (held) return AgentState::held;
    if (talking) return AgentState::talking;
    if (ringing) return AgentState::ringing;
    if (reserved) return AgentState::reserved;
    if (wrapping) return AgentState::wrapup;
    if (agent.intent == Intent::not_ready) return AgentState::not_ready;
    if (message && (agent.free == 0 || agent.intent == Intent::after_current)) return AgentState::talking;  // nothing more can come
    return agent.intent == Intent::ready ? AgentState::ready : AgentState::not_ready;
}

void Router::Internals::refresh(AgentNumber number, Instant at) {
    auto& agent = *agents[number];
    if (!agent.defined) return;
    const bool routable = agent.session == Session::signed_in && agent.intent == Intent::ready && agent.healthy && !agent.blocked && agent.on_shift && !agent.definition.disabled;
    agent.free = 0;
    if (agent.used_total < agent.total_limit) {
        ChannelMask busy_exclusive = 0;
        for (ChannelMask rest = agent.exclusive; rest != 0; rest &= rest - 1) {
            const auto channel = static_cast<ChannelNumber>(std::countr_zero(rest));
            if (agent.used[channel] > 0) busy_exclusive |= bit(channel);
        }
        for (std::size_t channel = 0; channel < channels.size(); ++channel) {
            const auto mask = bit(static_cast<ChannelNumber>(channel));
            if (agent.used[channel] < agent.capacity[channel] && (busy_exclusive & ~mask) == 0) agent.free |= mask;
        }
    }
    const auto free = routable ? agent.free : 0;
    if (routable != agent.routable || free != agent.available) {
        const auto eligible_step = static_cast<std::uint32_t>(routable) - static_cast<std::uint32_t>(agent.routable);
        for (const auto& entry : agent.lanes) {
            auto& lane = *lanes[entry.lane];
            lane.eligible += eligible_step;
            lane.available += static_cast<std::uint32_t>((free & bit(entry.channel)) != 0) - static_cast<std::uint32_t>((agent.available & bit(entry.channel)) != 0);
        }
        const auto differs = free ^ agent.available;
        for (const auto& membership : agent.memberships) {
            auto& queue = *queues[membership.queue];
            queue.routable += eligible_step;
            for (ChannelMask rest = differs; rest != 0; rest &= rest - 1) {
                const auto channel = static_cast<std::size_t>(std::countr_zero(rest));
                queue.available_by_channel[channel] += (free & bit(static_cast<ChannelNumber>(channel))) != 0 ? 1U : ~0U;
            }
        }
        agent.routable = routable;
        agent.available = free;
    }
    if (const auto state = displayed(agent); state != agent.state) {
        if (!agent.definition.disabled) {
            --state_counts[static_cast<std::size_t>(agent.state)];
            ++state_counts[static_cast<std::size_t>(state)];
        }
        agent.state = state;
        agent.state_since = at;
    }
}

bool Router::Internals::can_serve(const AgentRecord& agent, const QueueMembership& membership, const Lane& lane) const {
    if (agent.capacity[lane.channel] == 0 || membership.tier > lane.tiers) return false;
    return std::all_of(lane.required.begin(), lane.required.end(), [&](const SkillLevel& wanted) {
        const auto* has = level_in(agent.skills, wanted.skill);
        return has != nullptr && has->level >= wanted.level;
    });
}

void Router::Internals::join_lane(AgentNumber number, LaneNumber lane_number, std::uint32_t membership) {
    auto& agent = *agents[number];
    auto& lane = *lanes[lane_number];
    if (!can_serve(agent, agent.memberships[membership], lane)) return;
    agent.lanes.push_back({.lane = lane_number, .membership = membership, .channel = lane.channel, .listed = false, .stored = {}});
    lane.eligible += agent.routable ? 1 : 0;
    lane.available += (agent.available & bit(lane.channel)) != 0 ? 1 : 0;
}

void Router::Internals::leave_lanes(AgentNumber number) {
    auto& agent = *agents[number];
    for (const auto& entry : agent.lanes) {
        auto& lane = *lanes[entry.lane];
        if (entry.listed) lane.candidates.erase(entry.stored);
        lane.eligible -= agent.routable ? 1 : 0;
        lane.available -= (agent.available & bit(entry.channel)) != 0 ? 1 : 0;
    }
    agent.lanes.clear();
}

LaneNumber Router::Internals::lane_of(QueueNumber queue_number, ChannelNumber channel, std::uint32_t needs_number, std::uint8_t ring) {
    auto& queue = *queues[queue_number];
    for (const auto number : queue.lanes) {
        const auto& lane = *lanes[number];
        if (lane.channel == channel && lane.needs == needs_number && lane.ring == ring) return number;
    }
    if (queue.lanes.size() >= lanes_kept) {
        const auto unused = std::find_if(queue.lanes.begin(), queue.lanes.end(), [&](auto number) { return lanes[number]->items.empty() && lanes[number]->reserved.empty(); });
        if (unused != queue.lanes.end()) drop_lane(*unused);
    }
    LaneNumber number = 0;
    if (free_lanes.empty()) {
        number = static_cast<LaneNumber>(lanes.size());
        lanes.push_back(nullptr);
    } else {
        number = free_lanes.back();
        free_lanes.pop_back();
    }
    lanes[number] = std::make_unique<Lane>();
    auto& lane = *lanes[number];
    lane.candidates_less = CandidateLess{&agents};
    lane.candidates = SortedBlocks<Candidate, CandidateLess>{CandidateLess{&agents}};
    lane.queue = queue_number;
    lane.channel = channel;
    lane.needs = needs_number;
    lane.ring = ring;
    lane.live = true;
    const auto& rings = queue.definition.relax;
    const bool tiered = std::any_of(rings.begin(), rings.end(), [](const Ring& r) { return r.tiers.has_value(); });
    lane.tiers = std::numeric_limits<int>::max();
    if (ring > 0 && ring <= rings.size()) {
        lane.required = both(levels_of(rings[ring - 1U].required_skills), needs[needs_number].levels);
        if (rings[ring - 1U].tiers) lane.tiers = *rings[ring - 1U].tiers;
        else if (tiered) lane.tiers = 1;
    } else {
        lane.required = both(queue.required, needs[needs_number].levels);
        if (tiered) lane.tiers = 1;
    }
    // What relaxing no longer asks for still makes one agent better than another.
    for (const auto& level : both(queue.required, needs[needs_number].levels)) lane.scored.push_back(level.skill);
    for (const auto& level : lane.required)
        if (std::find(lane.scored.begin(), lane.scored.end(), level.skill) == lane.scored.end()) lane.scored.push_back(level.skill);
    queue.lanes.push_back(number);
    for (const auto member : queue.members) {
        const auto& agent = *agents[member];
        for (std::uint32_t i = 0; i < agent.memberships.size(); ++i)
            if (agent.memberships[i].queue == queue_number) join_lane(member, number, i);
        if (agent.available != 0) list(member);
    }
    return number;
}

void Router::Internals::drop_lane(LaneNumber number) {
    auto& queue = *queues[lanes[number]->queue];
    for (const auto member : queue.members) std::erase_if(agents[member]->lanes, [&](const LaneEntry& entry) { return entry.lane == number; });
    std::erase(queue.lanes, number);
    lanes[number].reset();
    free_lanes.push_back(number);
}

WaitingKey Router::Internals::key_of(ItemNumber number) const {
    const auto& item = items[number];
    return waiting_key(item.priority, item.front, item.first_queued_at, item.serial, number);
}

std::uint8_t Router::Internals::ring_of(const ItemRecord& item, Instant at) const {
    const auto& rings = queues[item.queue]->definition.relax;
    std::uint8_t ring = 0;
    while (ring < rings.size() && item.entered_at + rings[ring].after <= at) ++ring;
    return ring;
}

void Router::Internals::place(ItemNumber number, Instant at) {
    unplace(number);
    const auto queue_number = items[number].queue;
    const auto key = key_of(number);
    using Place = ItemRecord::Place;
    if (items[number].only != nobody) {
        if (items[number].state == ItemState::queued) {
            agents[items[number].only]->own.insert(key);
            ++waiting_for_one;
            items[number].place = Place::own;
        }
        return;
    }
    if (items[number].parked || (items[number].after_hours && !queues[queue_number]->open)) {
        queues[queue_number]->held.insert(key);
        items[number].place = Place::held;
        return;
    }
    const auto lane = lane_of(queue_number, items[number].channel, items[number].needs, ring_of(items[number], at));
    auto& item = items[number];
    item.lane = lane;
    const bool queued = item.state == ItemState::queued;
    (queued ? lanes[lane]->items : lanes[lane]->reserved).insert(key);
    item.place = queued ? Place::lane : Place::lane_reserved;
}

void Router::Internals::unplace(ItemNumber number) {
    auto& item = items[number];
    using Place = ItemRecord::Place;
    const auto key = key_of(number);
    switch (std::exchange(item.place, Place::nowhere)) {
        case Place::nowhere: break;
        case Place::lane: lanes[item.lane]->items.erase(key); break;
        case Place::lane_reserved: lanes[item.lane]->reserved.erase(key); break;
        case Place::held: queues[item.queue]->held.erase(key); break;
        case Place::own:
            agents[item.only]->own.erase(key);
            --waiting_for_one;
            break;
    }
    item.lane = nobody;
}

void Router::Internals::look_at_hours(QueueRecord& queue, QueueNumber number, Instant at) {
    const auto now = queue.definition.hours.is_null() ? RouterSettings::Open{} : settings.hours(queue.definition.hours, at);
    queue.due = ask_again(now.until, at);
    arm(TimerKind::queue, number, queue.due);
    if (now.open == queue.open) return;
    queue.open = now.open;
    if (!queue.open) return;
    std::vector<ItemNumber> waiting;
    queue.held.each([&](const WaitingKey& key) { waiting.push_back(key.item); return true; });
    for (const auto item : waiting) {
        place(item, at);
        touch_item(item);
    }
}

void Router::Internals::look_at_shift(AgentRecord& agent, AgentNumber number, Instant at) {
    const auto& definition = agent.definition;
    auto due = never;
    bool on_shift = true;
    if (!definition.shift.is_null()) {
        constexpr int spans_followed = 16;
        auto now = settings.hours(definition.shift, at);
        on_shift = now.open;
        // What ends here may go on at once: the next span, the next day.
        for (int i = 0; i < spans_followed && now.open && now.until && at >= *now.until - definition.drain_before; ++i) {
            const auto then = settings.hours(definition.shift, *now.until);
            if (!then.open) {
                on_shift = false;
                break;
            }
            if (then.until == now.until) break;
            now.until = then.until;
        }
        if (now.until && now.open && on_shift) now.until = *now.until - definition.drain_before;
        due = ask_again(now.until, at);
    }
    if (definition.absent) {
        const auto& absent = *definition.absent;
        if (at >= absent.from && at < absent.to) on_shift = false;
        if (at < absent.from) due = std::min(due, unix_ms(absent.from));
        else if (at < absent.to) due = std::min(due, unix_ms(absent.to));
    }
    // The oldest bucket of his window leaves it.
    std::erase_if(agent.window, [&](const WindowBucket& bucket) { return bucket.leaves_at() <= unix_ms(at); });
    agent.window_calls = 0;
    agent.window_talk_ms = 0;
    for (const auto& bucket : agent.window) {
        agent.window_calls += bucket.calls;
        agent.window_talk_ms += bucket.talk_ms;
    }
    if (!agent.window.empty()) due = std::min(due, agent.window.front().leaves_at());
    agent.due = due;
    arm(TimerKind::agent, number, due);
    agent.on_shift = on_shift;
}

void Router::Internals::adopt(AgentNumber number, Instant at) {
    auto& agent = *agents[number];
    leave_lanes(number);
    const bool counted = agent.session != Session::offline;
    for (const auto& membership : agent.memberships) {
        auto& queue = *queues[membership.queue];
        std::erase(queue.members, number);
        queue.signed_in -= counted ? 1 : 0;
        queue.routable -= agent.routable ? 1 : 0;
        for (std::size_t channel = 0; channel < channels.size(); ++channel) {
            queue.signed_in_by_channel[channel] -= counted && agent.capacity[channel] > 0 ? 1 : 0;
            queue.available_by_channel[channel] -= (agent.available & bit(static_cast<ChannelNumber>(channel))) != 0 ? 1 : 0;
        }
    }
    auto before = std::exchange(agent.memberships, {});
    for (const auto& wanted : agent.definition.queues) {
        const auto queue = find_queue(wanted.queue);
        if (queue == nobody) continue;
        QueueMembership made{.queue = queue, .tier = wanted.tier, .position = wanted.position, .weight = wanted.weight};
        for (const auto& old : before)
            if (old.queue == queue) made.virtual_time = old.virtual_time;
        agent.memberships.push_back(made);
    }
    agent.capacity = {};
    agent.capacity_total = 0;
    for (const auto& [channel, count] : agent.definition.capacity)
        if (const auto known = intern_channel(channel)) {
            agent.capacity[*known] = static_cast<std::uint16_t>(count);
            agent.capacity_total += static_cast<std::uint32_t>(count);
        }
    agent.total_limit = agent.definition.total ? static_cast<std::uint32_t>(*agent.definition.total) : std::numeric_limits<std::uint32_t>::max();
    agent.capacity_total = std::min(agent.capacity_total, agent.total_limit);
    agent.exclusive = 0;
    for (const auto& channel : agent.definition.exclusive)
        if (const auto known = intern_channel(channel)) agent.exclusive |= bit(*known);
    agent.skills = levels_of(agent.definition.skills);
    agent.routable = false;  // the counts below begin anew
    agent.available = 0;
    for (std::uint32_t i = 0; i < agent.memberships.size(); ++i) {
        auto& queue = *queues[agent.memberships[i].queue];
        queue.members.push_back(number);
        queue.signed_in += counted ? 1 : 0;
        for (std::size_t channel = 0; channel < channels.size(); ++channel) queue.signed_in_by_channel[channel] += counted && agent.capacity[channel] > 0 ? 1 : 0;
        for (const auto lane : queue.lanes) join_lane(number, lane, i);
    }
    look_at_shift(agent, number, at);
    refresh(number, at);
    touch(number);
}

void Router::Internals::adopt_queue(QueueNumber number, Instant at) {
    auto& queue = *queues[number];
    queue.required = levels_of(queue.definition.required_skills);
    std::vector<ItemNumber> waiting;
    const auto collect = [&](const SortedBlocks<WaitingKey>& keys) { keys.each([&](const WaitingKey& key) { waiting.push_back(key.item); return true; }); };
    for (const auto lane : queue.lanes) {
        collect(lanes[lane]->items);
        collect(lanes[lane]->reserved);
    }
    collect(queue.held);
    for (const auto item : waiting) unplace(item);
    while (!queue.lanes.empty()) drop_lane(queue.lanes.back());
    look_at_hours(queue, number, at);
    for (const auto item : waiting) {
        place(item, at);
        arm_item(item);
        touch_item(item);
    }
    for (const auto member : queue.members) touch(member);
}

}  // namespace touchgate::routing
