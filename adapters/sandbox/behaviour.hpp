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

// What the two WeChat platforms have in common. Windows and limits are looked at when a call comes, so that a change counts at once.
struct WechatBehaviour {
    double throttle = 0;  // business calls refused with 45009
    double rate = 0;      // business calls a second and application above which they are refused as too fast; 0: no limit
    DelayRange response_delay;
    double no_response = 0;  // done, but the answer is never given
    double http_error = 0;   // 502; nothing was done
    Shares error;            // errcode → share of business calls refused with it
    Duration token_validity{7'200'000};
    DelayRange callback_delay{Duration{0}, Duration{0}};
    double callback_duplicate = 0;   // sent a second time although it was taken
    double callback_reorder = 0;     // held back 0.2 to 1 s, so that later ones overtake it
    double callback_lost = 0;        // never sent
    Duration callback_retry{5'000};  // from a failure to the next of the 3 repeats
    double follows = 0;              // new customers a second who follow by themselves
    double writes = 0;               // messages a second that customers write by themselves
    double leave = 0;                // share of messages after which the customer unfollows or deletes the member
    CustomerBehaviour customers;     // where a customer can write back
};

struct WecomBehaviour : WechatBehaviour {
    double press = 1;  // share of the members' tasks (and moments) that are sent; the rest wait for ever, or for the control API
    DelayRange press_delay{Duration{2'000}, Duration{10'000}};
    std::string mass_rule = "month";  // mass messages a customer may get: month (as many as it has days), week (7), day (1)
    Duration dispatch{0};             // after the creation of a task, in which its results are refused with 41063
    std::int64_t reminders_max = 3;   // of a task in 24 h
    bool results_after_cancel = false;  // else 41093
    Duration welcome_validity{20'000};
    std::int64_t kf_messages = 5;  // after a customer's message
    Duration kf_window{48 * 3'600'000};
    Shares kf_fail;                // fail_type → share of messages that fail after they were accepted
    std::int64_t kf_pulls = 0;     // sync_msg without a token in a minute; 0: no limit
};

struct OfficialAccountBehaviour : WechatBehaviour {
    std::int64_t message_max = 5;  // custom messages after a customer's message, within the window
    Duration message_window{48 * 3'600'000};
    std::int64_t action_max = 3;  // after a menu click, a follow or a scan; a mini program's user who enters allows one less
    Duration action_window{60'000};
    Duration token_overlap{300'000};  // in which a token still works after a newer one was fetched
    Shares template_result{{"success", 1.0}};  // Status of TEMPLATESENDJOBFINISH; no event for the rest
    DelayRange template_delay{Duration{50}, Duration{200}};
    Shares subscribe_result{{"success", 1.0}};  // ErrorStatus of subscribe_msg_sent_event
    double scans = 0;   // of the account's QR codes a second, half of them by people new to it
    double clicks = 0;  // of the menu a second
    std::string mass_status = "send success";   // of MASSSENDJOBFINISH
    DelayRange mass_delay{Duration{50}, Duration{200}};
    std::int64_t mass_month_max = 4;      // mass messages of an account a user may get in a calendar month
    Duration client_id_window{600'000};   // in which a client_msg_id or clientmsgid is known
    std::vector<std::pair<std::string, std::int64_t>> quotas;  // path → calls a day (Beijing time), above which 45009
};

// What the PBX's parties do: "answer", "machine", "busy", "no_answer", "reject", "do_not_disturb", "invalid", "unreachable", "congestion", "failed".
// The rest that the shares leave of 1 does not answer.
struct PbxBehaviour {
    Shares outcome{{"answer", 1.0}};                    // of customers that are called
    std::vector<double> answer_by_hour;                 // 24 factors on the share of "answer", by the hour in China; none: always 1
    DelayRange ring{Duration{1'000}, Duration{4'000}};  // from ringing to the answer
    DelayRange refuse{Duration{300}, Duration{2'000}};  // from ringing to a refusal
    DelayRange talk;                                    // after which the customer hangs up, from his answer or, a caller, from the agent's voice; 0: never
    DelayRange patience{Duration{30'000}, Duration{120'000}};  // a caller who hears nobody hangs up; 0: never
    Shares agent_outcome{{"answer", 1.0}};              // of agents' telephones
    DelayRange agent_ring{Duration{300}, Duration{1'000}};
    double calls = 0;                                   // a second, that come in by themselves
    DelayRange play{Duration{2'000}, Duration{2'000}};  // how long a sound lasts
    DelayRange detection{Duration{800}, Duration{2'500}};      // of an answering machine
    double detection_error = 0;                         // share of wrong verdicts
    Shares error;                                       // HTTP status → share of requests answered with it, nothing done
    DelayRange response_delay;                          // before an answer; what it answers is done at once
    double no_response = 0;                             // done, but the connection is closed instead of an answer
    double reorder = 0;                                 // events held back 5 to 50 ms, so that those of other channels overtake them
    double nonsense = 0;                                // share of events before which something comes that is none
    std::int64_t drop_after = 0;                        // events after which the event stream is broken off; counted from the latest change
};

struct Behaviour {
    PbxBehaviour pbx;
    SmscBehaviour smsc;
    CloudBehaviour aliyun;
    CloudBehaviour tencent;
    WecomBehaviour wecom;
    OfficialAccountBehaviour official_account;
};

// A partial update: keys that are absent keep their value. With problems the behaviour is left as it was.
void update(Behaviour& behaviour, JsonReader& reader);
[[nodiscard]] Json to_json(const Behaviour& behaviour);

}  // namespace touchgate::sandbox
