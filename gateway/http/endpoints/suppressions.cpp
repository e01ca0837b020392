// Suppression lists.
#include "gateway/http/bulk.hpp"
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

namespace {

void append_entry(std::string& out, const SuppressionInput& input) {
    SuppressionDetails entry;
    entry.list = input.list;
    entry.address = input.address;
    entry.hash_algorithm = input.hash_algorithm;
    entry.phone_hash_hex = to_hex(input.phone_hash);
    entry.reason = input.reason;
    entry.source = input.source;
    entry.evidence = input.evidence;
    entry.by = input.by;
    entry.at = input.at;
    entry.expires_at = input.expires_at;
    entry.channels = input.channels;
    entry.purposes = input.purposes;
    append_suppression(out, entry);
}

void post_suppression(const Call& call) {
    auto input = read_body(call, [&](JsonReader& body) { return read_suppression(body, call->services().phones, {}); });
    if (!input) return;
    if (input->by.empty()) input->by = call->caller->name();
    const bool taken = call->services().engine.post([call, input = std::move(*input)](Engine& engine) mutable {
        if (!input.at) input.at = engine.now();
        const auto added = engine.add_suppression(input);
        Response response;
        if (added) {
            response.status = *added ? 201 : 200;
            append_entry(response.body, input);
        } else {
            response = call->problem_of(added.error());
        }
        response.sequence = engine.sequence();
        Effect answer = [call, response = std::move(response)]() mutable { call->answer(std::move(response)); };
        // As with a withdrawal: what was about to leave for this address has left or never will.
        if (added && input.address) engine.when_settled(ContactRef{.id = {}, .address = input.address}, std::move(answer));
        else engine.after_sync(std::move(answer));
    });
    if (!taken) call->fail(queue_full());
}

std::unique_ptr<BulkReader> suppression_lines(Exchange& exchange) {
    return work_lines(
        [&phones = exchange.services().phones, by = exchange.caller->name()](JsonReader& body) -> Result<LineWork> {
            auto input = read_suppression(body, phones, {});
            if (input.by.empty()) input.by = by;
            return LineWork{[input = std::move(input)](Engine& engine) -> Result<LineOutcome> {
                const auto added = engine.add_suppression(input);
                if (!added) return added.error();
                LineOutcome outcome{.members = "\"id\":"};
                append_json_string(outcome.members,
                                   input.address ? input.list + "/" + input.address->value : input.list + "/" + to_hex(input.phone_hash));
                if (!*added) outcome.members += ",\"duplicate\":true";
                if (input.address) outcome.settle = ContactRef{.id = {}, .address = input.address};
                return outcome;
            }};
        },
        {});
}

void list_suppressions(const Call& call) {
    std::vector<Problem> problems;
    const auto limit = page_limit(*call, problems);
    const auto list = call->query.text("list");
    if (list.empty()) problems.push_back({"/list", "is required"});
    if (!problems.empty()) {
        call->fail(fields_error(std::move(problems)));
        return;
    }
    in_engine(call, [list, limit, cursor = call->query.text("cursor")](Engine& engine, Exchange&) {
        // One entry more than asked for tells whether there is a next page.
        auto entries = engine.suppressions(list, limit + 1, cursor);
        const bool more = entries.size() > limit;
        if (more) entries.resize(limit);
        std::string items;
        append_array(items, entries, append_suppression);
        return json_answer(200, list_of(items, more ? entries.back().cursor : std::string{}));
    });
}

// NDJSON: the whole list, replaced at once or not at all.
void put_suppressions(const Call& call) {
    std::vector<Problem> problems;
    const bool force = call->query.boolean("force", false, problems);
    std::vector<SuppressionInput> entries;
    LineSplitter lines{0};
    lines.feed(call->body());
    lines.finish();
    LineSplitter::Line line;
    constexpr std::size_t problems_max = 1000;
    while (problems.size() < problems_max && lines.next(line)) {
        const auto at = "/" + std::to_string(line.number);
        const auto document = line.too_long ? Result<Json>{Error{.detail = "the line is longer than 1 MiB"}} : read_json(line.text);
        if (!document) {
            problems.push_back({at, document.error().detail});
            continue;
        }
        JsonReader body{*document, at, problems};
        if (!document->is_object()) continue;
        entries.push_back(read_suppression(body, call->services().phones, call->path[0]));
        if (entries.back().by.empty()) entries.back().by = call->caller->name();
    }
    if (!problems.empty()) {
        auto error = fields_error(std::move(problems));
        error.detail += "; the first step of a pointer is the line's number; the list was not changed";
        call->fail(error);
        return;
    }
    in_engine(call, [list = call->path[0], entries = std::move(entries), force](Engine& engine, Exchange& exchange) {
        const auto replaced = engine.replace_suppressions(list, entries, force);
        if (!replaced) return exchange.problem_of(replaced.error());
        Response response;
        JsonObject{response.body}.text("list", list).number("entries", *replaced).close();
        return response;
    });
}

void remove(const Call& call, const std::string& list, const Address& address, int status) {
    in_engine(call, [list, address, status](Engine& engine, Exchange& exchange) {
        const auto removed = engine.remove_suppression(list, address);
        if (!removed) return exchange.problem_of(removed.error());
        if (!*removed) return exchange.problem_of({.kind = ErrorKind::not_found, .detail = "the address is not on this list"});
        if (status == 204) return Response{.status = 204};
        Response response;
        JsonObject{response.body}.text("list", list).boolean("removed", true).close();
        return response;
    });
}

void delete_suppression(const Call& call) {
    Address address{.kind = AddressKind::phone, .value = {}};
    const auto& written = call->path[1];
    // An address that is no phone number is taken as a platform's id: the account after an "@" makes it an openid.
    if (!call->services().phones.normalise(written, address.value)) {
        const auto at = written.rfind('@');
        if (at != std::string::npos && at > 0)
            address = {.kind = AddressKind::openid, .value = written.substr(0, at), .account = written.substr(at + 1)};
        else address = {.kind = AddressKind::external_userid, .value = written};
    }
    remove(call, call->path[0], address, 204);
}

void post_removal(const Call& call) {
    struct Removal {
        std::string list;
        std::optional<Address> address;
    };
    const auto removal = read_body(call, [&](JsonReader& body) {
        Removal read{.list = body.required_text("list", {1, 200}), .address = read_contact_ref(body, call->services().phones, false).address};
        body.finish();
        return read;
    });
    if (removal && removal->address) remove(call, removal->list, *removal->address, 200);
}

}  // namespace

void add_suppression_endpoints(Router& router) {
    constexpr std::size_t list_bytes_max = std::size_t{512} << 20U;
    router.add({.method = Method::post, .pattern = "/v1/suppressions", .scope = "contacts", .handler = post_suppression, .body = BodyKind::json});
    router.add({.method = Method::get, .pattern = "/v1/suppressions", .scope = "contacts", .handler = list_suppressions});
    router.add(
        {.method = Method::post, .pattern = "/v1/suppressions/bulk", .scope = "contacts", .body = BodyKind::ndjson, .bulk = suppression_lines});
    router.add({.method = Method::post, .pattern = "/v1/suppressions/remove", .scope = "contacts", .handler = post_removal, .body = BodyKind::json});
    router.add({.method = Method::put,
                .pattern = "/v1/suppressions/{list}",
                .scope = "contacts",
                .handler = put_suppressions,
                .body = BodyKind::ndjson,
                .body_max = list_bytes_max});
    router.add({.method = Method::del, .pattern = "/v1/suppressions/{list}/{address}", .scope = "contacts", .handler = delete_suppression});
}

}  // namespace touchgate::http
