// A touch as its records in the log tell it: the fold of touch.created and all that followed. This is how touches are shown that are no longer
// in the engine's memory, how lists render their rows, and what is read where no engine runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/engine/events.hpp"
#include "gateway/projection/event_json.hpp"
#include "gateway/projection/feed.hpp"
#include "gateway/projection/touch_states.hpp"

namespace touchgate::projection {

struct LoggedAttempt {
    std::uint16_t number = 0;
    ProfileId profile{};
    std::string outcome;              // "" while open
    std::string state = "dispatching";  // dispatching, accepted, delivered, read, replied, completed, failed, unknown, lapsed, revoked
    Instant permitted_at{};
    std::optional<Instant> answered_at;
    std::vector<std::string> provider_ids;
    int parts = 1;
    std::string code, detail;
    int segments = 0;
    std::int64_t cost_micro = 0;
    std::string route_reason;
    std::vector<ReceiptView> receipts;
    dispatch::Progress progress = dispatch::Progress::open;
    struct Task {
        std::string id, employee, status;
        Instant created_at{}, ends_at{};
    };
    std::optional<Task> task;           // that an employee must send
};

struct LoggedTouch {
    TouchCreated created;
    ContactIndex contact{};
    TouchStates states;
    LoggedDecision decision;
    Instant created_at{};
    std::uint64_t created_sequence = 0, newest_sequence = 0;
    std::vector<LoggedAttempt> attempts;

    // Folds one record of this touch (others are passed over). Records in order, touch.created first.
    void apply(const Record& record);
    [[nodiscard]] ProfileId profile() const;  // of the candidate in use

private:
    LoggedAttempt* attempt(std::uint16_t number);
    friend struct TouchFold;
};

// A record copied out of the reader's buffer.
struct KeptRecord {
    Record record;
    std::string payload;
    explicit KeptRecord(const Record& from) : record{from}, payload{from.payload} { record.payload = {}; }
    [[nodiscard]] Record view() const {
        auto whole = record;
        whole.payload = payload;
        return whole;
    }
};

// The records about `touch`, oldest first, found by walking its contact's records back from `newest` to `created`.
// `newest` may be any later record of the contact. Kind corrupt: the chain is broken.
[[nodiscard]] Result<std::vector<KeptRecord>> records_of_touch(const LogReader& reader, const TouchId& touch, LogPosition newest, LogPosition created);

// "attempts":[…] of the touch resource, as a member of the open object.
void append_attempts(JsonText& json, const LoggedTouch& touch, const NameSource& names);
// The whole resource. `records` empty: without "events" (as in lists).
void append_touch(std::string& out, const LoggedTouch& touch, const std::vector<KeptRecord>& records, EventRenderer& renderer,
                  const Visibility& visibility);

// Everything about a contact, newest first, from `newest` on; `cursor` of the last page continues it.
struct TimelinePage {
    std::vector<EventText> items;
    LogPosition next{};  // nowhere: this was the last page
};
[[nodiscard]] Result<TimelinePage> read_timeline(const LogReader& reader, EventRenderer& renderer, LogPosition newest, std::size_t limit,
                                                 const Visibility& visibility);

}  // namespace touchgate::projection
