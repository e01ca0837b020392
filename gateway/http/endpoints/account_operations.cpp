// /v1/accounts/{account}/…: what an account can be asked to do beside sending, how far its employees are, and the media that content may name.
#include <algorithm>
#include <array>

#include "gateway/base/text.hpp"
#include "gateway/channel/operation.hpp"
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

namespace {

using channel::Operation;
using channel::OperationField;
using Kind = OperationField::Kind;

constexpr std::size_t media_bytes_max = std::size_t{24} << 20U;
constexpr std::array<std::string_view, 7> kind_words = {"text", "integer", "boolean", "texts", "integers", "object", "objects"};

std::string_view word_of(Kind kind) { return kind_words[static_cast<std::size_t>(kind) % kind_words.size()]; }

Error no_such_account(const std::string& name) { return {.kind = ErrorKind::not_found, .detail = "there is no account \"" + name + "\" that can be asked for anything"}; }

void append_operation(std::string& out, const Operation& operation) {
    JsonObject json{out};
    json.text("name", operation.name).text("about", operation.about).boolean("changes", operation.changes).name("fields");
    append_array(out, operation.fields, [](std::string& to, const OperationField& field) {
        JsonObject shown{to};
        shown.text("name", field.name).text("kind", word_of(field.kind)).boolean("required", field.required);
        if (field.max > 0) shown.number("max", field.max);
        if (!field.about.empty()) shown.text("about", field.about);
        shown.close();
    });
    json.close();
}

void list_operations(const Call& call) {
    const auto account = call->services().hooks.find(call->path[0]);
    if (!account) return call->fail(no_such_account(call->path[0]));
    std::string items;
    append_array(items, account->adapter->operations(), append_operation);
    call->answer(json_answer(200, list_of(items, {})));
}

// ---- Checking what was given against what is declared.

std::size_t characters(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void check_list(const OperationField& field, const Json& value, const std::string& pointer, std::vector<Problem>& problems) {
    if (!value.is_array()) return problems.push_back({pointer, "must be an array"});
    if (value.empty() && field.required) problems.push_back({pointer, "must not be empty"});
    if (field.max > 0 && value.size() > field.max) problems.push_back({pointer, "must have at most " + std::to_string(field.max) + " entries"});
    for (std::size_t i = 0; i < value.size(); ++i) {
        const bool fits = field.kind == Kind::texts ? value[i].is_string() : field.kind == Kind::integers ? value[i].is_number_integer() : value[i].is_object();
        if (!fits) problems.push_back({pointer_to(pointer, i), field.kind == Kind::texts ? "must be a text" : field.kind == Kind::integers ? "must be a whole number" : "must be an object"});
    }
}

void check_field(const OperationField& field, const Json& value, std::vector<Problem>& problems) {
    const auto pointer = pointer_to("", field.name);
    switch (field.kind) {
        case Kind::text:
            if (!value.is_string()) problems.push_back({pointer, "must be a text"});
            else if (field.required && value.get_ref<const std::string&>().empty()) problems.push_back({pointer, "must not be empty"});
            else if (field.max > 0 && characters(value.get_ref<const std::string&>()) > field.max)
                problems.push_back({pointer, "must have at most " + std::to_string(field.max) + " characters"});
            break;
        case Kind::integer:
            if (!value.is_number_integer() || value < 0) problems.push_back({pointer, "must be a whole number from 0"});
            else if (field.max > 0 && value > field.max) problems.push_back({pointer, "must be at most " + std::to_string(field.max)});
            break;
        case Kind::boolean:
            if (!value.is_boolean()) problems.push_back({pointer, "must be true or false"});
            break;
        case Kind::object:
            if (!value.is_object()) problems.push_back({pointer, "must be an object"});
            break;
        case Kind::texts:
        case Kind::integers:
        case Kind::objects: check_list(field, value, pointer, problems); break;
    }
}

std::vector<Problem> problems_of(const Operation& operation, const Json& body) {
    std::vector<Problem> problems;
    for (const auto& field : operation.fields) {
        const auto found = body.find(field.name);
        if (found != body.end()) check_field(field, *found, problems);
        else if (field.required) problems.push_back({pointer_to("", field.name), "is required"});
    }
    for (const auto& [name, value] : body.items())
        if (std::none_of(operation.fields.begin(), operation.fields.end(), [&](const OperationField& field) { return field.name == name; }))
            problems.push_back({pointer_to("", name), "is not known here; GET …/operations lists the fields"});
    return problems;
}

void run_operation(const Call& call) {
    const auto& name = call->path[1];
    const auto account = call->services().hooks.find(call->path[0]);
    if (!account) return call->fail(no_such_account(call->path[0]));
    const auto all = account->adapter->operations();
    const auto operation = std::find_if(all.begin(), all.end(), [&](const Operation& each) { return each.name == name; });
    if (operation == all.end()) return call->fail({.kind = ErrorKind::not_found, .detail = "the account has no operation \"" + name + "\"; GET …/operations lists them"});
    auto body = call->body().empty() ? Json::object() : Json::parse(call->body(), nullptr, false);
    if (!body.is_object()) return call->fail({.kind = ErrorKind::malformed, .detail = "the body is not a JSON object"});

    OperationRequest request{.account = call->path[0], .name = name, .body_json = {}, .by = call->caller != nullptr ? call->caller->name() : std::string{}, .changes = operation->changes};
    std::vector<Problem> problems;
    if (const auto key = body.find("key"); key != body.end()) {
        if (key->is_string() && !key->get_ref<const std::string&>().empty() && key->get_ref<const std::string&>().size() <= 200) request.key = key->get<std::string>();
        else problems.push_back({"/key", "must be a text of 1 to 200 bytes"});
        body.erase(key);
    }
    for (auto& problem : problems_of(*operation, body)) problems.push_back(std::move(problem));
    if (!problems.empty()) return call->fail(fields_error(std::move(problems)));
    request.body_json = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    const crypto::KeyedHash hash{call->services().options.body_hash_key};
    request.body_hash = hash(name + "\n" + request.body_json);

    in_engine(call, [call, request = std::move(request)](Engine& engine, Exchange&) mutable {
        const auto what = request.name;
        engine.run_operation(std::move(request), [call, what](Result<OperationResult> done) {
            if (!done) return call->fail(done.error());
            Response response;
            JsonObject{response.body}
                .text("operation", what)
                .boolean("duplicate", done->duplicate)
                .instant("at", done->at)
                .raw("result", done->result_json.empty() ? "{}" : done->result_json)
                .close();
            call->answer(std::move(response));
        });
        return answered_later();
    });
}

// ---- Employees.

void append_employee(std::string& out, const EmployeeDetails& employee) {
    JsonObject json{out};
    json.text("id", employee.id).text("state", employee.resigned ? "resigned" : employee.absent ? "absent" : "present").text_or_null("delegate", employee.delegate);
    json.number("tasks_waiting", employee.tasks_waiting).number("touches_waiting", employee.touches_waiting).instant("oldest_at", employee.oldest_at);
    json.number("sent", employee.sent).number("failed", employee.failed).number("expired", employee.expired).number("cancelled", employee.cancelled);
    json.instant("last_sent_at", employee.last_sent_at).close();
}

void list_employees(const Call& call) {
    in_engine(call, [name = call->path[0]](Engine& engine, Exchange& exchange) {
        const auto found = engine.employees(name);
        if (!found) return exchange.problem_of(found.error());
        std::string items;
        append_array(items, *found, append_employee);
        return json_answer(200, list_of(items, {}));
    });
}

// ---- Media.

void upload_media(const Call& call) {
    if (!call->services().hooks.find(call->path[0])) return call->fail(no_such_account(call->path[0]));
    const auto name = call->query.text("name");
    if (name.empty()) return call->fail(fields_error({{"/name", "is required, in the query: a file name such as offer.png"}}));
    auto type = std::string{call->header("Content-Type")};
    if (type == "application/octet-stream") type.clear();
    in_queries(call, Source::log, [call, name, type = std::move(type)](QueryPort&, Exchange& exchange) {
        const auto kept = exchange.services().hooks.keep_media(name, type, exchange.body());
        if (!kept) return exchange.problem_of(kept.error());
        Response response;
        response.status = 201;
        JsonObject{response.body}.text("media", "sha256:" + kept->digest).text("name", kept->name).text("type", kept->type).number("bytes", kept->bytes).close();
        return response;
    });
}

}  // namespace

void add_account_endpoints(Router& router) {
    router.add({.method = Method::get, .pattern = "/v1/accounts/{account}/operations", .scope = "admin", .handler = list_operations});
    router.add({.method = Method::post, .pattern = "/v1/accounts/{account}/operations/{name}", .scope = "admin", .handler = run_operation, .body = BodyKind::json});
    router.add({.method = Method::get, .pattern = "/v1/accounts/{account}/employees", .scope = "admin", .handler = list_employees});
    router.add({.method = Method::post, .pattern = "/v1/accounts/{account}/media", .scope = "admin", .handler = upload_media, .body = BodyKind::any, .body_max = media_bytes_max});
}

}  // namespace touchgate::http
