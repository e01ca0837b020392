#include "tests/simulation/pacing/floor.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <numbers>
#include <queue>
#include <vector>

#include "gateway/base/random.hpp"

namespace touchgate::pacing_simulation {

namespace {

constexpr std::array<double, 8> rate_by_hour = {0.75, 0.90, 1.00, 1.05, 0.80, 0.95, 1.20, 1.35};  // of the mean
constexpr Duration tick_every{1'000};

enum class Kind : std::uint8_t { line_ends, talk_ends, wrap_ends, gives_up, tick };
struct Event {
    Instant at;
    std::uint64_t number;  // equal times: in the order in which they were made
    Kind kind;
    std::uint32_t who;
    bool operator>(const Event& other) const { return at != other.at ? at > other.at : number > other.number; }
};

class Floor {
public:
    Floor(const FloorTerms& terms, const dialing::Plan& plan, dialing::Pacer& pacer, Vicidial* vicidial, std::uint64_t seed)
        : terms_{terms}, plan_{plan}, pacer_{pacer}, vicidial_{vicidial}, random_{seed}, learned_{plan}, agents_(terms.agents) {}

    FloorResult run() {
        for (int day = 0; day < terms_.days; ++day) run_day(from_unix_ms(1'767'258'000'000) + one_day * day);
        result_.drop_rate = result_.answers > 0 ? static_cast<double>(result_.dropped) / static_cast<double>(result_.answers) : 0;
        result_.occupancy = static_cast<double>(busy_.count()) / (static_cast<double>(terms_.shift.count()) * terms_.days * terms_.agents);
        return result_;
    }

private:
    struct Line { dialing::DialKind kind; Instant dialed_at; bool answers = false; std::uint32_t place = 0; };

    void run_day(Instant nine) {
        day_ = nine;
        day_ends_ = nine + terms_.shift;
        for (auto& agent : agents_) agent = {dialing::AgentPhase::free, nine};
        if (vicidial_ != nullptr) vicidial_->begin_day(nine);
        push(nine, Kind::tick, 0);
        while (!events_.empty()) {
            const auto event = events_.top();
            events_.pop();
            now_ = event.at;
            handle(event);
        }
        const auto so_far = result_.answers > 0 ? static_cast<double>(result_.dropped) / static_cast<double>(result_.answers) : 0;
        result_.drop_rate_worst = std::max(result_.drop_rate_worst, so_far);
    }

    void handle(const Event& event) {
        switch (event.kind) {
            case Kind::line_ends: line_ends(event.who); break;
            case Kind::talk_ends:
                learned_.talk.ended_after(now_ - agents_[event.who].since);
                set(event.who, dialing::AgentPhase::wrapping);
                push(now_ + lognormal(terms_.wrap_mean_s, terms_.wrap_sigma), Kind::wrap_ends, event.who);
                break;
            case Kind::wrap_ends:
                learned_.wrap_up.ended_after(now_ - agents_[event.who].since);
                set(event.who, dialing::AgentPhase::free);
                if (!waiting_.empty()) {
                    waiting_.pop_front();
                    connect(event.who);
                }
                break;
            case Kind::gives_up:
                if (waiting_.empty() || waiting_.front() != event.who) break;  // somebody took it
                waiting_.pop_front();
                ended(true);
                break;
            case Kind::tick:
                if (now_ >= day_ends_) break;
                dial();
                push(now_ + tick_every, Kind::tick, 0);
                break;
        }
    }

    void dial() {
        const auto hour = static_cast<std::uint8_t>((now_ - day_) / std::chrono::hours{1});
        const dialing::DialKind kind{.segment = "list", .carrier = "", .hour = hour};
        const dialing::PacingView view{.agents = agents_,
                                       .lines = line_views_,
                                       .waiting = static_cast<std::uint32_t>(waiting_.size()),
                                       .next_answer_rate = learned_.answer_rates.rate(kind)};
        const auto pace = pacer_.decide(now_, view, learned_);
        for (std::uint32_t i = 0; i < pace.dial; ++i) start_line(kind, view.next_answer_rate);
    }

    void start_line(const dialing::DialKind& kind, double rate) {
        ++result_.dials;
        if (vicidial_ != nullptr) vicidial_->dialed(now_);
        Duration rings = plan_.ring_timeout;
        const bool answers = random_.chance(terms_.answer_rate * rate_by_hour[kind.hour % rate_by_hour.size()]);
        // Who answers does so after some seconds; of the others some are busy or unreachable at once, most ring until the end.
        if (answers) rings = std::min(rings, Duration{1'500} + lognormal(7, 0.6));
        else if (random_.chance(0.2)) rings = Duration{1'000} + lognormal(3, 0.5);
        std::uint32_t id = 0;
        if (free_ids_.empty()) {
            id = static_cast<std::uint32_t>(lines_.size());
            lines_.emplace_back();
        } else {
            id = free_ids_.back();
            free_ids_.pop_back();
        }
        lines_[id] = {kind, now_, answers, static_cast<std::uint32_t>(line_views_.size())};
        line_views_.push_back({now_, rate});
        line_ids_.push_back(id);
        push(now_ + rings, Kind::line_ends, id);
    }

    void line_ends(std::uint32_t id) {
        const auto line = lines_[id];
        line_views_[line.place] = line_views_.back();
        line_ids_[line.place] = line_ids_.back();
        lines_[line_ids_[line.place]].place = line.place;
        line_views_.pop_back();
        line_ids_.pop_back();
        free_ids_.push_back(id);
        learned_.dial_ended(line.kind, now_ - line.dialed_at, line.answers);
        if (!line.answers) return;
        ++result_.answers;
        for (std::uint32_t i = 0; i < agents_.size(); ++i)
            if (agents_[i].phase == dialing::AgentPhase::free) {
                connect(i);
                return;
            }
        waiting_.push_back(++callers_);
        push(now_ + plan_.no_agent_within, Kind::gives_up, callers_);
    }

    void connect(std::uint32_t agent) {
        ended(false);
        set(agent, dialing::AgentPhase::talking);
        push(now_ + lognormal(terms_.talk_mean_s, terms_.talk_sigma), Kind::talk_ends, agent);
    }

    void ended(bool dropped) {
        result_.dropped += dropped ? 1 : 0;
        learned_.drops.answered(now_, {.dropped = dropped});
        if (vicidial_ != nullptr) vicidial_->answered(now_, dropped);
    }

    void set(std::uint32_t agent, dialing::AgentPhase phase) {
        auto& view = agents_[agent];
        if (view.phase != dialing::AgentPhase::free) busy_ += std::max(Duration{0}, std::min(now_, day_ends_) - std::min(view.since, day_ends_));
        view = {phase, now_};
    }

    Duration lognormal(double mean_s, double sigma) {
        const auto normal = std::sqrt(-2 * std::log(1 - random_.unit())) * std::cos(2 * std::numbers::pi * random_.unit());
        return Duration{std::llround(1'000 * mean_s * std::exp(sigma * normal - sigma * sigma / 2))};
    }

    void push(Instant at, Kind kind, std::uint32_t who) { events_.push({at, ++events_made_, kind, who}); }

    const FloorTerms& terms_;
    const dialing::Plan& plan_;
    dialing::Pacer& pacer_;
    Vicidial* vicidial_;
    Random random_;
    dialing::DialStatistics learned_;
    std::vector<dialing::AgentView> agents_;
    std::vector<Line> lines_;
    std::vector<dialing::LineView> line_views_;
    std::vector<std::uint32_t> line_ids_, free_ids_;
    std::deque<std::uint32_t> waiting_;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    std::uint64_t events_made_ = 0;
    std::uint32_t callers_ = 0;
    Instant now_{}, day_{}, day_ends_{};
    Duration busy_{0};
    FloorResult result_;
};

}  // namespace

FloorResult run_floor(const FloorTerms& terms, const dialing::Plan& plan, dialing::Pacer& pacer, Vicidial* vicidial, std::uint64_t seed) {
    return Floor{terms, plan, pacer, vicidial, seed}.run();
}

}  // namespace touchgate::pacing_simulation
