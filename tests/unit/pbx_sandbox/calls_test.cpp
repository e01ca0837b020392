// The Asterisk adapter and the simulated PBX, joined in memory: each was written from the protocol, so that each checks the other.
#include <map>
#include <vector>

#include "adapters/sandbox/pbx/pbx_peer.hpp"
#include "tests/unit/adapters/asterisk_ari/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using AriSession = adapters::asterisk_ari::Session;
using adapters::asterisk_ari::test::Lines;
using adapters::asterisk_ari::test::told;
using namespace std::chrono_literals;

namespace {

struct World {
    explicit World(const Json& pbx_settings = {{"users", {{"tg", "secret"}}}, {"app", "gw"}}, const Json& more = Json::object(), std::uint64_t seed = 1)
        : random{seed}, peer{read(pbx_settings), behaviour, random},
          session{adapters::asterisk_ari::test::settings_of(adapters::asterisk_ari::test::minimal_settings(), more), seed} {
        behaviour.ring = {1s, 1s};
        behaviour.agent_ring = {500ms, 500ms};
        behaviour.refuse = {500ms, 500ms};
        behaviour.patience = {};
    }

    static sandbox::PbxSettings read(const Json& json) {
        std::vector<Problem> problems;
        JsonReader reader{json, "", problems};
        auto settings = sandbox::read_pbx(reader);
        REQUIRE(problems.empty());
        return settings;
    }

    sandbox::PbxBehaviour behaviour;
    Random random;
    sandbox::PbxPeer peer;
    AriSession session;
    Monotonic now{10'000};
    Instant wall = from_unix_ms(1'790'000'000'000);
    bool connected = false;
    sandbox::SocketId socket = 0;
    std::vector<CallEvent> events;
    struct Answer {
        Monotonic at;
        std::uint64_t id;
        sandbox::HttpReply reply;
    };
    std::vector<Answer> answers;
    std::uint64_t requests = 0;

    [[nodiscard]] sandbox::Now time() const { return {.monotonic = now, .wall = wall}; }

    // Everything that is due now.
    void settle() {
        for (int turns = 0; turns < 10'000; ++turns) {
            bool moved = false;
            if (!connected && session.connect_at() && *session.connect_at() <= now) {
                moved = true;
                sandbox::HttpRequest upgrade{.method = "GET", .target = "/ari/events?app=gw", .headers = {{"authorization", "Basic dGc6c2VjcmV0"}}, .body = {}};
                if (peer.is_away(time())) {
                    session.on_closed(now, "refused", false);
                } else {
                    REQUIRE_FALSE(peer.refuse_socket(upgrade, time()));
                    connected = true;
                    peer.on_socket_open(++socket, upgrade, time());
                    session.on_connected(now, wall);
                }
            }
            if (session.wake_at() && *session.wake_at() <= now) session.on_wake(now, wall);
            if (peer.wake_at() && *peer.wake_at() <= now) {
                peer.on_wake(time());
                moved = true;
            }
            auto output = session.take_output();
            for (auto& event : output.events) {
                events.push_back(std::move(event));
                moved = true;
            }
            for (const auto& request : output.requests) {
                ++requests;
                moved = true;
                const auto& url = request.request.url;
                sandbox::HttpRequest http{.method = request.request.method, .target = url.substr(url.find("/ari")), .headers = {}, .body = request.request.body};
                for (const auto& [name, value] : request.request.headers) http.headers.emplace_back(name == "Authorization" ? "authorization" : "content-type", value);
                if (peer.is_away(time())) {
                    answers.push_back({now, request.id, {.status = 200, .content_type = {}, .body = {}, .delay = {}, .hang_up = true}});
                } else {
                    auto reply = peer.handle(http, time());
                    const auto at = now + reply.delay;
                    answers.push_back({at, request.id, std::move(reply)});
                }
            }
            if (output.close && connected) {
                connected = false;
                peer.on_socket_closed(socket);
                session.on_closed(now, "closed by the gateway", false);
            }
            auto from_peer = peer.take_output();
            for (const auto& frame : from_peer.frames)
                if (connected && frame.socket == socket) {
                    session.on_bytes(now, wall, frame.text);
                    moved = true;
                }
            for (const auto& ended : from_peer.ended)
                if (connected && ended.socket == socket) {
                    connected = false;
                    session.on_closed(now, "the connection was reset", false);
                    moved = true;
                }
            for (std::size_t i = 0; i < answers.size(); ++i) {
                if (answers[i].at > now) continue;
                const auto [at, id, reply] = std::move(answers[i]);
                answers.erase(answers.begin() + static_cast<std::ptrdiff_t>(i));
                if (reply.hang_up) session.on_no_answer(now, id, true, "the connection was closed");
                else session.on_answer(now, wall, id, {.status = reply.status, .headers = {{"content-type", reply.content_type}}, .body = reply.body});
                moved = true;
                break;
            }
            if (!moved) return;
        }
        FAIL("the world does not come to rest");
    }
    void pass(Duration time_to_pass) {
        for (const auto end = now + time_to_pass; now < end;) {
            settle();
            now += 1ms;
            wall += 1ms;
        }
        settle();
    }
    Lines take_told() {
        settle();
        Lines lines;
        for (const auto& event : std::exchange(events, {})) lines.push_back(told(event));
        return lines;
    }
    void execute(CommandId id, const CallCommand& command) {
        session.execute(now, id, command);
        settle();
    }
    Json control(const std::string& method, const std::string& path, const Json& body = Json::object(), int status = 0) {
        auto reply = peer.control({.method = method, .target = "/sandbox/pbx" + path, .headers = {}, .body = body.dump()}, path, time());
        INFO(method << ' ' << path << ": " << reply.body);
        CHECK((status == 0 ? reply.status < 300 : reply.status == status));
        settle();
        return reply.body.empty() ? Json::object() : Json::parse(reply.body);
    }
    void come_up() {
        settle();
        REQUIRE(take_told() == Lines{"up with 0 legs"});
    }
    // A caller and an agent who talk.
    std::string connect_call() {
        const std::string caller = control("POST", "/calls", {{"from", "13800000000"}, {"to", "1000"}})["channel"];
        execute(1, AnswerLeg{.leg = caller});
        execute(2, MakeLeg{.leg = "agent-leg", .owner = "call-1", .role = LegRole::agent, .target = "1001"});
        pass(600ms);
        execute(3, MakeMix{.mix = "mix", .owner = "call-1"});
        execute(4, JoinLeg{.mix = "mix", .leg = caller});
        execute(5, JoinLeg{.mix = "mix", .leg = "agent-leg"});
        return caller;
    }
};

bool has(const Lines& lines, const std::string& line) { return std::find(lines.begin(), lines.end(), line) != lines.end(); }

}  // namespace

TEST_CASE("pbx: a caller is answered, joined with an agent, and hangs up", "[pbx]") {
    World world;
    world.come_up();
    const auto caller = world.connect_call();
    CHECK(world.take_told() == Lines{"arrived " + caller + " from 13800000000 to 1000", "answered " + caller, "ringing agent-leg", "answered agent-leg", caller + " joined mix",
                                     "agent-leg joined mix"});
    world.pass(3s);
    world.control("POST", "/legs/" + caller + "/digits", {{"digits", "5#"}});
    world.pass(1s);
    world.control("POST", "/legs/" + caller + "/hangup");
    CHECK(world.take_told() == Lines{caller + " pressed 5", caller + " pressed #", caller + " parted mix", "ended " + caller + " answered 16/0 by itself"});
    world.execute(6, EndLeg{.leg = "agent-leg"});
    world.execute(7, EndMix{.mix = "mix"});
    CHECK(world.take_told() == Lines{"agent-leg parted mix", "ended agent-leg answered 16/0"});
    const auto calls = world.control("GET", "/calls")["items"];
    REQUIRE(calls.size() == 2);
    CHECK(calls[0]["talk_ms"] == calls[1]["talk_ms"]);
    CHECK(calls[0]["talk_ms"].get<int>() >= 4'000);
    CHECK(world.peer.channels() == 0);
}

TEST_CASE("pbx: how a customer's leg ends, by what he does", "[pbx]") {
    const auto [manner, expected] = GENERATE(table<const char*, Lines>({{"busy", {"ringing c", "ended c busy 17/486 by itself"}},
                                                                        {"reject", {"ringing c", "ended c rejected 21/603 by itself"}},
                                                                        {"do_not_disturb", {"ringing c", "ended c no_answer 19/480 by itself"}},
                                                                        {"invalid", {"ended c invalid_number 1/404 by itself"}},
                                                                        {"unreachable", {"ended c unreachable 20/0 by itself"}},
                                                                        {"congestion", {"ended c congestion 34/503 by itself"}},
                                                                        {"failed", {"ended c failed 38/500 by itself"}},
                                                                        {"no_answer", {"ringing c", "ended c no_answer 19/480"}},
                                                                        {"answer", {"ringing c", "answered c", "ended c answered 0/0 by itself"}}}));
    World world;
    world.come_up();
    world.control("PUT", "/numbers/+8613800000000", {{"outcome", manner}, {"talk", "PT2S"}});
    world.execute(1, MakeLeg{.leg = "c", .owner = "o", .target = "+8613800000000", .ring_timeout = 5s});
    world.pass(6s);
    INFO(manner);
    CHECK(world.take_told() == expected);
}

TEST_CASE("pbx: a machine is told from a human", "[pbx]") {
    World world{{{"users", {{"tg", "secret"}}}, {"app", "gw"}}, {{"amd", {{"context", "touchgate-amd"}}}}};
    world.come_up();
    for (const auto* manner : {"answer", "machine"}) {
        world.control("PUT", "/numbers/+861", {{"outcome", manner}});
        world.execute(1, MakeLeg{.leg = manner, .owner = "o", .target = "+861", .detect_machine = true});
        world.pass(5s);
        CHECK(world.take_told().back() == std::string{"answered "} + manner + (std::string_view{manner} == "machine" ? " by a machine" : " by a human"));
    }
}

TEST_CASE("pbx: an agent whose phone is not registered, never answers, or is called off", "[pbx]") {
    World world{{{"users", {{"tg", "secret"}}}, {"app", "gw"}, {"agents", {"1001", "1002"}}}};
    world.come_up();
    world.execute(1, MakeLeg{.leg = "a", .owner = "o", .role = LegRole::agent, .target = "1003"});
    CHECK(world.take_told() == Lines{"failed 1 500"});
    world.control("PUT", "/numbers/1001", {{"outcome", "no_answer"}});
    world.execute(2, MakeLeg{.leg = "b", .owner = "o", .role = LegRole::agent, .target = "1001", .ring_timeout = 3s});
    world.pass(4s);
    CHECK(world.take_told() == Lines{"ringing b", "ended b no_answer 19/480"});
    world.execute(3, MakeLeg{.leg = "c", .owner = "o", .role = LegRole::agent, .target = "1002"});
    world.pass(100ms);
    world.execute(4, EndLeg{.leg = "c", .reason = EndReason::answered_elsewhere});
    CHECK(world.take_told() == Lines{"ringing c", "ended c cancelled 26/0"});
}

TEST_CASE("pbx: the event stream breaks in a call, and all of it is found again", "[pbx]") {
    World world;
    world.come_up();
    const auto caller = world.connect_call();
    world.take_told();
    world.control("POST", "/disconnect", {{"how", "reset"}});
    CHECK(world.take_told() == Lines{"down"});
    SECTION("unchanged") {
        world.pass(2s);
        REQUIRE(world.events.size() == 1);
        const auto& snapshot = std::get<PbxUp>(world.events[0]).snapshot;
        REQUIRE(snapshot.legs.size() == 2);
        for (const auto& leg : snapshot.legs) {
            CHECK(leg.answered);
            CHECK(leg.arrived == (leg.leg == caller));
            CHECK(leg.owner == (leg.leg == caller ? "" : "call-1"));
        }
        REQUIRE(snapshot.mixes.size() == 1);
        CHECK(snapshot.mixes[0].owner == "call-1");
        CHECK(snapshot.mixes[0].legs.size() == 2);
        world.events.clear();
        world.control("POST", "/legs/agent-leg/hangup");
        CHECK(world.take_told() == Lines{"agent-leg parted mix", "ended agent-leg answered 16/0 by itself"});
    }
    SECTION("the caller hung up meanwhile, and a new one is turned away") {
        world.control("POST", "/legs/" + caller + "/hangup");
        world.control("POST", "/calls", {{"from", "1"}, {"to", "1000"}}, 409);
        world.pass(2s);
        REQUIRE(world.events.size() == 1);
        CHECK(std::get<PbxUp>(world.events[0]).snapshot.legs.size() == 1);
    }
}

TEST_CASE("pbx: it is started again and has forgotten everything", "[pbx]") {
    World world;
    world.come_up();
    world.connect_call();
    world.take_told();
    world.control("POST", "/restart", {{"for", "PT3S"}});
    world.pass(10s);
    const auto lines = world.take_told();
    CHECK(lines.front() == "down");
    CHECK(lines.back() == "up with 0 legs");
}

TEST_CASE("pbx: the telephone's transfer is handed over, or done by the PBX", "[pbx]") {
    SECTION("handed over") {
        World world;
        world.come_up();
        world.connect_call();
        world.take_told();
        world.control("POST", "/legs/agent-leg/transfer", {{"to", "2000"}});
        CHECK(world.take_told() == Lines{"agent-leg asks for 2000"});
    }
    SECTION("done by the PBX") {
        World world{{{"users", {{"tg", "secret"}}}, {"app", "gw"}}, {{"transfers", "pbx"}}};
        world.come_up();
        const auto caller = world.connect_call();
        world.take_told();
        const std::string half = world.control("POST", "/legs/agent-leg/transfer", {{"to", "2000"}})["channel"];
        world.pass(1s);
        CHECK(world.take_told() == Lines{half + " replaces agent-leg", "agent-leg parted mix", half + " joined mix", "answered " + half});
        const auto legs = world.control("GET", "/legs")["items"];
        CHECK(legs.size() == 2);
        for (const auto& leg : legs) CHECK(leg["channel"] != "agent-leg");
    }
}

TEST_CASE("pbx: telephones without a common codec", "[pbx]") {
    World world;
    world.come_up();
    world.control("PUT", "/numbers/1001", {{"other_codec", true}});
    world.connect_call();
    CHECK(has(world.take_told(), "failed 5 NO_COMMON_CODEC"));
}

TEST_CASE("pbx: sounds, music, recordings and a supervisor", "[pbx]") {
    World world;
    world.come_up();
    const std::string caller = world.control("POST", "/calls", {{"from", "13800000000"}, {"to", "1000"}, {"digits_each", "7"}})["channel"];
    world.execute(1, AnswerLeg{.leg = caller});
    world.execute(2, Play{.play = "hello", .leg = caller, .mix = {}, .media = {"file:hello"}});
    world.pass(3s);
    auto lines = world.take_told();
    CHECK(has(lines, "play hello done"));
    CHECK(has(lines, caller + " pressed 7"));
    world.execute(3, StartRecording{.recording = "voice-mail", .leg = caller, .mix = {}, .longest = 2s});
    world.pass(3s);
    CHECK(world.take_told() == Lines{"recording voice-mail done"});
    world.execute(4, FetchRecording{.recording = "voice-mail"});
    REQUIRE(world.events.size() == 1);
    const auto& fetched = std::get<RecordingFetched>(world.events[0]);
    CHECK(fetched.content_type == "audio/wav");
    CHECK(fetched.bytes.substr(0, 4) == "RIFF");
    CHECK(fetched.bytes.size() == 44 + 32'000);
    world.events.clear();
    world.execute(5, DropRecording{.recording = "voice-mail"});
    world.execute(6, FetchRecording{.recording = "voice-mail"});
    CHECK(has(world.take_told(), "failed 6 404"));
    world.execute(7, StartMusic{.leg = caller});
    CHECK(world.control("GET", "/legs")["items"][0]["music"] == true);
    world.execute(8, MakeMix{.mix = "m", .owner = "o"});
    world.execute(9, JoinLeg{.mix = "m", .leg = caller});
    CHECK(world.control("GET", "/legs")["items"][0]["music"] == false);
    world.execute(10, StartRecording{.recording = "of-leg", .leg = caller, .mix = {}});
    CHECK(has(world.take_told(), "recording of-leg failed: Cannot record channel while in bridge"));
    world.execute(11, StartRecording{.recording = "of-mix", .leg = {}, .mix = "m"});
    world.execute(12, SnoopLeg{.leg = "spy", .of = caller, .owner = "o"});
    CHECK(world.take_told() == Lines{"answered spy"});
    world.execute(13, StopRecording{.recording = "of-mix"});
    CHECK(world.take_told() == Lines{"recording of-mix done"});
}

TEST_CASE("pbx: with faults everywhere every call still ends, and nothing is left", "[pbx]") {
    const std::uint64_t seed = GENERATE(range(1, 13));
    World world{{{"users", {{"tg", "secret"}}}, {"app", "gw"}}, Json::object(), seed};
    world.behaviour.patience = {2s, 5s};
    world.behaviour.talk = {1s, 4s};
    world.behaviour.ring = {100ms, 3s};
    world.behaviour.outcome = {{"answer", 0.5}, {"busy", 0.2}, {"reject", 0.1}, {"invalid", 0.1}};
    world.come_up();
    world.behaviour.error = {{"500", 0.05}, {"409", 0.05}};
    world.behaviour.no_response = 0.05;
    world.behaviour.response_delay = {0ms, 50ms};
    world.behaviour.reorder = 0.1;
    world.behaviour.nonsense = 0.1;
    std::map<std::string, bool> open;  // made by us
    std::size_t ended = 0;
    CommandId next = 1;
    std::map<CommandId, std::string> making;
    const auto note = [&] {
        for (const auto& event : std::exchange(world.events, {})) {
            if (const auto* arrived = std::get_if<LegArrived>(&event)) open[arrived->leg] = true;
            if (const auto* end = std::get_if<LegEnded>(&event)) {
                INFO(end->leg);
                CHECK(open.erase(end->leg) == 1);
                ++ended;
            }
            if (const auto* failed = std::get_if<CommandFailed>(&event))
                if (const auto made = making.find(failed->command); made != making.end()) open.erase(made->second);
            if (const auto* up = std::get_if<PbxUp>(&event)) {
                std::map<std::string, bool> there;
                for (const auto& leg : up->snapshot.legs) there[leg.leg] = true;
                std::erase_if(open, [&](const auto& each) { return !there.contains(each.first); });
                for (const auto& [leg, yes] : there) open[leg] = yes;
            }
        }
    };
    for (int i = 0; i < 40; ++i) {
        if (i % 3 == 0) {
            (void)world.peer.control({.method = "POST", .target = {}, .headers = {}, .body = R"({"from":"138","to":"1000"})"}, "/calls", world.time());
        } else {
            const auto leg = "leg-" + std::to_string(i);
            making[next] = leg;
            open[leg] = true;
            world.execute(next++, MakeLeg{.leg = leg, .owner = "o", .role = i % 3 == 1 ? LegRole::customer : LegRole::agent, .target = i % 3 == 1 ? "+8613800000000" : "1001", .ring_timeout = 2s});
        }
        if (i == 20) world.control("POST", "/disconnect", {{"how", "reset"}});
        world.pass(Duration{static_cast<Duration::rep>(world.random.below(400))});
        note();
    }
    world.behaviour.error = {};
    world.behaviour.no_response = world.behaviour.reorder = world.behaviour.nonsense = 0;
    world.behaviour.response_delay = {};
    world.pass(10s);
    note();
    for (const auto& [leg, yes] : std::map{open}) world.execute(next++, EndLeg{.leg = leg});
    world.pass(10s);
    note();
    INFO("seed " << seed);
    for (const auto& [leg, yes] : open) UNSCOPED_INFO("left open: " << leg);
    CHECK(open.empty());
    CHECK(ended > 5);
    CHECK(world.peer.channels() == 0);
}
