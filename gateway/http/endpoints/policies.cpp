// Policies: store, activate, list.
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

namespace {

void append_version(std::string& out, const PolicyVersion& version, bool active) {
    JsonObject json{out};
    json.text("name", version.name).number("version", version.version).text("policy", version.label()).boolean("active", active);
    json.instant("activated_at", version.activated_at == Instant{} ? std::nullopt : std::optional{version.activated_at});
    json.close();
}

void put_policy(const Call& call) {
    std::vector<Problem> problems;
    const bool activate = call->query.boolean("activate", true, problems);
    if (!problems.empty()) {
        call->fail(fields_error(std::move(problems)));
        return;
    }
    in_engine(call, [name = call->path[0], activate](Engine& engine, Exchange& exchange) {
        const auto put = engine.put_policy(name, exchange.body(), activate);
        if (!put) return exchange.problem_of(put.error());
        Response response;
        append_version(response.body, *put->version, put->active);
        return response;
    });
}

bool is_active(const Engine& engine, const PolicyVersion& version) {
    const auto active = engine.active_policy();
    return active && active->name == version.name && active->version == version.version;
}

void list_policies(const Call& call) {
    in_engine(call, [](Engine& engine, Exchange&) {
        std::string items;
        append_array(items, engine.policies(),
                     [&](std::string& out, const auto& version) { append_version(out, *version, is_active(engine, *version)); });
        return json_answer(200, list_of(items, {}));
    });
}

// The newest version's document, as it was given.
void get_policy(const Call& call) {
    in_engine(call, [name = call->path[0]](Engine& engine, Exchange& exchange) {
        std::shared_ptr<const PolicyVersion> newest;
        for (const auto& version : engine.policies())
            if (version->name == name && (!newest || version->version > newest->version)) newest = version;
        if (!newest) return exchange.problem_of({.kind = ErrorKind::not_found, .detail = "there is no policy of this name"});
        const auto document = parse_json_with_comments(newest->document);
        Response response;
        JsonObject json{response.body};
        json.text("name", newest->name)
            .number("version", newest->version)
            .text("policy", newest->label())
            .boolean("active", is_active(engine, *newest));
        json.raw("document", document ? document->dump(-1, ' ', false, Json::error_handler_t::replace) : "null").close();
        return response;
    });
}

}  // namespace

void add_policy_endpoints(Router& router) {
    router.add({.method = Method::get, .pattern = "/v1/policies", .scope = "admin", .handler = list_policies});
    router.add({.method = Method::get, .pattern = "/v1/policies/{name}", .scope = "admin", .handler = get_policy});
    router.add({.method = Method::put, .pattern = "/v1/policies/{name}", .scope = "admin", .handler = put_policy, .body = BodyKind::json});
}

}  // namespace touchgate::http
