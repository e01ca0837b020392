// Which accounts of a channel may carry a touch, in which order: the first route whose condition holds; within it healthy before cheap
// before weight; without a route, the configuration's order.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

void Engine::Internals::compile_routes() {
    const auto& purposes = policy().compiled->purposes();
    std::vector<std::string> attributes, channels;
    policy::ConditionNames names{state.symbols, purposes, attributes, channels};
    std::map<std::string, std::size_t> count_of_channel;
    routes.clear();
    for (const auto& route : settings.routes) {
        CompiledRoute made{.channel = route.channel, .label = "route " + route.channel + "/" + std::to_string(count_of_channel[route.channel]++)};
        if (route.when.is_object()) {
            std::vector<Problem> problems;
            JsonReader reader{route.when, route.pointer, problems};
            made.when = policy::parse_condition(reader, names);
            reader.finish();
            // The configuration's check named it; here the policy may since have lost a purpose that the route names, which no touch can have then.
            if (!problems.empty()) made.when = policy::Condition::never();
        }
        for (const auto& choice : route.choices)
            if (const auto account = account_numbers.find(choice.account); account != account_numbers.end())
                made.choices.push_back({.account = account->second, .weight = choice.weight, .max_share = choice.max_share});
        routes.push_back(std::move(made));
    }
}

CompiledRoute* Engine::Internals::route_of(std::string_view channel, const policy::Profile& profile, ContactIndex index, std::string_view phone, policy::Origin origin) {
    for (auto& route : routes) {
        if (route.channel != channel) continue;
        const auto when = policy::Condition::simplify(route.when, profile, state.symbols);
        if (when == policy::Condition::always()) return &route;
        if (when == policy::Condition::never()) continue;
        const auto& contact = state.contacts[index.value];
        policy::ContactView contact_view;
        contact_view.time_zone = state.symbols.name(contact.time_zone);
        contact_view.lead_stages = lead_stages_of(index);
        policy::AddressView address_view;
        if (contact.extras) {
            contact_view.tags = contact.extras->tags;
            contact_view.attributes = &contact.extras->attributes;
            for (const auto& [on, last] : contact.extras->last_inbound)
                if (on == profile.channel) contact_view.last_inbound = last;
        }
        if (settings.phones && !phone.empty()) {
            const auto& fact = settings.phones->of(phone);
            address_view.region = fact.region;
            address_view.carrier = fact.carrier;
            address_view.zones = fact.zones;
        }
        if (when->holds({.contact = contact_view, .address = address_view, .origin = origin, .default_zone = settings.time_zone}, now, now)) return &route;
    }
    return nullptr;
}

bool Engine::Internals::can_send_now(AccountNumber number) const { return accounts[number].up && accounts[number].breaker.lets_through(monotonic); }

std::vector<AccountNumber> Engine::Internals::order_of(CompiledRoute& route) {
    struct Candidate { std::size_t choice; int worse; std::int64_t price; };
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < route.choices.size(); ++i) {
        const auto& choice = route.choices[i];
        const bool within_share = static_cast<double>(choice.taken) < choice.max_share * static_cast<double>(route.taken + 1);
        candidates.push_back({.choice = i, .worse = (can_send_now(choice.account) ? 0 : 2) + (within_share ? 0 : 1), .price = accounts[choice.account].settings.billing.price.micros});
    }
    std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) { return std::pair{a.worse, a.price} < std::pair{b.worse, b.price}; });
    // Among the best that are equal, by chance in proportion to weight.
    const auto equals = std::count_if(candidates.begin(), candidates.end(), [&](const Candidate& each) { return each.worse == candidates[0].worse && each.price == candidates[0].price; });
    double total = 0;
    for (std::ptrdiff_t i = 0; i < equals; ++i) total += route.choices[candidates[static_cast<std::size_t>(i)].choice].weight;
    double point = parts.random.unit() * total;
    for (std::ptrdiff_t i = 0; i < equals; ++i) {
        point -= route.choices[candidates[static_cast<std::size_t>(i)].choice].weight;
        if (point >= 0) continue;
        std::rotate(candidates.begin(), candidates.begin() + i, candidates.begin() + i + 1);
        break;
    }
    std::vector<AccountNumber> order;
    for (const auto& each : candidates) order.push_back(route.choices[each.choice].account);
    return order;
}

// The share is counted where a touch really goes: at its permit.
std::string Engine::Internals::take_route(const Touch& sent, std::uint8_t chosen) {
    if (routes.empty()) return {};
    const auto profile = state.profiles.at(profile_of(sent, chosen));
    const auto account = account_of(profile_of(sent, chosen));
    const auto& address = state.addresses[sent.address];
    auto* route = route_of(state.symbols.name(profile.channel), profile, sent.contact, address.kind == AddressKind::phone ? std::string_view{address.value} : std::string_view{}, sent.origin);
    if (route == nullptr || !account) return {};
    const auto choice = std::find_if(route->choices.begin(), route->choices.end(), [&](const auto& each) { return each.account == *account; });
    if (choice == route->choices.end()) return {};
    ++choice->taken;
    ++route->taken;
    std::string reason = route->label;
    const auto& price = accounts[*account].settings.billing;
    if (price.price.micros > 0) reason.append(": price ").append(content::format_money(price.price)).append(" ").append(price.currency);
    for (std::uint8_t earlier = 0; earlier < chosen; ++earlier)
        if (const auto other = account_of(profile_of(sent, earlier)); other && state.profiles.at(profile_of(sent, earlier)).channel == profile.channel)
            reason.append("; after ").append(accounts[*other].settings.name).append(can_send_now(*other) ? "" : ", which cannot send now");
    return reason;
}

}  // namespace touchgate
