// A PBX as the other side of ARI: REST requests in, events out over event streams, with callers, called customers and agents' telephones behind
// it. The order of events and the answers are those of a recorded Asterisk 22.
//
// Pure: requests, answers and frames are values; time and randomness are arguments. The driver (pbx_server.*) brings the sockets.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/sandbox/behaviour.hpp"
#include "adapters/sandbox/http_exchange.hpp"
#include "adapters/sandbox/pbx/pbx_settings.hpp"
#include "adapters/sandbox/schedule.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::sandbox {

using SocketId = std::uint64_t;

struct PbxOutput {
    struct Frame { SocketId socket; std::string text; };
    struct Ended { SocketId socket; bool reset; };  // else a proper close
    std::vector<Frame> frames = {};
    std::vector<Ended> ended = {};
};

struct PbxStatistics {
    std::uint64_t requests = 0, refused = 0, faults = 0, unanswered = 0;
    std::uint64_t events = 0, events_lost = 0, nonsense = 0, sockets = 0;
    std::uint64_t calls_in = 0, calls_turned_away = 0, calls_out = 0, answered = 0, abandoned = 0;
    std::uint64_t restarts = 0;
};

class PbxPeer {
public:
    PbxPeer(PbxSettings settings, const PbxBehaviour& behaviour, Random& random);

    // A REST request.
    [[nodiscard]] HttpReply handle(const HttpRequest& request, Now now);
    // An upgrade to the event stream: the answer that refuses it, or nothing.
    [[nodiscard]] std::optional<HttpReply> refuse_socket(const HttpRequest& request, Now now) const;
    void on_socket_open(SocketId socket, const HttpRequest& request, Now now);
    void on_socket_closed(SocketId socket);
    void on_wake(Now now);
    [[nodiscard]] std::optional<std::chrono::nanoseconds> wake_at() const { return schedule_.next(); }
    [[nodiscard]] PbxOutput take_output() { return std::exchange(output_, {}); }
    // It is being started again: nobody is let in.
    [[nodiscard]] bool is_away(Now now) const { return now.monotonic < away_until_; }

    // A request of the control API; `path` is what follows /sandbox/pbx. README.md lists them.
    [[nodiscard]] HttpReply control(const HttpRequest& request, std::string_view path, Now now);
    // The counts behind drop_after start again, and callers come at the new rate.
    void behaviour_changed(Now now);
    [[nodiscard]] const PbxStatistics& statistics() const { return statistics_; }
    [[nodiscard]] std::size_t channels() const { return channels_.size(); }

private:
    enum class PartyKind : std::uint8_t { caller, customer, agent, local, snoop };
    // Set for one number or extension by the control API.
    struct Manner {
        std::string outcome;
        std::optional<Duration> after, talk, patience;
        std::string digits;
        Duration digits_after{1'000};
        std::string digits_each;  // pressed after every sound that is played to it
        bool other_codec = false;
        bool registered = true;
    };
    struct Channel {
        std::string id, name, state = "Down";
        std::string caller_name, caller_number, connected_name, connected_number;
        std::string context = "default", exten = "s", app_name = "AppDial2", app_data = "(Outgoing Line)";
        Instant created{};
        std::map<std::string, std::string, std::less<>> variables = {};
        PartyKind kind = PartyKind::customer;
        std::string number;              // of the party, or its extension
        bool originated = false;
        std::string app;                 // it is in; "" outside
        std::string app_after_answer, args_after_answer;  // of an originate
        std::set<std::string> watchers = {};  // applications that are told of it …
        bool arrived = false;
        std::set<std::string> subscribed = {};  // … and of one that came in by the dial plan, of its end too
        std::string bridge;
        std::string outcome = {};
        bool ringing_shown = false;
        bool hears_music = false;
        std::optional<Instant> answered_at = {}, bridged_at = {};
        Duration bridged{0};
        bool talk_planned = false;
        Manner manner = {};
        std::uint64_t serial = 0;        // tells timers of an earlier channel with the same id apart
        std::string hung_up_by = {};
    };
    struct Bridge {
        std::string id, name, type;
        std::vector<std::string> channels = {};
        Instant created{};
        std::set<std::string> watchers = {};
    };
    struct Application {
        SocketId socket = 0;             // 0: nobody listens
        std::set<std::string> disallowed = {};
        bool subscribe_all = false;
    };
    struct Playback {
        std::string id, target_uri, media;
        std::uint64_t serial = 0;
    };
    struct Recording {
        std::string name, format, target_uri;
        Instant started{};
        bool paused = false;
        std::uint64_t serial = 0;
    };
    struct EndedCall {
        std::uint64_t number = 0;
        Json json;
    };
    enum class TimerKind : std::uint8_t { ring, answer, refuse, ring_timeout, hang_up, impatience, digit, verdict, playback, recording, call, late_event };
    struct Timer {
        TimerKind kind{};
        std::string subject = {};        // a channel, playback or recording
        std::uint64_t serial = 0;
        std::string text = {};
        SocketId socket = 0;
    };
    struct Request {
        const HttpRequest& http;
        std::vector<std::string> path;   // segments below /ari, decoded
        Parameters parameters;           // of the query and of the body
        Json body;
        Now now;
        [[nodiscard]] std::string text(std::string_view name) const { return std::string{value_of(parameters, name)}; }
        [[nodiscard]] bool has(std::string_view name) const;
    };

    // ---- pbx_peer.cpp: requests, applications, events
    [[nodiscard]] bool may_enter(const HttpRequest& request, std::string* user) const;
    [[nodiscard]] HttpReply route(Request& request);
    [[nodiscard]] HttpReply applications(Request& request);
    [[nodiscard]] static HttpReply description(std::string_view file, std::string_view host);  // pbx_description.cpp
    [[nodiscard]] Json application_json(const std::string& name) const;
    void send(const std::string& app, const Json& event, Now now);
    void send_frame(SocketId socket, std::string text);
    void tell(const Channel& channel, const char* type, Json more, Now now);
    void tell_bridge(const Bridge& bridge, const Channel& channel, const char* type, Now now);
    void tell_watchers(const std::set<std::string>& watchers, const char* type, Json more, Now now);
    void plan(std::chrono::nanoseconds after, Timer timer, Now now) { schedule_.add(now.monotonic + after, std::move(timer)); }
    void on_timer(const Timer& timer, Now now);

    // ---- pbx_channels.cpp
    [[nodiscard]] HttpReply channels(Request& request);
    [[nodiscard]] HttpReply make_channel(Request& request, bool dial_at_once);
    [[nodiscard]] HttpReply dial(Request& request, Channel& channel);
    [[nodiscard]] HttpReply on_channel(Request& request, Channel& channel);
    [[nodiscard]] HttpReply snoop(Request& request, const Channel& spied);
    [[nodiscard]] HttpReply variable(Request& request, Channel& channel);
    [[nodiscard]] Json channel_json(const Channel& channel) const;
    Channel& add_channel(std::string id, std::string technology, std::string resource, Now now);
    void enter_app(Channel& channel, const std::string& app, const std::vector<std::string>& args, Now now, const Channel* replaced = nullptr);
    void change_state(Channel& channel, const char* state, Now now);
    void tell_dial(const Channel& channel, const char* status, Now now);
    void end_channel(const std::string& id, int cause, int tech_cause, const char* by, Now now);
    [[nodiscard]] Channel* find_channel(std::string_view id);

    // ---- pbx_bridges.cpp
    [[nodiscard]] HttpReply bridges(Request& request);
    [[nodiscard]] HttpReply add_to_bridge(Request& request, Bridge& bridge);
    [[nodiscard]] Json bridge_json(const Bridge& bridge) const;
    void enter_bridge(Bridge& bridge, Channel& channel, Now now);
    void leave_bridge(Channel& channel, Now now);
    void voices_changed(Bridge& bridge, Now now);

    // ---- pbx_media.cpp
    [[nodiscard]] HttpReply play(Request& request, const std::string& target_uri);
    [[nodiscard]] HttpReply record(Request& request, const std::string& target_uri, bool impossible);
    [[nodiscard]] HttpReply playbacks(Request& request);
    [[nodiscard]] HttpReply recordings(Request& request);
    void end_playback(const std::string& id, const char* state, Now now);
    void end_recording(const std::string& name, Now now);
    [[nodiscard]] std::set<std::string> watchers_of(const std::string& target_uri);

    // ---- pbx_parties.cpp: what people and their telephones do
    [[nodiscard]] Manner manner_of(const std::string& number) const;
    void start_ringing(Channel& channel, Duration timeout, Now now);
    void answer(Channel& channel, Now now);
    void refuse(Channel& channel, Now now);
    void person_talks(Channel& channel, Now now);
    [[nodiscard]] std::string call_in(const std::string& from, const std::string& name, const std::string& to, const std::vector<std::string>& args, const Manner& manner, bool by_agent, Now now);
    void give_verdict(Channel& channel, Now now);
    void press(Channel& channel, const std::string& digits, Duration after, Now now);
    void plan_next_call(Now now);

    // ---- pbx_control.cpp
    [[nodiscard]] HttpReply control_leg(const HttpRequest& request, const std::string& id, std::string_view act, JsonReader& body, Now now);
    [[nodiscard]] HttpReply transfer(Channel& channel, const std::string& to, Now now);
    void restart(Duration away, Now now);
    void end_sockets(bool reset);

    PbxSettings settings_;
    const PbxBehaviour& behaviour_;
    Random& random_;
    std::map<std::string, Channel, std::less<>> channels_;
    std::map<std::string, Bridge, std::less<>> bridges_;
    std::map<std::string, Application, std::less<>> applications_;
    std::map<std::string, Playback, std::less<>> playbacks_;
    std::map<std::string, Recording, std::less<>> live_;
    std::map<std::string, Duration, std::less<>> stored_;   // recordings: how long
    std::map<std::string, Manner, std::less<>> manners_;    // by number or extension
    std::deque<EndedCall> ended_;
    Schedule<Timer> schedule_;
    PbxOutput output_;
    PbxStatistics statistics_;
    std::uint64_t next_serial_ = 1;
    std::uint64_t next_name_ = 0;
    std::uint64_t call_serial_ = 0;      // of the timer that brings the next call
    std::int64_t events_until_drop_ = 0;
    std::chrono::nanoseconds away_until_{0};
    std::optional<Instant> began_at_;    // as it tells; nothing: nobody has asked for anything yet
};

}  // namespace touchgate::sandbox
