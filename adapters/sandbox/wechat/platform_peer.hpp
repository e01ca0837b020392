// What the simulated WeChat platforms have in common: tokens, error codes, storms, uploaded media, the message list, encrypted callbacks,
// and the part of the control API that is the same for both.
//
// Pure: requests and answers are values, time and randomness are arguments.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/sandbox/behaviour.hpp"
#include "adapters/sandbox/customers.hpp"
#include "adapters/sandbox/http_exchange.hpp"
#include "adapters/sandbox/message_store.hpp"
#include "adapters/sandbox/schedule.hpp"
#include "adapters/sandbox/token_bucket.hpp"
#include "adapters/sandbox/wechat/access_tokens.hpp"
#include "adapters/sandbox/wechat/event_sender.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::sandbox {

struct PlatformStatistics {
    std::uint64_t requests = 0, accepted = 0, unanswered = 0, tokens = 0;
    std::map<std::string, std::uint64_t> calls;    // by path, answered with errcode 0
    std::map<std::string, std::uint64_t> refused;  // by errcode, "http" for what never reached the API
};

class PlatformPeer : public HttpPeer {
public:
    [[nodiscard]] HttpReply handle(const HttpRequest& request, Now now) final;
    [[nodiscard]] std::vector<OutgoingRequest> take_requests(Now now) final;
    [[nodiscard]] std::optional<std::chrono::nanoseconds> wake_at() const final;
    void on_callback_answer(std::uint64_t id, int status, std::string_view body, Now now) final;

    // A request of the control API; `path` is what follows /sandbox/<platform>. README.md lists them.
    [[nodiscard]] HttpReply control(const HttpRequest& request, std::string_view path, Now now);

    [[nodiscard]] const PlatformStatistics& statistics() const { return statistics_; }
    [[nodiscard]] const EventSender& events() const { return events_; }
    [[nodiscard]] const Customers& customers() const { return customers_; }

protected:
    struct Call {
        const HttpRequest& request;
        const Parameters& parameters;
        const Json& body;                // null without one
        const std::string& application;  // whose token it carries: an agent id or an appid; "" where none is needed
        Now now;
    };
    struct Control {
        const Parameters& parameters;
        JsonReader& body;
        Now now;
    };
    enum class Access { token, open };

    PlatformPeer(Via via, const WechatBehaviour& behaviour, MessageStore& store, Random& random);

    // Registers a call of the platform; `method` "" takes any.
    template <class Peer> void on(std::string_view method, std::string_view path, Json (Peer::*handler)(const Call&), Access access = Access::token) {
        endpoints_.emplace(path, Endpoint{std::string{method}, access, [this, handler](const Call& call) { return (static_cast<Peer*>(this)->*handler)(call); }});
    }
    // Registers a request of the control API. Problems go to the body's reader and make the answer a 422; a null answer is a 204.
    template <class Peer> void on_control(std::string_view method, std::string_view path, Json (Peer::*handler)(Control&)) {
        controls_.emplace(std::pair{std::string{path}, std::string{method}},
                          [this, handler](Control& control) { return (static_cast<Peer*>(this)->*handler)(control); });
    }

    // An answer that refuses; `more` are further fields.
    [[nodiscard]] Json fault(int code, Json more = Json::object()) const;
    // What a refusal's text ends with.
    [[nodiscard]] virtual std::string fault_suffix(int code) const = 0;
    [[nodiscard]] virtual int rate_code() const = 0;
    // 0, or the code that a platform's own quota gives for one more call.
    [[nodiscard]] virtual int count_call(const Call&, std::string_view) { return 0; }
    // The user that a passive reply goes to has got it.
    virtual void on_passive_reply(const std::string& application, std::string_view xml, Now now);

    struct Arrival {
        std::string_view application;  // the list's account_user
        std::string_view to, from, text, kind;
        std::string_view raw = {};  // evidence: the request
    };
    // A message has reached its receiver's phone (or will, when `set_state` says so). Not answered yet when a call made it.
    PartNumber arrive(const Arrival& arrival, Now now);
    void set_state(PartNumber part, bool delivered, std::string_view stat);
    // A random id such as "msgA1b2…" of `size` characters.
    [[nodiscard]] std::string new_id(std::string_view prefix, std::size_t size);
    [[nodiscard]] std::uint64_t new_number() { return ++number_; }
    void later(std::chrono::nanoseconds after, Now now, std::function<void(Now)> action) { schedule_.add(now.monotonic + after, std::move(action)); }
    // False for a media_id that was never uploaded here or is older than three days.
    [[nodiscard]] bool media_known(std::string_view media_id, Now now) const;
    // Uploaded as an attachment, which only moments take.
    [[nodiscard]] bool media_is_attachment(std::string_view media_id) const;
    // What of a message is text for a reader, else its content as JSON.
    [[nodiscard]] static std::string readable(const Json& message);
    // Lets `act` happen by itself, `rate()` times a second on average. Begins with the first request of any kind.
    void live(std::function<double()> rate, std::function<void(Now)> act) { activities_.push_back({std::move(rate), std::move(act)}); }
    [[nodiscard]] std::size_t any_of(std::size_t count) { return static_cast<std::size_t>(random_.below(count)); }
    [[nodiscard]] bool chance(double share) { return share > 0 && random_.chance(share); }

    const WechatBehaviour& behaviour_;
    MessageStore& store_;
    Random& random_;
    AccessTokens tokens_;
    EventSender events_;
    Customers customers_;
    PlatformStatistics statistics_;

private:
    struct Endpoint {
        std::string method;
        Access access;
        std::function<Json(const Call&)> handler;
    };
    // Calls that the control API lets go wrong.
    struct Storm {
        std::string path;  // "": every business call
        int code = 0;
        std::string how;         // code, hang_up (done, never answered), http_error
        std::int64_t calls = 0;  // left
        std::chrono::nanoseconds until{0};
    };
    struct Activity {
        std::function<double()> rate;
        std::function<void(Now)> act;
        double planned_at_rate = 0;  // of the act that is planned; 0: none is
        std::uint64_t generation = 0;
    };
    void plan_activities(Now now);
    struct Media {
        std::string type, content_type, bytes;
        Instant at;
        bool attachment = false;  // for moments only
    };
    [[nodiscard]] Json answer(const HttpRequest& request, const std::string& path, Now now, bool& hang_up, bool& http_error);
    [[nodiscard]] Storm* storm_over(std::string_view path, bool business, Now now);

    [[nodiscard]] Json upload(const Call& call);
    [[nodiscard]] Json upload_image(const Call& call);
    [[nodiscard]] Json callback_addresses(const Call& call);
    [[nodiscard]] Json post_storm(Control& control);
    [[nodiscard]] Json delete_storms(Control& control);
    [[nodiscard]] Json post_revoke(Control& control);
    [[nodiscard]] Json put_callback(Control& control);
    [[nodiscard]] Json post_verify(Control& control);
    [[nodiscard]] Json post_callback(Control& control);
    [[nodiscard]] Json list_callbacks(Control& control);

    Via via_;
    std::map<std::string, Endpoint, std::less<>> endpoints_;
    std::map<std::pair<std::string, std::string>, std::function<Json(Control&)>> controls_;  // path and method
    Schedule<std::function<void(Now)>> schedule_;
    std::map<std::string, TokenBucket> buckets_;  // by application
    std::deque<Storm> storms_;
    std::vector<Activity> activities_;
    std::map<std::string, Media, std::less<>> media_;
    std::vector<PartNumber> unanswered_;  // parts of the call being handled
    std::uint64_t number_ = 0;
};

}  // namespace touchgate::sandbox
