// The routing core as a queue: Poisson arrivals, exponential handling times and patience must give what Erlang's formulas say, within the error of the sample.

#include <cmath>
#include <queue>

#include "tests/catch.hpp"
#include "tests/unit/gateway/routing/router_world.hpp"

using namespace touchgate;
using namespace touchgate::routing;
using namespace touchgate::routing::test;
using namespace std::chrono_literals;

namespace {

// Milliseconds are the clock's step: handling times of minutes are long beside it.
struct Model { double load; int agents; double handling_s, patience_s; };  // patience 0: for ever
struct Measured { double waited = 0, within = 0, wait_s = 0, abandoned = 0; };

// Answers at once, so that waiting is all there is.
class Simulation : public World {
public:
    Simulation(const Model& model, std::uint64_t seed) : World{seed}, model_{model}, draw_{seed * 7919 + 1} {
        queue("care", {{"short_abandon", "PT0S"}});
        for (int i = 0; i < model.agents; ++i) agent("agent" + std::to_string(i), voice_agent("care"));
    }

    void append(const Event& event) override {
        log.clear();  // millions of events
        World::append(event);
        if (const auto* made = std::get_if<OfferMade>(&event)) offered_.push_back(*made);
    }

    // The mean of each figure over `calls` calls that arrive from now on.
    Measured run(int calls, double threshold_s) {
        Measured sum;
        int arrived = 0;
        std::map<Uuid, Instant> came;
        const auto count = [&](const Uuid& item, bool gave_up) {
            const auto found = came.find(item);
            if (found == came.end()) return;
            const double wait = std::chrono::duration<double>(now - found->second).count();
            sum.waited += wait > 0 ? 1 : 0;
            sum.within += !gave_up && wait <= threshold_s ? 1 : 0;
            sum.wait_s += wait;
            sum.abandoned += gave_up ? 1 : 0;
            came.erase(found);
        };
        next_arrival_ = std::max(next_arrival_, now);
        while (arrived < calls || !came.empty()) {
            if (pending_.empty() || next_arrival_ <= pending_.top().at) {
                now = next_arrival_;
                next_arrival_ = now + exponential(model_.handling_s / model_.load);
                const auto id = item("care");
                if (arrived++ < calls) came.emplace(id, now);
                if (model_.patience_s > 0) pending_.push({now + exponential(model_.patience_s), id, false});
            } else {
                const auto event = pending_.top();
                pending_.pop();
                now = event.at;
                const auto view = router->item(event.item);
                if (!view || (!event.done && view->state != ItemState::queued)) continue;
                if (!event.done) count(event.item, true);
                router->end({.id = event.item, .state = event.done ? "completed" : "abandoned"}, now).value();
            }
            while (!offered_.empty()) {
                const auto made = offered_.back();
                offered_.pop_back();
                router->accept(made.agent, made.offer, made.fence, now).value();
                count(made.item, false);
                pending_.push({now + exponential(model_.handling_s), made.item, true});
            }
        }
        return {sum.waited / calls, sum.within / calls, sum.wait_s / calls, sum.abandoned / calls};
    }

private:
    struct Pending {
        Instant at{};
        Uuid item{};
        bool done = false;
        bool operator<(const Pending& other) const { return at > other.at; }
    };
    Duration exponential(double mean_s) { return Duration{static_cast<std::int64_t>(-std::log1p(-draw_.unit()) * mean_s * 1'000 + 0.5)}; }
    Model model_;
    Random draw_;
    Instant next_arrival_{};
    std::priority_queue<Pending> pending_;
    std::vector<OfferMade> offered_;
};

// Batch means: within four standard errors of the batches' mean, and a little for the clock's step.
struct Figure {
    std::vector<double> batches;
    [[nodiscard]] double mean() const {
        double sum = 0;
        for (const auto batch : batches) sum += batch;
        return sum / static_cast<double>(batches.size());
    }
    [[nodiscard]] double standard_error() const {
        const double middle = mean();
        double squares = 0;
        for (const auto batch : batches) squares += (batch - middle) * (batch - middle);
        const auto n = static_cast<double>(batches.size());
        return std::sqrt(squares / (n - 1) / n);
    }
    void check(const char* name, double expected) const {
        INFO(name << ": measured " << mean() << " ± " << standard_error() << ", expected " << expected);
        CHECK(std::abs(mean() - expected) <= 4 * standard_error() + 0.002 * expected);
    }
};

}  // namespace

TEST_CASE("waiting agrees with Erlang C where callers wait for ever, and with Erlang A where they give up", "[routing]") {
    struct Row { Model model; double threshold_s, wait_probability, service_level, mean_wait_s, abandoned; };
    constexpr std::uint64_t seed = 20261122;
    // Values of the formulas, computed apart; a service level of 0 is not checked.
    const auto row = GENERATE(values<Row>({{{10, 13, 180, 0}, 20, 0.285270, 0.795595, 17.1162, 0},
                                           {{50, 50, 300, 120}, 20, 0.411076, 0, 8.272253, 0.068935},
                                           {{10, 11, 180, 90}, 20, 0.359033, 0, 9.147330, 0.101637}}));
    CAPTURE(seed, row.model.load, row.model.agents, row.model.patience_s);
    Simulation simulation{row.model, seed};
    (void)simulation.run(1'000, row.threshold_s);  // until the beginning is forgotten
    constexpr int batches = 20, calls = 2'000;
    Figure waited, within, wait, abandoned;
    for (int i = 0; i < batches; ++i) {
        const auto measured = simulation.run(calls, row.threshold_s);
        waited.batches.push_back(measured.waited);
        within.batches.push_back(measured.within);
        wait.batches.push_back(measured.wait_s);
        abandoned.batches.push_back(measured.abandoned);
    }
    waited.check("probability of waiting", row.wait_probability);
    if (row.service_level > 0) within.check("service level", row.service_level);
    wait.check("mean wait", row.mean_wait_s);
    abandoned.check("abandoned", row.abandoned);
}
