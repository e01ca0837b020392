// The shape of a telephone system's adapter (Asterisk, FreeSWITCH): commands about legs and mixes go out, events about them come in. No socket,
// no thread, no clock.
//
// The gateway decides everything: which agent, who hears whom, when a leg ends. The adapter only translates. What it makes carries names that the
// gateway chose (legs, mixes, plays, recordings), so that a command that is repeated after a broken connection finds what the first one made, and
// the telephone system is told whose it is (`owner`), so that after a restart all of it is found again by a snapshot, or cleaned up.
//
// One CallSession is one telephone system of one account and lives as long as the account. All calls come from one thread; after each the
// transport takes what is to be written, asked and reported.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/base/result.hpp"
#include "gateway/channel/exchange_adapter.hpp"

namespace touchgate::channel {

// Names a leg: one party's connection to the telephone system. Of those the gateway makes: chosen by it (a UUID). Of those that arrive: the system's own.
using LegId = std::string;
// Names a mix: legs that are joined to one hear each other. Chosen by the gateway.
using MixId = std::string;
// Names a command within this run of the program. 0: nobody waits for its failure.
using CommandId = std::uint64_t;

enum class LegRole : std::uint8_t { customer = 1, agent, outside, supervisor };  // outside: a number that is neither, of a transfer or a conference
enum class EndReason : std::uint8_t { normal = 1, busy, congestion, rejected, no_answer, answered_elsewhere };

// ---- commands

// A new leg rings. Nothing of it may be written after `permit_deadline`: then CommandFailed with `unwritten`.
struct MakeLeg {
    LegId leg;
    std::string owner;                 // the interaction's id; kept by the telephone system
    LegRole role = LegRole::customer;
    std::string target;                // E.164 number of a customer or an outside party, `extension` of an agent
    std::string endpoint = {};         // a template with {number}, {national} or {extension} (a trunk's); empty: the account's for the role
    std::string caller_id = {};        // E.164 or internal; empty: the account's
    std::string caller_name = {};
    Duration ring_timeout{20'000};
    bool detect_machine = false;       // LegAnswered then waits for the verdict
    Monotonic permit_deadline = Monotonic::max();
};
struct AnswerLeg { LegId leg; };
struct RingLeg { LegId leg; };         // lets an unanswered leg that arrived hear ringing
struct EndLeg { LegId leg; EndReason reason = EndReason::normal; };
struct MakeMix { MixId mix; std::string owner; };
struct JoinLeg { MixId mix; LegId leg; };
struct PartLeg { MixId mix; LegId leg; };
struct EndMix { MixId mix; };          // its legs stay, without sound
struct StartMusic { LegId leg; std::string music = {}; };  // of a leg that is in no mix; empty: the account's
struct StopMusic { LegId leg; };
struct MuteLeg { LegId leg; bool muted = true; };          // what comes from it is not heard
struct SendDigits { LegId leg; std::string digits; };
// Plays one after the other to a leg that is in no mix, or to all in a mix. A medium: "file:<path or name>", "text:<words>" (where the system can speak),
// "number:<n>", "digits:<d>", "recording:<name>", "tone:<name>".
struct Play { std::string play; LegId leg; MixId mix; std::vector<std::string> media; std::string language = {}; };
struct StopPlay { std::string play; };
struct StartRecording { std::string recording; LegId leg; MixId mix; bool beep = false; Duration longest{}; std::string end_digits = {}; Duration silence{}; };  // 0: no limit
struct PauseRecording { std::string recording; bool paused = true; };
struct StopRecording { std::string recording; MixId mix = {}; };  // mix: that it records, which does not end before it. RecordingEnded follows
struct FetchRecording { std::string recording; };          // answered by RecordingFetched
struct DropRecording { std::string recording; };           // from the telephone system, once it is stored
// A new leg of the gateway that hears another one, and with `whisper` is heard by it alone; the supervisor's own leg is joined with it in a mix.
struct SnoopLeg { LegId leg; LegId of; std::string owner; bool whisper = false; };
struct AskSnapshot {};                                     // answered by Snapshot
using CallCommand = std::variant<MakeLeg, AnswerLeg, RingLeg, EndLeg, MakeMix, JoinLeg, PartLeg, EndMix, StartMusic, StopMusic, MuteLeg, SendDigits, Play, StopPlay,
                                 StartRecording, PauseRecording, StopRecording, FetchRecording, DropRecording, SnoopLeg, AskSnapshot>;

// ---- events

// Everything of this application at the telephone system, at one moment.
struct Snapshot {
    struct Leg { LegId leg; std::string owner; LegRole role = LegRole::customer; std::string number; bool answered = false; bool arrived = false; Instant since{};
                 // The telephone system does not say whose it is: this application's only if the gateway knows its name.
                 bool unsure = false;
                 std::string to = {}, endpoint = {}; };  // of one that arrived
    struct Mix { MixId mix; std::string owner; std::vector<LegId> legs; };
    std::vector<Leg> legs;
    std::vector<Mix> mixes;
    // When the telephone system itself began, by the gateway's clock: what was there before and is not there now was lost with it. Nothing: it does not tell.
    std::optional<Instant> began_at = {};
};
// Commands may flow. What happened while the connection was down is only to be had from the snapshot, which is always part of it.
struct PbxUp { Snapshot snapshot; std::string warning = {}; };
struct PbxDown { std::string reason; bool credentials = false; };

// A call came in and waits to be answered. `from` as the system gives it, not normalised; empty: withheld.
struct LegArrived {
    LegId leg;
    LegRole role = LegRole::customer;  // agent: an agent dials out; `from` is his extension and `to` the number he dialled
    std::string from, from_name, to;
    std::vector<std::string> arguments = {};  // further ones that the dial plan handed over
    Instant at{};
    std::string endpoint = {};         // over which it came, as the system calls it: a trunk's, or a telephone's
};
struct LegRinging { LegId leg; Instant at{}; };
enum class AnsweredBy : std::uint8_t { unasked = 0, human, machine, unsure };
struct LegAnswered { LegId leg; AnsweredBy by = AnsweredBy::unasked; Instant at{}; };
struct LegEnded {
    LegId leg;
    int cause = 0;                     // Q.850, 0: the system gave none
    int tech_cause = 0;                // SIP status, 0: none
    bool was_answered = false;
    bool by_far_end = false;           // the party itself ended it, as far as the system tells
    std::string outcome = {};          // a word of policy/call_outcomes.hpp: what the cause means on this system
    Instant at{};
};
struct LegJoined { MixId mix; LegId leg; };
struct LegParted { MixId mix; LegId leg; };
struct DigitPressed { LegId leg; char digit = 0; };
struct LegHeld { LegId leg; bool held = true; };           // by the telephone itself
// The telephone's own transfer put another leg into this one's place: the gateway goes on with `by`.
struct LegReplaced { LegId leg; LegId by; };
struct TransferAsked { LegId leg; std::string to; };       // the telephone asks for a transfer; the gateway does it or not
struct PlayEnded { std::string play; bool completed = true; bool failed = false; };  // failed: it could not be played; else, if not completed, it was cut off
struct RecordingEnded { std::string recording; Duration lasted{}; std::string failure = {}; };
struct RecordingFetched { std::string recording; std::string content_type; std::string bytes; std::string failure = {}; bool passing = false; };  // passing: a failure that may not come again
struct CommandFailed { CommandId command = 0; bool unwritten = false; bool unknown = false; std::string code, detail; };  // unknown: it may have been carried out
using CallEvent = std::variant<PbxUp, PbxDown, Snapshot, LegArrived, LegRinging, LegAnswered, LegEnded, LegJoined, LegParted, DigitPressed, LegHeld, LegReplaced, TransferAsked,
                               PlayEnded, RecordingEnded, RecordingFetched, CommandFailed>;

// ---- the session

// One request of its own connection beside the event stream; answered by exactly one on_answer or on_no_answer. Nothing of it is written after
// `not_after` (a permit's deadline): then on_no_answer, not written.
struct CallRequest { std::uint64_t id = 0; HttpRequest request; Duration timeout{10'000}; Monotonic not_after = Monotonic::max(); };

struct CallOutput {
    std::string bytes;                     // over a plain stream, in one go
    std::vector<std::string> frames;       // over a WebSocket, text frames
    std::vector<CallRequest> requests;     // may run at the same time; those that must not are asked one after the other
    std::vector<CallEvent> events;
    bool close = false;                    // the event stream, after everything is written
};

class CallSession {
public:
    virtual ~CallSession() = default;

    // When the transport should open the event stream; nothing while it is open. Covers the reconnect back-off.
    [[nodiscard]] virtual std::optional<Monotonic> connect_at() const = 0;
    virtual void on_connected(Monotonic now, Instant wall) = 0;
    virtual void on_closed(Monotonic now, std::string_view reason, bool credentials) = 0;
    virtual void on_bytes(Monotonic now, Instant wall, std::string_view bytes) = 0;   // a whole text frame of a WebSocket, or what a stream brought
    virtual void on_answer(Monotonic now, Instant wall, std::uint64_t request, const HttpResponse& response) = 0;
    virtual void on_no_answer(Monotonic now, std::uint64_t request, bool written, std::string_view reason) = 0;
    virtual void on_wake(Monotonic now, Instant wall) = 0;
    [[nodiscard]] virtual std::optional<Monotonic> wake_at() const = 0;

    // Commands of one leg or mix are carried out in the order in which they come. While down: CommandFailed `unwritten`.
    virtual void execute(Monotonic now, CommandId id, const CallCommand& command) = 0;
    // Leave politely: nothing is hung up.
    virtual void shut_down(Monotonic now) = 0;

    [[nodiscard]] virtual CallOutput take_output() = 0;
};

class CallAdapter {
public:
    virtual ~CallAdapter() = default;
    [[nodiscard]] virtual Capabilities capabilities() const = 0;
    struct Stream {
        bool websocket = true;             // else a plain stream of bytes
        std::string url;                   // "ws://host:port/path?query" or "tcp://host:port"; wss and tls likewise
        Headers headers = {};
        bool tls_verify = true;
        std::string tls_ca_file = {};
        Duration connect_timeout{10'000};
        Duration ping_interval{10'000};    // of a WebSocket; without a pong within the half of it the stream is given up
    };
    [[nodiscard]] virtual Stream stream() const = 0;
    // For `check --probe`: a harmless request that a gateway which is connected does not notice, and what its answer means, in words for an
    // operator; `unauthorized` when the credentials are refused. Without one the event stream is opened, and closed again.
    [[nodiscard]] virtual std::optional<HttpRequest> probe() const { return std::nullopt; }
    [[nodiscard]] virtual Result<std::string> read_probe(const HttpResponse&) const { return std::string{}; }
    // Whether a medium (a word of Play) is one that this system can play, as far as is known before it is tried.
    [[nodiscard]] virtual bool can_play(const std::string& /*medium*/) const { return true; }
    [[nodiscard]] virtual std::size_t requests_at_once() const { return 8; }
    [[nodiscard]] virtual int window() const { return 1'000; }  // permitted dials that the customer has not yet answered or refused
    [[nodiscard]] int segments(std::string_view /*text*/) const { return 1; }
    // `seed` feeds back-off jitter.
    [[nodiscard]] virtual std::unique_ptr<CallSession> make_session(std::uint64_t seed) const = 0;
};

}  // namespace touchgate::channel
