// One run of a replay: the router, its journal and its clock, and callers and agents who behave as the log says, or as drawn where it says nothing.

#include <algorithm>
#include <cmath>
#include <queue>

#include "gateway/routing/replay.hpp"

namespace touchgate::routing {

namespace {

constexpr double millis_per_second = 1'000;

double seconds(Duration of) { return static_cast<double>(of.count()) / millis_per_second; }

// How long callers wait, and work lasts, where the log does not tell.
struct Draws {
    std::map<std::string, std::vector<Duration>> handling;  // by queue
    std::map<std::string, double> leaving_rate;             // a second, by queue

    explicit Draws(const ReplayHistory& history) {
        std::map<std::string, std::pair<double, double>> waits;  // who left, all time waited
        for (const auto& arrival : history.arrivals()) {
            if (arrival.answered_at && arrival.ended_at) handling[arrival.queue].push_back(*arrival.ended_at - *arrival.answered_at);
            const auto until = arrival.answered_at ? arrival.answered_at : arrival.left_at;
            if (!until) continue;
            auto& [left, waited] = waits[arrival.queue];
            waited += seconds(*until - arrival.at);
            if (!arrival.answered_at && arrival.gave_up) left += 1;
        }
        for (const auto& [queue, of] : waits) leaving_rate[queue] = of.second > 0 ? of.first / of.second : 0;
    }
};

Duration exponential(Random& random, double rate) { return Duration{static_cast<std::int64_t>(-std::log1p(-random.unit()) / rate * millis_per_second)}; }

class Run final : public Journal {
public:
    Run(const ReplayHistory& history, const RouterSettings& settings, const ReplayChange& change, std::uint64_t seed)
        : history_{history}, change_{change}, behaviour_{seed}, choices_{seed ^ 0x9E3779B97F4A7C15U}, ids_{choices_}, draws_{history}, router_{settings, *this, choices_} {
        for (const auto& [agent, of] : history.answering()) {
            everybody_.accepted += of.accepted;
            everybody_.rejected += of.rejected;
            everybody_.timed_out += of.timed_out;
            everybody_.delays.insert(everybody_.delays.end(), of.delays.begin(), of.delays.end());
        }
    }

    FiguresByQueue figures() {
        const auto& arrivals = history_.arrivals();
        for (std::size_t i = 0; i < history_.people().size(); ++i) push(history_.people()[i].second, Kind::people, i);
        for (std::size_t i = 0; i < history_.occupied().size(); ++i) {
            push(history_.occupied()[i].from, Kind::occupied, i);
            if (history_.occupied()[i].to) push(*history_.occupied()[i].to, Kind::occupied_end, i);
        }
        // All draws of a caller are made in the order of arrival: with the same seed he is the same under every change.
        for (std::size_t i = 0; i < arrivals.size(); ++i) callers_.push_back(caller_of(arrivals[i], i));
        if (arrivals.empty()) return {};
        const auto begins = arrivals.front().at;
        end_ = arrivals.back().at + one_day;
        for (std::size_t i = 0; i < arrivals.size(); ++i) push(arrivals[i].at, Kind::arrival, i);
        while (!timeline_.empty() && waiting_ + left_to_come_ > 0) {
            const auto next = timeline_.top().at;
            const auto due = router_.next_due();
            if (due && *due < next) {
                now_ = std::max(now_, *due);
                router_.run(now_);
            } else {
                now_ = std::max(now_, next);
                if (now_ > end_) break;
                const auto entry = timeline_.top();
                timeline_.pop();
                happen(entry);
                if (!added_ && now_ >= begins) add_agents();
            }
            respond();
        }
        for (auto& [agent, of] : agents_) settle_time(agent, of);
        for (const auto& [id, of] : agents_) {
            const auto view = router_.agent(id);
            totals_[""].busy_s += of.busy_s;
            totals_[""].idle_s += of.idle_s;
            if (!view) continue;
            for (const auto& membership : view->definition->queues) {
                totals_[membership.queue].busy_s += of.busy_s;
                totals_[membership.queue].idle_s += of.idle_s;
            }
        }
        for (const auto& [queue, of] : totals_) {
            if (queue.empty()) continue;
            auto& all = totals_[""];
            all.offered += of.offered;
            all.answered += of.answered;
            all.answered_within += of.answered_within;
            all.abandoned += of.abandoned;
            all.flowed_out += of.flowed_out;
            all.wait_s += of.wait_s;
            all.rona += of.rona;
        }
        return totals_;
    }

    void append(const Event& event) override {
        std::string agent;
        if (const auto* made = std::get_if<OfferMade>(&event)) {
            agent = made->agent;
            if (!made->silent) offered_.push_back(*made);
        } else if (const auto* ended = std::get_if<OfferEnded>(&event)) {
            agent = ended->agent;
            if (ended->result == OfferResult::timed_out) {
                if (const auto found = callers_by_item_.find(ended->item); found != callers_by_item_.end()) ++totals_[callers_[found->second].queue].rona;
                if (ended->blocks) push(now_ + history_.block_lasts(), Kind::unblock, intern(ended->agent));
            }
        } else if (const auto* ended_item = std::get_if<ItemEnded>(&event)) {
            if (const auto item = router_.item(ended_item->id)) agent = item->agent;
        } else if (const auto* assigned = std::get_if<ItemAssigned>(&event)) agent = assigned->agent;
        else if (const auto* session = std::get_if<AgentSessionChanged>(&event)) agent = session->agent;
        else if (const auto* intent = std::get_if<AgentIntentChanged>(&event)) agent = intent->agent;
        router_.apply(event, now_);
        if (!agent.empty()) settle_time(agent, agents_[agent]);
    }
    Uuid new_offer_id() override { return ids_.next(now_); }

private:
    enum class Kind : std::uint8_t { people, occupied_end, occupied, arrival, answer, reject, leave, done, unblock };
    struct Entry {
        Instant at{};
        Kind kind = Kind::people;
        std::size_t number = 0;
        std::uint64_t serial = 0;
        Uuid offer{};
        bool operator<(const Entry& other) const { return at != other.at ? at > other.at : serial > other.serial; }
    };
    struct Caller {
        Uuid item{};
        std::string queue;
        Duration handling{0};
        std::optional<Duration> patience;
        bool waits = false, occupied = false;
        Instant entered{};
    };
    struct AgentTime {
        Instant since{};
        bool busy = false, idle = false;
        double busy_s = 0, idle_s = 0;
    };

    void push(Instant at, Kind kind, std::size_t number, const Uuid& offer = {}) { timeline_.push({.at = at, .kind = kind, .number = number, .serial = ++serial_, .offer = offer}); }

    std::size_t intern(const std::string& agent) {
        names_.push_back(agent);
        return names_.size() - 1;
    }

    Caller caller_of(const ReplayHistory::Arrival& arrival, std::size_t) {
        Caller made;
        made.queue = arrival.queue;
        const auto known = draws_.handling.find(arrival.queue);
        const auto drawn = behaviour_.next();  // drawn for everybody, so that nobody's draws depend on what others need
        if (arrival.answered_at && arrival.ended_at) made.handling = *arrival.ended_at - *arrival.answered_at;
        else if (known != draws_.handling.end()) made.handling = known->second[drawn % known->second.size()];
        else made.handling = std::chrono::minutes{3};
        const auto rate = draws_.leaving_rate[arrival.queue];
        const auto more = rate > 0 ? std::optional{exponential(behaviour_, rate)} : std::nullopt;
        if (!arrival.answered_at && arrival.gave_up && arrival.left_at) made.patience = *arrival.left_at - arrival.at;
        else if (more) made.patience = *more + (arrival.answered_at ? *arrival.answered_at - arrival.at : Duration{0});
        left_to_come_ += 1;
        return made;
    }

    // More agents of a queue: always ready, able to do whatever it asks for.
    void add_agents() {
        added_ = true;
        for (const auto& more : change_.agents) {
            const auto queue = router_.queue(more.queue);
            if (!queue) continue;
            Json skills = Json::object();
            for (const auto& [skill, level] : queue->definition->required_skills) skills[skill] = level;
            Json capacity = {{"voice", 1}};
            for (const auto& channel : queue->definition->channels) capacity[channel] = channel == "voice" ? 1 : 5;
            for (int i = 0; i < more.count; ++i) {
                const auto id = "added-" + more.queue + "-" + std::to_string(++more_agents_);
                if (!router_.put_agent(id, {{"capacity", capacity}, {"skills", skills}, {"queues", Json::array({more.queue})}}, now_)) continue;
                (void)router_.sign_in(id, "added", now_);
                (void)router_.set_intent(id, Intent::ready, "", "", now_);
            }
        }
    }

    void people(const Event& event) {
        if (const auto* agent = std::get_if<AgentDefined>(&event)) (void)router_.put_agent(agent->id, Json::parse(agent->document, nullptr, false), now_);
        else if (const auto* queue = std::get_if<QueueDefined>(&event)) {
            auto document = Json::parse(queue->document, nullptr, false);
            if (const auto changed = change_.strategies.find(queue->id); changed != change_.strategies.end() && document.is_object()) document["strategy"] = to_string(changed->second);
            (void)router_.put_queue(queue->id, document, now_);
        } else if (const auto* session = std::get_if<AgentSessionChanged>(&event)) {
            if (session->session == Session::signed_in) (void)router_.sign_in(session->agent, session->cause, now_);
            else if (session->session == Session::fault) (void)router_.lapse(session->agent, now_);
            else (void)router_.sign_out(session->agent, "forced", "log", now_);
        } else if (const auto* intent = std::get_if<AgentIntentChanged>(&event)) (void)router_.set_intent(intent->agent, intent->intent, intent->reason, intent->actor, now_);
        else if (const auto* health = std::get_if<AgentHealthChanged>(&event)) (void)router_.set_health(health->agent, health->healthy, health->reason, now_);
    }

    void happen(const Entry& entry) {
        switch (entry.kind) {
            case Kind::people: people(history_.people()[entry.number].first); break;
            case Kind::occupied: {
                const auto& work = history_.occupied()[entry.number];
                (void)router_.assign(work.item, work.agent, work.channel, "", "log", true, now_);
                break;
            }
            case Kind::occupied_end: (void)router_.end({.id = history_.occupied()[entry.number].item, .state = "completed"}, now_); break;
            case Kind::arrival: {
                const auto& arrival = history_.arrivals()[entry.number];
                auto& caller = callers_[entry.number];
                --left_to_come_;
                caller.item = ids_.next(now_);
                caller.entered = now_;
                callers_by_item_[caller.item] = entry.number;
                if (!router_.enqueue({.item = caller.item, .queue = arrival.queue, .channel = arrival.channel, .priority = arrival.priority, .needs = arrival.needs, .prefers = arrival.prefers,
                                      .only = {}, .first_queued_at = arrival.first_queued_at}, now_)) break;
                ++totals_[caller.queue].offered;
                ++waiting_;
                caller.waits = true;
                if (caller.patience) push(now_ + *caller.patience, Kind::leave, entry.number);
                break;
            }
            case Kind::answer: {
                const auto offer = router_.offer(entry.offer);
                if (!offer) break;
                const auto found = callers_by_item_.find(offer->item);
                const std::string agent{offer->agent};
                if (!router_.accept(agent, entry.offer, offer->fence, now_) || found == callers_by_item_.end()) break;
                auto& caller = callers_[found->second];
                auto& of = totals_[caller.queue];
                const auto wait = now_ - caller.entered;
                ++of.answered;
                of.wait_s += seconds(wait);
                const auto queue = router_.queue(caller.queue);
                if (queue && wait <= queue->definition->service_level_within) ++of.answered_within;
                caller.waits = false;
                caller.occupied = true;
                push(now_ + caller.handling, Kind::done, found->second);
                break;
            }
            case Kind::reject:
                if (const auto offer = router_.offer(entry.offer)) (void)router_.reject(std::string{offer->agent}, entry.offer, "rejected", now_);
                break;
            case Kind::leave:
                if (callers_[entry.number].waits) leave(entry.number, "abandoned");
                break;
            case Kind::done:
                if (callers_[entry.number].occupied) --waiting_;
                callers_[entry.number].occupied = false;
                (void)router_.end({.id = callers_[entry.number].item, .state = "completed"}, now_);
                break;
            case Kind::unblock:
                if (const auto agent = router_.agent(names_[entry.number]); agent && agent->blocked) (void)router_.set_intent(names_[entry.number], Intent::ready, "", "", now_);
                break;
        }
    }

    void leave(std::size_t number, const char* state) {
        auto& caller = callers_[number];
        caller.waits = false;
        --waiting_;
        auto& of = totals_[caller.queue];
        ++(state == std::string_view{"abandoned"} ? of.abandoned : of.flowed_out);
        (void)router_.end({.id = caller.item, .state = state}, now_);
    }

    // Agents answer what they are offered, and what cannot be kept goes where its queue says.
    void respond() {
        for (const auto& made : std::exchange(offered_, {})) {
            const auto known = history_.answering().find(made.agent);
            const auto& own = known != history_.answering().end() && known->second.accepted + known->second.timed_out >= own_enough ? known->second : everybody_;
            const double all = own.accepted + own.rejected + own.timed_out;
            const double draw = choices_.unit() * std::max(all, 1.0);
            auto delay = own.delays.empty() ? Duration{3'000} : own.delays[choices_.below(own.delays.size())];
            const auto longest = from_unix_ms(made.deadline) - now_ - Duration{1};
            delay = std::max(Duration{0}, std::min(delay, longest));
            if (draw < own.timed_out) continue;
            push(now_ + delay, draw < own.timed_out + own.rejected ? Kind::reject : Kind::answer, 0, made.offer);
        }
        for (const auto& flow : router_.take_flow_outs()) {
            const auto found = callers_by_item_.find(flow.item);
            if (found == callers_by_item_.end() || !callers_[found->second].waits || flow.to.kind == Overflow::Kind::none) continue;
            if (flow.to.kind == Overflow::Kind::queue && router_.queue(flow.to.queue)) {
                auto& caller = callers_[found->second];
                ++totals_[caller.queue].flowed_out;
                (void)router_.requeue(flow.item, flow.to.queue, "", false, "overflow", now_);
                caller.queue = flow.to.queue;
                caller.entered = now_;
                ++totals_[caller.queue].offered;
            } else leave(found->second, "flowed_out");
        }
    }

    // Books the time since the last change of his under what he did.
    void settle_time(const std::string& id, AgentTime& of) {
        const auto begins = history_.arrivals().front().at;
        const auto last = history_.arrivals().back().at;
        const auto from = std::clamp(of.since, begins, last), to = std::clamp(now_, begins, last);
        if (of.busy) of.busy_s += seconds(to - from);
        else if (of.idle) of.idle_s += seconds(to - from);
        of.since = now_;
        const auto view = router_.agent(id);
        of.busy = view && !view->items.empty();
        of.idle = view && view->items.empty() && (view->state == AgentState::ready || view->state == AgentState::ringing || view->state == AgentState::reserved);
    }

    static constexpr std::uint32_t own_enough = 20;  // offers, before an agent is judged by his own
    const ReplayHistory& history_;
    const ReplayChange& change_;
    Random behaviour_, choices_;
    UuidSource ids_;
    Draws draws_;
    ReplayHistory::Answering everybody_;
    Instant now_{}, end_{};
    std::priority_queue<Entry> timeline_;
    std::uint64_t serial_ = 0;
    std::vector<Caller> callers_;
    std::map<Uuid, std::size_t> callers_by_item_;
    std::vector<std::string> names_;
    std::map<std::string, AgentTime> agents_;
    std::vector<OfferMade> offered_;
    FiguresByQueue totals_;
    std::int64_t waiting_ = 0, left_to_come_ = 0;  // waiting or being served
    int more_agents_ = 0;
    bool added_ = false;
    Router router_;
};

}  // namespace

FiguresByQueue simulate(const ReplayHistory& history, const RouterSettings& settings, const ReplayChange& change, std::uint64_t seed) {
    return Run{history, settings, change, seed}.figures();
}

FiguresByQueue logged_figures(const ReplayHistory& history) {
    std::map<std::string, Duration> within;
    for (const auto& [event, at] : history.people())
        if (const auto* defined = std::get_if<QueueDefined>(&event)) {
            std::vector<Problem> problems;
            within[defined->id] = parse_queue(defined->id, Json::parse(defined->document, nullptr, false), problems).service_level_within;
        }
    FiguresByQueue figures;
    for (const auto& arrival : history.arrivals())
        for (const auto& key : {arrival.queue, std::string{}}) {
            auto& of = figures[key];
            ++of.offered;
            if (arrival.answered_at) {
                ++of.answered;
                of.wait_s += seconds(*arrival.answered_at - arrival.at);
                if (*arrival.answered_at - arrival.at <= within[arrival.queue]) ++of.answered_within;
            } else if (arrival.left_at) ++(arrival.gave_up ? of.abandoned : of.flowed_out);
        }
    for (const auto& [queue, count] : history.rona()) {
        figures[queue].rona += static_cast<double>(count);
        figures[""].rona += static_cast<double>(count);
    }
    return figures;
}

}  // namespace touchgate::routing
