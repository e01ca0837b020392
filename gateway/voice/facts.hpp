// What happens to a call, one value an event: a call's state is the fold of these. The engine logs each of them; numbers of enumerations are
// written to the log: never change one, only add.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "gateway/base/ids.hpp"
#include "gateway/base/time.hpp"
#include "gateway/channel/call_adapter.hpp"

namespace touchgate::voice {

// Where a call stands, seen from the customer. Every stage but the last has a deadline and a successor, see `limit` in machine.hpp.
enum class Stage : std::uint8_t {
    arrived = 1,        // it rings here, nothing is decided yet
    greeting,           // a greeting or an announcement is played; then it goes on to a menu or a queue
    menu,               // the caller is led through a menu
    waiting,            // in a queue, with music or ringing
    calling_agent,      // an agent's telephone rings
    joining,            // both are there and are being joined
    talking,            // customer and agent hear each other (or the customer is held)
    calling_customer,   // the customer's telephone rings
    calling_outside,    // a number outside rings, to which the call was handed on; the agent has left
    outside,            // the customer talks with it
    playing,            // something is played to its end, then the call is over
    voicemail,          // the caller leaves a message
    ending,             // all legs are being ended
    ended,
};

// What a leg is for.
enum class Use : std::uint8_t {
    customer = 1, agent,
    consult,            // whom the agent asks, or who is the third of a conference
    outside,            // to which the call was handed on
    supervisor,         // his own telephone
    snoop,              // of the gateway, between the agent's leg and the supervisor
};

enum class Consult : std::uint8_t { none = 0, ringing, private_talk, with_customer, conference };  // with_customer: the one who is asked waits meanwhile
enum class RecordingState : std::uint8_t { begun = 1, paused, resumed, ended, stored, failed, deleted };
enum class Supervising : std::uint8_t { none = 0, monitor, whisper, barge };

struct CallStarted {
    Uuid call{};                           // the interaction's id
    std::string account = {}, did = {}, queue = {}, agent = {};  // agent: who dials
    bool outbound = false;
    TouchId touch{};                       // nil: none, or not yet
    std::uint16_t attempt = 0;
    std::string sealed = {};                    // for the engine: the numbers
    template <class A> void fields(A&& a) { a(call, account, did, queue, agent, outbound, touch, attempt, sealed); }
};
// Of a call that an agent began: the touch by whose permit the customer is dialled.
struct CallPermitted {
    Uuid call{};
    TouchId touch{};
    std::uint16_t attempt = 0;
    template <class A> void fields(A&& a) { a(call, touch, attempt); }
};
struct StageChanged {
    Uuid call{};
    Stage stage = Stage::arrived;
    std::string reason = {};
    template <class A> void fields(A&& a) { a(call, stage, reason); }
};
struct LegAdded {
    Uuid call{};
    channel::LegId leg = {};
    Use use = Use::customer;
    std::string who = {};                       // an agent's id, or the name of a route
    bool arrived = false;                  // it was not made by the gateway
    template <class A> void fields(A&& a) { a(call, leg, use, who, arrived); }
};
struct LegRang {
    Uuid call{};
    channel::LegId leg = {};
    Use use = Use::customer;
    template <class A> void fields(A&& a) { a(call, leg, use); }
};
struct LegUp {
    Uuid call{};
    channel::LegId leg = {};
    Use use = Use::customer;
    channel::AnsweredBy by = channel::AnsweredBy::unasked;
    template <class A> void fields(A&& a) { a(call, leg, use, by); }
};
struct LegGone {
    Uuid call{};
    channel::LegId leg = {};
    Use use = Use::customer;
    std::int32_t cause = 0, tech_cause = 0;  // Q.850 and SIP; 0: none was given
    std::string outcome = {};                   // a word of policy/call_outcomes.hpp
    bool by_far_end = false, estimated = false;  // estimated: found gone afterwards
    template <class A> void fields(A&& a) { a(call, leg, use, cause, tech_cause, outcome, by_far_end, estimated); }
};
// The telephone put another leg into this one's place.
struct LegSwapped {
    Uuid call{};
    channel::LegId leg = {}, by = {};
    template <class A> void fields(A&& a) { a(call, leg, by); }
};
// Customer and agent hear each other; again after a call was found whole by a snapshot.
struct Bridged {
    Uuid call{};
    channel::MixId mix = {};
    std::string agent = {};
    bool again = false;
    template <class A> void fields(A&& a) { a(call, mix, agent, again); }
};
struct HeldChanged {
    Uuid call{};
    bool held = false;
    template <class A> void fields(A&& a) { a(call, held); }
};
struct ConsultChanged {
    Uuid call{};
    Consult state = Consult::none;
    std::string with = {}, reason = {};
    template <class A> void fields(A&& a) { a(call, state, with, reason); }
};
struct RecordingChanged {
    Uuid call{};
    std::string recording = {};
    RecordingState state = RecordingState::begun;
    std::int64_t lasted_ms = 0, bytes = 0;
    std::string content_type = {}, failure = {};
    bool voicemail = false;
    template <class A> void fields(A&& a) { a(call, recording, state, lasted_ms, bytes, content_type, failure, voicemail); }
};
struct SupervisionChanged {
    Uuid call{};
    std::string supervisor = {};
    Supervising how = Supervising::none;
    template <class A> void fields(A&& a) { a(call, supervisor, how); }
};
struct CallEnded {
    Uuid call{};
    TouchId touch{};
    std::uint16_t attempt = 0;
    bool outbound = false;
    std::string did = {}, agent = {}, queue = {}, outcome = {}, hung_up_by = {};  // hung_up_by: customer, agent, gateway, network
    std::int32_t cause = 0, tech_cause = 0;
    std::int64_t answered_at = 0, ended_at = 0;          // Unix ms; 0: never
    std::int64_t wait_ms = 0, ring_ms = 0, talk_ms = 0, hold_ms = 0;
    bool estimated = false;
    std::string sealed = {};                    // for the engine: the numbers
    template <class A> void fields(A&& a) {
        a(call, touch, attempt, outbound, did, agent, queue, outcome, hung_up_by, cause, tech_cause, answered_at, ended_at, wait_ms, ring_ms, talk_ms, hold_ms, estimated, sealed);
    }
};

using Fact = std::variant<CallStarted, CallPermitted, StageChanged, LegAdded, LegRang, LegUp, LegGone, LegSwapped, Bridged, HeldChanged, ConsultChanged, RecordingChanged,
                          SupervisionChanged, CallEnded>;

[[nodiscard]] std::string_view to_string(Stage stage);
[[nodiscard]] std::string_view to_string(Use use);
[[nodiscard]] std::string_view to_string(Consult consult);
[[nodiscard]] std::string_view to_string(RecordingState state);
[[nodiscard]] std::string_view to_string(Supervising how);

}  // namespace touchgate::voice
