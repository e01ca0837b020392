// The state of one call: the fold of its facts, and beside it what only this run of the program knows.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/voice/facts.hpp"
#include "gateway/voice/ivr.hpp"

namespace touchgate::voice {

// One leg that is there, as far as is known. A leg that the gateway ends is forgotten at once: should it live on, a snapshot finds it.
struct Party {
    channel::LegId leg;
    Use use = Use::customer;
    std::string who;
    bool arrived = false, rang = false, up = false;
    Instant added_at{};
    Instant up_at = Instant::min();
    template <class A> void fields(A&& a) { a(leg, use, who, arrived, rang, up, added_at, up_at); }

    // Volatile.
    bool wanted = false;                   // in the call's mix: it was told so
    bool joined = false;                   // and is
    channel::CommandId command = 0;        // that made it
};

struct Recording {
    std::string name;
    RecordingState state = RecordingState::begun;
    std::int64_t lasted_ms = 0, bytes = 0;
    std::string content_type;
    bool voicemail = false;
    template <class A> void fields(A&& a) { a(name, state, lasted_ms, bytes, content_type, voicemail); }

    bool end_heard = false;                // volatile: the telephone system said that it ended, and was asked for it
    [[nodiscard]] bool runs() const { return state == RecordingState::begun || state == RecordingState::paused || state == RecordingState::resumed; }
};

// What becomes of a customer who was dialled and answers.
struct Plan {
    enum class Kind : std::uint8_t { none, agent_waits, play, menu, queue, reserved } kind = Kind::none;  // reserved: an agent whom the host names when he answers
    std::vector<std::string> media;
    std::string name;                      // of the menu or queue
    Duration agent_within{0};              // reserved: from his answer until both hear each other; 0: nobody is waited for who is not there when he answers
    bool detect_machine = false;
};

struct Call {
    Uuid id{};
    std::string account, did, queue, dialed_by, agent, sealed;  // agent: whose telephone is or was the last one in it
    std::string trunk, caller_id;          // that it took; empty: none of the account's trunks
    bool outbound = false;
    TouchId touch{};
    std::uint16_t attempt = 0;
    Stage stage = Stage::arrived;
    Instant stage_at{};
    std::string reason;                    // of the stage
    std::vector<Party> parties;
    channel::MixId mix;
    bool held = false;
    Consult consult = Consult::none;
    Instant started_at{};
    Instant customer_up_at = Instant::min(), queued_at = Instant::min(), accepted_at = Instant::min(), bridged_at = Instant::min();  // bridged_at: for the first time
    Instant talking_since = Instant::min(), held_since = Instant::min();
    Instant ended_at = Instant::min();
    std::int64_t talk_ms = 0, hold_ms = 0, ring_ms = 0;
    std::int32_t cause = 0, tech_cause = 0;  // of the customer's leg
    std::string outcome, hung_up_by;
    std::vector<Recording> recordings;

    template <class A> void fields(A&& a) {
        a(id, account, did, queue, dialed_by, agent, sealed, outbound, touch, attempt, stage, stage_at, reason, parties, mix, held, consult, started_at, customer_up_at, queued_at,
          accepted_at, bridged_at, talking_since, held_since, ended_at, talk_ms, hold_ms, ring_ms, cause, tech_cause, outcome, hung_up_by, recordings, trunk, caller_id);
    }

    // Volatile.
    struct Live {
        Instant deadline = instant_never;  // of the stage
        Instant tick = instant_never;      // of what else is due: an announcement, the one who is asked
        Instant lost_since = instant_never;  // the telephone system is gone
        std::string play;                  // in hand; empty: none
        channel::CommandId play_command = 0;  // that began it
        std::string failure;               // why it came to an end, in the telephone system's words; empty: nothing failed
        Instant agent_by = instant_never;  // plan reserved: until then the customer is joined with his agent, or let go
        bool music = false, muted = false;
        int rejoined = 0, redialled = 0;
        Plan plan;
        MenuPlace place;
        std::string after_play;            // stage playing: the outcome with which the call is over
        bool played_is_content = false;    // what is played is what the touch wanted to say
        std::map<std::string, std::pair<Supervising, channel::MixId>, std::less<>> supervisors;
        bool estimated = false;
    } live;

    [[nodiscard]] Party* party(Use use);
    [[nodiscard]] const Party* party(Use use) const { return const_cast<Call*>(this)->party(use); }
    [[nodiscard]] Party* leg(std::string_view name);
    [[nodiscard]] bool is_over() const { return stage == Stage::ended; }
    [[nodiscard]] bool is_parked() const { return stage == Stage::waiting && reason == "parked"; }
    [[nodiscard]] Instant due() const { return is_over() ? instant_never : std::min(live.deadline, live.tick); }
    // So far, in milliseconds: talk with holds, holds alone, from queued to accepted.
    [[nodiscard]] std::int64_t talked(Instant now) const;
    [[nodiscard]] std::int64_t was_held(Instant now) const;
    [[nodiscard]] std::int64_t waited(Instant now) const;
};

// The fold. Of a CallStarted the call is made new.
void apply(Call& call, const Fact& fact, Instant at);

}  // namespace touchgate::voice
