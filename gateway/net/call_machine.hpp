// The transport machine of a telephone system: carries a CallSession's event stream and requests, and turns what it reports into the engine's
// events. See transport_machine.hpp. Besides what is promised there:
//  - a request that carries a permit's deadline is looked at again immediately before its first byte;
//  - a request whose bytes may have left is never made again here: the session is told, and asks the telephone system what became of it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/channel/call_adapter.hpp"
#include "gateway/net/exchange_machine.hpp"
#include "gateway/net/transport_machine.hpp"

namespace touchgate::net {

class CallMachine {
public:
    CallMachine(AccountNumber account, std::unique_ptr<channel::CallSession> session, std::size_t requests_at_once);

    // ---- From the engine.

    void call(Monotonic now, const CallOrder& order);
    // Leave politely: nothing is hung up, requests under way are waited for.
    void shut_down(Monotonic now);

    // ---- From the driver.

    // After an action `connect`.
    void on_connected(MachineTime now);
    // After an action `connect` that failed, and whenever the stream ended, also after an action `close`. `reason` is for people.
    void on_closed(Monotonic now, std::string_view reason, bool credentials);
    void on_bytes(MachineTime now, std::string_view bytes);
    // The connection stands and the request's first byte would be next: whether it may be written. False: the request is over.
    [[nodiscard]] bool on_first_byte(Monotonic now, ExchangeId id);
    void on_response(MachineTime now, ExchangeId id, const channel::HttpResponse& response);
    void on_failure(Monotonic now, ExchangeId id, bool bytes_left, std::string_view reason);
    // Nothing is under way any more; what was is answered as if the connection had broken.
    void stop(Monotonic now);

    struct Actions {
        std::vector<ExchangeId> cancel = {};      // without an answer
        bool connect = false;                     // open the event stream
        std::vector<std::string> writes = {};     // to the event stream: each a text frame, or bytes of a plain stream
        bool close = false;                       // the event stream, once all is written
        std::vector<HttpExchange> start = {};
        std::vector<TransportEvent> events = {};
    };
    [[nodiscard]] Actions take_actions(MachineTime now);
    [[nodiscard]] std::optional<Monotonic> wake_at() const;

    [[nodiscard]] bool is_up() const { return state_ == AccountState::up; }
    [[nodiscard]] bool is_finished() const { return shutting_down_ && !connected_ && !connecting_ && under_way_.empty() && waiting_.empty(); }
    [[nodiscard]] std::size_t requests_under_way() const { return under_way_.size(); }

private:
    struct UnderWay {
        Monotonic deadline{};
        Monotonic not_after{};
        bool written = false;
    };
    void collect();
    void translate(channel::CallEvent& event);

    AccountNumber account_;
    std::unique_ptr<channel::CallSession> session_;
    std::size_t requests_at_once_;

    AccountState state_ = AccountState::untold;
    bool connecting_ = false;
    bool connected_ = false;
    bool close_wanted_ = false;
    bool shutting_down_ = false;

    std::deque<channel::CallRequest> waiting_;
    std::map<ExchangeId, UnderWay> under_way_;
    std::vector<ExchangeId> lapsed_;  // refused at their first byte, the session not yet told
    std::vector<std::string> writes_;
    std::vector<TransportEvent> events_;
};

}  // namespace touchgate::net
