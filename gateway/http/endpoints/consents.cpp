// Consent records of a contact.
#include "gateway/http/bulk.hpp"
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/touch_queue.hpp"

namespace touchgate::http {

namespace {

std::string consent_members(const ConsentResult& result) {
    std::string members = "\"id\":";
    append_json_string(members, result.id);
    if (result.kept_withdrawn) members += ",\"kept\":\"withdrawn\"";
    return members;
}

// A withdrawal is answered when nothing that it forbids can leave any more: when its own event is durable and every permit that was
// open is known to be used or revoked.
void post_consent(const Call& call) {
    auto input = read_body(call, [](JsonReader& body) {
        auto consent = read_consent(body);
        body.finish();
        return consent;
    });
    if (!input) return;
    const bool taken = call->services().engine.post([call, input = std::move(*input)](Engine& engine) {
        const ContactRef contact{.id = call->path[0]};
        if (call->access.limited()) {
            const auto found = engine.find_contact(contact.id);
            if (found && !call->access.covers(found->unit)) {
                call->fail({.kind = ErrorKind::not_found, .detail = "there is no contact with this id"});
                return;
            }
        }
        const auto result = engine.record_consent(contact, input);
        const auto sequence = engine.sequence();
        if (!result) {
            // The contact is the path here, not a field.
            auto error = result.error();
            if (error.kind == ErrorKind::invalid_input && error.problems.size() == 1 && error.problems.front().pointer.starts_with("/contact"))
                error = {.kind = ErrorKind::not_found, .detail = "there is no contact with this id"};
            engine.after_sync([call, error = std::move(error)] { call->fail(error, "contact_id"); });
            return;
        }
        Effect answer = [call, sequence, members = consent_members(*result)] {
            auto response = json_answer(201, "{" + members + "}");
            response.sequence = sequence;
            call->answer(std::move(response));
        };
        if (input.granted) engine.after_sync(std::move(answer));
        else engine.when_settled(contact, std::move(answer));
    });
    if (!taken) call->fail(queue_full());
}

std::unique_ptr<BulkReader> consent_lines(Exchange& exchange) {
    return work_lines(
        [&phones = exchange.services().phones, access = exchange.access](JsonReader& body) -> Result<LineWork> {
            auto contact = read_contact_member(body, phones);
            auto consent = read_consent(body);
            consent.from_bulk = true;
            body.finish();
            return LineWork{[contact = std::move(contact), consent = std::move(consent), access](Engine& engine) -> Result<LineOutcome> {
                if (auto foreign = check_unit_of_contact(engine, access, contact)) return std::move(*foreign);
                const auto result = engine.record_consent(contact, consent);
                if (!result) return result.error();
                LineOutcome outcome{.members = consent_members(*result)};
                if (!consent.granted) outcome.settle = contact;
                return outcome;
            }};
        },
        "contact_id");
}

}  // namespace

void add_consent_endpoints(Router& router) {
    router.add(
        {.method = Method::post, .pattern = "/v1/contacts/{id}/consents", .scope = "contacts", .handler = post_consent, .body = BodyKind::json});
    router.add({.method = Method::post, .pattern = "/v1/consents/bulk", .scope = "contacts", .body = BodyKind::ndjson, .bulk = consent_lines});
}

}  // namespace touchgate::http
