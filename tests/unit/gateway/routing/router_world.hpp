// A router with a journal in memory and a clock that is turned by hand, for tests.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/routing/router.hpp"

namespace touchgate::routing::test {

inline const Instant morning = from_unix_ms(1'795'400'000'000);  // a Monday in November 2026

class World : public Journal {
public:
    explicit World(std::uint64_t seed = 1, RouterSettings settings_of = {})
        : settings{std::move(settings_of)}, random{seed}, ids{random}, router{std::make_unique<Router>(settings, *this, random)} {}

    void append(const Event& event) override {
        log.emplace_back(event, now);
        router->apply(event, now);
    }
    [[nodiscard]] Uuid new_offer_id() override { return ids.next(now); }

    // ---- what most tests need
    void queue(const std::string& id, Json document = Json::object()) { (void)router->put_queue(id, document, now).value(); }
    // Signed in and ready.
    void agent(const std::string& id, Json document) {
        define(id, std::move(document));
        router->sign_in(id, "sign_in", now).value();
        router->set_intent(id, Intent::ready, "", "", now).value();
    }
    void define(const std::string& id, Json document) { (void)router->put_agent(id, document, now).value(); }
    Uuid item(const std::string& queue_id, ItemRequest request = {}) {
        request.item = ids.next(now);
        request.queue = queue_id;
        if (request.channel.empty()) request.channel = "voice";
        router->enqueue(request, now).value();
        return request.item;
    }
    void pass(Duration time) {
        const auto until = now + time;
        for (auto due = router->next_due(); due && *due <= until; due = router->next_due()) {
            now = std::max(now, *due);
            router->run(now);
        }
        now = until;
        router->run(now);
    }

    // ---- what is seen
    [[nodiscard]] std::string state(const Uuid& id) const {
        const auto view = router->item(id);
        return view ? std::string{to_string(view->state)} : "ended";
    }
    [[nodiscard]] std::string shown(const std::string& agent_id) const { return std::string{to_string(router->agent(agent_id)->state)}; }
    // To whom it is offered; "" nobody, names joined by a space in the order of the offers.
    [[nodiscard]] std::string offered_to(const Uuid& id) const {
        std::string all;
        const auto view = router->item(id);
        if (!view) return all;
        for (const auto& offer : view->offers) {
            if (!all.empty()) all.push_back(' ');
            all.append(router->offer(offer)->agent);
        }
        return all;
    }
    [[nodiscard]] Uuid offer_of(const Uuid& id, const std::string& agent_id = {}) const {
        const auto view = router->item(id);
        for (const auto& offer : view->offers)
            if (agent_id.empty() || router->offer(offer)->agent == agent_id) return offer;
        return {};
    }
    [[nodiscard]] std::string owner(const Uuid& id) const { return std::string{router->item(id)->agent}; }
    // Accepts on behalf of whoever it is offered to first; who that was.
    std::string answer(const Uuid& id) {
        const auto offer = offer_of(id);
        std::string who{router->offer(offer)->agent};
        router->accept(who, offer, std::nullopt, now).value();
        return who;
    }
    void complete(const Uuid& id) { router->end({.id = id, .state = "completed"}, now).value(); }
    // Answers and ends at once.
    std::string serve(const Uuid& id) {
        const auto who = answer(id);
        complete(id);
        return who;
    }
    template <class E> [[nodiscard]] std::vector<E> events() const {
        std::vector<E> found;
        for (const auto& [event, at] : log)
            if (const auto* one = std::get_if<E>(&event)) found.push_back(*one);
        return found;
    }
    [[nodiscard]] const ChoiceTrace& last_trace() const {
        for (auto i = log.rbegin(); i != log.rend(); ++i)
            if (const auto* made = std::get_if<OfferMade>(&i->first)) return made->trace;
        static const ChoiceTrace none;
        return none;
    }

    // ---- crash and restart
    [[nodiscard]] std::string saved() const {
        std::string bytes;
        router->save(bytes);
        return bytes;
    }
    // A router that is made of the first `count` events alone.
    [[nodiscard]] std::unique_ptr<Router> folded(std::size_t count) {
        auto made = std::make_unique<Router>(settings, *this, random);
        for (std::size_t i = 0; i < count; ++i) made->apply(log[i].first, log[i].second);
        return made;
    }
    void crash() { router = folded(log.size()); }

    RouterSettings settings;
    Instant now = morning;
    Random random;
    UuidSource ids;
    std::vector<std::pair<Event, Instant>> log;
    std::unique_ptr<Router> router;
};

// {"capacity": {"voice": 1}, "queues": [queue]} and what is added.
inline Json voice_agent(const std::string& queue, const Json& more = Json::object()) {
    Json document = {{"capacity", {{"voice", 1}}}, {"queues", Json::array({queue})}};
    document.update(more);
    return document;
}

inline Json message_agent(const std::string& queue, int capacity, const Json& more = Json::object()) {
    Json document = {{"capacity", {{"wecom_kf", capacity}}}, {"queues", Json::array({queue})}};
    document.update(more);
    return document;
}

}  // namespace touchgate::routing::test
