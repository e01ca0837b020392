// What happens to agents, offers and items, one value an event: the router's state is the fold of these. The engine logs each of them; numbers of
// enumerations are written to the log: never change one, only add.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/base/ids.hpp"
#include "gateway/base/time.hpp"

namespace touchgate::routing {

enum class Session : std::uint8_t { offline = 1, signed_in, fault };  // fault: his lease has lapsed, his work is still kept for him
enum class Intent : std::uint8_t { not_ready = 1, ready, after_current };
enum class OfferResult : std::uint8_t { pending = 0, accepted, rejected, timed_out, rescinded, cancelled };
// What an agent does with an item that is his.
enum class Phase : std::uint8_t { active = 1, dialing, held, consulting, conference };
enum class ItemState : std::uint8_t { queued = 1, reserved, assigned, wrapping, completed, abandoned, flowed_out, cancelled, expired, recovering };

struct AgentDefined {
    std::string id = {}, document = {};              // JSON
    template <class A> void fields(A&& a) { a(id, document); }
};
struct QueueDefined {
    std::string id = {}, document = {};
    template <class A> void fields(A&& a) { a(id, document); }
};

struct AgentSessionChanged {
    std::string agent = {};
    Session session = Session::offline;
    std::string cause = {}, actor = {};              // "sign_in", "lease", "supervisor" …; who, if not himself
    template <class A> void fields(A&& a) { a(agent, session, cause, actor); }
};
// Ends a block after unanswered offers when he is ready again.
struct AgentIntentChanged {
    std::string agent = {};
    Intent intent = Intent::not_ready;
    std::string reason = {}, cause = {}, actor = {};
    template <class A> void fields(A&& a) { a(agent, intent, reason, cause, actor); }
};
struct AgentHealthChanged {
    std::string agent = {};
    bool healthy = true;
    std::string reason = {};
    template <class A> void fields(A&& a) { a(agent, healthy, reason); }
};

// Stands in a queue from now on; also when it comes back, or goes to another queue.
struct ItemQueued {
    Uuid item{};
    std::string queue = {}, channel = {};
    std::uint8_t priority = 50;
    std::int64_t first_queued_at = 0;      // Unix ms: its age counts from here and is never reset
    std::string cause = {};                     // "arrived", "rejected", "timed_out", "rescinded", "transfer", "overflow", "recovered", "resumed", "reopened" …
    std::vector<std::string> needs = {};        // skills beyond the queue's, "name" or "name:level"
    std::string prefers = {};                   // agent, for strategy sticky; empty: none
    std::string only = {};                      // agent who alone may have it (a transfer to him); empty: anybody
    bool front = false;                    // before all others of its priority
    template <class A> void fields(A&& a) { a(item, queue, channel, priority, first_queued_at, cause, needs, prefers, only, front); }
};

// Why this agent: of how many candidates, what was left after each filter, and what decided between the last two.
struct ChoiceTrace {
    std::string strategy = {}, tie_break = {};
    std::uint32_t members = 0, routable = 0, skilled = 0, not_in_backoff = 0, with_capacity = 0;
    std::uint8_t ring = 0;
    std::vector<std::string> considered = {};   // the best, best first, at most 8
    template <class A> void fields(A&& a) { a(strategy, tie_break, members, routable, skilled, not_in_backoff, with_capacity, ring, considered); }
};
struct OfferMade {
    Uuid offer{}, item{};
    std::string agent = {};
    std::uint64_t fence = 0;               // higher than that of every offer before
    std::int64_t deadline = 0;             // Unix ms
    bool silent = false;                   // reserved for a call that is being dialled: nothing is shown to the agent
    bool auto_answer = false, preview = false;
    ChoiceTrace trace{};
    template <class A> void fields(A&& a) { a(offer, item, agent, fence, deadline, silent, auto_answer, preview, trace); }
};
// Without an offer: it was accepted, and then the agent's telephone was not answered.
struct OfferEnded {
    Uuid offer{}, item{};
    std::string agent = {};
    OfferResult result = OfferResult::rescinded;
    std::string reason = {};                    // of the rejection, or "timeout", "accepted_elsewhere", "cancelled", "not_routable", "rejected"
    bool blocks = false;                   // he gets no further offers until he says that he is ready
    std::int64_t backoff_until = 0;        // Unix ms; 0: none
    template <class A> void fields(A&& a) { a(offer, item, agent, result, reason, blocks, backoff_until); }
};
// An agent's without an offer: he dialled himself, took it over, or a supervisor gave it to him.
struct ItemAssigned {
    Uuid item{};
    std::string agent = {}, channel = {}, queue = {}, cause = {};
    template <class A> void fields(A&& a) { a(item, agent, channel, queue, cause); }
};
struct ItemPhaseChanged {
    Uuid item{};
    Phase phase = Phase::active;
    template <class A> void fields(A&& a) { a(item, phase); }
};
// The telephone system or the agent's device has lost it; what was assigned stays assigned meanwhile.
struct ItemRecovering {
    Uuid item{};
    bool recovering = true;
    std::string reason = {};
    template <class A> void fields(A&& a) { a(item, recovering, reason); }
};
struct ItemWrapping {
    Uuid item{};
    std::int64_t deadline = 0;             // Unix ms
    std::string outcome = {}, reason = {};
    template <class A> void fields(A&& a) { a(item, deadline, outcome, reason); }
};
struct ItemEnded {
    Uuid id{};
    std::string state = {}, outcome = {}, disposition = {}, reason = {};  // state: a final one
    std::string sealed = {};                    // the note, for the engine
    template <class A> void fields(A&& a) { a(id, state, outcome, disposition, reason, sealed); }
};

[[nodiscard]] std::string_view to_string(Session session);
[[nodiscard]] std::string_view to_string(Intent intent);
[[nodiscard]] std::string_view to_string(OfferResult result);
[[nodiscard]] std::string_view to_string(ItemState state);  // "queued" …

}  // namespace touchgate::routing
