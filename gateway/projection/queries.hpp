// What readers ask of the query side: lists from the projection's tables, with every row rendered from the log, so that an erased contact's
// words are gone from lists at once. Results carry finished JSON. All functions may be called on any thread and may block on disk.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "gateway/projection/logged_touch.hpp"
#include "gateway/projection/projection.hpp"

namespace touchgate::projection {

// `items` is a JSON array; an empty `next_cursor` means that this was the last page.
struct ItemPage {
    std::string items = "[]";
    std::string next_cursor = {};
};

struct TouchQuery {
    std::string contact = {}, campaign = {}, state = {}, channel = {}, key = {};  // empty: any; contact is the external id
    std::string key_name = {};                           // API key that posted it
    std::optional<Instant> from = {}, to = {};           // on created_at; from inclusive, to exclusive
    std::size_t limit = 100;                             // 1 to 1000
    std::string cursor = {};
    Visibility visibility = {};
};

struct InteractionQuery {
    std::string state = {}, queue = {}, contact = {}, channel = {}, account = {};  // empty: any; contact is the external id
    std::optional<Instant> from = {}, to = {};           // on its beginning; from inclusive, to exclusive
    std::size_t limit = 100;                             // 1 to 1000
    std::string cursor = {};                             // the id of the last of the page before
    Visibility visibility = {};
};

// The engine's hash of an idempotency key under a top-level unit.
using KeyHash = std::function<crypto::Hash128(std::string_view unit, std::string_view key)>;

class Queries {
public:
    // All must outlive it. `key_hash` may be empty: a filter by key then finds nothing.
    Queries(Projection& projection, const LogReader& reader, const NameSource& names, KeyHash key_hash = {})
        : projection_{projection}, reader_{reader}, names_{names}, renderer_{reader, names}, key_hash_{std::move(key_hash)} {}

    [[nodiscard]] Result<FeedPage> events(const FeedQuery& query) { return read_feed(reader_, renderer_, query); }
    // The events of one touch, oldest first, as {"sequence","type","time","data"}.
    [[nodiscard]] Result<std::vector<EventText>> touch_events(const TouchId& touch, LogPosition newest_of_contact, LogPosition created,
                                                              const Visibility& visibility);
    // The whole resource, where the engine says its records are: attempts with their receipts stand in the log only.
    [[nodiscard]] Result<std::string> touch_at(const TouchId& touch, LogPosition newest_of_contact, LogPosition created, const Visibility& visibility);
    // The whole resource of GET /v1/touches/{id}. Kind not_found: there is none, or it belongs to a unit that the reader may not see.
    [[nodiscard]] Result<std::string> touch(const TouchId& touch, const Visibility& visibility);
    // The decision in force, with its trace (for `policy explain`), and where the touch's records stand.
    [[nodiscard]] Result<LoggedTouch> logged_touch(const TouchId& touch);
    [[nodiscard]] Result<ItemPage> touches(const TouchQuery& query);
    [[nodiscard]] Result<ItemPage> contacts(std::size_t limit, const std::string& cursor, const Visibility& visibility);
    // Newest first, from `newest` (of the contact) or where `cursor` says.
    [[nodiscard]] Result<ItemPage> timeline(LogPosition newest, std::size_t limit, const std::string& cursor, const Visibility& visibility);
    // In the order in which they began, without their messages.
    [[nodiscard]] Result<ItemPage> interactions(const InteractionQuery& query);
    // One with its messages, as they stand in the log. Kind not_found: there is none, or it is with a contact of a unit that the reader may not see.
    [[nodiscard]] Result<std::string> interaction(const Uuid& id, const Visibility& visibility);
    // Entries of one list, or of all where `list` is empty.
    [[nodiscard]] Result<ItemPage> suppressions(const std::string& list, std::size_t limit, const std::string& cursor, const Visibility& visibility);

    [[nodiscard]] EventRenderer& renderer() { return renderer_; }
    [[nodiscard]] Projection& projection() { return projection_; }

private:
    [[nodiscard]] Result<std::vector<KeptRecord>> records_of(const TouchId& touch);
    [[nodiscard]] Result<std::string> render(const Result<std::vector<KeptRecord>>& records, const Visibility& visibility);
    void append_contact(std::string& out, Statement& row, const Visibility& visibility);
    void append_suppression(std::string& out, LogPosition position, const Visibility& visibility);

    Projection& projection_;
    const LogReader& reader_;
    const NameSource& names_;
    EventRenderer renderer_;
    KeyHash key_hash_;
};

}  // namespace touchgate::projection
