// A session with a PBX that says what the test says.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "adapters/asterisk_ari/adapter.hpp"
#include "adapters/asterisk_ari/session.hpp"
#include "tests/catch.hpp"

namespace touchgate::adapters::asterisk_ari::test {

using namespace channel;
using namespace std::chrono_literals;

inline Json minimal_settings() {
    return {{"base_url", "http://127.0.0.1:8088"},     {"username", "tg"},
            {"password", "secret"},                    {"app", "gw"},
            {"agent_endpoint", "PJSIP/{extension}"},   {"customer_endpoint", "PJSIP/{number}@trunk"},
            {"caller_id", "+862112345678"}};
}

inline Settings read(const Json& json, std::vector<Problem>& problems, const std::string& region = "CN") {
    JsonReader reader{json, "", problems};
    auto settings = read_settings(reader, region);
    reader.finish();
    return settings;
}

inline std::shared_ptr<const Settings> settings_of(Json json = minimal_settings(), const Json& more = Json::object()) {
    json.update(more);
    std::vector<Problem> problems;
    auto settings = read(json, problems);
    REQUIRE(problems.empty());
    return std::make_shared<const Settings>(std::move(settings));
}

inline const Json& recorded() {
    static const Json all = [] {
        std::ifstream file{std::string{TOUCHGATE_SOURCE_DIR} + "/adapters/asterisk_ari/fixtures/recorded-events.json"};
        std::ostringstream text;
        text << file.rdbuf();
        return Json::parse(text.str());
    }();
    return all;
}

// One line an event: "ringing ag-1", "ended ag-1 busy 17/486" …
inline std::string told(const CallEvent& event) {
    struct Reader {
        std::string operator()(const PbxUp& e) const { return "up with " + std::to_string(e.snapshot.legs.size()) + " legs" + (e.warning.empty() ? "" : ", " + e.warning); }
        std::string operator()(const PbxDown& e) const { return std::string{"down"} + (e.credentials ? " for credentials" : ""); }
        std::string operator()(const Snapshot& e) const { return "snapshot with " + std::to_string(e.legs.size()) + " legs"; }
        std::string operator()(const LegArrived& e) const { return "arrived " + e.leg + " from " + e.from + " to " + e.to + (e.role == LegRole::agent ? " by an agent" : ""); }
        std::string operator()(const LegRinging& e) const { return "ringing " + e.leg; }
        std::string operator()(const LegAnswered& e) const {
            return "answered " + e.leg + (e.by == AnsweredBy::human ? " by a human" : e.by == AnsweredBy::machine ? " by a machine" : e.by == AnsweredBy::unsure ? " by who knows" : "");
        }
        std::string operator()(const LegEnded& e) const {
            return "ended " + e.leg + ' ' + e.outcome + ' ' + std::to_string(e.cause) + '/' + std::to_string(e.tech_cause) + (e.by_far_end ? " by itself" : "");
        }
        std::string operator()(const LegJoined& e) const { return e.leg + " joined " + e.mix; }
        std::string operator()(const LegParted& e) const { return e.leg + " parted " + e.mix; }
        std::string operator()(const DigitPressed& e) const { return e.leg + " pressed " + e.digit; }
        std::string operator()(const LegHeld& e) const { return e.leg + (e.held ? " holds" : " goes on"); }
        std::string operator()(const LegReplaced& e) const { return e.by + " replaces " + e.leg; }
        std::string operator()(const TransferAsked& e) const { return e.leg + " asks for " + e.to; }
        std::string operator()(const PlayEnded& e) const { return "play " + e.play + (e.completed ? " done" : " cut off"); }
        std::string operator()(const RecordingEnded& e) const { return "recording " + e.recording + (e.failure.empty() ? " done" : " failed: " + e.failure); }
        std::string operator()(const RecordingFetched& e) const { return "fetched " + e.recording + (e.failure.empty() ? "" : " not: " + e.failure); }
        std::string operator()(const CommandFailed& e) const {
            return "failed " + std::to_string(e.command) + ' ' + e.code + (e.unwritten ? " unwritten" : "") + (e.unknown ? " unknown" : "");
        }
    };
    return std::visit(Reader{}, event);
}

using Lines = std::vector<std::string>;

// Drives a session: requests are kept until the test answers them.
struct Rig {
    explicit Rig(const Json& more = Json::object(), std::uint64_t seed = 1) : settings{settings_of(minimal_settings(), more)}, session{settings, seed} {}

    std::shared_ptr<const Settings> settings;
    Session session;
    Monotonic now{1'000};
    Instant wall = from_unix_ms(1'790'000'000'000);
    std::vector<CallRequest> open;
    std::vector<std::string> asked;  // "POST /channels?…", below /ari
    std::vector<CallEvent> events;
    bool closes = false;

    void collect() {
        auto output = session.take_output();
        for (auto& request : output.requests) {
            const auto& url = request.request.url;
            asked.push_back(request.request.method + ' ' + url.substr(url.find("/ari") + 4));
            open.push_back(std::move(request));
        }
        for (auto& event : output.events) events.push_back(std::move(event));
        closes = closes || output.close;
    }
    Lines take_told() {
        collect();
        Lines lines;
        for (const auto& event : std::exchange(events, {})) lines.push_back(told(event));
        return lines;
    }
    Lines take_asked() {
        collect();
        return std::exchange(asked, {});
    }
    CallRequest take_request() {
        collect();
        REQUIRE_FALSE(open.empty());
        auto request = std::move(open.front());
        open.erase(open.begin());
        return request;
    }
    void answer(int status, const Json& body = Json::object()) { answer_text(status, body.dump()); }
    void answer_text(int status, std::string body) {
        const auto request = take_request();
        session.on_answer(now, wall, request.id, {.status = status, .headers = {}, .body = std::move(body)});
        collect();
    }
    void no_answer(bool written, const char* reason = "no answer in time") {
        const auto request = take_request();
        session.on_no_answer(now, request.id, written, reason);
        collect();
    }
    // All that is asked is done.
    void answer_all(int status = 204) {
        collect();
        while (!open.empty()) answer(status);
    }
    void hear(const Json& event) { hear_text(event.dump()); }
    void hear_text(std::string_view frame) {
        session.on_bytes(now, wall, frame);
        collect();
    }
    void execute(CommandId id, const CallCommand& command) {
        session.execute(now, id, command);
        collect();
    }
    void wake_after(Duration time) {
        now += time;
        wall += time;
        session.on_wake(now, wall);
        collect();
    }

    void connect(const Json& channels = Json::array(), const Json& bridges = Json::array(), const Json& ids = Json::array()) {
        session.on_connected(now, wall);
        answer(200);
        answer(200, {{"name", "gw"}, {"channel_ids", ids}, {"bridge_ids", Json::array()}});
        answer(200, channels);
        answer(200, bridges);
        answer(200, {{"status", {{"startup_time", "2026-09-21T09:00:00.000+0000"}}}});
    }
    // Connected, and all of that forgotten.
    void come_up() {
        connect();
        REQUIRE(take_told() == Lines{"up with 0 legs"});
        (void)take_asked();
    }
    // A channel that was made comes into the application.
    void enters(const std::string& leg);
    void replay(const char* scenario) {
        for (const auto& each : recorded()["scenarios"])
            if (each["id"] == scenario) {
                for (const auto& event : each["events"]) hear(event["event"]);
                return;
            }
        FAIL("no such recording: " << scenario);
    }
};

inline Json a_channel(const std::string& id, const std::string& state = "Up", const std::string& app_data = "gw,inbound,1000", const std::string& app_name = "Stasis") {
    return {{"id", id},
            {"name", "PJSIP/trunk-00000001"},
            {"state", state},
            {"caller", {{"name", ""}, {"number", "13800000000"}}},
            {"connected", {{"name", ""}, {"number", ""}}},
            {"dialplan", {{"context", "from-trunk"}, {"exten", "1000"}, {"priority", 1}, {"app_name", app_name}, {"app_data", app_data}}},
            {"creationtime", "2026-09-21T10:00:00.000+0000"},
            {"channelvars", Json::object()}};
}
inline Json event(const char* type, const Json& of, const Json& more = Json::object()) {
    Json json{{"type", type}, {"timestamp", "2026-09-21T10:00:01.000+0000"}, {"application", "gw"}, {"channel", of}};
    json.update(more);
    return json;
}

inline void Rig::enters(const std::string& leg) {
    hear(event("StasisStart", a_channel(leg, "Down", "gw,leg,agent,call-1,1001"), {{"args", {"leg", "agent", "call-1", "1001"}}}));
}

}  // namespace touchgate::adapters::asterisk_ari::test
