#include "gateway/leads/choice.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "gateway/policy/condition.hpp"

namespace touchgate::leads {

namespace {

constexpr std::array<std::string_view, 5> strategy_words = {"", "weighted_round_robin", "fair_share", "least_loaded", "best_skill"};
constexpr std::size_t considered_max = 8;

bool is_in(const std::vector<std::string>& list, std::string_view id) { return std::find(list.begin(), list.end(), id) != list.end(); }

bool has_skills(const Agent& agent, const Skills& needed) {
    return std::all_of(needed.begin(), needed.end(), [&](const auto& need) {
        const auto found = agent.skills.find(need.first);
        return found != agent.skills.end() && found->second >= need.second;
    });
}

int proficiency(const Agent& agent, const Skills& needed) {
    int sum = 0;
    for (const auto& [name, level] : needed)
        if (const auto found = agent.skills.find(name); found != agent.skills.end()) sum += found->second;
    return sum;
}

std::string unit_above(const std::string& unit) {
    const auto slash = unit.rfind('/');
    return slash == std::string::npos ? std::string{} : unit.substr(0, slash);
}

// Nobody lags behind the foremost by more than one lead, so that who was away is not flooded when he comes back.
double caught_up(double own, double foremost, double stride_max) { return std::max(own, foremost - stride_max); }

struct Clocks { double foremost_turn = 0, foremost_share = 0, stride = 0, share_stride = 0; };

Clocks clocks_of(std::span<const Agent* const> agents, const Need& need) {
    Clocks made;
    for (const auto* agent : agents) {
        made.foremost_turn = std::max(made.foremost_turn, agent->turn);
        made.foremost_share = std::max(made.foremost_share, agent->share);
        made.stride = std::max(made.stride, 1 / agent->weight);
        made.share_stride = std::max(made.share_stride, need.work_max / agent->weight);
    }
    return made;
}

void take(Choice& choice, const Agent& agent, std::span<const Agent* const> among, const Need& need) {
    const auto clocks = clocks_of(among, need);
    choice.agent = agent.id;
    choice.turn = caught_up(agent.turn, clocks.foremost_turn, clocks.stride) + 1 / agent.weight;
    choice.share = caught_up(agent.share, clocks.foremost_share, clocks.share_stride) + need.work / agent.weight;
}

}  // namespace

std::string_view to_string(Strategy strategy) { return strategy_words[static_cast<std::size_t>(strategy) % strategy_words.size()]; }

std::optional<Strategy> parse_strategy(std::string_view word) {
    for (std::size_t i = 1; i < strategy_words.size(); ++i)
        if (strategy_words[i] == word) return static_cast<Strategy>(i);
    return std::nullopt;
}

Choice choose(const Need& need, std::span<const Agent> agents) {
    Choice choice;
    auto& trace = choice.trace;
    trace.strategy = need.strategy;
    trace.unit = need.unit;
    const auto find = [&](std::string_view id) {
        const auto found = std::find_if(agents.begin(), agents.end(), [&](const Agent& agent) { return agent.id == id; });
        return found == agents.end() ? nullptr : &*found;
    };
    const auto can = [&](const Agent& agent) { return !agent.absent && agent.on_shift && (agent.ready || !need.require_ready) && agent.has_room(); };

    if (need.owner_first != OwnerFirst::never && !need.owner.empty() && !is_in(need.except, need.owner)) {
        const auto* owner = find(need.owner);
        trace.cause = "owner";
        if (owner != nullptr && !owner->disabled && owner->absent) {
            owner = is_in(need.except, owner->delegate) ? nullptr : find(owner->delegate);
            trace.cause = "delegate";
        }
        if (owner != nullptr && !owner->disabled && !owner->absent && (need.owner_first == OwnerFirst::always || can(*owner))) {
            take(choice, *owner, std::array{owner}, need);
            trace.considered = {owner->id};
            return choice;
        }
    }

    std::vector<const Agent*> left;
    for (auto unit = need.unit;;) {
        trace.unit = unit;
        trace.agents = trace.in_unit = trace.skilled = trace.on_shift = trace.with_room = 0;
        left.clear();
        for (const auto& agent : agents) {
            if (agent.disabled || is_in(need.except, agent.id) || (!need.only.empty() && !is_in(need.only, agent.id))) continue;
            ++trace.agents;
            // Who is of no unit works for all of them.
            if (!unit.empty() && !agent.unit.empty() && !policy::is_unit_within(agent.unit, unit)) continue;
            ++trace.in_unit;
            if (!has_skills(agent, need.skills)) continue;
            ++trace.skilled;
            if (agent.absent || !agent.on_shift || (need.require_ready && !agent.ready)) continue;
            ++trace.on_shift;
            if (!agent.has_room()) continue;
            ++trace.with_room;
            left.push_back(&agent);
        }
        if (!left.empty() || !need.widen || unit.empty()) break;
        unit = unit_above(unit);
    }
    if (left.empty()) {
        trace.cause = "nobody";
        return choice;
    }

    const auto clocks = clocks_of(left, need);
    const auto turn = [&](const Agent& agent) { return caught_up(agent.turn, clocks.foremost_turn, clocks.stride); };
    const auto share = [&](const Agent& agent) { return caught_up(agent.share, clocks.foremost_share, clocks.share_stride); };
    // Smaller is better; the next one decides where one is equal, at last the id, so that the order is total.
    using Key = std::tuple<double, double, std::string_view>;
    const auto key = [&](const Agent& agent) -> Key {
        switch (need.strategy) {
            case Strategy::weighted_round_robin: return {turn(agent), static_cast<double>(agent.open) / agent.weight, agent.id};
            case Strategy::fair_share: return {share(agent), static_cast<double>(agent.open) / agent.weight, agent.id};
            case Strategy::least_loaded: return {static_cast<double>(agent.open) / agent.weight, turn(agent), agent.id};
            case Strategy::best_skill: return {-proficiency(agent, need.skills), turn(agent), agent.id};
        }
        return {0, 0, agent.id};
    };
    const auto shown = std::min(left.size(), considered_max);
    std::partial_sort(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(shown), left.end(), [&](const Agent* a, const Agent* b) { return key(*a) < key(*b); });
    for (std::size_t i = 0; i < shown; ++i) trace.considered.push_back(left[i]->id);
    trace.cause = "choice";
    if (left.size() > 1) {
        constexpr std::array<std::array<std::string_view, 2>, 5> deciders = {{{}, {"turn", "open_leads"}, {"share", "open_leads"}, {"open_leads", "turn"}, {"skill", "turn"}}};
        const auto first = key(*left[0]), second = key(*left[1]);
        const auto& words = deciders[static_cast<std::size_t>(need.strategy)];
        trace.tie_break = std::get<0>(first) != std::get<0>(second) ? words[0] : std::get<1>(first) != std::get<1>(second) ? words[1] : std::string_view{"id"};
    }
    take(choice, *left.front(), left, need);
    return choice;
}

}  // namespace touchgate::leads
