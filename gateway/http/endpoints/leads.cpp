// /v1/leads: captured, read, claimed, given to somebody, taken step by step to their end; /v1/lead-results: what stores report of many at once.
#include "gateway/http/bulk.hpp"
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/lead_json.hpp"
#include "gateway/http/touch_json.hpp"
#include "gateway/http/touch_queue.hpp"

namespace touchgate::http {

namespace {

Error no_such_lead() { return {.kind = ErrorKind::not_found, .detail = "there is no lead with this id"}; }

// A caller who is limited to units makes leads of these, and sees these.
std::optional<Error> check_unit(const Access& access, LeadInput& input) {
    if (!access.limited()) return std::nullopt;
    if (input.unit.empty()) input.unit = access.units.front();
    if (access.covers(input.unit)) return std::nullopt;
    return Error{.kind = ErrorKind::forbidden, .detail = "this API key is limited to other units", .problems = {{"/unit", "is not a unit of this API key"}}};
}

bool is_hidden(Engine& engine, const Access& access, const Uuid& id) {
    if (!access.limited()) return false;
    const auto found = LeadBook{engine}.find(id);
    return !found || !access.covers(found->unit);
}

Result<LeadDetails> capture(Engine& engine, const Access& access, LeadInput& input) {
    if (auto refused = check_unit(access, input)) return std::move(*refused);
    if (auto foreign = check_unit_of_contact(engine, access, input.contact)) return std::move(*foreign);
    return LeadBook{engine}.capture(input);
}

Response lead_answer(int status, const LeadDetails& lead, bool in_full) {
    Response response;
    response.status = status;
    append_lead(response.body, lead, in_full);
    return response;
}

void post_lead(const Call& call) {
    auto input = read_body(call, [&](JsonReader& body) { return read_lead(body, call->services().phones, call->services().options.body_hash_key); });
    if (!input) return;
    input->key_name = call->caller->name();
    in_engine(call, [input = std::move(*input)](Engine& engine, Exchange& exchange) mutable {
        const auto lead = capture(engine, exchange.access, input);
        if (!lead) return exchange.problem_of(lead.error(), "lead_id");
        return lead_answer(lead->duplicate || lead->is_duplicate_of ? 200 : 201, *lead, false);
    });
}

std::unique_ptr<BulkReader> lead_lines(Exchange& exchange) {
    return work_lines(
        [&phones = exchange.services().phones, key = exchange.services().options.body_hash_key, access = exchange.access, name = exchange.caller->name()](JsonReader& body) -> Result<LineWork> {
            return LineWork{[input = read_lead(body, phones, key), access, name](Engine& engine) mutable -> Result<LineOutcome> {
                input.key_name = name;
                const auto lead = capture(engine, access, input);
                if (!lead) return lead.error();
                LineOutcome outcome;
                outcome.members = "\"id\":\"" + to_string(lead->id) + "\",\"stage\":\"";
                outcome.members.append(leads::to_string(lead->stage)).append("\"");
                if (lead->is_duplicate_of) outcome.members += ",\"duplicate_of\":\"" + to_string(lead->id) + "\"";
                if (lead->duplicate) outcome.members += ",\"duplicate\":true";
                return outcome;
            }};
        },
        "lead_id");
}

// Of a store's system or file: {"lead": id, or "key" with "unit", "result", …}.
std::unique_ptr<BulkReader> result_lines(Exchange& exchange) {
    return work_lines(
        [access = exchange.access](JsonReader& body) -> Result<LineWork> {
            const auto named = body.text("lead", {}, {0, 100});
            const auto key = body.text("key", {}, {0, 200});
            const auto unit = body.text("unit", {}, {0, 200});
            auto act = read_lead_result(body);
            body.finish();
            const auto id = parse_uuid(named);
            if (named.empty() == key.empty()) body.problem_here("needs exactly one of lead (its id) and key (with which it was captured)");
            else if (!named.empty() && !id) body.problem("lead", "is no lead's id");
            return LineWork{[id, key, unit, act = std::move(act), access](Engine& engine) -> Result<LineOutcome> {
                LeadBook book{engine};
                const auto lead = id ? book.find(*id) : book.find_by_key(unit, key);
                if (!lead) return lead.error();
                if (access.limited() && !access.covers(lead->unit)) return no_such_lead();
                const auto moved = book.act(lead->id, act);
                if (!moved) return moved.error();
                LineOutcome outcome{.members = "\"id\":\"" + to_string(moved->id) + "\",\"stage\":\""};
                outcome.members.append(leads::to_string(moved->stage)).append("\"");
                return outcome;
            }};
        },
        "lead_id");
}

void list_leads(const Call& call) {
    std::vector<Problem> problems;
    LeadQuery query;
    const auto& given = call->query;
    query.stage = given.text("stage");
    if (!query.stage.empty() && !leads::parse_stage(query.stage)) problems.push_back({"/stage", "must be one of new, assigned, accepted, contacted, qualified, disqualified, won, lost, recycled"});
    query.owner = given.text("owner");
    query.contact = given.text("contact");
    query.product = given.text("product");
    query.unit = given.text("unit");
    query.source = given.text("source");
    query.pool = given.boolean("pool", false, problems);
    query.limit = page_limit(*call, problems);
    if (given.has("cursor")) {
        if (const auto after = parse_uuid(given.text("cursor"))) query.after = *after;
        else problems.push_back({"/cursor", "is none that this list gave"});
    }
    if (!problems.empty()) return call->fail(fields_error(std::move(problems)));
    in_engine(call, [query = std::move(query)](Engine& engine, Exchange& exchange) {
        const auto found = LeadBook{engine}.list(query);
        std::vector<LeadDetails> shown;
        for (const auto& each : found)
            if (!exchange.access.limited() || exchange.access.covers(each.unit)) shown.push_back(each);
        std::string items;
        append_array(items, shown, [](std::string& out, const LeadDetails& each) { append_lead(out, each, false); });
        return json_answer(200, list_of(items, found.size() < query.limit ? std::string{} : to_string(found.back().id)));
    });
}

void get_lead(const Call& call) {
    const auto id = parse_uuid(call->path[0]);
    if (!id) return call->fail(no_such_lead());
    in_engine(call, [id = *id](Engine& engine, Exchange& exchange) {
        if (is_hidden(engine, exchange.access, id)) return exchange.problem_of(no_such_lead());
        const auto found = LeadBook{engine}.find(id);
        return found ? lead_answer(200, *found, true) : exchange.problem_of(found.error());
    });
}

// Reads the body (none at all is an empty one), does `work` with the lead, answers it in full.
template <class Read, class Work> void with_lead(const Call& call, Read read, Work work) {
    const auto id = parse_uuid(call->path[0]);
    if (!id) return call->fail(no_such_lead());
    if (call->body().empty()) call->body() = "{}";
    auto input = read_body(call, read);
    if (!input) return;
    in_engine(call, [id = *id, input = std::move(*input), work](Engine& engine, Exchange& exchange) {
        if (is_hidden(engine, exchange.access, id)) return exchange.problem_of(no_such_lead());
        LeadBook book{engine};
        const auto done = work(book, id, input);
        return done ? lead_answer(200, *done, true) : exchange.problem_of(done.error(), "lead_id");
    });
}

template <leads::Stage To> void step(const Call& call) {
    with_lead(call, [](JsonReader& body) { return read_lead_step(body, To); }, [](LeadBook& book, const Uuid& id, const LeadAct& act) { return book.act(id, act); });
}

void report_result(const Call& call) {
    with_lead(
        call,
        [](JsonReader& body) {
            auto act = read_lead_result(body);
            body.finish();
            act.via = "api";
            return act;
        },
        [](LeadBook& book, const Uuid& id, const LeadAct& act) { return book.act(id, act); });
}

void claim(const Call& call) {
    with_lead(
        call,
        [](JsonReader& body) {
            auto agent = body.required_text("agent", {1, 200});
            body.finish();
            return agent;
        },
        [](LeadBook& book, const Uuid& id, const std::string& agent) { return book.claim(id, agent); });
}

void assign(const Call& call) {
    struct Terms { std::string agent, reason; bool force = false; };
    with_lead(
        call,
        [](JsonReader& body) {
            Terms terms{.agent = body.text("agent", {}, {0, 200}), .reason = body.text("reason", {}, {0, 1'000}), .force = body.boolean("force", false)};
            body.finish();
            return terms;
        },
        [](LeadBook& book, const Uuid& id, const Terms& terms) { return book.assign(id, terms.agent, terms.reason, terms.force); });
}

void make_link(const Call& call) {
    const auto id = parse_uuid(call->path[0]);
    if (!id) return call->fail(no_such_lead());
    in_engine(call, [id = *id](Engine& engine, Exchange& exchange) {
        if (is_hidden(engine, exchange.access, id)) return exchange.problem_of(no_such_lead());
        const auto link = LeadBook{engine}.make_link(id);
        if (!link) return exchange.problem_of(link.error(), "lead_id");
        Response response;
        response.status = 201;
        JsonObject{response.body}.text("url", link->url).instant("expires_at", link->expires_at).close();
        return response;
    });
}

}  // namespace

void add_lead_endpoints(Router& router) {
    using enum leads::Stage;
    const auto post = [&](const char* pattern, Handler handler) { router.add({.method = Method::post, .pattern = pattern, .scope = "leads", .handler = handler, .body = BodyKind::json}); };
    post("/v1/leads", post_lead);
    router.add({.method = Method::post, .pattern = "/v1/leads/bulk", .scope = "leads", .body = BodyKind::ndjson, .bulk = lead_lines});
    router.add({.method = Method::post, .pattern = "/v1/lead-results/bulk", .scope = "leads", .body = BodyKind::ndjson, .bulk = result_lines});
    router.add({.method = Method::get, .pattern = "/v1/leads", .scope = "leads", .handler = list_leads});
    router.add({.method = Method::get, .pattern = "/v1/leads/{id}", .scope = "leads", .handler = get_lead});
    post("/v1/leads/{id}/accept", step<accepted>);
    post("/v1/leads/{id}/contacted", step<contacted>);
    post("/v1/leads/{id}/qualify", step<qualified>);
    post("/v1/leads/{id}/disqualify", step<disqualified>);
    post("/v1/leads/{id}/won", step<won>);
    post("/v1/leads/{id}/lost", step<lost>);
    post("/v1/leads/{id}/recycle", step<recycled>);
    post("/v1/leads/{id}/result", report_result);
    post("/v1/leads/{id}/claim", claim);
    post("/v1/leads/{id}/assign", assign);
    post("/v1/leads/{id}/link", make_link);
}

}  // namespace touchgate::http
