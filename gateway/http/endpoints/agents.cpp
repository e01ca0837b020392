// /v1/agents: who works here, how he is, and the token with which his desktop connects.
#include "gateway/http/agent_hub.hpp"
#include "gateway/http/endpoints/declaration.hpp"
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

namespace {

Error no_such_agent() { return {.kind = ErrorKind::not_found, .detail = "there is no agent with this id"}; }

Response agent_answer(const AgentDetails& agent, int status) {
    Response response;
    response.status = status;
    append_agent(response.body, agent);
    return response;
}

// Nothing when there is none, or none that the caller may see.
std::optional<AgentDetails> visible(Engine& engine, const Access& access, const std::string& id) {
    auto found = engine.desk().agent(id);
    if (!found || !access.covers(found->unit)) return std::nullopt;
    return std::move(*found);
}

void put_agent(const Call& call) {
    auto document = read_declaration(call);
    if (!document) return;
    in_engine(call, [id = call->path[0], document = std::move(*document)](Engine& engine, Exchange& exchange) {
        const auto known = engine.desk().agent(id);
        if (known && !exchange.access.covers(known->unit)) return exchange.problem_of(no_such_agent());
        const auto agent = engine.desk().put_agent(id, document);
        return agent ? agent_answer(*agent, agent->created ? 201 : 200) : exchange.problem_of(agent.error());
    });
}

void get_agent(const Call& call) {
    in_engine(call, [id = call->path[0]](Engine& engine, Exchange& exchange) {
        const auto agent = visible(engine, exchange.access, id);
        return agent ? agent_answer(*agent, 200) : exchange.problem_of(no_such_agent());
    });
}

// He stays in the log and the reports, and works no more: his connections end, and his tokens open nothing.
void delete_agent(const Call& call) {
    in_engine(call, [id = call->path[0]](Engine& engine, Exchange& exchange) {
        const auto agent = visible(engine, exchange.access, id);
        if (!agent) return exchange.problem_of(no_such_agent());
        auto document = Json::parse(agent->document, nullptr, false, true);
        if (!document.is_object()) document = Json::object();
        document["disabled"] = true;
        const auto disabled = engine.desk().put_agent(id, document);
        return disabled ? Response{.status = 204} : exchange.problem_of(disabled.error());
    });
}

void list_agents(const Call& call) {
    std::vector<Problem> problems;
    const auto limit = page_limit(*call, problems);
    if (!problems.empty()) return call->fail(fields_error(std::move(problems)));
    in_engine(call, [limit, after = call->query.text("cursor"), state = call->query.text("state")](Engine& engine, Exchange& exchange) {
        std::string items;
        const auto found = engine.desk().agents(limit, after);
        std::vector<const AgentDetails*> shown;
        for (const auto& agent : found)
            if (exchange.access.covers(agent.unit) && (state.empty() || agent.state == state)) shown.push_back(&agent);
        append_array(items, shown, [](std::string& out, const AgentDetails* agent) { append_agent(out, *agent); });
        return json_answer(200, list_of(items, found.size() < limit ? std::string{} : found.back().id));
    });
}

void make_token(const Call& call) {
    const auto& options = call->services().agents->options();
    auto ttl = read_body(call, [&](JsonReader& body) {
        const auto given = body.duration("ttl", options.token_ttl, Duration{1'000}, options.token_ttl_max);
        body.finish();
        return given;
    });
    if (!ttl) return;
    in_engine(call, [id = call->path[0], ttl = *ttl](Engine& engine, Exchange& exchange) {
        const auto agent = visible(engine, exchange.access, id);
        if (!agent) return exchange.problem_of(no_such_agent());
        if (agent->state == "disabled" || Json::parse(agent->document, nullptr, false, true).value("disabled", false))
            return exchange.problem_of({.kind = ErrorKind::conflict, .detail = "the agent is disabled"});
        auto& hub = *exchange.services().agents;
        const auto now = hub.clock().wall_now();
        Response response;
        response.status = 201;
        JsonObject{response.body}.text("token", hub.tokens().make({.agent = id, .expires_at = now + ttl, .issued_at = now})).instant("expires_at", now + ttl).close();
        return response;
    });
}

}  // namespace

void add_agent_endpoints(Router& router) {
    router.add({.method = Method::get, .pattern = "/v1/agents", .scope = "agents", .handler = list_agents});
    router.add({.method = Method::put, .pattern = "/v1/agents/{id}", .scope = "agents", .handler = put_agent, .body = BodyKind::json});
    router.add({.method = Method::get, .pattern = "/v1/agents/{id}", .scope = "agents", .handler = get_agent});
    router.add({.method = Method::del, .pattern = "/v1/agents/{id}", .scope = "agents", .handler = delete_agent});
    router.add({.method = Method::post, .pattern = "/v1/agents/{id}/token", .scope = "agents", .handler = make_token, .body = BodyKind::json});
}

}  // namespace touchgate::http
