// What the engine keeps for agents beside the routing core: their numbered pushes (a fold of the log), promises, and the volatile side: who is
// connected, and until when his lease runs. Engine's thread only.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gateway/channel/submission.hpp"
#include "gateway/engine/desk.hpp"
#include "gateway/touch_log/log.hpp"

namespace touchgate {

enum class PushKind : std::uint8_t { presence = 1, offer, offer_revoked, connected, message, call_state, wrap_up, closed, lead, promise, notice, snapshot };

// One push, as little as it takes to make it again.
struct KeptPush {
    std::uint64_t seq = 0;
    Instant at{};
    PushKind kind = PushKind::presence;
    Uuid interaction{}, offer{};
    std::string text, more;                // by kind: the state and its cause, a reason, ids …
    std::uint64_t number = 0;              // offer: its fence
    std::int64_t until = 0;                // Unix ms: a deadline
    std::uint8_t flags = 0;                // offer: 1 answers itself, 2 preview; message: 1 inbound
    std::uint64_t position = 0;            // message: where its record stands
    TouchId touch{};
    std::shared_ptr<const AgentPush> made = {};  // volatile
    template <class A> void fields(A&& a) { a(seq, at, kind, interaction, offer, text, more, number, until, flags, position, touch); }
};

// The fold's side of an agent.
struct AgentRow {
    static constexpr Duration kept_for{std::chrono::minutes{10}};
    static constexpr std::size_t kept_max = 10'000;
    std::uint64_t last_seq = 0;
    std::deque<KeptPush> kept;             // oldest first, without gaps
    std::string shown;                     // the presence that was pushed last
    std::string state = "offline";         // as logged
};

struct PromiseRow {
    Uuid id{};
    ContactIndex contact{};
    Instant at{};
    std::string channel, agent, queue, state = "open", sealed;
    Uuid interaction{};
    [[nodiscard]] bool is_open() const { return state == "open" || state == "due" || state == "late"; }
    template <class A> void fields(A&& a) { a(id, contact, at, channel, agent, queue, state, sealed, interaction); }
};

// The volatile side of an agent.
struct AgentRuntime {
    struct Connected {
        std::shared_ptr<AgentConnection> connection;
        std::uint64_t sent = 0;            // the newest push that it took
        bool started = false;              // has asked for pushes
        bool takes = true;                 // its buffers have room
    };
    std::vector<Connected> connected;
    channel::Monotonic heard{0};           // last sign of life
    bool watched = false;                  // stands in the agenda of leases
    bool lapsed = false;                   // the lease is over, the grace runs
};

// What is due of conversations.
struct ConversationDue {
    Instant at{};
    Uuid interaction{};
    auto operator<=>(const ConversationDue&) const = default;
};

}  // namespace touchgate
