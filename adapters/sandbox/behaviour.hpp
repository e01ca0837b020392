// What the simulated channels and customers do: probabilities, delays, faults. Changed while running by PUT /sandbox/behaviour.
//
// A share is a probability from 0 to 1, drawn for each case on its own. A count of 0 switches its fault off. Delays are a duration or
// a pair of durations between which they are drawn evenly.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/random.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::sandbox {

struct DelayRange {
    Duration from{0};
    Duration to{0};
    [[nodiscard]] std::chrono::nanoseconds draw(Random& random) const;
    [[nodiscard]] bool is_zero() const { return to == Duration{0}; }
    bool operator==(const DelayRange&) const = default;
};

using Shares = std::vector<std::pair<std::string, double>>;

// The word drawn, or "" for the rest that the shares leave of 1.
[[nodiscard]] std::string_view draw(const Shares& shares, Random& random);

struct CustomerBehaviour {
    double reply = 0;    // share of complete messages that get an answer
    double opt_out = 0;  // share that get an opt-out word; drawn first
    DelayRange reply_delay{Duration{1'000}, Duration{5'000}};
    std::vector<std::string> replies{"好的", "OK", "1", "谢谢，多少钱？"};
    std::vector<std::string> opt_out_words{"R", "T", "TD", "退订"};
};

// What all channels have in common.
struct ChannelBehaviour {
    double throttle = 0;      // refused as too fast
    double rate = 0;          // submits a second and account above which the channel refuses as too fast; 0: no limit
    DelayRange response_delay;
    double no_response = 0;   // accepted, but the answer is never given
    Shares receipts{{"DELIVRD", 1.0}};  // by status word; no receipt for the rest
    DelayRange receipt_delay{Duration{50}, Duration{200}};
    double early_receipt = 0;      // receipt before the answer
    double duplicate_receipt = 0;  // receipt twice
    double missing_receipt = 0;    // no receipt ever
    double mo_repeat = 0;          // a message from a customer comes twice
    CustomerBehaviour customers;
};

struct SmscBehaviour : ChannelBehaviour {
    double queue_full = 0;    // ESME_RMSGQFUL
    double system_error = 0;  // ESME_RSYSERR
    Shares errors;            // command_status ("0x0B") → share
    // Of a connection, after that many accepted messages (the last one is accepted and not answered), counted from its bind or from
    // the latest change of behaviour:
    std::int64_t drop_after = 0;       // closed gracefully
    std::int64_t reset_after = 0;      // reset: bytes under way are lost
    std::int64_t half_open_after = 0;  // stays open, but nothing is read or answered any more
    double refuse_connection = 0;      // closed as soon as it is made
    double refuse_bind = 0;            // ESME_RBINDFAIL
    std::int64_t binds_max = 0;        // per user; above it ESME_RALYBND
    std::int64_t window_max = 0;       // submits whose answer is still held back (response_delay); above it ESME_RTHROTTLED
    double out_of_order = 0;           // answers held back a moment so that later ones overtake them
    double intermediate = 0;           // an intermediate notification (ENROUTE) before the receipt
    std::string receipt_id = "same";   // same, hex_to_dec (answer hex, receipt decimal), dec_to_hex, upper, padded
    std::string receipt_form = "both"; // both, text, tlv
    bool strict_length = true;         // parts longer than 140 octets on the air are refused
    std::int64_t deliver_window = 1'000;      // deliver_sm in flight on one connection
    Duration deliver_timeout{10'000};         // without an answer it is delivered again
    Duration deliver_retry{1'000};            // after a refusal that asks for a repeat
    Duration enquire_link{30'000};            // silence after which the message centre asks; 0: never
};

struct CloudBehaviour : ChannelBehaviour {
    Shares error;              // provider's error code → share
    double http_error = 0;     // 503 without a body the provider would send; nothing was accepted
    double retry_scale = 1;    // factor on the 1, 5 and 10 minutes between tries of a callback
    std::int64_t callback_batch = 20;  // receipts in one callback at most
    std::string receipt_url;           // "": no callbacks; at first those of the settings
    std::string mo_url;
};

struct Behaviour {
    SmscBehaviour smsc;
    CloudBehaviour aliyun;
    CloudBehaviour tencent;
};

// A partial update: keys that are absent keep their value. With problems the behaviour is left as it was.
void update(Behaviour& behaviour, JsonReader& reader);
[[nodiscard]] Json to_json(const Behaviour& behaviour);

}  // namespace touchgate::sandbox
