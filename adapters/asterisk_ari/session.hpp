// One PBX over ARI: the event stream with its start (filter, snapshot, what came in between), the legs as the PBX tells of them, and the
// commands on their way.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "adapters/asterisk_ari/commands.hpp"
#include "adapters/asterisk_ari/event.hpp"
#include "adapters/asterisk_ari/job.hpp"
#include "adapters/asterisk_ari/settings.hpp"
#include "gateway/base/random.hpp"
#include "gateway/channel/call_adapter.hpp"

namespace touchgate::adapters::asterisk_ari {

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

    // What the PBX sent and cannot be used.
    struct Counters {
        std::uint64_t events = 0;
        std::uint64_t unreadable = 0;     // frames that are no ARI event
        std::uint64_t unknown = 0;        // events of a type that is not looked at
        std::uint64_t stray_answers = 0;  // to requests that nobody made
    };
    [[nodiscard]] const Counters& counters() const { return counters_; }

private:
    enum class State : std::uint8_t { idle, syncing, up, closing };
    enum class Machine : std::uint8_t { unasked, wanted, listening };

    struct Leg {
        channel::LegRole role = channel::LegRole::customer;
        std::string owner, number;
        bool arrived = false;
        bool in_app = false;             // may be joined, played to …
        bool up = false;
        bool told_ringing = false;
        bool told_answered = false;
        bool held = false;
        bool music = false;
        Machine machine = Machine::unasked;
        bool ended_by_us = false;
        bool far_end_left = false;       // the party itself asked for the end
        bool hangup_asked = false;       // anybody
        int tech_cause = 0;
        std::optional<Monotonic> lost_at;  // gone for all we know: reported then, unless the PBX says more before
        bool silent = false;             // its end is not reported: another leg took its place, or its making was reported as failed
        std::optional<Instant> since;
        std::set<std::string> plays;
        // For a leg that leaves a mix as soon as it came: no common codec.
        channel::MixId mix;
        std::optional<Instant> joined_at;
        channel::CommandId joined_by = 0;
    };

    // The start of a connection, or a snapshot that was asked for later.
    struct Sync {
        bool first = true;                 // of this connection: then PbxUp
        std::vector<channel::CommandId> asked_by = {};
        bool filtered = false;
        std::map<std::uint64_t, int> requests = {};  // id → part
        std::optional<Json> application = {}, channels = {}, bridges = {};
        std::string warning = {};
        bool informed = false;             // the PBX said when it began, or will not
        std::optional<Instant> began_at = {};
        Monotonic deadline{};
    };

    // ---- The connection (session.cpp)
    void start_sync(Monotonic now, bool first);
    void ask_sync_part(int part);
    void on_sync_answer(Monotonic now, Instant wall, int part, const channel::HttpResponse& response);
    void finish_sync(Monotonic now, Instant wall);
    void fail_sync(Monotonic now, std::string reason, bool credentials);
    [[nodiscard]] channel::Snapshot take_stock(Instant wall);
    void give_up_connection(Monotonic now, std::string reason, bool credentials, Duration pause);
    [[nodiscard]] Duration back_off();
    std::uint64_t ask(std::string method, const std::string& path, std::string body, Duration timeout, Monotonic not_after = Monotonic::max());

    // ---- Events (session_events.cpp)
    void handle(Monotonic now, Instant wall, const Event& event);
    void on_stasis_start(Monotonic now, Instant wall, const Event& event);
    void on_arrival(Monotonic now, Instant wall, const Event& event);
    void on_replacement(Monotonic now, const Event& event);
    void on_stasis_end(Monotonic now, const Event& event);
    void on_state_change(Monotonic now, Instant wall, const Event& event);
    void on_hangup_request(const Event& event);
    void on_destroyed(Instant wall, const Event& event);
    void on_bridge_event(const Event& event, bool entered);
    void on_transfer(Monotonic now, const Event& event);
    void on_play_end(const Event& event);
    void answered(const channel::LegId& id, Leg& leg, channel::AnsweredBy by, Instant wall);
    void leg_ended(const channel::LegId& id, int cause, int tech_cause, Instant wall);
    // The leg that the application's arguments or the channel's variables tell of.
    void learn(Leg& leg, const ChannelSnapshot& channel) const;
    [[nodiscard]] Leg* find_leg(const std::string& id);  // a stranger is one of ours from then on

    // ---- Commands (session_jobs.cpp)
    void adapt(Job& job, const channel::CallCommand& command);
    void run_ready(Monotonic now);
    void run_step(Monotonic now, JobNumber number, Job& job);
    // The next step, if there is one, as soon as the channel is where it must be.
    void go_on(Monotonic now, JobNumber number, Job& job);
    void in_application(Monotonic now, const channel::LegId& id);
    void ask_what_became(JobNumber number, Job& job);
    void on_job_answer(Monotonic now, Instant wall, JobNumber number, const channel::HttpResponse& response);
    void step_done(Monotonic now, JobNumber number, Job& job);
    void job_failed(Monotonic now, JobNumber number, channel::CommandFailed failure);
    void job_done(Monotonic now, Job& job, const channel::HttpResponse& response);
    void leg_not_found(Monotonic now, const channel::LegId& id);
    void add_internal(Monotonic now, const channel::LegId& leg, Step step, JobKind kind = JobKind::internal);
    void forget_made(Monotonic now, const channel::LegId& id, bool may_exist);
    // Hangs up what nobody waits for, and does not give in at the first refusal.
    void clean_up(Monotonic now, const channel::LegId& id);

    template <class E> void tell(E event) { output_.events.emplace_back(std::move(event)); }

    std::shared_ptr<const Settings> settings_;
    Random random_;
    State state_ = State::idle;
    std::optional<Monotonic> connect_at_ = Monotonic{0};
    bool wanted_ = true;
    unsigned failures_ = 0;
    unsigned replaced_ = 0;                     // times in a row that another client took the application over
    std::optional<Monotonic> up_since_;         // of this connection
    std::optional<Duration> pause_;             // before the next connection, if it is not the usual back-off
    std::optional<channel::PbxDown> reason_;    // why this session closes the connection

    std::optional<Sync> sync_;
    std::vector<Event> held_back_;              // events that came while a snapshot was under way

    std::map<channel::LegId, Leg, std::less<>> legs_;
    // Channels of the last snapshot of which the PBX does not say whose they are. The PBX tells what becomes of one only if it is ours.
    std::map<channel::LegId, Leg, std::less<>> strangers_;
    std::set<channel::MixId, std::less<>> mixes_;
    std::set<std::string, std::less<>> stopped_plays_;  // the PBX calls these "done" as well
    // Legs whose making was reported as failed: should one come to life after all, it is hung up.
    std::unordered_set<channel::LegId> unwanted_;
    std::deque<channel::LegId> unwanted_order_;
    struct CleaningUp {
        int tries = 0;
        std::optional<Monotonic> again_at = {};
    };
    std::map<channel::LegId, CleaningUp, std::less<>> cleaning_up_;

    JobQueue jobs_;
    std::map<std::uint64_t, JobNumber> requests_;
    std::uint64_t next_request_ = 1;
    std::map<JobNumber, Monotonic> waiting_for_app_;  // jobs whose channel is made but not yet in the application, and until when they wait

    channel::CallOutput output_;
    Counters counters_;
};

}  // namespace touchgate::adapters::asterisk_ari
