// What the simulated SMS clouds have in common: they take messages, decide what becomes of each, report it by callback and on request,
// and pass on what customers write. The two providers add their signatures, actions and JSON.
//
// Pure: requests and answers are values, time and randomness are arguments.
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

#include "adapters/sandbox/behaviour.hpp"
#include "adapters/sandbox/callbacks.hpp"
#include "adapters/sandbox/cloud_signatures.hpp"
#include "adapters/sandbox/customers.hpp"
#include "adapters/sandbox/http_exchange.hpp"
#include "adapters/sandbox/message_store.hpp"
#include "adapters/sandbox/now.hpp"
#include "adapters/sandbox/schedule.hpp"
#include "adapters/sandbox/token_bucket.hpp"

namespace touchgate::sandbox {

struct CloudSettings {
    Secrets keys;
    std::map<std::string, std::string, std::less<>> templates;  // code → text with variables; empty: every code is taken
    std::vector<std::string> sign_names;                        // empty: every name is taken
};

struct CloudStatistics {
    std::uint64_t requests = 0, signatures_refused = 0, submits = 0, accepted = 0, unanswered = 0;
    std::uint64_t receipts = 0, messages = 0;  // planned for callback, repeats included
    std::map<std::string, std::uint64_t> refused;
};

class CloudPeer : public HttpPeer {
public:
    CloudPeer(Via via, CloudSettings settings, const CloudBehaviour& behaviour, MessageStore& store, Random& random);

    [[nodiscard]] HttpReply handle(const HttpRequest& request, Now now) override;
    [[nodiscard]] std::vector<OutgoingRequest> take_requests(Now now) override;
    [[nodiscard]] std::optional<std::chrono::nanoseconds> wake_at() const override;
    void on_callback_answer(std::uint64_t id, int status, std::string_view body, Now now) override;
    // A customer writes; false when no callback address is configured.
    bool inbound(std::string_view from, std::string_view to, std::string_view text, Now now);

    [[nodiscard]] const CloudStatistics& statistics() const { return statistics_; }
    [[nodiscard]] const Callbacks& callbacks() const { return callbacks_; }
    [[nodiscard]] const Customers& customers() const { return customers_; }

protected:
    // One message to one number.
    struct Send {
        std::string phone;  // country code and number, digits only
        std::string sign_name, template_code, text;
        std::string id;           // BizId or SerialNo
        std::string own_id;       // OutId or SessionContext: the sender's
        std::string extension;    // of the access number, for replies
        Instant at = {};
        PartNumber part = no_part;
        std::string stat = {};    // "" until the network reported
        Instant reported{};
        [[nodiscard]] bool delivered() const { return stat == "DELIVRD"; }
    };
    struct NewSend {
        std::string_view user;         // key id
        std::string_view wire_number;  // as the request has it
        std::string_view raw;          // the request
        Send send;
    };

    // An answer of the provider for a request whose signature is still to be checked.
    [[nodiscard]] virtual HttpReply answer(const HttpRequest& request, Now now) = 0;
    // The answer for a call-level refusal.
    [[nodiscard]] virtual HttpReply refusal(int status, std::string_view code, std::string_view message) = 0;
    [[nodiscard]] virtual std::string_view throttle_code() const = 0;
    [[nodiscard]] virtual int throttle_status() const = 0;
    [[nodiscard]] virtual Json receipt_item(const Send& send) const = 0;
    [[nodiscard]] virtual Json message_item(std::string_view phone, std::string_view extension, std::string_view sign_name, std::string_view text,
                                            std::uint64_t serial, Instant at) const = 0;
    // Messages travel as an array, or one by one as an object.
    [[nodiscard]] virtual bool messages_as_array() const = 0;
    [[nodiscard]] virtual bool is_taken(const Json& answer) const = 0;

    // Stores the message and decides its fate.
    void accept(NewSend&& message, Now now);
    // The error code that this submit draws, "" for none.
    [[nodiscard]] std::string_view draw_error() { return draw(behaviour_.error, random_); }
    HttpReply refuse(int status, std::string_view code, std::string_view message);
    void count_refused(std::string_view code) { ++statistics_.refused[std::string{code}]; }
    // Sends to that phone, newest first.
    [[nodiscard]] std::vector<const Send*> sends_to(std::string_view phone) const;
    // The text behind a template code with its variables, which stand between `open` and `close`, put in from the object `values`.
    struct Rendered {
        std::string text;
        enum class Fault { none, no_template, no_value } fault = Fault::none;
    };
    [[nodiscard]] Rendered render(std::string_view sign_name, std::string_view code, const Json& values, std::string_view open, std::string_view close) const;
    [[nodiscard]] bool sign_name_known(std::string_view name) const;
    [[nodiscard]] std::string new_id();       // UUID-like, for RequestId
    [[nodiscard]] std::uint64_t new_serial(Now now);

    CloudSettings settings_;
    const CloudBehaviour& behaviour_;
    MessageStore& store_;
    Random& random_;
    CloudStatistics statistics_;

    // Reports and messages taken from the sender by pulling, where a provider has that.
    std::deque<Json> pull_receipts_, pull_messages_;
    [[nodiscard]] virtual std::optional<Json> pulled_receipt(const Send&) const { return std::nullopt; }
    [[nodiscard]] virtual std::optional<Json> pulled_message(std::string_view, std::string_view, std::string_view, std::string_view, Instant) const { return std::nullopt; }

private:
    struct Event {
        bool is_receipt = true;
        std::uint64_t send = 0;  // number of the send
        std::string stat = {};
        std::string phone = {}, extension = {}, sign_name = {}, text = {};  // of a message
    };
    [[nodiscard]] Send* find(std::uint64_t number);
    void on_event(const Event& event, Now now);

    Via via_;
    Customers customers_;
    Callbacks callbacks_;
    Schedule<Event> schedule_;
    TokenBucket bucket_;
    std::deque<Send> sends_;
    std::uint64_t first_send_ = 0;
    std::unordered_multimap<std::string, std::uint64_t> by_phone_;
    std::uint64_t serial_ = 0;
    bool early_drawn_ = false;
};

// "2026-01-02 11:04:05", UTC+8, as both providers write local time.
[[nodiscard]] std::string china_time(Instant at);
// Country code and number, digits only, of a mainland number in any of its spellings or of an international one; "" when it is neither.
[[nodiscard]] std::string normal_phone(std::string_view wire_number);
// Country code and the rest.
[[nodiscard]] std::pair<std::string_view, std::string_view> split_phone(std::string_view phone);

}  // namespace touchgate::sandbox
