// Leads, as callers work with them: capture, claim, results, lists. Every function may be called inside a turn of the engine only.
//
// Errors of the functions: not_found; conflict with the lead's id as reference (a step that its stage does not allow: the text names the stage and
// what is allowed; claimed by somebody else; protected); invalid_input.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/engine/lead_events.hpp"
#include "gateway/engine/requests.hpp"
#include "gateway/leads/definition.hpp"

namespace touchgate {

class Engine;

struct LeadInput {
    std::string key = {};                  // idempotency key, may be empty
    crypto::Hash128 body_hash = {};        // equal bodies are equal hashes
    ContactRef contact;
    std::string name = {};                 // of a contact that has none
    std::string source, product = {}, unit = {}, callback = {}, key_name = {}, evidence = {};
    AttributeMap attributes = {};
    std::optional<Instant> at = {};        // of the customer's act
};

struct LeadDetails {
    struct Touchpoint { std::string source, evidence; Instant at{}; };
    Uuid id{};
    std::string contact_id, contact_name, contact_phone;  // the phone masked
    std::string product, unit, owner, reason, result, currency, cause;
    leads::Stage stage = leads::Stage::fresh;
    leads::Score score;                    // as of now
    std::int64_t value_units = 0, response_ms = -1;
    std::vector<Touchpoint> touchpoints;
    AttributeMap attributes;
    leads::Trace trace;
    Instant created_at{}, stage_at{};
    std::optional<Instant> due_at, protected_until, assigned_at, accepted_at, contacted_at, qualified_at, closed_at;
    std::uint32_t recycles = 0, reassigns = 0;
    OverdueStep overdue = OverdueStep::none;
    bool duplicate = false;                // the key was seen before
    bool is_duplicate_of = false;          // another capture of a lead that was there already
};

struct LeadQuery {
    std::string stage = {}, owner = {}, contact = {}, product = {}, unit = {}, source = {};  // empty: any; source: a pattern; unit: or below it
    bool pool = false;                     // only those that nobody owns
    Uuid after = {};
    std::size_t limit = 100;
};

// Something that was done with a lead, or is reported of it.
struct LeadAct {
    leads::Stage to = leads::Stage::accepted;
    std::string result = {};               // the word of a report: "accepted", "reached", "visited", "won" …
    std::string agent = {};                // who; must own the lead if given
    std::string reason = {}, note = {}, via = "api";
    std::int64_t value_units = 0;
    std::string currency = "CNY";
    std::optional<Instant> at = {};
    bool walk = false;                     // steps in between are taken as done: a report says only how it ended
};

struct LeadLink { std::string url; Instant expires_at{}; };

class LeadBook {
public:
    explicit LeadBook(Engine& engine) : engine_{engine} {}

    Result<LeadDetails> capture(const LeadInput& input);
    [[nodiscard]] Result<LeadDetails> find(const Uuid& id);
    [[nodiscard]] Result<LeadDetails> find_by_key(const std::string& unit, const std::string& key);
    [[nodiscard]] std::vector<LeadDetails> list(const LeadQuery& query);
    Result<LeadDetails> act(const Uuid& id, const LeadAct& act);
    // Takes it out of the pool, or, when its protection is over, from its owner.
    Result<LeadDetails> claim(const Uuid& id, const std::string& agent);
    // Gives it to somebody; `agent` empty: to whom the rules give it. Within its protection only with `force`.
    Result<LeadDetails> assign(const Uuid& id, const std::string& agent, const std::string& reason, bool force);
    // A page on which the owner reports what became of it, without a login. It ends with the assignment.
    Result<LeadLink> make_link(const Uuid& id);
    // Kinds not_found: no such link; conflict: it has expired, or the lead is somebody else's by now.
    [[nodiscard]] Result<LeadDetails> open_link(const std::string& token);

private:
    Engine& engine_;
};

// The stage that the word of a report leads to; nothing: it is none. Words: accepted, reached, contacted, visited, qualified, disqualified, won, lost.
[[nodiscard]] std::optional<leads::Stage> stage_of_result(std::string_view word);

}  // namespace touchgate
