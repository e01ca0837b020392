#include "tests/simulation/call_center.hpp"

namespace touchgate::simulation {

bool CallCenter::Screen::push(std::vector<std::shared_ptr<const AgentPush>> pushes) {
    for (const auto& push : pushes) {
        centre_.oracle_.pushed(agent, seen, *push);
        seen = push->seq;
        centre_.take(agent, *push);
    }
    if (centre_.random_.chance(0.05)) slow = true;
    return !slow;
}

// What a person has in hand, from what the screen says. A second screen says the same again, which changes nothing.
void CallCenter::take(const std::string& agent, const AgentPush& push) {
    auto& person = people_[agent];
    if (push.seq <= person.seen && !std::holds_alternative<SnapshotPush>(push.body)) return;
    person.seen = push.seq;
    if (const auto* offer = std::get_if<OfferPush>(&push.body)) person.offers[offer->offer] = offer->fence;
    else if (const auto* revoked = std::get_if<OfferRevokedPush>(&push.body)) person.offers.erase(revoked->offer);
    else if (const auto* connected = std::get_if<ConnectedPush>(&push.body)) person.work.insert(connected->interaction);
    else if (const auto* wrap = std::get_if<WrapUpPush>(&push.body)) person.wrapping.insert(wrap->interaction);
    else if (const auto* closed = std::get_if<ClosedPush>(&push.body)) {
        person.work.erase(closed->interaction);
        person.wrapping.erase(closed->interaction);
    } else if (const auto* all = std::get_if<SnapshotPush>(&push.body)) {
        person.offers.clear();
        person.work.clear();
        person.wrapping.clear();
        for (const auto& each : all->offers) person.offers[each.offer] = each.fence;
        for (const auto& each : all->interactions) (each.state == "wrapping" ? person.wrapping : person.work).insert(each.id);
    }
}

void CallCenter::define(Engine& engine) {
    engine.post([this](Engine& inside) {
        auto desk = inside.desk();
        const auto put = [&](const auto& result, const std::string& what) {
            if (!result && result.error().kind != ErrorKind::unavailable) oracle_.fail(what + ": " + result.error().detail);
        };
        put(desk.put_queue("care", Json::parse(R"({"channels":["sms"],"offer_timeout":"PT20S","wrap_up":"PT10S","rona":2,"reply_within":"PT2M","idle_close":"PT1H"})")), "queue");
        put(desk.put_queue("second", Json::parse(R"({"channels":[],"strategy":"round_robin","max_wait":"PT10M","overflow":{"to":"queue:care"}})")), "queue");
        for (const auto& [id, person] : people_)
            put(desk.put_agent(id, Json::parse(R"({"name":"x","capacity":{"sms":2},"queues":["care","second"])" +
                                               std::string{id == "boss" ? R"(,"role":"supervisor","supervises":["care","second"]})" : "}"})),
                "agent");
    });
}

void CallCenter::gateway_died() {
    for (auto& [id, person] : people_) {
        for (const auto& screen : person.screens) person.seen = std::max(person.seen, screen->seen);
        person.screens.clear();
    }
}

void CallCenter::sit_down(Engine& engine, const std::string& agent) {
    auto screen = std::make_shared<Screen>(*this, agent);
    const auto after = people_[agent].seen;
    const bool resumes = random_.chance(0.8);
    engine.post([this, agent, screen, after, resumes](Engine& inside) {
        if (!inside.desk().attach(agent, screen)) return;
        people_[agent].screens.push_back(screen);
        screen->seen = after;
        if (resumes && inside.desk().resume(agent, screen, after)) {
            ++oracle_.counts().resumed;
            return;
        }
        (void)inside.desk().snapshot(agent, screen);
    });
}

void CallCenter::accept(Engine& engine, const std::string& agent, const Uuid& offer, std::uint64_t fence) {
    engine.post([this, agent, offer, fence](Engine& inside) {
        const auto taken = inside.desk().accept(agent, offer, fence);
        if (taken) inside.after_sync([this, agent, id = taken->id] { oracle_.accepted(agent, id); });
        else if (taken.error().kind != ErrorKind::unavailable && taken.error().reference != "stale_offer" && taken.error().reference != "unknown_offer" &&
                 taken.error().reference != "not_yours")
            oracle_.fail("accept by " + agent + ": " + taken.error().reference + " " + taken.error().detail);
    });
}

void CallCenter::finish(Engine& engine, const std::string& agent, const Uuid& interaction) {
    engine.post([agent, interaction](Engine& inside) { (void)inside.desk().wrap_up(agent, interaction, "done", {}); });
}

void CallCenter::act(Engine& engine) {
    auto at = people_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(people_.size())));
    const auto& agent = at->first;
    auto& person = at->second;
    if (person.screens.empty()) return sit_down(engine, agent);
    const auto any = [&](const auto& of) {
        auto one = of.begin();
        std::advance(one, static_cast<std::ptrdiff_t>(random_.below(of.size())));
        return *one;
    };
    // Nobody's lease runs out while he works, unless he means it to.
    if (random_.chance(0.9)) engine.post([agent](Engine& inside) { inside.desk().heard(agent); });
    const auto kind = random_.below(100);
    if (kind < 30 && !person.offers.empty()) {
        const auto [offer, fence] = any(person.offers);
        if (random_.chance(0.1)) accept(engine, random_.chance(0.5) ? "ben" : agent, offer, fence + random_.below(2));
        else accept(engine, agent, offer, fence);
        if (random_.chance(0.5)) person.offers.erase(offer);
    } else if (kind < 38 && !person.offers.empty()) {
        engine.post([agent, offer = any(person.offers).first](Engine& inside) { (void)inside.desk().reject(agent, offer, "busy"); });
    } else if (kind < 55 && !person.work.empty()) {
        finish(engine, agent, any(person.work));
    } else if (kind < 60 && !person.wrapping.empty()) {
        finish(engine, agent, any(person.wrapping));
    } else if (kind < 66 && !person.work.empty()) {
        static constexpr const char* targets[] = {"agent:anna", "agent:ben", "queue:second", "queue:care"};
        engine.post([agent, id = any(person.work), to = targets[random_.below(4)]](Engine& inside) { (void)inside.desk().transfer(agent, id, to, "private words", false); });
    } else if (kind < 72 && !person.work.empty()) {
        engine.post([id = any(person.work)](Engine& inside) { (void)inside.close_interaction(id, {}, {}); });
    } else if (kind < 74) {
        person.screens.erase(person.screens.begin());  // torn: the gateway finds out by itself, or by another screen
    } else if (kind < 78) {
        const auto screen = any(person.screens);
        engine.post([agent, screen](Engine& inside) { inside.desk().detach(agent, screen); });
        std::erase(person.screens, screen);
    } else if (kind < 80 && person.screens.size() < 3) {
        sit_down(engine, agent);
    } else if (kind < 83) {
        for (const auto& screen : person.screens) {
            screen->slow = false;
            engine.post([agent, screen](Engine& inside) { inside.desk().pull(agent, screen); });
        }
    } else if (kind < 85) {
        static constexpr const char* states[] = {"ready", "not_ready", "offline"};
        engine.post([agent, state = states[random_.below(3)]](Engine& inside) { (void)inside.desk().force_presence("boss", agent, state); });
    } else {
        static constexpr const char* states[] = {"ready", "ready", "ready", "ready", "not_ready", "after_current", "offline"};
        engine.post([agent, state = states[random_.below(7)]](Engine& inside) { (void)inside.desk().set_presence(agent, state, "because"); });
    }
}

void CallCenter::work_on(Engine& engine) {
    for (auto& [agent, person] : people_) {
        if (person.screens.empty()) sit_down(engine, agent);
        for (const auto& screen : person.screens) {
            screen->slow = false;
            engine.post([id = agent, screen](Engine& inside) { inside.desk().pull(id, screen); });
        }
        engine.post([id = agent](Engine& inside) {
            inside.desk().heard(id);
            (void)inside.desk().set_presence(id, "ready", {});
        });
        for (const auto& [offer, fence] : person.offers) accept(engine, agent, offer, fence);
        for (const auto& interaction : person.work) finish(engine, agent, interaction);
        for (const auto& interaction : person.wrapping) finish(engine, agent, interaction);
    }
}

}  // namespace touchgate::simulation
