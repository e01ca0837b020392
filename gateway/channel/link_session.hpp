// What the carriers' session protocols (SMPP, CMPP and their kin) have in common: a log-in, a window of numbered requests, link tests, parts
// of long messages, reconnecting with back-off, a polite end. A protocol adds its bytes.
//
// A protocol derives from this and implements the pure hooks below; from its `receive` it calls the reports. The rules of Session hold.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "gateway/base/random.hpp"
#include "gateway/channel/long_attempts.hpp"
#include "gateway/channel/session_adapter.hpp"

namespace touchgate::channel {

struct LinkRules {
    int window = 32;                     // submits in flight
    bool sends = true;                   // false: this connection only receives
    Duration login_timeout{15'000};
    Duration response_timeout{10'000};   // of a submit; after it the outcome is unknown
    Duration idle{30'000};               // silence before a link test
    Duration test_timeout{10'000};
    int tests_missed_max = 2;            // unanswered link tests in a row that end the connection
    std::uint32_t sequence_max = 0x7FFF'FFFF;  // then 1 again
};

class LinkSession : public Session {
public:
    LinkSession(const LinkRules& rules, std::uint64_t seed);

    [[nodiscard]] std::optional<Monotonic> connect_at() const final { return connect_at_; }
    void on_connected(Monotonic now) final;
    void on_closed(Monotonic now, std::string_view reason) final;
    void on_bytes(Monotonic now, std::string_view bytes) final;
    void on_wake(Monotonic now) final;
    [[nodiscard]] std::optional<Monotonic> wake_at() const final;
    [[nodiscard]] bool can_submit() const final;
    void submit(Monotonic now, const Submission& submission) final;
    void acknowledge(AckToken token, bool durable) final;
    void shut_down(Monotonic now) final;
    [[nodiscard]] SessionOutput take_output() final;

protected:
    // ---- What the protocol implements.

    virtual void append_login(Monotonic now, std::string& out, std::uint32_t sequence) = 0;
    virtual void append_link_test(std::string& out, std::uint32_t sequence) = 0;
    virtual void append_logout(std::string& out, std::uint32_t sequence) = 0;
    // The packets of a submission, their sequence numbers still zero; or why nothing can be sent.
    [[nodiscard]] virtual std::variant<std::vector<std::string>, Outcome> encode(Monotonic now, const Submission& submission) = 0;
    // Where in a packet its sequence number stands: four bytes, big-endian.
    [[nodiscard]] virtual std::size_t sequence_offset() const = 0;
    // A new connection: forget half a packet of the last one.
    virtual void start_reading() = 0;
    // Bytes of the peer, while is_open(). Must stop when it no longer is.
    virtual void receive(Monotonic now, std::string_view bytes) = 0;
    // Receipts and messages that the provider delivers: their acknowledgement and timers. Events and answers go to output().
    virtual void acknowledge_delivery(AckToken token, bool durable) = 0;
    virtual void wake_deliveries(Monotonic now) = 0;
    [[nodiscard]] virtual std::optional<Monotonic> deliveries_wake_at() const = 0;
    [[nodiscard]] virtual bool has_unanswered_deliveries() const = 0;
    virtual void deliveries_lost(Monotonic now) = 0;

    // ---- What it reports from `receive`.

    [[nodiscard]] bool is_logging_in(std::uint32_t sequence) const { return state_ == State::logging_in && sequence == login_sequence_; }
    // Logged in, or on the way out: deliveries may be taken and answered.
    [[nodiscard]] bool is_up() const { return state_ == State::up || state_ == State::leaving; }
    [[nodiscard]] bool is_open() const { return is_up() || state_ == State::logging_in; }
    void logged_in(Monotonic now, std::string warning = {});
    // `account_refused`: trying again soon is of no use. Closes.
    void login_refused(std::string reason, bool credentials, bool account_refused);
    // An answer to a submit that is no longer waited for is ignored.
    void submit_accepted(Monotonic now, std::uint32_t sequence, std::string message_id);
    void submit_refused(Monotonic now, std::uint32_t sequence, Outcome outcome);
    void link_test_answered(std::uint32_t sequence);
    void logout_answered();
    // Ends the connection, for a reason that people read.
    void close(std::string reason, bool credentials = false);
    [[nodiscard]] SessionOutput& output() { return output_; }
    [[nodiscard]] Random& random() { return random_; }

private:
    enum class State {
        idle,        // no connection
        logging_in,
        up,
        leaving,     // log-out sent
        closing,     // close was asked for; only on_closed is awaited
    };
    struct InFlight {
        AttemptRef ref = 0;
        std::size_t part = 0;
        bool is_long = false;
        Monotonic deadline{};
        std::uint64_t output_number = 0;  // of the output that carries it
    };
    void write(Monotonic now, std::string packet, InFlight submit);
    void fill_window(Monotonic now);
    std::optional<InFlight> take_in_flight(std::uint32_t sequence);
    void check_response_deadlines(Monotonic now);
    void test_link(Monotonic now);
    [[nodiscard]] bool is_drained() const { return in_flight_.empty() && long_attempts_.empty() && !has_unanswered_deliveries(); }
    void leave_when_drained(Monotonic now);
    void report(std::optional<LongAttempts::Finished> finished);
    [[nodiscard]] Duration next_back_off();
    [[nodiscard]] std::uint32_t take_sequence();
    [[nodiscard]] std::size_t places() const { return static_cast<std::size_t>(window_now_); }

    LinkRules rules_;
    Random random_;

    State state_ = State::idle;
    std::optional<Monotonic> connect_at_ = Monotonic{0};
    bool wanted_ = true;            // false once shut down
    unsigned failures_ = 0;         // connections in a row that did not hold
    bool account_refused_ = false;
    bool took_messages_ = false;    // on this connection
    std::optional<Monotonic> up_since_;

    SessionOutput output_;
    std::uint64_t output_number_ = 1;
    std::uint32_t next_sequence_ = 1;

    std::unordered_map<std::uint32_t, InFlight> in_flight_;  // by sequence number
    std::optional<Monotonic> earliest_deadline_;             // not later than any deadline of in_flight_
    LongAttempts long_attempts_;
    int window_now_;  // grows to the rule's after a drop

    std::uint32_t login_sequence_ = 0;
    Monotonic login_deadline_{};
    Monotonic quiet_since_{};                   // when the last bytes came
    std::optional<std::uint32_t> test_sequence_;  // unanswered
    Monotonic test_deadline_{};
    int tests_missed_ = 0;
    std::optional<Monotonic> drain_deadline_;   // shutting down: log out at the latest
    Monotonic leave_deadline_{};
};

}  // namespace touchgate::channel
