// What operators and machines look at: health, readiness, metrics, accounts, reasons, the API's description, the clock.
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/metrics_text.hpp"
#include "gateway/http/reasons.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

namespace {

// The process lives: 200 in any case. What is wrong all the same is named, for whoever raises an alarm.
void get_healthz(const Call& call) {
    const auto faults = faults_of(call->services());
    if (faults.empty()) return call->answer(json_answer(200, R"({"status":"ok"})"));
    std::string body;
    JsonObject{body}.text("status", "degraded").texts("faults", faults).close();
    call->answer(json_answer(200, std::move(body)));
}

void get_readyz(const Call& call) {
    const auto& services = call->services();
    if (services.draining) call->fail(draining_error());
    else if (!services.ready) call->fail({.kind = ErrorKind::unavailable, .detail = "the gateway is starting", .retry_after_s = 1});
    else call->answer(json_answer(200, R"({"status":"ready"})"));
}

void get_openapi(const Call& call) { call->answer(json_answer(200, call->services().openapi)); }

void get_metrics(const Call& call) {
    const auto answer = [](const Call& to, std::string text) {
        Response response;
        response.content_type = "text/plain; version=0.0.4; charset=utf-8";
        response.body = std::move(text);
        to->answer(std::move(response));
    };
    const bool taken = call->services().engine.post([call, answer](Engine& engine) {
        answer(call, metrics_text(call->services(), engine.metrics(), engine.accounts()));
    });
    // A full engine must not blind those who watch it.
    if (!taken) answer(call, metrics_text(call->services(), std::nullopt, {}));
}

void list_accounts(const Call& call) {
    in_engine(call, [](Engine& engine, Exchange&) {
        std::string items;
        append_array(items, engine.accounts(), append_account);
        return json_answer(200, list_of(items, {}));
    });
}

void list_reasons(const Call& call) { call->answer(json_answer(200, reasons_text())); }

void accept_clock(const Call& call) {
    in_engine(call, [](Engine& engine, Exchange&) {
        engine.accept_clock();
        return json_answer(200, R"({"accepted":true})");
    });
}

}  // namespace

void add_operation_endpoints(Router& router) {
    router.add({.method = Method::get, .pattern = "/healthz", .handler = get_healthz, .while_draining = true});
    router.add({.method = Method::get, .pattern = "/readyz", .handler = get_readyz, .while_draining = true});
    router.add({.method = Method::get, .pattern = "/metrics", .handler = get_metrics, .while_draining = true});
    router.add({.method = Method::get, .pattern = "/openapi.json", .handler = get_openapi, .while_draining = true});
    router.add({.method = Method::get, .pattern = "/v1/accounts", .scope = "admin", .handler = list_accounts});
    router.add({.method = Method::get, .pattern = "/v1/reasons", .scope = "admin", .handler = list_reasons, .other_scope = "touches"});
    router.add({.method = Method::post, .pattern = "/v1/clock/accept", .scope = "admin", .handler = accept_clock});
}

}  // namespace touchgate::http
