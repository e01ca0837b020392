// Reports, and callbacks to callers that were given up.
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

namespace {

void get_report(const Call& call) {
    ReportQuery query{.name = call->path[0], .parameters = {}, .csv = false, .visibility = call->visibility()};
    const auto format = call->query.text("format");
    if (!format.empty() && format != "json" && format != "csv") {
        call->fail(invalid("/format", "must be one of: json, csv"));
        return;
    }
    query.csv = format == "csv" || (format.empty() && call->header("Accept").find("text/csv") != std::string_view::npos);
    for (const auto& parameter : call->query.all())
        if (parameter.first != "format" && parameter.first != "min_seq") query.parameters.push_back(parameter);
    in_queries(call, Source::projection, [query = std::move(query)](QueryPort& queries, Exchange& exchange) {
        auto report = queries.report(query);
        if (!report) return exchange.problem_of(report.error());
        auto response = json_answer(200, std::move(report->body));
        if (query.csv) response.content_type = "text/csv; charset=utf-8";
        response.sequence = report->sequence;
        return response;
    });
}

void get_dead_letters(const Call& call) {
    std::vector<Problem> problems;
    const auto limit = page_limit(*call, problems);
    if (!problems.empty()) {
        call->fail(fields_error(std::move(problems)));
        return;
    }
    in_queries(call, Source::projection, [name = call->path[0], limit, cursor = call->query.text("cursor")](QueryPort& queries, Exchange& exchange) {
        const auto page = queries.dead_letters(name, limit, cursor);
        return page ? json_answer(200, list_of(page->items, page->next_cursor)) : exchange.problem_of(page.error());
    });
}

void replay_callbacks(const Call& call) {
    in_queries(call, Source::projection, [name = call->path[0]](QueryPort& queries, Exchange& exchange) {
        const auto count = queries.replay_callbacks(name);
        if (!count) return exchange.problem_of(count.error());
        Response response;
        JsonObject{response.body}.text("name", name).number("replayed", *count).close();
        return response;
    });
}

}  // namespace

void add_report_endpoints(Router& router) {
    router.add({.method = Method::get, .pattern = "/v1/reports/{name}", .scope = "reports", .handler = get_report});
    router.add({.method = Method::get, .pattern = "/v1/callbacks/{name}/dead-letters", .scope = "admin", .handler = get_dead_letters});
    router.add({.method = Method::post, .pattern = "/v1/callbacks/{name}/replay", .scope = "admin", .handler = replay_callbacks});
}

}  // namespace touchgate::http
