// What is done about one call: events of its legs, decisions of agents and deadlines come in; commands to the telephone system, facts and
// requests to the host go out. It keeps nothing itself: all that it knows is in the Call, made by the facts that it has noted.
//
// Pure: time is an argument. A machine is made for one input and thrown away. Whatever comes, in whatever order: each leg that was made is
// either a party of the call or has been ended, and each stage but the last has a deadline.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/voice/call.hpp"
#include "gateway/voice/rules.hpp"

namespace touchgate::voice {

// What the agent does with the call, for whoever shows it.
enum class AgentPhase : std::uint8_t { dialing, active, held, consulting, conference };

// Whoever keeps the call.
class CallHost : public MenuFacts {
public:
    // Stores it and applies it to the call before it returns.
    virtual void note(const Fact& fact) = 0;
    virtual channel::CommandId command(channel::CallCommand command) = 0;
    [[nodiscard]] virtual std::string new_name() = 0;  // a UUID
    [[nodiscard]] virtual std::string queue_name() const = 0;   // in which it waits or waited last
    [[nodiscard]] virtual bool is_recorded() const = 0;
    [[nodiscard]] virtual std::string extension_of(const std::string& agent) const = 0;
    // Of a caller who waits: place and expected wait as numbers for the media of an announcement.
    struct Wait { std::uint32_t position = 0; std::optional<Duration> at_least, at_most; };
    [[nodiscard]] virtual Wait wait() const = 0;

    // The caller is to be served from here on; empty: the account's queue. False: there is no such queue.
    virtual bool enqueue(const std::string& queue, int priority, const std::vector<std::string>& needs) = 0;
    // The agent's telephone did not answer: the caller is back at his old place. `his_fault`: it counts as unanswered.
    virtual void agent_unanswered(const std::string& reason, bool his_fault) = 0;
    // The agent is out of the call and the customer is not: to the front of the queue. False: there is none.
    virtual bool agent_dropped(const std::string& reason) = 0;
    // The customer who was dialled is let go, for nobody was with him in time: whoever was to have him is free, and has done nothing wrong.
    virtual void nobody_in_time() = 0;
    virtual void phase(AgentPhase phase) = 0;
    virtual void agent_is_up() = 0;                   // of a call that he dials: the customer may be dialled now
    // The customer who was dialled answered. With plan `reserved`: the agent who is to have him; empty: none is left.
    virtual std::string customer_answered(channel::AnsweredBy by) = 0;
    virtual void content_played() = 0;
    virtual void handed_on(const std::string& to_agent) = 0;  // to an agent after a consultation; empty: to a party outside
    virtual void wants_promise() = 0;                 // to be called back
    // The telephone system has lost a customer who waited or talked with somebody: nobody hung up.
    virtual void cut_off() = 0;
    virtual void transfer_asked(const std::string& to) = 0;  // by the agent's telephone
    virtual void consult_over() = 0;                  // whoever was asked is free again
    virtual void park_over() = 0;                     // nobody took up the call that was parked: he waits for the next who is free
    virtual void unwritten() = 0;                     // the customer's leg was never made: the permit's deadline had passed, or the line was down
    virtual void over(const CallEnded& ended) = 0;
};

class Machine {
public:
    Machine(Call& call, const CallRules& rules, CallHost& host, Instant now) : call_{call}, rules_{rules}, host_{host}, now_{now} {}

    // ---- beginnings; CallStarted is noted
    void arrive(const channel::LegId& leg);                   // a call comes in
    void begin_by_agent(const std::string& agent);            // his telephone first
    void begin_at_telephone(const channel::LegId& leg, const std::string& agent);  // he dialled at his telephone, which waits
    struct Target { std::string number, endpoint, caller_id; Duration ring_timeout{0}; channel::Monotonic permit_deadline = channel::Monotonic::max(); };
    void dial_customer(const Target& target, Plan plan);
    void refused();                                           // the customer may not be dialled
    bool agent_found(const std::string& agent);               // for a customer who was dialled and waits for the first who is free

    // ---- events of its legs, plays and recordings
    void on(const channel::LegRinging& event);
    void on(const channel::LegAnswered& event);
    void on(const channel::LegEnded& event);
    void on(const channel::LegJoined& event);
    void on(const channel::LegParted& event);
    void on(const channel::DigitPressed& event);
    void on(const channel::LegHeld& event);
    void on(const channel::LegReplaced& event);
    void on(const channel::TransferAsked& event);
    void on(const channel::PlayEnded& event);
    void on(const channel::RecordingEnded& event);
    void play_failed(const std::string& detail);              // of what is being played
    void make_failed(const channel::LegId& leg, const channel::CommandFailed& failure);

    // ---- decisions. False: not in this state.
    void accepted(const std::string& agent);
    bool hold(bool held);
    bool mute(bool muted);
    bool send_digits(const std::string& digits);
    void hang_up(std::string_view by);
    bool release(const std::string& reason);                  // to another queue or agent: the customer waits again
    bool park();                                              // the agent leaves, the customer waits until somebody takes him up
    bool transfer_outside(const std::string& name, const std::string& number);
    bool consult(const std::string& with, const std::string& target);  // "agent:ID" with his extension, "phone:NAME" with its number
    bool consult_toggle();
    bool consult_complete();
    bool consult_cancel();
    bool conference();
    bool supervise(const std::string& supervisor, const std::string& extension, Supervising how);
    bool pause_recording(bool paused);
    // The queue lets him go: words, then the end.
    void say_and_end(const Media& media, const std::string& outcome);
    void take_message();

    // ---- time and trouble
    void due();
    void lost();                                              // the telephone system is gone
    // `plan`: of a customer who was dialled by an earlier run of the program, which alone knew it.
    void recover(const channel::Snapshot& snapshot, const Plan& plan = {});

private:
    void move(Stage stage, std::string reason = {}, std::string_view outcome = {}, std::string_view by = {});
    [[nodiscard]] Duration limit(Stage stage) const;
    [[nodiscard]] bool can_act() const { return call_.live.lost_since == instant_never && !call_.is_over(); }
    void to(channel::CallCommand command) { (void)host_.command(std::move(command)); }

    Party& add(Use use, const std::string& who, const channel::LegId& leg, bool arrived);
    void drop(const channel::LegId& leg, channel::EndReason reason = channel::EndReason::normal, std::string_view outcome = "cancelled");
    void drop_all(Use use);
    void gone(const LegGone& event);
    void customer_gone(const LegGone& event, bool was_up);
    void customer_lost();
    [[nodiscard]] bool customer_is_served() const;            // he waits for somebody, or talks
    void agent_gone(const LegGone& event);
    void consult_gone();
    void customer_up(channel::AnsweredBy by);
    void agent_up();

    void after_greeting();
    void follow(const MenuStep& step);
    void to_queue(const std::string& queue, int priority, const std::vector<std::string>& needs);
    void wait_again(const std::string& reason);
    void entertain();                                         // music for who waits
    void silence();
    void announce();
    void play(const Media& media);
    void arm();                                               // the stage's deadline, from now
    [[nodiscard]] bool awaits_agent() const { return call_.live.plan.kind == Plan::Kind::reserved && call_.bridged_at == Instant::min(); }
    void too_late();
    void stop_play();
    void ring_agent(const std::string& agent);
    void join();
    void bridged(bool again);
    void put_in(Party& party);                                // the call's mix
    void take_out(Party& party);
    void customer_out();                                      // of the mix, with music
    void customer_in();
    void begin_recording();
    void go_on_recording();                // after the connection was lost
    void stop_recordings();
    void apply_supervision(const std::string& supervisor);
    void end_supervision();
    void finish(std::string_view outcome, std::string_view by);
    void close(std::string_view outcome, std::string_view by);
    [[nodiscard]] std::string_view outcome_of_customer() const;

    Call& call_;
    const CallRules& rules_;
    CallHost& host_;
    Instant now_;
};

}  // namespace touchgate::voice
