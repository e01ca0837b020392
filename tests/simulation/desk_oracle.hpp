// What must be true of agents and their work, judged from the records of the log and from what was pushed to screens. It knows the format of the
// records, and shares no decision or state with the routing core.
#pragma once

#include <map>
#include <set>
#include <string>

#include "gateway/engine/desk.hpp"
#include "gateway/engine/events.hpp"
#include "gateway/touch_log/log.hpp"

namespace touchgate::simulation {

class DeskOracle {
public:
    // The rule that broke first, and how; empty: all is well.
    [[nodiscard]] const std::string& broken() const { return broken_; }
    void take(const Record& record);
    // A screen got a push: no number may ever stand for two, and a screen gets them one after the other.
    void pushed(const std::string& agent, std::uint64_t before, const AgentPush& push);
    // An offer was accepted over a screen, as the answer after the sync said.
    void accepted(const std::string& agent, const Uuid& interaction) { answered_.insert({agent, interaction}); }
    // At the end, with everybody at work: nothing waits any more.
    void check_end();
    struct Counts { std::uint64_t offers = 0, accepted = 0, rejected = 0, timed_out = 0, rescinded = 0, cancelled = 0, closed = 0, pushes = 0, in_order = 0, resumed = 0; };
    [[nodiscard]] const Counts& counts() const { return counts_; }
    Counts& counts() { return counts_; }
    void fail(const std::string& how) {
        if (broken_.empty()) broken_ = "7 work: " + how;
    }

private:
    struct Item {
        std::string queue, agent, only;
        std::int64_t first_queued_at = 0;
        std::set<Uuid> pending;
        std::map<std::string, Instant> refused;  // by agent: when an offer of this to him came to nothing
        bool waits = false, front = false, wraps = false, ended = false;
    };
    struct Agent {
        int capacity = 0;
        routing::Session session = routing::Session::offline;
        routing::Intent intent = routing::Intent::not_ready;
        bool blocked = false;
        std::set<Uuid> pending, items;   // offers, and what is his and not over
    };
    struct Offer { Uuid item{}; std::string agent; };
    void made(const routing::OfferMade& event, Instant at);
    void ended(const routing::OfferEnded& event, Instant at);
    void leave(Item& item, const Uuid& id);

    std::string broken_;
    Counts counts_;
    std::map<Uuid, Item> items_;
    std::map<std::string, Agent> agents_;
    std::map<Uuid, Offer> offers_;           // pending
    std::set<Uuid> over_;                    // offers that have ended
    std::uint64_t fence_ = 0;
    std::set<std::pair<std::string, Uuid>> answered_, taken_;
    std::map<std::pair<std::string, std::uint64_t>, std::string> pushes_;
};

}  // namespace touchgate::simulation
