#include "gateway/app/query_port.hpp"

namespace touchgate::app {

namespace {

projection::Visibility seen_by(const http::Visibility& visibility) { return {.addresses = visibility.addresses, .content = visibility.content, .units = visibility.units}; }

http::ItemPage page(projection::ItemPage found) { return {.items = std::move(found.items), .next_cursor = std::move(found.next_cursor)}; }

template <class From, class To> Result<To> converted(Result<From> found, To (*convert)(From)) {
    if (!found) return found.error();
    return convert(std::move(*found));
}

std::string parameter(const http::ReportQuery& query, std::string_view name) {
    for (const auto& [key, value] : query.parameters)
        if (key == name) return value;
    return {};
}

}  // namespace

Result<http::EventPage> ProjectionQueries::events(const http::EventQuery& query) {
    auto found = queries_.events({.after = query.after, .types = query.types, .filter = {.campaign = query.campaign, .key_name = query.key_name},
                                  .limit = query.limit, .visibility = seen_by(query.visibility)});
    if (!found) return found.error();
    http::EventPage made{.items = {}, .scanned_to = found->scanned_to, .last_sequence = found->last_sequence};
    for (auto& item : found->items) made.items.push_back({.sequence = item.sequence, .type = std::move(item.type), .json = std::move(item.json)});
    return made;
}

Result<std::vector<http::EventText>> ProjectionQueries::touch_events(const TouchId& touch, LogPosition newest_of_contact, LogPosition created,
                                                                     const http::Visibility& visibility) {
    auto found = queries_.touch_events(touch, newest_of_contact, created, seen_by(visibility));
    if (!found) return found.error();
    std::vector<http::EventText> made;
    for (auto& item : *found) made.push_back({.sequence = item.sequence, .type = std::move(item.type), .json = std::move(item.json)});
    return made;
}

Result<std::string> ProjectionQueries::touch(const TouchId& touch, const http::Visibility& visibility) { return queries_.touch(touch, seen_by(visibility)); }

Result<std::string> ProjectionQueries::touch_at(const TouchId& touch, LogPosition newest_of_contact, LogPosition created, const http::Visibility& visibility) {
    return queries_.touch_at(touch, newest_of_contact, created, seen_by(visibility));
}

Result<http::ItemPage> ProjectionQueries::touches(const http::TouchQuery& query) {
    return converted(queries_.touches({.contact = query.contact, .campaign = query.campaign, .state = query.state, .channel = query.channel, .key = query.key, .key_name = {},
                                       .from = query.from, .to = query.to, .limit = query.limit, .cursor = query.cursor, .visibility = seen_by(query.visibility)}), page);
}

Result<http::ItemPage> ProjectionQueries::contacts(const http::ContactQuery& query) {
    return converted(queries_.contacts(query.limit, query.cursor, seen_by(query.visibility)), page);
}

Result<http::ItemPage> ProjectionQueries::interactions(const http::InteractionListQuery& query) {
    return converted(queries_.interactions({.state = query.state, .queue = query.queue, .contact = query.contact, .channel = query.channel, .account = query.account,
                                            .from = query.from, .to = query.to, .limit = query.limit, .cursor = query.cursor, .visibility = seen_by(query.visibility)}), page);
}

Result<std::string> ProjectionQueries::interaction(const Uuid& id, const http::Visibility& visibility) { return queries_.interaction(id, seen_by(visibility)); }

Result<http::ItemPage> ProjectionQueries::timeline(const http::TimelineQuery& query) {
    return converted(queries_.timeline(query.newest, query.limit, query.cursor, seen_by(query.visibility)), page);
}

Result<http::ReportText> ProjectionQueries::report(const http::ReportQuery& query) {
    projection::ReportQuery asked{.name = query.name, .parameters = {}, .visibility = seen_by(query.visibility), .default_tz = time_zone_};
    for (const auto& each : query.parameters)
        if (each.first != "bom" && each.first != "format") asked.parameters.push_back(each);
    const auto made = projection::make_report(queries_.projection(), asked, billing_);
    if (!made) return made.error();
    auto lang = parameter(query, "lang");
    return http::ReportText{.body = query.csv ? projection::report_csv(*made, lang, parameter(query, "bom") != "0") : projection::report_json(*made),
                            .sequence = made->sequence};
}

Result<http::ItemPage> ProjectionQueries::dead_letters(const std::string& callback, std::size_t limit, const std::string& cursor) {
    if (callbacks_ == nullptr || !callbacks_->knows(callback)) return Error{.kind = ErrorKind::not_found, .detail = "there is no callback \"" + callback + "\""};
    http::ItemPage made;
    made.items = callbacks_->dead_letters(callback, limit, cursor, made.next_cursor);
    return made;
}

Result<std::size_t> ProjectionQueries::replay_callbacks(const std::string& callback) {
    if (callbacks_ == nullptr || !callbacks_->knows(callback)) return Error{.kind = ErrorKind::not_found, .detail = "there is no callback \"" + callback + "\""};
    return callbacks_->replay(callback);
}

}  // namespace touchgate::app
