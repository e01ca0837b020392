// /v1/interactions: conversations by message, their answers and their end.
#include "gateway/engine/refusals.hpp"
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/interaction_json.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

namespace {

Error no_such_interaction() { return {.kind = ErrorKind::not_found, .detail = "there is no interaction with this id"}; }

// For a caller who is limited to units, conversations with contacts of others do not exist.
bool is_foreign(Engine& engine, const Access& access, const std::string& contact) {
    if (!access.limited()) return false;
    const auto found = engine.find_contact(contact);
    return !found || !access.covers(found->unit);
}

bool is_hidden(Engine& engine, const Access& access, const Uuid& id) {
    if (!access.limited()) return false;
    const auto found = engine.find_interaction(id);
    return !found || is_foreign(engine, access, found->contact_id);
}

void list_interactions(const Call& call) {
    std::vector<Problem> problems;
    InteractionQuery query;
    const auto& given = call->query;
    query.state = given.text("state");
    query.queue = given.text("queue");
    query.contact = given.text("contact");
    query.channel = given.text("channel");
    query.account = given.text("account");
    query.agent = given.text("agent");
    query.limit = page_limit(*call, problems);
    // Memory has those that are open or ended lately; who asks for a time asks for all of it.
    const auto from = given.instant("from", problems), to = given.instant("to", problems);
    if (from || to) {
        if (!problems.empty()) return call->fail(fields_error(std::move(problems)));
        InteractionListQuery older{.state = query.state, .queue = query.queue, .contact = query.contact, .channel = query.channel, .account = query.account,
                                   .from = from, .to = to, .limit = query.limit, .cursor = given.text("cursor"), .visibility = call->visibility()};
        return in_queries(call, Source::projection, [older = std::move(older)](QueryPort& queries, Exchange& exchange) {
            const auto page = queries.interactions(older);
            return page ? json_answer(200, list_of(page->items, page->next_cursor)) : exchange.problem_of(page.error());
        });
    }
    if (given.has("cursor")) {
        if (const auto after = parse_uuid(given.text("cursor"))) query.after = *after;
        else problems.push_back({"/cursor", "is none that this list gave"});
    }
    if (!problems.empty()) {
        call->fail(fields_error(std::move(problems)));
        return;
    }
    in_engine(call, [query = std::move(query)](Engine& engine, Exchange& exchange) {
        const auto found = engine.interactions(query);
        std::vector<InteractionDetails> shown;
        for (const auto& each : found)
            if (!is_foreign(engine, exchange.access, each.contact_id)) shown.push_back(each);
        std::string items;
        append_array(items, shown, [addresses = exchange.visibility().addresses](std::string& out, const InteractionDetails& each) { append_interaction(out, each, false, addresses); });
        return json_answer(200, list_of(items, found.size() < query.limit ? std::string{} : to_string(found.back().id)));
    });
}

void get_interaction(const Call& call) {
    const auto id = parse_uuid(call->path[0]);
    if (!id) return call->fail(no_such_interaction());
    in_engine(call, [call, id = *id](Engine& engine, Exchange& exchange) {
        const auto found = engine.find_interaction(id);
        if (!found) {
            engine.after_sync([call, id] {
                call->worker().run([call, id] {
                    in_queries(call, Source::projection, [id](QueryPort& queries, Exchange& asked) {
                        auto text = queries.interaction(id, asked.visibility());
                        return text ? json_answer(200, std::move(*text)) : asked.problem_of(text.error());
                    });
                });
            });
            return answered_later();
        }
        if (is_foreign(engine, exchange.access, found->contact_id)) return exchange.problem_of(no_such_interaction());
        Response response;
        append_interaction(response.body, *found, true, exchange.visibility().addresses);
        return response;
    });
}

// An answer is a touch; only whom and over which account it reaches is the interaction's.
void post_message(const Call& call) {
    const auto id = parse_uuid(call->path[0]);
    if (!id) return call->fail(no_such_interaction());
    const auto body = Json::parse(call->body(), nullptr, false);
    if (!body.is_object()) return call->fail({.kind = ErrorKind::malformed, .detail = "the body is not a JSON object"});
    std::vector<Problem> problems;
    for (const auto& [name, value] : body.items())
        if (name != "key" && name != "content" && name != "template" && name != "variables" && name != "purpose")
            problems.push_back({pointer_to("", name), "is not known here; there are key, content, template, variables, purpose"});
    if (!problems.empty()) return call->fail(fields_error(std::move(problems)));
    auto touch = read_answer(body, call->worker().intake());
    if (touch.error) return call->fail(*touch.error);
    in_engine(call, [id = *id, request = std::move(touch.request)](Engine& engine, Exchange& exchange) mutable {
        if (is_hidden(engine, exchange.access, id)) return exchange.problem_of(no_such_interaction());
        const auto sent = engine.reply_to_interaction(id, std::move(request));
        if (!sent) return exchange.problem_of(sent.error(), sent.error().reference == handled_natively_code ? "code" : "");
        Response response;
        response.status = sent->duplicate ? 200 : 202;
        append_touch(response.body, *sent);
        return response;
    });
}

void close_interaction(const Call& call) {
    const auto id = parse_uuid(call->path[0]);
    if (!id) return call->fail(no_such_interaction());
    struct Closing { std::string disposition, note; };
    auto closing = read_body(call, [](JsonReader& body) { return Closing{.disposition = body.text("disposition", {}, {0, 100}), .note = body.text("note", {}, {0, 10'000})}; });
    if (!closing) return;
    in_engine(call, [id = *id, closing = std::move(*closing)](Engine& engine, Exchange& exchange) {
        if (is_hidden(engine, exchange.access, id)) return exchange.problem_of(no_such_interaction());
        const auto closed = engine.close_interaction(id, closing.disposition, closing.note);
        if (!closed) return exchange.problem_of(closed.error());
        Response response;
        append_interaction(response.body, *closed, true, exchange.visibility().addresses);
        return response;
    });
}

// To another agent or queue.
void transfer_interaction(const Call& call) {
    const auto id = parse_uuid(call->path[0]);
    if (!id) return call->fail(no_such_interaction());
    struct Transfer { std::string to, note; };
    auto body = read_body(call, [](JsonReader& reader) {
        Transfer made{.to = reader.required_text("to", {1, 200}), .note = reader.text("note", {}, {0, 10'000})};
        reader.finish();
        return made;
    });
    if (!body) return;
    in_engine(call, [id = *id, body = std::move(*body)](Engine& engine, Exchange& exchange) {
        if (is_hidden(engine, exchange.access, id)) return exchange.problem_of(no_such_interaction());
        const auto moved = engine.desk().transfer_by_api(id, body.to, body.note);
        if (!moved) return exchange.problem_of(moved.error());
        Response response;
        append_interaction(response.body, *moved, true, exchange.visibility().addresses);
        return response;
    });
}

// From a bot, or from nobody, to people; the summary is for whoever takes it.
void hand_over_interaction(const Call& call) {
    const auto id = parse_uuid(call->path[0]);
    if (!id) return call->fail(no_such_interaction());
    struct Handover { std::string to, reason, summary; };
    auto body = read_body(call, [](JsonReader& reader) {
        Handover made{.to = reader.text("to", {}, {0, 200}), .reason = reader.text("reason", {}, {0, 200}), .summary = reader.text("summary", {}, {0, 10'000})};
        reader.finish();
        return made;
    });
    if (!body) return;
    in_engine(call, [id = *id, body = std::move(*body)](Engine& engine, Exchange& exchange) {
        if (is_hidden(engine, exchange.access, id)) return exchange.problem_of(no_such_interaction());
        const auto moved = engine.desk().hand_over(id, body.to, body.reason, body.summary);
        if (!moved) return exchange.problem_of(moved.error());
        Response response;
        append_interaction(response.body, *moved, true, exchange.visibility().addresses);
        return response;
    });
}

}  // namespace

void add_interaction_endpoints(Router& router) {
    router.add({.method = Method::get, .pattern = "/v1/interactions", .scope = "agents", .handler = list_interactions});
    router.add({.method = Method::get, .pattern = "/v1/interactions/{id}", .scope = "agents", .handler = get_interaction});
    router.add({.method = Method::post, .pattern = "/v1/interactions/{id}/messages", .scope = "agents", .handler = post_message, .body = BodyKind::json});
    router.add({.method = Method::post, .pattern = "/v1/interactions/{id}/close", .scope = "agents", .handler = close_interaction, .body = BodyKind::json});
    router.add({.method = Method::post, .pattern = "/v1/interactions/{id}/transfer", .scope = "agents", .handler = transfer_interaction, .body = BodyKind::json});
    router.add({.method = Method::post, .pattern = "/v1/interactions/{id}/handover", .scope = "agents", .handler = hand_over_interaction, .body = BodyKind::json});
}

}  // namespace touchgate::http
