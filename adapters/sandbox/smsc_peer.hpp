// A simulated message centre: SMPP 3.4 for any number of connections, without sockets or clock.
//
// The driver tells it of connections and bytes and wakes it; after each call it asks `take_ready` which connections have something to
// write or to end, and takes it with `take_output`. Connection ids are the driver's, must never be used twice, and are forgotten
// after on_close, which the driver calls for every connection it told of, whoever ended it. All calls from one thread.
//
// Duties of a message centre kept here: a receipt or message is delivered again until it was answered (also over a later connection of
// the same user), a refused submit is not stored, answers carry the sequence number of their request. What it breaks on purpose is
// listed in behaviour.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adapters/sandbox/assembly.hpp"
#include "adapters/sandbox/behaviour.hpp"
#include "adapters/sandbox/customers.hpp"
#include "adapters/sandbox/message_store.hpp"
#include "adapters/sandbox/now.hpp"
#include "adapters/sandbox/schedule.hpp"
#include "adapters/sandbox/smpp_pdu.hpp"
#include "adapters/sandbox/token_bucket.hpp"

namespace touchgate::sandbox {

using ConnectionId = std::uint64_t;

enum class Ending : std::uint8_t {
    none,
    close,  // write the bytes, then end the connection so that the other side reads them all before its end
    reset,  // abort at once; bytes under way may be lost
};

struct SmscOutput {
    std::string bytes;
    Ending ending = Ending::none;
};

struct SmscSettings {
    std::vector<std::pair<std::string, std::string>> users;  // system_id, password
    Coding default_alphabet = Coding::gsm;                   // behind data_coding 0
};

struct SmscStatistics {
    std::uint64_t connections = 0, binds = 0, binds_refused = 0;
    std::uint64_t submits = 0, accepted = 0, answered = 0;
    std::uint64_t repeated_parts = 0;  // the same place of a long message twice: stored, but not a message of its own
    std::uint64_t receipts_sent = 0, receipts_answered = 0, intermediates_sent = 0;
    std::uint64_t messages_sent = 0, messages_answered = 0;  // from customers (MO), in parts
    std::uint64_t deliveries_refused = 0, deliveries_repeated = 0, deliveries_given_up = 0;
    std::uint64_t drops = 0, resets = 0, half_opens = 0;
    std::uint64_t protocol_errors = 0;
    std::map<std::uint32_t, std::uint64_t> refused;  // by command_status
};

// A message from a customer.
struct CustomerMessage {
    std::string from;  // digits, with or without a plus sign
    std::string to;
    std::string text;
    std::string user;  // system_id; "": see SmscPeer::inbound
};

class SmscPeer {
public:
    // All references must outlive the peer; `behaviour` may change at any time.
    SmscPeer(SmscSettings settings, const SmscBehaviour& behaviour, MessageStore& store, Random& random);

    void on_connect(ConnectionId id, Now now);
    void on_bytes(ConnectionId id, std::string_view bytes, Now now);
    void on_close(ConnectionId id, Now now);
    void on_wake(Now now);
    [[nodiscard]] std::optional<std::chrono::nanoseconds> wake_at() const { return schedule_.next(); }

    // Connections that have output, each once, in the order in which they got it.
    [[nodiscard]] std::vector<ConnectionId> take_ready();
    [[nodiscard]] SmscOutput take_output(ConnectionId id);

    // A customer writes. Goes to the named user; else to the user that has sent from the address `to`; else to every user with a
    // connection that takes messages, or to every user when nobody has one. Kept until delivered. Answers to how many users it went.
    std::size_t inbound(const CustomerMessage& message, Now now);
    // Ends all connections, as an operator's maintenance does.
    void disconnect_all(Ending ending);
    // Parts of messages that are not complete yet are given up (the store was cleared).
    void forget_incomplete() { assembly_.clear(); }
    // The counts behind drop_after and its like start again.
    void behaviour_changed();

    [[nodiscard]] const SmscStatistics& statistics() const { return statistics_; }
    [[nodiscard]] const Customers& customers() const { return customers_; }
    [[nodiscard]] std::size_t incomplete_messages() const { return assembly_.incomplete(); }
    [[nodiscard]] std::size_t deliveries_waiting() const;
    [[nodiscard]] std::size_t bound_sessions() const;

private:
    enum class DeliveryKind : std::uint8_t { receipt, intermediate, message };
    struct Delivery {
        std::uint64_t subject;  // part number, or key of messages_
        DeliveryKind kind;
        std::uint8_t stat;      // of a receipt
        std::uint8_t attempts;  // writes so far
    };
    struct Outstanding {
        Delivery delivery;
        std::chrono::nanoseconds sent;
        bool answered;
    };
    struct Connection {
        ConnectionId id = 0;
        bool bound = false, sends = false, receives = false;
        bool half_open = false;
        Ending ending = Ending::none;
        bool ended = false;  // its ending was taken or announced: it takes and gives nothing any more
        bool listed = false;
        std::uint16_t user = 0;  // index into users_
        std::uint32_t sequence = 0;                 // of the latest request of ours
        std::uint32_t first_outstanding = 1;        // sequence number of outstanding.front()
        std::deque<Outstanding> outstanding;
        std::int64_t in_flight = 0;                 // unanswered ones of `outstanding`
        std::int64_t answers_held = 0;
        std::int64_t accepted = 0;
        std::chrono::nanoseconds heard{0};
        std::optional<std::chrono::nanoseconds> check_at;  // of the latest planned check
        std::string in;
        std::string out;
        std::vector<PartNumber> answers_in_out;  // parts whose answer is in `out`
    };
    struct User {
        std::string name, password;
        std::uint16_t store_user = 0;
        std::deque<Delivery> queue = {};
        std::vector<ConnectionId> receivers = {};
        std::size_t turn = 0;
        std::int64_t binds = 0;
        TokenBucket bucket = {};
    };
    // One part of a customer's message, ready to be written.
    struct Outgoing {
        std::string source, destination, bytes;
        std::uint8_t esm_class = 0, data_coding = 0;
        bool repeat = false;  // its answer is to be lost once
    };
    enum class EventKind : std::uint8_t { answer, receipt, redeliver, message, check, session_deadline };
    struct Event {
        EventKind kind;
        Delivery delivery = {};
        std::uint16_t user = 0;
        std::uint32_t sequence = 0;
        ConnectionId connection = 0;
    };

    // A whole PDU of a connection; false when the connection ended.
    void on_pdu(Connection& connection, const smpp::Header& header, std::string_view pdu, Now now);
    void on_bind(Connection& connection, const smpp::Header& header, std::string_view body, Now now);
    void on_submit(Connection& connection, const smpp::Header& header, std::string_view pdu, Now now);
    void on_query(Connection& connection, const smpp::Header& header, std::string_view body);
    void on_deliver_answer(Connection& connection, const smpp::Header& header, Now now);
    void on_event(const Event& event, Now now);

    [[nodiscard]] smpp::Status refusal(Connection& connection, const smpp::SubmitReading& reading, Now now);
    void refuse(Connection& connection, const smpp::Header& header, std::uint32_t status);
    void answer_submit(Connection& connection, std::uint32_t sequence, PartNumber part);
    void plan_receipts(std::uint16_t user, PartNumber part, std::uint8_t registered_delivery, std::uint8_t stat, bool early, Now now);
    void customer_reads(std::uint16_t user, PartNumber first_part, Now now);
    void queue_message(std::uint16_t user, std::string_view from, std::string_view to, std::string_view text, std::chrono::nanoseconds at, Now now);

    void deliver(std::uint16_t user, Delivery delivery, Now now);
    void flush(std::uint16_t user, Now now);
    void write(Connection& connection, Delivery delivery, Now now);
    bool write_receipt(Connection& connection, const Delivery& delivery, Now now);
    void finish(Connection& connection, Outstanding& outstanding);
    void check(Connection& connection, Now now);
    void plan_check(Connection& connection, Now now);

    [[nodiscard]] std::uint32_t next_sequence(Connection& connection);
    void touch(Connection& connection);
    void end(Connection& connection, Ending ending);
    void leave(Connection& connection);  // unbinds: what it had not answered goes back to the user's queue
    [[nodiscard]] Connection* find(ConnectionId id);

    [[nodiscard]] std::string answer_id(PartNumber part) const;
    [[nodiscard]] std::string receipt_id(PartNumber part) const;
    [[nodiscard]] std::optional<PartNumber> part_of(std::string_view message_id) const;
    // "YYMMDDhhmm" in UTC.
    [[nodiscard]] std::string_view minute_text(Instant at, std::size_t cache);

    SmscSettings settings_;
    const SmscBehaviour& behaviour_;
    MessageStore& store_;
    Random& random_;
    Customers customers_;
    Assembly assembly_;
    Schedule<Event> schedule_;
    std::map<ConnectionId, Connection> connections_;
    std::vector<ConnectionId> ready_;
    std::vector<User> users_;
    std::unordered_map<std::uint64_t, Outgoing> messages_;
    std::uint64_t next_message_ = 1;
    std::uint8_t message_reference_ = 0;
    std::unordered_map<std::string, std::uint16_t> user_of_source_;
    std::uint64_t id_base_ = 0;  // ids differ from those of an earlier run: the wall clock at the first connection is in them
    std::string scratch_;
    struct MinuteText {
        std::int64_t minute = -1;
        std::string text;
    };
    MinuteText minute_texts_[2];
    SmscStatistics statistics_;
};

}  // namespace touchgate::sandbox
