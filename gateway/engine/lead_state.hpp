// The leads: rows that are a fold of the log, and the volatile side that is made again at every start. Engine's thread only.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gateway/engine/events.hpp"
#include "gateway/leads/definition.hpp"

namespace touchgate {

struct LeadRow {
    struct Touchpoint {
        std::string source, evidence;
        Instant at{};
        template <class A> void fields(A&& a) { a(source, evidence, at); }
    };
    struct Key {
        crypto::Hash128 key{}, body{};
        template <class A> void fields(A&& a) { a(key, body); }
    };
    Uuid id{};
    ContactIndex contact{};
    std::string callback, product, unit, owner, reason, result, currency;
    leads::Stage stage = leads::Stage::fresh;
    leads::Grade grade = leads::Grade::d;    // when it was scored last
    std::uint8_t score = 0;
    OverdueStep overdue = OverdueStep::none; // the newest that was logged for this owner
    ProfileId touch{};
    std::int64_t value_units = 0, response_ms = -1;
    std::vector<Touchpoint> touchpoints;     // oldest first, the one that made it at first
    std::vector<Key> keys;
    std::vector<LoggedAttribute> attributes; // plain in memory only
    std::vector<std::string> had;            // former owners, since it was captured or recycled
    Instant created_at{}, stage_at{};        // records' times
    Instant first_due_at{};                  // what the first answer is measured by
    Instant due_at{};
    Instant remind_at = instant_never, supervisor_at = instant_never, reassign_at = instant_never;
    Instant protected_until = Instant::min();
    Instant assigned_at = Instant::min(), accepted_at = Instant::min(), contacted_at = Instant::min(), qualified_at = Instant::min(), closed_at = Instant::min();
    Instant last_activity_at{};              // of the owner: assigned, accepted, contacted …
    std::uint32_t recycles = 0, reassigns = 0, assignments = 0;
    std::string cause;                       // of the newest assignment
    leads::Trace trace;

    Instant agenda_at = instant_never;       // volatile: stands in the agenda

    template <class A> void fields(A&& a) {
        a(id, contact, callback, product, unit, owner, reason, result, currency, stage, grade, score, overdue, touch, value_units, response_ms, touchpoints, keys, attributes, had,
          created_at, stage_at, first_due_at, due_at, remind_at, supervisor_at, reassign_at, protected_until, assigned_at, accepted_at, contacted_at, qualified_at, closed_at,
          last_activity_at, recycles, reassigns, assignments, cause, trace);
    }
    [[nodiscard]] bool is_closed() const { return leads::is_closed(stage); }
    // Somebody owns it, and the customer has no answer from him yet.
    [[nodiscard]] bool waits_for_answer() const { return stage == leads::Stage::assigned || stage == leads::Stage::accepted; }
};

// What an agent was given.
struct LeadOwnerRow {
    std::string id;
    double turn = 0, share = 0;              // virtual times, see leads/choice.hpp
    std::uint32_t open = 0, today = 0;
    std::int64_t day = 0;                    // to which `today` belongs: days since 1970 in the configured zone
    template <class A> void fields(A&& a) { a(id, turn, share, open, today, day); }
};

struct Leads {
    std::map<Uuid, LeadRow> rows;            // ids rise with time
    std::map<std::string, LeadOwnerRow, std::less<>> owners;

    // Volatile indexes.
    absl::flat_hash_map<std::uint32_t, std::vector<Uuid>> by_contact;  // oldest first
    struct KeyEntry { Uuid lead{}; crypto::Hash128 body{}; };
    absl::flat_hash_map<crypto::Hash128, KeyEntry> keys;
    std::set<std::pair<Instant, Uuid>> agenda;
    std::set<Uuid> fresh;                    // open, nobody's, and not in the pool for good: tried again now and then

    // Its contact and keys; `agenda` and `fresh` depend on the configuration and are kept by Internals::schedule_lead.
    void index(const LeadRow& lead) {
        by_contact[lead.contact.value].push_back(lead.id);
        for (const auto& key : lead.keys) keys[key.key] = {.lead = lead.id, .body = key.body};
    }
    [[nodiscard]] LeadRow* find(const Uuid& id) {
        const auto found = rows.find(id);
        return found == rows.end() ? nullptr : &found->second;
    }
};

// Compiled from the configuration; made again when it or a calendar changes.
struct LeadRouting {
    leads::Definition definition;
    std::vector<leads::Agent> agents;        // as they are in the turn `agents_of`
    absl::flat_hash_map<std::string, std::size_t> agent_places;
    std::uint64_t agents_of = 0;
    Uuid tried_up_to{};                      // of Leads::fresh
    Instant try_again_at = Instant::min();
};

}  // namespace touchgate
