// The connection: start, snapshot, loss, another client; and what the PBX tells.
#include "support.hpp"

using namespace touchgate;
using namespace touchgate::adapters::asterisk_ari;
using namespace touchgate::adapters::asterisk_ari::test;

TEST_CASE("ari start: filter, then the snapshot, and only then it is up", "[asterisk_ari]") {
    Rig rig;
    CHECK(rig.session.connect_at() == Monotonic{0});
    rig.session.on_connected(rig.now, rig.wall);
    CHECK_FALSE(rig.session.connect_at());
    CHECK(rig.take_asked() == Lines{"PUT /applications/gw/eventFilter"});
    CHECK(rig.open.front().request.body.find("ChannelVarset") != std::string::npos);
    CHECK(rig.open.front().request.headers.front() == std::pair<std::string, std::string>{"Authorization", "Basic dGc6c2VjcmV0"});
    rig.execute(5, AnswerLeg{.leg = "x"});
    CHECK(rig.take_told() == Lines{"failed 5 DOWN unwritten"});
    rig.answer(200);
    CHECK(rig.take_asked() == Lines{"GET /applications/gw", "GET /channels", "GET /bridges", "GET /asterisk/info?only=status"});
    rig.answer(200, {{"channel_ids", {"a", "b", "c"}}});
    auto made = a_channel("b", "Ringing", "(Outgoing Line)", "AppDial2");
    made["channelvars"] = {{"TOUCHGATE_OWNER", "call-7"}, {"TOUCHGATE_LEG", "gw,customer,+8613900000001"}};
    auto foreign = made;
    foreign["id"] = "f";
    foreign["channelvars"]["TOUCHGATE_LEG"] = "other,customer,+86";
    rig.answer(200, Json::array({a_channel("a"), a_channel("a"), made, made, a_channel("c", "Up", "gw,leg,agent,call-7,agent1"), foreign, a_channel("d", "Up", "other,inbound", "Stasis"), Json{{"id", 7}}, Json("x")}));
    rig.answer(200, Json::array({{{"id", "m"}, {"name", "touchgate/gw/call-7"}, {"channels", {"a", "c"}}}, {{"id", "n"}, {"name", "someone's"}, {"channels", {"a"}}}}));
    CHECK(rig.events.empty());
    rig.answer(200, {{"status", {{"startup_time", "2026-09-21T09:00:00.000+0000"}}}});
    REQUIRE(rig.events.size() == 1);
    const auto& snapshot = std::get<PbxUp>(rig.events[0]).snapshot;
    REQUIRE(snapshot.legs.size() == 6);  // a number as an id is read as its text
    // Of which the PBX does not say whose they are: the gateway may know them by their names.
    CHECK(snapshot.legs[3].leg == "f");
    CHECK(snapshot.legs[3].unsure);
    CHECK(snapshot.legs[4].unsure);
    CHECK_FALSE((snapshot.legs[0].unsure || snapshot.legs[1].unsure || snapshot.legs[2].unsure));
    CHECK(snapshot.legs[0].leg == "a");
    CHECK(snapshot.legs[0].arrived);
    CHECK(snapshot.legs[0].answered);
    CHECK(snapshot.legs[0].number == "13800000000");
    CHECK(snapshot.legs[0].to == "1000");
    CHECK(snapshot.legs[0].endpoint == "trunk");
    CHECK(snapshot.legs[1].to.empty());
    CHECK(snapshot.legs[1].owner == "call-7");
    CHECK(snapshot.legs[1].number == "+8613900000001");
    CHECK_FALSE(snapshot.legs[1].answered);
    CHECK_FALSE(snapshot.legs[1].arrived);
    CHECK(snapshot.legs[2].role == LegRole::agent);
    CHECK(snapshot.legs[2].owner == "call-7");
    REQUIRE(snapshot.mixes.size() == 1);
    CHECK(snapshot.mixes[0].owner == "call-7");
    CHECK(snapshot.mixes[0].legs == std::vector<LegId>{"a", "c"});
}

TEST_CASE("ari start: what happens during the snapshot is told after it, once", "[asterisk_ari]") {
    Rig rig;
    rig.session.on_connected(rig.now, rig.wall);
    rig.hear(event("StasisStart", a_channel("new", "Ring"), {{"args", {"inbound", "1000"}}}));
    rig.hear(event("StasisStart", a_channel("gone", "Ring"), {{"args", {"inbound", "1000"}}}));
    rig.hear(event("ChannelDestroyed", a_channel("gone", "Ring"), {{"cause", 16}}));
    rig.hear(event("ChannelStateChange", a_channel("old", "Up")));
    CHECK(rig.take_told().empty());
    rig.answer(200);
    rig.answer(200, {{"channel_ids", {"old", "new"}}});
    rig.answer(200, Json::array({a_channel("old"), a_channel("new", "Ring")}));
    rig.answer(200, Json::array());
    rig.answer(200);
    CHECK(rig.take_told() == Lines{"up with 1 legs", "arrived new from 13800000000 to 1000", "arrived gone from 13800000000 to 1000", "ended gone no_answer 16/0"});
}

TEST_CASE("ari start: a leg of an earlier run is one of ours although the PBX has kept nothing of it but its name", "[asterisk_ari]") {
    const std::string ours = "0193a2b4-0000-7000-8000-000000000001";
    Rig rig;
    rig.connect(Json::array({a_channel(ours, "Ringing", "", ""), a_channel("1790000000.7", "Ring", "", "Dial"), a_channel("1790000000.8", "Up", "", "Dial")}));
    REQUIRE(rig.events.size() == 1);
    const auto snapshot = std::get<PbxUp>(rig.events[0]).snapshot;
    REQUIRE(snapshot.legs.size() == 3);
    for (const auto& leg : snapshot.legs) {
        CHECK(leg.unsure);
        CHECK(leg.arrived == (leg.leg != ours));
        CHECK(leg.answered == (leg.leg == "1790000000.8"));
    }
    (void)rig.take_told();
    SECTION("it is answered and ended as any other") {
        rig.hear(event("ChannelStateChange", a_channel(ours, "Up", "", "")));
        rig.hear(event("StasisStart", a_channel(ours, "Up", "", ""), {{"args", {"leg", "customer", "call-1", "+8613800000000"}}}));
        rig.hear(event("ChannelDestroyed", a_channel(ours, "Up", "", ""), {{"cause", 16}}));
        CHECK(rig.take_told() == Lines{"answered " + ours, "ended " + ours + " answered 16/0"});
    }
    SECTION("it is refused") {
        rig.hear(event("ChannelDestroyed", a_channel(ours, "Ringing", "", ""), {{"cause", 17}, {"tech_cause", 486}}));
        CHECK(rig.take_told() == Lines{"ended " + ours + " busy 17/486"});
    }
    SECTION("a stranger who is sent to the application is a caller") {
        rig.hear(event("StasisStart", a_channel("1790000000.7", "Ring"), {{"args", {"inbound", "1000"}}}));
        CHECK(rig.take_told() == Lines{"arrived 1790000000.7 from 13800000000 to 1000"});
    }
}

TEST_CASE("ari start: refusals say what is wrong", "[asterisk_ari]") {
    const auto [status, credentials] = GENERATE(table<int, bool>({{401, true}, {403, true}, {500, false}}));
    Rig rig;
    rig.session.on_connected(rig.now, rig.wall);
    rig.answer(status, {{"message", "no"}});
    CHECK(rig.closes);
    rig.session.on_closed(rig.now, "closed by the gateway", false);
    CHECK(rig.take_told() == Lines{credentials ? "down for credentials" : "down"});
    REQUIRE(rig.session.connect_at());
    CHECK((*rig.session.connect_at() - rig.now >= 30s) == credentials);
}

TEST_CASE("ari start: an old PBX without a filter, and one whose lists are nonsense", "[asterisk_ari]") {
    Rig rig;
    rig.session.on_connected(rig.now, rig.wall);
    rig.answer(404);
    SECTION("an old one is up, with a warning") {
        rig.answer(200, {{"channel_ids", "none"}});
        rig.answer(200, Json::array());
        rig.answer(200, Json::array());
        rig.answer(404);
        CHECK(rig.take_told() == Lines{"up with 0 legs, the PBX takes no event filter (HTTP 404)"});
    }
    SECTION("so is one that does not tell of applications, whose channels are what they say") {
        rig.answer(404, {{"message", "Resource not found"}});
        rig.answer(200, Json::array({a_channel("c", "Up", "gw,leg,agent,call-7,agent1")}));
        rig.answer(200, Json::array());
        rig.answer(404);
        CHECK(rig.take_told() == Lines{"up with 1 legs, the PBX takes no event filter (HTTP 404); the PBX does not tell of its applications (HTTP 404)"});
    }
    SECTION("nonsense ends the connection") {
        rig.answer_text(200, "<html>");
        CHECK(rig.closes);
    }
    SECTION("so does silence") {
        rig.no_answer(true);
        CHECK(rig.closes);
    }
    SECTION("and no answer at all within its time") {
        CHECK(rig.session.wake_at() == rig.now + 30s);
        rig.wake_after(30s);
        CHECK(rig.closes);
    }
}

TEST_CASE("ari loss: back-off grows, and a new connection starts over", "[asterisk_ari]") {
    Rig rig;
    std::vector<Duration> pauses;
    for (int i = 0; i < 8; ++i) {
        rig.session.on_closed(rig.now, "refused", false);
        pauses.push_back(std::chrono::duration_cast<Duration>(*rig.session.connect_at() - rig.now));
    }
    CHECK(pauses[0] <= 500ms);
    CHECK(pauses[0] >= 250ms);
    CHECK(pauses[7] <= 15s);
    CHECK(pauses[7] >= 7'500ms);
    (void)rig.take_told();
    rig.come_up();
    rig.execute(1, MakeLeg{.leg = "c1", .owner = "o", .target = "+8613800000000"});
    rig.execute(2, EndLeg{.leg = "c1"});
    rig.session.on_closed(rig.now, "reset", false);
    // The first is on its way and gets its answer; the second has not been written.
    CHECK(rig.take_told() == Lines{"down", "failed 2 DOWN unwritten"});
    CHECK(*rig.session.connect_at() - rig.now <= 500ms);
}

TEST_CASE("ari: another client that takes the application over is not fought", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.hear({{"type", "ApplicationReplaced"}, {"application", "gw"}});
    CHECK(rig.closes);
    rig.hear(event("StasisStart", a_channel("x", "Ring"), {{"args", {"inbound", "1000"}}}));
    rig.session.on_closed(rig.now, "closed by the gateway", false);
    rig.collect();
    REQUIRE(rig.events.size() == 1);
    CHECK(std::get<PbxDown>(rig.events[0]).reason.find("another client took over the application \"gw\"") == 0);
    CHECK(*rig.session.connect_at() - rig.now == 5min);
    rig.closes = false;
    rig.events.clear();
    rig.come_up();
    rig.hear({{"type", "ApplicationReplaced"}, {"application", "gw"}});
    rig.session.on_closed(rig.now, "closed by the gateway", false);
    CHECK(*rig.session.connect_at() - rig.now == 10min);
}

TEST_CASE("ari: after the application was its own for hours, another client that takes it over is a new story", "[asterisk_ari]") {
    Rig rig;
    const auto replaced_after = [&](Duration up) {
        rig.come_up();
        rig.wake_after(up);
        rig.hear({{"type", "ApplicationReplaced"}, {"application", "gw"}});
        rig.session.on_closed(rig.now, "closed by the gateway", false);
        (void)rig.take_told();
        return std::chrono::duration_cast<Duration>(*rig.session.connect_at() - rig.now);
    };
    CHECK(replaced_after(1min) == 5min);
    CHECK(replaced_after(1min) == 10min);
    CHECK(replaced_after(1h) == 20min);
    CHECK(replaced_after(3h) == 5min);
    CHECK(replaced_after(1min) == 10min);
}

TEST_CASE("ari start: the PBX says when it began, by the gateway's clock", "[asterisk_ari]") {
    const auto began = [](const Json& info, const std::string& date) {
        Rig rig;
        rig.session.on_connected(rig.now, rig.wall);
        rig.answer(200);
        rig.answer(200, {{"channel_ids", Json::array()}});
        rig.answer(200, Json::array());
        rig.answer(200, Json::array());
        const auto request = rig.take_request();
        rig.session.on_answer(rig.now, rig.wall, request.id, {.status = 200, .headers = {{"date", date}}, .body = info.dump()});
        rig.collect();
        REQUIRE(rig.events.size() == 1);
        return std::get<PbxUp>(rig.events[0]).snapshot.began_at;
    };
    const Json info{{"status", {{"startup_time", "2026-09-21T13:00:00.250+0200"}}}};
    CHECK(began(info, "") == parse_instant("2026-09-21T11:00:00.250Z"));
    // Its clock is ten minutes behind ours, which reads 2026-09-21T14:13:20Z.
    CHECK(began(info, "Mon, 21 Sep 2026 14:03:20 GMT") == parse_instant("2026-09-21T11:10:00.250Z"));
    CHECK_FALSE(began(Json::array(), ""));
    CHECK_FALSE(began({{"status", {{"startup_time", 7}}}}, ""));
}

TEST_CASE("ari: shutting down hangs nothing up", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, AnswerLeg{.leg = "a"});
    rig.execute(2, AnswerLeg{.leg = "a"});
    rig.session.shut_down(rig.now);
    CHECK(rig.take_told() == Lines{"failed 2 DOWN unwritten"});
    CHECK(rig.closes);
    CHECK(rig.take_asked() == Lines{"POST /channels/a/answer"});
    rig.session.on_closed(rig.now, "closed by the gateway", false);
    CHECK_FALSE(rig.session.connect_at());
}

// ---- Recorded calls

TEST_CASE("ari recording: an originated leg is answered, pressed, held and ended", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, MakeLeg{.leg = "ag-1", .owner = "o", .target = "+8613800000000"});
    rig.answer(200);
    SECTION("by us") {
        rig.replay("answer-hangup");
        CHECK(rig.take_told() == Lines{"ringing ag-1", "answered ag-1", "ag-1 pressed 5", "ag-1 pressed 7", "ag-1 holds", "ag-1 goes on", "ended ag-1 answered 16/0"});
    }
}

TEST_CASE("ari recording: how a leg ended", "[asterisk_ari]") {
    const auto [scenario, leg, expected] = GENERATE(table<const char*, const char*, Lines>(
        {{"agent-hangup", "ag-bye", {"ringing ag-bye", "answered ag-bye", "ended ag-bye answered 0/0 by itself"}},
         {"reject-486", "ag-busy486", {"ringing ag-busy486", "ended ag-busy486 busy 17/486 by itself"}},
         {"reject-480", "ag-dnd480", {"ringing ag-dnd480", "ended ag-dnd480 no_answer 19/480 by itself"}},
         {"reject-603", "ag-decline603", {"ringing ag-decline603", "ended ag-decline603 rejected 21/603 by itself"}},
         {"reject-403", "ag-forbidden403", {"ringing ag-forbidden403", "ended ag-forbidden403 rejected 21/403 by itself"}},
         {"noanswer", "ag-na", {"ringing ag-na", "ended ag-na no_answer 19/480"}},
         {"cancel", "ag-ae", {"ringing ag-ae", "ended ag-ae cancelled 26/0"}}}));
    Rig rig;
    rig.come_up();
    rig.execute(1, MakeLeg{.leg = leg, .owner = "o", .target = "+8613800000000"});
    rig.answer(200);
    rig.replay(scenario);
    INFO(scenario);
    CHECK(rig.take_told() == expected);
}

TEST_CASE("ari recording: a call comes in, an agent answers, the caller hangs up", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, MakeMix{.mix = "br-call1", .owner = "o"});
    rig.execute(2, MakeLeg{.leg = "ag-call1", .owner = "o", .role = LegRole::agent, .target = "1001"});
    rig.replay("call1");
    CHECK(rig.take_told() == Lines{"arrived 1795290730.0 from sipp to toagent", "ringing ag-call1", "answered ag-call1", "answered 1795290730.0", "1795290730.0 joined br-call1",
                                   "ag-call1 joined br-call1", "1795290730.0 parted br-call1", "ended 1795290730.0 answered 16/0 by itself"});
}

TEST_CASE("ari recording: a phone that vanishes is ended by the media's silence, not by itself", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, MakeMix{.mix = "br-call7b", .owner = "o"});
    rig.execute(2, MakeLeg{.leg = "ag-call7b", .owner = "o", .role = LegRole::agent, .target = "1001"});
    rig.replay("call7b");
    CHECK(rig.take_told().back() == "ended ag-call7b answered 44/0");
}

TEST_CASE("ari recording: the phone's own transfer puts another leg in its place", "[asterisk_ari]") {
    const auto [scenario, number] = GENERATE(table<std::string, std::string>({{"call3", "1795290741.8"}, {"call6", "1795290779.18"}}));
    Rig rig;
    rig.come_up();
    const auto agent = "ag-" + scenario;
    rig.execute(1, MakeMix{.mix = "br-" + scenario, .owner = "o"});
    rig.execute(2, MakeLeg{.leg = agent, .owner = "o", .role = LegRole::agent, .target = "1001"});
    rig.answer_all();
    rig.asked.clear();
    rig.replay(scenario.c_str());
    const auto lines = rig.take_told();
    CHECK(std::find(lines.begin(), lines.end(), number + " replaces " + agent) != lines.end());
    CHECK(std::find(lines.begin(), lines.end(), number + " joined br-" + scenario) != lines.end());
    for (const auto& line : lines) CHECK(line.find("NO_COMMON_CODEC") == std::string::npos);
    rig.answer_all();
    const auto asked = rig.take_asked();
    CHECK(std::find(asked.begin(), asked.end(), "DELETE /channels/" + agent + "?reason=normal") != asked.end());
    CHECK(std::any_of(asked.begin(), asked.end(), [&](const std::string& each) { return each.starts_with("POST /channels/" + number + "/variable?variable=TOUCHGATE_OWNER&value=o"); }));
    // The old leg's end is nobody's business any more.
    rig.hear(event("ChannelDestroyed", a_channel(agent), {{"cause", 16}}));
    CHECK(rig.take_told().empty());
}

TEST_CASE("ari recording: a transfer that the phone hands over is asked for, once", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(2, MakeLeg{.leg = "ag-call4", .owner = "o", .role = LegRole::agent, .target = "1001"});
    rig.replay("call4");
    const auto lines = rig.take_told();
    CHECK(std::count(lines.begin(), lines.end(), "ag-call4 asks for agent") == 1);
    rig.answer_all();
    const auto asked = rig.take_asked();
    CHECK(std::count(asked.begin(), asked.end(), "POST /channels/ag-call4/transfer_progress?states=channel_progress") == 1);
}

TEST_CASE("ari recording: a snoop leg is there for its supervisor", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, MakeLeg{.leg = "ag-call5", .owner = "o", .role = LegRole::agent, .target = "1001"});
    rig.enters("ag-call5");
    rig.answer_all();
    rig.execute(2, SnoopLeg{.leg = "sn-1", .of = "ag-call5", .owner = "o", .whisper = true});
    CHECK(rig.take_asked().back() == "POST /channels/ag-call5/snoop?spy=both&whisper=out&app=gw&appArgs=snoop%2Co&snoopId=sn-1");
    rig.replay("call5");
    const auto lines = rig.take_told();
    CHECK(std::find(lines.begin(), lines.end(), "answered sn-1") != lines.end());
    CHECK(std::find(lines.begin(), lines.end(), "ag-call5 holds") != lines.end());
}

// ---- Single events

TEST_CASE("ari: an agent dials out, and arguments of the dial plan are handed on", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    auto agent = a_channel("a", "Ring", "gw,agent,13900000001,x,y");
    agent["name"] = "PJSIP/agent2-00000007";
    rig.hear(event("StasisStart", agent, {{"args", {"agent", "13900000001", "x", "y"}}}));
    REQUIRE(rig.events.size() == 1);
    const auto& arrived = std::get<LegArrived>(rig.events[0]);
    CHECK(arrived.role == LegRole::agent);
    CHECK(arrived.from == "agent2");
    CHECK(arrived.to == "13900000001");
    CHECK(arrived.endpoint == "agent2");
    CHECK(arrived.arguments == std::vector<std::string>{"x", "y"});
    rig.events.clear();
    rig.hear(event("StasisStart", a_channel("b", "Ring", "gw"), {{"args", Json::array()}}));
    CHECK(std::get<LegArrived>(rig.events[0]).to == "1000");
    CHECK(rig.take_asked() == Lines{"POST /applications/gw/subscription?eventSource=channel%3Aa", "POST /applications/gw/subscription?eventSource=channel%3Ab"});
}

TEST_CASE("ari: a call that leaves the application without word of its end has ended all the same", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.hear(event("StasisStart", a_channel("a", "Ring"), {{"args", {"inbound", "1000"}}}));
    rig.hear(event("ChannelHangupRequest", a_channel("a", "Ring")));
    rig.hear(event("StasisEnd", a_channel("a", "Ring")));
    (void)rig.take_told();
    CHECK(rig.session.wake_at() == rig.now + 1s);
    rig.wake_after(1s);
    CHECK(rig.take_told() == Lines{"ended a failed 0/0 by itself"});
    CHECK_FALSE(rig.session.wake_at());
}

TEST_CASE("ari: machine detection goes through the dial plan", "[asterisk_ari]") {
    Rig rig{{{"amd", {{"context", "touchgate-amd"}}}}};
    rig.come_up();
    rig.execute(1, MakeLeg{.leg = "c", .owner = "o", .target = "+8613800000000", .detect_machine = true});
    rig.answer(200);
    const auto made = a_channel("c", "Up", "gw,leg,customer,o,+8613800000000");
    rig.hear(event("ChannelStateChange", made));
    rig.hear(event("StasisStart", made, {{"args", {"leg", "customer", "o", "+8613800000000"}}}));
    CHECK(rig.take_told().empty());
    CHECK(rig.take_asked().back() == "POST /channels/c/continue?context=touchgate-amd&extension=s&priority=1");
    SECTION("and tells who answered") {
        const auto [verdict, line] = GENERATE(table<const char*, const char*>({{"HUMAN", "answered c by a human"}, {"MACHINE", "answered c by a machine"}, {"NOTSURE", "answered c by who knows"}}));
        rig.answer(204);
        rig.hear(event("StasisEnd", made));
        rig.wake_after(10s);
        rig.hear(event("StasisStart", made, {{"args", {"amd", verdict, "X"}}}));
        CHECK(rig.take_told() == Lines{line});
    }
    SECTION("who hangs up while it listens had answered") {
        rig.answer(204);
        rig.hear(event("StasisEnd", made));
        rig.hear(event("ChannelHangupRequest", made));
        rig.hear(event("ChannelDestroyed", made, {{"cause", 16}}));
        CHECK(rig.take_told() == Lines{"ended c answered 16/0 by itself"});
    }
    SECTION("without that part of the dial plan the call goes on") {
        rig.answer(409, {{"message", "no"}});
        CHECK(rig.take_told() == Lines{"answered c by who knows"});
    }
}

TEST_CASE("ari: a leg that leaves the bridge as it comes has no common codec", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.hear(event("StasisStart", a_channel("a"), {{"args", {"inbound", "1000"}}}));
    rig.execute(1, MakeMix{.mix = "m", .owner = "o"});
    rig.execute(2, JoinLeg{.mix = "m", .leg = "a"});
    const Json bridge{{"bridge", {{"id", "m"}}}};
    SECTION("at once, with nobody hanging up") {
        rig.hear(event("ChannelEnteredBridge", a_channel("a"), bridge));
        rig.hear(event("ChannelLeftBridge", a_channel("a"), bridge));
        CHECK(rig.take_told() == Lines{"arrived a from 13800000000 to 1000", "a joined m", "a parted m", "failed 2 NO_COMMON_CODEC"});
    }
    SECTION("not when somebody hung up") {
        rig.hear(event("ChannelEnteredBridge", a_channel("a"), bridge));
        rig.hear(event("ChannelHangupRequest", a_channel("a")));
        rig.hear(event("ChannelLeftBridge", a_channel("a"), bridge));
        CHECK(rig.take_told().back() == "a parted m");
    }
    SECTION("nor when it was asked to leave") {
        rig.hear(event("ChannelEnteredBridge", a_channel("a"), bridge));
        rig.execute(3, PartLeg{.mix = "m", .leg = "a"});
        rig.hear(event("ChannelLeftBridge", a_channel("a"), bridge));
        CHECK(rig.take_told().back() == "a parted m");
    }
    SECTION("nor later") {
        rig.hear(event("ChannelEnteredBridge", a_channel("a"), bridge));
        auto later = event("ChannelLeftBridge", a_channel("a"), bridge);
        later["timestamp"] = "2026-09-21T10:00:02.000+0000";
        rig.hear(later);
        CHECK(rig.take_told().back() == "a parted m");
    }
}

TEST_CASE("ari: plays and recordings end", "[asterisk_ari]") {
    Rig rig{{{"recordings", {{"folder", "touchgate"}}}}};
    rig.come_up();
    rig.hear(event("StasisStart", a_channel("a"), {{"args", {"inbound", "1000"}}}));
    rig.execute(1, Play{.play = "p1", .leg = "a", .mix = {}, .media = {"file:hello", "number:42"}});
    rig.execute(2, Play{.play = "p2", .leg = "a", .mix = {}, .media = {"tone:ring"}});
    rig.execute(3, StopPlay{.play = "p2"});
    rig.answer_all();
    const auto asked = rig.take_asked();
    CHECK(std::count(asked.begin(), asked.end(), "POST /channels/a/play?media=sound%3Ahello%2Cnumber%3A42&playbackId=p1") == 1);
    CHECK(std::count(asked.begin(), asked.end(), "DELETE /playbacks/p2") == 1);
    (void)rig.take_told();
    const auto ended = [](const char* id, const char* state) { return Json{{"type", "PlaybackFinished"}, {"playback", {{"id", id}, {"state", state}}}}; };
    rig.hear(ended("p1", "done"));
    rig.hear(ended("p2", "done"));
    rig.hear(ended("p3", "failed"));
    rig.hear({{"type", "RecordingFinished"}, {"recording", {{"name", "touchgate/r1"}, {"duration", 12}}}});
    rig.hear({{"type", "RecordingFailed"}, {"recording", {{"name", "touchgate/r2"}, {"cause", "disk"}}}});
    CHECK(rig.take_told() == Lines{"play p1 done", "play p2 cut off", "play p3 cut off", "recording r1 done", "recording r2 failed: disk"});
}

TEST_CASE("ari: nonsense is counted and nothing more", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    for (const auto* frame : {"", "{", "[]", "null", R"({"type":"StasisStart"})", R"({"type":"StasisStart","channel":{"id":"x"},"args":{"a":1}})", R"({"type":"New","channel":{}})",
                              R"({"type":"ChannelDestroyed","channel":{"id":null},"cause":"x"})", R"({"type":"ChannelEnteredBridge","bridge":7})"})
        rig.hear_text(frame);
    rig.hear_text(std::string(1'000'000, '['));
    CHECK(rig.session.counters().unreadable == 5);
    CHECK(rig.session.counters().unknown == 1);
    CHECK(rig.take_told() == Lines{"arrived x from  to "});
    rig.session.on_answer(rig.now, rig.wall, 999, {.status = 200, .headers = {}, .body = {}});
    CHECK(rig.session.counters().stray_answers == 1);
}
