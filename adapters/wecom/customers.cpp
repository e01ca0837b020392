#include "adapters/wecom/customers.hpp"

#include <algorithm>

#include "adapters/wecom_common/errors.hpp"
#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::wecom {

namespace {

using namespace channel;
using namespace wecom_common;

struct Place {
    std::vector<std::string> employees;  // being read; empty: the list of employees is asked for
    std::string after;                   // the last employee of those before
    std::string cursor;
    std::size_t done = 0, total = 0;     // employees
};

std::size_t count_member(const Json& value, std::string_view key) {
    const auto& count = member(value, key);
    return count.is_number_unsigned() ? count.get<std::size_t>() : 0;
}

Place place_of(const std::string& cursor) {
    const auto parsed = parse_foreign_json(cursor);
    return {.employees = names_in(member(parsed, "employees")), .after = text_member(parsed, "after"), .cursor = text_member(parsed, "cursor"),
            .done = count_member(parsed, "done"),
            .total = count_member(parsed, "total")};
}

std::string cursor_of(const Place& place) {
    return to_text({{"employees", place.employees}, {"after", place.after}, {"cursor", place.cursor}, {"done", place.done}, {"total", place.total}});
}

PulledPage page_at(const Place& place, WebhookEvents events = {}) {
    PulledPage page{.events = std::move(events), .cursor = cursor_of(place), .more = true};
    if (place.total > 0) page.share = std::min(1.0, static_cast<double>(place.done) / static_cast<double>(place.total));
    return page;
}

void copy_members(Json& into, const Json& from, std::initializer_list<const char*> names) {
    for (const auto* name : names)
        if (const auto& value = member(from, name); !value.is_null() && value != "") into[name] = value;
}

// Tags are objects in one call and ids in the other.
Json tags_of(const Json& follow) {
    auto tags = Json::array();
    if (const auto& objects = member(follow, "tags"); objects.is_array())
        for (const auto& tag : objects)
            if (auto id = text_member(tag, "tag_id"); !id.empty()) tags.push_back(std::move(id));
    for (auto& id : names_in(member(follow, "tag_id"))) tags.push_back(std::move(id));
    return tags;
}

std::optional<ProviderEvent> customer_event(const Json& contact, const Json& follow) {
    ProviderEvent event{.kind = "customer", .from = text_member(contact, "external_userid")};
    event.employee = text_member(follow, "userid");
    if (event.from.empty() || event.employee.empty()) return std::nullopt;
    event.at = seconds_member(follow, "createtime");
    event.reach = ProviderEvent::Reach::reachable;
    event.source = text_member(follow, "state");
    event.unionid = text_member(contact, "unionid");
    // Without the avatar and the profile, whose addresses change by themselves.
    auto body = Json::object();
    copy_members(body, contact, {"external_userid", "name", "type", "gender", "unionid", "position", "corp_name", "corp_full_name"});
    copy_members(body, follow, {"userid", "remark", "description", "createtime", "remark_corp_name", "remark_mobiles", "add_way", "oper_userid", "state"});
    if (auto tags = tags_of(follow); !tags.empty()) body["tags"] = std::move(tags);
    event.body_json = to_text(body);
    event.id = to_hex(crypto::view(crypto::sha256("customer\n", event.body_json)));
    return event;
}

PulledPage read_employees(Place place, const Json& body) {
    auto names = names_in(member(body, "follow_user"));
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    const auto first = std::upper_bound(names.begin(), names.end(), place.after);
    const auto count = std::min<std::ptrdiff_t>(names.end() - first, static_cast<std::ptrdiff_t>(employees_per_call));
    if (count == 0) return {};  // the end: the next pull begins anew
    place.employees.assign(first, first + count);
    place.done = static_cast<std::size_t>(first - names.begin());
    place.total = names.size();
    place.cursor.clear();
    return page_at(place);
}

// Those of the list are done; the list of employees is asked for again, for what comes after them.
PulledPage next_employees(const Place& place, WebhookEvents events = {}) {
    return page_at({.employees = {}, .after = place.employees.back(), .cursor = {}, .done = place.done + place.employees.size(), .total = place.total}, std::move(events));
}

PulledPage read_page(Place place, const Json& body) {
    WebhookEvents events;
    if (const auto& list = member(body, "external_contact_list"); list.is_array())
        for (const auto& entry : list)
            if (auto event = customer_event(member(entry, "external_contact"), member(entry, "follow_info"))) events.events.push_back(std::move(*event));
    auto cursor = text_member(body, "next_cursor");
    if (cursor.empty() || cursor == place.cursor) return next_employees(place, std::move(events));
    place.cursor = std::move(cursor);
    return page_at(place, std::move(events));
}

}  // namespace

HttpRequest customers_request(const Corp& corp, const std::string& cursor, const Resources& resources) {
    const auto place = place_of(cursor);
    if (place.employees.empty()) return get(corp, "/cgi-bin/externalcontact/get_follow_user_list", {}, resources);
    return post(corp, "/cgi-bin/externalcontact/batch/get_by_user",
                {{"userid_list", place.employees}, {"cursor", place.cursor}, {"limit", customers_per_page}}, resources);
}

PulledPage read_customers(const std::string& cursor, const HttpResponse& response) {
    const auto place = place_of(cursor);
    const auto answer = read_answer(response);
    if (says_done(answer)) return place.employees.empty() ? read_employees(place, answer.body) : read_page(place, answer.body);
    // An employee without customers, or one who left since the list was made, spoils the answer for all: then they are asked for one by one.
    if (answer.readable && !place.employees.empty() && (answer.errcode == 84061 || answer.errcode == 40003 || answer.errcode == 60111)) {
        if (place.employees.size() == 1) return next_employees(place);
        Place fewer = place;
        fewer.employees.resize(1);
        fewer.cursor.clear();
        return page_at(fewer);
    }
    if (answer.readable && answer.errcode == 50100 && !place.cursor.empty()) {
        Place again = place;
        again.cursor.clear();
        return page_at(again);
    }
    const auto outcome = outcome_of(answer, Addressee::nobody);
    return {.failed = true, .retry_after = outcome.retry_after, .code = outcome.code, .detail = outcome.detail};
}

HttpRequest customer_request(const Corp& corp, const std::string& customer, const Resources& resources) {
    return get(corp, "/cgi-bin/externalcontact/get", {{"external_userid", customer}}, resources);
}

PulledPage read_customer(const HttpResponse& response) {
    const auto answer = read_answer(response);
    if (says_done(answer)) {
        PulledPage page;
        if (const auto& list = member(answer.body, "follow_user"); list.is_array())
            for (const auto& follow : list)
                if (auto event = customer_event(member(answer.body, "external_contact"), follow)) page.events.events.push_back(std::move(*event));
        return page;
    }
    if (answer.readable && (answer.errcode == 84061 || answer.errcode == 40096)) return {};  // he has none of our employees any more
    const auto outcome = outcome_of(answer, Addressee::customer);
    return {.failed = true, .retry_after = outcome.retry_after, .code = outcome.code, .detail = outcome.detail};
}

HttpRequest unassigned_request(const Corp& corp, const std::string& cursor, const Resources& resources) {
    Json body = {{"page_size", 1'000}};
    if (!cursor.empty()) body["cursor"] = cursor;
    return post(corp, "/cgi-bin/externalcontact/get_unassigned_list", body, resources);
}

PulledPage read_unassigned(const std::string& cursor, const HttpResponse& response) {
    const auto answer = read_answer(response);
    if (!says_done(answer)) {
        if (answer.readable && answer.errcode == 50100 && !cursor.empty()) return {};  // from the start, with the next pull
        const auto outcome = outcome_of(answer, Addressee::nobody);
        return {.failed = true, .retry_after = outcome.retry_after, .code = outcome.code, .detail = outcome.detail};
    }
    PulledPage page;
    if (const auto& list = member(answer.body, "info"); list.is_array())
        for (const auto& entry : list) {
            ProviderEvent event{.kind = "unassigned", .from = text_member(entry, "external_userid")};
            event.employee = text_member(entry, "handover_userid");
            if (event.from.empty() || event.employee.empty()) continue;
            event.at = seconds_member(entry, "dimission_time");
            event.body_json = to_text({{"external_userid", event.from}, {"handover_userid", event.employee}, {"dimission_time", member(entry, "dimission_time")}});
            event.id = to_hex(crypto::view(crypto::sha256("unassigned\n", event.body_json)));
            page.events.events.push_back(std::move(event));
        }
    auto next = text_member(answer.body, "next_cursor");
    if (next.empty() || next == cursor || text_member(answer.body, "is_last") == "true") return page;
    page.cursor = std::move(next);
    page.more = true;
    return page;
}

}  // namespace touchgate::adapters::wecom
