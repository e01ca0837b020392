// What happens to leads. All of these begin with the lead's id and the name of the callback that is told of it; see events.hpp for the rules of the format.
#pragma once

#include "gateway/engine/events.hpp"
#include "gateway/leads/choice.hpp"
#include "gateway/leads/scoring.hpp"
#include "gateway/leads/stages.hpp"

namespace touchgate {

struct LeadSecret {
    std::string key;                       // the caller's idempotency key
    std::vector<LoggedAttribute> attributes;
    template <class A> void fields(A&& a) { a(key, attributes); }
};
struct LeadNote {
    std::string note;
    template <class A> void fields(A&& a) { a(note); }
};

struct LeadCreated {
    static constexpr auto type = EventType::lead_created;
    Uuid id{};
    std::string callback, source, product, unit, key_name;
    std::string evidence;                  // where it comes from: "event 42" (a sequence), the name of a form; empty: the API
    bool has_key = false;
    crypto::Hash128 key_hash{}, body_hash{};
    Instant at{};                          // of the customer's act, not later than the record
    std::uint8_t score = 0;
    leads::Grade grade = leads::Grade::d;
    Instant due_at{};                      // by when somebody has to answer, in working time
    Instant supervisor_at = instant_never; // nobody owns it still: the supervisors are told
    ProfileId touch{};                     // of the touch that went before it; 0: none
    std::string sealed;                    // LeadSecret
    template <class A> void fields(A&& a) {
        a(id, callback, source, product, unit, key_name, evidence, has_key);
        if (has_key) a(key_hash, body_hash);
        a(at, score, grade, due_at, supervisor_at, touch, sealed);
    }
};
// The same interest once more: from another source, or again from the same.
struct LeadTouched {
    static constexpr auto type = EventType::lead_touchpoint;
    Uuid id{};
    std::string callback, source, key_name, evidence;
    bool has_key = false;
    crypto::Hash128 key_hash{}, body_hash{};
    Instant at{};
    std::uint8_t score = 0;
    leads::Grade grade = leads::Grade::d;
    std::string sealed;                    // LeadSecret: its attributes are the lead's from now on
    template <class A> void fields(A&& a) {
        a(id, callback, source, key_name, evidence, has_key);
        if (has_key) a(key_hash, body_hash);
        a(at, score, grade, sealed);
    }
};
struct LeadAssigned {
    static constexpr auto type = EventType::lead_assigned;
    Uuid id{};
    std::string callback, owner;
    std::string cause;                     // "capture", "retry", "overdue", "claim", "api", "recycled"
    std::string by;                        // who did it; empty: the gateway
    leads::Stage stage = leads::Stage::assigned;  // accepted: he took it himself
    Instant due_at{};
    Instant remind_at = instant_never, supervisor_at = instant_never, reassign_at = instant_never;
    Instant protected_until{};
    double turn = 0, share = 0;            // the owner's virtual times from now on
    leads::Trace trace;
    template <class A> void fields(A&& a) { a(id, callback, owner, cause, by, stage, due_at, remind_at, supervisor_at, reassign_at, protected_until, turn, share, trace); }
};
// A step of the lead's life.
template <EventType Type> struct LeadMoved {
    static constexpr auto type = Type;
    Uuid id{};
    std::string callback;
    leads::Stage from = leads::Stage::fresh, stage = leads::Stage::fresh;
    std::string owner;                     // whose it was
    std::string by, via;                   // who said so; "api", "link", "file", "desk", "gateway"
    std::string reason, result;            // result: the word of a store's report, "visited" …
    Instant at{};                          // when it happened
    std::int64_t response_ms = -1;         // the first answer: working time since the lead came; −1: this is none
    bool in_time = false;                  // … and whether it was in time
    Instant protected_until = Instant::min();  // for whoever works on it, from now on; min: as before
    std::int64_t value_units = 0;
    std::string currency;
    std::string sealed;                    // LeadNote; empty: none
    template <class A> void fields(A&& a) {
        a(id, callback, from, stage, owner, by, via, reason, result, at, response_ms, in_time, protected_until, value_units, currency, sealed);
    }
};
using LeadAccepted = LeadMoved<EventType::lead_accepted>;
using LeadContacted = LeadMoved<EventType::lead_contacted>;
using LeadQualified = LeadMoved<EventType::lead_qualified>;
using LeadWon = LeadMoved<EventType::lead_won>;
using LeadLost = LeadMoved<EventType::lead_lost>;          // lost or disqualified
using LeadRecycled = LeadMoved<EventType::lead_recycled>;

enum class OverdueStep : std::uint8_t { none = 0, reminder, supervisor, reassign };
[[nodiscard]] std::string_view to_string(OverdueStep step);
// A deadline has passed without an answer to the customer.
struct LeadOverdue {
    static constexpr auto type = EventType::lead_overdue;
    Uuid id{};
    std::string callback;
    OverdueStep step = OverdueStep::reminder;
    std::string owner;                     // whose it is; empty: nobody's
    std::vector<std::string> told;         // who is told: the owner, his supervisors
    template <class A> void fields(A&& a) { a(id, callback, step, owner, told); }
};

// Calls `visit(event)` with an empty event of the type, for those who decode; false: it is no lead's.
template <class Visit> bool visit_lead_type(EventType type, Visit&& visit) {
    switch (type) {
        case EventType::lead_created: visit(LeadCreated{}); return true;
        case EventType::lead_touchpoint: visit(LeadTouched{}); return true;
        case EventType::lead_assigned: visit(LeadAssigned{}); return true;
        case EventType::lead_accepted: visit(LeadAccepted{}); return true;
        case EventType::lead_contacted: visit(LeadContacted{}); return true;
        case EventType::lead_qualified: visit(LeadQualified{}); return true;
        case EventType::lead_won: visit(LeadWon{}); return true;
        case EventType::lead_lost: visit(LeadLost{}); return true;
        case EventType::lead_recycled: visit(LeadRecycled{}); return true;
        case EventType::lead_overdue: visit(LeadOverdue{}); return true;
        default: return false;
    }
}

}  // namespace touchgate
