// Holds: the emergency stop.
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

namespace {

void post_hold(const Call& call) {
    auto input = read_body(call, [](JsonReader& body) { return read_hold(body); });
    if (!input) return;
    in_engine(call, [input = std::move(*input)](Engine& engine, Exchange& exchange) {
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
