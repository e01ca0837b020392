// Conversions: what customers did, for attribution.
#include "gateway/http/bulk.hpp"
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/touch_queue.hpp"

namespace touchgate::http {

namespace {

void post_conversion(const Call& call) {
    auto input = read_body(call, [&](JsonReader& body) { return read_conversion(body, call->services().phones); });
    if (!input) return;
    in_engine(call, [input = std::move(*input)](Engine& engine, Exchange& exchange) {
        if (const auto foreign = check_unit_of_contact(engine, exchange.access, input.contact)) return exchange.problem_of(*foreign);
        std::string contact_id;
        const auto recorded = engine.record_conversion(input, contact_id);
        if (!recorded) return exchange.problem_of(recorded.error());
        Response response;
        response.status = *recorded ? 201 : 200;
        JsonObject{response.body}
            .text("id", input.key)
            .text("key", input.key)
            .text_or_null("contact_id", contact_id)
            .boolean("duplicate", !*recorded)
            .close();
        return response;
    });
}

std::unique_ptr<BulkReader> conversion_lines(Exchange& exchange) {
    return work_lines(
        [&phones = exchange.services().phones, access = exchange.access](JsonReader& body) -> Result<LineWork> {
            return LineWork{[input = read_conversion(body, phones), access](Engine& engine) -> Result<LineOutcome> {
                if (auto foreign = check_unit_of_contact(engine, access, input.contact)) return std::move(*foreign);
                std::string contact_id;
                const auto recorded = engine.record_conversion(input, contact_id);
                if (!recorded) return recorded.error();
                LineOutcome outcome{.members = "\"id\":"};
                append_json_string(outcome.members, input.key);
                if (!*recorded) outcome.members += ",\"duplicate\":true";
                return outcome;
            }};
        },
        {});
}

}  // namespace

void add_conversion_endpoints(Router& router) {
    router.add({.method = Method::post, .pattern = "/v1/conversions", .scope = "reports", .handler = post_conversion, .body = BodyKind::json});
    router.add({.method = Method::post, .pattern = "/v1/conversions/bulk", .scope = "reports", .body = BodyKind::ndjson, .bulk = conversion_lines});
}

}  // namespace touchgate::http
