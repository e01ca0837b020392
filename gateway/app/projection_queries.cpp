#include "gateway/app/projection_queries.hpp"

namespace touchgate {

namespace {

projection::Visibility seen_by(const http::Visibility& visibility) {
    return {.addresses = visibility.addresses, .content = visibility.content, .units = visibility.units};
}

std::vector<http::EventText> texts_of(std::vector<projection::EventText>&& items) {
    std::vector<http::EventText> texts;
    texts.reserve(items.size());
    for (auto& item : items) texts.push_back({item.sequence, std::move(item.type), std::move(item.json)});
    return texts;
}

Result<http::ItemPage> page_of(Result<projection::ItemPage> page) {
    if (!page) return page.error();
    return http::ItemPage{std::move(page->items), std::move(page->next_cursor)};
}

Error no_callback() { return {.kind = ErrorKind::not_found, .detail = "there is no callback of this name"}; }

}  // namespace

ProjectionQueries::ProjectionQueries(projection::Queries& queries, std::string time_zone, projection::BillingOf billing, CallbackLetters letters)
    : queries_{queries}, time_zone_{std::move(time_zone)}, billing_{std::move(billing)}, letters_{std::move(letters)} {}

std::uint64_t ProjectionQueries::shown_sequence() const { return queries_.projection().shown_sequence(); }

Result<http::EventPage> ProjectionQueries::events(const http::EventQuery& query) {
    auto page = queries_.events({.after = query.after, .types = query.types, .filter = {.campaign = query.campaign, .key_name = query.key_name}, .limit = query.limit,
                                 .visibility = seen_by(query.visibility)});
    if (!page) return page.error();
    return http::EventPage{texts_of(std::move(page->items)), page->scanned_to, page->last_sequence};
}

Result<std::vector<http::EventText>> ProjectionQueries::touch_events(const TouchId& touch, LogPosition newest_of_contact, LogPosition created,
                                                                     const http::Visibility& visibility) {
    auto events = queries_.touch_events(touch, newest_of_contact, created, seen_by(visibility));
    if (!events) return events.error();
    return texts_of(std::move(*events));
}

Result<std::string> ProjectionQueries::touch(const TouchId& touch, const http::Visibility& visibility) { return queries_.touch(touch, seen_by(visibility)); }

Result<http::ItemPage> ProjectionQueries::touches(const http::TouchQuery& query) {
    return page_of(queries_.touches({.contact = query.contact, .campaign = query.campaign, .state = query.state, .channel = query.channel, .key = query.key,
                                     .from = query.from, .to = query.to, .limit = query.limit, .cursor = query.cursor, .visibility = seen_by(query.visibility)}));
}

Result<http::ItemPage> ProjectionQueries::contacts(const http::ContactQuery& query) {
    return page_of(queries_.contacts(query.limit, query.cursor, seen_by(query.visibility)));
}

Result<http::ItemPage> ProjectionQueries::timeline(const http::TimelineQuery& query) {
    return page_of(queries_.timeline(query.newest, query.limit, query.cursor, seen_by(query.visibility)));
}

Result<http::ReportText> ProjectionQueries::report(const http::ReportQuery& query) {
    std::string lang;
    bool bom = true;
    for (const auto& [name, value] : query.parameters) {
        if (name == "lang") lang = value;
        if (name == "bom") bom = value != "0";
    }
    const auto report = projection::make_report(
        queries_.projection(), {.name = query.name, .parameters = query.parameters, .visibility = seen_by(query.visibility), .default_tz = time_zone_}, billing_);
    if (!report) return report.error();
    return http::ReportText{query.csv ? projection::report_csv(*report, lang, bom) : projection::report_json(*report), report->sequence};
}

Result<http::ItemPage> ProjectionQueries::dead_letters(const std::string& callback, std::size_t limit, const std::string& cursor) {
    if (!letters_.list) return no_callback();
    return letters_.list(callback, limit, cursor);
}

Result<std::size_t> ProjectionQueries::replay_callbacks(const std::string& callback) {
    if (!letters_.replay) return no_callback();
    return letters_.replay(callback);
}

}  // namespace touchgate
