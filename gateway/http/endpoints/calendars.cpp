// Calendars: put, read, list.
#include <algorithm>

#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/touch_json.hpp"
#include "gateway/policy/calendar.hpp"

namespace touchgate::http {

namespace {

bool is_id(std::string_view id) {
    return !id.empty() && id.size() <= 64 &&
           std::all_of(id.begin(), id.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; });
}

void append_calendar(std::string& out, const CalendarView& view, bool with_document) {
    const auto days_of = [&](policy::DayKind kind) { return std::count(view.calendar->days.begin(), view.calendar->days.end(), kind); };
    JsonObject json{out};
    json.text("id", view.id);
    json.raw("covers", "[\"" + policy::format_date(view.calendar->first) + "\",\"" + policy::format_date(view.calendar->last) + "\"]");
    json.number("holidays", static_cast<std::uint64_t>(days_of(policy::DayKind::holiday)));
    json.number("workdays", static_cast<std::uint64_t>(days_of(policy::DayKind::workday)));
    json.instant("updated_at", view.updated_at);
    if (with_document) {
        const auto document = parse_json_with_comments(view.document);
        json.raw("document", document ? document->dump(-1, ' ', false, Json::error_handler_t::replace) : "null");
    }
    json.close();
}

void put_calendar(const Call& call) {
    if (!is_id(call->path[0])) {
        call->fail(Error{.kind = ErrorKind::not_found, .detail = "a calendar's id is 1 to 64 characters of a-z, 0-9, - and _"});
        return;
    }
    in_engine(call, [id = call->path[0]](Engine& engine, Exchange& exchange) {
        const auto put = engine.put_calendar(id, exchange.body());
        if (!put) return exchange.problem_of(put.error());
        Response response;
        append_calendar(response.body, *put, false);
        return response;
    });
}

void list_calendars(const Call& call) {
    in_engine(call, [](Engine& engine, Exchange&) {
        std::string items;
        append_array(items, engine.calendars(), [](std::string& out, const auto& view) { append_calendar(out, view, false); });
        return json_answer(200, list_of(items, {}));
    });
}

void get_calendar(const Call& call) {
    in_engine(call, [id = call->path[0]](Engine& engine, Exchange& exchange) {
        for (const auto& view : engine.calendars())
            if (view.id == id) {
                Response response;
                append_calendar(response.body, view, true);
                return response;
            }
        return exchange.problem_of({.kind = ErrorKind::not_found, .detail = "there is no calendar of this id"});
    });
}

}  // namespace

void add_calendar_endpoints(Router& router) {
    router.add({.method = Method::get, .pattern = "/v1/calendars", .scope = "admin", .handler = list_calendars});
    router.add({.method = Method::get, .pattern = "/v1/calendars/{id}", .scope = "admin", .handler = get_calendar});
    router.add({.method = Method::put, .pattern = "/v1/calendars/{id}", .scope = "admin", .handler = put_calendar, .body = BodyKind::json});
}

}  // namespace touchgate::http
