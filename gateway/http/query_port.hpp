// What the HTTP API asks of the query side: everything that is not answered from the engine's memory. Implemented over the touch log and
// the projection; a small fake in tests.
//
// All calls are synchronous and may block on disk: the server makes them on its query threads, several at a time, never on an I/O thread.
// Results carry finished JSON text, so that a page of a thousand touches is rendered once, where the rows are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/ids.hpp"
#include "gateway/base/result.hpp"
#include "gateway/base/time.hpp"
#include "gateway/touch_log/log.hpp"

namespace touchgate::http {

// What the caller may see. Fields that he may not see are masked or left out, never an error.
struct Visibility {
    bool addresses = false;              // scope `addresses`: unmasked addresses
    bool content = false;                // scope `content`: message texts
    std::vector<std::string> units = {}; // only objects of these units or below; empty: all
};

// One event of the log as a CloudEvents 1.0 JSON object.
struct EventText {
    std::uint64_t sequence = 0;
    std::string type;  // "touch.delivered"
    std::string json;
};

struct EventQuery {
    std::uint64_t after = 0;              // only events with a greater sequence
    std::vector<std::string> types = {};  // "touch.created", "touch.*", "*"; empty: all
    std::string campaign = {};
    std::string key_name = {};            // only touches posted with this API key
    std::size_t limit = 100;              // 1 to 1000
    Visibility visibility = {};
};

struct EventPage {
    std::vector<EventText> items;
    std::uint64_t scanned_to = 0;  // everything up to here was looked at: the next query may start after it
    std::uint64_t last_sequence = 0;  // newest durable sequence of the log
};

// A page of a list: `items` is a JSON array; an empty `next_cursor` means that this was the last page.
struct ItemPage {
    std::string items = "[]";
    std::string next_cursor = {};
};

struct TouchQuery {
    std::string contact, campaign, state, channel, key;  // empty: any
    std::optional<Instant> from, to;                     // on created_at; from inclusive, to exclusive
    std::size_t limit = 100;                             // 1 to 1000
    std::string cursor;
    Visibility visibility;
};

struct InteractionListQuery {
    std::string state, queue, contact, channel, account;  // empty: any
    std::optional<Instant> from, to;                      // on its beginning
    std::size_t limit = 100;                              // 1 to 1000
    std::string cursor;
    Visibility visibility;
};

struct ContactQuery {
    std::size_t limit = 100;
    std::string cursor;
    Visibility visibility;
};

struct TimelineQuery {
    std::string contact_id;
    ContactIndex contact{};
    LogPosition newest{};  // where to start reading backwards
    std::size_t limit = 100;
    std::string cursor;
    Visibility visibility;
};

// A report as asked for: parameters as they stand in the URL (from, to, campaign, channel, unit, group_by, model, tz …), format apart.
struct ReportQuery {
    std::string name;
    std::vector<std::pair<std::string, std::string>> parameters;
    bool csv = false;
    Visibility visibility;
};

struct ReportText {
    std::string body;
    std::uint64_t sequence = 0;  // the last event counted
};

class QueryPort {
public:
    virtual ~QueryPort() = default;

    // The newest sequence that lists and reports show. Any thread, cheap (asked every few milliseconds by waiting readers).
    [[nodiscard]] virtual std::uint64_t shown_sequence() const = 0;

    virtual Result<EventPage> events(const EventQuery& query) = 0;
    // The events of one touch, oldest first, found by walking the contact's records backwards from `newest_of_contact` to `created`.
    virtual Result<std::vector<EventText>> touch_events(const TouchId& touch, LogPosition newest_of_contact, LogPosition created,
                                                        const Visibility& visibility) = 0;
    // The whole touch resource (as GET /v1/touches/{id}, with attempts and events) of a touch that is no longer in the engine's memory.
    // Kind not_found: there is none, or it belongs to a unit that the caller may not see.
    virtual Result<std::string> touch(const TouchId& touch, const Visibility& visibility) = 0;
    // The same of a touch that the engine still holds, from where its records stand. Kind not_found where that is not offered.
    virtual Result<std::string> touch_at(const TouchId& /*touch*/, LogPosition /*newest_of_contact*/, LogPosition /*created*/,
                                         const Visibility& /*visibility*/) {
        return Error{.kind = ErrorKind::not_found, .detail = "not offered"};
    }
    virtual Result<ItemPage> touches(const TouchQuery& query) = 0;
    virtual Result<ItemPage> contacts(const ContactQuery& query) = 0;
    // Conversations that memory keeps no more, as those of the engine are shown.
    virtual Result<ItemPage> interactions(const InteractionListQuery& /*query*/) { return ItemPage{}; }
    virtual Result<std::string> interaction(const Uuid& /*id*/, const Visibility& /*visibility*/) {
        return Error{.kind = ErrorKind::not_found, .detail = "there is no interaction with this id"};
    }
    virtual Result<ItemPage> timeline(const TimelineQuery& query) = 0;
    // Kind not_found: no such report. Kind invalid_input: bad parameters, all of them.
    virtual Result<ReportText> report(const ReportQuery& query) = 0;

    // Callbacks to callers that were given up after their retries. Kind not_found: no such callback.
    virtual Result<ItemPage> dead_letters(const std::string& callback, std::size_t limit, const std::string& cursor) = 0;
    // Queues them again; the number of letters.
    virtual Result<std::size_t> replay_callbacks(const std::string& callback) = 0;
};

}  // namespace touchgate::http
