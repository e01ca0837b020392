// Conversations that the engine's memory keeps no more, from the table and from the log.
#include <algorithm>
#include <cstring>

#include "gateway/projection/contact_context.hpp"
#include "gateway/projection/json_text.hpp"
#include "gateway/projection/queries.hpp"

namespace touchgate::projection {

namespace {

constexpr const char* columns =
    "i.id, i.contact, i.channel, i.account, i.queue, i.campaign, i.touch, i.state, i.reason, i.outcome, i.disposition, i.agent, i.priority, i.began_at, i.ended_at, c.id, c.unit "
    "FROM interactions i LEFT JOIN contacts c ON c.number = i.contact";

Uuid uuid_in(std::string_view bytes) {
    Uuid id{};
    if (bytes.size() == id.bytes.size()) std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
    return id;
}

// As the engine's own are shown.
void append_members(JsonText& json, Statement& row) {
    json.uuid("id", uuid_in(row.blob(0)));
    json.text("channel", row.text(2));
    json.text("account", row.text(3));
    json.text("direction", "inbound");
    json.text_or_null("contact_id", row.text(15));
    json.text("state", row.text(7));
    json.text_or_null("reason", row.text(8));
    json.text_or_null("queue", row.text(4));
    json.text_or_null("agent", row.text(11));
    json.number("priority", row.integer(12));
    if (row.is_null(6)) json.null("touch");
    else json.uuid("touch", uuid_in(row.blob(6)));
    json.text_or_null("campaign", row.text(5));
    json.instant("queued_at", from_unix_ms(row.integer(13)));
    json.null("assigned_at");
    json.instant_or_null("ended_at", row.is_null(14) ? 0 : row.integer(14));
    json.instant_or_null("closed_at", row.is_null(14) ? 0 : row.integer(14));
    json.text_or_null("outcome", row.text(9));
    json.text_or_null("disposition", row.text(10));
}

struct Said {
    std::string kind = "text", text, body_json, provider_id;
    TouchId touch{};
};

std::optional<Said> read_message(const Record& record, const NameSource& names, bool inbound) {
    Said said;
    if (inbound) {
        MessageReceived event;
        if (!decode(record.payload, event)) return std::nullopt;
        said.kind = event.kind;
        said.provider_id = event.provider_id;
        said.touch = event.reply_to;
        if (event.kind == "text") {
            if (const auto secret = open_sealed<MessageSecret>(names, record.contact, event.sealed)) said.text = secret->text;
        } else if (const auto secret = open_sealed<PlatformMessageSecret>(names, record.contact, event.sealed)) {
            said.text = secret->text;
            said.body_json = secret->body_json;
        }
        return said;
    }
    TouchCreated event;
    if (!decode(record.payload, event)) return std::nullopt;
    said.touch = event.id;
    if (const auto secret = open_sealed<TouchSecret>(names, record.contact, event.sealed)) {
        said.text = secret->text;
        said.body_json = secret->body_json;
        if (!said.body_json.empty() && said.text.empty()) said.kind = "content";
    }
    return said;
}

}  // namespace

Result<ItemPage> Queries::interactions(const InteractionQuery& query) {
    Uuid after{};
    if (!query.cursor.empty()) {
        const auto parsed = parse_uuid(query.cursor);
        if (!parsed) return invalid("/cursor", "is not a cursor of this list");
        after = *parsed;
    }
    auto reading = projection_.read();
    if (!reading) return reading.error();
    const auto limit = std::clamp<std::size_t>(query.limit, 1, 1000);
    auto where = std::string{"SELECT "}.append(columns).append(" WHERE i.id > ?1");
    std::vector<std::string> bound;
    const auto filter = [&](const char* column, const std::string& value) {
        if (value.empty()) return;
        bound.push_back(value);
        where.append(" AND ").append(column).append(" = ?").append(std::to_string(bound.size() + 1));
    };
    filter("i.state", query.state);
    filter("i.queue", query.queue);
    filter("c.id", query.contact);
    filter("i.channel", query.channel);
    filter("i.account", query.account);
    if (query.from) where.append(" AND i.began_at >= ").append(std::to_string(unix_ms(*query.from)));
    if (query.to) where.append(" AND i.began_at < ").append(std::to_string(unix_ms(*query.to)));
    where += " ORDER BY i.id";
    ItemPage page;
    page.items = "[";
    JsonText json{page.items};
    {
        Statement select{reading->database(), where.c_str()};
        select.bind_blob(1, after.view());
        for (std::size_t i = 0; i < bound.size(); ++i) select.bind_text(static_cast<int>(i) + 2, bound[i]);
        std::size_t taken = 0;
        Uuid last{};
        while (select.step()) {
            if (!query.visibility.covers(select.text(16))) continue;
            if (taken == limit) {
                page.next_cursor = to_string(last);
                break;
            }
            last = uuid_in(select.blob(0));
            json.open_object();
            append_members(json, select);
            json.close_object();
            ++taken;
        }
    }
    if (reading->database().failure()) return *reading->database().failure();
    page.items += "]";
    return page;
}

Result<std::string> Queries::interaction(const Uuid& id, const Visibility& visibility) {
    const Error none{.kind = ErrorKind::not_found, .detail = "there is no interaction with this id"};
    auto reading = projection_.read();
    if (!reading) return reading.error();
    std::string out;
    JsonText json{out};
    {
        Statement select{reading->database(), std::string{"SELECT "}.append(columns).append(" WHERE i.id = ?")};
        select.bind_blob(1, id.view());
        if (!select.step() || !visibility.covers(select.text(16))) return reading->database().failure() ? *reading->database().failure() : none;
        json.open_object();
        append_members(json, select);
    }
    json.open_array("messages");
    Statement messages{reading->database(), "SELECT position, inbound FROM interaction_messages WHERE interaction = ? ORDER BY sequence"};
    messages.bind_blob(1, id.view());
    std::string buffer;
    while (messages.step()) {
        const bool inbound = messages.integer(1) != 0;
        const auto record = reader_.at(LogPosition{static_cast<std::uint64_t>(messages.integer(0))}, buffer);
        if (!record) continue;
        const auto said = read_message(*record, names_, inbound);
        if (!said) continue;
        json.open_object();
        json.text("direction", inbound ? "in" : "out");
        json.instant("at", record->time);
        json.text("kind", said->kind);
        json.open_object("content");
        if (visibility.content) {
            json.text_if("text", said->text);
            if (!said->body_json.empty()) json.raw("body", said->body_json);
        }
        json.close_object();
        json.text_or_null("provider_id", said->provider_id);
        if (said->touch.is_nil()) json.null("touch");
        else json.uuid("touch", said->touch);
        json.close_object();
    }
    json.close_array();
    json.close_object();
    if (reading->database().failure()) return *reading->database().failure();
    return out;
}

}  // namespace touchgate::projection
