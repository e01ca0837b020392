// Random commands, restarts and the passing of time: what must hold whatever happens.

#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/catch.hpp"
#include "tests/unit/gateway/routing/router_world.hpp"

using namespace touchgate;
using namespace touchgate::routing;
using namespace touchgate::routing::test;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> agent_ids = {"ann", "bob", "cho", "dan", "eve"};
const std::vector<std::string> queue_ids = {"care", "tech", "all", "slow"};

struct Step {
    std::uint8_t what = 0, who = 0, which = 0, more = 0;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
    return out << "{" << int{step.what} << "," << int{step.who} << "," << int{step.which} << "," << int{step.more} << "}";
}

rc::Gen<Step> any_step() {
    return rc::gen::build<Step>(rc::gen::set(&Step::what, rc::gen::inRange<std::uint8_t>(0, 26)), rc::gen::set(&Step::who, rc::gen::inRange<std::uint8_t>(0, 5)),
                                rc::gen::set(&Step::which, rc::gen::inRange<std::uint8_t>(0, 64)), rc::gen::set(&Step::more, rc::gen::inRange<std::uint8_t>(0, 64)));
}

Json agent_document(std::size_t who, unsigned variant) {
    static const std::vector<Json> queues = {Json::array({"care", "all"}), Json::array({"care", {{"queue", "tech"}, {"tier", 2}}, "slow"}),
                                             Json::array({"tech", {{"queue", "all"}, {"tier", 2}}}), Json::array({"care", "tech", "all", "slow"}), Json::array({"slow"})};
    Json document = {{"capacity", {{"voice", 1}, {"wecom_kf", 1 + static_cast<int>(variant % 3)}}}, {"queues", queues[who]}, {"skills", {{"english", static_cast<int>(20 * who)}}}};
    if (variant % 5 == 1) document["exclusive"] = Json::array({"voice"});
    if (variant % 5 == 2) document["total"] = 2;
    return document;
}

class Checked : public World {
public:
    explicit Checked(Strategy strategy) : World{7} {
        queue("care", {{"strategy", to_string(strategy)}, {"max_wait", "PT2M"}, {"overflow", "promise"}, {"wrap_up", "PT10S"}});
        queue("tech", {{"strategy", to_string(strategy)}, {"required_skills", {{"english", 60}}}, {"relax", {{{"after", "PT15S"}, {"required_skills", {{"english", 10}}}}}}, {"age_weight", 2}});
        queue("all", {{"strategy", "ring_all"}, {"rona", 2}});
        queue("slow", {{"strategy", to_string(strategy)}, {"priority", 20}, {"relax", {{{"after", "PT30S"}, {"tiers", 2}}}}});
        for (std::size_t i = 0; i < agent_ids.size(); ++i) define(agent_ids[i], agent_document(i, 0));
        for (const auto* id : {"ann", "bob", "dan"}) {
            router->sign_in(id, "sign_in", now).value();
            router->set_intent(id, Intent::ready, "", "", now).value();
        }
    }

    // At every offer: nothing that the agent could have had stands higher.
    void append(const Event& event) override {
        if (const auto* made = std::get_if<OfferMade>(&event)) {
            if (made->fence <= last_fence) complaint = "a fence that does not rise";
            last_fence = made->fence;
            ++offers_made;
            check_order(*made);
        }
        if (const auto* ended = std::get_if<OfferEnded>(&event)) {
            ++results[ended->result];
            if (ended->backoff_until != 0) backoff[{ended->item, ended->agent}] = from_unix_ms(ended->backoff_until);
            if (ended->result == OfferResult::accepted) {
                if (!accepted_offers.insert(ended->offer).second) complaint = "an offer was accepted twice";
            }
        }
        if (const auto* queued = std::get_if<ItemQueued>(&event)) {
            const auto before = router->item(queued->item);
            const bool waited = before && (before->state == ItemState::queued || before->state == ItemState::reserved);
            if (!waited || before->queue != queued->queue) entries.push_back({log.size(), queued->item, now});
            enter(entries.empty() ? 0 : entries.size() - 1);
            front[queued->item] = queued->front;
        }
        World::append(event);
    }

    struct Entry { std::size_t log_index = 0; Uuid item{}; Instant at{}; };
    // When each item came to its queue, from the entries on.
    void enter(std::size_t from) {
        for (auto i = from; i < entries.size(); ++i) entered[entries[i].item] = entries[i].at;
    }
    // Only the first events have reached the disk.
    void crash_after(std::size_t kept) {
        log.resize(kept);
        std::erase_if(entries, [&](const Entry& entry) { return entry.log_index >= kept; });
        entered.clear();
        enter(0);
        results.clear();
        accepted_offers.clear();
        front.clear();
        told_items.clear();
        offers_made = last_fence = 0;
        for (const auto& [event, at] : log) {
            if (const auto* made = std::get_if<OfferMade>(&event)) {
                ++offers_made;
                last_fence = made->fence;
            }
            if (const auto* ended = std::get_if<OfferEnded>(&event)) {
                ++results[ended->result];
                if (ended->result == OfferResult::accepted) accepted_offers.insert(ended->offer);
            }
            if (const auto* queued = std::get_if<ItemQueued>(&event)) front[queued->item] = queued->front;
        }
        crash();
        for (const auto& id : queue_ids)
            if (!router->queue(id)) queue(id);  // a definition that was lost is made again
        for (std::size_t i = 0; i < agent_ids.size(); ++i)
            if (!router->agent(agent_ids[i])) define(agent_ids[i], agent_document(i, 0));
        settle_now();
    }
    // What is due by now.
    void settle_now() {
        while (router->next_due() && *router->next_due() <= now) {
            router->run(now);
            take_flow_outs();
        }
    }

    bool could_serve(const std::string& who, const ItemView& item) {
        const auto agent = router->agent(who);
        const auto& definition = *agent->definition;
        if (!item.only.empty()) return item.only == who;
        const auto* queue_of = router->queue(item.queue)->definition;
        const auto age = now - entered[item.id];
        auto required = queue_of->required_skills;
        auto tiers = queue_of->relax.empty() || !queue_of->relax.front().tiers ? 1'000 : 1;
        for (const auto& ring : queue_of->relax)
            if (age >= ring.after) {
                required = ring.required_skills;
                if (ring.tiers) tiers = *ring.tiers;
            }
        for (const auto& [skill, level] : required) {
            const auto has = definition.skills.find(skill);
            if (has == definition.skills.end() || has->second < level) return false;
        }
        return std::any_of(definition.queues.begin(), definition.queues.end(), [&](const auto& membership) { return membership.queue == item.queue && membership.tier <= tiers; });
    }

    bool is_free(const std::string& who, std::string_view channel) {
        const auto agent = router->agent(who);
        const auto& definition = *agent->definition;
        if (agent->session != Session::signed_in || agent->intent != Intent::ready || !agent->healthy || agent->blocked || definition.disabled) return false;
        int total = 0, used = 0;
        for (const auto& slots : agent->slots) {
            total += slots.used;
            if (slots.channel == channel) used = slots.used;
            if (slots.channel != channel && slots.used > 0 && std::count(definition.exclusive.begin(), definition.exclusive.end(), slots.channel) > 0) return false;
        }
        return used < definition.capacity_of(channel) && total < definition.total.value_or(1'000);
    }

    void check_order(const OfferMade& made) {
        const auto offered = router->item(made.item);
        if (!offered || offered->state == ItemState::reserved || made.trace.tie_break == "joined") return;
        for (const auto& id : known_items) {
            const auto other = router->item(id);
            if (!other || id == made.item || other->state != ItemState::queued || other->queue != offered->queue || other->only != offered->only) continue;
            if (!is_free(made.agent, other->channel) || !could_serve(made.agent, *other) || backoff[{id, made.agent}] > now) continue;
            if (front[id] != front[made.item] || told_items[id] == now) continue;  // whoever was told that it should leave has his turn
            const auto higher = other->priority > offered->priority || (other->priority == offered->priority && other->first_queued_at < offered->first_queued_at);
            if (higher) complaint = "an older or more urgent item was passed over";
        }
    }

    // What is true between commands.
    void check() {
        if (!complaint.empty()) RC_FAIL(complaint);
        std::map<std::string, std::map<std::string, int>> busy;
        std::size_t pending = 0;
        std::map<std::string, std::uint64_t> waiting;
        for (const auto& id : known_items) {
            const auto item = router->item(id);
            if (!item) continue;
            if (first_queued.contains(id) && !item->queue.empty()) RC_ASSERT(item->first_queued_at == first_queued[id]);
            pending += item->offers.size();
            std::set<std::string> asked;
            for (const auto& offer : item->offers) {
                const auto view = router->offer(offer);
                RC_ASSERT(view->item == id);
                RC_ASSERT(view->deadline > now);
                RC_ASSERT(asked.insert(std::string{view->agent}).second);
                ++busy[std::string{view->agent}][std::string{item->channel}];
            }
            const bool waits = item->state == ItemState::queued || item->state == ItemState::reserved;
            RC_ASSERT(item->state != ItemState::queued || item->offers.empty());
            RC_ASSERT(item->state != ItemState::reserved || !item->offers.empty());
            RC_ASSERT(waits || item->offers.empty());
            RC_ASSERT(waits == item->agent.empty());
            if (waits && !is_dialled(id)) ++waiting[std::string{item->queue}];
            if (!waits && (item->state != ItemState::wrapping || item->channel == "voice")) ++busy[std::string{item->agent}][std::string{item->channel}];
            const auto strategy = waits ? router->queue(item->queue)->definition->strategy : Strategy::longest_idle;
            if (strategy != Strategy::ring_all && strategy != Strategy::ring_progressively) RC_ASSERT(item->offers.size() <= 1U);
            if (item->state == ItemState::queued) {
                const bool told = std::any_of(told_items.begin(), told_items.end(), [&](const auto& told_of) { return told_of.first == id && told_of.second == now; });
                for (const auto& who : agent_ids) {
                    if (told || !is_free(who, item->channel) || !could_serve(who, *item)) continue;
                    RC_FAIL("an item waits and an agent is free for it");
                }
                const auto& definition = *router->queue(item->queue)->definition;
                if (definition.max_wait && now - entered[id] >= *definition.max_wait)
                    RC_ASSERT(std::any_of(told_items.begin(), told_items.end(), [&](const auto& told_of) { return told_of.first == id && now - told_of.second < 5s; }));
            }
        }
        for (const auto& who : agent_ids) {
            const auto agent = router->agent(who);
            int total = 0;
            for (const auto& slots : agent->slots) {
                RC_ASSERT(slots.used == busy[who][slots.channel]);
                total += slots.used;
                if (overloaded.empty()) RC_ASSERT(slots.used <= std::max(slots.capacity, most_capacity[who][slots.channel]));
            }
            for (const auto& item : agent->items) RC_ASSERT(router->item(item)->agent == who);
        }
        const auto ended = results[OfferResult::accepted] + results[OfferResult::rejected] + results[OfferResult::timed_out] + results[OfferResult::rescinded] + results[OfferResult::cancelled];
        RC_ASSERT(offers_made == ended + pending);
        for (const auto& id : queue_ids) RC_ASSERT(router->queue(id)->waiting == waiting[id]);
        std::uint32_t shown_agents = 0;
        for (const auto& [state, count] : router->agents_by_state()) shown_agents += count;
        RC_ASSERT(shown_agents == agent_ids.size());
        if (const auto due = router->next_due()) RC_ASSERT(*due > now);
    }

    void take_flow_outs() {
        for (const auto& told : router->take_flow_outs()) told_items[told.item] = now;
    }

    void do_step(const Step& step) {
        const auto& who = agent_ids[step.who];
        const auto other = agent_ids[step.more % agent_ids.size()];
        const auto& queue_id = queue_ids[step.which % queue_ids.size()];
        std::vector<Uuid> here, pending;
        for (const auto& id : known_items)
            if (const auto view = router->item(id)) {
                here.push_back(id);
                for (const auto& offer : view->offers) pending.push_back(offer);
            }
        const auto item = here.empty() ? Uuid{} : here[step.which % here.size()];
        const auto offer = pending.empty() ? Uuid{} : pending[step.which % pending.size()];
        const auto offered_agent = pending.empty() ? who : std::string{router->offer(offer)->agent};
        switch (step.what) {
            case 0: case 1: case 2: case 3: case 4: {
                ItemRequest request{.item = ids.next(now), .queue = queue_id, .channel = step.more % 3 == 0 ? "wecom_kf" : "voice"};
                if (step.more % 7 == 1) request.priority = 80;
                if (step.more % 11 == 2) request.first_queued_at = now - 30s;
                if (step.more % 13 == 3) request.prefers = other;
                if (step.more % 17 == 4) request.only = other;
                known_items.push_back(request.item);
                first_queued[request.item] = request.first_queued_at.value_or(now);
                RC_ASSERT(router->enqueue(request, now).has_value());
                break;
            }
            case 5: case 6: (void)router->sign_in(who, "sign_in", now); break;
            case 7: case 8: case 9: (void)router->set_intent(who, Intent::ready, "", "", now); break;
            case 10: (void)router->set_intent(who, step.more % 2 == 0 ? Intent::not_ready : Intent::after_current, "break", "", now); break;
            case 11: case 12: case 13: case 14: (void)router->accept(offered_agent, offer, std::nullopt, now); break;
            case 15:
                (void)router->reject(offered_agent, offer, "busy", now);
                break;
            case 16: (void)router->finish(item, "", "customer", now); break;
            case 17: (void)router->end({.id = item, .state = step.more % 2 == 0 ? "completed" : "abandoned"}, now); break;
            case 18: {
                (void)router->requeue(item, queue_id, step.more % 5 == 0 ? other : std::string{}, step.more % 4 == 1, "transfer", now);
                break;
            }
            case 19: {
                const auto view = router->item(item);
                if (view) (void)router->assign(item, other, view->channel, "", "supervisor", false, now);
                break;
            }
            case 20: (void)router->set_health(who, step.more % 2 == 0, "probe", now); break;
            case 21: (void)(step.more % 2 == 0 ? router->lapse(who, now) : router->sign_out(who, "lease", "", now)); break;
            case 22:
                most_capacity[who]["wecom_kf"] = 3;
                (void)router->put_agent(who, agent_document(step.who, step.more), now);
                break;
            case 23: {
                const Router::Reserve request{.item = {.item = ids.next(now), .queue = queue_id, .channel = "voice"}, .longest = 20s};
                known_items.push_back(request.item.item);
                silent.insert(request.item.item);
                first_queued[request.item.item] = now;
                (void)router->reserve(request, now);
                break;
            }
            case 24: case 25: {
                const auto until = now + Duration{std::int64_t{step.which} * 500};
                for (auto due = router->next_due(); due && *due <= until; due = router->next_due()) {
                    now = std::max(now, *due);
                    router->run(now);
                    take_flow_outs();
                    check();
                }
                now = until;
                router->run(now);
                break;
            }
            default: break;
        }
        take_flow_outs();
    }

    std::vector<Uuid> known_items;
    std::map<Uuid, Instant> first_queued, entered, told_items;
    std::map<std::pair<Uuid, std::string>, Instant> backoff;
    std::map<Uuid, bool> front;
    // Reserved before it was there; who has been talked with since and waits again is an item like any other, one whose agent's telephone was not answered is not.
    bool is_dialled(const Uuid& id) const {
        bool taken = false, dialled = silent.contains(id);
        for (const auto& [event, at] : log) {
            if (const auto* ended = std::get_if<OfferEnded>(&event); ended != nullptr && ended->item == id && ended->result == OfferResult::accepted) taken = true;
            if (const auto* assigned = std::get_if<ItemAssigned>(&event); assigned != nullptr && assigned->item == id) taken = true;
            if (const auto* queued = std::get_if<ItemQueued>(&event); queued != nullptr && queued->item == id && std::exchange(taken, false) && queued->cause != "timed_out") dialled = false;
        }
        return dialled;
    }
    std::set<Uuid> silent, accepted_offers;
    std::set<std::string> overloaded;
    std::map<std::string, std::map<std::string, int>> most_capacity;
    std::map<OfferResult, std::uint64_t> results;
    std::vector<Entry> entries;
    std::string complaint;  // a journal must not throw
    std::uint64_t last_fence = 0, offers_made = 0;
};

}  // namespace

namespace touchgate::routing {
static std::ostream& operator<<(std::ostream& out, Strategy strategy) { return out << to_string(strategy); }
}  // namespace touchgate::routing

namespace {

rc::Gen<Strategy> any_strategy() { return rc::gen::map(rc::gen::inRange(0, 13), [](int number) { return static_cast<Strategy>(number); }); }

}  // namespace

TEST_CASE("property: no slot is exceeded, no item is offered twice, and nobody waits whom somebody free could serve", "[routing]") {
    CHECK(rc::check([] {
        Checked world{*any_strategy()};
        for (const auto& step : *rc::gen::container<std::vector<Step>>(any_step())) {
            world.do_step(step);
            world.check();
        }
    }));
}

TEST_CASE("property: whoever folds the events has the same state, and so has whoever reads it back", "[routing]") {
    CHECK(rc::check([] {
        Checked world{*any_strategy()};
        for (const auto& step : *rc::gen::container<std::vector<Step>>(any_step())) world.do_step(step);
        const auto bytes = world.saved();
        std::string again;
        world.folded(world.log.size())->save(again);
        RC_ASSERT((bytes == again));
        Router restored{world.settings, world, world.random};
        RC_ASSERT(restored.restore(bytes));
        restored.save(again);
        RC_ASSERT((bytes == again));
        Router cut{world.settings, world, world.random};
        const auto length = *rc::gen::inRange<std::size_t>(0, bytes.size());
        RC_ASSERT_FALSE(cut.restore(std::string_view{bytes}.substr(0, length)));
    }));
}

TEST_CASE("property: after a crash at any event the router comes to a state in which all of that holds, and goes on", "[routing]") {
    CHECK(rc::check([] {
        Checked world{*any_strategy()};
        for (const auto& step : *rc::gen::container<std::vector<Step>>(any_step())) world.do_step(step);
        const auto kept = *rc::gen::inRange<std::size_t>(0, world.log.size() + 1);
        world.crash_after(kept);
        world.check();
        for (const auto& step : *rc::gen::container<std::vector<Step>>(any_step())) {
            world.do_step(step);
            world.check();
        }
        const auto bytes = world.saved();
        std::string again;
        world.folded(world.log.size())->save(again);
        RC_ASSERT((bytes == again));
    }));
}
