#include "gateway/projection/queries.hpp"
#include "gateway/projection/feed_names.hpp"

#include <algorithm>
#include <set>

#include "gateway/base/text.hpp"
#include "gateway/engine/evidence.hpp"

namespace touchgate::projection {

namespace {

LogPosition position_of(std::int64_t value) { return {static_cast<std::uint64_t>(value)}; }

// The least version 7 id of that millisecond: where a list by time begins in a table ordered by id.
Uuid least_id_at(Instant at) {
    Uuid id;
    const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(unix_ms(at), 0));
    for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
    return id;
}

Error bad_cursor() { return invalid("/cursor", "is not a cursor of this list"); }
Error no_touch() { return {ErrorKind::not_found, "no such touch"}; }

std::optional<std::uint64_t> number_in(const std::string& text) {
    std::uint64_t value = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end.ec != std::errc{} || end.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

LoggedTouch folded(const std::vector<KeptRecord>& records) {
    LoggedTouch touch;
    for (const auto& kept : records) touch.apply(kept.view());
    return touch;
}

}  // namespace

Result<std::vector<EventText>> Queries::touch_events(const TouchId& touch, LogPosition newest_of_contact, LogPosition created,
                                                     const Visibility& visibility) {
    const auto records = records_of_touch(reader_, touch, newest_of_contact, created);
    if (!records) return records.error();
    std::vector<EventText> events;
    for (const auto& kept : *records) {
        const auto record = kept.view();
        auto& event = events.emplace_back();
        event.sequence = record.sequence;
        event.type = feed_name(record);
        renderer_.append_brief(event.json, record, visibility);
    }
    return events;
}

Result<std::vector<KeptRecord>> Queries::records_of(const TouchId& touch) {
    auto reading = projection_.read();
    if (!reading) return reading.error();
    LogPosition created, newest;
    {
        Statement select{reading->database(), "SELECT created, newest FROM touches WHERE id = ?"};
        select.bind_blob(1, touch.view());
        if (select.step()) {
            created = position_of(select.integer(0));
            newest = position_of(select.integer(1));
        }
    }
    if (reading->database().failure()) return *reading->database().failure();
    if (created.value == 0) return no_touch();
    return records_of_touch(reader_, touch, newest, created);
}

Result<LoggedTouch> Queries::logged_touch(const TouchId& touch) {
    const auto records = records_of(touch);
    if (!records) return records.error();
    return folded(*records);
}

Result<std::string> Queries::touch(const TouchId& touch, const Visibility& visibility) { return render(records_of(touch), visibility); }

Result<std::string> Queries::touch_at(const TouchId& touch, LogPosition newest_of_contact, LogPosition created, const Visibility& visibility) {
    return render(records_of_touch(reader_, touch, newest_of_contact, created), visibility);
}

Result<std::string> Queries::render(const Result<std::vector<KeptRecord>>& records, const Visibility& visibility) {
    if (!records) return records.error();
    const auto read = folded(*records);
    if (!visibility.covers(names_.profile(read.profile()).unit)) return no_touch();
    std::string out;
    append_touch(out, read, *records, renderer_, visibility);
    return out;
}

Result<ItemPage> Queries::touches(const TouchQuery& query) {
    auto reading = projection_.read();
    if (!reading) return reading.error();
    auto& database = reading->database();
    const auto limit = std::clamp<std::size_t>(query.limit, 1, 1000);

    // Everything bound by value is kept here until the statement ends.
    std::string where = "id > ?1";
    Uuid after;
    if (!query.cursor.empty()) {
        const auto parsed = parse_uuid(query.cursor);
        if (!parsed) return bad_cursor();
        after = *parsed;
    } else if (query.from) {
        after = least_id_at(*query.from - Duration{1});
    }
    std::int64_t contact = 0, campaign = 0, key_name = 0;
    const auto lookup = [&](const char* sql, const std::string& text) {
        Statement select{database, sql};
        select.bind_text(1, text);
        return select.step() ? select.integer(0) : -1;
    };
    if (!query.contact.empty()) {
        contact = lookup("SELECT number FROM contacts WHERE id = ? ORDER BY number DESC LIMIT 1", query.contact);
        where += " AND contact = ?2";
    }
    if (!query.campaign.empty()) {
        campaign = lookup("SELECT id FROM names WHERE name = ?", query.campaign);
        where += " AND campaign = ?3";
    }
    std::int64_t state = 0;
    if (!query.state.empty()) {
        const auto parsed = parse_touch_state(query.state);
        if (!parsed) return invalid("/state", "must be one of the touch states");
        state = static_cast<std::int64_t>(*parsed);
        where += " AND state = ?4";
    }
    if (query.from) where += " AND created_at >= ?5";
    // An id is never older than its touch, and at most moments younger.
    Uuid end;
    if (query.to) {
        where += " AND created_at < ?6 AND id < ?7";
        end = least_id_at(*query.to + std::chrono::minutes{1});
    }
    if (!query.key_name.empty()) {
        key_name = lookup("SELECT id FROM names WHERE name = ?", query.key_name);
        where += " AND key_name = ?8";
    }
    if (!query.key.empty()) {
        std::set<std::string> units = {""};
        Statement select{database, "SELECT DISTINCT unit FROM profiles"};
        while (select.step()) units.insert(std::string{select.text(0).substr(0, select.text(0).find('/'))});
        std::string hashes;
        for (const auto& unit : units)
            if (key_hash_) hashes += (hashes.empty() ? "" : ",") + std::to_string(static_cast<std::int64_t>(key_hash_(unit, query.key).low));
        where += " AND key_hash IN (" + hashes + ")";
    }

    struct Found {
        TouchId id;
        LogPosition created, newest;
    };
    std::vector<Found> rows;
    bool more = false;
    {
        Statement select{database, "SELECT id, profile, created, newest FROM touches WHERE " + where + " ORDER BY id"};
        select.bind_blob(1, after.view());
        if (contact != 0) select.bind(2, contact);
        if (campaign != 0) select.bind(3, campaign);
        if (state != 0) select.bind(4, state);
        if (query.from) select.bind(5, unix_ms(*query.from));
        if (query.to) select.bind(6, unix_ms(*query.to)).bind_blob(7, end.view());
        if (key_name != 0) select.bind(8, key_name);
        const bool looks_at_profile = !query.channel.empty() || !query.visibility.units.empty();
        while (select.step()) {
            if (looks_at_profile) {
                const auto profile = names_.profile({static_cast<std::uint32_t>(select.integer(1))});
                if (!query.channel.empty() && profile.channel != query.channel) continue;
                if (!query.visibility.covers(profile.unit)) continue;
            }
            if (rows.size() == limit) {
                more = true;
                break;
            }
            auto& row = rows.emplace_back();
            const auto id = select.blob(0);
            if (id.size() == row.id.bytes.size()) std::memcpy(row.id.bytes.data(), id.data(), id.size());
            row.created = position_of(select.integer(2));
            row.newest = position_of(select.integer(3));
        }
    }
    if (database.failure()) return *database.failure();

    ItemPage page;
    page.items = "[";
    for (const auto& row : rows) {
        const auto records = records_of_touch(reader_, row.id, row.newest, row.created);
        if (!records) return records.error();
        append_touch(page.items, folded(*records), {}, renderer_, query.visibility);
    }
    page.items += "]";
    if (more) page.next_cursor = to_string(rows.back().id);
    return page;
}

void Queries::append_contact(std::string& out, Statement& row, const Visibility& visibility) {
    JsonText json{out};
    json.open_object();
    json.text("id", row.text(1));
    json.text_or_null("owner", row.text(2));
    json.text_or_null("unit", row.text(3));
    const auto status = row.integer(4);
    json.text("status", status == 0 ? "active" : status == 1 ? "restricted" : "erased");
    json.instant("created_at", from_unix_ms(row.integer(5)));
    json.instant("updated_at", from_unix_ms(row.integer(6)));
    std::string buffer;
    const auto details = reader_.at(position_of(row.integer(7)), buffer);
    std::string sealed;
    if (details && static_cast<EventType>(details->type) == EventType::contact_created) {
        ContactCreated event;
        if (decode(details->payload, event)) sealed = std::move(event.sealed);
    } else if (details) {
        ContactUpdated event;
        if (decode(details->payload, event)) sealed = std::move(event.sealed);
    }
    const ContactIndex number{static_cast<std::uint32_t>(row.integer(0))};
    if (const auto secret = open_sealed<ContactSecret>(names_, number, sealed)) {
        const auto list = [&](std::string_view member, AddressKind kind) {
            json.open_array(member);
            for (const auto& address : secret->addresses) {
                if (address.kind != kind) continue;
                if (visibility.addresses) json.element(address.value);
                else json.element(kind == AddressKind::phone ? mask_phone(address.value) : "****");
            }
            json.close_array();
        };
        list("phones", AddressKind::phone);
        list("external_userids", AddressKind::external_userid);
        json.open_array("openids");
        for (const auto& address : secret->addresses) {
            if (address.kind != AddressKind::openid) continue;
            json.open_object();
            json.text("account", address.account);
            json.text("openid", visibility.addresses ? std::string_view{address.value} : std::string_view{"****"});
            json.close_object();
        }
        json.close_array();
        json.text_if("name", secret->name);
        json.text_if("locale", secret->locale);
        json.text_if("time_zone", secret->time_zone);
        json.texts("tags", secret->tags);
    }
    json.close_object();
}

Result<ItemPage> Queries::contacts(std::size_t limit, const std::string& cursor, const Visibility& visibility) {
    std::uint64_t after = 0;
    if (!cursor.empty()) {
        const auto parsed = number_in(cursor);
        if (!parsed) return bad_cursor();
        after = *parsed;
    }
    auto reading = projection_.read();
    if (!reading) return reading.error();
    limit = std::clamp<std::size_t>(limit, 1, 1000);
    ItemPage page;
    page.items = "[";
    std::size_t taken = 0;
    std::int64_t newest = 0;
    {
        Statement select{reading->database(),
                         "SELECT number, id, owner, unit, status, created_at, updated_at, details FROM contacts WHERE number > ? AND status <> 2 ORDER BY number"};
        select.bind(1, static_cast<std::int64_t>(after));
        while (select.step()) {
            if (!visibility.covers(select.text(3))) continue;
            if (taken == limit) {
                page.next_cursor = std::to_string(newest);
                break;
            }
            append_contact(page.items, select, visibility);
            newest = select.integer(0);
            ++taken;
        }
    }
    if (reading->database().failure()) return *reading->database().failure();
    page.items += "]";
    return page;
}

Result<ItemPage> Queries::timeline(LogPosition newest, std::size_t limit, const std::string& cursor, const Visibility& visibility) {
    if (!cursor.empty()) {
        const auto parsed = number_in(cursor);
        // A cursor leads back from where the reader stood; anything newer is not his.
        if (!parsed || LogPosition{*parsed} > newest) return bad_cursor();
        newest = {*parsed};
    }
    const auto read = read_timeline(reader_, renderer_, newest, std::clamp<std::size_t>(limit, 1, 1000), visibility);
    if (!read) return read.error().kind == ErrorKind::corrupt && !cursor.empty() ? bad_cursor() : read.error();
    ItemPage page;
    page.items = "[";
    for (const auto& event : read->items) {
        if (page.items.size() > 1) page.items += ',';
        page.items += event.json;
    }
    page.items += "]";
    if (read->next.value != 0) page.next_cursor = std::to_string(read->next.value);
    return page;
}

void Queries::append_suppression(std::string& out, LogPosition position, const Visibility& visibility) {
    std::string buffer;
    const auto record = reader_.at(position, buffer);
    SuppressionAdded event;
    if (!record || !decode(record->payload, event)) return;
    JsonText json{out};
    json.open_object();
    json.text("list", event.list);
    if (const auto secret = open_sealed<SuppressionSecret>(names_, ContactIndex{}, event.sealed)) {
        if (!secret->value.empty())
            json.text(address_word(event.kind), visibility.addresses ? secret->value : event.kind == AddressKind::phone ? mask_phone(secret->value) : "****");
        json.text_if("account", secret->account);
        json.text_or_null("reason", secret->reason);
        if (const auto told_at = evidence_sequence(event.source, secret->evidence)) json.number("evidence", *told_at);
        else json.text_or_null("evidence", secret->evidence);
        json.text_or_null("by", secret->by);
    }
    json.text_if("algorithm", event.hash_algorithm);
    if (!event.phone_hash.empty()) json.text("phone_hash", to_hex(event.phone_hash));
    json.text_or_null("source", event.source);
    json.instant("at", event.at);
    if (event.expires_at == instant_never) json.null("expires_at");
    else json.instant("expires_at", event.expires_at);
    json.texts_if("channels", event.channels);
    json.texts_if("purposes", event.purposes);
    json.close_object();
}

Result<ItemPage> Queries::suppressions(const std::string& list, std::size_t limit, const std::string& cursor, const Visibility& visibility) {
    // The cursor is the position of the newest entry shown; entries come in the order in which they were written.
    std::uint64_t after = 0;
    if (!cursor.empty()) {
        const auto parsed = number_in(cursor);
        if (!parsed) return bad_cursor();
        after = *parsed;
    }
    auto reading = projection_.read();
    if (!reading) return reading.error();
    limit = std::clamp<std::size_t>(limit, 1, 1000);
    std::vector<LogPosition> positions;
    {
        Statement select{reading->database(), "SELECT position FROM suppressions WHERE position > ?1 AND (?2 = '' OR list = ?2) ORDER BY position LIMIT ?3"};
        select.bind(1, static_cast<std::int64_t>(after)).bind_text(2, list).bind(3, static_cast<std::int64_t>(limit) + 1);
        while (select.step()) positions.push_back(position_of(select.integer(0)));
    }
    if (reading->database().failure()) return *reading->database().failure();
    ItemPage page;
    if (positions.size() > limit) {
        positions.resize(limit);
        page.next_cursor = std::to_string(positions.back().value);
    }
    page.items = "[";
    for (const auto position : positions) append_suppression(page.items, position, visibility);
    page.items += "]";
    return page;
}

}  // namespace touchgate::projection
