// The callbacks of the WeChat platforms: encrypted and signed for their receiver, sent again up to three times when the answer is not 200
// within 5 s, and, as the behaviour says, lost, doubled or overtaken by later ones.
//
// Each try is encrypted anew with its own time stamp and nonce. Pure; the driver makes the requests.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/sandbox/behaviour.hpp"
#include "adapters/sandbox/http_exchange.hpp"
#include "adapters/sandbox/now.hpp"
#include "adapters/sandbox/schedule.hpp"
#include "adapters/sandbox/wechat/callback_cipher.hpp"

namespace touchgate::sandbox {

// WeCom knows secure only. Compatible carries the message both plain and encrypted.
enum class CallbackMode { plain, compatible, secure };

struct CallbackTarget {
    std::string url;  // "": no callbacks
    std::string token;
    std::string encoding_aes_key;
    CallbackMode mode = CallbackMode::secure;
};

// Who gets the callbacks of one application.
struct CallbackReceiver {
    CallbackTarget target;
    std::string receive_id;  // corpid or appid
    std::string to_user;     // corpid or the account's original id (gh_…), as it stands in ToUserName
    std::string agent_id;    // WeCom apps; "" elsewhere
    bool is_wecom = false;
};

enum class CallbackOutcome { waiting, taken, given_up, lost };
[[nodiscard]] std::string_view name_of(CallbackOutcome outcome);

// What became of one callback; kept for the control API.
struct CallbackRecord {
    std::uint64_t n = 0;
    std::string application;
    std::string event;      // the event's or message's name; "verify" for a URL verification
    std::string plaintext;  // the message, or what a URL verification must be answered with
    Instant at{};
    int tries = 0;
    int status = 0;      // of the last answer; 0: none
    std::string answer;  // the last answer's body, at most 4,096 bytes
    CallbackOutcome outcome = CallbackOutcome::waiting;
};

class EventSender {
public:
    explicit EventSender(Random& random) : random_{random} {}

    // Registers or replaces the receiver of an application. False when its key is not one.
    bool set_receiver(const std::string& application, CallbackReceiver receiver);
    [[nodiscard]] const CallbackReceiver* receiver(const std::string& application) const;

    // Gives the record's number, 0 when the application has no URL. `sender` is the openid that an official account's query names.
    std::uint64_t send(const std::string& application, std::string event, std::string plaintext, std::string sender, const WechatBehaviour& behaviour,
                       Now now);
    // Asks the receiver to answer a GET, as the platform does when somebody saves the URL.
    std::uint64_t verify(const std::string& application, Now now);

    [[nodiscard]] std::vector<OutgoingRequest> take_due(Now now);
    // A passive reply that the answer carried, decrypted, with the application it came from.
    struct PassiveReply {
        std::string application, xml;
    };
    std::optional<PassiveReply> on_answer(std::uint64_t id, int status, std::string_view body, const WechatBehaviour& behaviour, Now now);
    [[nodiscard]] std::optional<std::chrono::nanoseconds> wake_at() const { return schedule_.next(); }

    // The newest last.
    [[nodiscard]] const std::deque<CallbackRecord>& records() const { return records_; }
    [[nodiscard]] std::uint64_t sent() const { return sent_; }
    [[nodiscard]] std::uint64_t taken() const { return taken_; }
    [[nodiscard]] std::uint64_t repeated() const { return repeated_; }
    [[nodiscard]] std::uint64_t given_up() const { return given_up_; }
    [[nodiscard]] std::uint64_t lost() const { return lost_; }
    [[nodiscard]] std::size_t waiting() const { return schedule_.size() + in_flight_.size(); }

private:
    struct Planned {
        std::uint64_t record = 0;
        std::string application, plaintext, sender;
        bool verification = false;
        int tries = 0;
    };
    struct Receiver {
        CallbackReceiver settings;
        std::optional<CallbackCipher> cipher;
    };
    [[nodiscard]] std::uint64_t add_record(const std::string& application, std::string event, std::string plaintext, Now now);
    [[nodiscard]] CallbackRecord* find(std::uint64_t n);
    [[nodiscard]] std::optional<OutgoingRequest> make_request(const Planned& planned, Now now);
    [[nodiscard]] std::optional<PassiveReply> read_reply(const Planned& planned, std::string_view body);

    Random& random_;
    std::map<std::string, Receiver> receivers_;
    Schedule<Planned> schedule_;
    std::map<std::uint64_t, Planned> in_flight_;
    std::deque<CallbackRecord> records_;
    std::uint64_t next_record_ = 1, next_id_ = 1;
    std::uint64_t sent_ = 0, taken_ = 0, repeated_ = 0, given_up_ = 0, lost_ = 0;
};

}  // namespace touchgate::sandbox
