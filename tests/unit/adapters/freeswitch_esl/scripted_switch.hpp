// A FreeSWITCH in memory, driven line by line by a test: it sees every command that the session writes and answers only what the test says. Its
// answers are written from what the event socket's source says and from nothing of the adapter.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/freeswitch_esl/session.hpp"
#include "tests/catch.hpp"

namespace touchgate::adapters::freeswitch_esl::test {

using namespace channel;
using namespace std::chrono_literals;

constexpr Instant noon = from_unix_ms(1'800'000'000'000);

inline Settings test_settings() {
    Settings settings;
    settings.host = "switch.example";
    settings.password = "secret08";
    settings.agent_endpoint = "user/{extension}";
    settings.customer_endpoint = "sofia/gateway/carrier/{number}";
    settings.caller_id = "+862112345678";
    return settings;
}

// A command as the switch reads it: the first line, and header lines under it.
struct Said {
    std::string line;
    std::map<std::string, std::string> headers;
    [[nodiscard]] bool is(std::string_view start) const { return line.starts_with(start); }
    [[nodiscard]] std::string job() const {
        const auto found = headers.find("Job-UUID");
        return found == headers.end() ? std::string{} : found->second;
    }
};

class Switch {
public:
    explicit Switch(const Settings& settings = test_settings(), std::uint64_t seed = 1)
        : session{std::make_unique<Session>(std::make_shared<const Settings>(settings), seed)} {}

    void connect() {
        REQUIRE(session->connect_at());
        now = std::max(now, *session->connect_at());
        session->on_connected(now, noon);
        take();
    }
    // Log-in, subscription and a snapshot without channels.
    void up() {
        connect();
        start();
        reply_api(R"({"row_count":0})");
        REQUIRE(ups.size() == 1);
        ups.clear();
    }
    // … up to the question for the channels.
    void start() {
        feed("Content-Type: auth/request\n\n");
        REQUIRE(next().line == "auth secret08");
        reply("+OK accepted");
        REQUIRE(next().is("event json "));
        reply("+OK event listener enabled json");
        REQUIRE(next().line == "api uptime s");
        reply_api("3600");
        REQUIRE(next().line == "api show channels as json");
    }
    void drop(std::string_view why = "connection reset") {
        session->on_closed(now, why, false);
        said.clear();
        take();
    }

    void feed(std::string_view bytes) {
        session->on_bytes(now, noon, bytes);
        take();
    }
    void reply(std::string_view text) { feed("Content-Type: command/reply\nReply-Text: " + std::string{text} + "\n\n"); }
    void reply_api(std::string_view body) {
        feed("Content-Type: api/response\nContent-Length: " + std::to_string(body.size()) + "\n\n" + std::string{body});
    }
    static std::string event_bytes(const std::map<std::string, std::string>& fields) {
        const auto body = Json(fields).dump();
        return "Content-Length: " + std::to_string(body.size()) + "\nContent-Type: text/event-json\n\n" + body;
    }
    void event(std::string name, std::string leg, std::map<std::string, std::string> more = {}) {
        more["Event-Name"] = std::move(name);
        if (!leg.empty()) more["Unique-ID"] = std::move(leg);
        more.emplace("Core-UUID", core);
        feed(event_bytes(more));
    }
    // The answer to a bgapi command: accepted, then its result.
    void finish(const Said& command, std::string result) {
        REQUIRE_FALSE(command.job().empty());
        reply("+OK Job-UUID: " + command.job());
        event("BACKGROUND_JOB", {}, {{"Job-UUID", command.job()}, {"_body", result + "\n"}});
    }
    // The next command must begin so; it succeeds.
    Said expect(std::string_view start, std::string result = "+OK") {
        auto command = next();
        INFO(command.line);
        REQUIRE(command.is(start));
        if (command.is("bgapi")) finish(command, std::move(result));
        else reply(result);
        return command;
    }

    CommandId run(const CallCommand& command) {
        session->execute(now, ++commands_, command);
        take();
        return commands_;
    }
    void pass(std::chrono::nanoseconds span) {
        const auto end = now + span;
        for (int guard = 0; guard < 10'000; ++guard) {
            const auto at = session->wake_at();
            if (!at || *at > end) break;
            now = std::max(now, *at);
            session->on_wake(now, noon);
            take();
            const auto again = session->wake_at();
            REQUIRE((!again || *again > now));  // it must not ask for the same instant for ever
        }
        now = end;
    }

    // A customer's leg that rings, answers and waits.
    void answered_leg(const LegId& leg, LegRole role = LegRole::customer) {
        run(MakeLeg{.leg = leg, .owner = "i1", .role = role, .target = role == LegRole::customer ? "+8613900000001" : "agent2"});
        const auto originate = next();
        REQUIRE(originate.is("bgapi originate "));
        reply("+OK Job-UUID: " + originate.job());
        event("CHANNEL_CREATE", leg);
        event("CHANNEL_PROGRESS", leg);
        event("CHANNEL_ANSWER", leg);
        event("CHANNEL_PARK", leg);
        event("BACKGROUND_JOB", {}, {{"Job-UUID", originate.job()}, {"_body", "+OK " + leg + "\n"}});
        REQUIRE(take_event<LegAnswered>());
        (void)take_event<LegRinging>();
    }
    void arrived_leg(const LegId& leg) {
        event("CHANNEL_PARK", leg, {{"variable_touchgate", "touchgate,inbound,1000"}, {"Caller-Caller-ID-Number", "13800000000"}, {"Answer-State", "ringing"}});
        REQUIRE(take_event<LegArrived>());
    }
    // Both hear each other.
    void bridged(const LegId& a, const LegId& b, const MixId& mix = "m1") {
        run(MakeMix{.mix = mix, .owner = "i1"});
        run(JoinLeg{.mix = mix, .leg = a});
        expect("bgapi uuid_setvar " + a + " touchgate_mix");
        run(JoinLeg{.mix = mix, .leg = b});
        expect("bgapi uuid_setvar " + b + " touchgate_mix");
        const auto bridge = next();
        REQUIRE(bridge.line == "bgapi uuid_bridge " + a + " " + b);
        event("CHANNEL_BRIDGE", a, {{"Bridge-A-Unique-ID", a}, {"Bridge-B-Unique-ID", b}});
        finish(bridge, "+OK " + b);
        REQUIRE(take_event<LegJoined>());
        REQUIRE(take_event<LegJoined>());
    }

    Said next() {
        REQUIRE_FALSE(said.empty());
        auto first = std::move(said.front());
        said.pop_front();
        return first;
    }
    // The oldest event of a kind, taken out.
    template <class E> std::optional<E> take_event() {
        const auto found = std::find_if(events.begin(), events.end(), [](const CallEvent& each) { return std::holds_alternative<E>(each); });
        if (found == events.end()) return std::nullopt;
        auto taken = std::get<E>(std::move(*found));
        events.erase(found);
        return taken;
    }

    void take() {
        auto output = session->take_output();
        closed = closed || output.close;
        for (auto& each : output.events) {
            if (auto* up_event = std::get_if<PbxUp>(&each)) ups.push_back(std::move(*up_event));
            else events.push_back(std::move(each));
        }
        for (auto& request : output.requests) requests.push_back(std::move(request));
        unread_ += output.bytes;
        for (std::size_t end = 0; (end = unread_.find("\n\n")) != std::string::npos; unread_.erase(0, end + 2)) {
            Said command;
            std::string_view rest{unread_.data(), end};
            for (bool first = true; !rest.empty(); first = false) {
                const auto stop = std::min(rest.find('\n'), rest.size());
                const auto line = rest.substr(0, stop);
                rest.remove_prefix(std::min(stop + 1, rest.size()));
                if (first) command.line = line;
                else command.headers.emplace(line.substr(0, line.find(": ")), line.substr(std::min(line.find(": ") + 2, line.size())));
            }
            said.push_back(std::move(command));
        }
    }

    std::unique_ptr<Session> session;
    Monotonic now{std::chrono::hours{1}};
    std::string core = "core-1";
    std::deque<Said> said;
    std::vector<CallEvent> events;
    std::vector<PbxUp> ups;
    std::vector<CallRequest> requests;
    bool closed = false;

private:
    std::string unread_;
    CommandId commands_ = 0;
};

}  // namespace touchgate::adapters::freeswitch_esl::test
