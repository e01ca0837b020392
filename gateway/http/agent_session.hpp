// One connection of an agent, without its socket: requests, replies, pushes, limits, heartbeats, the token's time. The socket is behind AgentWire,
// the engine behind AgentHub, so that tests need neither.
//
// A push that the engine hands over is rendered once for all connections of the agent, and written when those before it are. When many wait for
// a slow reader the engine is told to keep the rest, numbered as they are, and asked for them when the others have left.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/http/agent_hub.hpp"
#include "gateway/http/agent_requests.hpp"

namespace touchgate::http {

// The socket. Own I/O thread. It outlives the session's use of it: `on_closed` ends that.
class AgentWire {
public:
    virtual ~AgentWire() = default;
    // One at a time; `text` stays until AgentSession::on_written.
    virtual void write(std::string_view text) = 0;
    virtual void ping() = 0;
    // Reads on, after AgentSession::reads_on said no.
    virtual void read_on() = 0;
    // Says good-bye, then closes.
    virtual void close(AgentClose code, std::string_view reason) = 0;
    virtual void drop() = 0;
};

class AgentSession final : public AgentConnection, public WallboardReader, public std::enable_shared_from_this<AgentSession> {
public:
    using Moment = std::chrono::steady_clock::time_point;

    AgentSession(AgentHub& hub, Worker& worker, AgentToken token) : hub_{hub}, worker_{worker}, agent_{std::move(token.agent)}, expires_at_{token.expires_at} {}

    // ---- AgentConnection: the engine's thread
    bool push(std::vector<std::shared_ptr<const AgentPush>> pushes) override;
    void end(std::string reason) override;

    // ---- own I/O thread
    void open(AgentWire& wire, const Hello& hello);
    void on_text(std::string_view text);
    void on_heard();       // a ping or pong; texts count by themselves
    void on_written();
    void on_closed();      // the wire is not used any more
    void refuse(AgentClose code, std::string_view reason);  // says why, and closes
    // Does what is due; to be called at `deadline` or soon after.
    void tick();
    [[nodiscard]] Moment deadline() const { return deadline_; }
    // False: too much waits to be written; read_on() tells when to go on.
    [[nodiscard]] bool reads_on();

    // ---- WallboardReader
    bool show(const WallboardText& board) override;
    [[nodiscard]] bool is_open() const override { return wire_ != nullptr && !closing_; }
    void still_here() override {}

    [[nodiscard]] const std::string& agent() const { return agent_; }

private:
    struct Waiting {
        std::shared_ptr<const AgentFrame> frame;
        bool is_push = false;
    };
    [[nodiscard]] Moment now() const { return Moment{hub_.clock().monotonic_now()}; }
    void take(const std::vector<std::shared_ptr<const AgentFrame>>& frames);
    void send(std::string text) { enqueue(std::make_shared<const AgentFrame>(std::move(text)), false); }
    void enqueue(std::shared_ptr<const AgentFrame> frame, bool is_push);
    void write_next();
    void fall_behind();
    void pull_if_drained();

    void dispatch(AgentRequest request);
    void resume(const AgentRequest& request);
    void renew(const AgentRequest& request);
    void watch(const AgentRequest& request);
    void read_timeline(std::string id_json, TimelineWork work);
    // Runs in a turn; before the first request the state is pushed. False: the engine is full, which was replied.
    bool in_turn(const std::string& id_json, absl::AnyInvocable<void(AgentDesk&)> work);
    void reply(const std::string& id_json, AgentReply reply);
    void reply_asked(const std::string& id_json, AgentReply answer);  // to what in_turn was asked
    void read_on_if_paused();
    // From a turn: sent when it is durable.
    void reply_after_sync(AgentDesk& desk, std::string id_json, AgentReply reply);
    [[nodiscard]] bool may_ask();
    void look_at_token();
    void end_if_idle();
    void set_deadline();

    AgentHub& hub_;
    Worker& worker_;
    const std::string agent_;
    Instant expires_at_;
    AgentWire* wire_ = nullptr;
    std::vector<Waiting> outbox_;      // from `sent_` on; the first of them is being written while `writing_`
    std::size_t sent_ = 0;
    std::size_t asked_ = 0;            // requests in the engine or at a query thread
    std::atomic<std::size_t> pushes_waiting_{0};
    std::atomic<bool> gone_{false};
    std::uint64_t last_pushed_ = 0;    // engine's thread
    bool writing_ = false, paused_ = false, behind_ = false, joined_ = false, closing_ = false, told_of_expiry_ = false, watching_ = false;
    Moment deadline_{}, opened_at_{}, ping_at_{}, heard_at_{}, told_heard_at_{}, writing_since_{}, token_at_{}, close_by_{};
    double requests_left_ = 0, refusals_left_ = 0;
    Moment refilled_at_{};
};

}  // namespace touchgate::http
