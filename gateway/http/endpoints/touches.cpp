// /v1/touches and /v1/decisions.
#include "gateway/http/bulk.hpp"
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/touch_json.hpp"
#include "gateway/http/touch_queue.hpp"

namespace touchgate::http {

namespace {

Error no_such_touch() { return {.kind = ErrorKind::not_found, .detail = "there is no touch with this id"}; }

void post_touch(const Call& call) {
    auto touch = call->worker().intake().parse(call->body());
    if (touch.error && touch.error->kind != ErrorKind::invalid_input) {
        call->fail(*touch.error);
        return;
    }
    if (const auto error = apply_caller(*call->caller, call->access, touch.request); error && !touch.error) {
        call->fail(*error);
        return;
    }
    call->worker().touches().add(call, std::move(touch));
}

void post_decision(const Call& call) {
    auto touch = call->worker().intake().parse(call->body(), IntakeKind::decision);
    if (touch.error && touch.error->kind != ErrorKind::invalid_input) {
        call->fail(*touch.error);
        return;
    }
    if (const auto error = apply_caller(*call->caller, call->access, touch.request); error && !touch.error) {
        call->fail(*error);
        return;
    }
    in_engine(call, [touch = std::move(touch)](Engine& engine, Exchange& exchange) mutable {
        if (touch.error) complete_problems(engine, touch);
        else if (auto foreign = check_unit_of_contact(engine, exchange.access, touch.request.contact)) touch.error = std::move(*foreign);
        if (touch.error) return exchange.problem_of(*touch.error);
        const auto decision = engine.decide_only(touch.request, touch.at);
        if (!decision) return exchange.problem_of(decision.error());
        Response response;
        append_decision(response.body, *decision);
        return response;
    });
}

// The touch as the engine has it, and then its events from the log; a touch that left the memory comes whole from the query side.
void get_touch(const Call& call) {
    const auto id = parse_uuid(call->path[0]);
    if (!id) {
        call->fail(no_such_touch());
        return;
    }
    auto found = std::make_shared<std::optional<TouchView>>();
    const auto with_events = [call, found, id] {
        in_queries(call, Source::log, [found, id = *id](QueryPort& queries, Exchange& exchange) {
            const auto visibility = exchange.visibility();
            if (!*found) {
                auto stored = queries.touch(id, visibility);
                return stored ? json_answer(200, std::move(*stored)) : exchange.problem_of(stored.error());
            }
            // With attempts and receipts, all of which stand in the log.
            if (auto whole = queries.touch_at(id, (*found)->newest_of_contact, (*found)->created_position, visibility))
                return json_answer(200, std::move(*whole));
            const auto events = queries.touch_events(id, (*found)->newest_of_contact, (*found)->created_position, visibility);
            if (!events) return exchange.problem_of(events.error());
            Response response;
            append_touch_in_full(response.body, **found, *events);
            return response;
        });
    };
    when_shown(call, Source::log, [call, found, id = *id, with_events] {
        const bool taken = call->services().engine.post([call, found, id, with_events](Engine& engine) {
            *found = engine.find_touch(id);
            // What is shown must be durable first.
            engine.after_sync([call, found, with_events] {
                if (*found && !call->access.covers((*found)->unit)) call->fail(no_such_touch());
                else call->worker().run(with_events);
            });
        });
        if (!taken) call->fail(queue_full());
    });
}

void list_touches(const Call& call) {
    std::vector<Problem> problems;
    TouchQuery query;
    const auto& given = call->query;
    query.contact = given.text("contact");
    query.campaign = given.text("campaign");
    query.state = given.text("state");
    query.channel = given.text("channel");
    query.key = given.text("key");
    query.from = given.instant("from", problems);
    query.to = given.instant("to", problems);
    query.limit = page_limit(*call, problems);
    query.cursor = given.text("cursor");
    query.visibility = call->visibility();
    if (!query.state.empty() && !parse_touch_state(query.state)) problems.push_back({"/state", "is no state of a touch"});
    if (!problems.empty()) {
        call->fail(fields_error(std::move(problems)));
        return;
    }
    in_queries(call, Source::projection, [query = std::move(query)](QueryPort& queries, Exchange& exchange) {
        const auto page = queries.touches(query);
        return page ? json_answer(200, list_of(page->items, page->next_cursor)) : exchange.problem_of(page.error());
    });
}

void cancel_touch(const Call& call) {
    const auto id = parse_uuid(call->path[0]);
    if (!id) {
        call->fail(no_such_touch());
        return;
    }
    in_engine(call, [id = *id](Engine& engine, Exchange& exchange) {
        if (exchange.access.limited()) {
            const auto found = engine.find_touch(id);
            if (!found || !exchange.access.covers(found->unit)) return exchange.problem_of(no_such_touch());
        }
        const auto touch = engine.cancel_touch(id);
        if (!touch) return exchange.problem_of(touch.error(), "touch_id");
        Response response;
        append_touch(response.body, *touch);
        return response;
    });
}

void cancel_touches(const Call& call) {
    auto filter = read_body(call, [&](JsonReader& body) { return read_cancel_filter(body, call->services().phones); });
    if (!filter) return;
    if (call->access.limited()) {
        if (call->access.units.size() > 1) {
            call->fail({.kind = ErrorKind::forbidden, .detail = "cancelling in bulk needs a key that is limited to one unit at most"});
            return;
        }
        filter->unit = call->access.units.front();
    }
    in_engine(call, [filter = std::move(*filter)](Engine& engine, Exchange&) {
        const auto counts = engine.cancel_touches(filter);
        Response response;
        JsonObject{response.body}
            .number("cancelled", counts.cancelled)
            .number("too_late", counts.too_late)
            .number("already_final", counts.already_final)
            .close();
        return response;
    });
}

}  // namespace

void add_touch_endpoints(Router& router) {
    router.add({.method = Method::post, .pattern = "/v1/touches", .scope = "touches", .handler = post_touch, .body = BodyKind::json});
    router.add({.method = Method::get, .pattern = "/v1/touches", .scope = "touches", .handler = list_touches});
    router.add({.method = Method::post, .pattern = "/v1/touches/bulk", .scope = "touches", .body = BodyKind::ndjson, .bulk = touch_lines});
    router.add({.method = Method::post, .pattern = "/v1/touches/cancel", .scope = "touches", .handler = cancel_touches, .body = BodyKind::json});
    router.add({.method = Method::get, .pattern = "/v1/touches/{id}", .scope = "touches", .handler = get_touch});
    router.add({.method = Method::post, .pattern = "/v1/touches/{id}/cancel", .scope = "touches", .handler = cancel_touch});
    router.add({.method = Method::post, .pattern = "/v1/decisions", .scope = "touches", .handler = post_decision, .body = BodyKind::json});
}

}  // namespace touchgate::http
