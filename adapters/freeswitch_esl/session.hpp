// One FreeSWITCH over its event socket: log-in, subscription, the snapshot, the legs as the switch tells of them, and commands on their way.
//
// One connection carries everything. Answers to commands come in the order of the commands, with events between them; what takes time is asked
// by `bgapi` under a Job-UUID of ours and answered by an event. The switch runs such jobs beside each other, so a command waits for the earlier
// ones of its leg or mix.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/freeswitch_esl/event.hpp"
#include "adapters/freeswitch_esl/frame.hpp"
#include "adapters/freeswitch_esl/settings.hpp"
#include "gateway/base/random.hpp"
#include "gateway/channel/call_adapter.hpp"

namespace touchgate::adapters::freeswitch_esl {

class Session final : public channel::CallSession {
public:
    using Monotonic = channel::Monotonic;

    Session(std::shared_ptr<const Settings> settings, std::uint64_t seed);

    [[nodiscard]] std::optional<Monotonic> connect_at() const override { return connect_at_; }
    void on_connected(Monotonic now, Instant wall) override;
    void on_closed(Monotonic now, std::string_view reason, bool credentials) override;
    void on_bytes(Monotonic now, Instant wall, std::string_view bytes) override;
    void on_answer(Monotonic now, Instant wall, std::uint64_t request, const channel::HttpResponse& response) override;
    void on_no_answer(Monotonic now, std::uint64_t request, bool written, std::string_view reason) override;
    void on_wake(Monotonic now, Instant wall) override;
    [[nodiscard]] std::optional<Monotonic> wake_at() const override;
    void execute(Monotonic now, channel::CommandId id, const channel::CallCommand& command) override;
    void shut_down(Monotonic now) override;
    [[nodiscard]] channel::CallOutput take_output() override;

    // What the switch sent and cannot be used.
    struct Counters {
        std::uint64_t events = 0, unreadable = 0, unknown = 0, stray_answers = 0;
    };
    [[nodiscard]] const Counters& counters() const { return counters_; }

private:
    enum class State : std::uint8_t { idle, greeting, logging_in, subscribing, syncing, up, closing };

    struct Leg {
        channel::LegRole role = channel::LegRole::customer;
        std::string owner, number;
        std::string dialed;              // of one that arrived before this connection
        bool arrived = false;
        bool seen = false;               // the switch has told of it
        bool up = false, told_ringing = false, told_answered = false;
        bool held = false;
        bool ended_by_us = false;
        bool detects_machine = false;    // its answer is told with the verdict
        channel::LegId listens_to;       // a leg that exists here only: its supervisor's telephone listens to that one
        bool whispers = false;
        channel::MixId mix;
        bool joined = false;             // told
        channel::LegId partner;          // bridged with it
        std::string play;                // that runs
        std::deque<std::string> media;   // of it, what is still to be played
        Instant since{};
        std::optional<Monotonic> lost_at;  // gone for all we know: reported then, unless the switch says more before
        std::string failed_cause;        // of the job that was to make it
    };
    struct Mix {
        std::string owner;
        std::vector<channel::LegId> legs;  // also those that exist here only
        bool conference = false;
    };

    // One thing to say to the switch. `message`: by sendmsg, answered at once; else by bgapi, answered by an event.
    struct Step {
        std::string text;
        bool message = false;
        bool may_fail = false;           // what it undoes may not be there
    };
    struct Job {
        channel::CommandId command = 0;
        channel::CallCommand what;
        std::vector<std::string> keys;   // of legs and mixes
        std::deque<Step> steps;
        bool running = false;
        Monotonic deadline = Monotonic::max();
    };
    enum class Asked : std::uint8_t { login, subscription, uptime, channels, variable, job, message, nothing };
    struct Pending {
        Asked what = Asked::nothing;
        std::uint64_t job = 0;
        std::string leg = {}, variable = {};
    };
    // The start of a connection, or a snapshot that was asked for later.
    struct Sync {
        bool first = true;
        std::vector<channel::CommandId> asked_by = {};
        struct Row { std::string number, state, to; Instant since{}; std::map<std::string, std::string, std::less<>> variables = {}; };
        std::map<channel::LegId, Row, std::less<>> rows = {};
        std::size_t missing = 0;         // variables that are asked for
        std::optional<Instant> began_at = {};  // the switch, as it says
    };

    // ---- The connection (session.cpp)
    void say(std::string_view text, Pending expected);
    void handle_frame(Monotonic now, Instant wall, const Frame& frame);
    void handle_reply(Monotonic now, Instant wall, const Frame& frame);
    void give_up(std::string reason, bool credentials);
    void start_sync(Monotonic now, bool first);
    void read_channels(Monotonic now, Instant wall, const std::string& body);
    void read_variable(Monotonic now, Instant wall, const Pending& asked, std::string_view body);
    void finish_sync(Monotonic now, Instant wall);
    [[nodiscard]] channel::Snapshot take_stock(Instant wall);
    [[nodiscard]] Duration back_off();

    // ---- Events (session_events.cpp)
    void handle(Monotonic now, Instant wall, const Event& event);
    void on_park(Monotonic now, Instant wall, const Event& event);
    void on_arrival(Instant wall, const Event& event, const std::string& marks);
    void on_bridge(const Event& event);
    void on_unbridge(const Event& event);
    void on_conference(const Event& event);
    void on_executed(Monotonic now, const Event& event);
    void on_hangup(Instant wall, const Event& event);
    void on_record_stop(const Event& event);
    void on_job(Monotonic now, Instant wall, const Event& event);
    void answered(const channel::LegId& id, Leg& leg, channel::AnsweredBy by, Instant at);
    void leg_ended(const channel::LegId& id, channel::LegEnded how);
    void joined(const channel::MixId& mix, const channel::LegId& leg);
    void parted(const channel::LegId& leg);
    void forget_in_mix(const channel::LegId& leg);
    [[nodiscard]] Leg* find_leg(const std::string& id);

    // ---- Commands (session_commands.cpp)
    void run_ready(Monotonic now);
    void start(Monotonic now, std::uint64_t number);
    void run_step(Monotonic now, std::uint64_t number);
    void step_done(Monotonic now, std::uint64_t number);
    void job_failed(Monotonic now, std::uint64_t number, std::string code, std::string detail, bool unwritten, bool unknown);
    void job_done(Monotonic now, const Job& job);
    void job_result(Monotonic now, std::uint64_t number, std::string_view result);
    // The steps of a command as things stand; or why there can be none.
    struct Refusal { std::string code, detail; };
    [[nodiscard]] std::optional<Refusal> plan(Job& job);
    [[nodiscard]] std::optional<Refusal> plan_make(Job& job, const channel::MakeLeg& command);
    [[nodiscard]] std::optional<Refusal> plan_join(Job& job, const channel::JoinLeg& command);
    [[nodiscard]] std::optional<Refusal> plan_part(Job& job, const channel::PartLeg& command);
    [[nodiscard]] std::optional<Refusal> plan_end_mix(Job& job, const channel::EndMix& command);
    [[nodiscard]] std::optional<Refusal> plan_play(Job& job, const channel::Play& command);
    [[nodiscard]] std::optional<Refusal> plan_recording(Job& job, const channel::StartRecording& command);
    [[nodiscard]] std::optional<Refusal> plan_plain(Job& job);
    void next_medium(Leg& leg, const channel::LegId& id);
    [[nodiscard]] std::optional<Refusal> plan_stop_play(Job& job, const channel::StopPlay& command);
    [[nodiscard]] std::optional<Refusal> plan_recorded(Job& job, const std::string& recording);
    [[nodiscard]] std::optional<Refusal> plan_fetch(const Job& job, const std::string& recording, bool drop);
    void end_leg(Job& job, const channel::EndLeg& command);
    void listen(Job& job, const Mix& mix);
    [[nodiscard]] std::string recording_path(const std::string& recording) const;
    [[nodiscard]] std::string recording_at(std::string_view path) const;  // empty: none of ours
    [[nodiscard]] std::vector<channel::LegId> real_legs(const Mix& mix) const;
    [[nodiscard]] std::string new_uuid();

    template <class E> void tell(E event) { output_.events.emplace_back(std::move(event)); }

    std::shared_ptr<const Settings> settings_;
    Random random_;
    State state_ = State::idle;
    std::optional<Monotonic> connect_at_ = Monotonic{0};
    bool wanted_ = true;
    unsigned failures_ = 0;
    std::optional<channel::PbxDown> reason_;    // why this session closes the connection
    Monotonic deadline_{};                      // of the start
    Monotonic heard_at_{};                      // when the last bytes came
    Instant wall_{};                            // as it was told last
    FrameReader reader_;
    std::deque<Pending> pending_;               // in the order in which they were asked

    std::optional<Sync> sync_;
    std::vector<Event> held_back_;              // that came while a snapshot was under way

    std::map<channel::LegId, Leg, std::less<>> legs_;
    std::map<channel::MixId, Mix, std::less<>> mixes_;
    struct Recording { std::string name; channel::LegId leg; channel::MixId mix; bool by_application = false; };  // mix: of a conference
    std::map<std::string, Recording, std::less<>> recordings_;  // by path

    std::map<std::uint64_t, Job> jobs_;         // by number: in the order in which they came
    std::map<std::string, std::uint64_t, std::less<>> job_uuids_;
    std::uint64_t next_job_ = 1;
    struct Fetch { channel::CommandId command = 0; std::string recording; bool drop = false; };
    std::map<std::uint64_t, Fetch> fetches_;    // by request
    std::uint64_t next_request_ = 1;

    channel::CallOutput output_;
    Counters counters_;
};

}  // namespace touchgate::adapters::freeswitch_esl
