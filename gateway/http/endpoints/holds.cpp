// Holds: the emergency stop.
#include <algorithm>

#include "gateway/channel/channels.hpp"
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

namespace {

// A typing error in an emergency stop must not look like one that is in force.
std::vector<Problem> problems_of(Engine& engine, const HoldInput& input) {
    std::vector<Problem> problems;
    const auto accounts = engine.accounts();
    const auto check = [&](std::string_view member, const std::vector<std::string>& names, const auto& known) {
        for (std::size_t i = 0; i < names.size(); ++i)
            if (!known(names[i])) problems.push_back({pointer_to(pointer_to("", member), i), "there is no such thing: \"" + names[i] + "\""});
    };
    const auto policy = engine.active_policy();
    check("purposes", input.purposes, [&](const std::string& name) {
        const auto& purposes = policy->compiled->purposes();
        return std::find(purposes.begin(), purposes.end(), name) != purposes.end();
    });
    check("channels", input.channels, [&](const std::string& name) {
        return channel::is_channel(name) || std::any_of(accounts.begin(), accounts.end(), [&](const auto& account) { return account.channel == name; });
    });
    check("accounts", input.accounts,
          [&](const std::string& name) { return std::any_of(accounts.begin(), accounts.end(), [&](const auto& account) { return account.name == name; }); });
    if (input.until && *input.until <= engine.now()) problems.push_back({"/until", "lies in the past"});
    return problems;
}

void post_hold(const Call& call) {
    auto input = read_body(call, [](JsonReader& body) { return read_hold(body); });
    if (!input) return;
    in_engine(call, [input = std::move(*input)](Engine& engine, Exchange& exchange) {
        if (auto problems = problems_of(engine, input); !problems.empty()) return exchange.problem_of(fields_error(std::move(problems)));
        const auto hold = engine.set_hold(input);
        if (!hold) return exchange.problem_of(hold.error());
        Response response;
        response.status = 201;
        append_hold(response.body, *hold);
        return response;
    });
}

void list_holds(const Call& call) {
    in_engine(call, [](Engine& engine, Exchange&) {
        std::string items;
        append_array(items, engine.holds(), append_hold);
        return json_answer(200, list_of(items, {}));
    });
}

void delete_hold(const Call& call) {
    in_engine(call, [id = call->path[0]](Engine& engine, Exchange& exchange) {
        const auto lifted = engine.lift_hold(id);
        return lifted ? Response{.status = 204} : exchange.problem_of(lifted.error());
    });
}

}  // namespace

void add_hold_endpoints(Router& router) {
    router.add({.method = Method::post, .pattern = "/v1/holds", .scope = "admin", .handler = post_hold, .body = BodyKind::json});
    router.add({.method = Method::get, .pattern = "/v1/holds", .scope = "admin", .handler = list_holds});
    router.add({.method = Method::del, .pattern = "/v1/holds/{id}", .scope = "admin", .handler = delete_hold});
}

}  // namespace touchgate::http
