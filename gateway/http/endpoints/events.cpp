// The events feed (pages, long polls, server-sent events), the log's head, and inbound events from trusted systems.
#include <algorithm>

#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

namespace {

std::string page_text(const EventPage& page) {
    std::string body;
    JsonObject json{body};
    json.name("items");
    append_array(body, page.items, [](std::string& out, const EventText& event) { out += event.json; });
    json.number("last_seq", page.last_sequence).close();
    return body;
}

// The scope `touches` alone reads the touches of its own key, nothing else.
void limit_to_own_touches(const Exchange& exchange, EventQuery& query) {
    if (exchange.caller->has("reports")) return;
    query.key_name = exchange.caller->name();
    std::vector<std::string> own;
    for (const auto& type : query.types)
        if (type.starts_with("touch.")) own.push_back(type);
    const bool asked_for_none = !query.types.empty() && own.empty() && std::none_of(query.types.begin(), query.types.end(), [](const auto& type) {
        return type == "*" || type == "touch*";
    });
    query.types = own.empty() ? std::vector<std::string>{asked_for_none ? "touch.none" : "touch.*"} : own;
}

// A page once there is one: asks again each time the log has grown, until something fits or the time is over.
void long_poll(const Call& call, EventQuery query, std::chrono::nanoseconds deadline) {
    in_queries(call, Source::log, [call, query, deadline](QueryPort& queries, Exchange& exchange) mutable {
        auto page = queries.events(query);
        if (!page) return exchange.problem_of(page.error());
        auto& services = exchange.services();
        const auto now = services.clock.monotonic_now();
        if (!page->items.empty() || now >= deadline || services.draining) return json_answer(200, page_text(*page));
        // Nothing that fits up to here: what was looked at need not be looked at again.
        query.after = std::max(query.after, page->scanned_to);
        exchange.worker().run([call, query = std::move(query), deadline, now]() mutable {
            auto& shared = call->services();
            const auto left = std::chrono::duration_cast<Duration>(deadline - now) + Duration{1};
            call->worker().wait_until(
                [&shared, after = query.after] { return shared.draining || shared.engine.durable_head().sequence > after; }, left,
                [call, query = std::move(query), deadline](bool) mutable { long_poll(call, std::move(query), deadline); });
        });
        return answered_later();
    });
}

// ---- server-sent events -------------------------------------------------------------------------------------------------------

constexpr Duration heartbeat_every{15'000};
constexpr std::size_t unsent_bytes_max = std::size_t{1} << 20U;

void next_part(const Call& call, const std::shared_ptr<EventQuery>& query);

void wait_for_more(const Call& call, const std::shared_ptr<EventQuery>& query) {
    auto& services = call->services();
    call->worker().wait_until(
        [call, query, &services] {
            const auto& sink = call->sink();
            if (!sink.is_open() || services.draining) return true;
            return sink.unsent_bytes() < unsent_bytes_max && services.engine.durable_head().sequence > query->after;
        },
        heartbeat_every,
        [call, query](bool in_time) {
            if (!call->sink().is_open()) return;
            if (call->services().draining) {
                call->sink().end_stream();
                return;
            }
            if (!in_time) call->sink().stream(": still here\n\n");
            if (in_time) next_part(call, query);
            else wait_for_more(call, query);
        });
}

void next_part(const Call& call, const std::shared_ptr<EventQuery>& query) {
    const bool taken = call->services().run_query([call, query] {
        auto page = call->services().queries.events(*query);
        std::string part;
        if (page) {
            for (const auto& event : page->items) {
                part += "id: " + std::to_string(event.sequence) + "\nevent: " + event.type + "\ndata: " + event.json + "\n\n";
                query->after = std::max(query->after, event.sequence);
            }
            query->after = std::max(query->after, page->scanned_to);
        }
        call->worker().run([call, query, part = std::move(part), failed = !page]() mutable {
            call->sink().stream(std::move(part));
            if (failed) call->sink().end_stream();
            else wait_for_more(call, query);
        });
    });
    // The query threads are busy: try again with the next look.
    if (!taken) wait_for_more(call, query);
}

void stream_events(const Call& call, EventQuery query) {
    call->take_over();
    Response head;
    head.content_type = "text/event-stream";
    head.headers.emplace_back("X-Accel-Buffering", "no");
    call->sink().begin_stream(std::move(head));
    call->sink().stream(": the events of the touch log\n\n");
    next_part(call, std::make_shared<EventQuery>(std::move(query)));
}

void get_events(const Call& call) {
    std::vector<Problem> problems;
    constexpr auto sequence_max = std::uint64_t{1} << 62U;
    EventQuery query;
    query.after = call->query.integer("after", 0, 0, sequence_max, problems);
    query.limit = page_limit(*call, problems);
    query.campaign = call->query.text("campaign");
    query.key_name = call->query.text("key_name");
    query.visibility = call->visibility();
    const auto types = call->query.text("types");
    for (const auto type : split(types, ','))
        if (!trim(type).empty()) query.types.emplace_back(trim(type));
    Duration wait{0};
    if (call->query.has("wait")) {
        if (const auto given = parse_duration(call->query.text("wait"))) wait = std::min(*given, call->services().options.long_poll_max);
        else problems.push_back({"/wait", "must be an ISO 8601 duration such as \"PT30S\""});
    }
    const bool stream = call->header("Accept").find("text/event-stream") != std::string_view::npos;
    if (const auto last = call->header("Last-Event-ID"); stream && !last.empty()) {
        const QueryParameters parameters{"Last-Event-ID=" + std::string{last}};
        query.after = parameters.integer("Last-Event-ID", query.after, 0, sequence_max, problems);
    }
    if (!problems.empty()) {
        call->fail(fields_error(std::move(problems)));
        return;
    }
    limit_to_own_touches(*call, query);
    if (stream) stream_events(call, std::move(query));
    else long_poll(call, std::move(query), call->services().clock.monotonic_now() + wait);
}

void get_head(const Call& call) {
    const auto head = call->services().engine.durable_head();
    Response response;
    JsonObject{response.body}.number("sequence", head.sequence).text("hash", to_hex(crypto::view(head.hash))).close();
    response.sequence = head.sequence;
    call->answer(std::move(response));
}

void post_inbound(const Call& call) {
    auto input = read_body(call, [&](JsonReader& body) { return read_inbound(body, call->services().phones); });
    if (!input) return;
    const bool taken = call->services().engine.post([call, input = std::move(*input)](Engine& engine) {
        const auto result = engine.inbound_event(input);
        Response response;
        if (result) {
            response.status = 202;
            JsonObject{response.body}
                .text("id", result->id)
                .text_or_null("interaction", result->interaction)
                .text_or_null("contact_id", result->contact_id)
                .boolean("duplicate", result->duplicate)
                .close();
        } else {
            response = call->problem_of(result.error());
        }
        response.sequence = engine.sequence();
        Effect answer = [call, response = std::move(response)]() mutable { call->answer(std::move(response)); };
        // An opt-out is acknowledged when nothing that it forbids can leave any more. A message may be one, by its words.
        const bool may_forbid = input.kind == InboundKind::opt_out || input.kind == InboundKind::message;
        if (result && may_forbid) engine.when_settled(ContactRef{.id = result->contact_id, .address = {}}, std::move(answer));
        else engine.after_sync(std::move(answer));
    });
    if (!taken) call->fail(queue_full());
}

}  // namespace

void add_event_endpoints(Router& router) {
    router.add({.method = Method::get, .pattern = "/v1/events", .scope = "reports", .handler = get_events, .other_scope = "touches"});
    router.add({.method = Method::get, .pattern = "/v1/log/head", .scope = "reports", .handler = get_head});
    router.add({.method = Method::post, .pattern = "/v1/events/inbound", .scope = "admin", .handler = post_inbound, .body = BodyKind::json});
}

}  // namespace touchgate::http
