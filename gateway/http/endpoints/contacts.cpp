// /v1/contacts.
#include "gateway/http/bulk.hpp"
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

namespace {

Error no_such_contact() { return {.kind = ErrorKind::not_found, .detail = "there is no contact with this id"}; }

std::optional<OnConflict> read_on_conflict(const Exchange& exchange, OnConflict fallback, std::vector<Problem>& problems) {
    const auto word = exchange.query.text("on_conflict");
    if (word.empty()) return fallback;
    if (word == "reject") return OnConflict::reject;
    if (word == "merge") return OnConflict::merge;
    if (word == "share") return OnConflict::share;
    if (word == "move") return OnConflict::move;
    problems.push_back({"/on_conflict", "must be one of: reject, merge, share, move"});
    return std::nullopt;
}

std::string etag_of(const ContactDetails& contact) { return "\"" + std::to_string(contact.version) + "\""; }

// The number in If-Match: "12" with its quotes. Nothing without the header or for *; 0, which no contact has, for anything else.
std::optional<std::uint64_t> read_if_match(const Exchange& exchange) {
    auto text = trim(exchange.header("If-Match"));
    if (text.empty() || text == "*") return std::nullopt;
    if (text.size() < 3 || text.front() != '"' || text.back() != '"') return 0;
    std::uint64_t number = 0;
    for (const char c : text.substr(1, text.size() - 2)) {
        if (c < '0' || c > '9' || number > (std::uint64_t{1} << 58U)) return 0;
        number = number * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return number;
}

// For a caller who is limited to units, contacts of others do not exist.
bool is_foreign(Engine& engine, const Access& access, const std::string& id) {
    if (!access.limited()) return false;
    const auto found = engine.find_contact(id);
    return found && !access.covers(found->unit);
}

// Sets the unit of a limited caller's contact; false when he names another.
bool apply_unit(const Access& access, ContactInput& input, bool replace) {
    if (!access.limited()) return true;
    if (!input.unit || input.unit->empty()) {
        if (replace || input.unit) input.unit = access.units.front();
        return true;
    }
    return access.covers(*input.unit);
}

Response contact_answer(const ContactDetails& contact, int status) {
    Response response;
    response.status = status;
    response.headers.emplace_back("ETag", etag_of(contact));
    append_contact(response.body, contact);
    return response;
}

void write_contact(const Call& call, bool replace) {
    std::vector<Problem> problems;
    const auto on_conflict = read_on_conflict(*call, OnConflict::reject, problems);
    if (!problems.empty()) {
        call->fail(fields_error(std::move(problems)));
        return;
    }
    auto id = call->path[0];
    if (id.size() > 200) {
        call->fail(invalid("/id", "must have 1 to 200 bytes"));
        return;
    }
    auto input = read_body(call, [&](JsonReader& body) { return read_contact(body, call->services().phones, &id); });
    if (!input) return;
    if (!apply_unit(call->access, *input, replace)) {
        call->fail({.kind = ErrorKind::forbidden,
                    .detail = "this API key is limited to other units",
                    .problems = {{"/unit", "is not a unit of this API key"}}});
        return;
    }
    in_engine(call, [id, input = std::move(*input), replace, on_conflict = *on_conflict, if_match = read_if_match(*call)](Engine& engine,
                                                                                                                          Exchange& exchange) {
        if (is_foreign(engine, exchange.access, id)) return exchange.problem_of(no_such_contact());
        if (!replace && !engine.find_contact(id)) return exchange.problem_of(no_such_contact());
        const auto contact = engine.put_contact(id, input, replace, on_conflict, if_match);
        if (contact) return contact_answer(*contact, contact->created ? 201 : 200);
        const auto& error = contact.error();
        // A conflict with no other contact is about the version that If-Match gave.
        const bool stale = if_match && error.kind == ErrorKind::conflict && (error.reference.empty() || error.reference == id);
        return exchange.problem_of(error, "contact_id", stale ? 412 : 0);
    });
}

void put_contact(const Call& call) { write_contact(call, true); }
void patch_contact(const Call& call) { write_contact(call, false); }

// Nothing when the caller may not see it.
std::optional<Response> hidden(const ContactDetails& contact, const Exchange& exchange) {
    if (!exchange.access.covers(contact.unit)) return exchange.problem_of(no_such_contact());
    if (contact.restricted && !exchange.caller->has("compliance"))
        return exchange.problem_of({.kind = ErrorKind::forbidden, .detail = "the contact is restricted: this needs the scope \"compliance\""});
    return std::nullopt;
}

void get_contact(const Call& call) {
    in_engine(call, [id = call->path[0]](Engine& engine, Exchange& exchange) {
        const auto contact = engine.find_contact(id);
        if (!contact) return exchange.problem_of(contact.error());
        if (auto refused = hidden(*contact, exchange)) return std::move(*refused);
        return contact_answer(*contact, 200);
    });
}

void delete_contact(const Call& call) {
    const auto mode = call->query.has("mode") ? call->query.text("mode") : "erase";
    if (mode != "erase" && mode != "restrict") {
        call->fail(invalid("/mode", "must be one of: erase, restrict"));
        return;
    }
    in_engine(call, [id = call->path[0], erase = mode == "erase"](Engine& engine, Exchange& exchange) {
        if (is_foreign(engine, exchange.access, id)) return exchange.problem_of(no_such_contact());
        const auto done = erase ? engine.erase_contact(id) : engine.restrict_contact(id);
        if (!done) return exchange.problem_of(done.error(), "contact_id");
        return Response{.status = 204};
    });
}

void list_contacts(const Call& call) {
    std::vector<Problem> problems;
    ContactQuery query{.limit = page_limit(*call, problems), .cursor = call->query.text("cursor"), .visibility = call->visibility()};
    if (!problems.empty()) {
        call->fail(fields_error(std::move(problems)));
        return;
    }
    in_queries(call, Source::projection, [query = std::move(query)](QueryPort& queries, Exchange& exchange) {
        const auto page = queries.contacts(query);
        return page ? json_answer(200, list_of(page->items, page->next_cursor)) : exchange.problem_of(page.error());
    });
}

void get_timeline(const Call& call) {
    std::vector<Problem> problems;
    TimelineQuery query{.contact_id = call->path[0],
                        .limit = page_limit(*call, problems),
                        .cursor = call->query.text("cursor"),
                        .visibility = call->visibility()};
    if (!problems.empty()) {
        call->fail(fields_error(std::move(problems)));
        return;
    }
    // The engine knows where the contact's newest record stands; the log is read from there.
    const bool taken = call->services().engine.post([call, query = std::move(query)](Engine& engine) mutable {
        const auto contact = engine.find_contact(query.contact_id);
        if (!contact) {
            call->fail(contact.error());
            return;
        }
        if (auto refused = hidden(*contact, *call)) {
            call->answer(std::move(*refused));
            return;
        }
        query.contact = contact->index;
        query.newest = contact->newest;
        engine.after_sync([call, query = std::move(query)]() mutable {
            call->worker().run([call, query = std::move(query)]() mutable {
                in_queries(call, Source::log, [query = std::move(query)](QueryPort& queries, Exchange& exchange) {
                    const auto page = queries.timeline(query);
                    return page ? json_answer(200, list_of(page->items, page->next_cursor)) : exchange.problem_of(page.error());
                });
            });
        });
    });
    if (!taken) call->fail(queue_full());
}

std::unique_ptr<BulkReader> contact_lines(Exchange& exchange) {
    std::vector<Problem> problems;
    const bool replace = exchange.query.boolean("replace", false, problems);
    const auto on_conflict = read_on_conflict(exchange, OnConflict::share, problems).value_or(OnConflict::share);
    return work_lines(
        [&phones = exchange.services().phones, access = exchange.access, replace, on_conflict](JsonReader& body) -> Result<LineWork> {
            std::string id;
            auto input = read_contact(body, phones, &id);
            if (!apply_unit(access, input, replace)) body.problem("unit", "is not a unit of this API key");
            return LineWork{[id, input = std::move(input), access, replace, on_conflict](Engine& engine) -> Result<LineOutcome> {
                if (is_foreign(engine, access, id)) return no_such_contact();
                const auto contact = engine.put_contact(id, input, replace, on_conflict, std::nullopt);
                if (!contact) return contact.error();
                LineOutcome outcome{.members = "\"id\":"};
                append_json_string(outcome.members, contact->id);
                outcome.members += contact->created ? ",\"created\":true" : ",\"created\":false";
                return outcome;
            }};
        },
        "contact_id");
}

// Two records of one person, and one of its own again.
void merge_contact(const Call& call) {
    struct Merge { std::string with, evidence; };
    auto input = read_body(call, [](JsonReader& body) { return Merge{.with = body.required_text("with", {1, 200}), .evidence = body.text("evidence", {}, {0, 1'000})}; });
    if (!input) return;
    in_engine(call, [id = call->path[0], input = std::move(*input)](Engine& engine, Exchange& exchange) {
        if (is_foreign(engine, exchange.access, id) || is_foreign(engine, exchange.access, input.with)) return exchange.problem_of(no_such_contact());
        const auto contact = engine.merge_contacts(id, input.with, input.evidence);
        return contact ? contact_answer(*contact, 200) : exchange.problem_of(contact.error());
    });
}

void unmerge_contact(const Call& call) {
    auto reason = read_body(call, [](JsonReader& body) { return body.text("reason", {}, {0, 1'000}); });
    if (!reason) return;
    in_engine(call, [id = call->path[0], reason = std::move(*reason)](Engine& engine, Exchange& exchange) {
        if (is_foreign(engine, exchange.access, id)) return exchange.problem_of(no_such_contact());
        const auto contact = engine.unmerge_contact(id, reason);
        return contact ? contact_answer(*contact, 200) : exchange.problem_of(contact.error());
    });
}

}  // namespace

void add_contact_endpoints(Router& router) {
    router.add({.method = Method::get, .pattern = "/v1/contacts", .scope = "contacts", .handler = list_contacts});
    router.add({.method = Method::post, .pattern = "/v1/contacts/bulk", .scope = "contacts", .body = BodyKind::ndjson, .bulk = contact_lines});
    router.add({.method = Method::put, .pattern = "/v1/contacts/{id}", .scope = "contacts", .handler = put_contact, .body = BodyKind::json});
    router.add(
        {.method = Method::patch, .pattern = "/v1/contacts/{id}", .scope = "contacts", .handler = patch_contact, .body = BodyKind::merge_patch});
    router.add({.method = Method::get, .pattern = "/v1/contacts/{id}", .scope = "contacts", .handler = get_contact});
    router.add({.method = Method::del, .pattern = "/v1/contacts/{id}", .scope = "contacts", .handler = delete_contact});
    router.add({.method = Method::post, .pattern = "/v1/contacts/{id}/merge", .scope = "contacts", .handler = merge_contact, .body = BodyKind::json});
    router.add({.method = Method::post, .pattern = "/v1/contacts/{id}/unmerge", .scope = "contacts", .handler = unmerge_contact, .body = BodyKind::json});
    router.add({.method = Method::get, .pattern = "/v1/contacts/{id}/timeline", .scope = "contacts", .handler = get_timeline});
}

}  // namespace touchgate::http
