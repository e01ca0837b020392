// The sort keys of the strategies, and the lists of candidates that are ordered by them.
//
// A list is lazy: an agent who becomes busy stays in it until he comes up, and a key that has only grown since (idle time, virtual time, load) is corrected
// then. A key that has become smaller is corrected at once, when the agent is listed again. So the first entry that is right is the smallest of all.

#include <algorithm>
#include <cmath>

#include "gateway/routing/internals.hpp"

namespace touchgate::routing {

namespace {


bool is_drawn(Strategy strategy) { return strategy == Strategy::weighted || strategy == Strategy::random; }

bool same(const Candidate& a, const Candidate& b) { return a.tier == b.tier && !(a.key < b.key) && !(b.key < a.key) && a.then == b.then; }

}  // namespace

LaneEntry* Router::Internals::entry_of(AgentNumber agent, LaneNumber lane) const {
    for (auto& entry : agents[agent]->lanes)
        if (entry.lane == lane) return &entry;
    return nullptr;
}

Candidate Router::Internals::candidate_of(const AgentRecord& agent, AgentNumber number, const LaneEntry& entry, const Lane& lane) {
    const auto& membership = agent.memberships[entry.membership];
    const auto strategy = queues[lane.queue]->definition.strategy;
    Candidate made{.tier = membership.tier, .key = 0, .then = unix_ms(agent.idle_since), .agent = number};
    switch (strategy) {
        case Strategy::ring_all:
        case Strategy::ring_progressively:
        case Strategy::longest_idle:
        case Strategy::sticky: break;
        case Strategy::round_robin:
        case Strategy::top_down:
            made.key = membership.position;
            made.then = 0;
            break;
        case Strategy::least_loaded: made.key = agent.capacity_total == 0 ? 1 : static_cast<double>(agent.used_total) / agent.capacity_total; break;
        case Strategy::fewest_calls: made.key = agent.window_calls; break;
        case Strategy::least_talk_time: made.key = static_cast<double>(agent.window_talk_ms); break;
        case Strategy::best_skill:
            made.tier = 0;
            for (const auto skill : lane.scored)
                if (const auto* has = level_in(agent.skills, skill)) made.key -= has->level;
            break;
        case Strategy::weighted:
        case Strategy::random:
            // Exponential keys: the smallest of Exp(1)/weight wins with a probability proportional to its weight, and what the others have left above it
            // is again exponential, so they keep theirs and a newcomer starts at the last winner's.
            made.then = 0;
            made.key = entry.listed ? entry.stored.key : lane.drawn - std::log1p(-random.unit()) / (strategy == Strategy::weighted ? membership.weight : 1.0);
            break;
        case Strategy::fair_share: made.key = membership.virtual_time; break;
    }
    return made;
}

void Router::Internals::list(AgentNumber number) {
    auto& agent = *agents[number];
    for (auto& entry : agent.lanes) {
        if ((agent.available & bit(entry.channel)) == 0) continue;
        auto& lane = *lanes[entry.lane];
        const auto now = candidate_of(agent, number, entry, lane);
        if (entry.listed) {
            if (!lane.candidates_less(now, entry.stored)) continue;
            lane.candidates.erase(entry.stored);
        }
        entry.stored = now;
        entry.listed = true;
        lane.candidates.insert(now);
    }
}

bool Router::Internals::won_draw(AgentNumber number, LaneNumber lane_number) {
    if (lane_number == nobody || !is_drawn(queues[lanes[lane_number]->queue]->definition.strategy)) return false;
    auto* entry = entry_of(number, lane_number);
    if (entry == nullptr || !entry->listed) return true;
    auto& lane = *lanes[lane_number];
    lane.drawn = entry->stored.key;
    lane.candidates.erase(entry->stored);
    entry->listed = false;
    return true;
}

bool Router::Internals::check_candidate(Lane& lane, LaneNumber number, const Candidate& candidate) {
    auto* entry = entry_of(candidate.agent, number);
    const auto& agent = *agents[candidate.agent];
    if (entry != nullptr && (agent.available & bit(lane.channel)) != 0) {
        const auto now = candidate_of(agent, candidate.agent, *entry, lane);
        if (same(now, candidate)) return true;
        lane.candidates.erase(candidate);
        entry->stored = now;
        lane.candidates.insert(now);
        return false;
    }
    lane.candidates.erase(candidate);
    if (entry != nullptr) entry->listed = false;
    return false;
}

void Router::Internals::best_candidates(LaneNumber lane_number, const ItemRecord* item, std::size_t most, bool one_tier, bool ignore_backoff, Instant now) {
    constexpr std::size_t stale_at_once = 32;
    auto& lane = *lanes[lane_number];
    const auto strategy = queues[lane.queue]->definition.strategy;
    const auto usable = [&](AgentNumber agent) {
        if (only_settled && agents[agent]->changed) return false;
        return item == nullptr || ((ignore_backoff || !in_backoff(*item, agent, now)) && !has_offer(*item, agent));
    };
    const auto right = [&](const Candidate& candidate) {
        const auto* entry = entry_of(candidate.agent, lane_number);
        const auto& agent = *agents[candidate.agent];
        return entry != nullptr && (agent.available & bit(lane.channel)) != 0 && same(candidate_of(agent, candidate.agent, *entry, lane), candidate);
    };
    for (bool again = true; again;) {
        again = false;
        scratch.clear();
        stale.clear();
        const auto look = [&](const Candidate& candidate) {
            if (!right(candidate)) {
                stale.push_back(candidate);
                return stale.size() < stale_at_once;
            }
            if (one_tier && !scratch.empty() && scratch.front().tier != candidate.tier) return false;
            if (usable(candidate.agent)) scratch.push_back(candidate);
            return scratch.size() < most;
        };
        const auto& served = queues[lane.queue]->served_agent;
        if (strategy == Strategy::round_robin && served != nobody && !lane.candidates.empty()) {
            // The best tier that has somebody, from behind the last one round to him.
            const Candidate* first = nullptr;
            lane.candidates.each([&](const Candidate& candidate) {
                if (!right(candidate)) {
                    stale.push_back(candidate);
                    return stale.size() < stale_at_once;
                }
                if (usable(candidate.agent)) first = &candidate;
                return first == nullptr;
            });
            if (first != nullptr) {
                const Candidate memory{.tier = first->tier, .key = static_cast<double>(queues[lane.queue]->served_position), .then = 0, .agent = served};
                const auto tier = first->tier;
                const auto walk = [&](const Candidate* from, bool past_memory) {
                    for (const auto* candidate = from; candidate != nullptr && candidate->tier == tier && scratch.size() < most; candidate = lane.candidates.after(*candidate)) {
                        if (past_memory && lane.candidates_less(memory, *candidate)) break;
                        if (!right(*candidate)) stale.push_back(*candidate);
                        else if (usable(candidate->agent)) scratch.push_back(*candidate);
                    }
                };
                const auto start = *first;
                walk(lane.candidates.after(memory), false);
                if (!lane.candidates_less(memory, start)) walk(&start, true);
            }
        } else lane.candidates.each(look);
        for (const auto& candidate : stale) {
            const auto before = lane.candidates.size();
            (void)check_candidate(lane, lane_number, candidate);
            again = again || lane.candidates.size() == before;  // it stands elsewhere now
        }
        again = again || (stale.size() >= stale_at_once && scratch.size() < most);
    }
}

std::string_view Router::Internals::tie_break(const Lane& lane) const {
    if (scratch.size() < 2) return "only_candidate";
    const auto& best = scratch[0];
    const auto& next = scratch[1];
    if (best.tier != next.tier) return "tier";
    const bool keys_differ = best.key < next.key || next.key < best.key;
    switch (queues[lane.queue]->definition.strategy) {
        case Strategy::round_robin: return "after_last_served";
        case Strategy::top_down:
            if (keys_differ) return "position";
            break;
        case Strategy::least_loaded:
            if (keys_differ) return "load";
            break;
        case Strategy::fewest_calls:
            if (keys_differ) return "calls";
            break;
        case Strategy::least_talk_time:
            if (keys_differ) return "talk_time";
            break;
        case Strategy::best_skill:
            if (keys_differ) return "skill";
            break;
        case Strategy::weighted:
        case Strategy::random: return "drawn";
        case Strategy::fair_share:
            if (keys_differ) return "virtual_time";
            break;
        default: break;
    }
    return best.then != next.then ? "idle_since" : "agent_id";
}

}  // namespace touchgate::routing
