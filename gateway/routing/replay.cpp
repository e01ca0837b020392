#include "gateway/routing/replay.hpp"

#include <algorithm>
#include <cmath>

namespace touchgate::routing {

namespace {

template <class... F> struct Cases : F... { using F::operator()...; };

ReplayInterval interval(std::vector<double> values) {
    if (values.empty()) return {};
    std::sort(values.begin(), values.end());
    double sum = 0;
    for (const auto value : values) sum += value;
    const auto at = [&](double share) { return values[static_cast<std::size_t>(std::lround(share * static_cast<double>(values.size() - 1)))]; };
    return {.value = sum / static_cast<double>(values.size()), .low = at(0.025), .high = at(0.975)};
}

ReplayRow::Measures measures_of(const std::vector<ReplayFigures>& runs, const std::vector<ReplayFigures>* less = nullptr) {
    const auto over = [&](const auto& figure) {
        std::vector<double> values;
        for (std::size_t i = 0; i < runs.size(); ++i) values.push_back(figure(runs[i]) - (less == nullptr ? 0.0 : figure((*less)[i])));
        return interval(std::move(values));
    };
    return {.service_level = over([](const ReplayFigures& f) { return f.service_level(); }), .asa_s = over([](const ReplayFigures& f) { return f.asa_s(); }),
            .abandonment = over([](const ReplayFigures& f) { return f.abandonment(); }), .occupancy = over([](const ReplayFigures& f) { return f.occupancy(); }),
            .rona = over([](const ReplayFigures& f) { return f.rona; })};
}

}  // namespace

std::optional<Strategy> parse_strategy(std::string_view word) {
    for (int i = 0; i <= static_cast<int>(Strategy::random); ++i)
        if (to_string(static_cast<Strategy>(i)) == word) return static_cast<Strategy>(i);
    return std::nullopt;
}

Duration ReplayHistory::block_lasts() const { return blocks_ == 0 ? Duration{60'000} : blocked_for_ / blocks_; }

void ReplayHistory::take(const Event& event, Instant at) {
    const auto answered = [&](Open& open, const std::string& agent, const Uuid& item, const std::string& channel) {
        if (open.arrival) {
            auto& arrival = arrivals_[*open.arrival];
            if (!arrival.answered_at) arrival.answered_at = at;
        } else if (!open.occupied) {
            open.occupied = occupied_.size();
            occupied_.push_back({.item = item, .agent = agent, .channel = channel, .from = at, .to = {}});
        }
    };
    // Its slot is free from now on.
    const auto freed = [&](Open& open) {
        if (open.arrival && arrivals_[*open.arrival].answered_at && !arrivals_[*open.arrival].ended_at) arrivals_[*open.arrival].ended_at = at;
        if (open.occupied && !occupied_[*open.occupied].to) occupied_[*open.occupied].to = at;
    };
    std::visit(Cases{
                   [&](const AgentDefined&) { people_.emplace_back(event, at); }, [&](const QueueDefined&) { people_.emplace_back(event, at); },
                   [&](const AgentSessionChanged&) { people_.emplace_back(event, at); }, [&](const AgentHealthChanged&) { people_.emplace_back(event, at); },
                   [&](const AgentIntentChanged& e) {
                       if (e.cause == "after_current") return;  // follows from the work
                       people_.emplace_back(event, at);
                       if (const auto since = blocked_.find(e.agent); since != blocked_.end() && e.intent == Intent::ready) {
                           blocked_for_ += at - since->second;
                           ++blocks_;
                           blocked_.erase(since);
                       }
                   },
                   [&](const ItemQueued& e) {
                       auto [found, added] = open_.try_emplace(e.item);
                       found->second.queue = e.queue;
                       if (!added || e.cause == "dialing" || !in_range(at)) return;
                       found->second.arrival = arrivals_.size();
                       arrivals_.push_back({.at = at, .first_queued_at = from_unix_ms(e.first_queued_at), .queue = e.queue, .channel = e.channel, .prefers = e.prefers, .needs = e.needs,
                                            .priority = e.priority, .answered_at = {}, .left_at = {}, .ended_at = {}, .gave_up = false});
                   },
                   [&](const OfferMade& e) { offers_[e.offer] = {at, e.silent}; },
                   [&](const OfferEnded& e) {
                       const auto made = offers_.find(e.offer);
                       const bool silent = made != offers_.end() && made->second.second;
                       const auto open = open_.find(e.item);
                       auto& of = answering_[e.agent];
                       if (e.result == OfferResult::accepted) {
                           if (!silent) ++of.accepted;
                           if (!silent && made != offers_.end()) of.delays.push_back(at - made->second.first);
                           if (open != open_.end()) answered(open->second, e.agent, e.item, "voice");
                       } else if (e.result == OfferResult::timed_out && !silent) {
                           ++of.timed_out;
                           if (open != open_.end() && open->second.arrival) ++rona_[open->second.queue];
                       } else if (e.result == OfferResult::rejected) ++of.rejected;
                       if (e.blocks) blocked_[e.agent] = at;
                       if (made != offers_.end()) offers_.erase(made);
                   },
                   [&](const ItemAssigned& e) {
                       auto& open = open_[e.item];
                       answered(open, e.agent, e.item, e.channel);
                   },
                   [&](const ItemPhaseChanged&) {}, [&](const ItemRecovering&) {},
                   [&](const ItemWrapping& e) {
                       const auto open = open_.find(e.item);
                       if (open == open_.end()) return;
                       const bool call = open->second.arrival ? arrivals_[*open->second.arrival].channel == "voice" : true;
                       if (!call) freed(open->second);
                   },
                   [&](const ItemEnded& e) {
                       const auto open = open_.find(e.id);
                       if (open == open_.end()) return;
                       freed(open->second);
                       if (open->second.arrival)
                           if (auto& arrival = arrivals_[*open->second.arrival]; !arrival.answered_at) {
                               arrival.left_at = at;
                               arrival.gave_up = e.state == "abandoned" || e.state == "cancelled";
                           }
                       open_.erase(open);
                   },
               },
               event);
}

Result<std::vector<ReplayRow>> replay_routing(const ReplayHistory& history, const RouterSettings& settings, const ReplayChange& change, int runs, std::uint64_t seed) {
    const auto known = [&](const std::string& queue) {
        return std::any_of(history.people().begin(), history.people().end(), [&](const auto& entry) {
            const auto* defined = std::get_if<QueueDefined>(&entry.first);
            return defined != nullptr && defined->id == queue;
        });
    };
    for (const auto& more : change.agents)
        if (!known(more.queue)) return invalid("/agents", "there is no queue \"" + more.queue + "\" in the log");
    for (const auto& [queue, strategy] : change.strategies)
        if (!known(queue)) return invalid("/strategy", "there is no queue \"" + queue + "\" in the log");
    std::map<std::string, std::pair<std::vector<ReplayFigures>, std::vector<ReplayFigures>>> all;
    for (int run = 0; run < runs; ++run) {
        const auto same_draws = seed + static_cast<std::uint64_t>(run);
        auto before = simulate(history, settings, {}, same_draws);
        auto after = simulate(history, settings, change, same_draws);
        for (const auto* of : {&before, &after})
            for (const auto& [queue, figures] : *of) (void)all[queue];
        for (auto& [queue, of] : all) {
            of.first.push_back(before[queue]);
            of.second.push_back(after[queue]);
        }
    }
    auto logged = logged_figures(history);
    std::vector<ReplayRow> rows;
    for (const auto& [queue, of] : all)
        rows.push_back({.queue = queue, .logged = logged[queue], .before = measures_of(of.first), .after = measures_of(of.second), .difference = measures_of(of.second, &of.first)});
    if (!rows.empty()) std::rotate(rows.begin(), rows.begin() + 1, rows.end());  // the row of all together stands last
    return rows;
}

}  // namespace touchgate::routing
